"""Rows of the pump failure matrix (pumps 11.3) that both Harvard dialects share: a pump, what is done
to it, what its link must then have said and sent.
"""

from collections.abc import Callable
from functools import partial

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import LinkTroubled, PumpReported, PumpState, Trouble
from simulator.devices.fault import FaultKind
from tests.faults.harvard_rig import (
    DEXTROSE,
    INSULIN,
    PER_MIN_UL,
    RATE_UL_H,
    WATCHDOG_S,
    Rig,
    kinds,
    pump,
    reading,
    said,
    steady,
)
from tests.faults.pair import Case


def mute(rig: Rig) -> str:
    pair = rig.running().inject("mute")
    before = len(pair.events)
    pair.run(20_000)
    lost = pair.told(LinkTroubled, before)
    assert pair.told(PumpReported, before) == []
    assert kinds(lost) == {Trouble.NO_REPLY}
    pair.clear(FaultKind.MUTE)
    pair.run(4000)
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    assert rig.starts(pair) == 1
    return f"{len(lost)} times no reply in 20 s, no report; then read again, 1 start in all"


def cut(rig: Rig) -> str:
    told = 0
    for at in range(1, 40):
        pair = rig.running()
        before = len(pair.events)
        pair.inject(f"cut={at}/1")
        pair.run(6000)
        assert steady(pair, before)
        assert rig.starts(pair) == 1
        told += bool(pair.troubles)
    return f"cut at byte 1 to 39: {told} cuts told, no wrong reading, the question was asked again"


def lost(rig: Rig) -> str:
    """The reply to each command of a start lost in turn: the start goes out at most once."""
    unsure = 0
    for nth in range(1, 9):
        pair = rig.opened().inject("delay=20")
        sent = len(pair.to_device)
        pair.order(StartPump(DEXTROSE, RATE_UL_H, 1))
        while pair.to_device[sent:].count(b"\r") < nth:
            pair.run(5)
        pair.inject("lose_reply")
        pair.run(20_000)
        assert rig.starts(pair) == 1
        assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
        assert pump(pair).flow_ul_h == RATE_UL_H
        unsure += said(pair, "not repeated")
    assert unsure == 1
    return "each reply of a start lost in turn: always 1 start; the lost one is told, the pump is read"


def swapped(rig: Rig) -> str:
    pair = rig.running().inject("unplug")
    pair.run(10_000)
    pair.inject("identity=OTHER9").clear(FaultKind.UNPLUG)
    pair.run(10_000)
    assert pair.identity is not None
    assert pair.identity.mismatch is not None
    sent = len(pair.to_device)
    pair.order(SetRate(DEXTROSE, 60_000, 1)).order(StopPump(DEXTROSE, 1))
    pair.run(5000)
    assert pump(pair).flow_ul_h == RATE_UL_H
    assert b"60" not in pair.to_device[sent:]
    refused = [event for event in pair.troubles if event.trouble is Trouble.REFUSED]
    assert len(refused) == 2
    return f"{pair.identity.mismatch}; only read, a rate and a stop refused"


def ordered_in_the_dark(rig: Rig) -> str:
    pair = rig.opened().inject("unplug")
    pair.run(10_000)
    pair.inject("identity=OTHER9").clear(FaultKind.UNPLUG)
    pair.order(StartPump(DEXTROSE, RATE_UL_H, 1)).run(20_000)
    assert rig.starts(pair) == 0
    assert pump(pair).flow_ul_h == 0
    assert pair.identity is not None
    assert pair.identity.mismatch is not None
    assert said(pair, "start refused: the pump does not answer")
    return f"start refused; then {pair.identity.mismatch}"


def replugged(rig: Rig) -> str:
    pair = rig.running().inject("unplug")
    pair.run(10_000)
    pair.clear(FaultKind.UNPLUG)
    sent = len(pair.to_device)
    pair.open()
    pair.run(5000)
    assert pair.identity is not None
    assert (pair.identity.epoch, pair.identity.mismatch) == (2, None)
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    lines = bytes(pair.to_device[sent:])
    assert not any(word in lines for word in (b"stp", b"STP", rig.run_command, b"120", b"2000 ul"))
    assert pump(pair).delivered_ul == 75 * PER_MIN_UL / 60
    return "adopted: questions only, it ran on without a gap"


def local_rate(rig: Rig) -> str:
    pair = rig.running().inject("key=rate,60000")
    pair.run(3000)
    assert reading(pair) == (PumpState.RUNNING, 60_000)
    assert said(pair, "changed at the pump")
    return "60000 µL/h reported and said to be changed at the pump; not fought"


def already_started(rig: Rig) -> str:
    pair = rig.opened().inject("key=rate,60000").inject("key=start")
    pair.order(StartPump(DEXTROSE, RATE_UL_H, 1)).run(5000)
    assert rig.starts(pair) == 0
    assert reading(pair) == (PumpState.RUNNING, 60_000)
    assert said(pair, "start refused: the pump is running, not stopped")
    return "start refused, the pump is running; its 60000 µL/h are reported"


