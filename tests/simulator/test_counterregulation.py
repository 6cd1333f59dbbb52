"""The defence below 70 mg/dL: absent above, late, stronger the deeper, and blunted in type 1 diabetes."""

from dataclasses import replace

import pytest

from simulator.subjects.composite import Parameters, Subject, basal, per_kg
from simulator.subjects.equilibrium import equilibrium
from simulator.subjects.phenotypes import PHENOTYPES, typical
from simulator.subjects.run import Row, held, open_loop


def defenceless(p: Parameters[float]) -> Parameters[float]:
    return replace(p, glucagon_share=0.0, adrenaline_share=0.0)


def held_at(glucose_mg_dl: float, p: Parameters[float]) -> list[Row]:
    course = [(0.0, p.basal_glucose_mg_dl), (60.0, p.basal_glucose_mg_dl), (90.0, glucose_mg_dl)]
    return held(p, 60.0, course, 240)


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_nothing_at_all_happens_above_70(phenotype: str) -> None:
    p = typical(phenotype)
    assert held_at(70.0, p) == held_at(70.0, defenceless(p))


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_below_70_production_rises_and_uptake_falls(phenotype: str) -> None:
    p = typical(phenotype)
    defended, bare = held_at(54.0, p), held_at(54.0, defenceless(p))
    assert defended[75] == bare[75]  # glucose still above 70
    assert defended[-1].egp_mg_kg_min > bare[-1].egp_mg_kg_min + 0.2
    assert defended[-1].uptake_mg_kg_min < 0.95 * bare[-1].uptake_mg_kg_min


def test_it_is_late() -> None:
    p = typical("lean")
    gained = [
        a.egp_mg_kg_min - b.egp_mg_kg_min
        for a, b in zip(held_at(54.0, p), held_at(54.0, defenceless(p)), strict=True)
    ]
    assert gained[90] < 0.3 * gained[-1]  # when 54 is reached
    assert gained[-1] == pytest.approx(1.76, abs=0.02)


def test_at_54_a_healthy_liver_makes_about_its_basal_output_in_spite_of_insulin() -> None:
    """Cersosimo 2001: the rise makes good what insulin suppresses; at 90 mg/dL little is left."""
    p = typical("lean")
    assert held_at(90.0, p)[-1].egp_mg_kg_min < 0.2
    assert held_at(54.0, p)[-1].egp_mg_kg_min == pytest.approx(p.basal_egp_mg_kg_min, rel=0.1)


def test_type_1_diabetes_has_lost_most_of_it() -> None:
    """60 to 80 % less (Diabetes 1983 32:493), as a setting of the subject."""
    p = typical("t1d")
    healthy = replace(p, glucagon_share=1.0, adrenaline_share=1.0)
    bare, blunted, whole = (held_at(54.0, who)[-1].egp_mg_kg_min for who in (defenceless(p), p, healthy))
    assert 0.2 <= (blunted - bare) / (whole - bare) <= 0.4


def test_glucose_settles_higher_with_it() -> None:
    p = typical("lean")
    defended = open_loop(p, 40.0, [], 240)[-1].glucose_mg_dl
    bare = open_loop(defenceless(p), 40.0, [], 240)[-1].glucose_mg_dl
    assert bare < 10.0
    assert 40.0 < defended < 50.0


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_after_the_clamp_everything_settles_back_to_fasting(phenotype: str) -> None:
    """Insulin and glucose stop together: a fall, in all but the hyperglycaemic, then washout and recovery."""
    subject = Subject(typical(phenotype))
    p = subject.parameters
    gir = equilibrium(p, subject.basal, 90.0, per_kg(p, 40.0)).gir_mg_kg_min
    subject.advance(240.0, gir, per_kg(p, 40.0))
    assert subject.insulin_uu_ml > 70.0
    subject.advance(120.0, 0.0, 0.0)
    assert subject.insulin_uu_ml < 1.2 * p.basal_insulin_uu_ml
    subject.advance(22.0 * 60.0, 0.0, 0.0)
    assert subject.state == pytest.approx(basal(p).state, rel=0.01, abs=0.01)


def test_a_subject_whose_fasting_glucose_is_hypoglycaemia_does_not_exist() -> None:
    with pytest.raises(ValueError, match="below 70"):
        basal(replace(typical("lean"), basal_glucose_mg_dl=69.0))
