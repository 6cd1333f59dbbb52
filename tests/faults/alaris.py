"""What each fault does to an Alaris pump and its link: pump sheet 11.3, rows "all" and Alaris."""

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import PumpIdentified, PumpReported, PumpState, Trouble
from simulator.devices.alaris_settings import AlarisSettings
from simulator.devices.fault import FaultKind
from tests.faults import alaris_wire
from tests.faults.alaris_bed import (
    CONTROL,
    STOP,
    counted,
    mismatch,
    opened,
    pump,
    read_only,
    running,
    starts,
    state,
    told,
)
from tests.faults.pair import Case


def identity() -> str:
    pair = running()
    pair.inject("identity=8002-99999").run(3000)
    assert mismatch(pair) == "pump is serial 8002-99999, expected 8002-51740"
    read_only(pair)
    pair.clear(FaultKind.IDENTITY).run(3000)
    assert pair.identity is not None
    assert pair.identity.mismatch is None
    return "another serial number in the next status: read-only; the right pump is taken back"


def wrong_from_the_start() -> str:
    pair = opened("identity=8002-99999")
    assert CONTROL not in pair.to_device
    read_only(pair)
    return f"{mismatch(pair)}: remote control was never asked for"


def swapped_unexpected() -> str:
    pair = opened(serial="")
    pair.inject("identity=8002-99999")
    pair.order(StartPump(Role.INSULIN, 3500, 1)).run(3000)
    assert starts(pair) == 0
    assert b"INF_RATE^" not in pair.to_device
    assert mismatch(pair) == "pump is serial 8002-99999, expected 8002-51740"
    return "swapped just before a start, no serial number in the station: nothing was set or started"


def key_stop() -> str:
    pair = running()
    pair.inject("key=stop").run(5000)
    assert state(pair) == (PumpState.STOPPED, 0)
    assert starts(pair) == 1
    return "reported stopped within a second and left so"


def key_rate() -> str:
    pair = running()
    pair.inject("key=rate,9000").run(2000)
    assert state(pair) == (PumpState.RUNNING, 9000)
    assert bytes(pair.to_device).count(b"INF_RATE^") == 1
    return "9000 µL/h is reported, the rate is not set back"


def key_start() -> str:
    pair = running()
    pair.order(StopPump(Role.INSULIN, 1)).run(2000)
    pair.inject("key=start").run(2000)
    assert state(pair) == (PumpState.RUNNING, 3500)
    return "reported running at 3500 µL/h, no order was given"


def stall() -> str:
    pair = running()
    pair.inject("stall").run(2000)
    assert pair.report is not None
    assert pair.report.alarm == "occlusion (AL_OCCLU)"
    assert state(pair) == (PumpState.ALARM, 0)
    pair.order(StartPump(Role.INSULIN, 3500, 1)).run(2000)
    assert starts(pair) == 1
    return f"alarm {pair.report.alarm}; a start is refused until someone was at the pump"


def counter_back() -> str:
    pair = running(60_000)
    pair.run(10_000)
    before_ul = counted(pair)
    pair.inject("counter_back").run(1500)
    assert counted(pair) < before_ul
    assert pair.report is not None
    assert pair.report.alarm is None
    return f"counter {before_ul} µL, then {counted(pair)} µL, reported as it is"


def drift() -> str:
    pair = running(60_000)
    start_ul, start_count_ul = pump(pair).delivered_ul, counted(pair)
    pair.inject("drift=20").run(600_000)
    true_ul, counted_ul = pump(pair).delivered_ul - start_ul, counted(pair) - start_count_ul
    assert 1.19 < true_ul / counted_ul < 1.21
    assert state(pair) == (PumpState.RUNNING, 60_000)
    return f"{true_ul:.0f} µL delivered, {counted_ul} µL counted: no byte tells it, only a balance does"


def power_cycle() -> str:
    pair = running(60_000)
    pair.run(5000)
    since = len(pair.events)
    pair.inject("power_cycle").run(3000)
    alarms = [event.alarm for event in pair.told(PumpReported, since)]
    assert alarms[0] == "reset"
    assert state(pair) == (PumpState.STOPPED, 0)
    pair.order(StartPump(Role.INSULIN, 3500, 1)).run(2000)
    assert starts(pair) == 1
    assert "not started: the syringe is not confirmed at the pump" in told(pair, Trouble.REFUSED)
    return "'reset', identified again, and not started before its syringe is confirmed"