def identity_damaged(rig: Rig) -> str:
    matched = 0
    for at in range(30):
        pair = rig.make(DEXTROSE).inject(f"flip={at}/1").open()
        pair.run(10_000)
        assert pair.identity is not None
        assert pair.identity.mismatch is None
        matched += 1
    return f"a bit turned in byte 0 to 29 of the first reply: asked again, {matched} of 30 matched"


def local_stop(rig: Rig) -> str:
    pair = rig.running().inject("key=stop")
    pair.run(3000)
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert said(pair, "changed at the pump")
    assert rig.starts(pair) == 1
    return "stopped is reported and said, no second start"


def local_start(rig: Rig) -> str:
    pair = rig.running()
    pair.order(StopPump(DEXTROSE, 1))
    pair.run(3000)
    assert reading(pair) == (PumpState.STOPPED, 0)
    pair.inject("key=start")
    pair.run(3000)
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    assert said(pair, "changed at the pump")
    return "running is reported and said to come from the pump"


def counter_back(rig: Rig) -> str:
    pair = rig.running()
    before = pair.report
    pair.inject("counter_back=1000")
    pair.run(3000)
    assert before is not None
    assert pair.report is not None
    assert before.infused_ul is not None
    assert pair.report.infused_ul is not None
    fall_ul = before.infused_ul - pair.report.infused_ul
    assert 850 <= fall_ul <= 1000
    assert pair.report.state is PumpState.RUNNING
    return f"counter {fall_ul} µL lower, asked twice, reported as it is: the core judges"


def drift(rig: Rig) -> str:
    pair = rig.running().inject("drift=10")
    pair.run(600_000)
    assert pair.report is not None
    counted_ul, true_ul = pair.report.infused_ul or 0, pump(pair).delivered_ul
    assert true_ul - counted_ul >= 1900
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    return f"counter {counted_ul} µL, truly {true_ul:.0f} µL: not visible on the wire, a balance is needed"


def power_cycle(rig: Rig) -> str:
    pair = rig.running().inject("power_cycle")
    pair.run(10_000)
    alarms = [event.alarm for event in pair.told(PumpReported) if event.alarm]
    assert alarms == ["reset"]
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert rig.starts(pair) == 1
    pair.order(StartPump(DEXTROSE, RATE_UL_H, 1))
    pair.run(5000)
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    return "alarm reset once, identity asked again, set up anew, no start until one was ordered"


def flip(rig: Rig) -> str:
    told = 0
    for at in range(1, 30):
        pair = rig.running()
        before = len(pair.events)
        pair.inject(f"flip={at}/1")
        pair.run(6000)
        assert steady(pair, before)
        told += bool(pair.troubles)
    return f"a bit turned in byte 1 to 29: {told} told, every report right, a strange reading asked twice"


def noise(rig: Rig) -> str:
    pair = rig.running()
    before = len(pair.events)
    pair.inject("noise=00FF1B/3")
    pair.run(10_000)
    assert Trouble.BAD_FRAME in kinds(pair.troubles)
    assert steady(pair, before)
    return f"unreadable replies told, asked again, {RATE_UL_H} µL/h throughout"


def slow(rig: Rig) -> str:
    pair = rig.running().inject("delay=250").inject("gap=4,100").inject("chunk=1")
    pair.run(30_000)
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    pair.order(StopPump(DEXTROSE, 1))
    pair.run(10_000)
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert rig.starts(pair) == 1
    assert pump(pair).flow_ul_h == 0
    return "replies after 0.4 s in single bytes: still read, stop confirmed, 1 start in all"


def diameter(rig: Rig) -> str:
    pair = rig.make(DEXTROSE).inject("diameter=14.0").open()
    pair.run(3000)
    assert pair.identity is not None
    assert pair.identity.mismatch is not None
    pair.order(StartPump(DEXTROSE, RATE_UL_H, 1))
    pair.run(5000)
    assert rig.starts(pair) == 0
    return f"{pair.identity.mismatch}; only read, start refused"


def stale_target(rig: Rig) -> str:
    pair = rig.make(DEXTROSE).inject("stale_vol=1000").open()
    pair.run(3000)
    pair.order(StartPump(DEXTROSE, RATE_UL_H, 1))
    pair.run(120_000)
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    assert pump(pair).delivered_ul > 3900
    return "target cleared while stopped; ran past 1 mL"


def stale_target_running(rig: Rig) -> str:
    pair = rig.running().inject("stale_vol=900000")
    pair.open()
    pair.run(3000)
    assert pair.identity is not None
    assert pair.identity.mismatch is not None
    return pair.identity.mismatch


