"""One question at a time to one New Era pump: framing, deadline, repeats (pumps 2.1 to 2.3).

Not here: what is asked when, and what an answer means for the infusion.
"""

from dataclasses import dataclass

from drivers.framing import Damage, Frame, Framing, NewEraSplitter, safe_packet
from drivers.pumps.new_era_text import Reply, fits

REPLY_MS = 500
"""Time a pump has for its reply."""

TRIES = 3
"""Times a question or an absolute setting is sent before it counts as unanswered."""

SPOILER = "?"
"""No command holds it: half a command left in the pump is refused with it, where a lone CR would carry
it out ([I], pumps 2.7)."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One command or query; answered by a `Reply`, or None after the last try.

    `over` is the framing where it is not yet settled, `into` the one that holds from the reply on.
    `bare` spoils and clears half a line.
    An alarm or error that is expected is not reported.
    """

    text: str
    tries: int = TRIES
    over: Framing | None = None
    into: Framing | None = None
    bare: bool = False
    alarm_expected: bool = False
    error_expected: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """Say nothing for `ms`; answered by an alarm heard meanwhile, or None."""

    ms: int
    alarm_expected: bool = False


class Wire:
    """The line to one pump. `framing` is None until a pump answered.

    `addressed` False leaves the address away where it is 0, but not from the status query
    (pumps 2.1, 2.6).
    """

    def __init__(self, address: int, addressed: bool) -> None:
        self.address = address
        self.framing: Framing | None = None
        self.asked: Ask | None = None
        self.deadline_ms = 0
        self.failures = 0
        self.alarm: Reply | None = None
        self._prefix = f"{address:02d}"
        self._short_prefix = self._prefix if addressed or address != 0 else ""
        self._tries_left = 0
        self._splitter = NewEraSplitter()
        self._out = bytearray()

    def opened(self) -> None:
        """A new connection: nothing is known."""
        self.framing = None
        self.asked = None
        self.failures = 0
        self._splitter.reset()
        self._out.clear()

    def ask(self, ask: Ask, now_ms: int) -> None:
        """Send a question and start its deadline."""
        self.asked = ask
        self.alarm = None
        self._tries_left = ask.tries
        settled = ask.over is None and ask.into is None
        self._splitter.framing = self.framing if settled else None
        self._transmit(ask, now_ms)

    def split(self, data: bytes, now_ms: int) -> list[Frame | Damage]:
        """Cut what came in."""
        return self._splitter.feed(data, now_ms)

    def fits(self, reply: Reply) -> bool:
        """Is this the answer to the question at hand?"""
        return self.asked is not None and fits(self.asked.text, reply)

    def answered(self, reply: Reply) -> None:
        """The question at hand is settled."""
        if self.asked is not None and self.asked.into is not None and reply.done:
            self.framing = self.asked.into
        self.asked = None
        self.failures = 0
        self._splitter.framing = self.framing

    def repeat(self, now_ms: int) -> bool:
        """Send the question once more, if tries are left and the pump is not silent anyway."""
        if self.asked is None or self._tries_left <= 0 or self.failures >= TRIES:
            return False
        self._transmit(self.asked, now_ms)
        return True

    def missed(self) -> None:
        """The deadline passed without an answer."""
        self.failures += 1
        self._splitter.reset()

    def give_up(self) -> None:
        """The question at hand stays unanswered."""
        self.asked = None
        self._splitter.framing = self.framing

    def take_output(self) -> bytes:
        """Bytes to write now."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def _transmit(self, ask: Ask, now_ms: int) -> None:
        self._tries_left -= 1
        self.deadline_ms = now_ms + REPLY_MS
        framing = ask.over or self.framing
        prefix = self._short_prefix if ask.text and framing is Framing.SAFE else self._prefix
        payload = (SPOILER if ask.bare else prefix + ask.text).encode("ascii")
        self._out += safe_packet(payload) if framing is Framing.SAFE else payload + b"\r"