def restarted_at_keys() -> str:
    pair = running(60_000)
    pair.inject("power_cycle").clear(FaultKind.SYRINGE).inject("key=start")
    pair.order(StopPump(Role.INSULIN, 1)).run(5000)
    assert state(pair) == (PumpState.STOPPED, 0)
    assert pump(pair).flow_ul_h == 0
    assert starts(pair) == 1
    return "control, lost with the power, is asked for again and the stop repeated: stopped within 5 s"


def not_permitted(text: str) -> str:
    pair = opened(text)
    read_only(pair)
    pair.order(StopPump(Role.INSULIN, 1)).run(1000)
    assert STOP not in pair.to_device
    pair.inject("key=rate,5000").inject("key=start").run(2000)
    assert state(pair) == (PumpState.RUNNING, 5000)
    return f"{mismatch(pair)}; still read, at 5000 µL/h when set by hand"


def permit() -> str:
    return not_permitted("permit=no")


def key_refused() -> str:
    return not_permitted("key_refused")


def rate_echo() -> str:
    pair = running()
    pair.inject("rate_echo=coarse")
    pair.order(SetRate(Role.INSULIN, 3550, 1)).run(2000)
    assert state(pair) == (PumpState.RUNNING, 3600)
    assert "asked for 3550 µL/h, the pump holds 3600 µL/h" in told(pair, Trouble.UNEXPECTED)
    other = opened("rate_echo=coarse")
    other.order(StartPump(Role.INSULIN, 3550, 1)).run(2000)
    assert starts(other) == 0
    return "asked for 3550 µL/h, 3600 is reported; a start with a differing echo is not sent"


def syringe() -> str:
    pair = opened("syringe=unconf")
    assert pair.identity is not None
    assert "NOT CONFIRMED" in pair.identity.detail
    pair.order(StartPump(Role.INSULIN, 3500, 1)).run(2000)
    assert starts(pair) == 0
    refused = told(pair, Trouble.REFUSED)[-1]
    pair.clear(FaultKind.SYRINGE)
    pair.order(StartPump(Role.INSULIN, 3500, 1)).run(2000)
    assert state(pair) == (PumpState.RUNNING, 3500)
    return f"{refused}; started when it is"


def two_alarms() -> str:
    pair = running()
    pair.inject("alarms=2").run(2000)
    assert pair.report is not None
    assert pair.report.alarm == "occlusion (AL_OCCLU), battery low (AL_LWBAT)"
    taking_turns = running(made=AlarisSettings(alarms_in_one_reply=False))
    since = len(taking_turns.events)
    taking_turns.inject("alarms=2").run(4000)
    seen = {event.alarm for event in taking_turns.told(PumpReported, since)}
    assert {"occlusion (AL_OCCLU)", "battery low (AL_LWBAT)"} <= seen
    assert starts(pair) == starts(taking_turns) == 1
    return f"both told: {pair.report.alarm}; not started again"


def drop_remote() -> str:
    pair = running()
    pair.inject("drop_remote").run(5000)
    assert mismatch(pair) == "remote control was ended at the pump: it is only read"
    assert len([event for event in pair.told(PumpIdentified) if event.mismatch]) == 1
    asked = bytes(pair.to_device).count(CONTROL)
    pair.run(10_000)
    assert bytes(pair.to_device).count(CONTROL) == asked
    assert state(pair) == (PumpState.RUNNING, 3500)
    read_only(pair)
    pair.clear(FaultKind.DROP_REMOTE)
    pair.open().run(3000)
    assert pair.identity is not None
    assert pair.identity.mismatch is None
    return "said once, only read and not fought over; taken back on a new connection"


def stop_after_drop() -> str:
    pair = running()
    pair.inject("drop_remote").run(3000)
    pair.order(StopPump(Role.INSULIN, 1)).run(3000)
    assert STOP in pair.to_device
    assert told(pair, Trouble.REFUSED)[-1] == "the pump could not be stopped from here: go to the pump"
    assert state(pair) == (PumpState.RUNNING, 3500)
    return "one try to stop it all the same, then 'go to the pump'"


