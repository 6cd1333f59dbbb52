"""The one latch: onset, acknowledgement, order, and what breaks an audio pause."""

import pytest

from clampctl.core.alarms import Condition, acknowledged, latched, louder, silence_ms
from clampctl.core.commands import Role
from clampctl.core.events import AlarmAcknowledged, AudioPaused, ClockStepped, LinkLost
from clampctl.core.state import Alarm, Priority
from tests.core.world import World, protocol

LOW, MEDIUM, HIGH = Priority.LOW, Priority.MEDIUM, Priority.HIGH


def condition(
    name: str = "a", priority: Priority = MEDIUM, text: str = "t", latching: bool = False
) -> Condition:
    return Condition(name, priority, text, latching)


def look(alarms: tuple[Alarm, ...], *now: Condition, at_ms: int = 0) -> tuple[Alarm, ...]:
    return latched(alarms, now, at_ms)


def test_nothing_is_nothing() -> None:
    none: tuple[Alarm, ...] = ()
    assert look(none) is none
    held = look((), condition())
    assert look(held, condition(), at_ms=9) is held


def test_an_alarm_begins_and_ends_with_its_condition() -> None:
    held = look((), condition(), at_ms=5)
    assert held == (Alarm("a", MEDIUM, "t", 5, True, False, False),)
    assert look(held) == ()
    assert look(acknowledged(held, "a")) == ()


def test_a_latching_alarm_stays_until_it_was_seen() -> None:
    held = look((), condition(latching=True), at_ms=5)
    ended = look(held, at_ms=6)
    assert [(alarm.holds, alarm.since_ms) for alarm in ended] == [(False, 5)]
    assert look(ended, at_ms=7) is ended
    assert acknowledged(ended, "a") == ()
    seen = acknowledged(held, "a")
    assert seen[0].acknowledged
    assert look(seen) == ()


def test_a_latched_alarm_that_comes_back_is_the_same_and_must_be_seen_anew() -> None:
    ended = look(look((), condition(latching=True), at_ms=5), at_ms=6)
    again = look(ended, condition(latching=True), at_ms=7)
    assert [(alarm.holds, alarm.since_ms, alarm.acknowledged) for alarm in again] == [(True, 5, False)]


def test_an_ended_and_seen_alarm_begins_anew() -> None:
    old = (Alarm("a", HIGH, "t", 1, False, True, True),)
    again = look(old, condition(latching=True), at_ms=9)
    assert [(alarm.since_ms, alarm.acknowledged) for alarm in again] == [(9, False)]


@pytest.mark.parametrize(("to", "text", "seen"), [(HIGH, "t", False), (LOW, "t", True), (MEDIUM, "u", True)])
def test_only_a_rise_in_priority_must_be_acknowledged_anew(to: Priority, text: str, seen: bool) -> None:
    held = acknowledged(look((), condition()), "a")
    after = look(held, condition(priority=to, text=text), at_ms=9)
    assert [(alarm.priority, alarm.text, alarm.acknowledged) for alarm in after] == [(to, text, seen)]


def test_most_urgent_first_then_oldest_then_by_name() -> None:
    held = look((), condition("m1"), at_ms=1)
    held = look(held, condition("m1"), condition("z", LOW), condition("h", HIGH), condition("b"), at_ms=2)
    held = look(held, *(condition(a.name, a.priority) for a in held), condition("a"), at_ms=2)
    assert [alarm.name for alarm in held] == ["h", "m1", "a", "b", "z"]


def test_acknowledging_one_leaves_the_others() -> None:
    held = look((), condition("a"), condition("b"))
    assert [alarm.acknowledged for alarm in acknowledged(held, "a")] == [True, False]
    assert acknowledged(held, "unknown") == held


def test_how_long_the_sound_may_rest() -> None:
    assert silence_ms(()) == 120_000
    assert silence_ms(look((), condition())) == 120_000
    assert silence_ms(look((), condition(priority=HIGH))) == 60_000


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        ((), (), False),
        ((), (condition(priority=LOW),), True),
        ((condition(),), (condition(), condition("b", LOW)), False),
        ((condition(),), (condition(), condition("b", MEDIUM)), True),
        ((condition(priority=HIGH),), (condition(priority=HIGH), condition("b", MEDIUM)), False),
        ((condition(),), (condition(priority=HIGH),), True),
        ((condition(priority=HIGH),), (condition(priority=LOW),), False),
        ((condition(),), (), False),
    ],
)
def test_what_breaks_a_pause(
    before: tuple[Condition, ...], after: tuple[Condition, ...], breaks: bool
) -> None:
    held = look((), *before)
    assert louder(held, look(held, *after)) == breaks


def test_a_pause_ends_by_itself_or_by_a_new_alarm() -> None:
    world = World(protocol()).steady(20)
    world.do(AudioPaused("n"))
    assert world.state.audio_paused_until_ms == world.at_ms + 120_000
    world.wait(119)
    assert world.is_silent()
    world.wait(1)
    assert not world.is_silent()
    world.do(AudioPaused("n"))
    world.do(ClockStepped(5_000))
    assert not world.is_silent()
    world.do(LinkLost(Role.DEXTROSE, "gone"))
    world.do(AudioPaused("n"))
    assert world.state.audio_paused_until_ms == world.at_ms + 60_000
    world.do(AlarmAcknowledged("clock_step", "n"))
    assert world.is_silent()


def test_an_alarm_that_rises_to_high_breaks_a_pause() -> None:
    world = World(protocol()).steady(20)
    world.wait(8 * 60 + 2)
    for _ in range(2):
        world.do(AudioPaused("n"))
        world.wait(118)
    world.do(AudioPaused("n"))
    assert world.state.alarms[0].priority is MEDIUM
    world.wait(6)
    assert world.state.alarms[0].priority is HIGH
    assert not world.is_silent()
