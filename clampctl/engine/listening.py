"""A port for a device that calls us: a TCP door on this computer, one device at a time.

Waiting never blocks the port's thread. A device that hangs up, or whose computer vanished, is an
OSError: the port opens the door anew. Who may come in is the link's to judge, by what the device says
of itself. Not here: reading an address such as `tcp-listen://127.0.0.1:5001`.
"""

import contextlib
import select
import socket

from clampctl.engine.ports import READ_WAIT_S, WRITE_WAIT_S

LOOPBACK = "127.0.0.1"
"""Where nobody else can call; any other interface has to be named by the station."""

AT_ONCE = 4096
"""Bytes read at most in one turn."""

KEEP_ALIVE = (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
"""Seconds until a device that vanished without a word is found out, as far as the system can: 25 s."""


class HungUp(OSError):
    """The device ended the call."""


class ListeningWire:
    """A door on `host` and `port` with at most one caller behind it; see `Wire`.

    `port` 0 takes a free one. Errors: OSError where the door cannot be opened.
    """

    def __init__(self, host: str, port: int, wait_s: float = READ_WAIT_S) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._door = socket.create_server((host, port), family=family, backlog=1)
        self._door.setblocking(False)
        self._caller: socket.socket | None = None
        self._wait_s = wait_s
        self.port: int = self._door.getsockname()[1]

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once; 0 while nobody called."""
        caller = self._caller
        if caller is None or not _is_readable(caller, 0.0):
            return 0
        return len(caller.recv(AT_ONCE, socket.MSG_PEEK))

    def read(self, size: int = 1) -> bytes:
        """Bytes, at most `size`, as soon as there are any; b"" after the time-out or while nobody called.

        Errors: OSError, among them `HungUp`.
        """
        watched = [self._door] if self._caller is None else [self._caller, self._door]
        readable, _, _ = select.select(watched, [], [], self._wait_s)
        if self._door in readable:
            self._answer_the_door()
        caller = self._caller
        if caller is None or caller not in readable:
            return b""
        data = caller.recv(min(size, AT_ONCE))
        if not data:
            raise HungUp("the device ended the call")
        return data

    def write(self, data: bytes) -> int | None:
        """Send bytes within the write time-out; with nobody there they are lost, as on a cable.

        Errors: OSError.
        """
        if self._caller is not None:
            self._caller.sendall(data)
        return len(data)

    def close(self) -> None:
        """Hang up and close the door; more than once does no harm."""
        if self._caller is not None:
            self._caller.close()
        self._door.close()

    def _answer_the_door(self) -> None:
        """The first caller comes in; while it is there, others are turned away."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            caller, _ = self._door.accept()
            if self._caller is not None:
                caller.close()
                return
            caller.settimeout(WRITE_WAIT_S)
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in KEEP_ALIVE:
                option = getattr(socket, name, None)
                if option is not None:
                    caller.setsockopt(socket.IPPROTO_TCP, option, value)
            self._caller = caller


def open_listening(host: str, port: int, wait_s: float = READ_WAIT_S) -> ListeningWire:
    """Open the door on one interface of this computer; "" is the loopback, never all interfaces.

    The address is taken again at once after a close. Errors: OSError where it cannot be.
    """
    return ListeningWire(host or LOOPBACK, port, wait_s)


def _is_readable(caller: socket.socket, wait_s: float) -> bool:
    readable, _, _ = select.select([caller], [], [], wait_s)
    return bool(readable)
