"""What every exchange with a peer needs: a counted wire, a peer's process, and notes of what agreed."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from clampctl.core.events import DeviceEvent
from drivers.link import Link
from simulator.devices.device import Device
from simulator.transport import Transport, served

THEIRS = Path(__file__).parent / "theirs"

LONGEST_S = 40.0
"""A peer that has not finished by then has failed."""

TURN_S = 0.005


class Failed(Exception):
    """An exchange that did not go as it must, in one sentence."""


class Tapped:
    """A transport that keeps what went each way."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.from_peer = bytearray()
        self.to_peer = bytearray()

    @property
    def address(self) -> str:
        """See `Transport`."""
        return self._inner.address

    def read(self, wait_s: float) -> bytes:
        """See `Transport`."""
        data = self._inner.read(wait_s)
        self.from_peer += data
        return data

    def write(self, data: bytes) -> None:
        """See `Transport`."""
        self.to_peer += data
        self._inner.write(data)

    def hang_up(self) -> None:
        """See `Transport`."""
        self._inner.hang_up()

    def close(self) -> None:
        """See `Transport`."""
        self._inner.close()


@dataclass(slots=True)
class Notes:
    """What one exchange showed. `frames_from_peer`, `frames_to_peer`: whole frames on the wire."""

    frames_from_peer: int = 0
    frames_to_peer: int = 0
    agreed: list[str] = field(default_factory=list)
    faults_seen: list[str] = field(default_factory=list)

    def agree(self, what: str, ours: object, theirs: object) -> None:
        """Both sides must say the same. Errors: Failed."""
        if ours != theirs:
            raise Failed(f"{what}: ours {ours!r}, theirs {theirs!r}")
        self.agreed.append(f"{what} {ours}")

    def require(self, what: str, holds: bool) -> None:
        """Something that must hold. Errors: Failed."""
        if not holds:
            raise Failed(f"not so: {what}")
        self.agreed.append(what)


@dataclass(frozen=True, slots=True)
class Peer:
    """A program by others. `play` runs the exchange with the peers' Python and says what it showed."""

    package: str
    licence: str
    exchange: str
    known_faults: tuple[str, ...]
    play: Callable[[Path], Notes]


class Theirs:
    """A script of `theirs/` running in the peers' environment; it says one JSON object at its end."""

    def __init__(self, python: Path, script: str, *arguments: str) -> None:
        self._script = script
        self._ends_s = time.monotonic() + LONGEST_S
        self._process = subprocess.Popen(
            [python, THEIRS / script, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def running(self) -> bool:
        """Whether the process is still at it. Errors: Failed when it takes too long."""
        if self._process.poll() is not None:
            return False
        if time.monotonic() > self._ends_s:
            self.stop()
            raise Failed(f"{self._script} did not finish within {LONGEST_S:.0f} s")
        return True

    def stop(self) -> None:
        """End the process, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def said(self) -> dict[str, object]:
        """Wait for the end; the object said. Errors: Failed when the script failed or took too long."""
        while self.running:
            time.sleep(TURN_S)
        out, err = self._process.communicate()
        if self._process.returncode != 0:
            last = next(iter(reversed(err.strip().splitlines())), "no word of it")
            raise Failed(f"{self._script} ended with {self._process.returncode}: {last}")
        said: dict[str, object] = json.loads(out.strip().splitlines()[-1])
        return said


def now_ms() -> int:
    """Passing time in ms."""
    return time.monotonic_ns() // 1_000_000


def ask_our_device(
    python: Path,
    script: str,
    device: Device,
    wire: Tapped,
    *arguments: str,
    each_turn: Callable[[int], None] | None = None,
) -> dict[str, object]:
    """Their driver, in its own process, talks to our emulator; what it says it saw."""
    with served(device, wire, now_ms, each_turn) as address:
        peer = Theirs(python, script, address, *arguments)
        return peer.said()


def drive_our_link(
    link: Link,
    wire: Tapped,
    peer: Theirs,
    each_event: Callable[[DeviceEvent], None],
    done: Callable[[], bool] = lambda: False,
) -> None:
    """Our link, opened by the caller, talks to their device until `done` or until the peer ends.

    Errors: Failed when the peer takes too long.
    """
    while peer.running and not done():
        output = link.take_output()
        if output:
            wire.write(output)
        data = wire.read(TURN_S)
        events = link.receive(data, now_ms()) if data else []
        due_ms = link.wake_at()
        if due_ms is not None and due_ms <= now_ms():
            events += link.wake(now_ms())
        for event in events:
            each_event(event)
