"""Replies of the Harvard Ultra dialect: bytes -> `Reply`; tolerant of echo, leaks and a missing XON.

Source: pumps reference 4.1 (PHD Ultra guide 5419-002 p.83, 88; recorded bytes of firmware 3.0.6).
"""

import re

from clampctl.core.events import PumpState
from drivers.framing import Damage
from drivers.pumps.harvard_talk import Reply

XON = 0x11
CAP = 512
"""No reply that is asked for here reaches half of this."""

QUIET_MS = 100
"""A prompt without XON counts as the end of a reply after this: at 9600 baud, 96 characters [I]."""

_PROMPT = re.compile(r"(\d{0,4}):?(T\*|[<>]\*|[:<>*])")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
ERRORS = ("Command error", "Argument error", "Out of range", "Unknown command")

_MEANING: dict[str, tuple[PumpState, str | None, bool]] = {
    ":": (PumpState.STOPPED, None, False),
    ">": (PumpState.RUNNING, None, True),
    "<": (PumpState.ALARM, "withdrawing", True),
    "*": (PumpState.ALARM, "stalled, clear it at the pump's panel", False),
    "T*": (PumpState.STOPPED, "target reached", False),
    ">*": (PumpState.ALARM, "limit switch", False),
    "<*": (PumpState.ALARM, "limit switch", False),
}
"""What each prompt says: state, alarm, whether anything flows (pumps 4.1)."""


class UltraSplitter:
    """Cuts replies at XON, or at a prompt that nothing follows."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._echo = ""
        self._last_ms = 0

    @property
    def half(self) -> bool:
        """A reply has begun and not ended."""
        return bool(self._buffer)

    @property
    def quiet_at_ms(self) -> int | None:
        """When the prompt that is there counts as the end; None while there is none."""
        start = self._buffer.rfind(b"\n")
        if start < 0 or len(self._buffer) - start > 8:
            return None
        prompt = self._buffer[start + 1 :].decode("latin-1")
        return self._last_ms + QUIET_MS if _PROMPT.fullmatch(prompt) else None

    def reset(self) -> None:
        """Forget a half reply."""
        self._buffer.clear()

    def expect(self, text: str) -> None:
        """The command just sent; with echo on it comes back before the reply."""
        self._echo = text

    def feed(self, data: bytes, now_ms: int) -> list[Reply | Damage]:
        """Take bytes; whole replies come out."""
        found: list[Reply | Damage] = []
        if data:
            self._last_ms = now_ms
        for byte in data:
            if byte == XON:
                found.append(self._whole(ended=True))
                self._buffer.clear()
            elif len(self._buffer) >= CAP:
                self._buffer.clear()
                found.append(Damage("reply without end"))
            else:
                self._buffer.append(byte)
        return found

    def quiet(self, now_ms: int) -> list[Reply | Damage]:
        """Nothing came for a while: a prompt is the end of a reply."""
        due_ms = self.quiet_at_ms
        if due_ms is None or now_ms < due_ms:
            return []
        reply = self._whole(ended=False)
        self._buffer.clear()
        return [reply]

    def _whole(self, *, ended: bool) -> Reply | Damage:
        return parse_reply(self._buffer.decode("latin-1"), self._echo, ended=ended)


def parse_reply(text: str, echo: str, *, ended: bool) -> Reply | Damage:
    """Read one reply: lines, then a prompt behind the last LF.

    Dropped: empty lines, the echoed command, prompts before the last, addresses before a line.
    """
    rows = [row.strip(" \r") for row in text.split("\n")]
    match = _PROMPT.fullmatch(rows[-1])
    if len(rows) < 2 or match is None:
        return Damage("no prompt at the end of a reply")
    if not all(_PRINTABLE.fullmatch(row) for row in rows):
        return Damage("unreadable reply")
    lines = []
    for row in rows[:-1]:
        line = re.sub(r"\A(?:T\*|\d{2}(?:T\*|[:<>]\*?|\*))", "", row).strip()
        if line and row != echo and line != echo and not _PROMPT.fullmatch(row):
            lines.append(line)
    state, alarm, moving = _MEANING[match[2]]
    error = next((" ".join(lines) for line in lines if any(word in line for word in ERRORS)), None)
    address = int(match[1][-2:]) if match[1] else None
    return Reply(tuple(lines), error, state, alarm, moving, address, ended)
