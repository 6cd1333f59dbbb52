"""Which code serves which device, and what a session is started from."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from clampctl.cli.options import host_and_port
from clampctl.cli.settings import Declared, fitting, of_link
from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from clampctl.core.station import MANUAL_PUMP, AnalyzerSetup, PumpSetup, RateStep, Station
from clampctl.study.station_document import PortSetup, PumpDefaults, StationDocument
from drivers.capabilities import RIGHT_ON_SILENCE, OnSilence
from drivers.catalog import ANALYZERS, PUMPS, Line, Option, PumpEntry, analyzer_link, pump_link
from drivers.link import Expected, Link
from drivers.reading import Rules

if TYPE_CHECKING:
    from clampctl.engine.ports import Wire

MANUAL_ANALYZER = "manual-analyzer"
RULES: Mapping[str, type] = {"comma": bool, "unit": str, "sample_prefix": str}
"""Settings of an analyzer that are about its numbers, whatever its driver."""


def pump_defaults() -> Mapping[str, PumpDefaults]:
    """What each pump driver knows of its pump, for documents that do not say."""
    return {name: _defaults(entry) for name, entry in PUMPS.items()}


def _defaults(entry: PumpEntry) -> PumpDefaults:
    able = entry.capabilities
    return PumpDefaults(
        rate_ul_h_min=able.rate_ul_h_min,
        rate_ul_h_max=able.rate_ul_h_max,
        rate_steps=tuple(RateStep(below, step) for below, step in able.rate_steps),
        watchdog_s=able.watchdog_s,
        counter_quantum_ul=able.counter_quantum_ul,
        has_syringe=able.has_syringe,
        watchdog_by_proof=able.on_silence[Role.INSULIN] is OnSilence.UNPROVEN,
        told_by=entry.told_by,
    )


def proven(document: StationDocument) -> StationDocument:
    """The station with the proof of each pump that has a signed bench sheet (pumps 10.1, SR-32).

    Refused: a sheet that is not of this pump, a pump that does the wrong thing on silence in its
    role, one of which nobody knows and no sheet tells.
    """
    station = document.station
    return replace(
        document,
        station=replace(
            station,
            dextrose_pump=_proven_pump(station.dextrose_pump, document),
            insulin_pump=_proven_pump(station.insulin_pump, document),
        ),
    )


def _proven_pump(setup: PumpSetup, document: StationDocument) -> PumpSetup:
    from clampctl.cli.bench_sheet import read_signed
    from clampctl.study.bench_sheet import covers

    path = document.bench_sheets.get(setup.role)
    if path is None:
        if not setup.by_hand:
            _require_right_on_silence(setup)
        return setup
    sheet = read_signed(path, document.bench_key)
    model = PUMPS[setup.driver].own_name(setup.model)
    sentence = covers(
        sheet, setup.driver, setup.role, model, setup.serial, setup.diameter_um, setup.watchdog_s
    )
    if sentence is not None:
        raise Refusal("bench_sheet", sentence)
    return replace(setup, proof=f"bench sheet {path.name} of {sheet.date_utc}, {sheet.initials}")


def _require_right_on_silence(setup: PumpSetup) -> None:
    on_silence = PUMPS[setup.driver].capabilities.on_silence[setup.role]
    if on_silence is RIGHT_ON_SILENCE[setup.role]:
        return
    role, right = setup.role.value, RIGHT_ON_SILENCE[setup.role].value
    known = f"{setup.driver} {on_silence.value}."
    if on_silence is OnSilence.UNPROVEN:
        known = (
            f"of {setup.driver} nobody knows until its bench_sheet proves it (docs/devices/bench-sheet.md)."
        )
    raise Refusal(
        f"{role}_pump",
        f"The {role} pump must be one that {right} when the computer falls silent; {known}",
    )


def read_only_pump(options: Namespace, settings: Mapping[str, Option]) -> Link:
    """A pump's link that only asks, as `clampctl probe` wants it; the role does not matter then."""
    expected = replace(_probed(options, Role.DEXTROSE), read_only=True)
    highest = PUMPS[options.driver].capabilities.rate_ul_h_max
    return _pump_link(options.driver, expected, highest, settings, f"The {options.driver} pump")


def bench_pump(options: Namespace, role: Role, settings: Mapping[str, Option]) -> Link:
    """A pump's link that is proved at the bench in its role: it sets up and moves the pump."""
    able = PUMPS[options.driver].capabilities
    watchdog_s = (options.watchdog_s or able.watchdog_s) if role is Role.INSULIN else None
    expected = replace(_probed(options, role), watchdog_s=watchdog_s)
    return _pump_link(options.driver, expected, able.rate_ul_h_max, settings, f"The {options.driver} pump")


def _probed(options: Namespace, role: Role) -> Expected:
    return Expected(
        role,
        serial=options.serial_number or "",
        address=options.address or 0,
        diameter_um=None if options.diameter_mm is None else round(options.diameter_mm * 1000),
    )


def pump_link_of(setup: PumpSetup, settings: Mapping[str, Option], read_only: bool = False) -> Link:
    """The link for a pump of the station."""
    expected = Expected(
        setup.role,
        PUMPS[setup.driver].own_name(setup.model),
        setup.serial if "serial_number" in PUMPS[setup.driver].told_by else "",
        setup.address,
        setup.diameter_um,
        setup.watchdog_s,
        read_only,
    )
    what = f"The {setup.role.value} pump"
    return _pump_link(setup.driver, expected, setup.rate_ul_h_max, settings, what)


