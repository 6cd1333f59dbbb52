"""The Siemens link against its transcript, cut anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.events import GlucoseSampled, SampleKind, Trouble
from clampctl.units import MG_DL_PER_MMOL_L
from tests.drivers.siemens_bytes import CASES, heard, opened, samples, told, troubles


@pytest.mark.parametrize("case", CASES)
def test_every_transmission_is_answered_byte_for_byte(case: str) -> None:
    link = opened()
    answers = []
    for sent, _ in CASES[case]:
        link.receive(sent, 0)
        answers.append(link.take_output())
    assert answers == [answer for _, answer in CASES[case]]


EXPECTED: dict[str, tuple[list[tuple[str, SampleKind]], list[Trouble]]] = {
    "identify": ([], []),
    "new_sample": ([("5.1", SampleKind.PATIENT)], []),
    "bad_checksum_then_one_retry": ([("5.1", SampleKind.PATIENT)], [Trouble.BAD_FRAME]),
    "two_exceptions": ([], [Trouble.REFUSED]),
    "repeat_after_lost_ack": ([("5.1", SampleKind.PATIENT)], []),
    "edit": ([("5.1", SampleKind.PATIENT), ("5.3", SampleKind.HISTORY)], [Trouble.REFUSED]),
}


def test_every_case_is_expected() -> None:
    assert set(EXPECTED) == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_every_case_cut_at_every_byte_says_the_same(case: str) -> None:
    stream = b"".join(sent for sent, _ in CASES[case])
    answers = b"".join(answer for _, answer in CASES[case])
    whole = heard(opened(), stream)
    assert [(sample.raw_value, sample.kind) for sample in samples(whole)] == EXPECTED[case][0]
    assert troubles(whole) == EXPECTED[case][1]
    for at in range(len(stream)):
        link = opened()
        assert heard(link, stream[:at], stream[at:]) == whole
        assert link.take_output() == answers


@given(st.sampled_from(sorted(CASES)), st.lists(st.integers(1, 7), min_size=1))
def test_every_case_in_small_pieces_says_the_same(case: str, sizes: list[int]) -> None:
    stream = b"".join(sent for sent, _ in CASES[case])
    pieces: list[bytes] = []
    at = 0
    while at < len(stream):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(stream[at : at + size])
        at += size
    assert heard(opened(), *pieces) == heard(opened(), stream)


def test_a_new_sample_is_told_whole() -> None:
    (sample,) = samples(heard(opened(), *(sent for sent, _ in CASES["new_sample"])))
    assert sample == GlucoseSampled(
        sample_id="siemens:45064:SMP:4:22Nov26:10:14",
        glucose_mg_dl=5.1 * MG_DL_PER_MMOL_L,
        drawn_at_ms=None,
        kind=SampleKind.PATIENT,
        source="siemens",
        raw_value="5.1",
        raw_unit="mmol/L",
        flags=(),
    )


def test_two_exceptions_are_held_with_their_own_words() -> None:
    events = heard(opened(), *(sent for sent, _ in CASES["two_exceptions"]))
    assert told(events) == "sample S017: 5.1 mmol/L (exception EXC1, EXC2) is held: measure again"


def test_an_edit_is_told_with_what_it_was() -> None:
    events = heard(opened(), *(sent for sent, _ in CASES["edit"]))
    assert "corrected to 5.3 mmol/L, it was 5.1 mmol/L" in told(events)
    assert len({sample.sample_id for sample in samples(events)}) == 1
