"""A pump made of answers: what the transcripts of the Harvard dialects say, and what a test adds."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import NamedTuple

from clampctl.core.commands import Command
from clampctl.core.events import DeviceEvent
from drivers.link import Link

DATA = Path(__file__).parents[1] / "data" / "transcripts"

Pieces = Callable[[bytes], list[bytes]]


class Group(NamedTuple):
    """One command and its reply; `pump` is the heading it stands under."""

    pump: str
    sent: bytes
    reply: bytes


def groups(name: str) -> Iterator[Group]:
    """Every pair of a transcript, in order."""
    pump, sent = "", b""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("# == "):
            pump = line[5:]
        elif line.startswith("> "):
            sent = bytes.fromhex(line[2:])
        elif line.startswith("< "):
            yield Group(pump, sent, bytes.fromhex(line[2:]))


def whole(data: bytes) -> list[bytes]:
    """Not cut."""
    return [data]


def cut_at(position: int) -> Pieces:
    """Cut once, at this byte."""
    return lambda data: [piece for piece in (data[:position], data[position:]) if piece]


def small(seed: int) -> Pieces:
    """Cut into 1 to 7 bytes, in a pattern that the seed turns."""
    steps = count(seed)

    def pieces(data: bytes) -> list[bytes]:
        cut = []
        while data:
            size = 1 + next(steps) * 3 % 7
            cut.append(data[:size])
            data = data[size:]
        return cut

    return pieces


Answer = bytes | None


class Teller:
    """Answers each command from a dict; one that is not there is an assertion. None is silence.

    A list is used up in order, its last answer stays.
    """

    def __init__(
        self, link: Link, answers: Mapping[bytes, Answer | list[Answer]], pieces: Pieces = whole
    ) -> None:
        self.link = link
        self.answers = {
            sent: list(reply) if isinstance(reply, list) else [reply] for sent, reply in answers.items()
        }
        self.pieces = pieces
        self.now_ms = 0
        self.sent: list[bytes] = []
        self.events: list[DeviceEvent] = []

    def open(self, epoch: int = 1) -> "Teller":
        """The wire is opened."""
        self.link.opened(epoch, self.now_ms)
        return self

    def order(self, command: Command) -> "Teller":
        """The core gives an order."""
        self.link.send(command, self.now_ms)
        return self

    def run(self, for_ms: int) -> list[DeviceEvent]:
        """Let time pass; the events of this stretch."""
        first, end_ms = len(self.events), self.now_ms + for_ms
        while True:
            while out := self.link.take_output():
                for line in out.splitlines(keepends=True):
                    self._answer(line)
            due_ms = self.link.wake_at()
            if due_ms is None or due_ms > end_ms:
                self.now_ms = end_ms
                return self.events[first:]
            self.now_ms = max(self.now_ms, due_ms)
            self.events += self.link.wake(self.now_ms)

    def _answer(self, line: bytes) -> None:
        self.sent.append(line)
        assert line in self.answers, f"unexpected {line!r} at {self.now_ms} ms"
        left = self.answers[line]
        reply = left.pop(0) if len(left) > 1 else left[0]
        for piece in self.pieces(reply) if reply else []:
            self.events += self.link.receive(piece, self.now_ms)
