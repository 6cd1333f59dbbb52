"""Which pump the Alaris link accepts, what it asks, and when remote control is asked for."""

from typing import Any

import pytest

from clampctl.core.commands import Role, StartPump, StopPump
from clampctl.core.events import PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.alaris import CAPABILITIES, Alaris
from tests.drivers.alaris_desk import INSULIN, RUNNING, USUAL, Desk

# --- what cannot be made ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (Expected(Role.DEXTROSE), "stops 15 s after the computer falls silent"),
        (Expected(Role.DEXTROSE, watchdog_s=15), "stops 15 s after the computer falls silent"),
        (Expected(Role.INSULIN), "needs its watchdog"),
        (Expected(Role.INSULIN, watchdog_s=5), "15 s of silence, not 5 s"),
        (Expected(Role.INSULIN, watchdog_s=15, address=1), "no address"),
        (Expected(Role.INSULIN, watchdog_s=15, diameter_um=26_590), "no syringe diameter"),
    ],
)
def test_a_pump_that_cannot_take_its_role_is_refused(expected: Expected, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("no syringe", "no.* syringe")):
        Alaris(expected)


@pytest.mark.parametrize("settings", [{"resend_ms": 0}, {"resend_ms": 4000}, {"response_ms": 20_000}])
def test_deadlines_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cannot work"):
        Alaris(INSULIN, **settings)


def test_dextrose_may_be_looked_at() -> None:
    desk = Desk(link=Alaris(Expected(Role.DEXTROSE, read_only=True))).run(1500)
    assert desk.mismatch is None
    assert desk.readings[-1].role is Role.DEXTROSE
    assert desk.times("REMOTE_CTRL^ENABLED^3CC1") == []


def test_the_steps_of_the_rate_cover_the_whole_range() -> None:
    steps = CAPABILITIES.rate_steps
    assert steps[-1][0] > CAPABILITIES.rate_ul_h_max
    assert all(step % 10 == 0 for _, step in steps)
    assert CAPABILITIES.watchdog_s == 15


# --- who it is -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("odd", "mismatch"),
    [
        ({"INST_SERIALNO": "INST_SERIALNO^8002-1"}, "pump is serial 8002-1, expected 8002-51740"),
        ({"INST_SERIALNO": "INST_SERIALNO"}, "pump is serial unknown, expected 8002-51740"),
        ({"COMMS_PROTOCOL": "COMMS_PROTOCOL^Plus 3"}, "pump speaks Plus 3, expected Asena"),
        ({"INF": "INF^8002-51740^-^SET"}, "the pump's status report cannot be read"),
        (
            {"INF": USUAL["INF"].replace("51740", "2")},
            "two pumps answer, 8002-51740 and 8002-2",
        ),
        ({"INF_VI": "INF_VI^7.000^ml"}, "the pump's status report does not agree with its rate and volume"),
        (
            {"INF": RUNNING.replace("3.50", "9.00")},
            "the pump's status report does not agree with its rate and volume",
        ),
    ],
)
def test_a_pump_that_differs_is_never_asked_for_control(odd: dict[str, str], mismatch: str) -> None:
    desk = Desk(odd).run(3000)
    assert desk.mismatch == mismatch
    assert not [text for _, text in desk.sent if text.startswith("REMOTE_CTRL")]
    desk.order(StartPump(Role.INSULIN, 3500, 1), StopPump(Role.INSULIN, 1)).run(3000)
    allowed = {name for name in USUAL if "^" not in name} - {"INF_START", "INF_STOP"}
    assert {text for _, text in desk.sent} <= allowed
    assert desk.troubles(Trouble.REFUSED) == [
        f"start refused, read-only: {mismatch}",
        f"stop refused, go to the pump: {mismatch}",
    ]


def test_the_syringe_can_be_compared() -> None:
    wanted = Alaris(INSULIN, syringe="BD PLASTIPAK 20")
    assert Desk(link=wanted).run(2000).mismatch == "syringe is BD PLASTIPAK 50, expected BD PLASTIPAK 20"
    assert Desk(link=Alaris(INSULIN, syringe="BD PLASTIPAK 50")).run(2000).mismatch is None


def test_a_pump_that_never_answers_the_request_for_control_is_only_read() -> None:
    desk = Desk({"REMOTE_CTRL^ENABLED^3CC1": ""}).run(8000)
    assert desk.mismatch == "the pump does not answer the request for remote control: it is only read"
    assert desk.times("REMOTE_CTRL^ENABLED^3CC1") == [0, 500]
    assert desk.readings[-1].state is PumpState.STOPPED


@pytest.mark.parametrize("missing", ["INF_VTBI", "INF_RATE", "INF_VI"])
def test_a_question_the_pump_does_not_know_delays_the_opening_only(missing: str) -> None:
    desk = Desk({missing: ""}).run(10_000)
    assert desk.mismatch is None
    assert desk.troubles(Trouble.NO_REPLY) == [f"pump did not answer {missing}"]


def test_the_pump_tells_how_long_it_may_take() -> None:
    desk = Desk({"COMMS_RESPONSE_MAX": "COMMS_RESPONSE_MAX^2000^ms"}).run(900)
    desk.table["INF"] = ""
    desk.run(8000)
    first, second, third, fourth = desk.times("INF")[1:5]
    assert (second - first, fourth - third) == (500, 500)
    assert third - first < 4000
