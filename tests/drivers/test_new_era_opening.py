"""A new connection: framing, identity, mismatch, adoption, set-up, watchdog proof."""

from typing import Any

import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import LinkTroubled, PumpIdentified, PumpReported, PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.new_era import NewEra


def insulin(**settings: Any) -> NewEra:
    return NewEra(
        Expected(Role.INSULIN, **{"model": "NE", "diameter_um": 26_590, "watchdog_s": 5, **settings})
    )


def dextrose(**settings: Any) -> NewEra:
    return NewEra(Expected(Role.DEXTROSE, **{"model": "NE", "diameter_um": 26_590, **settings}))


def identity(events: list[Any]) -> PumpIdentified:
    (found,) = [event for event in events if isinstance(event, PumpIdentified)]
    return found


def test_a_stopped_insulin_pump_is_made_ready_and_its_watchdog_proven(peer: Any, script: Any) -> None:
    told = peer(insulin(), script("safe").insulin()).open(epoch=7)
    assert told.run() == [
        PumpIdentified(
            Role.INSULIN, 7, "NE1000", "firmware 3.928, syringe 26.59 mm, watchdog 5 s proven", None
        ),
        PumpReported(Role.INSULIN, 7, PumpState.STOPPED, 0, 12_340, None),
    ]
    assert told.script == []


def test_the_proof_is_a_silence_longer_than_the_watchdog(peer: Any, script: Any) -> None:
    told = peer(insulin(), script("safe").insulin()[:-2]).open()
    told.run(3000)
    assert told.link.wake_at() - told.now_ms > 3000
    silent_from = told.link.wake_at() - 6500
    assert told.link.wake(silent_from + 6499) == []
    assert told.link.take_output() == b""
    told.link.wake(silent_from + 6500)
    assert told.link.take_output() == script("safe").ask("", None)[0]


def test_a_watchdog_that_does_not_trip_is_a_mismatch(peer: Any, script: Any) -> None:
    told = peer(insulin(), [*script("safe").insulin()[:-2], *script("safe").proof("S")]).open()
    assert identity(told.run()).mismatch == "the pump did not stop on silence"
    told.order(StartPump(Role.INSULIN, 2500, 1))
    (refused,) = told.run()
    assert refused.trouble is Trouble.REFUSED


def test_an_unsolicited_time_out_during_the_silence_is_proof_and_no_alarm(
    peer: Any, script: Any, wire: Any
) -> None:
    told = peer(insulin(), script("safe").insulin()[:-2]).open()
    told.run(3000)
    assert told.hear(wire.safe("00A?T")) == []
    told.add(*script("safe").proof("S"))
    assert identity(told.run()).mismatch is None


def test_an_insulin_pump_in_basic_framing_is_switched_to_safe(peer: Any, script: Any, wire: Any) -> None:
    basic, safe = script("basic"), script("safe")
    for answer in (wire.basic("00S"), wire.safe("00S")):
        armed = [(b"00SAF5\r", answer), safe.ask("", "S"), *safe.program(), *safe.proof()]
        told = peer(insulin(), [*basic.probe(), *basic.who(), *armed]).open()
        assert identity(told.run()).mismatch is None


@pytest.mark.parametrize(
    ("link", "framing", "text"), [(insulin, "basic", "SAF5"), (dextrose, "safe", "SAF0")]
)
def test_a_pump_that_stays_in_its_framing_is_refused(
    peer: Any, script: Any, wire: Any, link: Any, framing: str, text: str
) -> None:
    here, there = script(framing), script("safe" if framing == "basic" else "basic")
    silent = [(there.ask("", None)[0], None)] * 3
    cleared = [(b"?\r", None)] if framing == "basic" else []
    talk = [*here.probe(), *here.who(), here.ask(text, "S"), *silent, *cleared, here.ask("", "S")]
    told = peer(link(), talk).open()
    assert identity(told.run()).mismatch == (
        f"pump stays in {framing.capitalize()} framing: its silence timer cannot be set"
    )
    told.order(StartPump(told.link._pump.role, 2500, 1))
    assert [event.trouble for event in told.run()] == [Trouble.REFUSED]
    told.order(StopPump(told.link._pump.role, 1)).add(here.ask("STP", "S"))
    told.run()
    assert told.script == []


def test_a_switch_of_framing_swallowed_by_an_alarm_is_sent_again(peer: Any, script: Any, wire: Any) -> None:
    basic, safe = script("basic"), script("safe")
    armed = [(b"00SAF5\r", wire.basic("00A?S")), (b"00SAF5\r", wire.safe("00S")), safe.ask("", "S")]
    told = peer(insulin(), [*basic.probe(), *basic.who(), *armed, *safe.program(), *safe.proof()]).open()
    events = told.run()
    assert identity(events).mismatch is None
    assert [event.alarm for event in events[1:]] == ["stalled", None]


def test_a_stopped_dextrose_pump_is_made_ready_in_basic(peer: Any, script: Any) -> None:
    told = peer(dextrose(), script("basic").dextrose()).open()
    assert [type(event) for event in told.run()] == [PumpIdentified, PumpReported]
    assert told.script == []
    assert not any(b"SAF" in sent for sent in told.sent)


