"""The sender of ASTM E1381: it calls, sends frame after frame, waits for answers, and ends.

Source: sheet analyzers.md 3 (Roche e 411 host manual p. 22, 24): timers and numbers of tries.
"""

from collections.abc import Callable
from enum import Enum

from simulator.devices.astm_frames import ACK, ENQ, EOT, NAK, Piece, broken_off, frame, pieces
from simulator.devices.astm_settings import AstmSettings
from simulator.devices.fault import Fault, FaultKind
from simulator.devices.mischief import Outbox

Compose = Callable[[], list[str]]

_ARMED = frozenset({FaultKind.DUPLICATE, FaultKind.WRONG_SEQUENCE, FaultKind.CONTENTION})
_GAP = 2  # how far `wrong_sequence` leaves the right number


class Turn(Enum):
    """Whose turn it is."""

    IDLE = "idle"
    CALLED = "called"  # ENQ is out
    SENDING = "sending"  # a frame is out
    RESTING = "resting"  # ENQ follows when `due_ms` comes


class Sender:
    """One message at a time; a message that fails is called again until it is through."""

    def __init__(self, settings: AstmSettings, outbox: Outbox) -> None:
        self._settings = settings
        self._outbox = outbox
        self._turn = Turn.IDLE
        self._pieces: list[Piece] = []
        self._index = 0
        self._tries = 0
        self._half = False
        self._armed: set[FaultKind] = set()
        self._deaf_acks = 0
        self.due_ms: int | None = None
        self.called_ms = 0

    @property
    def idle(self) -> bool:
        """No message is under way."""
        return self._turn is Turn.IDLE

    def inject(self, fault: Fault) -> bool:
        """Starts a fault of the conversation; False when the fault is none of these."""
        if fault.kind is FaultKind.DROP_ACK:
            self._deaf_acks = 1 if fault.number is None else fault.number
            return True
        if fault.kind in _ARMED:
            self._armed.add(fault.kind)
            return True
        return False

    def clear(self, kind: FaultKind) -> None:
        """Disarms a fault that has not struck yet."""
        self._armed.discard(kind)
        if kind is FaultKind.DROP_ACK:
            self._deaf_acks = 0

    def call(self, now_ms: int, half: bool) -> None:
        """A message begins; `half`: it will end in the middle of a record.

        `called_ms` is the moment of its call, a later one when it had to be given up; a collision
        changes nothing.
        """
        self._half = half
        self._tries = 0
        self.called_ms = now_ms
        self._enq(now_ms)

    def advance(self, now_ms: int) -> None:
        """A wait that is over: no answer means EOT, a rest means ENQ."""
        if self.due_ms is None or now_ms < self.due_ms:
            return
        if self._turn is Turn.RESTING:
            self._enq(now_ms)
        else:
            self._give_up(now_ms)

    def heard(self, byte: int, now_ms: int, compose: Compose) -> None:
        """One byte from the host; anything but an answer in its turn is ignored."""
        if self._turn not in (Turn.CALLED, Turn.SENDING):
            return
        if byte == ENQ or (byte in (ACK, NAK) and self._strikes(FaultKind.CONTENTION)):
            self._rest(now_ms, self._settings.collision_ms)
        elif byte == ACK:
            if self._deaf_acks:
                self._deaf_acks -= 1
            else:
                self._acknowledged(now_ms, compose)
        elif byte == NAK:
            self._refused(now_ms)
        elif byte == EOT:  # "acknowledged, please stop" [R]
            self._give_up(now_ms)

    def _acknowledged(self, now_ms: int, compose: Compose) -> None:
        self._tries = 0
        if self._turn is Turn.CALLED:
            whole = pieces(compose(), self._settings.packed)
            self._pieces = broken_off(whole) if self._half else whole
            self._index = 0
        elif b"^Glu^" in self._pieces[self._index].text and self._strikes(FaultKind.DUPLICATE):
            self._pieces[self._index] = pieces(compose(), self._settings.packed)[self._index]
        else:
            self._index += 1
        if self._index < len(self._pieces):
            self._frame(now_ms)
        else:
            self._end(now_ms)

    def _refused(self, now_ms: int) -> None:
        self._tries += 1
        if self._tries >= self._settings.tries:
            self._give_up(now_ms)
        elif self._turn is Turn.CALLED:
            self._rest(now_ms, self._settings.nak_ms)
        else:
            self._frame(now_ms)

    def _enq(self, now_ms: int) -> None:
        self._turn = Turn.CALLED
        self.due_ms = now_ms + self._settings.reply_ms
        self._outbox.put(bytes((ENQ,)), now_ms)

    def _frame(self, now_ms: int) -> None:
        self._turn = Turn.SENDING
        self.due_ms = now_ms + self._settings.reply_ms
        number = self._index + 1 + (_GAP if self._strikes(FaultKind.WRONG_SEQUENCE) else 0)
        piece = self._pieces[self._index]
        self._outbox.put(frame(number, piece, self._settings.lower_case), now_ms)

    def _end(self, now_ms: int) -> None:
        self._turn = Turn.IDLE
        self.due_ms = None
        self._outbox.put(bytes((EOT,)), now_ms)

    def _give_up(self, now_ms: int) -> None:
        self._tries = 0
        self._rest(now_ms, self._settings.again_ms)
        self.called_ms = now_ms + self._settings.again_ms
        self._outbox.put(bytes((EOT,)), now_ms)

    def _rest(self, now_ms: int, for_ms: int) -> None:
        self._turn = Turn.RESTING
        self.due_ms = now_ms + for_ms

    def _strikes(self, kind: FaultKind) -> bool:
        struck = kind in self._armed
        self._armed.discard(kind)
        return struck
