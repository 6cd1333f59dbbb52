"""The window: a client, a page that paints its views, and the second voice for alarms.

Opens on an address and stays attached to it; closing it changes no infusion. Redraws at most
twice a second, and only what changed.
"""

from collections.abc import Callable

from PySide6.QtCore import QDateTime, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QMainWindow

from clampctl.engine.wire import Hello
from ui.attachment import Attachment
from ui.client import Client, Wish
from ui.pages.running import RunningPage
from ui.present import present
from ui.sound import Voice
from ui.theme import DAY, NIGHT, THEMES, Theme, load_font, palette, stylesheet
from ui.view import SizeClass
from ui.widgets.panel import sentence

PAINT_MS = 500
LARGE_PX = (1728, 1072)
"""From this much room on, the grid of 1920 × 1080 is used: it needs all of that."""


def size_class(width: int, height: int) -> SizeClass:
    """The grid for a window of this many pixels."""
    large = width >= LARGE_PX[0] and height >= LARGE_PX[1]
    return SizeClass.LARGE if large else SizeClass.SMALL


class Window(QMainWindow):
    """One window on one engine or recorded clamp."""

    def __init__(self, client: Client, theme: Theme, size: SizeClass, actor: str = "") -> None:
        super().__init__()
        self.setWindowTitle("clampctl")
        self.client, self.theme, self.actor = client, theme, actor
        self.page: RunningPage | None = None
        self._size = size
        self._hello: Hello | None = None
        self._dirty = False
        self._voice = Voice(self)
        self._waiting = sentence(f"Connecting to {client.address} …")
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._paint_timer = QTimer(self)
        self._paint_timer.setInterval(PAINT_MS)
        self._paint_timer.timeout.connect(self._paint_if_dirty)
        client.changed.connect(self._mark_dirty)
        self.setCentralWidget(self._waiting)
        self.wear(theme)

    def wear(self, theme: Theme) -> None:
        """Switch day and night; nothing is rebuilt."""
        self.theme = theme
        self.setPalette(palette(theme))
        self.setStyleSheet(stylesheet(theme, self._size))
        if self.page is not None:
            self.page.dress(theme)

    def _mark_dirty(self) -> None:
        if self._paint_timer.isActive():
            self._dirty = True
        else:
            self.paint()
            self._paint_timer.start()

    def _paint_if_dirty(self) -> None:
        if self._dirty:
            self.paint()
        else:
            self._paint_timer.stop()

    def paint(self) -> None:
        """Show the state the client holds now."""
        self._dirty = False
        client = self.client
        if client.hello is None or client.snapshot is None:
            self._waiting.say(f"Connecting to {client.address} …  {client.trouble}")
            return
        if self.page is None or self._hello is None or self._hello.live != client.hello.live:
            self._make_page(client.hello)
        self._hello = client.hello
        mine = Attachment(
            connected=client.connected,
            deed=client.deed,
            actor=self.actor,
            audio=self._voice.audio,
            utc_offset_min=QDateTime.currentDateTime().offsetFromUtc() // 60,
        )
        view = present(client.hello, client.history, client.snapshot, mine, self._size)
        if self.page is not None:
            self.page.show_view(view)
        self._voice.follow(view.sound)

    def _make_page(self, hello: Hello) -> None:
        page = RunningPage(self._size, self.theme, hello.live)
        page.actor = self.actor
        page.wished.connect(self._send)
        page.signed.connect(self._sign)
        page.switched.connect(lambda: self.wear(DAY if self.theme is NIGHT else NIGHT))
        self.page = page
        self.setCentralWidget(page)
        page.setFocus()

    def _send(self, wish: Wish) -> None:
        self.client.send(wish)

    def _sign(self, actor: str) -> None:
        self.actor = actor
        if self.page is not None:
            self.page.actor = actor
        self._mark_dirty()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Keys reach the page even when nothing has the focus."""
        if self.page is not None:
            self.page.keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 -- Qt's name
        """Leave; the clamp goes on."""
        self._paint_timer.stop()
        self._voice.close()
        self.client.detach()
        super().closeEvent(event)


def _photograph(window: Window, app: QApplication, path: str) -> Callable[[], None]:
    """A slot that saves the window once it shows a clamp, and quits."""

    def shoot() -> None:
        if window.page is not None:
            saved = window.grab().save(path)
            app.exit(0 if saved else 1)

    return shoot


def main(
    address: str,
    theme: str = "night",
    size: tuple[int, int] | None = None,
    screenshot: str | None = None,
    quit_after_s: float | None = None,
    actor: str = "",
) -> int:
    """Open a window attached to `address` (a socket path or `tcp://host:port`) and run until closed.

    `size` in pixels, None for the whole screen. With `screenshot` a picture is saved as soon as a clamp
    is shown, then the window closes. `quit_after_s` closes it after that time. Returns 0, or 1 when
    a picture was asked for and could not be taken.
    """
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication([])
    app.setStyle("Fusion")  # the same metrics on every platform
    load_font()
    room = app.primaryScreen().geometry()
    width, height = size or (room.width(), room.height())
    client = Client(address)
    window = Window(client, THEMES[theme], size_class(width, height), actor)
    window.resize(width, height)
    if size is None and screenshot is None:
        window.showFullScreen()
    else:
        window.show()
    timer = QTimer()
    if screenshot is not None:
        timer.timeout.connect(_photograph(window, app, screenshot))
        timer.start(PAINT_MS)
    limit = QTimer()
    limit.setSingleShot(True)
    limit.timeout.connect(lambda: app.exit(0 if screenshot is None else 1))
    if quit_after_s is not None:
        limit.start(round(quit_after_s * 1000))
    client.attach()
    code = app.exec()
    timer.stop()
    limit.stop()  # an exit that comes later would end every loop that is begun after it
    window.close()
    return code
