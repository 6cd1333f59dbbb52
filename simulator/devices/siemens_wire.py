"""Frames and messages of Siemens LIS3 from the analyzer's side, with a checksum of its own.

Source: sheet analyzers.md 4.4. STX NAME FS RS, elements of four fields, RS ETX, the sum from STX through ETX
in two hexadecimal digits, EOT; an acknowledgement is a frame around 06.
"""

from collections.abc import Container, Iterable
from enum import StrEnum
from functools import reduce

from simulator.devices.fault import FaultKind
from simulator.devices.runs import MG_DL_PER_MMOL_L, Reading

PLASMA_PER_BLOOD = 1.11
MMOL_L_MOST = 55.0  # [R] above this the analyzer gives no number
INPUT_LIMIT = 4096  # [R] length of the input buffer

Part = tuple[str, str, str, tuple[str, ...]]
"""Key, value, unit, exceptions."""


class Unit(StrEnum):
    """Unit of the results, a setting of the instrument."""

    MG_DL = "mg/dL"
    MMOL_L = "mmol/L"


def wrapped(inside: bytes) -> bytes:
    """A frame around these bytes."""
    checked = b"\x02" + inside + b"\x03"
    total = reduce(lambda so_far, byte: (so_far + byte) & 0xFF, checked, 0)
    return checked + b"%02X" % total + b"\x04"


ACK = wrapped(b"\x06")


def message(name: str, parts: Iterable[Part] = ()) -> bytes:
    """A message as a frame; one RS when there are no elements."""
    body = b""
    for key, value, unit, exceptions in parts:
        fields = (key, value, unit, "\x17".join(exceptions), "")
        body += "\x1d".join(fields).encode("ascii") + b"\x1c"
    return wrapped(name.encode("ascii") + b"\x1c\x1e" + body + (b"\x1e" if body else b""))


def part(key: str, value: str, unit: str = "") -> Part:
    """An element without exceptions."""
    return (key, value, unit, ())


class Ear:
    """Hears the host's frames: each as its name and values, `ACK` for an acknowledgement.

    A frame whose sum does not hold is ignored (sheet 4.4: silently).
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def hear(self, data: bytes) -> list[tuple[str, dict[str, str]]]:
        """Takes bytes cut anywhere."""
        self._buffer += data
        heard = []
        while (end := self._buffer.find(0x04)) >= 0:
            whole = bytes(self._buffer[: end + 1])
            del self._buffer[: end + 1]
            begin = whole.rfind(b"\x02")
            inside = whole[begin + 1 : -4]
            if begin >= 0 and wrapped(inside) == whole[begin:]:
                heard.append(_understood(inside))
        del self._buffer[:-INPUT_LIMIT]
        return heard

    def forget(self) -> None:
        """Half a frame is gone."""
        self._buffer.clear()


def _understood(inside: bytes) -> tuple[str, dict[str, str]]:
    if inside == b"\x06":
        return "ACK", {}
    name, _, rest = inside.decode("latin-1").partition("\x1c")
    values = {}
    for piece in rest.strip("\x1e").split("\x1c"):
        key, _, fields = piece.partition("\x1d")
        values[key] = fields.partition("\x1d")[0]
    return name, values


def shown(reading: Reading, unit: Unit, odd: Container[FaultKind]) -> str:
    """The number as sent, one decimal in mmol/L and none in mg/dL, with what is odd about it now."""
    mmol_l = reading.mmol_l / PLASMA_PER_BLOOD if FaultKind.WHOLE_BLOOD in odd else reading.mmol_l
    in_mmol = unit is Unit.MMOL_L
    text = f"{mmol_l:.1f}" if in_mmol else f"{mmol_l * MG_DL_PER_MMOL_L[reading.chemistry]:.0f}"
    if FaultKind.DIGIT_SWAP in odd and sum(letter.isdigit() for letter in text) > 1:
        first, second = [at for at, letter in enumerate(text) if letter.isdigit()][:2]
        letters = list(text)
        letters[first], letters[second] = letters[second], letters[first]
        text = "".join(letters)
    if FaultKind.COMMA in odd:
        text = text.replace(".", ",")
    if FaultKind.QUERY in odd:
        text = "?" + text
    if FaultKind.OVER_RANGE in odd or mmol_l > MMOL_L_MOST:
        text = f">{MMOL_L_MOST:.1f}" if in_mmol else f">{MMOL_L_MOST * MG_DL_PER_MMOL_L['DEX']:.0f}"
    return "....." if FaultKind.NO_VALUE in odd else text
