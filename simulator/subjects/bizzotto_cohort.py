"""Cohorts of the second model: people round a typical one with the published spread, and nothing else.

What the source tells to vary between people varies (`bizzotto_spread`, [S]); body, fasting glucose and
insulin, and the hold of insulin on the liver are the phenotype's, since it gives no spread of theirs. Seeds,
streams and truncation are those of the default model's cohorts (`cohort`).
"""

import numpy as np
from numpy.typing import NDArray

from simulator.subjects.bizzotto import Parameters
from simulator.subjects.bizzotto_phenotypes import typical
from simulator.subjects.bizzotto_ring import ring
from simulator.subjects.bizzotto_spread import CORRELATIONS, IIV, WIDE_IIV, with_deviates
from simulator.subjects.cohort import drawn
from simulator.subjects.values import Array


def cohort(phenotype: str, seed: int, first: int, count: int, wide: bool = False) -> Parameters[Array]:
    """Members `first` to `first + count - 1` of a phenotype's cohort, side by side.

    Drawn again where a deviate lies beyond `cohort.Z_MAX`, or where the glucose volume would leave none for
    the periphery. `wide` gives uptake the wider tails of qualification. Refuses an unknown phenotype.
    """
    return sampled(typical(phenotype), seed, first, count, wide)


def sampled(
    centre: Parameters[float], seed: int, first: int, count: int, wide: bool = False
) -> Parameters[Array]:
    """Members round any centre. Raises ValueError where none would live, since the centre is no subject."""
    iiv = WIDE_IIV if wide else IIV

    def lives(deviates: Array) -> NDArray[np.bool_]:
        p = with_deviates(centre, deviates, iiv)
        fast = ring(p.volume_ml_m2, p.fast_share, p.slow_to_medium).fast_per_min
        return np.asarray(fast > 0.0)

    members = range(first, first + count)
    return with_deviates(centre, drawn(tuple(iiv), CORRELATIONS, seed, members, lives), iiv)
