"""Harvard Ultra dialect: every row of the pump failure matrix (pumps 11.3), link against emulator."""

import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.harvard_ultra import HarvardUltra as Link
from simulator.devices.fault import FaultKind
from simulator.devices.harvard_ultra import HarvardUltra as Emulator
from simulator.devices.harvard_ultra_settings import HarvardUltraSettings
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


def make(role: Role, settings: HarvardUltraSettings | None = None, *, poll: bool = True) -> Pair:
    """A fresh link and pump; the wire is not yet open."""
    watchdog_s = WATCHDOG_S if role is INSULIN else None
    expected = Expected(role, model="11 ELITE", diameter_um=26_590, watchdog_s=watchdog_s)
    return Pair(Link(expected, poll=poll), Emulator(settings), pieces)


RIG = Rig("harvard-ultra", make, b"irun")


def life(pair: Pair, fault: str) -> None:
    """Open, start, change, stop with one fault from the very beginning."""
    pair.inject(fault).open()
    pair.run(4000)
    pair.order(StartPump(DEXTROSE, RATE_UL_H, 1))
    pair.run(20_000)
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    pair.order(SetRate(DEXTROSE, 123_457, 1))
    pair.run(20_000)
    assert reading(pair) == (PumpState.RUNNING, 123_457)
    pair.order(StopPump(DEXTROSE, 1))
    pair.run(5000)
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert RIG.starts(pair) == 1


def echo() -> str:
    pair = make(DEXTROSE)
    life(pair, "echo")
    assert pair.troubles == []
    return "the echo is taken off; a whole life without trouble"


def poll_off() -> str:
    pair = make(DEXTROSE, HarvardUltraSettings(poll=False), poll=False)
    life(pair, "poll=off")
    assert pair.troubles == []
    assert b"\x11" not in pair.to_link
    return "no XON: a reply ends when nothing follows its prompt; a whole life without trouble"


def addr_leak() -> str:
    pair = make(DEXTROSE)
    life(pair, "addr_leak=7")
    assert kinds(pair.troubles) == {Trouble.UNEXPECTED}
    assert [event.detail for event in pair.troubles] == [
        "address 07 stands before a prompt; one pump per port, no chain"
    ]
    return "prompts understood; told once: " + pair.troubles[0].detail


def t_star_first() -> str:
    pair = make(DEXTROSE)
    life(pair, "t_star_first")
    assert pair.troubles == []
    return "the leaked T* is dropped; a whole life without trouble"


def rescale() -> str:
    pair = make(DEXTROSE)
    life(pair, "rescale")
    assert pair.troubles == []
    return f"units read from every reply: {RATE_UL_H} and 123457 µL/h reported as ordered"


def nvram_off() -> str:
    pair = make(DEXTROSE)
    life(pair, "nvram=off")
    assert pair.troubles == []
    assert bytes(pair.to_device).count(b"@nvram off\r\n") == 1
    return "`nvram none` refused, `nvram off` taken"


def stall() -> str:
    pair = RIG.running().inject("stall")
    pair.run(3000)
    assert pair.report is not None
    assert (pair.report.state, pair.report.rate_ul_h) == (PumpState.ALARM, 0)
    assert RIG.starts(pair) == 1
    return f"alarm: {pair.report.alarm}"


def stall_latched() -> str:
    pair = RIG.running().inject("stall_latched")
    pair.run(3000)
    pair.order(StartPump(DEXTROSE, RATE_UL_H, 1))
    pair.run(3000)
    assert RIG.starts(pair) == 1
    assert said(pair, "start refused")
    pair.clear(FaultKind.STALL_LATCHED)
    pair.run(3000)
    pair.order(StartPump(DEXTROSE, RATE_UL_H, 1))
    pair.run(3000)
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    return "alarm asks for the panel; start refused until a person cleared it there"


def stop_ignored() -> str:
    pair = RIG.running().inject("stop_ignored=3")
    pair.order(StopPump(DEXTROSE, 1))
    pair.run(5000)
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert pump(pair).flow_ul_h == 0
    stops = bytes(pair.to_device).count(b"@stp\r\n")
    assert stops == 4
    return f"stop sent {stops} times, until a reading showed that nothing moves"


def no_watchdog() -> str:
    with pytest.raises(ValueError, match="rolling target") as refused:
        Link(Expected(INSULIN, diameter_um=26_590))
    with pytest.raises(ValueError, match="only the insulin pump"):
        Link(Expected(DEXTROSE, diameter_um=26_590, watchdog_s=WATCHDOG_S))
    return str(refused.value)


def target_fixed() -> str:
    """The pump does not let its target be moved while running: the link cannot help it, but says so."""
    pair = make(INSULIN, HarvardUltraSettings(target_while_running=False)).open()
    pair.run(3000)
    pair.order(StartPump(INSULIN, RATE_UL_H, 1))
    pair.run((WATCHDOG_S + 5) * 1000)
    assert said(pair, "insulin target volume not moved on")
    assert pair.report is not None
    assert (pair.report.state, pair.report.alarm) == (PumpState.STOPPED, "target reached")
    assert RIG.starts(pair) == 1
    return "each refused re-arming told; target reached is reported, not started again"


CASES = [
    *common(RIG),
    Case("harvard-ultra", DEXTROSE, "echo", "an echoed command is no reply", echo),
    Case("harvard-ultra", DEXTROSE, "poll=off", "prompts without XON are understood", poll_off),
    Case("harvard-ultra", DEXTROSE, "addr_leak=7", "another address before a prompt is told", addr_leak),
    Case("harvard-ultra", DEXTROSE, "t_star_first", "a T* before the first line is dropped", t_star_first),
    Case("harvard-ultra", DEXTROSE, "rescale", "the unit of every reply is read", rescale),
    Case("harvard-ultra", DEXTROSE, "nvram=off", "both words for keep-nothing are tried", nvram_off),
    Case("harvard-ultra", DEXTROSE, "stall", "a stall is an alarm, never restarted", stall),
    Case("harvard-ultra", DEXTROSE, "stall_latched", "the panel must clear it; said so", stall_latched),
    Case("harvard-ultra", DEXTROSE, "stop_ignored=3", "stop is repeated until it is read", stop_ignored),
    Case("harvard-ultra", INSULIN, "(no watchdog)", "no rolling target, no insulin", no_watchdog),
    Case("harvard-ultra", INSULIN, "(target fixed while running)", "said, and reported truly", target_fixed),
]  # fmt: skip
