"""The Graseby 3400 link against its transcript, and each dialogue against a scripted pump."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import LinkTroubled, PumpIdentified, PumpReported, PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.graseby import Graseby3400
from drivers.pumps.graseby_text import packet, parse_reply

Story = list[tuple[bytes, bytes | None]]


def frames(text: str, side: str) -> dict[str, bytes]:
    """Command or reply -> its frame, for one side of the wire."""
    found, name = {}, ""
    for line in text.splitlines():
        if line.startswith("# <"):
            name = line[3 : line.index(">")]
        elif line.startswith(side):
            found[name] = bytes.fromhex(line[2:])
    return found


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


# --- the transcript --------------------------------------------------------------------------


def test_every_frame_of_the_transcript_is_made_or_understood(wire: Any) -> None:
    text = wire("graseby_3400.txt")
    sent = frames(text, "> ")
    assert len(sent) == 9
    assert {name: packet(name) for name in sent} == sent
    answers = {name: parse_reply(data[:-1]) for name, data in frames(text, "< ").items()}
    assert [(reply.accepted, reply.command, reply.state) for reply in answers.values() if reply] == [
        (True, "STRT", PumpState.RUNNING),
        (True, "CHGR", PumpState.RUNNING),
        (True, "STOP", PumpState.STOPPED),
        (True, "CHCK", PumpState.STOPPED),
        (False, "STRT", PumpState.STOPPED),
    ]


def life(peer: Any, wire: Any, pieces: Callable[[bytes], list[bytes]]) -> tuple[list[Any], set[bytes]]:
    """Open, start, change the rate, stop, with the transcript's own frames where it has them."""
    ask, reply = frames(wire("graseby_3400.txt"), "> "), frames(wire("graseby_3400.txt"), "< ")
    told = peer(link(), [(ask["CHCK"], reply["OKCHCKSTBY"]), (ask["GETR"], frame("OKGETRSTBY0"))])
    told.pieces = pieces
    told.open().run()
    told.order(StartPump(Role.DEXTROSE, 120_000, 1))
    told.add((ask["CHGR1200"], frame("OKCHGRSTBY")), (ask["GETR"], frame("OKGETRSTBY1200")))
    told.add((ask["STRT"], reply["OKSTRTINFS"]), *RUNNING).run()
    told.add((ask["CHKR1200"], frame("OKCHKRINFS"))).run()
    told.order(SetRate(Role.DEXTROSE, 60_000, 1)).add((frame("CHGR600"), reply["OKCHGRINFS"]))
    told.add(*said(("CHCK", "OKCHCKINFS"), ("GETR", "OKGETRINFS600"))).run()
    told.order(SetRate(Role.DEXTROSE, 0, 1)).add((ask["STOP"], reply["OKSTOPSTBY"]))
    told.add((ask["CHCK"], reply["OKCHCKSTBY"]), (ask["GETR"], frame("OKGETRSTBY600"))).run()
    return told.events, set(told.sent)


def halves(at: int, data: bytes) -> list[bytes]:
    return [data[:at], data[at:]]


def test_a_life_with_the_frames_of_the_transcript_cut_at_every_byte(peer: Any, wire: Any) -> None:
    whole, sent = life(peer, wire, lambda data: [data])
    assert reports(whole) == [
        (PumpState.STOPPED, 0),
        (PumpState.RUNNING, 120_000),
        (PumpState.RUNNING, 120_000),
        (PumpState.RUNNING, 60_000),
        (PumpState.STOPPED, 0),
    ]
    assert troubles(whole) == []
    assert not any(b"ZTOT" in out or b"CHGR0>" in out for out in sent)
    for at in range(1, 22):
        assert life(peer, wire, partial(halves, at))[0] == whole


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.data())
def test_a_life_in_pieces_of_1_to_7_bytes_is_the_same(peer: Any, wire: Any, data: Any) -> None:
    def pieces(reply: bytes) -> list[bytes]:
        cut = []
        while reply:
            size = data.draw(st.integers(1, 7))
            cut.append(reply[:size])
            reply = reply[size:]
        return cut

    assert life(peer, wire, pieces)[0] == life(peer, wire, lambda reply: [reply])[0]


# --- opening ---------------------------------------------------------------------------------


def test_who_it_is_cannot_be_told_and_is_said_so(peer: Any) -> None:
    told = peer(Graseby3400(Expected(Role.INSULIN, watchdog_s=4)), STANDBY).open(epoch=6)
    identified, report = told.run()
    assert identified == PumpIdentified(
        Role.INSULIN,
        6,
        "Graseby 3400",
        "Graseby 3400 (cannot say who it is: no model, no serial number, no syringe), "
        "on silence stops after 4 s by its bench sheet, panel maximum 50000 µL/h as entered",
        None,
    )
    assert report == PumpReported(Role.INSULIN, 6, PumpState.STOPPED, 0, None, None)


def test_a_running_pump_is_adopted_by_questions_alone(peer: Any) -> None:
    told = peer(link(), RUNNING).open()
    assert reports(told.run()) == [(PumpState.RUNNING, 120_000)]
    assert told.sent == [frame("CHCK"), frame("GETR")]


