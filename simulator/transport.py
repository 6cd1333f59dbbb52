"""Puts an emulated device on a pseudo-terminal or a TCP port, so that a real port can be opened on it."""

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from simulator.devices.device import Device

_LONGEST_WAIT_S = 0.02
_AT_ONCE = 4096
CALL_AGAIN_S = 1.0
"""A device that calls its host tries again each second (analyzers 4.3, as GEM does)."""


class Transport(Protocol):
    """The device's end of a cable."""

    @property
    def address(self) -> str:
        """What a host opens, as pyserial's `serial_for_url` takes it."""
        ...

    def read(self, wait_s: float) -> bytes:
        """Bytes from the host as soon as there are any; empty after `wait_s` seconds without."""
        ...

    def write(self, data: bytes) -> None:
        """Sends bytes to the host; what nobody takes is lost, as on a cable."""
        ...

    def hang_up(self) -> None:
        """Does to the host what pulling the cable does."""
        ...

    def close(self) -> None:
        """Gives back every file descriptor; more than once does no harm."""
        ...


class PseudoTerminal:
    """A pseudo-terminal, raw at both ends; POSIX only.

    It cannot be pulled out: hanging up only drops what waits in it.
    """

    def __init__(self) -> None:
        import tty  # not on Windows, where the TCP port serves instead

        self._ours, self._theirs = os.openpty()
        tty.setraw(self._ours)
        tty.setraw(self._theirs)  # kept open, so that a host may come and go
        os.set_blocking(self._ours, False)
        self._address = os.ttyname(self._theirs)
        self._open = True

    @property
    def address(self) -> str:
        """Such as `/dev/pts/3`."""
        return self._address

    def read(self, wait_s: float) -> bytes:
        """See `Transport`."""
        readable, _, _ = select.select([self._ours], [], [], wait_s)
        return os.read(self._ours, _AT_ONCE) if readable else b""

    def write(self, data: bytes) -> None:
        """See `Transport`."""
        try:
            while data:
                data = data[os.write(self._ours, data) :]
        except BlockingIOError:
            return

    def hang_up(self) -> None:
        """See `Transport`."""
        while self.read(0):
            pass

    def close(self) -> None:
        """See `Transport`."""
        if self._open:
            self._open = False
            os.close(self._ours)
            os.close(self._theirs)


class TcpPort:
    """A TCP port on this computer for one host at a time; a second one is turned away, the next may come."""

    def __init__(self, port: int = 0) -> None:
        self._door = socket.create_server(("127.0.0.1", port))
        self._door.setblocking(False)
        self._host: socket.socket | None = None
        self._address = f"socket://127.0.0.1:{self._door.getsockname()[1]}"

    @property
    def address(self) -> str:
        """Such as `socket://127.0.0.1:40123`."""
        return self._address

    def read(self, wait_s: float) -> bytes:
        """See `Transport`; a host that leaves or arrives ends the wait too."""
        watched = [self._door] if self._host is None else [self._host, self._door]
        readable, _, _ = select.select(watched, [], [], wait_s)
        data = b""
        if self._host is not None and self._host in readable:
            try:
                data = self._host.recv(_AT_ONCE)
            except ConnectionError:
                data = b""
            if not data:
                self.hang_up()
        if self._door in readable:
            self._answer_the_door()
        return data

    def write(self, data: bytes) -> None:
        """See `Transport`."""
        try:
            while data and self._host is not None:
                data = data[self._host.send(data) :]
        except BlockingIOError:
            return
        except ConnectionError:
            self.hang_up()

    def hang_up(self) -> None:
        """See `Transport`."""
        if self._host is not None:
            self._host.close()
            self._host = None

    def close(self) -> None:
        """See `Transport`."""
        self.hang_up()
        self._door.close()

    def _answer_the_door(self) -> None:
        try:
            caller, _ = self._door.accept()
        except (BlockingIOError, ConnectionError):
            return
        if self._host is not None:
            caller.close()
            return
        caller.setblocking(False)
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = caller


class Caller:
    """A device that calls its host over TCP, and calls again a second after the host hung up.

    Raises ValueError for a host that is not HOST:PORT.
    """

    def __init__(self, host: str) -> None:
        name, _, port = host.rpartition(":")
        if not (name and port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16):
            raise ValueError(f"{host!r} is not HOST:PORT")
        self._host = (name, int(port))
        self._line: socket.socket | None = None
        self._again_s = 0.0

    @property
    def address(self) -> str:
        """Whom it calls."""
        return f"tcp-listen://{self._host[0]}:{self._host[1]}"

    def dial(self, stop: threading.Event) -> None:
        """Calls until the host answers, or until told to stop: what a device says first is not lost."""
        while self._called() is None and not stop.wait(_LONGEST_WAIT_S):
            pass

    def read(self, wait_s: float) -> bytes:
        """See `Transport`."""
        line = self._called()
        if line is None:
            select.select([], [], [], wait_s)
            return b""
        readable, _, _ = select.select([line], [], [], wait_s)
        if not readable:
            return b""
        try:
            data = line.recv(_AT_ONCE)
        except OSError:
            data = b""
        if not data:
            self.hang_up()
        return data

    def write(self, data: bytes) -> None:
        """See `Transport`."""
        try:
            if data and self._line is not None:
                self._line.sendall(data)
        except OSError:
            self.hang_up()

    def hang_up(self) -> None:
        """See `Transport`."""
        if self._line is not None:
            self._line.close()
            self._line = None
            self._again_s = time.monotonic() + CALL_AGAIN_S

    def close(self) -> None:
        """See `Transport`."""
        self.hang_up()

    def _called(self) -> socket.socket | None:
        if self._line is None and time.monotonic() >= self._again_s:
            try:
                self._line = socket.create_connection(self._host, CALL_AGAIN_S)
            except OSError:
                self._again_s = time.monotonic() + CALL_AGAIN_S
        return self._line


def serve(
    device: Device,
    transport: Transport,
    now_ms: Callable[[], int],
    stop: threading.Event,
    each_turn: Callable[[int], None] | None = None,
) -> None:
    """Moves bytes between device and transport until told to stop, then closes the transport.

    Meant for a thread of its own, which alone touches the device: whatever else is to be done to it (a
    fault, a sample) belongs into `each_turn`, called with the time in ms at least every 20 ms.
    """
    try:
        while not stop.is_set():
            at_ms = now_ms()
            device.advance(at_ms)
            if each_turn is not None:
                each_turn(at_ms)
            if device.plugged:
                transport.write(device.take_output())
            else:
                transport.hang_up()
            due_ms = device.wake_at()
            wait_s = _LONGEST_WAIT_S if due_ms is None else min((due_ms - at_ms) / 1000, _LONGEST_WAIT_S)
            data = transport.read(max(wait_s, 0.0))
            if data:
                device.receive(data, now_ms())
    finally:
        transport.close()


@contextmanager
def served(
    device: Device,
    transport: Transport,
    now_ms: Callable[[], int],
    each_turn: Callable[[int], None] | None = None,
) -> Iterator[str]:
    """Serves in a thread for as long as the block lasts; gives the address."""
    stop = threading.Event()
    name = f"emulator {transport.address}"
    thread = threading.Thread(target=serve, args=(device, transport, now_ms, stop, each_turn), name=name)
    thread.start()
    try:
        yield transport.address
    finally:
        stop.set()
        thread.join()
