"""Who the subjects of the second model are, what they settle to, and how they differ."""

import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clampctl.core.protocol import Refusal
from simulator.subjects.bizzotto import (
    Subject,
    basal,
    derivative,
    drive,
    egp_mg_kg_min,
    extraction,
    per_kg,
    repeated,
    uptake_limit_umol_min_m2,
    uptake_mg_kg_min,
)
from simulator.subjects.bizzotto_equilibrium import Equilibrium, equilibrium
from simulator.subjects.bizzotto_phenotypes import (
    CLEARANCE_ML_MIN_M2,
    PHENOTYPES,
    SETTLED_M_MG_KG_MIN,
    typical,
)
from simulator.subjects.bizzotto_ring import FLOW_ML_MIN_M2
from simulator.subjects.bizzotto_spread import CORRELATIONS, IIV, with_deviates
from simulator.subjects.phenotypes import PHENOTYPES as DEFAULT_MODEL
from simulator.subjects.values import Array

DATA = Path(__file__).parents[1] / "data" / "models"
SOURCE: dict[str, Any] = json.loads((DATA / "bizzotto2016.json").read_text())
EXPECTED: dict[str, Any] = json.loads((DATA / "expected_results.json").read_text())["second_model"]

TYPICAL = typical("typical")
TARGET_MG_DL = {name: 100.0 if name == "t2d" else 90.0 for name in PHENOTYPES}


def settled_at(phenotype: str, dose: float, glucose_mg_dl: float) -> Equilibrium[float]:
    p = typical(phenotype)
    return equilibrium(p, basal(p), glucose_mg_dl, per_kg(p, dose))


def clearance_ml_min_m2(phenotype: str, found: Equilibrium[float]) -> float:
    p = typical(phenotype)
    limit = uptake_limit_umol_min_m2(p, found.state.insulin.action_pmol_l)
    return FLOW_ML_MIN_M2 * extraction(p, limit, found.state.glucose.seen)


# --- settled


@pytest.mark.parametrize(
    ("dose", "glucose", "rd"), [(20, 90, 2.962), (40, 90, 5.412), (120, 90, 10.596), (40, 166, 6.766)]
)
def test_settled_uptake_is_the_sheets(dose: float, glucose: float, rd: float) -> None:
    found = settled_at("typical", dose, glucose)
    b = basal(TYPICAL)
    driven = drive(TYPICAL, b, found.state.insulin, 1.0)
    uptake = uptake_mg_kg_min(TYPICAL, driven.uptake_limit_umol_min_m2, found.state.glucose)
    assert uptake == pytest.approx(rd, abs=6e-4)
    assert uptake == pytest.approx(found.gir_mg_kg_min + egp_mg_kg_min(TYPICAL, driven, found.state.glucose))


@pytest.mark.parametrize(("dose", "published"), [(20, 133.0), (40, 244.0), (120, 477.0)])
def test_settled_clearance_is_the_sheets(dose: float, published: float) -> None:
    found = settled_at("typical", dose, 90.0)
    assert clearance_ml_min_m2("typical", found) == pytest.approx(published, abs=0.5)


@pytest.mark.parametrize(("glucose_mmol_l", "published"), [(5.0, 246.0), (10.0, 158.0)])
def test_clearance_falls_with_glucose_as_in_the_paper(glucose_mmol_l: float, published: float) -> None:
    """Median clearance at 600 pmol/L insulin in the abstract of Bizzotto 2016; a median of individuals."""
    limit = uptake_limit_umol_min_m2(TYPICAL, 600.0)
    assert FLOW_ML_MIN_M2 * extraction(TYPICAL, limit, glucose_mmol_l) == pytest.approx(published, rel=0.025)


