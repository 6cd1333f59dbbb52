"""What a New Era pump keeps in memory: its settings and the phases of its pumping program."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from math import floor, pi

PHASES = 41
SMALL_SYRINGE_UM = 14_000
"""Up to this entered diameter volumes are in µL, above it in mL (NE-500 manual)."""

_MAX_CM_MIN = 5.1005  # plunger speed, NE-1000 manual 12.5 as labmcp quotes it
_MIN_CM_H = 0.004205


class RateUnit(StrEnum):
    """µL/min, mL/min, µL/h, mL/h."""

    UM = "UM"
    MM = "MM"
    UH = "UH"
    MH = "MH"


NL_H_PER_THOUSANDTH = {RateUnit.UM: 60, RateUnit.MM: 60_000, RateUnit.UH: 1, RateUnit.MH: 1_000}
"""A thousandth of each unit is a whole number of nL/h, so that a typed rate is held exactly."""


class Function(StrEnum):
    """What a phase does."""

    RATE = "RAT"
    STOP = "STP"


class Direction(IntEnum):
    """Sign of the flow."""

    INFUSE = 1
    WITHDRAW = -1


class Status(StrEnum):
    """The prompt of a reply (sheet 2.4)."""

    INFUSING = "I"
    WITHDRAWING = "W"
    STOPPED = "S"
    PAUSED = "P"
    PURGING = "X"


class Alarm(StrEnum):
    """The letter behind A? (sheet 2.4)."""

    RESET = "R"
    STALLED = "S"
    SAFE_TIMEOUT = "T"
    PROGRAM_ERROR = "E"
    PHASE_OUT_OF_RANGE = "O"


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase: rate and target volume as typed, in thousandths of their units; volume 0 has no end."""

    function: Function = Function.STOP
    rate: int = 0
    unit: RateUnit = RateUnit.MH
    volume: int = 0
    direction: Direction = Direction.INFUSE

    @property
    def flow_nl_h(self) -> int:
        """Flow without sign, nL/h."""
        return self.rate * NL_H_PER_THOUSANDTH[self.unit]


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything kept through a power cycle except the phases."""

    address: int
    saf_s: int
    diameter_um: int
    volume_in_ml: bool
    buzzer: bool = True
    resumes_after_power_failure: bool = False


def volume_in_ml(diameter_um: int) -> bool:
    """Whether volumes are in mL for this entered diameter."""
    return diameter_um > SMALL_SYRINGE_UM


def fastest_nl_h(diameter_um: int) -> int:
    """Highest rate at this diameter from the plunger's top speed, nL/h."""
    return floor(_MAX_CM_MIN * 60 * _area_cm2(diameter_um) * 1e6)


def slowest_nl_h(diameter_um: int) -> int:
    """Lowest rate at this diameter from the plunger's lowest speed, nL/h."""
    return floor(_MIN_CM_H * _area_cm2(diameter_um) * 1e6)


def _area_cm2(diameter_um: int) -> float:
    return pi * (diameter_um / 20_000) ** 2
