"""The view-model by plain asserts: words, ages, units, ranges; no Qt."""

import math
import re
from dataclasses import replace as with_
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from clampctl.engine.wire import Hello, RateRow, SampleRow, Snapshot
from tests.ui import bedside_state as bed
from ui.attachment import Attachment, Deed, Fate, History
from ui.curves import reduced
from ui.present import present
from ui.view import Band, Curve, PlotView, SizeClass, Tone, View
from ui.words import fit, glucose, minutes_seconds, rate, signed

LOST = with_(bed.MINE, connected=False)
MMOL = replace(bed.HELLO, glucose_unit="mmol/L")


def show(
    now: Snapshot = bed.NOW,
    mine: Attachment = bed.MINE,
    hello: Hello = bed.HELLO,
    history: History = bed.HISTORY,
) -> View:
    return present(hello, history, now, mine)


def test_the_picture_agrees_with_itself() -> None:
    view = show()
    assert view.glucose.value.text == f"{bed.GLUCOSE[-1]:.1f}" == "92.4"
    assert view.header.phase == "CLAMP 01:22 h"
    assert view.plots.now_min == pytest.approx(82.2)
    assert view.infusion.value.text == f"{bed.GIR[-1]:.2f}" == "7.42"
    assert view.infusion.commanded.text == "155.8 mL/h"
    assert view.infusion.reported.text == "155.8 mL/h ✓"
    assert view.insulin.reported.text == "4.43 mL/h ✓"
    assert view.plots.gir.past.values[-1] == bed.GIR[-1]
    assert view.plots.glucose.points.values == bed.GLUCOSE
    assert view.quality.rows[1].value == f"{bed.NOW.quality.glucose_cv_measured_pct:.1f} %"
    assert view.next.value.text == "2:48"


@pytest.mark.parametrize(
    ("age_min", "word", "tone", "can_accept"),
    [
        (2, "2 min old", Tone.TEXT, True),
        (12, "12 min old", Tone.TEXT, True),
        (13, "STALE", Tone.MUTED, False),
    ],
)
def test_a_value_past_its_age_is_grey_and_cannot_dose(
    age_min: int, word: str, tone: Tone, can_accept: bool
) -> None:
    view = show(replace(bed.NOW, glucose_drawn_at_ms=bed.NOW_MS - age_min * bed.MIN))
    assert word in view.glucose.age
    assert view.glucose.value.tone is tone
    assert view.actions.accept.enabled is can_accept


@pytest.mark.parametrize("left_ms", [0, -1, -60_000])
def test_an_expired_proposal_cannot_be_accepted(left_ms: int) -> None:
    offer = replace(bed.PROPOSAL, expires_at_ms=bed.NOW_MS + left_ms)
    view = show(replace(bed.NOW, proposal=offer))
    assert view.actions.accept.number is None
    assert view.actions.accept.asks
    assert "expired" in view.actions.accept.text
    assert view.plots.gir.future.values == ()


def test_accept_carries_the_number_and_rests_once_sent() -> None:
    assert (show().actions.accept.number, show().actions.accept.enabled) == (17, True)
    sent = with_(bed.MINE, deed=Deed(32, "Accept", Fate.PENDING, 17, True))
    assert not show(mine=sent).actions.accept.enabled
    failed = with_(bed.MINE, deed=Deed(32, "Accept", Fate.TIMED_OUT, 17, True))
    assert show(mine=failed).actions.accept.enabled
    assert "NO ANSWER" in show(mine=failed).advice.deed


def test_a_lost_engine_greys_all_and_sounds() -> None:
    view = show(mine=LOST)
    assert view.strip.text == "ENGINE LOST since 14:27:12 – read the pumps"
    assert (view.strip.band, view.sound) == (Band.HIGH, Band.HIGH)
    shown = (view.glucose.value, view.infusion.value, view.infusion.reported, view.insulin.value)
    assert {words.tone for words in shown} == {Tone.MUTED}
    assert view.plots.grey
    assert view.header.tone is Tone.MUTED
    names = ("sample", "drawn", "note", "accept", "change", "hold", "phase", "stop_insulin", "stop_glucose")
    assert not any(getattr(view.actions, name).enabled for name in names)
    assert "✓" not in view.infusion.reported.text
    assert "confirms" not in view.advice.deed


