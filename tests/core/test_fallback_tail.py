"""SAFE-TAIL itself: its form, its first rate, its end, and who may leave it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core import fallback
from clampctl.core.commands import Role
from clampctl.core.events import (
    ClampEnded,
    ClampResumed,
    InsulinStopPressed,
    LinkLost,
    PumpReleased,
    PumpState,
    RateOverridden,
    SessionResumed,
)
from clampctl.core.laws.law import LawState
from clampctl.core.protocol import Tail
from clampctl.core.state import Dosing, GivenRate, Phase, State, Tailing
from tests.core.promises import kept
from tests.core.world import MIN, World, opened, protocol

TAIL = Tail()


@given(st.integers(0, 20 * 60 * MIN))
def test_halving_follows_the_power_of_two_in_thirtieths(elapsed_ms: int) -> None:
    share = fallback.halved(elapsed_ms, 30 * MIN)
    steps = elapsed_ms // MIN
    assert share == pytest.approx(2.0 ** (-steps / 30.0), rel=1e-12)
    assert 2.0 ** (-elapsed_ms / MIN / 30.0) <= share * (1 + 1e-12)
    assert share <= 2.0 ** (-(elapsed_ms / MIN - 1) / 30.0) * (1 + 1e-12)


def test_halving_ends_somewhere_above_zero() -> None:
    assert 0.0 < fallback.halved(10**12, MIN) < 1e-17


def tailing(glucose: float = 90.0, gir: float = 4.0, before: float = 90.0) -> State:
    """A state in SAFE-TAIL since minute 0, with two samples; the clock is the caller's."""
    world = World().ready()
    world.at_ms = 4 * MIN
    world.sample(before)
    world.at_ms = 9 * MIN
    world.sample(glucose)
    return replace(world.state, phase=Phase.FALLBACK, tailing=Tailing(0, gir, "test"))


def test_the_tail_holds_thirty_minutes_then_fades_smoothly() -> None:
    state = tailing(gir=8.0)
    girs = [fallback.tail_gir(state, minute * MIN) for minute in range(121)]
    assert girs[:31] == [8.0] * 31
    for minute in range(31, 121):
        assert girs[minute] == pytest.approx(8.0 * 2 ** (-(minute - 30) / 30))
    assert fallback.tail_gir(opened(), MIN) == 0.0


@pytest.mark.parametrize(
    ("given_rates", "gir"),
    [
        ((), 0.0),
        (((0, 4.0),), 4.0),
        (((0, 4.0), (95, 8.0)), 6.0),
        (((0, 8.0), (99, 0.0)), 7.2),
        (((0, 8.0), (92, 0.0)), 4.0),
        (((0, 8.0), (69, 0.0)), 0.0),
        (((0, 8.0), (71, 0.0)), 4.0),
        (((98, 6.0),), 3.0),
        (((0, 2.0), (95, 6.0), (97, 4.0)), 3.4),
    ],
)
def test_the_first_rate_is_the_mean_of_ten_minutes_at_least_half_the_highest_of_thirty(
    given_rates: tuple[tuple[int, float], ...], gir: float
) -> None:
    rates = tuple(GivenRate(minute * MIN, rate) for minute, rate in given_rates)
    dosing = Dosing(LawState(), given=rates)
    assert fallback.validated_gir(dosing, TAIL, 100 * MIN) == pytest.approx(gir)


def test_a_long_hold_before_two_quick_changes_still_counts() -> None:
    world = World(protocol(), look=kept).steady(20)
    for _ in range(14):
        world.wait(5 * 60, every_s=5)
        world.sample(90.0)
    started = world.state.dosing.gir_mg_kg_min
    for gir in (started + 0.5, started + 1.0):
        world.wait(60)
        world.do(RateOverridden(gir, "hand", "n"))
    world.wait(60)
    world.do(InsulinStopPressed("n"))
    assert world.state.tailing is not None
    assert world.state.tailing.gir_mg_kg_min == pytest.approx(started + 0.15, abs=1e-6)


