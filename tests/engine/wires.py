"""Wires without a cable, and the surroundings of a port that runs in the test's own thread."""

from collections.abc import Callable, Iterator
from threading import Event as Flag

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent
from clampctl.engine.ports import Port, Surroundings, Wire
from drivers.link import Link
from simulator.devices.device import Device

STEP_MS = 20


class Stop(Flag):
    """Ends the port's run; a pause passes at once and is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses_s: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        """No time passes."""
        self.pauses_s.append(timeout)
        return self.is_set()


class Scripted:
    """A wire that reads what the script says: bytes, or an error that is raised."""

    def __init__(self, script: Iterator[bytes | Exception], ended: Callable[[], None]) -> None:
        self._script = script
        self._ended = ended
        self.written: list[bytes] = []
        self.closed = 0

    @property
    def in_waiting(self) -> int:
        return 64

    def read(self, size: int = 1) -> bytes:
        said = next(self._script, None)
        if said is None:
            self._ended()
            return b""
        if isinstance(said, Exception):
            raise said
        return said[:size]

    def write(self, data: bytes) -> int | None:
        self.written.append(data)
        return len(data)

    def close(self) -> None:
        self.closed += 1


class Cable:
    """A wire to an emulated device; each read lets 20 ms pass."""

    def __init__(self, device: Device, clock: "Clock") -> None:
        self._device = device
        self._clock = clock
        self._waiting = bytearray()
        self.written = bytearray()

    @property
    def in_waiting(self) -> int:
        return 64

    def read(self, size: int = 1) -> bytes:
        self._clock.at_ms += STEP_MS
        self._device.advance(self._clock.at_ms)
        if not self._device.plugged:
            raise OSError(5, "Input/output error")
        self._waiting += self._device.take_output()
        data = bytes(self._waiting[:size])
        del self._waiting[:size]
        return data

    def write(self, data: bytes) -> int | None:
        self.written += data
        self._device.receive(data, self._clock.at_ms)
        return len(data)

    def close(self) -> None:
        return


class Clock:
    """Session time, moved by hand, and the last tick of the control thread."""

    def __init__(self) -> None:
        self.at_ms = 0
        self.ticked_ms: int | None = None

    def now_ms(self) -> int:
        return self.at_ms

    def ticked(self) -> int:
        """The control thread ticks all the time, unless a test says otherwise."""
        return self.at_ms if self.ticked_ms is None else self.ticked_ms


class Remembering:
    """A link that keeps what it was told and says what a test wants said."""

    def __init__(self) -> None:
        self.epochs: list[int] = []
        self.received: list[bytes] = []
        self.sent: list[Command] = []
        self.called_ms: list[int] = []
        self.events: list[DeviceEvent] = []
        self.output = b""

    def opened(self, epoch: int, now_ms: int) -> None:
        self.epochs.append(epoch)
        self.called_ms.append(now_ms)

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        self.received.append(data)
        self.called_ms.append(now_ms)
        events, self.events = self.events, []
        return events

    def send(self, command: Command, now_ms: int) -> None:
        self.sent.append(command)
        self.called_ms.append(now_ms)

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        self.called_ms.append(now_ms)
        return []

    def wake_at(self) -> int | None:
        return None

    def take_output(self) -> bytes:
        output, self.output = self.output, b""
        return output


class Rig:
    """A port with its surroundings; `port.run()` runs in the test's thread until `stop` is set."""

    def __init__(self, role: Role, link: Link, opener: Callable[[], Wire], epoch: int = 0) -> None:
        self.clock = Clock()
        self.stop = Stop()
        self.events: list[DeviceEvent] = []
        self.tapped: list[tuple[bytes, bool]] = []
        self.emits = True
        self.heard: Callable[[DeviceEvent], None] = lambda _: None
        around = Surroundings(
            self.clock.now_ms,
            self._emit,
            lambda _role, data, received, _at_ms: self.tapped.append((data, received)),
            self.clock.ticked,
            self.stop,
        )
        self.port = Port(role, link, opener, around, epoch)

    def _emit(self, event: DeviceEvent) -> bool:
        if self.emits:
            self.events.append(event)
            self.heard(event)
        return self.emits

    def passes(self, wire: Wire, ms: int) -> None:
        """Let time pass on an open wire."""
        end_ms = self.clock.at_ms + ms
        while self.clock.at_ms < end_ms:
            self.port._exchange(wire)
