"""What is known of one Harvard pump, and the dialogues that read and change it; both dialects.

Every order ends in a reading (pumps 10.3 rule 3). Neither dialect has checksums, so a reading nobody
ordered is asked twice before it is told. Not here: when a dialogue runs (`harvard_link`), wording.
"""

from dataclasses import replace

from clampctl.core.commands import Command, Role, SetRate, StartPump
from clampctl.core.events import (
    DeviceEvent,
    LinkTroubled,
    PumpIdentified,
    PumpReported,
    PumpState,
    Trouble,
)
from drivers.link import Expected
from drivers.pumps.harvard_dialect import Dialect, Reading, Who
from drivers.pumps.harvard_talk import Ask, Dialogue, Pause, Talk, Unanswered, asked

STOP_PAUSE_MS = 500
"""Pause between stops that a pump does not answer."""

REARMS = 12
"""The rolling target is moved on so many times within its time."""

JUMP_UL = 100
"""A counter further off than half as much again as the rate explains, and this, is asked twice."""


class Pump:
    """State, rate and identity as last told by the pump; None is not known. Says events."""

    def __init__(self, expected: Expected, dialect: Dialect) -> None:
        self.role = expected.role
        self.expected = expected
        self.dialect = dialect
        self.events: list[DeviceEvent] = []
        self.now_ms = 0
        self.opened(0)

    def opened(self, epoch: int) -> None:
        """A new connection: nothing is known."""
        self.epoch = epoch
        self.who: Who | None = None
        self.last: Reading | None = None
        self.suspect = False
        self.prepared = False
        self._wanted_ul_h: int | None = None
        self._read_ms = 0
        self._arm_due_ms = 0

    @property
    def wants_set_up(self) -> bool:
        """A stopped pump that may be written to and was not made ready."""
        stopped = self.last is not None and self.last.state is PumpState.STOPPED
        return stopped and not self.prepared and self._read_only() is None

    def trouble(self, trouble: Trouble, detail: str) -> None:
        """Say that an exchange went wrong."""
        self.events.append(LinkTroubled(self.role, trouble, detail))

    def drop(self, command: Command) -> None:
        """Say that an order is not for this connection."""
        name = type(command).__name__
        self.trouble(Trouble.UNEXPECTED, f"{name} is for another connection or pump, dropped")

    # --- identity ----------------------------------------------------------------------------

    def identify(self) -> Talk:
        """Questions only: who, doing what, stopping by itself; then say so. Errors: Unanswered."""
        who = yield from self._asked_who(None)
        reading = yield from self.dialect.reading(None)
        if reading is None:
            raise Unanswered
        target = yield from self.dialect.stops_by_itself()
        mismatch = who.mismatch or self._wrong_motion(reading, target)
        words = "keeps running on silence (inferred)"
        if self.role is Role.INSULIN:
            words = f"rolling target volume of {self.expected.watchdog_s} s (unproven)"
        if target is not None:
            words = f"{words}, found with a {target}"
        self.who = replace(who, detail=f"{who.detail}, {words}", mismatch=mismatch)
        self._say_identity(self.who)
        self._settle(reading, by_order=True)

    def check_again(self, known: Who) -> Talk:
        """After an outage or a reset: the identity once more. Errors: Unanswered."""
        found = yield from self._asked_who(known)
        self.suspect = False
        mismatch = known.mismatch or found.mismatch
        if mismatch is None and not known.detail.startswith(found.detail):
            mismatch = f"pump is now {found.detail}, it was {known.detail}"
        if mismatch != known.mismatch:
            self.who = replace(found, mismatch=mismatch)
            self._say_identity(self.who)

    def _asked_who(self, known: Who | None) -> Dialogue[Who]:
        """Who it is, asked once more where it is not the one known: a damaged byte would make it read-only
        for good."""
        found = yield from self.dialect.who()
        changed = known is not None and not known.detail.startswith(found.detail)
        return (yield from self.dialect.who()) if found.mismatch is not None or changed else found

    def prepare(self) -> Talk:
        """Settings of a stopped pump; one that does not take them is only read. Errors: Unanswered."""
        refused = yield from self.dialect.make_ready()
        self.prepared = True
        if refused is not None and self.who is not None:
            self.who = replace(self.who, mismatch=refused)
            self._say_identity(self.who)

    def _wrong_motion(self, reading: Reading, target: str | None) -> str | None:
        """What forbids taking over a pump that is moving (pumps 10.1 rules 1, 2, 5)."""
        if not reading.moving:
            return None
        if reading.state is not PumpState.RUNNING:
            return f"pump is {reading.alarm}"
        if reading.rate_ul_h is None:
            return "pump does not tell its rate"
        if self.role is Role.INSULIN and target is None:
            return "running insulin pump has no target volume, it would not stop on silence; stop it first"
        if self.role is not Role.INSULIN and target is not None:
            return f"running pump stops by itself at its {target}; stop it, then that can be cleared"
        return None

    # --- reading -----------------------------------------------------------------------------

    def poll(self) -> Dialogue[bool]:
        """One reading, True when it was told; before it, where its time has come, the rolling target is
        moved on."""
        last = self.last
        armed = self.role is Role.INSULIN and self._read_only() is None
        if armed and last is not None and last.state is PumpState.RUNNING and self.now_ms >= self._arm_due_ms:
            yield from self._arm(last.rate_ul_h)
        reading = yield from self.dialect.reading(self._wanted_ul_h)
        if reading is not None and self._odd(reading):
            again = yield from self.dialect.reading(self._wanted_ul_h)
            if again is None or again.seen != reading.seen or self._odd(again) != self._odd(reading):
                self.trouble(Trouble.BAD_FRAME, "a reading was not confirmed when asked again, dropped")
            reading = again
        if reading is None:
            return False
        self._settle(reading, by_order=False)
        return True

    def _odd(self, reading: Reading) -> bool:
        """Does this differ from what nobody ordered to change?"""
        last = self.last
        if last is None:
            return False
        if last.seen != reading.seen or reading.fresh:
            return True
        if last.infused_ul is None or reading.infused_ul is None:
            return last.infused_ul is not reading.infused_ul
        flowed = (last.rate_ul_h or 0) * (self.now_ms - self._read_ms) * 3 // (2 * 3_600_000)
        return not 0 <= reading.infused_ul - last.infused_ul <= flowed + JUMP_UL

    def _settle(self, reading: Reading, *, by_order: bool) -> None:
        """Keep a reading and tell it."""
        before, self.last, self._read_ms = self.last, reading, self.now_ms
        if before is not None and (reading.infused_ul or 0) < (before.infused_ul or 0):
            self._arm_due_ms = self.now_ms  # a counter that fell moved the target away
        if before is not None and self._switched_on(before, reading):
            self.suspect, self.prepared, self._wanted_ul_h = True, False, None
            self._report(replace(reading, state=PumpState.ALARM, infused_ul=None, alarm="reset"))
            return
        if before is not None and not by_order and before.seen != reading.seen:
            words = reading.alarm or f"{reading.state}, {reading.seen[1]} µL/h"
            self.trouble(Trouble.UNEXPECTED, f"not ordered, changed at the pump: {words}")
        self._report(reading)

    def _switched_on(self, before: Reading, reading: Reading) -> bool:
        """A pump that stands still and has lost its counter or settings was switched off and on."""
        return not reading.moving and (reading.fresh or (bool(before.infused_ul) and reading.infused_ul == 0))

    # --- orders ------------------------------------------------------------------------------

    def obey(self, order: SetRate | StartPump, *, silent: bool) -> Talk:
        """Carry out an order, or refuse it with a sentence; nothing is sent for a refused order.

        One that fell silent may be another pump by now: who it is comes first. Before a start it is read,
        for a person may have started it since.
        """
        reason = (
            f"{_name(order)} refused: the pump does not answer" if silent else self._reason_against(order)
        )
        if reason is None and isinstance(order, StartPump):
            read = yield from self.poll()
            reason = self._reason_against(order) if read else "start refused: the pump does not answer"
            if reason is None and self.suspect:
                reason = "start refused: the pump was switched off and on"
        if reason is not None:
            self.trouble(Trouble.REFUSED, reason)
        elif isinstance(order, StartPump):
            yield from self._start(self.dialect.held_ul_h(order.rate_ul_h))
        else:
            yield from self._change(self.dialect.held_ul_h(order.rate_ul_h))

    def stop(self) -> Talk:
        """Stop until a reading shows that nothing moves; a prompt alone is not believed."""
        refused = self._read_only()
        if refused is not None:
            self.trouble(Trouble.REFUSED, f"stop refused, {refused}; stop it at the pump")
            return
        while True:
            reply = yield Ask(self.dialect.stop_text, tries=1, error_expected=True)
            reading = yield from self.dialect.reading(self._wanted_ul_h, tries=1)
            if reading is not None and not reading.moving:
                self._settle(reading, by_order=True)
                return
            if reply is None or reading is None:
                yield Pause(STOP_PAUSE_MS)

    def _change(self, rate_ul_h: int) -> Talk:
        """A new rate while running. A smaller target is set before a smaller rate, a larger one after
        a larger rate, so that an exchange cut in the middle never lets the pump run longer."""
        slower = self.last is not None and rate_ul_h <= (self.last.rate_ul_h or 0)
        if slower:
            yield from self._arm(rate_ul_h)
        yield Ask(self.dialect.rate_text(rate_ul_h))
        if not slower:
            yield from self._arm(rate_ul_h)
        self._wanted_ul_h = rate_ul_h
        reading = yield from self._read_back()
        if reading is not None and reading.moving and reading.rate_ul_h != rate_ul_h:
            self.trouble(
                Trouble.UNEXPECTED, f"asked for {rate_ul_h} µL/h, the pump holds {reading.rate_ul_h} µL/h"
            )

    def _start(self, rate_ul_h: int) -> Talk:
        """Rate, asked back, equal; target; run once; then what came of it."""
        refused = yield from self._ready_to_run(rate_ul_h)
        if refused is not None:
            self.trouble(Trouble.REFUSED, f"not started: {refused}")
            return
        self._wanted_ul_h = rate_ul_h
        reply = yield Ask(self.dialect.run_text, tries=1)
        if reply is None:
            detail = "the start was not answered; it is not repeated, the pump is read"
            self.trouble(Trouble.NO_REPLY, detail)
        reading = yield from self._read_back()
        if reading is not None and not reading.moving:
            self.trouble(Trouble.REFUSED, f"a start was sent, but the pump is {reading.state}")

    def _ready_to_run(self, rate_ul_h: int) -> Dialogue[str | None]:
        """Why a stopped pump may not be started."""
        try:
            if not self.prepared:
                refused = yield from self.dialect.make_ready()
                if refused is not None:
                    return refused
                self.prepared = True
            yield from asked(Ask(self.dialect.rate_text(rate_ul_h)))
            told = yield from self.dialect.rate_set()
            if told is None or not told.near(rate_ul_h):
                holds = "nothing known" if told is None else f"{told.nearest} µL/h"
                return f"asked for {rate_ul_h} µL/h, the pump holds {holds}"
            if self.role is Role.INSULIN:
                refused = yield from self._armed(rate_ul_h)
                if refused is not None:
                    return refused
            target = yield from self.dialect.stops_by_itself()
        except Unanswered:
            return "the pump fell silent"
        if self.suspect:
            return "the pump fell silent"
        if self.role is Role.INSULIN:
            return None if target is not None else "the pump does not heed its target volume"
        return None if target is None else f"the pump would stop by itself at its {target}"

    def _read_back(self) -> Dialogue[Reading | None]:
        reading = yield from self.dialect.reading(self._wanted_ul_h)
        if reading is not None:
            self._settle(reading, by_order=True)
        return reading

    # --- rolling target ----------------------------------------------------------------------

    def _arm(self, rate_ul_h: int | None) -> Talk:
        """Move the target of a running insulin pump on, and say so when it stays where it is."""
        if self.role is not Role.INSULIN or rate_ul_h is None:
            return
        refused = yield from self._armed(rate_ul_h)
        if refused is not None:
            self.trouble(
                Trouble.REFUSED,
                f"insulin target volume not moved on: {refused}; "
                f"the pump may stop by itself within {self.expected.watchdog_s} s",
            )

    def _armed(self, rate_ul_h: int) -> Dialogue[str | None]:
        seconds = self.expected.watchdog_s or 0
        self._arm_due_ms = self.now_ms + seconds * 1000 // REARMS
        return (yield from self.dialect.arm(rate_ul_h, seconds))

    # --- words -------------------------------------------------------------------------------

    def _read_only(self) -> str | None:
        if self.expected.read_only:
            return "the pump is only read"
        if self.who is not None and self.who.mismatch is not None:
            return f"read-only: {self.who.mismatch}"
        return None

    def _reason_against(self, order: SetRate | StartPump) -> str | None:
        name = _name(order)
        wanted = PumpState.STOPPED if isinstance(order, StartPump) else PumpState.RUNNING
        low, high = self.dialect.limits_ul_h
        read_only = self._read_only()
        if read_only is not None:
            return f"{name} refused, {read_only}"
        state = None if self.last is None else self.last.state
        if state is not wanted:
            return f"{name} refused: the pump is {state or 'not heard yet'}, not {wanted}"
        if not low <= order.rate_ul_h <= high:
            return f"{name} refused: {order.rate_ul_h} µL/h is outside {low} to {high} µL/h of this syringe"
        return None

    def _say_identity(self, who: Who) -> None:
        self.events.append(PumpIdentified(self.role, self.epoch, who.model, who.detail, who.mismatch))

    def _report(self, reading: Reading) -> None:
        """Tell a reading; nothing while the rate of a running pump is not known."""
        rate_ul_h = reading.rate_ul_h if reading.state is PumpState.RUNNING else 0
        if rate_ul_h is not None:
            self.events.append(
                PumpReported(
                    self.role, self.epoch, reading.state, rate_ul_h, reading.infused_ul, reading.alarm
                )
            )


def _name(order: SetRate | StartPump) -> str:
    return "rate" if isinstance(order, SetRate) else "start"