def test_mmol_is_used_throughout() -> None:
    view = show(hello=MMOL)
    assert view.glucose.value.text == "5.13"
    assert view.glucose.title == "GLUCOSE  mmol/L"
    assert view.glucose.target.text == "target 5.00 mmol/L"
    assert view.quality.rows[0].value.endswith("mmol/L")
    assert max(view.plots.glucose.points.values) == pytest.approx(max(bed.GLUCOSE) / 18.0156)
    assert "mg/dL" not in repr(view)


def everything_inside(view: View) -> None:
    plots = view.plots
    assert plots.start_min <= plots.now_min <= plots.end_min
    for plot in (plots.glucose, plots.gir, plots.insulin):
        for curve in (plot.past, plot.future, plot.points, plot.doubted):
            assert all(plots.start_min <= m <= plots.end_min for m in curve.minutes)
            assert all(math.isnan(v) or plot.low <= v <= plot.high for v in curve.values)
        assert all(m <= plots.now_min for m in plot.past.minutes) or plot is plots.glucose


@pytest.mark.parametrize("hello", [bed.HELLO, MMOL])
@pytest.mark.parametrize("value", [20.0, 52.0, 121.0, 600.0])
@pytest.mark.parametrize("minute", [-35, 30, 900])
def test_no_value_is_ever_outside_the_plot(hello: Hello, value: float, minute: int) -> None:
    at_ms = max(0, bed.START_MS + minute * bed.MIN)
    row = SampleRow("x", at_ms, value, "believed", "", "YSI")
    later = replace(bed.NOW, at_ms=max(bed.NOW_MS, at_ms + bed.MIN), glucose_mg_dl=value)
    rates = RateRow(at_ms, 19.9, 240.0)
    history = History((*bed.SAMPLES, row), (*bed.HISTORY.rates, rates), bed.EVENTS)
    everything_inside(show(later, hello=hello, history=history))


@given(st.floats(20, 600), st.floats(-20, 20), st.integers(0, 960), st.floats(0, 30))
def test_figures_on_screen_equal_the_state(value: float, slope: float, minute: int, gir: float) -> None:
    at_ms = minute * bed.MIN
    now = replace(
        bed.CALM, at_ms=at_ms, glucose_mg_dl=value, glucose_drawn_at_ms=at_ms, glucose_slope_mg_dl_min=slope,
        gir_mg_kg_min=gir, clamp_started_ms=0,
    )  # fmt: skip
    history = History((SampleRow("x", at_ms, value, "believed", "", "YSI"),), (RateRow(0, gir, 40.0),), ())
    view = show(now, history=history)
    everything_inside(view)
    assert float(view.glucose.value.text) == pytest.approx(value, abs=0.5 if value > 99 else 0.051)
    assert float(view.infusion.value.text) == pytest.approx(gir, abs=0.0051)
    assert view.plots.gir.past.values[-1] == gir


def test_what_is_not_known_is_a_dash() -> None:
    nothing = replace(
        bed.CALM, clamp_started_ms=None, step_ends_ms=None, glucose_mg_dl=None, glucose_drawn_at_ms=None,
        glucose_slope_mg_dl_min=None, next_sample_due_ms=None, wanted_mg_kg_min=None, gir_mg_kg_min=None,
        insulin_mu_m2_min=None, proposal=None, phase="setup", step_count=0, step_name="",
        dextrose=replace(bed.NOW.dextrose, reported_ul_h=None, heard_at_ms=None, connected=False),
        quality=replace(
            bed.NOW.quality, glucose_mean_mg_dl=None, glucose_cv_measured_pct=None,
            gir_mean_mg_kg_min=None, gir_slope_pct_30min=None, steady=None, within_5pct_pct=None,
        ),
    )  # fmt: skip
    for mine in (bed.MINE, LOST):
        view = show(nothing, mine, history=History())
        assert view.glucose.value.text == view.infusion.value.text == view.insulin.value.text == "–"
        assert view.next.value.text == "–"
        assert [row.value.split()[0] for row in view.quality.rows] == ["–"] * 4
        assert not re.search(r"\b(None|nan)\b", repr(view.advice) + repr(view.header) + repr(view.glucose))
        everything_inside(view)


def test_numbers_in_sentences_have_units_and_points() -> None:
    view = show()
    for said in (
        view.infusion.commanded.text,
        view.infusion.reported.text,
        *(r.value for r in view.quality.rows),
    ):
        assert re.fullmatch(r"[+−]?\d+\.\d+ (mL/h|mg/dL|mg/kg/min|%|%/30 min)( ✓)?", said)


