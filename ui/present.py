"""The engine's state as one frozen view: every word, number and curve of the running screen.

A pure function without Qt or plotting. Everything shown derives from the one snapshot and the
history; nothing is estimated here. What is not known is a dash, never 0.
"""

from clampctl.engine.wire import Hello, PumpView, QualityView, Snapshot
from ui import alarm_words, command_words, curves
from ui.attachment import Attachment, History
from ui.view import (
    GlucoseCard,
    HeaderView,
    InfusionCard,
    NextCard,
    QualityCard,
    QualityRow,
    SizeClass,
    Tone,
    View,
    Words,
)
from ui.words import (
    GIR_UNIT,
    INSULIN_UNIT,
    UNKNOWN,
    age,
    clock,
    fit,
    gir,
    glucose,
    glucose_with_unit,
    hours_minutes,
    minutes_seconds,
    percent,
    rate,
    signed,
    silent_for,
    slope,
)

FLAT_MG_DL_MIN = 0.3
STEEP_MG_DL_MIN = 1.5
"""From here the trend arrow tilts, and from here it is upright (design choice)."""


def mode_word(now: Snapshot) -> str:
    """CONFIRM, AUTO, HOLD or SAFE-TAIL."""
    if now.phase == "fallback" or now.fallback_reason:
        return "SAFE-TAIL"
    if now.holding:
        return "HOLD"
    return "AUTO" if now.mode == "automatic" else "CONFIRM"


def _tick(good: bool, name: str) -> Words:
    return Words(f"{'✓' if good else '✗'} {name}", Tone.MUTED if good else Tone.TEXT)


def _header(hello: Hello, now: Snapshot, mine: Attachment) -> HeaderView:
    clamp = "" if now.clamp_started_ms is None else f" {hours_minutes(now.at_ms - now.clamp_started_ms)} h"
    phase = "TAIL" if now.phase == "fallback" else now.phase.upper()
    of = f"step {now.step_number} of {now.step_count}" if now.step_count else ""
    step = ": ".join(part for part in (of, now.step_name) if part)
    sound = {True: _tick(True, "Sound"), False: _tick(False, "Sound"), None: Words("– Beep", Tone.MUTED)}
    analyzer = now.analyzer.model or "Analyzer"
    ticks: tuple[Words, ...] = (
        _tick(now.dextrose.connected, "Pump G"),
        _tick(now.insulin.connected, "Pump I"),
        _tick(now.analyzer.connected, fit(analyzer, 9)),
        _tick(now.journal_healthy, "Journal"),
        sound[mine.audio],
    )
    if not mine.connected:
        ticks = tuple(Words(f"? {tick.text[2:]}", Tone.MUTED) for tick in ticks)
    return HeaderView(
        subject=fit(hello.subject_code, 12),
        mode=mode_word(now),
        can_choose_mode=mine.connected and not now.closed and now.phase != "fallback",
        phase=f"{phase}{clamp}",
        step=fit(step, 26),
        ticks=ticks,
        clock=clock(now.wall_utc, mine.utc_offset_min),
        signed=f"by\n{mine.actor[:4]}" if mine.actor else "Sign\nin…",
        tone=Tone.TEXT if mine.connected else Tone.MUTED,
    )


def _trend(slope_mg_dl_min: float | None) -> str:
    if slope_mg_dl_min is None:
        return ""
    if abs(slope_mg_dl_min) < FLAT_MG_DL_MIN:
        return "→"
    if abs(slope_mg_dl_min) < STEEP_MG_DL_MIN:
        return "↗" if slope_mg_dl_min > 0 else "↘"
    return "↑" if slope_mg_dl_min > 0 else "↓"


def _glucose(hello: Hello, now: Snapshot, mine: Attachment) -> GlucoseCard:
    unit, drawn = hello.glucose_unit, now.glucose_drawn_at_ms
    old = command_words.stale(now)
    grey = old or not mine.connected
    how_old = "no value yet"
    source = ""
    if drawn is not None:
        how_old = age(now.at_ms - drawn)
        if old or now.glucose_doubted:
            how_old = f"{'STALE' if old else 'DOUBTED'}  {how_old}"
        at = clock(now.wall_utc, mine.utc_offset_min, drawn - now.at_ms)
        source = f"{fit(now.glucose_source, 8)}, drawn {at}"
    if not mine.connected:
        how_old = "last known"
    known_slope = None if grey else now.glucose_slope_mg_dl_min
    return GlucoseCard(
        title=f"GLUCOSE  {unit}",
        value=Words(glucose(now.glucose_mg_dl, unit), Tone.MUTED if grey else Tone.TEXT),
        age=how_old,
        trend=_trend(known_slope),
        slope="" if known_slope is None else slope(known_slope, unit),
        slope_unit=""
        if known_slope is None
        else ("mmol/L\nper min" if unit == "mmol/L" else "mg/dL\nper min"),
        target=Words(
            f"target {glucose_with_unit(now.target_mg_dl, unit)}", Tone.TEXT if mine.connected else Tone.MUTED
        ),
        source=source,
    )


