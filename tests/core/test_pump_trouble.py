"""A pump in trouble: what is believed of it, what is said, and that dextrose covers insulin that runs on."""

from dataclasses import replace
from itertools import pairwise

import pytest

from clampctl.core import dosing, fallback, readback
from clampctl.core.commands import Role, SetRate
from clampctl.core.events import (
    DextroseStopPressed,
    InsulinStopPressed,
    LinkLost,
    LinkTroubled,
    ModeChosen,
    PumpIdentified,
    PumpReported,
    PumpState,
    SessionResumed,
    Ticked,
    Trouble,
)
from clampctl.core.protocol import Mode
from clampctl.core.state import InvariantBroken, Phase, Priority, State
from tests.core.promises import kept
from tests.core.world import MIN, STATION, World, protocol

D, INS = Role.DEXTROSE, Role.INSULIN
ENDED = "remote control was ended at the pump"
OFF, NOT_OFF = "insulin off", "insulin NOT seen off: stop it at the pump"


BED = replace(STATION, insulin_pump=replace(STATION.insulin_pump, diameter_um=None))
"""An insulin pump that tells no syringe diameter, such as those whose user may end remote control."""


def clamp() -> World:
    """A steady clamp in automatic mode, all well."""
    world = World(protocol(), BED, look=kept).steady(20)
    world.wait(40)
    return world


def taken_over(mode: Mode = Mode.AUTOMATIC) -> World:
    """The insulin pump runs on, read and no longer obeying, as after a key at it."""
    world = clamp()
    world.do(ModeChosen(mode, "n"))
    world.insulin.obeys = False
    world.do(PumpIdentified(INS, world.insulin.epoch, "model", "", ENDED))
    assert world.phase() is Phase.FALLBACK
    return world


def told(world: World, name: str = "safe_tail") -> str:
    """The text of an alarm that holds now."""
    return next(alarm.text for alarm in world.state.alarms if alarm.name == name and alarm.holds)


def test_a_pump_taken_over_between_two_readings_is_still_that_pump() -> None:
    world = taken_over()
    assert world.state.insulin.ours
    assert not world.state.insulin.identified
    ordered = sum(command.role is INS for _, command in world.orders)
    world.wait(20)
    assert NOT_OFF in told(world)
    assert sum(command.role is INS for _, command in world.orders) == ordered
    world.insulin.state, world.insulin.rate_ul_h = PumpState.STOPPED, 0
    world.wait(2)
    assert OFF in told(world)


@pytest.mark.parametrize("gap_s", [0.0, 2.001])
def test_what_another_pump_says_proves_nothing(gap_s: float) -> None:
    world = clamp()
    world.at_ms += round(gap_s * 1000)
    epoch = world.insulin.epoch if gap_s else 3
    world.do(PumpIdentified(INS, epoch, "model", "", "another pump"))
    assert not world.state.insulin.ours
    world.do(PumpReported(INS, epoch, PumpState.STOPPED, 0, 0, None))
    assert NOT_OFF in told(world)
    world.do(PumpIdentified(INS, epoch, "model", "", "another pump still"))
    assert not world.state.insulin.ours


def test_what_came_after_a_silence_may_be_another_pump() -> None:
    """Its first readings may come before its link has found out who it is."""
    world = clamp()
    world.at_ms += 22_000
    world.do(Ticked())
    world.do(PumpReported(INS, world.insulin.epoch, PumpState.STOPPED, 0, 0, None))
    world.do(PumpIdentified(INS, world.insulin.epoch, "model", "", "another pump"))
    world.do(PumpReported(INS, world.insulin.epoch, PumpState.STOPPED, 0, 0, None))
    assert NOT_OFF in told(world)


def test_a_pump_seen_off_and_then_taken_away_stays_seen_off() -> None:
    world = clamp()
    world.do(InsulinStopPressed("n"))
    world.report(INS)
    assert readback.seen_off(world.state.insulin)
    world.do(LinkLost(INS, "taken away"))
    world.do(Ticked())
    assert OFF in told(world)


