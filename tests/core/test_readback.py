"""Commanded against reported: what one pump says, and the order that comes next."""

from dataclasses import replace

import pytest

from clampctl.core import readback
from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from clampctl.core.events import PumpIdentified, PumpReported, PumpState
from clampctl.core.state import Account, Pump
from tests.core.world import DEXTROSE

RUNNING, STOPPED, PAUSED, ALARM = PumpState.RUNNING, PumpState.STOPPED, PumpState.PAUSED, PumpState.ALARM


def report(
    state: PumpState = RUNNING, rate: int = 42_000, counter: int | None = 0, epoch: int = 1
) -> PumpReported:
    return PumpReported(Role.DEXTROSE, epoch, state, rate, counter, "E1" if state is ALARM else None)


def read(pump: Pump, event: PumpReported, at_ms: int) -> Pump:
    return readback.reported(pump, event, DEXTROSE, at_ms)


def known(state: PumpState = STOPPED, rate: int = 0, role: Role = Role.DEXTROSE) -> Pump:
    pump = readback.identified(Pump(role), PumpIdentified(role, 1, "model", "", None), 0)
    return replace(
        readback.reported(pump, replace(report(state, rate), role=role), DEXTROSE, 1_000), account=None
    )


def obeyed(rate: int = 42_000, role: Role = Role.DEXTROSE) -> Pump:
    """A pump that was started and said so."""
    pump, command = readback.order(known(role=role), rate, 2_000)
    assert command == StartPump(role, rate, 1)
    return readback.reported(pump, replace(report(RUNNING, rate), role=role), DEXTROSE, 3_000)


def test_a_new_connection_is_believed_in_nothing_but_its_name() -> None:
    pump = readback.identified(obeyed(), PumpIdentified(Role.DEXTROSE, 2, "model", "", None), 0)
    assert (pump.epoch, pump.connected, pump.identified) == (2, True, True)
    assert (pump.heard_at_ms, pump.commanded_at_ms, pump.account) == (None, None, None)
    assert not pump.verified
    wrong = readback.identified(obeyed(), PumpIdentified(Role.DEXTROSE, 2, "model", "", "wrong serial"), 0)
    assert not wrong.identified
    assert wrong.mismatch == "wrong serial"
    assert readback.order(wrong, 42_000, 9_000)[1] is None


def test_a_report_of_another_connection_or_none_is_ignored() -> None:
    pump = known()
    assert read(pump, report(epoch=2), 2_000) is pump
    gone = readback.lost(pump, "unplugged")
    assert read(gone, report(), 2_000) is gone
    assert (gone.connected, gone.identified, gone.trouble) == (False, False, "unplugged")


def test_a_report_says_what_the_pump_does() -> None:
    pump = read(known(), report(RUNNING, 42_000, 7), 2_000)
    assert (pump.state, pump.reported_ul_h, pump.infused_ul, pump.heard_at_ms) == (
        RUNNING,
        42_000,
        7,
        2_000,
    )
    assert pump.moved_at_ms == 2_000


@pytest.mark.parametrize("state", [STOPPED, PAUSED, ALARM])
def test_a_pump_that_does_not_run_delivers_nothing_whatever_rate_it_holds(state: PumpState) -> None:
    pump = read(obeyed(), report(state, 42_000), 4_000)
    assert pump.reported_ul_h == 0
    assert not pump.verified
    assert pump.stopped_by_itself


@pytest.mark.parametrize(
    ("counters", "rates", "moved_at_ms"),
    [
        ((5, 5), (42_000, 42_000), 4_000),
        ((5, 6), (42_000, 42_000), 5_000),
        ((5, 5), (42_000, 42_100), 5_000),
        ((5, None), (42_000, 42_000), 4_000),
        ((5, 4), (42_000, 42_000), 4_000),
    ],
)
def test_when_the_counter_last_moved(
    counters: tuple[int, int | None], rates: tuple[int, int], moved_at_ms: int
) -> None:
    pump = known(RUNNING, 42_000)
    for n, (counter, rate) in enumerate(zip(counters, rates, strict=True)):
        pump = read(pump, report(RUNNING, rate, counter), 4_000 + 1_000 * n)
    assert pump.moved_at_ms == moved_at_ms


