"""The contract of a device link: one device's protocol, without port, thread or clock.

Two callers drive a link: `engine.ports` on a real wire and `simulator.bench` in virtual time.
`now_ms` is the session's clock. Bytes never raise: damage becomes an event.
"""

from dataclasses import dataclass
from typing import Protocol

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent


@dataclass(frozen=True, slots=True)
class Expected:
    """The pump that a station expects on a wire: compared with what answers, never written to it.

    `model` is how the pump's own name begins and `serial` its serial number; "" is not compared.
    `diameter_um` is the inner diameter of the syringe in µm, None for a pump without one.
    `watchdog_s` is set for a pump that must stop by itself on silence, None for one that must not.
    `read_only`: nothing is ever written but questions.
    """

    role: Role
    model: str = ""
    serial: str = ""
    address: int = 0
    diameter_um: int | None = None
    watchdog_s: int | None = None
    read_only: bool = False


class Link(Protocol):
    """One device's protocol. Same calls, same result."""

    def opened(self, epoch: int, now_ms: int) -> None:
        """A wire was opened: forget half frames and begin to identify the device."""

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """Take bytes in any chunking and say what they meant."""

    def send(self, command: Command, now_ms: int) -> None:
        """Queue an order; a stop overtakes everything that waits."""

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """Run the timers that are due: time-outs, retries, polls."""

    def wake_at(self) -> int | None:
        """When `wake` is next wanted; None when nothing is pending."""

    def take_output(self) -> bytes:
        """Bytes to write now; empties the buffer."""
