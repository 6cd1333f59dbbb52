"""The virtual subject alone, minute by minute: with a given glucose infusion, or with glucose held.

No controller, no noise, no devices. Courses are sequences of (minute, value); reading files and text
with units is the caller's.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from clampctl.core.protocol import Refusal
from simulator.subjects.composite import (
    STEP_MIN,
    Parameters,
    State,
    Subject,
    derivative,
    per_kg,
    runge_kutta,
)
from simulator.subjects.courses import Course, between, in_force, require_course, require_doses


@dataclass(frozen=True, slots=True)
class Row:
    """The subject at one minute; `gir_mg_kg_min` is the rate given from this minute to the next."""

    t_min: int
    glucose_mg_dl: float
    gir_mg_kg_min: float
    insulin_uu_ml: float
    egp_mg_kg_min: float
    uptake_mg_kg_min: float


def open_loop(
    parameters: Parameters[float],
    insulin_mu_m2_min: float,
    gir_course: Course,
    minutes: int,
    prime: Course = (),
) -> list[Row]:
    """A fasting subject under a given glucose infusion, one row each minute from 0 to `minutes`.

    Each rate (mg/kg/min) holds from its minute until the next; before the first, none is given. A
    negative rate removes glucose: no pump does, but a course from `held` may contain it. Insulin runs
    from minute 0 at the dose times the multiple in `prime` (from minute, multiple), 1 before its first
    entry. A row's rate is the mean over the minute that follows. Refuses a course out of order or not
    finite, and a negative dose.
    """
    require_doses(insulin_mu_m2_min, prime)
    require_course("gir course", gir_course)
    subject = Subject(parameters)

    def give(at_min: float, step_min: float) -> float:
        gir = in_force(gir_course, at_min, before_first=0.0)
        dose = insulin_mu_m2_min * in_force(prime, at_min, before_first=1.0)
        subject.advance(step_min, gir, per_kg(parameters, dose))
        return gir * step_min

    return _rows(subject, minutes, (gir_course, prime), give)


def held(
    parameters: Parameters[float],
    insulin_mu_m2_min: float,
    glucose_course: Course | float,
    minutes: int,
    prime: Course = (),
) -> list[Row]:
    """The glucose infusion it takes to keep a subject's glucose on a course, one row each minute.

    The course (mg/dL) is a constant or is linear between its points and flat outside them. Plasma glucose
    follows it exactly and the infusion is what is missing from the glucose balance; a row's rate is its
    mean over the minute that follows, so that `open_loop` with these rates gives the course back. The
    rate is negative where glucose would have to be removed: it is reported, not clipped. A course
    that does not begin at fasting glucose puts plasma there at minute 0, outside the balance. Insulin
    and refusals as in `open_loop`; refuses also an empty course and a glucose not above zero.
    """
    course = [(0.0, float(glucose_course))] if isinstance(glucose_course, int | float) else glucose_course
    require_doses(insulin_mu_m2_min, prime)
    require_course("glucose course", course)
    if not course or min(glucose for _, glucose in course) <= 0.0:
        raise Refusal("glucose course", "The glucose course needs at least one value, all above 0 mg/dL.")
    subject = Subject(parameters)
    subject.state = _with_plasma(parameters, subject.state, between(course, 0.0))

    def give(at_min: float, step_min: float) -> float:
        dose = insulin_mu_m2_min * in_force(prime, at_min, before_first=1.0)
        return _hold(subject, per_kg(parameters, dose), course, at_min, step_min)

    return _rows(subject, minutes, (course, prime), give)


def _hold(
    subject: Subject[float], insulin_mu_kg_min: float, course: Course, at_min: float, step_min: float
) -> float:
    """Advance with plasma glucose on the course; gives the glucose that took, mg/kg."""
    p, b = subject.parameters, subject.basal

    def slope(passed_min: float, state: State[float]) -> State[float]:
        on_course = _with_plasma(p, state, between(course, at_min + passed_min))
        return derivative(p, b, on_course, 0.0, insulin_mu_kg_min, 1.0)

    without_infusion = runge_kutta(slope, subject.state, step_min)
    subject.state = _with_plasma(p, without_infusion, between(course, at_min + step_min))
    return subject.state.plasma_glucose_mg_kg - without_infusion.plasma_glucose_mg_kg


def _with_plasma(p: Parameters[float], state: State[float], glucose_mg_dl: float) -> State[float]:
    return state._replace(plasma_glucose_mg_kg=glucose_mg_dl * p.glucose_volume_dl_kg)


def _rows(
    subject: Subject[float],
    minutes: int,
    courses: tuple[Course, ...],
    give: Callable[[float, float], float],
) -> list[Row]:
    """Look at the subject each minute; `give` moves it one step on and tells the glucose given, mg/kg."""
    if minutes < 0:
        raise Refusal("minutes", f"minutes is {minutes}; expected 0 or more.")
    rows = []
    for minute in range(minutes + 1):
        glucose, insulin = subject.glucose_mg_dl, subject.insulin_uu_ml
        egp, uptake = subject.egp_mg_kg_min, subject.uptake_mg_kg_min
        given = math.fsum(give(at_min, step_min) for at_min, step_min in _steps(minute, courses))
        rows.append(Row(minute, glucose, given, insulin, egp, uptake))
    return rows


def _steps(minute: int, courses: tuple[Course, ...]) -> Iterator[tuple[float, float]]:
    """Cut the minute at every point of the courses, then into steps: (begins at, lasts), both min."""
    inside = {at for course in courses for at, _ in course if minute < at < minute + 1}
    edges = [float(minute), *sorted(inside), float(minute + 1)]
    for begin, end in pairwise(edges):
        count = math.ceil((end - begin) / STEP_MIN)
        for index in range(count):
            yield begin + (end - begin) * index / count, (end - begin) / count
