"""The column of commands. STOP INSULIN is at its foot, far from Accept; a replay has none of it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.theme import pixels
from ui.view import ActionsView, Button, QualityCard, SizeClass
from ui.widgets.cards import QualityBox
from ui.widgets.parts import GAP_PX, Command, row


class Commands(QWidget):
    """Buttons by rising danger from the top, the quality box between."""

    pressed = Signal(str)

    def __init__(self, size: SizeClass, live: bool) -> None:
        super().__init__()
        self._live = live
        self.quality = QualityBox(size)
        gap = pixels(size, GAP_PX)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(gap)
        if not live:
            layout.addWidget(self.quality.frame)
            layout.addStretch(1)
            return
        self.sample = self._made(size, "sample", "main")
        self.drawn = self._made(size, "drawn")
        self.note = self._made(size, "note")
        self.accept = self._made(size, "accept")
        self.change = self._made(size, "change")
        self.hold = self._made(size, "hold")
        self.stop_glucose = self._made(size, "stop_glucose")
        self.stop_insulin = self._made(size, "stop_insulin", "stop")
        half = (pixels(size, 300) - gap) // 2
        for button in (self.drawn, self.note, self.change, self.hold, self.stop_glucose):
            button.setFixedWidth(half)
        layout.addWidget(self.sample)
        layout.addLayout(row(self.drawn, None, self.note))
        layout.addWidget(self.accept)
        layout.addLayout(row(self.change, None, self.hold))
        layout.addWidget(self.quality.frame)
        layout.addStretch(1)
        layout.addLayout(row(None, self.stop_glucose))
        layout.addWidget(self.stop_insulin)

    def _made(self, size: SizeClass, name: str, kind: str = "plain") -> Command:
        button = Command(size, "", kind)
        button.setObjectName(name)
        button.clicked.connect(lambda: self.pressed.emit(name))
        return button

    def show_commands(self, actions: ActionsView, quality: QualityCard) -> None:
        """Show what may be done now, and the figures."""
        self.quality.show_card(quality)
        if not self._live:
            return
        accept = Button(actions.accept.text, actions.accept.enabled)
        for button, said in (
            (self.sample, actions.sample),
            (self.drawn, actions.drawn),
            (self.note, actions.note),
            (self.accept, accept),
            (self.change, actions.change),
            (self.hold, actions.hold),
            (self.stop_glucose, actions.stop_glucose),
            (self.stop_insulin, actions.stop_insulin),
        ):
            button.show_button(said)
