"""An engine's end of the wire in this process: says what a test tells it, keeps what it is sent."""

from PySide6.QtCore import QObject
from PySide6.QtNetwork import QHostAddress, QLocalServer, QLocalSocket, QTcpServer, QTcpSocket

from clampctl.engine.wire import Act, Beat, Hello, Receipt, Rows, Snapshot, Splitter, frame, read_by_engine
from tests.ui import bedside_state as bed
from ui.attachment import History


class FakeEngine(QObject):
    """Greets each window with hello, history and a snapshot; answers acts when `answers` is set."""

    def __init__(self, hello: Hello = bed.HELLO, now: Snapshot = bed.NOW) -> None:
        super().__init__()
        self.hello, self.now, self.history = hello, now, bed.HISTORY
        self.answers = True
        self.acts: list[Act] = []
        self.beats = 0
        self._sockets: list[QLocalSocket | QTcpSocket] = []
        self._server: QLocalServer | QTcpServer | None = None

    def listen(self, path: str) -> None:
        """Take windows at a local path."""
        server = QLocalServer(self)
        server.newConnection.connect(lambda: self._greet(server.nextPendingConnection()))
        assert server.listen(path), server.errorString()
        self._server = server

    def listen_tcp(self) -> str:
        """Take windows on a free TCP port; returns the address for a client."""
        server = QTcpServer(self)
        server.newConnection.connect(lambda: self._greet(server.nextPendingConnection()))
        assert server.listen(QHostAddress.SpecialAddress.LocalHost)
        self._server = server
        return f"tcp://127.0.0.1:{server.serverPort()}"

    def _greet(self, socket: QLocalSocket | QTcpSocket) -> None:
        self._sockets.append(socket)
        splitter = Splitter()
        socket.readyRead.connect(lambda: self._hear(socket, splitter))
        past: History = self.history
        rows = Rows(list(past.samples), list(past.rates), list(past.events))
        for message in (self.hello, rows, self.now):
            socket.write(frame(message))

    def _hear(self, socket: QLocalSocket | QTcpSocket, splitter: Splitter) -> None:
        for body in splitter.feed(bytes(socket.readAll().data())):
            match read_by_engine(body):
                case Act() as act:
                    self.acts.append(act)
                    if self.answers:
                        socket.write(frame(Receipt(act=act.act, seq=1000 + act.act, refused="")))
                case Beat():
                    self.beats += 1

    def say(self, message: Snapshot | Rows | Receipt | Hello) -> None:
        """Say something to every window."""
        for socket in self._sockets:
            socket.write(frame(message))

    def die(self) -> None:
        """Drop every window and take no new one."""
        if self._server is not None:
            self._server.close()
        for socket in self._sockets:
            socket.abort()
        self._sockets.clear()
