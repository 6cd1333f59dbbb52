"""The one entry point: its promises about start and time, and a clamp from end to end."""

from dataclasses import replace

import pytest

from clampctl.core import dosing, fallback
from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import (
    ClampStarted,
    HoldPressed,
    HoldReleased,
    JournalTroubled,
    LinkTroubled,
    ModeChosen,
    PumpReported,
    PumpState,
    RateOverridden,
    ReadingImported,
    SessionResumed,
    Ticked,
    Trouble,
    WindowsCounted,
)
from clampctl.core.protocol import FirstRate, Mode, Refusal
from clampctl.core.state import InvariantBroken, Phase, Priority
from clampctl.core.step import step
from tests.core.promises import kept
from tests.core.world import LAW, MIN, NO_PRIME, STATION, World, clamp_step, opened, protocol, started

D, INS = Role.DEXTROSE, Role.INSULIN


def test_a_session_begins_with_its_first_event_once() -> None:
    with pytest.raises(InvariantBroken, match="Ticked before the session started"):
        step(None, Ticked(), 0)
    state, commands = step(None, started(), 5)
    assert (state.phase, state.at_ms, commands) == (Phase.SETUP, 5, ())
    with pytest.raises(InvariantBroken, match="started twice"):
        step(state, started(), 6)


def test_time_never_goes_back() -> None:
    with pytest.raises(InvariantBroken, match="time went back from 0 to -1 ms"):
        step(opened(), Ticked(), -1)


def test_an_unknown_law_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(Refusal, match="expected one of defronzo, hold"):
        opened(protocol(law=replace(LAW, name="guess")))


def test_a_pump_report_for_the_analyzer_is_a_bug() -> None:
    with pytest.raises(InvariantBroken, match="the analyzer is no pump"):
        step(opened(), PumpReported(Role.ANALYZER, 1, PumpState.STOPPED, 0, None, None), 1)


@pytest.mark.parametrize(
    "event",
    [
        Ticked(),
        ReadingImported(90.0, 5.0, None),
        LinkTroubled(D, Trouble.BAD_FRAME, "crc"),
        WindowsCounted(0),
    ],
)
def test_events_that_decide_nothing(event: Ticked) -> None:
    state, commands = step(opened(), event, 7)
    assert commands == ()
    assert replace(state, at_ms=0, safeguards=opened().safeguards) == opened()


def test_a_whole_clamp_keeps_its_order() -> None:
    world = World(protocol(clamp_step(40.0, 90.0, 40)), look=kept).clamping()
    assert world.orders == [(world.at_ms, StartPump(INS, 221 * 60, 2))]
    world.until(5)
    assert [order for _, order in world.orders[-2:]] == [StartPump(D, 42_000, 2), SetRate(INS, 7_440, 2)]
    world.sample(90.0)
    world.until(9.9)
    assert world.phase() is Phase.PRIME
    world.until(10)
    assert world.phase() is Phase.CLAMP
    for minute in range(10, 40, 5):
        world.until(minute)
        world.sample(90.0)
    world.until(40)
    assert world.phase() is Phase.TAPER
    assert [order for at_ms, order in world.orders if at_ms == world.at_ms] == [StopPump(INS, 2)]
    assert world.state.alarms == ()
    insulin = [order for _, order in world.orders if order.role is INS]
    assert isinstance(insulin[0], StartPump)
    assert len([order for order in insulin if isinstance(order, SetRate)]) == 10
    assert world.replayed(through_json=False) == world.digests
    assert world.replayed(through_json=True) == world.digests


def test_dextrose_is_ordered_before_insulin_rises_and_after_insulin_stops() -> None:
    asked = protocol(law=replace(LAW, first_rates=(FirstRate(0, 2.0),)))
    world = World(asked, look=kept).ready()
    world.sample(90.0)
    assert [type(order) for order in world.do(ClampStarted("n"))] == [StartPump, StartPump]
    assert [order.role for _, order in world.orders] == [D, INS]
    world.wait(60)
    world.do(RateOverridden(6.0, "x", "n"))
    world.wait(60)
    assert [order.role for order in world.sample(50.0)] == [INS, D]


def test_ticks_that_skip_what_was_due_give_the_last_of_it() -> None:
    both = (FirstRate(4 * MIN, 2.0), FirstRate(4 * MIN + 8_000, 2.5))
    world = World(protocol(law=replace(LAW, first_rates=both)), look=kept).clamping()
    world.until(4.3, every_s=18)
    assert world.state.dosing.gir_mg_kg_min == 2.5
    assert world.state.dosing.first_rate_index == 1


