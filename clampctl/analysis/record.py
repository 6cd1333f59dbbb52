"""A finished clamp as plain series: what the measures are computed from, wherever it came from.

Times are minutes from the start of insulin. Nothing here judges; it only integrates and interpolates.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EDGE_MIN = 5.0
"""Beyond its first or last reading a series is taken as level for one sampling interval at most."""


class GirIs(StrEnum):
    """How GIR was recorded: rates held from their time on, or readings off a curve."""

    STEPS = "steps"
    READINGS = "readings"


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values at times in minutes; times never fall, values are finite. ValueError otherwise."""

    at_min: Floats
    values: Floats

    def __post_init__(self) -> None:
        if self.at_min.ndim != 1 or self.at_min.shape != self.values.shape:
            raise ValueError("times and values of a series must be two lists of one length")
        if not (np.isfinite(self.at_min).all() and np.isfinite(self.values).all()):
            raise ValueError("times and values of a series must be finite")
        if (np.diff(self.at_min) < 0.0).any():
            raise ValueError("times of a series must not fall")

    def __len__(self) -> int:
        return len(self.at_min)

    def between(self, start_min: float, end_min: float) -> "Series":
        """The readings from start to end, both included."""
        inside = (self.at_min >= start_min) & (self.at_min <= end_min)
        return Series(self.at_min[inside], self.values[inside])

    def at(self, minute: float) -> float | None:
        """The value at a time, linear between readings; None further than 5 min beyond them."""
        if not self.covers(minute, minute):
            return None
        return float(np.interp(minute, self.at_min, self.values))

    def covers(self, start_min: float, end_min: float) -> bool:
        """Whether start to end lies within the readings, with 5 min grace at either end."""
        if len(self) == 0:
            return False
        return bool(start_min >= self.at_min[0] - EDGE_MIN and end_min <= self.at_min[-1] + EDGE_MIN)


def series(pairs: Iterable[tuple[float, float]]) -> Series:
    """A series from (minute, value) pairs."""
    table = np.array(list(pairs), dtype=np.float64).reshape(-1, 2)
    return Series(table[:, 0], table[:, 1])


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """A curve in straight pieces, each from (from_min, first) to (to_min, last)."""

    from_min: Floats
    to_min: Floats
    first: Floats
    last: Floats

    def mean(self) -> float:
        """Time-weighted mean."""
        return self._mean_of(self.first, self._centre(), self.last)

    def sd(self) -> float:
        """Time-weighted standard deviation about the mean."""
        mean = self.mean()
        ends_and_centre = (self.first, self._centre(), self.last)
        return float(np.sqrt(self._mean_of(*((values - mean) ** 2 for values in ends_and_centre))))

    def slope_per_min(self) -> float:
        """Slope of the time-weighted least-squares line, per minute."""
        middle = (self.from_min[0] + self.to_min[-1]) / 2.0
        minutes = float(self.to_min[-1] - self.from_min[0])
        before, after = self.from_min - middle, self.to_min - middle
        covariance = self._mean_of(
            before * self.first, (before + after) / 2.0 * self._centre(), after * self.last
        )
        return covariance / (minutes**2 / 12.0)

    def _centre(self) -> Floats:
        return (self.first + self.last) / 2.0

    def _mean_of(self, first: Floats, centre: Floats, last: Floats) -> float:
        """Mean over time of a quantity known at both ends and in the middle of each piece.

        Simpson's rule, exact for the squares and products of straight pieces asked for here.
        """
        width = self.to_min - self.from_min
        return float(np.sum(width * (first + 4.0 * centre + last) / 6.0) / np.sum(width))


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One clamp: measured glucose (mg/dL), GIR (mg/kg/min), insulin (µU/mL, may be empty).

    Steps of GIR begin with the first known rate, usually (0, 0): before it GIR counts as not known.
    Insulin runs from `clamp_start_min` to `taper_start_min`; `m_window_min` is the protocol's window
    for M. `true_glucose` is a virtual subject's own glucose, `reference` a laboratory's values for the
    same blood. V in L/kg and the pool fraction p make the space correction (clamp-method 3.1 [R]).
    """

    glucose: Series
    gir: Series
    gir_is: GirIs
    insulin: Series
    clamp_start_min: float
    taper_start_min: float
    target_mg_dl: float
    weight_kg: float
    m_window_min: tuple[float, float] | None = None
    true_glucose: Series | None = None
    reference: Series | None = None
    space_l_kg: float = 0.19
    pool_fraction: float = 1.0

    def gir_between(self, start_min: float, end_min: float) -> Segments | None:
        """GIR over a window in straight pieces; None where it was not recorded throughout."""
        if start_min >= end_min or len(self.gir) == 0:
            return None
        times, values = self.gir.at_min, self.gir.values
        inside = times[(times > start_min) & (times < end_min)]
        knots = np.unique(np.concatenate(([start_min], inside, [end_min])))
        if self.gir_is is GirIs.STEPS:
            if start_min < times[0]:
                return None
            held = values[np.searchsorted(times, knots[:-1], side="right") - 1]
            return Segments(knots[:-1], knots[1:], held, held)
        if not self.gir.covers(start_min, end_min):
            return None
        read = np.interp(knots, times, values)
        return Segments(knots[:-1], knots[1:], read[:-1], read[1:])
