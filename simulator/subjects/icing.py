"""Insulin of the second model: plasma and interstitium, as in the ICING and DISST models.

One set of constants taken whole, the DISST person's [S] (models sheet, 3.2): the sets differ in units
and must not be mixed. Volumes and flows scale with body weight, so that everything here is per kg of
body weight and per minute. Not here: what insulin does (`bizzotto`).
"""

from simulator.subjects.values import Value

VOLUME_L_KG = 4.0 / 75.0  # v, plasma and interstitium alike
RENAL_PER_MIN = 0.06  # nK
HEPATIC_PER_MIN = 0.15  # nL
HEPATIC_SATURATION_PER_UU_ML = 0.0017  # aI
EXCHANGE_PER_MIN = 0.2756 / 4.0  # nI/v: nI is 0.2756 L/min at 75 kg; scaling it with weight too is [A]
DEGRADATION_PER_MIN = 0.0324  # nC, in the interstitium

INTERSTITIAL_SHARE = EXCHANGE_PER_MIN / (EXCHANGE_PER_MIN + DEGRADATION_PER_MIN)
"""Interstitial insulin as a share of plasma insulin, once settled: 0.680."""

_LINEAR_PER_MIN = RENAL_PER_MIN + EXCHANGE_PER_MIN * (1.0 - INTERSTITIAL_SHARE)


def plasma_slopes(
    plasma_uu_ml: Value, interstitial_uu_ml: Value, entering_mu_kg_min: Value
) -> tuple[Value, Value]:
    """How fast plasma insulin I and interstitial insulin Q change, uU/mL per minute."""
    exchanged = EXCHANGE_PER_MIN * (plasma_uu_ml - interstitial_uu_ml)
    cleared = RENAL_PER_MIN * plasma_uu_ml + _hepatic(plasma_uu_ml)
    return (
        entering_mu_kg_min / VOLUME_L_KG - cleared - exchanged,
        exchanged - DEGRADATION_PER_MIN * interstitial_uu_ml,
    )


def turnover_mu_kg_min(plasma_uu_ml: Value) -> Value:
    """Insulin that must enter to keep a settled level: at the fasting level, secretion after the liver."""
    return VOLUME_L_KG * (_LINEAR_PER_MIN * plasma_uu_ml + _hepatic(plasma_uu_ml))


def settled_uu_ml(entering_mu_kg_min: Value) -> Value:
    """Plasma insulin at which `turnover_mu_kg_min` equals what enters: the positive root of a quadratic."""
    entering = entering_mu_kg_min / VOLUME_L_KG
    square = _LINEAR_PER_MIN * HEPATIC_SATURATION_PER_UU_ML
    linear = _LINEAR_PER_MIN + HEPATIC_PER_MIN - HEPATIC_SATURATION_PER_UU_ML * entering
    root: Value = (linear * linear + 4.0 * square * entering) ** 0.5
    return (root - linear) / (2.0 * square)


def _hepatic(plasma_uu_ml: Value) -> Value:
    """What the liver takes, uU/mL per minute: it saturates mildly."""
    return HEPATIC_PER_MIN * plasma_uu_ml / (1.0 + HEPATIC_SATURATION_PER_UU_ML * plasma_uu_ml)
