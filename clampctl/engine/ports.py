"""Port threads: one per device, moving bytes between a serial port and a sans-I/O link.

The only place that opens a port. Reads are short, writes are bounded, a vanished device is an
event, and the port is tried again with a growing pause. Decides nothing.
"""

import contextlib
import queue
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event as Flag
from typing import Protocol, TypeVar, runtime_checkable

import serial

from clampctl.core.commands import Command, Role, StopPump
from clampctl.core.events import DeviceEvent, LinkLost
from clampctl.engine.adapters import identity_of, port_named
from clampctl.engine.device_lock import DeviceLock, claimed_device
from drivers.link import Link

T = TypeVar("T")

READ_BYTES = 64
READ_WAIT_S = 0.02
WRITE_WAIT_S = 0.5
PAUSES_S = (0.2, 0.5, 1.0, 2.0)
COMMANDS_MAX = 64
FRAME = "8N1"
"""Data bits, parity and stop bits that all devices we know are shipped with."""

LEASE_MS = 2_500
"""Two silent ticks of the control thread: after that the insulin pump is polled no more, so that
its own watchdog stops it (safety sheet 2.5, lease honesty)."""


if sys.platform == "win32":
    TROUBLES: tuple[type[Exception], ...] = (OSError,)
else:
    import termios

    TROUBLES = (OSError, termios.error)
"""How a vanished port shows itself; a terminal's errors are no OSError (safety sheet 8)."""


class Wire(Protocol):
    """An open port, as much of pyserial as is used here."""

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""

    def read(self, size: int = 1) -> bytes:
        """Bytes, at most `size`, after at most the port's time-out."""

    def write(self, data: bytes) -> int | None:
        """Send bytes."""

    def close(self) -> None:
        """Give the port back."""


@runtime_checkable
class SetByHand(Protocol):
    """A link whose device a person sets and reads."""

    def confirmed(self, rate_ul_h: int, now_ms: int) -> list[DeviceEvent]:
        """What the person read off the device, as events."""


class NoWire:
    """Stands where a device set by hand has no wire: nothing comes, nothing goes."""

    def __init__(self, stop: Flag) -> None:
        self._stop = stop

    @property
    def in_waiting(self) -> int:
        """Never anything."""
        return 0

    def read(self, size: int = 1) -> bytes:  # noqa: ARG002 - a wire's method
        """Nothing, after a moment."""
        self._stop.wait(READ_WAIT_S)
        return b""

    def write(self, data: bytes) -> int | None:
        """Nobody hears it."""
        return len(data)

    def close(self) -> None:
        """Nothing to give back."""


class LockedWire:
    """A wire whose device no other program has; closing it lets the device go."""

    def __init__(self, wire: Wire, lock: DeviceLock) -> None:
        self._wire = wire
        self._lock = lock

    @property
    def in_waiting(self) -> int:
        """See `Wire`."""
        return self._wire.in_waiting

    def read(self, size: int = 1) -> bytes:
        """See `Wire`."""
        return self._wire.read(size)

    def write(self, data: bytes) -> int | None:
        """See `Wire`."""
        return self._wire.write(data)

    def close(self) -> None:
        """See `Wire`; the device is let go even when the port cannot be closed."""
        try:
            self._wire.close()
        finally:
            self._lock.release()


