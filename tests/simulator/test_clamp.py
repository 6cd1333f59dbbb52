"""Whole virtual clamps, without faults and with one, held to the safety sheet by what truly flowed."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from clampctl.core.commands import Role
from clampctl.core.protocol import Mode
from clampctl.core.state import Phase, Priority
from clampctl.study.load import load_protocol
from clampctl.units import MS_PER_MIN
from simulator import clamp
from simulator.subjects.phenotypes import typical
from tests.simulator.watched import Watched, watched

FAULT_MIN = 12.0
"""The prime is over, insulin acts, dextrose runs; the next value comes 20 s later. Insulin began at 1.17."""

AT_MS = round(FAULT_MIN * MS_PER_MIN)


@dataclass(frozen=True, slots=True)
class Reaction:
    """What must follow a fault: insulin truly off within so many seconds, an alarm within so many."""

    insulin_off_s: float
    alarm: str
    alarm_s: float
    priority: Priority = Priority.HIGH
    dextrose_flows: bool = True
    verified: bool = True


REACTIONS = {
    "dextrose:unplug": Reaction(30.0, "dextrose_link", 30.0),
    "dextrose:mute": Reaction(30.0, "dextrose_link", 30.0),
    "dextrose:stall": Reaction(5.0, "dextrose_not_flowing", 5.0, dextrose_flows=False),
    "dextrose:power_cycle": Reaction(5.0, "dextrose_not_flowing", 5.0, dextrose_flows=False),
    "dextrose:key=stop": Reaction(5.0, "dextrose_not_flowing", 5.0, dextrose_flows=False),
    "dextrose:key=rate,60000": Reaction(10.0, "safe_tail", 10.0),
    "dextrose:max_rate=30000": Reaction(35.0, "safe_tail", 35.0),
    "insulin:mute": Reaction(6.0, "insulin_link", 30.0, verified=False),
    "insulin:unplug": Reaction(6.0, "insulin_link", 30.0, verified=False),
    "insulin:power_cycle": Reaction(1.0, "insulin_pump_alarm", 5.0, Priority.MEDIUM),
    "insulin:stall": Reaction(1.0, "insulin_pump_alarm", 5.0, Priority.MEDIUM),
    "insulin:key=stop": Reaction(1.0, "safe_tail", 5.0),
    "insulin:key=rate,9000": Reaction(5.0, "safe_tail", 5.0),
    "insulin:auto_alarm=T": Reaction(5.0, "safe_tail", 5.0),
}
"""Seconds: 30 for silence (SR-2, SR-15), 10 for a rate changed at the pump (I6), 35 where the next
value must come first, else a poll and a tick (2.4). A mute insulin pump stops by its own watchdog."""


@pytest.mark.parametrize("fault", REACTIONS)
def test_what_insulin_must_not_survive(tmp_path: Path, fault: str) -> None:
    expected = REACTIONS[fault]
    seen = watched(tmp_path, f"{fault}@{FAULT_MIN}", minutes=11.7)
    assert seen.state.phase is Phase.FALLBACK
    assert seen.state.insulin.commanded_ul_h == 0
    assert seen.state.insulin.verified is expected.verified
    off_s = seen.insulin_off_after_s(AT_MS)
    assert off_s is not None
    assert off_s <= expected.insulin_off_s
    alarm_s = seen.alarm_after_s(AT_MS, expected.alarm, expected.priority)
    assert alarm_s is not None
    assert alarm_s <= expected.alarm_s
    assert seen.moments[-1].insulin_ul_h == 0
    assert (seen.moments[-1].dextrose_ul_h > 0) is expected.dextrose_flows
    assert "StopPump" not in seen.orders(Role.DEXTROSE)


HARMLESS = (
    "dextrose:flip=4/3@11",
    "dextrose:lose_reply@12",
    "insulin:lose_reply@12.1",
    "insulin:key=start@13",
    "insulin:ign_next@14",
    "dextrose:ign_next@15",
    "insulin:noise=00ff03/9@16",
    "dextrose:chunk=1/9@17",
    "dextrose:delay=400/9@18",
    "dextrose:strict_units@19",
    "analyzer:clock_offset=600@20",
)


def test_what_the_clamp_goes_on_through(tmp_path: Path) -> None:
    seen = watched(tmp_path, *HARMLESS, minutes=30.0)
    assert seen.state.phase is Phase.CLAMP
    assert seen.alarm_names() == set()
    assert seen.moments[-1].dextrose_ul_h == seen.state.dosing.rate_ul_h > 0
    assert seen.moments[-1].insulin_ul_h == seen.state.insulin_ul_h > 0


def test_a_short_silence_is_an_alarm_and_no_more(tmp_path: Path) -> None:
    seen = watched(tmp_path, "dextrose:mute@13-13.2", minutes=15.0)
    silent_s = seen.alarm_after_s(13 * 60_000, "dextrose_link", Priority.MEDIUM)
    assert silent_s is not None
    assert silent_s <= 7.0
    assert seen.state.phase is Phase.CLAMP
    assert not seen.state.alarms


def test_a_rate_lost_in_a_silence_ends_in_safe_tail(tmp_path: Path) -> None:
    seen = watched(tmp_path, "dextrose:mute@12-12.3", minutes=13.0)
    lost_ms = next(moment.at_ms for moment in seen.moments if moment.state.dosing.rate_ul_h > 42_000)
    assert lost_ms < 12.3 * 60_000
    off_s = seen.insulin_off_after_s(lost_ms)
    assert off_s is not None
    assert off_s <= 10.0
    assert seen.state.insulin.verified
    assert seen.moments[-1].dextrose_ul_h > 0


def test_a_silent_analyzer_is_told_at_8_and_12_min_and_ends_insulin_at_15(tmp_path: Path) -> None:
    seen = watched(tmp_path, f"analyzer:mute@{FAULT_MIN}", minutes=26.0)
    newest = seen.state.blood.newest
    assert newest is not None
    drawn_ms = newest.drawn_at_ms
    late_s = seen.alarm_after_s(drawn_ms, "glucose_stale", Priority.MEDIUM)
    stale_s = seen.alarm_after_s(drawn_ms, "glucose_stale", Priority.HIGH)
    off_s = seen.insulin_off_after_s(drawn_ms)
    assert late_s == pytest.approx(8 * 60, abs=2)
    assert stale_s == pytest.approx(12 * 60, abs=2)
    assert off_s == pytest.approx(15 * 60, abs=5)
    assert seen.state.phase is Phase.FALLBACK
    assert seen.moments[-1].dextrose_ul_h > 0


def test_a_key_pressed_at_the_insulin_pump_in_safe_tail_is_undone(tmp_path: Path) -> None:
    seen = watched(
        tmp_path,
        f"insulin:key=stop@{FAULT_MIN}",
        "insulin:key=rate,4000@13",
        "insulin:key=start@14",
        minutes=14.0,
    )
    pressed_ms = 14 * 60_000
    ran = [moment.at_ms for moment in seen.moments if moment.at_ms > pressed_ms and moment.insulin_ul_h]
    assert ran
    assert max(ran) - pressed_ms <= 5_000
    found = seen.alarm_after_s(pressed_ms, "insulin_rate", Priority.HIGH)
    assert found is not None
    assert found <= 5.0


def test_a_cable_put_back_ends_the_link_alarm_and_keeps_insulin_off(tmp_path: Path) -> None:
    seen = watched(tmp_path, f"insulin:mute@{FAULT_MIN}-14", minutes=16.0)
    assert seen.state.phase is Phase.FALLBACK
    assert not any(alarm.name == "insulin_link" for alarm in seen.state.alarms)
    assert seen.state.insulin.verified
    assert all(moment.insulin_ul_h == 0 for moment in seen.moments if moment.at_ms > AT_MS + 6_000)


def test_a_nurse_confirms_every_proposal(tmp_path: Path) -> None:
    seen = watched(tmp_path, minutes=50.0, mode=Mode.CONFIRM)
    assert seen.state.phase is Phase.CLAMP
    assert seen.alarm_names() == set()
    assert seen.state.dosing.proposals_made >= 10
    assert seen.state.dosing.gir_mg_kg_min > 2.0
    assert seen.glucose_min_mg_dl() >= 75.0


def test_two_steps_follow_one_another(tmp_path: Path) -> None:
    whole = load_protocol("euglycemic-two-step-12-40")
    short = replace(
        whole,
        steps=tuple(
            replace(step, duration_ms=25 * 60_000, window_start_ms=0, window_end_ms=25 * 60_000)
            for step in whole.steps
        ),
    )
    seen = watched(tmp_path, minutes=45.0, protocol=short)
    doses = {round(moment.state.insulin_mu_m2_min, 6) for moment in seen.moments}
    assert {12.0, 40.0} <= doses
    assert seen.state.insulin_mu_m2_min == 40.0
    assert seen.alarm_names() == set()


@pytest.mark.parametrize(("protocol", "subject"), [("euglycemic-120", "lean"), ("euglycemic-40", "t2d")])
def test_other_doses_and_subjects(tmp_path: Path, protocol: str, subject: str) -> None:
    seen = watched(tmp_path, minutes=45.0, protocol=protocol, subject=subject)
    assert seen.state.phase is Phase.CLAMP
    assert seen.alarm_names() == set()
    assert seen.glucose_min_mg_dl() >= 75.0


def test_insulin_ends_with_the_protocol_and_dextrose_does_not(tmp_path: Path) -> None:
    protocol = load_protocol("euglycemic-40")
    step = replace(protocol.steps[0], duration_ms=20 * 60_000, window_start_ms=0, window_end_ms=20 * 60_000)
    request = clamp.Request(
        replace(protocol, steps=(step,), mode=Mode.AUTOMATIC), "lean", 1, "none", minutes=30.0
    )
    seen = Watched(request, tmp_path / "whole.clamp.jsonl")
    assert seen.state.phase is Phase.TAPER
    assert seen.moments[-1].insulin_ul_h == 0
    assert seen.moments[-1].dextrose_ul_h > 0
    started_ms = seen.state.clamp_started_ms
    assert started_ms is not None
    off_s = seen.insulin_off_after_s(started_ms + 20 * 60_000)
    assert off_s is not None
    assert off_s <= 5.0


def test_a_virtual_subject_keeps_its_body_surface() -> None:
    parameters = typical("obese")
    subject = clamp.virtual_subject(parameters, "obese-1")
    formula = 0.007184 * subject.height_cm**0.725 * subject.weight_kg**0.425
    assert subject.bsa_m2 == pytest.approx(formula)
