"""The second step of every stop, in another spot than the first.

STOP INSULIN enters SAFE-TAIL and glucose keeps running. Stopping glucose while insulin runs is the
hazard, so that panel offers to stop insulin first and wants a reason.
"""

from PySide6.QtWidgets import QLineEdit

from clampctl.core.events import DextroseStopPressed, InsulinStopPressed
from ui.client import Wish
from ui.view import SizeClass, View
from ui.widgets.panel import Panel, sentence
from ui.widgets.parts import Command, row

STOP_INSULIN_WORDS = "Stop insulin"


class StopInsulinPanel(Panel):
    """Confirm STOP INSULIN: by touch or Ctrl+Enter, never by Enter alone."""

    def __init__(self, size: SizeClass, actor: str) -> None:
        super().__init__(size, "STOP INSULIN?")
        self._actor = actor
        self.add(sentence("Insulin stops now. Glucose keeps running: hold, then smooth taper (SAFE-TAIL)."))
        self.stop = self.add(Command(size, "STOP INSULIN NOW\nCtrl+Enter", "stop"))
        self.stop.clicked.connect(self.confirm)
        self.finish()

    def confirm(self) -> None:
        """Ctrl+Enter."""
        self.wished.emit(Wish(InsulinStopPressed(actor=self._actor), STOP_INSULIN_WORDS))
        self.closed.emit()


class StopGlucosePanel(Panel):
    """Confirm stopping glucose; while insulin runs, stopping insulin is offered first."""

    def __init__(self, size: SizeClass, actor: str, insulin_runs: bool) -> None:
        super().__init__(size, "STOP GLUCOSE?")
        self._actor = actor
        self._warning = self.add(sentence())
        self.insulin_first = self.add(Command(size, "STOP INSULIN FIRST,\nglucose keeps running", "stop"))
        self.insulin_first.clicked.connect(self._stop_insulin)
        self.body.addStretch(1)
        self._reason: QLineEdit = self.add(self.line("Reason for stopping glucose"))
        self._hint = self.add(sentence())
        self.stop = Command(size, "Stop glucose now")
        self.stop.setMinimumWidth(self.stop.sizeHint().width())
        self.stop.clicked.connect(self._stop_glucose)
        self.body.addLayout(row(None, self.stop))
        self._show(insulin_runs)
        self.finish()

    def refresh(self, view: View) -> None:
        """Insulin may have been stopped meanwhile."""
        self._show(view.actions.insulin_runs)

    def _show(self, insulin_runs: bool) -> None:
        runs = "Insulin still runs: without glucose the subject's glucose will fall. "
        acts = "Insulin may still act for an hour: without glucose the subject's glucose may fall. "
        self._warning.say((runs if insulin_runs else acts) + "Have rescue dextrose at the bedside.")
        self.insulin_first.setEnabled(insulin_runs)

    def _stop_insulin(self) -> None:
        self.wished.emit(Wish(InsulinStopPressed(actor=self._actor), STOP_INSULIN_WORDS))
        self.closed.emit()

    def _stop_glucose(self) -> None:
        reason = self._reason.text().strip()
        if not reason:
            self._hint.say("A reason is needed to stop glucose.")
            self._reason.setFocus()
            return
        self.wished.emit(Wish(DextroseStopPressed(actor=self._actor, reason=reason), "Stop glucose"))
        self.closed.emit()
