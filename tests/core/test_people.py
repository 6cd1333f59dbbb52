"""Each wish of a person: granted, or refused with one sentence and nothing else changed."""

from dataclasses import replace

import pytest

from clampctl.core import people
from clampctl.core.commands import Role
from clampctl.core.events import (
    AlarmAcknowledged,
    BasalStarted,
    ClampEnded,
    ClampResumed,
    ClampStarted,
    CloseRequested,
    DextroseStopPressed,
    HoldPressed,
    HoldReleased,
    InsulinStopPressed,
    LinkLost,
    MealGiven,
    ModeChosen,
    NoteLogged,
    OperatorEvent,
    ProposalAsked,
    ProposalConfirmed,
    PumpReleased,
    PumpReported,
    PumpState,
    RateOverridden,
    SampleDrawn,
)
from clampctl.core.protocol import Mode
from clampctl.core.state import Phase
from tests.core.promises import kept
from tests.core.world import MIN, World, clamp_step, opened, protocol

D, INS = Role.DEXTROSE, Role.INSULIN


def at(phase: Phase) -> World:
    """A world in that phase, by the shortest way."""
    world = World(protocol(), look=kept)
    if phase is Phase.SETUP:
        return world
    if phase is Phase.BASAL:
        return world.ready()
    world.steady(5 if phase is Phase.PRIME else 20)
    world.wait(2)
    ways: dict[Phase, tuple[OperatorEvent, ...]] = {
        Phase.HOLD: (HoldPressed("n"),),
        Phase.FALLBACK: (InsulinStopPressed("n"),),
        Phase.TAPER: (ClampEnded("n", ""),),
        Phase.CLOSED: (ClampEnded("n", ""), CloseRequested("n", "enough")),
    }
    for event in ways.get(phase, ()):
        world.do(event)
        world.wait(2)
    assert world.phase() is phase
    return world


REFUSED: tuple[tuple[Phase, OperatorEvent, str], ...] = (
    (Phase.BASAL, BasalStarted("n"), "Basal sampling cannot start in the phase basal."),
    (Phase.CLAMP, ClampStarted("n"), "Insulin cannot start in the phase clamp."),
    (Phase.BASAL, ClampEnded("n", ""), "The clamp cannot end in the phase basal."),
    (Phase.CLAMP, CloseRequested("n", "x"), "The session cannot be closed in the phase clamp."),
    (Phase.BASAL, HoldPressed("n"), "Holding is not possible in the phase basal."),
    (Phase.CLAMP, HoldReleased("n"), "Nothing is held that could be released in the phase clamp."),
    (Phase.BASAL, InsulinStopPressed("n"), "SAFE-TAIL is not possible in the phase basal."),
    (Phase.CLAMP, ClampResumed("n"), "There is no SAFE-TAIL to leave in the phase clamp."),
    (Phase.BASAL, DextroseStopPressed("n", "x"), "No dextrose is given by the program; stop it at the pump."),
    (
        Phase.CLOSED,
        DextroseStopPressed("n", "x"),
        "No dextrose is given by the program; stop it at the pump.",
    ),
    (Phase.CLAMP, DextroseStopPressed("n", " "), "Stopping dextrose needs a reason."),
    (Phase.CLAMP, PumpReleased(D, "n"), "The dextrose pump waits for nobody."),
    (Phase.CLAMP, PumpReleased(Role.ANALYZER, "n"), "The analyzer is no pump."),
    (Phase.HOLD, ProposalAsked("n"), "There is nothing to propose in the phase hold."),
    (Phase.CLAMP, ProposalAsked("n"), "The rate was set after the newest sample; draw another."),
    (
        Phase.CLAMP,
        ProposalConfirmed(1, "n"),
        "That proposal is no longer the current one; look at the new value.",
    ),
    (Phase.BASAL, RateOverridden(1.0, "x", "n"), "The rate cannot be changed by hand in the phase basal."),
    (Phase.CLAMP, RateOverridden(1.0, " ", "n"), "A rate set by hand needs a reason."),
    (Phase.CLAMP, RateOverridden(20.1, "x", "n"), "20.1 mg/kg/min is outside 0 to 20 mg/kg/min."),
    (Phase.CLAMP, RateOverridden(-0.1, "x", "n"), "-0.1 mg/kg/min is outside 0 to 20 mg/kg/min."),
    (Phase.CLAMP, RateOverridden(float("nan"), "x", "n"), "nan mg/kg/min is outside 0 to 20 mg/kg/min."),
)


