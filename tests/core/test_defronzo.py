"""What DeFronzo's rule leaves open, decided (core.laws.defronzo), and the hold law beside it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.laws.defronzo import DeFronzo, first_rate
from clampctl.core.laws.hold import Hold
from clampctl.core.laws.law import LawState, Question, Slot
from clampctl.core.protocol import FirstRate
from tests.core.world import LAW, MIN

LAW_RULE = DeFronzo()


def ask(
    minute: float,
    glucose: float = 90.0,
    delivered: float | None = None,
    in_force: float = 0.0,
    target: float = 90.0,
) -> Question:
    drawn_ms = round(minute * MIN)
    return Question(glucose, drawn_ms, drawn_ms, target, 5 * MIN, delivered, in_force, LAW)


def told(*questions: Question) -> tuple[list[float], LawState]:
    memory, wanted = LawState(), []
    for question in questions:
        advice = LAW_RULE.advise(memory, question)
        memory = advice.memory
        wanted.append(advice.wanted_mg_kg_min)
    return wanted, memory


def test_first_rates_follow_the_clock() -> None:
    two = replace(LAW, first_rates=(FirstRate(4 * MIN, 2.0), FirstRate(8 * MIN, 2.5)))
    assert [first_rate(two, minute * MIN) for minute in (0, 3, 4, 7, 8, 30)] == [0, 0, 2, 2, 2.5, 2.5]


def test_a_law_asked_first_in_mid_clamp_begins_from_its_starting_history() -> None:
    wanted, _ = told(ask(30, 90.0))
    assert wanted == [4.0]
    wanted, _ = told(ask(30, 90.0), ask(35, 90.0))
    assert wanted == [4.0, 4.0]


def test_a_missed_sample_is_filled_by_a_straight_line() -> None:
    whole, _ = told(ask(10, 90), ask(15, 94), ask(20, 92), ask(25, 90))
    gapped, memory = told(ask(10, 90), ask(15, 94), ask(25, 90))
    assert gapped[-1] == pytest.approx(whole[-1], abs=1e-9)
    assert [slot.glucose_mg_dl for slot in memory.slots[-3:]] == [94, 92, 90]


def test_a_missed_sample_right_after_the_first_is_filled_too() -> None:
    wanted, memory = told(ask(10, 90), ask(20, 90))
    assert wanted == [4.0, 4.0]
    assert len(memory.slots) == 3


def test_after_four_missed_slots_the_history_restarts_from_what_is_in_force() -> None:
    wanted, memory = told(ask(10, 80), ask(15, 80), ask(40, 90, in_force=3.0))
    assert wanted[-1] == pytest.approx(3.0, abs=1e-12)
    wanted, _ = told(ask(10, 80), ask(15, 80), ask(40, 90, in_force=3.0), ask(45, 90, delivered=3.0))
    assert wanted[-1] == pytest.approx(3.0, abs=1e-12)
    assert len(memory.slots) <= 4


@pytest.mark.parametrize(("minute", "share"), [(13.0, 0.6), (15.0, 1.0), (17.0, 1.4), (12.6, 0.52)])
def test_off_the_grid_the_horizon_is_scaled_with_the_interval(minute: float, share: float) -> None:
    _, memory = told(ask(10, 90), ask(minute, 80))
    assert memory.slots[-1].space_mg_kg_min == pytest.approx(10.0 * 1.9 / (15 * share))


def test_the_scale_of_the_horizon_is_bounded() -> None:
    _, memory = told(ask(10, 90), ask(17.4, 80))
    assert memory.slots[-1].space_mg_kg_min == pytest.approx(10.0 * 1.9 / (15 * 1.48))
    _, memory = told(ask(10, 90), ask(12.5, 80))
    assert memory.slots[-1].space_mg_kg_min == pytest.approx(10.0 * 1.9 / (15 * 0.5))


def test_a_repeat_within_half_an_interval_replaces_the_sample() -> None:
    _, single = told(ask(10, 90), ask(15, 88))
    _, repeated = told(ask(10, 90), ask(15, 99), ask(16, 88))
    assert len(repeated.slots) == len(single.slots)
    assert repeated.slots[-1].glucose_mg_dl == 88
    assert repeated.slots[-1].metabolic_mg_kg_min == single.slots[-1].metabolic_mg_kg_min


@given(st.one_of(st.floats(0.6, 3.9), st.floats(4.1, 15.0)))
def test_an_override_is_bumpless_at_target(by_hand: float) -> None:
    """At target the next advice equals what was delivered, and so do the two after it."""
    wanted, _ = told(
        ask(10), ask(15), ask(20, delivered=by_hand),
        ask(25, delivered=by_hand), ask(30, delivered=by_hand),
    )  # fmt: skip
    assert wanted[2:] == pytest.approx([by_hand] * 3, abs=1e-9)


def test_a_cap_shortens_the_metabolic_term_no_further_than_to_what_was_delivered() -> None:
    wanted, memory = told(ask(10, 60.0), ask(15, 90.0, delivered=6.0))
    assert wanted[0] == pytest.approx(9.8)
    assert wanted[1] == pytest.approx(6.0)
    assert memory.slots[1].metabolic_mg_kg_min == pytest.approx(6.0)


def test_a_cut_held_back_by_a_limit_is_not_taken_for_disposal() -> None:
    """A high of 250 wants 0; the limits leave 4. The next sample on target continues from 4."""
    wanted, _ = told(ask(10, 90.0), ask(15, 250.0), ask(20, 90.0, delivered=4.0))
    assert wanted[1] == 0.0
    assert wanted[2] == pytest.approx(4.0)


def test_pump_rounding_counts_as_equal() -> None:
    exact, _ = told(ask(10, 88), ask(15, 86))
    rounded, _ = told(ask(10, 88), ask(15, 86, delivered=exact[0] + 0.04))
    share, _ = told(ask(10, 88), ask(15, 86, delivered=exact[0] * 1.019))
    assert exact == rounded == share


def test_what_was_delivered_before_the_rule_changes_nothing() -> None:
    with_it, _ = told(ask(0), ask(5, 92, delivered=9.0), ask(10, 88, delivered=9.0))
    without, _ = told(ask(0), ask(5, 92), ask(10, 88))
    assert with_it == without


@given(st.lists(st.floats(95.0, 400.0), min_size=3, max_size=12))
def test_the_metabolic_term_never_stays_at_zero(highs: list[float]) -> None:
    """After any row of highs a normal row brings the rate back: the floor keeps the product alive."""
    minutes = iter(range(10, 1000, 5))
    questions = [ask(next(minutes), glucose, delivered=0.0) for glucose in highs]
    questions += [ask(next(minutes), 80.0) for _ in range(8)]
    wanted, memory = told(*questions)
    assert all(slot.metabolic_mg_kg_min >= LAW.metabolic_floor_mg_kg_min for slot in memory.slots)
    assert wanted[-1] > 1.5
    assert all(gir >= 0.0 for gir in wanted)


def test_a_new_target_acts_from_its_first_sample() -> None:
    wanted, _ = told(ask(10), ask(15, 90.0, target=120.0))
    assert wanted[1] == pytest.approx(30 * 1.9 / 15 + 4.0 * 120 / 90)


def test_hold_keeps_the_rate_and_obeys_the_first_rates() -> None:
    memory = LawState((Slot(0, 90.0, 1.0, 4.0, 0.0, 4.0),), "kept")
    assert Hold().advise(memory, ask(6, in_force=9.0)).wanted_mg_kg_min == 2.0
    advice = Hold().advise(memory, ask(20, in_force=3.3))
    assert advice.wanted_mg_kg_min == 3.3
    assert advice.memory is memory
