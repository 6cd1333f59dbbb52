"""A scripted device at the other end of the wire, with a checksum of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[1] / "data" / "transcripts"


def crc(payload: bytes) -> int:
    """CRC-16/XMODEM bit by bit, on purpose not the way the drivers do it."""
    register = 0
    for byte in payload:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1) ^ (0x1021 if register & 0x8000 else 0)
        register &= 0xFFFF
    return register


def safe(text: str) -> bytes:
    """A New Era Safe packet."""
    payload = text.encode()
    return bytes((2, len(payload) + 4)) + payload + crc(payload).to_bytes(2, "big") + b"\x03"


def basic(text: str) -> bytes:
    """A New Era Basic reply."""
    return b"\x02" + text.encode() + b"\x03"


def is_poll(out: bytes) -> bool:
    """The question for the rate or the volume, in either framing."""
    return (out[:1] == b"\x02" and out[-6:-3] in (b"RAT", b"DIS")) or out[-4:] in (b"RAT\r", b"DIS\r")


class Peer:
    """Drives a link against a script of (expected host bytes, reply or None for silence)."""

    def __init__(self, link: Any, script: Iterable[tuple[bytes, bytes | None]], latency_ms: int = 5) -> None:
        self.link = link
        self.script = list(script)
        self.latency_ms = latency_ms
        self.now_ms = 0
        self.events: list[Any] = []
        self.sent: list[bytes] = []
        self.pieces: Callable[[bytes], list[bytes]] = lambda reply: [reply]
        self._next_poll = b""

    def add(self, *script: tuple[bytes, bytes | None]) -> Peer:
        self.script.extend(script)
        return self

    def open(self, epoch: int = 1) -> Peer:
        self.link.opened(epoch, self.now_ms)
        return self

    def order(self, *commands: Any) -> Peer:
        for command in commands:
            self.link.send(command, self.now_ms)
        return self

    def hear(self, data: bytes) -> list[Any]:
        """Unsolicited bytes; the events they caused."""
        events = self.link.receive(data, self.now_ms)
        self.events += events
        return list(events)

    def run(self, for_ms: int | None = None) -> list[Any]:
        """Play until the script is used up or `for_ms` passed; the events of this stretch.

        A poll that is due when the script is used up waits for the next stretch.
        """
        end_ms = None if for_ms is None else self.now_ms + for_ms
        first = len(self.events)
        while True:
            out = self._next_poll or self.link.take_output()
            self._next_poll = b""
            if out and not self.script and end_ms is None and is_poll(out):
                self._next_poll = out
                break
            if out:
                self._answer(out)
                continue
            due_ms = self.link.wake_at()
            told = due_ms is not None and due_ms <= self.now_ms
            if due_ms is None or (end_ms is None and not self.script and not told):
                break
            if end_ms is not None and due_ms > end_ms:
                self.now_ms = end_ms
                break
            self.now_ms = max(self.now_ms, due_ms)
            self.events += self.link.wake(self.now_ms)
        return self.events[first:]

    def _answer(self, out: bytes) -> None:
        self.sent.append(out)
        assert self.script, f"unexpected {out!r} at {self.now_ms} ms"
        expected, reply = self.script.pop(0)
        assert out == expected, f"sent {out!r}, expected {expected!r}"
        if reply is not None:
            self.now_ms += self.latency_ms
            for piece in self.pieces(reply):
                self.events += self.link.receive(piece, self.now_ms)


class Script:
    """What is said to a pump and answered, in one framing and one form of address."""

    def __init__(self, framing: str, address: int = 0, addressed: bool = True) -> None:
        self.framing = framing
        self.prefix = f"{address:02d}"
        self.short = self.prefix if addressed or address else ""

    def ask(self, text: str, reply: str | None) -> tuple[bytes, bytes | None]:
        """A command, and the reply without its address."""
        if self.framing == "safe":
            prefix = self.short if text else self.prefix
            return safe(prefix + text), None if reply is None else safe(self.prefix + reply)
        return f"{self.prefix}{text}\r".encode(), None if reply is None else basic(self.prefix + reply)

    def probe(self, prompt: str = "S") -> list[tuple[bytes, bytes | None]]:
        if self.framing == "safe":
            return [(b"?\r", None), (f"{self.prefix}\r".encode(), None), self.ask("", prompt)]
        return [(b"?\r", basic("00" + prompt + "?")), self.ask("", prompt)]

    def who(
        self,
        prompt: str = "S",
        version: str = "NE1000V3.928",
        diameter: str = "26.59",
        rate: str = "120.0MH",
        volume: str = "I12.34W0.000ML",
    ) -> list[tuple[bytes, bytes | None]]:
        told = {"VER": version, "DIA": diameter, "RAT": rate, "DIS": volume, "": ""}
        return [self.ask(text, prompt + data) for text, data in told.items()]

    def program(self) -> list[tuple[bytes, bytes | None]]:
        sets = [self.ask(text, "S") for text in ("PHN2", "FUNSTP", "PHN1", "FUNRAT", "VOL0", "DIRINF")]
        return [*sets, self.ask("DIR", "SINF"), self.ask("VOL", "S0.000ML")]

    def proof(self, alarm: str = "A?T") -> list[tuple[bytes, bytes | None]]:
        return [self.ask("", alarm), self.ask("", "S")]

    def insulin(self, watchdog_s: int = 5) -> list[tuple[bytes, bytes | None]]:
        """The whole opening of a stopped insulin pump found in Safe framing."""
        timer = [self.ask(f"SAF{watchdog_s}", "S"), self.ask("", "S")]
        return [*self.probe(), *self.who(), *timer, *self.program(), *self.proof()]

    def dextrose(self) -> list[tuple[bytes, bytes | None]]:
        """The whole opening of a stopped dextrose pump found in Basic framing."""
        return [*self.probe(), *self.who(), *self.program()]

    def adopt(self, rate: str = "120.0MH") -> list[tuple[bytes, bytes | None]]:
        """The whole opening of a running pump."""
        return [*self.probe("I"), *self.who("I", rate=rate)]


def read_transcript(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


@pytest.fixture
def peer() -> type[Peer]:
    return Peer


@pytest.fixture
def script() -> type[Script]:
    return Script


@pytest.fixture
def wire() -> Any:
    """`wire(name)` reads a transcript; `wire.safe` and `wire.basic` make frames."""

    class Wire:
        def __call__(self, name: str) -> str:
            return read_transcript(name)

        safe = staticmethod(safe)
        basic = staticmethod(basic)

    return Wire()