@pytest.mark.parametrize(
    ("newest", "before", "minute", "share"),
    [(181.0, 190.0, 15, 2**-0.5), (181.0, 170.0, 15, 1.0), (180.0, 190.0, 15, 1.0)],
)
def test_two_believed_samples_above_180_start_the_taper_at_once(
    newest: float, before: float, minute: int, share: float
) -> None:
    state = tailing(newest, before=before)
    assert fallback.tail_gir(state, minute * MIN) == pytest.approx(4.0 * share)


def test_a_doubted_high_does_not_start_the_taper() -> None:
    world = World().ready()
    world.sample(185.0)
    world.wait(60)
    world.sample(300.0)
    state = replace(world.state, phase=Phase.FALLBACK, tailing=Tailing(0, 4.0, "test"))
    assert fallback.tail_gir(state, 15 * MIN) == 4.0


@pytest.mark.parametrize(
    ("glucose", "age_min", "gir"),
    [(80.0, 15, 0.0), (79.9, 1, 0.2), (80.0, 15.1, 0.2), (90.0, 1, 0.0)],
)
def test_the_tail_ends_only_with_glucose_known_to_be_well(glucose: float, age_min: float, gir: float) -> None:
    state = tailing(glucose, gir=0.2)
    assert fallback.tail_gir(state, 9 * MIN + round(age_min * MIN)) == pytest.approx(gir)


def test_without_any_sample_the_tail_goes_on() -> None:
    state = replace(opened(), tailing=Tailing(0, 0.2, "test"))
    assert fallback.tail_gir(state, MIN) == 0.2


def test_the_whole_tail_with_obeying_pumps() -> None:
    """Dextrose never drops to 0 by rounding, never rises, and ends when glucose is well."""
    world = World(protocol(), look=kept).steady(30)
    world.do(InsulinStopPressed("n"))
    rates = []
    for _ in range(40):
        world.wait(5 * 60, every_s=10)
        world.sample(95.0)
        rates.append(world.dextrose.rate_ul_h)
    assert rates == sorted(rates, reverse=True)
    assert rates[5] > 80_000 > rates[11]
    assert rates[-1] == 0
    assert world.dextrose.state is PumpState.STOPPED
    assert min(rate for rate in rates if rate) >= 0.25 * 21_000 * 0.9
    assert world.insulin.rate_ul_h == 0


def test_a_fading_tail_without_samples_ends_at_the_pumps_least_rate() -> None:
    world = World(protocol(), look=kept).steady(30)
    world.do(InsulinStopPressed("n"))
    world.wait(8 * 3600, every_s=30)
    assert world.dextrose.rate_ul_h == 100
    assert world.dextrose.state is PumpState.RUNNING


def fallen(sample: float | None = 90.0) -> World:
    world = World(protocol(), look=kept).steady(20)
    world.do(InsulinStopPressed("n"))
    world.wait(60)
    if sample is not None:
        world.sample(sample)
    return world


def test_a_granted_resume_runs_insulin_without_prime_and_dextrose_without_a_bump() -> None:
    world = fallen()
    gir = world.state.dosing.gir_mg_kg_min
    assert world.refused(ClampResumed("n")) == ""
    assert world.phase() is Phase.CLAMP
    assert world.state.dosing.gir_mg_kg_min == gir
    assert world.state.insulin_mu_m2_min == 40.0
    assert world.state.tailing is None
    world.wait(5 * 60)
    world.sample(90.0)
    assert world.phase() is Phase.CLAMP
    assert world.state.dosing.gir_mg_kg_min == pytest.approx(gir, rel=0.02)
    assert "safe_tail" not in world.names()


def test_a_resume_after_a_long_tail_continues_from_the_faded_rate() -> None:
    world = fallen(None)
    world.wait(55 * 60, every_s=10)
    world.sample(90.0)
    gir = world.state.dosing.gir_mg_kg_min
    assert gir < 2.5
    assert world.refused(ClampResumed("n")) == ""
    for _ in range(3):
        world.wait(5 * 60)
        world.sample(90.0)
        assert world.state.dosing.gir_mg_kg_min == pytest.approx(gir, rel=0.02)


