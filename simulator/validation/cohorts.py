"""Small cohorts clamped through the real core: the control law, limits and pumps of the product.

Published clamps are means of a group, so a group is asked here too; composite model, DeFronzo's rule.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from clampctl.study.load import load_protocol
from clampctl.study.variants import with_minutes
from simulator.subjects.values import Array
from simulator.trial import ChunkResult, Request, run_chunk

SEED = 2026
"""Any: the noise of a mean is far smaller than the tolerance it is judged by."""


@dataclass(frozen=True, slots=True)
class Group:
    """Whom to clamp, how, and for how long; insulin per m², glucose target in mg/dL."""

    phenotype: str
    dose_mu_m2_min: float
    target_mg_dl: float = 90.0
    minutes: int = 120
    noise: str = "quiet"
    subjects: int = 50


@cache
def clamped(group: Group) -> ChunkResult:
    """The group's clamps; asked twice, run once."""
    protocol = with_minutes(load_protocol("euglycemic-40"), group.minutes)
    step = replace(protocol.steps[0], insulin_mu_m2_min=group.dose_mu_m2_min, target_mg_dl=group.target_mg_dl)
    asked = Request(
        replace(protocol, steps=(step,)), "composite", group.phenotype, group.noise, SEED, group.subjects
    )
    return run_chunk(asked, 0, group.subjects)


def m_mg_kg_min(group: Group, begin_min: int, end_min: int) -> float:
    """Mean over the group of the mean GIR in a window, without space correction."""
    result = clamped(group)
    rates: Array = result.gir_mg_kg_min[begin_min:end_min, whole(result)]
    return float(rates.mean())


def insulin_uu_ml(group: Group) -> float:
    """Mean plasma insulin of the group in the last 40 min."""
    result = clamped(group)
    return float(result.scores["insulin_mean_uu_ml"][whole(result)].mean())


def measured_cv_pct(group: Group) -> float:
    """Median CV of the samples of the last hour."""
    result = clamped(group)
    return float(np.median(result.scores["glucose_cv_measured_pct"][whole(result)]))


def true_cv_pct(group: Group) -> float:
    """Median CV of true glucose, each minute of the last hour."""
    result = clamped(group)
    return float(np.median(result.scores["glucose_cv_true_pct"][whole(result)]))


def clamped_to_end(group: Group) -> int:
    """How many of the group were: a low fasting sample, or a fall to SAFE-TAIL, keeps the others from it."""
    return int(whole(clamped(group)).sum())


def whole(result: ChunkResult) -> NDArray[np.bool_]:
    """Which subjects were clamped to the end; raises ValueError where nobody was."""
    found: NDArray[np.bool_] = np.equal(result.scores["fell_back"], 0.0)
    if not found.any():
        raise ValueError("no subject of this group was clamped to the end")
    return found
