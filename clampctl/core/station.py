"""The station: which device plays which role, as far as decisions depend on it.

Ports and cables are the engine's; here are the limits and steps of a pump, and the assumed delay
of an analyzer.
"""

from dataclasses import dataclass

from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal, require_between

MANUAL_PUMP = "manual-pump"
"""The driver of a pump that a person sets and reads."""


@dataclass(frozen=True, slots=True)
class RateStep:
    """Below `below_ul_h` the pump holds rates in whole multiples of `step_ul_h`."""

    below_ul_h: int
    step_ul_h: int


@dataclass(frozen=True, slots=True)
class PumpSetup:
    """A pump in its role: identity to be proved, range, and the steps its rates come in.

    `watchdog_s` is None where the pump keeps running when the computer falls silent.
    `counter_quantum_ul` is the coarsest step of its volume counter, None where it has none.
    """

    role: Role
    driver: str
    model: str
    address: int
    diameter_um: int
    rate_ul_h_min: int
    rate_ul_h_max: int
    rate_steps: tuple[RateStep, ...]
    watchdog_s: int | None
    counter_quantum_ul: int | None

    @property
    def by_hand(self) -> bool:
        """Whether a person sets this pump and reads it."""
        return self.driver == MANUAL_PUMP

    def __post_init__(self) -> None:
        if self.role is Role.INSULIN and self.watchdog_s is None and self.driver != MANUAL_PUMP:
            raise Refusal(
                "insulin_pump", "The insulin pump must stop by itself when the computer falls silent."
            )
        if self.role is Role.DEXTROSE and self.watchdog_s is not None:
            raise Refusal("dextrose_pump", "The dextrose pump must not stop by itself on silence.")
        require_between("syringe diameter", self.diameter_um / 1000.0, 0.1, 80.0, "mm")


@dataclass(frozen=True, slots=True)
class AnalyzerSetup:
    """The analyzer; `lag_ms` is the assumed time from draw to result when nobody marked the draw."""

    driver: str
    model: str
    matrix: str
    lag_ms: int

    def __post_init__(self) -> None:
        if self.matrix not in ("plasma", "whole_blood", "plasma_equivalent"):
            raise Refusal(
                "matrix", f"matrix is {self.matrix!r}; expected plasma, whole_blood or plasma_equivalent."
            )
        require_between("analyzer lag", self.lag_ms / 1000.0, 0.0, 600.0, "s")


@dataclass(frozen=True, slots=True)
class Station:
    """The devices of one bedside."""

    name: str
    dextrose_pump: PumpSetup
    insulin_pump: PumpSetup
    analyzer: AnalyzerSetup
