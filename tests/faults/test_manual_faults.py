"""Every row of the table of devices without a wire, played."""

import pytest

from tests.faults.manual import CASES
from tests.faults.pair import Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.device} {case.expected}")
def test_row(case: Case) -> None:
    assert case.play() == case.play()
