"""`clampctl probe` and `clampctl devices`: one device looked at, and all that there are."""

import argparse
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from clampctl.cli.options import number, whole
from clampctl.cli.output import print_json, say, warn
from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal

USUAL_DIAMETER_MM = 26.59
"""A BD 60 mL syringe (pumps 2.5)."""


def add_to(commands: Any) -> None:
    """The commands of this room."""
    probe = commands.add_parser("probe", help="connect to one device read-only, print what it says")
    probe.add_argument("driver", help="a name that `clampctl devices` lists")
    where = probe.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", metavar="NAME")
    where.add_argument("--tcp", metavar="HOST:PORT")
    where.add_argument("--listen", metavar="HOST:PORT", help="the device calls this computer")
    probe.add_argument("--baud", type=whole(1, 4_000_000), help="else as the device is shipped")
    probe.add_argument("--frame", metavar="8N1", help="else as the device is shipped")
    probe.add_argument("--address", type=whole(0, 99), default=0)
    probe.add_argument("--diameter-mm", type=number(0.1, 80.0), default=USUAL_DIAMETER_MM)
    probe.add_argument("--serial-number", default="", help="that the pump should have")
    probe.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    probe.add_argument("--seconds", type=number(0.0), default=10.0)
    probe.add_argument("--json", action="store_true")
    probe.add_argument(
        "--learn", type=Path, metavar="FILE", help="line: compare three lines with the display"
    )
    probe.add_argument(
        "--bench-sheet", type=Path, metavar="FILE", help="prove a pump, write the signed result"
    )
    probe.add_argument("--role", choices=("insulin", "dextrose"), help="with --bench-sheet")
    probe.add_argument("--watchdog-s", type=whole(1, 255), help="with --bench-sheet: the stop to prove")
    probe.add_argument("--key", type=Path, help="with --bench-sheet: the unit's key, else this user's own")
    probe.set_defaults(run=run_probe)

    devices = commands.add_parser("devices", help="ports and drivers, with how well each is known")
    devices.add_argument("--json", action="store_true")
    devices.set_defaults(run=run_devices)


def run_probe(options: argparse.Namespace) -> int:
    """What one device says, as JSON lines; the last line counts bytes and events."""
    from clampctl.core.codec import plain

    if options.bench_sheet is not None:
        return _bench_sheet(options)
    if options.learn is not None:
        return _learn(options)
    kinds: Counter[str] = Counter()
    tally = {"sent_bytes": 0, "heard_bytes": 0}

    def tapped(_role: Role, data: bytes, received: bool, _at_ms: int) -> None:
        tally["heard_bytes" if received else "sent_bytes"] += len(data)

    for event in heard(options, tapped):
        row = plain(event)
        kinds[row["type"]] += 1
        print_json(row)
    print_json({"type": "Probed", **tally, "events": dict(sorted(kinds.items()))})
    if not kinds.total() - kinds["LinkLost"]:
        warn(f"nothing was heard in {options.seconds:g} s.")
        return 1
    return 0


def _learn(options: argparse.Namespace) -> int:
    from clampctl.cli.learn import run
    from clampctl.cli.wiring import rules_of

    if options.driver != "line":
        raise Refusal("driver", f"{options.driver!r} has nothing to learn; only the line driver does.")
    settings = _settings(options.setting)
    return run(options, rules_of(settings, from_whole_blood=False), settings, opener(options))


def _bench_sheet(options: argparse.Namespace) -> int:
    from clampctl.cli.bench_sheet import run
    from clampctl.cli.wiring import bench_pump
    from clampctl.core.station import MANUAL_PUMP
    from drivers.catalog import PUMPS

    if options.driver not in PUMPS or options.driver == MANUAL_PUMP:
        raise Refusal("driver", f"{options.driver!r} is no pump with a wire; nothing can be proved of it.")
    if options.role is None:
        raise Refusal("role", "A bench sheet needs --role insulin or --role dextrose.")
    able = PUMPS[options.driver].capabilities
    if not able.has_syringe:
        options.diameter_mm = None
    link = bench_pump(options, Role(options.role), _settings(options.setting))
    if options.watchdog_s is not None:
        able = replace(able, watchdog_s=options.watchdog_s)
    return run(options, link, opener(options), able)


def heard(options: argparse.Namespace, tapped: Callable[[Role, bytes, bool, int], None]) -> Iterator[object]:
    """The events of one device for a while; nothing but questions is written to it."""
    from clampctl.engine.clock import SessionClock
    from clampctl.engine.ports import Port, Surroundings

    clock, stop = SessionClock(), threading.Event()
    events: list[object] = []

    def emit(event: object) -> bool:
        events.append(event)
        return True

    role, link = probed_link(options, datetime.now() - timedelta(milliseconds=clock.now_ms()))
    around = Surroundings(clock.now_ms, emit, tapped, clock.now_ms, stop)
    port = Port(role, link, opener(options), around, 0)
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


def probed_link(options: argparse.Namespace, wall_zero: datetime) -> tuple[Role, Any]:
    """The link that only asks, and the role it takes for that."""
    from clampctl.cli.wiring import MANUAL_ANALYZER, analyzer_link_of, line_of, read_only_pump
    from clampctl.core.station import MANUAL_PUMP, AnalyzerSetup
    from drivers.catalog import PUMPS

    if options.driver in (MANUAL_ANALYZER, MANUAL_PUMP):
        raise Refusal("driver", f"There is nothing to probe on {options.driver!r}.")
    line_of(options.driver)
    settings = _settings(options.setting)
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


def _settings(texts: list[str]) -> dict[str, str | int | float | bool]:
    """NAME=VALUE pairs; a value is true, false, a whole number, a number or else a text."""
    found: dict[str, str | int | float | bool] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise Refusal("setting", f"setting is {text!r}; write NAME=VALUE.")
        found[name] = _value(value)
    return found


def _value(text: str) -> str | int | float | bool:
    if text in ("true", "false"):
        return text == "true"
    if text.startswith("0") and text.isdecimal() and len(text) > 1:
        return text  # a code such as 001, not a number
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


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
