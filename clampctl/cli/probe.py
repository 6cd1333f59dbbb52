"""`clampctl probe` and `clampctl devices`: one device looked at, and all that there are."""

import argparse
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clampctl.cli.options import host_port, number, serial_frame, whole
from clampctl.cli.output import print_json, say, warn
from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal

if TYPE_CHECKING:
    from drivers.catalog import Option

USUAL_DIAMETER_MM = 26.59
"""A BD 60 mL syringe (pumps 2.5)."""


DESCRIPTION = """Connects to one device, asks who it is and what it does, and prints what it says as JSON
lines; the last line counts bytes and events. Nothing is set, started or stopped. Exit 1 when nothing was
heard. With --learn or --bench-sheet it leads a person through questions instead; --bench-sheet MOVES the
pump."""

BENCH_ONLY = ("role", "watchdog_s", "key")
PUMPS_ONLY = ("address", "diameter_mm", "serial_number", "bench_sheet", *BENCH_ONLY)


def add_to(commands: Any) -> None:
    """The commands of this room."""
    probe = commands.add_parser(
        "probe", help="connect to one device read-only, print what it says", description=DESCRIPTION
    )
    probe.add_argument("driver", help="a name that `clampctl devices` lists")
    where = probe.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--port", metavar="NAME", help="such as COM5, /dev/ttyUSB0, or usb:SERIALNUMBER of its adapter"
    )
    where.add_argument("--tcp", type=host_port, metavar="HOST:PORT", help="the device listens there")
    where.add_argument("--listen", type=host_port, metavar="HOST:PORT", help="the device calls us there")
    probe.add_argument("--baud", type=whole(1, 4_000_000), help="else as the device is shipped")
    probe.add_argument("--frame", type=serial_frame, metavar="8N1", help="else as the device is shipped")
    probe.add_argument("--address", type=whole(0, 99), help="that the pump should have; 0 unless given")
    probe.add_argument(
        "--diameter-mm", type=number(0.1, 80.0),
        help=f"of the syringe that should be in the pump; {USUAL_DIAMETER_MM:g} (BD 60 mL) unless given",
    )  # fmt: skip
    probe.add_argument("--serial-number", help="that the pump should have")
    probe.add_argument(
        "--setting", action="append", default=[], metavar="NAME=VALUE",
        help="as under options in a station; a wrong name lists all; may be repeated",
    )  # fmt: skip
    probe.add_argument(
        "--seconds", type=number(0.0), default=10.0, help="how long to listen; 10 unless given"
    )
    probe.add_argument("--json", action="store_true", help="changes nothing: the output is always JSON lines")
    guided = probe.add_mutually_exclusive_group()
    guided.add_argument(
        "--learn", type=Path, metavar="FILE",
        help="driver line: compare three lines with the display, write the station's settings to FILE",
    )  # fmt: skip
    guided.add_argument(
        "--bench-sheet", type=Path, metavar="FILE",
        help="prove a pump that nobody is connected to, write the signed sheet to FILE",
    )  # fmt: skip
    probe.add_argument("--role", choices=("insulin", "dextrose"), help="with --bench-sheet")
    probe.add_argument(
        "--watchdog-s", type=whole(1, 600), help="with --bench-sheet, for insulin: the stop to prove"
    )
    probe.add_argument("--key", type=Path, help="with --bench-sheet: the unit's key, else this user's own")
    probe.set_defaults(run=run_probe)

    devices = commands.add_parser("devices", help="ports and drivers, with how well each is known")
    devices.add_argument("--json", action="store_true")
    devices.set_defaults(run=run_devices)


