"""One whole virtual clamp: bench, station and subject put together, run, and summed up."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from clampctl.analysis.record import Record, series
from clampctl.analysis.summary import Summary, summarise
from clampctl.core.commands import Role
from clampctl.core.protocol import Protocol
from clampctl.core.state import Phase, State
from clampctl.core.station import AnalyzerSetup, PumpSetup, RateStep, Station
from clampctl.core.subject import Subject
from clampctl.engine.history import History
from clampctl.engine.journal import Journal
from clampctl.engine.loop import Watcher
from clampctl.engine.opening import session_started
from clampctl.engine.report import alarm_lines, record_of, unknown
from clampctl.units import MS_PER_MIN
from drivers.analyzers.ysi import Ysi as YsiLink
from drivers.link import Link
from drivers.pumps.new_era import NewEra as NewEraLink
from drivers.pumps.new_era_text import RATE_STEPS, rate_limits_ul_h
from simulator.bedside import Bedside
from simulator.bench import Bench, Wired
from simulator.devices.device import Device
from simulator.devices.new_era import NewEra
from simulator.devices.new_era_settings import NewEraSettings
from simulator.devices.ysi import Ysi
from simulator.faults import Planned
from simulator.nurse import Nurse
from simulator.subjects.composite import Parameters
from simulator.subjects.phenotypes import typical

DEXTROSE_UM, INSULIN_UM = 26_590, 19_050
"""BD 60 mL and BD 20 mL syringes (pumps 2.5); different ones, so that swapped pumps are noticed."""

INSULIN_ADDRESS = 1
WATCHDOG_S = 5
SET_UP_MS = 30 * MS_PER_MIN
"""Longer than this no set-up takes: a bench that has not started insulin by then is stuck."""


def bench_station() -> Station:
    """The bench's devices: two New Era pumps and a YSI."""
    return Station(
        name="bench",
        dextrose_pump=_new_era(Role.DEXTROSE, 0, DEXTROSE_UM, None),
        insulin_pump=_new_era(Role.INSULIN, INSULIN_ADDRESS, INSULIN_UM, WATCHDOG_S),
        analyzer=AnalyzerSetup("ysi-2700", "YSI 2700", "plasma", lag_ms=75_000),
    )


def _new_era(role: Role, address: int, diameter_um: int, watchdog_s: int | None) -> PumpSetup:
    lowest, highest = rate_limits_ul_h(diameter_um)
    return PumpSetup(
        role=role,
        driver="new-era",
        model="NE-1000",
        address=address,
        diameter_um=diameter_um,
        rate_ul_h_min=lowest,
        rate_ul_h_max=highest,
        rate_steps=tuple(RateStep(below, step) for below, step in RATE_STEPS),
        watchdog_s=watchdog_s,
        counter_quantum_ul=1,
    )


def emulated_dextrose() -> NewEra:
    """The dextrose pump of the bench, switched on in Basic mode."""
    return NewEra(NewEraSettings(diameter_um=DEXTROSE_UM))


def emulated_insulin() -> NewEra:
    """The insulin pump of the bench."""
    return NewEra(NewEraSettings(diameter_um=INSULIN_UM, address=INSULIN_ADDRESS))


def virtual_subject(parameters: Parameters[float], code: str) -> Subject:
    """The protocol's view of a virtual subject; its height follows from weight and body surface."""
    height_cm = (parameters.bsa_m2 / (0.007184 * parameters.weight_kg**0.425)) ** (1 / 0.725)
    return Subject(
        code=code,
        weight_kg=float(parameters.weight_kg),
        height_cm=min(220.0, max(120.0, height_cm)),
        bsa_m2=float(parameters.bsa_m2),
        sex="unknown",
        birth_year=None,
    )


def bench_links() -> dict[Role, Link]:
    """The links of the bench's station."""
    return {
        Role.DEXTROSE: NewEraLink(Role.DEXTROSE, 0, DEXTROSE_UM, "NE1000"),
        Role.INSULIN: NewEraLink(Role.INSULIN, INSULIN_ADDRESS, INSULIN_UM, "NE1000", WATCHDOG_S),
        Role.ANALYZER: YsiLink("2700"),
    }


