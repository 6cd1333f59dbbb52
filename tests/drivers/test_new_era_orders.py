"""Polls, orders, alarms and timers of an identified pump."""

from typing import Any

import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import LinkTroubled, PumpIdentified, PumpReported, PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.new_era import NewEra


def report(
    state: PumpState, rate_ul_h: int, infused_ul: int | None, alarm: str | None = None
) -> PumpReported:
    return PumpReported(Role.DEXTROSE, 1, state, rate_ul_h, infused_ul, alarm)


def set_rate(rate_ul_h: int, epoch: int = 1) -> SetRate:
    return SetRate(Role.DEXTROSE, rate_ul_h, epoch)


def start(rate_ul_h: int, epoch: int = 1) -> StartPump:
    return StartPump(Role.DEXTROSE, rate_ul_h, epoch)


STOP = StopPump(Role.DEXTROSE, 1)


def troubles(events: list[Any]) -> list[Trouble]:
    return [event.trouble for event in events if isinstance(event, LinkTroubled)]


@pytest.fixture
def talk(script: Any) -> Any:
    return script("basic")


@pytest.fixture
def stopped(peer: Any, talk: Any) -> Any:
    told = peer(NewEra(Expected(Role.DEXTROSE, "NE", diameter_um=26_590)), talk.dextrose()).open()
    told.run()
    return told


@pytest.fixture
def running(peer: Any, talk: Any) -> Any:
    told = peer(NewEra(Expected(Role.DEXTROSE, "NE", diameter_um=26_590)), talk.adopt()).open()
    told.run()
    return told


# --- polls -----------------------------------------------------------------------------------


def test_rate_and_volume_in_turn_make_a_report_every_two_seconds(running: Any, talk: Any) -> None:
    opened_ms = running.now_ms
    poll = [talk.ask("RAT", "I120.0MH"), talk.ask("DIS", "II12.40W0.000ML")]
    running.add(*poll, *poll)
    assert running.run() == [report(PumpState.RUNNING, 120_000, 12_400)] * 2
    assert running.now_ms == opened_ms + 4000 + running.latency_ms


def test_an_early_wake_does_nothing(running: Any) -> None:
    due_ms = running.link.wake_at()
    assert due_ms == running.now_ms + 1000
    assert running.link.wake(due_ms - 1) == []
    assert running.link.take_output() == b""
    assert running.link.wake_at() == due_ms


def test_a_stopped_pump_holds_a_rate_and_delivers_none(stopped: Any, talk: Any) -> None:
    stopped.add(talk.ask("RAT", "S120.0MH"), talk.ask("DIS", "SI12.34W0.000ML"))
    assert stopped.run() == [report(PumpState.STOPPED, 0, 12_340)]


def test_a_withdrawing_pump_is_an_alarm(running: Any, talk: Any) -> None:
    running.add(talk.ask("RAT", "W120.0MH"), talk.ask("DIS", "WI12.34W0.100ML"))
    assert running.run() == [report(PumpState.ALARM, 0, 12_340, "withdrawing")]


def test_a_lost_rate_gives_no_report_rather_than_an_old_one(running: Any, talk: Any) -> None:
    running.add(talk.ask("RAT", "I?NA"), talk.ask("DIS", "II12.40W0.000ML"))
    events = running.run()
    assert troubles(events) == [Trouble.REFUSED]
    assert len(events) == 1


def test_a_question_is_asked_three_times_half_a_second_apart(running: Any, talk: Any) -> None:
    due_ms = running.link.wake_at()
    running.add(talk.ask("RAT", None), talk.ask("RAT", None), talk.ask("RAT", "I120.0MH"))
    assert running.run() == []
    assert running.now_ms == due_ms + 1000 + running.latency_ms


def test_silence_is_told_from_the_third_failure_on_and_polling_goes_on(running: Any, talk: Any) -> None:
    asked = [talk.ask("RAT", None)] * 3 + [talk.ask("DIS", None), talk.ask("RAT", None)]
    running.add(*asked)
    assert troubles(running.run(3600)) == [Trouble.NO_REPLY] * 3
    back = [talk.ask("DIS", "II12.40W0.000ML"), talk.ask("VER", "INE1000V3.928"), talk.ask("DIA", "I26.59")]
    running.add(*back, talk.ask("RAT", "I120.0MH"), talk.ask("DIS", "II12.40W0.000ML"))
    assert running.run() == [report(PumpState.RUNNING, 120_000, 12_400)]


