"""Every alarm condition: one case that raises it, and one that ends it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from clampctl.core import alarms
from clampctl.core.commands import Role
from clampctl.core.events import (
    AlarmAcknowledged,
    ClockStepped,
    HoldPressed,
    HoldReleased,
    JournalTroubled,
    LinkHeard,
    LinkLost,
    LinkTroubled,
    PumpReleased,
    PumpReported,
    PumpState,
    RateOverridden,
    SessionResumed,
    Trouble,
    WindowsCounted,
)
from clampctl.core.state import Phase, Priority
from tests.core.promises import kept
from tests.core.world import MIN, NO_PRIME, World, clamp_step, protocol

D, INS, A = Role.DEXTROSE, Role.INSULIN, Role.ANALYZER
LOW, MEDIUM, HIGH = Priority.LOW, Priority.MEDIUM, Priority.HIGH
Act = Callable[[World], object]


@dataclass(frozen=True)
class Case:
    """How a condition begins, what it is called, and how it ends."""

    name: str
    priority: Priority
    raising: Act
    clearing: Act
    latching: bool = False


def later(seconds: float, act: Act) -> Act:
    def acts(world: World) -> None:
        world.wait(seconds)
        act(world)

    return acts


def both(first: Act, then: Act) -> Act:
    def acts(world: World) -> None:
        first(world)
        then(world)

    return acts


def sampled(glucose: float) -> Act:
    return later(60, lambda world: world.sample(glucose))


def reports(role: Role, state: PumpState, rate: int) -> Act:
    def acts(world: World) -> None:
        world.pumps[role].state, world.pumps[role].rate_ul_h = state, rate
        world.report(role)

    return acts


def connected(role: Role) -> Act:
    def acts(world: World) -> None:
        world.identify(role)
        world.report(role)

    return acts


def mute(role: Role, seconds: float) -> Act:
    def acts(world: World) -> None:
        world.pumps[role].answers = False
        world.wait(seconds)

    return acts


def wrong_volume(role: Role) -> Act:
    def acts(world: World) -> None:
        world.pumps[role].infused_ul += 2_000
        world.wait(10 * 60)

    return acts


def deaf_insulin(world: World) -> None:
    """Its stop in SAFE-TAIL is not obeyed."""
    world.insulin.obeys = False
    world.wait(2)
    world.sample(59.0)
    world.wait(6)


def turned_down(world: World) -> None:
    """Someone turns dextrose down at the pump, and it stays so."""
    world.dextrose.obeys = False
    world.dextrose.rate_ul_h = 5_000
    world.wait(8)


def hears_again(world: World) -> None:
    world.insulin.obeys = True
    world.wait(4)


def pump_cases(role: Role) -> tuple[Case, ...]:
    name = role.value
    grave = HIGH if role is D else MEDIUM
    alarm = PumpReported(role, 2, PumpState.ALARM, 0, None, "occlusion")
    return (
        Case(f"{name}_identity", HIGH, lambda w: w.identify(role, "other serial"), connected(role), True),
        Case(f"{name}_link", HIGH, lambda w: w.do(LinkLost(role, "unplugged")), connected(role)),
        Case(f"{name}_link", HIGH, lambda w: w.do(LinkLost(role, "")), connected(role)),
        Case(f"{name}_link", MEDIUM, lambda w: w.identify(role), lambda w: w.report(role)),
        Case(f"{name}_link", MEDIUM, mute(role, 6), lambda w: w.report(role)),
        Case(f"{name}_link", HIGH, mute(role, 22), lambda w: w.report(role)),
        Case(f"{name}_pump_alarm", grave, lambda w: w.do(alarm), reports(role, PumpState.STOPPED, 0)),
        Case(f"{name}_volume", HIGH, wrong_volume(role), lambda w: w.wait(10 * 60 + 2)),
    )


CASES = (
    Case("glucose_below_54", HIGH, sampled(53.9), sampled(54.0), True),
    Case("glucose_below_70", MEDIUM, sampled(69.9), sampled(70.0)),
    Case("glucose_below_70", MEDIUM, sampled(54.0), sampled(80.0)),
    Case("glucose_falling", MEDIUM, sampled(79.9), sampled(79.0)),
    Case("glucose_doubted", MEDIUM, sampled(200.0), sampled(95.0)),
    Case("analyzer_lost", MEDIUM, lambda w: w.do(LinkLost(A, "gone")), lambda w: w.do(LinkHeard(A, ""))),
    Case("analyzer_lost", MEDIUM, lambda w: w.do(LinkLost(A, "")), sampled(90.0)),
    Case("result_held", MEDIUM, lambda w: w.do(LinkTroubled(A, Trouble.REFUSED, "error 4")), sampled(90.0)),
    Case("glucose_stale", MEDIUM, lambda w: w.wait(8 * 60 + 1), lambda w: w.sample(90.0)),
    Case("glucose_stale", HIGH, lambda w: w.wait(12 * 60 + 1), lambda w: w.sample(90.0)),
    Case("override", LOW, lambda w: w.do(RateOverridden(5.0, "x", "n")), sampled(90.0)),
    Case("override", LOW, lambda w: w.do(RateOverridden(5.0, "x", "n")), lambda w: w.wait(10 * 60)),
    Case("gir_limited", LOW, sampled(180.0), sampled(89.0)),
    Case("dextrose_rate", HIGH, turned_down, reports(D, PumpState.RUNNING, 84_000)),
    Case("insulin_rate", HIGH, deaf_insulin, hears_again),
    *pump_cases(D),
    *pump_cases(INS),
    Case(
        "dextrose_not_flowing",
        HIGH,
        reports(D, PumpState.STOPPED, 0),
        both(lambda w: w.do(PumpReleased(D, "n")), lambda w: w.wait(3)),
        True,
    ),
    Case(
        "engine_restarted",
        HIGH,
        lambda w: w.do(SessionResumed(1, "", "")),
        lambda w: w.do(AlarmAcknowledged("engine_restarted", "n")),
        True,
    ),
    Case(
        "journal", MEDIUM, lambda w: w.do(JournalTroubled("full", 1)), lambda w: w.do(JournalTroubled("", 2))
    ),
    Case("journal", HIGH, lambda w: w.do(JournalTroubled("full", 0)), lambda w: w.do(JournalTroubled("", 2))),
    Case(
        "queue_full",
        MEDIUM,
        lambda w: w.do(LinkTroubled(A, Trouble.FULL_QUEUE, "no room")),
        lambda w: w.do(AlarmAcknowledged("queue_full", "n")),
    ),
    Case(
        "clock_step",
        LOW,
        lambda w: w.do(ClockStepped(3_600_000)),
        lambda w: w.do(AlarmAcknowledged("clock_step", "n")),
    ),
    Case(
        "no_window",
        MEDIUM,
        both(both(lambda w: w.do(WindowsCounted(1)), lambda w: w.do(WindowsCounted(0))), lambda w: w.wait(4)),
        lambda w: w.do(WindowsCounted(1)),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=[f"{n}-{case.name}" for n, case in enumerate(CASES)])
def test_raised_and_ended(case: Case) -> None:
    world = World(protocol(), look=kept).steady(20)
    assert case.name not in world.names()
    case.raising(world)
    found = [alarm for alarm in world.state.alarms if alarm.name == case.name]
    assert [(alarm.priority, alarm.holds, alarm.latching) for alarm in found] == [
        (case.priority, True, case.latching)
    ]
    case.clearing(world)
    assert not any(alarm.holds for alarm in world.state.alarms if alarm.name == case.name)
    world.do(AlarmAcknowledged(case.name, "n"))
    assert case.name not in world.names()


def test_safe_tail_is_an_alarm_as_long_as_it_lasts() -> None:
    world = World(protocol(), look=kept).steady(20)
    sampled(50.0)(world)
    assert {"safe_tail", "glucose_below_54"} <= world.names()
    state = replace(world.state, phase=Phase.TAPER)
    assert "safe_tail" not in {condition.name for condition in alarms.conditions(state, state.at_ms)}


def test_insulin_that_waits_for_a_hold_to_end_or_for_a_sample() -> None:
    steps = (clamp_step(12.0, 90.0, 30, NO_PRIME), clamp_step(40.0, 90.0, 60, NO_PRIME))
    world = World(protocol(*steps), look=kept).steady(25)
    world.do(HoldPressed("n"))
    world.until(30)
    assert "insulin_waits" in world.names()
    assert world.state.insulin_mu_m2_min == 12.0
    world.do(HoldReleased("n"))
    assert "insulin_waits" not in world.names()
    assert world.state.insulin_mu_m2_min == 40.0
    world = World(protocol(*steps), look=kept).steady(15)
    world.until(30)
    assert world.state.insulin_mu_m2_min == 12.0
    assert "insulin_waits" in world.names()
    world.sample(90.0)
    assert world.state.insulin_mu_m2_min == 40.0


def test_in_set_up_a_pump_that_was_never_seen_is_no_alarm() -> None:
    world = World()
    assert world.names() == set()
    world.do(LinkLost(D, "no such port"))
    world.do(LinkLost(INS, "no such port"))
    assert {(alarm.name, alarm.priority) for alarm in world.state.alarms} == {
        ("dextrose_link", MEDIUM),
        ("insulin_link", MEDIUM),
    }
    world.identify(D)
    world.do(PumpReported(D, 2, PumpState.ALARM, 0, None, None))
    assert ("dextrose_pump_alarm", LOW) in {(alarm.name, alarm.priority) for alarm in world.state.alarms}


def test_a_first_sample_falls_from_nowhere() -> None:
    world = World().ready()
    world.sample(75.0)
    assert world.names() == set()


def test_a_session_that_was_never_sampled_is_not_stale() -> None:
    state = replace(World().ready().state, phase=Phase.CLAMP)
    assert "glucose_stale" not in {condition.name for condition in alarms.conditions(state, 10**9)}


def test_a_closed_session_raises_nothing() -> None:
    world = World(protocol()).steady(20)
    sampled(50.0)(world)
    closed = replace(world.state, phase=Phase.CLOSED)
    assert tuple(alarms.conditions(closed, closed.at_ms)) == ()


def test_dextrose_that_stops_long_after_insulin_is_the_pumps_own_alarm_only() -> None:
    world = World(protocol()).steady(20)
    reports(D, PumpState.STOPPED, 0)(world)
    state = replace(world.state, phase=Phase.TAPER, insulin_off_ms=world.at_ms - 60 * MIN)
    assert "dextrose_not_flowing" not in {c.name for c in alarms.conditions(state, state.at_ms)}
    state = replace(state, insulin_off_ms=world.at_ms - 60 * MIN + 1)
    assert "dextrose_not_flowing" in {c.name for c in alarms.conditions(state, state.at_ms)}
    state = replace(state, insulin_off_ms=None)
    assert "dextrose_not_flowing" not in {c.name for c in alarms.conditions(state, state.at_ms)}


def test_an_occluded_line_in_safe_tail_is_told() -> None:
    world = World(protocol(), look=kept).steady(20)
    sampled(50.0)(world)
    world.dextrose.flows = False
    world.wait(30)
    texts = {alarm.name: alarm.text for alarm in world.state.alarms}
    assert texts["dextrose_not_flowing"].startswith("DEXTROSE NOT FLOWING while insulin acts")


def test_a_silent_dextrose_pump_is_not_said_to_have_stopped() -> None:
    world = World(protocol(), look=kept).steady(20)
    mute(D, 60)(world)
    assert "dextrose_link" in world.names()
    assert "dextrose_not_flowing" not in world.names()
