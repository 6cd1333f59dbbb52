"""New Era: every row of the pump failure matrix (pumps 11.3), link against emulator."""

from clampctl.core.commands import SetRate, StartPump
from clampctl.core.events import PumpReported, PumpState, Trouble
from simulator.devices.fault import FaultKind
from tests.faults.new_era_own import OWN
from tests.faults.new_era_pair import (
    DEVICE,
    DEXTROSE,
    INSULIN,
    RATE_UL_H,
    SET_UP_MS,
    alarms,
    kinds,
    pump,
    reading,
    ready,
    running,
    sent,
)
from tests.faults.pair import Case


def mute() -> str:
    pair = running().inject("mute")
    pair.run(20_000)
    assert kinds(pair) == {Trouble.NO_REPLY}
    assert pair.told(PumpReported) == []
    count = len(pair.troubles)
    pair.clear(FaultKind.MUTE).run(5000)
    assert reading(pair) == (PumpState.RUNNING, 120_000)
    assert sent(pair, b"RUN") == 0
    return f"{count} times no reply in 20 s, no report; then read as running again, RUN not sent"


def cut() -> str:
    for role, length in ((DEXTROSE, 12), (INSULIN, 16)):
        for at in range(length):
            pair = running(role).inject(f"cut={at}/1")
            pair.run(10_000)
            assert kinds(pair) <= {Trouble.BAD_FRAME}
            assert {(one.state, one.rate_ul_h) for one in pair.told(PumpReported)} == {
                (PumpState.RUNNING, RATE_UL_H[role])
            }
    return "28 of 28 cut replies, Basic and Safe: asked again, no other state or rate reported"


def lose_reply() -> str:
    pair = ready()
    pair.to_device.clear()
    pair.inject("delay=100").order(StartPump(DEXTROSE, 120_000, 1))
    while not sent(pair, b"RUN"):
        pair.run(10)
        if sent(pair, b"RAT120.0MH") and pair.to_device.endswith(b"00RAT\r"):
            pair.inject("lose_reply")
    pair.clear(FaultKind.DELAY).run(5000)
    assert sent(pair, b"RUN") == 1
    assert Trouble.NO_REPLY in kinds(pair)
    assert reading(pair) == (PumpState.RUNNING, 120_000)
    return "RUN executed and unanswered: 1 RUN sent, the state read, running at 120000 µL/h"


def unplug() -> str:
    pair = running(DEXTROSE).inject("unplug")
    pair.run(20_000)
    pair.clear(FaultKind.UNPLUG).open().run(5000)
    asked = set(bytes(pair.to_device).split(b"\r"))
    assert asked <= {b"", b"?", b"00", b"00VER", b"00DIA", b"00RAT", b"00DIS"}
    assert reading(pair) == (PumpState.RUNNING, 120_000)
    return f"adopted by questions alone, {pump(pair).delivered_ul:.0f} µL delivered meanwhile"


def unplug_insulin() -> str:
    pair = running(INSULIN).inject("unplug")
    pair.run(20_000)
    assert pump(pair).flow_ul_h == 0
    pair.clear(FaultKind.UNPLUG).open().run(30_000)
    assert "watchdog" in alarms(pair)
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert sent(pair, b"RUN") == 0
    return "stopped by itself on silence, told as alarm watchdog, not started again"


def identity() -> str:
    pair = running().inject("mute")
    pair.run(5000)
    pair.inject("identity=NE4000V2.1").clear(FaultKind.MUTE).run(5000)
    assert pair.identity is not None
    assert pair.identity.mismatch is not None
    before = sent(pair, b"RAT60")
    pair.order(SetRate(DEXTROSE, 60_000, 1)).run(2000)
    assert sent(pair, b"RAT60") == before == 0
    return f"after the silence: {pair.identity.mismatch}; a rate is refused"