def test_another_pump_after_an_outage_is_noticed(running: Any, talk: Any) -> None:
    running.add(*[talk.ask("RAT", None)] * 3, talk.ask("DIS", "II12.40W0.000ML"))
    running.add(talk.ask("VER", "INE1600V1.001"), talk.ask("DIA", "I26.59"))
    (found,) = [event for event in running.run() if isinstance(event, PumpIdentified)]
    assert found.mismatch == "pump is now NE1600, it was NE1000"
    running.order(set_rate(9000))
    assert troubles(running.run()) == [Trouble.REFUSED]


def test_a_late_reply_is_matched_by_content_and_dropped(running: Any, talk: Any) -> None:
    running.add(talk.ask("RAT", "I120.0MH"))
    running.run()
    running.run(500)
    running.link.wake(running.link.wake_at())
    running.link.take_output()
    assert troubles(running.hear(b"\x0200I120.0MH\x03")) == [Trouble.UNEXPECTED]
    assert running.hear(b"\x0200II12.40W0.000ML\x03") == [report(PumpState.RUNNING, 120_000, 12_400)]


# --- rate ------------------------------------------------------------------------------------


def test_a_rate_is_sent_without_units_and_asked_back(running: Any, talk: Any) -> None:
    running.order(set_rate(12_345)).add(talk.ask("RAT12.34", "I"), talk.ask("RAT", "I12.34MH"))
    assert running.run() == [report(PumpState.RUNNING, 12_340, None)]


def test_the_read_back_tells_what_the_pump_holds_even_if_it_differs(running: Any, talk: Any) -> None:
    running.order(set_rate(9000)).add(talk.ask("RAT9.000", "I"), talk.ask("RAT", "I120.0MH"))
    assert running.run() == [report(PumpState.RUNNING, 120_000, None)]


def test_a_newer_rate_replaces_an_older_one(running: Any, talk: Any) -> None:
    running.order(set_rate(9000), set_rate(8000), set_rate(7000))
    running.add(talk.ask("RAT9.000", "I"), talk.ask("RAT", "I9.000MH"))
    running.add(talk.ask("RAT7.000", "I"), talk.ask("RAT", "I7.000MH"))
    assert [event.rate_ul_h for event in running.run()] == [9000, 7000]


def test_an_unanswered_rate_is_repeated_then_read_back(running: Any, talk: Any) -> None:
    running.order(set_rate(9000)).add(*[talk.ask("RAT9.000", None)] * 3, talk.ask("RAT", "I9.000MH"))
    running.add(talk.ask("VER", "INE1000V3.928"), talk.ask("DIA", "I26.59"))
    events = running.run()
    assert troubles(events) == [Trouble.NO_REPLY]
    assert events[-1] == report(PumpState.RUNNING, 9000, None)


@pytest.mark.parametrize("rate_ul_h", [23, 1_699_500, -5])
def test_a_rate_beyond_the_syringe_is_refused_unsent(running: Any, rate_ul_h: int) -> None:
    running.order(set_rate(rate_ul_h))
    assert troubles(running.run()) == [Trouble.REFUSED]


def test_a_rate_for_a_stopped_pump_is_refused_unsent(stopped: Any) -> None:
    stopped.order(set_rate(9000))
    assert troubles(stopped.run()) == [Trouble.REFUSED]


def test_rate_zero_is_a_stop(running: Any, talk: Any) -> None:
    running.order(set_rate(0)).add(talk.ask("STP", "P"), talk.ask("STP", "S"))
    assert running.run() == [report(PumpState.STOPPED, 0, None)]


@pytest.mark.parametrize("order", [set_rate(9000, epoch=2), start(9000, epoch=0), StopPump(Role.INSULIN, 1)])
def test_an_order_for_another_connection_or_pump_is_dropped(running: Any, order: Any) -> None:
    running.order(order)
    assert running.link.wake_at() == running.now_ms
    assert troubles(running.run()) == [Trouble.UNEXPECTED]


def test_orders_that_wait_when_the_wire_is_opened_anew_are_dropped(running: Any, talk: Any) -> None:
    running.order(set_rate(9000), set_rate(8000))
    assert running.link.take_output() == b"00RAT9.000\r"
    running.open(epoch=2).add(*talk.adopt())
    events = running.run()
    assert troubles(events) == [Trouble.UNEXPECTED]
    assert [event.epoch for event in events if isinstance(event, PumpIdentified | PumpReported)] == [2, 2]


# --- start -----------------------------------------------------------------------------------


def test_a_start_sets_units_reads_back_runs_once_and_reads_again(stopped: Any, talk: Any) -> None:
    stopped.order(start(120_000)).add(talk.ask("RAT120.0MH", "S"), talk.ask("RAT", "S120.0MH"))
    stopped.add(talk.ask("RUN", "I"), talk.ask("", "I"), talk.ask("RAT", "I120.0MH"))
    assert stopped.run() == [report(PumpState.RUNNING, 120_000, None)]


