"""The bytes of a Siemens analyzer, its transcript, and what a link made of them."""

from dataclasses import replace
from pathlib import Path

from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkTroubled, Trouble
from drivers.analyzers.siemens import Siemens
from drivers.analyzers.siemens_frame import Element, Message, message_frame

TRANSCRIPT = Path(__file__).parents[1] / "data" / "transcripts" / "siemens_lis3.txt"
ACK = bytes.fromhex("02 06 03 30 42 04")
Exchange = tuple[bytes, bytes]


def cases() -> dict[str, list[Exchange]]:
    """Case -> (what the analyzer sends, what the host answers) in order."""
    found: dict[str, list[Exchange]] = {}
    exchanges: list[Exchange] = []
    for line in TRANSCRIPT.read_text("utf-8").splitlines():
        if line.startswith("# case: "):
            exchanges = found[line[8:]] = []
        elif line.startswith("< "):
            exchanges.append((bytes.fromhex(line[2:]), b""))
        elif line.startswith("> "):
            sent, answered = exchanges.pop()
            exchanges.append((sent, answered + bytes.fromhex(line[2:])))
    return found


CASES = cases()


def opened(link: Siemens | None = None) -> Siemens:
    link = link or Siemens()
    link.opened(1, 0)
    return link


def heard(link: Siemens, *pieces: bytes, now_ms: int = 0) -> list[DeviceEvent]:
    return [event for piece in pieces for event in link.receive(piece, now_ms)]


def samples(events: list[DeviceEvent]) -> list[GlucoseSampled]:
    return [event for event in events if isinstance(event, GlucoseSampled)]


def troubles(events: list[DeviceEvent]) -> list[Trouble]:
    return [event.trouble for event in events if isinstance(event, LinkTroubled)]


def told(events: list[DeviceEvent]) -> str:
    return "; ".join(event.detail for event in events if isinstance(event, LinkTroubled))


DATA = Message(
    "SMP_NEW_DATA",
    (
        Element("aMOD", "0500"),
        Element("iIID", "45064"),
        Element("rTYPE", "SAMPLE"),
        Element("rSEQ", "4"),
        Element("rDATE", "22Nov26"),
        Element("rTIME", "10:14"),
        Element("iPID", "S017"),
        Element("mGlu", "5.1", "mmol/L"),
    ),
)


def data(name: str = "SMP_NEW_DATA", **changed: str | Element | None) -> bytes:
    """A data message with some elements changed; None leaves one out."""
    elements = []
    for element in DATA.elements:
        new = changed.get(element.key, element)
        if isinstance(new, Element):
            elements.append(new)
        elif new is not None:
            elements.append(replace(element, value=new))
    return message_frame(Message(name, tuple(elements)))


def announced(number: str = "4") -> bytes:
    return message_frame(Message("SMP_NEW_AV", (Element("aMOD", "0500"), Element("rSEQ", number))))


def asked(number: str = "4") -> bytes:
    return message_frame(Message("SMP_REQ", (Element("aMOD", "0500"), Element("rSEQ", number))))
