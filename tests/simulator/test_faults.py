"""The timetable of faults: what may be written, and what is refused before a clamp begins."""

import pytest

from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from simulator.devices.fault import FaultKind
from simulator.devices.new_era import NewEra
from simulator.faults import planned
from simulator.furniture import USUAL, spare


def test_one_moment() -> None:
    (entry,) = planned("dextrose:unplug@60")
    assert (entry.at_ms, entry.role, entry.kind) == (3_600_000, Role.DEXTROSE, FaultKind.UNPLUG)
    assert entry.fault is not None


def test_from_to() -> None:
    begins, ends = planned("insulin:mute@30-32.5")
    assert (begins.at_ms, ends.at_ms) == (1_800_000, 1_950_000)
    assert ends.fault is None
    assert ends.kind is begins.kind is FaultKind.MUTE


def test_a_value_may_hold_the_signs_of_the_timetable() -> None:
    (entry,) = planned("dextrose:key=rate,60000@0.5")
    assert entry.fault is not None
    assert (entry.fault.text, entry.fault.number, entry.at_ms) == ("rate", 60_000, 30_000)


def test_it_happens_to_the_device_and_ends() -> None:
    begins, ends = planned("dextrose:unplug@1-2")
    pump, other = NewEra(), NewEra()
    devices = {Role.DEXTROSE: pump, Role.INSULIN: other}
    begins.happen(devices, 60_000)
    assert not pump.plugged
    assert other.plugged
    ends.happen(devices, 120_000)
    assert pump.plugged


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("unplug@60", "expected ROLE:FAULT@MINUTE"),
        ("dextrose:unplug", "expected ROLE:FAULT@MINUTE"),
        ("dextrose:unplug@", "expected ROLE:FAULT@MINUTE"),
        ("dextrose:unplug@soon", "expected ROLE:FAULT@MINUTE"),
        ("dextrose:unplug@nan", "expected ROLE:FAULT@MINUTE"),
        ("dextrose:unplug@inf", "expected ROLE:FAULT@MINUTE"),
        ("dextrose:unplug@-3", "expected ROLE:FAULT@MINUTE"),
        ("dextrose:unplug@5-3", "expected ROLE:FAULT@MINUTE"),
        ("dextrose:unplug@1-2-3", "expected ROLE:FAULT@MINUTE"),
        ("pump:unplug@60", "expected dextrose, insulin, analyzer"),
        ("dextrose:explode@60", "There is no fault called 'explode'."),
        ("dextrose:gap=3@60", "does not fit its form"),
        ("dextrose:busy@60", "has no fault 'busy'"),
        ("analyzer:stall@60", "has no fault 'stall'"),
    ],
)
def test_refused(text: str, says: str) -> None:
    with pytest.raises(Refusal) as refused:
        planned(text)
    sentence = refused.value.sentence
    assert says in sentence
    assert text in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_every_role_has_a_device_to_try_on() -> None:
    devices = [spare(USUAL, role) for role in Role]
    assert all(device.plugged for device in devices)
    assert devices[0] is not spare(USUAL, Role.DEXTROSE)
