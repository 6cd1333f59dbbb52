"""What a subject of the second model settles to when glucose is held and insulin runs for ever: algebra.

The glucose infusion rate found here is the subject's true M at that glucose and insulin.
"""

from dataclasses import dataclass
from typing import Generic

from simulator.subjects.bizzotto import (
    Basal,
    Parameters,
    State,
    drive,
    egp_mg_kg_min,
    settled,
    uptake_mg_kg_min,
)
from simulator.subjects.icing import settled_uu_ml
from simulator.subjects.values import Value


@dataclass(frozen=True, slots=True)
class Equilibrium(Generic[Value]):
    """A state that stays, and the infusion that keeps it; negative where glucose would have to be removed."""

    state: State[Value]
    gir_mg_kg_min: Value


def equilibrium(
    p: Parameters[Value], b: Basal[Value], glucose_mg_dl: Value, insulin_mu_kg_min: Value
) -> Equilibrium[Value]:
    """All derivatives of `bizzotto.derivative` zero at a given glucose and insulin infusion, eta 0."""
    insulin = settled_uu_ml(insulin_mu_kg_min + b.secretion_mu_kg_min)
    state = settled(p, glucose_mg_dl, insulin)
    driven = drive(p, b, state.insulin, 1.0 + 0.0 * insulin)
    uptake = uptake_mg_kg_min(p, driven.uptake_limit_umol_min_m2, state.glucose)
    return Equilibrium(state, uptake - egp_mg_kg_min(p, driven, state.glucose))
