"""A real window against an engine in this process: keys, two-step stop, loss, time-out, replay."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from clampctl.engine.wire import Hello, Snapshot
from tests.ui import bedside_state as bed
from tests.ui.fake_engine import FakeEngine
from ui.app import Window
from ui.attachment import Fate
from ui.client import RECEIPT_MS, SILENCE_MS, Client
from ui.pages.running import RunningPage
from ui.theme import NIGHT
from ui.view import SizeClass
from ui.widgets.entry_panels import ChangePanel, SamplePanel
from ui.widgets.panels import SignPanel
from ui.widgets.stop_panels import StopGlucosePanel, StopInsulinPanel

KEY = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier
PLAIN = Qt.KeyboardModifier.NoModifier


class Bedside:
    """An engine, a client on a hand-moved clock, and a window."""

    def __init__(self, qtbot: QtBot, folder: Path, hello: Hello, now: Snapshot) -> None:
        self.qtbot = qtbot
        self.ms = 0
        self.engine = FakeEngine(hello, now)
        self.path = str(folder / "engine.sock")
        self.engine.listen(self.path)
        self.client = Client(self.path, clock=lambda: self.ms)
        self.window = Window(self.client, NIGHT, SizeClass.SMALL, "AB")
        self.window.resize(1280, 800)
        self.window.show()
        self.client.attach()
        qtbot.waitUntil(lambda: self.client.snapshot is not None)
        self.paint()

    @property
    def page(self) -> RunningPage:
        assert self.window.page is not None
        return self.window.page

    def paint(self) -> None:
        self.window.paint()

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = PLAIN) -> None:
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifiers)

    def type(self, text: str) -> None:
        QTest.keyClicks(QApplication.focusWidget() or self.window, text)

    def sent(self, count: int = 1) -> list[dict[str, Any]]:
        """The events of the acts the engine got, once there are `count` and a beat came after them."""
        beats = self.engine.beats
        self.client.tick()
        self.qtbot.waitUntil(lambda: self.engine.beats > beats)
        assert len(self.engine.acts) == count
        return [act.event for act in self.engine.acts]

    def close(self) -> None:
        self.window.close()
        self.window.deleteLater()
        self.engine.die()


@pytest.fixture
def bedside(qtbot: QtBot, tmp_path: Path) -> Iterator[Bedside]:
    made = Bedside(qtbot, tmp_path, bed.HELLO, bed.NOW)
    yield made
    made.close()


def test_accept_is_bound_to_the_number_on_the_button(bedside: Bedside) -> None:
    bedside.key(KEY.Key_F4)
    assert bedside.sent() == [{"type": "ProposalConfirmed", "proposal": 17, "actor": "AB"}]
    bedside.qtbot.waitUntil(lambda: bedside.client.deed is not None and bedside.client.deed.seq == 1001)
    bedside.paint()
    assert not bedside.page.commands.accept.isEnabled()
    bedside.key(KEY.Key_F4)
    bedside.sent()
    bedside.engine.say(
        replace(bed.NOW, seq=985, proposal=replace(bed.PROPOSAL, number=18, gir_mg_kg_min=7.1))
    )
    bedside.qtbot.waitUntil(
        lambda: bedside.client.snapshot is not None and bedside.client.snapshot.seq == 985
    )
    bedside.paint()
    QTest.mouseClick(bedside.page.commands.accept, Qt.MouseButton.LeftButton)
    assert bedside.sent(2)[1]["proposal"] == 18


def test_accept_key_is_dead_when_the_sample_is_stale(bedside: Bedside) -> None:
    later = replace(bed.NOW, at_ms=bed.NOW_MS + 13 * bed.MIN)
    later = replace(later, proposal=replace(bed.PROPOSAL, expires_at_ms=10**9))
    bedside.engine.say(later)
    bedside.qtbot.waitUntil(lambda: bedside.client.snapshot == later)
    bedside.paint()
    bedside.key(KEY.Key_F4)
    bedside.sent(0)


def test_accept_key_asks_anew_when_the_proposal_has_expired(bedside: Bedside) -> None:
    later = replace(bed.NOW, at_ms=bed.NOW_MS + 13 * bed.MIN)
    later = replace(later, glucose_drawn_at_ms=later.at_ms)
    bedside.engine.say(later)
    bedside.qtbot.waitUntil(lambda: bedside.client.snapshot == later)
    bedside.paint()
    bedside.key(KEY.Key_F4)
    assert bedside.sent(1)[0]["type"] == "ProposalAsked"


def test_esc_scanner_bursts_and_held_keys_send_nothing(bedside: Bedside) -> None:
    bedside.key(KEY.Key_Escape)
    bedside.page.setFocus()
    bedside.type("4006381333931")
    bedside.key(KEY.Key_Return)
    bedside.key(KEY.Key_Return, CTRL)
    keys = (KEY.Key_F2, KEY.Key_F4, KEY.Key_F6, KEY.Key_F8, KEY.Key_F10, KEY.Key_Escape, KEY.Key_Return)
    for key in keys:
        held = QKeyEvent(QEvent.Type.KeyPress, key, PLAIN, "", True, 1)
        QApplication.sendEvent(bedside.page, held)
    stop = QKeyEvent(QEvent.Type.KeyPress, KEY.Key_F12, CTRL, "", True, 1)
    QApplication.sendEvent(bedside.page, stop)
    assert bedside.page.panel is None
    bedside.sent(0)


def test_a_held_key_acts_once(bedside: Bedside) -> None:
    for repeat in (False, True, True, True):
        QApplication.sendEvent(
            bedside.page, QKeyEvent(QEvent.Type.KeyPress, KEY.Key_F6, PLAIN, "", repeat, 1)
        )
    assert bedside.sent() == [{"type": "HoldPressed", "actor": "AB"}]


def test_stop_insulin_takes_two_steps_in_two_places(bedside: Bedside) -> None:
    first = bedside.page.commands.stop_insulin
    QTest.mouseClick(first, Qt.MouseButton.LeftButton)
    panel = bedside.page.panel
    assert isinstance(panel, StopInsulinPanel)
    bedside.sent(0)
    bedside.key(KEY.Key_Return)
    bedside.sent(0)
    second = panel.stop.rect().translated(panel.stop.mapTo(bedside.page, panel.stop.rect().topLeft()))
    assert not second.intersects(first.rect().translated(first.mapTo(bedside.page, first.rect().topLeft())))
    bedside.key(KEY.Key_Escape)
    assert bedside.page.panel is None
    bedside.sent(0)
    bedside.key(KEY.Key_F12, CTRL)
    bedside.key(KEY.Key_Return, CTRL)
    assert bedside.sent() == [{"type": "InsulinStopPressed", "actor": "AB"}]


def test_stop_opens_over_any_panel_and_while_held(bedside: Bedside) -> None:
    bedside.key(KEY.Key_F2)
    assert isinstance(bedside.page.panel, SamplePanel)
    bedside.key(KEY.Key_F12, CTRL)
    assert isinstance(bedside.page.panel, StopInsulinPanel)
    bedside.key(KEY.Key_F4)
    bedside.sent(0)


def test_stopping_glucose_offers_insulin_first_and_wants_a_reason(bedside: Bedside) -> None:
    QTest.mouseClick(bedside.page.commands.stop_glucose, Qt.MouseButton.LeftButton)
    panel = bedside.page.panel
    assert isinstance(panel, StopGlucosePanel)
    panel.stop.click()
    bedside.key(KEY.Key_Return, CTRL)
    bedside.sent(0)
    bedside.type("line out")
    panel.stop.click()
    assert bedside.sent() == [{"type": "DextroseStopPressed", "actor": "AB", "reason": "line out"}]
    bedside.page.open_stop_glucose()
    assert isinstance(bedside.page.panel, StopGlucosePanel)
    bedside.page.panel.insulin_first.click()
    assert bedside.sent(2)[1]["type"] == "InsulinStopPressed"


def test_a_sample_is_keyed_and_an_unlikely_one_twice(bedside: Bedside) -> None:
    bedside.key(KEY.Key_F2)
    bedside.type("5.1")
    bedside.key(KEY.Key_Return)
    bedside.type("52")
    bedside.key(KEY.Key_Return)
    bedside.sent(0)
    bedside.type("52")
    bedside.key(KEY.Key_Return)
    event = bedside.sent()[0]
    assert (event["type"], event["glucose_mg_dl"], event["raw_value"]) == ("GlucoseSampled", 52.0, "52")
    assert event["sample_id"] == f"manual:1:{bed.NOW_MS}"
    assert bedside.page.panel is None


def test_the_keypad_keys_as_well(bedside: Bedside) -> None:
    bedside.page.open_sample()
    assert bedside.page.panel is not None
    keys = {b.text(): b for b in bedside.page.panel.findChildren(QPushButton)}
    for sign in ("9", "2", ".", "4", "4", "⌫"):
        keys[sign].click()
    keys["1 min\nearlier"].click()
    keys["Use value\nEnter"].click()
    event = bedside.sent()[0]
    assert (event["raw_value"], event["drawn_at_ms"]) == ("92.4", bed.NOW_MS - bed.MIN)


def test_an_override_wants_rate_reason_and_initials(bedside: Bedside) -> None:
    bedside.key(KEY.Key_F3)
    panel = bedside.page.panel
    assert isinstance(panel, ChangePanel)
    bedside.type("6.8")
    bedside.key(KEY.Key_Return)
    bedside.sent(0)
    next(b for b in panel.findChildren(QPushButton) if b.text() == "Glucose\nrises").click()
    bedside.key(KEY.Key_Return)
    expected = {"type": "RateOverridden", "gir_mg_kg_min": 6.8, "reason": "Glucose rises", "actor": "AB"}
    assert bedside.sent() == [expected]


def test_an_unsigned_window_asks_who_it_is_but_may_stop(bedside: Bedside) -> None:
    bedside.page.actor = ""
    bedside.key(KEY.Key_F4)
    assert isinstance(bedside.page.panel, SignPanel)
    bedside.sent(0)
    bedside.key(KEY.Key_F12, CTRL)
    bedside.key(KEY.Key_Return, CTRL)
    assert bedside.sent()[0] == {"type": "InsulinStopPressed", "actor": "unsigned"}


def test_a_command_without_receipt_times_out_in_sight_and_is_not_repeated(bedside: Bedside) -> None:
    bedside.engine.answers = False
    bedside.key(KEY.Key_F6)
    bedside.sent()
    bedside.ms = RECEIPT_MS
    bedside.sent()
    assert bedside.client.deed is not None
    assert bedside.client.deed.fate is Fate.TIMED_OUT


def test_a_silent_engine_counts_as_lost_and_takes_no_command(bedside: Bedside) -> None:
    bedside.ms = SILENCE_MS + 1
    bedside.paint()
    assert bedside.page.strip.property("band") == "high"
    bedside.key(KEY.Key_F12, CTRL)
    bedside.key(KEY.Key_F4)
    assert bedside.page.panel is None
    bedside.sent(0)


def test_engine_lost_and_back_invents_nothing_and_repeats_nothing(bedside: Bedside) -> None:
    bedside.engine.answers = False
    bedside.key(KEY.Key_F6)
    bedside.sent()
    bedside.engine.die()
    bedside.qtbot.waitUntil(lambda: not bedside.client.connected)
    assert bedside.client.deed is not None
    assert bedside.client.deed.fate is Fate.CUT_OFF
    bedside.paint()
    assert not bedside.page.commands.stop_insulin.isEnabled()
    bedside.engine.listen(bedside.path)
    bedside.qtbot.waitUntil(lambda: bedside.client.connected)
    bedside.paint()
    assert bedside.client.history == bed.HISTORY
    assert bedside.page.commands.stop_insulin.isEnabled()
    bedside.sent()


def test_f8_silences_even_over_a_panel(bedside: Bedside) -> None:
    bedside.key(KEY.Key_F2)
    bedside.key(KEY.Key_F8)
    assert bedside.sent() == [{"type": "AudioPaused", "actor": "AB"}]


def test_the_next_alarm_to_be_seen_comes_to_the_top(bedside: Bedside) -> None:
    seen = [replace(bed.HIGH, name=f"seen{n}", acknowledged=True) for n in range(4)]
    now = replace(bed.NOW, seq=991, alarms=[*seen, bed.ALARM])
    bedside.engine.say(now)
    bedside.qtbot.waitUntil(lambda: bedside.client.snapshot == now)
    bedside.paint()
    bedside.key(KEY.Key_F1)
    assert bedside.page.panel is not None
    buttons = [b for b in bedside.page.panel.findChildren(QPushButton) if b.text() == "Seen"]
    assert [b.isEnabled() for b in buttons] == [True, False, False]
    buttons[0].click()
    assert bedside.sent() == [{"type": "AlarmAcknowledged", "alarm": "syringe_low", "actor": "AB"}]


@pytest.mark.parametrize(
    ("phase", "label", "event"),
    [
        ("setup", "Start basal", {"type": "BasalStarted", "actor": "AB"}),
        ("basal", "Start insulin", {"type": "ClampStarted", "actor": "AB"}),
        ("fallback", "Resume insulin", {"type": "ClampResumed", "actor": "AB"}),
        ("clamp", "End clamp", {"type": "ClampEnded", "actor": "AB", "reason": "done"}),
        ("taper", "Close session", {"type": "CloseRequested", "actor": "AB", "reason": "done"}),
    ],
)
def test_each_phase_offers_its_next_step(bedside: Bedside, phase: str, label: str, event: object) -> None:
    now = replace(bed.NOW, seq=990, phase=phase)
    bedside.engine.say(now)
    bedside.qtbot.waitUntil(lambda: bedside.client.snapshot == now)
    bedside.paint()
    bedside.key(KEY.Key_F10)
    assert bedside.page.panel is not None
    button = next(b for b in bedside.page.panel.findChildren(QPushButton) if b.text() == label)
    button.click()
    if bedside.page.panel is not None:
        bedside.sent(0)
        bedside.type("done")
        button.click()
    assert bedside.sent() == [event]


def test_a_replay_window_cannot_send(qtbot: QtBot, tmp_path: Path) -> None:
    replayed = Bedside(qtbot, tmp_path, replace(bed.HELLO, live=False), bed.NOW)
    keys = (KEY.Key_F1, KEY.Key_F2, KEY.Key_F4, KEY.Key_F6, KEY.Key_F8, KEY.Key_F10)
    for key in keys:
        replayed.key(key)
    replayed.key(KEY.Key_F12, CTRL)
    replayed.key(KEY.Key_Return, CTRL)
    assert replayed.page.findChildren(QPushButton) == []
    assert replayed.page.panel is None
    replayed.ms = SILENCE_MS + 1
    assert replayed.client.connected
    replayed.sent(0)
    replayed.close()