def test_a_first_rate_that_comes_too_late_is_skipped() -> None:
    asked = protocol(law=replace(LAW, name="hold"))
    world = World(asked).clamping()
    world.at_ms += 21 * MIN
    for role in world.pumps:
        world.report(role)
    assert world.state.dosing.first_rate_index == 0
    assert world.state.dosing.gir_mg_kg_min == 0.0


def test_hold_rests_the_law_but_not_the_interlocks() -> None:
    world = World(protocol(), look=kept).steady(20)
    gir = world.state.dosing.gir_mg_kg_min
    world.do(HoldPressed("n"))
    world.wait(300)
    world.sample(100.0)
    assert world.state.dosing.gir_mg_kg_min == gir
    world.do(HoldReleased("n"))
    assert world.state.dosing.gir_mg_kg_min == gir
    world.wait(300)
    world.sample(100.0)
    assert world.state.dosing.gir_mg_kg_min < gir


def test_a_hold_in_the_prime_ends_in_the_clamp_on_the_same_insulin_table() -> None:
    world = World(protocol(), look=kept).clamping()
    world.until(2)
    world.do(HoldPressed("n"))
    world.until(3.5)
    assert world.insulin.rate_ul_h == 156 * 60
    world.do(HoldReleased("n"))
    assert world.phase() is Phase.CLAMP
    world.until(5)
    assert world.dextrose.rate_ul_h == 42_000


def test_an_override_ends_with_the_next_sample_and_is_not_undone_by_the_clock() -> None:
    world = World(protocol(), look=kept).clamping()
    world.until(4)
    world.do(RateOverridden(6.0, "falling fast", "n"))
    world.until(5.5)
    assert world.dextrose.rate_ul_h == 126_000
    assert world.overridden()
    world.sample(90.0)
    assert not world.overridden()
    assert world.state.dosing.gir_mg_kg_min == 4.0


def test_an_override_runs_out_in_ten_minutes() -> None:
    world = World(protocol(), look=kept).steady(20)
    world.do(RateOverridden(6.0, "x", "n"))
    world.wait(599)
    assert world.overridden()
    world.wait(1)
    assert not world.overridden()
    assert world.state.dosing.gir_mg_kg_min == 6.0


def test_an_override_is_bumpless_through_the_whole_core() -> None:
    world = World(protocol(), look=kept).steady(30)
    world.do(RateOverridden(6.0, "x", "n"))
    for _ in range(3):
        world.wait(300)
        world.sample(90.0)
        assert world.state.dosing.gir_mg_kg_min == pytest.approx(6.0, rel=0.02)


def test_an_override_beyond_the_pump_is_refused_with_the_pumps_limit() -> None:
    world = World(protocol(), look=kept).steady(20)
    small = replace(world.state.session.station.dextrose_pump, rate_ul_h_max=100_000)
    session = world.state.session
    world.state = replace(
        world.state, session=replace(session, station=replace(session.station, dextrose_pump=small))
    )
    assert world.refused(RateOverridden(5.0, "x", "n")) == (
        "5 mg/kg/min is more than the pump may give: pump at most 100 mL/h."
    )


def test_one_contaminated_sample_costs_a_fifth_for_one_interval_and_is_forgotten() -> None:
    world = World(protocol(), look=kept).steady(40)
    gir = world.state.dosing.gir_mg_kg_min
    world.wait(300)
    world.sample(250.0)
    assert world.state.dosing.gir_mg_kg_min == pytest.approx(0.8 * gir)
    assert "glucose_doubted" in world.names()
    world.wait(120)
    world.sample(90.0)
    assert world.state.dosing.gir_mg_kg_min == pytest.approx(gir, rel=0.1)
    for _ in range(3):
        world.wait(300)
        world.sample(90.0)
        assert world.state.dosing.gir_mg_kg_min == pytest.approx(gir, rel=0.1)


def test_a_confirmed_high_cuts_no_faster_than_the_slew_and_recovers_without_overshoot() -> None:
    world = World(protocol(), look=kept).steady(40)
    world.wait(300)
    world.sample(150.0)
    world.wait(120)
    world.sample(150.0)
    gir = world.state.dosing.gir_mg_kg_min
    assert 0.8 * 4.0 - 2.0 < gir < 2.0
    assert world.state.dosing.reasons[-1].startswith("no cut below half of the last 30 min")
    highest = 0.0
    for glucose in (140.0, 125.0, 110.0, 98.0, 92.0, 90.0, 90.0, 90.0, 90.0):
        world.wait(300)
        world.sample(glucose)
        highest = max(highest, world.state.dosing.gir_mg_kg_min)
    assert highest < 5.0


