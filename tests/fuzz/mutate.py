"""Frames made wrong in every way a wire, a program or a person can make them wrong; seeded."""

from collections.abc import Callable
from random import Random

EDGES = bytes(
    (0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0D, 0x11, 0x15, 0x17, 0x1B, 0x30, 0x7F, 0x80, 0xFF)
)
"""Bytes that mean something in some framing, and the ends of the range."""

LONGEST = 1_500
"""Mutated frames stay below this, above every frame there is."""


class Mutator:
    """An endless supply of frames grown from `seeds`; the same `dice` give the same frames."""

    def __init__(self, seeds: list[bytes], dice: Random) -> None:
        self.seeds = seeds
        self._dice = dice
        self._ways: tuple[Callable[[bytes], bytes], ...] = (
            self._flip, self._cut, self._insert, self._double,
            self._splice, self._length, self._digit, self._swap,
        )  # fmt: skip

    def frame(self) -> bytes:
        """A seed as it is, a seed spoilt, or bytes of nothing."""
        roll = self._dice.random()
        if roll < 0.08:
            return self._dice.randbytes(self._dice.randint(1, 80))
        seed = self._dice.choice(self.seeds)
        return seed if roll < 0.2 else self.spoilt(seed)

    def spoilt(self, frame: bytes) -> bytes:
        """This frame with one to three things wrong."""
        for _ in range(self._dice.choice((1, 1, 1, 2, 3))):
            frame = self._dice.choice(self._ways)(frame)
        return frame[:LONGEST]

    def touched(self, frame: bytes) -> bytes:
        """This frame with one thing wrong that leaves its length."""
        return self._dice.choice((self._flip, self._digit, self._swap))(frame)

    def pieces(self, frame: bytes) -> list[bytes]:
        """The frame as a wire hands it over: mostly whole, else cut once or into 1 to 7 bytes."""
        roll = self._dice.random()
        if roll < 0.7 or len(frame) < 2:
            return [frame] if frame else []
        if roll < 0.9:
            at = self._dice.randrange(1, len(frame))
            return [frame[:at], frame[at:]]
        pieces = []
        while frame:
            size = self._dice.randint(1, 7)
            pieces.append(frame[:size])
            frame = frame[size:]
        return pieces

    def _at(self, frame: bytes) -> int:
        return self._dice.randrange(len(frame) + 1)

    def _flip(self, frame: bytes) -> bytes:
        changed = bytearray(frame)
        for _ in range(self._dice.randint(1, 3) if frame else 0):
            changed[self._dice.randrange(len(changed))] ^= 1 << self._dice.randrange(8)
        return bytes(changed)

    def _cut(self, frame: bytes) -> bytes:
        first, last = sorted((self._at(frame), self._at(frame)))
        return self._dice.choice((frame[:first], frame[last:], frame[:first] + frame[last:]))

    def _insert(self, frame: bytes) -> bytes:
        at = self._at(frame)
        noise = bytes(self._dice.choices(EDGES, k=self._dice.randint(1, 4)))
        return frame[:at] + self._dice.choice((noise, self._dice.randbytes(3))) + frame[at:]

    def _double(self, frame: bytes) -> bytes:
        first, last = sorted((self._at(frame), self._at(frame)))
        return frame[:last] + frame[first:last] * self._dice.choice((1, 1, 5)) + frame[last:]

    def _splice(self, frame: bytes) -> bytes:
        other = self._dice.choice(self.seeds)
        return frame[: self._at(frame)] + other[self._at(other) :]

    def _length(self, frame: bytes) -> bytes:
        """A length, count or control byte of any value: most often near the beginning."""
        if not frame:
            return frame
        at = self._dice.choice((0, 1, 1, 2, 3, self._dice.randrange(len(frame)))) % len(frame)
        value = self._dice.choice((self._dice.choice(EDGES), self._dice.randrange(256)))
        return frame[:at] + bytes((value,)) + frame[at + 1 :]

    def _digit(self, frame: bytes) -> bytes:
        """Another digit: the damage that reads like a good value."""
        digits = [at for at, byte in enumerate(frame) if 0x30 <= byte <= 0x39]
        if not digits:
            return frame
        at = self._dice.choice(digits)
        return frame[:at] + self._dice.choice((b"0", b"1", b"4", b"9", b".", b"-", b"\xb2")) + frame[at + 1 :]

    def _swap(self, frame: bytes) -> bytes:
        """Two neighbours changed places: no sum of bytes sees it."""
        if len(frame) < 2:
            return frame
        at = self._dice.randrange(len(frame) - 1)
        return frame[:at] + frame[at + 1 : at + 2] + frame[at : at + 1] + frame[at + 2 :]
