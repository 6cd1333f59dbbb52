"""Glucose held for ever: the algebraic columns of the models sheet, section 2."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.subjects.composite import (
    basal,
    derivative,
    egp_mg_kg_min,
    per_kg,
    repeated,
    uptake_mg_kg_min,
)
from simulator.subjects.equilibrium import equilibrium
from simulator.subjects.phenotypes import typical

MODELS = Path(__file__).parents[1] / "data" / "models"
EXPECTED: dict[str, Any] = json.loads((MODELS / "expected_results.json").read_text())["composite"]

FIVE = ["lean", "obese", "metsyn", "t2d", "t1d"]
TARGET_MG_DL = {"lean": 90.0, "obese": 90.0, "metsyn": 90.0, "t2d": 100.0, "t1d": 90.0}


@pytest.mark.parametrize("dose", [20, 40, 80, 120])
@pytest.mark.parametrize("phenotype", FIVE)
def test_equilibrium_at_target(phenotype: str, dose: int) -> None:
    p = typical(phenotype)
    b = basal(p)
    insulin = per_kg(p, dose)
    settled = equilibrium(p, b, TARGET_MG_DL[phenotype], insulin)
    published = EXPECTED[phenotype]["steady_state_at_target"][str(dose)]
    found = {
        "M": settled.gir_mg_kg_min,
        "I": settled.state.insulin_uu_ml,
        "EGP": egp_mg_kg_min(p, b, settled.state),
        "U": uptake_mg_kg_min(p, b, settled.state, 1.0),
    }
    assert found == pytest.approx(published, abs=6e-4)  # published to three decimals
    rates = derivative(p, b, settled.state, settled.gir_mg_kg_min, insulin, 1.0)
    assert max(abs(rate) for rate in rates) < 1e-12


@settings(deadline=None)
@given(
    phenotype=st.sampled_from(FIVE),
    glucose=st.floats(40.0, 300.0),
    dose=st.floats(0.0, 300.0),
)
def test_equilibrium_holds_at_any_glucose_and_dose(phenotype: str, glucose: float, dose: float) -> None:
    p = typical(phenotype)
    b = basal(p)
    settled = equilibrium(p, b, glucose, per_kg(p, dose))
    rates = derivative(p, b, settled.state, settled.gir_mg_kg_min, per_kg(p, dose), 1.0)
    assert max(abs(rate) for rate in rates) < 1e-9


def test_subjects_side_by_side_settle_like_one() -> None:
    p = repeated(typical("obese"), 3)
    settled = equilibrium(p, basal(p), np.full(3, 90.0), per_kg(p, 40.0))
    alone = equilibrium(typical("obese"), basal(typical("obese")), 90.0, per_kg(typical("obese"), 40.0))
    assert settled.gir_mg_kg_min == pytest.approx([alone.gir_mg_kg_min] * 3)
