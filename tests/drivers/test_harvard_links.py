"""The Harvard links: identity, refusals, orders, the rolling target, readings."""

from typing import Any

import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import LinkTroubled, PumpIdentified, PumpReported, PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.harvard_ultra import HarvardUltra
from tests.drivers.harvard_teller import Answer, Teller

OK, RUNS = b"\n:\x11", b"\n>\x11"
NONE_SET = {
    b"@tvolume\r\n": b"\nTarget volume not set\r\n:\x11",
    b"@ttime\r\n": b"\nTarget time not set\r\n:\x11",
}


def status(rate_ul_h: int, infused_ul: int, flags: str = "i...I", prompt: str = ">") -> bytes:
    """A reply to `status`."""
    return f"\n{rate_ul_h * 10**9 // 3600} 60 {infused_ul * 10**9} {flags}\r\n{prompt}\x11".encode()


def pump(prompt: str = ":", rate_ul_h: int = 0, infused_ul: int = 0) -> dict[bytes, Answer | list[Answer]]:
    """All that an Ultra pump tells of itself."""
    return {
        b"@ver\r\n": f"\n11 ELITE I/W Single 3.0.6\r\n{prompt}\x11".encode(),
        b"@version\r\n": (
            f"\nFirmware:      v3.0.6\r\nPump address:  0\r\nSerial number: D101754\r\n{prompt}\x11".encode()
        ),
        b"@diameter\r\n": f"\n26.5900 mm\r\n{prompt}\x11".encode(),
        b"@irate lim\r\n": f"\n25.0404 nl/min to 10 ml/min\r\n{prompt}\x11".encode(),
        b"@status\r\n": status(rate_ul_h, infused_ul, prompt=prompt),
        b"@poll on\r\n": OK,
        b"@nvram none\r\n": OK,
        **NONE_SET,
    }


def dextrose(**changes: Any) -> HarvardUltra:
    return HarvardUltra(Expected(**{"role": Role.DEXTROSE, "diameter_um": 26_590, **changes}))


def insulin() -> HarvardUltra:
    return HarvardUltra(Expected(Role.INSULIN, diameter_um=26_590, watchdog_s=180))


def opened(link: HarvardUltra, answers: dict[bytes, Answer | list[Answer]]) -> Teller:
    told = Teller(link, answers).open()
    told.run(900)
    return told


def mismatch(told: Teller) -> str | None:
    found = [event for event in told.events if isinstance(event, PumpIdentified)]
    return found[-1].mismatch


def refusals(events: list[Any]) -> list[str]:
    return [one.detail for one in events if isinstance(one, LinkTroubled) and one.trouble is Trouble.REFUSED]


# --- identity --------------------------------------------------------------------------------


def test_a_stopped_pump_is_identified_by_questions_before_any_setting() -> None:
    told = opened(dextrose(model="11 ELITE", serial="D101754"), pump())
    assert [type(event) for event in told.events] == [PumpIdentified, PumpReported]
    assert mismatch(told) is None
    asked = [sent.decode().strip()[1:] for sent in told.sent]
    assert asked[:7] == ["ver", "version", "diameter", "irate lim", "status", "tvolume", "ttime"]
    assert asked[7:9] == ["poll on", "nvram none"]


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        ({"model": "PHD ULTRA"}, "pump is 11 ELITE I/W Single 3.0.6, expected PHD ULTRA"),
        ({"serial": "D1"}, "pump has serial number D101754, expected D1"),
        ({"diameter_um": 29_200}, "syringe is 26.59 mm, expected 29.2 mm"),
    ],
)
def test_another_pump_or_syringe_is_only_read(expected: dict[str, Any], sentence: str) -> None:
    told = opened(dextrose(**expected), pump())
    assert mismatch(told) == sentence
    sent = len(told.sent)
    told.order(StartPump(Role.DEXTROSE, 1000, 1)).order(SetRate(Role.DEXTROSE, 1000, 1))
    told.order(StopPump(Role.DEXTROSE, 1))
    assert [detail.split()[0] for detail in refusals(told.run(3000))] == ["start", "rate", "stop"]
    assert set(told.sent[sent:]) == {b"@status\r\n"}


def test_an_address_is_said_before_every_command_and_compared() -> None:
    answers: dict[bytes, Answer | list[Answer]] = {
        b"12:" + sent: reply for sent, reply in pump().items() if isinstance(reply, bytes)
    }
    told = opened(dextrose(address=12), answers)
    assert mismatch(told) == "pump has address 0, expected 12"


def test_a_pump_without_long_version_is_known_by_what_it_tells() -> None:
    unknown = b"\nCommand error: version\r\n   Unknown command\r\n:\x11"
    told = opened(dextrose(model="11 ELITE"), {**pump(), b"@version\r\n": unknown})
    assert mismatch(told) is None
    assert opened(dextrose(), {**pump(), b"@version\r\n": unknown, b"@ver\r\n": unknown}).events != []


