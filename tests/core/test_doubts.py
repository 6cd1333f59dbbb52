"""An analyzer that repeats itself, glucose that stays high, and pumps that move before the clamp."""

from collections.abc import Iterator
from dataclasses import replace

from clampctl.core.commands import Role, SetRate, StopPump
from clampctl.core.events import (
    ClampResumed,
    ClampStarted,
    InsulinStopPressed,
    JournalTroubled,
    ModeChosen,
    PumpReported,
    PumpState,
    RateOverridden,
)
from clampctl.core.protocol import Mode
from clampctl.core.state import Phase, Priority, Verdict
from tests.core.promises import kept
from tests.core.world import STATION, World, protocol

D, INS = Role.DEXTROSE, Role.INSULIN


def stuck(world: World, glucose: float) -> Iterator[Verdict]:
    """The analyzer says the same for as long as it is asked, every 5 min."""
    while world.phase() is Phase.CLAMP:
        world.wait(300)
        world.sample(glucose)
        newest = world.state.blood.newest
        assert newest is not None
        yield newest.verdict


def test_an_analyzer_that_repeats_itself_ends_in_safe_tail_before_dextrose_is_gone() -> None:
    world = World(protocol(), look=kept).steady(30)
    girs = []
    for verdict in stuck(world, 99.8):
        girs.append(world.state.dosing.gir_mg_kg_min)
        if verdict is Verdict.DOUBTED and world.phase() is Phase.CLAMP:
            assert "glucose_doubted" in world.names()
    assert world.phase() is Phase.FALLBACK
    assert len(girs) <= 8
    assert min(girs) > 1.0


def test_equal_values_under_a_steady_rate_are_believed() -> None:
    world = World(protocol(), look=kept).steady(60)
    newest = world.state.blood.newest
    assert newest is not None
    assert world.state.blood.same_value_run > 3
    assert newest.verdict is Verdict.BELIEVED


def test_an_equal_repeat_cannot_confirm_a_repeating_analyzer() -> None:
    world = World(protocol(), look=kept).steady(30)
    verdicts = stuck(world, 99.8)
    while next(verdicts) is Verdict.BELIEVED:
        pass
    world.wait(90)
    world.sample(99.8)
    newest = world.state.blood.newest
    assert newest is not None
    assert newest.verdict is Verdict.DOUBTED


def test_a_high_glucose_that_stays_never_halves_the_rate_at_once() -> None:
    world = World(protocol(), look=kept).steady(40)
    before = world.state.dosing.gir_mg_kg_min
    world.wait(300)
    world.sample(114.0)
    world.wait(300)
    world.sample(138.0)
    assert world.state.dosing.gir_mg_kg_min > 0.4 * before
    assert any("second analyzer" in reason for reason in world.state.dosing.reasons)


def test_insulin_started_at_the_pump_before_the_clamp_is_stopped() -> None:
    world = World(protocol(), look=kept).ready()
    report = PumpReported(INS, world.insulin.epoch, PumpState.RUNNING, 4_000, 0, None)
    assert world.do(report) == (StopPump(INS, world.insulin.epoch),)
    assert world.insulin.state is PumpState.STOPPED
    dextrose = PumpReported(D, world.dextrose.epoch, PumpState.RUNNING, 4_000, 0, None)
    assert world.do(dextrose) == ()


def test_a_dextrose_rate_lost_in_a_silence_is_set_again() -> None:
    world = World(protocol(), look=kept).steady(30)
    world.dextrose.obeys = False
    world.wait(300)
    world.sample(80.0)
    rate = world.state.dosing.rate_ul_h
    world.dextrose.obeys = True
    assert world.dextrose.rate_ul_h != rate
    before = len(world.orders)
    world.wait(6)
    again = [c for _, c in world.orders[before:] if isinstance(c, SetRate) and c.role is D]
    assert [command.rate_ul_h for command in again] == [rate]
    assert world.phase() is Phase.CLAMP


def test_a_pump_that_was_switched_on_anew_begins_its_volume_account_anew() -> None:
    world = World(protocol(), look=kept).steady(30)
    world.do(PumpReported(D, world.dextrose.epoch, PumpState.ALARM, 0, None, "reset"))
    assert world.state.dextrose.account is None
    assert world.state.dextrose.infused_ul is None


def test_a_gir_above_the_soft_limit_is_told_and_ends() -> None:
    world = World(protocol(), look=kept).steady(20)
    world.do(RateOverridden(15.1, "test", "n"))
    alarm = next(alarm for alarm in world.state.alarms if alarm.name == "gir_high")
    assert alarm.priority is Priority.MEDIUM
    world.do(RateOverridden(15.0, "test", "n"))
    assert "gir_high" not in world.names()


def test_insulin_does_not_start_with_a_pump_that_fell_silent() -> None:
    world = World(protocol(), look=kept).ready()
    world.sample(90.0)
    world.dextrose.answers = False
    world.wait(6)
    assert "does not answer" in world.refused(ClampStarted("n"))


def test_a_pump_set_by_hand_has_two_minutes_to_show_its_rate() -> None:
    by_hand = replace(STATION.dextrose_pump, driver="manual-pump", counter_quantum_ul=None)
    world = World(protocol(), replace(STATION, dextrose_pump=by_hand), look=kept).steady(30)
    world.dextrose.obeys = False
    world.wait(300)
    world.sample(80.0)
    world.wait(100)
    assert world.phase() is Phase.CLAMP
    assert "dextrose_rate" not in world.names()
    world.wait(30)
    assert world.state.tailing is not None
    assert world.state.tailing.reason == "dextrose pump does not hold the commanded rate"


def test_without_a_record_insulin_stays_off_and_the_mode_confirm() -> None:
    world = World(protocol(), look=kept).steady(20)
    world.do(InsulinStopPressed("program, for want of a record"))
    assert world.state.tailing is not None
    assert world.state.tailing.reason == "insulin stopped by program, for want of a record"
    world.do(JournalTroubled("disk full", 0))
    world.sample(95.0)
    for event in (ClampResumed("n"), ModeChosen(Mode.AUTOMATIC, "n")):
        assert world.refused(event).startswith("The record cannot be written")
    assert world.refused(ModeChosen(Mode.CONFIRM, "n")) == ""