def test_a_pump_without_a_counter_counts_as_moving() -> None:
    pump = readback.identified(Pump(Role.DEXTROSE), PumpIdentified(Role.DEXTROSE, 1, "m", "", None), 0)
    pump = read(read(pump, report(counter=None), 1_000), report(counter=None), 9_000)
    assert (pump.moved_at_ms, pump.infused_ul) == (9_000, None)


@pytest.mark.parametrize(
    ("pump", "planned", "command"),
    [
        (known(), 0, None),
        (known(), 42_000, StartPump(Role.DEXTROSE, 42_000, 1)),
        (known(RUNNING, 42_000), 42_000, None),
        (known(RUNNING, 30_000), 42_000, SetRate(Role.DEXTROSE, 42_000, 1)),
        (known(RUNNING, 30_000), 0, StopPump(Role.DEXTROSE, 1)),
        (known(PAUSED), 42_000, None),
        (known(PAUSED), 0, StopPump(Role.DEXTROSE, 1)),
        (known(ALARM), 0, StopPump(Role.DEXTROSE, 1)),
        (known(ALARM), 42_000, None),
        (Pump(Role.DEXTROSE), 42_000, None),
        (readback.lost(obeyed(), "gone"), 0, None),
        (readback.lost(obeyed(), "gone"), 30_000, None),
    ],
)
def test_the_first_order(pump: Pump, planned: int, command: Command | None) -> None:
    after, given = readback.order(pump, planned, 9_000)
    assert given == command
    assert after.commanded_ul_h == planned


def test_an_order_is_given_once_and_verified_by_a_report() -> None:
    pump, command = readback.order(obeyed(), 50_000, 4_000)
    assert command == SetRate(Role.DEXTROSE, 50_000, 1)
    assert readback.order(pump, 50_000, 5_000) == (pump, None)
    assert readback.unverified_for_ms(pump, 9_000) == 5_000
    lied = read(pump, report(RUNNING, 42_000), 6_000)
    assert readback.unverified_for_ms(lied, 9_000) == 5_000
    assert readback.order(lied, 50_000, 9_000)[1] == SetRate(Role.DEXTROSE, 50_000, 1)
    assert readback.order(pump, 50_000, 9_000) == (pump, None)
    insulin = replace(lied, role=Role.INSULIN)
    assert readback.order(insulin, 50_000, 9_000) == (insulin, None)
    held = read(pump, report(RUNNING, 50_000), 6_000)
    assert readback.unverified_for_ms(held, 9_000) == 0
    assert readback.unverified_for_ms(known(), 9_000) == 0


def test_a_newer_rate_replaces_one_that_waits() -> None:
    pump, _ = readback.order(obeyed(), 50_000, 4_000)
    assert readback.order(pump, 60_000, 5_000)[1] == SetRate(Role.DEXTROSE, 60_000, 1)


def test_a_start_is_not_followed_by_another_before_the_pump_was_read() -> None:
    pump, command = readback.order(known(), 42_000, 2_000)
    assert command == StartPump(Role.DEXTROSE, 42_000, 1)
    assert readback.order(pump, 50_000, 3_000) == (pump, None)
    runs = read(pump, report(RUNNING, 42_000), 4_000)
    assert readback.order(runs, 50_000, 4_000)[1] == SetRate(Role.DEXTROSE, 50_000, 1)
    still = read(pump, report(STOPPED, 0), 4_000)
    assert readback.order(still, 42_000, 4_000) == (still, None)
    assert readback.order(still, 50_000, 4_000)[1] == StartPump(Role.DEXTROSE, 50_000, 1)


def stop_times(role: Role) -> list[int]:
    pump = obeyed(4_000, role)
    given = []
    for at_ms in range(10_000, 200_000, 500):
        pump, command = readback.order(pump, 0, at_ms)
        if command is not None:
            assert command == StopPump(role, 1)
            given.append(at_ms)
        pump = readback.reported(pump, replace(report(RUNNING, 4_000), role=role), DEXTROSE, at_ms)
    return given


def test_a_stop_that_is_not_obeyed_is_repeated_every_two_seconds() -> None:
    assert stop_times(Role.INSULIN) == list(range(10_000, 200_000, 2_000))


def test_stopping_dextrose_is_given_up_after_a_minute() -> None:
    assert stop_times(Role.DEXTROSE) == list(range(10_000, 70_001, 2_000))


