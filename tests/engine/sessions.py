"""A session without devices: its first event and its station."""

from clampctl.core.events import SessionStarted
from clampctl.core.protocol import Protocol
from simulator.clamp import bench_station, started, virtual_subject
from simulator.subjects.phenotypes import typical


def first_event(protocol: Protocol) -> SessionStarted:
    """The start of a session of a lean subject at the bench's station."""
    subject = virtual_subject(typical("lean"), "lean-1")
    return started(protocol, subject, bench_station(), "test", "2026-01-01T08:00:00.000+00:00")
