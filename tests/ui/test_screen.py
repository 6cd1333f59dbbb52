"""The running screen as drawn: nothing clipped, nothing moved, alarm hues for alarms only."""

import re
from dataclasses import replace as with_
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QLineEdit, QPushButton, QWidget

from clampctl.engine.wire import AlarmView, EventRow, Snapshot
from tests.ui import bedside_state as bed
from tests.ui.pictures import SIZES, page, render
from ui.attachment import Deed, Fate
from ui.pages.running import RunningPage
from ui.present import present
from ui.theme import ALARM_FACES, DAY, NIGHT, Theme, stylesheet
from ui.view import SizeClass
from ui.widgets.parts import GAP_PX, TOUCH_PX

PANELS = ("sample", "change", "note", "phase", "details", "mode", "sign", "stop_insulin", "stop_glucose")
LONG = AlarmView(
    name="long",
    priority="high",
    text="No answer from the glucose pump for 45 min 12 s; last confirmed rate 1200.0 mL/h is kept by the "
    "pump itself; read the pump and write its rate down",
    since_ms=0,
    holds=True,
    acknowledged=False,
)
PUMP = replace(bed.NOW.dextrose, commanded_ul_h=1_200_000, reported_ul_h=1_200_000, verified=False)
LATE_MS = bed.START_MS + 900 * bed.MIN
WORST = replace(
    bed.NOW,
    alarms=[LONG] * 12,
    glucose_mg_dl=444.4,
    glucose_slope_mg_dl_min=-19.9,
    glucose_source="YSI 2900D",
    glucose_doubted=True,
    glucose_drawn_at_ms=LATE_MS - bed.MIN,
    at_ms=LATE_MS,
    draw_marked_ms=LATE_MS - bed.MIN,
    gir_mg_kg_min=19.99,
    wanted_mg_kg_min=19.99,
    insulin_mu_m2_min=240.0,
    dextrose=PUMP,
    insulin=replace(PUMP, connected=False),
    step_name="very low dose of insulin, repeated",
    step_number=10,
    step_count=12,
    audio_paused_until_ms=LATE_MS + 120_000,
    proposal=replace(
        bed.PROPOSAL,
        gir_mg_kg_min=19.99,
        rate_ul_h=1_200_000,
        reasons=["rise capped at 4.00 mg/kg/min per sample", "pump gives at most 1200.0 mL/h", "doubted"],
    ),
)
STATES = {
    "usual": bed.NOW,
    "worst": WORST,
    "late": replace(bed.NOW, at_ms=bed.START_MS + 899 * bed.MIN),
    "tail": replace(bed.NOW, phase="fallback", fallback_reason="glucose under 60 mg/dL", holding=True),
    "closed": replace(bed.NOW, phase="closed", closed=True),
    "basal": replace(bed.CALM, phase="basal", clamp_started_ms=None, proposal=None),
}
REFUSED = with_(bed.MINE, deed=Deed(9, "Accept", Fate.REFUSED, refused="The sample is too old to dose. " * 9))


def clipped(root: QWidget) -> list[str]:
    """Texts of visible labels and buttons that need more room than they have."""
    found = []
    widgets: list[QLabel | QPushButton] = [*root.findChildren(QLabel), *root.findChildren(QPushButton)]
    for widget in widgets:
        if not widget.isVisible() or not widget.text():
            continue
        if isinstance(widget, QLabel) and widget.wordWrap():
            short = widget.heightForWidth(widget.width()) > widget.height()
        else:
            need = widget.sizeHint()
            short = need.width() > widget.width() or need.height() > widget.height()
        if short:
            found.append(widget.text())
    return found


def geometry(shown: RunningPage) -> list[tuple[str, object]]:
    """Where every visible widget is."""
    return [(type(w).__name__, w.geometry().getRect()) for w in shown.findChildren(QWidget) if w.isVisible()]


@pytest.mark.parametrize("size", SizeClass)
def test_no_text_is_clipped_and_the_screen_is_not_outgrown(size: SizeClass) -> None:
    shown = page(size)
    room = SIZES[size]
    for state, now in STATES.items():
        for mine in (bed.MINE, REFUSED, with_(bed.MINE, connected=False, actor="")):
            shown.show_view(present(bed.HELLO, bed.HISTORY, now, mine, size))
            QApplication.processEvents()
            hint = shown.minimumSizeHint()
            assert hint.width() <= room[0], state
            assert hint.height() <= room[1], state
            assert (shown.width(), shown.height()) == room, state
            assert (state, clipped(shown)) == (state, [])
    shown.close()


@pytest.mark.parametrize("size", SizeClass)
@pytest.mark.parametrize("name", PANELS)
def test_no_panel_is_clipped_or_outgrows_the_plots(size: SizeClass, name: str) -> None:
    shown = page(size, now=replace(bed.NOW, alarms=[LONG] * 6))
    getattr(shown, f"open_{name}")()
    QApplication.processEvents()
    assert shown.panel is not None
    assert clipped(shown.panel) == []
    hint = shown.panel.minimumSizeHint()
    assert hint.width() <= shown.panel.width()
    assert hint.height() <= shown.panel.height()
    shown.close()


