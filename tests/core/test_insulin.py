"""Insulin against the clock: the prime vectors of clamp-method 1.2, steps and pump rates."""

from dataclasses import replace

import pytest

from clampctl import units
from clampctl.core import insulin
from clampctl.core.interlocks import insulin_rate
from clampctl.core.protocol import Prime, PrimeStep, Protocol
from tests.core.world import INSULIN, MIN, NO_PRIME, PRIME, SUBJECT, clamp_step, opened, protocol

FORTY = (128.1, 114.2, 101.4, 90.4, 80.6, 71.9, 63.8, 56.8, 50.4, 45.2, 40.0, 40.0)
SIXTY = (192.2, 171.1, 152.3, 135.5, 120.6, 107.4, 95.6, 85.1, 75.7, 67.4 + 0.4, 60.0, 60.0)
"""mU/m2/min in minutes 0 to 11. The sheet's 60-row comes from its closed form, ours from the table:
within 0.5 of it in every minute."""


@pytest.mark.parametrize(("dose", "vector", "within"), [(40.0, FORTY, 0.05), (60.0, SIXTY, 0.5)])
def test_the_exponential_prime(dose: float, vector: tuple[float, ...], within: float) -> None:
    asked = protocol(clamp_step(dose))
    for minute, expected in enumerate(vector):
        for ms in (minute * MIN, (minute + 1) * MIN - 1):
            assert insulin.dose_mu_m2_min(asked, ms, True) == pytest.approx(expected, abs=within)


def test_the_prime_of_ten_minutes_is_1385_mu_in_the_sheets_subject() -> None:
    asked = protocol(clamp_step(40.0))
    total = 0.0
    for minute in range(10):
        total += insulin.dose_mu_m2_min(asked, minute * MIN, True) * 1.725
    assert total == pytest.approx(1385, abs=0.5)


def test_pump_rates_of_the_prime() -> None:
    session = opened().session
    peak = insulin.peak_mu_m2_min(session.protocol)
    assert peak == pytest.approx(40 * 221 / 69)
    for mu_min in (221, 197, 69):
        assert insulin_rate(session, mu_min / 1.725, peak) in (mu_min * 60 - 10, mu_min * 60 - 1, mu_min * 60)


@pytest.mark.parametrize("prime", [NO_PRIME, Prime("custom", (), 5 * MIN)])
def test_no_prime_begins_at_maintenance(prime: Prime) -> None:
    assert insulin.dose_mu_m2_min(protocol(clamp_step(40.0, prime=prime)), 0, True) == 40.0


def test_a_custom_prime_ends_at_its_end_and_may_be_forbidden() -> None:
    custom = Prime("4x/2x", (PrimeStep(0, 4.0), PrimeStep(4 * MIN, 2.0)), 7 * MIN)
    asked = protocol(clamp_step(10.0, prime=custom))
    minutes = (0, 3.99, 4, 6.99, 7, 60)
    doses = [insulin.dose_mu_m2_min(asked, round(minute * MIN), True) for minute in minutes]
    assert doses == [40, 40, 20, 20, 10, 10]
    assert insulin.dose_mu_m2_min(asked, 0, False) == 10.0
    assert insulin.peak_mu_m2_min(asked) == 40.0


TWO = protocol(clamp_step(12.0, 90.0, 150), clamp_step(40.0, 100.0, 150))


@pytest.mark.parametrize(
    ("minute", "index", "within_min"),
    [(0, 0, 0), (149.99, 0, 149.99), (150, 1, 0), (299, 1, 149), (300, 1, 150), (400, 1, 250)],
)
def test_the_step_at_a_time(minute: float, index: int, within_min: float) -> None:
    found, step, within_ms = insulin.step_at(TWO, round(minute * MIN))
    assert (found, step, within_ms) == (index, TWO.steps[index], round(within_min * MIN))


def test_two_steps_with_a_second_prime() -> None:
    assert insulin.dose_mu_m2_min(TWO, 150 * MIN - 1, True) == 12.0
    assert insulin.dose_mu_m2_min(TWO, 150 * MIN, True) == pytest.approx(128.1, abs=0.05)
    assert insulin.dose_mu_m2_min(TWO, 150 * MIN, False) == 40.0
    assert insulin.total_ms(TWO) == 300 * MIN
    assert [insulin.step_ends_ms(TWO, index) for index in (0, 1)] == [150 * MIN, 300 * MIN]
    assert insulin.peak_mu_m2_min(TWO) == pytest.approx(40 * 221 / 69)


def _rate(asked: Protocol, dose: float, least_ul_h: int = 20, most_ul_h: int = 99_990) -> int:
    session = opened(asked).session
    pump = replace(INSULIN, rate_ul_h_min=least_ul_h, rate_ul_h_max=most_ul_h)
    session = replace(session, station=replace(session.station, insulin_pump=pump))
    return insulin_rate(session, dose, insulin.peak_mu_m2_min(asked))


def test_insulin_ceilings() -> None:
    asked = protocol(clamp_step(40.0))
    assert _rate(asked, 40.0) == 4_140
    assert _rate(asked, 40.0, most_ul_h=3_000) == 3_000
    assert _rate(asked, 1000.0) == int(1.1 * 221 * 60) // 10 * 10
    assert _rate(asked, 0.1) == 0
    assert _rate(asked, 0.0) == 0
    strong = protocol(clamp_step(40.0), limits=replace(asked.limits, insulin_ul_h_max=4_000))
    assert _rate(strong, 40.0) == 4_000


def test_units_go_there_and_back() -> None:
    assert units.mmol_l_from_mg_dl(units.mg_dl_from_mmol_l(5.0)) == pytest.approx(5.0)
    assert units.mg_dl_from_mmol_l(5.0) == pytest.approx(90.078)
    assert units.umol_kg_min_from_mg_kg_min(1.0) == pytest.approx(5.5507, abs=5e-5)
    assert units.dextrose_ul_h(2.0, 70.0, 200.0) == pytest.approx(42_000)
    assert units.gir_mg_kg_min(42_000, 70.0, 200.0) == pytest.approx(2.0)
    assert units.insulin_ul_h(40.0, SUBJECT.bsa_m2, 1000.0) == pytest.approx(4_140)
    assert units.insulin_mu_m2_min(4_140, SUBJECT.bsa_m2, 1000.0) == pytest.approx(40.0)
    assert units.minutes_from_ms(90_000) == 1.5
    assert PRIME.until_ms == 10 * MIN
