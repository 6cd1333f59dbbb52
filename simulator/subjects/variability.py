"""How a subject wavers within one clamp: seeded, stationary random walks round the typical value.

Uptake varies through eta, the deviation of log Vmx; what the blood at the sampling site says varies
through the arterialisation error (`sampling`). All sizes are engineering choices: models sheet,
section 9 [A]. Published clamps waver more than these presets.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic

import numpy as np

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

NOISES: Mapping[str, Noise] = MappingProxyType(
    {
        "none": Noise(log_vmx=_STILL, arterialisation=_STILL, assay_cv=0.0),
        "quiet": Noise(log_vmx=Wander(0.08, 40.0), arterialisation=_STILL, assay_cv=0.015),
        "noisy": Noise(log_vmx=Wander(0.25, 20.0), arterialisation=Wander(0.01, 15.0), assay_cv=0.015),
    }
)
"""`none` has no noise at all; `quiet` a slow subject and the assay; `noisy` also a wavering sampling site."""

RAMP_LEAN_PER_H = 0.02
RAMP_OBESE_PER_H = 0.05
"""Rise of Vmx during a clamp, as a fraction per hour. Direction PMC1291408, size [A]: obese 0.05 to 0.10."""

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

    `ramp_per_h` adds a steady compound rise to a logarithm: 0.05 lets e^value gain 5 % each hour.
    """

    def __init__(self, wander: Wander, deviates: Deviates[Value], ramp_per_h: float = 0.0) -> None:
        self._wander = wander
        self._deviates: Deviates[Value] = deviates
        self._ramp_per_min = math.log1p(ramp_per_h) / 60.0
        self._risen = 0.0
        self._value: Value = wander.sd * deviates()

    @property
    def value(self) -> Value:
        """Where the walk is now."""
        return self._value + self._risen

    def advance(self, minutes: float) -> Value:
        """Move on and give the new value."""
        self._value = moved(self._wander, self._value, minutes, self._deviates())
        self._risen += self._ramp_per_min * minutes
        return self.value