@pytest.mark.parametrize(
    ("link", "changes", "sentence"),
    [
        (dextrose, {b"@status\r\n": status(0, 0, "w...W", "<")}, "pump is withdrawing"),
        (dextrose, {b"@tvolume\r\n": b"\n5 ml\r\n>\x11"}, "target volume of 5 ml"),
        (dextrose, {b"@ttime\r\n": b"\n20 seconds\r\n>\x11"}, "target time of 20 seconds"),
        (dextrose, {b"@tvolume\r\n": b"\nwhat\r\n>\x11"}, "target volume of what"),
        (insulin, {}, "has no target volume"),
    ],
)
def test_a_running_pump_that_may_not_be_taken_over(link: Any, changes: Any, sentence: str) -> None:
    told = opened(link(), {**pump(">", 1000), **changes})
    assert sentence in (mismatch(told) or "")
    assert all(
        sent[1:-2].decode() in "ver version diameter irate lim status tvolume ttime" for sent in told.sent
    )


def test_nothing_but_questions_is_asked_where_the_station_only_reads() -> None:
    told = opened(dextrose(read_only=True, diameter_um=None), pump())
    told.order(StopPump(Role.DEXTROSE, 1))
    assert refusals(told.run(2000)) == ["stop refused, the pump is only read; stop it at the pump"]
    assert not any(word in sent for sent in told.sent for word in (b"poll", b"nvram", b"stp"))


def test_a_target_that_stays_makes_the_pump_read_only() -> None:
    answers = {**pump(), b"@tvolume\r\n": b"\n5 ml\r\n:\x11", b"@ctvolume\r\n": OK, b"@cttime\r\n": OK}
    assert mismatch(opened(dextrose(), answers)) == "pump keeps its target volume of 5 ml"


# --- orders ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (StartPump(Role.DEXTROSE, 1, 1), "outside 2 to 600000 µL/h"),
        (StartPump(Role.DEXTROSE, 600_001, 1), "outside 2 to 600000 µL/h"),
        (SetRate(Role.DEXTROSE, 1000, 1), "the pump is stopped, not running"),
    ],
)
def test_an_order_that_cannot_be_is_refused_and_nothing_sent(command: Any, reason: str) -> None:
    told = opened(dextrose(), pump())
    sent = len(told.sent)
    (refused,) = refusals(told.order(command).run(50))
    assert reason in refused
    assert len(told.sent) == sent


def test_orders_of_another_connection_are_dropped() -> None:
    told = opened(dextrose(), pump())
    told.order(StartPump(Role.DEXTROSE, 1000, 2)).order(StopPump(Role.INSULIN, 1))
    troubles = [event.trouble for event in told.run(50) if isinstance(event, LinkTroubled)]
    assert troubles == [Trouble.UNEXPECTED] * 2
    told.order(StartPump(Role.DEXTROSE, 1000, 1)).order(SetRate(Role.DEXTROSE, 2000, 1))
    told.link.opened(2, told.now_ms)
    assert "SetRate is for another connection" in str(told.link.wake(told.now_ms))


def test_rate_zero_is_a_stop_and_a_stop_overtakes_a_start() -> None:
    answers = {**pump(), b"@irate 16.6666 ul/min\r\n": None, b"@stp\r\n": OK}
    told = opened(dextrose(), answers)
    told.order(StartPump(Role.DEXTROSE, 1000, 1)).run(100)
    told.order(SetRate(Role.DEXTROSE, 0, 1))
    events = told.run(2000)
    assert b"@irun\r\n" not in told.sent
    assert told.sent.count(b"@irate 16.6666 ul/min\r\n") == 1
    assert next(event.state for event in events if isinstance(event, PumpReported)) is PumpState.STOPPED


def test_a_prompt_alone_does_not_confirm_a_stop() -> None:
    runs, stopped = status(1000, 5), status(1000, 5, prompt=":")
    told = opened(dextrose(), {**pump(">", 1000, 5), b"@stp\r\n": OK})
    told.answers[b"@status\r\n"] = [runs, runs, stopped]
    told.order(StopPump(Role.DEXTROSE, 1)).run(50)
    assert told.sent.count(b"@stp\r\n") == 3
    assert isinstance(told.events[-1], PumpReported)
    assert told.events[-1].state is PumpState.STOPPED


def test_a_rate_that_is_held_otherwise_is_not_started() -> None:
    answers = {**pump(), b"@irate 16.6666 ul/min\r\n": OK, b"@irate\r\n": b"\n1.1 ml/hr\r\n:\x11"}
    told = opened(dextrose(), answers).order(StartPump(Role.DEXTROSE, 1000, 1))
    assert refusals(told.run(500)) == ["not started: asked for 1000 µL/h, the pump holds 1100 µL/h"]
    assert b"@irun\r\n" not in told.sent