@dataclass(frozen=True, slots=True)
class Request:
    """What to simulate; `minutes` counts from insulin start."""

    protocol: Protocol
    phenotype: str
    seed: int
    noise: str
    minutes: float
    faults: tuple[Planned, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    summary: Summary
    record: Record | None
    last_state: State


@dataclass(frozen=True, slots=True)
class VirtualClamp:
    """A bench furnished for one request, and what can be looked at from outside."""

    bench: Bench
    bedside: Bedside
    dextrose: NewEra
    insulin: NewEra
    history: History
    journal: Journal


def furnished(request: Request, journal_path: Path, watchers: tuple[Watcher, ...] = ()) -> VirtualClamp:
    """The bench for one request, not yet run."""
    parameters = typical(request.phenotype)
    protocol = request.protocol
    dextrose, insulin, analyzer = emulated_dextrose(), emulated_insulin(), Ysi()
    bedside = Bedside(
        parameters, request.noise, request.seed, dextrose, insulin, analyzer, protocol.infusates
    )
    first = session_started(
        protocol,
        virtual_subject(parameters, f"{request.phenotype}-{request.seed}"),
        bench_station(),
        f"bench-{request.phenotype}-{request.seed}",
        "2026-01-01T08:00:00.000+00:00",
    )
    links = bench_links()
    devices: dict[Role, Device] = {Role.INSULIN: insulin, Role.DEXTROSE: dextrose, Role.ANALYZER: analyzer}
    wires = tuple(Wired(role, links[role], device) for role, device in devices.items())
    history = History()
    journal = Journal(journal_path, lambda _: None)
    nurse = Nurse(protocol.sampling_ms)
    bench = Bench(journal, first, wires, bedside, nurse, request.faults, (history, *watchers))
    return VirtualClamp(bench, bedside, dextrose, insulin, history, journal)


def run(clamp: VirtualClamp, minutes: float) -> None:
    """Set up, then let `minutes` pass from insulin start; the journal is closed."""
    bench = clamp.bench
    bench.run(lambda state: state.clamp_started_ms is not None, SET_UP_MS)
    bench.run(lambda state: state.phase is Phase.CLOSED, _end_ms(bench, minutes))
    clamp.journal.close()


def simulate(request: Request, journal_path: Path, sync: Callable[[int], None] = os.fsync) -> Outcome:
    """Run one clamp through bytes and virtual time; the journal is synced once, at its end."""
    begun_s = time.perf_counter()
    clamp = furnished(request, journal_path)
    run(clamp, request.minutes)
    with journal_path.open("rb") as written:
        sync(written.fileno())
    return _outcome(clamp, begun_s)


def _end_ms(bench: Bench, minutes: float) -> int:
    started_ms = bench.state.clamp_started_ms
    if started_ms is None:
        return bench.now_ms
    return started_ms + round(minutes * MS_PER_MIN) + 1_000


def _outcome(clamp: VirtualClamp, begun_s: float) -> Outcome:
    state = clamp.bench.state
    record = record_of(state, clamp.history, clamp.bench.now_ms)
    if record is None:
        summary = unknown()
    else:
        origin_ms = state.clamp_started_ms or 0
        truth = [
            ((point.at_ms - origin_ms) / MS_PER_MIN, point.glucose_mg_dl, point.insulin_uu_ml)
            for point in clamp.bedside.truth
            if point.at_ms >= origin_ms
        ]
        record = replace(
            record,
            true_glucose=series((minute, glucose) for minute, glucose, _ in truth),
            insulin=series((minute, insulin) for minute, _, insulin in truth),
        )
        summary = summarise(record)
    summary = replace(
        summary,
        alarms=alarm_lines(clamp.history),
        events=clamp.journal.seq + 1,
        wall_s=time.perf_counter() - begun_s,
        journal=str(clamp.journal.path),
    )
    return Outcome(summary, record, state)
