"""The virtual subject alone: given a glucose infusion, or with its glucose held."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clampctl.core.protocol import Refusal
from simulator.subjects.composite import Subject, basal, per_kg
from simulator.subjects.equilibrium import equilibrium
from simulator.subjects.phenotypes import typical
from simulator.subjects.run import Course, Row, held, open_loop

FIVE = ["lean", "obese", "metsyn", "t2d", "t1d"]


def gir_course(rows: list[Row]) -> Course:
    return [(row.t_min, row.gir_mg_kg_min) for row in rows]


def glucose_of(rows: list[Row]) -> list[float]:
    return [row.glucose_mg_dl for row in rows]


# --- a given infusion


@pytest.mark.parametrize("phenotype", FIVE)
def test_a_fasting_subject_left_alone_stays_fasting(phenotype: str) -> None:
    rows = open_loop(typical(phenotype), 0.0, [], 60)
    assert [row.t_min for row in rows] == list(range(61))
    fasting = Subject(typical(phenotype))
    for row in rows:
        assert row.glucose_mg_dl == pytest.approx(fasting.glucose_mg_dl, abs=1e-9)
        assert row.insulin_uu_ml == pytest.approx(fasting.insulin_uu_ml, abs=1e-9)
        assert row.egp_mg_kg_min == pytest.approx(fasting.egp_mg_kg_min, abs=1e-9)
        assert row.uptake_mg_kg_min == pytest.approx(fasting.uptake_mg_kg_min, abs=1e-9)
        assert row.gir_mg_kg_min == 0.0


def test_rates_hold_from_their_minute_to_the_next_and_rows_tell_the_mean() -> None:
    rows = open_loop(typical("lean"), 40.0, [(4.0, 2.0), (10.25, 6.0)], 12)
    assert [row.gir_mg_kg_min for row in rows] == pytest.approx(
        [0.0] * 4 + [2.0] * 6 + [0.25 * 2.0 + 0.75 * 6.0, 6.0, 6.0]
    )
    subject = Subject(typical("lean"))
    insulin = per_kg(subject.parameters, 40.0)
    for minutes, gir in ((4.0, 0.0), (6.0, 2.0), (0.25, 2.0), (0.75, 6.0), (1.0, 6.0)):
        subject.advance(minutes, gir, insulin)
    assert rows[-1].glucose_mg_dl == pytest.approx(subject.glucose_mg_dl, rel=1e-12)


def test_prime_multiplies_the_dose_until_its_next_entry() -> None:
    rows = open_loop(typical("lean"), 40.0, [], 12, prime=[(0.0, 3.0), (2.5, 2.0), (10.0, 1.0)])
    subject = Subject(typical("lean"))
    insulin = per_kg(subject.parameters, 40.0)
    for minutes, multiple in ((2.5, 3.0), (7.5, 2.0), (2.0, 1.0)):
        subject.advance(minutes, 0.0, multiple * insulin)
    assert rows[-1].insulin_uu_ml == pytest.approx(subject.insulin_uu_ml, rel=1e-6)
    constant = open_loop(typical("lean"), 40.0, [], 12)
    assert open_loop(typical("lean"), 40.0, [], 12, prime=[(5.0, 1.0)]) == constant
    assert rows[5].insulin_uu_ml > constant[5].insulin_uu_ml + 10.0


def test_insulin_without_glucose_lowers_glucose() -> None:
    rows = open_loop(typical("lean"), 40.0, [], 60)
    assert rows[-1].glucose_mg_dl < 65.0


# --- held glucose


@pytest.mark.parametrize("phenotype", FIVE)
def test_held_for_ten_hours_takes_the_equilibrium_rate(phenotype: str) -> None:
    p = typical(phenotype)
    rows = held(p, 40.0, 90.0, 600)
    settled = equilibrium(p, basal(p), 90.0, per_kg(p, 40.0))
    assert glucose_of(rows) == pytest.approx([90.0] * 601)
    assert rows[-1].gir_mg_kg_min == pytest.approx(settled.gir_mg_kg_min, abs=1e-4)
    assert rows[-1].insulin_uu_ml == pytest.approx(settled.state.insulin_uu_ml, abs=1e-3)


@pytest.mark.parametrize("phenotype", FIVE)
def test_replayed_rates_give_the_course_back(phenotype: str) -> None:
    p = typical(phenotype)
    fasting = p.basal_glucose_mg_dl
    course = [(0.0, fasting), (30.0, fasting + 8.0), (47.5, 84.0), (90.0, 90.0)]
    prime = [(0.0, 2.5), (5.0, 1.5), (10.0, 1.0)]
    rows = held(p, 40.0, course, 150, prime)
    replayed = open_loop(p, 40.0, gir_course(rows), 150, prime)
    # a rate constant for a minute leaves the course inside that minute, not for longer
    assert glucose_of(replayed) == pytest.approx(glucose_of(rows), abs=0.1)
    assert glucose_of(rows)[30] == pytest.approx(fasting + 8.0)
    assert glucose_of(rows)[120] == pytest.approx(90.0)


@settings(deadline=None, max_examples=20)
@given(
    phenotype=st.sampled_from(FIVE),
    rates=st.lists(st.floats(0.0, 12.0), min_size=1, max_size=6),
    dose=st.floats(0.0, 120.0),
)
def test_holding_the_course_an_infusion_made_takes_that_infusion(
    phenotype: str, rates: list[float], dose: float
) -> None:
    """Rates of ten minutes each; the course between minutes is curved, the held one straight."""
    p = typical(phenotype)
    minutes = 10 * len(rates)
    infused = open_loop(p, dose, [(10.0 * index, rate) for index, rate in enumerate(rates)], minutes)
    course = [(float(row.t_min), row.glucose_mg_dl) for row in infused]
    taken = held(p, dose, course, minutes)
    for row, original in zip(taken[:-1], infused[:-1], strict=True):
        assert row.gir_mg_kg_min == pytest.approx(original.gir_mg_kg_min, abs=0.05)


@pytest.mark.parametrize("phenotype", FIVE)
def test_held_glucose_balances(phenotype: str) -> None:
    """At rest: what enters (infusion, production) is what leaves (tissue, brain)."""
    last = held(typical(phenotype), 40.0, 90.0, 600)[-1]
    assert last.gir_mg_kg_min + last.egp_mg_kg_min == pytest.approx(last.uptake_mg_kg_min + 1.0, abs=1e-4)


def test_a_fall_faster_than_the_subjects_own_is_reported_as_a_negative_rate() -> None:
    rows = held(typical("lean"), 0.0, [(0.0, 90.0), (10.0, 70.0)], 20)
    assert rows[5].gir_mg_kg_min < -2.0
    assert rows[5].glucose_mg_dl == pytest.approx(80.0)
    replayed = open_loop(typical("lean"), 0.0, gir_course(rows), 20)
    assert glucose_of(replayed) == pytest.approx(glucose_of(rows), abs=0.1)


def test_a_course_is_flat_outside_its_points() -> None:
    rows = held(typical("lean"), 40.0, [(5.0, 90.0), (6.0, 92.0)], 8)
    assert glucose_of(rows) == pytest.approx([90.0] * 6 + [92.0] * 3)


def test_a_course_away_from_fasting_glucose_starts_there_without_a_jump_in_the_rate() -> None:
    rows = held(typical("t2d"), 40.0, 100, 240)
    assert glucose_of(rows) == pytest.approx([100.0] * 241)
    assert max(abs(row.gir_mg_kg_min) for row in rows) < 10.0


def test_zero_minutes_is_one_row() -> None:
    assert len(held(typical("lean"), 40.0, 90.0, 0)) == 1
    assert len(open_loop(typical("lean"), 40.0, [], 0)) == 1


# --- refusals


@pytest.mark.parametrize("dose", [-1.0, math.nan, math.inf])
def test_impossible_insulin_is_refused(dose: float) -> None:
    with pytest.raises(Refusal, match="Insulin doses"):
        open_loop(typical("lean"), dose, [], 10)
    with pytest.raises(Refusal, match="Insulin doses"):
        held(typical("lean"), dose, 90.0, 10)


def test_negative_prime_is_refused() -> None:
    with pytest.raises(Refusal, match="prime multiples"):
        open_loop(typical("lean"), 40.0, [], 10, prime=[(0.0, -1.0)])


@pytest.mark.parametrize("course", [[(0.0, 90.0), (0.0, 91.0)], [(5.0, 90.0), (4.0, 91.0)]])
def test_course_out_of_order_is_refused(course: Course) -> None:
    with pytest.raises(Refusal, match="must rise"):
        open_loop(typical("lean"), 40.0, course, 10)
    with pytest.raises(Refusal, match="must rise"):
        held(typical("lean"), 40.0, course, 10)


@pytest.mark.parametrize("course", [[(0.0, math.nan)], [(math.inf, 90.0)]])
def test_course_with_a_gap_is_refused(course: Course) -> None:
    with pytest.raises(Refusal, match="not a finite number"):
        open_loop(typical("lean"), 40.0, course, 10)
    with pytest.raises(Refusal, match="not a finite number"):
        held(typical("lean"), 40.0, course, 10)


@pytest.mark.parametrize("course", [[], [(0.0, 0.0)], -5.0, 0])
def test_glucose_that_is_none_is_refused(course: Course | float) -> None:
    with pytest.raises(Refusal, match="above 0"):
        held(typical("lean"), 40.0, course, 10)


def test_negative_minutes_are_refused() -> None:
    with pytest.raises(Refusal, match="minutes is -1"):
        open_loop(typical("lean"), 40.0, [], -1)
