"""The figures of one clamp under the names that `simulate --json` and `report --json` share.

The unit ends the name; None means not known, never 0.
"""

from dataclasses import dataclass

from clampctl.analysis import quality
from clampctl.analysis.insulin_sensitivity import MValue, m_value
from clampctl.analysis.record import Record
from clampctl.analysis.steady_state import Verdict, steady_state

CONTROL_MIN = 60.0
"""Control figures cover the last hour of insulin unless a window is given."""

BAND_PCT = 5.0


@dataclass(frozen=True, slots=True)
class Summary:
    """One clamp in figures; `true` means a virtual subject's own glucose, else measured samples.

    `alarms`, `events`, `wall_s` and `journal` are known to the caller only, who fills them.
    """

    glucose_mean_mg_dl: float | None
    glucose_cv_true_pct: float | None
    glucose_cv_measured_pct: float | None
    deviation_mg_dl: float | None
    abs_deviation_mg_dl: float | None
    within_5pct_pct: float | None
    within_5pct_true_pct: float | None
    glucose_min_mg_dl: float | None
    gir_mean_mg_kg_min: float | None
    gir_cv_pct: float | None
    m_mg_kg_min: float | None
    m_window_min: tuple[float, float] | None
    space_correction_mg_kg_min: float | None
    m_umol_kg_min: float | None
    insulin_mean_uu_ml: float | None
    steady_state: bool | None
    alarms: tuple[str, ...] | None = None
    events: int | None = None
    wall_s: float | None = None
    journal: str | None = None


def control_window_min(record: Record) -> tuple[float, float]:
    """The last 60 min before the taper, or the whole clamp where it is shorter."""
    return max(record.clamp_start_min, record.taper_start_min - CONTROL_MIN), record.taper_start_min


def summarise(record: Record, window: tuple[float, float] | None = None) -> Summary:
    """The figures of one clamp.

    A given `window` (start, end in min) serves control figures and M alike. Without one, control
    figures cover the last 60 min before the taper and M the protocol's window. The lowest glucose is
    that of all samples since insulin began, taper included.
    """
    start_min, end_min = window or control_window_min(record)
    m_window_min = window or record.m_window_min
    samples = record.glucose.between(start_min, end_min)
    true = None if record.true_glucose is None else record.true_glucose.between(start_min, end_min)
    gir = record.gir_between(start_min, end_min)
    m = None if m_window_min is None else m_value(record, *m_window_min)
    return Summary(
        glucose_mean_mg_dl=quality.mean(samples),
        glucose_cv_true_pct=None if true is None else quality.cv_pct(true),
        glucose_cv_measured_pct=quality.cv_pct(samples),
        deviation_mg_dl=quality.deviation_mg_dl(samples, record.target_mg_dl),
        abs_deviation_mg_dl=quality.abs_deviation_mg_dl(samples, record.target_mg_dl),
        within_5pct_pct=quality.within_pct(samples, record.target_mg_dl, BAND_PCT),
        within_5pct_true_pct=None
        if true is None
        else quality.within_pct(true, record.target_mg_dl, BAND_PCT),
        glucose_min_mg_dl=_lowest(record),
        gir_mean_mg_kg_min=None if gir is None else gir.mean(),
        gir_cv_pct=quality.gir_cv_pct(record, start_min, end_min),
        m_mg_kg_min=None if m is None else m.m_mg_kg_min,
        m_window_min=m_window_min,
        space_correction_mg_kg_min=None if m is None else m.space_correction_mg_kg_min,
        m_umol_kg_min=None if m is None else m.m_umol_kg_min,
        insulin_mean_uu_ml=_insulin(record, m),
        steady_state=_steady(record, m_window_min),
    )


def _lowest(record: Record) -> float | None:
    since_start = record.glucose.at_min >= record.clamp_start_min
    return float(record.glucose.values[since_start].min()) if since_start.any() else None


def _insulin(record: Record, m: MValue | None) -> float | None:
    """Mean of the insulin readings in the M window; None where none was taken in it."""
    return None if m is None else quality.mean(record.insulin.between(m.start_min, m.end_min))


def _steady(record: Record, window: tuple[float, float] | None) -> bool | None:
    if window is None:
        return None
    verdict = steady_state(record, *window).verdict
    return None if verdict is Verdict.UNKNOWN else verdict is Verdict.STEADY