def _reported(pump: PumpView, now: Snapshot) -> Words:
    said = rate(pump.reported_ul_h)
    if not pump.connected:
        return Words("no answer ✗" if pump.heard_at_ms is None else silent_for(now.at_ms - pump.heard_at_ms))
    if pump.reported_ul_h is None:
        return Words(said, Tone.MUTED)
    return Words(f"{said} {'✓' if pump.verified else '✗'}", Tone.TEXT)


def _pump(
    title: str, value: str, tone: Tone, wanted: str, pump: PumpView, now: Snapshot, lost: bool
) -> InfusionCard:
    commanded, reported = Words(rate(pump.commanded_ul_h)), _reported(pump, now)
    if lost:
        tone = Tone.MUTED
        commanded = Words(commanded.text, Tone.MUTED)
        reported = Words(f"{rate(pump.reported_ul_h)} ?", Tone.MUTED)
    return InfusionCard(title, Words(value, tone), wanted, commanded, reported)


def _next(now: Snapshot, mine: Attachment) -> NextCard:
    drawn = ""
    if now.draw_marked_ms is not None:
        drawn = f"drawn {clock(now.wall_utc, mine.utc_offset_min, now.draw_marked_ms - now.at_ms)}"
    tone = Tone.TEXT if mine.connected else Tone.MUTED
    due = now.next_sample_due_ms
    if due is None or not mine.connected:
        return NextCard("NEXT SAMPLE  min:s", Words(UNKNOWN, tone), "", drawn)
    title = "NEXT SAMPLE IN  min:s" if now.at_ms <= due else "SAMPLE IS LATE BY  min:s"
    at = f"due {clock(now.wall_utc, mine.utc_offset_min, due - now.at_ms)}"
    return NextCard(title, Words(minutes_seconds(due - now.at_ms), tone), at, drawn)


def _quality(quality: QualityView, unit: str, lost: bool) -> QualityCard:
    trend = quality.gir_slope_pct_30min
    verdict = {True: "● steady", False: "○ not steady yet", None: "○ too early to say"}[quality.steady]
    return QualityCard(
        title="LAST 30 MIN",
        rows=(
            QualityRow("glucose", glucose_with_unit(quality.glucose_mean_mg_dl, unit)),
            QualityRow("CV", percent(quality.glucose_cv_measured_pct)),
            QualityRow("GIR", f"{gir(quality.gir_mean_mg_kg_min)} {GIR_UNIT}"),
            QualityRow("GIR trend", f"{UNKNOWN if trend is None else signed(trend, 1)} %/30 min"),
        ),
        verdict=verdict,
        tone=Tone.MUTED if lost else Tone.TEXT,
    )


def present(
    hello: Hello, history: History, now: Snapshot, mine: Attachment, size: SizeClass = SizeClass.SMALL
) -> View:
    """The running screen of one moment; equal input gives an equal view, live and in replay."""
    unit, lost = hello.glucose_unit, not mine.connected
    dose = UNKNOWN if now.insulin_mu_m2_min is None else f"{now.insulin_mu_m2_min:.1f}"
    wanted = f"wanted {gir(now.wanted_mg_kg_min)}\n{GIR_UNIT}"
    fresh = not command_words.stale(now) and not lost
    shown = [fit(e.text, 90) for e in history.events]
    return View(
        lost=lost,
        header=_header(hello, now, mine),
        strip=alarm_words.strip(hello, now, mine, size),
        glucose=_glucose(hello, now, mine),
        infusion=_pump(
            f"GLUCOSE INFUSION  {GIR_UNIT}",
            gir(now.gir_mg_kg_min),
            Tone.INFUSION,
            wanted,
            now.dextrose,
            now,
            lost,
        ),
        next=_next(now, mine),
        insulin=_pump(f"INSULIN  {INSULIN_UNIT}", dose, Tone.INSULIN, "", now.insulin, now, lost),
        plots=curves.plots(history, now, unit, size, fresh, lost),
        advice=command_words.advice(hello, now, mine, size),
        actions=command_words.actions(now, mine),
        quality=_quality(now.quality, unit, lost),
        sample_form=command_words.sample_form(hello, now, mine),
        change_form=command_words.change_form(hello, now),
        events=tuple(f"{number}  {text}" for number, text in enumerate(shown, start=1))[-12:],
        sound=alarm_words.sound(hello, now, mine),
    )
