"""One question at a time to one Alaris pump: deadline, one re-send, late and doubled replies.

Source: pumps reference 3: re-sent once after 500 ms (OpenICE), the pump may take 4 s. A re-sent
question may be answered twice, so the second answer is awaited before the next question.
Not here: what is asked when.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from drivers.framing import Damage
from drivers.pumps.alaris_text import Reply, Splitter, frame

SECOND_MARGIN_MS = 100
"""The second answer comes as long after the first as the re-send came, and a little more."""

LONGEST_MS = 10_000
"""A pump that asks for more time than this is not believed."""

T = TypeVar("T")
Dialogue = Generator["Ask | Silence", Reply | None, T]


@dataclass(frozen=True, slots=True)
class Ask:
    """One command or question; answered by a `Reply` of its name, or None.

    `once`: never sent again, because it would count twice. `wait_ms` replaces the pump's own time;
    an answer missed then is no outage.
    """

    text: str
    once: bool = False
    wait_ms: int | None = None

    @property
    def name(self) -> str:
        """What the reply begins with."""
        return self.text.partition("^")[0]


@dataclass(frozen=True, slots=True)
class Silence:
    """Say nothing for `ms`; answered by None."""

    ms: int


class Wire:
    """The line to one pump. `response_ms` is how long it may take to answer."""

    def __init__(self, response_ms: int, resend_ms: int) -> None:
        self.response_ms = response_ms
        self.resend_ms = resend_ms
        self.asked: Ask | None = None
        self.due_ms = 0
        self.failures = 0
        self._answer: Reply | None = None
        self._may_resend = False
        self._resent = False
        self._give_up_ms = 0
        self._splitter = Splitter()
        self._out = bytearray()

    def opened(self) -> None:
        """A new connection: nothing is asked."""
        self.asked = None
        self._answer = None
        self.failures = 0
        self._splitter.reset()
        self._out.clear()

    def ask(self, ask: Ask, now_ms: int) -> None:
        """Send a question and start its deadlines."""
        self.asked = ask
        self._answer = None
        self._resent = False
        self._may_resend = not ask.once
        wait_ms = self.response_ms if ask.wait_ms is None else ask.wait_ms
        self._give_up_ms = now_ms + wait_ms + (self.resend_ms if self._may_resend else 0)
        self.due_ms = now_ms + self.resend_ms if self._may_resend else self._give_up_ms
        self._out += frame(ask.text)

    def split(self, data: bytes, now_ms: int) -> list[Reply | Damage]:
        """Cut what came in."""
        return self._splitter.feed(data, now_ms)

    def expired(self, now_ms: int) -> list[Reply | Damage]:
        """A half reply that will not be completed."""
        return self._splitter.expire(now_ms)

    def heard(self, reply: Reply, now_ms: int) -> Reply | None:
        """Take a reply of the name asked for; the last is handed out when no other can follow."""
        self.failures = 0
        if self._answer is None and self._resent:
            self._answer = reply
            self.due_ms = now_ms + self.resend_ms + SECOND_MARGIN_MS
            return None
        self.give_up()
        return reply

    def overdue(self, now_ms: int) -> bool:
        """A deadline passed: send once more, or True when the question is settled as it is."""
        if self._answer is not None:
            return True
        if self._may_resend and self.asked is not None and now_ms < self._give_up_ms:
            self._may_resend = False
            self._resent = True
            self.due_ms = self._give_up_ms
            self._out += frame(self.asked.text)
            return False
        if self.asked is None or self.asked.wait_ms is None:
            self.failures += 1
        return True

    def give_up(self) -> Reply | None:
        """End the question at hand; its answer if there was one."""
        answer, self._answer, self.asked = self._answer, None, None
        return answer

    def take_output(self) -> bytes:
        """Bytes to write now."""
        out = bytes(self._out)
        self._out.clear()
        return out