def stale_limit() -> str:
    pair = opened("stale_vol=1000")
    assert pair.identity is not None
    assert "STOPS AFTER 1000 µL BY ITS VOLUME LIMIT" in pair.identity.detail
    assert b"INF_VTBI^" not in pair.to_device
    pair.order(StartPump(Role.INSULIN, 60_000, 1)).run(120_000)
    assert pair.report is not None
    assert pair.report.alarm == "end of infusion (AL_EOIST)"
    return f"a left-over limit of 1000 µL is told when the pump is met; at its end {pair.report.alarm}"


def max_rate() -> str:
    pair = opened("max_rate=150000")
    pair.order(StartPump(Role.INSULIN, 150_010, 1)).run(2000)
    assert starts(pair) == 0
    assert b"INF_RATE^" not in pair.to_device
    refused = told(pair, Trouble.REFUSED)[-1]
    assert refused == "start refused: 150010 µL/h is outside 100 to 150000 µL/h"
    return refused


_I = Role.INSULIN
_ROWS = (
    ("mute", "no answer: told, identity checked again, the running pump adopted", alaris_wire.mute),
    (
        "mute",
        "a pump that never answers is never identified, and sought for ever",
        alaris_wire.silent_for_good,
    ),
    ("cut=N/2", "a reply cut at any byte is asked for again", alaris_wire.cut),
    ("lose_reply", "a start whose reply is lost is never sent again", alaris_wire.lost_start),
    ("identity=8002-99999", "a swapped pump is only read", identity),
    ("identity=8002-99999", "remote control is not asked of another pump", wrong_from_the_start),
    ("identity=8002-99999", "an order does not reach a pump swapped just before", swapped_unexpected),
    ("unplug", "a running pump is adopted after the cable is back", alaris_wire.unplug),
    ("key=stop", "a local stop is reported, not fought", key_stop),
    ("key=rate,9000", "a local rate is reported, not fought", key_rate),
    ("key=start", "a local start is reported", key_start),
    ("stall", "an occlusion is told as alarm; no start before it is seen to", stall),
    ("counter_back", "a counter going down is reported as it is", counter_back),
    ("drift=20", "wrong delivery cannot be seen by the link; the counter is reported", drift),
    ("power_cycle", "a reset is told, everything is verified again, nothing starts", power_cycle),
    ("permit=no", "without permission for remote control the pump is only read", permit),
    ("key_refused", "with its key refused the pump is only read", key_refused),
    (
        "delay=4000",
        "answers up to 4 s late are waited for, with one re-send and no double start",
        alaris_wire.delay,
    ),
    ("no_cr", "a reply without its end is discarded", alaris_wire.no_cr),
    ("flip=N/2", "a reply with a wrong sum is discarded and asked for again", alaris_wire.flip),
    ("rate_echo=coarse", "an echo that differs is told, the rate held is reported", rate_echo),
    ("syringe=unconf", "no start before the syringe is confirmed", syringe),
    ("unplug", "15 s of silence stop the pump; it is not started again by itself", alaris_wire.comms_fail),
    ("alarms=2", "two alarms are both told", two_alarms),
    ("power_cycle, key=start", "started at its keys after a power cut, it can be stopped", restarted_at_keys),
    ("drop_remote", "remote control ended at the pump is told and left so", drop_remote),
    ("drop_remote", "a stop is tried even without remote control", stop_after_drop),
    ("noise=1B", "an abort resynchronises", alaris_wire.escape),
    ("gap=3,800", "a pause inside a reply ends it", alaris_wire.gap),
    ("chunk=1", "pieces of any size are one reply", alaris_wire.chunk),
    ("mute", "a stop is repeated until it is confirmed", alaris_wire.lost_stop),
    ("stale_vol=1000", "a volume limit left in the pump is told", stale_limit),
    ("max_rate=150000", "a rate above what the syringe allows is refused", max_rate),
)

CASES: list[Case] = [Case("alaris", _I, fault, expected, play) for fault, expected, play in _ROWS]
