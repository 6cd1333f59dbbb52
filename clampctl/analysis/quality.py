"""Quality of a clamp: how close glucose stayed to target, how quiet GIR was, how true the analyzer is.

Names and definitions as for ClampArt (Benesch 2015, PMC4525648; clamp-method 3.6). Every function
gives None where too little was recorded to say.
"""

from dataclasses import dataclass

import numpy as np

from clampctl.analysis.record import Record, Series

HYPOGLYCAEMIA_MG_DL = 70.0
DEEP_HYPOGLYCAEMIA_MG_DL = 54.0
"""3.9 and 3.0 mmol/L, as the safety ladder rounds them (clamp-method 6 [R])."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Analyzer against reference: trueness (mg/dL), precision (%) and accuracy as MARD (%)."""

    pairs: int
    trueness_mg_dl: float
    precision_pct: float | None
    mard_pct: float


def mean(glucose: Series) -> float | None:
    """Mean of the samples."""
    return float(np.mean(glucose.values)) if len(glucose) else None


def cv_pct(glucose: Series) -> float | None:
    """Coefficient of variation, 100 SD / mean with n - 1; None below two samples."""
    if len(glucose) < 2:
        return None
    return float(100.0 * np.std(glucose.values, ddof=1) / np.mean(glucose.values))


def deviation_mg_dl(glucose: Series, target_mg_dl: float) -> float | None:
    """Control deviation, mean of glucose minus target; its sign is kept."""
    return float(np.mean(glucose.values - target_mg_dl)) if len(glucose) else None


def abs_deviation_mg_dl(glucose: Series, target_mg_dl: float) -> float | None:
    """Absolute control deviation, mean of |glucose - target| (Benesch 2021)."""
    return float(np.mean(np.abs(glucose.values - target_mg_dl))) if len(glucose) else None


def deviation_pct(glucose: Series, target_mg_dl: float) -> float | None:
    """DFT, the control deviation in percent of target."""
    deviation = deviation_mg_dl(glucose, target_mg_dl)
    return None if deviation is None else 100.0 * deviation / target_mg_dl


def within_pct(glucose: Series, target_mg_dl: float, band_pct: float) -> float | None:
    """Share of readings within ± `band_pct` of target, in percent; the edges count as within."""
    if not len(glucose):
        return None
    away = np.abs(glucose.values - target_mg_dl)
    return float(100.0 * np.mean(away <= band_pct / 100.0 * target_mg_dl + 1e-9))


def minimum_mg_dl(glucose: Series) -> float | None:
    """The lowest reading."""
    return float(np.min(glucose.values)) if len(glucose) else None


def minutes_below(glucose: Series, limit_mg_dl: float) -> float | None:
    """Minutes under a limit, glucose read linearly between samples; None below two samples."""
    if len(glucose) < 2:
        return None
    first, last = glucose.values[:-1], glucose.values[1:]
    low, high = np.minimum(first, last), np.maximum(first, last)
    span = np.where(high > low, high - low, 1.0)
    part = np.where(high < limit_mg_dl, 1.0, np.clip((limit_mg_dl - low) / span, 0.0, 1.0))
    return float(np.sum(part * np.diff(glucose.at_min)))


def missed_samples(glucose: Series, every_min: float) -> int:
    """Samples that a schedule of one each `every_min` would have had between those taken."""
    return int(np.sum(np.maximum(np.round(np.diff(glucose.at_min) / every_min) - 1.0, 0.0)))


def utility_pct(operational_min: float, total_min: float) -> float | None:
    """Share of the time in which the clamp was under control, in percent."""
    return 100.0 * operational_min / total_min if total_min > 0.0 else None


def gir_cv_pct(record: Record, start_min: float, end_min: float) -> float | None:
    """Time-weighted coefficient of variation of GIR; None where GIR is unknown or zero."""
    gir = record.gir_between(start_min, end_min)
    if gir is None or gir.mean() <= 0.0:
        return None
    return 100.0 * gir.sd() / gir.mean()


def gir_changes(record: Record, start_min: float, end_min: float) -> int | None:
    """How often the rate changed within a window; None where GIR is not recorded in it."""
    gir = record.gir_between(start_min, end_min)
    if gir is None:
        return None
    return int(np.sum(gir.first[1:] != gir.last[:-1]))


def agreement(analyzer: Series, reference: Series) -> Agreement | None:
    """Analyzer, read linearly at the times of the reference, against it (clamp-method 3.6).

    Precision is 100 SD of the differences / mean reference, None below two pairs. Reference values
    outside the analyzer's record do not count; None without any pair.
    """
    pairs = [
        (measured, float(true))
        for minute, true in zip(reference.at_min, reference.values, strict=True)
        if (measured := analyzer.at(float(minute))) is not None
    ]
    if not pairs:
        return None
    measured_mg_dl, true_mg_dl = np.array(pairs).T
    away = measured_mg_dl - true_mg_dl
    return Agreement(
        pairs=len(pairs),
        trueness_mg_dl=float(np.mean(away)),
        precision_pct=float(100.0 * np.std(away, ddof=1) / np.mean(true_mg_dl)) if len(pairs) > 1 else None,
        mard_pct=float(100.0 * np.mean(np.abs(away) / true_mg_dl)),
    )
