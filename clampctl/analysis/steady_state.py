"""Is a window steady enough for M to mean insulin sensitivity?

Glucose CV below 5 %, GIR CV below 10 %, no trend of GIR, over at least 30 min (clamp-method 3.5 [R]).
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from clampctl.analysis.quality import cv_pct
from clampctl.analysis.record import Record, Segments, Series


class Verdict(StrEnum):
    """Steady, not steady, or not enough recorded to say."""

    STEADY = "steady"
    UNSTEADY = "unsteady"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SteadyLimits:
    """What counts as steady; all [R], so settings. The trend is in percent of mean GIR per 30 min.

    `gap_min` is the longest time without a sample, ends of the window included: beyond 12 min a
    glucose value is stale (safety sheet SR-5).
    """

    glucose_cv_pct: float = 5.0
    gir_cv_pct: float = 10.0
    gir_trend_pct_30min: float = 5.0
    window_min: float = 30.0
    samples: int = 4
    gap_min: float = 12.0


@dataclass(frozen=True, slots=True)
class SteadyState:
    """The verdict on a window, its figures, and the reasons where it is not steady."""

    verdict: Verdict
    reasons: tuple[str, ...]
    samples: int
    glucose_cv_pct: float | None
    gir_cv_pct: float | None
    gir_trend_pct_30min: float | None


def steady_state(
    record: Record, start_min: float, end_min: float, limits: SteadyLimits | None = None
) -> SteadyState:
    """Judge the window start to end (min) of a clamp."""
    limits = limits or SteadyLimits()
    samples = record.glucose.between(start_min, end_min)
    glucose_cv = cv_pct(samples)
    gir_cv, gir_trend = _gir_figures(record.gir_between(start_min, end_min))

    longest_gap_min = _longest_gap_min(samples, start_min, end_min)
    unknown = [
        reason
        for lacking, reason in (
            (
                end_min - start_min < limits.window_min,
                f"the window is {end_min - start_min:g} min, shorter than {limits.window_min:g}",
            ),
            (
                len(samples) < limits.samples,
                f"{len(samples)} samples in the window, fewer than {limits.samples}",
            ),
            (
                longest_gap_min > limits.gap_min,
                f"{longest_gap_min:.0f} min without a sample, longer than {limits.gap_min:g}",
            ),
            (gir_cv is None, "GIR is not recorded, or zero, in the window"),
        )
        if lacking
    ]
    unsteady = [
        f"{name} {value:.1f} {unit}, not below {limit:g}"
        for name, value, unit, limit in (
            ("glucose CV", glucose_cv, "%", limits.glucose_cv_pct),
            ("GIR CV", gir_cv, "%", limits.gir_cv_pct),
            (
                "GIR trend",
                None if gir_trend is None else abs(gir_trend),
                "% per 30 min",
                limits.gir_trend_pct_30min,
            ),
        )
        if value is not None and value >= limit
    ]
    verdict = Verdict.UNKNOWN if unknown else Verdict.UNSTEADY if unsteady else Verdict.STEADY
    return SteadyState(verdict, (*unknown, *unsteady), len(samples), glucose_cv, gir_cv, gir_trend)


def _gir_figures(gir: Segments | None) -> tuple[float | None, float | None]:
    """CV of GIR in %, and its trend in % of the mean per 30 min; None without any GIR."""
    if gir is None or gir.mean() <= 0.0:
        return None, None
    return 100.0 * gir.sd() / gir.mean(), 100.0 * gir.slope_per_min() * 30.0 / gir.mean()


def _longest_gap_min(samples: Series, start_min: float, end_min: float) -> float:
    return float(np.max(np.diff(np.concatenate(([start_min], samples.at_min, [end_min])))))
