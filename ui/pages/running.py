"""The running screen: three columns under header and strip, and one panel at a time over the plots.

It paints a view and turns keys and touches into wishes; it knows neither socket nor engine.
Esc only ever closes a panel. Keys held down act once.
"""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from clampctl.core.events import (
    AudioPaused,
    HoldPressed,
    HoldReleased,
    ProposalAsked,
    ProposalConfirmed,
    SampleDrawn,
)
from ui.client import Wish
from ui.theme import Theme, pixels
from ui.view import SizeClass, View
from ui.widgets.cards import AdviceBox, GlucoseBox, InfusionBox, NextBox
from ui.widgets.commands import Commands
from ui.widgets.entry_panels import ChangePanel, SamplePanel
from ui.widgets.header import Header
from ui.widgets.panel import Panel
from ui.widgets.panels import DetailsPanel, ModePanel, NotePanel, PhasePanel, SignPanel
from ui.widgets.plots import Plots
from ui.widgets.stop_panels import StopGlucosePanel, StopInsulinPanel
from ui.widgets.strip import Strip

UNSIGNED = "unsigned"
"""Actor of acts that must never wait for initials: stop and silence."""

LEFT_PX, RIGHT_PX, EDGE_PX = 384, 300, 8


class RunningPage(QWidget):
    """Everything between header and foot of one clamp; without commands when `live` is False."""

    wished = Signal(Wish)
    signed = Signal(str)
    switched = Signal()

    def __init__(self, size: SizeClass, theme: Theme, live: bool) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._size, self._live = size, live
        self._view: View | None = None
        self._keyed = 0
        self.actor = ""
        self.panel: Panel | None = None
        self.header = Header(size, live)
        self.strip = Strip(size, live)
        self.glucose = GlucoseBox(size)
        self.infusion = InfusionBox(size, "big")
        self.next = NextBox(size)
        self.insulin = InfusionBox(size, "middle")
        self.plots = Plots(size, theme)
        self.advice = AdviceBox(size)
        self.commands = Commands(size, live)
        self._lay_out(size)
        if live:
            self._connect()

    def _lay_out(self, size: SizeClass) -> None:
        edge = pixels(size, EDGE_PX)
        left = QWidget()
        left.setFixedWidth(pixels(size, LEFT_PX))
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(edge)
        for box, stretch in ((self.glucose, 20), (self.infusion, 15), (self.next, 9), (self.insulin, 13)):
            column.addWidget(box.frame, stretch)
        self._middle = QWidget()
        centre = QVBoxLayout(self._middle)
        centre.setContentsMargins(0, 0, 0, 0)
        centre.setSpacing(edge)
        centre.addWidget(self.plots.frame, 1)
        centre.addWidget(self.advice.frame)
        self.commands.setFixedWidth(pixels(size, RIGHT_PX))
        body = QHBoxLayout()
        body.setSpacing(edge)
        body.addWidget(left)
        body.addWidget(self._middle, 1)
        body.addWidget(self.commands)
        page = QVBoxLayout(self)
        page.setContentsMargins(edge, edge, edge, edge)
        page.setSpacing(edge)
        page.addWidget(self.header)
        page.addWidget(self.strip)
        page.addLayout(body, 1)

    def _connect(self) -> None:
        self.header.mode_pressed.connect(self.open_mode)
        self.header.phase_pressed.connect(self.open_phase)
        self.header.sign_pressed.connect(self.open_sign)
        self.strip.silence_pressed.connect(self.silence)
        self.strip.details_pressed.connect(self.open_details)
        acts: dict[str, Callable[[], None]] = {
            "sample": self.open_sample,
            "drawn": self.mark_draw,
            "note": self.open_note,
            "accept": self.accept,
            "change": self.open_change,
            "hold": self.hold,
            "stop_insulin": self.open_stop_insulin,
            "stop_glucose": self.open_stop_glucose,
        }
        self.commands.pressed.connect(lambda name: acts[name]())

    # --- showing ------------------------------------------------------------------------------

    def show_view(self, view: View) -> None:
        """Paint a view; what did not change is not touched."""
        if view == self._view:
            return
        self._view = view
        self.header.show_header(view.header, view.actions.phase)
        self.strip.show_strip(view.strip)
        self.glucose.show_card(view.glucose)
        self.infusion.show_card(view.infusion)
        self.next.show_card(view.next)
        self.insulin.show_card(view.insulin)
        self.plots.show_plots(view.plots)
        self.advice.show_card(view.advice)
        self.commands.show_commands(view.actions, view.quality)
        if self.panel is not None:
            self.panel.refresh(view)

    def dress(self, theme: Theme) -> None:
        """Colours the stylesheet does not reach."""
        self.plots.dress(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Keep an open panel over the middle column."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        if self.panel is not None:
            self.panel.setGeometry(self._middle.geometry())

    # --- panels -------------------------------------------------------------------------------

    def open(self, panel: Panel) -> None:
        """Show one panel over the plots in place of any other."""
        self.close_panel()
        self.panel = panel
        panel.setParent(self)
        panel.wished.connect(self.wished)
        panel.signed.connect(self.signed)
        panel.closed.connect(self.close_panel)
        self._place()
        panel.show()
        panel.raise_()
        panel.start()

    def close_panel(self) -> None:
        """Back to the plots; nothing is sent."""
        if self.panel is not None:
            self.panel.hide()
            self.panel.deleteLater()
            self.panel = None
            self.setFocus()

    def _open_signed(self, make: Callable[[SizeClass, str], Panel]) -> None:
        if self.actor:
            self.open(make(self._size, self.actor))
        else:
            self.open_sign()

    def open_mode(self) -> None:
        """The mode word."""
        if self._view is not None and self._view.header.can_choose_mode:
            self._open_signed(ModePanel)

    def open_sign(self) -> None:
        """Initials."""
        panel = SignPanel(self._size, self.actor)
        panel.switched.connect(self.switched)
        self.open(panel)

    def open_sample(self) -> None:
        """F2."""
        if self._view is not None and self._view.actions.sample.enabled:
            self._keyed += 1
            self.open(SamplePanel(self._size, self._view.sample_form, self._keyed))

    def open_change(self) -> None:
        """F3."""
        if self._view is not None and self._view.actions.change.enabled:
            self.open(ChangePanel(self._size, self._view.change_form, self.actor))

    def open_note(self) -> None:
        """F5."""
        if self._view is not None and self._view.actions.note.enabled:
            events = self._view.events
            self._open_signed(lambda size, actor: NotePanel(size, actor, events))

    def open_phase(self) -> None:
        """F10 and the phase button."""
        if self._view is not None and self._view.actions.phase.enabled:
            name = self._view.actions.phase_name
            self._open_signed(lambda size, actor: PhasePanel(size, name, actor))

    def open_details(self) -> None:
        """F1."""
        if self._view is not None:
            self.open(DetailsPanel(self._size, self._view, self.actor or UNSIGNED))

    def open_stop_insulin(self) -> None:
        """Ctrl+F12: the first of two steps."""
        if self._view is not None and self._view.actions.stop_insulin.enabled:
            self.open(StopInsulinPanel(self._size, self.actor or UNSIGNED))

    def open_stop_glucose(self) -> None:
        """The first of two steps; offers to stop insulin first."""
        if self._view is not None and self._view.actions.stop_glucose.enabled:
            runs = self._view.actions.insulin_runs
            self.open(StopGlucosePanel(self._size, self.actor or UNSIGNED, runs))

    # --- acts of one key ----------------------------------------------------------------------

    def _wish_signed(self, make: Callable[[str], Wish]) -> None:
        if self.actor:
            self.wished.emit(make(self.actor))
        else:
            self.open_sign()

    def accept(self) -> None:
        """F4: the proposal whose number is on the button and no other; or a new one to look at."""
        if self._view is None or not self._view.actions.accept.enabled:
            return
        button = self._view.actions.accept
        if button.asks:
            self._wish_signed(lambda actor: Wish(ProposalAsked(actor=actor), "Ask anew"))
        elif button.number is not None:
            words = button.text.splitlines()[0]
            self._wish_signed(partial(_accepting, button.number, words))

    def hold(self) -> None:
        """F6: hold, or release the hold."""
        if self._view is None or not self._view.actions.hold.enabled:
            return
        if self._view.actions.holding:
            self._wish_signed(lambda actor: Wish(HoldReleased(actor=actor), "Release hold"))
        else:
            self._wish_signed(lambda actor: Wish(HoldPressed(actor=actor), "Hold"))

    def mark_draw(self) -> None:
        """Blood was drawn now."""
        if self._view is not None and self._view.actions.drawn.enabled:
            self._wish_signed(lambda actor: Wish(SampleDrawn(actor=actor), "Sample drawn"))

    def silence(self) -> None:
        """F8: pause the sound."""
        if self._view is not None and self._view.strip.can_silence:
            self.wished.emit(Wish(AudioPaused(actor=self.actor or UNSIGNED), "Silence"))

    # --- keys ---------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Keys nobody else took; repeats of a held key are swallowed."""
        event.accept()
        if event.isAutoRepeat() or not self._live:
            return
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        always = {Qt.Key.Key_F8: self.silence, Qt.Key.Key_Escape: self.close_panel}
        alone = {
            Qt.Key.Key_F1: self.open_details,
            Qt.Key.Key_F2: self.open_sample,
            Qt.Key.Key_F3: self.open_change,
            Qt.Key.Key_F4: self.accept,
            Qt.Key.Key_F5: self.open_note,
            Qt.Key.Key_F6: self.hold,
            Qt.Key.Key_F10: self.open_phase,
        }
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.panel is not None:
                (self.panel.confirm if control else self.panel.enter)()
        elif control:
            if key == Qt.Key.Key_F12:
                self.open_stop_insulin()
        elif key in always:
            always[key]()
        elif self.panel is None and key in alone:
            alone[key]()


def _accepting(number: int, words: str, actor: str) -> Wish:
    return Wish(ProposalConfirmed(proposal=number, actor=actor), words, number, sets_rate=True)
