"""Orders that wait: what replaces what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from drivers.waiting import Waiting


def start(rate_ul_h: int) -> StartPump:
    return StartPump(Role.INSULIN, rate_ul_h, 1)


def rate(rate_ul_h: int) -> SetRate:
    return SetRate(Role.INSULIN, rate_ul_h, 1)


STOP = StopPump(Role.INSULIN, 1)


def left(*commands: Command) -> tuple[bool, list[Command]]:
    """What waits after these were added: a stop, and the others in order."""
    waiting = Waiting()
    for command in commands:
        waiting.add(command)
    orders: list[Command] = []
    while waiting.orders:
        orders.append(waiting.take())
    return waiting.stop, orders


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ((), (False, [])),
        ((rate(5), rate(7)), (False, [rate(7)])),
        ((start(5), rate(7), rate(9)), (False, [start(5), rate(9)])),
        ((rate(7), start(5)), (False, [start(5)])),
        ((start(5), rate(7), STOP), (True, [])),
        ((start(5), rate(0)), (True, [])),
        ((rate(5), start(0)), (True, [])),
        ((STOP, start(5)), (True, [start(5)])),
    ],
)
def test_what_replaces_what(commands: tuple[Command, ...], expected: tuple[bool, list[Command]]) -> None:
    assert left(*commands) == expected


def test_all_that_waited_is_dropped_once_the_stop_last() -> None:
    waiting = Waiting()
    for command in (STOP, start(5), rate(7)):
        waiting.add(command)
    assert waiting.drop_all() == [start(5), rate(7), STOP]
    assert waiting.drop_all() == []
    assert not waiting.stop
    assert not waiting.orders


def test_a_stop_on_its_way_waits_no_longer() -> None:
    waiting = Waiting()
    waiting.add(STOP)
    waiting.stop_taken()
    assert not waiting.stop
    with pytest.raises(IndexError):
        waiting.take()


@given(
    st.lists(
        st.one_of(st.just(STOP), st.builds(rate, st.integers(0, 9)), st.builds(start, st.integers(0, 9)))
    )
)
def test_nothing_that_came_before_a_stop_is_left(commands: list[Command]) -> None:
    stops = [k for k, command in enumerate(commands) if getattr(command, "rate_ul_h", 0) == 0]
    stop, orders = left(*commands)
    assert stop == bool(stops)
    assert orders == left(*commands[stops[-1] + 1 :] if stops else commands)[1]
    assert len(orders) <= 2
