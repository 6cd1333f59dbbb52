"""`clampctl emulate`: one emulated device on a pseudo-terminal or a TCP port."""

import argparse
import dataclasses
import signal
import sys
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

from clampctl.cli.options import host_port, number, whole
from clampctl.cli.output import print_json, warn
from clampctl.core.protocol import Refusal

if TYPE_CHECKING:
    from simulator.devices import Emulated
    from simulator.devices.fault import Fault
    from simulator.transport import Transport

    Timetable = list[tuple[int, Fault, bool]]

SAMPLE_EVERY_S = 300.0
REHEARSAL_MS = 600_000
"""Long enough for one sample to be measured and told."""

DESCRIPTION = """One emulated device. The first line on stdout is JSON with its address, which --port or
--tcp of `clampctl probe` and a station's port take; the last one, when it is told to end, counts bytes.
Faults are listed with what comes of them in docs/devices/faults.md."""


def add_to(commands: Any) -> None:
    """The command."""
    emulate = commands.add_parser(
        "emulate", help="one emulated device on a pseudo-terminal or TCP port", description=DESCRIPTION
    )
    emulate.add_argument("device", help="a name that `clampctl devices` lists, but none set by hand")
    where = emulate.add_mutually_exclusive_group(required=True)
    where.add_argument("--pty", action="store_true", help="on a pseudo-terminal (not on Windows)")
    where.add_argument(
        "--tcp", type=whole(0, 65_535), metavar="PORT", help="on this computer; 0 takes any free port"
    )
    where.add_argument(
        "--connect", type=host_port, metavar="HOST:PORT", help="call the host, as a POCT1-A meter does"
    )
    emulate.add_argument(
        "--fault", action="append", default=[], metavar="FAULT[@SECONDS]",
        help="such as mute, cut=4, unplug@20 or unplug@20-40: from the start, from a second on, or "
        "between two; may be repeated",
    )  # fmt: skip
    emulate.add_argument("--address", type=whole(0, 99), help="that a pump is set to")
    emulate.add_argument("--diameter-mm", type=number(0.1, 80.0), help="of the syringe in a pump")
    emulate.add_argument(
        "--setting", action="append", default=[], metavar="NAME=VALUE",
        help="how this device is set up; a wrong name lists all; may be repeated",
    )  # fmt: skip
    emulate.add_argument(
        "--glucose", type=number(0.0, 1000.0), metavar="MG_DL", help="analyzers: such samples are given"
    )
    emulate.add_argument(
        "--every", type=number(1.0, 86_400.0), metavar="SECONDS",
        help=f"how often, with --glucose; {SAMPLE_EVERY_S:g} unless given",
    )  # fmt: skip
    emulate.add_argument("--split", action="store_true", help="cut every byte stream into 1 to 7 bytes")
    emulate.set_defaults(run=run_emulate)


def run_emulate(options: argparse.Namespace) -> int:
    """Serve until told to stop; then say how much was sent and heard."""
    from clampctl.engine.clock import SessionClock
    from simulator.counting import Counting
    from simulator.transport import Caller, serve

    device = emulated(options)
    happenings = Happenings(device, _timetable(options), _sample_every_ms(options, device), options.glucose)
    stop = threading.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: stop.set())
    cable = _transport(options)
    transport = Counting(cable, options.split)
    print_json({"device": options.device, "address": transport.address})
    if isinstance(cable, Caller):
        cable.dial(stop)
    serve(device, transport, SessionClock().now_ms, stop, happenings.turn)
    print_json({"sent_bytes": transport.sent, "heard_bytes": transport.heard, "samples": happenings.samples})
    return 0


def emulated(options: argparse.Namespace) -> Any:
    """The device with the settings of the command line. Refused with one sentence."""
    from clampctl.cli.settings import from_texts, of_device
    from simulator.devices import ALIASES, EMULATED

    entry = EMULATED.get(ALIASES.get(options.device, options.device))
    if entry is None:
        known = ", ".join(EMULATED)
        raise Refusal("device", f"There is no emulated device {options.device!r}; known are {known}.")
    texts = list(options.setting)
    if options.address is not None:
        texts.append(f"address={options.address}")
    if options.diameter_mm is not None:
        texts.append(f"diameter_um={round(options.diameter_mm * 1000)}")
    given = from_texts(of_device(options.device, entry.settings), texts)
    if "start" in {field.name for field in dataclasses.fields(entry.settings)}:
        given.setdefault("start", datetime.now())
    settings = entry.settings(**given)
    try:
        _rehearsed(entry, settings)
        return entry.make(settings)
    except (ValueError, LookupError) as error:
        raise Refusal("setting", f"{options.device} does not work with this setting: {error}.") from None


