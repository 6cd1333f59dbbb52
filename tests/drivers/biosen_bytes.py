"""The bytes of a Biosen, its transcript, and what a link made of them."""

from pathlib import Path

from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkTroubled, Trouble
from drivers.analyzers.biosen import Biosen

TRANSCRIPT = Path(__file__).parents[1] / "data" / "transcripts" / "biosen.txt"
SILENCE_MS = 300


def cases() -> dict[str, list[bytes]]:
    """Case -> transmissions of the analyzer."""
    found: dict[str, list[bytes]] = {}
    name = ""
    for line in TRANSCRIPT.read_text("utf-8").splitlines():
        if line.startswith("# case: "):
            name = line[8:]
            found[name] = []
        elif line.startswith("< "):
            found[name].append(bytes.fromhex(line[2:]))
        assert not line.startswith("> ")
    return found


CASES = cases()


def glucose_link() -> Biosen:
    return opened(Biosen(glucose_channel="001"))


def opened(link: Biosen) -> Biosen:
    link.opened(1, 0)
    return link


def heard(link: Biosen, *pieces: bytes, now_ms: int = 0) -> list[DeviceEvent]:
    """What is told until the wire was silent."""
    events = [event for piece in pieces for event in link.receive(piece, now_ms)]
    return events + link.wake(now_ms + SILENCE_MS)


def samples(events: list[DeviceEvent]) -> list[GlucoseSampled]:
    return [event for event in events if isinstance(event, GlucoseSampled)]


def troubles(events: list[DeviceEvent]) -> list[Trouble]:
    return [event.trouble for event in events if isinstance(event, LinkTroubled)]


def told(events: list[DeviceEvent]) -> str:
    return "; ".join(event.detail for event in events if isinstance(event, LinkTroubled))


def record(
    number: str = "007",
    result: str = "5.12",
    unit: str = "mmol/l",
    at: str = "22.11.2610:14",
    own_type: str = "S",
    channel: str = "001",
    start: str = "\x02BIOS01",
) -> bytes:
    """A record by the field table of the manual."""
    return f"{start}D{own_type}0000{number:12}{channel}{at}{result:6}{unit}".encode("latin-1")
