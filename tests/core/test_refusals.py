"""What a protocol, a station or a subject may not ask for: refused by name, in one sentence."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from clampctl.core.commands import Role
from clampctl.core.protocol import Limits, Prime, PrimeStep, Refusal, Tail
from clampctl.core.state import Pump
from clampctl.core.values import changed
from tests.core.world import DEXTROSE, INSULIN, LAW, MIN, STATION, SUBJECT, clamp_step, protocol

FIRST = PrimeStep(0, 4.0)
STEP = clamp_step()
WATER = protocol().infusates

REFUSED: tuple[tuple[str, Callable[[], object]], ...] = (
    ("prime", lambda: Prime("p", (FIRST, FIRST), 10 * MIN)),
    ("prime", lambda: Prime("p", (FIRST,), 0)),
    ("prime", lambda: Prime("p", (PrimeStep(MIN, 2.0),), 10 * MIN)),
    ("prime multiple", lambda: Prime("p", (PrimeStep(0, 10.1),), 10 * MIN)),
    ("prime until", lambda: Prime("p", (), 31 * MIN)),
    ("glucose space", lambda: replace(LAW, space_l_kg=0.6)),
    ("look-ahead", lambda: replace(LAW, horizon_ms=4 * MIN)),
    ("first metabolic term", lambda: replace(LAW, metabolic_start_mg_kg_min=0.0)),
    ("floor of the metabolic term", lambda: replace(LAW, metabolic_floor_mg_kg_min=-0.1)),
    (
        "first glucose rate",
        lambda: replace(LAW, first_rates=(replace(LAW.first_rates[0], gir_mg_kg_min=11.0),)),
    ),
    ("insulin", lambda: clamp_step(0.9)),
    ("insulin", lambda: protocol(clamp_step(121.0))),
    ("target", lambda: clamp_step(target=44.0)),
    ("target", lambda: clamp_step(target=float("nan"))),
    ("duration", lambda: clamp_step(minutes=19)),
    ("window", lambda: replace(STEP, window_start_ms=STEP.window_end_ms)),
    ("window", lambda: replace(STEP, window_end_ms=STEP.duration_ms + 1)),
    ("steps", lambda: replace(protocol(), steps=())),
    ("sampling", lambda: replace(protocol(), sampling_ms=11 * MIN)),
    ("dextrose", lambda: replace(WATER, dextrose_g_l=40.0)),
    ("insulin concentration", lambda: replace(WATER, insulin_mu_ml=20_000.0)),
    ("tail hold", lambda: Tail(hold_ms=0)),
    ("tail half-life", lambda: Tail(half_life_ms=0)),
    ("tail average", lambda: Tail(average_ms=0)),
    ("gir max", lambda: Limits(gir_mg_kg_min_max=20.1)),
    ("gir soft", lambda: Limits(gir_mg_kg_min_soft=15.1)),
    ("gir rise", lambda: Limits(gir_rise_mg_kg_min_max=4.1)),
    ("gir fall", lambda: Limits(gir_fall_mg_kg_min_max=2.1)),
    ("cut on a doubted high", lambda: Limits(doubted_cut_max=0.21)),
    ("dextrose rate", lambda: Limits(dextrose_ul_h_max=600_001)),
    ("insulin dose", lambda: Limits(insulin_mu_m2_min_max=241.0)),
    ("insulin rate", lambda: Limits(insulin_ul_h_max=40_001)),
    ("doubted rise", lambda: Limits(rise_doubted_mg_dl_min=5.1)),
    ("glucose for insulin off", lambda: Limits(glucose_insulin_off_mg_dl=44.0)),
    ("late sample", lambda: Limits(age_late_ms=8 * MIN + 1)),
    ("stale sample", lambda: Limits(age_stale_ms=12 * MIN + 1)),
    ("fallback age", lambda: Limits(age_fallback_ms=15 * MIN + 1)),
    ("proposal life", lambda: Limits(proposal_ms=60_001)),
    ("override life", lambda: Limits(override_ms=10 * MIN + 1)),
    ("repeat of a doubted sample", lambda: Limits(repeat_ms=3 * MIN + 1)),
    ("read-back", lambda: Limits(readback_ms=5_001)),
    ("silence", lambda: Limits(silence_ms=5_001)),
    ("silence before insulin stops", lambda: Limits(silence_stop_ms=30_001)),
    ("dextrose without flow", lambda: Limits(no_flow_ms=20_001)),
    ("insulin_pump", lambda: replace(INSULIN, watchdog_s=None)),
    ("dextrose_pump", lambda: replace(DEXTROSE, watchdog_s=30)),
    ("syringe diameter", lambda: replace(DEXTROSE, diameter_um=90_000)),
    ("matrix", lambda: replace(STATION.analyzer, matrix="urine")),
    ("conversion", lambda: replace(STATION.analyzer, plasma_by_program=True)),
    ("analyzer lag", lambda: replace(STATION.analyzer, lag_ms=-1)),
    ("code", lambda: replace(SUBJECT, code="")),
    ("weight", lambda: replace(SUBJECT, weight_kg=34.9)),
    ("height", lambda: replace(SUBJECT, height_cm=221.0)),
    ("body mass index", lambda: replace(SUBJECT, weight_kg=190.0)),
    ("body surface", lambda: replace(SUBJECT, bsa_m2=0.9)),
    ("sex", lambda: replace(SUBJECT, sex="f")),
    ("birth year", lambda: replace(SUBJECT, birth_year=1899)),
)


@pytest.mark.parametrize(("field", "wish"), REFUSED, ids=[f"{n}-{case[0]}" for n, case in enumerate(REFUSED)])
def test_refused_by_name_with_one_sentence(field: str, wish: Callable[[], object]) -> None:
    with pytest.raises(Refusal) as caught:
        wish()
    assert caught.value.field == field
    assert str(caught.value) == caught.value.sentence
    assert caught.value.sentence.endswith(".")


def test_what_is_allowed() -> None:
    unlocked = replace(Limits(), insulin_mu_m2_min_max=240.0)
    assert protocol(clamp_step(240.0), limits=unlocked).steps[0].insulin_mu_m2_min == 240.0
    assert replace(INSULIN, watchdog_s=None, driver="manual-pump").watchdog_s is None
    assert replace(SUBJECT, birth_year=1980).birth_year == 1980


def test_a_changed_value_has_only_the_fields_it_has() -> None:
    pump = Pump(Role.INSULIN)
    assert changed(pump, epoch=3) == replace(pump, epoch=3)
    assert pump.epoch == 0
    with pytest.raises(TypeError, match=r"Pump has no \['speed'\]"):
        changed(pump, speed=1)
