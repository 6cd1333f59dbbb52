"""Orders to a Graseby 3400, each against a scripted pump: start, rate, stop, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import LinkTroubled, PumpReported, PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.graseby import Graseby3400
from drivers.pumps.graseby_text import tenths

Story = list[tuple[bytes, bytes | None]]


def frame(text: str) -> bytes:
    """A frame with a sum of this test's own."""
    total = 0
    for character in f"<{text}>":
        total += ord(character)
    return f"<{text}>{total & 255:02X}\r".encode()


def said(*pairs: tuple[str, str | None]) -> Story:
    return [(frame(ask), None if reply is None else frame(reply)) for ask, reply in pairs]


STANDBY = said(("CHCK", "OKCHCKSTBY"), ("GETR", "OKGETRSTBY1200"))
RUNNING = said(("CHCK", "OKCHCKINFS"), ("GETR", "OKGETRINFS1200"))
TAKEN_OVER = said(("CHCK", "CECHCKINFS"), ("GETR", "CEGETRINFS"))


def link(role: Role = Role.DEXTROSE, **options: Any) -> Graseby3400:
    return Graseby3400(Expected(role), max_rate_ul_h=400_000, **options)


@pytest.fixture
def standby(peer: Any) -> Any:
    """Identified, in standby, before its next poll."""
    told = peer(link(), STANDBY).open()
    told.run()
    return told


@pytest.fixture
def running(peer: Any) -> Any:
    told = peer(link(), RUNNING).open()
    told.run()
    return told


def reports(events: list[Any]) -> list[tuple[PumpState, int]]:
    return [(event.state, event.rate_ul_h) for event in events if isinstance(event, PumpReported)]


def troubles(events: list[Any]) -> list[Trouble]:
    return [event.trouble for event in events if isinstance(event, LinkTroubled)]


def start(told: Any, *answers: tuple[str, str | None]) -> list[Any]:
    told.order(StartPump(Role.DEXTROSE, 60_000, 1)).add(*said(*answers))
    events = list(told.run())
    assert told.script == []
    return events


READY = (("CHGR600", "OKCHGRSTBY"), ("GETR", "OKGETRSTBY600"))


def test_a_start_whose_reply_is_lost_is_not_repeated(standby: Any) -> None:
    events = start(standby, *READY, ("STRT", None), ("CHCK", "OKCHCKINFS"), ("GETR", "OKGETRINFS600"))
    assert troubles(events) == [Trouble.NO_REPLY]
    assert reports(events) == [(PumpState.RUNNING, 60_000)]
    assert standby.sent.count(frame("STRT")) == 1


def test_a_refused_start_asks_for_the_syringe_though_its_sum_is_that_of_an_accepted_one(
    standby: Any,
) -> None:
    assert frame("CESTRTSTBY")[-3:] == frame("OKSTRTINFS")[-3:]
    events = start(standby, *READY, ("STRT", "CESTRTSTBY"), ("CHCK", "OKCHCKSTBY"), ("GETR", "OKGETRSTBY600"))
    assert "check the syringe" in events[0].detail
    assert reports(events) == [(PumpState.STOPPED, 0)]


@pytest.mark.parametrize(
    "answers",
    [
        [("CHGR600", "CECHGRSTBY")],
        [("CHGR600", "OKCHGRSTBY"), ("GETR", "OKGETRSTBY60")],
        [("CHGR600", "OKCHGRSTBY"), ("GETR", "CEGETRSTBY")],
        [("CHGR600", "OKCHGRINFS"), ("GETR", "OKGETRINFS600")],
        [("CHGR600", "OKCHGRALRM"), ("GETR", "OKGETRALRM600")],
    ],
)
def test_a_pump_that_does_not_hold_the_rate_in_standby_is_not_started(
    standby: Any, answers: list[tuple[str, str]]
) -> None:
    events = start(standby, *answers)
    assert troubles(events) == [Trouble.REFUSED]
    assert "not started" in events[0].detail


@pytest.mark.parametrize("rate_ul_h", [1, 99, 400_100])
def test_a_rate_outside_the_panel_s_range_is_refused(standby: Any, rate_ul_h: int) -> None:
    standby.order(StartPump(Role.DEXTROSE, rate_ul_h, 1))
    assert troubles(standby.run()) == [Trouble.REFUSED]


def test_a_rate_is_rounded_down_to_what_the_pump_can_hold() -> None:
    assert [tenths(rate) for rate in (100, 199, 12_345)] == [1, 1, 123]


def test_a_rate_the_pump_refuses_is_told_and_the_pump_stays_ours(running: Any) -> None:
    running.order(SetRate(Role.DEXTROSE, 300_000, 1))
    running.add(*said(("CHGR3000", "CECHGRINFS"), ("CHGR1200", "OKCHGRINFS")), *RUNNING)
    events = running.run()
    assert troubles(events) == [Trouble.REFUSED]
    assert reports(events) == [(PumpState.RUNNING, 120_000)]


def test_a_pump_that_refuses_even_its_own_rate_was_taken_over(running: Any) -> None:
    running.order(SetRate(Role.DEXTROSE, 60_000, 1))
    running.add(*said(("CHGR600", "CECHGRINFS"), ("CHGR1200", "CECHGRINFS")), *TAKEN_OVER)
    assert troubles(running.run()) == [Trouble.REFUSED, Trouble.UNEXPECTED]


def test_a_stop_overtakes_a_rate_and_is_repeated_until_it_is_confirmed(running: Any) -> None:
    running.order(SetRate(Role.DEXTROSE, 60_000, 1), StopPump(Role.DEXTROSE, 1))
    running.add((frame("CHGR600"), None), (frame("STOP"), None), *said(("STOP", "OKSTOPINFS")))
    running.add(*said(("STOP", "OKSTOPSTBY")), *STANDBY, *STANDBY)
    assert reports(running.run()) == [(PumpState.STOPPED, 0)] * 2


def test_orders_in_the_wrong_state_or_for_a_pump_that_is_only_read_are_refused(peer: Any) -> None:
    told = peer(Graseby3400(Expected(Role.DEXTROSE, read_only=True)), STANDBY).open()
    told.run()
    told.order(StartPump(Role.DEXTROSE, 10_000, 1))
    assert troubles(told.run()) == [Trouble.REFUSED]
    told = peer(link(), STANDBY).open()
    told.run()
    told.order(SetRate(Role.DEXTROSE, 10_000, 1))
    assert troubles(told.run()) == [Trouble.REFUSED]


def test_orders_of_another_connection_or_role_are_dropped(standby: Any) -> None:
    standby.order(StartPump(Role.DEXTROSE, 10_000, 9), StopPump(Role.INSULIN, 1))
    assert troubles(standby.run()) == [Trouble.UNEXPECTED] * 2
