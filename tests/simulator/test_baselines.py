"""Baselines: the sheet's equations by hand, never at a bedside, and the search of gains."""

from dataclasses import replace
from threading import Event, Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core import dosing
from clampctl.core.laws.hold import Hold
from clampctl.core.laws.law import Law, LawState, Question
from clampctl.core.protocol import Refusal
from clampctl.engine.opening import session_started
from clampctl.study.load import load_protocol
from clampctl.study.variants import with_law, with_minutes
from simulator import workers
from simulator.baselines import BASELINES, on_trial, search
from simulator.baselines.look_ahead import LookAhead
from simulator.baselines.pid_clamp import SEARCHED, Gains, PidClamp
from simulator.baselines.recent import SLOTS_KEPT
from simulator.clamp import virtual_subject
from simulator.subjects.phenotypes import typical
from simulator.trial import Request, run_chunk
from simulator.trial_bed import STATION, Bed
from simulator.workers import Crew, run_trial

PROTOCOL = load_protocol("euglycemic-40")
SHORT = with_minutes(PROTOCOL, 30)
MINUTE = 60_000


def question(at_min: float, glucose_mg_dl: float, delivered: float | None, in_force: float = 9.0) -> Question:
    """A sample under the protocol's settings: V 0.19 L/kg, 5 min, target 90."""
    at_ms = round(at_min * MINUTE)
    return Question(glucose_mg_dl, at_ms, at_ms, 90.0, 5 * MINUTE, delivered, in_force, PROTOCOL.law)


def advised(law: Law, *questions: Question) -> list[float]:
    """What the law wants at each sample."""
    memory, wanted = LawState(), []
    for asked in questions:
        advice = law.advise(memory, asked)
        memory = advice.memory
        wanted.append(advice.wanted_mg_kg_min)
    return wanted


def request(law: str, subjects: int = 4) -> Request:
    """A short trial under this law."""
    return Request(with_law(SHORT, law), "composite", "lean", "noisy", 11, subjects)


def test_look_ahead_by_hand() -> None:
    found = advised(LookAhead(), question(5, 92, 2.0), question(10, 88, 2.0), question(15, 90, 3.0))
    assert found[0] == 2.0  # the protocol's first rate
    assert found[1] == pytest.approx(
        2.0 + 0.38 * 4.0 + 1.9 * 2.0 / 15.0
    )  # 10 V / T = 0.38 (clamp-method 2.3)
    assert found[2] == pytest.approx(3.0 - 0.38 * 2.0)


def test_look_ahead_reaches_the_target_in_three_steps() -> None:
    """In the one compartment it is made from, with steady uptake: a third of the way at each sample."""
    glucose, gir, before = 75.0, 0.0, 80.0
    law, memory = LookAhead(), LawState()
    memory = law.advise(memory, question(10, before, gir)).memory
    uptake = gir - 1.9 * (glucose - before) / 5.0
    for k in range(3):
        advice = law.advise(memory, question(15 + 5 * k, glucose, gir))
        memory, gir = advice.memory, advice.wanted_mg_kg_min
        away = 90.0 - glucose
        glucose += (gir - uptake) * 5.0 / 1.9
        assert 90.0 - glucose == pytest.approx(away * 2.0 / 3.0)


def test_pid_clamp_by_hand() -> None:
    law = PidClamp(Gains(kp=-0.1, ki=0.9, kd=-2.0, samples=2))
    found = advised(law, question(5, 92, None, 4.0), question(10, 88, 2.0), question(15, 93, 6.0))
    assert found[1] == pytest.approx(0.1 * 2.0 + 0.9 * 3.0 + 2.0 * 4.0 / 5.0)
    assert found[2] == pytest.approx(-0.1 * 3.0 + 0.9 * 4.0 - 2.0 * 5.0 / 5.0)


@given(st.lists(st.tuples(st.floats(40, 300), st.floats(0, 20)), min_size=1, max_size=12))
def test_look_ahead_is_one_of_the_pid_clamps(samples: list[tuple[float, float]]) -> None:
    asked = [question(10 + 5 * k, *sample) for k, sample in enumerate(samples)]
    assert advised(PidClamp(search.START), *asked) == pytest.approx(advised(LookAhead(), *asked))


@pytest.mark.parametrize("law", BASELINES.values())
@given(st.lists(st.tuples(st.floats(1, 12), st.floats(20, 600), st.floats(0, 20)), max_size=12))
def test_no_baseline_wants_less_than_nothing_or_remembers_all(
    law: Law, samples: list[tuple[float, float, float]]
) -> None:
    memory, minute = LawState(), 0.0
    for after_min, glucose, delivered in samples:
        minute += after_min
        advice = law.advise(memory, question(minute, glucose, delivered))
        memory = advice.memory
        assert 0.0 <= advice.wanted_mg_kg_min < float("inf")
        assert len(memory.slots) <= SLOTS_KEPT


