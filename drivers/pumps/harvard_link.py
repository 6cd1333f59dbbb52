"""The contract of a link, for both Harvard dialects: what is said next, and when.

Not here: the dialogues (`harvard_orders`), deadlines (`harvard_talk`), the wording of a dialect.
A lost reply means "unknown": a start is never sent twice for one order.
"""

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent, Trouble
from drivers.framing import Damage
from drivers.link import Expected
from drivers.pumps.harvard_dialect import Dialect
from drivers.pumps.harvard_orders import Pump
from drivers.pumps.harvard_talk import TRIES, Ask, Dialogue, Pause, Reply, Talk, Unanswered, Wire
from drivers.waiting import Waiting

POLL_MS = 1000
"""A full reading a second (pumps 11.1)."""

SEARCH_PAUSE_MS = 1000
"""Pause before a pump that does not answer is sought again."""

WATCHDOG_S = (30, 600)
"""A rolling target below this would end between two re-armings, above it protects nobody."""


def refuse_settings(expected: Expected, *, has_target: bool) -> None:
    """ValueError, with a sentence, for settings of a Harvard pump that cannot be meant (pumps 10.1)."""
    if not 0 <= expected.address <= 99:
        raise ValueError(f"pump address {expected.address} is not 0 to 99")
    if expected.diameter_um is None and not expected.read_only:
        raise ValueError("a syringe pump needs the diameter of its syringe, to be compared")
    if expected.role is not Role.INSULIN:
        if expected.watchdog_s is not None:
            raise ValueError("only the insulin pump may stop on silence: no watchdog for this role")
        return
    if not has_target:
        raise ValueError("this model has no volume target: it cannot be made to stop on silence, no insulin")
    if expected.watchdog_s is None:
        raise ValueError("a Harvard pump on insulin needs a watchdog: the time of its rolling target volume")
    if not WATCHDOG_S[0] <= expected.watchdog_s <= WATCHDOG_S[1]:
        raise ValueError(f"watchdog {expected.watchdog_s} s is not {WATCHDOG_S[0]} to {WATCHDOG_S[1]} s")


