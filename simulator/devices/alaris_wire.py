"""Asena framing and numbers: frames in, replies out.

Source: sheet pumps.md section 3 (OpenICE, infupy).
"""

import re

_LIMIT = 255  # [R] length of the pump's line buffer
_START, _END, _ESC = 0x21, 0x0D, 0x1B


def crc(data: bytes) -> str:
    """CRC-16, polynomial 1021, initial value FFFF, not reflected, as four hex digits."""
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            carry = register & 0x8000
            register = (register << 1) & 0xFFFF
            if carry:
                register ^= 0x1021
    return format(register, "04X")


def framed(*fields: str) -> bytes:
    """Fields as a whole frame."""
    body = "^".join(fields).encode("latin-1")
    return b"".join((b"!", body, b"|", crc(body).encode(), b"\r"))


class Inbox:
    """Bytes from the host until they make a frame; a frame with a wrong sum is not heard."""

    def __init__(self) -> None:
        self._held: bytearray | None = None

    def drop(self) -> None:
        """Forgets a partial frame."""
        self._held = None

    def put(self, data: bytes) -> list[list[str]]:
        """Adds bytes; the fields of every frame they complete."""
        frames = []
        for byte in data:
            if byte == _START:
                self._held = bytearray()
            elif byte == _ESC or self._held is None:
                self._held = None
            elif byte == _END:
                fields = _fields(bytes(self._held))
                self._held = None
                if fields is not None:
                    frames.append(fields)
            else:
                self._held.append(byte)
                if len(self._held) > _LIMIT:
                    self._held = None
        return frames


def _fields(line: bytes) -> list[str] | None:
    body, _, told = line.rpartition(b"|")
    if told != crc(body).encode():
        return None
    return body.decode("latin-1").split("^")


def ul_h(text: str) -> int | None:
    """A rate as typed in mL/h, in µL/h; None unless it is a plain number with at most three decimals."""
    found = re.fullmatch(r"(\d{1,4})(?:\.(\d{1,3}))?", text, re.ASCII)
    return None if found is None else int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0"))


def two_decimals(thousandths: int) -> str:
    """Thousandths as a number with two decimals, cut off."""
    return f"{thousandths // 1000}.{thousandths % 1000 // 10:02d}"


def three_decimals(thousandths: int) -> str:
    """Thousandths as a number with three decimals."""
    return f"{thousandths // 1000}.{thousandths % 1000:03d}"
