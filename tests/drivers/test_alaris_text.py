"""Alaris frames and numbers: what is read, what is damage, and that nothing is rounded upward."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.framing import Damage
from drivers.pumps.alaris_text import (
    FRAME_CAP,
    Reply,
    Splitter,
    alarm_words,
    checksum,
    frame,
    held,
    parse,
    parse_rate,
    parse_status,
    rate_text,
    remote_key,
    thousandths,
)

INF = frame("INF^8002-51740^-^SET^3.50^ml/h^^0.004^ml^-50.00^mmHg^24+^EVENT^127904")


def reasons(found: list[Any]) -> list[str]:
    return [item.reason for item in found if isinstance(item, Damage)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"xy" + INF, ["stray bytes"]),
        (b"xy\rz" + INF, ["stray bytes"]),
        (INF[:20] + INF, ["reply cut short"]),
        (INF[:20] + b"\x1b" + INF, ["reply aborted by the pump"]),
        (b"\x1b" + INF, []),
        (INF.replace(b"3.50", b"9.50") + INF, ["bad checksum"]),
        (b"!INF\r" + INF, ["bad checksum"]),
        (b"!|FFFF\r" + INF, []),
        (b"!" + b"a" * 2 * FRAME_CAP + b"\r" + INF, ["reply without end"]),
    ],
)
def test_a_whole_reply_is_found_behind_damage(data: bytes, expected: list[str]) -> None:
    found = Splitter().feed(data, 0)
    assert found[-1] == parse(INF[1:-1])
    assert reasons(found) == expected


def test_a_reply_without_its_end_is_given_up() -> None:
    splitter = Splitter()
    assert splitter.feed(INF[:-1], 0) == []
    assert splitter.expire(499) == []
    assert splitter.expire(500) == [Damage("reply cut short")]
    assert splitter.feed(b"\r", 501) == [Damage("stray bytes")]
    splitter.feed(INF[:30], 1000)
    assert splitter.feed(INF[30:], 1499) == [parse(INF[1:-1])]


@given(st.lists(st.binary(max_size=400), max_size=20))
def test_the_buffer_is_bounded_and_noise_never_raises(chunks: list[bytes]) -> None:
    splitter = Splitter()
    for number, chunk in enumerate(chunks):
        splitter.feed(chunk, number)
        assert len(splitter._buffer) <= FRAME_CAP


@given(st.binary(min_size=0, max_size=60).filter(lambda data: b"!" not in data))
def test_any_text_survives_its_frame(noise: bytes) -> None:
    text = noise.replace(b"\r", b"").replace(b"\x1b", b"")
    data = b"!" + text + b"|" + checksum(text).encode() + b"\r"
    found = Splitter().feed(data, 0)
    assert len(found) == 1
    assert isinstance(found[0], Reply)
    assert "^".join([found[0].name, *found[0].fields]).encode("latin-1") == text


def test_the_key_of_remote_control_is_the_sum_of_the_serial_number() -> None:
    assert remote_key("8002-51740") == "3CC1"
    assert checksum(b"123456789") == "29B1"  # the check value of this CRC


@given(st.integers(0, 9_999_999))
def test_a_rate_is_written_with_two_decimals_and_never_above_what_was_asked(rate_ul_h: int) -> None:
    text = rate_text(rate_ul_h)
    assert len(text.partition(".")[2]) == 2
    assert thousandths(text) == held(rate_ul_h)
    assert rate_ul_h - 10 < held(rate_ul_h) <= rate_ul_h


@pytest.mark.parametrize("rate_ul_h", [-1, 10_000_000])
def test_a_rate_that_cannot_be_written_raises(rate_ul_h: int) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        rate_text(rate_ul_h)


@pytest.mark.parametrize("text", ["", "-1", "1,5", "12345", "1.2345", " 1", "1e3", "٣", "1."])
def test_only_plain_numbers_are_numbers(text: str) -> None:
    assert thousandths(text) is None


def test_a_rate_needs_its_unit() -> None:
    assert parse_rate(Reply("INF_RATE", ("3.50", "ml/h"))) == 3500
    assert parse_rate(Reply("INF_RATE", ("3.50", "mg/h"))) is None
    assert parse_rate(Reply("INF_RATE", ())) is None


@pytest.mark.parametrize(("place", "text"), [(4, "x"), (5, "mg/h"), (7, ""), (8, "l")])
def test_a_status_needs_its_units_and_numbers_where_they_must_stand(place: int, text: str) -> None:
    reply = parse(INF[1:-1])
    assert reply is not None
    assert parse_status(reply) == ("8002-51740", False, "SET", 3500, 4)
    fields = [*reply.fields]
    fields[place - 1] = text
    assert parse_status(Reply("INF", tuple(fields))) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (("AL_NOALM", " ", " "), None),
        (("AL_OCCL", "OCCLUSION", ""), "occlusion (AL_OCCL)"),
        (("AL_VTBIS", "", ""), "AL_VTBIS"),
        (("AL_COMTO", " ", " ", "AL_LWBAT"), "communication failure (AL_COMTO), battery low (AL_LWBAT)"),
        ((), None),
    ],
)
def test_every_alarm_in_a_reply_is_told(fields: tuple[str, ...], words: str | None) -> None:
    assert alarm_words(Reply("ALARM", fields)) == words
