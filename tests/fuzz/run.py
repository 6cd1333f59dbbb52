"""So many frames through one parser, measured."""

import gc
import time
import tracemalloc
from dataclasses import dataclass
from typing import Literal

from tests.fuzz.rig import DeviceRig, LinkRig
from tests.fuzz.row import Row
from tests.fuzz.table import ROWS

Side = Literal["link", "emulator"]

TRACED_SHARE = 5
"""Memory is watched over the last fifth: by then a parser's own memory of results is full."""

GROWN_KB_MAX = 128
"""What may be held more at the end than half-way through that: results change places in a full memory.
Of 10^6 frames it is one byte kept of each."""

PEAK_KB_MAX = 2_048
"""The most at any time: a full memory of results and the longest message a link collects, being read."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one parser went through."""

    name: str
    side: Side
    frames: int
    frames_per_s: int
    grown_kb: int
    peak_kb: int

    @property
    def flat(self) -> bool:
        """Whether its memory stayed bounded."""
        return self.grown_kb < GROWN_KB_MAX and self.peak_kb < PEAK_KB_MAX


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
    traced = frames // TRACED_SHARE
    rig.run(frames - traced)
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
    return Ran(name, side, rig.count.frames, per_s, grown // 1024, peak // 1024)


def held() -> int:
    """Bytes held now, without what only waits to be collected."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
