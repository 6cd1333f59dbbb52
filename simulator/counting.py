"""A cable that counts its bytes, and cuts them into small pieces where it is told to."""

import random

from simulator.transport import Transport

SPLIT_SEED = 1
"""The pieces are the same in every run."""


class Counting:
    """Any transport, with its bytes counted; split: cut into 1 to 7 bytes in both directions."""

    def __init__(self, transport: Transport, split: bool) -> None:
        self._transport = transport
        self._dice = random.Random(SPLIT_SEED) if split else None
        self._waiting = b""
        self.sent = 0
        self.heard = 0

    @property
    def address(self) -> str:
        """See `Transport`."""
        return self._transport.address

    def read(self, wait_s: float) -> bytes:
        """See `Transport`."""
        data = self._waiting or self._transport.read(wait_s)
        cut = len(data) if self._dice is None else self._dice.randint(1, 7)
        self._waiting = data[cut:]
        self.heard += len(data[:cut])
        return data[:cut]

    def write(self, data: bytes) -> None:
        """See `Transport`."""
        while data:
            cut = len(data) if self._dice is None else self._dice.randint(1, 7)
            self._transport.write(data[:cut])
            self.sent += len(data[:cut])
            data = data[cut:]

    def hang_up(self) -> None:
        """See `Transport`."""
        self._waiting = b""
        self._transport.hang_up()

    def close(self) -> None:
        """See `Transport`."""
        self._transport.close()
