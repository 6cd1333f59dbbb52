"""Every byte on a wire, with direction and time, as one JSON line per piece.

Not here: opening, flushing or closing the file; that is the owner's.
"""

import json
from enum import StrEnum
from typing import BinaryIO


class Direction(StrEnum):
    """As in the transcripts: `>` from us to the device, `<` from the device to us."""

    TO_DEVICE = ">"
    FROM_DEVICE = "<"


class Wiretap:
    """Writes to a binary file that someone else opened. `device` names the wire in each line."""

    def __init__(self, file: BinaryIO, device: str) -> None:
        self._file = file
        self._device = device

    def note(self, direction: Direction, data: bytes, at_ms: int) -> None:
        """Record one piece as `at_ms`, `device`, `direction`, `hex`; nothing for no bytes.

        Errors: OSError of the file, for its owner to judge.
        """
        if not data:
            return
        line = {
            "at_ms": at_ms,
            "device": self._device,
            "direction": direction.value,
            "hex": data.hex(" ").upper(),
        }
        self._file.write(json.dumps(line).encode("ascii") + b"\n")
