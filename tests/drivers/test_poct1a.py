"""The POCT1-A link against its transcript, and what the transcript does not show."""

from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clampctl.core.commands import Role, StopPump
from clampctl.core.events import (
    DeviceEvent,
    GlucoseSampled,
    LinkHeard,
    LinkLost,
    LinkTroubled,
    SampleKind,
    Trouble,
)
from clampctl.units import MG_DL_PER_MMOL_L
from drivers.analyzers.poct1a import HALF_MS, Poct1a

DATA = Path(__file__).parents[1] / "data" / "transcripts" / "poct1a.txt"
ZERO = datetime(2026, 11, 22, 10, 15, 1, tzinfo=timezone(timedelta(hours=-5)))
EARLIER = ZERO - timedelta(minutes=1)
Lines = list[tuple[str, bytes]]


def cases() -> dict[str, Lines]:
    """Each case's lines as (direction, bytes)."""
    found: dict[str, Lines] = {}
    lines: Lines = []
    for line in DATA.read_text("utf-8").splitlines():
        if line.startswith("# case: "):
            lines = found[line[8:]] = []
        elif line[:2] in ("> ", "< "):
            lines.append((line[0], bytes.fromhex(line[2:])))
    return found


CASES = cases()


def poct1a(**own: Any) -> Poct1a:
    """A link on a session that began a minute before the transcript's host clock."""
    link = Poct1a(wall_zero=EARLIER, serial="SS-4711", **own)
    link.opened(1, 60_000)
    return link


def play(link: Poct1a, lines: Lines, size: int = 1_000_000, first: int = 0) -> list[DeviceEvent]:
    """Feed the meter's lines in pieces and check every byte of the host's; the events."""
    events: list[DeviceEvent] = []
    out = expected = b""
    for direction, data in lines:
        if direction == ">":
            expected += data
            continue
        cuts = [0, *range(first or size, len(data), size), len(data)]
        for start, end in pairwise(cuts):
            events += link.receive(data[start:end], 60_000)
            out += link.take_output()
    assert out == expected
    return events


def samples(events: list[DeviceEvent]) -> list[GlucoseSampled]:
    return [event for event in events if isinstance(event, GlucoseSampled)]


def troubles(events: list[DeviceEvent]) -> list[tuple[Trouble, str]]:
    return [(event.trouble, event.detail) for event in events if isinstance(event, LinkTroubled)]


# --- the transcript --------------------------------------------------------------------------

PATIENT, HISTORY = SampleKind.PATIENT, SampleKind.HISTORY
OUTCOMES: dict[str, tuple[list[tuple[str, SampleKind]], list[tuple[Trouble, str]]]] = {
    "nothing_waiting": ([], []),
    "waiting_result": ([("5.1", PATIENT)], []),
    "pushed_result": ([("5.1", PATIENT)], []),
    "mg_dl": ([("92", PATIENT)], []),
    "declaration_and_line_ends": ([("5.1", PATIENT)], []),
    "latin_1": ([("5.1", PATIENT)], []),
    "control": ([("5.6", SampleKind.CONTROL)], []),
    "calibration_check": ([("5.6", SampleKind.CALIBRATION)], []),
    "lactate_first": ([("5.1", PATIENT)], []),
    "sent_again": ([("5.1", PATIENT)], []),
    "edited": ([("5.1", PATIENT), ("5.6", HISTORY)], [(Trouble.REFUSED, "was corrected to 5.6 mmol/L")]),
    "decimal_comma": ([], [(Trouble.REFUSED, "'5,1' is not a plain number")]),
    "over_range": ([], [(Trouble.REFUSED, "'>33.3' is not a plain number")]),
    "no_value": ([], [(Trouble.REFUSED, "'' is not a plain number")]),
    "noted_error": ([], [(Trouble.REFUSED, "the meter noted 'Error 0004'")]),
    "another_meter": ([], [(Trouble.REFUSED, "serial number is SS-0815, expected SS-4711")]),
    "document_type": ([("5.1", PATIENT)], [(Trouble.BAD_FRAME, "a document type or entity")]),
    "cut_message": ([("5.1", PATIENT)], [(Trouble.BAD_FRAME, "message cut short")]),
    "ended": ([], []),
}


