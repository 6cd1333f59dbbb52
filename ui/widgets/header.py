"""The header: subject, mode as a large word, phase and clamp clock, device ticks, time of day."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from ui.theme import pixels
from ui.view import Button, HeaderView, SizeClass, Tone
from ui.widgets.parts import GAP_PX, Command, Label

WIDTHS = {"subject": 150, "mode": 226, "phase": 234, "step": 172, "sign": 76}

TICK_WIDTHS = (98, 74)


class Header(QFrame):
    """One row over the whole width. Without commands (replay) mode is a word, not a button."""

    mode_pressed = Signal()
    phase_pressed = Signal()
    sign_pressed = Signal()

    def __init__(self, size: SizeClass, live: bool) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setFixedHeight(pixels(size, 79))
        self._subject = Label("strong")
        self._phase = Label("head")
        self._step = Label("small", Tone.MUTED)
        self._clock = Label("head")
        self._ticks = [Label("small", Tone.MUTED) for _ in range(5)]
        self._mode_word = None if live else Label("mode")
        self.mode = Command(size, "", "mode") if live else None
        self.phase = Command(size) if live else None
        self.sign = Command(size) if live else None
        layout = QHBoxLayout(self)
        side = pixels(size, 11)
        layout.setContentsMargins(side, 0, side, 0)
        layout.setSpacing(pixels(size, GAP_PX))
        self._subject.setMinimumWidth(pixels(size, WIDTHS["subject"]))
        self._fill(layout, size)
        for widget, name in (
            (self._mode_word, "mode"),
            (self.mode, "mode"),
            (self.phase, "step"),
            (self.sign, "sign"),
        ):
            if widget is not None:
                widget.setFixedWidth(pixels(size, WIDTHS[name]))

    def _fill(self, layout: QHBoxLayout, size: SizeClass) -> None:
        layout.addWidget(self._subject)
        if self._mode_word is not None:
            layout.addWidget(self._mode_word)
        if self.mode is not None:
            layout.addWidget(self.mode)
            self.mode.clicked.connect(self.mode_pressed)
        layout.addWidget(self._pair(size))
        if self.phase is not None:
            layout.addWidget(self.phase)
            self.phase.clicked.connect(self.phase_pressed)
        layout.addStretch(1)
        layout.addWidget(self._tick_grid(size), 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self._clock)
        if self.sign is not None:
            layout.addWidget(self.sign)
            self.sign.clicked.connect(self.sign_pressed)

    def _pair(self, size: SizeClass) -> QWidget:
        box = QWidget()
        box.setFixedWidth(pixels(size, WIDTHS["phase"]))
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addStretch(1)
        layout.addWidget(self._phase)
        layout.addWidget(self._step)
        layout.addStretch(1)
        return box

    def _tick_grid(self, size: SizeClass) -> QWidget:
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(0)
        grid.setHorizontalSpacing(pixels(size, 8))
        for index, tick in enumerate(self._ticks):
            tick.setMinimumWidth(pixels(size, TICK_WIDTHS[index // 3]))
            grid.addWidget(tick, index % 3, index // 3, Qt.AlignmentFlag.AlignLeft)
        return box

    def show_header(self, view: HeaderView, phase: Button) -> None:
        """Show who, how, where and when."""
        self._subject.say(view.subject)
        self._phase.say(view.phase)
        self._step.say(view.step)
        self._clock.say(view.clock)
        for head in (self._subject, self._phase, self._clock):
            head.tint(view.tone)
        for label, words in zip(self._ticks, view.ticks, strict=True):
            label.say_words(words)
        if self._mode_word is not None:
            self._mode_word.say(view.mode)
        if self.mode is not None:
            self.mode.show_button(Button(view.mode, view.tone is Tone.TEXT))
        if self.phase is not None:
            self.phase.show_button(phase)
        if self.sign is not None:
            self.sign.show_button(Button(view.signed, True))
