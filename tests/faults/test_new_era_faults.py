"""Every row of the New Era's fault table, played."""

import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import PumpState
from tests.faults.new_era import CASES
from tests.faults.new_era_pair import pump, reading, ready
from tests.faults.pair import Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.role} {case.fault}: {case.expected}")
def test_row(case: Case) -> None:
    assert case.play() == case.play()


@pytest.mark.parametrize("role", [Role.DEXTROSE, Role.INSULIN])
def test_a_life_in_small_pieces_delivers_what_was_ordered(role: Role) -> None:
    pair = ready(role).order(StartPump(role, 9_000, 1))
    pair.run(600_000)
    pair.order(SetRate(role, 6_000, 1)).run(600_000)
    pair.open().run(60_000)
    assert reading(pair) == (PumpState.RUNNING, 6_000)
    pair.order(StopPump(role, 2)).run(60_000)
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert pump(pair).delivered_ul == pytest.approx(1_500 + 1_000 + 100, abs=1)
    assert pair.troubles == []
