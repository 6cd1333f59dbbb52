"""Courses: sequences of (minute, value) that a virtual subject is given or held on. Not here: a subject."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from clampctl.core.protocol import Refusal

Course = Sequence[tuple[float, float]]

PRIME: Course = (
    *((float(minute), 221.0 / 69.0 * math.exp(-0.1164 * minute)) for minute in range(10)),
    (10.0, 1.0),
)
"""Multiples of an insulin dose by minute: the prime of the reference protocol (models sheet, section 2)."""


def in_force(course: Course, at_min: float, before_first: float) -> float:
    """The last value whose time has come."""
    value = before_first
    for from_min, following in course:
        if from_min > at_min:
            break
        value = following
    return value


def between(course: Course, at_min: float) -> float:
    """Linear interpolation, flat outside."""
    previous_min, previous = course[0]
    for point_min, value in course:
        if at_min <= point_min:
            if point_min == previous_min:
                return value
            share = (at_min - previous_min) / (point_min - previous_min)
            return previous + share * (value - previous)
        previous_min, previous = point_min, value
    return previous


def pieces(minute: int, course: Course) -> Iterator[tuple[float, float]]:
    """Cut the minute at every point of the course: (begins at, lasts), both min."""
    inside = sorted({at for at, _ in course if minute < at < minute + 1})
    for begin, end in pairwise([float(minute), *inside, float(minute + 1)]):
        yield begin, end - begin


def require_course(name: str, course: Course) -> None:
    """Refuses a course out of order or not finite."""
    times = [at_min for at_min, _ in course]
    if not all(math.isfinite(number) for point in course for number in point):
        raise Refusal(name, f"The {name} contains a value that is not a finite number.")
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise Refusal(name, f"The times of the {name} must rise from line to line.")


def doses(primed: bool, until_min: float | None) -> Course:
    """Multiples of a dose: with the prime or not, and none from `until_min` on (None: to the end)."""
    course = PRIME if primed else ((0.0, 1.0),)
    if until_min is None:
        return course
    return (*(point for point in course if point[0] < until_min), (until_min, 0.0))


def require_doses(insulin_mu_m2_min: float, prime: Course) -> None:
    """Refuses a dose or a multiple of it that is negative or not finite."""
    require_course("prime", prime)
    for dose in (insulin_mu_m2_min, *(multiple for _, multiple in prime)):
        if not 0.0 <= dose < math.inf:
            raise Refusal("insulin", "Insulin doses and prime multiples must be finite and not negative.")
