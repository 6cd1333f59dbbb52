"""Circumstances of a trial: what is otherwise than it should be, for every subject and the whole clamp.

Each changes either what the core is told or what truly happens, as it would at a bedside, never both.
One bed's faults, which begin and end, are `infusion_line`'s and `sampling_site`'s.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from clampctl.core.protocol import Protocol, Refusal
from clampctl.core.station import RateStep, Station
from clampctl.core.subject import Subject
from clampctl.study.subject_document import BSA_FORMULAS
from clampctl.units import MS_PER_MIN
from simulator.sampling_site import COLD_WITHIN_MIN, MIN_PER_H, PLASMA_OF_WHOLE_BLOOD
from simulator.subjects.values import Array
from simulator.subjects.variability import Noise

COLD_FROM_MIN = 30.0
"""The hand-warmer fails so long after insulin start [A]: the rule has begun, most of the clamp is left."""

CONTAMINATED_EVERY = 10
"""One sample in so many has dextrose in it [A]; the first of them is drawn about minute 45."""


class Kind(StrEnum):
    """What can be otherwise. Sources of sizes: models sheet, section 10, as in `sampling_site`."""

    ASSAY_CV = "assay-cv"
    """The CV of the assay in percent, in place of the noise preset's. A YSI has 1 to 2 [S], a meter more."""

    BIAS = "analyzer-bias"
    """The analyzer finds so many percent more. A YSI 8 % less [S J Clin Pathol 2004]."""

    DRIFT = "analyzer-drift"
    """The analyzer finds so many percent more each hour since set-up, when it was calibrated; 6 is the
    safety sheet's trial (H14) [A]."""

    COLD_HAND = "cold-hand"
    """From minute `COLD_FROM_MIN` on the hand cools: measured is low by so many mg/dL in the end."""

    WHOLE_BLOOD = "whole-blood"
    """The analyzer measures whole blood, and everybody takes it for plasma: low by the factor 1.11."""

    CONTAMINATED = "contaminated"
    """Dextrose in every tenth sample: so many mg/dL more."""

    LATE = "late"
    """Every sample is drawn so many minutes after it is said to be; its result comes as much later."""

    MISSED = "missed"
    """Of every so many samples one, the last, is said to be drawn, and never given to the analyzer."""

    SAMPLING = "sampling"
    """The protocol asks for a sample every so many minutes, and the nurse draws them. M is not known
    where the last result was drawn more than 5 min before the end of its window (`analysis.record`)."""

    WEIGHT = "weight"
    """The core is told so many times the subject's weight, and the body surface that goes with it."""

    STRENGTH = "dextrose-strength"
    """The dextrose bag has so many times the strength on its label. Hydrous taken for anhydrous is 0.909."""

    INSULIN_STRENGTH = "insulin-strength"
    """The insulin syringe has so many times the strength on its label."""

    QUANTUM = "quantum"
    """The dextrose pump holds no finer steps than so many µL/h; its setup says so."""

    LAG = "lag"
    """The dextrose line is not primed: the pump has to run so many minutes before dextrose arrives. What
    is then in the line stays there."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The number behind `=`: its range, its unit, the step it comes in, and what it is unless given."""

    least: float
    most: float
    unit: str
    step: float = 0.0
    usual: float | None = None

    def holds(self, size: float) -> bool:
        """Whether a size is one of these; NaN is none."""
        return self.least <= size <= self.most and (not self.step or size % self.step == 0.0)

    @property
    def words(self) -> str:
        """The range as a sentence has it."""
        steps = f" in steps of {self.step:g}" if self.step else ""
        return f"{self.least:g} to {self.most:g} {self.unit}{steps}"


