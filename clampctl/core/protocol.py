"""The protocol of a clamp as frozen values in internal units.

Decides what may be asked for, not how a document is written (`study.load`). Every field that the
method sheet tags unverified is a setting here. A value out of its range is refused by name.
"""

from dataclasses import dataclass
from enum import StrEnum


class Refusal(Exception):
    """An operator's or a document's wish that cannot be granted, with one sentence for the bedside."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


def require_between(field: str, value: float, low: float, high: float, unit: str) -> None:
    """Refuse `value` outside low..high (both allowed); NaN is outside."""
    if not low <= value <= high:
        raise Refusal(field, f"{field} is {value:g} {unit}; expected {low:g} to {high:g} {unit}.")


class Mode(StrEnum):
    """Who applies a proposed rate."""

    CONFIRM = "confirm"
    AUTOMATIC = "automatic"


class GlucoseUnit(StrEnum):
    """Unit on screen and report, fixed for a session; the inside is always mg/dL."""

    MG_DL = "mg/dL"
    MMOL_L = "mmol/L"


@dataclass(frozen=True, slots=True)
class PrimeStep:
    """From `from_ms` after the step's start insulin runs at `multiple` x maintenance."""

    from_ms: int
    multiple: float


@dataclass(frozen=True, slots=True)
class Prime:
    """Insulin prime as a table; empty means none. Maintenance (multiple 1) begins at `until_ms`."""

    name: str
    steps: tuple[PrimeStep, ...]
    until_ms: int

    def __post_init__(self) -> None:
        before = -1
        for step in self.steps:
            if step.from_ms <= before or step.from_ms >= self.until_ms:
                raise Refusal("prime", "The minutes of the insulin prime must rise and lie before its end.")
            require_between("prime multiple", step.multiple, 0.0, 10.0, "x maintenance")
            before = step.from_ms
        if self.steps and self.steps[0].from_ms != 0:
            raise Refusal("prime", "The insulin prime must begin at minute 0.")
        require_between("prime until", self.until_ms / 60_000, 0.0, 30.0, "min")


@dataclass(frozen=True, slots=True)
class FirstRate:
    """A GIR given by the clock from `from_ms` after insulin start, before the rule takes over."""

    from_ms: int
    gir_mg_kg_min: float


@dataclass(frozen=True, slots=True)
class LawSettings:
    """Which control law, and its constants (DeFronzo 1979 as in clamp-method 2.1).

    space_l_kg 0.19 and horizon_ms 15 min give 0.12667 mg/kg/min per mg/dL. `metabolic_start`
    is the M history before the rule begins; `metabolic_floor` keeps the metabolic term from
    collapsing to zero, from where a product can never return.
    """

    name: str
    space_l_kg: float
    horizon_ms: int
    metabolic_start_mg_kg_min: float
    metabolic_floor_mg_kg_min: float
    first_rates: tuple[FirstRate, ...]
    rule_from_ms: int

    def __post_init__(self) -> None:
        require_between("glucose space", self.space_l_kg, 0.05, 0.5, "L/kg")
        require_between("look-ahead", self.horizon_ms / 60_000, 5.0, 60.0, "min")
        require_between("first metabolic term", self.metabolic_start_mg_kg_min, 0.1, 20.0, "mg/kg/min")
        require_between("floor of the metabolic term", self.metabolic_floor_mg_kg_min, 0.0, 5.0, "mg/kg/min")
        for rate in self.first_rates:
            require_between("first glucose rate", rate.gir_mg_kg_min, 0.0, 10.0, "mg/kg/min")


