"""The alarm strip. Its height is always reserved: nothing moves when it fills."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from ui.theme import pixels
from ui.view import Band, Button, SizeClass, StripView
from ui.widgets.parts import GAP_PX, Command, Label, restyle

FLASH_MS = {Band.HIGH: 250, Band.MEDIUM: 1_000}
"""Half a period: 2 Hz for high, 0.5 Hz for medium (interface sheet 4.3)."""


class Strip(QFrame):
    """Priority mark, text, count, Silence and Details."""

    silence_pressed = Signal()
    details_pressed = Signal()

    def __init__(self, size: SizeClass, live: bool) -> None:
        super().__init__()
        self.setObjectName("strip")
        self.setProperty("band", Band.CALM.value)
        self.setFixedHeight(pixels(size, 79))
        self._mark = Label("alarm")
        self._mark.setObjectName("mark")
        self._mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._mark.setFixedSize(pixels(size, 84), pixels(size, 44))
        self._title = Label("alarm")
        self._title.setMinimumWidth(pixels(size, 100))
        self._text = Label("alarm")
        self._text.setWordWrap(True)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._count = Label("body")
        self._count.setFixedWidth(pixels(size, 60))
        self.silence = Command(size, "Silence\nF8") if live else None
        self.details = Command(size, "Details\nF1") if live else None
        layout = QHBoxLayout(self)
        side = pixels(size, 11)
        layout.setContentsMargins(side, 0, side, 0)
        layout.setSpacing(pixels(size, GAP_PX))
        for widget in (self._mark, self._title):
            layout.addWidget(widget)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._count)
        for button, pressed in (
            (self.silence, self.silence_pressed),
            (self.details, self.details_pressed),
        ):
            if button is not None:
                button.setFixedWidth(pixels(size, 122))
                button.clicked.connect(pressed)
                layout.addWidget(button)
        self._flash = QTimer(self)
        self._flash.timeout.connect(lambda: self._light(self._mark.property("lit") == "false"))

    def show_strip(self, view: StripView) -> None:
        """Show the most urgent alarm, calm, or the replay band."""
        self._mark.say(view.mark)
        self._title.say(view.title)
        self._text.say(view.text)
        self._count.say(view.count)
        if self.property("band") != view.band.value:
            self.setProperty("band", view.band.value)
            restyle(self)
            for child in (self._mark, self._title, self._text, self._count, self.silence, self.details):
                if child is not None:
                    restyle(child)
        if self.silence is not None:
            self.silence.show_button(Button(view.silence, view.can_silence))
        self._set_flash(FLASH_MS.get(view.band) if view.flashes else None)

    def _set_flash(self, half_period_ms: int | None) -> None:
        if half_period_ms is None:
            self._flash.stop()
            self._light(True)
        elif not self._flash.isActive() or self._flash.interval() != half_period_ms:
            self._flash.start(half_period_ms)

    def _light(self, lit: bool) -> None:
        word = "true" if lit else "false"
        if self._mark.property("lit") != word:
            self._mark.setProperty("lit", word)
            restyle(self._mark)