def test_a_resume_is_refused_without_a_fresh_believed_sample() -> None:
    old = "Draw a sample first: leaving SAFE-TAIL needs one not older than 3 min."
    world = fallen()
    world.wait(181)
    assert world.refused(ClampResumed("n")) == old
    world.sample(79.9)
    assert "insulin may run again from 80 mg/dL on" in world.refused(ClampResumed("n"))
    world.wait(60)
    world.sample(200.0)
    assert world.refused(ClampResumed("n")).startswith("The newest sample is doubted")
    assert world.phase() is Phase.FALLBACK
    assert fallback.resume_refusal(opened(), 0) == old


def test_a_sample_from_before_a_restart_does_not_count() -> None:
    """The gap of a restart is uncertain: the sample may be older than it seems."""
    world = fallen(None)
    world.sample(90.0)
    world.wait(2)
    world.do(SessionResumed(1_000, "crash", ""))
    for role in world.pumps:
        world.identify(role)
        world.report(role)
    assert world.refused(ClampResumed("n")).startswith("Draw a sample first")
    world.sample(90.0)
    assert world.refused(ClampResumed("n")) == ""
    assert world.phase() is Phase.CLAMP
    held = {alarm.name for alarm in world.state.alarms if alarm.holds}
    assert "engine_restarted" not in held


@pytest.mark.parametrize("role", [Role.DEXTROSE, Role.INSULIN])
def test_a_resume_needs_both_pumps(role: Role) -> None:
    world = fallen()
    world.do(LinkLost(role, "gone"))
    assert world.refused(ClampResumed("n")) == f"The {role.value} pump is not connected and read."
    world.identify(role)
    assert world.refused(ClampResumed("n")) == f"The {role.value} pump is not connected and read."
    world.pumps[role].state = PumpState.PAUSED
    world.report(role)
    sentence = f"The {role.value} pump needs a person: clear its alarm and release it first."
    assert world.refused(ClampResumed("n")) == sentence
    world.pumps[role].answers = False
    world.wait(8)
    world.sample(90.0)
    sentence = f"The {role.value} pump does not answer; look at its cable first."
    assert world.refused(ClampResumed("n")) == sentence


def test_dextrose_found_stopped_after_a_restart_is_for_a_person_to_start() -> None:
    world = World(protocol(), look=kept).steady(20)
    world.wait(2)
    world.do(SessionResumed(9_000, "crash", ""))
    world.dextrose.state, world.dextrose.rate_ul_h = PumpState.STOPPED, 0
    for role in world.pumps:
        world.identify(role)
        world.report(role)
    world.wait(30)
    assert world.dextrose.rate_ul_h == 0
    assert "dextrose_not_flowing" in world.names()
    world.do(PumpReleased(Role.DEXTROSE, "n"))
    world.wait(3)
    assert world.dextrose.state is PumpState.RUNNING
    assert world.dextrose.rate_ul_h == world.state.dosing.rate_ul_h > 0
    assert world.insulin.rate_ul_h == 0


def test_dextrose_found_running_after_a_restart_is_left_at_its_rate() -> None:
    world = World(protocol(), look=kept).steady(40)
    rate = world.dextrose.rate_ul_h
    world.wait(2)
    world.do(SessionResumed(9_000, "crash", ""))
    assert world.insulin.rate_ul_h > 0
    for role in world.pumps:
        world.identify(role)
        world.report(role)
    world.wait(30)
    assert world.insulin.rate_ul_h == 0
    assert world.dextrose.rate_ul_h == rate


def test_ending_the_clamp_in_safe_tail_keeps_the_tail() -> None:
    world = fallen()
    tail = world.state.tailing
    world.do(ClampEnded("n", "enough"))
    assert world.phase() is Phase.TAPER
    assert world.state.tailing == tail


def test_a_resume_after_the_protocols_time_goes_into_the_taper() -> None:
    world = fallen(None)
    world.wait(105 * 60, every_s=10)
    world.sample(90.0)
    world.do(ClampResumed("n"))
    assert world.phase() is Phase.TAPER
    assert world.insulin.rate_ul_h == 0
