"""One typical subject without a controller: settled for ever, or with glucose held minute by minute.

Composite model. Whole-body uptake Rd is that of tissue and brain; clamp clearance is GIR by glucose.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from simulator.subjects.composite import (
    Parameters,
    Subject,
    basal,
    brain_uptake_mg_kg_min,
    insulin_secretion_mu_kg_min,
    uptake_mg_kg_min,
)
from simulator.subjects.composite import egp_mg_kg_min as production_mg_kg_min
from simulator.subjects.courses import PRIME
from simulator.subjects.equilibrium import equilibrium
from simulator.subjects.phenotypes import typical
from simulator.subjects.run import Row, held
from simulator.validation.reference_protocol import mean, reference_clamp

HELD_MIN = 301
HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Settled:
    """A subject whose glucose and insulin have stood still for ever."""

    gir_mg_kg_min: float
    insulin_uu_ml: float
    egp_mg_kg_min: float
    rd_mg_kg_min: float
    secretion_mu_kg_min: float


def settled(p: Parameters[float], glucose_mg_dl: float, insulin_mu_kg_min: float) -> Settled:
    """The algebraic steady state at a glucose and an insulin infusion."""
    b = basal(p)
    found = equilibrium(p, b, glucose_mg_dl, insulin_mu_kg_min)
    insulin = found.state.insulin_uu_ml
    return Settled(
        found.gir_mg_kg_min,
        insulin,
        production_mg_kg_min(p, b, found.state),
        uptake_mg_kg_min(p, b, found.state, 1.0) + brain_uptake_mg_kg_min(glucose_mg_dl),
        insulin_secretion_mu_kg_min(p, b, glucose_mg_dl, insulin),
    )


def settled_at_insulin(p: Parameters[float], glucose_mg_dl: float, insulin_uu_ml: float) -> Settled:
    """The steady state whose plasma insulin is this; raises ValueError below what is secreted anyway."""

    def short(dose: float) -> bool:
        return settled(p, glucose_mg_dl, dose).insulin_uu_ml < insulin_uu_ml

    return settled(p, glucose_mg_dl, boundary(short, 0.0, 20.0))


def insulin_for(p: Parameters[float], share: float, of: str) -> float:
    """Insulin, µU/mL, at fasting glucose, at which a share of the greatest change of `of` is reached.

    `of` names a field of `Settled`; the greatest change is to nothing for EGP, and to the value at
    10 mU/kg/min for Rd (Rizza 1981 as the models sheet has it, V7 and V8).
    """
    glucose = p.basal_glucose_mg_dl
    start = float(getattr(settled(p, glucose, 0.0), of))
    end = 0.0 if of == "egp_mg_kg_min" else float(getattr(settled(p, glucose, 10.0), of))

    def short(dose: float) -> bool:
        reached = float(getattr(settled(p, glucose, dose), of))
        return (reached - start) / (end - start) < share

    return settled(p, glucose, boundary(short, 0.0, 10.0)).insulin_uu_ml


def per_kg(phenotype: str, dose_mu_m2_min: float) -> float:
    """A dose per m² as mU/kg/min in the typical body."""
    p = typical(phenotype)
    return dose_mu_m2_min * p.bsa_m2 / p.weight_kg


def per_m2(phenotype: str, dose_mu_kg_min: float) -> float:
    """A dose per kg as mU/m²/min in the typical body."""
    p = typical(phenotype)
    return dose_mu_kg_min * p.weight_kg / p.bsa_m2


@cache
def held_rows(phenotype: str, dose_mu_m2_min: float, glucose_mg_dl: float) -> tuple[Row, ...]:
    """Minute by minute with glucose held, insulin primed."""
    return tuple(held(typical(phenotype), dose_mu_m2_min, glucose_mg_dl, HELD_MIN, PRIME))


def held_clearance_ml_min_m2(
    phenotype: str, dose_mu_m2_min: float, glucose_mg_dl: float, begin_min: int, end_min: int
) -> float:
    """Mean GIR by glucose over a window while glucose is held: what a clamp calls clearance."""
    p = typical(phenotype)
    rows = held_rows(phenotype, dose_mu_m2_min, glucose_mg_dl)[begin_min:end_min]
    gir = math.fsum(row.gir_mg_kg_min for row in rows) / len(rows)
    return gir * p.weight_kg / p.bsa_m2 / (glucose_mg_dl / 100.0)


def clamped_clearance_ml_min_m2(
    phenotype: str, dose_mu_m2_min: float, target_mg_dl: float, begin_min: int, end_min: int
) -> float:
    """Mean GIR by mean glucose under the reference protocol, from fasting glucose."""
    p = typical(phenotype)
    clamp = reference_clamp(Subject(p), per_kg(phenotype, dose_mu_m2_min), target_mg_dl, end_min)
    gir = mean(clamp.gir_mg_kg_min, begin_min, end_min) * p.weight_kg / p.bsa_m2
    return gir / (mean(clamp.glucose_mg_dl, begin_min, end_min) / 100.0)


def uptake_half_rise_min(phenotype: str, dose_mu_m2_min: float) -> float:
    """When Rd has risen half way to its value at 300 min, glucose held at its fasting level."""
    rows = held_rows(phenotype, dose_mu_m2_min, typical(phenotype).basal_glucose_mg_dl)
    uptake = [row.uptake_mg_kg_min for row in rows[:301]]
    half = (uptake[0] + uptake[300]) / 2.0
    after = next(minute for minute, value in enumerate(uptake) if value >= half)
    before = uptake[after - 1]
    return after - 1 + (half - before) / (uptake[after] - before)


def with_km0(
    p: Parameters[float], factor: float, dose_mu_kg_min: float, glucose_mg_dl: float
) -> Parameters[float]:
    """The subject with another Km0, and Vmx moved until settled M at this glucose is as it was."""
    wanted = settled(p, glucose_mg_dl, dose_mu_kg_min).gir_mg_kg_min
    moved = replace(p, km0_mg_kg=factor * p.km0_mg_kg)

    def with_vmx(vmx: float) -> Parameters[float]:
        return replace(moved, vmx_mg_kg_min_per_pmol_l=vmx)

    def short(vmx: float) -> bool:
        return settled(with_vmx(vmx), glucose_mg_dl, dose_mu_kg_min).gir_mg_kg_min < wanted

    return with_vmx(boundary(short, 0.0, 20.0 * p.vmx_mg_kg_min_per_pmol_l))


def boundary(short: Callable[[float], bool], low: float, high: float, halvings: int = HALVINGS) -> float:
    """Where `short` turns from true to false between `low` and `high`, by halving.

    Raises ValueError where it does not turn there.
    """
    if not short(low) or short(high):
        raise ValueError(f"no such subject between {low:g} and {high:g}")
    for _ in range(halvings):
        middle = (low + high) / 2.0
        low, high = (middle, high) if short(middle) else (low, middle)
    return high