@settings(deadline=None)
@given(
    phenotype=st.sampled_from(list(PHENOTYPES)), glucose=st.floats(40.0, 300.0), dose=st.floats(0.0, 300.0)
)
def test_equilibrium_holds_at_any_glucose_and_dose(phenotype: str, glucose: float, dose: float) -> None:
    p = typical(phenotype)
    found = settled_at(phenotype, dose, glucose)
    rates = derivative(p, basal(p), found.state, found.gir_mg_kg_min, per_kg(p, dose), 1.0)
    assert max(abs(rate) for rate in (*rates.glucose, *rates.insulin)) < 1e-9


def test_subjects_side_by_side_settle_like_one() -> None:
    p = repeated(typical("obese"), 3)
    found = equilibrium(p, basal(p), np.full(3, 90.0), per_kg(p, 40.0))
    assert found.gir_mg_kg_min == pytest.approx([settled_at("obese", 40.0, 90.0).gir_mg_kg_min] * 3)


def test_subject_given_its_settled_infusion_comes_to_rest_there() -> None:
    found, subject = settled_at("lean", 40.0, 90.0), Subject(typical("lean"))
    subject.advance(2500.0, found.gir_mg_kg_min, per_kg(subject.parameters, 40.0))
    assert subject.glucose_mg_dl == pytest.approx(90.0, abs=1e-3)
    assert subject.insulin_uu_ml == pytest.approx(found.state.insulin.plasma_uu_ml, abs=1e-6)


# --- phenotypes


def test_typical_subject_is_the_sources() -> None:
    t = SOURCE["typical"]
    keys = (
        "KmG_mmolL",
        "Emax_umol_min_m2",
        "hill",
        "KmI_pmolL",
        "t12I_min_per_stage",
        "V_mL_m2",
        "w1",
        "flambda3",
    )
    expected = [75.0, 1.85, 90.0, 8.0, *(t[key] for key in keys), 26.0]
    assert [getattr(TYPICAL, field.name) for field in fields(TYPICAL)] == expected


@pytest.mark.parametrize("phenotype", SETTLED_M_MG_KG_MIN)
def test_phenotype_meets_its_target_m(phenotype: str) -> None:
    m = settled_at(phenotype, 40.0, TARGET_MG_DL[phenotype]).gir_mg_kg_min
    assert m == pytest.approx(SETTLED_M_MG_KG_MIN[phenotype], rel=0.005)


@pytest.mark.parametrize("phenotype", CLEARANCE_ML_MIN_M2)
def test_phenotype_meets_its_target_clearance(phenotype: str) -> None:
    clearance = clearance_ml_min_m2(phenotype, settled_at(phenotype, 120.0, TARGET_MG_DL[phenotype]))
    assert clearance == pytest.approx(CLEARANCE_ML_MIN_M2[phenotype], rel=0.005)


@pytest.mark.parametrize("phenotype", SETTLED_M_MG_KG_MIN)
def test_phenotype_has_the_body_and_basal_state_of_the_default_model(phenotype: str) -> None:
    own, default = typical(phenotype), DEFAULT_MODEL[phenotype]
    for name in ("weight_kg", "bsa_m2", "basal_glucose_mg_dl", "basal_insulin_uu_ml", "ic50_uu_ml"):
        assert getattr(own, name) == getattr(default, name)


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_phenotype_lies_within_the_published_spread(phenotype: str) -> None:
    for name, spread in IIV.items():
        deviation = math.log(getattr(typical(phenotype), name) / getattr(TYPICAL, name))
        assert abs(deviation) < 2.5 * math.sqrt(spread.variance)


def test_every_phenotype_of_the_default_model_is_here() -> None:
    assert set(DEFAULT_MODEL) | {"typical"} == set(PHENOTYPES)
    assert {"typical", *SETTLED_M_MG_KG_MIN} == set(PHENOTYPES)


def test_unknown_phenotype_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refusal, match=r"'thin' is not a phenotype; known are typical, lean"):
        typical("thin")


@pytest.mark.parametrize("size", [0.0, -70.0, math.nan, math.inf])
def test_impossible_body_is_refused(size: float) -> None:
    with pytest.raises(Refusal, match="weight is"):
        typical("lean", weight_kg=size)
    with pytest.raises(Refusal, match="body surface is"):
        typical("lean", bsa_m2=size)