def _pump_link(
    driver: str, expected: Expected, rate_ul_h_max: int, settings: Mapping[str, Option], what: str
) -> Link:
    try:
        return pump_link(driver, expected, rate_ul_h_max, fitting(settings_declared(driver), settings))
    except ValueError as error:
        raise Refusal("options", f"{what} cannot be set up: {_sentence(error)}") from None


def settings_declared(driver: str) -> Declared:
    """The settings that a driver takes. Refused where there is no such driver."""
    if driver in PUMPS:
        return of_link(driver, PUMPS[driver].factory)
    line_of(driver)
    return of_link(driver, ANALYZERS[driver].factory, RULES)


def _sentence(error: ValueError) -> str:
    """A link's own words, ended once."""
    return f"{str(error).removesuffix('.')}."


def analyzer_link_of(
    setup: AnalyzerSetup, settings: Mapping[str, Option], wall_zero: datetime | None
) -> Link | None:
    """The link for the station's analyzer; None for one that is keyed by hand."""
    if setup.driver not in ANALYZERS:
        names = ", ".join(ANALYZERS)
        raise Refusal("driver", f"There is no analyzer driver {setup.driver!r}; known are {names}.")
    found = fitting(settings_declared(setup.driver), settings)
    if setup.driver == MANUAL_ANALYZER:
        return None
    own = {name: value for name, value in found.items() if name not in RULES}
    rules = rules_of(settings, setup.plasma_by_program)
    try:
        return analyzer_link(setup.driver, rules, wall_zero, own)
    except ValueError as error:
        raise Refusal("options", f"The analyzer cannot be set up: {_sentence(error)}") from None


def rules_of(settings: Mapping[str, Option], from_whole_blood: bool) -> Rules:
    """How this analyzer writes its numbers, as its settings say."""
    return Rules(
        comma=settings.get("comma", False) is True,
        unit=_unit(settings),
        from_whole_blood=from_whole_blood,
        sample_prefix=str(settings.get("sample_prefix", "")),
    )


def _unit(settings: Mapping[str, Option]) -> str:
    wanted = str(settings.get("unit", ""))
    if wanted not in ("", "mg/dL", "mmol/L"):
        raise Refusal("unit", f"The analyzer's unit is {wanted!r}; write mg/dL or mmol/L.")
    return wanted


def links(
    station: Station, ports: Mapping[Role, PortSetup], wall_zero: datetime | None = None
) -> dict[Role, Link]:
    """Every link of a station that has a wire or a person behind it; the ports' names are looked at too."""
    for port in ports.values():
        if port.port is not None:
            opener_of(port.port, 1 if port.baud is None else port.baud, "8N1")
    found: dict[Role, Link] = {
        Role.DEXTROSE: pump_link_of(station.dextrose_pump, ports[Role.DEXTROSE].options),
        Role.INSULIN: pump_link_of(station.insulin_pump, ports[Role.INSULIN].options),
    }
    analyzer = analyzer_link_of(station.analyzer, ports[Role.ANALYZER].options, wall_zero)
    if analyzer is not None:
        found[Role.ANALYZER] = analyzer
    return found


def opener_of(address: str, baud: int, frame: str) -> "Callable[[], Wire]":
    """How a port is opened: by pyserial, or by waiting for the device's call. Opens nothing yet.

    Refused where the address is none, before a thread tries it for ever.
    """
    from clampctl.engine.adapters import USB
    from clampctl.engine.ports import open_serial

    if not address or address == USB:
        raise Refusal("port", f"port is {address!r}; write its name, such as COM5, or usb:SERIALNUMBER.")
    if baud < 1:
        raise Refusal("baud", f"baud is {baud}; expected 1 or more.")
    kind, _, place = address.partition("://")
    if kind in ("tcp", "socket", "tcp-listen"):
        called = host_and_port(place)
        if called is None:
            raise Refusal("port", f"port is {address!r}; write {kind}://HOST:PORT.")
        if kind == "tcp-listen":
            from clampctl.engine.listening import open_listening

            return partial(open_listening, *called)
    return partial(open_serial, address.replace("tcp://", "socket://", 1), baud, frame=frame)


def line_of(driver: str) -> Line:
    """The serial line that a device is shipped with."""
    entry = PUMPS.get(driver) or ANALYZERS.get(driver)
    if entry is None:
        raise Refusal("driver", f"There is no driver {driver!r}; `clampctl devices` lists them.")
    return entry.line


def paper_station() -> Station:
    """A station for advice: pumps that can give any sensible rate in steps of 0.01 mL/h."""
    steps = (RateStep(10_000_000, 10),)

    def pump(role: Role) -> PumpSetup:
        proof = "no pump is driven"
        return PumpSetup(role, MANUAL_PUMP, "by hand", 0, None, 10, 1_200_000, steps, None, None, proof=proof)

    return Station(
        name="advice",
        dextrose_pump=pump(Role.DEXTROSE),
        insulin_pump=pump(Role.INSULIN),
        analyzer=AnalyzerSetup(MANUAL_ANALYZER, "by hand", "plasma", 0),
    )
