"""Is this glucose value believable, fresh and new? Decides that, not what to infuse.

Trust lows, doubt highs: a false high (dextrose in the sample) cuts dextrose under running insulin,
a false low only adds some (safety sheet, rule 3; SR-6, SR-7).
"""

from dataclasses import replace

from clampctl.core.events import GlucoseSampled, SampleKind
from clampctl.core.protocol import Limits
from clampctl.core.state import DOUBTED, Blood, Sample, Verdict

GLUCOSE_MG_DL_MIN = 20.0
GLUCOSE_MG_DL_MAX = 600.0
"""Outside this range a value is not a subject's glucose (SR-6)."""

DRAWN_AHEAD_MS_MAX = 60_000
"""A draw time up to one minute ahead of the clock is a clock difference, more is wrong (SR-6)."""

DRAW_MARK_MS_MAX = 15 * 60_000
"""A marked draw older than this belongs to no new result."""

REPEAT_MS_MIN = 60_000
"""Blood drawn less than a minute later may be the same blood: it cannot confirm itself (H12)."""

FLAT_RUN = 3
"""As many equal values in a row, while GIR moved, are an analyzer that repeats itself (H16)."""

SEEN_KEPT = 64
AGREES_WITHIN = 0.10


def take(blood: Blood, event: GlucoseSampled, lag_ms: int, limits: Limits, at_ms: int) -> Blood:
    """The samples after one more value arrived.

    Only a patient's value is judged; `last_arrived` holds it with its verdict. `newest` becomes a
    believed or doubted value, never a refused one, which is told as held. A draw marked after this
    sample's belongs to the next.
    """
    blood = replace(blood, analyzer_heard_ms=at_ms, analyzer_lost="")
    if event.kind is not SampleKind.PATIENT:
        return blood
    sample = _judged(blood, event, lag_ms, limits, at_ms)
    if sample.verdict is Verdict.REFUSED:
        held = f"{event.raw_value} {event.raw_unit} {sample.reason}".strip()
        return replace(blood, last_arrived=sample, analyzer_held=held)
    before = blood.newest
    same = before is not None and before.glucose_mg_dl == sample.glucose_mg_dl
    run = blood.same_value_run + 1 if same else 1
    if before is not None and before.verdict is Verdict.DOUBTED:
        agrees = abs(sample.glucose_mg_dl - before.glucose_mg_dl) <= AGREES_WITHIN * before.glucose_mg_dl
        if run >= FLAT_RUN:
            agrees = False
        if agrees and REPEAT_MS_MIN <= sample.drawn_at_ms - before.drawn_at_ms <= limits.repeat_ms:
            sample = replace(sample, verdict=Verdict.BELIEVED, reason="the repeat agrees")
        before = blood.before
    return replace(
        blood,
        newest=sample,
        before=before,
        last_arrived=sample,
        analyzer_held="",
        seen_ids=(*blood.seen_ids, sample.sample_id)[-SEEN_KEPT:],
        draw_marked_ms=blood.draw_marked_ms if _is_for_the_next(blood, sample) else None,
        same_value_run=run,
        same_value_since_ms=blood.same_value_since_ms if same else sample.drawn_at_ms,
    )


def doubted(blood: Blood, sample: Sample, reason: str) -> Blood:
    """The samples with their newest one doubted after all."""
    newest = replace(sample, verdict=Verdict.DOUBTED, reason=reason)
    return replace(blood, newest=newest, last_arrived=newest)


def _judged(blood: Blood, event: GlucoseSampled, lag_ms: int, limits: Limits, at_ms: int) -> Sample:
    drawn_at_ms = _drawn_at(blood, event, lag_ms, at_ms)
    verdict, reason = Verdict.BELIEVED, ""
    newest = blood.newest
    if event.sample_id in blood.seen_ids:
        verdict, reason = Verdict.REFUSED, "already seen"
    elif not GLUCOSE_MG_DL_MIN <= event.glucose_mg_dl <= GLUCOSE_MG_DL_MAX:
        verdict, reason = Verdict.REFUSED, "outside 20 to 600 mg/dL"
    elif drawn_at_ms > at_ms + DRAWN_AHEAD_MS_MAX:
        verdict, reason = Verdict.REFUSED, "drawn in the future"
    elif newest is not None and drawn_at_ms <= newest.drawn_at_ms:
        verdict, reason = Verdict.REFUSED, "older than the newest sample"
    elif _rises_too_fast(blood, event.glucose_mg_dl, drawn_at_ms, limits):
        verdict, reason = Verdict.DOUBTED, "rises too fast: repeat from another site"
    return Sample(
        sample_id=event.sample_id,
        glucose_mg_dl=event.glucose_mg_dl,
        drawn_at_ms=drawn_at_ms,
        received_at_ms=at_ms,
        source=event.source,
        verdict=verdict,
        reason=reason,
    )


def _drawn_at(blood: Blood, event: GlucoseSampled, lag_ms: int, at_ms: int) -> int:
    """The device's draw time, else the marked draw, else arrival less the assumed delay.

    A mark not later than the newest sample's draw is spent: it would refuse every result after it.
    """
    if event.drawn_at_ms is not None:
        return event.drawn_at_ms
    marked, newest = blood.draw_marked_ms, blood.newest
    spent = marked is not None and newest is not None and marked <= newest.drawn_at_ms
    if marked is not None and not spent and at_ms - marked <= DRAW_MARK_MS_MAX:
        return marked
    return at_ms - lag_ms


def _is_for_the_next(blood: Blood, sample: Sample) -> bool:
    return blood.draw_marked_ms is not None and blood.draw_marked_ms > sample.drawn_at_ms


def _rises_too_fast(blood: Blood, glucose_mg_dl: float, drawn_at_ms: int, limits: Limits) -> bool:
    """Whether the rise since the last believed sample is steeper than physiology allows."""
    last = believed(blood)
    if last is None:
        return False
    minutes = max(1.0, (drawn_at_ms - last.drawn_at_ms) / 60_000)
    return glucose_mg_dl - last.glucose_mg_dl > limits.rise_doubted_mg_dl_min * minutes


def believed(blood: Blood) -> Sample | None:
    """The newest sample that is not doubted: the one to rely on where a high value reassures."""
    newest = blood.newest
    if newest is not None and newest.verdict is DOUBTED:
        return blood.before
    return newest


def age_ms(blood: Blood, at_ms: int) -> int | None:
    """Age of the newest usable sample, counted from the draw; None before the first."""
    return None if blood.newest is None else at_ms - blood.newest.drawn_at_ms


def believed_age_ms(blood: Blood, at_ms: int) -> int | None:
    """Age of the newest believed sample: a doubted one does not make insulin safer (I1)."""
    sample = believed(blood)
    return None if sample is None else at_ms - sample.drawn_at_ms
