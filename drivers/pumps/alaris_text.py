"""Alaris / Asena frames, numbers and status words: text of the protocol <-> integers of ours.

Source: pumps reference 3 (infupy, OpenICE, ebme.co.uk); [R] there means not proven on a pump. Not
here: deadlines, order of questions. Integers throughout; nothing is rounded upward.
"""

import re
from binascii import crc_hqx
from typing import NamedTuple

from drivers.framing import Damage

START, END, ABORT = ord("!"), ord("\r"), 0x1B

FRAME_CAP = 256
"""The longest reply known, that to INF, has about 80 bytes; a longer run is damage."""

GAP_MS = 500
"""Bytes further apart are not one reply; also how long a reply without its CR is waited for."""

MOST_THOUSANDTHS = 9_999_999

_NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,3})?", re.ASCII)

ALARMS = {
    "AL_ACDIS": "mains disconnected",
    "AL_COMTO": "communication failure",
    "AL_DRDIS": "drive disengaged",
    "AL_EMBAT": "battery empty",
    "AL_EOIST": "end of infusion",
    "AL_EOIKV": "end of infusion",
    "AL_FAULT": "pump fault",
    "AL_LWBAT": "battery low",
    "AL_NEOIN": "near end of infusion",
    "AL_OCCL": "occlusion",
    "AL_OCCLU": "occlusion",
}
"""Words for the codes whose meaning is plain; codes from OpenICE AlarisMITM, meanings inferred [I]."""

NO_ALARM = "AL_NOALM"


class Reply(NamedTuple):
    """One whole reply, its checksum right."""

    name: str
    fields: tuple[str, ...]

    def field(self, number: int) -> str:
        """A field counted from 1; "" where there is none."""
        return self.fields[number - 1] if number <= len(self.fields) else ""


class Status(NamedTuple):
    """What INF tells in one reply: who, alarm or not, mode, rate in µL/h and infused volume in µL."""

    serial: str
    is_alarm: bool
    mode: str
    rate_ul_h: int
    infused_ul: int


def checksum(text: bytes) -> str:
    """Four hex digits: CRC-16, polynomial 1021, initial value FFFF (pumps 3; OpenICE, infupy)."""
    return f"{crc_hqx(text, 0xFFFF):04X}"


def frame(text: str) -> bytes:
    """A frame around fields already joined by `^`; `text` is ASCII (pumps 3)."""
    data = text.encode("ascii")
    return b"!" + data + b"|" + checksum(data).encode("ascii") + b"\r"


def remote_key(serial: str) -> str:
    """The key of REMOTE_CTRL: the checksum of the serial number (pumps 3; infupy)."""
    return checksum(serial.encode("ascii", "replace"))


def parse(content: bytes) -> Reply | None:
    """Read what stood between `!` and CR; None when its checksum is not right."""
    text, bar, told = content.rpartition(b"|")
    if not bar or told != checksum(text).encode("ascii"):
        return None
    name, *fields = text.decode("latin-1").split("^")
    return Reply(name, tuple(fields))


class Splitter:
    """Cuts what the pump sends, byte by byte: `!` begins, CR ends, ESC aborts; the buffer is capped."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inside = False
        self._last_ms = 0
        self._in_noise = False

    def reset(self) -> None:
        """Forget a half frame."""
        self._buffer.clear()
        self._inside = False
        self._in_noise = False

    def expire(self, now_ms: int) -> list[Reply | Damage]:
        """Give up a frame whose next byte is overdue."""
        if not self._inside or now_ms - self._last_ms < GAP_MS:
            return []
        self.reset()
        return [Damage("reply cut short")]

    def feed(self, data: bytes, now_ms: int) -> list[Reply | Damage]:
        """Take bytes; whole replies come out, and one `Damage` per run of bad bytes."""
        found = self.expire(now_ms)
        self._last_ms = now_ms
        for byte in data:
            if byte == START:
                if self._inside:
                    found.append(Damage("reply cut short"))
                self.reset()
                self._inside = True
            elif byte == ABORT:
                if self._inside:
                    found.append(Damage("reply aborted by the pump"))
                self.reset()
            elif not self._inside:
                self._stray(found)
            elif byte == END:
                found.append(parse(bytes(self._buffer)) or Damage("bad checksum"))
                self.reset()
            elif len(self._buffer) >= FRAME_CAP:
                found.append(Damage("reply without end"))
                self.reset()
                self._in_noise = True
            else:
                self._buffer.append(byte)
        return found

    def _stray(self, found: list[Reply | Damage]) -> None:
        if not self._in_noise:
            self._in_noise = True
            found.append(Damage("stray bytes"))


def rate_text(rate_ul_h: int) -> str:
    """mL/h with two decimals, rounded toward zero (pumps 3); range 0 to 9 999 999 µL/h, else ValueError."""
    if not 0 <= rate_ul_h <= MOST_THOUSANDTHS:
        raise ValueError(f"rate {rate_ul_h} µL/h cannot be written")
    return f"{rate_ul_h // 1000}.{rate_ul_h % 1000 // 10:02d}"


def held(rate_ul_h: int) -> int:
    """The rate as it can be written, in µL/h."""
    return rate_ul_h // 10 * 10


def thousandths(text: str) -> int | None:
    """A number of the pump, at most three decimals, in thousandths; None when it is not one."""
    if _NUMBER.fullmatch(text) is None:
        return None
    whole, _, part = text.partition(".")
    return int(whole) * 1000 + int(part.ljust(3, "0"))


def parse_rate(reply: Reply) -> int | None:
    """µL/h from INF_RATE or INF_RATE_MAX_SYRINGE; None when it is not one in ml/h."""
    return thousandths(reply.field(1)) if reply.field(2) == "ml/h" else None


def parse_infused_ul(reply: Reply) -> int | None:
    """µL from INF_VI, whose reply is inferred [I] from INF_RATE's; None when it is not one in ml."""
    return thousandths(reply.field(1)) if reply.field(2) == "ml" else None


def parse_status(reply: Reply) -> Status | None:
    """The reply to INF, layout of pumps 3; None unless its units stand where they must."""
    rate, infused = thousandths(reply.field(4)), thousandths(reply.field(7))
    if reply.field(5) != "ml/h" or reply.field(8) != "ml" or rate is None or infused is None:
        return None
    return Status(reply.field(1), reply.field(2) != "-", reply.field(3), rate, infused)


def alarm_words(reply: Reply) -> str | None:
    """Every alarm in a reply to ALARM, in words with its code; None when it tells none.

    How several share one reply is not known [R], so a code is taken from any field.
    """
    codes = [field.strip() for field in reply.fields if field.startswith("AL_")]
    found = [code for code in codes if code != NO_ALARM]
    return ", ".join(f"{ALARMS[code]} ({code})" if code in ALARMS else code for code in found) or None
