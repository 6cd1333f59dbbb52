"""A real-time bedside for the live stack: emulators on TCP ports, a guardian, and a nurse at a window."""

import itertools
import json
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from clampctl.core.commands import Role
from clampctl.core.events import (
    BasalStarted,
    ClampResumed,
    ClampStarted,
    GlucoseSampled,
    PumpReleased,
    SampleDrawn,
    SampleKind,
)
from clampctl.engine.clock import SessionClock
from clampctl.engine.guardian import python_command
from clampctl.engine.wire import PumpView, Snapshot
from simulator.devices.device import Device
from simulator.devices.fault import Fault, FaultKind, fault
from simulator.devices.new_era import NewEra
from simulator.devices.ysi import Ysi
from simulator.furniture import ADDRESSES, DEXTROSE_UM, INSULIN_UM, USUAL, furniture
from simulator.transport import TcpPort, served
from tests.engine.sheets import signed_sheet
from tests.engine.windows import PATIENCE_S, Client, moment, wait_for

WATCHDOG_S = 4
GLUCOSE_MG_DL = 95.0
PUMPS = (Role.DEXTROSE, Role.INSULIN)

PROTOCOL = """
name = "live"
sampling = "5 min"
mode = "automatic"
glucose_unit = "mg/dL"
bsa = "du_bois"
[infusates]
dextrose = "20 % anhydrous"
insulin = { units = "50 U", volume = "50 mL" }
[law]
name = "defronzo"
glucose_space = "0.19 L/kg"
look_ahead = "15 min"
metabolic_start = "4.0 mg/kg/min"
metabolic_floor = "0.5 mg/kg/min"
first_rates = [{ from = "0 min", gir = "2.0 mg/kg/min" }]
rule_from = "15 min"
[limits]
silence_stop = "8 s"
[[steps]]
insulin = "40 mU/m**2/min"
target = "90 mg/dL"
duration = "120 min"
prime = "none"
window = ["80 min", "120 min"]
"""

STATION = """
name = "bench"
bench_key = "{key}"
protocol = "live.toml"
session_directory = "records"
[subject]
code = "S-1"
weight = "70 kg"
height = "178 cm"
sex = "unknown"
[dextrose_pump]
driver = "new-era"
model = "NE-1000"
port = "{dextrose}"
serial_number = "D-1"
bench_sheet = "{dextrose_sheet}"
syringe_diameter = "{dextrose_mm} mm"
[insulin_pump]
driver = "new-era"
model = "NE-1000"
port = "{insulin}"
serial_number = "I-1"
bench_sheet = "{insulin_sheet}"
address = {address}
syringe_diameter = "{insulin_mm} mm"
watchdog = "{watchdog} s"
[analyzer]
driver = "ysi-2700"
port = "{analyzer}"
matrix = "plasma"
lag = "75 s"
"""


def station_text(folder: Path, addresses: dict[str, str]) -> str:
    """The station's document; its pumps' signed bench sheets are written beside it."""
    dextrose_sheet, key = signed_sheet(folder, Role.DEXTROSE, "D-1", DEXTROSE_UM, None)
    insulin_sheet, _ = signed_sheet(folder, Role.INSULIN, "I-1", INSULIN_UM, WATCHDOG_S)
    return STATION.format(
        **addresses,
        key=key,
        dextrose_sheet=dextrose_sheet,
        insulin_sheet=insulin_sheet,
        dextrose_mm=DEXTROSE_UM / 1000,
        insulin_mm=INSULIN_UM / 1000,
        address=ADDRESSES[Role.INSULIN],
        watchdog=WATCHDOG_S,
    )


class Overheard:
    """An emulated device that keeps what the host wrote, with the time."""

    def __init__(self, device: Device, heard: list[tuple[int, bytes]]) -> None:
        self._device = device
        self._heard = heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def receive(self, data: bytes, now_ms: int) -> None:
        self._heard.append((now_ms, data))
        self._device.receive(data, now_ms)


class Pump:
    """An emulated pump: what it heard, how its flow changed, and a door for faults."""

    def __init__(self, device: NewEra) -> None:
        self.device = device
        self.heard: list[tuple[int, bytes]] = []
        self.flows: list[tuple[int, int]] = [(0, 0)]
        self._wishes: queue.SimpleQueue[Callable[[int], None]] = queue.SimpleQueue()

    def turn(self, at_ms: int) -> None:
        """In the thread that serves it: note the flow, do what was asked."""
        while not self._wishes.empty():
            self._wishes.get()(at_ms)
        flow_ul_h = self.device.flow_ul_h
        if flow_ul_h != self.flows[-1][1]:
            self.flows.append((at_ms, flow_ul_h))

    @property
    def flow_ul_h(self) -> int:
        """What flows now."""
        return self.flows[-1][1]

    def inject(self, text: str) -> None:
        """Begin a fault."""
        found: Fault = fault(text)
        self._wishes.put(lambda at_ms: self.device.inject(found, at_ms))

    def clear(self, kind: FaultKind) -> None:
        """End a fault."""
        self._wishes.put(lambda at_ms: self.device.clear(kind, at_ms))

    def flows_since(self, at_ms: int) -> list[int]:
        """The flow at a time, and all that followed."""
        before = [flow for when, flow in self.flows if when <= at_ms][-1:]
        return before + [flow for when, flow in self.flows if when > at_ms]


class Bed:
    """The devices of one bed, and the documents that name their ports."""

    def __init__(self, folder: Path, addresses: dict[Role, str], pumps: dict[Role, Pump]) -> None:
        self.clock = SessionClock()
        self.folder = folder
        self.pumps = pumps
        self.dextrose, self.insulin = pumps[Role.DEXTROSE], pumps[Role.INSULIN]
        self.station = folder / "station.toml"
        (folder / "live.toml").write_text(PROTOCOL)
        self.station.write_text(
            station_text(folder, {role.value: where for role, where in addresses.items()})
        )

    def until(self, found: Callable[[], object], within_s: float = PATIENCE_S) -> None:
        """Wait for something at the devices."""
        wait_for(lambda: found() or None, moment, within_s)