def test_safe_tail_says_of_dextrose_what_was_seen() -> None:
    world = clamp()
    world.do(InsulinStopPressed("n"))
    world.wait(2)
    assert f"{OFF}, dextrose held" in told(world)
    world.dextrose.state, world.dextrose.rate_ul_h = PumpState.STOPPED, 0
    world.wait(2)
    assert f"{OFF}, dextrose NOT seen flowing: go to its pump" in told(world)
    assert f"DEXTROSE STOPPED while insulin acts - {OFF} - give" in told(world, "dextrose_not_flowing")
    world.do(DextroseStopPressed("n", "bag empty"))
    world.wait(2)
    assert "dextrose off" in told(world)


def test_another_pump_that_runs_is_not_dextrose_that_flows() -> None:
    world = clamp()
    world.identify(D, "another pump")
    world.wait(4)
    assert world.state.dextrose.reported_ul_h
    assert "dextrose NOT seen flowing" in told(world)


def test_after_a_restart_insulin_is_not_called_off_before_it_was_read() -> None:
    world = clamp()
    world.do(SessionResumed(9_000, "crash", ""))
    assert f"{NOT_OFF}, dextrose NOT seen flowing" in told(world, "engine_restarted")
    for role in world.pumps:
        world.identify(role)
    world.wait(4)
    assert f"{OFF}, dextrose held" in told(world, "engine_restarted")


@pytest.mark.parametrize("trouble", [Trouble.REFUSED, Trouble.NO_REPLY])
def test_a_links_refusal_is_the_reason_given(trouble: Trouble) -> None:
    world = clamp()
    world.dextrose.obeys = False
    world.sample(70.0)
    ordered = world.orders[-1][1]
    assert isinstance(ordered, SetRate)
    assert ordered.role is D
    world.do(LinkTroubled(D, trouble, "above the most with this syringe"))
    world.wait(8)
    assert world.phase() is Phase.FALLBACK
    reason = ": above the most with this syringe"
    assert (f"dextrose pump does not hold the commanded rate{reason}" in told(world)) == (
        trouble is Trouble.REFUSED
    )
    assert (f"{reason} - go to the pump" in told(world, "dextrose_rate")) == (trouble is Trouble.REFUSED)
    world.dextrose.obeys = True
    world.do(InsulinStopPressed("n"))
    world.dextrose.rate_ul_h = world.state.dextrose.commanded_ul_h or 0
    world.report(D)
    assert world.state.dextrose.refused == ""
    world.do(LinkTroubled(D, Trouble.REFUSED, "again"))
    assert world.state.dextrose.refused == "again"
    world.identify(D)
    assert world.state.dextrose.refused == ""


def test_an_insulin_pump_that_runs_without_counting_ends_the_clamp() -> None:
    world = clamp()
    world.insulin.flows = False
    world.wait(70)
    assert world.phase() is Phase.CLAMP
    world.wait(14)
    assert world.phase() is Phase.FALLBACK
    assert "insulin is not flowing" in told(world)
    assert world.insulin.rate_ul_h == 0
    assert world.dextrose.rate_ul_h > 0


def test_the_tail_keeps_the_rate_in_force_where_insulin_cannot_be_told_to_stop() -> None:
    reached, taken = clamp(), clamp()
    for world in (reached, taken):
        world.sample(70.0)
        world.wait(10)
    in_force = reached.state.dosing.gir_mg_kg_min
    reached.do(InsulinStopPressed("n"))
    taken.do(LinkLost(INS, "gone"))
    assert taken.phase() is Phase.FALLBACK
    assert taken.state.dosing.gir_mg_kg_min == in_force
    assert fallback.begin(_well(taken.state), "", taken.at_ms).gir_mg_kg_min == in_force
    assert fallback.begin(_well(reached.state), "", reached.at_ms).gir_mg_kg_min < in_force


def _well(state: State) -> State:
    """The state with a glucose on target, at which the tail's own rule holds."""
    assert state.blood.newest is not None
    return replace(
        state,
        clamp_started_ms=0,
        blood=replace(state.blood, newest=replace(state.blood.newest, glucose_mg_dl=90.0)),
    )