def test_a_row_of_doubted_samples_never_cuts_more_than_one() -> None:
    world = World(protocol(), look=kept).steady(40)
    gir = world.state.dosing.gir_mg_kg_min
    for glucose in (140.0, 180.0, 240.0, 300.0, 380.0):
        world.wait(60)
        world.sample(glucose)
    assert world.state.dosing.gir_mg_kg_min == pytest.approx(0.8 * gir)


def test_the_next_step_brings_its_dose_and_its_target_at_slew_limited_gir() -> None:
    steps = (clamp_step(20.0, 90.0, 30), clamp_step(40.0, 120.0, 40, NO_PRIME))
    world = World(protocol(*steps), look=kept).steady(30)
    assert world.state.insulin_mu_m2_min == 40.0
    assert world.insulin.rate_ul_h == 4_140
    assert world.state.dosing.wanted_mg_kg_min == pytest.approx(30 * 1.9 / 15 + 4.0 * 120 / 90, abs=1e-6)
    world.wait(300)
    world.sample(90.0)
    assert world.phase() is Phase.CLAMP


def test_lost_records_end_automatic_dosing() -> None:
    world = World(protocol(), look=kept).steady(20)
    world.do(JournalTroubled("disk full", 1))
    assert world.state.mode is Mode.CONFIRM
    assert world.refused(ModeChosen(Mode.AUTOMATIC, "n")) == ""


def test_a_part_asked_outside_a_clamp_changes_nothing() -> None:
    state = opened()
    assert dosing.on_sample(state, 5) is state.dosing
    assert dosing.by_clock(state, 5) is None
    assert fallback.trigger(replace(state, phase=Phase.CLAMP), 0, 5) == "no glucose"


def test_windows_come_and_go() -> None:
    world = World()
    for count, gone in ((0, False), (1, False), (0, True), (0, True), (2, False)):
        world.wait(1)
        world.do(WindowsCounted(count))
        assert (world.state.safeguards.windows_gone_at_ms is not None) == gone


@pytest.mark.parametrize("phase", [Phase.BASAL, Phase.TAPER])
def test_a_restart_outside_the_insulin_phases_changes_no_phase(phase: Phase) -> None:
    world = World(protocol(clamp_step(40.0, 90.0, 30)), look=kept)
    world = world.ready() if phase is Phase.BASAL else world.steady(30)
    world.do(SessionResumed(1, "crash", ""))
    assert world.phase() is phase
    assert not world.state.dextrose.connected
    assert "engine_restarted" in world.names()


def test_the_session_replays_alike_in_nurse_confirm_mode() -> None:
    world = World(protocol(mode=Mode.CONFIRM), look=kept).steady(20)
    world.do(SessionResumed(1, "crash", ""))
    assert world.replayed(through_json=True) == world.digests


@pytest.mark.parametrize("role", [Role.DEXTROSE, Role.INSULIN])
def test_without_a_bench_sheet_nothing_is_automatic(role: Role) -> None:
    proven = STATION.dextrose_pump if role is Role.DEXTROSE else STATION.insulin_pump
    bare = replace(proven, proof="")
    station = replace(STATION, **{f"{role.value}_pump": bare})
    assert station.unproven is bare
    world = World(replace(protocol(), mode=Mode.AUTOMATIC), station)
    assert world.state.mode is Mode.CONFIRM
    assert f"bench sheet of the {role.value} pump" in world.refused(ModeChosen(Mode.AUTOMATIC, "n"))
    assert world.state.mode is Mode.CONFIRM
    assert opened(replace(protocol(), mode=Mode.AUTOMATIC)).mode is Mode.AUTOMATIC


def test_a_held_result_is_no_alarm_of_weight_before_the_clamp() -> None:
    world = World()
    world.do(LinkTroubled(Role.ANALYZER, Trouble.REFUSED, "analyzer error 0004"))
    (alarm,) = (alarm for alarm in world.state.alarms if alarm.name == "result_held")
    assert alarm.priority is Priority.LOW
    assert "analyzer error 0004" in alarm.text
    world.do(LinkTroubled(Role.ANALYZER, Trouble.BAD_FRAME, "noise"))
    assert "analyzer error 0004" in world.state.blood.analyzer_held


def test_safe_tail_says_insulin_is_off_only_once_that_was_seen() -> None:
    world = World(protocol(), look=kept).steady(20)
    world.identify(INS, "remote control was ended at the pump")
    world.do(Ticked())

    def told() -> str:
        return next(alarm.text for alarm in world.state.alarms if alarm.name == "safe_tail")

    assert world.phase() is Phase.FALLBACK
    assert "insulin NOT seen off: stop it at the pump" in told()
    world.identify(INS)
    world.wait(10)
    assert "insulin off, dextrose held" in told()
