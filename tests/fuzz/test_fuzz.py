"""10^4 mutated frames through every link and every emulator; `make fuzz` runs 10^6."""

import pytest

from tests.fuzz.run import Side, ran
from tests.fuzz.table import ROWS

FRAMES = 10_000


@pytest.mark.parametrize("side", ["link", "emulator"])
@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_no_bytes_raise_lie_or_pile_up(name: str, side: Side) -> None:
    assert ran(name, side, FRAMES, seed=1).flat