def run_probe(options: argparse.Namespace) -> int:
    """What one device says, as JSON lines; the last line counts bytes and events."""
    from clampctl.core.codec import plain

    _require_fitting(options)
    if options.bench_sheet is not None:
        return _bench_sheet(options)
    if options.learn is not None:
        return _learn(options)
    kinds: Counter[str] = Counter()
    tally = {"sent_bytes": 0, "heard_bytes": 0}

    def tapped(_role: Role, data: bytes, received: bool, _at_ms: int) -> None:
        tally["heard_bytes" if received else "sent_bytes"] += len(data)

    lost = ""
    for event in heard(options, tapped):
        row = plain(event)
        kinds[row["type"]] += 1
        print_json(row)
        if row["type"] == "LinkLost":
            lost = f" ({row['detail']})"
        if row.get("mismatch"):
            warn(f"this is not the device that was expected: {row['mismatch']}.")
    print_json({"type": "Probed", **tally, "events": dict(sorted(kinds.items()))})
    if not kinds.total() - kinds["LinkLost"]:
        warn(f"nothing was heard in {options.seconds:g} s{lost}.")
        return 1
    return 0


def _require_fitting(options: argparse.Namespace) -> None:
    """Refuse options that the driver has no use for, rather than pass them over."""
    from clampctl.cli.wiring import MANUAL_ANALYZER, line_of
    from clampctl.core.station import MANUAL_PUMP
    from drivers.catalog import PUMPS

    if options.driver in (MANUAL_ANALYZER, MANUAL_PUMP):
        raise Refusal("driver", f"There is nothing to probe on {options.driver!r}: it has no wire.")
    line_of(options.driver)
    given = [name for name in PUMPS_ONLY if getattr(options, name) is not None]
    if options.driver not in PUMPS and given:
        raise Refusal("driver", f"{options.driver} is an analyzer; {_option(given[0])} is for pumps.")
    alone = [name for name in BENCH_ONLY if getattr(options, name) is not None]
    if options.bench_sheet is None and alone:
        raise Refusal("bench_sheet", f"{_option(alone[0])} goes with --bench-sheet.")
    if options.driver not in PUMPS:
        return
    has_syringe = PUMPS[options.driver].capabilities.has_syringe
    if options.diameter_mm is not None and not has_syringe:
        raise Refusal("diameter", f"{options.driver} tells no syringe diameter that could be compared.")
    if options.diameter_mm is None and has_syringe:
        options.diameter_mm = USUAL_DIAMETER_MM


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _learn(options: argparse.Namespace) -> int:
    from clampctl.cli.learn import run
    from clampctl.cli.settings import fitting
    from clampctl.cli.wiring import rules_of, settings_declared

    if options.driver != "line":
        raise Refusal("driver", f"{options.driver!r} has nothing to learn; only the line driver does.")
    settings = fitting(settings_declared(options.driver), _settings(options))
    return run(options, rules_of(settings, from_whole_blood=False), settings, opener(options))


def _bench_sheet(options: argparse.Namespace) -> int:
    from clampctl.cli.bench_sheet import run
    from clampctl.cli.wiring import bench_pump
    from drivers.catalog import PUMPS

    if options.role is None:
        raise Refusal("role", "A bench sheet needs --role insulin or --role dextrose.")
    role, able = Role(options.role), PUMPS[options.driver].capabilities
    if role is Role.DEXTROSE and options.watchdog_s is not None:
        raise Refusal("watchdog", "A dextrose pump must run on in silence; --watchdog-s is for insulin.")
    if role is Role.INSULIN and options.watchdog_s is None and able.watchdog_s is None:
        raise Refusal(
            "watchdog",
            f"{options.driver} has no stop of its own that is known; give --watchdog-s to prove one.",
        )
    link = bench_pump(options, role, _settings(options))
    if options.watchdog_s is not None:
        able = replace(able, watchdog_s=options.watchdog_s)
    return run(options, link, opener(options), able)


def heard(options: argparse.Namespace, tapped: Callable[[Role, bytes, bool, int], None]) -> Iterator[object]:
    """The events of one device for a while; nothing but questions is written to it."""
    from clampctl.engine.clock import SessionClock
    from clampctl.engine.ports import Port, Surroundings

    open_port = opener(options)
    settings = _settings(options)
    clock, stop = SessionClock(), threading.Event()
    events: list[object] = []

    def emit(event: object) -> bool:
        events.append(event)
        return True

    wall_zero = datetime.now() - timedelta(milliseconds=clock.now_ms())
    role, link = probed_link(options, settings, wall_zero)
    around = Surroundings(clock.now_ms, emit, tapped, clock.now_ms, stop)
    port = Port(role, link, open_port, around, 0)
    thread = threading.Thread(target=port.run, name="probe")
    thread.start()
    try:
        while clock.now_ms() < options.seconds * 1000:
            stop.wait(0.05)
            while events:
                yield events.pop(0)
    finally:
        stop.set()
        thread.join()
    yield from events


