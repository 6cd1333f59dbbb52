"""A window's end of the wire without Qt: a blocking socket, and waits that end when it is so."""

import contextlib
import itertools
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from clampctl.core.codec import plain
from clampctl.core.events import Event
from clampctl.engine.wire import (
    WIRE_VERSION,
    Act,
    Beat,
    EventRow,
    Farewell,
    Hello,
    RateRow,
    Receipt,
    Rows,
    SampleRow,
    Snapshot,
    Splitter,
    ToWindow,
    frame,
    read_by_window,
)

T = TypeVar("T")
PATIENCE_S = 20.0
"""The longest wait for anything that has no deadline of its own."""


def wait_for(found: Callable[[], T | None], pump: Callable[[float], None], within_s: float = PATIENCE_S) -> T:
    """What `found` finds, looked for after each `pump`; an AssertionError when the time is over."""
    deadline_s = time.monotonic() + within_s
    while True:
        thing = found()
        if thing:
            return thing
        left_s = deadline_s - time.monotonic()
        assert left_s > 0.0, f"not so within {within_s:g} s"
        pump(min(left_s, 0.1))


def moment(_left_s: float) -> None:
    """Between two looks at something that cannot be waited on."""
    threading.Event().wait(0.01)


def connected(address: str) -> socket.socket:
    """A socket to an engine's address. Raises OSError when nobody listens there."""
    if address.startswith("tcp://"):
        host, _, port = address.removeprefix("tcp://").rpartition(":")
        return socket.create_connection((host, int(port)), timeout=5.0)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.connect(address)
    except OSError:
        made.close()
        raise
    return made


class Client:
    """One window: all that it was told."""

    def __init__(self, address: str) -> None:
        self._socket = connected(address)
        self._socket.setblocking(False)
        self._splitter = Splitter()
        self._numbers = itertools.count(1)
        self._beat_s = 0.0
        self.hello: Hello | None = None
        self.now: Snapshot | None = None
        self.farewell: Farewell | None = None
        self.samples: list[SampleRow] = []
        self.rates: list[RateRow] = []
        self.events: list[EventRow] = []
        self.receipts: dict[int, Receipt] = {}
        self.kinds: list[type] = []
        self.gone = False

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def pump(self, wait_s: float = 0.0) -> None:
        """Read what comes within this time; beat once a second."""
        if time.monotonic() - self._beat_s >= 1.0:
            self._beat_s = time.monotonic()
            self.say(frame(Beat(WIRE_VERSION)))
        if self.gone or not select.select([self._socket], [], [], wait_s)[0]:
            return
        try:
            data = self._socket.recv(1 << 20)
        except ConnectionError:
            data = b""
        if not data:
            self.gone = True
        for body in self._splitter.feed(data):
            self._take(read_by_window(body))

    def _take(self, message: ToWindow) -> None:
        self.kinds.append(type(message))
        match message:
            case Hello():
                self.hello = message
            case Rows():
                self.samples += message.samples
                self.rates += message.rates
                self.events += message.events
            case Snapshot():
                self.now = message
            case Receipt():
                self.receipts[message.act] = message
            case Farewell():
                self.farewell = message

    def say(self, data: bytes) -> None:
        """Send bytes; an engine that is gone does not hear them, and reading tells."""
        with contextlib.suppress(OSError):
            self._socket.send(data)

    def act(self, event: Event | dict[str, Any]) -> int:
        """Send an act; its number."""
        number = next(self._numbers)
        body = event if isinstance(event, dict) else plain(event)
        self.say(frame(Act(number, body)))
        return number

    def wait(self, found: Callable[[], T | None], within_s: float = PATIENCE_S) -> T:
        """Read until it is so."""
        return wait_for(found, self.pump, within_s)

    def done(self, event: Event) -> Receipt:
        """Act, and wait for the receipt."""
        number = self.act(event)
        return self.wait(lambda: self.receipts.get(number))

    def sees(self, true_of: Callable[[Snapshot], bool], within_s: float = PATIENCE_S) -> Snapshot:
        """Wait for a present of which this is true."""
        return self.wait(lambda: self.now if self.now is not None and true_of(self.now) else None, within_s)
