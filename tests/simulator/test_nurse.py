"""The virtual nurse: what she does at what she sees."""

from dataclasses import replace

from clampctl.core.events import (
    BasalStarted,
    ClampStarted,
    Event,
    ProposalAsked,
    ProposalConfirmed,
    SampleDrawn,
)
from simulator.nurse import ACTOR, Nurse, Seen

EVERY_MS = 300_000
SETUP = Seen("setup", False, None, None, False, None, None)
BASAL = replace(SETUP, phase="basal", pumps_ready=True)
CLAMP = replace(BASAL, phase="clamp", clamp_started_ms=60_000, newest_sample="1")


def acts(nurse: Nurse, seen: Seen, until_ms: int, from_ms: int = 0) -> list[tuple[int, Event]]:
    """What she does, looking once a second."""
    return [(at_ms, act) for at_ms in range(from_ms, until_ms, 1_000) for act in nurse.look(seen, at_ms)]


def draws(done: list[tuple[int, Event]]) -> list[int]:
    return [at_ms for at_ms, act in done if isinstance(act, SampleDrawn)]


def test_she_waits_for_the_pumps_then_starts_with_a_sample() -> None:
    nurse = Nurse(EVERY_MS)
    assert acts(nurse, SETUP, 60_000) == []
    assert nurse.look(replace(SETUP, pumps_ready=True), 60_000) == [BasalStarted(ACTOR), SampleDrawn(ACTOR)]


def test_she_samples_on_until_there_is_a_value() -> None:
    nurse = Nurse(EVERY_MS)
    nurse.look(replace(SETUP, pumps_ready=True), 0)
    assert draws(acts(nurse, BASAL, 900_000, 1_000)) == [300_000, 600_000]


def test_a_refused_start_is_tried_again_with_the_next_sample_only() -> None:
    nurse = Nurse(EVERY_MS)
    nurse.look(replace(SETUP, pumps_ready=True), 0)
    first = acts(nurse, replace(BASAL, newest_sample="1"), 400_000, 60_000)
    assert first == [(60_000, ClampStarted(ACTOR)), (300_000, SampleDrawn(ACTOR))]
    second = acts(nurse, replace(BASAL, newest_sample="2"), 500_000, 400_000)
    assert second == [(400_000, ClampStarted(ACTOR))]


def test_she_can_be_told_to_leave_the_start_to_someone_else() -> None:
    nurse = Nurse(EVERY_MS, starts_clamp=False)
    nurse.look(replace(SETUP, pumps_ready=True), 0)
    done = acts(nurse, replace(BASAL, newest_sample="1"), 700_000, 1_000)
    assert done == [(300_000, SampleDrawn(ACTOR)), (600_000, SampleDrawn(ACTOR))]


def test_she_draws_on_the_grid_from_insulin_start() -> None:
    nurse = Nurse(EVERY_MS)
    assert draws(acts(nurse, CLAMP, 1_000_000, 61_000)) == [360_000, 660_000, 960_000]


def test_she_draws_less_often_in_the_taper() -> None:
    nurse = Nurse(EVERY_MS)
    acts(nurse, CLAMP, 361_000, 61_000)
    assert draws(acts(nurse, replace(CLAMP, phase="taper"), 2_000_000, 361_000)) == [
        660_000,
        1_260_000,
        1_860_000,
    ]


def test_she_repeats_a_doubted_sample_at_once_and_once() -> None:
    nurse = Nurse(EVERY_MS)
    doubted = replace(CLAMP, doubted=True, newest_sample="7")
    assert draws(acts(nurse, doubted, 200_000, 100_000)) == [100_000]
    assert draws(acts(nurse, replace(doubted, newest_sample="8"), 300_000, 200_000)) == [200_000]


def test_she_confirms_after_a_while_and_once() -> None:
    nurse = Nurse(EVERY_MS, reaction_ms=20_000)
    offered = replace(CLAMP, proposal=3, proposal_expires_ms=160_000)
    assert acts(nurse, offered, 200_000, 100_000) == [(120_000, ProposalConfirmed(3, ACTOR))]


def test_she_asks_again_for_a_proposal_that_is_too_old() -> None:
    nurse = Nurse(EVERY_MS, reaction_ms=90_000)
    offered = replace(CLAMP, proposal=3, proposal_expires_ms=160_000)
    assert acts(nurse, offered, 200_000, 100_000) == [(190_000, ProposalAsked(ACTOR))]


def test_she_goes_home_when_the_session_is_closed() -> None:
    assert acts(Nurse(EVERY_MS), replace(CLAMP, phase="closed"), 900_000) == []
