"""Replies, numbers and models of the Harvard "22" dialect: bytes -> `Reply`, µL/h -> five digits.

Source: pumps reference 4.2 (Model 33 manual p.16-19 and app. D; public drivers of the PHD 2000 and Pump
11). A command or word that no source gives is marked [R] in the table.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from clampctl.core.events import PumpState
from drivers.framing import Damage
from drivers.pumps.harvard_talk import Reply
from drivers.pumps.harvard_text import plain, significant

DIGITS = 5
"""More are cut off by the pump without a word (pumps 4.2)."""

CAP = 256
"""No reply that is asked for here reaches a quarter of this."""

ERRORS = {"?": "not understood", "NA": "not applicable now", "OOR": "out of range"}

_END = re.compile(rb"\n ?(\d{0,2})([:><*/^])\Z")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Model:
    """What differs between models; "" is a question or setting this model is not known to have.

    `version` is how the reply to VER begins. `rate` takes mL/h. `star` is what the prompt `*` means.
    `has_mode`: it heeds its target volume in VOLUME mode only.
    """

    version: str
    rate: str
    volume: str
    target: str
    target_question: str
    target_clear: str
    has_mode: bool
    star: tuple[PumpState, str | None]


MODELS = {
    "2000": Model(
        version="PHD",
        rate="RAT{}MH",
        volume="DEL",
        target="TGT{}",
        target_question="TGT",
        target_clear="TGT0",
        has_mode=True,
        star=(PumpState.STOPPED, None),
    ),
    # MLH, VOL, TAR, CLT and the version text of the 22 and Pump 11 are [R]; MLT is sourced.
    "22": Model(
        version="",
        rate="MLH{}",
        volume="VOL",
        target="MLT{}",
        target_question="TAR",
        target_clear="CLT",
        has_mode=False,
        star=(PumpState.ALARM, "stalled"),
    ),
    # One rate for both syringes of the 33, set as on the 2000, is [R]; 33V2.0 is in its manual.
    "33": Model(
        version="33",
        rate="RAT{}MH",
        volume="",
        target="",
        target_question="",
        target_clear="",
        has_mode=False,
        star=(PumpState.ALARM, "stalled"),
    ),
}

_MEANING: dict[str, tuple[PumpState, str | None, bool]] = {
    ":": (PumpState.STOPPED, None, False),
    ">": (PumpState.RUNNING, None, True),
    "<": (PumpState.ALARM, "withdrawing", True),
    "/": (PumpState.PAUSED, None, False),
    "^": (PumpState.PAUSED, "waits for a trigger", False),
}
"""What each prompt says: state, alarm, whether anything flows (pumps 4.2); `*` is the model's."""


def held_ul_h(rate_ul_h: int) -> int:
    """The rate as five digits of mL/h hold it, never above what was asked."""
    return int(significant(Decimal(rate_ul_h), DIGITS))


def number_text(thousandths: Decimal) -> str:
    """mL/h or mL from µL/h or µL: at most five digits, rounded toward zero: 2.5, 123.45."""
    return plain(significant(thousandths / 1000, DIGITS))


class TwentyTwoSplitter:
    """Cuts replies at the prompt: LF, two address digits, one sign."""

    quiet_at_ms = None

    def __init__(self, model: Model) -> None:
        self._model = model
        self._buffer = bytearray()

    @property
    def half(self) -> bool:
        """A reply has begun and not ended."""
        return bool(self._buffer)

    def reset(self) -> None:
        """Forget a half reply."""
        self._buffer.clear()

    def expect(self, text: str) -> None:
        """This dialect does not repeat what it is told."""

    def quiet(self, now_ms: int) -> list[Reply | Damage]:
        """A reply always ends with its prompt."""
        del now_ms
        return []

    def feed(self, data: bytes, now_ms: int) -> list[Reply | Damage]:
        """Take bytes; whole replies come out."""
        del now_ms
        found: list[Reply | Damage] = []
        for byte in data:
            self._buffer.append(byte)
            match = _END.search(self._buffer[-5:])
            if match is not None:
                found.append(self._reply(match[1].decode(), match[2].decode()))
                self._buffer.clear()
            elif len(self._buffer) >= CAP:
                self._buffer.clear()
                found.append(Damage("reply without end"))
        return found

    def _reply(self, address: str, prompt: str) -> Reply | Damage:
        rows = [row.strip(" \r") for row in self._buffer.decode("latin-1").split("\n")[:-1]]
        if not all(_PRINTABLE.fullmatch(row) for row in rows):
            return Damage("unreadable reply; 9600 baud 8N2?")
        lines = tuple(row for row in rows if row)
        error = next((f"{line}, {ERRORS[line]}" for line in lines if line in ERRORS), None)
        state, alarm, moving = _MEANING.get(prompt, (*self._model.star, False))
        return Reply(lines, error, state, alarm, moving, int(address) if address else None)
