"""What a pump can do and what is known of it: each pump's driver declares one of these.

Not here: the syringe's own limits (the link computes or asks them), the role a station gives.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from clampctl.core.commands import Role


class OnSilence(StrEnum):
    """What the pump does when the computer falls silent, set up for a role as the link does it."""

    STOPS = "stops"
    CONTINUES = "continues"
    UNPROVEN = "unproven"


class Watchdog(StrEnum):
    """How a pump comes to stop by itself on silence."""

    NONE = "none"
    FIXED = "fixed"
    SETTABLE = "settable"
    ROLLING_VOLUME = "rolling volume limit"


@dataclass(frozen=True, slots=True)
class PumpCapabilities:
    """One pump family.

    `rate_ul_h_min` and `rate_ul_h_max` are the family's widest range in µL/h, which a syringe
    narrows. `rate_steps` are (below_ul_h, step_ul_h): below the first the pump holds whole
    multiples of the second. `watchdog_s` is the time after which it stops by itself in the insulin
    role, None where it never does. `counter_quantum_ul` is the coarsest step of its volume counter
    in µL, None without a counter. `senses` are the alarms it raises by itself.
    """

    rate_ul_h_min: int
    rate_ul_h_max: int
    rate_steps: tuple[tuple[int, int], ...]
    watchdog: Watchdog
    watchdog_s: int | None
    on_silence: Mapping[Role, OnSilence]
    counter_quantum_ul: int | None
    has_syringe: bool
    units_locked_while_running: bool
    keypad_lock: bool
    senses: tuple[str, ...]


RIGHT_ON_SILENCE: Mapping[Role, OnSilence] = {
    Role.INSULIN: OnSilence.STOPS,
    Role.DEXTROSE: OnSilence.CONTINUES,
}
"""Insulin off with dextrose running is the safe state (pumps 10.1)."""
