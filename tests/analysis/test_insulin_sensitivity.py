"""M, space correction and what follows from them, against the vectors of the method sheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.analysis.insulin_sensitivity import (
    clearance_ml_kg_min,
    m_per_insulin,
    m_value,
    normalised,
    si_clamp,
    space_correction_mg_kg_min,
)
from clampctl.analysis.record import GirIs, Record, Series, series


def record(glucose: Series, gir: Series, gir_is: GirIs = GirIs.STEPS) -> Record:
    return Record(
        glucose=glucose,
        gir=gir,
        gir_is=gir_is,
        insulin=series([]),
        clamp_start_min=0.0,
        taper_start_min=120.0,
        target_mg_dl=90.0,
        weight_kg=70.0,
    )


@pytest.mark.parametrize(
    ("minutes", "correction"), [(5, 0.38), (20, 0.095), (30, 0.0633), (40, 0.0475), (60, 0.0317)]
)
def test_space_correction_per_mg_dl(minutes: float, correction: float) -> None:
    """The table of clamp-method 3.1."""
    assert space_correction_mg_kg_min(1.0, minutes) == pytest.approx(correction, abs=5e-5)


def test_space_correction_of_tracer_practice() -> None:
    assert space_correction_mg_kg_min(1.0, 20.0, 0.25, 0.65) == pytest.approx(0.08125)


@pytest.mark.parametrize(
    ("gir", "glucose", "insulin", "fasting", "clearance_dl_min", "si"),
    [
        (895.8, 88.5, 286.1, 6.6, 10.12, 0.0362),
        (787.1, 86.1, 327.6, 17.3, 9.14, 0.0295),
        (932.8, 161.2, 278.4, 12.6, 5.79, 0.0218),
    ],
)
def test_katz_means(
    gir: float, glucose: float, insulin: float, fasting: float, clearance_dl_min: float, si: float
) -> None:
    """The vector of clamp-method 3.2, per subject instead of per kg."""
    assert clearance_ml_kg_min(gir, glucose) == pytest.approx(100.0 * clearance_dl_min, abs=0.5)
    assert si_clamp(gir, glucose, insulin, fasting) == pytest.approx(si, abs=5e-5)


def test_falling_glucose_raises_m_above_gir() -> None:
    m = m_value(record(series([(80, 97.8), (120, 90.8)]), series([(0, 12.0)])), 80, 120)
    assert m is not None
    assert m.space_correction_mg_kg_min == pytest.approx(-7.0 * 0.0475)
    assert m.m_mg_kg_min == pytest.approx(12.0 + 7.0 * 0.0475)
    assert m.m_umol_kg_min == pytest.approx(m.m_mg_kg_min * 5.5507, rel=1e-5)


def test_glucose_at_the_window_ends_is_read_between_samples() -> None:
    m = m_value(record(series([(75, 100), (85, 90), (115, 80), (125, 100)]), series([(0, 5)])), 80, 120)
    assert m is not None
    assert m.space_correction_mg_kg_min == pytest.approx((90 - 95) * 0.0475)


def test_urine_loss_is_taken_off() -> None:
    m = m_value(record(series([(80, 90), (120, 90)]), series([(0, 5)])), 80, 120, urine_mg_kg_min=0.4)
    assert m is not None
    assert m.m_mg_kg_min == pytest.approx(4.6)


@pytest.mark.parametrize(
    ("glucose", "gir"),
    [
        ([(80, 90), (120, 90)], []),
        ([(80, 90), (120, 90)], [(81, 5)]),
        ([], [(0, 5)]),
        ([(80, 90), (100, 90)], [(0, 5)]),
        ([(90, 90), (120, 90)], [(0, 5)]),
    ],
)
def test_m_is_unknown_without_its_data(
    glucose: list[tuple[float, float]], gir: list[tuple[float, float]]
) -> None:
    assert m_value(record(series(glucose), series(gir)), 80, 120) is None


def test_ratios_are_unknown_without_insulin_or_glucose() -> None:
    assert m_per_insulin(7.0, 0.0) is None
    assert m_per_insulin(7.0, 100.0) == pytest.approx(7.0)
    assert si_clamp(7.0, 90.0, 10.0, 10.0) is None
    assert clearance_ml_kg_min(7.0, 0.0) is None


def test_normalised_by_size() -> None:
    by_size = normalised(4.9, weight_kg=100.0, bsa_m2=2.0, fat_free_mass_kg=60.0)
    assert by_size.per_m2 == pytest.approx(245.0)
    assert by_size.per_kg_ffm == pytest.approx(490.0 / 60.0)
    assert by_size.per_kg_embs == pytest.approx(490.0 / 77.7)
    assert normalised(4.9, 100.0, 2.0).per_kg_ffm is None


@given(
    st.lists(st.floats(60, 140), min_size=9, max_size=9), st.lists(st.floats(0, 20), min_size=8, max_size=8)
)
def test_m_of_a_window_is_the_mean_of_its_intervals(glucose: list[float], gir: list[float]) -> None:
    clamp = record(
        series([(80.0 + 5 * n, value) for n, value in enumerate(glucose)]),
        series([(80.0 + 5 * n, value) for n, value in enumerate(gir)]),
    )
    parts = [m_value(clamp, 80.0 + 5 * n, 85.0 + 5 * n) for n in range(8)]
    whole = m_value(clamp, 80.0, 120.0)
    assert whole is not None
    means = [part.m_mg_kg_min for part in parts if part is not None]
    assert whole.m_mg_kg_min == pytest.approx(sum(means) / 8, abs=1e-9)
