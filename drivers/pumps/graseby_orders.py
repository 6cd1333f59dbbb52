"""What is known of one Graseby 3400, and the dialogues that read and change it.

A dialogue is a generator: it yields `Ask` or a pause in ms and is sent the reply, or None when none
came. Every order ends in a reading. Not here: when a dialogue runs, deadlines (`graseby`).
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from clampctl.core.commands import SetRate, StartPump
from clampctl.core.events import (
    DeviceEvent,
    LinkTroubled,
    PumpIdentified,
    PumpReported,
    PumpState,
    Trouble,
)
from drivers.link import Expected
from drivers.pumps.graseby_text import RATE_STEP_UL_H, Reply, tenths, ul_h

T = TypeVar("T")

TRIES = 3
"""Times a question or an absolute setting is sent, as STANPUMP does (pumps 5.1)."""

STOP_PAUSE_MS = 500
"""Pause between stops that the pump does not confirm."""

LOCAL = "the START key was pressed: the pump runs and no longer obeys the computer; press STOP at the pump"
CHECK_SYRINGE = "the pump refuses to start: check the syringe and its clamp"
ALARM = "alarm, see the pump's panel"
"""The reply does not say which alarm (pumps 5.1)."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One command; a start has one try, everything else may be repeated."""

    text: str
    tries: int = TRIES


Dialogue = Generator[Ask | int, Reply | None, T]
Talk = Dialogue[None]


