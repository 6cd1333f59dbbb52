"""The station's document: which device plays which role, on which port, for which study.

The core's `Station` keeps what decisions depend on; ports, cables and driver options are beside it.
What a driver knows of its pump comes in as `PumpDefaults`; the document may say otherwise.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clampctl.core.commands import Role
from clampctl.core.protocol import Protocol, Refusal
from clampctl.core.station import AnalyzerSetup, PumpSetup, RateStep, Station
from clampctl.core.subject import Subject
from clampctl.study.document import Table, mapping, text, whole, yes_or_no
from clampctl.study.quantities import diameter_um, duration_ms, duration_s, rate_ul_h, volume_ul

KEYS = (
    "name",
    "protocol",
    "session_directory",
    "subject",
    "dextrose_pump",
    "insulin_pump",
    "analyzer",
    "bench_key",
)
_PORT_KEYS = ("driver", "model", "port", "baud", "frame", "options")
_MARKS = ("serial_number", "address", "syringe_diameter")
"""What a pump can be told by, as the document calls it."""
PUMP_KEYS = (
    *_PORT_KEYS, "address", "syringe_diameter",
    "rate_min", "rate_max", "rate_steps", "watchdog", "counter_step", "serial_number", "bench_sheet",
)  # fmt: skip
ANALYZER_KEYS = (*_PORT_KEYS, "matrix", "lag", "plasma_by_program")
MANUAL = ("manual-pump", "manual-analyzer")
_FRAME = re.compile(r"[78][NEO][12]")

Option = str | int | float | bool


@dataclass(frozen=True, slots=True)
class PumpDefaults:
    """What a pump driver knows of its pump: range and steps of the rate in µL/h, watchdog, counter.

    `watchdog_s` is what the pump can do; it is set for insulin and left off for dextrose. `told_by`
    are the marks of `_MARKS` that the pump tells over its wire, so that swapped pumps are noticed.
    `watchdog_by_proof`: nobody knows whether it stops on silence, so a bench sheet may say when.
    """

    rate_ul_h_min: int
    rate_ul_h_max: int
    rate_steps: tuple[RateStep, ...]
    watchdog_s: int | None
    counter_quantum_ul: int | None
    has_syringe: bool = True
    told_by: tuple[str, ...] = _MARKS
    watchdog_by_proof: bool = False


@dataclass(frozen=True, slots=True)
class PortSetup:
    """Where a device is connected: "COM5", "/dev/ttyUSB0", "usb:SERIAL" (an adapter by its serial
    number), "tcp://host:port" or "tcp-listen://host:port" (the device connects); None for a manual one.

    `frame` is data bits, parity and stop bits, such as "8N1"; None leaves it to the driver, as does
    `baud`. `options` go to the driver as they are.
    """

    port: str | None
    baud: int | None
    frame: str | None
    options: Mapping[str, Option]


@dataclass(frozen=True, slots=True)
class StationDocument:
    """Everything one session at one bedside starts from; protocol and subject may be chosen later.

    `bench_sheets` are the signed results of the pumps' tests, `bench_key` the public key of the unit
    that signed them.
    """

    station: Station
    ports: Mapping[Role, PortSetup]
    protocol: Protocol | None
    subject: Subject | None
    session_directory: Path
    bench_sheets: Mapping[Role, Path] = field(default_factory=dict)
    bench_key: str = ""


def read_devices(
    entries: Mapping[str, object], pump_defaults: Mapping[str, PumpDefaults]
) -> tuple[Station, dict[Role, PortSetup]]:
    """The devices of a station's document and their ports; no two devices may share a port."""
    table = Table(entries, "", KEYS)
    dextrose = table.table("dextrose_pump", PUMP_KEYS)
    insulin = table.table("insulin_pump", PUMP_KEYS)
    analyzer = table.table("analyzer", ANALYZER_KEYS)
    station = Station(
        name=table.read("name", text),
        dextrose_pump=_pump(dextrose, Role.DEXTROSE, pump_defaults),
        insulin_pump=_pump(insulin, Role.INSULIN, pump_defaults),
        analyzer=_analyzer(analyzer),
    )
    ports = {Role.DEXTROSE: _port(dextrose), Role.INSULIN: _port(insulin), Role.ANALYZER: _port(analyzer)}
    _refuse_shared(ports)
    _refuse_twins(station, pump_defaults)
    return station, ports


def read_bench_sheets(entries: Mapping[str, object], folder: Path) -> tuple[dict[Role, Path], str]:
    """The paths of the pumps' bench sheets, from where the document stands, and the unit's key."""
    table = Table(entries, "", KEYS)
    sheets = {}
    for role, name in ((Role.DEXTROSE, "dextrose_pump"), (Role.INSULIN, "insulin_pump")):
        path = table.table(name, PUMP_KEYS).read_or("bench_sheet", text, None)
        if path is not None:
            sheets[role] = folder / path
    key = table.read_or("bench_key", text, "")
    if sheets and not key:
        raise Refusal("bench_key", "A bench sheet needs bench_key, the public key of who signed it.")
    return sheets, key