@contextmanager
def bed(folder: Path) -> Iterator[Bed]:
    """Two pumps and an analyzer, served in real time."""
    stands = furniture(USUAL)
    pumps = {Role.DEXTROSE: Pump(stands.dextrose), Role.INSULIN: Pump(stands.insulin)}
    clock = SessionClock()
    with ExitStack() as stack:
        addresses = {
            role: stack.enter_context(
                served(Overheard(pump.device, pump.heard), TcpPort(), clock.now_ms, pump.turn)
            )
            for role, pump in pumps.items()
        }
        addresses[Role.ANALYZER] = stack.enter_context(served(Ysi(), TcpPort(), clock.now_ms))
        made = Bed(folder, addresses, pumps)
        made.clock = clock
        yield made


class Run:
    """`clampctl run` as a process: what it says, and the engine under it."""

    def __init__(self, bed: Bed, name: str = "a", more: tuple[str, ...] = ()) -> None:
        self.journal = bed.folder / f"{name}.clamp.jsonl"
        self.address = str(bed.folder / f"{name}.sock")
        self.said: list[dict[str, Any]] = []
        self._changed = threading.Event()
        self._errors = (bed.folder / f"{name}.stderr").open("a+")
        where = ["--journal", str(self.journal), "--address", self.address]
        self.guardian = subprocess.Popen(
            python_command(["run", str(bed.station), *where, *more]),
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": "random"},
        )
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        if self.guardian.stdout is not None:
            for line in self.guardian.stdout:
                self.said.append(json.loads(line))
                self._changed.set()
        self._changed.set()

    def engine(self, lives: int = 1, within_s: float = PATIENCE_S) -> int:
        """The process id of the engine in its so many-th life."""
        wait_for(lambda: len(self.said) >= lives or self.guardian.poll() is not None, self._wait, within_s)
        assert len(self.said) >= lives, self.errors()
        return int(self.said[lives - 1]["pid"])

    def _wait(self, wait_s: float) -> None:
        self._changed.wait(wait_s)
        self._changed.clear()

    def errors(self) -> str:
        """What it said on stderr."""
        self._errors.seek(0)
        return self._errors.read()

    def ended(self, within_s: float = PATIENCE_S) -> int:
        """Its exit code, once it has ended."""
        status = self.guardian.wait(within_s)
        self._listener.join()
        return status

    def close(self) -> None:
        """End it in any case."""
        self.guardian.terminate()
        try:
            self.guardian.wait(PATIENCE_S)
        finally:
            self.guardian.kill()
            self._listener.join()
            self._errors.close()
            if self.guardian.stdout is not None:
                self.guardian.stdout.close()


@contextmanager
def running(folder: Path) -> Iterator[tuple[Bed, Run]]:
    """A bed with its engine running."""
    with bed(folder) as made:
        run = Run(made)
        try:
            run.engine()
            yield made, run
        finally:
            run.close()


def answers(now: Snapshot, pump: PumpView) -> bool:
    """Whether a pump was read on this connection, a poll ago at most."""
    return pump.connected and pump.heard_at_ms is not None and now.at_ms - pump.heard_at_ms <= 2_500


class Nurse:
    """Acts at a window as a person would."""

    numbers = itertools.count(1)

    def __init__(self, client: Client) -> None:
        self.client = client

    def sample(self) -> None:
        """Draw blood and key its glucose, which is not twice the same."""
        number = next(self.numbers)
        name, glucose_mg_dl = f"keyed {number}", GLUCOSE_MG_DL + number % 7 / 10
        self.client.done(SampleDrawn("ab"))
        self.client.done(
            GlucoseSampled(
                name, glucose_mg_dl, None, SampleKind.PATIENT, "keyed", f"{glucose_mg_dl}", "mg/dL", ()
            )
        )

    def starts(self, within_s: float = PATIENCE_S) -> None:
        """From set-up to running insulin."""
        client = self.client
        client.sees(lambda now: None not in (now.dextrose.heard_at_ms, now.insulin.heard_at_ms), within_s)
        assert client.done(BasalStarted("ab")).refused == ""
        self.sample()
        assert client.done(ClampStarted("ab")).refused == ""
        self.sees_insulin(within_s)

    def resumes(self, within_s: float = PATIENCE_S) -> None:
        """Out of SAFE-TAIL with a fresh sample, once both pumps answer; frees a pump that waits."""
        self.client.sees(lambda now: answers(now, now.dextrose) and answers(now, now.insulin), within_s)
        self.sample()

        def resumed() -> bool:
            refused = self.client.done(ClampResumed("ab")).refused
            if "needs a person" in refused:
                for role in PUMPS:
                    self.client.done(PumpReleased(role, "ab"))
            return not refused

        self.client.wait(resumed, within_s)
        self.sees_insulin(within_s)

    def sees_insulin(self, within_s: float = PATIENCE_S) -> None:
        """Both pumps run and say so."""
        self.client.sees(
            lambda now: (
                now.insulin.verified
                and now.dextrose.verified
                and bool(now.insulin.reported_ul_h)
                and bool(now.dextrose.reported_ul_h)
            ),
            within_s,
        )

    def clamps(self) -> None:
        """Make sure that the clamp runs, whatever happened before."""
        phase = self.client.sees(lambda _: True).phase
        if phase == "setup":
            self.starts()
        elif phase == "fallback":
            self.resumes()
        self.sees_insulin()
