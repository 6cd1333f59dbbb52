"""Insulin of the second model: the constants of the source, and levels that settle."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.subjects import icing
from simulator.subjects.icing import INTERSTITIAL_SHARE, plasma_slopes, settled_uu_ml, turnover_mu_kg_min

DATA = Path(__file__).parents[1] / "data" / "models"


def test_constants_are_the_disst_persons() -> None:
    with (DATA / "icing_disst.csv").open(newline="") as file:
        person = {row["param"]: row["DISST_person_code"] for row in csv.DictReader(file)}
    assert float(person["VI"]) == pytest.approx(75.0 * icing.VOLUME_L_KG)
    assert float(person["nK"]) == icing.RENAL_PER_MIN
    assert float(person["nC"]) == icing.DEGRADATION_PER_MIN
    assert float(person["alphaI"]) == icing.HEPATIC_SATURATION_PER_UU_ML
    assert person["nI"] == f"{icing.EXCHANGE_PER_MIN * 75.0 * icing.VOLUME_L_KG:.4f} L/min".lstrip("0")
    assert person["nL"] == f".0324 (or {icing.HEPATIC_PER_MIN:.2f})".replace("0.", ".")


@given(level=st.floats(0.0, 2000.0))
def test_turnover_keeps_a_settled_level(level: float) -> None:
    plasma, interstitial = plasma_slopes(level, INTERSTITIAL_SHARE * level, turnover_mu_kg_min(level))
    assert plasma == pytest.approx(0.0, abs=1e-9)
    assert interstitial == pytest.approx(0.0, abs=1e-9)


@given(level=st.floats(0.0, 2000.0))
def test_settled_level_is_the_one_whose_turnover_enters(level: float) -> None:
    assert settled_uu_ml(turnover_mu_kg_min(level)) == pytest.approx(level, rel=1e-9, abs=1e-9)


def test_insulin_comes_to_the_settled_level() -> None:
    entering = turnover_mu_kg_min(8.0) + 40.0 * 1.85 / 75.0
    plasma, interstitial = 8.0, INTERSTITIAL_SHARE * 8.0
    for _ in range(10_000):
        up, across = plasma_slopes(plasma, interstitial, entering)
        plasma, interstitial = plasma + 0.1 * up, interstitial + 0.1 * across
    assert plasma == pytest.approx(96.44, abs=0.005)  # published for 40 mU/m2/min
    assert plasma == pytest.approx(settled_uu_ml(entering), rel=1e-9)
