"""How well a clamp was controlled and how true its M is: measures beyond `clampctl.analysis`, pure numpy.

One subject: performance errors, approach to target, true uptake. A cohort: percentiles, and the bias
of M. NaN means not known, never 0.
"""

from dataclasses import dataclass

import numpy as np

from simulator.subjects.values import Array

BAND_PCT = 5.0
APPROACH_HOLD_MIN = 30.0
"""Glucose has arrived when it stays within the band for so long: passing through is not arriving."""


@dataclass(frozen=True, slots=True)
class Performance:
    """Performance errors of one clamp, PE = 100 (measured - target) / target, after Varvel, Donoho and
    Shafer 1992 (J Pharmacokinet Biopharm 20:63): there, measured against predicted concentration.

    `mdpe_pct` is the median PE (bias), `mdape_pct` the median |PE| (inaccuracy), `wobble_pct` the median
    |PE - MDPE| (variability within the subject), all in % of target; `divergence_pct_h` the slope of |PE|
    against time by least squares, in % per hour: positive where control worsens.
    """

    mdpe_pct: float
    mdape_pct: float
    divergence_pct_h: float
    wobble_pct: float


@dataclass(frozen=True, slots=True)
class Trueness:
    """M against the true net uptake in a cohort, in % of the mean true uptake; None where not known.

    `coverage_pct` is the share of stated intervals that hold the truth.
    """

    bias_pct: float | None
    sd_pct: float | None
    coverage_pct: float | None


def performance(at_min: Array, glucose_mg_dl: Array, target_mg_dl: float) -> Performance:
    """Performance errors of readings; all NaN without any, divergence NaN without two times."""
    if not glucose_mg_dl.size:
        return Performance(np.nan, np.nan, np.nan, np.nan)
    errors = 100.0 * (glucose_mg_dl - target_mg_dl) / target_mg_dl
    median = float(np.median(errors))
    hours = (at_min - at_min.mean()) / 60.0
    spread = float(np.sum(hours * hours))
    slope = float(np.sum(hours * np.abs(errors))) / spread if spread > 0.0 else np.nan
    return Performance(
        median, float(np.median(np.abs(errors))), slope, float(np.median(np.abs(errors - median)))
    )


def approach_min(
    at_min: Array,
    glucose_mg_dl: Array,
    target_mg_dl: float,
    band_pct: float = BAND_PCT,
    hold_min: float = APPROACH_HOLD_MIN,
) -> float:
    """The first minute from which glucose stays within ± `band_pct` of target for `hold_min`.

    NaN where that never happens. The edges of the band count as within; times rise.
    """
    inside = np.abs(glucose_mg_dl - target_mg_dl) <= band_pct / 100.0 * target_mg_dl + 1e-9
    since = None
    for minute, within in zip(at_min.tolist(), inside.tolist(), strict=True):
        if not within:
            since = None
        elif since is None:
            since = minute
        if since is not None and minute - since >= hold_min:
            return float(since)
    return float(np.nan)


def mean_over(at_min: Array, values: Array, start_min: float, end_min: float) -> float:
    """Mean over time of a curve read at times that hold both ends of the window; else NaN."""
    inside = (at_min >= start_min) & (at_min <= end_min)
    times, read = at_min[inside], values[inside]
    if times.size < 2 or times[0] != start_min or times[-1] != end_min:
        return float(np.nan)
    return float(np.trapezoid(read, times) / (end_min - start_min))


def percentiles(values: Array) -> dict[str, float] | None:
    """5th, 50th and 95th percentile of what is known; None where nothing is."""
    known = values[~np.isnan(values)]
    if not known.size:
        return None
    low, middle, high = np.percentile(known, (5.0, 50.0, 95.0)).tolist()
    return {"p5": low, "p50": middle, "p95": high}


def median_time(values: Array) -> float | None:
    """The median of times at which something happened, NaN being never; None where half never did."""
    if not values.size:
        return None
    middle = float(np.median(np.where(np.isnan(values), np.inf, values)))
    return middle if np.isfinite(middle) else None


def share_pct(values: Array, limit: float) -> float | None:
    """Share of known values below a limit, in percent; None where nothing is known."""
    known = values[~np.isnan(values)]
    return float(100.0 * np.mean(known < limit)) if known.size else None


def trueness(measured: Array, true: Array, interval: tuple[Array, Array] | None = None) -> Trueness:
    """Bias and SD of measured M less true uptake, relative to the cohort's mean true uptake.

    Not relative to each subject's own: a resistant one may truly take up next to nothing. The SD needs
    two subjects, bias and SD a positive mean; coverage needs the lower and upper ends of an interval.
    """
    known = ~(np.isnan(measured) | np.isnan(true))
    away, truth = measured[known] - true[known], true[known]
    bias = sd = coverage = None
    if truth.size and truth.mean() > 0.0:
        bias = float(100.0 * away.mean() / truth.mean())
        if truth.size > 1:
            sd = float(100.0 * away.std(ddof=1) / truth.mean())
    if interval is not None:
        low, high = interval
        stated = known & ~(np.isnan(low) | np.isnan(high))
        if stated.any():
            covered = (low[stated] <= true[stated]) & (true[stated] <= high[stated])
            coverage = float(100.0 * covered.mean())
    return Trueness(bias, sd, coverage)
