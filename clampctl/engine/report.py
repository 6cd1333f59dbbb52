"""From a session's rows to the record that analysis works on.

Rows come from a live session, a bench or a replayed journal; nothing is computed here but times.
"""

import dataclasses
from dataclasses import replace
from pathlib import Path

from clampctl.analysis.record import GirIs, Record, series
from clampctl.analysis.summary import Summary, summarise
from clampctl.core.insulin import step_ends_ms
from clampctl.core.state import State, Verdict
from clampctl.engine.history import History
from clampctl.engine.replay import steps
from clampctl.engine.wire import EventRow
from clampctl.units import MS_PER_MIN


def record_of(state: State, history: History, end_ms: int) -> Record | None:
    """The clamp as series in minutes from insulin start; None before any clamp began.

    A clamp logged elsewhere has no start: its own time axis is kept and its GIR counts as readings.
    """
    imported = bool(history.samples) and history.samples[0].source == "import"
    if state.clamp_started_ms is None and not imported:
        return None
    origin_ms = state.clamp_started_ms or 0
    protocol = state.session.protocol
    index = len(protocol.steps) - 1
    step = protocol.steps[index]
    step_start_ms = step_ends_ms(protocol, index) - step.duration_ms
    insulin_off_ms = state.insulin_off_ms
    taper_ms = end_ms if insulin_off_ms is None else insulin_off_ms

    def minute(at_ms: int) -> float:
        return (at_ms - origin_ms) / MS_PER_MIN

    window = (step_start_ms + step.window_start_ms, step_start_ms + step.window_end_ms)
    return Record(
        glucose=series(
            (minute(row.drawn_at_ms), row.glucose_mg_dl)
            for row in history.samples
            if row.verdict == Verdict.BELIEVED.value
        ),
        gir=series(
            (minute(row.at_ms), row.gir_mg_kg_min) for row in history.rates if row.gir_mg_kg_min is not None
        ),
        gir_is=GirIs.READINGS if imported else GirIs.STEPS,
        insulin=series((minute(at_ms), value) for at_ms, value in history.insulin_uu_ml),
        clamp_start_min=0.0,
        taper_start_min=minute(taper_ms),
        target_mg_dl=step.target_mg_dl,
        weight_kg=state.session.subject.weight_kg,
        m_window_min=(window[0] / MS_PER_MIN, window[1] / MS_PER_MIN),
        space_l_kg=protocol.law.space_l_kg,
    )


def alarm_lines(history: History) -> tuple[str, ...]:
    """Every alarm's onset, as `minute PRIORITY: text`, in order."""
    return tuple(_line(row) for row in history.events if row.kind == "alarm" and _is_onset(row))


def _is_onset(row: EventRow) -> bool:
    return not row.actor and not row.text.startswith("ended: ")


def _line(row: EventRow) -> str:
    return f"{row.at_ms / MS_PER_MIN:.1f} min {row.text}"


def reported(path: Path, window: tuple[float, float] | None) -> tuple[Summary, History]:
    """The figures of a journal, and its rows. Raises `JournalDamaged`, `CodecError`."""
    history = History()
    state, count = None, 0
    for folded in steps(path.read_bytes()):
        history.saw(folded.seq, folded.before, folded.event, folded.after)
        state, count = folded.after, count + 1
    record = None if state is None else record_of(state, history, state.at_ms)
    summary = unknown() if record is None else summarise(record, window)
    return replace(summary, alarms=alarm_lines(history), events=count, journal=str(path)), history


def unknown() -> Summary:
    """The figures of a session without a clamp: none is known."""
    nothing: list[None] = [None] * len(dataclasses.fields(Summary))
    return Summary(*nothing)
