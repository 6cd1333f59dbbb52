"""A pump on the bench as the guide handles it: ordered, waited for, and every word of it kept.

Nothing faster than the safe rate is ever ordered. Not here: what is asked of the engineer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from clampctl.core.events import DeviceEvent, LinkTroubled, PumpIdentified, PumpReported, PumpState, Trouble

ORDER_MS = 10_000
"""An order is carried out and read back by then, or it failed."""

OPEN_MS = 60_000
"""A pump has said who it is by then, the proof of its watchdog included."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One event and when it came, ms of the bench's own clock."""

    at_ms: int
    event: DeviceEvent


class Wires(Protocol):
    """Clock and wire of one pump; live in a thread of its own, or in a test's virtual time."""

    def now_ms(self) -> int:
        """The bench's clock."""

    def turn(self) -> list[Heard]:
        """Let a moment pass; what came until now."""

    def send(self, command: Command) -> None:
        """Leave an order for the link."""

    def reopen(self) -> None:
        """Open the wire, or close it and open it again: the link asks anew who the pump is."""


class PumpAtBench:
    """One pump in one role. `highest_ul_h` is the safe rate; a step that passes it is a bug and raises."""

    def __init__(self, wires: Wires, role: Role, highest_ul_h: int) -> None:
        self._wires = wires
        self._role = role
        self._highest_ul_h = highest_ul_h
        self.heard: list[Heard] = []
        self.was_ordered = False

    # --- time and words ----------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        """The bench's clock."""
        return self._wires.now_ms()

    def listen(self) -> int:
        """Take in what came until now; how many words there are, as a mark for those that follow."""
        self.heard += self._wires.turn()
        return len(self.heard)

    def wait(self, ms: int, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass until something is so; False when it was not in time."""
        end_ms = self.now_ms + ms
        while not until():
            if self.now_ms >= end_ms:
                return False
            self.listen()
        return True

    def reports(self, mark: int = 0) -> list[tuple[int, PumpReported]]:
        """Readings since a mark, with their times."""
        return [(one.at_ms, one.event) for one in self.heard[mark:] if isinstance(one.event, PumpReported)]

    def reports_after(self, at_ms: int) -> list[tuple[int, PumpReported]]:
        """Readings later than a moment."""
        return [one for one in self.reports() if one[0] > at_ms]

    def last_report(self, mark: int = 0) -> PumpReported | None:
        """The newest reading since a mark."""
        return next((report for _, report in reversed(self.reports(mark))), None)

    def identity(self, mark: int = 0) -> PumpIdentified | None:
        """Who the pump last said it is, since a mark."""
        found = (one.event for one in reversed(self.heard[mark:]))
        return next((event for event in found if isinstance(event, PumpIdentified)), None)

    def trouble(self, mark: int) -> str:
        """What the link last complained of since a mark; "" when nothing."""
        found = (one.event for one in reversed(self.heard[mark:]))
        return next((event.detail for event in found if isinstance(event, LinkTroubled)), "")

    # --- orders ------------------------------------------------------------------------------

    def open(self) -> PumpIdentified | None:
        """Open the wire anew and hear who the pump is and what it does; None when it does not say."""
        mark = self.listen()
        self._wires.reopen()
        self.wait(OPEN_MS, lambda: self.identity(mark) is not None and self.last_report(mark) is not None)
        return self.identity(mark)

    def start(self, rate_ul_h: int) -> str | None:
        """Start the stopped pump; None once it reports this rate, else why not."""
        return self._run_at(StartPump(self._role, rate_ul_h, self._epoch), rate_ul_h)

    def set_rate(self, rate_ul_h: int) -> str | None:
        """Change the running pump's rate; None once it reports it, else why not."""
        return self._run_at(SetRate(self._role, rate_ul_h, self._epoch), rate_ul_h)

    def rest(self) -> bool:
        """Stop the pump; True once it reports that it is stopped, or an alarm that holds it."""
        mark = self.listen()
        self._order(StopPump(self._role, self._epoch))

        def stopped() -> bool:
            report = self.last_report(mark)
            return report is not None and report.state is PumpState.STOPPED

        if self.wait(ORDER_MS, stopped):
            return True
        report = self.last_report(mark)
        return report is not None and report.state is not PumpState.RUNNING

    def _run_at(self, order: StartPump | SetRate, rate_ul_h: int) -> str | None:
        if not 0 < rate_ul_h <= self._highest_ul_h:
            raise ValueError(f"{rate_ul_h} µL/h is not above 0 and up to {self._highest_ul_h} µL/h")
        mark = self.listen()
        self._order(order)

        def obeyed() -> bool:
            report = self.last_report(mark)
            return report is not None and report.state is PumpState.RUNNING and report.rate_ul_h == rate_ul_h

        if self.wait(ORDER_MS, lambda: obeyed() or self._refused(mark)) and obeyed():
            return None
        report = self.last_report(mark)
        return self.trouble(mark) or ("the pump was not heard" if report is None else words(report))

    def _refused(self, mark: int) -> bool:
        events = (one.event for one in self.heard[mark:])
        return any(isinstance(event, LinkTroubled) and event.trouble is Trouble.REFUSED for event in events)

    def _order(self, command: Command) -> None:
        self.was_ordered = True
        self._wires.send(command)

    @property
    def _epoch(self) -> int:
        """The newest connection, as the pump's words carry it."""
        events = (one.event for one in reversed(self.heard))
        return next((event.epoch for event in events if isinstance(event, PumpIdentified | PumpReported)), 0)


def words(report: PumpReported) -> str:
    """A reading in words for the sheet."""
    alarm = f", alarm {report.alarm}" if report.alarm else ""
    return f"{report.state} at {report.rate_ul_h} µL/h{alarm}"
