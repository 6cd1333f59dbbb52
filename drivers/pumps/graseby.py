"""Link to a Graseby 3400 syringe pump: 9600 8N1, for either role once a bench sheet has proven it.

Source: pumps reference 5.1, 10, 11 (STANPUMP, GR_3400.C; what it leaves open is a setting here). The
link sends CHCK, GETR, CHKR, TOTL, CHGR, STRT and STOP, nothing else. A lost reply means "unknown":
STRT is never sent twice for one order. The dialogues are in `graseby_orders`, frames in `graseby_text`.
"""

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent, Trouble
from drivers.capabilities import OnSilence, PumpCapabilities, Watchdog
from drivers.framing import Damage, LineSplitter
from drivers.link import Expected
from drivers.pumps.graseby_orders import TRIES, Ask, Pump, Talk
from drivers.pumps.graseby_text import LINE_CAP, RATE_STEP_UL_H, Reply, packet, parse_reply
from drivers.waiting import Waiting

__all__ = ["CAPABILITIES", "Graseby3400"]

PANEL_MAX_UL_H = (50_000, 1_200_000)
"""The maximum that the pump shows on its panel lies in this range, by syringe (pumps 5.1)."""

CAPABILITIES = PumpCapabilities(
    rate_ul_h_min=RATE_STEP_UL_H,
    rate_ul_h_max=PANEL_MAX_UL_H[0],
    rate_steps=((10_000_000, RATE_STEP_UL_H),),
    watchdog=Watchdog.NONE,
    watchdog_s=None,
    on_silence={Role.INSULIN: OnSilence.UNPROVEN, Role.DEXTROSE: OnSilence.UNPROVEN},
    counter_quantum_ul=None,
    has_syringe=False,
    units_locked_while_running=True,
    keypad_lock=False,
    senses=("alarm",),
)
"""The family as sheet 5.1 has it. Whether it stops on silence is not known (1, 12 item 4), so neither
role may rest on it without a cable pull on record. The unit of its total is not known: no counter
unless `total_ul` is set. It tells one alarm, not which.
"""

REPLY_MS = 500
"""Time for a reply; a frame lasts 20 ms at 9600 baud, the pump's own limit is not known."""

POLL_MS = 1000
"""STANPUMP checks the rate once a second (pumps 5.1)."""


