"""A session without devices: its first event and its station."""

from clampctl.core.events import SessionStarted
from clampctl.core.protocol import Protocol
from clampctl.engine.opening import session_started
from simulator.clamp import virtual_subject
from simulator.furniture import USUAL, furniture
from simulator.subjects.phenotypes import typical


def first_event(protocol: Protocol) -> SessionStarted:
    """The start of a session of a lean subject at the bench's station."""
    subject = virtual_subject(typical("lean"), "lean-1")
    station = furniture(USUAL).station
    return session_started(protocol, subject, station, "test", "2026-01-01T08:00:00.000+00:00")
