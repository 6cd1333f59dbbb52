"""How the Alaris link reads, obeys, repeats and never repeats, against replies made up line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from clampctl.core.events import DeviceEvent, LinkTroubled, PumpReported, PumpState, Trouble
from drivers.pumps.alaris import Alaris
from drivers.pumps.alaris_text import frame
from tests.drivers.alaris_desk import INSULIN, RUNNING, USUAL, Desk

# --- readings --------------------------------------------------------------------------------


def test_an_unknown_mode_is_told_once_and_its_flow_reported() -> None:
    desk = Desk({"INF": RUNNING.replace("SET", "KVO")}).run(5000)
    assert desk.troubles(Trouble.UNEXPECTED) == ["the pump is in an unknown mode, 'KVO'"]
    assert {(event.state, event.rate_ul_h) for event in desk.readings} == {(PumpState.RUNNING, 3500)}
    known = Alaris(INSULIN, running_modes="SET,KVO")
    assert Desk({"INF": RUNNING.replace("SET", "KVO")}, known).run(5000).troubles(Trouble.UNEXPECTED) == []


def test_a_pump_at_rate_0_is_stopped_and_one_with_a_warning_runs() -> None:
    assert Desk({"INF": RUNNING.replace("3.50", "0.00")}).run(900).readings[-1].state is PumpState.STOPPED
    warned = Desk({"INF": RUNNING.replace("^-^", "^A^"), "ALARM": "ALARM^AL_LWBAT^ ^ "}).run(900)
    assert warned.readings[-1] == PumpReported(
        Role.INSULIN, 1, PumpState.RUNNING, 3500, 1000, "battery low (AL_LWBAT)"
    )


def test_a_held_pump_that_shows_its_rate_reports_0() -> None:
    reading = Desk({"INF": RUNNING.replace("SET", "HLD")}).run(900).readings[-1]
    assert (reading.state, reading.rate_ul_h) == (PumpState.STOPPED, 0)


def test_a_counter_cleared_in_a_still_pump_means_reset_but_not_in_a_running_one() -> None:
    desk = Desk().run(900)
    desk.table |= {"INF": USUAL["INF"].replace("1.000", "0.000"), "INF_VI": "INF_VI^0.000^ml"}
    desk.run(3000)
    assert [event.alarm for event in desk.readings].count("reset") == 1
    assert len(desk.times("INST_SERIALNO")) == 2
    running = Desk({"INF": RUNNING}).run(900)
    running.table["INF"] = RUNNING.replace("1.000", "0.000")
    running.run(3000)
    assert running.readings[-1].infused_ul == 0
    assert {event.alarm for event in running.readings} == {None}


def test_an_unreadable_status_is_no_reading() -> None:
    desk = Desk().run(900)
    told = len(desk.readings)
    desk.table["INF"] = "INF^8002-51740^-^SET^3.50^ml/min^^1.000^ml"
    desk.run(3000)
    assert len(desk.readings) == told
    assert len(desk.troubles(Trouble.BAD_FRAME)) == 3


def test_a_reply_that_answers_nothing_is_ignored() -> None:
    desk = Desk().run(900)
    told = len(desk.readings)
    desk.hear(RUNNING)
    assert len(desk.readings) == told
    assert desk.troubles(Trouble.UNEXPECTED) == ["reply 'INF' answers nothing asked, ignored"]


# --- orders ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (SetRate(Role.INSULIN, 3500, 1), "rate refused: the pump is stopped, not running"),
        (StartPump(Role.INSULIN, 90, 1), "start refused: 90 µL/h is outside 100 to 150000 µL/h"),
        (StartPump(Role.INSULIN, 150_010, 1), "start refused: 150010 µL/h is outside 100 to 150000 µL/h"),
    ],
)
def test_an_order_out_of_place_is_refused_and_nothing_set(order: Command, words: str) -> None:
    desk = Desk().run(900).order(order).run(2000)
    assert desk.troubles(Trouble.REFUSED) == [words]
    assert not [text for _, text in desk.sent if text.startswith("INF_RATE^")]


def test_a_start_of_a_running_pump_is_refused() -> None:
    desk = Desk({"INF": RUNNING}).run(900).order(StartPump(Role.INSULIN, 3500, 1)).run(2000)
    assert desk.troubles(Trouble.REFUSED) == ["start refused: the pump is running, not stopped"]
    assert desk.times("INF_START") == []


@pytest.mark.parametrize(
    "order",
    [SetRate(Role.INSULIN, 3500, 2), StopPump(Role.INSULIN, 0), StartPump(Role.DEXTROSE, 3500, 1)],
)
def test_an_order_for_another_connection_or_pump_is_dropped(order: Command) -> None:
    desk = Desk({"INF": RUNNING}).run(900).order(order).run(900)
    assert desk.troubles(Trouble.UNEXPECTED) == [
        f"{type(order).__name__} is for another connection or pump, dropped"
    ]
    assert not [text for _, text in desk.sent if text in ("INF_STOP", "INF_START")]


def test_orders_that_wait_are_dropped_by_a_new_connection() -> None:
    desk = Desk({"INF": ""}).run(100)
    desk.order(StartPump(Role.INSULIN, 3500, 1))
    desk.link.opened(2, desk.now_ms)
    desk.table["INF"] = USUAL["INF"]
    desk.run(3000)
    assert desk.troubles(Trouble.UNEXPECTED) == ["StartPump is for another connection or pump, dropped"]
    assert desk.times("INF_START") == []


def test_a_start_without_an_echo_of_the_rate_is_not_sent() -> None:
    desk = Desk().run(900).order(StartPump(Role.INSULIN, 3500, 1)).run(6000)
    assert desk.troubles(Trouble.REFUSED)[0].startswith("not started: asked for 3500 µL/h")
    assert desk.times("INF_RATE^3.50^ml/h") == [900, 1400]
    assert desk.times("INF_START") == []


def test_a_start_that_is_silently_not_done_is_said() -> None:
    echo = {"INF_RATE^3.50^ml/h": "INF_RATE^3.50^ml/h"}
    desk = Desk(echo).run(900).order(StartPump(Role.INSULIN, 3500, 1)).run(6000)
    assert len(desk.times("INF_START")) == 1
    assert desk.troubles(Trouble.REFUSED) == ["INF_START was sent, but the pump does not run"]


def test_a_newer_rate_replaces_one_that_waits_and_rate_0_stops() -> None:
    desk = Desk({"INF": RUNNING}).run(900)
    desk.table |= {f"INF_RATE^{text}^ml/h": f"INF_RATE^{text}^ml/h" for text in ("4.00", "5.00", "6.00")}
    rates = [SetRate(Role.INSULIN, rate, 1) for rate in (4000, 5000, 6000)]
    desk.order(*rates).run(3000)
    assert [text for _, text in desk.sent if text.startswith("INF_RATE^")] == [
        "INF_RATE^4.00^ml/h",
        "INF_RATE^6.00^ml/h",
    ]
    desk.order(SetRate(Role.INSULIN, 0, 1)).run(10)
    assert desk.sent[-2][1] == "INF_STOP"


def test_a_stop_overtakes_a_question_that_waits_and_is_repeated_until_the_status_shows_it() -> None:
    desk = Desk({"INF": RUNNING}).run(900)
    desk.table["INF"] = ""
    desk.run(200)
    assert desk.sent[-1] == (1000, "INF")
    desk.order(SetRate(Role.INSULIN, 4000, 1), StopPump(Role.INSULIN, 1)).run(0)
    assert desk.sent[-2:] == [(1100, "INF_STOP"), (1100, "INF")]
    desk.table["INF"] = RUNNING
    desk.run(4000)
    assert len(desk.times("INF_STOP")) > 3
    desk.table["INF"] = USUAL["INF"]
    desk.run(1000)
    assert desk.readings[-1].state is PumpState.STOPPED
    stops = len(desk.times("INF_STOP"))
    desk.run(5000)
    assert len(desk.times("INF_STOP")) == stops
    assert not [text for _, text in desk.sent if text.startswith("INF_RATE^")]


def test_a_doubled_answer_is_awaited_and_the_newer_one_taken() -> None:
    desk = Desk().run(900)
    desk.table["INF"] = ""
    desk.run(700)
    told = len(desk.readings)
    desk.hear(RUNNING.replace("3.50", "1.00"))
    assert len(desk.readings) == told
    desk.hear(RUNNING)
    assert desk.readings[told:] == [PumpReported(Role.INSULIN, 1, PumpState.RUNNING, 3500, 1000, None)]


def test_only_one_answer_to_two_is_taken_when_the_second_stays_away() -> None:
    desk = Desk().run(900)
    desk.table["INF"] = ""
    desk.run(700)
    told = len(desk.readings)
    desk.hear(RUNNING)
    desk.run(600)
    assert [event.rate_ul_h for event in desk.readings[told:]] == [3500]


@given(st.lists(st.tuples(st.binary(max_size=300), st.integers(0, 3000)), max_size=20))
def test_noise_never_raises_starts_nothing_and_is_no_reading(pieces: list[tuple[bytes, int]]) -> None:
    desk = Desk({"INF": RUNNING}).run(900)
    desk.link.take_output()
    now_ms, events, sent = desk.now_ms, list[DeviceEvent](), b""
    for noise, pause_ms in pieces:
        now_ms += pause_ms
        events += desk.link.receive(noise, now_ms) + desk.link.wake(now_ms)
        sent += desk.link.take_output()
        assert desk.link.wake_at() is not None
    assert all(isinstance(event, LinkTroubled) for event in events)
    assert b"START" not in sent
    assert b"INF_RATE^" not in sent


@given(flips=st.lists(st.tuples(st.integers(0, 74), st.integers(0, 7)), min_size=1, max_size=3))
def test_a_damaged_status_never_becomes_a_reading(flips: list[tuple[int, int]]) -> None:
    desk = Desk({"INF": RUNNING}).run(900)
    desk.table["INF"] = ""
    desk.run(200)
    data = bytearray(frame(RUNNING))
    for place, bit in dict(flips).items():
        data[place % len(data)] ^= 1 << bit
    events = desk.link.receive(bytes(data), desk.now_ms)
    assert all(isinstance(event, LinkTroubled) for event in events)