@pytest.mark.parametrize("reply", ["S119.9MH", "S120.0UM", "I120.0MH", "S?NA"])
def test_no_run_when_the_rate_does_not_read_back(stopped: Any, talk: Any, reply: str) -> None:
    stopped.order(start(120_000)).add(talk.ask("RAT120.0MH", "S"), talk.ask("RAT", reply))
    assert set(troubles(stopped.run())) == {Trouble.REFUSED}
    assert not any(b"RUN" in sent for sent in stopped.sent)


@pytest.mark.parametrize("reply", ["S?OOR", "S?NA", "I", "P", "A?S"])
def test_no_run_when_the_rate_is_not_taken(stopped: Any, talk: Any, reply: str) -> None:
    stopped.order(start(120_000)).add(talk.ask("RAT120.0MH", reply))
    assert Trouble.REFUSED in troubles(stopped.run())
    assert not any(b"RUN" in sent for sent in stopped.sent)


def test_a_lost_reply_to_run_is_never_answered_by_a_second_run(stopped: Any, talk: Any) -> None:
    stopped.order(start(120_000)).add(talk.ask("RAT120.0MH", "S"), talk.ask("RAT", "S120.0MH"))
    stopped.add(talk.ask("RUN", None), talk.ask("", "I"), talk.ask("RAT", "I120.0MH"))
    events = stopped.run()
    assert troubles(events) == [Trouble.NO_REPLY]
    assert events[-1] == report(PumpState.RUNNING, 120_000, None)


def test_a_run_swallowed_by_an_alarm_is_not_sent_again(stopped: Any, talk: Any) -> None:
    stopped.order(start(120_000)).add(talk.ask("RAT120.0MH", "S"), talk.ask("RAT", "S120.0MH"))
    stopped.add(talk.ask("RUN", "A?S"), talk.ask("", "S"), talk.ask("RAT", "S120.0MH"))
    stopped.add(talk.ask("RAT", "S120.0MH"), talk.ask("DIS", "SI12.34W0.000ML"))
    events = stopped.run()
    assert events[0] == report(PumpState.ALARM, 0, None, "stalled")
    assert troubles(events) == [Trouble.REFUSED]
    assert sum(b"RUN" in sent for sent in stopped.sent) == 1


def test_a_running_pump_is_not_started(running: Any) -> None:
    running.order(start(120_000))
    assert troubles(running.run()) == [Trouble.REFUSED]


def test_an_adopted_pump_is_set_up_before_its_first_start_here(running: Any, talk: Any) -> None:
    running.order(STOP).add(talk.ask("STP", "P"), talk.ask("STP", "S"))
    running.run()
    running.order(start(9000)).add(*talk.program(), talk.ask("RAT9.000MH", "S"), talk.ask("RAT", "S9.000MH"))
    running.add(talk.ask("RUN", "I"), talk.ask("", "I"), talk.ask("RAT", "I9.000MH"))
    assert running.run() == [report(PumpState.RUNNING, 9000, None)]


def test_no_run_when_the_pump_falls_silent_in_its_set_up(running: Any, talk: Any) -> None:
    running.order(STOP).add(talk.ask("STP", "S"))
    running.run()
    running.order(start(9000)).add(*[talk.ask("PHN2", None)] * 3, talk.ask("RAT", "S120.0MH"))
    running.add(*[talk.ask("VER", None)] * 3)
    assert troubles(running.run()) == [Trouble.NO_REPLY, Trouble.REFUSED]
    assert not any(b"RUN" in sent for sent in running.sent)


# --- stop ------------------------------------------------------------------------------------


def test_a_stop_overtakes_what_waits_and_repeats_until_stopped(running: Any, talk: Any) -> None:
    running.order(set_rate(9000), set_rate(8000), STOP)
    running.add(talk.ask("RAT9.000", "I"), talk.ask("STP", "P"), talk.ask("STP", None))
    running.add(talk.ask("STP", "S?NA"))
    assert running.run() == [report(PumpState.STOPPED, 0, None)]


def test_a_stop_waits_for_no_repeats(running: Any, talk: Any) -> None:
    running.order(set_rate(9000)).add(talk.ask("RAT9.000", None))
    running.run()
    running.order(STOP).add(talk.ask("STP", "S"))
    assert running.run() == [report(PumpState.STOPPED, 0, None)]