class HarvardLink:
    """One pump on one wire, in one dialect."""

    def __init__(self, expected: Expected, dialect: Dialect, wire: Wire) -> None:
        self._address = expected.address
        self._pump = Pump(expected, dialect)
        self._wire = wire
        self._waiting = Waiting()
        self._is_open = False
        self._forget(0)

    def _forget(self, now_ms: int) -> None:
        self._dialogue: Dialogue[object] | None = None
        self._stopping = False
        self._pause_ends_ms: int | None = None
        self._held: Reply | None = None
        self._drains = False
        self._strange_address = False
        self._next_poll_ms = now_ms
        self._now_ms = self._pump.now_ms = now_ms
        self._due_ms: int | None = None

    # --- the contract ------------------------------------------------------------------------

    def opened(self, epoch: int, now_ms: int) -> None:
        """A wire was opened: whatever waits is dropped, the pump is asked who it is."""
        for order in self._waiting.drop_all():
            self._pump.drop(order)
        self._wire.opened()
        self._pump.opened(epoch)
        self._forget(now_ms)
        self._is_open = True
        self._go_on(None)
        self._settle()

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """Take bytes in any chunking."""
        self._at(now_ms)
        for found in self._wire.splitter.feed(data, now_ms):
            self._heard(found)
        return self._tell()

    def send(self, command: Command, now_ms: int) -> None:
        """Let an order wait for its turn; a stop overtakes everything (`Waiting`)."""
        self._at(now_ms)
        if not self._is_open or command.epoch != self._pump.epoch or command.role is not self._pump.role:
            self._pump.drop(command)
            self._settle()
            return
        self._waiting.add(command)
        if self._stopping:
            self._waiting.stop_taken()
        if self._wire.asked is None and (self._dialogue is None or self._stop_now):
            self._go_on(None)
        self._settle()

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """Deadlines, repeats, polls, and replies that end in silence."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        self._at(now_ms)
        quiet_ms = self._wire.splitter.quiet_at_ms
        if quiet_ms is not None and now_ms >= quiet_ms:
            for found in self._wire.splitter.quiet(now_ms):
                self._heard(found)
        if self._wire.asked is not None:
            if now_ms >= self._wire.deadline_ms:
                self._missed(self._wire.asked)
        elif self._pause_ends_ms is None:
            if self._is_open:
                self._go_on(None)
        elif now_ms >= self._pause_ends_ms:
            self._go_on(self._held)
        return self._tell()

    def wake_at(self) -> int | None:
        """The next deadline; None before the first `opened`."""
        return self._due_ms

    def take_output(self) -> bytes:
        """Bytes to write now."""
        return self._wire.take_output()

    @property
    def _stop_now(self) -> bool:
        return self._waiting.stop and not self._stopping and self._pump.who is not None

    def _at(self, now_ms: int) -> None:
        self._now_ms = self._pump.now_ms = now_ms

    def _settle(self) -> None:
        """Work out when `wake` is next wanted."""
        if not self._is_open:
            self._due_ms = self._now_ms if self._pump.events else None
            return
        due_ms = self._next_poll_ms if self._pause_ends_ms is None else self._pause_ends_ms
        if self._wire.asked is not None:
            due_ms = self._wire.deadline_ms
        quiet_ms = self._wire.splitter.quiet_at_ms
        if quiet_ms is not None:
            due_ms = min(due_ms, quiet_ms)
        self._due_ms = self._now_ms if self._pump.events else due_ms

    def _tell(self) -> list[DeviceEvent]:
        events, self._pump.events = self._pump.events, []
        self._settle()
        return events

    # --- what comes in -----------------------------------------------------------------------

    def _heard(self, found: Reply | Damage) -> None:
        pump, wire = self._pump, self._wire
        if isinstance(found, Damage):
            pump.trouble(Trouble.BAD_FRAME, found.reason)
            return
        if found.address not in (None, self._address) and not self._strange_address:
            self._strange_address = True
            detail = f"address {found.address:02d} stands before a prompt; one pump per port, no chain"
            pump.trouble(Trouble.UNEXPECTED, detail)
        if self._drains:
            return
        if wire.asked is None or not wire.fits(found):
            pump.trouble(Trouble.UNEXPECTED, f"a reply of {len(found.lines)} lines fits no question, ignored")
            return
        if found.error is not None and not wire.asked.error_expected:
            pump.trouble(Trouble.REFUSED, f"pump refused {wire.asked.text} ({found.error})")
        if wire.failures >= TRIES and pump.who is not None:
            pump.suspect = True
        self._drain_then(found, late=wire.answered())

    def _missed(self, ask: Ask) -> None:
        """A deadline passed without an answer."""
        if self._wire.missed():
            self._pump.trouble(Trouble.BAD_FRAME, "reply cut short")
        if self._wire.failures >= TRIES:
            self._pump.trouble(Trouble.NO_REPLY, f"pump did not answer {ask.text}")
        if self._stop_now or not self._wire.repeat(self._now_ms):
            self._wire.give_up()
            self._drain_then(None, late=True)

    def _drain_then(self, answer: Reply | None, *, late: bool) -> None:
        """Go on; where a late answer may still come, after the time it has, so that it is not taken
        for the answer to the next question. A stop does not wait for that."""
        if not late or self._stopping or self._stop_now:
            self._go_on(answer)
            return
        self._drains, self._held = True, answer
        self._pause_ends_ms = self._now_ms + self._wire.reply_ms

    # --- what goes out -----------------------------------------------------------------------

    def _go_on(self, answer: Reply | None) -> None:
        """Hand the answer to the dialogue at hand until it asks again; then begin the next."""
        self._pause_ends_ms = self._held = None
        self._drains = False
        if self._dialogue is not None and self._stop_now:
            self._dialogue.close()
            self._dialogue = None
        while True:
            if self._dialogue is None:
                answer = None
                self._stopping = False
                self._dialogue = self._next_dialogue()
                if self._dialogue is None:
                    return
            try:
                step = self._dialogue.send(answer)
            except StopIteration:
                self._dialogue = None
                continue
            if isinstance(step, Pause):
                self._pause_ends_ms = self._now_ms + step.ms
            else:
                self._wire.ask(step, self._now_ms)
            return

    def _next_dialogue(self) -> Dialogue[object] | None:
        """What matters most now: identity, stop, identity again, set-up, orders, poll."""
        pump = self._pump
        if pump.who is None:
            return self._sought(pump.identify())
        if self._waiting.stop:
            self._waiting.stop_taken()
            self._stopping = True
            return pump.stop()
        if pump.suspect:
            return self._sought(pump.check_again(pump.who))
        if pump.wants_set_up:
            return self._sought(pump.prepare())
        if self._waiting.orders:
            return pump.obey(self._waiting.take(), silent=self._wire.failures >= TRIES)
        if self._now_ms >= self._next_poll_ms:
            in_step_ms = self._next_poll_ms + POLL_MS
            self._next_poll_ms = in_step_ms if in_step_ms > self._now_ms else self._now_ms + POLL_MS
            return pump.poll()
        return None

    def _sought(self, dialogue: Dialogue[None]) -> Talk:
        """A dialogue that a silent pump leaves unfinished: it begins again after a pause."""
        try:
            yield from dialogue
        except Unanswered:
            yield Pause(SEARCH_PAUSE_MS)
            return
        self._next_poll_ms = self._now_ms + POLL_MS
