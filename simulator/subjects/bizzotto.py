"""The second model: glucose uptake of Bizzotto 2016 over the insulin of ICING/DISST, an independent check.

Against the default (`composite`) it differs in the law of uptake, which saturates in glucose and in
insulin and acts on whole-body clearance, in insulin kinetics, and in how glucose is distributed: a
ring of blood in which the artery that is sampled answers to infused glucose at once. Models sheet,
section 3: Bizzotto 2016 (AJP-Endo 311:E346, 123 subjects) [S], ICING/DISST [S], assembly [A].

Limit: basal glucose production follows from basal clearance and is half of what is measured; nothing
about fasting, run-in or low-dose production may be concluded from this model. No counter-regulation: neither
glucagon nor adrenaline answers to low glucose, so that below 70 mg/dL nothing it does is to be believed.
"""

import math
from dataclasses import dataclass, fields
from typing import Generic, NamedTuple

import numpy as np

from clampctl.units import MG_DL_PER_MMOL_L, PMOL_L_PER_UU_ML, UMOL_PER_MG
from simulator.subjects.bizzotto_ring import (
    FLOW_ML_MIN_M2,
    GAMMA,
    Amounts,
    Glucose,
    ImplicitRing,
    Ring,
    glucose_slopes,
    ring,
    rosenbrock,
    stored_umol_m2,
)
from simulator.subjects.composite import (
    EGP_GLUCOSE_RANGE,
    EGP_GLUCOSE_SLOPE_PER_MG_DL,
    HEPATIC_DELAY_PER_MIN,
    HEPATIC_HILL,
)
from simulator.subjects.icing import INTERSTITIAL_SHARE, plasma_slopes, turnover_mu_kg_min
from simulator.subjects.values import Array, Value, at_most, between

STEP_MIN = 0.5
"""Longest step of insulin and its effects, which are slow (the fastest rate is 0.3/min)."""

RING_STEP_MIN = 0.125
"""Longest step of glucose; against 0.05 min explicit, glucose differs by less than 0.25 mg/dL."""

VMAX0_UMOL_MIN_M2 = 338.0  # uptake limit without insulin


@dataclass(frozen=True, slots=True)
class Parameters(Generic[Value]):
    """What a subject is (section 3.1): a float for one subject or an array of shape (n,)."""

    weight_kg: Value
    bsa_m2: Value
    basal_glucose_mg_dl: Value  # Gb
    basal_insulin_uu_ml: Value  # Ib
    km_glucose_mmol_l: Value  # KmG
    emax_umol_min_m2: Value  # what insulin can add to the uptake limit
    hill: Value  # h
    km_insulin_pmol_l: Value  # KmI
    action_half_time_min: Value  # t12I, each of two stages
    volume_ml_m2: Value  # V, all glucose
    fast_share: Value  # w1, of the flow
    slow_to_medium: Value  # flambda3, ratio of path rates
    ic50_uu_ml: Value  # insulin that halves endogenous glucose production


class Insulin(NamedTuple, Generic[Value]):
    """Insulin and its delayed images; a slope has the same fields, each per minute."""

    plasma_uu_ml: Value  # I
    interstitial_uu_ml: Value  # Q
    first_action_pmol_l: Value  # Z1
    action_pmol_l: Value  # Z
    first_hepatic_uu_ml: Value  # I1
    hepatic_uu_ml: Value  # Id


class State(NamedTuple, Generic[Value]):
    """Where a subject is; a derivative has the same fields, each per minute."""

    glucose: Glucose[Value]
    insulin: Insulin[Value]


class Drive(NamedTuple, Generic[Value]):
    """What insulin makes of the glucose equations at one moment."""

    uptake_limit_umol_min_m2: Value  # Vmax, e^eta in it
    egp_mg_kg_min: Value  # endogenous glucose production, were glucose at its basal value