@dataclass(frozen=True, slots=True)
class ClampStep:
    """One step of the clamp: an insulin dose held for a time at a glucose target.

    `window_start_ms` and `window_end_ms` bound the M value, counted from the start of the step.
    """

    name: str
    insulin_mu_m2_min: float
    target_mg_dl: float
    duration_ms: int
    prime: Prime
    window_start_ms: int
    window_end_ms: int

    def __post_init__(self) -> None:
        require_between("insulin", self.insulin_mu_m2_min, 1.0, 240.0, "mU/m**2/min")
        require_between("target", self.target_mg_dl, 45.0, 450.0, "mg/dL")
        require_between("duration", self.duration_ms / 60_000, 20.0, 1440.0, "min")
        if not 0 <= self.window_start_ms < self.window_end_ms <= self.duration_ms:
            raise Refusal("window", f"The M window of step {self.name!r} must lie inside the step.")


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits and ages (safety sheet SR-2, SR-5 to SR-13); riskier values need a new signature.

    Changeable only toward less risk: each is refused beyond the sheet's default.
    """

    gir_mg_kg_min_max: float = 20.0
    gir_mg_kg_min_soft: float = 15.0
    gir_rise_mg_kg_min_max: float = 4.0
    gir_fall_mg_kg_min_max: float = 2.0
    doubted_cut_max: float = 0.20
    dextrose_ul_h_max: int = 600_000
    insulin_mu_m2_min_max: float = 120.0
    insulin_ul_h_max: int = 40_000
    rise_doubted_mg_dl_min: float = 5.0
    glucose_insulin_off_mg_dl: float = 60.0
    age_late_ms: int = 8 * 60_000
    age_stale_ms: int = 12 * 60_000
    age_fallback_ms: int = 15 * 60_000
    proposal_ms: int = 60_000
    override_ms: int = 10 * 60_000
    repeat_ms: int = 3 * 60_000
    readback_ms: int = 5_000
    silence_ms: int = 5_000
    silence_stop_ms: int = 20_000
    no_flow_ms: int = 20_000

    def __post_init__(self) -> None:
        at_most = (
            ("gir max", self.gir_mg_kg_min_max, 20.0, "mg/kg/min"),
            ("gir rise", self.gir_rise_mg_kg_min_max, 4.0, "mg/kg/min"),
            ("dextrose rate", self.dextrose_ul_h_max / 1000, 600.0, "mL/h"),
            ("insulin dose", self.insulin_mu_m2_min_max, 240.0, "mU/m**2/min"),
            ("insulin rate", self.insulin_ul_h_max / 1000, 40.0, "mL/h"),
            ("late sample", self.age_late_ms / 60_000, 8.0, "min"),
            ("stale sample", self.age_stale_ms / 60_000, 12.0, "min"),
            ("fallback age", self.age_fallback_ms / 60_000, 15.0, "min"),
            ("proposal life", self.proposal_ms / 1000, 60.0, "s"),
            ("override life", self.override_ms / 60_000, 10.0, "min"),
            ("gir soft", self.gir_mg_kg_min_soft, 15.0, "mg/kg/min"),
            ("gir fall", self.gir_fall_mg_kg_min_max, 2.0, "mg/kg/min"),
            ("doubted rise", self.rise_doubted_mg_dl_min, 5.0, "mg/dL/min"),
            ("repeat of a doubted sample", self.repeat_ms / 60_000, 3.0, "min"),
            ("read-back", self.readback_ms / 1000, 5.0, "s"),
            ("silence", self.silence_ms / 1000, 5.0, "s"),
            ("silence before insulin stops", self.silence_stop_ms / 1000, 30.0, "s"),
            ("dextrose without flow", self.no_flow_ms / 1000, 20.0, "s"),
        )
        for field, value, high, unit in at_most:
            require_between(field, value, 0.0, high, unit)
        require_between("cut on a doubted high", self.doubted_cut_max, 0.0, 0.20, "of the rate")
        require_between("glucose for insulin off", self.glucose_insulin_off_mg_dl, 45.0, 120.0, "mg/dL")


@dataclass(frozen=True, slots=True)
class Tail:
    """Dextrose after insulin: hold, then smooth halving (safety sheet 2.1, clamp-method 6)."""

    hold_ms: int = 30 * 60_000
    half_life_ms: int = 30 * 60_000
    average_ms: int = 10 * 60_000

    def __post_init__(self) -> None:
        require_between("tail hold", self.hold_ms / 60_000, 10.0, 120.0, "min")
        require_between("tail half-life", self.half_life_ms / 60_000, 10.0, 120.0, "min")
        require_between("tail average", self.average_ms / 60_000, 1.0, 30.0, "min")


@dataclass(frozen=True, slots=True)
class Infusates:
    """What the bag and the syringe hold: anhydrous glucose in g/L, insulin in mU/mL."""

    dextrose_g_l: float
    dextrose_label: str
    insulin_mu_ml: float
    insulin_label: str

    def __post_init__(self) -> None:
        require_between("dextrose", self.dextrose_g_l / 10.0, 4.5, 70.0, "% anhydrous")
        require_between("insulin concentration", self.insulin_mu_ml / 1000.0, 0.05, 10.0, "U/mL")


@dataclass(frozen=True, slots=True)
class Protocol:
    """A whole clamp protocol; the same value drives live, simulated and replayed clamps."""

    name: str
    title: str
    steps: tuple[ClampStep, ...]
    sampling_ms: int
    basal_ms: int
    law: LawSettings
    limits: Limits
    tail: Tail
    infusates: Infusates
    mode: Mode
    glucose_unit: GlucoseUnit
    bsa_formula: str

    def __post_init__(self) -> None:
        if not self.steps:
            raise Refusal("steps", "The protocol has no clamp step; at least one is needed.")
        require_between("sampling", self.sampling_ms / 60_000, 1.0, 10.0, "min")
        for step in self.steps:
            if step.insulin_mu_m2_min > self.limits.insulin_mu_m2_min_max:
                raise Refusal(
                    "insulin",
                    f"Step {step.name!r} asks for {step.insulin_mu_m2_min:g} mU/m**2/min of insulin; "
                    f"this protocol allows {self.limits.insulin_mu_m2_min_max:g}.",
                )
