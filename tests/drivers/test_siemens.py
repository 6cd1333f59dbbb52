"""The Siemens link beyond its transcript: asking, states, strictness, frames."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.commands import Role, StopPump
from clampctl.core.events import LinkHeard, LinkLost, SampleKind, Trouble
from clampctl.units import MG_DL_PER_MMOL_L
from drivers.analyzers.siemens import WANTED_MAX, Siemens
from drivers.analyzers.siemens_frame import FRAME_MAX, Element, FrameSplitter, Message, message_frame
from drivers.framing import Damage
from drivers.reading import Rules
from tests.drivers.siemens_bytes import (
    ACK,
    CASES,
    DATA,
    announced,
    asked,
    data,
    heard,
    opened,
    samples,
    told,
    troubles,
)

# --- asking ----------------------------------------------------------------------------------


def test_a_request_is_repeated_once_and_then_given_up() -> None:
    link = opened(Siemens(retry_ms=1000))
    link.receive(announced(), 0)
    assert link.take_output() == ACK + asked()
    assert link.wake_at() == 1000
    assert link.wake(999) == []
    assert link.take_output() == b""
    assert link.wake(1000) == []
    assert link.take_output() == asked()
    lost = link.wake(2000)
    assert troubles(lost) == [Trouble.NO_REPLY]
    assert "result 4 was announced" in told(lost)
    assert lost[-1] == LinkLost(Role.ANALYZER, "analyzer silent")
    assert (link.take_output(), link.wake_at()) == (b"", None)


def test_an_acknowledged_request_gets_its_full_time() -> None:
    link = opened(Siemens(retry_ms=1000))
    link.receive(announced(), 0)
    link.receive(ACK, 900)
    assert link.wake_at() == 1900


def test_a_request_waits_while_a_frame_is_coming_in() -> None:
    link = opened(Siemens(retry_ms=1000, gap_ms=5000))
    link.receive(announced(), 0)
    link.take_output()
    link.receive(data()[:20], 900)
    assert link.wake(1000) == []
    assert link.take_output() == b""
    assert len(samples(link.receive(data()[20:], 1100))) == 1
    assert link.wake_at() is None


def test_announced_results_are_asked_for_one_by_one() -> None:
    link = opened()
    link.receive(announced("4") + announced("5") + announced("4"), 0)
    assert link.take_output() == ACK + asked("4") + ACK + ACK
    link.receive(data(), 10)
    assert link.take_output() == ACK + asked("5")
    link.receive(data(rSEQ="5"), 20)
    assert (link.take_output(), link.wake_at()) == (ACK, None)


def test_what_was_announced_before_a_reconnection_is_asked_for_again() -> None:
    link = opened()
    link.receive(announced(), 0)
    link.take_output()
    link.opened(2, 60_000)
    assert link.take_output() == asked()
    assert link.wake_at() == 65_000


def test_another_result_than_the_one_asked_for_is_told_and_taken() -> None:
    link = opened()
    link.receive(announced("4"), 0)
    events = link.receive(data(rSEQ="5"), 10)
    assert troubles(events) == [Trouble.UNEXPECTED]
    assert [sample.sample_id for sample in samples(events)] == ["siemens:45064:SMP:5:22Nov26:10:14"]
    assert link.wake_at() == 5000


def test_endless_announcements_are_bounded() -> None:
    link = opened()
    events = heard(link, *(announced(str(number)) for number in range(WANTED_MAX + 3)))
    assert troubles(events) == [Trouble.NO_REPLY] * 3
    assert len(link._wanted) == WANTED_MAX


def test_an_announcement_without_a_number_is_told() -> None:
    events = heard(opened(), message_frame(Message("SMP_NEW_AV", (Element("aMOD", "0500"),))))
    assert troubles(events) == [Trouble.REFUSED]


# --- what is no patient's result -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [("QC_NEW_DATA", SampleKind.CONTROL), ("CAL_NEW_DATA", SampleKind.CALIBRATION)],
)
def test_controls_and_calibrations_are_never_a_patient(name: str, kind: SampleKind) -> None:
    link = opened()
    events = heard(link, data(name, rTYPE="QC"), data())
    assert [sample.kind for sample in samples(events)] == [kind, SampleKind.PATIENT]
    assert troubles(events) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SYS_READY", "ready"),
        ("SYS_NOT_READY", "not ready"),
        ("SYS_MEASURING", "measuring"),
        ("SMP_START", "measuring"),
        ("SMP_ABORT", "run aborted"),
        ("CAL_START", "calibrating"),
        ("QC_NEW_AV", "control"),
        ("SYS_SOMETHING", "said SYS_SOMETHING"),
    ],
)
def test_states_are_words_and_are_acknowledged(name: str, said: str) -> None:
    link = opened()
    events = heard(link, message_frame(Message(name)))
    assert events == [LinkHeard(Role.ANALYZER, said)]
    assert link.take_output() == ACK


# --- strictness ------------------------------------------------------------------------------

REFUSED = {
    "another type": (data(rTYPE="QC"), "is of type 'QC'"),
    "no type": (data(rTYPE=None), "is of type ''"),
    "no number": (data(rSEQ=None), "without a running number"),
    "no glucose": (data(mGlu=None), "has 0 values mGlu"),
    "no date": (data(rDATE=None), "no readable time"),
    "a date of another order": (data(rDATE="11/22/26"), "no readable time"),
    "a month that is none": (data(rDATE="22Nob26"), "no readable time"),
    "a day that is none": (data(rDATE="31Nov26"), "no readable time"),
    "a time that is none": (data(rTIME="25:14"), "no readable time"),
    "comma": (data(mGlu="5,1"), "'5,1' is not a plain number"),
    "qualifier": (data(mGlu=">55.0"), "'>55.0' is not a plain number"),
    "blank": (data(mGlu=""), "'' is not a plain number"),
    "unit": (data(mGlu=Element("mGlu", "5.1", "g/L")), "unit 'g/L'"),
    "wrong unit": (data(mGlu=Element("mGlu", "5.1", "mg/dL")), "wrong unit?"),
    "two glucoses": (
        message_frame(replace(DATA, elements=(*DATA.elements, Element("mGlu", "6.1", "mmol/L")))),
        "has 2 values mGlu",
    ),
}


@pytest.mark.parametrize("frame", [row[0] for row in REFUSED.values()], ids=list(REFUSED))
def test_what_is_not_plainly_a_result_is_told_and_not_sampled(frame: bytes) -> None:
    link = opened()
    events = heard(link, frame)
    assert samples(events) == []
    assert troubles(events) == [Trouble.REFUSED]
    assert any(frame is row[0] and row[1] in told(events) for row in REFUSED.values())
    assert link.take_output() == ACK


def test_the_rules_of_the_station_are_kept() -> None:
    rules = Rules(comma=True, unit="mmol/L", from_whole_blood=True, sample_prefix="S0")
    link = opened(Siemens(rules=rules))
    (sample,) = samples(heard(link, data(mGlu="5,0")))
    assert sample.glucose_mg_dl == pytest.approx(5.55 * MG_DL_PER_MMOL_L)
    assert troubles(heard(link, data(rSEQ="5", iPID="T1"))) == [Trouble.REFUSED]
    assert troubles(heard(link, data(rSEQ="6", iPID=None))) == [Trouble.REFUSED]


def test_another_glucose_key_and_type_are_settings() -> None:
    link = opened(Siemens(glucose_key="cGlu", patient_type="ARTERIAL"))
    frame = data(rTYPE="ARTERIAL", mGlu=Element("cGlu", "5.0", "mmol/L"))
    assert len(samples(heard(link, frame))) == 1


def test_results_of_two_analyzers_are_not_mixed() -> None:
    link = opened()
    events = heard(link, data(), data(rSEQ="5", iIID="45065"), data(rSEQ="6"))
    assert len(samples(events)) == 2
    assert "analyzer '45065', expected '45064'" in told(events)
    assert samples(heard(opened(Siemens(serial="45065")), data())) == []


def test_an_exception_that_is_lifted_later_is_a_correction() -> None:
    held = Element("mGlu", "5.1", "mmol/L", ("EXC1",))
    link = opened()
    events = heard(link, data(mGlu=held), data(), data(mGlu=held))
    assert [sample.kind for sample in samples(events)] == [SampleKind.HISTORY]
    assert "it was 5.1 mmol/L (exception EXC1)" in told(events)


def test_a_correction_of_a_result_that_was_never_seen_is_no_sample_and_told_once() -> None:
    edited = data("SMP_EDIT_DATA", mGlu=Element("mGlu", "5.3", "mmol/L"))
    events = heard(opened(), edited, edited)
    assert [sample.kind for sample in samples(events)] == [SampleKind.HISTORY]
    assert troubles(events) == [Trouble.REFUSED]


def test_an_exception_of_a_control_is_no_alarm() -> None:
    held = Element("mGlu", "5.1", "mmol/L", ("EXC1",))
    events = heard(opened(), data("QC_NEW_DATA", mGlu=held))
    assert samples(events) == []
    assert troubles(events) == [Trouble.UNEXPECTED]


def test_an_old_result_is_history_by_the_analyzers_clock() -> None:
    link = opened(Siemens(wall_zero=datetime(2026, 11, 22, 10, 30)))
    events = heard(link, data(), data(rSEQ="5", rTIME="10:29"))
    assert [sample.kind for sample in samples(events)] == [SampleKind.HISTORY, SampleKind.PATIENT]


def test_equal_values_in_one_minute_are_two_samples_by_their_numbers() -> None:
    assert len(samples(heard(opened(), data(), data(rSEQ="5"), data()))) == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda: Siemens(glucose_key=""),
        lambda: Siemens(patient_type=""),
        lambda: Siemens(retry_ms=0),
        lambda: Siemens(gap_ms=-1),
    ],
)
def test_settings_that_cannot_work_are_refused(make: Callable[[], Siemens]) -> None:
    with pytest.raises(ValueError, match=r"needs the key|above 0"):
        make()


def test_no_order_reaches_an_analyzer() -> None:
    link = opened()
    link.send(StopPump(Role.ANALYZER, 1), 0)
    assert troubles(link.wake(0)) == [Trouble.UNEXPECTED]
    assert link.take_output() == b""


# --- frames ----------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(len(data())))
def test_a_flipped_bit_anywhere_is_never_another_value(at: int) -> None:
    frame = data()
    damaged = frame[:at] + bytes((frame[at] ^ 1,)) + frame[at + 1 :]
    link = opened()
    events = heard(link, damaged) + link.wake(60_000)
    assert [sample.raw_value for sample in samples(events)] in ([], ["5.1"])
    assert troubles(events) or samples(events)
    assert len(samples(heard(link, frame, now_ms=60_000))) + len(samples(events)) == 1


def test_a_checksum_in_small_letters_holds() -> None:
    sent = CASES["two_exceptions"][-1][0]
    assert sent[-3:] == b"D0\x04"
    assert troubles(heard(opened(), sent[:-3] + b"d0\x04")) == [Trouble.REFUSED]


def test_a_half_frame_is_given_up_after_a_silence() -> None:
    link = opened(Siemens(gap_ms=2000))
    assert link.receive(data()[:30], 100) == []
    assert link.wake_at() == 2100
    assert troubles(link.wake(2100)) == [Trouble.BAD_FRAME]
    assert link.wake_at() is None
    assert len(samples(link.receive(data(), 3000))) == 1


def test_a_half_frame_does_not_swallow_the_next() -> None:
    events = heard(opened(), data()[:30], data())
    assert troubles(events) == [Trouble.BAD_FRAME]
    assert len(samples(events)) == 1


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        b"x",
        b"SMP_NEW_DATA",
        b"SMP_NEW_DATA\x1c\x1ea\x1db\x1c\x1e",
        b"SYS_READY\x1c\x1ea\x1db\x1d\x1d\x1dx\x1c\x1e",
        b"smp\x1c\x1e",
        b"SYS\x1c\x1e\x1ex",
    ],
)
def test_a_sound_frame_without_a_message_is_acknowledged_and_told(inside: bytes) -> None:
    checked = b"\x02" + inside + b"\x03"
    link = opened()
    assert troubles(heard(link, checked + b"%02X" % (sum(checked) % 256) + b"\x04")) == [Trouble.REFUSED]
    assert link.take_output() == ACK


def test_one_or_two_record_marks_end_an_empty_message() -> None:
    for inside in (b"SYS_READY\x1c\x1e", b"SYS_READY\x1c\x1e\x1e"):
        checked = b"\x02" + inside + b"\x03"
        events = heard(opened(), checked + b"%02X" % (sum(checked) % 256) + b"\x04")
        assert events == [LinkHeard(Role.ANALYZER, "ready")]


def test_a_frame_without_end_is_dropped_once() -> None:
    splitter = FrameSplitter()
    found = splitter.feed(b"\x02" + b"x" * (3 * FRAME_MAX))
    assert found == [Damage("frame without end")]
    assert not splitter.half


@given(st.lists(st.tuples(st.binary(max_size=200), st.integers(0, 9000)), max_size=20))
def test_noise_never_raises_and_is_never_a_sample(pieces: list[tuple[bytes, int]]) -> None:
    link, now_ms = opened(), 0
    for noise, pause_ms in pieces:
        now_ms += pause_ms
        assert samples(link.receive(noise, now_ms) + link.wake(now_ms)) == []
    assert len(link._frames._buffer) < FRAME_MAX
