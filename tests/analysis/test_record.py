"""Series and the curve of GIR: interpolation and exact time-weighted moments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.analysis.record import EDGE_MIN, GirIs, Record, Segments, Series, series

RATES = [(0.0, 0.0), (4.0, 2.0), (10.0, 5.0), (20.0, 4.0)]


def gir(pairs: list[tuple[float, float]], gir_is: GirIs, start: float, end: float) -> Segments | None:
    record = Record(
        glucose=series([]),
        gir=series(pairs),
        gir_is=gir_is,
        insulin=series([]),
        clamp_start_min=0.0,
        taper_start_min=120.0,
        target_mg_dl=90.0,
        weight_kg=70.0,
    )
    return record.gir_between(start, end)


@pytest.mark.parametrize(
    ("gir_is", "start", "end", "mean"),
    [
        (GirIs.STEPS, 0, 4, 0.0),
        (GirIs.STEPS, 0, 20, (6 * 2 + 10 * 5) / 20),
        (GirIs.STEPS, 2, 6, 1.0),
        (GirIs.STEPS, 20, 300, 4.0),
        (GirIs.READINGS, 0, 4, 1.0),
        (GirIs.READINGS, 4, 20, (6 * 3.5 + 10 * 4.5) / 16),
        (GirIs.READINGS, 15, 25, (5 * 4.25 + 5 * 4.0) / 10),
    ],
)
def test_mean_gir(gir_is: GirIs, start: float, end: float, mean: float) -> None:
    curve = gir(RATES, gir_is, start, end)
    assert curve is not None
    assert curve.mean() == pytest.approx(mean)


@pytest.mark.parametrize(
    ("gir_is", "start", "end"),
    [
        (GirIs.STEPS, -1, 10),
        (GirIs.STEPS, 10, 10),
        (GirIs.READINGS, 0, 20 + EDGE_MIN + 0.1),
        (GirIs.READINGS, -EDGE_MIN - 0.1, 10),
    ],
)
def test_gir_outside_the_record_is_unknown(gir_is: GirIs, start: float, end: float) -> None:
    assert gir(RATES, gir_is, start, end) is None


@pytest.mark.parametrize("gir_is", list(GirIs))
def test_moments_agree_with_a_fine_grid(gir_is: GirIs) -> None:
    curve = gir(RATES, gir_is, 1.0, 19.0)
    assert curve is not None
    grid = np.linspace(1.0, 19.0, 180_001)
    centres = (grid[:-1] + grid[1:]) / 2.0
    if gir_is is GirIs.STEPS:
        values = np.select([centres < 4, centres < 10], [0.0, 2.0], 5.0)
    else:
        values = np.interp(centres, [0, 4, 10, 20], [0, 2, 5, 4])
    assert curve.mean() == pytest.approx(values.mean(), abs=1e-6)
    assert curve.sd() == pytest.approx(values.std(), abs=1e-6)
    assert curve.slope_per_min() == pytest.approx(np.polyfit(centres, values, 1)[0], abs=1e-6)


@given(st.floats(0, 20), st.floats(-0.1, 0.1))
def test_a_line_has_its_own_slope(level: float, slope: float) -> None:
    curve = gir([(0, level), (60, level + 60 * slope)], GirIs.READINGS, 0, 60)
    assert curve is not None
    assert curve.slope_per_min() == pytest.approx(slope, abs=1e-9)
    assert curve.mean() == pytest.approx(level + 30 * slope, abs=1e-9)


def test_value_between_and_beyond_readings() -> None:
    glucose = series([(10, 90), (20, 100)])
    assert glucose.at(15) == pytest.approx(95)
    assert glucose.at(10 - EDGE_MIN) == pytest.approx(90)
    assert glucose.at(20 + EDGE_MIN) == pytest.approx(100)
    assert glucose.at(20 + EDGE_MIN + 0.1) is None
    assert series([]).at(0) is None
    assert glucose.between(20, 30).values.tolist() == [100]


@pytest.mark.parametrize(
    ("times", "values"),
    [([0, 1], [1]), ([1, 0], [1, 1]), ([0, float("nan")], [1, 1]), ([0, 1], [1, float("inf")])],
)
def test_a_broken_series_is_not_made(times: list[float], values: list[float]) -> None:
    with pytest.raises(ValueError, match="series"):
        Series(np.array(times, dtype=np.float64), np.array(values, dtype=np.float64))