def test_every_case_has_an_outcome() -> None:
    assert set(CASES) == set(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_transcript_judges_the_link(name: str) -> None:
    events = play(poct1a(), CASES[name])
    values, told = OUTCOMES[name]
    assert [(sample.raw_value, sample.kind) for sample in samples(events)] == values
    assert [trouble for trouble, _ in troubles(events)] == [trouble for trouble, _ in told]
    for (_, detail), (_, words) in zip(troubles(events), told, strict=True):
        assert words in detail


def test_a_sample_carries_all_that_was_told() -> None:
    (sample,) = samples(play(poct1a(), CASES["pushed_result"]))
    assert sample == GlucoseSampled(
        sample_id="poct1a:SS-4711:2026-11-22T10:14:55-05:00:GLU",
        glucose_mg_dl=5.1 * MG_DL_PER_MMOL_L,
        drawn_at_ms=None,
        kind=PATIENT,
        source="poct1a",
        raw_value="5.1",
        raw_unit="mmol/L",
        flags=(),
    )


def test_the_end_is_a_lost_analyzer() -> None:
    events = play(poct1a(), CASES["ended"])
    assert events[-1] == LinkLost(Role.ANALYZER, "the meter ended the connection: NRM")


def test_the_meter_is_told_by_name() -> None:
    events = play(poct1a(), CASES["nothing_waiting"])
    assert events == [
        LinkHeard(Role.ANALYZER, "meter NOVA STATSTRIP SS-4711 connected"),
        LinkHeard(Role.ANALYZER, "nothing new"),
        LinkHeard(Role.ANALYZER, "sends each result at once"),
    ]


@pytest.mark.parametrize("name", OUTCOMES)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_pieces_of_any_size_give_the_same(name: str, size: int) -> None:
    assert play(poct1a(), CASES[name], size) == play(poct1a(), CASES[name])


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_cut_at_every_byte_gives_the_same(name: str) -> None:
    whole = play(poct1a(), CASES[name])
    longest = max(len(data) for direction, data in CASES[name] if direction == "<")
    for at in range(1, longest):
        assert play(poct1a(), CASES[name], first=at) == whole


@given(st.sampled_from(sorted(OUTCOMES)), st.lists(st.integers(1, 7), min_size=1, max_size=50))
@settings(max_examples=60)
def test_random_pieces_give_the_same(name: str, sizes: list[int]) -> None:
    data = b"".join(line for direction, line in CASES[name] if direction == "<")
    whole, cut = poct1a(), poct1a()
    events, at = [], 0
    while at < len(data):
        size = sizes[at % len(sizes)]
        events += cut.receive(data[at : at + size], 60_000)
        at += size
    assert events == whole.receive(data, 60_000)
    assert cut.take_output() == whole.take_output()


# --- clocks and what waited ------------------------------------------------------------------


def test_a_waiting_result_without_a_clock_to_judge_it_is_history() -> None:
    link = Poct1a()
    link.opened(1, 0)
    data = b"".join(line for direction, line in CASES["waiting_result"] if direction == "<")
    assert [sample.kind for sample in samples(link.receive(data, 0))] == [HISTORY]
    assert b'creation_dttm V="2000-01-01T00:00:00"' in link.take_output()


@pytest.mark.parametrize(("wall_zero", "kind"), [(None, PATIENT), (ZERO.replace(tzinfo=None), HISTORY)])
def test_a_pushed_result_needs_no_clock_and_is_history_from_before_the_session(
    wall_zero: datetime | None, kind: SampleKind
) -> None:
    link = Poct1a(wall_zero=wall_zero)
    link.opened(1, 0)
    data = b"".join(line for direction, line in CASES["pushed_result"] if direction == "<")
    assert [sample.kind for sample in samples(link.receive(data, 0))] == [kind]


def test_a_result_older_than_ten_minutes_is_history_and_told() -> None:
    link = poct1a()
    play(link, CASES["nothing_waiting"])
    events = link.receive(CASES["pushed_result"][-2][1], 60_000 + 700_000)
    assert [sample.kind for sample in samples(events)] == [HISTORY]
    assert "12 min old" in troubles(events)[0][1]


def test_a_naive_wall_clock_writes_no_offset() -> None:
    link = Poct1a(wall_zero=datetime(2026, 1, 1, 8))
    link.opened(1, 0)
    link.receive(CASES["nothing_waiting"][0][1], 61_000)
    assert b'creation_dttm V="2026-01-01T08:01:01"' in link.take_output()


# --- who speaks ------------------------------------------------------------------------------


def hello(serial: str) -> bytes:
    return CASES["nothing_waiting"][0][1].replace(b"SS-4711", serial.encode())


def result(control_id: int, second: int = 55, value: str = "5.1") -> bytes:
    data = CASES["pushed_result"][-2][1].replace(
        b'control_id V="20"', f'control_id V="{control_id}"'.encode()
    )
    return data.replace(b"10:14:55", f"10:14:{second}".encode()).replace(b"5.1", value.encode())


def test_results_of_another_meter_are_refused_one_by_one() -> None:
    link = poct1a()
    events = link.receive(hello("SS-0815") + result(18), 60_000)
    assert samples(events) == []
    assert [trouble for trouble, _ in troubles(events)] == [Trouble.REFUSED] * 2
    assert link.take_output().count(b'<ACK.type_cd V="AE"/>') == 2


def test_the_first_meter_of_a_session_is_the_only_one() -> None:
    link = Poct1a(wall_zero=EARLIER)
    link.opened(1, 60_000)
    link.receive(hello("SS-1"), 60_000)
    link.opened(2, 60_000)
    assert troubles(link.receive(hello("SS-2"), 60_000))[0][0] is Trouble.REFUSED
    link.opened(3, 60_000)
    assert troubles(link.receive(hello("SS-1"), 60_000)) == []


def test_vendor_and_device_are_compared_too() -> None:
    link = Poct1a(vendor="HEMOCUE", device="00-11-22-33")
    link.opened(1, 0)
    assert "vendor is NOVA, expected HEMOCUE" in troubles(link.receive(hello("x"), 0))[0][1]


def test_a_result_before_the_greeting_is_not_taken() -> None:
    link = poct1a()
    events = link.receive(result(18), 60_000)
    assert samples(events) == []
    assert "has not said who it is" in troubles(events)[0][1]
    assert b'V="AE"' in link.take_output()


def test_a_queue_sent_again_after_a_reconnection_is_taken_once() -> None:
    link = poct1a()
    play(link, CASES["pushed_result"])
    link.opened(2, 61_000)
    data = b"".join(line for direction, line in CASES["waiting_result"] if direction == "<")
    assert samples(link.receive(data, 61_000)) == []


def test_our_numbers_begin_anew_with_each_connection() -> None:
    link = poct1a()
    play(link, CASES["pushed_result"])
    link.opened(2, 60_000)
    play(link, CASES["nothing_waiting"])


# --- questions and silence -------------------------------------------------------------------


def asked(link: Poct1a) -> str:
    out = link.take_output()
    return "REQ" if b"<REQ.R01>" in out else "DTV" if b"<DTV.R01>" in out else ""


def test_a_question_is_put_twice_then_told_and_continuous_mode_is_tried() -> None:
    link = poct1a(reply_ms=5000)
    link.receive(CASES["waiting_result"][0][1] + CASES["waiting_result"][2][1], 60_000)
    assert asked(link) == "REQ"
    assert link.wake_at() == 65_000
    assert link.wake(64_999) == []
    assert link.wake(65_000) == []
    assert asked(link) == "REQ"
    told = link.wake(70_000)
    assert troubles(told) == [(Trouble.NO_REPLY, "the meter was asked for its results and did not answer")]
    assert asked(link) == "DTV"
    link.wake(75_000)
    assert troubles(link.wake(80_000))[0][0] is Trouble.NO_REPLY
    assert link.wake_at() is None


def test_a_meter_that_does_not_count_its_results_is_asked_for_them() -> None:
    link = poct1a()
    status = CASES["nothing_waiting"][2][1].replace(b'<DST.new_observations_qty V="0"/>', b"")
    link.receive(CASES["nothing_waiting"][0][1] + status, 60_000)
    assert asked(link) == "REQ"


def answer(name: str, control_id: int, body: str) -> bytes:
    head = f'<HDR><HDR.control_id V="{control_id}"/></HDR>'
    return f"<{name}.R01>{head}{body}</{name}.R01>".encode()


def test_a_refused_question_is_told_and_the_rest_goes_on() -> None:
    link = poct1a()
    link.receive(CASES["waiting_result"][0][1] + CASES["waiting_result"][2][1], 60_000)
    assert asked(link) == "REQ"
    told = link.receive(answer("ESC", 19, '<ESC><ESC.detail_cd V="BSY"/></ESC>'), 60_000)
    assert troubles(told) == [(Trouble.REFUSED, "the meter refuses its results (BSY)")]
    assert asked(link) == "DTV"
    error = '<ACK><ACK.type_cd V="AE"/><ACK.ack_control_id V="4004"/></ACK>'
    assert troubles(link.receive(answer("ACK", 20, error), 60_000)) == [
        (Trouble.REFUSED, "the meter refuses continuous mode")
    ]
    assert link.wake_at() is None


def test_an_acknowledgement_of_something_else_is_passed_over() -> None:
    link = poct1a()
    play(link, CASES["nothing_waiting"][:-1])
    other = '<ACK><ACK.type_cd V="AA"/><ACK.ack_control_id V="4002"/></ACK>'
    assert link.receive(answer("ACK", 19, other), 60_000) == []
    assert link.wake_at() == 90_000


def test_other_messages_are_acknowledged_and_a_sign_of_life() -> None:
    link = poct1a()
    play(link, CASES["nothing_waiting"])
    assert link.receive(answer("KPA", 20, ""), 60_000) == [LinkHeard(Role.ANALYZER, "KPA.R01 heard")]
    assert b'<ACK.ack_control_id V="20"/>' in link.take_output()


def test_a_half_message_is_told_after_a_while() -> None:
    link = poct1a()
    play(link, CASES["nothing_waiting"])
    assert link.receive(result(20)[:200], 60_000) == []
    assert link.wake_at() == 60_000 + HALF_MS
    assert link.wake(60_000 + HALF_MS - 1) == []
    assert troubles(link.wake(60_000 + HALF_MS)) == [(Trouble.BAD_FRAME, "message cut short")]
    assert len(samples(link.receive(result(21), 80_000))) == 1


def test_no_order_reaches_an_analyzer() -> None:
    link = poct1a()
    link.send(StopPump(Role.ANALYZER, 1), 0)
    assert troubles(link.wake(0))[0][0] is Trouble.UNEXPECTED
    assert link.take_output() == b""