@dataclass(frozen=True, slots=True)
class Basal(Generic[Value]):
    """What follows from the parameters if the fasting state is to be an exact equilibrium."""

    state: State[Value]
    ring: Ring[Value]
    egp_without_insulin_mg_kg_min: Value  # E0
    secretion_mu_kg_min: Value  # u_post / weight, constant; in type 1 diabetes a basal infusion


def repeated(parameters: Parameters[float], n: int) -> Parameters[Array]:
    """The same subject n times, as arrays of shape (n,)."""
    return Parameters(*(np.full(n, getattr(parameters, field.name)) for field in fields(parameters)))


def per_kg(parameters: Parameters[Value], dose_mu_m2_min: float) -> Value:
    """Insulin input in mU/kg/min from a dose in mU/m²/min: dose x BSA / weight."""
    return dose_mu_m2_min * parameters.bsa_m2 / parameters.weight_kg


def mg_kg_per_umol_m2(p: Parameters[Value]) -> Value:
    """An amount or rate per kg of body weight, mg, from one per m² of body surface, µmol."""
    return p.bsa_m2 / p.weight_kg / UMOL_PER_MG


def basal(p: Parameters[Value]) -> Basal[Value]:
    """The fasting equilibrium: glucose production and secretion are what uptake and insulin turnover need.

    Raises ValueError where the glucose volume leaves none for the periphery: no such subject exists.
    """
    blood_ring = ring(p.volume_ml_m2, p.fast_share, p.slow_to_medium)
    if not np.all(blood_ring.fast_per_min > 0.0):
        raise ValueError("the glucose volume must exceed that of heart, lungs and the first lag")
    state = settled(p, p.basal_glucose_mg_dl, p.basal_insulin_uu_ml)
    limit = uptake_limit_umol_min_m2(p, state.insulin.action_pmol_l)
    basal_egp = uptake_mg_kg_min(p, limit, state.glucose)
    return Basal(
        state=state,
        ring=blood_ring,
        egp_without_insulin_mg_kg_min=basal_egp * _suppression(p, p.basal_insulin_uu_ml),
        secretion_mu_kg_min=turnover_mu_kg_min(p.basal_insulin_uu_ml),
    )


def settled(p: Parameters[Value], glucose_mg_dl: Value, insulin_uu_ml: Value) -> State[Value]:
    """The state in which arterial glucose and plasma insulin have stood still for ever, eta 0."""
    arterial = glucose_mg_dl / MG_DL_PER_MMOL_L
    i, z = insulin_uu_ml, PMOL_L_PER_UU_ML * insulin_uu_ml
    periphery = (1.0 - extraction(p, uptake_limit_umol_min_m2(p, z), arterial)) * arterial
    return State(
        Glucose(arterial, arterial, periphery, periphery, periphery, periphery, arterial),
        Insulin(i, INTERSTITIAL_SHARE * i, z, z, i, i),
    )


def uptake_limit_umol_min_m2(p: Parameters[Value], action_pmol_l: Value) -> Value:
    """Uptake at unlimited glucose Vmax: a constant, and what insulin adds by a Hill law."""
    driven: Value = (action_pmol_l / p.km_insulin_pmol_l) ** p.hill
    return VMAX0_UMOL_MIN_M2 + p.emax_umol_min_m2 * driven / (1.0 + driven)


def extraction(p: Parameters[Value], limit_umol_min_m2: Value, seen_mmol_l: Value) -> Value:
    """The share CL/F of passing glucose that is taken up, by Michaelis and Menten in delayed glucose.

    No more than all of it [A]: only an extreme subject near zero glucose would ask for more.
    """
    clearance_ml_min_m2 = limit_umol_min_m2 / (p.km_glucose_mmol_l + seen_mmol_l)
    return at_most(clearance_ml_min_m2 / FLOW_ML_MIN_M2, 1.0)


def uptake_mg_kg_min(p: Parameters[Value], limit_umol_min_m2: Value, glucose: Glucose[Value]) -> Value:
    """Whole-body uptake, brain included: clearance times arterial glucose."""
    taken = FLOW_ML_MIN_M2 * extraction(p, limit_umol_min_m2, glucose.seen) * glucose.arterial
    return mg_kg_per_umol_m2(p) * taken


