"""The smaller panels: log event, initials, mode, next phase, alarms in detail."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from clampctl.core.commands import Role
from clampctl.core.events import (
    AlarmAcknowledged,
    BasalStarted,
    ClampEnded,
    ClampResumed,
    ClampStarted,
    CloseRequested,
    MealGiven,
    ModeChosen,
    NoteLogged,
    OperatorEvent,
    PumpReleased,
    PumpShown,
)
from clampctl.core.protocol import Mode
from ui.client import Wish
from ui.command_words import CHOICES, Choice
from ui.theme import pixels
from ui.view import AlarmLine, SizeClass, Tone, View
from ui.widgets.panel import Panel, sentence
from ui.widgets.parts import GAP_PX, Command, Label, row
from ui.words import fit

NOTES = ("Line flushed", "Syringe changed", "Bag changed", "Arm warmed", "Potassium drawn", "Meal given")
ALARM_ROWS = 3


class NotePanel(Panel):
    """Log event: a frequent note by one touch, or free text."""

    def __init__(self, size: SizeClass, actor: str, events: tuple[str, ...]) -> None:
        super().__init__(size, "LOG EVENT", "Log text\nEnter")
        self._actor = actor
        for start in (0, 3):
            buttons = [self._quick(size, words) for words in NOTES[start : start + 3]]
            self.body.addLayout(row(*buttons, spacing=pixels(size, GAP_PX)))
        self._text: QLineEdit = self.add(self.line("What happened"))
        self.add(Label("caption", Tone.MUTED, "LATEST EVENTS"))
        for entry in events[-7:]:
            self.add(Label("small", text=fit(entry, 60)))
        if self.marked is not None:
            self.marked.clicked.connect(lambda: self._log(self._text.text().strip()))
        self.finish()

    def _quick(self, size: SizeClass, words: str) -> Command:
        button = Command(size, words.replace(" ", "\n", 1))
        button.clicked.connect(lambda: self._log(words))
        return button

    def start(self) -> None:
        """Keys go to the text."""
        self._text.setFocus()

    def _log(self, words: str) -> None:
        if not words:
            return
        meal = words == "Meal given"
        event = MealGiven(actor=self._actor) if meal else NoteLogged(text=words, actor=self._actor)
        self.wished.emit(Wish(event, f"Event: {fit(words, 30)}"))
        self.closed.emit()


class SignPanel(Panel):
    """Whose hand it is: initials for all acts of this window from now on; and day or night."""

    switched = Signal()

    def __init__(self, size: SizeClass, actor: str) -> None:
        super().__init__(size, "WHO IS AT THIS SCREEN?", "Sign in\nEnter")
        self.add(sentence("Your initials go with every command into the record."))
        self._initials: QLineEdit = self.add(self.initials(actor))
        self.body.addStretch(1)
        switch = Command(size, "Day / night")
        switch.setFixedWidth(pixels(size, 150))
        switch.clicked.connect(self.switched)
        self.add(switch)
        if self.marked is not None:
            self.marked.clicked.connect(self._sign)
        self.finish()

    def start(self) -> None:
        """Keys go to the initials."""
        self._initials.setFocus()
        self._initials.selectAll()

    def _sign(self) -> None:
        initials = self._initials.text().strip()
        if initials:
            self.signed.emit(initials)
            self.closed.emit()


class ModePanel(Panel):
    """Who applies a proposed rate."""

    def __init__(self, size: SizeClass, actor: str) -> None:
        super().__init__(size, "MODE")
        for mode, name, effect in (
            (Mode.CONFIRM, "CONFIRM", "The program proposes a rate; you accept each one."),
            (Mode.AUTOMATIC, "AUTO", "The program applies its rates within the limits by itself."),
        ):
            button = self.add(Command(size, name))
            event = ModeChosen(mode=mode, actor=actor)
            button.clicked.connect(lambda _=False, e=event, n=name: self._choose(Wish(e, f"Mode {n}")))
            self.add(sentence(effect, Tone.MUTED))
        self.finish()

    def _choose(self, wish: Wish) -> None:
        self.wished.emit(wish)
        self.closed.emit()


def phase_event(choice: Choice, reason: str, actor: str) -> OperatorEvent:
    """The core's event of one step out of a phase."""
    match choice.event:
        case "BasalStarted":
            return BasalStarted(actor=actor)
        case "ClampStarted":
            return ClampStarted(actor=actor)
        case "ClampResumed":
            return ClampResumed(actor=actor)
        case "ClampEnded":
            return ClampEnded(actor=actor, reason=reason)
        case "CloseRequested":
            return CloseRequested(actor=actor, reason=reason)
        case unknown:
            raise ValueError(f"no phase event is called {unknown}")


