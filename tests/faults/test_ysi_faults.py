"""Every row of the YSI's fault table, played."""

import pytest

from tests.faults.pair import Case
from tests.faults.ysi import CASES, measured, opened


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fault}: {case.expected}")
def test_row(case: Case) -> None:
    assert case.play() == case.play()


def test_an_hour_of_samples_in_small_pieces() -> None:
    pair = opened()
    values = [80.0 + number for number in range(12)]
    found = [sample.glucose_mg_dl for value in values for sample in measured(pair, value)]
    assert found == values
    assert pair.troubles == []
    assert set(bytes(pair.to_device).split(b"\r")) == {b"RS", b""}
