"""A window's end of the wire: attach, stay attached, gather what the engine says, send acts.

Qt's sockets with signals; nothing here waits. An act is sent once: never queued, never repeated.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtNetwork import QAbstractSocket, QLocalSocket, QTcpSocket

from clampctl.core.events import GlucoseSampled, OperatorEvent
from clampctl.engine.wire import (
    WIRE_VERSION,
    Act,
    Beat,
    Farewell,
    Hello,
    Receipt,
    Rows,
    Snapshot,
    Splitter,
    ToWindow,
    WireError,
    frame,
    read_by_window,
)
from ui.acts import spelled
from ui.attachment import Deed, Fate, History

RETRY_MS_MIN = 250
RETRY_MS_MAX = 5_000
TICK_MS = 1_000
RECEIPT_MS = 5_000
SILENCE_MS = 3_000
"""A live engine speaks twice a second; this long without a word counts as lost (design choice)."""


def monotonic_ms() -> int:
    """Milliseconds on a clock that never steps."""
    return time.monotonic_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Wish:
    """An act the page asks for: the event, its words on screen, and what it binds."""

    event: OperatorEvent | GlucoseSampled
    words: str
    proposal: int | None = None
    sets_rate: bool = False


class Client(QObject):
    """Attached to one address: a path of a local socket, or `tcp://host:port`."""

    changed = Signal()

    def __init__(
        self, address: str, parent: QObject | None = None, clock: Callable[[], int] = monotonic_ms
    ) -> None:
        super().__init__(parent)
        self.address = address
        self.hello: Hello | None = None
        self.history = History()
        self.snapshot: Snapshot | None = None
        self.trouble = ""
        self.deed: Deed | None = None
        self._clock = clock
        self._pending: dict[int, tuple[int, Deed]] = {}
        self._numbers = itertools.count(1)
        self._splitter = Splitter()
        self._greeted = False
        self._heard_ms = 0
        self._retry_ms = RETRY_MS_MIN
        self._socket: QLocalSocket | QTcpSocket = self._make_socket()
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.timeout.connect(self.attach)
        self._ticker = QTimer(self)
        self._ticker.setInterval(TICK_MS)
        self._ticker.timeout.connect(self.tick)

    def _make_socket(self) -> QLocalSocket | QTcpSocket:
        made: QLocalSocket | QTcpSocket
        made = QTcpSocket(self) if self.address.startswith("tcp://") else QLocalSocket(self)
        made.disconnected.connect(self._on_gone)
        made.errorOccurred.connect(self._on_gone)
        made.readyRead.connect(self._on_bytes)
        return made

    @property
    def connected(self) -> bool:
        """Whether the engine greeted on this connection and is not silent."""
        if not self._greeted or self.hello is None or self.snapshot is None:
            return False
        return not self.hello.live or self._clock() - self._heard_ms <= SILENCE_MS

    def attach(self) -> None:
        """Begin to connect; signals tell the rest."""
        self._ticker.start()
        if isinstance(self._socket, QLocalSocket):
            self._socket.connectToServer(self.address)
        else:
            host, _, port = self.address.removeprefix("tcp://").rpartition(":")
            self._socket.connectToHost(host, int(port))

    def detach(self) -> None:
        """End the attachment for good."""
        self._ticker.stop()
        self._retry.stop()
        self._socket.blockSignals(True)
        self._socket.abort()

    def send(self, wish: Wish) -> Deed:
        """Send one act now, or say that it was not sent; `deed` tells its fate from then on."""
        number = next(self._numbers)
        deed = Deed(number, wish.words, Fate.PENDING, wish.proposal, wish.sets_rate)
        if not self.connected or self.hello is None or not self.hello.live:
            deed = replace(deed, fate=Fate.NOT_SENT)
        else:
            self._socket.write(frame(Act(act=number, event=spelled(wish.event))))
            self._socket.flush()
            self._pending[number] = (self._clock(), deed)
        self.deed = deed
        self.changed.emit()
        return deed

    def tick(self) -> None:
        """Once a second: a beat for the engine, and acts without a receipt time out."""
        if self._greeted:
            self._socket.write(frame(Beat(wire=WIRE_VERSION)))
        for number, (sent_ms, _) in list(self._pending.items()):
            if self._clock() - sent_ms >= RECEIPT_MS:
                self._settle(number, Fate.TIMED_OUT)
        self.changed.emit()

    def _settle(self, number: int, fate: Fate, seq: int | None = None, refused: str = "") -> None:
        found = self._pending.pop(number, None)
        if found is None:
            return
        done = replace(found[1], fate=fate, seq=seq, refused=refused)
        if self.deed is None or self.deed.act == number or fate is not Fate.JOURNALLED:
            self.deed = done

    def _on_bytes(self) -> None:
        try:
            for body in self._splitter.feed(bytes(self._socket.readAll().data())):
                self._take(read_by_window(body))
        except WireError as error:
            self.trouble = f"The engine sent what this window cannot read: {error}"
            self._socket.abort()
            self._on_gone()
        self.changed.emit()

    def _take(self, message: ToWindow) -> None:
        self._heard_ms = self._clock()
        match message:
            case Hello():
                if message.wire != WIRE_VERSION:
                    raise WireError(f"it speaks version {message.wire}, this window {WIRE_VERSION}")
                self.hello = message
                self.history = History()
                self._greeted = True
                self._retry_ms = RETRY_MS_MIN
                self.trouble = ""
            case Rows():
                past = self.history
                self.history = History(
                    past.samples + tuple(message.samples),
                    past.rates + tuple(message.rates),
                    past.events + tuple(message.events),
                )
            case Snapshot():
                self.snapshot = message
            case Receipt():
                refused = Fate.REFUSED if message.refused else Fate.JOURNALLED
                self._settle(message.act, refused, message.seq, message.refused)
            case Farewell():
                self.trouble = message.reason

    def _on_gone(self) -> None:
        if self._retry.isActive():
            return
        self._greeted = False
        self._splitter = Splitter()
        for number in list(self._pending):
            self._settle(number, Fate.CUT_OFF)
        if not self.trouble:
            self.trouble = self._socket.errorString()
        self._retry.start(self._retry_ms)
        self._socket.abort()
        self._retry_ms = min(RETRY_MS_MAX, 2 * self._retry_ms)
        self.changed.emit()

    def is_idle(self) -> bool:
        """Whether no connection is open or being made."""
        if isinstance(self._socket, QLocalSocket):
            return self._socket.state() == QLocalSocket.LocalSocketState.UnconnectedState
        return self._socket.state() == QAbstractSocket.SocketState.UnconnectedState
