"""How a Siemens analyzer sends: one frame at a time, once more when no acknowledgement comes.

Source: sheet analyzers.md 4.4: one retry when the timer expires, counted from the last byte sent; the time
itself is [R].
"""

from collections import deque
from dataclasses import dataclass

from simulator.devices.mischief import Outbox

RETRIES = 1


@dataclass(frozen=True, slots=True)
class Letter:
    """One frame, and what leaves in its place on the first try when that goes wrong."""

    frame: bytes
    first_try: bytes


class Mail:
    """Frames in order; the next one leaves when the one before was acknowledged or given up."""

    def __init__(self, outbox: Outbox, retry_ms: int) -> None:
        self._outbox = outbox
        self._retry_ms = retry_ms
        self._waiting: deque[Letter] = deque()
        self._open: Letter | None = None
        self._retries_left = 0
        self._due_ms = 0

    def post(self, frame: bytes, now_ms: int, *, next_one: bool = False, first_try: bytes = b"") -> None:
        """Sends a frame when its turn comes; `next_one` before all others that wait."""
        letter = Letter(frame, first_try or frame)
        if next_one:
            self._waiting.appendleft(letter)
        else:
            self._waiting.append(letter)
        self._next(now_ms)

    def acknowledged(self, now_ms: int) -> None:
        """The host has the open frame."""
        self._open = None
        self._next(now_ms)

    def due_ms(self) -> int | None:
        """When the open frame is sent again or given up; None when none is open."""
        return self._due_ms if self._open else None

    def expire(self, now_ms: int) -> None:
        """The timer has run out."""
        if self._open is None:
            return
        if self._retries_left == 0:
            self._open = None
            self._next(now_ms)
            return
        self._retries_left -= 1
        self._put(self._open.frame, now_ms)

    def drop(self) -> None:
        """Forgets everything."""
        self._waiting.clear()
        self._open = None

    def _next(self, now_ms: int) -> None:
        if self._open is None and self._waiting:
            self._open = self._waiting.popleft()
            self._retries_left = RETRIES
            self._put(self._open.first_try, now_ms)

    def _put(self, sent: bytes, now_ms: int) -> None:
        self._outbox.put(sent, now_ms)
        self._due_ms = now_ms + self._retry_ms
