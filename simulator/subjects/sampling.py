"""From true plasma glucose at the draw to what the analyzer reports, and when.

Decides values and times only: bytes belong to the emulated analyzer; contaminated, swapped or
missing samples to `simulator.sampling_site`.
"""

import math
from dataclasses import dataclass
from typing import Generic

from clampctl.units import MS_PER_MIN
from simulator.subjects.values import Value
from simulator.subjects.variability import Deviates, Noise, Walk

YSI_ANALYSIS_MS = 60_000
"""A YSI 2300 answers about 60 s after aspiration (models sheet, section 10)."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """How the blood is worked up.

    `analysis_ms` is the analyzer's own time. `handling_ms` lies between draw and aspiration; 30-60 s
    for the draw and as much for a spin are unverified [R], hence a setting. The reported value is
    rounded to whole `resolution_mg_dl` (half up); 0 reports it unrounded.
    """

    analysis_ms: int = YSI_ANALYSIS_MS
    handling_ms: int = 0
    resolution_mg_dl: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading(Generic[Value]):
    """One answer of the analyzer: the value, when the blood was drawn, when the answer is there."""

    drawn_at_ms: int
    ready_at_ms: int
    glucose_mg_dl: Value


class Sampling(Generic[Value]):
    """The sampling site and the analyzer of one subject, or of n side by side.

    Reported glucose is G e^z (1 + cv N(0,1)), with z the arterialisation error of the site and cv the
    assay's (models sheet, section 9).
    """

    def __init__(self, noise: Noise, deviates: Deviates[Value], analysis: Analysis | None = None) -> None:
        self._analysis = Analysis() if analysis is None else analysis
        self._assay_cv = noise.assay_cv
        self._deviates: Deviates[Value] = deviates
        self._site: Walk[Value] = Walk(noise.arterialisation, deviates)
        self._drawn_at_ms: int | None = None

    def draw(self, glucose_mg_dl: Value, at_ms: int) -> Reading[Value]:
        """Draw blood now. `glucose_mg_dl` is the true plasma glucose; raises ValueError back in time."""
        before_ms = at_ms if self._drawn_at_ms is None else self._drawn_at_ms
        if at_ms < before_ms:
            raise ValueError(f"a sample at {at_ms} ms cannot be drawn after one at {before_ms} ms")
        self._drawn_at_ms = at_ms
        error = self._site.advance((at_ms - before_ms) / MS_PER_MIN)
        assayed = glucose_mg_dl * math.e**error * (1.0 + self._assay_cv * self._deviates())
        return Reading(
            drawn_at_ms=at_ms,
            ready_at_ms=at_ms + self._analysis.handling_ms + self._analysis.analysis_ms,
            glucose_mg_dl=rounded(assayed, self._analysis.resolution_mg_dl),
        )


def rounded(glucose_mg_dl: Value, resolution_mg_dl: float) -> Value:
    """The nearest multiple of the resolution, half up; unchanged at resolution 0."""
    if resolution_mg_dl == 0.0:
        return glucose_mg_dl
    return (glucose_mg_dl / resolution_mg_dl + 0.5) // 1.0 * resolution_mg_dl
