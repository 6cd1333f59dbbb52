"""The way a device's replies take to the host, and what can happen to them there."""

import random
from dataclasses import replace

from simulator.devices.fault import OF_THE_WIRE, Fault, FaultKind

_PIECE_MS = 1  # between the pieces of `chunk`

DICE_SEED = 1
"""The sizes of random pieces are the same in every run."""


class Outbox:
    """Replies on their way to the host, whole and at once unless a fault is injected.

    `delay_ms` is the device's usual time to answer. Replies never overtake one another.
    """

    def __init__(self, delay_ms: int = 0) -> None:
        self._delay_ms = delay_ms
        self._faults: dict[FaultKind, Fault] = {}
        self._left = bytearray()
        self._later: list[tuple[int, bytes]] = []
        self._dice = random.Random(DICE_SEED)
        self.plugged = True

    def inject(self, fault: Fault) -> bool:
        """Starts a fault of the wire; False when the fault is none of these."""
        if fault.kind is FaultKind.UNPLUG:
            self.plugged = False
            self.drop()
            return True
        if fault.kind not in OF_THE_WIRE:
            return False
        once = fault.kind is FaultKind.LOSE_REPLY and fault.times is None
        self._faults[fault.kind] = replace(fault, times=1) if once else fault
        return True

    def clear(self, kind: FaultKind) -> None:
        """Ends a fault of the wire, if it is there."""
        if kind is FaultKind.UNPLUG:
            self.plugged = True
        self._faults.pop(kind, None)

    def drop(self) -> None:
        """Loses everything not yet with the host."""
        self._left.clear()
        self._later.clear()

    def hears(self) -> bool:
        """Whether the device gets to see the next whole command; asked once for each."""
        if not self.plugged:
            return False
        if FaultKind.MUTE not in self._faults:
            return True
        self._spend(FaultKind.MUTE)
        return False

    def put(self, reply: bytes, now_ms: int) -> None:
        """Sends one whole reply off, with the injected faults done to it."""
        if not self.plugged or FaultKind.MUTE in self._faults:
            return
        if not self._faults and not self._delay_ms and not self._later:
            self._left += reply
            return
        at_ms = now_ms + self._delay_ms + self._number(FaultKind.DELAY, 0)
        for after_ms, piece in self._pieces(self._damaged(reply)):
            self._later.append((at_ms + after_ms, piece))
        for kind in list(self._faults):
            self._spend(kind)
        self.advance(now_ms)

    def advance(self, now_ms: int) -> None:
        """Lets the pieces that are due leave."""
        while self._later and self._later[0][0] <= now_ms:
            self._left += self._later.pop(0)[1]

    def take(self) -> bytes:
        """What has left by the latest `advance`, once."""
        if not self._left:
            return b""
        left = bytes(self._left)
        self._left.clear()
        return left

    def wake_at(self) -> int | None:
        """When the next piece leaves, in ms; None when nothing waits."""
        return self._later[0][0] if self._later else None

    def _damaged(self, reply: bytes) -> bytes:
        if FaultKind.LOSE_REPLY in self._faults:
            return b""
        at = self._number(FaultKind.FLIP, len(reply))
        if at < len(reply):
            reply = reply[:at] + bytes((reply[at] ^ 1,)) + reply[at + 1 :]
        reply = reply[: self._number(FaultKind.CUT, len(reply))]
        noise = self._faults.get(FaultKind.NOISE)
        return bytes.fromhex(noise.text) + reply if noise else reply

    def _pieces(self, reply: bytes) -> list[tuple[int, bytes]]:
        gap = self._faults.get(FaultKind.GAP)
        split = gap.number if gap and gap.number is not None else len(reply)
        pause_ms = gap.ms if gap else 0
        head, tail = self._cut(reply[:split]), self._cut(reply[split:])
        resumes_ms = max(len(head) - 1, 0) * _PIECE_MS + pause_ms
        return [(n * _PIECE_MS, piece) for n, piece in enumerate(head)] + [
            (resumes_ms + n * _PIECE_MS, piece) for n, piece in enumerate(tail)
        ]

    def _cut(self, data: bytes) -> list[bytes]:
        chunk = self._faults.get(FaultKind.CHUNK)
        if chunk is None or chunk.number is None:
            return [data] if data else []
        widest = int(chunk.text) if chunk.text else chunk.number
        pieces = []
        while data:
            size = self._dice.randint(chunk.number, widest)
            pieces.append(data[:size])
            data = data[size:]
        return pieces

    def _number(self, kind: FaultKind, otherwise: int) -> int:
        found = self._faults.get(kind)
        return otherwise if found is None or found.number is None else found.number

    def _spend(self, kind: FaultKind) -> None:
        left = self._faults[kind].times
        if left is None:
            return
        if left > 1:
            self._faults[kind] = replace(self._faults[kind], times=left - 1)
        else:
            del self._faults[kind]
