"""The composite model beside published clamps, whose curves lie in `tests/data/clamps`.

One parameter set per phenotype; no curve has one of its own. Katz 2000: 28 non-obese, no prime told.
Sorensen 1985: primed, insulin by the assays of its time, hence the variant `lean_classic_ria`.
"""

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from simulator.subjects.phenotypes import typical
from simulator.subjects.run import Course, Row, held, open_loop

CLAMPS = Path(__file__).parents[1] / "data" / "clamps"
PRIME = [*((float(n), 221.0 / 69.0 * math.exp(-0.1164 * n)) for n in range(10)), (10.0, 1.0)]
STOP_MIN = 120.0


@cache
def curve(name: str) -> Course:
    lines = [line for line in (CLAMPS / f"{name}.csv").read_text().splitlines() if not line.startswith("#")]
    return [(float(at), float(value)) for at, value in (line.split(",") for line in lines[1:])]


def at(rows: list[Row], t_min: float, value: Callable[[Row], float]) -> float:
    """Linear between the minutes of a run; some digitised times lie just before zero."""
    begin = math.floor(max(t_min, 0.0))
    share = max(t_min, 0.0) - begin
    return value(rows[begin]) + share * (value(rows[begin + 1]) - value(rows[begin]))


def insulin(row: Row) -> float:
    return row.insulin_uu_ml


def worst_pct(rows: list[Row], name: str, from_min: float, value: Callable[[Row], float]) -> float:
    """The deviation furthest from the published curve, with its sign."""
    deviations = [
        100.0 * (at(rows, t, value) / published - 1.0) for t, published in curve(name) if t >= from_min
    ]
    return max(deviations, key=abs)


# --- Katz 2000, 120 mU/m2/min, glucose on the published course


@cache
def katz(phenotype: str) -> list[Row]:
    p = typical(phenotype, weight_kg=70.0, bsa_m2=1.9)
    return held(p, 120.0, curve("katz_nonobese_120_glucose"), 242)


def gir_mg_min(row: Row) -> float:
    return 70.0 * row.gir_mg_kg_min


def test_gir_at_120_is_within_25_percent_of_katz() -> None:
    worst = worst_pct(katz("lean"), "katz_nonobese_120_gir", 60.0, gir_mg_min)
    assert abs(worst) < 25.0
    assert worst == pytest.approx(-24.8, abs=0.2)  # at 200 min; the steady M at 120 is the sheet's


def crossing_min(points: Course, level: float) -> float:
    """When the points first rise through a level."""
    for (before, low), (after, high) in pairwise(points):
        if low < level <= high:
            return before + (after - before) * (level - low) / (high - low)
    raise AssertionError(f"never reaches {level}")


def test_gir_at_120_is_half_way_up_within_10_minutes_of_katz() -> None:
    published = curve("katz_nonobese_120_gir")
    ours = [(float(row.t_min), gir_mg_min(row)) for row in katz("lean")]
    for from_zero in (True, False):  # half of the plateau, and half of the rise
        risen = []
        for points in (published, ours):
            late = [rate for t, rate in points if t >= 60.0]
            plateau, first = sum(late) / len(late), 0.0 if from_zero else points[0][1]
            risen.append(crossing_min(points, (plateau + first) / 2.0))
        assert abs(risen[1] - risen[0]) < 10.0


def test_insulin_at_120_is_within_25_percent_of_katz() -> None:
    worst = worst_pct(katz("lean_classic_ria"), "katz_nonobese_120_insulin", 60.0, insulin)
    assert abs(worst) < 25.0
    assert worst == pytest.approx(24.9, abs=0.2)  # at 60 min; 12 to 19 % from 120 min on


# --- Sorensen 1985, primed, 40 mU/m2/min


def test_insulin_of_the_primed_clamp_is_within_20_percent_of_sorensen() -> None:
    rows = held(typical("lean_classic_ria"), 40.0, curve("sorensen_euglycaemic_glucose"), 121, PRIME)
    worst = worst_pct(rows, "sorensen_euglycaemic_insulin", 15.0, insulin)
    assert abs(worst) < 20.0
    assert worst == pytest.approx(-19.7, abs=0.2)  # at 20 min; within 12 % from 29 min on


# --- Sorensen 1985, 0.25 mU/kg/min and no glucose


@pytest.mark.parametrize(
    ("phenotype", "rmse_mg_dl"), [("lean", 5.2), ("lean_classic_ria", 5.7), ("lean_modern_assay", 5.0)]
)
def test_glucose_under_a_quarter_milliunit(phenotype: str, rmse_mg_dl: float) -> None:
    p = typical(phenotype)
    rows = open_loop(p, 0.25 * p.weight_kg / p.bsa_m2, [], 151)
    squares = [
        (at(rows, t, lambda row: row.glucose_mg_dl) - published) ** 2
        for t, published in curve("sorensen_insulin025_glucose")
    ]
    rmse = math.sqrt(sum(squares) / len(squares))
    assert rmse < 8.0
    assert rmse == pytest.approx(rmse_mg_dl, abs=0.1)


# --- Sorensen 1985, after the insulin infusion is stopped at 120 min


@cache
def stopped(dose_mu_m2_min: float) -> list[Row]:
    p = typical("lean_classic_ria")
    return held(p, dose_mu_m2_min, p.basal_glucose_mg_dl, 222, [*PRIME, (STOP_MIN, 0.0)])


@pytest.mark.parametrize("dose_mu_m2_min", [40.0, 50.1])  # the dose is not told; 50.1 gives 126 mU/L
def test_insulin_after_the_stop(dose_mu_m2_min: float) -> None:
    rows = stopped(dose_mu_m2_min)
    for t, published in curve("sorensen_afterstop_insulin"):
        assert abs(at(rows, t, insulin) - published) < max(0.30 * published, 8.0)


@pytest.mark.parametrize("dose_mu_m2_min", [40.0, 50.1])
def test_disposal_after_the_stop(dose_mu_m2_min: float) -> None:
    """Relative to its level at the stop, 123 mg/m²/min.

    These eight took up far less than the sheet's subjects do (M 6.2-7.8 at 40 mU/m²/min): the level is a
    steady state, ours being 1.6 to 1.8 times theirs. How it falls is what the curve can tell.
    """
    rows, published = stopped(dose_mu_m2_min), curve("sorensen_afterstop_glucose_disposal")

    def gained(t_min: float) -> float:
        return at(rows, t_min, lambda row: row.uptake_mg_kg_min) - rows[0].uptake_mg_kg_min

    to_theirs = published[0][1] / gained(STOP_MIN)
    p = typical("lean_classic_ria")
    assert 1.5 < (p.weight_kg / p.bsa_m2) / to_theirs < 1.9
    for t, disposal in published:
        assert abs(to_theirs * gained(t) - disposal) < max(0.30 * disposal, 20.0)


def test_one_compartment_would_be_empty_ten_minutes_after_the_stop() -> None:
    """Why there is a second: with one, 22 mU/L are left at 130 min, and 8 at 140 (published 42 and 26)."""
    rows = stopped(50.1)
    assert at(rows, 129.8, insulin) > 35.0
    assert at(rows, 139.9, insulin) > 22.0


def test_liver_wakes_after_the_stop_as_measured() -> None:
    """Not an acceptance: within 20 mg/m²/min of the hepatic output, which was 63 in the end."""
    p = typical("lean_classic_ria")
    for t, published in curve("sorensen_afterstop_hepatic_output"):
        ours = at(stopped(50.1), t, lambda row: row.egp_mg_kg_min) * p.weight_kg / p.bsa_m2
        assert abs(ours - published) < 20.0
