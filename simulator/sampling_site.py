"""Between vein and analyzer: what becomes of the blood, or whether it comes at all.

Only the blood's value is changed here; what an analyzer does to its bytes is its own fault
(`simulator.devices.fault`), and noise that is always there belongs to `simulator.subjects.sampling`.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from clampctl.units import MS_PER_MIN

COLD_WITHIN_MIN = 10.0
"""Time constant with which a hand cools or warms [A]; the sheet only calls it a drifting bias."""

PLASMA_OF_WHOLE_BLOOD = 1.11
"""Glucose in plasma over that in whole blood (models sheet, section 10 [S PMID 8929820])."""

MIN_PER_H = 60.0


class BloodFault(StrEnum):
    """What can be wrong with blood on its way. Sizes: models sheet, section 10, unless named."""

    CONTAMINATED = "contaminated"
    """Dextrose in the sample: so many mg/dL more, 20 to 200 [A]; 0.5 % of 20 % dextrose is 100 (safety
    sheet 2.2 [C])."""

    DILUTED = "diluted"
    """The dead space was not discarded: so many percent of the sample are flush. 1 to 2 mL of dead space [R]
    beside a sample of 2 to 5 mL [A]."""

    LATE = "late"
    """Drawn so many minutes after it is said to be: 1 to 4 [A]."""

    SWAPPED = "swapped"
    """The tube of the sample before is measured in its place [A]."""

    MISSED = "missed"
    """Said to be drawn, and never given to the analyzer [A]."""

    COLD_HAND = "cold_hand"
    """The hand-warmer fails: measured is low by what arterial blood has more, so many mg/dL in the end. A
    forearm vein is 0.2 to 0.5 mmol/L low under insulin [S Diabetologia 35:287]; it gets there slowly."""

    WHOLE_BLOOD = "whole_blood"
    """Whole blood where plasma is expected: low by the factor 1.11 [S PMID 8929820]."""

    BIAS = "bias"
    """The analyzer finds so many mg/dL more. A meter 6 [S PMC2769898], a YSI 8 % less [S J Clin
    Pathol 2004]."""

    DRIFT = "drift"
    """The analyzer finds so many percent more each hour since its last calibration. 1 % in 10 min is the
    safety sheet's trial (H14) [A]."""


OF_ONE_SAMPLE = frozenset(
    {
        BloodFault.CONTAMINATED,
        BloodFault.DILUTED,
        BloodFault.LATE,
        BloodFault.SWAPPED,
        BloodFault.MISSED,
    }
)
"""Faults that happen to the next sample only, unless they are said to last."""


@dataclass(frozen=True, slots=True)
class Present:
    """A fault that is there: its size, since when, and whether it ends with one sample."""

    size: float
    since_ms: int
    once: bool


class SamplingSite:
    """A vein in a warmed hand, a tube, a syringe: honest until told otherwise."""

    def __init__(self) -> None:
        self._there: dict[BloodFault, Present] = {}
        self._tube_mg_dl: float | None = None
        self._cold_mg_dl = 0.0
        self._cold_at_ms = 0

    def befall(self, fault: BloodFault, size: float, now_ms: int, *, lasts: bool) -> None:
        """A fault begins; one that does not last ends with the next sample, if it is `OF_ONE_SAMPLE`."""
        self._cool(now_ms)
        self._there[fault] = Present(size, now_ms, fault in OF_ONE_SAMPLE and not lasts)

    def mend(self, fault: BloodFault, now_ms: int) -> None:
        """A fault ends."""
        self._cool(now_ms)
        self._there.pop(fault, None)

    def late_ms(self) -> int:
        """How much later than said the next sample is drawn; to be asked once a sample."""
        minutes = self._use(BloodFault.LATE)
        return 0 if minutes is None else round(minutes * MS_PER_MIN)

    def taken(self, glucose_mg_dl: float, now_ms: int) -> float | None:
        """What the analyzer has to find in blood drawn now, mg/dL; None where no blood reaches it."""
        if self._use(BloodFault.MISSED) is not None:
            return None
        self._cool(now_ms)
        tube = glucose_mg_dl - self._cold_mg_dl
        tube += self._use(BloodFault.CONTAMINATED) or 0.0
        tube *= 1.0 - (self._use(BloodFault.DILUTED) or 0.0) / 100.0
        before, self._tube_mg_dl = self._tube_mg_dl, tube
        if self._use(BloodFault.SWAPPED) is not None and before is not None:
            tube = before
        if self._use(BloodFault.WHOLE_BLOOD) is not None:
            tube /= PLASMA_OF_WHOLE_BLOOD
        drift = self._there.get(BloodFault.DRIFT)
        if drift is not None:
            hours = (now_ms - drift.since_ms) / MS_PER_MIN / MIN_PER_H
            tube *= 1.0 + drift.size / 100.0 * hours
        return max(0.0, tube + (self._use(BloodFault.BIAS) or 0.0))

    def _use(self, fault: BloodFault) -> float | None:
        """The size of a fault that is there, for one sample."""
        present = self._there.get(fault)
        if present is None:
            return None
        if present.once:
            del self._there[fault]
        return present.size

    def _cool(self, now_ms: int) -> None:
        """The hand's temperature moves on, towards cold or back to warm."""
        cold = self._there.get(BloodFault.COLD_HAND)
        end_mg_dl = 0.0 if cold is None else cold.size
        kept = math.exp(-(now_ms - self._cold_at_ms) / MS_PER_MIN / COLD_WITHIN_MIN)
        self._cold_mg_dl = end_mg_dl + (self._cold_mg_dl - end_mg_dl) * kept
        self._cold_at_ms = now_ms