def probed_link(
    options: argparse.Namespace, settings: "Mapping[str, Option]", wall_zero: datetime
) -> tuple[Role, Any]:
    """The link that only asks, and the role it takes for that."""
    from clampctl.cli.wiring import analyzer_link_of, read_only_pump
    from clampctl.core.station import AnalyzerSetup
    from drivers.catalog import PUMPS

    if options.driver in PUMPS:
        return Role.DEXTROSE, read_only_pump(options, settings)
    setup = AnalyzerSetup(options.driver, options.driver, "plasma", 0)
    return Role.ANALYZER, analyzer_link_of(setup, settings, wall_zero)


def opener(options: argparse.Namespace) -> Callable[[], Any]:
    """How the device's port is opened."""
    from clampctl.cli.wiring import line_of, opener_of

    line = line_of(options.driver)
    address = options.port
    if address is None:
        address = f"tcp://{options.tcp}" if options.tcp is not None else f"tcp-listen://{options.listen}"
    return opener_of(address, options.baud or line.baud, options.frame or line.frame)


def _settings(options: argparse.Namespace) -> "dict[str, Option]":
    """The settings of the command line, each as the type that the driver wants."""
    from clampctl.cli.settings import from_texts
    from clampctl.cli.wiring import settings_declared

    return from_texts(settings_declared(options.driver), options.setting)


def run_devices(options: argparse.Namespace) -> int:
    """`clampctl devices`."""
    from serial.tools import list_ports

    from drivers.catalog import ANALYZERS, PUMPS

    ports = [
        {"port": port.device, "what": port.description, "serial_number": port.serial_number}
        for port in sorted(list_ports.comports(), key=lambda port: str(port.device))
    ]
    drivers = [_pump_row(name) for name in PUMPS] + [
        {
            "driver": name,
            "title": entry.title,
            "kind": "analyzer",
            "evidence": entry.evidence,
            "line": f"{entry.line.baud} {entry.line.frame}",
            "notes": entry.notes,
        }
        for name, entry in ANALYZERS.items()
    ]
    if options.json:
        print_json({"ports": ports, "drivers": drivers})
        return 0
    say("ports: none" if not ports else "ports:")
    for port in ports:
        say(f"  {port['port']}  {port['what']}")
    say("drivers:")
    for driver in drivers:
        say(f"  {driver['driver']}: {driver['title']}")
        say(f"      evidence: {driver['evidence']}")
        if "on_silence" in driver:
            say(f"      on silence: {driver['on_silence']}")
    return 0


def _pump_row(name: str) -> dict[str, Any]:
    from drivers.catalog import PUMPS

    entry = PUMPS[name]
    able = entry.capabilities
    return {
        "driver": name,
        "title": entry.title,
        "kind": "pump",
        "evidence": entry.evidence,
        "line": f"{entry.line.baud} {entry.line.frame}",
        "notes": entry.notes,
        "on_silence": entry.on_silence,
        "on_silence_by_role": {role.value: what.value for role, what in able.on_silence.items()},
        "watchdog": able.watchdog.value,
        "watchdog_s": able.watchdog_s,
        "rate_ul_h": [able.rate_ul_h_min, able.rate_ul_h_max],
        "rate_steps_ul_h": [list(step) for step in able.rate_steps],
        "units_locked_while_running": able.units_locked_while_running,
        "counter_quantum_ul": able.counter_quantum_ul,
        "keypad_lock": able.keypad_lock,
        "senses": list(able.senses),
        "told_by": list(entry.told_by),
        "medical_device": entry.medical_device,
    }
