"""How subjects of the second model differ from one another: the published spread, as data and one function.

Variances of Bizzotto 2016, 123 subjects [S] (models sheet, 3.1). Not here: drawing (a cohort does it).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from simulator.subjects.bizzotto import Parameters
from simulator.subjects.values import Value


@dataclass(frozen=True, slots=True)
class FieldSpread:
    """Variance of a parameter's logarithm, or of its logit where the parameter is a share."""

    variance: float
    share: bool = False


IIV: Mapping[str, FieldSpread] = MappingProxyType(
    {
        "km_glucose_mmol_l": FieldSpread(0.219),
        "emax_umol_min_m2": FieldSpread(0.112),
        "hill": FieldSpread(0.111),
        "km_insulin_pmol_l": FieldSpread(0.263),
        "action_half_time_min": FieldSpread(0.151),
        "volume_ml_m2": FieldSpread(0.0557),
        "slow_to_medium": FieldSpread(0.179, share=True),
        "fast_share": FieldSpread(0.773, share=True),
    }
)
"""Inter-individual variability of each field of `Parameters` that has one; the others have none."""

WIDE_IIV: Mapping[str, FieldSpread] = MappingProxyType(
    {**IIV, "emax_umol_min_m2": FieldSpread(math.log1p(0.55**2))}
)
"""With wide tails: what insulin adds to uptake spreads as the gain in `cohort.CV_WIDE_VMX` does [A]."""

CORRELATIONS: Mapping[tuple[str, str], float] = MappingProxyType({("hill", "km_insulin_pmol_l"): -0.44})
"""Correlation of the deviates of two fields; 0 where not named."""


def with_deviates(
    typical: Parameters[float], z: Iterable[Value], iiv: Mapping[str, FieldSpread] = IIV
) -> Parameters[Value]:
    """The subject, or subjects, that deviate from a typical one by `z`.

    One standard normal deviate for each entry of `iiv`, in its order and already correlated as
    `CORRELATIONS` says: a number each for one subject, an array of shape (n,) each for n (an array of
    shape (fields, n) is such rows). The typical value is the median. Raises ValueError if the number of
    deviates is not that of `iiv`.
    """
    deviates = dict(zip(iiv, z, strict=True))
    unmoved = 0.0 * deviates["hill"]  # brings the fields without spread into the shape of the others
    values = []
    for field in fields(typical):
        name, median = field.name, getattr(typical, field.name)
        values.append(_moved(median, iiv[name], deviates[name]) if name in iiv else median + unmoved)
    return Parameters(*values)


def _moved(median: float, spread: FieldSpread, deviate: Value) -> Value:
    factor: Value = math.e ** (math.sqrt(spread.variance) * deviate)
    return median * factor / (1.0 - median + median * factor) if spread.share else median * factor
