"""The scores of one clamp of a trial: the figures every clamp has, and what only a virtual subject knows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from clampctl.analysis import quality
from clampctl.analysis.record import GirIs, Record, Series, series
from clampctl.analysis.summary import BAND_PCT, control_window_min, summarise
from clampctl.core.insulin import step_ends_ms, total_ms
from clampctl.units import MS_PER_MIN
from simulator.models import Plant
from simulator.scores import approach_min, mean_over, performance
from simulator.subjects.values import Array
from simulator.trial_bed import MOMENT_MS, Bed

SHARED = (
    "glucose_mean_mg_dl", "glucose_cv_true_pct", "glucose_cv_measured_pct", "deviation_mg_dl",
    "abs_deviation_mg_dl", "within_5pct_pct", "within_5pct_true_pct", "glucose_min_mg_dl",
    "gir_mean_mg_kg_min", "gir_cv_pct", "m_mg_kg_min", "space_correction_mg_kg_min", "m_umol_kg_min",
    "insulin_mean_uu_ml",
)  # fmt: skip
"""Scores under the names of `simulate --json`, with their definitions (`clampctl.analysis.summary`)."""

OWN = (
    "abs_deviation_true_mg_dl", "within_10pct_pct", "within_10pct_true_pct", "glucose_min_true_mg_dl",
    "below_70_min", "below_54_min", "approach_min", "mdpe_pct", "mdape_pct", "divergence_pct_h",
    "wobble_pct", "m_true_mg_kg_min", "steady_state", "fell_back",
)  # fmt: skip
"""Scores of trials: `true` is the subject's own glucose or uptake; the last two are 0 or 1."""

SCORES = (*SHARED, *OWN)
"""Every score of a subject, in the order of a table's columns."""

OF_M = ("m_mg_kg_min", "m_umol_kg_min", "space_correction_mg_kg_min", "insulin_mean_uu_ml")
"""Not known where insulin did not run to the end of the window."""

WIDE_BAND_PCT = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What the bodies of a chunk did, one row each moment from the session's start: shape (moments, n).

    A row's GIR is what the bench would record, from this moment to the next.
    """

    glucose_mg_dl: Array
    insulin_uu_ml: Array
    net_uptake_mg_kg_min: Array
    gir_mg_kg_min: Array

    @staticmethod
    def empty(moments: int, n: int) -> "Course":
        """Nothing known yet."""
        return Course(*(np.full((moments, n), np.nan) for _ in range(4)))

    def note(self, moment: int, plant: Plant, gir_mg_kg_min: Array) -> None:
        """Keep what there is now."""
        self.glucose_mg_dl[moment] = plant.glucose_mg_dl
        self.insulin_uu_ml[moment] = plant.insulin_uu_ml
        self.net_uptake_mg_kg_min[moment] = plant.net_uptake_mg_kg_min
        self.gir_mg_kg_min[moment] = gir_mg_kg_min


def scored(bed: Bed, course: Course, k: int) -> Mapping[str, float]:
    """The scores of one bed, the chunk's k-th, whose clamp has begun. NaN where not known.

    M and its truth are known only where insulin ran to the end of the window.
    """
    record = record_of(bed, course, k)
    summary = summarise(record)
    start_min, end_min = control_window_min(record)
    samples = record.glucose.between(start_min, end_min)
    true = record.true_glucose or series(())
    controlled = true.between(start_min, end_min)
    target = record.target_mg_dl
    errors = performance(samples.at_min, samples.values, target)
    found = {name: _number(getattr(summary, name)) for name in SHARED}
    found |= {
        "abs_deviation_true_mg_dl": _number(quality.abs_deviation_mg_dl(controlled, target)),
        "within_10pct_pct": _number(quality.within_pct(samples, target, WIDE_BAND_PCT)),
        "within_10pct_true_pct": _number(quality.within_pct(controlled, target, WIDE_BAND_PCT)),
        "glucose_min_true_mg_dl": _number(quality.minimum_mg_dl(true)),
        "below_70_min": _number(quality.minutes_below(true, quality.HYPOGLYCAEMIA_MG_DL)),
        "below_54_min": _number(quality.minutes_below(true, quality.DEEP_HYPOGLYCAEMIA_MG_DL)),
        "approach_min": approach_min(true.at_min, true.values, target, BAND_PCT),
        "mdpe_pct": errors.mdpe_pct,
        "mdape_pct": errors.mdape_pct,
        "divergence_pct_h": errors.divergence_pct_h,
        "wobble_pct": errors.wobble_pct,
        "m_true_mg_kg_min": np.nan,
        "steady_state": _number(summary.steady_state),
        "fell_back": float(record.taper_start_min < _minutes(bed)),
    }
    window = record.m_window_min
    if window is None or record.taper_start_min < window[1]:
        return found | dict.fromkeys(OF_M, np.nan)
    moments = _moments(bed)
    return found | {
        "m_true_mg_kg_min": mean_over(_at_min(moments), course.net_uptake_mg_kg_min[moments, k], *window)
    }


def record_of(bed: Bed, course: Course, k: int) -> Record:
    """The clamp of one bed as the bench would record it: samples believed, GIR held, truth each minute."""
    protocol = bed.state.session.protocol
    step = protocol.steps[-1]
    step_start_ms = step_ends_ms(protocol, len(protocol.steps) - 1) - step.duration_ms
    started_ms = bed.started_ms or 0
    moments = _moments(bed)
    each_minute = slice(moments.start, moments.stop, MS_PER_MIN // MOMENT_MS)
    at_min, whole_min = _at_min(moments), _at_min(each_minute)
    gir = course.gir_mg_kg_min[moments, k]
    changed = np.flatnonzero(np.diff(gir, prepend=np.nan) != 0.0)
    off_ms = bed.state.insulin_off_ms
    return Record(
        glucose=series(((at_ms - started_ms) / MS_PER_MIN, value) for at_ms, value in bed.samples),
        gir=Series(at_min[changed], gir[changed]),
        gir_is=GirIs.STEPS,
        insulin=Series(whole_min, course.insulin_uu_ml[each_minute, k]),
        clamp_start_min=0.0,
        taper_start_min=_minutes(bed) if off_ms is None else (off_ms - started_ms) / MS_PER_MIN,
        target_mg_dl=step.target_mg_dl,
        weight_kg=bed.state.session.subject.weight_kg,
        m_window_min=(
            (step_start_ms + step.window_start_ms) / MS_PER_MIN,
            (step_start_ms + step.window_end_ms) / MS_PER_MIN,
        ),
        true_glucose=Series(whole_min, course.glucose_mg_dl[each_minute, k]),
        space_l_kg=protocol.law.space_l_kg,
    )


def _minutes(bed: Bed) -> float:
    return total_ms(bed.state.session.protocol) / MS_PER_MIN


def _moments(bed: Bed) -> slice:
    """The moments of a chunk's course from this bed's insulin start to its end, both included."""
    started_ms = bed.started_ms or 0
    ends_ms = started_ms + total_ms(bed.state.session.protocol)
    return slice(started_ms // MOMENT_MS, ends_ms // MOMENT_MS + 1)


def _at_min(moments: slice) -> Array:
    """Minutes from insulin start of these moments."""
    step = 1 if moments.step is None else moments.step
    return np.arange(0, moments.stop - moments.start, step) * (MOMENT_MS / MS_PER_MIN)


def _number(value: float | bool | None) -> float:
    return np.nan if value is None else float(value)
