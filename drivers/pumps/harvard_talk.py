"""One question at a time to one Harvard pump: deadlines, repeats, what fits; both dialects.

Not here: how a dialect writes and cuts its lines, what is asked when, what an answer means.
"""

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from clampctl.core.events import PumpState
from drivers.framing import Damage

T = TypeVar("T")

TRIES = 3
"""Times a question or an absolute setting is sent before it counts as unanswered."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One command or query; answered by a `Reply`, or None after the last try.

    `shape` is what a line of the reply must look like; None where a prompt alone answers. An error
    that is expected is not reported.
    """

    text: str
    shape: re.Pattern[str] | None = None
    tries: int = TRIES
    error_expected: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for `ms`; answered by None."""

    ms: int


class Reply(NamedTuple):
    """One reply: its lines, the prompt behind them and what that prompt says.

    `error` is the pump's own refusal. `moving` is true while anything flows. `address` is the one in
    the prompt, None where there is none. `ended` is true where the pump closed the reply with XON.
    """

    lines: tuple[str, ...]
    error: str | None
    state: PumpState
    alarm: str | None
    moving: bool
    address: int | None
    ended: bool = False

    @property
    def done(self) -> bool:
        """The command was carried out."""
        return self.error is None

    def line(self, shape: re.Pattern[str]) -> str | None:
        """The first line that looks like this; None when there is none."""
        return next((line for line in self.lines if shape.fullmatch(line)), None)


Dialogue = Generator[Ask | Pause, Reply | None, T]
"""A conversation: yields what to say and is sent what came back."""

Talk = Dialogue[None]


class Unanswered(Exception):
    """The pump fell silent inside a dialogue."""


def asked(ask: Ask) -> Dialogue[Reply]:
    """Ask until an answer comes. Errors: Unanswered."""
    reply = yield ask
    if reply is None:
        raise Unanswered
    return reply


class Splitter(Protocol):
    """Cuts what a pump sends into replies; a reply may only be known to be whole after a while."""

    @property
    def half(self) -> bool:
        """A reply has begun and not ended."""
        ...

    @property
    def quiet_at_ms(self) -> int | None:
        """When a reply without an end mark counts as whole; None when none waits."""
        ...

    def reset(self) -> None:
        """Forget a half reply."""
        ...

    def feed(self, data: bytes, now_ms: int) -> list[Reply | Damage]:
        """Take bytes; whole replies come out."""
        ...

    def quiet(self, now_ms: int) -> list[Reply | Damage]:
        """Nothing came for a while."""
        ...

    def expect(self, text: str) -> None:
        """What was said to the pump, which it may repeat before its reply."""
        ...


class Wire:
    """The line to one pump; `written` makes a command's bytes, `reply_ms` is the pump's time to answer."""

    def __init__(self, splitter: Splitter, written: Callable[[str], str], reply_ms: int) -> None:
        self.splitter = splitter
        self.asked: Ask | None = None
        self.deadline_ms = 0
        self.failures = 0
        self._written = written
        self.reply_ms = reply_ms
        self._tries_left = 0
        self._out = bytearray()

    def opened(self) -> None:
        """A new connection: nothing is known."""
        self.asked = None
        self.failures = 0
        self.splitter.reset()
        self._out.clear()

    def ask(self, ask: Ask, now_ms: int) -> None:
        """Send a question and start its deadline."""
        self.asked = ask
        self._tries_left = ask.tries
        self._transmit(ask, now_ms)

    def fits(self, reply: Reply) -> bool:
        """Is this the answer to the question at hand?"""
        ask = self.asked
        if ask is None:
            return False
        if not reply.done:
            return True
        return not reply.lines if ask.shape is None else reply.line(ask.shape) is not None

    def answered(self) -> bool:
        """The question at hand is settled; true when it was repeated, so that more answers may come."""
        repeated = self.asked is not None and self._tries_left < self.asked.tries - 1
        self.asked = None
        self.failures = 0
        return repeated

    def repeat(self, now_ms: int) -> bool:
        """Send the question once more, if tries are left and the pump is not silent anyway."""
        if self.asked is None or self._tries_left <= 0 or self.failures >= TRIES:
            return False
        self._transmit(self.asked, now_ms)
        return True

    def missed(self) -> bool:
        """The deadline passed without an answer; true when half a reply had come."""
        self.failures += 1
        cut_short = self.splitter.half
        self.splitter.reset()
        return cut_short

    def give_up(self) -> None:
        """The question at hand stays unanswered."""
        self.asked = None

    def take_output(self) -> bytes:
        """Bytes to write now."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def _transmit(self, ask: Ask, now_ms: int) -> None:
        self._tries_left -= 1
        self.deadline_ms = now_ms + self.reply_ms
        line = self._written(ask.text)
        self.splitter.expect(line.strip())
        self._out += line.encode("ascii")
