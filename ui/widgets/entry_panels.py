"""Panels that take a number: a glucose value keyed by hand, and another glucose infusion rate."""

from PySide6.QtWidgets import QLineEdit, QVBoxLayout

from clampctl.core.events import RateOverridden
from clampctl.units import dextrose_ul_h
from ui.acts import keyed_sample
from ui.client import Wish
from ui.keying import Again, Ready, Refused, judge, number
from ui.theme import pixels
from ui.view import ChangeForm, SampleForm, SizeClass, Tone, View
from ui.widgets.panel import Keypad, Panel, sentence
from ui.widgets.parts import GAP_PX, Command, Label, row
from ui.words import GIR_UNIT, gir, glucose_with_unit, rate

REASONS = ("Glucose falls", "Glucose rises", "Value doubted", "Line trouble", "Physician", "Other")
STEP_MS = 60_000


class SamplePanel(Panel):
    """ENTER SAMPLE: value with its unit, time of the draw, unlikely values keyed twice."""

    def __init__(self, size: SizeClass, form: SampleForm, serial: int) -> None:
        super().__init__(size, "ENTER SAMPLE", "Use value\nEnter")
        self._form, self._serial = form, serial
        self._first: str | None = None
        self._hint: Label = sentence()
        self._drawn_at_ms = form.drawn_at_ms
        self._moved = False
        self._edit: QLineEdit = self.line("")
        self._edit.setProperty("role", "number")
        self._edit.setMaxLength(6)
        self._edit.setFixedWidth(pixels(size, 180))
        self._edit.textChanged.connect(lambda: self._hint.say(""))
        self._drawn = Label("strong", text=self._drawn_words())
        self._hint.setFixedHeight(pixels(size, 60))
        self._last = sentence(form.last, Tone.MUTED)
        left = QVBoxLayout()
        left.setSpacing(pixels(size, 8))
        left.addLayout(row(self._edit, Label("strong", text=form.unit), None, spacing=pixels(size, 8)))
        left.addWidget(self._last)
        left.addWidget(self._hint)
        left.addStretch(1)
        left.addWidget(self._drawn)
        earlier, later = Command(size, "1 min\nearlier"), Command(size, "1 min\nlater")
        earlier.clicked.connect(lambda: self._move(-STEP_MS))
        later.clicked.connect(lambda: self._move(STEP_MS))
        left.addLayout(row(earlier, later, None, spacing=pixels(size, GAP_PX)))
        columns = row(spacing=pixels(size, 16))
        columns.addLayout(left, 1)
        columns.addWidget(Keypad(size, self._edit))
        self.body.addLayout(columns)
        if self.marked is not None:
            self.marked.clicked.connect(self._use)
        self.finish()

    def start(self) -> None:
        """Keys go to the value."""
        self._edit.setFocus()

    def refresh(self, view: View) -> None:
        """Time passes while the value is keyed; a draw marked meanwhile counts."""
        self._form = view.sample_form
        if not self._moved:
            self._drawn_at_ms = self._form.drawn_at_ms
        self._drawn.say(self._drawn_words())
        self._last.say("" if self._first is not None else self._form.last)

    def _drawn_words(self) -> str:
        if self._drawn_at_ms is None:
            return "draw not marked"
        ago_s = max(0, self._form.at_ms - self._drawn_at_ms) // 1000
        return f"drawn {ago_s // 60} min {ago_s % 60} s ago"

    def _move(self, by_ms: int) -> None:
        start_ms = self._form.at_ms if self._drawn_at_ms is None else self._drawn_at_ms
        self._drawn_at_ms = max(0, min(self._form.at_ms, start_ms + by_ms))
        self._moved = True
        self._drawn.say(self._drawn_words())

    def _use(self) -> None:
        text, form = self._edit.text().strip().replace(",", "."), self._form
        verdict = judge(text, form.unit, form.last_mg_dl, self._first)
        match verdict:
            case Ready(glucose_mg_dl):
                event = keyed_sample(
                    self._serial, form.at_ms, glucose_mg_dl, self._drawn_at_ms, text, form.unit
                )
                self.wished.emit(Wish(event, f"Sample {glucose_with_unit(glucose_mg_dl, form.unit)}"))
                self.closed.emit()
            case Refused(why):
                self._first = None
                self._edit.clear()
                self._hint.say(why)
            case Again():
                self._first = text
                self._edit.clear()
                self._last.say("")
                self._hint.say(verdict.value)


