"""The Biosen link against its transcript, cut anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.commands import Role
from clampctl.core.events import GlucoseSampled, LinkHeard, SampleKind, Trouble
from clampctl.units import MG_DL_PER_MMOL_L
from tests.drivers.biosen_bytes import CASES, glucose_link, heard, samples, troubles

PATIENT, CONTROL = SampleKind.PATIENT, SampleKind.CONTROL
EXPECTED: dict[str, tuple[list[tuple[str, str, SampleKind]], list[Trouble]]] = {
    "stat_sample": ([("5.12", "mmol/l", PATIENT)], []),
    "patient_mg_dl": ([("92.30", "mg/dl", PATIENT)], []),
    "three_digit": ([("101.20", "mg/dl", PATIENT)], []),
    "control": ([("12.02", "mmol/l", CONTROL)], []),
    "unmapped_channel": ([], [Trouble.REFUSED]),
    "identical_repeat": ([("5.12", "mmol/l", PATIENT)], []),
    "same_minute_new_number": ([("5.12", "mmol/l", PATIENT)] * 2, []),
    "split_record": ([("5.12", "mmol/l", PATIENT)], []),
    "noise_then_record": ([("5.12", "mmol/l", PATIENT)], [Trouble.REFUSED]),
    "cut_record": ([], [Trouble.REFUSED]),
}


def test_every_case_is_expected() -> None:
    assert set(EXPECTED) == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_every_case_cut_at_every_byte_says_the_same(case: str) -> None:
    stream = b"".join(CASES[case])
    whole = heard(glucose_link(), stream)
    assert [(one.raw_value, one.raw_unit, one.kind) for one in samples(whole)] == EXPECTED[case][0]
    assert troubles(whole) == EXPECTED[case][1]
    for at in range(len(stream)):
        assert heard(glucose_link(), stream[:at], stream[at:]) == whole


@given(st.sampled_from(sorted(CASES)), st.lists(st.integers(1, 7), min_size=1))
def test_every_case_in_small_pieces_says_the_same(case: str, sizes: list[int]) -> None:
    stream = b"".join(CASES[case])
    pieces: list[bytes] = []
    at = 0
    while at < len(stream):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(stream[at : at + size])
        at += size
    assert heard(glucose_link(), *pieces) == heard(glucose_link(), stream)


@pytest.mark.parametrize("case", CASES)
def test_transmissions_apart_in_time_say_the_same_as_without_a_pause(case: str) -> None:
    """Pieces of one record are 100 ms apart, whole records by more than a silence."""
    pause_ms = 100 if case == "split_record" else 5000
    link, events = glucose_link(), []
    for turn, sent in enumerate(CASES[case]):
        events += link.receive(sent, turn * pause_ms)
    events += link.wake(60_000)
    assert samples(events) == samples(heard(glucose_link(), b"".join(CASES[case])))


def test_a_stat_sample_is_told_whole() -> None:
    assert heard(glucose_link(), *CASES["stat_sample"]) == [
        LinkHeard(Role.ANALYZER, "record of BIOS01"),
        GlucoseSampled(
            sample_id="biosen:BIOS01:22.11.26:10:14:S:0000:007",
            glucose_mg_dl=5.12 * MG_DL_PER_MMOL_L,
            drawn_at_ms=None,
            kind=SampleKind.PATIENT,
            source="biosen",
            raw_value="5.12",
            raw_unit="mmol/l",
            flags=(),
        ),
    ]
