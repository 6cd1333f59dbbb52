"""Insulin of the composite model in the blood: cleared from plasma, exchanged with a second compartment.

One compartment alone loses a clamp's insulin within ten minutes of the stop; measured insulin falls in
two phases (Sorensen 1985, p. 288) and after an unprimed start still rises at two hours (Katz 2000). The
second compartment, as ICING has one (models sheet, 3.2), clears nothing and rests at the plasma
level, so every level under a constant infusion is that of section 2 unchanged. Rates are per kg of
body weight and per minute. Not here: secretion (`composite`), the insulin of the second model (`icing`).
"""

from typing import Generic, NamedTuple

from simulator.subjects.values import Value

CLEARANCE_SATURATION_PER_UU_ML = 0.0006
CLEARANCE_REFERENCE_UU_ML = 80.0  # the insulin level at which the metabolic clearance rate is quoted

SECOND_VOLUME_L_M2 = 3.56
"""With plasma 0.15 L/kg in a lean subject, near the 0.157 L/kg of Sherwin 1974 (JCI 53:1481) [R].

This and the flow are one set for everybody [A], chosen against three published courses at once (insulin
after the stop, its rise with a prime in Sorensen and without in Katz) and the clamp table of section 2.
"""
EXCHANGE_L_MIN_M2 = 0.137  # flow between the two; they meet with a time constant of 26 min
FILLING_PER_MIN = EXCHANGE_L_MIN_M2 / SECOND_VOLUME_L_M2


class Slopes(NamedTuple, Generic[Value]):
    """How fast insulin changes, uU/mL per minute, and the level that drives its effects, uU/mL."""

    plasma: Value
    second: Value
    driving_uu_ml: Value


def clearance_without_insulin_l_kg_min(clearance_l_min_m2: Value, surface_m2_kg: Value) -> Value:
    """CL0 from the metabolic clearance rate, which is quoted at 80 uU/mL."""
    at_reference = 1.0 + CLEARANCE_SATURATION_PER_UU_ML * CLEARANCE_REFERENCE_UU_ML
    return clearance_l_min_m2 * at_reference * surface_m2_kg


def clearance_l_kg_min(without_insulin_l_kg_min: Value, insulin_uu_ml: Value) -> Value:
    """Clearance CL: falls mildly as insulin rises (Natali 2000: saturation stays mild)."""
    return without_insulin_l_kg_min / (1.0 + CLEARANCE_SATURATION_PER_UU_ML * insulin_uu_ml)


def slopes(
    insulin_uu_ml: Value,
    second_uu_ml: Value,
    entering_mu_kg_min: Value,
    clearance_without_insulin_l_kg_min: Value,
    exchange_l_kg_min: Value,
    volume_l_kg: Value,
) -> Slopes[Value]:
    """Insulin enters plasma, is cleared there, and passes to and fro [A].

    Clearance saturates as the second compartment fills: receptors are taken up with a delay. Its effects
    follow the insulin that leaves plasma, told as the level that would clear as much: what goes into
    the tissue acts there, so that the delays of section 2 keep their meaning and their values.
    """
    gradient = insulin_uu_ml - second_uu_ml
    cleared = clearance_l_kg_min(clearance_without_insulin_l_kg_min, second_uu_ml) * insulin_uu_ml
    leaving = cleared + exchange_l_kg_min * gradient
    return Slopes(
        (entering_mu_kg_min - leaving) / volume_l_kg,
        FILLING_PER_MIN * gradient,
        leaving / clearance_l_kg_min(clearance_without_insulin_l_kg_min, insulin_uu_ml),
    )