def test_a_pump_that_is_only_looked_at_hears_plain_questions(peer: Any) -> None:
    told = peer(Graseby3400(Expected(Role.DEXTROSE, read_only=True)), [*RUNNING, *RUNNING]).open()
    assert reports(told.run(1500)) == [(PumpState.RUNNING, 120_000)] * 2


def test_a_pump_that_was_taken_over_before_the_opening_is_a_mismatch(peer: Any) -> None:
    told = peer(link(), TAKEN_OVER).open()
    events = told.run()
    assert [event.mismatch is not None for event in events if isinstance(event, PumpIdentified)] == [True]
    assert reports(events) == []


def test_a_silent_pump_is_sought_for_ever_with_pauses(peer: Any) -> None:
    told = peer(link(), [(frame("CHCK"), None)] * 60).open()
    events = told.run(30_000)
    assert set(troubles(events)) == {Trouble.NO_REPLY}
    assert 20 <= len(told.sent) <= 40


def test_the_total_is_asked_only_when_its_unit_is_known(peer: Any) -> None:
    total = said(("TOTL", "OKTOTLSTBY34"))
    told = peer(link(total_ul=100), [*STANDBY, *total]).open()
    (report,) = [event for event in told.run() if isinstance(event, PumpReported)]
    assert report.infused_ul == 3400


@pytest.mark.parametrize(
    ("expected", "options"),
    [
        (Expected(Role.DEXTROSE, watchdog_s=5), {}),
        (Expected(Role.INSULIN, watchdog_s=0), {}),
        (Expected(Role.DEXTROSE, serial="12"), {}),
        (Expected(Role.DEXTROSE, address=1), {}),
        (Expected(Role.DEXTROSE), {"max_rate_ul_h": 49_999}),
        (Expected(Role.DEXTROSE), {"max_rate_ul_h": 1_200_001}),
        (Expected(Role.DEXTROSE), {"total_ul": 0}),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(expected: Expected, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"watchdog|serial|panel maximum|count"):
        Graseby3400(expected, **options)


# --- polls -----------------------------------------------------------------------------------


def test_the_rate_is_checked_once_a_second_while_it_infuses(running: Any) -> None:
    running.add(*said(("CHKR1200", "OKCHKRINFS"), ("CHKR1200", "OKCHKRINFS1200")))
    assert reports(running.run(2500)) == [(PumpState.RUNNING, 120_000)] * 2
    assert running.script == []


def test_a_rate_changed_at_the_keys_is_read_and_reported(running: Any) -> None:
    running.add(*said(("CHKR1200", "CECHKRINFS"), ("GETR", "OKGETRINFS900"), ("CHKR900", "OKCHKRINFS")))
    assert running.run(2500) == [
        PumpReported(Role.DEXTROSE, 1, PumpState.RUNNING, 90_000, None, None),
        PumpReported(Role.DEXTROSE, 1, PumpState.RUNNING, 90_000, None, None),
    ]


def test_a_check_refused_for_the_rate_it_holds_means_taken_over(running: Any) -> None:
    running.add(*said(("CHKR1200", "CECHKRINFS"), ("GETR", "OKGETRINFS1200")))
    events = running.run(1500)
    assert [type(event) for event in events] == [LinkTroubled, PumpIdentified, PumpReported]
    assert "START key" in events[1].mismatch


def test_a_taken_over_pump_is_only_read(running: Any) -> None:
    running.add(*said(("CHKR1200", "CECHKRINFS")), *said(("GETR", "CEGETRINFS")), *TAKEN_OVER)
    assert len([event for event in running.run(2500) if isinstance(event, PumpIdentified)]) == 1
    running.order(SetRate(Role.DEXTROSE, 60_000, 1))
    (refused,) = running.run(10)
    assert "START key" in refused.detail
    running.add(*said(("STOP", "CESTOPINFS")), *TAKEN_OVER)
    running.order(StopPump(Role.DEXTROSE, 1))
    assert reports(running.run(400)) == []
    assert running.script == []


def test_an_alarm_is_reported_without_a_name(running: Any) -> None:
    running.add(*said(("CHKR1200", "OKCHKRALRM")))
    (report,) = running.run(1500)
    assert (report.state, report.rate_ul_h, report.alarm) == (
        PumpState.ALARM,
        0,
        "alarm, see the pump's panel",
    )


# --- any bytes -------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.tuples(st.binary(max_size=90), st.integers(0, 3000)), max_size=20))
def test_noise_never_raises_never_reports_and_never_starts(
    peer: Any, pieces: list[tuple[bytes, int]]
) -> None:
    told = peer(link(), STANDBY).open()
    told.run()
    now_ms = told.now_ms
    for noise, pause_ms in pieces:
        now_ms += pause_ms
        events = told.link.receive(noise, now_ms) + told.link.wake(now_ms)
        assert all(isinstance(event, LinkTroubled) for event in events)
        assert b"STRT" not in told.link.take_output()
    assert len(told.link._lines._buffer) <= 41


@given(position=st.integers(0, 20), bit=st.integers(0, 7))
def test_a_flipped_bit_is_no_reply(position: int, bit: int) -> None:
    line = bytearray(frame("OKCHCKSTBY")[:-1])
    line[position % len(line)] ^= 1 << bit
    assert parse_reply(bytes(line)) is None