def drive(
    p: Parameters[Value], b: Basal[Value], insulin: Insulin[Value], clearance_factor: Value
) -> Drive[Value]:
    """Insulin's hold on glucose; `clearance_factor` is e^eta and scales the whole clearance, basal too."""
    return Drive(
        clearance_factor * uptake_limit_umol_min_m2(p, insulin.action_pmol_l),
        b.egp_without_insulin_mg_kg_min / _suppression(p, insulin.hepatic_uu_ml),
    )


def egp_mg_kg_min(p: Parameters[Value], driven: Drive[Value], glucose: Glucose[Value]) -> Value:
    """Endogenous glucose production: the law of `composite`, on this model's insulin and arterial glucose."""
    above = MG_DL_PER_MMOL_L * glucose.arterial - p.basal_glucose_mg_dl
    return driven.egp_mg_kg_min * between(1.0 - EGP_GLUCOSE_SLOPE_PER_MG_DL * above, *EGP_GLUCOSE_RANGE)


def stored_mg_kg(p: Parameters[Value], b: Basal[Value], glucose: Glucose[Value]) -> Value:
    """All glucose in this model's body; it changes by infusion and production less uptake."""
    return mg_kg_per_umol_m2(p) * stored_umol_m2(b.ring, glucose)


def glucose_derivative(
    p: Parameters[Value], b: Basal[Value], driven: Drive[Value], glucose: Glucose[Value], gir_mg_kg_min: Value
) -> Glucose[Value]:
    """How fast glucose changes along the ring, while insulin holds it as it does."""
    entering = (gir_mg_kg_min + egp_mg_kg_min(p, driven, glucose)) / (mg_kg_per_umol_m2(p) * FLOW_ML_MIN_M2)
    kept = 1.0 - extraction(p, driven.uptake_limit_umol_min_m2, glucose.seen)
    return glucose_slopes(b.ring, glucose, entering, kept)


def insulin_derivative(
    p: Parameters[Value], b: Basal[Value], insulin: Insulin[Value], insulin_mu_kg_min: Value
) -> Insulin[Value]:
    """How fast insulin and its images change; glucose has no say in it, secretion being constant [A]."""
    i, q, z1, z, i1, delayed = insulin
    action_rate = math.log(2.0) / p.action_half_time_min
    return Insulin(
        *plasma_slopes(i, q, insulin_mu_kg_min + b.secretion_mu_kg_min),
        action_rate * (PMOL_L_PER_UU_ML * i - z1),
        action_rate * (z1 - z),
        HEPATIC_DELAY_PER_MIN * (i - i1),
        HEPATIC_DELAY_PER_MIN * (i1 - delayed),
    )


def derivative(
    p: Parameters[Value],
    b: Basal[Value],
    state: State[Value],
    gir_mg_kg_min: Value,
    insulin_mu_kg_min: Value,
    clearance_factor: Value,
) -> State[Value]:
    """The thirteen equations of section 3: how fast each part of the state changes, per minute."""
    driven = drive(p, b, state.insulin, clearance_factor)
    return State(
        glucose_derivative(p, b, driven, state.glucose, gir_mg_kg_min),
        insulin_derivative(p, b, state.insulin, insulin_mu_kg_min),
    )


