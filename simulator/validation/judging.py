"""What a figure is held against, and the verdict: pure comparisons, no physiology."""

import math
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What came of one comparison."""

    PASS = "pass"
    FAIL = "FAIL"
    INFORMATIVE = "informative"
    NOT_YET = "not yet"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The closed range that a figure must lie in, and how that is written."""

    low: float
    high: float
    text: str

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"a tolerance from {self.low:g} to {self.high:g} holds nothing")

    def holds(self, figure: float) -> bool:
        """Whether the figure lies in the range, both ends included; NaN does not."""
        return self.low <= figure <= self.high


def between(low: float, high: float) -> Tolerance:
    """From `low` to `high`."""
    return Tolerance(low, high, f"{low:g} to {high:g}")


def at_most(high: float) -> Tolerance:
    """No more than `high`, either side of zero."""
    return Tolerance(-high, high, f"at most {high:g}")


def within_pct(published: float, pct: float) -> Tolerance:
    """So many percent about a published value."""
    away = abs(published) * pct / 100.0
    return Tolerance(published - away, published + away, f"± {pct:g} %")


def within(published: float, away: float, unit: str) -> Tolerance:
    """So much, in the figure's own unit, about a published value."""
    return Tolerance(published - away, published + away, f"± {away:g} {unit}")


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison.

    `id` is the target's in the models sheet, section 7. `ours` is None where it is not computed.
    A `reason` says why the row is not judged; without one it gates: outside its tolerance it fails.
    """

    id: str
    quantity: str
    published: str
    tolerance: Tolerance | None
    ours: float | None
    unit: str
    reason: str = ""

    @property
    def gates(self) -> bool:
        """Whether this row can fail."""
        return not self.reason

    @property
    def is_met(self) -> bool | None:
        """Whether the figure lies within its tolerance; None without a figure or without a tolerance."""
        return None if self.ours is None or self.tolerance is None else self.tolerance.holds(self.ours)

    @property
    def verdict(self) -> Verdict:
        """Pass or fail for a row that gates; a row that gates without a figure is not there yet."""
        if not self.gates:
            return Verdict.INFORMATIVE
        if self.is_met is None:
            return Verdict.NOT_YET
        return Verdict.PASS if self.is_met else Verdict.FAIL


def failed(rows: list[Row]) -> list[Row]:
    """The rows that gate and are not met; one without a figure has not met its target either."""
    return [row for row in rows if row.verdict in (Verdict.FAIL, Verdict.NOT_YET)]


def away_pct(figure: float, published: float) -> float:
    """How far a figure lies from a published one, in percent of it; not defined (NaN) about zero."""
    return 100.0 * (figure - published) / abs(published) if published else math.nan
