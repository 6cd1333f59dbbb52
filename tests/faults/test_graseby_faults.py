"""Every row of the Graseby 3400's fault table, played."""

import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import PumpState
from tests.faults.graseby import CASES, RATE_UL_H, delivered, opened, reading, running
from tests.faults.pair import Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fault}: {case.expected}")
def test_row(case: Case) -> None:
    assert case.play() == case.play()


def test_a_life_in_small_pieces_delivers_what_was_ordered() -> None:
    pair = opened().order(StartPump(Role.DEXTROSE, RATE_UL_H, 1))
    pair.run(600_000)
    pair.order(SetRate(Role.DEXTROSE, 60_000, 1))
    pair.run(600_000)
    pair.open()
    pair.run(60_000)
    assert reading(pair) == (PumpState.RUNNING, 60_000)
    pair.order(StopPump(Role.DEXTROSE, 2))
    pair.run(60_000)
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert delivered(pair) == pytest.approx(20_000 + 10_000 + 1_000, abs=5)
    assert pair.troubles == []


def test_a_running_pump_is_left_as_it_is_found() -> None:
    pair = running()
    sent = len(pair.to_device)
    pair.open()
    pair.run(5000)
    assert set(bytes(pair.to_device[sent:]).split(b"\r")) <= {
        b"<CHCK>93",
        b"<GETR>AC",
        b"<TOTL>BD",
        b"<CHKR1200>65",
        b"",
    }
