"""Every row of the Biosen fault table holds, the same way each time."""

import pytest

from tests.faults.biosen import CASES
from tests.faults.pair import Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fault}: {case.expected}")
def test_the_pair_does_what_the_table_says(case: Case) -> None:
    assert case.play() == case.play()
