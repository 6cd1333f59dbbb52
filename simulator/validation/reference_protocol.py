"""The reference protocol of the models sheet (section 2): one subject, noise-free, the sheet's own law.

Only here to hold the plants against the sheet's figures: the product's law begins differently
(`clampctl.core.laws.defronzo`).
"""

import math
from dataclasses import dataclass
from typing import Protocol

STEP_MIN = 0.5
SAMPLE_MIN = 5
CORRECTION_PER_MIN = 10.0 * 0.19 / 15.0  # mg/kg/min per mg/dL: space 0.19 L/kg, 15 min


class Moving(Protocol):
    """A subject of either model."""

    @property
    def glucose_mg_dl(self) -> float:
        """True glucose."""

    @property
    def insulin_uu_ml(self) -> float:
        """Plasma insulin."""

    @property
    def egp_mg_kg_min(self) -> float:
        """Endogenous glucose production."""

    def advance(self, minutes: float, gir_mg_kg_min: float, insulin_mu_kg_min: float) -> None:
        """Move on with constant inputs."""


@dataclass(frozen=True, slots=True)
class Clamp:
    """A finished clamp: every half minute, a value of each."""

    glucose_mg_dl: list[float]
    insulin_uu_ml: list[float]
    egp_mg_kg_min: list[float]
    gir_mg_kg_min: list[float]


def mean(course: list[float], begin_min: int, end_min: int) -> float:
    """Mean of half-minute values over a half-open window."""
    inside = course[round(begin_min / STEP_MIN) : round(end_min / STEP_MIN)]
    return math.fsum(inside) / len(inside)


def reference_clamp(subject: Moving, dose_mu_kg_min: float, target_mg_dl: float, minutes: int = 240) -> Clamp:
    """The clamp of section 2: prime of 10 min; GIR 0, then 2 from 4 min, then by the law from 10 min on."""
    factors: list[float] = []
    metabolic: list[float] = []
    clamp = Clamp([], [], [], [])
    wanted = 0.0
    for index in range(round(minutes / STEP_MIN)):
        minute, glucose = int(index * STEP_MIN), subject.glucose_mg_dl
        if index * STEP_MIN % SAMPLE_MIN == 0.0:
            wanted = _law(target_mg_dl, glucose, factors, metabolic)
        gir = 0.0 if minute < 4 else 2.0 if minute < 10 else wanted
        clamp.glucose_mg_dl.append(glucose)
        clamp.insulin_uu_ml.append(subject.insulin_uu_ml)
        clamp.egp_mg_kg_min.append(subject.egp_mg_kg_min)
        clamp.gir_mg_kg_min.append(gir)
        prime = 221.0 / 69.0 * math.exp(-0.1164 * minute) if minute < 10 else 1.0
        subject.advance(STEP_MIN, gir, dose_mu_kg_min * prime)
    return clamp


def _law(target_mg_dl: float, glucose_mg_dl: float, factors: list[float], metabolic: list[float]) -> float:
    """r = (Gd - G) 10 · 0.19/15 + SM, SM = SM two samples ago x the last two factors; both lists grow."""
    factors.append(target_mg_dl / glucose_mg_dl)
    metabolic.append(metabolic[-2] * factors[-2] * factors[-1] if len(factors) > 2 else 4.0)
    return max(0.0, (target_mg_dl - glucose_mg_dl) * CORRECTION_PER_MIN + metabolic[-1])
