"""The receiver of ASTM E1381 (CLSI LIS01-A2): bytes in, whole texts and answers out.

Source: analyzers reference 3 and 3.1, rules 1 to 5 (Roche cobas e 411 Host Interface Manual p. 18 to
24). It answers ACK and NAK and sends nothing else: never ENQ, never EOT. Not here: records, timers.
"""

import re
from typing import NamedTuple

from drivers.framing import Damage

STX, ETX, EOT, ENQ, LF, ETB = 0x02, 0x03, 0x04, 0x05, 0x0A, 0x17
ACK, NAK = b"\x06", b"\x15"

FRAME_CAP = 247
"""Bytes of a frame with everything: 240 of text at most (analyzers 3)."""

TEXT_CAP = 64 * 1024
"""Bytes of one text over its ETB pieces; longer than any record by far."""

POOR_AFTER = 6
"""So many NAKs in a row are a bad wire (analyzers 3.1, rule 3)."""

NOISE_TOLD = 256
"""A run of stray bytes is told when it ends, and when it gets this long."""

_TRAILER = 4
_FRAME = re.compile(rb"([0-7])(.*?)([\x03\x17])([0-9A-Fa-f]{2})\r\n", re.DOTALL)


class Called(NamedTuple):
    """ENQ: a transfer begins. `broke_off`: one was under way, its texts are void (rule 4)."""

    broke_off: bool


class Text(NamedTuple):
    """The text up to an ETX, joined over its ETB pieces and acknowledged."""

    text: str


class TooLong(NamedTuple):
    """A text beyond `TEXT_CAP`: acknowledged, because a NAK would bring it again, and not kept."""


class Ended(NamedTuple):
    """EOT. `half`: the last text had no ETX."""

    half: bool


class Misnumbered(NamedTuple):
    """A sound frame that was not its turn, answered NAK (rules 2 and 3)."""

    reason: str


class PoorLine(NamedTuple):
    """The sixth NAK in a row."""


Happening = Called | Text | TooLong | Ended | Misnumbered | PoorLine | Damage


class Receiver:
    """One receiving end. Any cut of the input gives the same happenings and answers (rule 1)."""

    def __init__(self) -> None:
        self.noise_bytes = 0
        self._out = bytearray()
        self.reset()

    def reset(self) -> None:
        """A new wire: forget everything but the count of stray bytes."""
        self._out.clear()
        self._noise = 0
        self._naks = 0
        self.drop()

    def drop(self) -> None:
        """Back to neutral: the transfer is void."""
        self.busy = False
        self._frame: bytearray | None = None
        self._mark = 0
        self._last: bytes | None = None
        self._joined = bytearray()
        self._too_long = False

    @property
    def half(self) -> bool:
        """A frame or a text has begun and not ended."""
        return self._frame is not None or bool(self._joined) or self._too_long

    def take_output(self) -> bytes:
        """The answers to write now."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def feed(self, data: bytes) -> list[Happening]:
        """Take bytes. Control characters are never part of a text, so they count wherever they stand."""
        found: list[Happening] = []
        for byte in data:
            if byte in (STX, ENQ, EOT):
                self._settle(byte, found)
            elif self._frame is None:
                self._stray(found)
            else:
                self._collect(self._frame, byte, found)
        return found

    def _settle(self, control: int, found: list[Happening]) -> None:
        if self._noise:
            found.append(Damage(f"{self._noise} stray bytes"))
            self._noise = 0
        if self._frame is not None:
            found.append(Damage("frame cut short"))
        if control == STX:
            self._frame, self._mark = bytearray(), 0
            return
        was_busy, half = self.busy, self.half
        self.drop()
        if control == ENQ:
            self.busy = True
            self._out += ACK
            found.append(Called(was_busy))
        elif was_busy:
            found.append(Ended(half))

    def _stray(self, found: list[Happening]) -> None:
        self.noise_bytes += 1
        self._noise += 1
        if self._noise == NOISE_TOLD:
            found.append(Damage(f"{NOISE_TOLD} stray bytes: are baud rate and parity right?"))

    def _collect(self, frame: bytearray, byte: int, found: list[Happening]) -> None:
        """A frame ends four bytes after its mark, or at a line feed, which no text may hold."""
        if len(frame) < FRAME_CAP:
            frame.append(byte)
        if not self._mark and byte in (ETX, ETB):
            self._mark = len(frame)
        if byte != LF and (not self._mark or len(frame) < self._mark + _TRAILER):
            return
        self._frame = None
        self._judge(bytes(frame), found)

    def _judge(self, frame: bytes, found: list[Happening]) -> None:
        match = _FRAME.fullmatch(frame)
        if match is None or len(frame) >= FRAME_CAP:
            self._refuse(Damage("broken frame"), found)
            return
        number, text, end, told = match.groups()
        if sum(number + text + end) % 256 != int(told, 16):
            self._refuse(Damage(f"bad checksum in frame {number.decode()}"), found)
            return
        if self.busy and number + text + end == self._last:
            self._accept()
            return
        due = b"1" if self._last is None else b"%d" % ((self._last[0] - ord("0") + 1) % 8)
        if not self.busy or number != due:
            self._refuse(Misnumbered(self._misnumbered(number, due)), found)
            return
        self._last = number + text + end
        self._accept()
        self._join(text, end[0] == ETX, found)

    def _misnumbered(self, number: bytes, due: bytes) -> str:
        if not self.busy:
            return "a frame outside of any transfer"
        if self._last is not None and number == self._last[:1]:
            return f"frame {number.decode()} came again with another text"
        return f"frame {number.decode()} where {due.decode()} was due"

    def _accept(self) -> None:
        self._naks = 0
        self._out += ACK

    def _refuse(self, reason: Damage | Misnumbered, found: list[Happening]) -> None:
        found.append(reason)
        self._out += NAK
        self._naks += 1
        if self._naks == POOR_AFTER:
            found.append(PoorLine())

    def _join(self, text: bytes, last: bool, found: list[Happening]) -> None:
        if not self._too_long:
            self._joined += text
        if len(self._joined) > TEXT_CAP:
            self._too_long = True
            self._joined.clear()
        if last:
            found.append(TooLong() if self._too_long else Text(self._joined.decode("latin-1")))
            self._joined.clear()
            self._too_long = False
