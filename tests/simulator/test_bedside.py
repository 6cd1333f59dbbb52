"""The physical world at the bed: what leaves the pumps reaches the subject, and blood the analyzer."""

import pytest

from clampctl.core.commands import Role
from clampctl.core.protocol import Infusates
from clampctl.study.load import load_protocol
from clampctl.units import MS_PER_MIN
from simulator.bedside import STEP_MS, Bedside
from simulator.devices.fault import fault
from simulator.devices.new_era import NewEra
from simulator.devices.ysi import Ysi
from simulator.infusion_line import LineFault
from simulator.models import MODELS, Person
from simulator.sampling_site import BloodFault
from simulator.subjects.variability import NOISES

INFUSATES: Infusates = load_protocol("euglycemic-40").infusates


class Given:
    """Notes what the subject of a bedside is given, in mg and mU."""

    def __init__(self, bedside: Bedside, monkeypatch: pytest.MonkeyPatch) -> None:
        self.glucose_mg = self.insulin_mu = 0.0
        weight_kg = bedside.subject.weight_kg
        advance = bedside.subject.advance

        def noted(minutes: float, gir: float, insulin: float, eta: float) -> None:
            self.glucose_mg += gir * minutes * weight_kg
            self.insulin_mu += insulin * minutes * weight_kg
            advance(minutes, gir, insulin, eta)

        monkeypatch.setattr(bedside.subject, "advance", noted)


def running(rate_ul_h: int) -> NewEra:
    """A pump that someone started by hand at minute 0."""
    pump = NewEra()
    pump.inject(fault(f"key=rate,{rate_ul_h}"), 0)
    pump.inject(fault("key=start"), 0)
    return pump


def bedside(
    dextrose: NewEra, insulin: NewEra, noise: str = "none", seed: int = 1, model: str = "composite"
) -> Bedside:
    chosen = MODELS[model]
    subject = chosen.one(Person("lean"))
    return Bedside(subject, chosen.noises[noise], seed, dextrose, insulin, Ysi(), INFUSATES)


@pytest.mark.parametrize("model", MODELS)
def test_mass_is_neither_made_nor_lost(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dextrose, insulin = running(61_300), running(4_440)
    bed = bedside(dextrose, insulin, model=model)
    given = Given(bed, monkeypatch)
    for now_ms in range(0, 30 * MS_PER_MIN, 700):
        bed.advance(now_ms)
        if now_ms // 700 == 500:
            dextrose.inject(fault("key=rate,20500"), now_ms)
    bed.advance(30 * MS_PER_MIN)
    assert given.glucose_mg == pytest.approx(dextrose.delivered_ul / 1000 * INFUSATES.dextrose_g_l, rel=1e-12)
    assert given.insulin_mu == pytest.approx(insulin.delivered_ul / 1000 * INFUSATES.insulin_mu_ml, rel=1e-12)
    assert given.glucose_mg > 1_000


def test_what_is_truly_delivered_counts_not_what_the_pump_says(monkeypatch: pytest.MonkeyPatch) -> None:
    dextrose, insulin = running(60_000), running(4_000)
    dextrose.inject(fault("drift=-100"), 0)
    bed = bedside(dextrose, insulin)
    given = Given(bed, monkeypatch)
    bed.advance(10 * MS_PER_MIN)
    assert given.glucose_mg == 0.0
    assert given.insulin_mu > 0.0


@pytest.mark.parametrize("model", MODELS)
def test_a_fasting_subject_stays_where_it_is(model: str) -> None:
    bed = bedside(NewEra(), NewEra(), model=model)
    bed.advance(60 * MS_PER_MIN)
    assert [point.at_ms for point in bed.truth] == [minute * MS_PER_MIN for minute in range(61)]
    assert {round(point.glucose_mg_dl, 6) for point in bed.truth} == {90.0}
    assert bed.next_ms == 60 * MS_PER_MIN + STEP_MS


@pytest.mark.parametrize("model", MODELS)
def test_insulin_lowers_glucose_and_dextrose_raises_it(model: str) -> None:
    low = bedside(NewEra(), running(4_440), model=model)
    high = bedside(running(60_000), NewEra(), model=model)
    for bed in (low, high):
        bed.advance(30 * MS_PER_MIN)
    assert low.subject.glucose_mg_dl < 80.0
    assert high.subject.glucose_mg_dl > 100.0


def test_the_seed_alone_makes_the_difference() -> None:
    def course(seed: int) -> list[float]:
        bed = bedside(NewEra(), running(4_440), "noisy", seed)
        bed.advance(20 * MS_PER_MIN)
        return [point.glucose_mg_dl for point in bed.truth]

    assert course(1) == course(1)
    assert course(1) != course(2)


def test_blood_drawn_is_what_the_analyzer_measures() -> None:
    analyzer = Ysi()
    bed = Bedside(
        MODELS["composite"].one(Person("lean")), NOISES["none"], 1, NewEra(), NewEra(), analyzer, INFUSATES
    )
    bed.draw(5 * MS_PER_MIN)
    due_ms = analyzer.wake_at()
    assert due_ms is not None
    assert due_ms > 5 * MS_PER_MIN
    assert bed.truth[-1].at_ms == 5 * MS_PER_MIN


def test_late_blood_is_the_blood_of_then() -> None:
    analyzer = Ysi()
    bed = Bedside(
        MODELS["composite"].one(Person("lean")),
        NOISES["none"],
        1,
        NewEra(),
        running(4_440),
        analyzer,
        INFUSATES,
    )
    bed.site.befall(BloodFault.LATE, 2.1, 0, lasts=False)
    bed.draw(7_000)
    late_ms = 7_000 + 126_000
    waits = []
    for now_ms in (*range(15_000, late_ms, 15_000), late_ms):
        waits.append(not analyzer.running)
        assert bed.next_ms == min(now_ms, late_ms)
        bed.advance(now_ms)
    assert waits == [True] * len(waits)
    assert analyzer.running
    assert bed.next_ms == 135_000


def test_missed_blood_never_reaches_the_analyzer() -> None:
    analyzer = Ysi()
    bed = Bedside(
        MODELS["composite"].one(Person("lean")), NOISES["none"], 1, NewEra(), NewEra(), analyzer, INFUSATES
    )
    bed.site.befall(BloodFault.MISSED, 0.0, 0, lasts=False)
    found = []
    for now_ms in (7_000, 60_000):
        bed.draw(now_ms)
        found.append(analyzer.running)
    assert found == [False, True]


def test_what_the_line_keeps_does_not_reach_the_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    dextrose, insulin = running(60_000), running(6_000)
    bed = bedside(dextrose, insulin)
    given = Given(bed, monkeypatch)
    bed.lines[Role.DEXTROSE].befall(LineFault.LEAK, 25.0)
    bed.lines[Role.INSULIN].befall(LineFault.STRENGTH, 1_000.0)
    bed.advance(10 * MS_PER_MIN)
    assert given.glucose_mg == pytest.approx(0.75 * 10.0 * INFUSATES.dextrose_g_l)
    assert given.insulin_mu == pytest.approx(10.0 * 1.0 * INFUSATES.insulin_mu_ml)
