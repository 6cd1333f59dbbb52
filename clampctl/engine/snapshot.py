"""From the core's state to what a window is told: words and numbers, no decisions.

Every figure comes from one state and its history, so no two of them can disagree.
"""

import math
from collections.abc import Sequence

from clampctl import units
from clampctl.core.insulin import step_at, step_ends_ms
from clampctl.core.people import target_mg_dl
from clampctl.core.state import DOSING, Alarm, Dosing, Phase, Pump, State, Verdict
from clampctl.core.station import PumpSetup
from clampctl.engine.history import History
from clampctl.engine.wire import (
    WIRE_VERSION,
    AlarmView,
    AnalyzerView,
    Hello,
    ProposalView,
    PumpView,
    QualityView,
    RateRow,
    SampleRow,
    Snapshot,
)

WINDOW_MS = 30 * 60_000
SLOPE_STEADY_PCT = 5.0
CV_STEADY_PCT = 5.0


def hello(state: State, live: bool) -> Hello:
    """The first message to a window."""
    session = state.session
    return Hello(
        wire=WIRE_VERSION,
        session_id=session.session_id,
        software=session.software,
        live=live,
        subject_code=session.subject.code,
        protocol_title=session.protocol.title,
        glucose_unit=session.protocol.glucose_unit.value,
        weight_kg=session.subject.weight_kg,
        dextrose_label=session.protocol.infusates.dextrose_label,
        dextrose_g_l=session.protocol.infusates.dextrose_g_l,
        sampling_ms=session.protocol.sampling_ms,
        started_utc=session.started_utc,
    )


def snapshot(state: State, history: History, wall_utc: str, at_ms: int) -> Snapshot:
    """The present at `at_ms`, which may be a little after the last event."""
    protocol = state.session.protocol
    elapsed_ms = None if state.clamp_started_ms is None else at_ms - state.clamp_started_ms
    index, step, _ = step_at(protocol, elapsed_ms or 0)
    newest, blood, dosing = state.blood.newest, state.blood, state.dosing
    return Snapshot(
        seq=history.seq,
        at_ms=at_ms,
        wall_utc=wall_utc,
        phase=state.phase.value,
        step_name=step.name,
        step_number=index + 1,
        step_count=len(protocol.steps),
        clamp_started_ms=state.clamp_started_ms,
        step_ends_ms=_step_ends(state, index),
        mode=state.mode.value,
        holding=state.phase is Phase.HOLD,
        fallback_reason=state.tailing.reason if state.tailing and state.phase is Phase.FALLBACK else "",
        target_mg_dl=target_mg_dl(state, at_ms),
        glucose_mg_dl=None if newest is None else newest.glucose_mg_dl,
        glucose_drawn_at_ms=None if newest is None else newest.drawn_at_ms,
        glucose_source="" if newest is None else newest.source,
        glucose_doubted=newest is not None and newest.verdict is Verdict.DOUBTED,
        glucose_slope_mg_dl_min=_slope(history.samples),
        next_sample_due_ms=_next_due(state),
        draw_marked_ms=blood.draw_marked_ms,
        wanted_mg_kg_min=dosing.wanted_mg_kg_min,
        gir_mg_kg_min=dosing.gir_mg_kg_min,
        gir_reasons=list(dosing.reasons),
        insulin_mu_m2_min=state.insulin_mu_m2_min,
        proposal=_proposal(dosing),
        dextrose=_pump(state.dextrose, state.session.station.dextrose_pump),
        insulin=_pump(state.insulin, state.session.station.insulin_pump),
        analyzer=_analyzer(state),
        journal_healthy=not state.safeguards.journal_trouble,
        alarms=[_alarm(alarm) for alarm in state.alarms],
        audio_paused_until_ms=state.audio_paused_until_ms,
        refusal=state.refusal,
        quality=quality(history.samples, history.rates, target_mg_dl(state, at_ms), at_ms),
        sample_late_ms=protocol.limits.age_late_ms,
        sample_stale_ms=protocol.limits.age_stale_ms,
        closed=state.phase is Phase.CLOSED,
    )


def _step_ends(state: State, index: int) -> int | None:
    if state.clamp_started_ms is None:
        return None
    return state.clamp_started_ms + step_ends_ms(state.session.protocol, index)


