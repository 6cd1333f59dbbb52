"""Faults on a timetable: `WHERE:FAULT@MINUTE`, such as `dextrose:unplug@60` or `insulin-line:occluded@30-40`.

What a fault does is the affair of the emulator (`simulator.devices.fault`), of the line from pump to
vein (`simulator.infusion_line`) or of the blood (`simulator.sampling_site`); here is when, and where.
"""

import math
from dataclasses import dataclass
from typing import Protocol

from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from clampctl.units import MS_PER_MIN
from simulator.bedside import Bedside
from simulator.devices.fault import Fault, FaultKind, fault
from simulator.furniture import USUAL, Choice, spare
from simulator.infusion_line import STALL, LineFault
from simulator.places import BLOOD, LINES
from simulator.sampling_site import BloodFault

EXPECTED = (
    "expected WHERE:FAULT@MINUTE or WHERE:FAULT@FROM-TO, such as dextrose:unplug@60 or insulin:mute@30-32"
)


class Planned(Protocol):
    """One thing that happens at the bed."""

    @property
    def at_ms(self) -> int:
        """When."""

    @property
    def begins(self) -> bool:
        """Whether a fault begins, or ends."""

    def happen(self, bedside: Bedside, now_ms: int) -> None:
        """Do it."""


@dataclass(frozen=True, slots=True)
class ToDevice:
    """One thing that happens to one device; `fault` None clears the kind."""

    at_ms: int
    role: Role
    kind: FaultKind
    fault: Fault | None

    @property
    def begins(self) -> bool:
        """See `Planned`."""
        return self.fault is not None

    def happen(self, bedside: Bedside, now_ms: int) -> None:
        """See `Planned`. Raises ValueError where this device cannot have the fault."""
        device = bedside.devices[self.role]
        if self.fault is None:
            device.clear(self.kind, now_ms)
        else:
            device.inject(self.fault, now_ms)


@dataclass(frozen=True, slots=True)
class ToLine:
    """One thing that happens to the line of a pump, or to what hangs on it; `size` None mends it."""

    at_ms: int
    role: Role
    kind: LineFault
    size: float | None

    @property
    def begins(self) -> bool:
        """See `Planned`."""
        return self.size is not None

    def happen(self, bedside: Bedside, now_ms: int) -> None:
        """See `Planned`; what flowed before, to the quarter minute, is not touched by it."""
        bedside.advance(now_ms)
        line = bedside.lines[self.role]
        if self.size is None:
            line.mend(self.kind, now_ms)
        else:
            line.befall(self.kind, self.size)


@dataclass(frozen=True, slots=True)
class ToBlood:
    """One thing that happens to blood on its way; `size` None mends it, `lasts` where an end was named."""

    at_ms: int
    kind: BloodFault
    size: float | None
    lasts: bool

    @property
    def begins(self) -> bool:
        """See `Planned`."""
        return self.size is not None

    def happen(self, bedside: Bedside, now_ms: int) -> None:
        """See `Planned`."""
        if self.size is None:
            bedside.site.mend(self.kind, now_ms)
        else:
            bedside.site.befall(self.kind, self.size, now_ms, lasts=self.lasts)


WHERE = (*(role.value for role in Role), *LINES, *BLOOD)


def planned(text: str, devices: Choice = USUAL) -> tuple[Planned, ...]:
    """A timetable entry read from its text; two where it ends again. Refused with one sentence.

    A device's fault is tried on a spare device of the role first: an impossible one is refused beforehand.
    """
    what, at, when = text.rpartition("@")
    where, colon, words = what.partition(":")
    if not at or not colon:
        raise Refusal("fault", f"fault is {text!r}; {EXPECTED}.")
    if where not in WHERE:
        known = ", ".join(WHERE)
        raise Refusal("fault", f"fault is {text!r}: there is no {where!r} at the bed; expected {known}.")
    minutes = _minutes(when)
    if minutes is None:
        raise Refusal("fault", f"fault is {text!r}; {EXPECTED}.")
    try:
        return _entries(where, words, [round(minute * MS_PER_MIN) for minute in minutes], devices)
    except ValueError as error:
        raise Refusal("fault", f"fault is {text!r}: {error}") from None


def _entries(where: str, words: str, times_ms: list[int], devices: Choice) -> tuple[Planned, ...]:
    """The beginning and, where a second time is given, the end. Raises ValueError with one clear sentence."""
    if where in BLOOD:
        blood, size = BLOOD[where].found(words)
        lasts = len(times_ms) == 2
        return tuple(
            ToBlood(at_ms, blood, given, lasts) for at_ms, given in zip(times_ms, (size, None), strict=False)
        )
    if where in LINES:
        role = LINES[where].role
        kind, size = LINES[where].found(words)
        if kind is LineFault.UNPRIMED and len(times_ms) == 2:
            raise ValueError("The fault unprimed is there until the line is full: it takes one minute.")
        if kind is LineFault.OCCLUDED:
            spare(devices, role).inject(STALL, 0)
        return tuple(
            ToLine(at_ms, role, kind, given) for at_ms, given in zip(times_ms, (size, None), strict=False)
        )
    role = Role(where)
    found = fault(words)
    spare(devices, role).inject(found, 0)
    return tuple(
        ToDevice(at_ms, role, found.kind, given)
        for at_ms, given in zip(times_ms, (found, None), strict=False)
    )


def _minutes(when: str) -> list[float] | None:
    """One minute, or two that rise; None for anything else."""
    try:
        minutes = [float(part) for part in when.split("-")]
    except ValueError:
        return None
    sound = all(0.0 <= minute < math.inf for minute in minutes)
    return minutes if sound and len(minutes) <= 2 and sorted(minutes) == minutes else None
