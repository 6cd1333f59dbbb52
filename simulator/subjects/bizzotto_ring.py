"""How glucose goes round in the second model: heart and lungs, then three parallel paths of the periphery.

Blood flows in a ring. Each stretch is a first-order lag; the periphery takes up a share of what passes
it. Structure of Bizzotto 2016 (AJP-Endo 311:E346); the layout of the lags and the nesting of the path
rates are readings of it [A] (models sheet, 3.1). Concentrations mmol/L, flow and volumes per m² of
body surface. Not here: how large the share is, or what enters (`bizzotto`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeAlias

from simulator.subjects.values import Value

FLOW_ML_MIN_M2 = 2688.0  # F, cardiac output
HEART_LUNG_VOLUME_ML_M2 = 700.0  # VHL
HEART_PER_MIN = 15.0  # deltaHL, first lag of heart and lungs
ENTRY_PER_MIN = 10.0  # delta, first lag of the periphery
LUNG_PER_MIN = 1.0 / (HEART_LUNG_VOLUME_ML_M2 / FLOW_ML_MIN_M2 - 1.0 / HEART_PER_MIN)  # lHL
SEEN_PER_MIN = math.log(2.0) / 0.7  # t12G 0.7 min, the delay with which clearance sees glucose
MEDIUM_TO_FAST = 0.154  # flambda2
MEDIUM_OF_REST = 0.901  # fw2, the medium path's part of the flow that the fast one leaves


GAMMA = 1.0 - math.sqrt(0.5)
"""How far ahead of a step, as a part of it, the ring is solved: second order, and fast lags die out."""

Amounts: TypeAlias = tuple[Value, ...]
Slope: TypeAlias = Callable[[Amounts[Value]], Amounts[Value]]


class Glucose(NamedTuple, Generic[Value]):
    """Glucose along the ring, mmol/L; a slope has the same fields, each per minute."""

    heart: Value  # a1
    arterial: Value  # Ca, what a sample reads
    entry: Value  # p0
    fast: Value  # q1
    medium: Value  # q2
    slow: Value  # q3
    seen: Value  # Gf, delayed arterial glucose; holds none itself


@dataclass(frozen=True, slots=True)
class Ring(Generic[Value]):
    """The paths of the periphery: which share of the flow each has, and its rate."""

    fast_share: Value  # w1
    medium_share: Value  # w2
    slow_share: Value  # w3
    fast_per_min: Value  # l1
    medium_per_min: Value  # l2
    slow_per_min: Value  # l3


def ring(volume_ml_m2: Value, fast_share: Value, slow_to_medium: Value) -> Ring[Value]:
    """The ring that holds a given glucose volume (section 3.1); `slow_to_medium` is flambda3."""
    medium_share = MEDIUM_OF_REST * (1.0 - fast_share)
    slow_share = 1.0 - fast_share - medium_share
    dwell_min = (volume_ml_m2 - HEART_LUNG_VOLUME_ML_M2) / FLOW_ML_MIN_M2 - 1.0 / ENTRY_PER_MIN
    weighted = fast_share + (medium_share + slow_share / slow_to_medium) / MEDIUM_TO_FAST
    fast_per_min = weighted / dwell_min
    medium_per_min = MEDIUM_TO_FAST * fast_per_min
    return Ring(
        fast_share, medium_share, slow_share, fast_per_min, medium_per_min, slow_to_medium * medium_per_min
    )


def returning(r: Ring[Value], glucose: Glucose[Value]) -> Value:
    """Glucose of the mixed venous blood, mmol/L."""
    return r.fast_share * glucose.fast + r.medium_share * glucose.medium + r.slow_share * glucose.slow


def glucose_slopes(
    r: Ring[Value], glucose: Glucose[Value], entering_mmol_l: Value, kept: Value
) -> Glucose[Value]:
    """The lags; what enters is a rate over the flow, `kept` the share the periphery leaves (1 - CL/F)."""
    a1, ca, p0, q1, q2, q3, seen = glucose
    return Glucose(
        HEART_PER_MIN * (entering_mmol_l + returning(r, glucose) - a1),
        LUNG_PER_MIN * (a1 - ca),
        ENTRY_PER_MIN * (kept * ca - p0),
        r.fast_per_min * (p0 - q1),
        r.medium_per_min * (p0 - q2),
        r.slow_per_min * (p0 - q3),
        SEEN_PER_MIN * (ca - seen),
    )


def stored_umol_m2(r: Ring[Value], glucose: Glucose[Value]) -> Value:
    """All glucose in the ring: each lag holds flow / rate times its concentration."""
    periphery = (
        glucose.entry / ENTRY_PER_MIN
        + r.fast_share * glucose.fast / r.fast_per_min
        + r.medium_share * glucose.medium / r.medium_per_min
        + r.slow_share * glucose.slow / r.slow_per_min
    )
    return FLOW_ML_MIN_M2 * (glucose.heart / HEART_PER_MIN + glucose.arterial / LUNG_PER_MIN + periphery)


class ImplicitRing(Generic[Value]):
    """Solves x - ahead_min * slopes(x) = given for the ring with nothing entering; exact, no iteration.

    Backward over a time, a lag moves a fixed share of the way from where it is to what flows in; only
    the venous return closes the loop, and it is one linear equation in one unknown.
    """

    def __init__(self, r: Ring[Value], kept: Value, ahead_min: float) -> None:
        self._ring: Ring[Value] = r
        self._heart = moved_share(HEART_PER_MIN, ahead_min)
        self._lung = moved_share(LUNG_PER_MIN, ahead_min)
        self._entry = moved_share(ENTRY_PER_MIN, ahead_min)
        self._seen = moved_share(SEEN_PER_MIN, ahead_min)
        self._fast: Value = moved_share(r.fast_per_min, ahead_min)
        self._medium: Value = moved_share(r.medium_per_min, ahead_min)
        self._slow: Value = moved_share(r.slow_per_min, ahead_min)
        self._entry_kept: Value = self._entry * kept
        paths = r.fast_share * self._fast + r.medium_share * self._medium + r.slow_share * self._slow
        self._to_heart: Value = self._heart / (1.0 - self._heart * self._lung * self._entry_kept * paths)

    def solved(self, given: Glucose[Value]) -> Glucose[Value]:
        """The solution: first without venous return, then what that return adds along the way."""
        heart = given.heart - self._heart * given.heart
        arterial = given.arterial + self._lung * (heart - given.arterial)
        entry = given.entry - self._entry * given.entry + self._entry_kept * arterial
        fast = given.fast + self._fast * (entry - given.fast)
        medium = given.medium + self._medium * (entry - given.medium)
        slow = given.slow + self._slow * (entry - given.slow)
        r = self._ring
        back = r.fast_share * fast + r.medium_share * medium + r.slow_share * slow
        to_heart = self._to_heart * back
        to_artery = self._lung * to_heart
        to_entry = self._entry_kept * to_artery
        arterial = arterial + to_artery
        return Glucose(
            heart + to_heart,
            arterial,
            entry + to_entry,
            fast + self._fast * to_entry,
            medium + self._medium * to_entry,
            slow + self._slow * to_entry,
            given.seen + self._seen * (arterial - given.seen),
        )


def moved_share(per_min: Value, ahead_min: float) -> Value:
    """The share of the way a lag goes in one backward step."""
    return per_min * ahead_min / (1.0 + per_min * ahead_min)


def rosenbrock(
    slope: Slope[Value], solved: Slope[Value], state: Amounts[Value], step_min: float
) -> Amounts[Value]:
    """One step of ROS2 (Verwer 1999, SIAM J Sci Comput 20:1456), second order and stable at any length.

    `solved` solves x - GAMMA step A x = given, where A is any part of the slope's own derivative: it
    decides what is stable, not what is accurate. A sum that slope and A both conserve stays exact.
    """
    k1 = solved(slope(state))
    ahead = slope(tuple(s + step_min * a for s, a in zip(state, k1, strict=True)))
    k2 = solved(tuple(f - 2.0 * a for f, a in zip(ahead, k1, strict=True)))
    half = step_min / 2.0
    return tuple(s + half * (3.0 * a + b) for s, a, b in zip(state, k1, k2, strict=True))
