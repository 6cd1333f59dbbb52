"""What stands at a virtual bed: the emulated devices, their links, and the station that names them."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from clampctl.core.station import AnalyzerSetup, PumpSetup, RateStep, Station
from drivers.analyzers.line import form_of
from drivers.catalog import ANALYZERS, PUMPS, Option, analyzer_link, pump_link
from drivers.link import Expected, Link
from drivers.pumps.new_era_text import rate_limits_ul_h
from drivers.reading import Rules
from simulator.devices import EMULATED
from simulator.devices.device import AnalyzerDevice, Device, PumpDevice

DEXTROSE_UM, INSULIN_UM = 26_590, 19_050
"""BD 60 mL and BD 20 mL syringes (pumps 2.5); different ones, so that swapped pumps are noticed."""

ADDRESSES: Mapping[Role, int] = {Role.DEXTROSE: 0, Role.INSULIN: 1}
SERIALS: Mapping[Role, str] = {Role.DEXTROSE: "8002-51740", Role.INSULIN: "8002-51741"}
"""Serial numbers of emulated pumps that tell one."""

PROOF = "emulated"
"""An emulated pump needs no bench sheet: nobody is connected to it."""

WALL_ZERO = datetime(2026, 1, 1, 8)
"""The wall clock of every emulated device at session time 0."""

LAG_MS = 75_000
"""From the draw to the result: a minute's measurement and a poll."""

PRINTED = r"GLU (?P<value>\d{1,4}\.\d) (?P<unit>\S{4,6}) #(?P<id>\d{1,8})"
"""What the emulated line printer prints."""

SETTINGS: Mapping[str, Mapping[str, Option]] = {
    "line": {"pattern": PRINTED, "end": "CRLF", "learned": form_of(Rules(), PRINTED, "CRLF").fingerprint},
    "biosen": {"glucose_channel": "001", "other_channels": "002"},
}
"""What a link must be told of its emulated device, by driver."""


RATE_UL_H_MAX: Mapping[str, int] = {"graseby-3400": 1_200_000}
"""The largest syringe's highest rate, where a pump cannot tell its own."""

WATCHDOG_S: Mapping[str, int] = {"graseby-3400": 10}
"""A stop on silence that only a bench sheet could prove: the emulated pump is set so."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which devices stand at the bed, by driver."""

    dextrose: str = "new-era"
    insulin: str = "new-era"
    analyzer: str = "ysi-2700"


USUAL = Choice()
"""Two New Era pumps and a YSI."""


@dataclass(frozen=True, slots=True)
class Furniture:
    """Everything at the bed but the subject."""

    station: Station
    links: Mapping[Role, Link]
    dextrose: PumpDevice
    insulin: PumpDevice
    analyzer: AnalyzerDevice

    @property
    def devices(self) -> Mapping[Role, Device]:
        """The emulated devices; insulin first, as its stop matters most."""
        return {Role.INSULIN: self.insulin, Role.DEXTROSE: self.dextrose, Role.ANALYZER: self.analyzer}


def furniture(choice: Choice) -> Furniture:
    """The devices of a choice. Refused where a device is not emulated or cannot take its role."""
    pumps = {Role.DEXTROSE: choice.dextrose, Role.INSULIN: choice.insulin}
    for name, drivers in ((choice.analyzer, ANALYZERS), *((pump, PUMPS) for pump in pumps.values())):
        if name not in drivers or name not in EMULATED:
            known = ", ".join(driver for driver in drivers if driver in EMULATED)
            raise Refusal("device", f"There is no emulated device {name!r} for this; known are {known}.")
    setups = {role: _setup(name, role) for role, name in pumps.items()}
    links: dict[Role, Link] = {role: _pump_link(setup) for role, setup in setups.items()}
    settings = SETTINGS.get(choice.analyzer, {})
    links[Role.ANALYZER] = analyzer_link(choice.analyzer, Rules(), WALL_ZERO, settings)
    title = ANALYZERS[choice.analyzer].title
    return Furniture(
        station=Station(
            name="bench",
            dextrose_pump=setups[Role.DEXTROSE],
            insulin_pump=setups[Role.INSULIN],
            analyzer=AnalyzerSetup(choice.analyzer, title, "plasma", LAG_MS),
        ),
        links=links,
        dextrose=cast(PumpDevice, _emulated(choice.dextrose, Role.DEXTROSE)),
        insulin=cast(PumpDevice, _emulated(choice.insulin, Role.INSULIN)),
        analyzer=cast(AnalyzerDevice, _emulated(choice.analyzer, Role.ANALYZER)),
    )


def spare(choice: Choice, role: Role) -> Device:
    """One more of the device in a role, to try a fault on."""
    name = {Role.DEXTROSE: choice.dextrose, Role.INSULIN: choice.insulin, Role.ANALYZER: choice.analyzer}
    return _emulated(name[role], role)


def _diameter_um(role: Role) -> int:
    return DEXTROSE_UM if role is Role.DEXTROSE else INSULIN_UM


def _setup(driver: str, role: Role) -> PumpSetup:
    entry = PUMPS[driver]
    able = entry.capabilities
    lowest, highest = able.rate_ul_h_min, RATE_UL_H_MAX.get(driver, able.rate_ul_h_max)
    watchdog_s = WATCHDOG_S.get(driver, able.watchdog_s) if role is Role.INSULIN else None
    if driver == "new-era":
        lowest, highest = rate_limits_ul_h(_diameter_um(role))
    return PumpSetup(
        role=role,
        driver=driver,
        model="NE-1000" if driver == "new-era" else entry.title,
        address=ADDRESSES[role] if "address" in entry.told_by else 0,
        diameter_um=_diameter_um(role) if able.has_syringe else None,
        rate_ul_h_min=lowest,
        rate_ul_h_max=highest,
        rate_steps=tuple(RateStep(below, step) for below, step in able.rate_steps),
        watchdog_s=watchdog_s,
        counter_quantum_ul=able.counter_quantum_ul,
        serial=SERIALS[role] if "serial_number" in entry.told_by else "",
        proof=PROOF,
    )


def _pump_link(setup: PumpSetup) -> Link:
    expected = Expected(
        setup.role,
        PUMPS[setup.driver].own_name(setup.model),
        setup.serial,
        setup.address,
        setup.diameter_um,
        setup.watchdog_s,
    )
    try:
        return pump_link(setup.driver, expected, setup.rate_ul_h_max, SETTINGS.get(setup.driver, {}))
    except ValueError as error:
        raise Refusal("device", f"{setup.driver} cannot be the {setup.role.value} pump: {error}.") from None


def _emulated(driver: str, role: Role) -> Device:
    """The device with what tells it from the other pump, as far as its settings know that."""
    entry = EMULATED[driver]
    wanted: dict[str, Any] = {"start": WALL_ZERO}
    if role is not Role.ANALYZER:
        wanted |= {"address": ADDRESSES[role], "diameter_um": _diameter_um(role), "serial": SERIALS[role]}
    if role is Role.INSULIN and driver in WATCHDOG_S:
        wanted["stops_after_s"] = WATCHDOG_S[driver]
    known = {field.name for field in dataclasses.fields(entry.settings)}
    return entry.make(entry.settings(**{name: value for name, value in wanted.items() if name in known}))
