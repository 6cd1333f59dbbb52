"""Cohorts: virtual subjects who differ as people do, log-normal round a typical one.

Spread, correlations and truncation of the models sheet, section 8 [A] (evidence there: Bizzotto 2016,
Denti 2010, Natali 2000, PMC7881859). Every member draws from a stream of his own, keyed by seed and
index: member i is the same person whatever the size of the cohort and however it is cut in chunks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from simulator.subjects.composite import Parameters, basal_uptake_mg_kg_min
from simulator.subjects.phenotypes import typical
from simulator.subjects.values import Array

Z_MAX = 2.5
"""A member further out than this in any parameter is drawn again."""

CV_TYPICAL: Mapping[str, float] = MappingProxyType(
    {
        "vmx_mg_kg_min_per_pmol_l": 0.42,
        "basal_insulin_uu_ml": 0.40,
        "insulin_clearance_l_min_m2": 0.18,
        "ic50_uu_ml": 0.30,
        "action_half_time_min": 0.30,
        "basal_egp_mg_kg_min": 0.12,
        "glucose_volume_dl_kg": 0.08,
        "k1_per_min": 0.15,
        "k2_per_min": 0.15,
        "insulin_volume_l_kg": 0.20,
        "basal_glucose_mg_dl": 0.05,
        "weight_kg": 0.13,
    }
)
"""Coefficients of variation between people; body surface follows weight, the rest does not vary."""

CV_WIDE_VMX = 0.55
"""Uptake gain with wide tails: the reported spread of healthy M is wider than 0.42 gives (section 8)."""

CV_T2D_GLUCOSE = 0.20

DRAWS_MAX = 1000
"""A person not found in so many draws cannot be: the centre itself has no fasting state."""

CORRELATIONS: Mapping[tuple[str, str], float] = MappingProxyType(
    {
        ("vmx_mg_kg_min_per_pmol_l", "basal_insulin_uu_ml"): -0.6,
        ("vmx_mg_kg_min_per_pmol_l", "insulin_clearance_l_min_m2"): 0.5,
        ("basal_insulin_uu_ml", "insulin_clearance_l_min_m2"): -0.45,
        ("vmx_mg_kg_min_per_pmol_l", "ic50_uu_ml"): -0.4,
        ("basal_insulin_uu_ml", "ic50_uu_ml"): 0.4,
        ("vmx_mg_kg_min_per_pmol_l", "action_half_time_min"): -0.2,  # its sign is open (Natali 2000)
        ("vmx_mg_kg_min_per_pmol_l", "weight_kg"): -0.3,
        ("basal_insulin_uu_ml", "weight_kg"): 0.3,
        ("insulin_clearance_l_min_m2", "weight_kg"): -0.2,
        ("basal_glucose_mg_dl", "vmx_mg_kg_min_per_pmol_l"): -0.2,
        ("k1_per_min", "k2_per_min"): 0.3,
    }
)
"""Between the normal deviates; pairs not listed are independent."""


class Stream(IntEnum):
    """What a member's random numbers are for; each purpose has a stream of its own."""

    BODY = 0
    UPTAKE = 1
    SAMPLING = 2


@dataclass(frozen=True, slots=True)
class Spread:
    """How the members of a cohort differ from the typical subject."""

    cv: Mapping[str, float]
    correlations: Mapping[tuple[str, str], float]


def spread_of(phenotype: str, wide: bool = False) -> Spread:
    """The spread of a phenotype or variant; `wide` gives uptake the wider tails of qualification."""
    cv, correlations = dict(CV_TYPICAL), dict(CORRELATIONS)
    if wide:
        cv["vmx_mg_kg_min_per_pmol_l"] = CV_WIDE_VMX
    if phenotype.startswith("t2d"):
        cv["basal_glucose_mg_dl"] = CV_T2D_GLUCOSE
    if phenotype.startswith("t1d"):
        correlations["vmx_mg_kg_min_per_pmol_l", "insulin_clearance_l_min_m2"] = 0.0
    return Spread(cv, correlations)


