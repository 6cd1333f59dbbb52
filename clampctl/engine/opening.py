"""The first event of a session: all that it depends on, so that its journal alone replays."""

from clampctl import __version__
from clampctl.core.events import SessionStarted
from clampctl.core.protocol import Protocol
from clampctl.core.station import Station
from clampctl.core.subject import Subject

SCHEMA = 2
"""Version of what a journal's lines hold."""


def session_started(
    protocol: Protocol, subject: Subject, station: Station, session_id: str, utc: str
) -> SessionStarted:
    """A session that starts at `utc` (ISO 8601; empty where it is not known) with this program."""
    return SessionStarted(SCHEMA, session_id, protocol, subject, station, f"clampctl {__version__}", utc)
