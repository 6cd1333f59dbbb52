"""`clampctl emulate`: one emulated device on a pseudo-terminal or a TCP port."""

import argparse
import signal
import threading
import typing
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any, cast

from clampctl.cli.options import number, whole
from clampctl.cli.output import print_json
from clampctl.core.protocol import Refusal

SAMPLE_EVERY_S = 300.0


def add_to(commands: Any) -> None:
    """The command."""
    emulate = commands.add_parser("emulate", help="one emulated device on a pseudo-terminal or TCP port")
    emulate.add_argument("device", help="a name that `clampctl devices` lists")
    where = emulate.add_mutually_exclusive_group(required=True)
    where.add_argument("--pty", action="store_true")
    where.add_argument("--tcp", type=whole(0, 65_535), metavar="PORT", help="0 takes any free port")
    where.add_argument("--connect", metavar="HOST:PORT", help="call the host, as a POCT1-A device does")
    emulate.add_argument("--fault", action="append", default=[])
    emulate.add_argument("--address", type=whole(0, 99), help="of a pump")
    emulate.add_argument("--diameter-mm", type=number(0.1, 80.0), help="of a pump's syringe")
    emulate.add_argument(
        "--setting", action="append", default=[], metavar="NAME=VALUE", help="a setting of this device"
    )
    emulate.add_argument(
        "--glucose", type=number(0.0, 1000.0), metavar="MG_DL", help="analyzers: such samples are given"
    )
    emulate.add_argument(
        "--every", type=number(1.0, 86_400.0), default=SAMPLE_EVERY_S, metavar="SECONDS",
        help="how often, with --glucose",
    )  # fmt: skip
    emulate.add_argument("--split", action="store_true", help="cut every byte stream into 1 to 7 bytes")
    emulate.set_defaults(run=run_emulate)


def run_emulate(options: argparse.Namespace) -> int:
    """Serve until told to stop; then say how much was sent and heard."""
    from clampctl.engine.clock import SessionClock
    from simulator.counting import Counting
    from simulator.devices.device import AnalyzerDevice
    from simulator.devices.fault import fault
    from simulator.transport import serve

    device = emulated(options)
    try:
        for text in options.fault:
            device.inject(fault(text), 0)
    except ValueError as error:
        raise Refusal("fault", str(error)) from None
    samples = 0
    each_turn = None
    if options.glucose is not None:
        if not hasattr(device, "place_sample"):
            raise Refusal("glucose", f"{options.device} is no analyzer; it takes no samples.")
        analyzer = cast(AnalyzerDevice, device)

        def give(at_ms: int) -> None:
            nonlocal samples
            samples += 1
            analyzer.place_sample(options.glucose, at_ms)

        each_turn = _every(round(options.every * 1000), give)
    stop = threading.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: stop.set())
    transport = Counting(_transport(options), options.split)
    print_json({"device": options.device, "address": transport.address})
    serve(device, transport, SessionClock().now_ms, stop, each_turn)
    print_json({"sent_bytes": transport.sent, "heard_bytes": transport.heard, "samples": samples})
    return 0


def emulated(options: argparse.Namespace) -> Any:
    """The device with the settings of the command line. Refused with one sentence."""
    from simulator.devices import ALIASES, EMULATED

    entry = EMULATED.get(ALIASES.get(options.device, options.device))
    if entry is None:
        names = ", ".join(EMULATED)
        raise Refusal("device", f"There is no emulated device {options.device!r}; known are {names}.")
    given: dict[str, Any] = {}
    hints = typing.get_type_hints(entry.settings)
    if "start" in hints:
        given["start"] = datetime.now()
    if options.address is not None:
        given["address"] = _fits(options.device, hints, "address", str(options.address))
    if options.diameter_mm is not None:
        given["diameter_um"] = _fits(
            options.device, hints, "diameter_um", str(round(options.diameter_mm * 1000))
        )
    for text in options.setting:
        name, _, value = text.partition("=")
        given[name] = _fits(options.device, hints, name, value)
    try:
        return entry.make(entry.settings(**given))
    except ValueError as error:
        raise Refusal("setting", f"{options.device} cannot be so: {error}.") from None


def _fits(device: str, hints: dict[str, Any], name: str, value: str) -> Any:
    """The text of a setting as the type that the device's own settings give it."""
    if name not in hints:
        raise Refusal("setting", f"{device} has no setting {name!r}; it has {', '.join(hints)}.")
    kinds = typing.get_args(hints[name]) or (hints[name],)
    for kind in kinds:
        try:
            if kind is bool:
                return {"true": True, "false": False}[value]
            if kind in (int, float, str) or (isinstance(kind, type) and issubclass(kind, Enum)):
                return kind(value)
        except (ValueError, KeyError):
            continue
    raise Refusal("setting", f"{name} of {device} cannot be {value!r}.")


def _transport(options: argparse.Namespace) -> Any:
    from simulator.transport import Caller, PseudoTerminal, TcpPort

    if options.pty:
        return PseudoTerminal()
    if options.connect is not None:
        return Caller(options.connect)
    return TcpPort(options.tcp)


def _every(interval_ms: int, act: Callable[[int], None]) -> Callable[[int], None]:
    """A function that acts when called, at most once an interval."""
    due_ms = 0

    def turn(at_ms: int) -> None:
        nonlocal due_ms
        if at_ms >= due_ms:
            due_ms = at_ms + interval_ms
            act(at_ms)

    return turn