@pytest.mark.parametrize(("phase", "event", "sentence"), REFUSED)
def test_a_refusal_changes_nothing_but_its_sentence(
    phase: Phase, event: OperatorEvent, sentence: str
) -> None:
    world = at(phase)
    before = world.state
    assert world.do(event) == ()
    assert world.state == replace(before, refusal=sentence)
    world.do(NoteLogged("seen", "n"))
    assert world.state.refusal == ""


GRANTED: tuple[tuple[Phase, OperatorEvent, Phase], ...] = (
    (Phase.SETUP, BasalStarted("n"), Phase.BASAL),
    (Phase.SETUP, CloseRequested("n", ""), Phase.CLOSED),
    (Phase.BASAL, CloseRequested("n", ""), Phase.CLOSED),
    (Phase.PRIME, HoldPressed("n"), Phase.HOLD),
    (Phase.HOLD, HoldReleased("n"), Phase.CLAMP),
    (Phase.HOLD, RateOverridden(1.0, "x", "n"), Phase.HOLD),
    (Phase.CLAMP, ClampEnded("n", ""), Phase.TAPER),
    (Phase.PRIME, InsulinStopPressed("n"), Phase.FALLBACK),
    (Phase.HOLD, DextroseStopPressed("n", "leak"), Phase.FALLBACK),
    (Phase.TAPER, DextroseStopPressed("n", "leak"), Phase.TAPER),
    (Phase.FALLBACK, CloseRequested("n", "taken over by hand"), Phase.CLOSED),
    (Phase.CLAMP, SampleDrawn("n"), Phase.CLAMP),
    (Phase.CLAMP, NoteLogged("x", "n"), Phase.CLAMP),
    (Phase.CLAMP, MealGiven("n"), Phase.CLAMP),
    (Phase.CLAMP, AlarmAcknowledged("nothing", "n"), Phase.CLAMP),
    (Phase.CLAMP, ModeChosen(Mode.CONFIRM, "n"), Phase.CLAMP),
)


@pytest.mark.parametrize(("phase", "event", "then"), GRANTED)
def test_granted(phase: Phase, event: OperatorEvent, then: Phase) -> None:
    world = at(phase)
    assert world.refused(event) == ""
    assert world.phase() is then


def test_dextrose_stopped_on_purpose_stays_stopped() -> None:
    world = at(Phase.CLAMP)
    world.do(DextroseStopPressed("n", "extravasation"))
    assert (world.dextrose.rate_ul_h, world.insulin.rate_ul_h) == (0, 0)
    world.wait(600)
    assert world.dextrose.state is PumpState.STOPPED


# --- the start of insulin --------------------------------------------------------------------


@pytest.mark.parametrize("role", [D, INS])
def test_insulin_starts_only_with_both_pumps_known_and_stopped(role: Role) -> None:
    world = World(look=kept).ready()
    world.sample(90.0)
    world.do(LinkLost(role, "gone"))
    unknown = f"The {role.value} pump is not connected and identified yet."
    assert world.refused(ClampStarted("n")) == unknown
    world.identify(role)
    assert world.refused(ClampStarted("n")) == unknown
    for state in (PumpState.PAUSED, PumpState.ALARM):
        world.do(PumpReported(role, world.pumps[role].epoch, state, 100, None, None))
        assert world.refused(ClampStarted("n")) == (
            f"The {role.value} pump must be stopped and without alarm before the start."
        )
    world.report(role)
    assert world.refused(ClampStarted("n")) == ""
    assert world.insulin.rate_ul_h == 221 * 60


