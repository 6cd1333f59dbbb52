"""Every row of the Alaris fault table holds; a whole life, an hour of control, and looking only."""

import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.alaris import Alaris as Link
from simulator.devices.alaris import Alaris
from simulator.devices.alaris_settings import AlarisSettings
from tests.faults.alaris import CASES
from tests.faults.alaris_bed import CONTROL, STOP, counted, opened, pump, running, starts, state
from tests.faults.pair import Case, Pair


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fault}: {case.expected}")
def test_the_pair_does_what_the_table_says(case: Case) -> None:
    assert case.play() == case.play()


def test_a_life_in_small_pieces_delivers_what_was_ordered() -> None:
    pair = opened()
    pair.order(StartPump(Role.INSULIN, 3500, 1)).run(600_000)
    pair.order(SetRate(Role.INSULIN, 60_000, 1)).run(600_000)
    pair.open().run(60_000)
    assert state(pair) == (PumpState.RUNNING, 60_000)
    pair.order(StopPump(Role.INSULIN, 2)).run(60_000)
    assert state(pair) == (PumpState.STOPPED, 0)
    ordered_ul = 3500 / 6 + 10_000 + 1000
    assert pump(pair).delivered_ul == pytest.approx(ordered_ul, abs=1)
    assert counted(pair) == int(pump(pair).delivered_ul)
    assert starts(pair) == 1
    assert pair.troubles == []


def test_a_running_pump_is_only_asked_and_its_control_kept() -> None:
    pair = running()
    sent = len(pair.to_device)
    pair.open().run(5000)
    names = {frame.partition(b"|")[0] for frame in bytes(pair.to_device[sent:]).split(b"\r")}
    questions = {b"!INST_SERIALNO", b"!COMMS_PROTOCOL", b"!COMMS_RESPONSE_MAX", b"!SYRINGE_STATUS"}
    questions |= {b"!INF_RATE_MAX_SYRINGE", b"!INF_VTBI", b"!INF_RATE", b"!INF_VI", b"!INF"}
    assert names == questions | {b"!REMOTE_CTRL^ENABLED^3CC1", b""}


@pytest.mark.parametrize("made", [AlarisSettings(), AlarisSettings(control_alone_counts=True)])
def test_control_is_kept_for_an_hour(made: AlarisSettings) -> None:
    pair = running(60_000, made=made)
    pair.run(3_600_000)
    assert state(pair) == (PumpState.RUNNING, 60_000)
    assert pair.troubles == []


def test_answers_4_s_late_do_not_lose_it() -> None:
    pair = running(60_000, made=AlarisSettings(control_alone_counts=True))
    pair.inject("delay=4000").run(600_000)
    pair.order(SetRate(Role.INSULIN, 30_000, 1)).run(120_000)
    assert state(pair) == (PumpState.RUNNING, 30_000)


def test_read_only_sends_questions_alone_in_either_role() -> None:
    for role in (Role.INSULIN, Role.DEXTROSE):
        pair = Pair(Link(Expected(role, read_only=True)), Alaris()).open()
        pair.run(5000)
        pair.order(StopPump(role, 1)).run(2000)
        assert pair.identity is not None
        assert pair.identity.mismatch is None
        assert pair.report is not None
        assert CONTROL not in pair.to_device
        assert STOP not in pair.to_device
        assert [event.trouble for event in pair.troubles] == [Trouble.REFUSED]
