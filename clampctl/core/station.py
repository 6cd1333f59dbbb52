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

    `diameter_um` is the inner diameter of the syringe in µm, None for a pump without one.
    `watchdog_s` is None where the pump keeps running when the computer falls silent.
    `counter_quantum_ul` is the coarsest step of its volume counter, None where it has none.
    `serial` is the pump's serial number, "" where it is not compared. `proof` names the signed bench
    sheet that shows how this pump behaves; "" is none, and then nothing is automatic.
    """

    role: Role
    driver: str
    model: str
    address: int
    diameter_um: int | None
    rate_ul_h_min: int
    rate_ul_h_max: int
    rate_steps: tuple[RateStep, ...]
    watchdog_s: int | None
    counter_quantum_ul: int | None
    serial: str = ""
    proof: str = ""

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
        if self.diameter_um is not None:
            require_between("syringe diameter", self.diameter_um / 1000.0, 0.1, 80.0, "mm")


@dataclass(frozen=True, slots=True)
class AnalyzerSetup:
    """The analyzer; `lag_ms` is the assumed time from draw to result when nobody marked the draw.

    `matrix` is what the analyzer reports. `plasma_by_program`: it reports whole blood, and the program
    makes plasma of it, once; stated by the unit, never guessed (analyzers 2).
    """

    driver: str
    model: str
    matrix: str
    lag_ms: int
    plasma_by_program: bool = False

    def __post_init__(self) -> None:
        if self.plasma_by_program and self.matrix != "whole_blood":
            raise Refusal(
                "conversion",
                f"The analyzer reports {self.matrix}; only whole blood is made plasma by the program, once.",
            )
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

    @property
    def unproven(self) -> PumpSetup | None:
        """A pump without a signed bench sheet, which automatic mode needs; None when both have one."""
        pumps = (self.dextrose_pump, self.insulin_pump)
        return next((pump for pump in pumps if not pump.proof), None)
