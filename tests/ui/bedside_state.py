"""One consistent bedside: a lean subject of 70 kg, minute 82, 17 samples; every figure is computed.

Nothing here is typed in twice: rates follow from weight and strengths, quality from the points.
"""

import statistics

from msgspec.structs import replace

from clampctl.engine.wire import (
    WIRE_VERSION,
    AlarmView,
    AnalyzerView,
    EventRow,
    Hello,
    ProposalView,
    PumpView,
    QualityView,
    RateRow,
    SampleRow,
    Snapshot,
)
from clampctl.units import dextrose_ul_h, insulin_ul_h
from ui.attachment import Attachment, Deed, Fate, History

MIN = 60_000
START_MS = 40 * MIN
NOW_MS = START_MS + 82 * MIN + 12_000
WEIGHT_KG, BSA_M2, DEXTROSE_G_L, INSULIN_MU_ML = 70.0, 1.845, 200.0, 1000.0
GLUCOSE = (
    91.2,
    89.6,
    84.9,
    81.3,
    83.8,
    86.1,
    88.0,
    89.9,
    91.8,
    92.6,
    90.9,
    89.7,
    88.6,
    89.4,
    90.8,
    91.7,
    92.4,
)
GIR = (0.0, 2.0, 2.5, 3.6, 4.9, 5.4, 6.1, 6.3, 6.5, 6.6, 6.9, 7.2, 7.3, 7.1, 7.4, 7.42)
PRIME = ((0, 80.0), (5, 60.0), (10, 40.0))


def rate_ul_h(gir_mg_kg_min: float) -> int:
    """Dextrose pump rate of this subject in steps of 0.1 mL/h."""
    return round(dextrose_ul_h(gir_mg_kg_min, WEIGHT_KG, DEXTROSE_G_L) / 100) * 100


HELLO = Hello(
    wire=WIRE_VERSION,
    session_id="S-014-2",
    software="clampctl 0.1.0",
    live=True,
    subject_code="S-014 v2",
    protocol_title="Euglycemic 40",
    glucose_unit="mg/dL",
    weight_kg=WEIGHT_KG,
    dextrose_label="20 % anhydrous",
    dextrose_g_l=DEXTROSE_G_L,
    sampling_ms=5 * MIN,
    started_utc="2026-03-02T12:25:00+00:00",
)

SAMPLES = tuple(
    SampleRow(f"ysi:{n}", START_MS + 5 * n * MIN, value, "believed", "", "YSI")
    for n, value in enumerate(GLUCOSE)
)


def _rates() -> tuple[RateRow, ...]:
    """GIR changes two minutes after a draw, when its value is there; insulin by the clock."""
    gir = {5 * n + 2: value for n, value in enumerate(GIR)}
    doses = dict(PRIME)
    rows, rate, dose = [], 0.0, 0.0
    for minute in sorted({*gir, *doses}):
        rate, dose = gir.get(minute, rate), doses.get(minute, dose)
        rows.append(RateRow(START_MS + minute * MIN, rate, dose))
    return tuple(rows)


EVENTS = (
    EventRow(210, START_MS, "phase", "insulin started", "AB"),
    EventRow(391, START_MS + 17 * MIN, "operator", "manual rate 3.60 mg/kg/min", "AB"),
    EventRow(802, START_MS + 68 * MIN, "operator", "line flushed", "AB"),
    EventRow(844, START_MS + 71 * MIN, "operator", "syringe changed", "AB"),
)
HISTORY = History(SAMPLES, _rates(), EVENTS)


def _slope_per_min(points: list[tuple[float, float]]) -> float:
    x, y = zip(*points, strict=True)
    return statistics.linear_regression(x, y).slope


