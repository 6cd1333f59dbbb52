"""One message of an ASTM analyzer, every field to choose, framed here and not as the drivers do it."""

from dataclasses import dataclass

from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkTroubled, SampleKind, Trouble
from drivers.analyzers.astm import Astm

ENQ, EOT, ETX, ETB = b"\x05", b"\x04", b"\x03", b"\x17"
H = r"H|\^&|||ABL800^Bay 3||||||||1|20261122101530"


def transfer(*records: str, end: bytes = EOT) -> bytes:
    """ENQ, the records one a frame (cut at 240 bytes), and EOT."""
    found, number = bytearray(ENQ), 0
    for record in records:
        text = f"{record}\r".encode("latin-1")
        for start in range(0, len(text), 240):
            number += 1
            last = start + 240 >= len(text)
            body = b"%d" % (number % 8) + text[start : start + 240] + (ETX if last else ETB)
            found += b"\x02" + body + f"{sum(body) % 256:02x}\r\n".encode()
    return bytes(found + end)


@dataclass(frozen=True)
class Said:
    """One message with one glucose result; every field as sent."""

    value: str = "5.1"
    unit: str = "mmol/L"
    status: str = "F"
    flag: str = "N"
    number: str = "Sample #^42"
    tube: str = ""
    patient: str = "S017"
    code: str = "^^^Glu^M"
    stamp: str = "20261122101455"
    header: str = H
    kind: str = "Arterial^"
    comment: str = ""
    last: str = "L|1|N"

    @property
    def records(self) -> list[str]:
        return [
            self.header,
            f"P|1||{self.patient}",
            f"O|1|{self.tube}|{self.number}||||||||||||{self.kind}|",
            f"R|1|{self.code}|{self.value}|{self.unit}||{self.flag}||{self.status}|||{self.stamp}",
            *([self.comment] if self.comment else []),
            self.last,
        ]


def heard(link: Astm, *records: str, now_ms: int = 0) -> list[DeviceEvent]:
    return link.receive(transfer(*records), now_ms)


def samples(events: list[DeviceEvent]) -> list[tuple[str, SampleKind]]:
    return [(event.raw_value, event.kind) for event in events if isinstance(event, GlucoseSampled)]


def troubles(events: list[DeviceEvent]) -> list[tuple[Trouble, str]]:
    return [(event.trouble, event.detail) for event in events if isinstance(event, LinkTroubled)]


def said(link: Astm, words: Said) -> list[DeviceEvent]:
    return heard(link, *words.records)


DOSES = [("5.1", SampleKind.PATIENT)]
