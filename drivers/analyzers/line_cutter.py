"""Bytes into lines that end as a form says: at a terminator, or when the analyzer falls silent."""

from drivers.analyzers.line_form import LineForm
from drivers.analyzers.line_pattern import LINE_CAP
from drivers.framing import Damage

HALF_MS = 2000
"""A line that pauses for longer is cut short; an analyzer prints one within a second at 1200 baud."""

NOTHING = b"\r\n\0 "
"""Bytes that alone are no line: what is left of another terminator, paper feeds."""


class LineCutter:
    """Cuts lines in any chunking; at most `LINE_CAP` bytes wait, of a longer line nothing is kept."""

    def __init__(self, form: LineForm) -> None:
        self._terminator = form.terminator
        self._pause_ms = form.silence_ms or HALF_MS
        self._last_ms = 0
        self.reset()

    def reset(self) -> None:
        """Forget a half line."""
        self._waiting = bytearray()
        self._is_too_long = False

    def feed(self, data: bytes, now_ms: int) -> list[bytes | Damage]:
        """Take bytes; whole lines come out without their end."""
        found = self.due(now_ms)
        self._last_ms = now_ms
        for byte in data:
            self._waiting.append(byte)
            if self._terminator is not None and self._waiting.endswith(self._terminator):
                if not self._is_too_long:
                    found.append(bytes(self._waiting[: -len(self._terminator)]))
                self.reset()
            elif len(self._waiting) > LINE_CAP:
                if not self._is_too_long:
                    found.append(Damage("line without end"))
                self._is_too_long = True
                del self._waiting[:-1]
        return found

    def due(self, now_ms: int) -> list[bytes | Damage]:
        """The line that a silence has ended, or cut short where it should have had a terminator."""
        due_ms = self.due_ms()
        if due_ms is None or now_ms < due_ms:
            return []
        line, is_told = bytes(self._waiting), self._is_too_long
        self.reset()
        if is_told or not line.strip(NOTHING):
            return []
        return [line] if self._terminator is None else [Damage("line cut short")]

    def due_ms(self) -> int | None:
        """When a silence will have been long enough; None while nothing waits."""
        return self._last_ms + self._pause_ms if self._waiting else None