class Graseby3400:
    """One pump on one wire.

    `max_rate_ul_h` is the maximum a person read off the pump's panel for the syringe that is in, µL/h;
    the pump does not tell it, so the lowest one holds until it is entered. `total_ul` is the size of one
    count of TOTL in µL, unverified: STANPUMP divides by ten and calls it mL, which would be 100.
    `expected.watchdog_s` is what a bench sheet has proven of this pump, for insulin only; nothing on
    the wire sets it. `expected.model` is not compared: the pump tells none. `expected.read_only`:
    nothing but questions and STOP.
    Errors: ValueError for a maximum outside 50 000 to 1 200 000 µL/h, a count below 1 µL, a watchdog
    below 1 s or for dextrose, a serial number or address to compare.
    """

    def __init__(
        self, expected: Expected, *, max_rate_ul_h: int = PANEL_MAX_UL_H[0], total_ul: int | None = None
    ) -> None:
        low, high = PANEL_MAX_UL_H
        if not low <= max_rate_ul_h <= high:
            raise ValueError(f"panel maximum {max_rate_ul_h} µL/h is not {low} to {high} µL/h")
        if total_ul is not None and total_ul < 1:
            raise ValueError(f"a count of {total_ul} µL is not 1 µL or more")
        if expected.serial or expected.address:
            raise ValueError(
                "a Graseby 3400 tells neither serial number nor address, so none can be expected"
            )
        if expected.watchdog_s is not None and (expected.role is not Role.INSULIN or expected.watchdog_s < 1):
            raise ValueError("only an insulin pump may have a watchdog, of 1 s or more, by its bench sheet")
        self._pump = Pump(expected, max_rate_ul_h, total_ul)
        self._lines = LineSplitter(b"\r", LINE_CAP)
        self._out = bytearray()
        self._waiting = Waiting()
        self._is_open = False
        self._forget(0)

    def _forget(self, now_ms: int) -> None:
        self._talk: Talk | None = None
        self._asked: Ask | None = None
        self._tries_left = 0
        self._failures = 0
        self._stopping = False
        self._due_ms = now_ms
        self._next_poll_ms = now_ms
        self._now_ms = now_ms

    # --- the contract ------------------------------------------------------------------------

    def opened(self, epoch: int, now_ms: int) -> None:
        """A wire was opened: whatever waits is dropped, the pump is asked what it does."""
        for order in self._waiting.drop_all():
            self._drop(order)
        self._lines.reset()
        self._out.clear()
        self._pump.opened(epoch)
        self._forget(now_ms)
        self._is_open = True
        self._go_on(None)

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """Take bytes in any chunking."""
        self._now_ms = now_ms
        for line in self._lines.feed(data):
            reply = None if isinstance(line, Damage) else parse_reply(line)
            if reply is None:
                reason = line.reason if isinstance(line, Damage) else f"damaged reply {line!r}"
                self._pump.trouble(Trouble.BAD_FRAME, reason)
            elif self._asked is None or reply.command != self._asked.text[:4]:
                self._pump.trouble(Trouble.UNEXPECTED, f"reply {line!r} answers nothing asked, ignored")
            else:
                self._asked = None
                self._failures = 0
                self._pump.note(reply)
                self._go_on(reply)
        return self._tell()

    def send(self, command: Command, now_ms: int) -> None:
        """Let an order wait for its turn; a stop overtakes everything (`Waiting`)."""
        self._now_ms = now_ms
        pump = self._pump
        if not self._is_open or command.epoch != pump.epoch or command.role is not pump.expected.role:
            self._drop(command)
            return
        self._waiting.add(command)
        if self._asked is None and (self._talk is None or self._stop_now):
            self._go_on(None)

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """Deadlines, repeats, polls."""
        due_ms = self.wake_at()
        if due_ms is None or now_ms < due_ms:
            return []
        self._now_ms = now_ms
        if self._is_open and now_ms >= self._due_ms:
            if self._asked is None:
                self._go_on(None)
            else:
                self._missed(self._asked)
        return self._tell()

    def wake_at(self) -> int | None:
        """The next deadline; None before the first `opened`, when nothing is to be told."""
        if self._pump.events:
            return self._now_ms
        return self._due_ms if self._is_open else None

    def take_output(self) -> bytes:
        """Bytes to write now."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def _drop(self, command: Command) -> None:
        detail = f"{type(command).__name__} is for another connection or pump, dropped"
        self._pump.trouble(Trouble.UNEXPECTED, detail)

    def _tell(self) -> list[DeviceEvent]:
        events, self._pump.events = self._pump.events, []
        return events

    # --- one question at a time --------------------------------------------------------------

    @property
    def _stop_now(self) -> bool:
        """A stop was ordered and is not yet on its way: everything else gives way."""
        return self._waiting.stop and not self._stopping

    def _missed(self, ask: Ask) -> None:
        """A deadline passed: ask again while tries are left, else go on without the answer."""
        if self._lines.half:
            self._pump.trouble(Trouble.BAD_FRAME, "reply cut short")
            self._lines.reset()
        self._failures += 1
        if self._tries_left > 0 and self._failures < TRIES and not self._stop_now:
            self._transmit(ask)
            return
        self._asked = None
        if self._failures >= TRIES:
            self._pump.trouble(Trouble.NO_REPLY, f"pump did not answer {ask.text}")
            self._pump.forget()
        self._go_on(None)

    def _transmit(self, ask: Ask) -> None:
        self._asked = ask
        self._tries_left -= 1
        self._due_ms = self._now_ms + REPLY_MS
        self._out += packet(ask.text)

    def _go_on(self, answer: Reply | None) -> None:
        """Hand the answer to the dialogue at hand until it asks again; then begin the next."""
        if self._talk is not None and self._stop_now:
            self._talk.close()
            self._talk = None
        while True:
            if self._talk is None:
                answer = None
                self._talk = self._next_talk()
                if self._talk is None:
                    self._due_ms = self._next_poll_ms
                    return
            try:
                step = self._talk.send(answer)
            except StopIteration:
                self._talk = None
                continue
            if isinstance(step, Ask):
                self._tries_left = step.tries
                self._transmit(step)
            else:
                self._due_ms = self._now_ms + step
            return

    def _next_talk(self) -> Talk | None:
        """What matters most now: stop, identity, orders, poll."""
        self._stopping = self._waiting.stop
        if self._waiting.stop:
            self._waiting.stop_taken()
            return self._pump.stop()
        if self._waiting.orders and self._pump.identified:
            return self._pump.obey(self._waiting.take())
        if self._now_ms >= self._next_poll_ms:
            self._next_poll_ms = self._now_ms + POLL_MS
            return self._pump.read() if self._pump.identified else self._pump.identify()
        return None
