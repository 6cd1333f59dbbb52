"""A Harvard pump of either dialect on the bench, and what the fault rows look at."""

from collections.abc import Callable
from dataclasses import dataclass

from clampctl.core.commands import Role, StartPump
from clampctl.core.events import LinkTroubled, PumpReported, PumpState, Trouble
from simulator.devices.device import PumpDevice
from simulator.devices.harvard_22 import Harvard22
from simulator.devices.harvard_ultra import HarvardUltra
from tests.faults.pair import Pair

RATE_UL_H = 120_000
PER_MIN_UL = RATE_UL_H / 60
DEXTROSE, INSULIN = Role.DEXTROSE, Role.INSULIN
WATCHDOG_S = 180


@dataclass(frozen=True)
class Rig:
    """One dialect on the bench: `make` opens a fresh link and pump, `run_command` is its start."""

    device: str
    make: Callable[[Role], Pair]
    run_command: bytes

    def opened(self, role: Role = DEXTROSE) -> Pair:
        """Identified and made ready, stopped."""
        pair = self.make(role).open()
        pair.run(3000)
        assert pair.identity is not None
        assert pair.identity.mismatch is None
        assert pair.troubles == []
        return pair

    def running(self, role: Role = DEXTROSE) -> Pair:
        """Started by order at 120 mL/h, a minute old."""
        pair = self.opened(role).order(StartPump(role, RATE_UL_H, 1))
        pair.run(60_000)
        assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
        assert pair.troubles == []
        return pair

    def starts(self, pair: Pair) -> int:
        """How often a start went over the wire."""
        return bytes(pair.to_device).count(self.run_command)


def reading(pair: Pair) -> tuple[PumpState, int] | None:
    """The latest report."""
    return None if pair.report is None else (pair.report.state, pair.report.rate_ul_h)


def pump(pair: Pair) -> PumpDevice:
    """The physical side."""
    device = pair.device
    assert isinstance(device, HarvardUltra | Harvard22)
    return device


def kinds(events: list[LinkTroubled]) -> set[Trouble]:
    return {event.trouble for event in events}


def steady(pair: Pair, since: int) -> bool:
    """Were there reports since this event, and all of them of the ordered rate?"""
    reports = pair.told(PumpReported, since)
    return bool(reports) and {(one.state, one.rate_ul_h, one.alarm) for one in reports} == {
        (PumpState.RUNNING, RATE_UL_H, None)
    }


def said(pair: Pair, words: str) -> bool:
    """Was this told to the operator?"""
    return any(words in event.detail for event in pair.troubles)
