"""The second model's subject alone, minute by minute: with a given glucose infusion, or with glucose held.

As `run` for the default model, with the same rows; uptake is that of the whole body, the brain's share in
it. No controller, no noise, no devices, and no counter-regulation: what this model does below 70 mg/dL, or
makes of a fall to there, is not to be believed.
"""

import copy
import math
from collections.abc import Callable

from clampctl.core.protocol import Refusal
from clampctl.units import MG_DL_PER_MMOL_L
from simulator.subjects.bizzotto import Parameters, Subject, per_kg
from simulator.subjects.courses import Course, between, in_force, pieces, require_course, require_doses
from simulator.subjects.run import Row

TRIES = 20
"""Glucose is so nearly linear in the infusion that three or four are enough."""

HELD_MG_DL = 1e-9
"""How near the course is near enough."""


def open_loop(
    parameters: Parameters[float],
    insulin_mu_m2_min: float,
    gir_course: Course,
    minutes: int,
    prime: Course = (),
) -> list[Row]:
    """A fasting subject under a given glucose infusion, one row each minute from 0 to `minutes`.

    Each rate (mg/kg/min) holds from its minute until the next; before the first, none is given. A row's
    rate is the mean over the minute that follows. Insulin (mU/m²/min) runs at the dose times the multiple
    in `prime`, which is looked up each whole minute. Refuses a course out of order or not finite, and a
    dose that is negative or not finite.
    """
    require_course("gir course", gir_course)
    subject = Subject(parameters)

    def give(minute: int, insulin_mu_kg_min: float) -> float:
        given = []
        for begin, lasts in pieces(minute, gir_course):
            gir = in_force(gir_course, begin, before_first=0.0)
            subject.advance(lasts, gir, insulin_mu_kg_min)
            given.append(gir * lasts)
        return math.fsum(given)

    return _rows(subject, insulin_mu_m2_min, prime, minutes, give)


def held(
    parameters: Parameters[float],
    insulin_mu_m2_min: float,
    glucose_course: Course | float,
    minutes: int,
    prime: Course = (),
) -> list[Row]:
    """The glucose infusion it takes to keep a subject's glucose on a course, one row each minute.

    The course (mg/dL) is a constant, or linear between its points and flat outside them. A pump's rate
    reaches the artery through heart and lungs, so glucose is on the course at every whole minute, under a
    rate that is constant from each to the next: `open_loop` with these rates is the same run. A rate is
    negative where glucose would have to be removed: it is reported, not clipped. A course that does not
    begin at fasting glucose puts the blood from heart to artery there at minute 0, outside the balance.
    Refusals as in `open_loop`; refuses also an empty course and a glucose not above zero.
    """
    course = [(0.0, float(glucose_course))] if isinstance(glucose_course, int | float) else glucose_course
    require_course("glucose course", course)
    if not course or min(glucose for _, glucose in course) <= 0.0:
        raise Refusal("glucose course", "The glucose course needs at least one value, all above 0 mg/dL.")
    subject = Subject(parameters)
    begins = between(course, 0.0) / MG_DL_PER_MMOL_L
    blood = subject.state.glucose._replace(heart=begins, arterial=begins, seen=begins)
    subject.state = subject.state._replace(glucose=blood)
    gir = 0.0

    def give(minute: int, insulin_mu_kg_min: float) -> float:
        nonlocal gir
        gir = _needed(subject, insulin_mu_kg_min, between(course, minute + 1.0), gir)
        subject.advance(1.0, gir, insulin_mu_kg_min)
        return gir

    return _rows(subject, insulin_mu_m2_min, prime, minutes, give)


def _needed(subject: Subject[float], insulin_mu_kg_min: float, glucose_mg_dl: float, guess: float) -> float:
    """The constant infusion that has glucose there a minute on, by the secant rule (mg/kg/min)."""

    def missed(gir_mg_kg_min: float) -> float:
        ahead = copy.copy(subject)
        ahead.advance(1.0, gir_mg_kg_min, insulin_mu_kg_min)
        return ahead.glucose_mg_dl - glucose_mg_dl

    before, now = guess - 1.0, guess
    missed_before, missed_now = missed(before), missed(now)
    for _ in range(TRIES):
        if abs(missed_now) < HELD_MG_DL:
            return now
        before, now = now, now - missed_now * (now - before) / (missed_now - missed_before)
        missed_before, missed_now = missed_now, missed(now)
    raise ValueError(f"no infusion takes this subject to {glucose_mg_dl:g} mg/dL within a minute")


def _rows(
    subject: Subject[float],
    insulin_mu_m2_min: float,
    prime: Course,
    minutes: int,
    give: Callable[[int, float], float],
) -> list[Row]:
    """Look at the subject each minute; `give` moves it a minute on and tells the glucose given, mg/kg."""
    if minutes < 0:
        raise Refusal("minutes", f"minutes is {minutes}; expected 0 or more.")
    require_doses(insulin_mu_m2_min, prime)
    rows = []
    for minute in range(minutes + 1):
        glucose, insulin = subject.glucose_mg_dl, subject.insulin_uu_ml
        egp, uptake = subject.egp_mg_kg_min, subject.uptake_mg_kg_min
        dose = insulin_mu_m2_min * in_force(prime, float(minute), before_first=1.0)
        given = give(minute, per_kg(subject.parameters, dose))
        rows.append(Row(minute, glucose, given, insulin, egp, uptake))
    return rows
