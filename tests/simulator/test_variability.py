"""Random walks: stationary, exact for any cut of time, the same for the same seed.

Statistics use 20,000 independent walks: a standard deviation is then known to 0.5 %, a correlation
to 0.007 or better, a mean to 0.007 standard deviations; bounds are about four times that.
"""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clampctl.core.protocol import Refusal
from simulator.subjects.values import Array
from simulator.subjects.variability import (
    BIZZOTTO_NOISES,
    DRIFTS,
    NOISES,
    STEADY,
    Drift,
    Walk,
    Wander,
    deviates,
    deviates_for,
    drift_named,
    moved,
)

N = 20_000
VMX_WANDERS = [NOISES["quiet"].log_vmx, NOISES["noisy"].log_vmx]


def many(wander: Wander, seed: int, drift: Drift = STEADY) -> Walk[Array]:
    return Walk(wander, deviates_for(np.random.default_rng(seed), N), drift)


def test_presets_are_the_sheets() -> None:
    none, quiet, noisy = NOISES["none"], NOISES["quiet"], NOISES["noisy"]
    assert (none.log_vmx.sd, none.arterialisation.sd, none.assay_cv) == (0.0, 0.0, 0.0)
    assert (quiet.log_vmx, quiet.arterialisation.sd, quiet.assay_cv) == (Wander(0.08, 40.0), 0.0, 0.015)
    assert (noisy.log_vmx, noisy.arterialisation) == (Wander(0.25, 20.0), Wander(0.01, 15.0))
    assert noisy.assay_cv == 0.015
    assert list(NOISES) == ["none", "quiet", "noisy", "harsh"]


def test_presets_are_in_the_order_of_their_harshness_on_both_models() -> None:
    assert list(BIZZOTTO_NOISES) == list(NOISES)
    for presets in (NOISES, BIZZOTTO_NOISES):
        for milder, harsher in pairwise(presets.values()):
            assert milder.log_vmx.sd < harsher.log_vmx.sd
            assert milder.assay_cv <= harsher.assay_cv
            assert milder.arterialisation.sd <= harsher.arterialisation.sd
    for name in NOISES:  # the blood is worked up alike, whoever it is from
        assert NOISES[name].assay_cv == BIZZOTTO_NOISES[name].assay_cv
        assert NOISES[name].arterialisation == BIZZOTTO_NOISES[name].arterialisation


@pytest.mark.parametrize("wander", [*VMX_WANDERS, NOISES["noisy"].arterialisation])
@pytest.mark.parametrize("steps", [0, 1, 40])
def test_walk_is_stationary_from_its_start(wander: Wander, steps: int) -> None:
    walk = many(wander, seed=1)
    for _ in range(steps):
        walk.advance(0.25)
    assert walk.value.std() == pytest.approx(wander.sd, rel=0.02)
    assert walk.value.mean() == pytest.approx(0.0, abs=0.03 * wander.sd)


@pytest.mark.parametrize("wander", VMX_WANDERS)
@pytest.mark.parametrize("steps", [1, 80])
def test_memory_fades_with_tau_however_time_is_cut(wander: Wander, steps: int) -> None:
    walk = many(wander, seed=2)
    begin = walk.value
    for _ in range(steps):
        walk.advance(wander.tau_min / steps)
    correlation = np.corrcoef(begin, walk.value)[0, 1]
    assert correlation == pytest.approx(math.exp(-1.0), abs=0.03)


@settings(deadline=None)
@given(
    minutes=st.floats(0.0, 300.0),
    split=st.floats(0.0, 1.0),
    value=st.floats(-1.0, 1.0),
    wander=st.sampled_from(VMX_WANDERS),
)
def test_two_moves_have_the_mean_and_spread_of_one(
    minutes: float, split: float, value: float, wander: Wander
) -> None:
    first, second = minutes * split, minutes * (1.0 - split)
    mean = moved(wander, moved(wander, value, first, 0.0), second, 0.0)
    assert mean == pytest.approx(moved(wander, value, minutes, 0.0), abs=1e-12)
    early = moved(wander, moved(wander, 0.0, first, 1.0), second, 0.0)
    late = moved(wander, 0.0, second, 1.0)
    assert early**2 + late**2 == pytest.approx(moved(wander, 0.0, minutes, 1.0) ** 2, abs=1e-12)


def test_same_seed_same_walk_and_another_seed_another() -> None:
    def course(seed: int) -> list[float]:
        walk = Walk(NOISES["noisy"].log_vmx, deviates(np.random.default_rng(seed)))
        return [walk.advance(0.25) for _ in range(20)]

    assert course(5) == course(5)
    assert course(5) != course(6)


def test_one_subject_walks_on_plain_numbers() -> None:
    walk = Walk(NOISES["quiet"].log_vmx, deviates(np.random.default_rng(1)))
    assert type(walk.value) is float
    assert type(walk.advance(0.25)) is float


def test_no_noise_does_not_move() -> None:
    walk = Walk(NOISES["none"].log_vmx, deviates(np.random.default_rng(1)))
    assert [walk.value, walk.advance(0.25), walk.advance(60.0)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("ramp_per_h", [0.02, 0.05, 0.10])
def test_ramp_compounds_by_the_hour(ramp_per_h: float) -> None:
    walk = Walk(NOISES["none"].log_vmx, deviates(np.random.default_rng(1)), Drift(ramp_per_h))
    for _ in range(480):
        walk.advance(0.25)
    assert math.exp(walk.value) == pytest.approx((1.0 + ramp_per_h) ** 2)


def test_ramp_lifts_the_walk_without_widening_it() -> None:
    level, ramped = many(NOISES["quiet"].log_vmx, seed=3), many(NOISES["quiet"].log_vmx, 3, Drift(0.05))
    for _ in range(8):
        level.advance(15.0)
        ramped.advance(15.0)
    assert ramped.value - level.value == pytest.approx(np.full(N, 2.0 * math.log(1.05)))


@pytest.mark.parametrize(("name", "factor"), [("step-up", 1.25), ("step-down", 0.75)])
def test_step_moves_uptake_by_a_quarter_within_ten_minutes(name: str, factor: float) -> None:
    drift = DRIFTS[name]
    assert [drift.log_at(minute) for minute in (0.0, 30.0, 60.0)] == [0.0, 0.0, 0.0]
    assert math.exp(drift.log_at(65.0)) == pytest.approx((1.0 + factor) / 2.0)
    assert [math.exp(drift.log_at(minute)) for minute in (70.0, 71.0, 300.0)] == pytest.approx([factor] * 3)


@pytest.mark.parametrize("name", DRIFTS)
@pytest.mark.parametrize("steps", [1, 7, 480])
def test_drift_does_not_depend_on_how_time_is_cut(name: str, steps: int) -> None:
    walk = Walk(NOISES["none"].log_vmx, deviates(np.random.default_rng(1)), DRIFTS[name])
    for _ in range(steps):
        walk.advance(120.0 / steps)
    assert walk.value == pytest.approx(DRIFTS[name].log_at(120.0))
    assert (walk.value == 0.0) == (name == "none")


def test_an_unknown_drift_is_refused_with_the_known_ones() -> None:
    assert drift_named("none") is STEADY
    with pytest.raises(Refusal, match="'fall' is not a drift; known are none, ramp-lean"):
        drift_named("fall")