def _quality() -> QualityView:
    recent = [(5.0 * n, value) for n, value in enumerate(GLUCOSE) if 5 * n >= 82 - 30]
    values = [value for _, value in recent]
    rates = [(5.0 * n, value) for n, value in enumerate(GIR) if 5 * n >= 82 - 30]
    mean_gir = statistics.fmean(value for _, value in rates)
    slope_pct = 100 * 30 * _slope_per_min(rates) / mean_gir
    cv_pct = 100 * statistics.stdev(values) / statistics.fmean(values)
    return QualityView(
        glucose_mean_mg_dl=statistics.fmean(values),
        glucose_cv_measured_pct=cv_pct,
        gir_mean_mg_kg_min=mean_gir,
        gir_slope_pct_30min=slope_pct,
        steady=cv_pct < 5.0 and abs(slope_pct) < 5.0,
        within_5pct_pct=100.0,
    )


def _pump(model: str, commanded_ul_h: int) -> PumpView:
    return PumpView(
        model=model,
        connected=True,
        heard_at_ms=NOW_MS - 400,
        state="running",
        commanded_ul_h=commanded_ul_h,
        reported_ul_h=commanded_ul_h,
        verified=True,
        infused_ul=131_400,
        trouble="",
    )


ALARM = AlarmView(
    name="syringe_low",
    priority="medium",
    text="Glucose pump: 9 min left; infusion goes on; prepare the next syringe",
    since_ms=NOW_MS - 40_000,
    holds=True,
    acknowledged=False,
)
LOW = AlarmView("clock_step", "low", "Clock of this computer moved 3 s", NOW_MS - 90_000, True, False)
HIGH = AlarmView(
    "glucose_low",
    "high",
    "Glucose 52 mg/dL; insulin STOPPED 14:31:05; give rescue dextrose",
    NOW_MS - 3_000,
    True,
    False,
)
PROPOSAL = ProposalView(
    number=17,
    gir_mg_kg_min=7.3,
    wanted_mg_kg_min=7.3,
    rate_ul_h=rate_ul_h(7.3),
    basis="ysi:16",
    reasons=[],
    expires_at_ms=NOW_MS + 42_000,
)

NOW = Snapshot(
    seq=984,
    at_ms=NOW_MS,
    wall_utc="2026-03-02T14:27:12+00:00",
    phase="clamp",
    step_name="40 mU/m²/min",
    step_number=1,
    step_count=1,
    clamp_started_ms=START_MS,
    step_ends_ms=START_MS + 120 * MIN,
    mode="confirm",
    holding=False,
    fallback_reason="",
    target_mg_dl=90.0,
    glucose_mg_dl=GLUCOSE[-1],
    glucose_drawn_at_ms=START_MS + 80 * MIN,
    glucose_source="YSI",
    glucose_doubted=False,
    glucose_slope_mg_dl_min=_slope_per_min([(5.0 * n, v) for n, v in enumerate(GLUCOSE)][-3:]),
    next_sample_due_ms=START_MS + 85 * MIN,
    draw_marked_ms=None,
    wanted_mg_kg_min=7.3,
    gir_mg_kg_min=GIR[-1],
    gir_reasons=[],
    insulin_mu_m2_min=PRIME[-1][1],
    proposal=PROPOSAL,
    dextrose=_pump("AL-1000", rate_ul_h(GIR[-1])),
    insulin=_pump("AL-1000", round(insulin_ul_h(PRIME[-1][1], BSA_M2, INSULIN_MU_ML) / 10) * 10),
    analyzer=AnalyzerView("YSI 2300", True, NOW_MS - 2_000, ""),
    journal_healthy=True,
    alarms=[ALARM, LOW],
    audio_paused_until_ms=None,
    refusal="",
    quality=_quality(),
    sample_late_ms=8 * MIN,
    sample_stale_ms=12 * MIN,
    closed=False,
)
CALM = replace(NOW, alarms=[])
MINE = Attachment(
    connected=True,
    deed=Deed(31, "Accept 7.42", Fate.JOURNALLED, 16, True, 951),
    actor="AB",
    audio=True,
)
