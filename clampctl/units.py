"""The only conversions between units: plain floats with the unit in the name.

Not here: text with a unit (`study.quantities`), limits and rounding (`core.interlocks`).
"""

MG_DL_PER_MMOL_L = 18.0156
"""Glucose, molar mass 180.156 g/mol (reference clamp-method 3.4)."""

UMOL_PER_MG = 1000.0 / 180.156
"""Glucose, µmol per mg: 1 mg/kg/min is 5.5507 µmol/kg/min (clamp-method 3.4)."""

PMOL_L_PER_UU_ML = 6.00
"""Insulin (Knopp 2019, 10.1177/1932296818805074); the common 6.945 is about 15 % off."""

ANHYDROUS_PER_MONOHYDRATE = 180.156 / 198.17
"""Mass of glucose in dextrose monohydrate, 0.9091 (clamp-method 1.4)."""

MS_PER_MIN = 60_000


def mg_dl_from_mmol_l(glucose_mmol_l: float) -> float:
    """Glucose in mg/dL from mmol/L."""
    return glucose_mmol_l * MG_DL_PER_MMOL_L


def mmol_l_from_mg_dl(glucose_mg_dl: float) -> float:
    """Glucose in mmol/L from mg/dL."""
    return glucose_mg_dl / MG_DL_PER_MMOL_L


def umol_kg_min_from_mg_kg_min(gir_mg_kg_min: float) -> float:
    """Glucose infusion rate or M value in µmol/kg/min from mg/kg/min."""
    return gir_mg_kg_min * UMOL_PER_MG


def dextrose_ul_h(gir_mg_kg_min: float, weight_kg: float, dextrose_g_l: float) -> float:
    """Pump rate in µL/h that delivers a glucose infusion rate (GIR) from a given bag.

    1 g/L is 1 mg/mL, so mL/h = GIR x weight x 60 / (g/L); 1000 µL per mL. `dextrose_g_l` is
    anhydrous glucose: a label may count the monohydrate, about 9 % less. Neither limited nor rounded.
    """
    return gir_mg_kg_min * weight_kg * 60.0 / dextrose_g_l * 1000.0


def gir_mg_kg_min(rate_ul_h: float, weight_kg: float, dextrose_g_l: float) -> float:
    """Glucose infusion rate that a pump rate gives: the inverse of `dextrose_ul_h`."""
    return rate_ul_h / 1000.0 * dextrose_g_l / 60.0 / weight_kg


def insulin_ul_h(dose_mu_m2_min: float, bsa_m2: float, insulin_mu_ml: float) -> float:
    """Pump rate in µL/h for an insulin dose: dose x BSA x 60 / concentration (clamp-method 1.3)."""
    return dose_mu_m2_min * bsa_m2 * 60.0 / insulin_mu_ml * 1000.0


def insulin_mu_m2_min(rate_ul_h: float, bsa_m2: float, insulin_mu_ml: float) -> float:
    """Insulin dose that a pump rate gives: the inverse of `insulin_ul_h`."""
    return rate_ul_h / 1000.0 * insulin_mu_ml / 60.0 / bsa_m2


def minutes_from_ms(duration_ms: int) -> float:
    """Minutes from integer milliseconds."""
    return duration_ms / MS_PER_MIN
