"""Bytes into frames: splitters and checksums shared by the device links.

A splitter is fed bytes in any chunking and never raises: what it cannot read becomes one `Damage`
per run of bad bytes. Buffers are capped. Not here: what a frame means.
"""

from binascii import crc_hqx
from enum import Enum
from typing import NamedTuple

STX, ETX = 0x02, 0x03

SAFE_OVERHEAD = 4
"""Length byte, two CRC bytes, ETX (pumps 2.3)."""

NEW_ERA_CAP = 64
"""No reply of the New Era command set reaches 48 bytes, so a longer one is damage (pumps 2.4, 2.5)."""

NEW_ERA_GAP_MS = 500
"""Bytes further apart than this are not one packet (pumps 2.3)."""


class Framing(Enum):
    """The two framings of the New Era command set."""

    BASIC = "Basic"
    SAFE = "Safe"


class Frame(NamedTuple):
    """One frame, its checksum right where there is one."""

    payload: bytes
    framing: Framing


class Damage(NamedTuple):
    """Bytes that are no frame, and why."""

    reason: str


def crc16_xmodem(payload: bytes) -> int:
    """CRC-16, polynomial 1021, initial value 0, not reflected (pumps 2.3; New Era NE-1000 manual p.33)."""
    return crc_hqx(payload, 0)


def safe_packet(payload: bytes) -> bytes:
    """New Era Safe packet: STX, length, payload, CRC high byte first, ETX (pumps 2.3)."""
    crc = crc16_xmodem(payload).to_bytes(2, "big")
    return bytes((STX, len(payload) + SAFE_OVERHEAD)) + payload + crc + bytes((ETX,))


class NewEraSplitter:
    """Cuts what a New Era pump sends; Safe by its length byte, Basic from STX to ETX (pumps 2.2, 2.3).

    `framing` None means not settled: the second byte tells, an address digit in Basic, a length
    below 48 in Safe. Used while probing, and for the one reply to a switch of framing.
    """

    def __init__(self) -> None:
        self.framing: Framing | None = None
        self._buffer = bytearray()
        self._last_ms = 0
        self._in_noise = False

    def reset(self) -> None:
        """Forget a half frame."""
        self._buffer.clear()
        self._in_noise = False

    def feed(self, data: bytes, now_ms: int) -> list[Frame | Damage]:
        """Take bytes; whole frames come out, and one `Damage` per run of bad bytes."""
        found: list[Frame | Damage] = []
        if self._buffer and now_ms - self._last_ms > NEW_ERA_GAP_MS:
            self._buffer.clear()
            self._spoil("frame cut short", found)
        self._last_ms = now_ms
        buffer = self._buffer
        buffer += data
        while buffer:
            start = buffer.find(STX)
            if start != 0:
                self._spoil("stray bytes", found)
                del buffer[: start if start > 0 else len(buffer)]
                continue
            cut = self._cut()
            if cut is None:
                break
            if isinstance(cut, Frame):
                self._in_noise = False
                found.append(cut)
            else:
                del buffer[0]
                self._spoil(cut.reason, found)
        return found

    def _spoil(self, reason: str, found: list[Frame | Damage]) -> None:
        if not self._in_noise:
            self._in_noise = True
            found.append(Damage(reason))

    def _cut(self) -> Frame | Damage | None:
        """Cut the frame at the start of the buffer; None while it is not complete."""
        if len(self._buffer) < 2:
            return None
        framing = self.framing
        if framing is None:
            framing = Framing.SAFE if self._buffer[1] < ord("0") else Framing.BASIC
        return self._cut_safe() if framing is Framing.SAFE else self._cut_basic()

    def _cut_safe(self) -> Frame | Damage | None:
        buffer = self._buffer
        length = buffer[1]
        if not SAFE_OVERHEAD <= length <= NEW_ERA_CAP:
            return Damage("impossible length")
        if len(buffer) <= length:
            return None
        payload = bytes(buffer[2 : length - 2])
        if buffer[length] != ETX or int.from_bytes(buffer[length - 2 : length], "big") != crc16_xmodem(
            payload
        ):
            return Damage("bad checksum")
        del buffer[: length + 1]
        return Frame(payload, Framing.SAFE)

    def _cut_basic(self) -> Frame | Damage | None:
        buffer = self._buffer
        end = buffer.find(ETX, 1, NEW_ERA_CAP)
        restart = buffer.find(STX, 1, end if end > 0 else NEW_ERA_CAP)
        if restart > 0:
            return Damage("frame cut short")
        if end < 0:
            return Damage("frame without end") if len(buffer) >= NEW_ERA_CAP else None
        payload = bytes(buffer[1:end])
        del buffer[: end + 1]
        return Frame(payload, Framing.BASIC)


class LineSplitter:
    """Cuts lines at a fixed terminator; a line above `cap` bytes is dropped whole."""

    def __init__(self, end: bytes, cap: int = 256) -> None:
        self._end = end
        self._cap = cap
        self._buffer = bytearray()
        self._overlong = False

    @property
    def half(self) -> bool:
        """A line has begun and not ended."""
        return bool(self._buffer)

    def reset(self) -> None:
        """Forget a half line."""
        self._buffer.clear()
        self._overlong = False

    def feed(self, data: bytes) -> list[bytes | Damage]:
        """Take bytes; whole lines come out without their terminator."""
        found: list[bytes | Damage] = []
        for byte in data:
            self._buffer.append(byte)
            if self._buffer.endswith(self._end):
                if not self._overlong:
                    found.append(bytes(self._buffer[: -len(self._end)]))
                self.reset()
            elif len(self._buffer) > self._cap:
                if not self._overlong:
                    found.append(Damage("line without end"))
                self._overlong = True
                del self._buffer[: -len(self._end)]
        return found
