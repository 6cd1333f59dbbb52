"""How a subject wavers within one clamp: seeded, stationary random walks round the typical value.

Uptake varies through eta, the deviation of log Vmx; what the blood at the sampling site says varies
through the arterialisation error (`sampling`); a drift moves everybody's uptake the same way. All sizes
are engineering choices [A]: `quiet` and `noisy` of the default model are those of the models sheet,
section 9; the others are set so that clamps waver by what was wanted. Measured CV of samples in %, true CV
in brackets (lean, 40 mU/m²/min, DeFronzo, last hour of 180 min, median of 200 subjects, seed 1;
`python -m simulator.calibration` tells them again):

    preset   wanted   composite     bizzotto
    none        -     0.1 (0.1)     0.2 (0.1)
    quiet      2.5    1.9 (0.9)     2.5 (1.7)
    noisy      3.3    2.6 (1.8)     3.3 (2.6)
    harsh      5.0    5.0 (3.8)     4.9 (3.7)

Published clamps have 5.1 and 5.7 (V22): only `harsh` is as harsh as life.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic

import numpy as np

from clampctl.core.protocol import Refusal
from simulator.subjects.values import Array, Value


@dataclass(frozen=True, slots=True)
class Wander:
    """An Ornstein-Uhlenbeck process round zero: its lasting spread and its memory."""

    sd: float
    tau_min: float


@dataclass(frozen=True, slots=True)
class Noise:
    """All the noise of one preset; `assay_cv` is a fraction of the value."""

    log_vmx: Wander
    arterialisation: Wander
    assay_cv: float


_STILL = Wander(sd=0.0, tau_min=1.0)

_ASSAY_CV = 0.015

_SITE = Wander(sd=0.01, tau_min=15.0)

HARSH_ASSAY_CV = 0.02
"""The most a YSI is said to have (models sheet, section 10 [S])."""

HARSH_SITE = Wander(sd=0.03, tau_min=15.0)
"""Arterialised less arterial blood: 95 % within 0.6 mmol/L (section 10 [S]), an SD of 3 % of 5 mmol/L."""

NOISES: Mapping[str, Noise] = MappingProxyType(
    {
        "none": Noise(_STILL, _STILL, 0.0),
        "quiet": Noise(Wander(0.08, 40.0), _STILL, _ASSAY_CV),
        "noisy": Noise(Wander(0.25, 20.0), _SITE, _ASSAY_CV),
        "harsh": Noise(Wander(0.60, 20.0), HARSH_SITE, HARSH_ASSAY_CV),
    }
)
"""Presets of the default model: `none` has no noise at all; `quiet` a slow subject and the assay; `noisy`
also a wavering sampling site; `harsh` wavers as published clamps do."""

BIZZOTTO_NOISES: Mapping[str, Noise] = MappingProxyType(
    {
        "none": Noise(_STILL, _STILL, 0.0),
        "quiet": Noise(Wander(0.10, 40.0), _STILL, _ASSAY_CV),
        "noisy": Noise(Wander(0.135, 20.0), _SITE, _ASSAY_CV),
        "harsh": Noise(Wander(0.18, 20.0), HARSH_SITE, HARSH_ASSAY_CV),
    }
)
"""Presets of the second model, where eta moves the whole clearance, the basal part too: a given size is far
harsher than on uptake by insulin alone."""

RAMP_LEAN_PER_H = 0.02
RAMP_OBESE_PER_H = 0.05
"""Rise of Vmx during a clamp, as a fraction per hour. Direction PMC1291408, size [A]: obese 0.05 to 0.10."""

STEP = 0.25
STEP_WITHIN_MIN = 10.0
"""The stress of section 9 [A]: Vmx moves by a quarter within 10 min."""

STEP_FROM_MIN = 60.0
"""When it begins [A]: insulin has long acted, and half of a clamp of 120 min is left to see it."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A change of uptake that everybody of a trial undergoes beside the noise.

    `ramp_per_h` is a steady compound rise: 0.05 lets uptake gain 5 % each hour. `step` is a change by that
    fraction, linear from minute `step_from_min` on within `step_within_min`, and lasting.
    """

    ramp_per_h: float = 0.0
    step: float = 0.0
    step_from_min: float = STEP_FROM_MIN
    step_within_min: float = STEP_WITHIN_MIN

    def log_at(self, minute: float) -> float:
        """The logarithm of what uptake is multiplied by."""
        share = min(1.0, max(0.0, (minute - self.step_from_min) / self.step_within_min))
        return minute / 60.0 * math.log1p(self.ramp_per_h) + math.log1p(self.step * share)


STEADY = Drift()

DRIFTS: Mapping[str, Drift] = MappingProxyType(
    {
        "none": STEADY,
        "ramp-lean": Drift(ramp_per_h=RAMP_LEAN_PER_H),
        "ramp-obese": Drift(ramp_per_h=RAMP_OBESE_PER_H),
        "step-up": Drift(step=STEP),
        "step-down": Drift(step=-STEP),
    }
)
"""Drifts by name; their minutes count from where the walk begins, in a trial a minute before insulin."""


def drift_named(name: str) -> Drift:
    """The drift of that name. Refuses any other."""
    if name not in DRIFTS:
        raise Refusal("drift", f"{name!r} is not a drift; known are {', '.join(DRIFTS)}.")
    return DRIFTS[name]


Deviates = Callable[[], Value]
"""A source of standard normal deviates: a number, or an array with one for each subject."""


def deviates(generator: np.random.Generator) -> Deviates[float]:
    """Deviates for one subject."""
    return lambda: float(generator.standard_normal())


def deviates_for(generator: np.random.Generator, n: int) -> Deviates[Array]:
    """Independent deviates for n subjects."""
    return lambda: generator.standard_normal(n)


def moved(wander: Wander, value: Value, minutes: float, deviate: Value) -> Value:
    """The process `minutes` later; exact, so the result does not depend on how time is cut."""
    kept = math.exp(-minutes / wander.tau_min)
    return kept * value + wander.sd * math.sqrt(1.0 - kept * kept) * deviate


class Walk(Generic[Value]):
    """One wandering value moving through time, stationary from its start.

    `drift` is added to the value, which is then a logarithm: e^value goes as the drift says.
    """

    def __init__(self, wander: Wander, deviates: Deviates[Value], drift: Drift = STEADY) -> None:
        self._wander = wander
        self._deviates: Deviates[Value] = deviates
        self._drift = drift
        self._at_min = 0.0
        self._value: Value = wander.sd * deviates()

    @property
    def value(self) -> Value:
        """Where the walk is now."""
        return self._value + self._drift.log_at(self._at_min)

    def advance(self, minutes: float) -> Value:
        """Move on and give the new value."""
        self._value = moved(self._wander, self._value, minutes, self._deviates())
        self._at_min += minutes
        return self.value