def test_insulin_starts_only_on_a_fresh_believed_sample_of_80_or_more() -> None:
    world = World(look=kept).ready()
    needed = "A basal sample not older than 10 min is needed before insulin starts."
    assert world.refused(ClampStarted("n")) == needed
    world.sample(90.0)
    world.wait(601)
    assert world.refused(ClampStarted("n")) == needed
    world.sample(79.9)
    assert world.refused(ClampStarted("n")) == "Glucose is 79.9 mg/dL; insulin may start from 80 mg/dL on."
    world.wait(60)
    world.sample(200.0)
    assert world.refused(ClampStarted("n")).startswith("The newest sample is doubted;")
    world.wait(60)
    world.sample(200.0)
    assert world.refused(ClampStarted("n")) == ""
    assert world.state.clamp_started_ms == world.at_ms


# --- proposals -------------------------------------------------------------------------------


def proposing(glucose: float = 85.0) -> World:
    """A proposal of minute 10 waits; 2 mg/kg/min are in force."""
    world = World(protocol(mode=Mode.CONFIRM), look=kept).clamping()
    world.until(5)
    world.sample(90.0)
    world.do(ProposalConfirmed(world.state.dosing.proposals_made, "n"))
    world.until(10)
    world.sample(glucose)
    assert world.state.dosing.gir_mg_kg_min == 2.0
    assert world.state.dosing.proposal is not None
    return world


def test_a_proposal_is_confirmed_once_by_its_number() -> None:
    world = proposing()
    proposal = world.state.dosing.proposal
    assert proposal is not None
    stale = "That proposal is no longer the current one; look at the new value."
    assert world.refused(ProposalConfirmed(proposal.number - 1, "n")) == stale
    assert world.refused(ProposalConfirmed(proposal.number, "n")) == ""
    assert world.state.dosing.gir_mg_kg_min == proposal.gir_mg_kg_min
    assert world.dextrose.rate_ul_h == proposal.rate_ul_h
    assert world.refused(ProposalConfirmed(proposal.number, "n")) == stale


def test_a_proposal_lives_a_minute_and_can_be_asked_for_again() -> None:
    world = proposing()
    number = world.state.dosing.proposals_made
    world.wait(60)
    kept_state = world.state
    assert people.take(kept_state, ProposalConfirmed(number, "n"), world.at_ms).refusal == ""
    world.wait(1)
    assert world.refused(ProposalConfirmed(number, "n")) == (
        "That proposal is older than a minute; ask for it again."
    )
    assert world.refused(ProposalAsked("n")) == ""
    assert world.state.dosing.proposals_made == number + 1
    assert world.refused(ProposalConfirmed(number + 1, "n")) == ""
    assert world.refused(ProposalAsked("n")) == "The rate was set after the newest sample; draw another."


def test_nothing_is_proposed_from_an_old_sample() -> None:
    world = proposing()
    world.wait(8 * 60 + 1)
    assert world.refused(ProposalAsked("n")) == "The newest sample is too old for a proposal; draw another."


def test_an_expired_proposal_goes_in_the_end() -> None:
    world = proposing(95.0)
    world.wait(60)
    world.at_ms = (world.state.dosing.proposal or pytest.fail("gone")).expires_at_ms + 10 * MIN
    state = people.take(world.state, NoteLogged("x", "n"), world.at_ms)
    assert state.dosing.proposal is not None
    world.wait(9 * 60)
    assert world.state.dosing.proposal is None


@pytest.mark.parametrize(
    "event",
    [
        HoldPressed("n"),
        ModeChosen(Mode.AUTOMATIC, "n"),
        InsulinStopPressed("n"),
        ClampEnded("n", ""),
        RateOverridden(3.0, "x", "n"),
    ],
)
def test_what_makes_a_proposal_void(event: OperatorEvent) -> None:
    world = proposing()
    number = world.state.dosing.proposals_made
    world.do(event)
    gir = world.state.dosing.gir_mg_kg_min
    assert world.refused(ProposalConfirmed(number, "n"))
    assert world.state.dosing.gir_mg_kg_min == gir