def _pump(table: Table, role: Role, pump_defaults: Mapping[str, PumpDefaults]) -> PumpSetup:
    driver = table.read("driver", text)
    if driver not in pump_defaults:
        names = ", ".join(sorted(pump_defaults))
        field = table.field("driver")
        raise Refusal(field, f'{field} is "{driver}"; known pump drivers are {names}.')
    known = pump_defaults[driver]
    lowest = table.read_or("rate_min", rate_ul_h, known.rate_ul_h_min)
    highest = table.read_or("rate_max", rate_ul_h, known.rate_ul_h_max)
    if not lowest < highest:
        raise Refusal(table.field("rate_max"), f"{table.field('rate_max')} must be above rate_min.")
    return PumpSetup(
        role=role,
        driver=driver,
        model=table.read_or("model", text, driver),
        address=table.read_or("address", whole, 0),
        diameter_um=table.read("syringe_diameter", diameter_um) if known.has_syringe else None,
        rate_ul_h_min=lowest,
        rate_ul_h_max=highest,
        rate_steps=_rate_steps(table) or known.rate_steps,
        watchdog_s=_watchdog_s(table, role, known),
        counter_quantum_ul=table.read_or("counter_step", volume_ul, known.counter_quantum_ul),
        serial=table.read_or("serial_number", text, ""),
    )


def _watchdog_s(table: Table, role: Role, known: PumpDefaults) -> int | None:
    """The pump's own stop on silence: no document can give it to a pump that has none."""
    if "watchdog" in table and known.watchdog_s is None and not known.watchdog_by_proof:
        field = table.field("watchdog")
        raise Refusal(field, f"{field} is set, but this pump cannot stop by itself on silence.")
    return table.read_or("watchdog", duration_s, known.watchdog_s if role is Role.INSULIN else None)


def _rate_steps(table: Table) -> tuple[RateStep, ...]:
    """Rising bands of the pump's rate, each with its step; a step of 0 is refused."""
    steps = []
    below = 0
    for entry in table.tables("rate_steps", "rate step", ("below", "step")):
        step = RateStep(entry.read("below", rate_ul_h), entry.read("step", rate_ul_h))
        if step.step_ul_h < 1:
            raise Refusal(entry.field("step"), f"{entry.field('step')} must be at least 0.001 mL/h.")
        if step.below_ul_h <= below:
            raise Refusal(entry.field("below"), f"{entry.field('below')} must be above the one before.")
        below = step.below_ul_h
        steps.append(step)
    return tuple(steps)


def _analyzer(table: Table) -> AnalyzerSetup:
    driver = table.read("driver", text)
    return AnalyzerSetup(
        driver=driver,
        model=table.read_or("model", text, driver),
        matrix=table.read("matrix", text),
        lag_ms=table.read("lag", duration_ms),
        plasma_by_program=table.read_or("plasma_by_program", yes_or_no, False),
    )


def _port(table: Table) -> PortSetup:
    driver = table.read("driver", text)
    nothing: Mapping[str, object] = {}
    return PortSetup(
        port=table.read_or("port", text, None) if driver in MANUAL else table.read("port", text),
        baud=table.read_or("baud", whole, None),
        frame=table.read_or("frame", _frame, None),
        options={
            key: _option(value, f"{table.field('options')} {key}")
            for key, value in table.read_or("options", mapping, nothing).items()
        },
    )


def _frame(value: object, field: str) -> str:
    if isinstance(value, str) and _FRAME.fullmatch(value):
        return value
    raise Refusal(field, f'{field} is "{value}"; write for example "8N1" or "7E1".')


def _option(value: object, field: str) -> Option:
    if isinstance(value, str | int | float | bool):
        return value
    raise Refusal(field, f"{field} must be a text, a number, true or false.")


def _refuse_shared(ports: Mapping[Role, PortSetup]) -> None:
    """Each device needs a port of its own: two port threads on one wire would mix their replies."""
    seen: dict[str, Role] = {}
    for role, setup in ports.items():
        if setup.port is None:
            continue
        if setup.port in seen:
            raise Refusal(
                "port",
                f'The {seen[setup.port].value} and the {role.value} device both name port "{setup.port}"; '
                "each device needs its own.",
            )
        seen[setup.port] = role


def _refuse_twins(station: Station, pump_defaults: Mapping[str, PumpDefaults]) -> None:
    """Two pumps of one kind must differ in something both tell, or swapped cables go unnoticed."""
    dextrose, insulin = station.dextrose_pump, station.insulin_pump
    if dextrose.by_hand or insulin.by_hand or dextrose.driver != insulin.driver:
        return
    told_by = pump_defaults[dextrose.driver].told_by
    marks = {
        "serial_number": dextrose.serial != insulin.serial and bool(dextrose.serial and insulin.serial),
        "address": dextrose.address != insulin.address,
        "syringe_diameter": dextrose.diameter_um != insulin.diameter_um,
    }
    if any(marks[name] for name in told_by):
        return
    differ = " or ".join(name.replace("_", " ") for name in told_by)
    advice = f"give them a different {differ}" if told_by else "use another pump for one of them"
    raise Refusal("insulin_pump", f"The two pumps could be swapped without anyone noticing; {advice}.")
