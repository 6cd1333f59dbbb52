"""Plays of the Alaris fault table: the cable, the bytes on it, and answers that do not come."""

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import PumpReported, PumpState, Trouble
from simulator.devices.alaris_settings import AlarisSettings
from simulator.devices.fault import FaultKind
from tests.faults.alaris_bed import (
    CONTROL,
    STATUS_BYTES,
    STOP,
    counted,
    opened,
    pump,
    running,
    starts,
    state,
    told,
)


def mute() -> str:
    pair = running()
    pair.inject("mute").run(10_000)
    lost = told(pair, Trouble.NO_REPLY)
    assert len(lost) == 2
    pair.clear(FaultKind.MUTE).run(3000)
    assert state(pair) == (PumpState.RUNNING, 3500)
    assert starts(pair) == 1
    assert bytes(pair.to_device).count(b"INST_SERIALNO") == 2
    return f"{lost[0]!r} twice in 10 s of silence, then identified again and adopted at 3500 µL/h"


def silent_for_good() -> str:
    pair = opened("mute")
    pair.run(25_000)
    lost = told(pair, Trouble.NO_REPLY)
    assert pair.identity is None
    assert pair.report is None
    assert len(lost) == 5
    pair.clear(FaultKind.MUTE).run(6000)
    assert state(pair) == (PumpState.STOPPED, 0)
    return f"sought {len(lost)} times in 30 s, never identified; found when it answers"


def cut() -> str:
    for at in range(STATUS_BYTES):
        pair = running()
        reports = len(pair.told(PumpReported))
        pair.inject(f"cut={at}/2").run(8000)
        assert all(event.rate_ul_h == 3500 for event in pair.told(PumpReported)[reports:])
        assert len(pair.told(PumpReported)) > reports
        assert starts(pair) == 1
    return f"cut at each of {STATUS_BYTES} bytes: asked again after 500 ms, never a wrong reading"


def lost_start() -> str:
    pair = opened(made=AlarisSettings(reply_delay_ms=50))
    pair.order(StartPump(Role.INSULIN, 3500, 1))
    before = bytes(pair.to_device).count(CONTROL)
    while bytes(pair.to_device).count(CONTROL) == before:
        pair.run(10)
    pair.inject("lose_reply").run(10_000)
    assert starts(pair) == 1
    assert state(pair) == (PumpState.RUNNING, 3500)
    said = [detail for detail in told(pair, Trouble.NO_REPLY) if "not repeated" in detail]
    assert len(said) == 1
    return f"{said[0]}: running at 3500 µL/h, INF_START sent once"


def lost_stop() -> str:
    pair = running()
    pair.inject("mute").order(StopPump(Role.INSULIN, 1)).run(9000)
    assert bytes(pair.to_device).count(STOP) >= 8
    pair.clear(FaultKind.MUTE).run(6000)
    assert state(pair) == (PumpState.STOPPED, 0)
    assert pump(pair).flow_ul_h == 0
    return "repeated into 9 s of silence and confirmed by a status when the pump hears again"


def delay() -> str:
    pair = opened("delay=4000")
    pair.run(60_000)
    assert state(pair) == (PumpState.STOPPED, 0)
    pair.order(StartPump(Role.INSULIN, 3500, 1)).run(60_000)
    assert state(pair) == (PumpState.RUNNING, 3500)
    pair.order(SetRate(Role.INSULIN, 9000, 1)).run(40_000)
    assert state(pair) == (PumpState.RUNNING, 9000)
    pair.order(StopPump(Role.INSULIN, 1)).run(40_000)
    assert state(pair) == (PumpState.STOPPED, 0)
    assert starts(pair) == 1
    assert set(told(pair, Trouble.NO_REPLY)) == {"pump did not answer INF_STOP"}  # not waited for
    assert bytes(pair.to_device).count(b"!INST_SERIALNO|") == 2
    return "every answer 4 s late: started once, changed, stopped; each question sent twice, INF_START once"


