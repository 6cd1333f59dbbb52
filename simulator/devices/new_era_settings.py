"""How an emulated New Era pump is set up, and which of its unverified habits it has."""

from dataclasses import dataclass
from enum import StrEnum


class SafReply(StrEnum):
    """Framing of the reply to the command that switches between Basic and Safe [R]."""

    NEW = "new"  # the mode just chosen
    SAFE = "safe"
    BASIC = "basic"


@dataclass(frozen=True, slots=True)
class NewEraSettings:
    """Constructor settings of `NewEra`; tags as in the pump sheet: [S] sourced, [I] inferred, [R] unverified.

    identity: what VER answers [S nesp].
    address: 0-99.
    saf_s: Safe timer in memory at the first power-up, 0-255 s; 0 is Basic mode [S NE1000 p.34].
    diameter_um: entered inner diameter in µm; 26590 is the BD 60 mL syringe [S labmcp].
    syringe_um: true inner diameter in µm; None when it is the entered one.
    capacity_ul: what the syringe or bag holds in µL; None never ends. Empty is a stall.
    reply_delay_ms: time to answer.
    saf_reply: framing of the reply that switches framing [R; NEW is what nesp expects].
    saf_arms_at_once: the command that sets a timer also starts it [I].
    has_safe_mode: the firmware knows SAF; without, it answers `?` [R].
    announces_reset: a pump left in Safe mode sends A?R by itself at power-up [R].
    strict_units: while running any unit is refused, even the one in use [R].
    accepts_zero_rate: RAT 0 is a rate; otherwise out of range [R].
    max_rate_ul_h: highest rate accepted; None when the plunger speed alone limits it.
    diameter_from_um, diameter_to_um: range of DIA [S nesp 80.0 mm; labmcp says 50.0].
    volume_while_running: VOL may change while running [R].
    repeated_stop_is_refused: STP while stopped answers ?NA instead of a plain S [R].
    locks_when_stopped: LOC is taken while no program runs; octo says it is not [R].
    """

    identity: str = "NE1000V3.928"
    address: int = 0
    saf_s: int = 0
    diameter_um: int = 26_590
    syringe_um: int | None = None
    capacity_ul: int | None = None
    reply_delay_ms: int = 0
    saf_reply: SafReply = SafReply.NEW
    saf_arms_at_once: bool = True
    has_safe_mode: bool = True
    announces_reset: bool = False
    strict_units: bool = False
    accepts_zero_rate: bool = False
    max_rate_ul_h: int | None = None
    diameter_from_um: int = 100
    diameter_to_um: int = 80_000
    volume_while_running: bool = False
    repeated_stop_is_refused: bool = False
    locks_when_stopped: bool = False