def test_no_rate_is_accepted_while_held() -> None:
    world = proposing()
    held = replace(world.state, phase=Phase.HOLD)
    after = people.take(held, ProposalConfirmed(held.dosing.proposals_made, "n"), world.at_ms)
    assert after.refusal == "No rate can be accepted in the phase hold."


# --- the end ---------------------------------------------------------------------------------


def test_the_tail_rule_before_a_session_closes_without_a_reason() -> None:
    world = at(Phase.TAPER)
    close = CloseRequested("n", "")
    off = "Dextrose has not been off for 30 min; closing now needs a reason."
    assert world.refused(close) == off
    world.do(DextroseStopPressed("n", "test"))
    world.wait(29 * 60, every_s=10)
    assert world.refused(close) == off
    world.wait(60)
    assert world.refused(close).startswith("Three samples of 80 mg/dL or more")
    for glucose in (85.0, 85.0, 79.0, 85.0, 85.0):
        world.wait(600, every_s=10)
        world.sample(glucose)
        assert world.refused(close).startswith("Three samples of 80 mg/dL or more")
    world.wait(60)
    world.sample(85.0)
    assert world.refused(close).startswith("Three samples of 80 mg/dL or more")
    world.wait(540, every_s=10)
    world.sample(85.0)
    assert world.refused(close) == "The meal is not recorded; closing without it needs a reason."
    world.do(MealGiven("n"))
    assert world.refused(close) == ""
    assert world.phase() is Phase.CLOSED


def test_a_session_is_not_closed_over_running_insulin() -> None:
    world = at(Phase.CLAMP)
    world.insulin.obeys = False
    world.do(ClampEnded("n", ""))
    sentence = "The insulin pump still runs; stop it before the session is closed."
    assert world.refused(CloseRequested("n", "home")) == sentence
    world.insulin.obeys = True
    world.wait(4)
    assert world.refused(CloseRequested("n", "home")) == ""


def test_the_target_that_holds_now() -> None:
    asked = protocol(clamp_step(12.0, 90.0, 30), clamp_step(40.0, 110.0, 30))
    assert people.target_mg_dl(opened(asked), 0) == 90.0
    started = replace(opened(asked), clamp_started_ms=MIN)
    assert people.target_mg_dl(started, 30 * MIN) == 90.0
    assert people.target_mg_dl(started, 31 * MIN) == 110.0


def test_releasing_a_pump_that_still_shows_an_alarm() -> None:
    world = at(Phase.CLAMP)
    world.do(PumpReported(INS, 2, PumpState.ALARM, 0, None, "occlusion"))
    assert (
        world.refused(PumpReleased(INS, "n"))
        == "The insulin pump still shows an alarm; clear it at the pump."
    )
    world.do(PumpReported(INS, 2, PumpState.STOPPED, 0, None, None))
    assert world.refused(PumpReleased(INS, "n")) == ""
    assert not world.state.insulin.stopped_by_itself


@pytest.mark.parametrize("phase", [Phase.FALLBACK, Phase.TAPER])
def test_after_insulin_dextrose_is_raised_by_hand_and_held_anew(phase: Phase) -> None:
    world = at(phase)
    assert "raised by hand, to" in world.refused(RateOverridden(0.1, "x", "n"))
    assert "raised by hand, to" in world.refused(RateOverridden(20.1, "x", "n"))
    assert "needs a reason" in world.refused(RateOverridden(9.0, " ", "n"))
    world.do(RateOverridden(9.0, "falling", "n"))
    tailing = world.state.tailing
    assert tailing is not None
    assert (tailing.gir_mg_kg_min, tailing.since_ms) == (9.0, world.state.at_ms)
    assert tailing.reason.endswith("raised by hand")
    assert world.state.dosing.gir_mg_kg_min == 9.0
