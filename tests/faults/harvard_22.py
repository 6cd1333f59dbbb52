"""Harvard 22 dialect: every row of the pump failure matrix (pumps 11.3), link against emulator."""

import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import PumpIdentified, PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.harvard_22 import Harvard22 as Link
from simulator.devices.fault import FaultKind
from simulator.devices.harvard_22 import Harvard22 as Emulator
from simulator.devices.harvard_22_settings import Harvard22Settings
from tests.faults.harvard_rig import (
    DEXTROSE,
    INSULIN,
    RATE_UL_H,
    WATCHDOG_S,
    Rig,
    kinds,
    pump,
    reading,
    said,
)
from tests.faults.harvard_rows import common
from tests.faults.pair import (
    Case,
    Pair,
    pieces,
)


def make(role: Role, settings: Harvard22Settings | None = None) -> Pair:
    """A fresh link and pump; the wire is not yet open."""
    made = settings or Harvard22Settings()
    watchdog_s = WATCHDOG_S if role is INSULIN else None
    expected = Expected(role, diameter_um=26_590, watchdog_s=watchdog_s)
    return Pair(Link(expected, model=made.model), Emulator(made), pieces)


RIG = Rig("harvard-22", make, b"RUN")


def rig(model: str) -> Rig:
    """The same with another model."""
    return Rig("harvard-22", lambda role: make(role, Harvard22Settings(model)), b"RUN")


def stop_bits() -> str:
    """Wrong stop bits turn every reply into rubbish."""
    pair = make(DEXTROSE).inject("noise=F8E0C080").open()
    pair.run(20_000)
    assert pair.told(PumpIdentified) == []
    assert kinds(pair.troubles) == {Trouble.BAD_FRAME, Trouble.NO_REPLY}
    assert set(bytes(pair.to_device).split(b"\r")) == {b"00VER", b""}
    pair.clear(FaultKind.NOISE)
    pair.run(5000)
    assert pair.identity is not None
    assert pair.identity.mismatch is None
    return "never identified, only VER was asked; " + pair.troubles[0].detail


def truncated() -> str:
    pair = RIG.running()
    pair.order(SetRate(DEXTROSE, 123_457, 1))
    pair.run(3000)
    assert reading(pair) == (PumpState.RUNNING, 123_450)
    assert pair.troubles == []
    pair.inject("digits=3").order(SetRate(DEXTROSE, 123_450, 1))
    pair.run(3000)
    assert reading(pair) == (PumpState.RUNNING, 123_000)
    assert said(pair, "asked for 123450 µL/h, the pump holds 123000 µL/h")
    return (
        "123457 is sent as 123.45 and read back; a pump that cuts more is told: " + pair.troubles[-1].detail
    )


def truncated_start() -> str:
    pair = RIG.opened().inject("digits=3")
    pair.order(StartPump(DEXTROSE, 123_450, 1))
    pair.run(5000)
    assert RIG.starts(pair) == 0
    return pair.troubles[-1].detail


def star_of_the_2000() -> str:
    pair = RIG.running().order(StopPump(DEXTROSE, 1))
    pair.run(3000)
    assert bytes(pair.to_link).endswith(b"*")
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert pair.report is not None
    assert pair.report.alarm is None
    return "`*` on a 2000 is stopped, no alarm"


def star_of_the_33() -> str:
    pair = rig("33").running().inject("stall")
    pair.run(3000)
    assert bytes(pair.to_link).endswith(b"*")
    assert reading(pair) == (PumpState.ALARM, 0)
    assert pair.report is not None
    return f"`*` on a 33 is an alarm: {pair.report.alarm}"


def other_model() -> str:
    pair = make(DEXTROSE).inject("model=33").open()
    pair.run(3000)
    assert pair.identity is not None
    assert pair.identity.mismatch is not None
    return f"{pair.identity.mismatch}; only read"


def stall_2000() -> str:
    pair = RIG.running().inject("stall")
    pair.run(5000)
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    counted = [pair.report.infused_ul] if pair.report else []
    pair.run(60_000)
    assert pair.report is not None
    assert counted == [pair.report.infused_ul]
    return "a 2000 senses no stall: it says running, only its counter stands still: the core judges"


def late_run() -> str:
    """The reply to RUN comes after the link stopped waiting for it."""
    pair = RIG.opened()
    pair.inject("delay=1500/4").order(StartPump(DEXTROSE, RATE_UL_H, 1))
    pair.run(20_000)
    assert RIG.starts(pair) == 1
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    return "the late replies are waited out, then the rate is asked; 1 start in all"


def deaf() -> str:
    pair = RIG.running().inject("deaf")
    pair.run(20_000)
    assert kinds(pair.troubles) == {Trouble.NO_REPLY}
    pair.order(SetRate(DEXTROSE, 60_000, 1)).clear(FaultKind.DEAF)
    pair.run(10_000)
    assert reading(pair) == (PumpState.RUNNING, 60_000)
    return "no reply while a person sets it; identity checked, then the waiting rate is set and read back"


def no_target() -> str:
    with pytest.raises(ValueError, match="no volume target") as refused:
        Link(Expected(INSULIN, diameter_um=26_590, watchdog_s=WATCHDOG_S), model="33")
    return str(refused.value)


def target_fixed() -> str:
    pair = make(INSULIN, Harvard22Settings(target_while_running=False)).open()
    pair.run(3000)
    pair.order(StartPump(INSULIN, RATE_UL_H, 1))
    pair.run((WATCHDOG_S + 5) * 1000)
    assert said(pair, "insulin target volume not moved on: pump refused it (NA, not applicable now)")
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert pump(pair).flow_ul_h == 0
    assert RIG.starts(pair) == 1
    return "each refused re-arming told; the stop at the target is reported, not started again"


def switched_off_unseen() -> str:
    pair = RIG.opened(INSULIN).inject("power_cycle")
    pair.order(StartPump(INSULIN, 4_440, 1)).run(5000)
    assert RIG.starts(pair) == 0
    assert pump(pair).flow_ul_h == 0
    assert said(pair, "not started: the pump does not heed its target volume")
    return pair.troubles[-1].detail


CASES = [
    *common(RIG),
    Case("harvard-22", DEXTROSE, "noise=F8E0C080", "wrong stop bits: not identified", stop_bits),
    Case("harvard-22", DEXTROSE, "digits=3, running", "quantised first, read back, told", truncated),
    Case("harvard-22", DEXTROSE, "digits=3, start", "no start on a rate that is not held", truncated_start),
    Case("harvard-22", DEXTROSE, "(stop, model 2000)", "`*` is stopped", star_of_the_2000),
    Case("harvard-22", DEXTROSE, "stall, model 33", "`*` is a stall", star_of_the_33),
    Case("harvard-22", DEXTROSE, "model=33", "another model is a mismatch", other_model),
    Case("harvard-22", DEXTROSE, "stall, model 2000", "a stall it cannot sense is not invented", stall_2000),
    Case("harvard-22", DEXTROSE, "delay=1500", "a late RUN reply: read, never run again", late_run),
    Case("harvard-22", DEXTROSE, "deaf", "deadline, then everything checked again", deaf),
    Case("harvard-22", INSULIN, "power_cycle, counter 0", "mode lost unseen: no start", switched_off_unseen),
    Case("harvard-22", INSULIN, "(model 33)", "no target, no insulin", no_target),
    Case("harvard-22", INSULIN, "(target fixed while running)", "said, and reported truly", target_fixed),
]  # fmt: skip
