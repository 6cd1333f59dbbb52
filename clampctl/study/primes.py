"""Insulin primes by name, as tables of (minute, multiple of maintenance).

A multiple scales with any dose, so one table serves every protocol (clamp-method 1.2).
"""

import math

from clampctl.core.protocol import Prime, PrimeStep, Refusal
from clampctl.units import MS_PER_MIN


def _exponential() -> Prime:
    """The ten-minute prime, (221/69) exp(-0.1164 n) in minute n = 0..9.

    Sorensen 1985 p. 282, 221 mU/min falling to 69 mU/min in ten minutes; closed form clamp-method 1.2.
    Rounded to six places, so that every computer writes the same table into the journal.
    """
    steps = tuple(
        PrimeStep(minute * MS_PER_MIN, round(221.0 / 69.0 * math.exp(-0.1164 * minute), 6))
        for minute in range(10)
    )
    return Prime("exponential 10 min", steps, 10 * MS_PER_MIN)


NONE = Prime("none", (), 0)
"""Insulin begins at maintenance."""

FOUR_TWO = Prime("4x/2x", (PrimeStep(0, 4.0), PrimeStep(4 * MS_PER_MIN, 2.0)), 7 * MS_PER_MIN)
"""EGIR type: 4x to minute 4, 2x to minute 7; 1.5 times the load of the exponential prime [R]."""

EXPONENTIAL = _exponential()

PRIMES = {prime.name: prime for prime in (EXPONENTIAL, FOUR_TWO, NONE)}


def named_prime(value: object, field: str = "prime") -> Prime:
    """A prime by its name; any other name is refused."""
    if isinstance(value, str) and value in PRIMES:
        return PRIMES[value]
    names = ", ".join(f'"{name}"' for name in PRIMES)
    raise Refusal(field, f'{field} is "{value}"; expected {names} or a table of steps.')