class Subject(Generic[Value]):
    """One virtual subject, or n side by side, moving through time from the fasting equilibrium."""

    def __init__(self, parameters: Parameters[Value]) -> None:
        self.parameters: Parameters[Value] = parameters
        self.basal: Basal[Value] = basal(parameters)
        self.state: State[Value] = self.basal.state
        self._clearance_factor: Value = 1.0 + 0.0 * parameters.weight_kg  # 1, in the shape of the subject

    def advance(
        self, minutes: float, gir_mg_kg_min: Value, insulin_mu_kg_min: Value, eta: Value | None = None
    ) -> None:
        """Move on with all inputs constant, in equal steps of at most `STEP_MIN`.

        `eta` is the deviation of log clearance (`variability`): e^eta multiplies the whole clearance,
        with and without insulin. Left out, the last one stays (at first 0). Insulin is what is infused on
        top of secretion. Raises ValueError if time would run backwards.

        Insulin moves half a step, glucose a whole one in the light of it, insulin the other half
        (Strang's splitting, second order); the two laws that need powers are so asked once a step.
        """
        if minutes < 0.0:
            raise ValueError(f"a subject cannot go back in time ({minutes} min)")
        if eta is not None:
            self._clearance_factor = math.e**eta
        steps = math.ceil(minutes / STEP_MIN)
        for _ in range(steps):
            step_min = minutes / steps
            halfway = self._insulin_after(step_min / 2.0, self.state.insulin, insulin_mu_kg_min)
            glucose = self._glucose_after(step_min, halfway, gir_mg_kg_min)
            self.state = State(glucose, self._insulin_after(step_min / 2.0, halfway, insulin_mu_kg_min))

    def _insulin_after(
        self, step_min: float, insulin: Insulin[Value], insulin_mu_kg_min: Value
    ) -> Insulin[Value]:
        """One step of Heun's method."""
        p, b = self.parameters, self.basal
        now = insulin_derivative(p, b, insulin, insulin_mu_kg_min)
        ahead = Insulin(*(i + step_min * slope for i, slope in zip(insulin, now, strict=True)))
        then = insulin_derivative(p, b, ahead, insulin_mu_kg_min)
        half = step_min / 2.0
        return Insulin(*(i + half * (s + t) for i, s, t in zip(insulin, now, then, strict=True)))

    def _glucose_after(self, minutes: float, insulin: Insulin[Value], gir_mg_kg_min: Value) -> Glucose[Value]:
        """Glucose after some minutes with insulin's hold unchanged."""
        p, b, glucose = self.parameters, self.basal, self.state.glucose
        driven = drive(p, b, insulin, self._clearance_factor)
        steps = math.ceil(minutes / RING_STEP_MIN)
        kept = 1.0 - extraction(p, driven.uptake_limit_umol_min_m2, glucose.seen)
        implicit = ImplicitRing(b.ring, kept, GAMMA * minutes / steps)

        def slope(at: Amounts[Value]) -> Amounts[Value]:
            return glucose_derivative(p, b, driven, Glucose(*at), gir_mg_kg_min)

        def solved(slopes: Amounts[Value]) -> Amounts[Value]:
            return implicit.solved(Glucose(*slopes))

        for _ in range(steps):
            glucose = Glucose(*rosenbrock(slope, solved, glucose, minutes / steps))
        return glucose

    @property
    def glucose_mg_dl(self) -> Value:
        """True arterial plasma glucose, before any sampling error."""
        return MG_DL_PER_MMOL_L * self.state.glucose.arterial

    @property
    def insulin_uu_ml(self) -> Value:
        """Plasma insulin."""
        return self.state.insulin.plasma_uu_ml

    @property
    def egp_mg_kg_min(self) -> Value:
        """Endogenous glucose production."""
        return egp_mg_kg_min(self.parameters, self._drive(), self.state.glucose)

    @property
    def uptake_mg_kg_min(self) -> Value:
        """Uptake of the whole body; unlike in `composite`, the brain's share is in it."""
        return uptake_mg_kg_min(self.parameters, self._drive().uptake_limit_umol_min_m2, self.state.glucose)

    def _drive(self) -> Drive[Value]:
        return drive(self.parameters, self.basal, self.state.insulin, self._clearance_factor)


def _suppression(p: Parameters[Value], insulin_uu_ml: Value) -> Value:
    divisor: Value = 1.0 + (insulin_uu_ml / p.ic50_uu_ml) ** HEPATIC_HILL
    return divisor
