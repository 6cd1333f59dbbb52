"""The composite clamp model: the default virtual subject, as pure functions and one small moving object.

Two-pool glucose with Michaelis-Menten uptake (Dalla Man 2007), two-stage insulin action (Bizzotto
2016), hepatic output suppressed as in Rizza 1981, secretion feedback; insulin in two compartments
(`insulin_kinetics`), and a defence below 70 mg/dL (`counterregulation`).
Assembly and constants are engineering choices set to group means: models sheet, section 2 [A].

Rates are per kg of body weight and per minute. Not here: noise (`variability`, `sampling`), who the
subjects are (`phenotypes`), C-peptide (`cpeptide`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Generic, NamedTuple

import numpy as np

from clampctl.units import PMOL_L_PER_UU_ML
from simulator.subjects import counterregulation, insulin_kinetics
from simulator.subjects.insulin_kinetics import EXCHANGE_L_MIN_M2, clearance_l_kg_min
from simulator.subjects.values import Array, Value, at_most, between, positive

STEP_MIN = 0.5
"""Longest integration step; against 0.05 min glucose differs by less than 0.25 mg/dL (section 2 [C])."""

BRAIN_UPTAKE_MG_KG_MIN = 1.0  # Fcns
BRAIN_KNEE_MG_DL = 60.0  # below it, brain uptake falls in proportion to glucose
RENAL_THRESHOLD_MG_DL = 180.0
RENAL_RATE_PER_MIN = 0.0005
HEPATIC_DELAY_PER_MIN = 0.07  # each of two stages
HEPATIC_HILL = 2.5
EGP_GLUCOSE_SLOPE_PER_MG_DL = 0.01
EGP_GLUCOSE_RANGE = (0.5, 1.5)
SECRETION_HALF_UU_ML = 75.0


@dataclass(frozen=True, slots=True)
class Parameters(Generic[Value]):
    """What a subject is: table values of section 2, a float for one subject or an array of shape (n,)."""

    weight_kg: Value
    bsa_m2: Value
    basal_glucose_mg_dl: Value  # Gb
    basal_insulin_uu_ml: Value  # Ib
    insulin_clearance_l_min_m2: Value  # MCR, at 80 uU/mL
    vmx_mg_kg_min_per_pmol_l: Value  # uptake gained per insulin above basal
    km0_mg_kg: Value
    basal_egp_mg_kg_min: Value  # endogenous glucose production
    ic50_uu_ml: Value  # insulin that halves it
    action_half_time_min: Value  # t12, each of two stages
    glucose_volume_dl_kg: Value  # VG
    k1_per_min: Value  # plasma to tissue
    k2_per_min: Value  # tissue to plasma
    insulin_volume_l_kg: Value  # VI
    secretion_slope_per_mg_dl: Value  # s, 0 without secretion
    secretion_suppression: Value  # p, share that insulin itself can suppress, 0 without secretion
    glucagon_share: Value  # of a healthy response to hypoglycaemia, 0 to 1
    adrenaline_share: Value  # likewise


class State(NamedTuple, Generic[Value]):
    """Where a subject is; a derivative has the same fields, each per minute."""

    plasma_glucose_mg_kg: Value  # Gp
    tissue_glucose_mg_kg: Value  # Gt
    insulin_uu_ml: Value  # I
    second_insulin_uu_ml: Value  # Q, in the second compartment
    first_action_uu_ml: Value  # X1
    action_uu_ml: Value  # X
    first_hepatic_uu_ml: Value  # I1
    hepatic_uu_ml: Value  # Id
    glucagon_mg_dl: Value  # its response: how far below 70 mg/dL glucose is felt to be
    adrenaline_mg_dl: Value  # likewise


@dataclass(frozen=True, slots=True)
class Basal(Generic[Value]):
    """What follows from the parameters if the fasting state is to be an exact equilibrium."""

    state: State[Value]
    vm0_mg_kg_min: Value
    egp_without_insulin_mg_kg_min: Value  # E0
    clearance_without_insulin_l_kg_min: Value  # CL0
    exchange_l_kg_min: Value  # flow between the insulin compartments
    action_per_min: Value  # ln 2 / t12, each of two stages
    secretion_mu_kg_min: Value  # Sb; in type 1 diabetes a constant basal infusion that continues


def repeated(parameters: Parameters[float], n: int) -> Parameters[Array]:
    """The same subject n times, as arrays of shape (n,)."""
    return Parameters(*(np.full(n, getattr(parameters, field.name)) for field in fields(parameters)))


def per_kg(parameters: Parameters[Value], dose_mu_m2_min: float) -> Value:
    """Insulin input in mU/kg/min from a dose in mU/m²/min: dose x BSA / weight."""
    return dose_mu_m2_min * parameters.bsa_m2 / parameters.weight_kg


def basal_uptake_mg_kg_min(p: Parameters[Value]) -> Value:
    """Fasting tissue uptake Ub: what is produced less brain and urine; a subject needs it above zero."""
    gpb = p.basal_glucose_mg_dl * p.glucose_volume_dl_kg
    return p.basal_egp_mg_kg_min - brain_uptake_mg_kg_min(p.basal_glucose_mg_dl) - excretion_mg_kg_min(p, gpb)


def basal(p: Parameters[Value]) -> Basal[Value]:
    """The fasting equilibrium, in the order of section 2.

    Raises ValueError where production does not exceed brain uptake and urine, and where fasting glucose
    would itself be hypoglycaemia: no such subject exists.
    """
    if np.any(counterregulation.depth_mg_dl(p.basal_glucose_mg_dl) > 0.0):
        raise ValueError("fasting glucose must not lie below 70 mg/dL")
    ub = basal_uptake_mg_kg_min(p)
    if np.any(ub <= 0.0):
        raise ValueError("basal glucose production must exceed brain uptake and urinary loss")
    ib = p.basal_insulin_uu_ml
    gpb = p.basal_glucose_mg_dl * p.glucose_volume_dl_kg
    gtb = (p.k1_per_min * gpb - ub) / p.k2_per_min
    surface = p.bsa_m2 / p.weight_kg
    cl0 = insulin_kinetics.clearance_without_insulin_l_kg_min(p.insulin_clearance_l_min_m2, surface)
    return Basal(
        state=State(gpb, gtb, *(ib,) * 6, *(0.0 * ib,) * 2),
        vm0_mg_kg_min=ub * (p.km0_mg_kg + gtb) / gtb,
        egp_without_insulin_mg_kg_min=p.basal_egp_mg_kg_min * _suppression(p, ib),
        clearance_without_insulin_l_kg_min=cl0,
        exchange_l_kg_min=EXCHANGE_L_MIN_M2 * surface,
        action_per_min=math.log(2.0) / p.action_half_time_min,
        secretion_mu_kg_min=ib * clearance_l_kg_min(cl0, ib),
    )


def glucose_mg_dl(p: Parameters[Value], state: State[Value]) -> Value:
    """Plasma glucose, mg/dL."""
    return state.plasma_glucose_mg_kg / p.glucose_volume_dl_kg


def egp_mg_kg_min(p: Parameters[Value], b: Basal[Value], state: State[Value]) -> Value:
    """Endogenous production: suppressed by delayed insulin (Rizza 1981), bent by glucose, defended."""
    glucose = glucose_mg_dl(p, state)
    bend = 1.0 + EGP_GLUCOSE_SLOPE_PER_MG_DL * (p.basal_glucose_mg_dl - glucose)
    suppressed = b.egp_without_insulin_mg_kg_min / _suppression(p, state.hepatic_uu_ml)
    defence = counterregulation.production_mg_kg_min(state.glucagon_mg_dl, state.adrenaline_mg_dl)
    return suppressed * between(bend, *EGP_GLUCOSE_RANGE) + defence


def uptake_mg_kg_min(p: Parameters[Value], b: Basal[Value], state: State[Value], vmx_factor: Value) -> Value:
    """Tissue uptake U (the brain's share is not in it); `vmx_factor` is e^eta, 1 for a typical moment."""
    tissue = state.tissue_glucose_mg_kg
    return uptake_limit_mg_kg_min(p, b, state, vmx_factor) * tissue / (p.km0_mg_kg + tissue)


def brain_uptake_mg_kg_min(glucose_mg_dl: Value) -> Value:
    """Uptake of the central nervous system Fcns: constant, failing below 60 mg/dL."""
    return BRAIN_UPTAKE_MG_KG_MIN * at_most(glucose_mg_dl / BRAIN_KNEE_MG_DL, 1.0)


def excretion_mg_kg_min(p: Parameters[Value], plasma_mg_kg: Value) -> Value:
    """Urinary loss E: above 180 mg/dL, in proportion."""
    over = plasma_mg_kg - RENAL_THRESHOLD_MG_DL * p.glucose_volume_dl_kg
    return RENAL_RATE_PER_MIN * positive(over)


def uptake_limit_mg_kg_min(
    p: Parameters[Value], b: Basal[Value], state: State[Value], vmx_factor: Value
) -> Value:
    """Uptake at unlimited tissue glucose: Vm0 and what insulin action adds, braked by adrenaline."""
    gain = PMOL_L_PER_UU_ML * p.vmx_mg_kg_min_per_pmol_l * vmx_factor
    limit = positive(b.vm0_mg_kg_min + gain * (state.action_uu_ml - p.basal_insulin_uu_ml))
    return limit / counterregulation.uptake_divisor(state.adrenaline_mg_dl)


def insulin_secretion_mu_kg_min(
    p: Parameters[Value], b: Basal[Value], glucose_mg_dl: Value, insulin_uu_ml: Value
) -> Value:
    """Secretion S after the liver: driven by glucose, held back by insulin; constant in type 1 diabetes."""
    above = positive(insulin_uu_ml - p.basal_insulin_uu_ml)
    driven = positive(1.0 + p.secretion_slope_per_mg_dl * (glucose_mg_dl - p.basal_glucose_mg_dl))
    held_back = 1.0 - p.secretion_suppression * above / (above + SECRETION_HALF_UU_ML)
    return b.secretion_mu_kg_min * driven * held_back


def derivative(
    p: Parameters[Value],
    b: Basal[Value],
    state: State[Value],
    gir_mg_kg_min: Value,
    insulin_mu_kg_min: Value,
    vmx_factor: Value,
) -> State[Value]:
    """The equations of section 2 and of the two parts: how fast each of the state changes, per minute."""
    plasma, tissue, insulin, second, first_action, action, first_hepatic, hepatic, glucagon, adrenaline = (
        state
    )
    glucose = glucose_mg_dl(p, state)
    to_tissue = p.k1_per_min * plasma - p.k2_per_min * tissue
    appearing = egp_mg_kg_min(p, b, state) + gir_mg_kg_min
    leaving = brain_uptake_mg_kg_min(glucose) + excretion_mg_kg_min(p, plasma)
    secreted = insulin_secretion_mu_kg_min(p, b, glucose, insulin)
    blood = insulin_kinetics.slopes(
        insulin,
        second,
        insulin_mu_kg_min + secreted,
        b.clearance_without_insulin_l_kg_min,
        b.exchange_l_kg_min,
        p.insulin_volume_l_kg,
    )
    return State(
        appearing - leaving - to_tissue,
        to_tissue - uptake_mg_kg_min(p, b, state, vmx_factor),
        blood.plasma,
        blood.second,
        b.action_per_min * (blood.driving_uu_ml - first_action),
        b.action_per_min * (first_action - action),
        HEPATIC_DELAY_PER_MIN * (blood.driving_uu_ml - first_hepatic),
        HEPATIC_DELAY_PER_MIN * (first_hepatic - hepatic),
        *counterregulation.slopes(glucose, glucagon, adrenaline, p.glucagon_share, p.adrenaline_share),
    )


def runge_kutta(
    slope: Callable[[float, State[Value]], State[Value]], state: State[Value], step_min: float
) -> State[Value]:
    """One classical fourth-order step; `slope` takes minutes since the step began, and a state."""
    half = step_min / 2.0
    k1 = slope(0.0, state)
    k2 = slope(half, _along(state, k1, half))
    k3 = slope(half, _along(state, k2, half))
    k4 = slope(step_min, _along(state, k3, step_min))
    sixth = step_min / 6.0
    return State(
        *(s + sixth * (a + 2.0 * (b + c) + d) for s, a, b, c, d in zip(state, k1, k2, k3, k4, strict=True))
    )


class Subject(Generic[Value]):
    """One virtual subject, or n side by side, moving through time from the fasting equilibrium."""

    def __init__(self, parameters: Parameters[Value]) -> None:
        self.parameters: Parameters[Value] = parameters
        self.basal: Basal[Value] = basal(parameters)
        self.state: State[Value] = self.basal.state
        self._vmx_factor: Value = 1.0 + 0.0 * parameters.weight_kg  # 1, in the shape of the subject

    def advance(
        self, minutes: float, gir_mg_kg_min: Value, insulin_mu_kg_min: Value, eta: Value | None = None
    ) -> None:
        """Move on with all inputs constant, in equal steps of at most `STEP_MIN`.

        `eta` is the deviation of log Vmx (`variability`); left out, the last one stays (at first 0).
        Insulin is what is infused on top of secretion. Raises ValueError if time would run backwards.
        """
        if minutes < 0.0:
            raise ValueError(f"a subject cannot go back in time ({minutes} min)")
        if eta is not None:
            self._vmx_factor = math.e**eta
        p, b, vmx_factor = self.parameters, self.basal, self._vmx_factor

        def slope(_: float, state: State[Value]) -> State[Value]:
            return derivative(p, b, state, gir_mg_kg_min, insulin_mu_kg_min, vmx_factor)

        steps = math.ceil(minutes / STEP_MIN)
        for _ in range(steps):
            self.state = runge_kutta(slope, self.state, minutes / steps)

    @property
    def glucose_mg_dl(self) -> Value:
        """True plasma glucose, before any sampling error."""
        return glucose_mg_dl(self.parameters, self.state)

    @property
    def insulin_uu_ml(self) -> Value:
        """Plasma insulin."""
        return self.state.insulin_uu_ml

    @property
    def egp_mg_kg_min(self) -> Value:
        """Endogenous glucose production."""
        return egp_mg_kg_min(self.parameters, self.basal, self.state)

    @property
    def uptake_mg_kg_min(self) -> Value:
        """Tissue uptake, without the brain's."""
        return uptake_mg_kg_min(self.parameters, self.basal, self.state, self._vmx_factor)


def _along(state: State[Value], slope: State[Value], minutes: float) -> State[Value]:
    return State(*(s + minutes * d for s, d in zip(state, slope, strict=True)))


def _suppression(p: Parameters[Value], insulin_uu_ml: Value) -> Value:
    ratio = insulin_uu_ml / p.ic50_uu_ml
    root: Value = ratio ** (HEPATIC_HILL - 2.0)  # a square root is many times faster than a power
    return 1.0 + ratio * ratio * root