def cable_dextrose(rig: Rig) -> str:
    pair = rig.running()
    pair.inject("unplug")
    pair.run(3_600_000)
    assert pump(pair).flow_ul_h == RATE_UL_H
    assert pump(pair).delivered_ul == 61 * PER_MIN_UL
    return f"after 1 h of silence still {RATE_UL_H} µL/h (the emulator's; inferred of the pump)"


def cable_insulin(rig: Rig) -> str:
    pair = rig.running(INSULIN)
    before_ul = pump(pair).delivered_ul
    pair.inject("unplug")
    pair.run(WATCHDOG_S * 1000)
    assert pump(pair).flow_ul_h == 0
    flowed_s = (pump(pair).delivered_ul - before_ul) / PER_MIN_UL * 60
    assert WATCHDOG_S * 0.9 <= flowed_s <= WATCHDOG_S
    pair.clear(FaultKind.UNPLUG)
    pair.run(10_000)
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert rig.starts(pair) == 1
    return f"stopped {flowed_s:.0f} s into the silence, at most {WATCHDOG_S}; reported, not started again"


def rolling(rig: Rig) -> str:
    pair = rig.running(INSULIN)
    pair.order(SetRate(INSULIN, 30_000, 1))
    pair.run(900_000)
    pair.order(SetRate(INSULIN, 60_000, 1))
    pair.run(900_000)
    assert reading(pair) == (PumpState.RUNNING, 60_000)
    assert pair.troubles == []
    due = pair.device.wake_at()
    assert due is not None
    assert WATCHDOG_S * 900 <= due - pair.now_ms <= WATCHDOG_S * 1000
    return f"ran 31 min through two rate changes; would stop {(due - pair.now_ms) // 1000} s from now"


def insulin_without_target(rig: Rig) -> str:
    pair = rig.make(INSULIN).inject("key=rate,60000").inject("key=start").open()
    pair.run(3000)
    assert pair.identity is not None
    assert pair.identity.mismatch is not None
    assert "target" in pair.identity.mismatch
    assert pump(pair).flow_ul_h == 60_000
    return pair.identity.mismatch


COMMON: tuple[tuple[Role, str, str, Callable[[Rig], str]], ...] = (
    (DEXTROSE, "mute", "deadline, bounded repeats, told; read again when it answers", mute),
    (DEXTROSE, "cut=N", "a reply cut at any byte is no reading; asked again", cut),
    (DEXTROSE, "lose_reply", "a lost reply means unknown: read, never a second start", lost),
    (DEXTROSE, "identity=OTHER9", "after an outage the identity is checked: mismatch, read only", swapped),
    (DEXTROSE, "unplug, start, identity", "no order before it is known who is there", ordered_in_the_dark),
    (DEXTROSE, "flip=N/1, opening", "one damaged byte makes no mismatch", identity_damaged),
    (DEXTROSE, "key=start, then an order", "read before a start: it runs already, refused", already_started),
    (DEXTROSE, "unplug", "a running pump is adopted: no stop, start or setting", replugged),
    (DEXTROSE, "key=rate", "a rate changed at the pump is reported and said", local_rate),
    (DEXTROSE, "key=stop", "a stop at the pump is reported and said, never undone", local_stop),
    (DEXTROSE, "key=start", "a start at the pump is reported and said", local_start),
    (DEXTROSE, "counter_back", "a falling counter is reported as it is", counter_back),
    (DEXTROSE, "drift=10", "reports stay true to the pump's own words", drift),
    (DEXTROSE, "power_cycle", "reset is told, identity and settings verified again", power_cycle),
    (DEXTROSE, "flip=N", "no checksum: a reading nobody ordered is asked twice", flip),
    (DEXTROSE, "noise=00FF1B", "unreadable replies are told and asked for again", noise),
    (DEXTROSE, "delay=250, gap=4,100, chunk=1", "a slow line is patience, not a second start", slow),
    (DEXTROSE, "diameter=14.0", "another syringe is a mismatch; never set", diameter),
    (DEXTROSE, "stale_vol, stopped", "a left-over target is cleared before the start", stale_target),
    (DEXTROSE, "stale_vol, running", "a target on a running pump is a mismatch", stale_target_running),
    (DEXTROSE, "unplug, 1 h", "dextrose runs on when the computer is gone", cable_dextrose),
    (INSULIN, "unplug, 3 min", "insulin stops within the time of its target", cable_insulin),
    (INSULIN, "(rate changes)", "the target is moved on and never further than its time", rolling),
    (INSULIN, "key=start, no target", "insulin without a target is a mismatch", insulin_without_target),
)  # fmt: skip


def common(rig: Rig) -> list[Case]:
    """The shared rows, played by one dialect."""
    return [
        Case(rig.device, role, fault, expected, partial(play, rig)) for role, fault, expected, play in COMMON
    ]
