"""One whole virtual clamp: bench, station and subject put together, run, and summed up."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol as TypingProtocol

from clampctl.analysis.record import Record, series
from clampctl.analysis.summary import Summary, summarise
from clampctl.core.protocol import Protocol
from clampctl.core.state import Phase, State
from clampctl.core.subject import Subject
from clampctl.engine.history import History
from clampctl.engine.journal import Journal
from clampctl.engine.loop import Watcher
from clampctl.engine.opening import session_started
from clampctl.engine.report import alarm_lines, record_of, unknown
from clampctl.units import MS_PER_MIN
from simulator.bedside import Bedside
from simulator.bench import Bench, Wired
from simulator.devices.device import PumpDevice
from simulator.faults import Planned
from simulator.furniture import USUAL, Choice, furniture
from simulator.models import DEFAULT, Person, model_named
from simulator.nurse import Nurse

SET_UP_MS = 30 * MS_PER_MIN
"""Longer than this no set-up takes: a bench that has not started insulin by then is stuck."""


class Bodily(TypingProtocol):
    """Whoever has a weight and a body surface: a subject, or the parameters of one."""

    @property
    def weight_kg(self) -> float:
        """Body weight."""

    @property
    def bsa_m2(self) -> float:
        """Body surface."""


def virtual_subject(person: Bodily, code: str) -> Subject:
    """The protocol's view of a virtual subject; its height follows from weight and body surface."""
    height_cm = (person.bsa_m2 / (0.007184 * person.weight_kg**0.425)) ** (1 / 0.725)
    return Subject(
        code=code,
        weight_kg=float(person.weight_kg),
        height_cm=min(220.0, max(120.0, height_cm)),
        bsa_m2=float(person.bsa_m2),
        sex="unknown",
        birth_year=None,
    )


def kind(model: str, phenotype: str) -> str:
    """A word for who is simulated; the usual model is not named."""
    return phenotype if model == DEFAULT else f"{model}-{phenotype}"


@dataclass(frozen=True, slots=True)
class Request:
    """What to simulate; `minutes` counts from insulin start. `model` is one of `models.MODELS`."""

    protocol: Protocol
    phenotype: str
    seed: int
    noise: str
    minutes: float
    faults: tuple[Planned, ...] = ()
    devices: Choice = USUAL
    model: str = DEFAULT


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
    dextrose: PumpDevice
    insulin: PumpDevice
    history: History
    journal: Journal


def furnished(request: Request, journal_path: Path, watchers: tuple[Watcher, ...] = ()) -> VirtualClamp:
    """The bench for one request, not yet run."""
    model = model_named(request.model, request.phenotype, request.noise)
    code = f"{kind(request.model, request.phenotype)}-{request.seed}"
    subject = model.one(Person(request.phenotype))
    protocol = request.protocol
    stands = furniture(request.devices)
    bedside = Bedside(
        subject, model.noises[request.noise], request.seed,
        stands.dextrose, stands.insulin, stands.analyzer, protocol.infusates,
    )  # fmt: skip
    first = session_started(
        protocol,
        virtual_subject(subject, code),
        stands.station,
        f"bench-{code}",
        "2026-01-01T08:00:00.000+00:00",
    )
    wires = tuple(Wired(role, stands.links[role], device) for role, device in stands.devices.items())
    history = History()
    journal = Journal(journal_path, lambda _: None)
    nurse = Nurse(protocol.sampling_ms)
    bench = Bench(journal, first, wires, bedside, nurse, request.faults, (history, *watchers))
    return VirtualClamp(bench, bedside, stands.dextrose, stands.insulin, history, journal)


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
