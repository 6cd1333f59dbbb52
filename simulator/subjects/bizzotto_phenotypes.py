"""Who the subjects of the second model are: the published typical one, and five phenotypes beside it.

`typical` is the median of 123 normal and diabetic subjects (Bizzotto 2016 [S]) in a body of the models
sheet, section 3.1 [A]. The source gives no phenotypes. Those here are [A]: body, basal levels and IC50
of the default model's phenotypes, with Emax and KmI, the two places where insulin resistance can sit,
moved until two published means are met: M at 40 mU/m²/min once settled (`SETTLED_M_MG_KG_MIN`), and glucose
clearance at 120 (`CLEARANCE_ML_MIN_M2`). Insulin kinetics are the same for all. All lie within 2.5
published standard deviations (`bizzotto_spread`) of the typical one. Not fitted to individuals.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from clampctl.core.protocol import Refusal
from simulator.subjects.bizzotto import Parameters

_TYPICAL = Parameters(
    weight_kg=75.0,
    bsa_m2=1.85,
    basal_glucose_mg_dl=90.0,
    basal_insulin_uu_ml=8.0,
    km_glucose_mmol_l=3.88,
    emax_umol_min_m2=4812.0,
    hill=1.62,
    km_insulin_pmol_l=784.0,
    action_half_time_min=15.9,
    volume_ml_m2=12648.0,
    fast_share=0.609,
    slow_to_medium=0.0582,
    ic50_uu_ml=26.0,
)

_LEAN = replace(
    _TYPICAL,
    weight_kg=70.0,
    basal_insulin_uu_ml=6.0,
    emax_umol_min_m2=3900.0,
    km_insulin_pmol_l=490.0,
)

_OBESE = replace(
    _TYPICAL,
    weight_kg=103.0,
    bsa_m2=2.18,
    basal_glucose_mg_dl=94.0,
    basal_insulin_uu_ml=14.0,
    emax_umol_min_m2=3350.0,
    km_insulin_pmol_l=542.0,
    ic50_uu_ml=34.0,
)

_METSYN = replace(
    _TYPICAL,
    weight_kg=95.0,
    bsa_m2=2.08,
    basal_glucose_mg_dl=103.0,
    basal_insulin_uu_ml=15.0,
    emax_umol_min_m2=3100.0,
    km_insulin_pmol_l=630.0,
    ic50_uu_ml=38.0,
)

_T2D = replace(
    _TYPICAL,
    weight_kg=92.0,
    bsa_m2=2.05,
    basal_glucose_mg_dl=155.0,
    basal_insulin_uu_ml=15.0,
    emax_umol_min_m2=2220.0,
    km_insulin_pmol_l=572.0,
    ic50_uu_ml=42.0,
)

_T1D = replace(
    _TYPICAL,
    bsa_m2=1.90,
    basal_glucose_mg_dl=100.0,
    basal_insulin_uu_ml=14.0,
    km_insulin_pmol_l=862.0,
    ic50_uu_ml=30.0,
)

PHENOTYPES: Mapping[str, Parameters[float]] = MappingProxyType(
    {"typical": _TYPICAL, "lean": _LEAN, "obese": _OBESE, "metsyn": _METSYN, "t2d": _T2D, "t1d": _T1D}
)

SETTLED_M_MG_KG_MIN: Mapping[str, float] = MappingProxyType(
    {
        "lean": 7.0,  # Bergman 1985: 6.9 at 80-120 min, a little below the settled value
        "obese": 4.2,  # as in the default model
        "metsyn": 3.75,  # as in the default model
        "t2d": 3.2,  # at 100 mg/dL; 2 to 4 wanted, between severe and mild cases
        "t1d": 5.5,  # 22 % below lean, Diabetes 2019 68:1565
    }
)
"""Target M at 40 mU/m²/min, glucose and insulin settled at 90 mg/dL (`t2d` 100) [A]."""

CLEARANCE_ML_MIN_M2: Mapping[str, float] = MappingProxyType(
    {
        "lean": 440.0,
        "obese": 362.0,
        "metsyn": 330.0,  # [A], between obese and t2d
        "t2d": 239.0,
    }
)
"""Target glucose clearance at 120 mU/m²/min, settled (Mari 2001, Diabetes Care 24:539); `t1d` keeps Emax."""


def typical(phenotype: str, weight_kg: float | None = None, bsa_m2: float | None = None) -> Parameters[float]:
    """The typical subject of a phenotype, in another body if one is given.

    A weight without a body surface takes the surface with it as (weight/typical)^0.5 (section 8 [A]).
    Refuses an unknown name, and a body that is not one.
    """
    if phenotype not in PHENOTYPES:
        raise Refusal("phenotype", f"{phenotype!r} is not a phenotype; known are {', '.join(PHENOTYPES)}.")
    parameters = PHENOTYPES[phenotype]
    if weight_kg is not None:
        _require_positive("weight", weight_kg, "kg")
        surface: float = parameters.bsa_m2 * (weight_kg / parameters.weight_kg) ** 0.5
        parameters = replace(parameters, weight_kg=weight_kg, bsa_m2=surface)
    if bsa_m2 is not None:
        _require_positive("body surface", bsa_m2, "m**2")
        parameters = replace(parameters, bsa_m2=bsa_m2)
    return parameters


def _require_positive(field: str, value: float, unit: str) -> None:
    if not 0.0 < value < float("inf"):
        raise Refusal(field, f"{field} is {value:g} {unit}; expected a number above zero.")
