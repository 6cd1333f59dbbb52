"""The limits behind every law: each one, their order, and the last act, whole pump steps."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl import units
from clampctl.core.interlocks import (
    Circumstances,
    dextrose_rate,
    gir_of,
    limit_dextrose,
    rounded,
    rounded_down,
)
from clampctl.core.protocol import Limits
from clampctl.core.state import InvariantBroken, Session
from clampctl.core.station import PumpSetup, RateStep
from tests.core.world import DEXTROSE, STATION, opened, protocol

SESSION = opened().session
CALM = Circumstances(5.0, doubted=False, cuts_frozen=False)
DOUBTED = Circumstances(5.0, doubted=True, cuts_frozen=False)
FROZEN = Circumstances(5.0, doubted=False, cuts_frozen=True)


def session(pump: PumpSetup = DEXTROSE, limits: Limits | None = None, weight_kg: float = 70.0) -> Session:
    made = opened(protocol(limits=limits), replace(STATION, dextrose_pump=pump)).session
    return replace(made, subject=replace(made.subject, weight_kg=weight_kg))


@pytest.mark.parametrize(
    ("wanted", "now", "gir", "reasons"),
    [
        (5.0, CALM, 5.0, ()),
        (9.0, CALM, 9.0, ()),
        (9.5, CALM, 9.0, ("rise at most 4 mg/kg/min a sample",)),
        (3.0, CALM, 3.0, ()),
        (2.5, CALM, 3.0, ("fall at most 2 mg/kg/min a sample",)),
        (3.0, DOUBTED, 4.0, ("cut at most 20 % until a repeat agrees",)),
        (4.5, DOUBTED, 4.5, ()),
        (6.0, DOUBTED, 6.0, ()),
        (4.9, FROZEN, 5.0, ("no cut on an old sample",)),
        (6.0, FROZEN, 6.0, ()),
        (
            25.0,
            CALM,
            9.0,
            ("ceiling 20 mg/kg/min", "rise at most 4 mg/kg/min a sample"),
        ),
        (
            0.0,
            replace(DOUBTED, cuts_frozen=True),
            5.0,
            (
                "fall at most 2 mg/kg/min a sample",
                "cut at most 20 % until a repeat agrees",
                "no cut on an old sample",
            ),
        ),
        (30.0, replace(CALM, in_force_mg_kg_min=19.0), 20.0, ("ceiling 20 mg/kg/min",)),
    ],
)
def test_each_limit_and_the_order_of_reasons(
    wanted: float, now: Circumstances, gir: float, reasons: tuple[str, ...]
) -> None:
    limited = limit_dextrose(SESSION, wanted, now)
    assert limited.gir_mg_kg_min == pytest.approx(gir)
    assert limited.reasons == reasons
    assert limited.wanted_mg_kg_min == wanted
    assert limited.rate_ul_h == dextrose_rate(SESSION, gir)[0]


def test_the_pumps_own_ceiling_comes_last() -> None:
    limited = limit_dextrose(
        session(replace(DEXTROSE, rate_ul_h_max=150_000)), 10.0, Circumstances(9.0, False, False)
    )
    assert limited.reasons == ("pump at most 150 mL/h",)
    assert limited.rate_ul_h == 150_000
    assert limited.gir_mg_kg_min == pytest.approx(150_000 / 21_000)


def test_a_row_of_doubted_samples_cuts_no_more_than_one() -> None:
    now = replace(DOUBTED, in_force_mg_kg_min=4.0, undoubted_mg_kg_min=5.0)
    assert limit_dextrose(SESSION, 1.0, now).gir_mg_kg_min == pytest.approx(4.0)
    lowered_by_hand = replace(now, in_force_mg_kg_min=2.0)
    assert limit_dextrose(SESSION, 1.0, lowered_by_hand).gir_mg_kg_min == pytest.approx(2.0)


@pytest.mark.parametrize("wanted", [-0.1, float("inf"), float("nan")])
def test_a_wish_that_is_no_rate_is_a_bug(wanted: float) -> None:
    with pytest.raises(InvariantBroken):
        limit_dextrose(SESSION, wanted, CALM)


@given(
    wanted=st.floats(0.0, 60.0),
    in_force=st.floats(0.0, 20.0),
    doubted=st.booleans(),
    frozen=st.booleans(),
    weight_kg=st.floats(45.0, 180.0),
    cap=st.integers(20_000, 600_000),
)
def test_the_rate_is_whole_steps_and_never_above_a_cap(
    wanted: float, in_force: float, doubted: bool, frozen: bool, weight_kg: float, cap: int
) -> None:
    where = session(limits=replace(Limits(), dextrose_ul_h_max=cap), weight_kg=weight_kg)
    limited = limit_dextrose(where, wanted, Circumstances(in_force, doubted, frozen))
    rate = limited.rate_ul_h
    assert 0 <= rate <= cap
    assert any(rate < band.below_ul_h and rate % band.step_ul_h == 0 for band in DEXTROSE.rate_steps)
    assert gir_of(where, rate) <= 20.0 + 1e-12
    assert limited.gir_mg_kg_min <= 20.0
    assert limited.gir_mg_kg_min <= in_force + 4.0
    held_up = not any("pump" in reason for reason in limited.reasons)
    if held_up:
        assert limited.gir_mg_kg_min >= min(wanted, in_force - 2.0)
        if doubted:
            assert limited.gir_mg_kg_min >= min(wanted, in_force * 0.8)
        if frozen:
            assert limited.gir_mg_kg_min >= min(wanted, in_force)
    assert bool(limited.reasons) == (limited.gir_mg_kg_min != wanted)


@given(st.floats(0.0, 999_900.0))
def test_rounding(rate_ul_h: float) -> None:
    down, near = rounded_down(DEXTROSE, rate_ul_h), rounded(DEXTROSE, rate_ul_h)
    step = 1 if rate_ul_h < 10_000 else 10 if rate_ul_h < 100_000 else 100
    assert 0 <= rate_ul_h - down < step
    if rate_ul_h >= DEXTROSE.rate_ul_h_min:
        assert abs(near - rate_ul_h) <= step / 2


@pytest.mark.parametrize(("rate", "held"), [(0.0, 0), (49.9, 0), (50.0, 100), (99.9, 100), (100.0, 100)])
def test_below_the_least_rate_of_the_pump(rate: float, held: int) -> None:
    assert rounded(DEXTROSE, rate) == held


def test_a_rate_that_no_step_covers_is_a_bug() -> None:
    with pytest.raises(InvariantBroken, match="no rate step of D covers"):
        rounded_down(DEXTROSE, 1_000_000)


def test_the_ceiling_of_the_gir_holds_after_rounding_too() -> None:
    coarse = replace(DEXTROSE, rate_steps=(RateStep(1_000_000, 1_000),))
    where = session(coarse, weight_kg=71.3)
    rate, reason = dextrose_rate(where, 20.0)
    assert (rate, reason) == (427_000, "")
    assert units.dextrose_ul_h(20.0, 71.3, 200.0) == pytest.approx(427_800)
    capped = session(coarse, replace(Limits(), dextrose_ul_h_max=99_500))
    assert dextrose_rate(capped, 99_499 / 21_000) == (99_000, "")
