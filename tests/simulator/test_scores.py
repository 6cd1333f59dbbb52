"""Measures of control and of M: worked by hand, and what must hold for any clamp."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import scores
from simulator.subjects.values import Array

MINUTES = np.arange(0.0, 61.0)


def floats(*values: float) -> Array:
    return np.array(values, dtype=np.float64)


def every_5_min(count: int) -> Array:
    return np.arange(0.0, 5.0 * count, 5.0)


def test_performance_errors_by_hand() -> None:
    found = scores.performance(floats(60, 90, 120), floats(99, 81, 94.5), 90.0)  # errors +10, -10, +5 %
    assert found.mdpe_pct == pytest.approx(5.0)
    assert found.mdape_pct == pytest.approx(10.0)
    assert found.wobble_pct == pytest.approx(5.0)  # distances from 5: 5, 15, 0
    assert found.divergence_pct_h == pytest.approx(-5.0)  # |error| 10, 10, 5: least squares over an hour


def test_performance_errors_one_by_one() -> None:
    """Each by its own definition (Varvel 1992), none sharing a line with the code."""
    minutes, glucose = floats(0, 5, 15, 20, 30, 45), floats(84, 91, 97, 88, 93, 102)
    errors = (glucose - 90.0) / 90.0 * 100.0
    found = scores.performance(minutes, glucose, 90.0)
    assert found.mdpe_pct == pytest.approx((errors[1] + errors[4]) / 2.0)
    assert found.mdape_pct == pytest.approx((100.0 * 3 / 90 + 100.0 * 6 / 90) / 2.0)
    assert found.wobble_pct == pytest.approx(sorted(abs(errors - found.mdpe_pct))[2:4] @ np.array([0.5, 0.5]))
    assert found.divergence_pct_h == pytest.approx(60.0 * np.polyfit(minutes, abs(errors), 1)[0])


def test_without_readings_performance_is_not_known() -> None:
    found = scores.performance(floats(), floats(), 90.0)
    assert np.isnan([found.mdpe_pct, found.mdape_pct, found.divergence_pct_h, found.wobble_pct]).all()
    assert np.isnan(scores.performance(floats(60), floats(95), 90.0).divergence_pct_h)


@given(st.lists(st.floats(40.0, 300.0), min_size=2, max_size=30))
def test_bias_never_exceeds_inaccuracy(values: list[float]) -> None:
    found = scores.performance(every_5_min(len(values)), floats(*values), 90.0)
    assert abs(found.mdpe_pct) <= found.mdape_pct + 1e-9
    assert found.wobble_pct >= 0.0


@given(st.floats(40.0, 300.0), st.integers(2, 30))
def test_a_level_glucose_neither_wobbles_nor_diverges(glucose: float, count: int) -> None:
    found = scores.performance(every_5_min(count), np.full(count, glucose), 90.0)
    assert found.wobble_pct == pytest.approx(0.0, abs=1e-9)
    assert found.divergence_pct_h == pytest.approx(0.0, abs=1e-6)


def test_approach_is_the_first_minute_of_a_stay() -> None:
    glucose = np.where(MINUTES < 20.0, 120.0, 94.5)
    assert scores.approach_min(MINUTES, glucose, 90.0) == 20.0
    glucose[30] = 95.0  # out again for one minute
    assert np.isnan(scores.approach_min(MINUTES, glucose, 90.0))
    assert scores.approach_min(MINUTES, glucose, 90.0, hold_min=25.0) == 31.0
    assert scores.approach_min(MINUTES, glucose, 90.0, band_pct=10.0) == 20.0


def test_who_starts_on_target_has_arrived() -> None:
    assert scores.approach_min(MINUTES, np.full(61, 90.0), 90.0) == 0.0
    assert np.isnan(scores.approach_min(MINUTES, np.full(61, 80.0), 90.0))


def test_mean_over_a_window_that_is_held() -> None:
    assert scores.mean_over(MINUTES, 2.0 * MINUTES, 20.0, 40.0) == pytest.approx(60.0)
    assert np.isnan(scores.mean_over(MINUTES, MINUTES, 20.0, 80.0))
    assert np.isnan(scores.mean_over(MINUTES, MINUTES, 20.5, 40.0))


def test_percentiles_leave_out_what_is_not_known() -> None:
    known = np.arange(101, dtype=np.float64)
    expected = {"p5": 5.0, "p50": 50.0, "p95": 95.0}
    assert scores.percentiles(known) == pytest.approx(expected)
    assert scores.percentiles(np.append(known, np.nan)) == pytest.approx(expected)
    assert scores.percentiles(floats(np.nan)) is None


def test_whoever_never_arrives_counts_as_late() -> None:
    assert scores.median_time(floats(10, 20, np.nan)) == 20.0
    assert scores.median_time(floats(10, np.nan, np.nan)) is None
    assert scores.median_time(floats()) is None


def test_a_share_is_of_what_is_known() -> None:
    assert scores.share_pct(floats(60, 69.9, 70, 80, np.nan), 70.0) == pytest.approx(50.0)
    assert scores.share_pct(floats(np.nan), 70.0) is None


def test_trueness_by_hand() -> None:
    found = scores.trueness(floats(5.5, 4.5, 8.0), floats(5.0, 5.0, 5.0))
    assert found.bias_pct == pytest.approx(20.0)
    assert found.sd_pct == pytest.approx(100.0 * np.std([0.5, -0.5, 3.0], ddof=1) / 5.0)
    assert found.coverage_pct is None


def test_trueness_counts_only_where_both_are_known() -> None:
    found = scores.trueness(floats(5.5, np.nan, 4.0), floats(5.0, 5.0, np.nan))
    assert found.bias_pct == pytest.approx(10.0)
    assert found.sd_pct is None
    assert scores.trueness(floats(np.nan), floats(1.0)).bias_pct is None
    assert scores.trueness(floats(1.0, 1.0), floats(-1.0, 0.0)).bias_pct is None


def test_coverage_is_the_share_of_intervals_that_hold_the_truth() -> None:
    true = floats(5, 5, 5, 5)
    interval = floats(4, 5.5, 5, np.nan), floats(6, 6.5, 5, 9)
    assert scores.trueness(true, true, interval).coverage_pct == pytest.approx(200.0 / 3.0)