def test_an_insulin_pump_that_stands_still_needs_no_telling() -> None:
    world = clamp()
    world.sample(70.0)
    world.wait(10)
    world.insulin.state, world.insulin.rate_ul_h = PumpState.STOPPED, 0
    world.report(INS)
    still = replace(world.state.insulin, identified=False)
    state = replace(_well(world.state), insulin=still)
    unheard = replace(state, insulin=replace(still, heard_at_ms=None))
    at_ms = world.at_ms
    assert fallback.begin(state, "", at_ms).gir_mg_kg_min < fallback.begin(unheard, "", at_ms).gir_mg_kg_min


@pytest.mark.parametrize("mode", list(Mode))
def test_while_insulin_runs_on_dextrose_follows_the_law_upward_only(mode: Mode) -> None:
    world = taken_over(mode)
    rates = [world.state.dosing.gir_mg_kg_min]
    for glucose in (75.0, 72.0, 95.0, 70.0, 110.0):
        world.wait(5 * 60, every_s=5)
        world.sample(glucose)
        rates.append(world.state.dosing.gir_mg_kg_min)
    assert rates == sorted(rates)
    assert rates[0] < rates[1] < rates[2] == rates[3]
    assert max(after - before for before, after in pairwise(rates)) <= 4.0 + 1e-9
    assert world.dextrose.rate_ul_h == world.state.dosing.rate_ul_h
    assert world.state.dosing.proposal is None


def test_while_insulin_runs_on_the_tail_does_not_fade_and_fades_once_it_is_off() -> None:
    world = taken_over()
    held = world.state.dosing.gir_mg_kg_min
    world.wait(90 * 60, every_s=10)
    assert world.state.dosing.gir_mg_kg_min == held
    world.insulin.state, world.insulin.rate_ul_h = PumpState.STOPPED, 0
    world.wait(25 * 60, every_s=10)
    assert world.state.dosing.gir_mg_kg_min == held
    world.wait(40 * 60, every_s=10)
    assert 0.3 * held < world.state.dosing.gir_mg_kg_min < 0.6 * held


def test_two_samples_above_180_let_the_tail_fade_even_so() -> None:
    world = taken_over()
    held = world.state.dosing.gir_mg_kg_min
    for glucose in (120.0, 150.0, 178.0, 183.0, 186.0):
        world.wait(5 * 60, every_s=5)
        world.sample(glucose)
    world.wait(25 * 60, every_s=5)
    assert world.state.dosing.gir_mg_kg_min < 0.7 * held


def test_dextrose_that_a_person_stopped_is_not_started_by_a_sample() -> None:
    world = taken_over()
    world.do(DextroseStopPressed("n", "extravasation"))
    world.wait(5 * 60, every_s=5)
    world.sample(70.0)
    world.wait(60)
    assert world.dextrose.rate_ul_h == 0


@pytest.mark.parametrize("error", [ArithmeticError("law"), InvariantBroken("law")])
def test_a_law_that_fails_leaves_the_tail_as_it_is(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    world = taken_over()
    tail = world.state.tailing

    def fails(state: State, at_ms: int) -> None:
        raise error

    monkeypatch.setattr(dosing, "on_sample", fails)
    world.wait(60)
    world.sample(70.0)
    assert world.state.tailing == tail
    assert world.phase() is Phase.FALLBACK


def test_insulin_off_leaves_a_sample_without_effect_on_the_tail() -> None:
    world = clamp()
    world.do(InsulinStopPressed("n"))
    world.wait(60)
    tail = world.state.tailing
    world.sample(72.0)
    world.wait(6 * 60)
    assert world.state.tailing == tail
    assert world.state.tailing is not None
    assert world.at_ms - world.state.tailing.since_ms > fallback.HOLD_ANEW_MS > MIN


def test_the_alarm_of_a_taken_over_pump_is_high() -> None:
    world = taken_over()
    world.wait(10)
    high = {alarm.name for alarm in world.state.alarms if alarm.priority is Priority.HIGH}
    assert {"safe_tail", "insulin_identity"} <= high
