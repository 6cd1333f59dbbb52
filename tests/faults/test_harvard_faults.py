"""Every row of both Harvard fault tables, played; and a life in small pieces of each model."""

import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import PumpState
from tests.faults import harvard_22, harvard_ultra
from tests.faults.harvard_rig import Rig, pump, reading
from tests.faults.pair import Case

ROWS = [*harvard_ultra.CASES, *harvard_22.CASES]
RIGS = {"ultra": harvard_ultra.RIG, **{model: harvard_22.rig(model) for model in ("2000", "22", "33")}}


@pytest.mark.parametrize("case", ROWS, ids=lambda case: f"{case.device} {case.fault}")
def test_row(case: Case) -> None:
    assert case.play() == case.play()


@pytest.mark.parametrize("rig", RIGS.values(), ids=RIGS)
@pytest.mark.parametrize("role", [Role.DEXTROSE, Role.INSULIN])
def test_a_life_in_small_pieces_delivers_what_was_ordered(rig: Rig, role: Role) -> None:
    if rig is RIGS["33"] and role is Role.INSULIN:
        role = Role.DEXTROSE
    pair = rig.opened(role).order(StartPump(role, 120_000, 1))
    pair.run(600_000)
    pair.order(SetRate(role, 60_000, 1))
    pair.run(600_000)
    pair.open()
    pair.run(60_000)
    assert reading(pair) == (PumpState.RUNNING, 60_000)
    assert rig.starts(pair) == 1
    pair.order(StopPump(role, 2))
    pair.run(60_000)
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert pump(pair).delivered_ul == pytest.approx(20_000 + 10_000 + 1_000, abs=5)
    assert pair.troubles == []