def test_a_timer_left_on_the_stopped_dextrose_pump_is_switched_off(peer: Any, script: Any, wire: Any) -> None:
    safe, basic = script("safe"), script("basic")
    off = safe.ask("SAF0", None)[0]
    for answer in (wire.basic("00S"), wire.safe("00S")):
        talk = [*safe.probe(), *safe.who(), (off, answer), basic.ask("", "S"), *basic.program()]
        told = peer(dextrose(), talk).open()
        assert identity(told.run()).mismatch is None


def test_a_timer_that_stays_on_never_identifies_the_dextrose_pump(peer: Any, script: Any) -> None:
    safe = script("safe")
    told = peer(dextrose(), [*safe.probe(), *safe.who(), safe.ask("SAF0", "S?NA")]).open()
    assert "?NA" in str(identity(told.run()).mismatch)


@pytest.mark.parametrize(("link", "framing"), [(insulin, "safe"), (dextrose, "basic")])
def test_a_running_pump_is_adopted_without_a_write(peer: Any, script: Any, link: Any, framing: str) -> None:
    told = peer(link(), script(framing).adopt(rate="12.34MH")).open()
    found, report = told.run()
    assert found.mismatch is None
    assert (report.state, report.rate_ul_h, report.infused_ul) == (PumpState.RUNNING, 12_340, 12_340)
    if framing == "safe":
        assert found.detail.endswith("watchdog armed, not proven on this connection")


@pytest.mark.parametrize(
    ("link", "framing", "told_of_pump", "sentence"),
    [
        (dextrose, "safe", {"prompt": "I"}, "pump may stop when the computer falls silent"),
        (insulin, "basic", {"prompt": "I"}, "pump does not stop when the computer falls silent"),
        (insulin, "safe", {"prompt": "I", "rate": "2.000MM"}, "counts its rate in MM"),
        (insulin, "safe", {"prompt": "W"}, "pump is withdrawing"),
        (insulin, "safe", {"prompt": "X"}, "pump is purging"),
        (dextrose, "basic", {"diameter": "29.20"}, "syringe is 29.20 mm, expected 26.59 mm"),
        (dextrose, "basic", {"version": "AL1000V1.02"}, "pump is AL1000V1.02, expected NE"),
        (dextrose, "basic", {"version": "?"}, "pump is unknown, expected NE"),
        (dextrose, "basic", {"rate": "?"}, "pump does not tell its rate"),
        (dextrose, "basic", {"diameter": "?NA"}, "pump does not tell its syringe diameter"),
    ],
)
def test_a_mismatch_is_said_and_nothing_is_written(
    peer: Any, script: Any, link: Any, framing: str, told_of_pump: dict[str, str], sentence: str
) -> None:
    talk = script(framing)
    prompt = told_of_pump.get("prompt", "S")
    who = talk.who(**told_of_pump)
    asked_twice = who[:2] if {"version", "diameter"} & told_of_pump.keys() else []
    told = peer(link(), [*talk.probe(prompt), *asked_twice, *who]).open()
    events = told.run()
    assert sentence in str(identity(events).mismatch)
    told.order(SetRate(told.link._pump.role, 2500, 1))
    (refused,) = told.run()
    assert isinstance(refused, LinkTroubled)
    assert refused.trouble is Trouble.REFUSED


def test_one_damaged_answer_to_who_are_you_is_no_mismatch(peer: Any, script: Any) -> None:
    talk = script("basic")
    damaged = [talk.ask("VER", "SOE1000V3.928"), talk.ask("DIA", "S26.59")]
    told = peer(dextrose(), [*talk.probe(), *damaged, *talk.who(), *talk.program()]).open()
    assert identity(told.run()).mismatch is None


def test_alarms_without_end_before_the_identity_fill_no_memory(peer: Any, script: Any, wire: Any) -> None:
    told = peer(dextrose(), []).open()
    for _ in range(1000):
        told.hear(wire.basic("00A?S"))
    assert len(told.link._pump._early_alarms) <= 8


def test_a_mismatched_pump_can_still_be_stopped(peer: Any, script: Any) -> None:
    talk = script("basic")
    told = peer(insulin(), [*talk.probe("I"), *talk.who("I")]).open()
    told.run()
    told.order(StopPump(Role.INSULIN, 1)).add(talk.ask("STP", "P"), talk.ask("STP", "S"))
    assert [event.state for event in told.run()] == [PumpState.STOPPED]


def test_a_read_only_link_looks_at_a_stopped_pump_and_writes_nothing(peer: Any, script: Any) -> None:
    talk = script("basic")
    told = peer(dextrose(read_only=True), [*talk.probe(), *talk.who()]).open()
    assert identity(told.run()).mismatch is None
    told.order(StartPump(Role.DEXTROSE, 120_000, 1))
    assert [event.trouble for event in told.run()] == [Trouble.REFUSED]


