"""The ASTM link against its transcript: every answer byte for byte, every outcome, cut anywhere."""

import random
from itertools import pairwise
from pathlib import Path

import pytest

from clampctl.core.events import (
    DeviceEvent,
    GlucoseSampled,
    LinkHeard,
    LinkTroubled,
    SampleKind,
    Trouble,
)
from drivers.analyzers.astm import Astm
from drivers.reading import Rules

TRANSCRIPT = Path(__file__).parents[1] / "data" / "transcripts" / "astm_radiometer.txt"
Exchange = list[tuple[bytes, bytes]]


def cases() -> dict[str, Exchange]:
    """Case -> (what the analyzer sent, what it is answered), in order."""
    found: dict[str, Exchange] = {}
    case: Exchange = []
    for line in TRANSCRIPT.read_text("utf-8").splitlines():
        if line.startswith("# case: "):
            case = found[line[8:]] = []
        elif line.startswith("< "):
            case.append((bytes.fromhex(line[2:]), b""))
        elif line.startswith("> "):
            sent, answer = case.pop()
            case.append((sent, answer + bytes.fromhex(line[2:])))
    return found


CASES = cases()


def told(link: Astm, sent: bytes) -> list[DeviceEvent]:
    return link.receive(sent, 10)


def opened(rules: Rules | None = None) -> Astm:
    link = Astm(rules=rules)
    link.opened(1, 0)
    return link


def outcome(events: list[DeviceEvent]) -> tuple[list[str], list[str], list[Trouble]]:
    """Values that may dose, values that may not, troubles."""
    samples = [event for event in events if isinstance(event, GlucoseSampled)]
    dosing = [f"{one.raw_value} {one.raw_unit}" for one in samples if one.kind is SampleKind.PATIENT]
    others = [f"{one.raw_value} {one.raw_unit}" for one in samples if one.kind is not SampleKind.PATIENT]
    return dosing, others, [event.trouble for event in events if isinstance(event, LinkTroubled)]


GOOD: tuple[list[str], list[str], list[Trouble]] = (["5.1 mmol/L"], [], [])
HELD: tuple[list[str], list[str], list[Trouble]] = ([], [], [Trouble.REFUSED])

OUTCOMES = {
    "full_with_split_comment": HELD,
    "plain": GOOD,
    "packed_one_frame": GOOD,
    "lower_case_checksum": GOOD,
    "noise_before_stx": (["5.1 mmol/L"], [], [Trouble.BAD_FRAME]),
    "repeat_after_lost_ack": GOOD,
    "same_number_other_text": ([], [], [Trouble.UNEXPECTED, Trouble.REFUSED]),
    "bit_flip_then_resend": (["5.1 mmol/L"], [], [Trouble.BAD_FRAME]),
    "frame_number_gap": (["5.1 mmol/L"], [], [Trouble.UNEXPECTED]),
    "enq_inside_transfer": (["5.1 mmol/L"], [], [Trouble.UNEXPECTED]),
    "eot_with_half_record": ([], [], [Trouble.BAD_FRAME, Trouble.REFUSED]),
    "number_wrap_lactate_first_time_on_first_only": GOOD,
    "queried_value": HELD,
    "no_value": HELD,
    "other_unit_corrected": HELD,
    "decimal_comma": HELD,
    "edit_resend": (["5.1 mmol/L"], ["5.0 mmol/L"], [Trouble.REFUSED]),
    "digit_swap_a": HELD,
    "digit_swap_b": HELD,
    "byte_above_7f": GOOD,
}

