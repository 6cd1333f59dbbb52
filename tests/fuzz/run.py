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

PEAK_KB_MAX = 512
"""More than a full memory of results and one long message. Of 10^6 frames it is 3 bytes kept of each."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one parser went through."""

    name: str
    side: Side
    frames: int
    frames_per_s: int
    peak_kb: int


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
    rig.run(frames - frames // TRACED_SHARE)
    gc.collect()
    tracemalloc.start()
    try:
        rig.run(frames - rig.count.frames)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    took_s = time.perf_counter() - began_s
    return Ran(name, side, rig.count.frames, round(rig.count.frames / took_s), peak // 1024)