class PhasePanel(Panel):
    """The next step of the protocol: what it does, a reason where one is due, and its button."""

    def __init__(self, size: SizeClass, phase: str, actor: str) -> None:
        super().__init__(size, "NEXT STEP")
        self._actor = actor
        choices = CHOICES.get(phase, ())
        self._reason: QLineEdit = self.line("Reason")
        self._hint = sentence()
        for choice in choices:
            button = self.add(Command(size, choice.label))
            button.clicked.connect(lambda _=False, c=choice: self._take(c))
            self.add(sentence(choice.effect, Tone.MUTED))
        self.add(self._reason)
        self.add(self._hint)
        self.finish()

    def _take(self, choice: Choice) -> None:
        reason = self._reason.text().strip()
        if choice.needs_reason and not reason:
            self._hint.say(f"{choice.label} needs a reason.")
            self._reason.setFocus()
            return
        self.wished.emit(Wish(phase_event(choice, reason, self._actor), choice.label))
        self.closed.emit()


class DetailsPanel(Panel):
    """All alarms, each with "seen"; the advice in full; pumps that wait for a person's leave to start."""

    def __init__(self, size: SizeClass, view: View, actor: str) -> None:
        super().__init__(size, "ALARMS AND ADVICE")
        self._actor = actor
        self._lines: list[AlarmLine] = []
        self._texts = [sentence() for _ in range(ALARM_ROWS)]
        self._seen = [Command(size, "Seen") for _ in range(ALARM_ROWS)]
        self._more = sentence(tone=Tone.MUTED)
        for index, (text, seen) in enumerate(zip(self._texts, self._seen, strict=True)):
            line = row(spacing=pixels(size, GAP_PX))
            line.addWidget(text, 1)
            line.addWidget(seen)
            self.body.addLayout(line)
            seen.clicked.connect(lambda _=False, i=index: self._acknowledge(i))
        self.add(self._more)
        self.body.addStretch(1)
        self._why = self.add(sentence())
        self.body.addStretch(1)
        self._dextrose = Command(size, "Allow glucose\npump to start")
        self._insulin = Command(size, "Allow insulin\npump to start")
        self._shows: dict[Role, int | None] = {}
        self._dextrose.clicked.connect(lambda: self._release(Role.DEXTROSE))
        self._insulin.clicked.connect(lambda: self._release(Role.INSULIN))
        self.body.addLayout(row(self._dextrose, None, self._insulin))
        self.refresh(view)
        self.finish()

    def refresh(self, view: View) -> None:
        """Alarms come and go while the list is open."""
        calling_first = sorted(view.strip.alarms, key=lambda line: not line.can_acknowledge)
        self._lines = calling_first[:ALARM_ROWS]
        hidden = len(view.strip.alarms) - len(self._lines)
        self._more.say(f"and {hidden} more below these" if hidden > 0 else "")
        for index, (text, seen) in enumerate(zip(self._texts, self._seen, strict=True)):
            line = self._lines[index] if index < len(self._lines) else None
            text.say("" if line is None else fit(f"{line.mark} {line.text}", 150))
            seen.setEnabled(line is not None and line.can_acknowledge)
        self._why.say(view.advice.why)
        self._shows = {
            Role.DEXTROSE: view.actions.dextrose_shows_ul_h,
            Role.INSULIN: view.actions.insulin_shows_ul_h,
        }
        may_start = {
            Role.DEXTROSE: view.actions.release_dextrose,
            Role.INSULIN: view.actions.release_insulin,
        }
        for role, button, name in (
            (Role.DEXTROSE, self._dextrose, "glucose"),
            (Role.INSULIN, self._insulin, "insulin"),
        ):
            shows_ul_h = self._shows[role]
            button.setEnabled(may_start[role] or shows_ul_h is not None)
            if shows_ul_h is None:
                button.setText(f"Allow {name}\npump to start")
            else:
                button.setText(f"{name.capitalize()} pump\nshows {shows_ul_h / 1000:.2f} mL/h")

    def _acknowledge(self, index: int) -> None:
        if index < len(self._lines):
            event = AlarmAcknowledged(alarm=self._lines[index].name, actor=self._actor)
            self.wished.emit(Wish(event, "Alarm seen"))

    def _release(self, role: Role) -> None:
        shows_ul_h = self._shows[role]
        if shows_ul_h is not None:
            event = PumpShown(role=role, rate_ul_h=shows_ul_h, actor=self._actor)
            self.wished.emit(Wish(event, f"{role.value.capitalize()} pump shows its rate"))
            return
        self.wished.emit(
            Wish(PumpReleased(role=role, actor=self._actor), f"Allow {role.value} pump to start")
        )
        self.closed.emit()
