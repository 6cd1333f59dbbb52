"""Quality measures against figures worked by hand."""

import pytest

from clampctl.analysis import quality
from clampctl.analysis.record import GirIs, Record, series

GLUCOSE = series([(0, 90), (5, 99), (10, 81), (15, 94.5), (20, 72)])
NOTHING = series([])


def test_control_figures() -> None:
    assert quality.mean(GLUCOSE) == pytest.approx(87.3)
    assert quality.cv_pct(series([(0, 80), (5, 100)])) == pytest.approx(100 * 200**0.5 / 90)
    assert quality.deviation_mg_dl(GLUCOSE, 90) == pytest.approx(-2.7)
    assert quality.abs_deviation_mg_dl(GLUCOSE, 90) == pytest.approx((9 + 9 + 4.5 + 18) / 5)
    assert quality.deviation_pct(GLUCOSE, 90) == pytest.approx(-3.0)
    assert quality.minimum_mg_dl(GLUCOSE) == 72


@pytest.mark.parametrize(("band", "share"), [(5, 40), (10, 80), (20, 100), (1, 20)])
def test_share_within_a_band(band: float, share: float) -> None:
    assert quality.within_pct(GLUCOSE, 90, band) == pytest.approx(share)


@pytest.mark.parametrize(
    ("pairs", "minutes"),
    [
        ([(0, 80), (10, 60)], 5),
        ([(0, 60), (10, 80)], 5),
        ([(0, 60), (10, 60)], 10),
        ([(0, 70), (10, 70)], 0),
        ([(0, 80), (10, 90)], 0),
        ([(0, 80), (10, 60), (20, 60), (30, 100)], 5 + 10 + 2.5),
    ],
)
def test_minutes_below_70(pairs: list[tuple[float, float]], minutes: float) -> None:
    assert quality.minutes_below(series(pairs), quality.HYPOGLYCAEMIA_MG_DL) == pytest.approx(minutes)


def test_missed_samples() -> None:
    assert quality.missed_samples(series([(0, 90), (5.2, 90), (15, 90), (31, 90)]), 5) == 3
    assert quality.missed_samples(NOTHING, 5) == 0


def test_nothing_recorded_is_unknown() -> None:
    assert quality.mean(NOTHING) is None
    assert quality.cv_pct(series([(0, 90)])) is None
    assert quality.deviation_mg_dl(NOTHING, 90) is None
    assert quality.deviation_pct(NOTHING, 90) is None
    assert quality.abs_deviation_mg_dl(NOTHING, 90) is None
    assert quality.within_pct(NOTHING, 90, 5) is None
    assert quality.minimum_mg_dl(NOTHING) is None
    assert quality.minutes_below(series([(0, 60)]), 70) is None
    assert quality.agreement(GLUCOSE, NOTHING) is None
    assert quality.utility_pct(0, 0) is None


def test_utility() -> None:
    assert quality.utility_pct(114, 120) == pytest.approx(95)


def clamp(rates: list[tuple[float, float]], gir_is: GirIs = GirIs.STEPS) -> Record:
    return Record(
        glucose=GLUCOSE,
        gir=series(rates),
        gir_is=gir_is,
        insulin=NOTHING,
        clamp_start_min=0.0,
        taper_start_min=20.0,
        target_mg_dl=90.0,
        weight_kg=70.0,
    )


def test_gir_cv_weights_rates_by_their_time() -> None:
    assert quality.gir_cv_pct(clamp([(0, 4), (15, 8)]), 0, 20) == pytest.approx(100 * 3**0.5 / 5)
    assert quality.gir_cv_pct(clamp([(0, 0)]), 0, 20) is None
    assert quality.gir_cv_pct(clamp([]), 0, 20) is None


def test_gir_changes_do_not_count_a_rate_set_again() -> None:
    assert quality.gir_changes(clamp([(0, 4), (5, 4), (10, 5), (15, 4)]), 0, 20) == 2
    assert quality.gir_changes(clamp([(0, 4), (5, 8)], GirIs.READINGS), 0, 5) == 0
    assert quality.gir_changes(clamp([]), 0, 20) is None


def test_agreement_with_a_reference() -> None:
    found = quality.agreement(series([(0, 90), (10, 110)]), series([(0, 100), (5, 100), (40, 90)]))
    assert found is not None
    assert found.pairs == 2
    assert found.trueness_mg_dl == pytest.approx(-5)
    assert found.mard_pct == pytest.approx(5)
    assert found.precision_pct == pytest.approx(50**0.5)