WORDS = {
    "full_with_split_comment": [
        "sample 42: 5.1 mmol/L",
        "377 Calibration drift 2 out of range",
        "measure again",
    ],
    "noise_before_stx": ["3 stray bytes"],
    "same_number_other_text": ["frame 4 came again with another text", "5.1 mmol/L", "broke off"],
    "bit_flip_then_resend": ["bad checksum in frame 4"],
    "frame_number_gap": ["frame 6 where 4 was due"],
    "enq_inside_transfer": ["began its message again"],
    "eot_with_half_record": ["middle of a record", "5.1 mmol/L", "broke off"],
    "queried_value": ["?5.1 mmol/L is doubted by the analyzer itself"],
    "no_value": ["has no value"],
    "other_unit_corrected": ["92 mg/dL changes a result that this session does not know"],
    "decimal_comma": ["'5,1' is not a plain number"],
    "edit_resend": ["sample 42 was corrected to 5.0 mmol/L, it was 5.1 mmol/L"],
    "digit_swap_a": ["5.1 mmol/L", "without a status"],
    "digit_swap_b": ["1.5 mmol/L", "without a status"],
}


def test_every_case_has_its_outcome() -> None:
    assert set(CASES) == set(OUTCOMES)
    assert sum(len(case) for case in CASES.values()) > len(CASES)


@pytest.mark.parametrize("name", CASES)
def test_each_frame_is_answered_as_the_transcript_says(name: str) -> None:
    link, events = opened(), []
    for sent, answer in CASES[name]:
        events += told(link, sent)
        assert link.take_output() == answer
    assert outcome(events) == OUTCOMES[name]
    details = " / ".join(event.detail for event in events if isinstance(event, LinkTroubled))
    assert [words for words in WORDS.get(name, []) if words not in details] == []
    assert any(isinstance(event, LinkHeard) for event in events)
    assert link.wake_at() is None


def test_the_plain_sample_to_the_last_field() -> None:
    events = told(opened(), b"".join(sent for sent, _ in CASES["plain"]))
    (sample,) = [event for event in events if isinstance(event, GlucoseSampled)]
    assert sample == GlucoseSampled(
        sample_id="ABL800 Bay 3:Sample # 42:20261122101455",
        glucose_mg_dl=5.1 * 18.0156,
        drawn_at_ms=None,
        kind=SampleKind.PATIENT,
        source="ABL800 Bay 3",
        raw_value="5.1",
        raw_unit="mmol/L",
        flags=("Arterial",),
    )


def test_the_time_is_taken_from_the_first_result() -> None:
    case = CASES["number_wrap_lactate_first_time_on_first_only"]
    events = told(opened(), b"".join(sent for sent, _ in case))
    (sample,) = [event for event in events if isinstance(event, GlucoseSampled)]
    assert sample.sample_id.endswith(":20261122101455")


def test_stray_bytes_are_counted() -> None:
    link = opened()
    told(link, b"".join(sent for sent, _ in CASES["noise_before_stx"]))
    assert link._wire.noise_bytes == 3


def test_a_profile_with_a_decimal_comma_takes_it() -> None:
    events = told(opened(Rules(comma=True)), b"".join(sent for sent, _ in CASES["decimal_comma"]))
    assert outcome(events)[0] == ["5,1 mmol/L"]


def test_a_correction_in_another_unit_is_a_hard_stop() -> None:
    link = opened()
    told(link, b"".join(sent for sent, _ in CASES["plain"]))
    events = told(link, b"".join(sent for sent, _ in CASES["other_unit_corrected"]))
    assert outcome(events) == HELD
    assert "changed its unit from mmol/L to mg/dL" in str(events)


@pytest.mark.parametrize("name", CASES)
def test_a_case_cut_at_every_byte_says_the_same(name: str) -> None:
    stream = b"".join(sent for sent, _ in CASES[name])
    whole = opened()
    expected, answers = told(whole, stream), whole.take_output()
    assert answers == b"".join(answer for _, answer in CASES[name])
    for cut in range(1, len(stream)):
        link = opened()
        assert told(link, stream[:cut]) + told(link, stream[cut:]) == expected
        assert link.take_output() == answers


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_case_in_pieces_of_1_to_7_bytes_says_the_same(name: str, seed: int) -> None:
    stream = b"".join(sent for sent, _ in CASES[name])
    dice, marks = random.Random(seed), [0]
    while marks[-1] < len(stream):
        marks.append(marks[-1] + dice.randint(1, 7))
    link = opened()
    events = [event for begin, end in pairwise(marks) for event in told(link, stream[begin:end])]
    assert events == told(opened(), stream)
