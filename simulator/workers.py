"""Who carries out the chunks of a trial: this process, this machine's cores (joblib), or a Dask scheduler.

Chunks are cut the same way for every worker and joined in their order, so the result is the same to
the bit however many there are. joblib and Dask are loaded only where they are asked for.
"""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from clampctl.core.dosing import law_named
from clampctl.core.insulin import total_ms
from clampctl.core.protocol import Refusal
from clampctl.units import MS_PER_MIN
from simulator.baselines import on_trial
from simulator.models import model_named
from simulator.subjects.variability import drift_named
from simulator.trial import CHUNK, ChunkResult, Request, joined, run_chunk

Progress = Callable[[int], None]
"""Told of every chunk that is done, with its number of subjects."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works: processes on this machine, or the Dask scheduler at an address such as tcp://host:8786."""

    processes: int = 1
    scheduler: str | None = None


def run_trial(request: Request, crew: Crew | None = None, progress: Progress | None = None) -> ChunkResult:
    """The whole cohort, clamped and scored. Refuses what cannot be tried, before anything runs."""
    crew = Crew() if crew is None else crew
    checked(request)
    done = []
    for part in _chunks(request, crew):
        done.append(part)
        if progress is not None:
            progress(part.count)
    return joined(done)


def checked(request: Request) -> None:
    """Refuses names that are not known, no subjects, and a clamp of broken minutes."""
    with on_trial():
        law_named(request.protocol.law.name)
    model_named(request.model, request.phenotype, request.noise)
    drift_named(request.drift)
    if request.subjects < 1:
        raise Refusal("subjects", f"subjects is {request.subjects}; expected 1 or more.")
    if not 0 <= request.seed < 1 << 64:
        raise Refusal("seed", f"seed is {request.seed}; expected 0 or more, below 2^64.")
    if total_ms(request.protocol) % MS_PER_MIN or request.protocol.sampling_ms % MS_PER_MIN:
        raise Refusal("minutes", "A trial needs a clamp and a sampling interval of whole minutes.")


def chunk(request: Request, first: int, count: int) -> ChunkResult:
    """One chunk in whatever process this is, under one of the core's laws or a baseline."""
    with on_trial():
        return run_chunk(request, first, count)


def cut(request: Request) -> list[tuple[int, int]]:
    """The chunks of a trial: first member and number of members, in order."""
    return [(first, min(CHUNK, request.subjects - first)) for first in range(0, request.subjects, CHUNK)]


def _chunks(request: Request, crew: Crew) -> Iterator[ChunkResult]:
    pieces = cut(request)
    if crew.scheduler is not None:
        return _by_dask(request, pieces, crew.scheduler)
    if crew.processes > 1 and len(pieces) > 1:
        return _by_joblib(request, pieces, crew.processes)
    return (chunk(request, first, count) for first, count in pieces)


def _by_joblib(request: Request, pieces: list[tuple[int, int]], processes: int) -> Iterator[ChunkResult]:
    joblib = _module("joblib", "More than one process needs joblib: pip install clampctl[sim].")
    parallel = joblib.Parallel(n_jobs=processes, return_as="generator")
    chunks: Iterator[ChunkResult] = parallel(joblib.delayed(chunk)(request, *piece) for piece in pieces)
    return chunks


def _by_dask(request: Request, pieces: list[tuple[int, int]], address: str) -> Iterator[ChunkResult]:
    distributed = _module("distributed", "A scheduler needs Dask: pip install distributed.")
    try:
        client = distributed.Client(address, timeout="10s")
    except (OSError, ValueError) as trouble:
        raise Refusal("scheduler", f"No Dask scheduler answers at {address}: {trouble}.") from None
    with client:
        futures = [client.submit(chunk, request, *piece, pure=False) for piece in pieces]
        for future in distributed.as_completed(futures):
            yield future.result()


def _module(name: str, sentence: str) -> Any:
    """A library that is loaded only when it is asked for. Refused with the sentence where it is not there."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Refusal(name, sentence) from None
