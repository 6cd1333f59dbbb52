"""Every row of the POCT1-A fault table, played."""

from datetime import timedelta

import pytest

from clampctl.core.events import SampleKind, Trouble
from simulator.devices.fault import FaultKind
from tests.faults.pair import Case
from tests.faults.poct1a import CASES, MINUTE_MS, ZERO, kinds, opened, sampled, told, values


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fault}: {case.expected}")
def test_row(case: Case) -> None:
    assert case.play() == case.play()


def test_a_day_of_samples_in_small_pieces() -> None:
    pair = sampled(opened(), *(80.0 + turn for turn in range(20)))
    assert values(pair) == [str(80 + turn) for turn in range(20)]
    assert pair.troubles == []
    assert pair.losses == []


def test_a_memory_from_before_the_session_is_told_once_and_not_again() -> None:
    pair = opened(wall_zero=ZERO + timedelta(hours=1)).inject("unplug")
    sampled(pair, 90.0, 91.0)
    sampled(pair.inject("error=4"), 92.0)
    pair.open().clear(FaultKind.UNPLUG)
    pair.run(MINUTE_MS)
    assert kinds(pair) == [SampleKind.HISTORY] * 2
    assert told(pair, (Trouble.REFUSED, "2 results that waited in the meter are older than this session"))
    pair.open().inject("power_cycle").inject("dump")
    pair.run(MINUTE_MS)
    assert len(pair.troubles) == 1
