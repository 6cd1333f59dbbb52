"""Orders the core gives to the pumps. Absolute, idempotent settings; there is no bolus.

`epoch` counts the connections of a pump: a port drops an order meant for an earlier connection.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a device does in the clamp."""

    DEXTROSE = "dextrose"
    INSULIN = "insulin"
    ANALYZER = "analyzer"


@dataclass(frozen=True, slots=True)
class SetRate:
    """Change the rate of a running pump."""

    role: Role
    rate_ul_h: int
    epoch: int


@dataclass(frozen=True, slots=True)
class StartPump:
    """Start a pump that was verified to be stopped, at a rate; never repeated blindly."""

    role: Role
    rate_ul_h: int
    epoch: int


@dataclass(frozen=True, slots=True)
class StopPump:
    """Stop a pump; may be repeated."""

    role: Role
    epoch: int


Command = SetRate | StartPump | StopPump