def test_a_stop_breaks_into_the_silence_of_the_watchdog_proof(peer: Any, script: Any) -> None:
    safe = script("safe")
    told = peer(
        NewEra(Expected(Role.INSULIN, "NE", diameter_um=26_590, watchdog_s=5)), safe.insulin()[:-2]
    ).open()
    told.run(4000)
    told.order(StopPump(Role.INSULIN, 1)).add(safe.ask("STP", "S"), *safe.insulin()[3:])
    assert [type(event) for event in told.run()] == [PumpReported, PumpIdentified, PumpReported]


def test_a_stop_that_waits_when_the_wire_is_opened_anew_is_dropped_and_told(running: Any, talk: Any) -> None:
    running.order(set_rate(9000), STOP)
    running.link.take_output()
    running.open(epoch=2).add(*talk.adopt())
    events = running.run()
    assert troubles(events) == [Trouble.UNEXPECTED]
    assert "StopPump" in events[0].detail


def test_an_unanswered_stop_is_repeated_for_ever(running: Any, talk: Any) -> None:
    running.order(STOP).add(*[talk.ask("STP", None)] * 7)
    assert set(troubles(running.run(6400))) == {Trouble.NO_REPLY}
    running.add(talk.ask("STP", "A?S"), talk.ask("STP", "S"))
    running.add(talk.ask("VER", "SNE1000V3.928"), talk.ask("DIA", "S26.59"))
    states = [event.state for event in running.run() if isinstance(event, PumpReported)]
    assert states == [PumpState.ALARM, PumpState.STOPPED]


# --- alarms ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "alarm"),
    [("S", "stalled"), ("T", "watchdog"), ("E", "program error"), ("O", "phase out of range")],
)
def test_an_alarm_is_told_at_once_and_polling_goes_on(
    running: Any, talk: Any, letter: str, alarm: str
) -> None:
    running.add(talk.ask("RAT", f"A?{letter}"), talk.ask("DIS", "SI12.34W0.000ML"))
    assert running.run() == [report(PumpState.ALARM, 0, None, alarm), report(PumpState.STOPPED, 0, 12_340)]


def test_a_rate_swallowed_by_an_alarm_is_not_sent_again(running: Any, talk: Any) -> None:
    running.order(set_rate(9000)).add(talk.ask("RAT9.000", "A?S"), talk.ask("RAT", "S120.0MH"))
    assert running.run() == [report(PumpState.ALARM, 0, None, "stalled"), report(PumpState.STOPPED, 0, None)]


def test_a_reset_is_checked_and_the_next_start_sets_the_pump_up_again(stopped: Any, talk: Any) -> None:
    stopped.add(talk.ask("RAT", "A?R"), talk.ask("VER", "SNE1000V3.928"), talk.ask("DIA", "S26.59"))
    assert stopped.run() == [report(PumpState.ALARM, 0, None, "reset")]
    stopped.order(start(9000)).add(*talk.program(), talk.ask("RAT9.000MH", "S"), talk.ask("RAT", "S9.000MH"))
    stopped.add(talk.ask("RUN", "I"), talk.ask("", "I"), talk.ask("RAT", "I9.000MH"))
    assert stopped.run() == [report(PumpState.RUNNING, 9000, None)]


def test_an_unsolicited_alarm_inside_an_exchange_leaves_it_open(peer: Any, script: Any, wire: Any) -> None:
    safe = script("safe")
    told = peer(NewEra(Expected(Role.INSULIN, "NE", diameter_um=26_590, watchdog_s=5)), safe.adopt()).open()
    told.run()
    both = wire.safe("00A?S") + wire.safe("00S120.0MH")
    told.add((safe.ask("RAT", None)[0], both), safe.ask("DIS", "A?S"), safe.ask("RAT", "S120.0MH"))
    told.add(safe.ask("DIS", "SI12.34W0.000ML"))
    assert [event.alarm for event in told.run()] == ["stalled", "stalled", None]
    assert told.script == []


def test_a_damaged_reply_is_told_and_the_question_repeated(peer: Any, script: Any, wire: Any) -> None:
    safe = script("safe")
    told = peer(NewEra(Expected(Role.INSULIN, "NE", diameter_um=26_590, watchdog_s=5)), safe.adopt()).open()
    told.run()
    damaged = wire.safe("00I120.0MH").replace(b"120", b"920")
    told.add((safe.ask("RAT", None)[0], damaged), safe.ask("RAT", "I120.0MH"))
    told.add(safe.ask("DIS", "II12.34W0.000ML"))
    events = told.run()
    assert troubles(events) == [Trouble.BAD_FRAME]
    assert events[-1].rate_ul_h == 120_000
