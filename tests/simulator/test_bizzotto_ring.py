"""The ring of the second model: what goes in is taken up or stays, and its implicit solution is one."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.subjects.bizzotto import (
    Subject,
    per_kg,
    stored_mg_kg,
)
from simulator.subjects.bizzotto_phenotypes import PHENOTYPES, typical
from simulator.subjects.bizzotto_ring import (
    FLOW_ML_MIN_M2,
    GAMMA,
    Amounts,
    Glucose,
    ImplicitRing,
    glucose_slopes,
    returning,
    ring,
    rosenbrock,
    stored_umol_m2,
)

TYPICAL_RING = ring(12648.0, 0.609, 0.0582)

MMOL_L = st.floats(-40.0, 40.0)
GLUCOSE = st.builds(Glucose, *(MMOL_L for _ in range(7)))


@given(volume=st.floats(4000.0, 40_000.0), share=st.floats(0.05, 0.98), ratio=st.floats(0.01, 0.5))
def test_ring_holds_the_volume_it_was_made_for(volume: float, share: float, ratio: float) -> None:
    one_everywhere = Glucose(*(1.0 for _ in range(7)))
    assert stored_umol_m2(ring(volume, share, ratio), one_everywhere) == pytest.approx(volume, rel=1e-9)


@given(glucose=GLUCOSE, entering=st.floats(0.0, 5.0), kept=st.floats(0.0, 1.0))
def test_at_any_state_glucose_in_is_uptake_and_storage(
    glucose: Glucose[float], entering: float, kept: float
) -> None:
    stored = stored_umol_m2(TYPICAL_RING, glucose_slopes(TYPICAL_RING, glucose, entering, kept))
    taken = FLOW_ML_MIN_M2 * (1.0 - kept) * glucose.arterial
    assert stored == pytest.approx(FLOW_ML_MIN_M2 * entering - taken, abs=1e-6)


@given(glucose=GLUCOSE, kept=st.floats(0.0, 1.0), ahead_min=st.floats(0.0, 10.0))
def test_implicit_ring_solves_its_equation(glucose: Glucose[float], kept: float, ahead_min: float) -> None:
    solution = ImplicitRing(TYPICAL_RING, kept, ahead_min).solved(glucose)
    slopes = glucose_slopes(TYPICAL_RING, solution, 0.0, kept)
    given_back = [x - ahead_min * slope for x, slope in zip(solution, slopes, strict=True)]
    assert given_back == pytest.approx(list(glucose), abs=1e-9)


@settings(deadline=None)
@given(
    glucose=st.builds(Glucose, *(st.floats(0.0, 40.0) for _ in range(7))),
    step_min=st.floats(0.01, 2.0),
    kept=st.floats(0.2, 1.0),
    entering=st.floats(0.0, 2.0),
)
def test_a_step_of_any_length_loses_no_glucose(
    glucose: Glucose[float], step_min: float, kept: float, entering: float
) -> None:
    """Glucose taken up and glucose entered are moved along with the ring, and kept wavers with glucose."""
    implicit = ImplicitRing(TYPICAL_RING, kept, GAMMA * step_min)

    def kept_at(seen: float) -> float:
        return kept * (0.9 + 0.1 * seen / (5.0 + abs(seen)))

    def slope(at: Amounts[float]) -> Amounts[float]:
        now = Glucose(*at[:7])
        taken = FLOW_ML_MIN_M2 * (1.0 - kept_at(now.seen)) * now.arterial
        return *glucose_slopes(TYPICAL_RING, now, entering, kept_at(now.seen)), taken

    def solved(slopes: Amounts[float]) -> Amounts[float]:
        now = implicit.solved(Glucose(*slopes[:7]))
        return *now, slopes[7] + GAMMA * step_min * FLOW_ML_MIN_M2 * (1.0 - kept) * now.arterial

    *after, taken = rosenbrock(slope, solved, (*glucose, 0.0), step_min)
    stored = stored_umol_m2(TYPICAL_RING, Glucose(*after)) - stored_umol_m2(TYPICAL_RING, glucose)
    assert stored + taken == pytest.approx(FLOW_ML_MIN_M2 * entering * step_min, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_over_a_clamp_glucose_in_is_uptake_and_storage(phenotype: str) -> None:
    subject = Subject(typical(phenotype))
    at_start = stored_mg_kg(subject.parameters, subject.basal, subject.state.glucose)
    step_min, net, infused = 0.01, 0.0, 0.0
    for gir in (0.0, 8.0, 3.0):
        balances = [subject.egp_mg_kg_min - subject.uptake_mg_kg_min]
        for _ in range(1000):
            subject.advance(step_min, gir, per_kg(subject.parameters, 120.0))
            balances.append(subject.egp_mg_kg_min - subject.uptake_mg_kg_min)
        infused += 1000 * step_min * gir
        net += step_min * sum((a + b) / 2.0 for a, b in itertools.pairwise(balances))
    stored = stored_mg_kg(subject.parameters, subject.basal, subject.state.glucose) - at_start
    assert stored == pytest.approx(infused + net, abs=1e-6 * infused)


def test_venous_blood_is_the_paths_weighted_by_flow() -> None:
    even = Glucose(0.0, 0.0, 0.0, 2.0, 2.0, 2.0, 0.0)
    assert returning(TYPICAL_RING, even) == pytest.approx(2.0)
    fast_only = Glucose(0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    assert returning(TYPICAL_RING, fast_only) == pytest.approx(0.609)
