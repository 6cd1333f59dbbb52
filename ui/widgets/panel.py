"""What all panels over the plots share: title, Back, one marked button, and the keypad.

A panel covers only the middle of the screen: numbers, alarms and STOP stay in sight. Esc closes
it and does nothing else.
"""

from typing import TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from ui.client import Wish
from ui.theme import pixels
from ui.view import SizeClass, Tone, View
from ui.widgets.parts import GAP_PX, Command, Label, card, row

KEYS = ("7", "8", "9", "4", "5", "6", "1", "2", "3", ".", "0", "⌫")
INITIALS_MAX = 4

Part = TypeVar("Part", bound=QWidget)


class Keypad(QWidget):
    """Digits for a line edit; it never takes the focus from it."""

    def __init__(self, size: SizeClass, edit: QLineEdit) -> None:
        super().__init__()
        self._edit = edit
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(pixels(size, GAP_PX))
        for index, key in enumerate(KEYS):
            button = Command(size, key, "key")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _=False, key=key: self._press(key))
            grid.addWidget(button, index // 3, index % 3)

    def _press(self, key: str) -> None:
        if key == "⌫":
            self._edit.backspace()
        else:
            self._edit.insert(key)


class Panel(QWidget):
    """A step in front of an act. `wished` carries the act, `signed` the initials keyed with it."""

    wished = Signal(Wish)
    signed = Signal(str)
    closed = Signal()

    def __init__(self, size: SizeClass, title: str, marked: str = "", kind: str = "main") -> None:
        super().__init__()
        self.size_class = size
        frame, self.body = card(size, "panel")
        self.body.setSpacing(pixels(size, 8))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.title = Label("strong", text=title)
        self.body.addWidget(self.title)
        self.back = Command(size, "Back\nEsc")
        self.back.clicked.connect(self.closed)
        self.marked = Command(size, marked, kind) if marked else None
        self._foot = row(self.back, None, spacing=pixels(size, GAP_PX))
        self.back.setFixedWidth(pixels(size, 110))
        if self.marked is not None:
            self.marked.setMinimumWidth(pixels(size, 220))
            self._foot.addWidget(self.marked)

    def finish(self) -> None:
        """Put Back and the marked button at the foot; called last by each panel."""
        self.body.addStretch(1)
        self.body.addLayout(self._foot)

    def start(self) -> None:
        """Take the focus when shown."""
        self.back.setFocus()

    def enter(self) -> None:
        """Enter: press the marked button."""
        if self.marked is not None and self.marked.isEnabled():
            self.marked.click()

    def confirm(self) -> None:
        """Ctrl+Enter: only STOP listens to it."""

    def refresh(self, view: View) -> None:
        """A new view arrived while the panel is open."""

    def line(self, placeholder: str, text: str = "", width: int | None = None) -> QLineEdit:
        """A line to type in, as high as a button."""
        edit = QLineEdit(text)
        edit.setPlaceholderText(placeholder)
        edit.setMinimumHeight(pixels(self.size_class, 56))
        if width is not None:
            edit.setFixedWidth(pixels(self.size_class, width))
        return edit

    def initials(self, actor: str) -> QLineEdit:
        """A line for initials, filled with those of the last act."""
        edit = self.line("Initials", actor, 110)
        edit.setMaxLength(INITIALS_MAX)
        return edit

    def add(self, part: Part) -> Part:
        """Put a part under the last one."""
        self.body.addWidget(part)
        return part


def sentence(text: str = "", tone: Tone = Tone.TEXT) -> Label:
    """A sentence that breaks between words."""
    label = Label("body", tone, text)
    label.setWordWrap(True)
    return label