class ChangePanel(Panel):
    """Change rate: another GIR with a reason from the list, free text and initials."""

    def __init__(self, size: SizeClass, form: ChangeForm, actor: str) -> None:
        super().__init__(size, "CHANGE GLUCOSE INFUSION", "Set rate\nEnter")
        self._form = form
        self._edit: QLineEdit = self.line("")
        self._edit.setProperty("role", "number")
        self._edit.setMaxLength(5)
        self._edit.setFixedWidth(pixels(size, 150))
        self._edit.textChanged.connect(self._preview)
        self._after = sentence("→ –")
        self._before = sentence(form.before, Tone.MUTED)
        self._hint = sentence()
        self._hint.setFixedHeight(pixels(size, 40))
        self._text: QLineEdit = self.line("More words")
        self._initials: QLineEdit = self.initials(actor)
        self._reasons = [Command(size, words.replace(" ", "\n", 1)) for words in REASONS]
        left = QVBoxLayout()
        left.setSpacing(pixels(size, 6))
        left.addLayout(row(self._edit, Label("strong", text=GIR_UNIT), None, spacing=pixels(size, 8)))
        left.addWidget(self._before)
        left.addWidget(self._after)
        left.addWidget(self._hint)
        left.addStretch(1)
        left.addLayout(row(self._text, self._initials, spacing=pixels(size, GAP_PX)))
        columns = row(spacing=pixels(size, 16))
        columns.addLayout(left, 1)
        columns.addWidget(Keypad(size, self._edit))
        self.body.addLayout(columns)
        for start in (0, 3):
            self.body.addLayout(row(*self._reasons[start : start + 3], spacing=pixels(size, GAP_PX)))
        for button in self._reasons:
            button.setCheckable(True)
            button.setAutoExclusive(True)
        if self.marked is not None:
            self.marked.clicked.connect(self._set)
        self.finish()

    def start(self) -> None:
        """Keys go to the rate."""
        self._edit.setFocus()

    def refresh(self, view: View) -> None:
        """The rate before may change while the panel is open."""
        self._form = view.change_form
        self._before.say(self._form.before)

    def _preview(self) -> None:
        value = number(self._edit.text())
        if value is None:
            self._after.say("→ –")
            return
        rate_ul_h = round(dextrose_ul_h(value, self._form.weight_kg, self._form.dextrose_g_l))
        self._after.say(f"→ {gir(value)} {GIR_UNIT} = {rate(rate_ul_h)}")

    def _set(self) -> None:
        value = number(self._edit.text())
        chosen = [words for words, button in zip(REASONS, self._reasons, strict=True) if button.isChecked()]
        initials, more = self._initials.text().strip(), self._text.text().strip()
        if value is None:
            self._hint.say("Key the new rate in mg/kg/min.")
        elif not chosen or (chosen == ["Other"] and not more):
            self._hint.say("Choose a reason; with Other, say which.")
        elif not initials:
            self._hint.say("Your initials are needed.")
        else:
            reason = f"{chosen[0]}: {more}" if more else chosen[0]
            self.signed.emit(initials)
            event = RateOverridden(gir_mg_kg_min=value, reason=reason, actor=initials)
            self.wished.emit(Wish(event, f"Change to {gir(value)} {GIR_UNIT}", sets_rate=True))
            self.closed.emit()
