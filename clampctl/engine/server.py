"""The local socket: windows attach, see the whole past, get snapshots, and send acts.

One thread. A slow reader gets the newest snapshot, never a growing queue; a window that breaks the
wire's rules is sent away. Nothing here decides or waits for the control thread.
"""

import os
import queue
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag

from clampctl.core.codec import CodecError, read_event
from clampctl.core.events import Event, GlucoseSampled, OperatorEvent
from clampctl.engine.history import History
from clampctl.engine.wire import (
    Act,
    Farewell,
    Hello,
    Receipt,
    Rows,
    Snapshot,
    Splitter,
    ToWindow,
    WireError,
    frame,
    read_by_engine,
)

SNAPSHOT_EVERY_MS = 500
ACT_BYTES_MAX = 4 * 1024
ROWS_MAX = 500
"""Rows of each kind in one message: with acts of at most 4 kB no message comes near the frame limit."""

WHOLE_MAX = 1 << 53
"""Larger whole numbers are no time, rate or count; nothing behind the wire could calculate with them."""

BUFFER_BYTES_MAX = 8 * 1024 * 1024
WINDOWS_MAX = 16
TURN_S = 0.05
SILENT_MS_MAX = 15_000
"""A window beats once a second; one silent for this long is gone."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What the server shows and whom it tells. `post` is None in a replay: acts are refused."""

    hello: Callable[[], Hello | None]
    snapshot: Callable[[], Snapshot | None]
    history: History
    post: Callable[[Event, Callable[[int, str], None]], bool] | None
    windows_changed: Callable[[int], None]
    real_ms: Callable[[], int]


@dataclass(slots=True)
class _Window:
    """One connection: what it has been told, and what waits to be written."""

    handle: socket.socket
    heard_ms: int
    splitter: Splitter = field(default_factory=lambda: Splitter(ACT_BYTES_MAX))
    out: bytearray = field(default_factory=bytearray)
    greeted: bool = False
    told: tuple[int, int, int] = (0, 0, 0)
    shown_ms: int = -SNAPSHOT_EVERY_MS
    leaving: bool = False


def listen(address: str) -> tuple[socket.socket, str]:
    """A listening socket, and the address a window attaches to.

    A path is a local socket in a folder of ours (0700), reached by the same user only;
    `tcp://127.0.0.1:PORT` serves systems without local sockets. Other hosts are refused. Raises
    OSError for an address that is served already or cannot be.
    """
    if address.startswith("tcp://"):
        host, _, port = address.removeprefix("tcp://").rpartition(":")
        if host != "127.0.0.1":
            raise ValueError("the engine listens on 127.0.0.1 only")
        server = socket.create_server((host, int(port)))
        return server, f"tcp://127.0.0.1:{server.getsockname()[1]}"
    path = Path(address)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _is_answered(address):
        raise OSError(f"another engine listens on {address}")
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        server.bind(address)
    except OSError as error:
        server.close()
        raise OSError(f"cannot listen on {address}: {error}") from None
    finally:
        os.umask(before)
    server.listen()
    return server, address


