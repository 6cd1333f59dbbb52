"""The boxes with the numbers: glucose, the two infusions, the next sample, quality, advice."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from ui.command_words import ADVICE_LINES, DEED_LINES
from ui.theme import pixels
from ui.view import AdviceView, GlucoseCard, InfusionCard, NextCard, QualityCard, SizeClass, Tone, Words
from ui.widgets.parts import Label, card, row, wrapped

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def _stack(*labels: Label) -> QWidget:
    """Lines right of a big number, together in the middle of its height."""
    box = QWidget()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addStretch(1)
    for label in labels:
        label.setAlignment(RIGHT)
        layout.addWidget(label)
    layout.addStretch(1)
    return box


class GlucoseBox:
    """The last glucose: huge, with age, trend, target and source."""

    def __init__(self, size: SizeClass) -> None:
        self.frame, layout = card(size)
        self._title = Label("caption", Tone.MUTED)
        self._age = Label("strong")
        self._value = Label("huge")
        self._trend = Label("big")
        self._slope = Label("strong")
        self._slope_unit = Label("small", Tone.MUTED)
        self._target = Label("body")
        self._source = Label("small", Tone.MUTED)
        layout.addLayout(row(self._title, None, self._age))
        layout.addStretch(1)
        layout.addLayout(row(self._value, None, _stack(self._trend, self._slope, self._slope_unit)))
        layout.addStretch(1)
        layout.addLayout(row(self._target, None, self._source))

    def show_card(self, view: GlucoseCard) -> None:
        """Show the value of this moment."""
        self._title.say(view.title)
        self._age.say(view.age)
        self._value.say_words(view.value)
        self._trend.say(view.trend)
        self._slope.say(view.slope)
        self._slope_unit.say(view.slope_unit)
        self._target.say_words(view.target)
        self._source.say(view.source)


class InfusionBox:
    """One infusion: the dose large, commanded and reported rate side by side."""

    def __init__(self, size: SizeClass, role: str) -> None:
        self.frame, layout = card(size)
        self._title = Label("caption", Tone.MUTED)
        self._value = Label(role)
        self._wanted = Label("small", Tone.MUTED)
        self._commanded = Label("strong")
        self._reported = Label("strong")
        layout.addWidget(self._title)
        layout.addStretch(1)
        layout.addLayout(row(self._value, None, _stack(self._wanted)))
        layout.addStretch(1)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(0)
        grid.addWidget(Label("small", Tone.MUTED, "commanded"), 0, 0)
        grid.addWidget(Label("small", Tone.MUTED, "reported by pump"), 0, 1)
        grid.addWidget(self._commanded, 1, 0)
        grid.addWidget(self._reported, 1, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        layout.addLayout(grid)

    def show_card(self, view: InfusionCard) -> None:
        """Show dose and rates of this moment."""
        self._title.say(view.title)
        self._value.say_words(view.value)
        self._wanted.say(view.wanted)
        self._commanded.say_words(view.commanded)
        self._reported.say_words(view.reported)


class NextBox:
    """The countdown to the next sample."""

    def __init__(self, size: SizeClass) -> None:
        self.frame, layout = card(size)
        self._title = Label("caption", Tone.MUTED)
        self._value = Label("middle")
        self._due = Label("body", Tone.MUTED)
        self._drawn = Label("body")
        layout.addWidget(self._title)
        layout.addStretch(1)
        layout.addLayout(row(self._value, None, _stack(self._due, self._drawn)))
        layout.addStretch(1)

    def show_card(self, view: NextCard) -> None:
        """Show the countdown of this moment."""
        self._title.say(view.title)
        self._value.say_words(view.value)
        self._due.say(view.due)
        self._drawn.say(view.drawn)


class QualityBox:
    """The figures of the last 30 min."""

    ROWS = 4

    def __init__(self, size: SizeClass) -> None:
        self.frame, layout = card(size)
        self._title = Label("caption", Tone.MUTED)
        self._verdict = Label("small")
        self._names = [Label("small", Tone.MUTED) for _ in range(self.ROWS)]
        self._values = [Label("body") for _ in range(self.ROWS)]
        layout.addLayout(row(self._title, None, self._verdict))
        for name, value in zip(self._names, self._values, strict=True):
            layout.addLayout(row(name, None, value))

    def show_card(self, view: QualityCard) -> None:
        """Show the figures of this moment."""
        self._title.say(view.title)
        for index, figure in enumerate(view.rows):
            self._names[index].say(figure.name)
            self._values[index].say_words(Words(figure.value, view.tone))
        self._verdict.say_words(Words(view.verdict, view.tone))


class AdviceBox:
    """Why this rate, and what became of the last command; their lines always reserved."""

    def __init__(self, size: SizeClass) -> None:
        self.frame: QFrame
        self.frame, layout = card(size)
        self._advice = wrapped("body")
        self._deed = wrapped("body")
        for label, lines in ((self._advice, ADVICE_LINES), (self._deed, DEED_LINES)):
            label.setFixedHeight(pixels(size, 19 * lines))
            layout.addWidget(label)

    def show_card(self, view: AdviceView) -> None:
        """Show advice and the last command."""
        self._advice.say_words(Words(view.advice, view.tone))
        self._deed.say_words(Words(view.deed, view.tone))
