"""The shared field names, and the Katz curves from file to M."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from clampctl.analysis.record import GirIs, Record, series
from clampctl.analysis.summary import Summary, summarise
from clampctl.study.logged import read_logged

DATA = Path(__file__).parents[1] / "data" / "clamps"

NAMES = """glucose_mean_mg_dl, glucose_cv_true_pct, glucose_cv_measured_pct, deviation_mg_dl,
abs_deviation_mg_dl, within_5pct_pct, within_5pct_true_pct, glucose_min_mg_dl, gir_mean_mg_kg_min,
gir_cv_pct, m_mg_kg_min, m_window_min, space_correction_mg_kg_min, m_umol_kg_min, insulin_mean_uu_ml,
steady_state, alarms, events, wall_s, journal"""


@pytest.fixture(scope="module")
def katz() -> Record:
    """28 non-obese subjects at 120 mU/m2/min, group means; 70 kg assumed."""
    files = [f"katz_nonobese_120_{what}.csv" for what in ("glucose", "gir", "insulin")]
    rows = read_logged({name: (DATA / name).read_text(encoding="utf-8") for name in files}, 70.0)
    minutes = [row.t_ms / 60_000 for row in rows]
    return Record(
        glucose=series((t, r.glucose_mg_dl) for t, r in zip(minutes, rows, strict=True) if r.glucose_mg_dl),
        gir=series((t, r.gir_mg_kg_min) for t, r in zip(minutes, rows, strict=True) if r.gir_mg_kg_min),
        gir_is=GirIs.READINGS,
        insulin=series((t, r.insulin_uu_ml) for t, r in zip(minutes, rows, strict=True) if r.insulin_uu_ml),
        clamp_start_min=0.0,
        taper_start_min=240.0,
        target_mg_dl=90.0,
        weight_kg=70.0,
    )


def test_katz_80_to_120(katz: Record) -> None:
    """Clamp-method 3.1: M 12.30 mg/kg/min, space correction -23.3 mg/min."""
    summary = summarise(katz, (80.0, 120.0))
    assert summary.m_mg_kg_min == pytest.approx(12.30, abs=0.05)
    assert summary.space_correction_mg_kg_min == pytest.approx(-23.3 / 70, abs=0.001)
    at_80 = 858.8 + 0.8 * (882.4 - 858.8) / 10.4
    area = 0.8 * (at_80 + 858.8) / 2 + 9.6 * (858.8 + 835.3) / 2 + 20 * 835.3 + 9.6 * (835.3 + 823.5) / 2
    assert summary.gir_mean_mg_kg_min == pytest.approx(area / 40 / 70)
    assert summary.m_umol_kg_min == pytest.approx(12.30 * 5.5507, abs=0.3)
    assert summary.insulin_mean_uu_ml == pytest.approx(283.1)
    assert summary.m_window_min == (80.0, 120.0)
    assert summary.steady_state is True
    assert summary.glucose_mean_mg_dl == pytest.approx((97.8 + 96.1 + 95.3 + 92.5 + 90.8) / 5)
    assert summary.glucose_min_mg_dl == pytest.approx(84.5)


def test_field_names_are_the_shared_ones() -> None:
    assert list(Summary.__dataclass_fields__) == [name.strip() for name in NAMES.split(",")]


CLAMP = Record(
    glucose=series([(-10, 60), *((5.0 * n, 91.0) for n in range(25)), (130, 80), (200, 70)]),
    gir=series([(0, 0.0), (4, 2.0), (10, 6.0), (120, 3.0)]),
    gir_is=GirIs.STEPS,
    insulin=series([]),
    clamp_start_min=0.0,
    taper_start_min=120.0,
    target_mg_dl=90.0,
    weight_kg=70.0,
    m_window_min=(80.0, 120.0),
)


def test_windows_of_control_and_of_m() -> None:
    summary = summarise(CLAMP)
    assert summary.glucose_mean_mg_dl == pytest.approx(91.0)
    assert summary.gir_mean_mg_kg_min == pytest.approx(6.0)
    assert summary.m_window_min == (80.0, 120.0)
    assert summary.m_mg_kg_min == pytest.approx(6.0)
    assert summary.steady_state is True
    assert summary.deviation_mg_dl == pytest.approx(1.0)
    assert summary.within_5pct_pct == pytest.approx(100.0)


def test_the_lowest_glucose_counts_the_taper_but_not_the_basal_time() -> None:
    assert summarise(CLAMP).glucose_min_mg_dl == pytest.approx(70.0)


def test_what_is_not_known_is_none() -> None:
    unknown = summarise(replace(CLAMP, glucose=series([]), gir=series([]), m_window_min=None))
    assert set(asdict(unknown).values()) == {None}


def test_true_and_measured_glucose_are_apart() -> None:
    true = series([(float(n), 90.0 if n % 2 else 100.0) for n in range(121)])
    summary = summarise(replace(CLAMP, true_glucose=true))
    assert summary.glucose_cv_measured_pct == pytest.approx(0.0)
    assert summary.glucose_cv_true_pct == pytest.approx(5.3, abs=0.1)
    assert summary.within_5pct_true_pct == pytest.approx(100 * 30 / 61)