def _next_due(state: State) -> int | None:
    """Draws are due on the protocol's grid from insulin start; before it, one interval after the last."""
    newest = state.blood.newest
    if state.phase in (Phase.SETUP, Phase.CLOSED) or newest is None:
        return None
    every_ms = state.session.protocol.sampling_ms
    if state.phase not in DOSING or state.clamp_started_ms is None:
        return newest.drawn_at_ms + every_ms
    slots = (newest.drawn_at_ms - state.clamp_started_ms + every_ms // 2) // every_ms
    return state.clamp_started_ms + (slots + 1) * every_ms


def _proposal(dosing: Dosing) -> ProposalView | None:
    waiting = dosing.proposal
    if waiting is None:
        return None
    return ProposalView(
        number=waiting.number,
        gir_mg_kg_min=waiting.gir_mg_kg_min,
        wanted_mg_kg_min=waiting.wanted_mg_kg_min,
        rate_ul_h=waiting.rate_ul_h,
        basis=waiting.basis,
        reasons=list(waiting.reasons),
        expires_at_ms=waiting.expires_at_ms,
    )


def _pump(pump: Pump, setup: PumpSetup) -> PumpView:
    return PumpView(
        model=setup.model,
        connected=pump.connected,
        heard_at_ms=pump.heard_at_ms,
        state="unknown" if pump.state is None else pump.state.value,
        commanded_ul_h=pump.commanded_ul_h or 0,
        reported_ul_h=pump.reported_ul_h,
        verified=pump.verified,
        infused_ul=pump.infused_ul,
        trouble=pump.mismatch or pump.trouble or pump.alarm or "",
        by_hand=setup.by_hand,
    )


def _analyzer(state: State) -> AnalyzerView:
    blood = state.blood
    return AnalyzerView(
        model=state.session.station.analyzer.model,
        connected=blood.analyzer_heard_ms is not None and not blood.analyzer_lost,
        heard_at_ms=blood.analyzer_heard_ms,
        trouble=blood.analyzer_lost,
    )


def _alarm(alarm: Alarm) -> AlarmView:
    return AlarmView(
        name=alarm.name,
        priority=alarm.priority.name.lower(),
        text=alarm.text,
        since_ms=alarm.since_ms,
        holds=alarm.holds,
        acknowledged=alarm.acknowledged,
    )


def _slope(rows: Sequence[SampleRow]) -> float | None:
    """Change between the last two believed samples, mg/dL per min."""
    believed = [row for row in rows[-4:] if row.verdict == Verdict.BELIEVED.value][-2:]
    if len(believed) < 2:
        return None
    first, last = believed
    minutes = units.minutes_from_ms(last.drawn_at_ms - first.drawn_at_ms)
    return None if minutes <= 0 else (last.glucose_mg_dl - first.glucose_mg_dl) / minutes


def quality(
    sample_rows: Sequence[SampleRow], rate_rows: Sequence[RateRow], target: float, at_ms: int
) -> QualityView:
    """The figures of the last 30 min; None until they can be said (clamp-method 3.5, 3.6)."""
    start_ms = at_ms - WINDOW_MS
    values = [
        row.glucose_mg_dl
        for row in sample_rows[-64:]
        if row.drawn_at_ms > start_ms and row.verdict == Verdict.BELIEVED.value
    ]
    if len(values) < 3:
        return QualityView(None, None, None, None, None, None)
    mean = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    near = sum(abs(value - target) <= 0.05 * target for value in values)
    early = mean_rate(rate_rows, start_ms, start_ms + WINDOW_MS // 2)
    late = mean_rate(rate_rows, start_ms + WINDOW_MS // 2, at_ms)
    whole = mean_rate(rate_rows, start_ms, at_ms)
    slope = None
    if early is not None and late is not None and whole:
        slope = 200.0 * (late - early) / whole
    cv = 100.0 * spread / mean
    steady = None if slope is None else cv < CV_STEADY_PCT and abs(slope) < SLOPE_STEADY_PCT
    return QualityView(mean, cv, whole, slope, steady, 100.0 * near / len(values))


def mean_rate(rows: Sequence[RateRow], start_ms: int, end_ms: int) -> float | None:
    """Mean GIR over a span by the rows' steps; None when not known all through."""
    weighted, until_ms = 0.0, end_ms
    for row in reversed(rows):
        if row.at_ms >= until_ms:
            continue
        if row.gir_mg_kg_min is None:
            return None
        weighted += row.gir_mg_kg_min * (until_ms - max(start_ms, row.at_ms))
        until_ms = row.at_ms
        if until_ms <= start_ms:
            return weighted / (end_ms - start_ms)
    return None
