"""One subject or many: arithmetic that means the same on a plain float and on one array entry per subject.

A single subject on plain floats is some ten times faster than arrays of length one. Only operators
and `abs` are used, so that one set of equations serves both.
"""

from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Value = TypeVar("Value", float, Array)


def positive(value: Value) -> Value:
    """The value where above zero, else zero: (z)+ of the model sheet."""
    return (value + abs(value)) / 2.0


def at_most(value: Value, ceiling: float) -> Value:
    """The value, but nowhere above the ceiling."""
    return value - positive(value - ceiling)


def between(value: Value, low: float, high: float) -> Value:
    """The value clipped to low..high; `low` must lie below `high`."""
    return low + positive(value - low) - positive(value - high)
