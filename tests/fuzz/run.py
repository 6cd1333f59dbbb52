"""So many frames through one parser, measured."""

import gc
import resource
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.fuzz.rig import DeviceRig, LinkRig
from tests.fuzz.row import Row
from tests.fuzz.table import ROWS

Side = Literal["link", "emulator"]

TRACED_SHARE, TRACED_MOST = 5, 50_000
"""Each object is watched over the last fifth, and over so many frames at most, for watching is slow."""

GROWN_KB_MAX = 128
"""What may be held more at the end than half-way through that: results change places in a full memory."""

RESIDENT_KB_MAX = 1_024
"""What the whole process may grow from the first fifth to the watched frames: of 10^6 frames it is little
more than one byte kept of each."""

PEAK_KB_MAX = 2_048
"""The most at any time: a full memory of results and the longest message a link collects, being read."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one parser went through."""

    name: str
    side: Side
    frames: int
    frames_per_s: int
    resident_kb: int
    grown_kb: int
    peak_kb: int

    @property
    def flat(self) -> bool:
        """Whether its memory stayed bounded."""
        return (
            self.resident_kb < RESIDENT_KB_MAX and self.grown_kb < GROWN_KB_MAX and self.peak_kb < PEAK_KB_MAX
        )


def rows(names: list[str]) -> list[Row]:
    """The rows of these names, all without names. Errors: ValueError for one there is none of."""
    unknown = set(names) - {row.name for row in ROWS}
    if unknown:
        raise ValueError(f"no parser is called {', '.join(sorted(unknown))}")
    return [row for row in ROWS if not names or row.name in names]


def ran(name: str, side: Side, frames: int, seed: int) -> Ran:
    """Fuzz one parser. Errors: whatever it raised, or `Wrong`, with the latest steps."""
    (row,) = rows([name])
    rig = LinkRig(row, seed) if side == "link" else DeviceRig(row, seed)
    began_s = time.perf_counter()
    traced = min(frames // TRACED_SHARE, TRACED_MOST)
    rig.run(frames // 5)
    first_kb = resident_kb()
    rig.run(frames - traced - frames // 5)
    resident = resident_kb() - first_kb
    tracemalloc.start()
    try:
        rig.run(traced // 2)
        half_way = held()
        rig.run(frames - rig.count.frames)
        grown = held() - half_way
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    per_s = round(rig.count.frames / (time.perf_counter() - began_s))
    return Ran(name, side, rig.count.frames, per_s, resident, grown // 1024, peak // 1024)


def resident_kb() -> int:
    """Memory of this process now; 0 where the system does not tell it as Linux does."""
    gc.collect()
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[1]) * resource.getpagesize() // 1024 if told.exists() else 0


def held() -> int:
    """Bytes held now, without what only waits to be collected."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