def test_another_weight_takes_the_surface_with_it() -> None:
    assert typical("lean", weight_kg=70.0 * 1.44).bsa_m2 == pytest.approx(1.85 * 1.2)
    assert typical("lean", weight_kg=80.0, bsa_m2=1.9) == replace(
        PHENOTYPES["lean"], weight_kg=80.0, bsa_m2=1.9
    )


# --- spread


def test_spread_is_the_sources() -> None:
    variances = SOURCE["iiv_log_variance"]
    found = [spread.variance for spread in IIV.values()]
    keys = ("KmG", "Emax", "hill", "KmI", "t12I", "V", "flambda3_logit", "w1_logit")
    assert found == [variances[key] for key in keys]
    assert [spread.share for spread in IIV.values()] == [key.endswith("_logit") for key in keys]
    assert dict(CORRELATIONS) == {("hill", "km_insulin_pmol_l"): variances["corr_hill_KmI"]}


def test_no_deviates_no_deviation() -> None:
    found = with_deviates(TYPICAL, [0.0] * len(IIV))
    assert [getattr(found, field.name) for field in fields(found)] == pytest.approx(
        [getattr(TYPICAL, field.name) for field in fields(TYPICAL)]
    )


@pytest.mark.parametrize("name", IIV)
def test_a_deviate_moves_its_own_field_by_its_standard_deviation(name: str) -> None:
    found = with_deviates(TYPICAL, [1.0 if field == name else 0.0 for field in IIV])
    before, after = getattr(TYPICAL, name), getattr(found, name)
    if IIV[name].share:
        before, after = before / (1.0 - before), after / (1.0 - after)
    assert math.log(after / before) == pytest.approx(math.sqrt(IIV[name].variance))
    others = [field.name for field in fields(TYPICAL) if field.name != name]
    assert [getattr(found, other) for other in others] == pytest.approx(
        [getattr(TYPICAL, other) for other in others]
    )


def test_deviates_must_be_as_many_as_the_spread_has() -> None:
    with pytest.raises(ValueError, match="zip"):
        with_deviates(TYPICAL, [0.0] * (len(IIV) - 1))


def drawn(n: int, seed: int) -> Array:
    names, correlation = list(IIV), np.eye(len(IIV))
    for (one, other), value in CORRELATIONS.items():
        a, b = names.index(one), names.index(other)
        correlation[a, b] = correlation[b, a] = value
    return np.random.default_rng(seed).multivariate_normal(np.zeros(len(IIV)), correlation, n).T


def test_settled_m_spreads_as_in_the_published_cohort() -> None:
    """5, 50 and 95 % of M at 210-240 min, 400 subjects; two draws of it differed by up to 0.3 [C]."""
    p = with_deviates(TYPICAL, drawn(4000, seed=1))
    m = equilibrium(p, basal(p), 90.0 + 0.0 * p.weight_kg, per_kg(p, 40.0)).gir_mg_kg_min
    low, median, high = np.percentile(m, [5.0, 50.0, 95.0])
    published = EXPECTED["cohort_n400_M_210_240_5_50_95"]
    assert [low, median] == pytest.approx(published[:2], abs=0.3)
    assert high == pytest.approx(published[2], abs=0.8)


def test_extreme_subjects_move_without_upset() -> None:
    corners = np.random.default_rng(2).choice([-2.5, 2.5], size=(len(IIV), 256))
    subject = Subject(with_deviates(TYPICAL, corners))
    for gir in (0.0, 20.0, 0.0):
        subject.advance(30.0, np.full(256, gir), per_kg(subject.parameters, 120.0), np.full(256, 0.5))
        courses = np.array([*subject.state.glucose, *subject.state.insulin])
        assert np.all(np.isfinite(courses))
        assert courses.min() >= 0.0