def test_limits_are_named_with_what_was_wanted() -> None:
    offer = replace(bed.PROPOSAL, wanted_mg_kg_min=9.9, reasons=["rise capped at 4.0 mg/kg/min"])
    said = show(replace(bed.NOW, proposal=offer)).advice.advice
    assert "7.30 mg/kg/min" in said
    assert "wanted 9.90 mg/kg/min, limited: rise capped at 4.0 mg/kg/min" in said


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "CONFIRM"),
        ({"mode": "automatic"}, "AUTO"),
        ({"holding": True}, "HOLD"),
        ({"phase": "fallback", "fallback_reason": "stale"}, "SAFE-TAIL"),
    ],
)
def test_mode_is_one_word(changes: dict[str, Any], word: str) -> None:
    assert show(replace(bed.NOW, **changes)).header.mode == word


def test_alarms_most_urgent_first_and_silence_counts_down() -> None:
    view = show(
        replace(bed.NOW, alarms=[bed.LOW, bed.ALARM, bed.HIGH], audio_paused_until_ms=bed.NOW_MS + 61_000)
    )
    assert (view.strip.band, view.strip.mark, view.strip.count) == (Band.HIGH, "▲▲▲", "1 of 3")
    assert view.strip.silence == "Silenced\n1:01 min"
    assert not view.strip.can_silence
    assert view.sound is Band.CALM
    assert show().sound is Band.MEDIUM


def test_no_sound_output_is_a_visual_alarm() -> None:
    view = show(bed.CALM, with_(bed.MINE, audio=False))
    assert (view.strip.band, view.strip.flashes) == (Band.MEDIUM, True)
    assert "no sound output" in view.strip.text


def test_replay_takes_the_place_of_alarms() -> None:
    view = show(hello=replace(bed.HELLO, live=False))
    assert view.strip.band is Band.REPLAY
    assert view.sound is Band.CALM


def test_a_dense_curve_is_reduced_and_keeps_its_extremes() -> None:
    count = 20_000
    values = tuple(math.sin(i / 50) * (1 + i / count) for i in range(count))
    thin = reduced(Curve(tuple(float(i) for i in range(count)), values), 480)
    assert len(thin.minutes) <= 2 * 480 + 2
    assert (max(thin.values), min(thin.values)) == (max(values), min(values))
    assert list(thin.minutes) == sorted(thin.minutes)


def test_close_flags_are_stacked_and_flags_leave_the_curve_free() -> None:
    view = show()
    assert [flag.level for flag in view.plots.flags] == [0, 0, 0, 1]
    high = SampleRow("h", bed.NOW_MS, 119.9, "believed", "", "YSI")
    plot: PlotView = show(history=with_(bed.HISTORY, samples=(*bed.SAMPLES, high))).plots.glucose
    assert plot.high - 2 * 0.14 * (plot.high - plot.low) >= 119.9


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (glucose(99.96, "mg/dL"), "100"), (glucose(5.0 * 18.0156, "mmol/L"), "5.00"),
        (glucose(600, "mmol/L"), "33.3"), (glucose(None, "mg/dL"), "–"), (rate(9_990), "9.99 mL/h"),
        (rate(None), "– mL/h"), (signed(-0.04, 1), "0.0"), (signed(-0.3, 1), "−0.3"),
        (minutes_seconds(-40_000), "0:40"), (fit("aaaa bbbb cccc", 12), "aaaa bbbb …"),
        (fit("a" * 20, 5), "aaaa…"),
    ],
)  # fmt: skip
def test_words(said: str, expected: str) -> None:
    assert said == expected


def test_size_classes_differ_only_in_room() -> None:
    small = present(bed.HELLO, bed.HISTORY, bed.NOW, bed.MINE, SizeClass.SMALL)
    large = present(bed.HELLO, bed.HISTORY, bed.NOW, bed.MINE, SizeClass.LARGE)
    assert (small.glucose, small.infusion, small.actions) == (large.glucose, large.infusion, large.actions)


def test_a_pump_set_by_hand_asks_for_its_rate_until_it_shows_it() -> None:
    by_hand = replace(bed.NOW.dextrose, by_hand=True, commanded_ul_h=150_000, reported_ul_h=155_800)
    assert show(replace(bed.NOW, dextrose=by_hand)).actions.dextrose_shows_ul_h == 150_000
    read = replace(by_hand, reported_ul_h=150_000)
    assert show(replace(bed.NOW, dextrose=read)).actions.dextrose_shows_ul_h is None
    assert show().actions.dextrose_shows_ul_h is None
