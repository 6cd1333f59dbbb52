"""New Era framing and numbers: Basic and Safe packets in, replies out.

Source: NE-1000 manual pub. 1200-01 p.33-34, as sheet pumps.md 2.1-2.5 gives it.
"""

import re
from binascii import crc_hqx
from enum import Enum

STX = b"\x02"
ETX = b"\x03"
GAP_MS = 500
"""A Safe packet whose bytes come further apart than this is dropped (manual p.34)."""

_LINE_LIMIT = 255  # [R] length of the Basic line buffer
_SHORTEST = 4  # length byte of an empty Safe packet
_CONTROLS = bytes(range(0x21)) + b"\x7f"
_FOLDED = bytes(range(256)).translate(
    bytes.maketrans(b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
)


class Heard(Enum):
    """A packet that was there but cannot be used."""

    DAMAGED = "damaged"


def basic_packet(payload: bytes) -> bytes:
    """STX payload ETX; no checksum and no CR."""
    return STX + payload + ETX


def safe_packet(payload: bytes) -> bytes:
    """STX length payload CRC-16/XMODEM ETX; the length counts itself and all behind it (payload + 4)."""
    return bytes((2, len(payload) + 4)) + payload + crc_hqx(payload, 0).to_bytes(2, "big") + ETX


class Inbox:
    """Bytes from the host until they make a packet; which framing applies is asked packet by packet."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._last_ms = 0

    def put(self, data: bytes, now_ms: int, *, safe: bool) -> None:
        """Adds bytes; in Safe mode a partial packet older than the gap is dropped first."""
        if safe and self._bytes and now_ms - self._last_ms > GAP_MS:
            self._bytes.clear()
        self._last_ms = now_ms
        self._bytes += data

    def drop(self) -> None:
        """Forgets a partial packet."""
        self._bytes.clear()

    def next_safe(self) -> bytes | Heard | None:
        """The next Safe payload by its length byte; None when no packet is complete."""
        held = self._bytes
        while held:
            start = held.find(STX)
            if start < 0:
                held.clear()
                return None
            del held[:start]
            if len(held) < 2:
                return None
            if held[1] < _SHORTEST:
                del held[:1]
                continue
            end = held[1] + 1
            if len(held) < end:
                return None
            packet = bytes(held[:end])
            del held[:end]
            payload = packet[2:-3]
            if packet[-1:] != ETX or crc_hqx(payload, 0) != int.from_bytes(packet[-3:-1], "big"):
                return Heard.DAMAGED
            return payload
        return None

    def next_basic(self) -> bytes | None:
        """The next Basic line without its CR; None when no line is complete."""
        end = self._bytes.find(b"\r")
        if end < 0:
            del self._bytes[:-_LINE_LIMIT]
            return None
        line = bytes(self._bytes[:end][-_LINE_LIMIT:])
        del self._bytes[: end + 1]
        return line


def folded(payload: bytes) -> str:
    """The command as the pump reads it: without spaces and control characters, in capitals."""
    return payload.translate(_FOLDED, _CONTROLS).decode("latin-1")


def thousandths(text: str) -> int | None:
    """A number as typed, in thousandths; None unless at most 4 digits and a point, 3 behind it."""
    if not re.fullmatch(r"\d{1,4}\.?|\d{0,3}\.\d{1,3}", text, re.ASCII):
        return None
    whole, _, part = text.partition(".")
    if len(whole) + len(part) > 4:
        return None
    return int(whole or "0") * 1000 + int(part.ljust(3, "0"))


def five_characters(value: int) -> str:
    """A number given in thousandths as four digits and a point, cut off, not rounded: 120000 is `120.0`.

    Range 0 to 9 999 999; above that the counter starts again at zero ([R], the sheet knows no roll-over).
    """
    value %= 10_000_000
    whole, part = divmod(value, 1000)
    if value < 10_000:
        return f"{whole}.{part:03d}"
    if value < 100_000:
        return f"{whole}.{part // 10:02d}"
    if value < 1_000_000:
        return f"{whole}.{part // 100}"
    return f"{whole}."