def local_keys() -> str:
    pair = running().inject("key=rate,60000")
    pair.run(3000)
    assert reading(pair) == (PumpState.RUNNING, 60_000)
    pair.inject("key=stop").run(3000)
    assert reading(pair) == (PumpState.PAUSED, 0)
    pair.inject("key=start").run(3000)
    assert reading(pair) == (PumpState.RUNNING, 60_000)
    assert not any(sent(pair, word) for word in (b"RUN", b"STP", b"RAT1", b"RAT6"))
    return "rate 60000, paused, running again: each reported within 3 s, none fought"


def stall() -> str:
    seen = []
    for role in (DEXTROSE, INSULIN):
        pair = running(role).inject("stall")
        pair.run(5000)
        assert "stalled" in alarms(pair)
        assert reading(pair) == (PumpState.STOPPED, 0)
        assert sent(pair, b"RUN") == 0
        seen.append(role.value)
    return f"alarm stalled, then stopped at 0; not started again ({' and '.join(seen)})"


def counter_back() -> str:
    pair = running()
    pair.run(60_000)
    assert pair.report is not None
    before = pair.report.infused_ul
    pair.inject("counter_back=1500").run(3000)
    after = pair.report.infused_ul
    assert before is not None
    assert after is not None
    assert after < before
    return f"reported as it stands: {before} µL, then {after} µL"


def drift() -> str:
    pair = running().inject("drift=20")
    pair.run(600_000)
    assert pair.report is not None
    counted = pair.report.infused_ul
    assert counted is not None
    assert abs(counted - 22_000) <= 300
    assert abs(pump(pair).delivered_ul - 26_000) <= 300
    return (
        f"not on the wire: counter {counted} µL as its rate says, delivered {pump(pair).delivered_ul:.0f} µL"
    )


def half_a_command() -> str:
    pair = ready().inject("key=rate,60000")
    pump(pair).receive(b"00RUN", pair.now_ms)
    pair.open().run(SET_UP_MS)
    assert pump(pair).flow_ul_h == 0
    assert reading(pair) == (PumpState.STOPPED, 0)
    return "the half of a RUN, left by a wire that broke off, is spoilt and not carried out"


def ordered_in_the_dark() -> str:
    pair = ready().inject("unplug")
    pair.run(10_000)
    pair.inject("identity=NE4000V2.1").clear(FaultKind.UNPLUG)
    pair.to_device.clear()
    pair.order(StartPump(DEXTROSE, 120_000, 1)).run(20_000)
    assert sent(pair, b"RUN") == sent(pair, b"RAT1") == 0
    assert pair.identity is not None
    assert pair.identity.mismatch is not None
    assert "start refused: the pump does not answer" in [event.detail for event in pair.troubles]
    return f"start refused; then {pair.identity.mismatch}"


CASES = [
    Case(DEVICE, DEXTROSE, "mute", "no reply: deadline, told, no report", mute),
    Case(DEVICE, DEXTROSE, "cut=N/1", "reply cut at any byte: told, asked again", cut),
    Case(DEVICE, DEXTROSE, "lose_reply", "executed, reply lost: unknown, no second RUN", lose_reply),
    Case(DEVICE, DEXTROSE, "unplug", "pulled and back: adopted without a write", unplug),
    Case(DEVICE, INSULIN, "unplug", "pulled: stops by itself, told, not started again", unplug_insulin),
    Case(DEVICE, DEXTROSE, "identity=NE4000V2.1", "swapped: mismatch, read-only", identity),
    Case(
        DEVICE, DEXTROSE, "(half a RUN)", "half a command left in the pump: never carried out", half_a_command
    ),
    Case(
        DEVICE,
        DEXTROSE,
        "unplug, start, identity",
        "no order before it is known who is there",
        ordered_in_the_dark,
    ),
    Case(DEVICE, DEXTROSE, "key=rate,60000", "local keys: reported, not fought", local_keys),
    Case(DEVICE, DEXTROSE, "stall", "stall: alarm, not started again", stall),
    Case(DEVICE, DEXTROSE, "counter_back=1500", "the counter is reported as it stands", counter_back),
    Case(DEVICE, DEXTROSE, "drift=20", "wrong delivery: no wire shows it, only a balance", drift),
    *OWN,
]
