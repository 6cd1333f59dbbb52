"""The demo: a virtual bedside on emulated wires, the engine on it, and a window attached."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from clampctl.analysis.summary import summarise
from clampctl.cli.options import chosen_devices, chosen_protocol
from clampctl.cli.output import figures, new_file, plain, say
from clampctl.core.events import Event
from clampctl.core.state import Phase
from clampctl.engine.clock import utc_now
from clampctl.engine.guardian import python_command
from clampctl.engine.history import History
from clampctl.engine.journal import Journal
from clampctl.engine.opening import session_started
from clampctl.engine.ports import Wire, open_serial
from clampctl.engine.process import Begin, Ends, Engine
from clampctl.engine.report import alarm_lines, record_of, unknown
from simulator.bedside import Bedside
from simulator.bench import seen
from simulator.clamp import kind, virtual_subject
from simulator.furniture import furniture
from simulator.models import Person, model_named
from simulator.nurse import Nurse, Seen
from simulator.serve import DemoClock, LiveBedside, PacedWire, Plugged
from simulator.subjects import STATEMENT
from simulator.transport import PseudoTerminal, TcpPort, Transport

BAUD = 19_200
WAIT_S = 0.002
SWITCH_S = 0.0005
"""Threads hand over this often: at 60 times real time a port may not wait long for its turn."""


def demonstrate(options: argparse.Namespace) -> int:
    """Run the demo; without a screen, or with --headless, to the end of the clamp."""
    screen = sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    headless = options.headless or not screen
    model_named(options.model, options.subject, options.noise)
    sys.setswitchinterval(SWITCH_S)
    if headless:
        why = "as asked" if options.headless else "there is no display"
        say(f"Running without a window ({why}), {options.speed:g} times real time, to the end of the clamp.")
    with tempfile.TemporaryDirectory(prefix="clampctl-") as folder:
        name = f"demo-{kind(options.model, options.subject)}-{options.seed}.clamp.jsonl"
        path = Path(folder) / name if options.out is None else new_file(options.out / name)
        _Demo(options, path, str(Path(folder) / "engine.sock"), headless).run()
    return 0


class _Demo:
    """One demonstration."""

    def __init__(self, options: argparse.Namespace, path: Path, address: str, headless: bool) -> None:
        self._headless = headless
        self._path = path
        self._asked = threading.Event()
        self._stop = threading.Event()
        self._began = datetime.now(UTC)
        self._clock = clock = DemoClock(options.speed)
        protocol = chosen_protocol(options)
        model = model_named(options.model, options.subject, options.noise)
        body = model.one(Person(options.subject))
        stands = furniture(chosen_devices(options))
        bedside = Bedside(
            body, model.noises[options.noise], options.seed,
            stands.dextrose, stands.insulin, stands.analyzer, protocol.infusates,
        )  # fmt: skip
        plugged = tuple(Plugged(role, device, _transport()) for role, device in stands.devices.items())
        self._live = LiveBedside(plugged, bedside, Nurse(protocol.sampling_ms), clock.now_ms, clock.pass_on)
        ends = {
            plug.role: Ends(stands.links[plug.role], partial(_paced, plug.transport.address, clock))
            for plug in plugged
        }
        subject = virtual_subject(body, f"{kind(options.model, options.subject)}-{options.seed}")
        started = session_started(protocol, subject, stands.station, path.stem, utc_now())
        begin = Begin(Journal(path, lambda _: None), started, None, History())
        self._engine = Engine(begin, ends, address, clock.now_ms, turn_s=WAIT_S, wall=self._wall)

    def run(self) -> None:
        """Bedside, engine and window, until the clamp or the window ends, or a signal asks.

        The bedside is the last to stop: its clock is the engine's, and the engine ends in that time.
        """
        serving = threading.Thread(
            target=self._live.run, args=(self._look, self._post, self._stop), name="bedside"
        )
        engine = threading.Thread(target=self._engine.run, args=(self._clock.ticked,), name="control")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._asked.set())
        serving.start()
        engine.start()
        window = None if self._headless else self._window()
        try:
            while not self._over(window) and engine.is_alive():
                self._asked.wait(0.1)
        finally:
            if window is not None and window.poll() is None:
                window.terminate()
                window.wait()
            self._engine.end()
            engine.join()
            self._stop.set()
            serving.join()
        self._tell()

    def _window(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(python_command(["ui", "--attach", self._engine.address, "--actor", "demo"]))

    def _over(self, window: "subprocess.Popen[bytes] | None") -> bool:
        if self._asked.is_set():
            return True
        if window is not None:
            return window.poll() is not None
        state = self._engine.control.state
        return state is not None and state.phase in (Phase.TAPER, Phase.FALLBACK, Phase.CLOSED)

    def _wall(self) -> str:
        """The demo's own wall clock: it began now and runs as fast as the demo."""
        passed = timedelta(milliseconds=self._clock.now_ms())
        return (self._began + passed).isoformat(timespec="milliseconds")

    def _look(self) -> Seen | None:
        state = self._engine.control.state
        return None if state is None else seen(state)

    def _post(self, event: Event) -> None:
        self._engine.post(event, lambda *_: None)

    def _tell(self) -> None:
        state, history = self._engine.control.state, self._engine.history
        record = None if state is None else record_of(state, history, state.at_ms)
        summary = unknown() if record is None else summarise(record)
        summary = replace(
            summary, alarms=alarm_lines(history), events=history.seq + 1, journal=str(self._path)
        )
        say(figures({name: value for name, value in plain(summary).items() if value is not None}))
        say(STATEMENT)


def _transport() -> Transport:
    return TcpPort() if sys.platform == "win32" else PseudoTerminal()


def _paced(address: str, clock: DemoClock) -> Wire:
    return PacedWire(open_serial(address, BAUD, WAIT_S), clock)
