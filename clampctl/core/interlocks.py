"""The limits behind every law, in a fixed order, each with its reason and its safe direction.

Insulin may only be lowered. Dextrose is bounded both ways and its fall is limited, because
stopping it under running insulin is the hazard (safety sheet SR-5, SR-7, SR-9, SR-10). The last
act is rounding to what the pump can hold.
"""

from dataclasses import dataclass

from clampctl import units
from clampctl.core.protocol import Limits
from clampctl.core.state import InvariantBroken, Session
from clampctl.core.station import PumpSetup

HALF = 0.5


@dataclass(frozen=True, slots=True)
class Limited:
    """A glucose infusion after the interlocks, with the story of how it got there.

    `reasons` is empty when nothing was limited; the first reason acted first.
    """

    wanted_mg_kg_min: float
    gir_mg_kg_min: float
    rate_ul_h: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the dextrose limits depend on besides the wanted rate.

    `undoubted_mg_kg_min` is the GIR when the doubt began, so that a row of doubted samples may not
    cut step by step what one may not; None means the GIR in force.
    """

    in_force_mg_kg_min: float
    doubted: bool
    cuts_frozen: bool
    undoubted_mg_kg_min: float | None = None
    mean_mg_kg_min: float | None = None


def limit_dextrose(session: Session, wanted_mg_kg_min: float, now: Circumstances) -> Limited:
    """The GIR that may be given for a wanted one, and the pump rate for this bag."""
    if not 0.0 <= wanted_mg_kg_min < float("inf"):
        raise InvariantBroken(f"wanted GIR is {wanted_mg_kg_min}")
    limits = session.protocol.limits
    gir, reasons = wanted_mg_kg_min, []
    for limit in (_ceiling, _rise, _fall, _doubt, _halved, _frozen):
        bounded, reason = limit(gir, limits, now)
        if bounded != gir:
            gir = bounded
            reasons.append(reason)
    rate_ul_h, reason = dextrose_rate(session, gir)
    if reason:
        reasons.append(reason)
        gir = gir_of(session, rate_ul_h)
    return Limited(wanted_mg_kg_min, gir, rate_ul_h, tuple(reasons))


def _ceiling(gir: float, limits: Limits, _now: Circumstances) -> tuple[float, str]:
    return min(gir, limits.gir_mg_kg_min_max), f"ceiling {limits.gir_mg_kg_min_max:g} mg/kg/min"


def _rise(gir: float, limits: Limits, now: Circumstances) -> tuple[float, str]:
    rise = limits.gir_rise_mg_kg_min_max
    return min(gir, now.in_force_mg_kg_min + rise), f"rise at most {rise:g} mg/kg/min a sample"


def _fall(gir: float, limits: Limits, now: Circumstances) -> tuple[float, str]:
    fall = limits.gir_fall_mg_kg_min_max
    return max(gir, now.in_force_mg_kg_min - fall), f"fall at most {fall:g} mg/kg/min a sample"


def _doubt(gir: float, limits: Limits, now: Circumstances) -> tuple[float, str]:
    if not now.doubted:
        return gir, ""
    begun = now.in_force_mg_kg_min if now.undoubted_mg_kg_min is None else now.undoubted_mg_kg_min
    least = min(now.in_force_mg_kg_min, begun * (1.0 - limits.doubted_cut_max))
    return max(gir, least), f"cut at most {limits.doubted_cut_max * 100:g} % until a repeat agrees"


def _halved(gir: float, _limits: Limits, now: Circumstances) -> tuple[float, str]:
    """No further cut below half of the 30-min mean: glucose that stays high under insulin may be
    dextrose in every sample from one vein, or an analyzer that repeats itself (H12, H16)."""
    if now.mean_mg_kg_min is None:
        return gir, ""
    least = min(now.in_force_mg_kg_min, HALF * now.mean_mg_kg_min)
    return max(gir, least), "no cut below half of the last 30 min - check with a second analyzer"


def _frozen(gir: float, _limits: Limits, now: Circumstances) -> tuple[float, str]:
    if not now.cuts_frozen:
        return gir, ""
    return max(gir, now.in_force_mg_kg_min), "no cut on an old sample"


def dextrose_rate(session: Session, gir_mg_kg_min: float) -> tuple[int, str]:
    """The pump rate for a GIR in whole pump steps, and why it is not that GIR where it is not."""
    pump = session.station.dextrose_pump
    exact = units.dextrose_ul_h(
        gir_mg_kg_min, session.subject.weight_kg, session.protocol.infusates.dextrose_g_l
    )
    ceiling = min(session.protocol.limits.dextrose_ul_h_max, pump.rate_ul_h_max)
    if exact > ceiling:
        return rounded_down(pump, ceiling), f"pump at most {ceiling / 1000:g} mL/h"
    rate_ul_h = rounded(pump, exact)
    if rate_ul_h > ceiling or gir_of(session, rate_ul_h) > session.protocol.limits.gir_mg_kg_min_max:
        rate_ul_h = rounded_down(pump, exact)
    return rate_ul_h, ""


def gir_of(session: Session, rate_ul_h: int) -> float:
    """The GIR a dextrose pump rate gives this subject from this bag."""
    return units.gir_mg_kg_min(rate_ul_h, session.subject.weight_kg, session.protocol.infusates.dextrose_g_l)


def insulin_rate(session: Session, dose_mu_m2_min: float, peak_mu_m2_min: float) -> int:
    """The insulin pump rate for a scheduled dose; only ever lowered, in whole pump steps down.

    Ceilings (SR-9): 1.1 x the protocol's peak (prime included), 40 mL/h, the pump's own range.
    """
    pump = session.station.insulin_pump
    limits = session.protocol.limits
    subject, infusates = session.subject, session.protocol.infusates
    exact = units.insulin_ul_h(dose_mu_m2_min, subject.bsa_m2, infusates.insulin_mu_ml)
    peak = units.insulin_ul_h(peak_mu_m2_min, subject.bsa_m2, infusates.insulin_mu_ml)
    ceiling = min(exact, 1.1 * peak, float(limits.insulin_ul_h_max), float(pump.rate_ul_h_max))
    rate = rounded_down(pump, ceiling)
    return rate if rate >= pump.rate_ul_h_min else 0


def rounded_down(pump: PumpSetup, rate_ul_h: float) -> int:
    """The highest rate the pump can hold that is not above `rate_ul_h`."""
    step = _step(pump, rate_ul_h)
    return int(rate_ul_h) // step * step


def rounded(pump: PumpSetup, rate_ul_h: float) -> int:
    """The rate nearest to `rate_ul_h` that the pump can hold; below its least rate 0 or the least."""
    if rate_ul_h < pump.rate_ul_h_min:
        return 0 if rate_ul_h * 2 < pump.rate_ul_h_min else pump.rate_ul_h_min
    step = _step(pump, rate_ul_h)
    nearest = int(rate_ul_h / step + 0.5) * step
    return min(nearest, pump.rate_ul_h_max)


def _step(pump: PumpSetup, rate_ul_h: float) -> int:
    for step in pump.rate_steps:
        if rate_ul_h < step.below_ul_h:
            return step.step_ul_h
    raise InvariantBroken(f"no rate step of {pump.model} covers {rate_ul_h:g} µL/h")