def _rehearsed(entry: "Emulated", settings: Any) -> Any:
    """A spare device that has measured one sample, if it can; what it cannot do comes out here.

    Raises ValueError and LookupError for settings that do not work together.
    """
    spare: Any = entry.make(settings)
    if hasattr(spare, "place_sample"):
        spare.place_sample(100.0, 0)
    spare.advance(REHEARSAL_MS)
    spare.take_output()
    return spare


def _timetable(options: argparse.Namespace) -> "Timetable":
    """When each fault begins or ends, ms; an impossible one is refused before anything is opened."""
    from simulator.devices import ALIASES, EMULATED

    entry = EMULATED[ALIASES.get(options.device, options.device)]
    found: Timetable = []
    for text in options.fault:
        read, seconds = _planned(text)
        try:
            _rehearsed(entry, entry.settings()).inject(read, REHEARSAL_MS)
        except ValueError as error:
            raise Refusal("fault", str(error)) from None
        found += [
            (round(at_s * 1000), read, begins) for at_s, begins in zip(seconds, (True, False), strict=False)
        ]
    return sorted(found, key=lambda one: one[0])


def _planned(text: str) -> "tuple[Fault, list[float]]":
    """A fault, and when it begins and perhaps ends, s."""
    from simulator.devices.fault import fault

    words, at, when = text.partition("@")
    try:
        seconds = [number(0.0, 1e6)(part) for part in when.split("-")] if at else [0.0]
    except argparse.ArgumentTypeError:
        seconds = []
    if not seconds or len(seconds) > 2 or sorted(seconds) != seconds:
        raise Refusal("fault", f"The fault {text!r} has no such time; write FAULT@SECONDS or FAULT@FROM-TO.")
    try:
        return fault(words), seconds
    except ValueError as error:
        raise Refusal("fault", str(error)) from None


def _sample_every_ms(options: argparse.Namespace, device: Any) -> int:
    """How often a sample is given, ms. Refused for a device that takes none."""
    if options.glucose is not None and not hasattr(device, "place_sample"):
        raise Refusal("glucose", f"{options.device} is no analyzer; it takes no samples.")
    if options.glucose is None and options.every is not None:
        raise Refusal("every", "--every goes with --glucose: how often which sample is given.")
    return round((options.every or SAMPLE_EVERY_S) * 1000)


class Happenings:
    """What happens to the device while it is served: faults by the timetable, samples."""

    def __init__(
        self, device: Any, timetable: "Timetable", every_ms: int, glucose_mg_dl: float | None
    ) -> None:
        self._device = device
        self._timetable = timetable
        self._every_ms = every_ms
        self._glucose_mg_dl = glucose_mg_dl
        self._sample_due_ms = 0
        self.samples = 0

    def turn(self, at_ms: int) -> None:
        """In the thread that serves the device."""
        while self._timetable and at_ms >= self._timetable[0][0]:
            _, found, begins = self._timetable.pop(0)
            try:
                if begins:
                    self._device.inject(found, at_ms)
                else:
                    self._device.clear(found.kind, at_ms)
            except ValueError as error:  # such as an edit of a result that is not there yet
                warn(f"at {at_ms / 1000:.1f} s: {error}")
        if self._glucose_mg_dl is not None and at_ms >= self._sample_due_ms:
            self._sample_due_ms = at_ms + self._every_ms
            self.samples += 1
            self._device.place_sample(self._glucose_mg_dl, at_ms)


def _transport(options: argparse.Namespace) -> "Transport":
    from simulator.transport import Caller, PseudoTerminal, TcpPort

    if options.pty:
        if sys.platform == "win32":
            raise Refusal("pty", "Windows has no pseudo-terminals; use --tcp.")
        return PseudoTerminal()
    if options.connect is not None:
        return Caller(options.connect)
    return TcpPort(options.tcp)
