"""How the ASTM link reads messages: profiles, delimiters, ends, sizes; any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.commands import Role, StopPump
from clampctl.core.events import GlucoseSampled, Trouble
from drivers.analyzers.astm import Astm
from drivers.analyzers.astm_message import CHARACTERS_CAP, RECORDS_CAP
from drivers.analyzers.astm_profiles import PROFILES
from drivers.analyzers.astm_records import delimiters_of, record_of
from tests.drivers.astm_said import DOSES, H, Said, heard, said, samples, transfer, troubles

# --- profiles and records --------------------------------------------------------------------


@pytest.mark.parametrize("name", PROFILES)
def test_each_profile_takes_glucose_by_the_default_code(name: str) -> None:
    assert samples(said(Astm(name), Said(code="^^^GLU^M"))) == DOSES
    assert PROFILES[name].evidence.startswith("UNCONFIRMED") == (name != "radiometer-abl")


def test_codes_are_a_setting_and_profiles_have_names() -> None:
    link = Astm("nova", codes=["Gluc2"])
    assert samples(said(link, Said(code="^^^GLUC2", number="7"))) == DOSES
    assert samples(said(link, Said(number="8"))) == []
    with pytest.raises(ValueError, match="no ASTM profile 'abl'"):
        Astm("abl")


def test_other_delimiters_and_escapes_come_from_the_h_record() -> None:
    header = H.replace("|", "!").replace(r"\^&", "@+$").replace("^", "+")
    records = [one.replace("|", "!").replace("^", "+") for one in Said(tube="A$F$B$S$C$R$D$E$").records[1:]]
    (sample,) = [one for one in heard(Astm(), header, *records) if isinstance(one, GlucoseSampled)]
    assert sample.sample_id == "ABL800 Bay 3:Sample # 42:20261122101455"
    assert record_of(r"O|1|A&F&B&S&C&R&D&E&", r"|\^&").part(3, 1) == r"A|B^C\D&"


@pytest.mark.parametrize("header", ["H", "H|", "H||||", r"H|\^", "H|ABC", "H|^^^", "H \\^&"])
def test_a_message_without_delimiters_is_told_and_nothing_of_it_taken(header: str) -> None:
    assert delimiters_of(header) is None
    events = said(Astm(), Said(header=header))
    assert samples(events) == []
    assert "does not begin as a message should" in troubles(events)[-1][1]


def test_records_outside_of_a_message_are_told() -> None:
    events = heard(Astm(), *Said().records[1:])
    assert samples(events) == []
    assert {trouble for trouble, _ in troubles(events)} == {Trouble.UNEXPECTED}


def test_two_messages_in_one_transfer_and_an_unfinished_one_before_a_good_one() -> None:
    one, two = Said().records, Said(number="Sample #^43", value="5.4").records
    assert [value for value, _ in samples(heard(Astm(), *one, *two))] == ["5.1", "5.4"]
    events = heard(Astm(), *one[:-1], *two)
    assert [value for value, _ in samples(events)] == ["5.4"]
    assert "5.1 mmol/L came in a message that broke off" in troubles(events)[0][1]


def test_an_instruments_comment_above_the_results_counts_for_them() -> None:
    records = Said().records
    for index in (1, 2, 3):
        events = heard(Astm(), *records[:index], "C|1|I|99^Temperature|I", *records[index:])
        assert "came with an analyzer comment (99 Temperature)" in troubles(events)[0][1]
    lactate = records[3].replace("Glu", "Lac")
    events = heard(Astm(), *records[:3], lactate, "C|1|I|99^Bubble|I", *records[3:])
    assert samples(events) == DOSES


def test_a_question_of_the_analyzer_is_acknowledged_and_ignored() -> None:
    events = heard(Astm(), H, "Q|1|PID1^ACN7|||||||||D", "L|1|N")
    assert troubles(events) == []


# --- breaking off, time and size -------------------------------------------------------------


def test_silence_inside_a_message_drops_it_and_tells_what_it_held() -> None:
    link = Astm(silence_ms=15_000)
    link.receive(transfer(*Said().records[:-1], end=b""), 1000)
    assert link.wake_at() == 16_000
    assert link.wake(15_999) == []
    found = troubles(link.wake(16_000))
    assert [trouble for trouble, _ in found] == [Trouble.NO_REPLY, Trouble.REFUSED]
    assert "5.1 mmol/L" in found[1][1]
    assert link.wake_at() is None
    assert samples(said(link, Said())) == DOSES


def test_silence_after_a_whole_message_is_nothing() -> None:
    link = Astm()
    assert samples(link.receive(transfer(*Said().records, end=b""), 0)) == DOSES
    assert link.wake(30_000) == []
    assert link.wake_at() is None


def test_a_new_connection_tells_what_the_old_one_left() -> None:
    link = Astm()
    link.receive(transfer(*Said().records[:-1], end=b""), 0)
    link.opened(2, 50)
    assert link.wake_at() == 50
    assert [trouble for trouble, _ in troubles(link.wake(50))] == [Trouble.REFUSED]
    assert link.take_output() == b""


def test_what_was_taken_before_is_not_held_again_when_it_breaks_off() -> None:
    link = Astm()
    said(link, Said())
    assert troubles(link.receive(transfer(*Said().records[:-1]), 0)) == []


def test_no_order_reaches_an_analyzer() -> None:
    link = Astm()
    link.send(StopPump(Role.ANALYZER, 1), 0)
    assert [trouble for trouble, _ in troubles(link.wake(0))] == [Trouble.UNEXPECTED]
    assert link.take_output() == b""


@pytest.mark.parametrize(
    "filler", [["M|1"] * (RECORDS_CAP + 1), ["C|1|L|" + "x" * 60_000] * 6, ["C|" + "x" * 70_000]]
)
def test_a_message_without_measure_is_acknowledged_told_and_not_taken(filler: list[str]) -> None:
    link = Astm()
    records = Said().records
    events = heard(link, *records[:-1], *filler, records[-1])
    assert samples(events) == []
    assert "is too long to be read" in troubles(events)[-1][1]
    assert b"\x15" not in link.take_output()
    assert link._message._characters <= CHARACTERS_CAP
    assert samples(said(link, Said())) == DOSES


FIELDS = st.text(st.characters(codec="latin-1", exclude_characters="\x02\x03\x04\x05\x17\n\r"), max_size=300)


@given(st.lists(st.tuples(st.sampled_from("HPORCLMQ"), st.lists(FIELDS, max_size=16)), max_size=12))
def test_any_records_never_raise_and_tell_in_short_sentences(rows: list[tuple[str, list[str]]]) -> None:
    link = Astm()
    events = heard(link, H, *("|".join((letter, *fields)) for letter, fields in rows), "L|1|N")
    assert all(len(detail) < 600 for _, detail in troubles(events))


@given(st.lists(st.tuples(st.binary(max_size=90), st.integers(0, 40_000)), max_size=20))
def test_noise_never_raises_and_is_never_a_sample(pieces: list[tuple[bytes, int]]) -> None:
    link, now_ms = Astm(), 0
    link.opened(1, 0)
    for noise, pause_ms in pieces:
        now_ms += pause_ms
        assert samples(link.receive(noise, now_ms) + link.wake(now_ms)) == []
        assert set(link.take_output()) <= {0x06, 0x15}
