"""The Biosen link beyond its transcript: channels, ends of records, strictness, any bytes."""

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.commands import Role, StopPump
from clampctl.core.events import SampleKind, Trouble
from clampctl.units import MG_DL_PER_MMOL_L
from drivers.analyzers.biosen import TRANSMISSION_MAX, Biosen
from drivers.reading import Rules
from tests.drivers.biosen_bytes import CASES, glucose_link, heard, opened, record, samples, told, troubles

# --- channels --------------------------------------------------------------------------------


def test_without_a_channel_for_glucose_nothing_is_a_sample() -> None:
    for case, transmissions in CASES.items():
        events = heard(opened(Biosen()), *transmissions)
        assert samples(events) == [], case
    events = heard(opened(Biosen()), record())
    assert troubles(events) == [Trouble.REFUSED]
    assert "sample 007: 5.12 mmol/l, channel 001, and glucose_channel is not set up" in told(events)


def test_a_channel_known_to_be_another_analyte_is_passed_over() -> None:
    link = opened(Biosen(glucose_channel="001", other_channels="002, 003"))
    events = heard(link, record(channel="002"), record(channel="003"), record())
    assert len(samples(events)) == 1
    assert troubles(events) == []


# --- the end of a record ---------------------------------------------------------------------


def test_silence_ends_a_record_and_an_early_wake_does_nothing() -> None:
    link = glucose_link()
    assert link.wake_at() is None
    assert link.receive(record(), 1000) == []
    assert link.wake_at() == 1300
    assert link.wake(1299) == []
    assert len(samples(link.wake(1300))) == 1
    assert link.wake_at() is None


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_line_end_ends_a_record_at_once(end: bytes) -> None:
    link = glucose_link()
    assert len(samples(link.receive(record() + end, 0))) == 1
    assert link.wake_at() is None


def test_a_silence_that_nobody_woke_for_is_seen_at_the_next_byte() -> None:
    link = glucose_link()
    link.receive(record()[:30], 0)
    events = link.receive(record(), 400) + link.wake(700)
    assert troubles(events) == [Trouble.REFUSED]
    assert len(samples(events)) == 1


def test_half_a_record_is_forgotten_on_a_new_connection() -> None:
    link = glucose_link()
    link.receive(record()[:30], 0)
    assert len(samples(heard(opened(link), record()))) == 1


def test_what_follows_the_unit_holds_the_result_until_it_is_known() -> None:
    events = heard(glucose_link(), record() + b"E1")
    assert samples(events) == []
    assert (
        told(events) == "sample 007: 5.12 mmol/l (followed by 'E1', meaning unknown) is held: measure again"
    )
    known = opened(Biosen(glucose_channel="001", tail=r"\x03[0-9A-F]{2}|"))
    assert len(samples(heard(known, record() + b"\x03A7", record("008")))) == 2
    assert troubles(heard(known, record("009") + b"\x03G7")) == [Trouble.REFUSED]


def test_what_follows_the_unit_is_seen_before_another_record_too() -> None:
    events = heard(glucose_link(), record() + b"E1" + record("008"))
    assert [sample.sample_id[-3:] for sample in samples(events)] == ["008"]
    assert troubles(events) == [Trouble.REFUSED]


def test_blanks_after_the_unit_mean_nothing() -> None:
    assert len(samples(heard(glucose_link(), record() + b"   "))) == 1


def test_a_held_result_that_comes_clean_later_is_a_correction() -> None:
    link = glucose_link()
    events = heard(link, record() + b"E1\r", record() + b"\r")
    assert [sample.kind for sample in samples(events)] == [SampleKind.HISTORY]
    assert "it was 5.12 mmol/l (followed by 'E1'" in told(events)


# --- strictness ------------------------------------------------------------------------------

