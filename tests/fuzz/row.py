"""What a row of the fuzz table holds: one device, with its link, its emulator and its golden frames."""

from collections.abc import Callable
from dataclasses import dataclass, field

from clampctl.core.commands import Role
from drivers.link import Link
from simulator.devices.device import AnalyzerDevice, Device, PumpDevice
from tests.fuzz.witness import Scan


@dataclass(frozen=True, slots=True)
class Made:
    """A device; `place` gives it blood (mg/dL, ms) where it is an analyzer."""

    device: Device
    place: Callable[[float, int], None] | None = None


def analyzer(device: AnalyzerDevice) -> Made:
    """An analyzer is given samples."""
    return Made(device, device.place_sample)


def pump(device: PumpDevice) -> Made:
    """A pump is not."""
    return Made(device)


@dataclass(frozen=True, slots=True)
class Row:
    """One protocol. `cases`: golden frames from the device, in order; `hears`: such of the host.

    `says`: further frames from the device. `scan` finds its sound frames; None where it has no
    checksum. `device` makes one that is switched on at a time in ms.
    """

    name: str
    role: Role
    link: Callable[[], Link]
    device: Callable[[int], Made]
    cases: list[list[bytes]]
    hears: list[bytes]
    says: list[bytes] = field(default_factory=list)
    scan: Scan | None = None

    @property
    def from_device(self) -> list[bytes]:
        """All frames from the device."""
        return [frame for case in self.cases for frame in case] + self.says