def no_cr() -> str:
    pair = running()
    reports = len(pair.told(PumpReported))
    pair.inject("no_cr").run(10_000)
    assert len(pair.told(PumpReported)) == reports
    assert "reply cut short" in told(pair, Trouble.BAD_FRAME)
    pair.clear(FaultKind.NO_CR).run(3000)
    assert len(pair.told(PumpReported)) > reports
    assert state(pair) == (PumpState.RUNNING, 3500)
    return "nothing is taken from a reply without its end, readings go on when it is back"


def flip() -> str:
    bad = 0
    for at in range(STATUS_BYTES):
        pair = running()
        since = len(pair.events)
        pair.inject(f"flip={at}/2").run(8000)
        readings = pair.told(PumpReported, since)
        assert {(event.state, event.rate_ul_h) for event in readings} == {(PumpState.RUNNING, 3500)}
        discarded = told(pair, Trouble.BAD_FRAME)
        assert discarded
        bad += len(discarded)
    return f"one bit wrong at each place: {bad} times discarded and asked again, no wrong reading"


def escape() -> str:
    pair = running()
    quiet = len(pair.troubles)
    pair.inject("noise=1B").run(3000)
    assert len(pair.troubles) == quiet
    pair.clear(FaultKind.NOISE)
    pair.inject("noise=21494E461B").run(3000)
    assert told(pair, Trouble.BAD_FRAME) == ["reply aborted by the pump"] * 6
    assert state(pair) == (PumpState.RUNNING, 3500)
    return "a lone ESC means nothing, an aborted reply is dropped, the next is read"


def gap() -> str:
    pair = running()
    pair.inject("gap=3,300").run(5000)
    assert pair.troubles == []
    pair.inject("gap=3,800/2").run(5000)
    assert "reply cut short" in told(pair, Trouble.BAD_FRAME)
    assert state(pair) == (PumpState.RUNNING, 3500)
    return "300 ms inside a reply are borne; 800 ms are not: discarded, asked again"


def chunk() -> str:
    pair = running()
    reports = len(pair.told(PumpReported))
    pair.inject("chunk=1").run(5000)
    assert pair.troubles == []
    assert len(pair.told(PumpReported)) - reports >= 4
    return "one byte a millisecond: every reading as before"


def unplug() -> str:
    pair = running(60_000)
    pair.inject("unplug").run(5000)
    pair.clear(FaultKind.UNPLUG)
    pair.open().run(3000)
    assert pair.identity is not None
    assert (pair.identity.epoch, pair.identity.mismatch) == (2, None)
    assert state(pair) == (PumpState.RUNNING, 60_000)
    assert starts(pair) == 1
    assert STOP not in pair.to_device
    assert abs(pump(pair).delivered_ul - counted(pair)) < 20
    return f"5 s without cable, then adopted at 60000 µL/h, {counted(pair)} µL counted"


def comms_fail() -> str:
    pair = running(60_000)
    before_ul = pump(pair).delivered_ul
    pair.inject("unplug").run(20_000)
    after_ul = pump(pair).delivered_ul - before_ul
    assert 14 * 60_000 / 3600 <= after_ul <= 15 * 60_000 / 3600
    pair.clear(FaultKind.UNPLUG)
    pair.open().run(3000)
    assert pair.report is not None
    assert pair.report.alarm == "communication failure (AL_COMTO)"
    assert state(pair) == (PumpState.ALARM, 0)
    pair.order(StartPump(Role.INSULIN, 3500, 2)).run(30_000)
    pair.inject("key=stop").run(2000)
    assert state(pair) == (PumpState.STOPPED, 0)
    assert starts(pair) == 1
    assert pump(pair).delivered_ul == before_ul + after_ul
    return (
        f"20 s without cable: the pump gave {after_ul:.0f} µL more and stopped itself; alarm told, no start"
    )
