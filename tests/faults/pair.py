"""A link and an emulated device on one wire, in virtual time: what a fault does to the pair."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from clampctl.core.commands import Command, Role
from clampctl.core.events import (
    DeviceEvent,
    GlucoseSampled,
    LinkLost,
    LinkTroubled,
    PumpIdentified,
    PumpReported,
    SampleKind,
)
from drivers.link import Link
from simulator.devices.device import Device
from simulator.devices.fault import FaultKind, fault

TURNS_MAX = 10_000

E = TypeVar("E", bound=DeviceEvent)


@dataclass(frozen=True)
class Case:
    """One row of the fault table.

    `device` is the catalog's name, `fault` its text as for `--fault`, `expected` the behaviour in one
    sentence. `play` makes it happen, asserts it, and says in one sentence what was seen.
    """

    device: str
    role: Role
    fault: str
    expected: str
    play: Callable[[], str]


def pieces(data: bytes) -> list[bytes]:
    """Cut into 1 to 7 bytes, in a fixed pattern."""
    cut, size = [], 0
    while data:
        size = size * 3 % 7 + 1
        cut.append(data[:size])
        data = data[size:]
    return cut


class Pair:
    """One device and its link; every byte is cut into pieces of 1 to 7 when `pieces` says so."""

    def __init__(
        self, link: Link, device: Device, pieces: Callable[[bytes], list[bytes]] | None = None
    ) -> None:
        self.link = link
        self.device = device
        self.now_ms = 0
        self.epoch = 0
        self.events: list[DeviceEvent] = []
        self.to_device = bytearray()
        self.to_link = bytearray()
        self._pieces = pieces or (lambda data: [data] if data else [])

    def open(self) -> "Pair":
        """The wire is opened, and what is said at once is said."""
        self.epoch += 1
        self.link.opened(self.epoch, self.now_ms)
        self._settle()
        return self

    def inject(self, text: str) -> "Pair":
        """A fault begins now."""
        self.device.inject(fault(text), self.now_ms)
        self._settle()
        return self

    def clear(self, kind: FaultKind) -> "Pair":
        """A fault ends now."""
        self.device.clear(kind, self.now_ms)
        self._settle()
        return self

    def order(self, command: Command) -> "Pair":
        """The core gives an order."""
        self.link.send(command, self.now_ms)
        self._settle()
        return self

    def run(self, for_ms: int) -> list[DeviceEvent]:
        """Let time pass; the events of this stretch."""
        first, end_ms = len(self.events), self.now_ms + for_ms
        while True:
            due = [ms for ms in (self.link.wake_at(), self.device.wake_at()) if ms is not None]
            next_ms = max(self.now_ms, min(due, default=end_ms + 1))
            if next_ms > end_ms:
                break
            self.now_ms = next_ms
            self.device.advance(next_ms)
            self._settle()
            self.events += self.link.wake(next_ms)
            self._settle()
        self.now_ms = end_ms
        self.device.advance(end_ms)
        self._settle()
        return self.events[first:]

    def told(self, kind: type[E], since: int = 0) -> list[E]:
        """The events of one kind."""
        return [event for event in self.events[since:] if isinstance(event, kind)]

    @property
    def samples(self) -> list[GlucoseSampled]:
        """Results that may dose."""
        return [event for event in self.told(GlucoseSampled) if event.kind is SampleKind.PATIENT]

    @property
    def troubles(self) -> list[LinkTroubled]:
        """Everything odd that was told."""
        return self.told(LinkTroubled)

    @property
    def losses(self) -> list[LinkLost]:
        """Silences."""
        return self.told(LinkLost)

    @property
    def identity(self) -> PumpIdentified | None:
        """The latest identity."""
        return next(iter(reversed(self.told(PumpIdentified))), None)

    @property
    def report(self) -> PumpReported | None:
        """The latest reading."""
        return next(iter(reversed(self.told(PumpReported))), None)

    def _settle(self) -> None:
        for _ in range(TURNS_MAX):
            out = self.link.take_output()
            for piece in self._pieces(out):
                self.to_device += piece
                self.device.receive(piece, self.now_ms)
            back = self.device.take_output()
            for piece in self._pieces(back):
                self.to_link += piece
                self.events += self.link.receive(piece, self.now_ms)
            if not out and not back:
                return
        raise AssertionError("the wire never falls silent")


class Played(Protocol):
    """A module of cases: `CASES` is its table."""

    CASES: list[Case]