EXTENTS: Mapping[Kind, Extent | None] = MappingProxyType(
    {
        Kind.ASSAY_CV: Extent(0.0, 20.0, "%"),
        Kind.BIAS: Extent(-30.0, 30.0, "%"),
        Kind.DRIFT: Extent(-20.0, 20.0, "% an hour"),
        Kind.COLD_HAND: Extent(0.1, 50.0, "mg/dL", usual=6.0),
        Kind.WHOLE_BLOOD: None,
        Kind.CONTAMINATED: Extent(1.0, 1_000.0, "mg/dL"),
        Kind.LATE: Extent(0.5, 4.0, "min", step=0.5),
        Kind.MISSED: Extent(2.0, 100.0, "samples", step=1.0),
        Kind.SAMPLING: Extent(1.0, 10.0, "min", step=1.0),
        Kind.WEIGHT: Extent(0.85, 1.2, "times the true weight"),
        Kind.STRENGTH: Extent(0.1, 10.0, "times the label"),
        Kind.INSULIN_STRENGTH: Extent(0.1, 10.0, "times the label"),
        Kind.QUANTUM: Extent(1.0, 10_000.0, "µL/h", step=1.0),
        Kind.LAG: Extent(0.5, 60.0, "min", step=0.5),
    }
)
"""None where a circumstance has no number. Ranges are of what is worth trying [A]; a wrong weight stays
one that the core takes for a person's."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All the circumstances of one trial, each kind once; none unless given.

    A kind without a number has size 0. Refuses a size out of range, and a kind that is there twice.
    """

    sizes: tuple[tuple[Kind, float], ...] = ()

    def __post_init__(self) -> None:
        kinds = [kind for kind, _ in self.sizes]
        for kind, size in self.sizes:
            if kinds.count(kind) > 1:
                raise Refusal("circumstance", f"The circumstance {kind} is given twice; expected once.")
            extent = EXTENTS[kind]
            if extent is not None and not extent.holds(size):
                raise Refusal(
                    "circumstance", f"The circumstance {kind} is {size:g}; expected {extent.words}."
                )

    def __str__(self) -> str:
        """As in the rows of a trial: the texts joined by commas, or "none"."""
        texts = (kind.value if EXTENTS[kind] is None else f"{kind}={size:g}" for kind, size in self.sizes)
        return ",".join(texts) or "none"

    def __contains__(self, kind: Kind) -> bool:
        return any(there is kind for there, _ in self.sizes)

    def size(self, kind: Kind, otherwise: float) -> float:
        """The size of a circumstance, or what there is without it."""
        return next((size for there, size in self.sizes if there is kind), otherwise)

    @property
    def late_ms(self) -> int:
        """From the draw that is told to the true one."""
        return round(self.size(Kind.LATE, 0.0) * MS_PER_MIN)

    def is_missed(self, number: int) -> bool:
        """Whether a bed's sample of this number, 1 the first, is said to be drawn, and is not."""
        every = self.size(Kind.MISSED, 0.0)
        return every > 0.0 and number % every == 0.0

    def protocol(self, protocol: Protocol) -> Protocol:
        """The protocol that is followed."""
        every_ms = self.size(Kind.SAMPLING, protocol.sampling_ms / MS_PER_MIN) * MS_PER_MIN
        return replace(protocol, sampling_ms=round(every_ms))

    def station(self, station: Station) -> Station:
        """The station with the dextrose pump that there is."""
        pump, quantum_ul_h = station.dextrose_pump, round(self.size(Kind.QUANTUM, 0.0))
        steps = tuple(RateStep(s.below_ul_h, max(s.step_ul_h, quantum_ul_h)) for s in pump.rate_steps)
        least_ul_h = max(pump.rate_ul_h_min, quantum_ul_h)
        return replace(station, dextrose_pump=replace(pump, rate_ul_h_min=least_ul_h, rate_steps=steps))

    def told(self, subject: Subject, bsa_formula: str) -> Subject:
        """The subject as the core is told of him: height is right, the body surface computed from both."""
        surface_m2 = BSA_FORMULAS[bsa_formula]
        weight_kg = subject.weight_kg * self.size(Kind.WEIGHT, 1.0)
        wrong = surface_m2(weight_kg, subject.height_cm) / surface_m2(subject.weight_kg, subject.height_cm)
        return replace(subject, weight_kg=weight_kg, bsa_m2=subject.bsa_m2 * wrong)

    def noise(self, noise: Noise) -> Noise:
        """The noise with the assay that there is."""
        if Kind.ASSAY_CV not in self:
            return noise
        return replace(noise, assay_cv=self.size(Kind.ASSAY_CV, 0.0) / 100.0)

    def blood_mg_dl(
        self, glucose_mg_dl: Array, at_ms: int, clamp_min: Array, number: NDArray[np.int64]
    ) -> Array:
        """What the analyzer finds, but for noise, in blood drawn now from each subject.

        `clamp_min` are minutes from insulin start, negative before; `number` tells which sample of its
        bed this would be, 1 the first.
        """
        cooled_min = np.maximum(0.0, clamp_min - COLD_FROM_MIN)
        cold = self.size(Kind.COLD_HAND, 0.0) * -np.expm1(-cooled_min / COLD_WITHIN_MIN)
        dextrose = np.where(number % CONTAMINATED_EVERY == 0, self.size(Kind.CONTAMINATED, 0.0), 0.0)
        found = glucose_mg_dl - cold + dextrose
        if Kind.WHOLE_BLOOD in self:
            found = found / PLASMA_OF_WHOLE_BLOOD
        hours = at_ms / MS_PER_MIN / MIN_PER_H
        found = found * (1.0 + self.size(Kind.DRIFT, 0.0) / 100.0 * hours)
        return np.maximum(0.0, found * (1.0 + self.size(Kind.BIAS, 0.0) / 100.0))

    def dextrose_ul_h(self, rate_ul_h: Array, ran_min: Array) -> Array:
        """What reaches the vein while the pump gives this rate, in µL/h of what the label says.

        `ran_min` is how long each pump has run before.
        """
        return rate_ul_h * self.size(Kind.STRENGTH, 1.0) * (ran_min >= self.size(Kind.LAG, 0.0))

    def insulin_ul_h(self, rate_ul_h: Array) -> Array:
        """What reaches the vein while the pump gives this rate, in µL/h of what the label says."""
        return rate_ul_h * self.size(Kind.INSULIN_STRENGTH, 1.0)


AS_IT_SHOULD_BE = Circumstances()


def circumstances(texts: Iterable[str]) -> Circumstances:
    """The circumstances that texts name, such as `analyzer-bias=3`, `whole-blood`; in the order of `Kind`.

    Refuses a name that is not known, a number that is none, not wanted or missing, and what
    `Circumstances` refuses.
    """
    order = list(Kind)
    named = sorted((_named(text) for text in texts), key=lambda each: order.index(each[0]))
    return Circumstances(tuple(named))


def _named(text: str) -> tuple[Kind, float]:
    name, equals, number = text.partition("=")
    if name not in EXTENTS:
        raise Refusal(
            "circumstance", f"{name!r} is not a circumstance of a trial; known are {', '.join(Kind)}."
        )
    kind = Kind(name)
    extent = EXTENTS[kind]
    if extent is None:
        if equals:
            raise Refusal("circumstance", f"The circumstance {kind} takes no number.")
        return kind, 0.0
    if not equals and extent.usual is not None:
        return kind, extent.usual
    if not re.fullmatch(r"[+-]?\d{1,5}(\.\d{1,4})?", number, re.ASCII):
        raise Refusal("circumstance", f"The circumstance {kind} takes {extent.words}.")
    return kind, float(number)