@pytest.mark.parametrize(("role", "fought"), [(Role.INSULIN, True), (Role.DEXTROSE, False)])
def test_started_at_its_own_keys_insulin_is_stopped_and_dextrose_is_not(role: Role, fought: bool) -> None:
    pump, _ = readback.order(obeyed(4_000, role), 0, 10_000)
    pump = readback.reported(pump, replace(report(STOPPED, 0), role=role), DEXTROSE, 11_000)
    assert readback.order(pump, 0, 100_000) == (pump, None)
    pump = readback.reported(pump, replace(report(RUNNING, 9_000), role=role), DEXTROSE, 200_000)
    assert not pump.verified
    assert (readback.order(pump, 0, 200_000)[1] is not None) == fought


def test_a_confirmed_stop_begins_anew_when_it_must_be_repeated() -> None:
    pump, _ = readback.order(obeyed(4_000, Role.INSULIN), 0, 10_000)
    pump, _ = readback.order(pump, 0, 12_000)
    assert pump.repeated_at_ms == 12_000
    stopped = replace(report(STOPPED, 0), role=Role.INSULIN)
    assert readback.reported(pump, stopped, DEXTROSE, 13_000).repeated_at_ms is None


def test_a_rate_changed_at_the_pump_is_not_fought() -> None:
    pump = read(obeyed(), report(RUNNING, 77_000), 60_000)
    assert not pump.verified
    assert not pump.stopped_by_itself
    assert readback.order(pump, 42_000, 60_000) == (pump, None)
    assert readback.unverified_for_ms(pump, 60_000) == 0
    later = read(pump, report(RUNNING, 77_000), 66_000)
    assert readback.unverified_for_ms(later, 66_000) == 6_000
    assert readback.unverified_for_ms(read(later, report(RUNNING, 42_000), 67_000), 67_000) == 0


def test_a_pump_that_stopped_by_itself_waits_for_a_person() -> None:
    pump = read(obeyed(), report(STOPPED, 0), 9_000)
    assert pump.stopped_by_itself
    for planned in (42_000, 50_000):
        pump, command = readback.order(pump, planned, 10_000)
        assert command is None
    still = read(pump, report(STOPPED, 0), 11_000)
    assert still.stopped_by_itself
    by_hand = read(still, report(RUNNING, 50_000), 12_000)
    assert not by_hand.stopped_by_itself


def test_a_pump_that_stops_while_a_new_rate_waits_stopped_by_itself_too() -> None:
    pump, _ = readback.order(obeyed(), 50_000, 4_000)
    pump = read(pump, report(STOPPED, 0), 5_000)
    assert pump.stopped_by_itself
    assert readback.order(pump, 60_000, 20_000)[1] is None


def test_a_pump_found_still_after_a_reconnection_waits_for_a_person() -> None:
    pump, _ = readback.order(readback.lost(obeyed(), "unplugged"), 42_000, 5_000)
    pump = readback.identified(pump, PumpIdentified(Role.DEXTROSE, 2, "model", "", None), 0)
    pump = read(pump, report(STOPPED, 0, epoch=2), 9_000)
    assert pump.stopped_by_itself
    assert readback.order(pump, 42_000, 10_000)[1] is None


def test_a_pump_found_running_after_a_reconnection_is_left_alone() -> None:
    pump, _ = readback.order(readback.lost(obeyed(), "unplugged"), 42_000, 5_000)
    pump = readback.identified(pump, PumpIdentified(Role.DEXTROSE, 2, "model", "", None), 0)
    assert readback.order(pump, 42_000, 8_000) == (pump, None)
    pump = read(pump, report(RUNNING, 42_000, epoch=2), 9_000)
    after, command = readback.order(pump, 42_000, 9_000)
    assert command is None
    assert after.verified


def test_a_pump_stopped_by_order_did_not_stop_by_itself() -> None:
    pump, _ = readback.order(obeyed(), 0, 4_000)
    pump = read(pump, report(STOPPED, 0), 5_000)
    assert not pump.stopped_by_itself
    assert pump.verified


def test_a_new_connection_opens_a_new_account() -> None:
    pump = replace(obeyed(), account=Account(0, 0, 0, "disagrees"))
    assert readback.identified(pump, PumpIdentified(Role.DEXTROSE, 2, "m", "", None), 0).account is None
