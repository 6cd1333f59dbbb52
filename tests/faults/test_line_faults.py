"""Every row of the line driver's fault table, played."""

import pytest

from tests.faults.line import CASES, opened, sampled, values
from tests.faults.pair import Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fault}: {case.expected}")
def test_row(case: Case) -> None:
    assert case.play() == case.play()


def test_a_day_of_samples_in_small_pieces() -> None:
    pair = sampled(opened(), *(80.0 + turn for turn in range(20)))
    assert values(pair) == [f"{80 + turn}.0" for turn in range(20)]
    assert pair.troubles == []
    assert bytes(pair.to_device) == b""
