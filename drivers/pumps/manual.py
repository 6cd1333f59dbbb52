"""A pump set by hand: the program shows an order, a person sets it and confirms what the pump shows.

There is no wire; what was confirmed is all that is known. Before the first confirmation nothing is
reported, because nothing is known.
"""

from typing import assert_never

from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from clampctl.core.events import (
    DeviceEvent,
    LinkTroubled,
    PumpIdentified,
    PumpReported,
    PumpState,
    Trouble,
)
from drivers.capabilities import OnSilence, PumpCapabilities, Watchdog
from drivers.link import Expected

__all__ = ["CAPABILITIES", "ManualPump"]

CAPABILITIES = PumpCapabilities(
    rate_ul_h_min=100,
    rate_ul_h_max=1_200_000,
    rate_steps=((10_000_000, 100),),
    watchdog=Watchdog.NONE,
    watchdog_s=None,
    on_silence={Role.INSULIN: OnSilence.CONTINUES, Role.DEXTROSE: OnSilence.CONTINUES},
    counter_quantum_ul=None,
    has_syringe=False,
    units_locked_while_running=False,
    keypad_lock=False,
    senses=(),
)
"""What a person can set on any usual infusion pump: steps of 0.1 mL/h, up to 1200 mL/h. The program
cannot reach it, so it runs on whatever the computer does (pumps 10.1, 12 item 4)."""

REPORT_MS = 2000
"""The last confirmed rate is told again in the rhythm of a wired pump."""


class ManualPump:
    """Any pump without a usable serial line; `expected.model` is the name it is shown by.

    Errors: ValueError for a watchdog: nothing here can stop on silence.
    """

    def __init__(self, expected: Expected) -> None:
        if expected.watchdog_s is not None:
            raise ValueError("a pump set by hand has no watchdog")
        self._role = expected.role
        self._model = expected.model or "set by hand"
        self._epoch = 0
        self._shown: Command | None = None
        self._confirmed_ul_h: int | None = None
        self._events: list[DeviceEvent] = []
        self._report_due_ms: int | None = None

    def opened(self, epoch: int, now_ms: int) -> None:
        """Identify at once; an order shown for an earlier connection is taken away."""
        self._epoch = epoch
        self._shown = None
        self._events = [PumpIdentified(self._role, epoch, self._model, "no wire, confirmed by hand", None)]
        self._report_due_ms = now_ms

    @property
    def shown_ul_h(self) -> int | None:
        """The rate a person should set now in µL/h, 0 for stop; None when nothing waits."""
        match self._shown:
            case None:
                return None
            case StopPump():
                return 0
            case SetRate() | StartPump():
                return self._shown.rate_ul_h
            case _:
                assert_never(self._shown)

    def confirmed(self, rate_ul_h: int, now_ms: int) -> list[DeviceEvent]:
        """A person read this rate off the pump, in µL/h; 0 is stopped. Errors: ValueError below 0."""
        if rate_ul_h < 0:
            raise ValueError(f"rate {rate_ul_h} µL/h is below 0")
        self._confirmed_ul_h = rate_ul_h
        self._shown = None
        self._report_due_ms = now_ms + REPORT_MS
        return [*self._told(), self._report(rate_ul_h)]

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """There is no wire; bytes mean nothing."""
        del data, now_ms
        return self._told()

    def send(self, command: Command, now_ms: int) -> None:
        """Show the order in place of an older one; a shown stop gives way only to a later order."""
        if command.epoch != self._epoch or command.role is not self._role:
            detail = f"{type(command).__name__} is for another connection or pump, dropped"
            self._events.append(LinkTroubled(self._role, Trouble.UNEXPECTED, detail))
            self._report_due_ms = now_ms
            return
        self._shown = command

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """Tell the last confirmed rate again."""
        if self._report_due_ms is None or now_ms < self._report_due_ms:
            return []
        self._report_due_ms = now_ms + REPORT_MS
        if self._confirmed_ul_h is None:
            return self._told()
        return [*self._told(), self._report(self._confirmed_ul_h)]

    def wake_at(self) -> int | None:
        """The next report; None before the first `opened`."""
        return self._report_due_ms

    def take_output(self) -> bytes:
        """Nothing is ever written."""
        return b""

    def _report(self, rate_ul_h: int) -> PumpReported:
        state = PumpState.RUNNING if rate_ul_h > 0 else PumpState.STOPPED
        return PumpReported(self._role, self._epoch, state, rate_ul_h, None, None)

    def _told(self) -> list[DeviceEvent]:
        events, self._events = self._events, []
        return events