@pytest.mark.parametrize("law", BASELINES.values())
def test_a_repeat_takes_the_place_of_the_sample_before(law: Law) -> None:
    once = advised(law, question(10, 88, 3.0), question(15, 90, 5.0))
    again = advised(law, question(10, 88, 3.0), question(13, 140, 5.0), question(15, 90, None))
    assert again[-1] == once[-1]


@pytest.mark.parametrize("samples", [0, SLOTS_KEPT + 1])
def test_a_mean_is_over_what_is_remembered(samples: int) -> None:
    with pytest.raises(ValueError, match="intervals"):
        replace(SEARCHED, samples=samples)


@pytest.mark.parametrize("law", sorted(BASELINES))
def test_outside_a_trial_the_core_refuses_a_baseline(law: str) -> None:
    run_trial(request(law, 1))
    started = session_started(with_law(SHORT, law), virtual_subject(typical("lean"), "x"), STATION, "x", "")
    with pytest.raises(Refusal, match="expected one of defronzo, hold"):
        Bed(started)
    assert set(dosing.LAWS) == {"defronzo", "hold"}


def test_a_law_lent_is_returned_whatever_happens() -> None:
    with on_trial():
        assert set(dosing.LAWS) == {"defronzo", "hold", *BASELINES}
    with pytest.raises(KeyError), on_trial():
        raise KeyError
    assert set(dosing.LAWS) == {"defronzo", "hold"}


def test_a_law_of_the_core_is_never_replaced() -> None:
    before = dosing.LAWS["defronzo"]
    with pytest.raises(ValueError, match="defronzo"), on_trial({"defronzo": Hold()}):
        pytest.fail("it was lent")
    assert dosing.LAWS["defronzo"] is before


def test_threads_of_one_worker_take_turns() -> None:
    lent, seen = Event(), []

    def other() -> None:
        lent.set()
        with on_trial({"other": Hold()}):
            seen.append(set(dosing.LAWS))

    thread = Thread(target=other)
    with on_trial():
        thread.start()
        lent.wait()
    thread.join()
    assert seen == [{"defronzo", "hold", "other"}]


@pytest.mark.parametrize("law", sorted(BASELINES))
def test_a_baseline_clamps_through_the_real_core(law: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("joblib")
    monkeypatch.setattr(workers, "CHUNK", 2)
    here, there = run_trial(request(law)), run_trial(request(law), Crew(2))
    assert np.array_equal(here.glucose_mg_dl, there.glucose_mg_dl)
    assert set(here.scores["fell_back"]) == {0.0}
    assert (here.glucose_mg_dl > 65.0).all()
    defronzo = run_chunk(request("defronzo"), 0, 4)
    assert (here.glucose_mg_dl[:10] == defronzo.glucose_mg_dl[:10]).all()
    assert (here.glucose_mg_dl[-1] != defronzo.glucose_mg_dl[-1]).all()


def bowl(several: list[Gains]) -> list[float]:
    """A cost with one least: kp -0.3, ki 1, kd -1.0, two intervals."""
    return [
        (gains.kp + 0.3) ** 2 + (gains.ki - 1.0) ** 2 + 0.1 * (gains.kd + 1.0) ** 2 + abs(gains.samples - 2)
        for gains in several
    ]


def test_the_search_goes_downhill_to_the_least() -> None:
    found = list(search.searched(lambda several: bowl(list(several))))
    costs = [least for _, least in found]
    assert costs == sorted(costs, reverse=True)
    best = found[-1][0]
    assert best.kp == pytest.approx(-0.3, abs=0.02)
    assert best.ki == pytest.approx(1.0, abs=0.02)
    assert best.kd == pytest.approx(-1.0, abs=0.2)
    assert best.samples == 2


@pytest.fixture
def short_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """One cell, half an hour."""
    monkeypatch.setattr(search, "CELLS", (("lean", 40, "quiet"),))
    monkeypatch.setattr(search, "load_protocol", lambda name: with_minutes(load_protocol(name), 30))
    monkeypatch.setattr(search, "find_spec", lambda _: None)


@pytest.mark.usefixtures("short_cells")
def test_gains_that_do_nothing_cost_more() -> None:
    idle = Gains(kp=0.0, ki=0.5, kd=0.0, samples=1)
    judged = search.judge(3)
    first, second, again = judged([SEARCHED, idle, SEARCHED])
    assert first == again < second