@pytest.mark.parametrize("position", range(8))
def test_a_refused_set_up_step_is_a_mismatch(peer: Any, script: Any, position: int) -> None:
    talk = script("basic")
    program = talk.program()[: position + 1]
    program[-1] = (program[-1][0], b"\x0200S?OOR\x03")
    told = peer(dextrose(), [*talk.probe(), *talk.who(), *program]).open()
    assert identity(told.run()).mismatch is not None


@pytest.mark.parametrize(("question", "data"), [(6, "SWDR"), (7, "S5.000ML")])
def test_a_set_up_that_reads_back_wrong_is_a_mismatch(
    peer: Any, script: Any, wire: Any, question: int, data: str
) -> None:
    talk = script("basic")
    program = talk.program()[: question + 1]
    program[-1] = (program[-1][0], wire.basic("00" + data))
    told = peer(dextrose(), [*talk.probe(), *talk.who(), *program]).open()
    assert data[1:] in str(identity(told.run()).mismatch)


def test_an_alarm_met_on_opening_is_told_after_the_identity(peer: Any, script: Any) -> None:
    talk = script("basic")
    swallowed = [talk.ask("VER", "A?R"), *talk.who(), *talk.program()]
    told = peer(dextrose(), [*talk.probe(), *swallowed]).open()
    events = told.run()
    assert [type(event) for event in events] == [PumpIdentified, PumpReported, PumpReported]
    assert [(event.state, event.alarm) for event in events[1:]] == [
        (PumpState.ALARM, "reset"),
        (PumpState.STOPPED, None),
    ]


def test_safe_is_probed_only_more_than_half_a_second_after_basic(peer: Any) -> None:
    link = insulin()
    link.opened(1, 0)
    assert link.take_output() == b"?\r"
    assert link.wake(499) == []
    assert link.take_output() == b""
    link.wake(500)
    assert link.take_output() == b"00\r"
    link.wake(1000)
    assert link.take_output() == b""
    assert link.wake_at() == 1100
    link.wake(1100)
    assert link.take_output() == bytes.fromhex("020630 3033C603".replace(" ", ""))


def test_a_silent_wire_is_troubled_and_sought_again(peer: Any, wire: Any) -> None:
    told = peer(insulin(), [(b"?\r", None), (b"00\r", None), (wire.safe("00"), None)]).open()
    troubled = told.run(1650)
    assert [event.trouble for event in troubled] == [Trouble.NO_REPLY]
    told.add((b"?\r", None), (b"00\r", None), (wire.safe("00"), None))
    assert {event.trouble for event in told.run(2700)} == {Trouble.NO_REPLY}


def test_a_pump_that_falls_silent_while_identified_is_sought_anew(peer: Any, script: Any) -> None:
    talk = script("basic")
    lost = [*talk.probe(), *[talk.ask("VER", None)] * 3]
    told = peer(dextrose(), [*lost, *talk.dextrose()]).open()
    events = told.run()
    assert [type(event) for event in events] == [LinkTroubled, PumpIdentified, PumpReported]


def test_a_silence_after_the_proof_begins_the_opening_again(peer: Any, script: Any) -> None:
    talk = script("safe")
    told = peer(insulin(), [*talk.insulin()[:-2], talk.ask("", None), *talk.insulin()]).open()
    assert identity(told.run()).mismatch is None
    assert told.script == []


def test_a_pump_that_only_raises_alarms_is_sought_anew(peer: Any, script: Any) -> None:
    talk = script("basic")
    told = peer(dextrose(), [*talk.probe(), *[talk.ask("VER", "A?S")] * 3, *talk.dextrose()]).open()
    events = told.run()
    assert [event.alarm for event in events[1:]] == ["stalled"] * 3 + [None]


def test_half_a_line_left_in_the_pump_is_cleared_without_a_word(peer: Any, script: Any, wire: Any) -> None:
    talk = script("basic")
    told = peer(dextrose(), [(b"?\r", wire.basic("00S?")), *talk.dextrose()[1:]]).open()
    assert [type(event) for event in told.run()] == [PumpIdentified, PumpReported]


def test_the_answer_from_another_address_is_ignored(peer: Any, script: Any, wire: Any) -> None:
    talk = script("basic")
    wrong = (talk.ask("VER", None)[0], wire.basic("03SNE1000V3.928"))
    told = peer(dextrose(), [*talk.probe(), wrong, *talk.who(), *talk.program()]).open()
    events = told.run()
    assert [event.trouble for event in events if isinstance(event, LinkTroubled)] == [Trouble.UNEXPECTED]
    assert identity(events).mismatch is None


@pytest.mark.parametrize(
    "settings",
    [
        {"role": Role.INSULIN},
        {"role": Role.DEXTROSE, "watchdog_s": 5},
        {"role": Role.INSULIN, "watchdog_s": 256},
        {"role": Role.DEXTROSE, "address": 100},
        {"role": Role.DEXTROSE, "diameter_um": None},
        {"role": Role.DEXTROSE, "serial": "1234"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"watchdog|address|diameter|serial"):
        NewEra(Expected(**{"diameter_um": 26_590, **settings}))
