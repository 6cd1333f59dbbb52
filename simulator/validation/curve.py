"""A published curve with ours beside it: how far apart they are, and whether that is near enough."""

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Band:
    """How far off a point may be: a share, or an amount where that is more; judged from a minute on."""

    pct: float
    amount: float = 0.0
    from_min: float = 0.0

    @property
    def text(self) -> str:
        """As a table has it."""
        amount = f" or {self.amount:g}" if self.amount else ""
        since = f", from {self.from_min:g} min" if self.from_min else ""
        return f"± {self.pct:g} %{amount}{since}"

    def allowed(self, published: float) -> float:
        """How far off."""
        return max(abs(published) * self.pct / 100.0, self.amount)


@dataclass(frozen=True, slots=True)
class Curve:
    """A published curve and ours, which is given each minute.

    `key` names its picture. Judged point by point (`band`) or by its root mean square error (`rmse_max`);
    a `reason` says why it is not judged. A `known_miss` says why a curve that is judged fails, as far as
    that is known: the page tells it, and the command does not end with 1 for it.
    """

    key: str
    name: str
    subject: str
    unit: str
    published: Points
    ours: Points
    band: Band | None = None
    rmse_max: float | None = None
    reason: str = ""
    known_miss: str = ""

    def errors(self) -> Points:
        """Ours less published at each published minute that is judged."""
        from_min = 0.0 if self.band is None else self.band.from_min
        return [(at, interpolated(self.ours, at) - value) for at, value in self.published if at >= from_min]

    @property
    def rmse(self) -> float:
        """Root mean square error over the judged minutes."""
        errors = self.errors()
        return math.sqrt(math.fsum(error * error for _, error in errors) / len(errors))

    @property
    def worst(self) -> tuple[float, float]:
        """Minute and error of the point that is furthest off, as a share of what is allowed there."""
        values = dict(self.published)

        def share(point: tuple[float, float]) -> float:
            at, error = point
            return abs(error) / (1.0 if self.band is None else self.band.allowed(values[at]))

        return max(self.errors(), key=share)

    @property
    def is_met(self) -> bool:
        """Whether every judged point, and the error of all, is within what is allowed."""
        values = dict(self.published)
        inside = self.band is None or all(
            abs(error) <= self.band.allowed(values[at]) for at, error in self.errors()
        )
        return inside and (self.rmse_max is None or self.rmse < self.rmse_max)

    @property
    def tolerance(self) -> str:
        """What is allowed, as a table has it."""
        parts = [] if self.band is None else [self.band.text]
        if self.rmse_max is not None:
            parts.append(f"RMSE below {self.rmse_max:g}")
        return ", ".join(parts) or "-"

    @property
    def gates(self) -> bool:
        """Whether this curve can fail."""
        return not self.reason


def read_curve(path: Path) -> Points:
    """A digitised curve: comment lines, a header, then minute and value. Minutes before 0 are put to 0."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    points = [tuple(float(cell) for cell in line.split(",")) for line in lines[1:]]
    return [(max(0.0, at), value) for at, value in points]


def interpolated(course: Points, at_min: float) -> float:
    """Linear between points, flat outside."""
    if at_min <= course[0][0]:
        return course[0][1]
    for (before, low), (after, high) in pairwise(course):
        if at_min <= after:
            return low + (high - low) * (at_min - before) / (after - before)
    return course[-1][1]


def half_rise_min(course: Points, plateau_from_min: float = 60.0) -> float:
    """From when on a rate stays above half its mean from `plateau_from_min` on; NaN where it does not.

    From when on, not when first: a rate that follows a digitised glucose curve is rough.
    """
    plateau = [value for at, value in course if at >= plateau_from_min]
    half = math.fsum(plateau) / len(plateau) / 2.0
    risen_min = course[0][0]
    for (before, low), (after, high) in pairwise(course):
        if low < half <= high:
            risen_min = before + (half - low) / (high - low) * (after - before)
    return risen_min if course[-1][1] >= half else math.nan
