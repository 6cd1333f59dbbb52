"""The timetable of faults: what may be written, and what is refused before a clamp begins."""

import pytest

from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from clampctl.study.load import load_protocol
from drivers.catalog import PUMPS
from simulator.bedside import Bedside
from simulator.devices import EMULATED
from simulator.devices.fault import Fault, FaultKind
from simulator.devices.new_era import NewEra
from simulator.devices.ysi import Ysi
from simulator.faults import ToBlood, ToDevice, ToLine, planned
from simulator.furniture import USUAL, Choice, spare
from simulator.infusion_line import LineFault
from simulator.models import MODELS, Person
from simulator.places import BLOOD, LINES
from simulator.sampling_site import BloodFault
from simulator.subjects.variability import NOISES


def bedside() -> Bedside:
    """Two pumps that stand still, and an analyzer."""
    return Bedside(
        MODELS["composite"].one(Person("lean")), NOISES["none"], 1, NewEra(), NewEra(), Ysi(),
        load_protocol("euglycemic-40").infusates,
    )  # fmt: skip


def test_one_moment() -> None:
    found = Fault(FaultKind.UNPLUG)
    assert planned("dextrose:unplug@60") == (ToDevice(3_600_000, Role.DEXTROSE, FaultKind.UNPLUG, found),)


def test_from_to() -> None:
    begins, ends = planned("insulin:mute@30-32.5")
    assert (begins.at_ms, ends.at_ms) == (1_800_000, 1_950_000)
    assert (begins.begins, ends.begins) == (True, False)


def test_a_value_may_hold_the_signs_of_the_timetable() -> None:
    found = Fault(FaultKind.KEY, number=60_000, text="rate")
    assert planned("dextrose:key=rate,60000@0.5") == (ToDevice(30_000, Role.DEXTROSE, FaultKind.KEY, found),)


def test_it_happens_to_the_device_and_ends() -> None:
    begins, ends = planned("dextrose:unplug@1-2")
    bed = bedside()
    begins.happen(bed, 60_000)
    assert [device.plugged for device in bed.devices.values()] == [False, True, True]
    ends.happen(bed, 120_000)
    assert all(device.plugged for device in bed.devices.values())


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        (
            "insulin-line:occluded@30-40",
            (
                ToLine(1_800_000, Role.INSULIN, LineFault.OCCLUDED, 1_500.0),
                ToLine(2_400_000, Role.INSULIN, LineFault.OCCLUDED, None),
            ),
        ),
        ("dextrose-line:leak=30@5", (ToLine(300_000, Role.DEXTROSE, LineFault.LEAK, 30.0),)),
        ("dextrose-bag:strength@0", (ToLine(0, Role.DEXTROSE, LineFault.STRENGTH, 250.0),)),
        ("insulin-syringe:strength@0", (ToLine(0, Role.INSULIN, LineFault.STRENGTH, 1_000.0),)),
        ("dextrose-bag:empty@5", (ToLine(300_000, Role.DEXTROSE, LineFault.EMPTY, 0.0),)),
        ("blood:bias=-7.5@5", (ToBlood(300_000, BloodFault.BIAS, -7.5, lasts=False),)),
        (
            "blood:contaminated@5-9",
            (
                ToBlood(300_000, BloodFault.CONTAMINATED, 100.0, lasts=True),
                ToBlood(540_000, BloodFault.CONTAMINATED, None, lasts=True),
            ),
        ),
    ],
)
def test_what_is_no_device(text: str, entries: tuple[ToLine | ToBlood, ...]) -> None:
    assert planned(text) == entries


def test_it_happens_to_the_line_and_ends() -> None:
    bed = bedside()
    pump = bed.devices[Role.DEXTROSE]
    begins, ends = planned("dextrose-line:leak@1-2")
    for key in ("key=rate,60000", "key=start"):
        (press,) = planned(f"dextrose:{key}@0")
        press.happen(bed, 0)
    begins.happen(bed, 60_000)
    bed.advance(120_000)
    ends.happen(bed, 120_000)
    bed.advance(180_000)
    line = bed.lines[Role.DEXTROSE]
    assert [line.given_ul, line.spilled_ul] == pytest.approx([2_000.0, 1_000.0])
    assert pump.plugged


def test_it_happens_to_blood_and_ends() -> None:
    bed = bedside()
    begins, ends = planned("blood:bias=10@1-2")
    begins.happen(bed, 60_000)
    assert bed.site.taken(90.0, 60_000) == 100.0
    ends.happen(bed, 120_000)
    assert bed.site.taken(90.0, 120_000) == 90.0


@pytest.mark.parametrize("driver", [name for name in PUMPS if name in EMULATED])
def test_every_emulated_pump_notices_an_occlusion(driver: str) -> None:
    (entry,) = planned("insulin-line:occluded@1", Choice(insulin=driver))
    assert entry.begins


def test_every_fault_that_is_no_devices_has_a_place() -> None:
    assert {kind for place in LINES.values() for kind in place.sizes} == set(LineFault)
    assert {kind for place in BLOOD.values() for kind in place.sizes} == set(BloodFault)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("unplug@60", "expected WHERE:FAULT@MINUTE"),
        ("dextrose:unplug", "expected WHERE:FAULT@MINUTE"),
        ("dextrose:unplug@", "expected WHERE:FAULT@MINUTE"),
        ("dextrose:unplug@soon", "expected WHERE:FAULT@MINUTE"),
        ("dextrose:unplug@nan", "expected WHERE:FAULT@MINUTE"),
        ("dextrose:unplug@inf", "expected WHERE:FAULT@MINUTE"),
        ("dextrose:unplug@-3", "expected WHERE:FAULT@MINUTE"),
        ("dextrose:unplug@5-3", "expected WHERE:FAULT@MINUTE"),
        ("dextrose:unplug@1-2-3", "expected WHERE:FAULT@MINUTE"),
        ("pump:unplug@60", "expected dextrose, insulin, analyzer"),
        ("dextrose:explode@60", "There is no fault called 'explode'."),
        ("dextrose:gap=3@60", "does not fit its form"),
        ("dextrose:busy@60", "has no fault 'busy'"),
        ("analyzer:stall@60", "has no fault 'stall'"),
        ("dextrose-line:empty@60", "There is no fault called 'empty' here; known are unprimed, compliance"),
        ("blood:unplug@60", "There is no fault called 'unplug' here; known are contaminated, diluted"),
        ("blood:missed=2@60", "The fault missed takes no number."),
        ("blood:late=@60", "The fault late takes 0.1 to 30 min."),
        ("blood:late=0@60", "The fault late takes 0.1 to 30 min."),
        ("blood:bias=nan@60", "The fault bias takes -200 to 200 mg/dL."),
        ("insulin-line:leak=101@60", "The fault leak takes 1 to 100 percent."),
        ("insulin-line:unprimed@60-70", "it takes one minute."),
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
