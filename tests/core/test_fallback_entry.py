"""Every reason to fall back: insulin stops in the same step, dextrose goes on, and it is said why."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from clampctl.core import dosing, fallback
from clampctl.core.commands import Role, StopPump
from clampctl.core.events import (
    DextroseStopPressed,
    HoldPressed,
    InsulinStopPressed,
    LinkLost,
    PumpReported,
    PumpState,
    RateOverridden,
    SessionResumed,
)
from clampctl.core.laws.law import Advice, LawState, Question
from clampctl.core.protocol import Mode, Protocol
from clampctl.core.state import Phase
from tests.core.promises import kept
from tests.core.world import LAW, MIN, World, protocol

D, INS = Role.DEXTROSE, Role.INSULIN


def clamp(asked: Protocol | None = None, minutes: int = 20) -> World:
    world = World(asked or protocol(), look=kept).steady(minutes)
    world.wait(10)
    return world


def silent(world: World, role: Role) -> None:
    world.pumps[role].answers = False
    world.wait(24)


def in_state(world: World, role: Role, state: PumpState) -> None:
    world.pumps[role].state = state
    world.report(role)


def deaf(world: World, role: Role) -> None:
    world.pumps[role].obeys = False
    world.sample(85.0)
    world.pumps[role].rate_ul_h += 7
    world.wait(8)


def doubted_only(world: World) -> None:
    for glucose in (160.0, 260.0, 330.0):
        world.wait(5 * 60, every_s=5)
        world.sample(glucose)
    world.wait(5)


def alarm(world: World, role: Role) -> None:
    world.do(PumpReported(role, world.pumps[role].epoch, PumpState.ALARM, 0, None, "occlusion"))


def dry(world: World) -> None:
    world.dextrose.flows = False
    world.wait(25)


REASONS: tuple[tuple[str, Callable[[World], object]], ...] = (
    ("glucose 59.9 mg/dL", lambda w: w.sample(59.9)),
    ("no believed glucose for 15 min", lambda w: w.wait(15 * 60 + 1, every_s=5)),
    ("no believed glucose for 15 min", doubted_only),
    ("dextrose pump disconnected", lambda w: w.do(LinkLost(D, "unplugged"))),
    ("insulin pump disconnected", lambda w: w.do(LinkLost(INS, "unplugged"))),
    ("insulin pump cannot be used: syringe", lambda w: w.identify(INS, "syringe")),
    ("dextrose pump cannot be used: model", lambda w: w.identify(D, "model")),
    ("dextrose pump was connected anew", lambda w: w.identify(D)),
    ("insulin pump was connected anew", lambda w: w.identify(INS)),
    ("no answer from the dextrose pump", lambda w: silent(w, D)),
    ("no answer from the insulin pump", lambda w: silent(w, INS)),
    ("dextrose pump alarm: occlusion", lambda w: alarm(w, D)),
    ("insulin pump alarm: occlusion", lambda w: alarm(w, INS)),
    ("dextrose pump stopped by itself", lambda w: in_state(w, D, PumpState.STOPPED)),
    ("insulin pump stopped by itself", lambda w: in_state(w, INS, PumpState.PAUSED)),
    ("dextrose pump does not hold the commanded rate", lambda w: deaf(w, D)),
    ("dextrose is not flowing", dry),
    ("the program restarted: crash", lambda w: w.do(SessionResumed(9_000, "crash", ""))),
    ("insulin stopped by the nurse", lambda w: w.do(InsulinStopPressed("n"))),
    ("dextrose stopped by the nurse: leak", lambda w: w.do(DextroseStopPressed("n", "leak"))),
)


@pytest.mark.parametrize(("reason", "act"), REASONS, ids=[reason for reason, _ in REASONS])
@pytest.mark.parametrize("refused_before", [False, True])
def test_each_reason(reason: str, act: Callable[[World], object], refused_before: bool) -> None:
    world = clamp()
    if refused_before:
        assert world.refused(RateOverridden(99.0, "x", "n"))
    act(world)
    state = world.state
    assert state.phase is Phase.FALLBACK
    assert state.tailing is not None
    assert state.tailing.reason == reason
    assert (state.insulin_ul_h, state.insulin_mu_m2_min) == (0, 0.0)
    assert state.insulin.commanded_ul_h == 0
    assert not state.prime_allowed
    assert state.dosing.proposal is None
    assert "safe_tail" in world.names()
    held = 8.0 if "59.9" in reason else 4.0
    expected = 0.0 if "nurse: leak" in reason else pytest.approx(held, abs=1.0)
    assert state.dosing.gir_mg_kg_min == expected
    if state.insulin.connected and state.insulin.identified and state.insulin.heard_at_ms is not None:
        assert world.insulin.rate_ul_h == 0 or world.insulin.state is not PumpState.RUNNING


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("minute", [1, 9])
def test_the_interlocks_act_in_every_mode_and_phase(mode: Mode, minute: int) -> None:
    world = World(protocol(mode=mode), look=kept).clamping()
    world.until(minute)
    commands = world.sample(55.0)
    assert StopPump(INS, world.insulin.epoch) in commands
    assert world.phase() is Phase.FALLBACK


def test_a_held_clamp_falls_back_too() -> None:
    world = clamp()
    world.do(HoldPressed("n"))
    assert world.phase() is Phase.HOLD
    world.sample(50.0)
    assert world.phase() is Phase.FALLBACK


class Broken:
    """A law that fails in one way or another."""

    def __init__(self, wanted: float | None) -> None:
        self.wanted = wanted

    def advise(self, memory: LawState, question: Question) -> Advice:
        assert question.sampling_ms == 5 * MIN
        return Advice(1.0 / 0.0 if self.wanted is None else self.wanted, memory)


@pytest.mark.parametrize("wanted", [None, -1.0, float("nan"), float("inf")])
def test_a_law_that_fails_ends_in_the_safe_state(
    wanted: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(dosing.LAWS, "defronzo", Broken(wanted))
    world = World(protocol(), look=kept).clamping()
    world.until(12)
    world.sample(88.0)
    assert world.state.tailing is not None
    assert world.state.tailing.reason.startswith("the control law failed: ")


def idle_law() -> Protocol:
    return protocol(law=replace(LAW, first_rates=(), rule_from_ms=40 * MIN))


@pytest.mark.parametrize(("glucose", "well"), [(80.0, True), (79.9, False)])
def test_without_dextrose_insulin_needs_glucose_well_above_low(glucose: float, well: bool) -> None:
    world = World(idle_law(), look=kept).clamping()
    world.wait(60)
    world.sample(glucose)
    assert (world.phase() is Phase.PRIME) == well
    if not well:
        assert world.state.tailing is not None
        assert world.state.tailing.reason == "no dextrose planned at 79.9 mg/dL"


def test_without_dextrose_insulin_needs_a_sample_of_the_last_ten_minutes() -> None:
    world = World(idle_law(), look=kept).clamping()
    world.wait(600)
    assert world.phase() is Phase.CLAMP
    world.wait(1)
    assert world.phase() is Phase.FALLBACK


def confirming() -> World:
    """Nurse-confirm mode, the first dextrose offered at minute 5 and not confirmed."""
    world = World(protocol(mode=Mode.CONFIRM), look=kept).clamping()
    world.until(5)
    world.sample(84.0)
    world.wait(4 * 60)
    return world


def test_an_offer_is_waited_for_a_minute_while_glucose_was_well_before() -> None:
    world = confirming()
    world.sample(79.0)
    world.wait(60)
    assert world.phase() is not Phase.FALLBACK
    world.wait(1)
    assert world.phase() is Phase.FALLBACK


def test_an_offer_is_not_waited_for_a_second_time() -> None:
    world = confirming()
    world.sample(79.0)
    world.wait(50)
    world.sample(78.0)
    assert world.phase() is Phase.FALLBACK


def test_a_dextrose_pump_paused_before_its_start_is_found_when_dextrose_is_due() -> None:
    world = World(protocol(), look=kept).clamping()
    world.wait(60)
    in_state(world, D, PumpState.PAUSED)
    world.until(4.9)
    assert world.phase() is Phase.PRIME
    world.until(5)
    assert world.state.tailing is not None
    assert world.state.tailing.reason == "dextrose is not flowing"


def test_a_dextrose_pump_that_does_not_start_is_given_five_seconds() -> None:
    world = World(protocol(), look=kept).clamping()
    world.dextrose.obeys = False
    world.until(5)
    world.wait(5)
    assert world.phase() is Phase.PRIME
    world.wait(2)
    assert world.state.tailing is not None
    assert world.state.tailing.reason == "dextrose pump does not hold the commanded rate"


def test_outside_the_insulin_phases_nothing_triggers() -> None:
    world = World(look=kept).ready()
    world.do(LinkLost(D, "unplugged"))
    assert fallback.trigger(world.state, 0, world.at_ms) == ""
    assert world.phase() is Phase.BASAL


def test_an_early_stop_leaves_dextrose_for_the_prime_that_was_given() -> None:
    world = World(protocol(), look=kept).clamping()
    world.until(2)
    assert world.state.dosing.gir_mg_kg_min == 0.0
    world.do(InsulinStopPressed("n"))
    assert world.state.dosing.gir_mg_kg_min == 2.0
    restarted = World(protocol(), look=kept).clamping()
    restarted.until(2)
    restarted.do(SessionResumed(9_000, "crash", ""))
    assert restarted.state.dosing.gir_mg_kg_min == 0.0


def test_a_raise_that_waits_for_the_nurse_is_given_when_glucose_is_low() -> None:
    world = World(protocol(mode=Mode.CONFIRM), look=kept).clamping()
    world.until(7)
    world.sample(90.0)
    world.until(11)
    world.sample(58.0)
    proposal_free = world.state.dosing
    assert world.phase() is Phase.FALLBACK
    assert proposal_free.proposal is None
    assert proposal_free.gir_mg_kg_min >= 4.0
