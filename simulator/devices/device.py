"""What an emulated device is to whoever sits at the other end of the wire."""

from typing import Protocol

from simulator.devices.fault import Fault, FaultKind


class Device(Protocol):
    """An instrument as bytes in, bytes out and explicit time: the mirror image of a link.

    `now_ms` is the caller's monotonic clock in ms and never goes back. Nothing here sleeps, reads a clock or
    starts a thread, and no byte from the host raises.
    """

    @property
    def plugged(self) -> bool:
        """Whether the cable is in; an unplugged device hears nothing and what it says is lost."""
        ...

    def receive(self, data: bytes, now_ms: int) -> None:
        """Takes bytes from the host, cut anywhere."""
        ...

    def advance(self, now_ms: int) -> None:
        """Lets time pass: watchdogs, deliveries, runs and delayed replies happen when they are due."""
        ...

    def take_output(self) -> bytes:
        """Gives the bytes that have left for the host by the latest `now_ms`, and empties the buffer."""
        ...

    def wake_at(self) -> int | None:
        """The next ms at which something happens by itself; None when nothing is pending."""
        ...

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Starts a named fault; ValueError when this kind of device cannot have it."""
        ...

    def clear(self, kind: FaultKind, now_ms: int) -> None:
        """Ends a lasting fault; nothing happens when it is not there."""
        ...


class PumpDevice(Device, Protocol):
    """A pump also has a physical side, which the wire cannot be trusted to tell."""

    @property
    def delivered_ul(self) -> float:
        """What has truly left the syringe since the start, in µL; withdrawing counts down."""
        ...

    @property
    def flow_ul_h(self) -> int:
        """What truly flows now, µL/h to the nearest whole one; 0 when not running, withdrawing below 0."""
        ...


class AnalyzerDevice(Device, Protocol):
    """An analyzer is given blood by a person, and needs its time to measure it."""

    @property
    def running(self) -> bool:
        """Whether a sample or a calibration is in the machine."""
        ...

    def place_sample(self, glucose_mg_dl: float, now_ms: int) -> None:
        """A person gives a sample of this true glucose, mg/dL; its result comes when it is measured.

        ValueError for a value that is not a finite number of 0 or more.
        """
        ...