def open_serial(address: str, baud: int, wait_s: float = READ_WAIT_S, frame: str = FRAME) -> Wire:
    """Open a port by its name, "usb:SERIALNUMBER" or URL (`socket://host:port` works everywhere).

    Raises OSError, among them `AdapterNotFound` and `DeviceInUse`.
    """
    port = port_named(address)
    lock = claimed_device(identity_of(port), address)
    options = {} if "://" in port else {"exclusive": True}
    with contextlib.ExitStack() as unless_open:
        unless_open.callback(lock.release)
        wire: Wire = serial.serial_for_url(
            port,
            baudrate=baud,
            bytesize=int(frame[0]),
            parity=frame[1],
            stopbits=int(frame[2]),
            timeout=wait_s,
            write_timeout=WRITE_WAIT_S,
            **options,
        )
        unless_open.pop_all()
    return LockedWire(wire, lock)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a port needs of the engine."""

    now_ms: Callable[[], int]
    emit: Callable[[DeviceEvent], bool]
    tap: Callable[[Role, bytes, bool, int], None]
    ticked_ms: Callable[[], int]
    stop: Flag


class Port:
    """One device's wire and link; `run` is the body of its thread."""

    def __init__(
        self, role: Role, link: Link, opener: Callable[[], Wire], around: Surroundings, epoch: int
    ) -> None:
        self.role = role
        self._link = link
        self._opener = opener
        self._around = around
        self._epoch = epoch
        self._commands: queue.Queue[Command] = queue.Queue(COMMANDS_MAX)
        self._shown: queue.Queue[int] = queue.Queue(COMMANDS_MAX)
        self._told_lost = False
        self._attempt = 0

    def send(self, command: Command) -> bool:
        """Leave an order for this port; False when too many wait. A stop drops what waits."""
        if isinstance(command, StopPump):
            self._forget()
        try:
            self._commands.put_nowait(command)
        except queue.Full:
            return False
        return True

    def shown(self, rate_ul_h: int) -> None:
        """A person read this rate off a pump without a wire; any other link has no use for it."""
        with contextlib.suppress(queue.Full):
            self._shown.put_nowait(rate_ul_h)

    def run(self) -> None:
        """Open, move bytes until the port fails, try again; until the engine stops.

        The pauses grow, and a loss is told once, until something is heard: a port that opens and
        fails at once is no connection.
        """
        while not self._around.stop.is_set():
            try:
                wire = self._opener()
            except (*TROUBLES, ValueError) as error:
                self._lost(f"cannot open the port: {_plain(error)}")
            else:
                self._connected(wire)
            self._around.stop.wait(PAUSES_S[min(self._attempt, len(PAUSES_S) - 1)])
            self._attempt += 1

    def _connected(self, wire: Wire) -> None:
        self._epoch += 1
        self._forget()
        self._link.opened(self._epoch, self._around.now_ms())
        try:
            while not self._around.stop.is_set():
                self._exchange(wire)
        except TROUBLES as error:
            self._lost(_plain(error))
        finally:
            with contextlib.suppress(*TROUBLES):
                wire.close()

    def _exchange(self, wire: Wire) -> None:
        """One turn: what came, what is due, what goes."""
        around = self._around
        data = wire.read(max(1, min(READ_BYTES, wire.in_waiting)))
        now_ms = around.now_ms()
        events: list[DeviceEvent] = []
        if data:
            self._told_lost, self._attempt = False, 0
            around.tap(self.role, data, True, now_ms)
            events += self._link.receive(data, now_ms)
        if self.role is Role.INSULIN and now_ms - around.ticked_ms() > LEASE_MS:
            self._publish(events)
            return
        for command in _waiting(self._commands):
            self._link.send(command, now_ms)
        for rate_ul_h in _waiting(self._shown):
            if isinstance(self._link, SetByHand):
                events += self._link.confirmed(rate_ul_h, now_ms)
        events += self._link.wake(now_ms)
        output = self._link.take_output()
        if output:
            around.tap(self.role, output, False, now_ms)
            wire.write(output)
        self._publish(events)

    def _publish(self, events: list[DeviceEvent]) -> None:
        for event in events:
            self._around.emit(event)

    def _lost(self, detail: str) -> None:
        if not self._told_lost:
            self._told_lost = self._around.emit(LinkLost(self.role, detail))

    def _forget(self) -> None:
        for _ in _waiting(self._commands):
            pass


def _waiting(waiting: "queue.Queue[T]") -> Iterator[T]:
    """What waits now, taken out. Two threads may do this at once: each value goes to one of them."""
    with contextlib.suppress(queue.Empty):
        while True:
            yield waiting.get_nowait()


def _plain(error: Exception) -> str:
    """An error's words on one line."""
    return " ".join(str(error).split())[:200]
