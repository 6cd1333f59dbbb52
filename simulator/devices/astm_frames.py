"""Records into frames of ASTM E1381: at most 240 characters each, numbered by the sender, summed.

Source: sheet analyzers.md 3 (Roche e 411 host manual p. 18 to 24).
"""

from typing import NamedTuple

ENQ, ACK, NAK, EOT = 0x05, 0x06, 0x15, 0x04
_STX, _ETX, _ETB = b"\x02", b"\x03", b"\x17"
_TEXT_LIMIT = 240


class Piece(NamedTuple):
    """The text of one frame; `last` ends a record."""

    text: bytes
    last: bool


def pieces(records: list[str], packed: bool) -> list[Piece]:
    """A message cut for its frames: each record alone, or `packed` end to end."""
    lines = [f"{record}\r".encode("latin-1") for record in records]
    found = []
    for text in [b"".join(lines)] if packed else lines:
        for start in range(0, len(text), _TEXT_LIMIT):
            cut = text[start : start + _TEXT_LIMIT]
            found.append(Piece(cut, start + _TEXT_LIMIT >= len(text)))
    return found


def broken_off(whole: list[Piece]) -> list[Piece]:
    """The pieces up to the middle of the record before the last one."""
    lasts = [index for index, piece in enumerate(whole) if piece.last]
    begin = lasts[-3] + 1 if len(lasts) > 2 else 0
    first = whole[begin]
    text = first.text[: len(first.text) // 2] if first.last else first.text
    return [*whole[:begin], Piece(text, last=False)]


def frame(number: int, piece: Piece, lower_case: bool) -> bytes:
    """STX, number, text, ETB or ETX, sum of all after STX as two hex digits, CR LF."""
    body = b"%d" % (number % 8) + piece.text + (_ETX if piece.last else _ETB)
    sum_ = f"{sum(body) % 256:02X}"
    return _STX + body + (sum_.lower() if lower_case else sum_).encode("ascii") + b"\r\n"