class Pump:
    """State, rate and total as last told by the pump; None is not known. Says events.

    `max_rate_ul_h` is what a person read off its panel; `total_ul` the size of one count of its total
    in µL, None while that is not known (pumps 5.1).
    """

    def __init__(self, expected: Expected, max_rate_ul_h: int, total_ul: int | None) -> None:
        self.expected = expected
        self.max_rate_ul_h = max_rate_ul_h
        self.events: list[DeviceEvent] = []
        self._total_ul = total_ul
        self.opened(0)

    def opened(self, epoch: int) -> None:
        """A new connection: nothing is known."""
        self.epoch = epoch
        self.identified = False
        self.mismatch: str | None = None
        self.forget()

    def forget(self) -> None:
        """The pump fell silent: what was read before no longer holds."""
        self.state: PumpState | None = None
        self._number: int | None = None
        self._total: int | None = None

    def trouble(self, trouble: Trouble, detail: str) -> None:
        """Say that an exchange went wrong."""
        self.events.append(LinkTroubled(self.expected.role, trouble, detail))

    def note(self, reply: Reply) -> None:
        """Keep the state of a reply. A command refused while it infuses: a person took over (pumps 5.1).

        A rate may be refused for its own sake: `_check_rate` and `_change` find out.
        """
        self.state = reply.state
        refused = reply.state is PumpState.RUNNING and not reply.accepted
        if refused and reply.command not in ("CHKR", "CHGR"):
            self._taken_over()

    # --- reading -----------------------------------------------------------------------------

    def identify(self) -> Talk:
        """Ask what there is to ask and say who answered: only a Graseby 3400 speaks like this."""
        reply = yield Ask("CHCK")
        if reply is None:
            return
        yield from self._read_rate()
        yield from self._read_total()
        self.identified = True
        self._say_identity()
        self._report()

    def read(self) -> Talk:
        """One round: state, rate and total. CHKR may keep a pump going, so only one that is ours gets it."""
        ours = self.mismatch is None and not self.expected.read_only
        if ours and self.state is PumpState.RUNNING and self._number is not None:
            answered = yield from self._check_rate(self._number)
        else:
            reply = yield Ask("CHCK")
            answered = reply is not None and (yield from self._read_rate())
        if answered:
            yield from self._read_total()
            self._report()

    def _check_rate(self, number: int) -> Dialogue[bool]:
        """Ask whether the rate still holds, once a second as STANPUMP does; else read which it is."""
        reply = yield Ask(f"CHKR{number}")
        if reply is None:
            return False
        if reply.accepted and reply.number in (None, number):
            return True
        read = yield from self._read_rate()
        if self.state is PumpState.RUNNING and not reply.accepted and self._number == number:
            self._taken_over()
        return read

    def _read_rate(self) -> Dialogue[bool]:
        self._number = None
        reply = yield Ask("GETR")
        if reply is not None and reply.accepted:
            self._number = reply.number
        return reply is not None

    def _read_total(self) -> Talk:
        self._total = None
        if self._total_ul is not None:
            reply = yield Ask("TOTL")
            if reply is not None and reply.accepted:
                self._total = reply.number

    # --- orders ------------------------------------------------------------------------------

    def obey(self, order: SetRate | StartPump) -> Talk:
        """Carry out an order, or refuse it with a sentence; nothing is sent for a refused order."""
        reason = self._reason_against(order)
        if reason is not None:
            self.trouble(Trouble.REFUSED, reason)
        elif isinstance(order, StartPump):
            yield from self._start(tenths(order.rate_ul_h))
        else:
            yield from self._change(tenths(order.rate_ul_h))
            yield from self._settle()

    def stop(self) -> Talk:
        """STOP until the pump infuses no longer; rate 0 would leave it infusing (pumps 5.1).

        A pump that refuses was taken over: a person must stop it, and has to be shown what it does.
        """
        while True:
            reply = yield Ask("STOP", tries=1)
            if reply is not None and (reply.state is not PumpState.RUNNING or not reply.accepted):
                break
            yield STOP_PAUSE_MS
        yield from self._settle()

    def _change(self, number: int) -> Talk:
        """A rate while it runs; a pump that refuses even the rate it holds was taken over."""
        held = self._number
        reply = yield Ask(f"CHGR{number}")
        if reply is None or reply.accepted:
            return
        self.trouble(Trouble.REFUSED, f"the pump did not take {ul_h(number)} µL/h")
        if held is not None:
            again = yield Ask(f"CHGR{held}")
            if again is not None and not again.accepted and again.state is PumpState.RUNNING:
                self._taken_over()

    def _start(self, number: int) -> Talk:
        """Rate, asked back, equal, then STRT once, then what came of it."""
        reply = yield Ask(f"CHGR{number}")
        if reply is None or not reply.accepted:
            self.trouble(Trouble.REFUSED, "not started: the pump did not take the rate")
            return
        yield from self._read_rate()
        if self.state is not PumpState.STOPPED or self._number != number:
            self.trouble(
                Trouble.REFUSED, "not started: the pump does not hold the rate, or is not in standby"
            )
            return
        reply = yield Ask("STRT", tries=1)
        if reply is None:
            self.trouble(Trouble.NO_REPLY, "STRT was not answered; it is not repeated, the state is read")
        elif not reply.accepted:
            self.trouble(Trouble.REFUSED, CHECK_SYRINGE)
        yield from self._settle()

    def _settle(self) -> Talk:
        """What is after an order, read and reported at once."""
        self._total = None
        reply = yield Ask("CHCK")
        if reply is not None and (yield from self._read_rate()):
            self._report()

    def _reason_against(self, order: SetRate | StartPump) -> str | None:
        name = "rate" if isinstance(order, SetRate) else "start"
        wanted = PumpState.RUNNING if isinstance(order, SetRate) else PumpState.STOPPED
        if self.expected.read_only:
            return f"{name} refused, the pump is only read"
        if self.mismatch is not None:
            return f"{name} refused, read-only: {self.mismatch}"
        if self.state is not wanted:
            return f"{name} refused: the pump is {self.state or 'not heard yet'}, not {wanted}"
        if not RATE_STEP_UL_H <= order.rate_ul_h <= self.max_rate_ul_h:
            span = f"{RATE_STEP_UL_H} to {self.max_rate_ul_h} µL/h"
            return f"{name} refused: {order.rate_ul_h} µL/h is outside {span}, the maximum of its panel"
        return None

    # --- words -------------------------------------------------------------------------------

    def _taken_over(self) -> None:
        """Say once that the computer has no say any more; from here on the pump is only read."""
        if self.mismatch is not None:
            return
        self.mismatch = LOCAL
        self.trouble(Trouble.UNEXPECTED, LOCAL)
        if self.identified:
            self._say_identity()

    def _say_identity(self) -> None:
        watchdog_s = self.expected.watchdog_s
        silence = f"stops after {watchdog_s} s by its bench sheet" if watchdog_s else "unproven"
        detail = (
            "Graseby 3400 (cannot say who it is: no model, no serial number, no syringe), "
            f"on silence {silence}, panel maximum {self.max_rate_ul_h} µL/h as entered"
        )
        self.events.append(
            PumpIdentified(self.expected.role, self.epoch, "Graseby 3400", detail, self.mismatch)
        )

    def _report(self) -> None:
        """A full reading; nothing while the rate of a running pump is not known."""
        running = self.state is PumpState.RUNNING
        rate_ul_h = (None if self._number is None else ul_h(self._number)) if running else 0
        if self.state is None or rate_ul_h is None:
            return
        infused_ul = None
        if self._total is not None and self._total_ul is not None:
            infused_ul = self._total * self._total_ul
        alarm = ALARM if self.state is PumpState.ALARM else None
        self.events.append(
            PumpReported(self.expected.role, self.epoch, self.state, rate_ul_h, infused_ul, alarm)
        )
