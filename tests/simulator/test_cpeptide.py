"""C-peptide against the population table (Van Cauter 1992), its equations, and V13 of the models sheet."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from clampctl.core.protocol import Refusal
from simulator.subjects.composite import basal
from simulator.subjects.cpeptide import CPeptide, c_peptide, course_of
from simulator.subjects.phenotypes import PHENOTYPES, VARIANTS, typical
from simulator.subjects.run import held

MODELS = Path(__file__).parents[1] / "data" / "models"
TABLE: dict[str, Any] = json.loads((MODELS / "cpeptide_vancauter.json").read_text())
KIND = {"lean": "normal", "obese": "obese", "metsyn": "obese", "t2d": "t2d", "t1d": "normal"}


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_half_lives_and_share_are_the_tables(phenotype: str) -> None:
    found = c_peptide(phenotype, 1.9, age_years=50.0)
    a = math.log(2.0) / TABLE["short_half_life_min"][KIND[phenotype]]
    b = math.log(2.0) / (26.705 + 0.209 * 50.0)
    total = found.lost_per_min + found.from_second_per_min + found.to_second_per_min
    assert total == pytest.approx(a + b)
    assert found.lost_per_min * found.from_second_per_min == pytest.approx(a * b)
    share = (a - found.from_second_per_min) / (a - b)
    assert share == pytest.approx(TABLE["fraction"][KIND[phenotype]])


def test_volume_differs_with_sex_and_surface() -> None:
    assert c_peptide("lean", 2.0).volume_l == pytest.approx(4.466)
    assert c_peptide("lean", 2.0, male=False).volume_l == pytest.approx(4.433)


@pytest.mark.parametrize(
    ("phenotype", "rate_pmol_min_m2"),
    [("lean", 46.0), ("obese", 89.0)],  # section 2 [C]; Polonsky 1988 measured 50.9 and 86.7
)
def test_basal_secretion(phenotype: str, rate_pmol_min_m2: float) -> None:
    p = typical(phenotype)
    secreted = c_peptide(phenotype, p.bsa_m2).before_liver_pmol_min(basal(p).secretion_mu_kg_min, p.weight_kg)
    assert secreted / p.bsa_m2 == pytest.approx(rate_pmol_min_m2, abs=0.5)


@pytest.mark.parametrize(
    ("insulin_mu_kg_min", "fall_pct", "allowed_pct"),
    [(1.0, 17.0, (10.0, 30.0)), (10.0, 34.0, (25.0, 45.0))],  # V13: published 15 and 33 %
)
def test_c_peptide_falls_as_insulin_suppresses_secretion(
    insulin_mu_kg_min: float, fall_pct: float, allowed_pct: tuple[float, float]
) -> None:
    p = typical("lean")
    rows = held(p, insulin_mu_kg_min * p.weight_kg / p.bsa_m2, p.basal_glucose_mg_dl, 360)
    course = course_of(c_peptide("lean", p.bsa_m2), p, rows)
    fall = 100.0 * (1.0 - course[-1] / course[0])
    assert fall == pytest.approx(fall_pct, abs=0.6)
    assert allowed_pct[0] < 100.0 * (1.0 - course[120] / course[0]) < allowed_pct[1]


@pytest.mark.parametrize("phenotype", [*PHENOTYPES, *VARIANTS])
def test_untouched_subject_keeps_its_c_peptide(phenotype: str) -> None:
    p = typical(phenotype)
    kinetics = c_peptide(phenotype, p.bsa_m2)
    course = course_of(kinetics, p, held(p, 0.0, p.basal_glucose_mg_dl, 60))
    secreted = kinetics.before_liver_pmol_min(basal(p).secretion_mu_kg_min, p.weight_kg)
    assert course == pytest.approx([kinetics.settled_pmol_l(secreted)] * 61)
    assert (course[0] > 0.0) == (phenotype != "t1d")


def test_a_minute_is_the_solution_of_the_two_equations() -> None:
    k = c_peptide("obese", 2.1)
    rates = [300.0, 900.0, 0.0, 0.0, 500.0]
    first = rates[0] / k.lost_per_min
    second = k.to_second_per_min * first / k.from_second_per_min
    expected, steps = [], 4000
    for rate in rates:
        expected.append(first / k.volume_l)
        for _ in range(steps):
            to_first = rate - (k.lost_per_min + k.to_second_per_min) * first + k.from_second_per_min * second
            to_second = k.to_second_per_min * first - k.from_second_per_min * second
            first, second = first + to_first / steps, second + to_second / steps
    assert k.course_pmol_l(rates) == pytest.approx(expected, rel=1e-4)


def test_unknown_phenotype_is_refused() -> None:
    with pytest.raises(Refusal, match="'thin' has no known C-peptide"):
        c_peptide("thin", 1.9)


def test_without_secretion_there_is_none() -> None:
    none = CPeptide(0.1, 0.05, 0.03, 4.0, 0.5, secretes=False)
    assert none.before_liver_pmol_min(0.2, 70.0) == 0.0
