"""What stands at a virtual bed: every choice of devices, and the station that names them."""

import dataclasses

import pytest

from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from clampctl.core.station import AnalyzerSetup
from drivers.catalog import ANALYZERS, PUMPS
from simulator.devices import EMULATED
from simulator.furniture import (
    ADDRESSES,
    DEXTROSE_UM,
    INSULIN_UM,
    SERIALS,
    SETTINGS,
    USUAL,
    WALL_ZERO,
    Choice,
    furniture,
    spare,
)

EMULATED_PUMPS = [name for name in PUMPS if name in EMULATED]
EMULATED_ANALYZERS = [name for name in ANALYZERS if name in EMULATED]


def test_the_usual_bed() -> None:
    stands = furniture(USUAL)
    station = stands.station
    assert (station.dextrose_pump.driver, station.insulin_pump.driver) == ("new-era", "new-era")
    assert station.analyzer == AnalyzerSetup("ysi-2700", ANALYZERS["ysi-2700"].title, "plasma", 75_000)
    assert station.unproven is None
    assert list(stands.devices) == [Role.INSULIN, Role.DEXTROSE, Role.ANALYZER]
    assert stands.devices[Role.DEXTROSE] is stands.dextrose
    assert stands.links.keys() == set(Role)


@pytest.mark.parametrize("pump", EMULATED_PUMPS)
def test_every_pump_can_give_insulin_and_stops_by_itself_there(pump: str) -> None:
    setup = furniture(Choice(insulin=pump)).station.insulin_pump
    assert setup.driver == pump
    assert setup.watchdog_s is not None
    assert setup.rate_ul_h_min < setup.rate_ul_h_max


@pytest.mark.parametrize("pump", [name for name in EMULATED_PUMPS if name != "alaris"])
def test_every_pump_that_runs_on_can_give_dextrose(pump: str) -> None:
    setup = furniture(Choice(dextrose=pump)).station.dextrose_pump
    assert (setup.driver, setup.watchdog_s) == (pump, None)


def test_a_pump_that_stops_on_silence_is_refused_for_dextrose() -> None:
    with pytest.raises(Refusal, match="alaris cannot be the dextrose pump") as refused:
        furniture(Choice(dextrose="alaris"))
    assert refused.value.sentence.endswith(".")


@pytest.mark.parametrize("analyzer", EMULATED_ANALYZERS)
def test_every_analyzer_can_stand_at_the_bed(analyzer: str) -> None:
    stands = furniture(Choice(analyzer=analyzer))
    assert stands.station.analyzer.driver == analyzer
    assert not stands.analyzer.running
    stands.analyzer.place_sample(90.0, 0)
    assert stands.analyzer.running


@pytest.mark.parametrize(
    ("choice", "known"),
    [
        (Choice(dextrose="ysi-2700"), "known are new-era, alaris"),
        (Choice(insulin="manual-pump"), "known are new-era, alaris"),
        (Choice(analyzer="new-era"), "known are ysi-2700, ysi-2300"),
        (Choice(analyzer="manual-analyzer"), "known are ysi-2700, ysi-2300"),
        (Choice(dextrose=""), "no emulated device ''"),
    ],
)
def test_what_is_not_emulated_for_a_role_is_refused_with_what_is(choice: Choice, known: str) -> None:
    with pytest.raises(Refusal, match=known):
        furniture(choice)


@pytest.mark.parametrize(
    "pump", [name for name in EMULATED_PUMPS if PUMPS[name].told_by and name != "alaris"]
)
def test_two_pumps_of_one_kind_differ_in_something_they_tell(pump: str) -> None:
    station = furniture(Choice(pump, pump)).station
    dextrose, insulin = station.dextrose_pump, station.insulin_pump
    marks = {
        "serial_number": (dextrose.serial, insulin.serial),
        "address": (dextrose.address, insulin.address),
        "syringe_diameter": (dextrose.diameter_um, insulin.diameter_um),
    }
    for name, (one, other) in marks.items():
        assert (one != other) == (name in PUMPS[pump].told_by), name


def test_only_marks_that_a_pump_tells_are_expected_of_it() -> None:
    station = furniture(Choice(insulin="alaris")).station
    assert (station.insulin_pump.serial, station.insulin_pump.diameter_um) == (SERIALS[Role.INSULIN], None)
    assert (station.dextrose_pump.serial, station.dextrose_pump.address) == ("", ADDRESSES[Role.DEXTROSE])
    graseby = furniture(Choice(insulin="graseby-3400")).station.insulin_pump
    assert (graseby.serial, graseby.address) == ("", 0)


def test_the_new_era_pumps_limits_are_those_of_their_syringes() -> None:
    station = furniture(USUAL).station
    assert (station.dextrose_pump.diameter_um, station.insulin_pump.diameter_um) == (DEXTROSE_UM, INSULIN_UM)
    assert station.dextrose_pump.rate_ul_h_max > station.insulin_pump.rate_ul_h_max


@pytest.mark.parametrize("role", Role)
def test_a_spare_is_another_device_of_the_same_kind(role: Role) -> None:
    stands = furniture(USUAL)
    one, other = spare(USUAL, role), spare(USUAL, role)
    assert type(one) is type(stands.devices[role])
    assert one is not other
    assert one is not stands.devices[role]


def test_every_setting_of_the_bed_is_one_that_the_link_takes() -> None:
    assert SETTINGS.keys() <= ANALYZERS.keys() | PUMPS.keys()
    clocks = [
        entry
        for entry in EMULATED.values()
        if "start" in {f.name for f in dataclasses.fields(entry.settings)}
    ]
    assert all(entry.settings().start == WALL_ZERO for entry in clocks)
    assert len(clocks) >= len(EMULATED_ANALYZERS)
