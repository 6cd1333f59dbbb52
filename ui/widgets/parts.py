"""The small parts all of the screen is made of: labels that change only on change, touch buttons."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ui.theme import pixels
from ui.view import Button, SizeClass, Tone, Words

TOUCH_PX = 71
"""12 mm at the 0.170 mm/px of a 10.1 inch 1280 × 800 panel (interface sheet 3)."""

GAP_PX = 12
"""2 mm there."""


def restyle(widget: QWidget) -> None:
    """Let the stylesheet see a changed property."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class Label(QLabel):
    """A text in one role; `say` repaints only what changed."""

    def __init__(self, role: str, tone: Tone = Tone.TEXT, text: str = "") -> None:
        super().__init__(text)
        self.setProperty("role", role)
        self.setProperty("tone", tone.value)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def say(self, text: str) -> None:
        """Show `text`."""
        if text != self.text():
            self.setText(text)

    def say_words(self, words: Words) -> None:
        """Show a text in its tone."""
        self.say(words.text)
        self.tint(words.tone)

    def tint(self, tone: Tone) -> None:
        """Show the present text in another tone."""
        if tone.value != self.property("tone"):
            self.setProperty("tone", tone.value)
            restyle(self)


def wrapped(role: str, tone: Tone = Tone.TEXT) -> Label:
    """A label that breaks between words, from the top left."""
    made = Label(role, tone)
    made.setWordWrap(True)
    made.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    return made


class Command(QPushButton):
    """A button high enough for a gloved finger. Held down it acts once."""

    def __init__(self, size: SizeClass, text: str = "", kind: str = "plain") -> None:
        super().__init__(text)
        self.setProperty("kind", kind)
        self.setFixedHeight(pixels(size, TOUCH_PX))
        self.setMinimumWidth(pixels(size, TOUCH_PX))
        self.setAutoRepeat(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_button(self, button: Button) -> None:
        """Show what the button says and whether it acts."""
        if button.text != self.text():
            self.setText(button.text)
        if button.enabled != self.isEnabled():
            self.setEnabled(button.enabled)


def card(size: SizeClass, name: str = "card") -> tuple[QFrame, QVBoxLayout]:
    """A framed box and its upright layout."""
    frame = QFrame()
    frame.setObjectName(name)
    layout = QVBoxLayout(frame)
    side, top = pixels(size, 11), pixels(size, 6)
    layout.setContentsMargins(side, top, side, top)
    layout.setSpacing(0)
    return frame, layout


def row(*widgets: QWidget | None, spacing: int = 0) -> QHBoxLayout:
    """Widgets side by side; None is a stretch."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for widget in widgets:
        if widget is None:
            layout.addStretch(1)
        else:
            layout.addWidget(widget)
    return layout
