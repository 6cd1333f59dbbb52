"""Who the virtual subjects are: five phenotypes at central values, and a few graded variants.

Values [A] of the models sheet, section 2, set to published group means; not fitted to individuals.
Targets: lean M 6.2-7.8 (Bergman 1985), obese and metabolic-syndrome clearance (Mari 2001) and EGP
(Conte 2012), type 2 uptake and insulin (Diabetes 1985 34:831; Mari 2001), type 1 (Diabetologia T1D
clamps; Diabetes 2019 68:1565); insulin clearance from Gastaldelli 2021.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from clampctl.core.protocol import Refusal
from simulator.subjects.composite import Parameters

_LEAN = Parameters(
    weight_kg=70.0,
    bsa_m2=1.85,
    basal_glucose_mg_dl=90.0,
    basal_insulin_uu_ml=6.0,
    insulin_clearance_l_min_m2=0.58,
    vmx_mg_kg_min_per_pmol_l=0.066,
    km0_mg_kg=225.6,
    basal_egp_mg_kg_min=1.95,
    ic50_uu_ml=26.0,
    action_half_time_min=14.0,
    glucose_volume_dl_kg=1.88,
    k1_per_min=0.065,
    k2_per_min=0.079,
    insulin_volume_l_kg=0.055,
    secretion_slope_per_mg_dl=0.04,
    secretion_suppression=0.36,
    glucagon_share=1.0,
    adrenaline_share=1.0,
)

_OBESE = replace(
    _LEAN,
    weight_kg=103.0,
    bsa_m2=2.18,
    basal_glucose_mg_dl=94.0,
    basal_insulin_uu_ml=14.0,
    insulin_clearance_l_min_m2=0.49,
    vmx_mg_kg_min_per_pmol_l=0.0205,
    basal_egp_mg_kg_min=1.70,
    ic50_uu_ml=34.0,
    action_half_time_min=20.0,
)

_METSYN = replace(
    _LEAN,
    weight_kg=95.0,
    bsa_m2=2.08,
    basal_glucose_mg_dl=103.0,
    basal_insulin_uu_ml=15.0,
    insulin_clearance_l_min_m2=0.49,
    vmx_mg_kg_min_per_pmol_l=0.018,
    basal_egp_mg_kg_min=1.80,
    ic50_uu_ml=38.0,
    action_half_time_min=20.0,
)

_T2D = replace(
    _LEAN,
    weight_kg=92.0,
    bsa_m2=2.05,
    basal_glucose_mg_dl=155.0,
    basal_insulin_uu_ml=15.0,
    insulin_clearance_l_min_m2=0.54,
    vmx_mg_kg_min_per_pmol_l=0.028,
    km0_mg_kg=300.0,
    basal_egp_mg_kg_min=2.20,
    ic50_uu_ml=42.0,
    action_half_time_min=22.0,
    glucose_volume_dl_kg=1.60,
    k1_per_min=0.055,
    k2_per_min=0.075,
    secretion_slope_per_mg_dl=0.01,
)

_T1D = replace(
    _LEAN,
    weight_kg=75.0,
    bsa_m2=1.90,
    basal_glucose_mg_dl=100.0,
    basal_insulin_uu_ml=14.0,
    vmx_mg_kg_min_per_pmol_l=0.034,
    basal_egp_mg_kg_min=2.20,
    ic50_uu_ml=30.0,
    action_half_time_min=16.0,
    secretion_slope_per_mg_dl=0.0,
    secretion_suppression=0.0,
    glucagon_share=0.0,  # lost within years of onset; adrenaline is blunted (Diabetes 1983 32:493)
    adrenaline_share=0.5,
)

PHENOTYPES: Mapping[str, Parameters[float]] = MappingProxyType(
    {"lean": _LEAN, "obese": _OBESE, "metsyn": _METSYN, "t2d": _T2D, "t1d": _T1D}
)

VARIANTS: Mapping[str, Parameters[float]] = MappingProxyType(
    {
        # insulin levels of other assay eras; M of the lean subject stays near 7
        "lean_modern_assay": replace(
            _LEAN, insulin_clearance_l_min_m2=0.73, vmx_mg_kg_min_per_pmol_l=0.082, ic50_uu_ml=22.0
        ),
        "lean_classic_ria": replace(_LEAN, insulin_clearance_l_min_m2=0.42, vmx_mg_kg_min_per_pmol_l=0.046),
        "t2d_mild": replace(_T2D, vmx_mg_kg_min_per_pmol_l=0.028 * 1.6),
        "t2d_severe": replace(_T2D, vmx_mg_kg_min_per_pmol_l=0.028 * 0.6),
    }
)
"""Graded relatives of the five (section 2 [A]); named like phenotypes wherever one is asked for."""


def typical(phenotype: str, weight_kg: float | None = None, bsa_m2: float | None = None) -> Parameters[float]:
    """The typical subject of a phenotype or variant, in another body if one is given.

    A weight without a body surface takes the surface with it as (weight/typical)^0.5 (section 8 [A]).
    Refuses an unknown name, and a body that is not one.
    """
    known = {**PHENOTYPES, **VARIANTS}
    if phenotype not in known:
        raise Refusal("phenotype", f"{phenotype!r} is not a phenotype; known are {', '.join(known)}.")
    parameters = known[phenotype]
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
