"""What an analyzer reports of the true glucose, and when."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.subjects.sampling import YSI_ANALYSIS_MS, Analysis, Reading, Sampling, rounded
from simulator.subjects.values import Array
from simulator.subjects.variability import NOISES, deviates, deviates_for

N = 20_000
FIVE_MIN_MS = 5 * 60_000


def one(noise: str, seed: int = 1, analysis: Analysis | None = None) -> Sampling[float]:
    return Sampling(NOISES[noise], deviates(np.random.default_rng(seed)), analysis)


def many(noise: str) -> Sampling[Array]:
    return Sampling(NOISES[noise], deviates_for(np.random.default_rng(1), N))


@settings(deadline=None)
@given(glucose=st.floats(20.0, 500.0), at_ms=st.integers(0, 10**8))
def test_without_noise_the_answer_is_the_truth_one_minute_later(glucose: float, at_ms: int) -> None:
    assert one("none").draw(glucose, at_ms) == Reading(at_ms, at_ms + 60_000, glucose)


def test_answer_waits_for_handling_and_analysis() -> None:
    sampling = one("none", analysis=Analysis(analysis_ms=90_000, handling_ms=45_000))
    assert sampling.draw(90.0, 300_000).ready_at_ms == 300_000 + 135_000
    assert Analysis() == Analysis(analysis_ms=YSI_ANALYSIS_MS, handling_ms=0, resolution_mg_dl=0.0)


def test_quiet_error_is_the_assays_alone_and_fresh_each_time() -> None:
    sampling = many("quiet")
    first = np.log(sampling.draw(np.full(N, 90.0), 0).glucose_mg_dl / 90.0)
    second = np.log(sampling.draw(np.full(N, 90.0), 1000).glucose_mg_dl / 90.0)
    assert first.std() == pytest.approx(0.015, rel=0.02)  # known to 0.5 % from 20,000
    assert first.mean() == pytest.approx(0.0, abs=0.0005)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("gap_min", [0, 5, 15])
def test_noisy_error_adds_a_site_error_that_lasts(gap_min: int) -> None:
    """The site's share (sd 0.01, tau 15 min) is common to neighbouring samples, the assay's is not."""
    sampling = many("noisy")
    first = np.log(sampling.draw(np.full(N, 90.0), FIVE_MIN_MS).glucose_mg_dl / 90.0)
    second = np.log(sampling.draw(np.full(N, 90.0), FIVE_MIN_MS + gap_min * 60_000).glucose_mg_dl / 90.0)
    variance = 0.01**2 + 0.015**2
    assert first.std() == pytest.approx(math.sqrt(variance), rel=0.02)
    expected = 0.01**2 * math.exp(-gap_min / 15.0) / variance
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(expected, abs=0.03)


def test_site_error_is_an_exponent_and_assay_error_a_factor() -> None:
    sampling = Sampling(NOISES["noisy"], lambda: 10.0)  # ten standard deviations, each time
    assert sampling.draw(90.0, 0).glucose_mg_dl == pytest.approx(90.0 * math.exp(0.1) * 1.15)


def test_error_is_a_share_of_the_value() -> None:
    low, high = one("noisy").draw(50.0, 0), one("noisy").draw(200.0, 0)
    assert high.glucose_mg_dl == pytest.approx(4.0 * low.glucose_mg_dl)


def test_same_seed_same_readings() -> None:
    def readings(seed: int) -> list[Reading[float]]:
        sampling = one("noisy", seed)
        return [sampling.draw(90.0, index * FIVE_MIN_MS) for index in range(10)]

    assert readings(3) == readings(3)
    assert readings(3) != readings(4)


@pytest.mark.parametrize(
    ("glucose", "resolution", "reported"),
    [
        (89.4, 1.0, 89.0),
        (89.5, 1.0, 90.0),
        (90.5, 1.0, 91.0),
        (90.24, 0.1, 90.2),
        (90.1, 0.180156, 90.078),
        (90.123456, 0.0, 90.123456),
    ],
)
def test_rounding_to_the_analyzers_resolution(glucose: float, resolution: float, reported: float) -> None:
    assert rounded(glucose, resolution) == pytest.approx(reported)
    assert rounded(np.array([glucose]), resolution) == pytest.approx([reported])
    reading = one("none", analysis=Analysis(resolution_mg_dl=resolution)).draw(glucose, 0)
    assert reading.glucose_mg_dl == rounded(glucose, resolution)


@settings(deadline=None)
@given(glucose=st.floats(20.0, 500.0), resolution=st.sampled_from([0.1, 0.180156, 1.0, 5.0]))
def test_rounding_moves_a_value_by_half_a_step_at_most(glucose: float, resolution: float) -> None:
    assert abs(rounded(glucose, resolution) - glucose) <= resolution / 2.0 + 1e-9


def test_a_sample_cannot_be_drawn_before_the_last_one() -> None:
    sampling = one("quiet")
    sampling.draw(90.0, 10_000)
    with pytest.raises(ValueError, match="cannot be drawn after"):
        sampling.draw(90.0, 9_999)