def test_mmol_fits_as_well() -> None:
    hello = replace(bed.HELLO, glucose_unit="mmol/L", subject_code="CLAMP-2026-00014")
    shown = page(hello=hello, now=WORST)
    assert clipped(shown) == []
    shown.close()


def test_nothing_moves_when_an_alarm_comes_or_the_theme_changes() -> None:
    shown = page(now=bed.CALM)
    before = geometry(shown)

    def show(now: Snapshot) -> list[tuple[str, object]]:
        shown.show_view(present(bed.HELLO, bed.HISTORY, now, bed.MINE))
        QApplication.processEvents()
        return geometry(shown)

    assert show(bed.NOW) == before
    assert show(replace(bed.NOW, alarms=[bed.HIGH])) == before
    assert show(replace(bed.NOW, alarms=[LONG])) == before
    shown.setStyleSheet(stylesheet(DAY, SizeClass.SMALL))
    shown.dress(DAY)
    assert show(bed.CALM) == before
    boxes = [box.geometry().getRect() for box in shown.findChildren(QFrame) if not isinstance(box, QLabel)]
    shown.show_view(present(bed.HELLO, bed.HISTORY, bed.CALM, with_(bed.MINE, connected=False)))
    QApplication.processEvents()
    after = [box.geometry().getRect() for box in shown.findChildren(QFrame) if not isinstance(box, QLabel)]
    assert after == boxes
    shown.close()


@pytest.mark.parametrize("size", SizeClass)
def test_touch_sizes_and_the_way_from_accept_to_stop(size: SizeClass) -> None:
    shown = page(size)
    unit = SIZES[size][1] / 800
    boxes = [b.rect().translated(b.mapTo(shown, b.rect().topLeft())) for b in shown.findChildren(QPushButton)]
    assert all(min(box.width(), box.height()) >= round(TOUCH_PX * unit) for box in boxes)
    gap = round(GAP_PX * unit)
    grown = [box.adjusted(-(gap // 2) + 1, -(gap // 2) + 1, gap // 2 - 1, gap // 2 - 1) for box in boxes]
    for index, box in enumerate(grown):
        assert not any(box.intersects(other) for other in grown[index + 1 :])
    accept, stop = shown.commands.accept.geometry(), shown.commands.stop_insulin.geometry()
    assert stop.top() - accept.bottom() >= 4 * TOUCH_PX * unit
    shown.close()


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [NIGHT, DAY], ids=lambda t: t.name)
def test_contrast_of_every_text(theme: Theme) -> None:
    pairs = [(c, theme.card) for c in (theme.text, theme.muted, theme.infusion, theme.insulin)]
    pairs += [(theme.text, theme.face), (theme.text, theme.background), (theme.card, theme.text)]
    pairs += [(theme.on_main_action, theme.main_action), ("#FFFFFF", "#101010"), ("#9AA8B3", "#101010")]
    pairs += list(ALARM_FACES.values())
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


def alarm_pixels(image: QImage) -> int:
    """How many pixels are red, yellow or cyan as in alarms: strongly coloured, of an alarm's hue."""
    hues = {0: range(-12, 13), 48: range(38, 61), 187: range(178, 197)}
    wanted = {hue % 360 for span in hues.values() for hue in span}
    count = 0
    for y in range(0, image.height(), 2):
        for x in range(0, image.width(), 2):
            colour = image.pixelColor(x, y)
            if colour.hsvSaturation() > 150 and colour.value() > 100 and colour.hsvHue() in wanted:
                count += 1
    return count


@pytest.mark.parametrize("theme", [NIGHT, DAY], ids=lambda t: t.name)
def test_alarm_hues_belong_to_alarms(theme: Theme) -> None:
    calm = page(theme=theme, now=bed.CALM)
    assert alarm_pixels(calm.grab().toImage()) == 0
    calm.close()
    alarmed = page(theme=theme)
    assert alarm_pixels(alarmed.strip.grab().toImage()) > 1000
    alarmed.close()
    sheet = stylesheet(theme, SizeClass.SMALL)
    for face, _ in ALARM_FACES.values():
        lines = [line for line in sheet.splitlines() if face in line]
        assert lines
        assert all(re.search(r'#strip\[band="(high|medium|low)"\]', line) for line in lines)


def test_many_events_stay_on_the_screen() -> None:
    events = tuple(EventRow(n, bed.START_MS + n * bed.MIN, "operator", "M" * 60, "AB") for n in range(80))
    shown = page()
    view = present(bed.HELLO, with_(bed.HISTORY, events=events), bed.NOW, bed.MINE)
    shown.show_view(view)
    shown.open_note()
    QApplication.processEvents()
    assert clipped(shown) == []
    assert shown.minimumSizeHint().width() <= 1280
    assert len(view.plots.flags) <= 12
    shown.close()


def test_a_replay_has_no_command_at_all() -> None:
    shown = page(hello=replace(bed.HELLO, live=False))
    assert shown.findChildren(QPushButton) == []
    assert shown.findChildren(QLineEdit) == []
    assert clipped(shown) == []
    shown.close()


def test_the_four_pictures_of_the_manual(tmp_path: Path) -> None:
    made = render(tmp_path)
    assert [(QImage(str(p)).width(), QImage(str(p)).height()) for p in made] == [
        size for size in SIZES.values() for _ in range(2)
    ]
    assert len({p.read_bytes() for p in made}) == 4