def member_generator(seed: int, index: int, stream: Stream) -> np.random.Generator:
    """The random numbers of one member for one purpose: Philox keyed by seed and index.

    The stream is the counter's top word, so no two ever meet. Raises ValueError for a negative seed.
    """
    if seed < 0 or index < 0:
        raise ValueError(f"seed {seed} and index {index} must not be negative")
    return np.random.Generator(np.random.Philox(key=[seed, index], counter=[0, 0, 0, stream.value]))


def cohort(phenotype: str, seed: int, first: int, count: int, wide: bool = False) -> Parameters[Array]:
    """Members `first` to `first + count - 1` of a phenotype's cohort, side by side."""
    return sampled(typical(phenotype), spread_of(phenotype, wide), seed, first, count)


def sampled(
    centre: Parameters[float], spread: Spread, seed: int, first: int, count: int
) -> Parameters[Array]:
    """Members round any centre: median the centre's value, sigma of the logarithm √ln(1 + CV²).

    Drawn again where a deviate lies beyond `Z_MAX`, or where basal uptake would not be positive.
    Raises ValueError where that does not end, since the centre is no subject.
    """

    def lives(deviates: Array) -> NDArray[np.bool_]:
        return basal_uptake_mg_kg_min(_members(centre, spread, deviates)) > 0.0

    names, members = tuple(spread.cv), range(first, first + count)
    return _members(centre, spread, drawn(names, spread.correlations, seed, members, lives))


def drawn(
    names: Sequence[str],
    correlations: Mapping[tuple[str, str], float],
    seed: int,
    members: range,
    lives: Callable[[Array], NDArray[np.bool_]],
) -> Array:
    """Correlated standard normal deviates, a row for each name and a column for each member.

    Drawn again where one lies beyond `Z_MAX`, or where whoever has these deviates does not live. Raises
    ValueError where that does not end.
    """
    factor = _cholesky(names, correlations)
    generators = [member_generator(seed, index, Stream.BODY) for index in members]
    deviates = np.empty((len(names), len(members)))
    pending = np.arange(len(members))
    for _ in range(DRAWS_MAX):
        normals = np.stack([generators[k].standard_normal(len(names)) for k in pending], axis=1)
        found = _correlated(factor, normals)
        deviates[:, pending] = found
        pending = pending[(np.abs(found) > Z_MAX).any(axis=0) | ~lives(found)]
        if not pending.size:
            return deviates
    raise ValueError("no member of this cohort has a fasting equilibrium")


def _members(centre: Parameters[float], spread: Spread, deviates: Array) -> Parameters[Array]:
    """People from deviates of shape (parameters, people)."""
    varied: dict[str, Array] = {}
    for row, (name, cv) in zip(deviates, spread.cv.items(), strict=True):
        varied[name] = getattr(centre, name) * np.exp(np.sqrt(np.log1p(cv * cv)) * row)
    heavier: Array = varied["weight_kg"] / centre.weight_kg
    varied["bsa_m2"] = centre.bsa_m2 * np.sqrt(heavier)
    n = deviates.shape[1]
    same = {f.name: np.full(n, getattr(centre, f.name)) for f in fields(centre) if f.name not in varied}
    return Parameters(**varied, **same)


def _cholesky(names: Sequence[str], correlations: Mapping[tuple[str, str], float]) -> Array:
    """The lower factor of the correlation matrix, rows in the order of the names."""
    order = {name: row for row, name in enumerate(names)}
    matrix = np.eye(len(order))
    for (one, other), correlation in correlations.items():
        matrix[order[one], order[other]] = matrix[order[other], order[one]] = correlation
    return np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)


def _correlated(factor: Array, normals: Array) -> Array:
    """`factor @ normals`, term by term: a matrix product rounds differently for other numbers of people."""
    found = np.zeros_like(normals)
    for column, row in enumerate(normals):
        found += factor[:, column, np.newaxis] * row
    return found
