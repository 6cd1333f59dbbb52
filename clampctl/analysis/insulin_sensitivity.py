"""Insulin sensitivity from a clamp: M value with its space correction, and what is derived from it.

Sources: clamp-method 3.1 and 3.2. M alone must not rank clamps held at different glucose.
"""

from dataclasses import dataclass

from clampctl.analysis.record import Record
from clampctl.units import umol_kg_min_from_mg_kg_min

FFM_OFFSET_KG = 17.7
"""Added to fat-free mass for the estimated metabolic body size (Tam 2012, 10.2337/dc11-2339)."""


@dataclass(frozen=True, slots=True)
class MValue:
    """Glucose uptake over a window, mg/kg/min: M = mean GIR - space correction - urine loss."""

    start_min: float
    end_min: float
    gir_mg_kg_min: float
    space_correction_mg_kg_min: float
    urine_mg_kg_min: float

    @property
    def m_mg_kg_min(self) -> float:
        return self.gir_mg_kg_min - self.space_correction_mg_kg_min - self.urine_mg_kg_min

    @property
    def m_umol_kg_min(self) -> float:
        return umol_kg_min_from_mg_kg_min(self.m_mg_kg_min)


@dataclass(frozen=True, slots=True)
class Normalised:
    """M by other sizes of a body: mg/m²/min, mg/kg fat-free mass/min, mg/kg (FFM + 17.7)/min."""

    per_m2: float
    per_kg_ffm: float | None
    per_kg_embs: float | None


def space_correction_mg_kg_min(
    rise_mg_dl: float, minutes: float, space_l_kg: float = 0.19, pool_fraction: float = 1.0
) -> float:
    """Glucose that went into the glucose space: rise x 10 x V x p / t (clamp-method 3.1 [R]).

    Falling glucose makes it negative and M larger than GIR. 10 dL per L.
    """
    return rise_mg_dl * 10.0 * space_l_kg * pool_fraction / minutes


def m_value(record: Record, start_min: float, end_min: float, urine_mg_kg_min: float = 0.0) -> MValue | None:
    """M over a window; None where GIR or the glucose at either end is not known.

    Glucose at the ends is read linearly between samples. Equal to the mean of M over intervals of
    one length, since their space corrections add up to that of the whole window.
    """
    gir = record.gir_between(start_min, end_min)
    glucose_start = record.glucose.at(start_min)
    glucose_end = record.glucose.at(end_min)
    if gir is None or glucose_start is None or glucose_end is None:
        return None
    return MValue(
        start_min=start_min,
        end_min=end_min,
        gir_mg_kg_min=gir.mean(),
        space_correction_mg_kg_min=space_correction_mg_kg_min(
            glucose_end - glucose_start, end_min - start_min, record.space_l_kg, record.pool_fraction
        ),
        urine_mg_kg_min=urine_mg_kg_min,
    )


def m_per_insulin(m_mg_kg_min: float, insulin_uu_ml: float) -> float | None:
    """M/I x 100, mg/kg/min per 100 µU/mL; None without insulin."""
    return 100.0 * m_mg_kg_min / insulin_uu_ml if insulin_uu_ml > 0.0 else None


def clearance_ml_kg_min(m_mg_kg_min: float, glucose_mg_dl: float) -> float | None:
    """Metabolic clearance rate of glucose (MCR), 100 x M / G (clamp-method 3.2)."""
    return 100.0 * m_mg_kg_min / glucose_mg_dl if glucose_mg_dl > 0.0 else None


def si_clamp(
    m_mg_kg_min: float, glucose_mg_dl: float, insulin_uu_ml: float, fasting_insulin_uu_ml: float
) -> float | None:
    """SI, M / (G x rise of insulin), dL/kg/min per µU/mL; None unless insulin rose (clamp-method 3.2 [R])."""
    rise = insulin_uu_ml - fasting_insulin_uu_ml
    return m_mg_kg_min / (glucose_mg_dl * rise) if rise > 0.0 and glucose_mg_dl > 0.0 else None


def normalised(
    m_mg_kg_min: float, weight_kg: float, bsa_m2: float, fat_free_mass_kg: float | None = None
) -> Normalised:
    """M by body surface and, where it is known, by fat-free mass (cut-offs for all in Tam 2012)."""
    whole_mg_min = m_mg_kg_min * weight_kg
    return Normalised(
        per_m2=whole_mg_min / bsa_m2,
        per_kg_ffm=None if fat_free_mass_kg is None else whole_mg_min / fat_free_mass_kg,
        per_kg_embs=None if fat_free_mass_kg is None else whole_mg_min / (fat_free_mass_kg + FFM_OFFSET_KG),
    )
