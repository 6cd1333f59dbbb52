"""The Siemens emulator against the transcript, its timer and its faults."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from simulator.devices.fault import fault
from simulator.devices.siemens import Siemens, SiemensSettings
from simulator.devices.siemens_wire import message, part

TRANSCRIPT = Path(__file__).parents[1] / "data" / "transcripts" / "siemens_lis3.txt"
ACK = bytes.fromhex("02 06 03 30 42 04")
Turns = list[tuple[str, bytes]]


def cases() -> dict[str, Turns]:
    """Case -> who speaks and what, in order; consecutive bytes of one side are one turn."""
    found: dict[str, Turns] = {}
    turns: Turns = []
    for line in TRANSCRIPT.read_text("utf-8").splitlines():
        if line.startswith("# case: "):
            turns = found[line[8:]] = []
        elif line[:2] in ("< ", "> "):
            sent = bytes.fromhex(line[2:])
            if turns and turns[-1][0] == line[0]:
                turns[-1] = (line[0], turns[-1][1] + sent)
            else:
                turns.append((line[0], sent))
    return found


CASES = cases()
READY_MS = 60_000
MMOL_5_1 = 5.1 * 18.0156


QUIET = SiemensSettings(
    start=datetime(2026, 11, 22, 10, 13, 30), first_sample=4, asks_identity=False, tells_state=False
)


def placed(*faults: str, own: SiemensSettings | None = None) -> Siemens:
    """An analyzer with a sample in it, ready at 60 000 ms."""
    siemens = Siemens(own or QUIET)
    for text in faults:
        siemens.inject(fault(text), 0)
    siemens.place_sample(MMOL_5_1, 0)
    return siemens


def said(siemens: Siemens, now_ms: int) -> bytes:
    siemens.advance(now_ms)
    return siemens.take_output()


def flip_in_value() -> str:
    """The fault that turns 5.1 into 4.1 in the data frame, and not in the retry."""
    data = CASES["new_sample"][2][1][len(ACK) :]
    return f"flip={data.index(b'5.1')}/3"  # spent by the announcement, the ACK, and the data


PREPARED: dict[str, Callable[[], Siemens]] = {
    "identify": lambda: Siemens(replace(QUIET, asks_identity=True), READY_MS),
    "new_sample": placed,
    "bad_checksum_then_one_retry": lambda: placed(flip_in_value()),
    "two_exceptions": lambda: placed(own=replace(QUIET, exceptions=("EXC1", "EXC2"))),
    "repeat_after_lost_ack": lambda: placed("duplicate"),
    "edit": placed,
}


def play(siemens: Siemens, turns: Turns, pieces: Callable[[bytes], list[bytes]]) -> Turns:
    """The host's turns are spoken to it, its own are what it says; the latest result is edited, and a
    timer runs out, where the transcript shows it.
    """
    told: Turns = []
    now_ms = READY_MS
    siemens.advance(now_ms)
    for who, sent in turns:
        if who == ">":
            for piece in pieces(sent):
                siemens.receive(piece, now_ms)
            told.append((who, sent))
            continue
        if b"SMP_EDIT_DATA" in sent:
            siemens.inject(fault("edit=4"), now_ms)
        own = siemens.take_output()
        if sent.count(b"SMP_NEW_DATA") == 2:
            now_ms += 3000
            siemens.advance(now_ms)
            own += siemens.take_output()
        told.append((who, own))
    return told


def test_every_case_is_prepared() -> None:
    assert set(PREPARED) == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_transcript_is_reproduced_byte_for_byte(case: str) -> None:
    assert play(PREPARED[case](), CASES[case], lambda sent: [sent]) == CASES[case]


@hypothesis.given(st.sampled_from(sorted(CASES)), st.lists(st.integers(1, 7), min_size=1))
def test_the_transcript_is_reproduced_from_pieces_of_any_size(case: str, sizes: list[int]) -> None:
    def pieces(sent: bytes) -> list[bytes]:
        found: list[bytes] = []
        at = 0
        while at < len(sent):
            size = sizes[len(found) % len(sizes)]
            found.append(sent[at : at + size])
            at += size
        return found

    assert play(PREPARED[case](), CASES[case], pieces) == CASES[case]


@pytest.mark.parametrize("at", range(len(CASES["new_sample"][1][1])))
def test_the_host_may_be_cut_at_every_byte(at: int) -> None:
    turns = CASES["new_sample"]
    assert play(placed(), turns, lambda sent: [sent[:at], sent[at:]]) == turns


# --- the timer -------------------------------------------------------------------------------


def test_a_frame_is_sent_once_more_and_then_given_up() -> None:
    siemens = placed()
    announcement = CASES["new_sample"][0][1]
    assert siemens.wake_at() == 60_000
    assert said(siemens, 60_000) == announcement
    assert siemens.wake_at() == 63_000
    assert said(siemens, 62_999) == b""
    assert said(siemens, 63_000) == announcement
    assert said(siemens, 66_000) == b""
    assert siemens.wake_at() is None


def test_frames_leave_one_at_a_time() -> None:
    siemens = Siemens(replace(QUIET, asks_identity=True, tells_state=True))
    assert said(siemens, 0) == message("ID_REQ")
    siemens.place_sample(90.0, 0)
    assert said(siemens, 1) == b""
    siemens.receive(ACK, 10)
    assert siemens.take_output() == message("SYS_MEASURING")
    siemens.receive(ACK, 20)
    assert said(siemens, 59_999) == b""
    assert b"SMP_NEW_AV" in said(siemens, 60_000)
    siemens.receive(ACK, 60_010)
    assert siemens.take_output() == message("SYS_READY")


def test_a_damaged_frame_of_the_host_is_ignored() -> None:
    siemens = placed()
    said(siemens, 60_000)
    request = CASES["new_sample"][1][1][len(ACK) :]
    siemens.receive(request[:-2] + b"?\x04", 60_010)
    assert siemens.take_output() == b""
    siemens.receive(ACK + request, 60_020)
    assert siemens.take_output() == CASES["new_sample"][2][1]


def test_a_result_that_is_not_there_is_not_given() -> None:
    siemens = placed()
    siemens.receive(message("SMP_REQ", [part("rSEQ", "99")]), 10)
    assert siemens.take_output() == ACK


def test_a_result_may_be_asked_for_again() -> None:
    siemens = placed()
    turns = CASES["new_sample"]
    play(siemens, turns, lambda sent: [sent])
    siemens.receive(turns[1][1], 70_000)
    assert siemens.take_output() == turns[2][1]