def _is_answered(address: str) -> bool:
    """Whether someone serves this local socket; what a dead engine left behind is not served."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        try:
            caller.connect(address)
        except OSError:
            return False
    return True


class Server:
    """The windows of one engine; `run` is the body of its thread."""

    def __init__(self, listening: socket.socket, sources: Sources, stop: Flag) -> None:
        self._listening = listening
        self._sources = sources
        self._stop = stop
        self._windows: dict[int, _Window] = {}
        self._counted = -1
        self._selector = selectors.DefaultSelector()
        self._answers: queue.SimpleQueue[tuple[_Window, Receipt]] = queue.SimpleQueue()

    def run(self) -> None:
        """Serve until the engine stops, then say farewell."""
        self._listening.setblocking(False)
        self._selector.register(self._listening, selectors.EVENT_READ)
        while not self._stop.is_set():
            self._turn(TURN_S)
        for window in list(self._windows.values()):
            self._say(window, Farewell("the engine ended"))
            self._write(window)
            self._drop(window)
        self._selector.close()
        self._listening.close()

    def _turn(self, wait_s: float) -> None:
        for key, _ in self._selector.select(wait_s):
            if key.fileobj is self._listening:
                self._accept()
            else:
                window = self._windows.get(key.fd)
                if window is not None:
                    self._read(window)
        while not self._answers.empty():
            asking, receipt = self._answers.get_nowait()
            self._say(asking, receipt)
        now_ms = self._sources.real_ms()
        for window in list(self._windows.values()):
            self._show(window, now_ms)
            self._write(window)
            if window.leaving or now_ms - window.heard_ms > SILENT_MS_MAX:
                self._drop(window)
        if len(self._windows) != self._counted:
            self._counted = len(self._windows)
            self._sources.windows_changed(self._counted)

    def _accept(self) -> None:
        try:
            handle, _ = self._listening.accept()
        except OSError:
            return
        handle.setblocking(False)
        window = _Window(handle, self._sources.real_ms())
        self._windows[handle.fileno()] = window
        self._selector.register(handle, selectors.EVENT_READ)
        if len(self._windows) > WINDOWS_MAX:
            self._say(window, Farewell("too many windows"))
            window.leaving = True

    def _read(self, window: _Window) -> None:
        try:
            data = window.handle.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            window.leaving = True
            return
        window.heard_ms = self._sources.real_ms()
        try:
            for body in window.splitter.feed(data):
                message = read_by_engine(body)
                if isinstance(message, Act):
                    self._act(window, message)
        except WireError as error:
            self._say(window, Farewell(f"not understood: {error}"))
            window.leaving = True

    def _act(self, window: _Window, act: Act) -> None:
        try:
            event = read_event(act.event)
            if any(isinstance(value, int) and abs(value) > WHOLE_MAX for value in act.event.values()):
                raise CodecError("a number is out of every range")
        except CodecError as error:
            self._say(window, Receipt(act.act, None, f"The program does not know this act: {error}"))
            return
        if self._sources.post is None or not isinstance(event, OperatorEvent | GlucoseSampled):
            self._say(window, Receipt(act.act, None, "This cannot be done from a window here."))
            return

        def answer(seq: int, refused: str) -> None:
            self._answers.put((window, Receipt(act.act, seq, refused)))

        if not self._sources.post(event, answer):
            self._say(window, Receipt(act.act, None, "The program is busy; try again."))

    def _show(self, window: _Window, now_ms: int) -> None:
        """What this window has not seen yet; nothing while the last still waits to be written."""
        if window.out or now_ms - window.shown_ms < SNAPSHOT_EVERY_MS:
            return
        if not window.greeted:
            greeting = self._sources.hello()
            if greeting is None:
                return
            self._say(window, greeting)
            window.greeted = True
        if not self._caught_up(window):
            return
        present = self._sources.snapshot()
        if present is not None:
            self._say(window, present)
        window.shown_ms = now_ms

    def _caught_up(self, window: _Window) -> bool:
        """Tell the next rows; False while more wait, which are told once these are written."""
        history, (samples, rates, events) = self._sources.history, window.told
        rows = Rows(
            history.samples[samples : samples + ROWS_MAX],
            history.rates[rates : rates + ROWS_MAX],
            history.events[events : events + ROWS_MAX],
        )
        counts = len(rows.samples), len(rows.rates), len(rows.events)
        if any(counts) or window.told == (0, 0, 0):
            self._say(window, rows)
        window.told = (samples + counts[0], rates + counts[1], events + counts[2])
        return max(counts) < ROWS_MAX

    def _say(self, window: _Window, message: ToWindow) -> None:
        data = frame(message)
        if len(window.out) + len(data) > BUFFER_BYTES_MAX:
            window.leaving = True
            return
        window.out += data

    def _write(self, window: _Window) -> None:
        if not window.out:
            return
        try:
            sent = window.handle.send(window.out)
        except BlockingIOError:
            return
        except OSError:
            window.leaving = True
            window.out.clear()
            return
        del window.out[:sent]

    def _drop(self, window: _Window) -> None:
        self._selector.unregister(window.handle)
        self._windows.pop(window.handle.fileno(), None)
        window.handle.close()
