"""What a subject settles to when glucose is held and insulin runs for ever: algebra, no controller.

The glucose infusion rate found here is the subject's true M at that glucose and insulin.
"""

from dataclasses import dataclass
from typing import Generic

from simulator.subjects import counterregulation
from simulator.subjects.composite import (
    Basal,
    Parameters,
    State,
    brain_uptake_mg_kg_min,
    egp_mg_kg_min,
    excretion_mg_kg_min,
    insulin_secretion_mu_kg_min,
    uptake_limit_mg_kg_min,
    uptake_mg_kg_min,
)
from simulator.subjects.insulin_kinetics import CLEARANCE_SATURATION_PER_UU_ML
from simulator.subjects.values import Value

_ITERATIONS = 80  # each gains at least a factor of two below 1600 uU/mL, far more at clamp doses


@dataclass(frozen=True, slots=True)
class Equilibrium(Generic[Value]):
    """A state that stays, and the infusion that keeps it; negative where glucose would have to be removed."""

    state: State[Value]
    gir_mg_kg_min: Value


def equilibrium(
    p: Parameters[Value], b: Basal[Value], glucose_mg_dl: Value, insulin_mu_kg_min: Value
) -> Equilibrium[Value]:
    """All derivatives of `composite.derivative` zero at a given glucose and insulin infusion, eta 0.

    Insulin solves u + S = CL I by fixed point: only the mild saturation of CL and the suppression of
    S depend on I, so it contracts up to some 1600 uU/mL. Tissue glucose solves a quadratic.
    """
    insulin = b.state.insulin_uu_ml
    for _ in range(_ITERATIONS):
        entering = insulin_mu_kg_min + insulin_secretion_mu_kg_min(p, b, glucose_mg_dl, insulin)
        saturation = 1.0 + CLEARANCE_SATURATION_PER_UU_ML * insulin
        insulin = entering * saturation / b.clearance_without_insulin_l_kg_min
    plasma = glucose_mg_dl * p.glucose_volume_dl_kg
    below = counterregulation.depth_mg_dl(glucose_mg_dl)
    empty = State(plasma, 0.0 * plasma, *(insulin,) * 6, p.glucagon_share * below, p.adrenaline_share * below)
    limit = uptake_limit_mg_kg_min(p, b, empty, 1.0 + 0.0 * insulin)
    state = empty._replace(tissue_glucose_mg_kg=_tissue_mg_kg(p, plasma, limit))
    leaving = (
        brain_uptake_mg_kg_min(glucose_mg_dl)
        + excretion_mg_kg_min(p, plasma)
        + uptake_mg_kg_min(p, b, state, 1.0 + 0.0 * insulin)
    )
    return Equilibrium(state, leaving - egp_mg_kg_min(p, b, state))


def _tissue_mg_kg(p: Parameters[Value], plasma_mg_kg: Value, limit_mg_kg_min: Value) -> Value:
    """Positive root of k1 Gp - k2 Gt = limit Gt / (Km0 + Gt)."""
    entering = p.k1_per_min * plasma_mg_kg
    linear = p.k2_per_min * p.km0_mg_kg + limit_mg_kg_min - entering
    root: Value = (linear * linear + 4.0 * p.k2_per_min * entering * p.km0_mg_kg) ** 0.5
    return (root - linear) / (2.0 * p.k2_per_min)