REFUSED = {
    "comma": (record(result="5,12"), "'5,12' is not a plain number"),
    "qualifier": (record(result=">50.0"), "'>50.0' is not a number"),
    "doubt": (record(result="?5.12"), "'?5.12' is not a number"),
    "dots": (record(result="....."), "'.....' is not a number"),
    "blank": (record(result=""), "'' is not a number"),
    "one decimal": (record(result="5.1"), "'5.1' is not a number"),
    "shifted": (record(result=" 5.12"), "'5.12' is not a number"),
    "no such day": (record(at="31.11.2610:14"), "is no time"),
    "no such minute": (record(at="22.11.2625:14"), "is no time"),
    "month first": (record(at="11.22.2610:14"), "is no time"),
    "wrong unit?": (record(unit=" mg/dl"), "wrong unit?"),
    "another preamble": (record(start="\x05BIOS01"), "not the preamble"),
    "no device": (record(start=""), "not the preamble"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_plainly_a_result_is_told_and_not_sampled(case: str) -> None:
    sent, sentence = REFUSED[case]
    events = heard(glucose_link(), sent)
    assert samples(events) == []
    assert Trouble.REFUSED in troubles(events)
    assert sentence in told(events)


def test_a_control_that_cannot_be_read_is_no_alarm() -> None:
    events = heard(glucose_link(), record(own_type="Q", result="....."))
    assert troubles(events) == [Trouble.UNEXPECTED]


def test_the_rules_of_the_station_are_kept() -> None:
    rules = Rules(comma=True, unit="mmol/L", from_whole_blood=True, sample_prefix="S0")
    link = opened(Biosen(rules=rules, glucose_channel="001"))
    (sample,) = samples(heard(link, record("S017", "5,00")))
    assert sample.glucose_mg_dl == pytest.approx(5.55 * MG_DL_PER_MMOL_L)
    assert troubles(heard(link, record("T017"))) == [Trouble.REFUSED]
    assert troubles(heard(link, record("S018", "92.30", " mg/dl"))) == [Trouble.REFUSED]


def test_results_of_two_analyzers_are_not_mixed() -> None:
    link = glucose_link()
    events = heard(link, record() + b"\r", record("008", start="\x02BIOS02"))
    assert len(samples(events)) == 1
    assert "sent by BIOS02, expected BIOS01" in told(events)
    other = opened(Biosen(glucose_channel="001", device="BIOS02", preamble="##"))
    assert len(samples(heard(other, record(start="##BIOS02")))) == 1


def test_the_same_number_with_another_value_is_a_correction() -> None:
    events = heard(glucose_link(), record(), record(result="5.32"))
    assert [sample.kind for sample in samples(events)] == [SampleKind.PATIENT, SampleKind.HISTORY]
    assert "corrected to 5.32 mmol/l, it was 5.12 mmol/l" in told(events)


def test_an_old_result_is_history_by_the_analyzers_clock() -> None:
    link = opened(Biosen(glucose_channel="001", wall_zero=datetime(2026, 11, 22, 10, 30)))
    events = heard(link, record(), record("008", at="22.11.2610:29"))
    assert [sample.kind for sample in samples(events)] == [SampleKind.HISTORY, SampleKind.PATIENT]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Biosen(preamble=""),
        lambda: Biosen(preamble="12345"),
        lambda: Biosen(preamble="µ"),
        lambda: Biosen(silence_ms=0),
        lambda: Biosen(tail="("),
        lambda: Biosen(glucose_channel="001", other_channels="002,001"),
    ],
)
def test_settings_that_cannot_work_are_refused(make: Callable[[], Biosen]) -> None:
    with pytest.raises(ValueError, match=r"preamble|above 0|tail|001"):
        make()


def test_nothing_is_ever_sent() -> None:
    link = glucose_link()
    heard(link, *CASES["stat_sample"])
    link.send(StopPump(Role.ANALYZER, 1), 0)
    assert troubles(link.wake(0)) == [Trouble.UNEXPECTED]
    assert link.take_output() == b""


# --- any bytes -------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(len(record())))
def test_a_flipped_bit_outside_the_number_and_the_names_is_never_a_sample(at: int) -> None:
    """There is no checksum: names, date and digits that turn into others of their kind are not seen."""
    sent = record()
    damaged = sent[:at] + bytes((sent[at] ^ 0x80,)) + sent[at + 1 :]
    events = heard(glucose_link(), damaged)
    assert samples(events) == []
    assert troubles(events)


def test_a_transmission_without_end_is_bounded_and_told() -> None:
    link = glucose_link()
    events = heard(link, b"x" * (3 * TRANSMISSION_MAX))
    assert troubles(events) == [Trouble.REFUSED] * 3
    assert "and 4036 more" in told(events)
    assert len(link._sent) == 0


def test_a_memory_dump_longer_than_a_transmission_is_cut_the_same_way_everywhere() -> None:
    stream = b"".join(record(f"{number:03d}") for number in range(200))
    whole = heard(glucose_link(), stream)
    assert 190 <= len(samples(whole)) <= 199
    assert Trouble.REFUSED in troubles(whole)
    assert heard(glucose_link(), *(stream[at : at + 7] for at in range(0, len(stream), 7))) == whole


@given(st.lists(st.tuples(st.binary(max_size=200), st.integers(0, 400)), max_size=20))
def test_noise_never_raises_and_is_never_a_sample(pieces: list[tuple[bytes, int]]) -> None:
    link, now_ms = glucose_link(), 0
    for noise, pause_ms in pieces:
        now_ms += pause_ms
        assert samples(link.receive(noise, now_ms) + link.wake(now_ms)) == []
        assert link.take_output() == b""
    assert len(link._sent) < TRANSMISSION_MAX


@given(st.binary(max_size=120), st.binary(max_size=120))
def test_noise_around_a_record_never_makes_another_value_of_it(before: bytes, after: bytes) -> None:
    events = heard(glucose_link(), before + record() + after)
    assert {sample.raw_value for sample in samples(events)} <= {"5.12"}
