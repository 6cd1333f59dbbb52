"""What a person did at a New Era pump between two orders: a unit changed, an alarm raised."""

from typing import Any

import pytest

from clampctl.core.commands import Role, SetRate, StartPump
from clampctl.core.events import PumpReported, PumpState
from drivers.link import Expected
from drivers.pumps.new_era import NewEra


def dextrose() -> NewEra:
    return NewEra(Expected(Role.DEXTROSE, "NE", diameter_um=26_590))


@pytest.fixture
def talk(script: Any) -> Any:
    return script("basic")


def test_no_number_is_sent_to_a_pump_that_counts_in_another_unit(peer: Any, talk: Any) -> None:
    running = peer(dextrose(), talk.adopt()).open()
    running.run()
    running.add(talk.ask("RAT", "I2.000MM"), talk.ask("DIS", "II12.40W0.000ML"))
    assert running.run() == [PumpReported(Role.DEXTROSE, 1, PumpState.RUNNING, 120_000, 12_400, None)]
    running.order(SetRate(Role.DEXTROSE, 60_000, 1)).add(talk.ask("RAT", "I2.000MM"))
    (refused,) = running.run()
    assert refused.detail == "rate refused: the pump counts in MM, not MH"


def test_a_start_that_waits_is_refused_when_an_alarm_is_told(peer: Any, talk: Any, wire: Any) -> None:
    told = peer(dextrose(), talk.dextrose()).open()
    told.run()
    link = told.link
    now_ms = link.wake_at()
    link.wake(now_ms)
    assert link.take_output() == b"00RAT\r"
    link.send(StartPump(Role.DEXTROSE, 60_000, 1), now_ms)
    alarm, refused = link.receive(wire.basic("00A?S"), now_ms)
    assert alarm.alarm == "stalled"
    assert refused.detail == "start refused: alarm since it was ordered, stalled"
    assert link.take_output() == b""
