"""Faults on a timetable: `ROLE:FAULT@MINUTE`, such as `dextrose:unplug@60` or `insulin:mute@30-32`.

What a fault does is the emulator's affair (`simulator.devices.fault`); here is when, and to whom.
Contamination and lies of the blood itself come with the cohorts' sampling path.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from simulator.devices.device import Device
from simulator.devices.fault import Fault, FaultKind, fault
from simulator.furniture import USUAL, Choice, spare

EXPECTED = (
    "expected ROLE:FAULT@MINUTE or ROLE:FAULT@FROM-TO, such as dextrose:unplug@60 or insulin:mute@30-32"
)


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing that happens to one device; `fault` None clears the kind."""

    at_ms: int
    role: Role
    kind: FaultKind
    fault: Fault | None

    def happen(self, devices: Mapping[Role, Device], now_ms: int) -> None:
        """Do it. Raises ValueError where this device cannot have the fault."""
        device = devices[self.role]
        if self.fault is None:
            device.clear(self.kind, now_ms)
        else:
            device.inject(self.fault, now_ms)


def planned(text: str, devices: Choice = USUAL) -> tuple[Planned, ...]:
    """A timetable entry read from its text; two where it ends again. Refused with one sentence.

    The fault is tried on a spare device of the role first: an impossible one is refused beforehand.
    """
    what, at, when = text.rpartition("@")
    name, colon, words = what.partition(":")
    if not at or not colon:
        raise Refusal("fault", f"fault is {text!r}; {EXPECTED}.")
    role = next((role for role in Role if role.value == name), None)
    if role is None:
        roles = ", ".join(role.value for role in Role)
        raise Refusal("fault", f"fault is {text!r}: no device has the role {name!r}; expected {roles}.")
    try:
        found = fault(words)
        spare(devices, role).inject(found, 0)
    except ValueError as error:
        raise Refusal("fault", f"fault is {text!r}: {error}") from None
    minutes = _minutes(when)
    if minutes is None:
        raise Refusal("fault", f"fault is {text!r}; {EXPECTED}.")
    begins = Planned(round(minutes[0] * 60_000), role, found.kind, found)
    if len(minutes) == 1:
        return (begins,)
    return begins, Planned(round(minutes[1] * 60_000), role, found.kind, None)


def _minutes(when: str) -> list[float] | None:
    """One minute, or two that rise; None for anything else."""
    try:
        minutes = [float(part) for part in when.split("-")]
    except ValueError:
        return None
    sound = all(0.0 <= minute < math.inf for minute in minutes)
    return minutes if sound and len(minutes) <= 2 and sorted(minutes) == minutes else None
