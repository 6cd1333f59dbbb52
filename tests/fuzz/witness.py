"""An independent judge of checksums: which sound frames has the wire carried?

Written from the reference sheets alone, and generously: any run of bytes that could be read as
a frame with a right checksum counts, wherever it begins. A link that tells a value without one of
these has taken it from a damaged frame.
"""

import re
from binascii import crc_hqx
from collections.abc import Callable, Iterator

Scan = Callable[[bytes, int], Iterator[bytes]]
"""Texts of the sound frames in a window that end at or behind an index."""

WINDOW = 1_500
"""More than any frame and its noise."""

STX, ETX, EOT, ETB = 0x02, 0x03, 0x04, 0x17

BASIC_LONGEST = 64
_BASIC = re.compile(rb"\x02\d\d[^\x02\x03]{1,60}\x03")
_HEX2 = re.compile(rb"[0-9A-Fa-f]{2}")
_HEX4 = re.compile(rb"[0-9A-Fa-f]{4}")


def new_era(window: bytes, new_from: int) -> Iterator[bytes]:
    """Safe packets (pumps 2.3), and Basic replies, which have no checksum and so count as sound (2.2)."""
    for end in _ends(window, new_from, (ETX,), 0):
        for start in _starts(window, STX, max(end - 255, 0), end - 3):
            payload = window[start + 2 : end - 2]
            if window[start + 1] == end - start and crc_hqx(payload, 0) == int.from_bytes(
                window[end - 2 : end], "big"
            ):
                yield payload
    for match in _BASIC.finditer(window, max(new_from - BASIC_LONGEST, 0)):
        if match.end() > new_from:
            yield match[0]


def _starts(window: bytes, mark: int, first: int, behind: int) -> Iterator[int]:
    """Where a mark stands from `first` to before `behind`."""
    at = window.find(mark, first, behind)
    while at >= 0:
        yield at
        at = window.find(mark, at + 1, behind)


def _ends(window: bytes, new_from: int, marks: tuple[int, ...], tail: int) -> Iterator[int]:
    """Where a mark stands, so that the `tail` bytes behind it are there and the last is new."""
    for at in range(max(new_from - tail, 0), len(window) - tail):
        if window[at] in marks:
            yield at


def astm(window: bytes, new_from: int) -> Iterator[bytes]:
    """E1381 frames: the sum from behind STX through ETX or ETB (analyzers 3)."""
    for end in _ends(window, new_from, (ETX, ETB), 2):
        digits = window[end + 1 : end + 3]
        if _HEX2.fullmatch(digits) is None:
            continue
        for at in _starts(window, STX, 0, end):
            if sum(window[at + 1 : end + 1]) & 0xFF == int(digits, 16):
                yield window[at + 2 : end]


def siemens(window: bytes, new_from: int) -> Iterator[bytes]:
    """LIS3 frames: the sum from STX through ETX, then EOT (analyzers 4.4)."""
    for end in _ends(window, new_from, (ETX,), 3):
        digits = window[end + 1 : end + 3]
        if _HEX2.fullmatch(digits) is None or window[end + 3] != EOT:
            continue
        for at in _starts(window, STX, 0, end):
            if sum(window[at : end + 1]) & 0xFF == int(digits, 16):
                yield window[at : end + 1]


def graseby(window: bytes, new_from: int) -> Iterator[bytes]:
    """Graseby 3400 records: the sum of all characters with both angle brackets (pumps 5.1)."""
    for end in _ends(window, new_from, (ord(">"),), 2):
        digits = window[end + 1 : end + 3]
        if _HEX2.fullmatch(digits) is None:
            continue
        for at in _starts(window, ord("<"), 0, end):
            if sum(window[at : end + 1]) & 0xFF == int(digits, 16):
                yield window[at : end + 1]


def alaris(window: bytes, new_from: int) -> Iterator[bytes]:
    """Alaris frames: CRC with initial value FFFF from behind `!` to before `|` (pumps 3)."""
    for end in _ends(window, new_from, (ord("|"),), 4):
        digits = window[end + 1 : end + 5]
        if _HEX4.fullmatch(digits) is None:
            continue
        for at in _starts(window, ord("!"), 0, end):
            if crc_hqx(window[at + 1 : end], 0xFFFF) == int(digits, 16):
                yield window[at + 1 : end]


class Witness:
    """Everything sound that the wire carried since `reset`; without a `scan` all bytes are sound."""

    def __init__(self, scan: Scan | None) -> None:
        self._scan = scan
        self._tail = b""
        self._texts = bytearray()
        self.frames = 0

    def reset(self) -> None:
        """A new wire: what came before does not count."""
        self._tail = b""
        self._texts.clear()
        self.frames = 0

    def found(self, piece: bytes) -> list[bytes]:
        """The sound frames that this piece would complete."""
        if self._scan is None:
            return [piece]
        return list(self._scan(self._tail + piece, len(self._tail)))

    def hear(self, piece: bytes) -> None:
        """The piece goes over the wire."""
        found = self.found(piece)
        self.frames += len(found)
        for text in found:
            self._texts += text
        del self._texts[:-WINDOW]
        self._tail = (self._tail + piece)[-WINDOW:]

    def knows(self, text: bytes) -> bool:
        """Whether a text stands in the sound frames, one behind the other."""
        return text in self._texts