def test_a_start_that_did_not_start_is_said() -> None:
    answers = {
        **pump(),
        b"@irate 16.6666 ul/min\r\n": OK,
        b"@irate\r\n": b"\n1 ml/hr\r\n:\x11",
        b"@irun\r\n": OK,
    }
    told = opened(dextrose(), answers).order(StartPump(Role.DEXTROSE, 1000, 1))
    assert refusals(told.run(50)) == ["a start was sent, but the pump is stopped"]
    assert told.sent.count(b"@irun\r\n") == 1


# --- the rolling target ----------------------------------------------------------------------


def taking_over(rate_ul_h: int = 60_000) -> Teller:
    """A running insulin pump with a target, just adopted; 100 µL are in."""
    answers = {
        **pump(">", rate_ul_h, 100),
        b"@tvolume\r\n": b"\n3100 ul\r\n>\x11",
        b"@ivolume\r\n": b"\n100 ul\r\n>\x11",
        b"@tvolume 3100 ul\r\n": RUNS,
    }
    return opened(insulin(), answers)


def test_an_adopted_insulin_pump_is_armed_at_the_first_poll_and_then_each_twelfth() -> None:
    told = taking_over()
    assert mismatch(told) is None
    told.run(60_000)
    assert told.sent.count(b"@tvolume 3100 ul\r\n") == 4
    assert refusals(told.events) == []


def sent_in_order(told: Teller, *texts: str) -> bool:
    places = [told.sent.index(f"@{text}\r\n".encode()) for text in texts]
    return places == sorted(places)


def test_a_smaller_target_comes_before_a_smaller_rate_and_a_larger_after() -> None:
    told = taking_over()
    told.answers |= {b"@tvolume 1600 ul\r\n": [RUNS], b"@irate 500 ul/min\r\n": [RUNS]}
    told.order(SetRate(Role.INSULIN, 30_000, 1)).run(50)
    assert sent_in_order(told, "tvolume 1600 ul", "irate 500 ul/min")
    told = taking_over()
    told.answers |= {b"@tvolume 6100 ul\r\n": [RUNS], b"@irate 2000 ul/min\r\n": [RUNS]}
    told.order(SetRate(Role.INSULIN, 120_000, 1)).run(50)
    assert sent_in_order(told, "irate 2000 ul/min", "tvolume 6100 ul")


def test_a_target_that_reads_back_otherwise_is_told() -> None:
    told = taking_over()
    told.answers[b"@tvolume\r\n"] = [b"\n9 ml\r\n>\x11"]
    (refused,) = refusals(told.run(1500))
    assert "asked for 3100 µL, the pump holds 9000 µL" in refused
    assert "within 180 s" in refused


def test_insulin_does_not_start_without_its_target() -> None:
    error = b"\nArgument error: 103.1\r\n   Out of range\r\n:\x11"
    answers = {
        **pump(infused_ul=100),
        b"@irate 1000 ul/min\r\n": OK,
        b"@irate\r\n": b"\n60 ml/hr\r\n:\x11",
        b"@ivolume\r\n": b"\n100 ul\r\n:\x11",
        b"@tvolume 3100 ul\r\n": error,
    }
    told = opened(insulin(), answers).order(StartPump(Role.INSULIN, 60_000, 1))
    (refused,) = refusals(told.run(500))
    assert refused.startswith("not started: pump refused it (Argument error")
    assert b"@irun\r\n" not in told.sent


# --- readings --------------------------------------------------------------------------------


def test_a_strange_reading_that_is_not_confirmed_is_dropped() -> None:
    told = opened(dextrose(), pump(">", 60_000, 100))
    told.answers[b"@status\r\n"] = [status(160_000, 100), status(60_000, 100)]
    events = told.run(1000)
    assert [event.trouble for event in events if isinstance(event, LinkTroubled)] == [Trouble.BAD_FRAME]
    assert {event.rate_ul_h for event in events if isinstance(event, PumpReported)} == {60_000}


@pytest.mark.parametrize("prompt", ["*", "T*", ">*", "<*", ":"])
def test_each_prompt_of_a_pump_that_stopped_by_itself(prompt: str) -> None:
    told = opened(dextrose(), pump(">", 60_000, 100))
    told.answers[b"@status\r\n"] = [status(60_000, 101, prompt=prompt)]
    report = [event for event in told.run(1000) if isinstance(event, PumpReported)][-1]
    assert report.rate_ul_h == 0
    expected = {
        "*": (PumpState.ALARM, "stalled, clear it at the pump's panel"),
        "T*": (PumpState.STOPPED, "target reached"),
        ":": (PumpState.STOPPED, None),
    }
    assert (report.state, report.alarm) == expected.get(prompt, (PumpState.ALARM, "limit switch"))


def test_a_missing_xon_of_a_stopped_pump_is_a_reset() -> None:
    told = opened(dextrose(), pump(infused_ul=100))
    ended = status(0, 100, prompt=":")
    told.answers[b"@status\r\n"] = [ended.rstrip(b"\x11"), ended.rstrip(b"\x11"), ended]
    alarms = [event.alarm for event in told.run(3000) if isinstance(event, PumpReported)]
    assert alarms == ["reset", None, None]
    assert told.sent.count(b"@ver\r\n") == 2
