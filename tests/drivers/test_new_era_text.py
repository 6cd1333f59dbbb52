"""Numbers of the New Era command set: a table, and promises for every number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.events import PumpState
from drivers.framing import Frame, Framing
from drivers.pumps.new_era import RATE_STEPS, rate_limits_ul_h
from drivers.pumps.new_era_text import (
    STATES,
    fits,
    held,
    number_text,
    parse_infused_ul,
    parse_rate,
    parse_reply,
    parse_version,
    thousandths,
)


@pytest.mark.parametrize(
    ("rate_ul_h", "text"),
    [
        (0, "0.000"),
        (1, "0.001"),
        (999, "0.999"),
        (2500, "2.500"),
        (9999, "9.999"),
        (10_000, "10.00"),
        (12_345, "12.34"),
        (99_999, "99.99"),
        (100_000, "100.0"),
        (120_000, "120.0"),
        (120_099, "120.0"),
        (999_999, "999.9"),
        (1_000_000, "1000"),
        (1_200_999, "1200"),
        (9_999_999, "9999"),
    ],
)
def test_four_digits_rounded_toward_zero(rate_ul_h: int, text: str) -> None:
    assert number_text(rate_ul_h) == text


@pytest.mark.parametrize("rate_ul_h", [-1, 10_000_000])
def test_a_number_that_cannot_be_written_is_refused(rate_ul_h: int) -> None:
    with pytest.raises(ValueError, match=str(rate_ul_h)):
        number_text(rate_ul_h)


@given(st.integers(0, 9_999_999))
def test_what_is_written_reads_back_as_the_next_step_below(rate_ul_h: int) -> None:
    step = next(step for below, step in RATE_STEPS if rate_ul_h < below)
    assert held(rate_ul_h) == rate_ul_h // step * step
    assert held(held(rate_ul_h)) == held(rate_ul_h)
    assert parse_rate(number_text(rate_ul_h) + "MH") == (held(rate_ul_h), "MH")
    assert sum(character.isdigit() for character in number_text(rate_ul_h)) <= 4


@pytest.mark.parametrize(
    ("data", "rate"),
    [
        ("120.0MH", (120_000, "MH")),
        ("2000.UH", (2000, "UH")),
        ("2.000MM", (120_000, "MM")),
        ("205.6UM", (12_336, "UM")),
        ("0.000MH", (0, "MH")),
        ("1200MH", (1_200_000, "MH")),
        ("120.0", None),
        ("120.0XX", None),
        ("12345MH", None),
        ("1234567MH", None),
        ("-1.00MH", None),
        ("1,5MH", None),
        ("", None),
    ],
)
def test_rates_in_every_unit(data: str, rate: tuple[int, str] | None) -> None:
    assert parse_rate(data) == rate


@pytest.mark.parametrize(
    ("data", "infused_ul"),
    [
        ("I12.34W0.000ML", 12_340),
        ("I12.34W0.000UL", 12),
        ("I999.9W1.000ML", 999_900),
        ("I0.000W0.000ML", 0),
        ("I12.34W0.000", None),
        ("12.34", None),
    ],
)
def test_the_volume_unit_is_the_replys_own(data: str, infused_ul: int | None) -> None:
    assert parse_infused_ul(data) == infused_ul


@pytest.mark.parametrize(
    ("diameter_um", "slowest_ul_h", "fastest_ul_h"),
    [
        (14_430, 6.88, 500.5e3),
        (19_050, 11.99, 872.3e3),
        (21_590, 15.39, 1120.4e3),
        (26_590, 23.35, 1699.4e3),
        (29_200, 28.16, 2049.4e3),
        (29_700, 29.13, 2120.2e3),
    ],
)
def test_limits_of_the_manuals_syringes(diameter_um: int, slowest_ul_h: float, fastest_ul_h: float) -> None:
    low, high = rate_limits_ul_h(diameter_um)
    assert low - 1 < slowest_ul_h <= low
    assert high == pytest.approx(fastest_ul_h, abs=60)


@given(st.integers(1000, 80_000))
def test_limits_are_whole_and_ordered(diameter_um: int) -> None:
    low, high = rate_limits_ul_h(diameter_um)
    assert 1 <= low < high
    assert held(high) <= high


def reply(text: str) -> Frame:
    return Frame(text.encode("latin-1"), Framing.SAFE)


@pytest.mark.parametrize(
    "text", ["", "0", "00", "0S", "xxS", "00Z", "00A", "00A?", "00A?RR", "²0S", "\xff\xfe\xfd"]
)
def test_what_is_no_reply_is_none(text: str) -> None:
    assert parse_reply(reply(text)) is None


def test_prompts_data_errors_and_alarms() -> None:
    told = parse_reply(reply("07I120.0MH"))
    assert told is not None
    assert (told.address, STATES[told.prompt], told.data, told.done) == (
        7,
        PumpState.RUNNING,
        "120.0MH",
        True,
    )
    refused = parse_reply(reply("00S?OOR"))
    assert refused is not None
    assert (refused.error, refused.done) == ("?OOR", False)
    unknown = parse_reply(reply("00A?Q"))
    assert unknown is not None
    assert unknown.alarm == "unknown alarm 'Q'"


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("RAT", "00I120.0MH", True),
        ("RAT", "00I", False),
        ("DIS", "00I120.0MH", False),
        ("", "00I", True),
        ("", "00I120.0MH", False),
        ("RUN", "00S120.0MH", False),
        ("RAT120.0", "00S?NA", True),
    ],
)
def test_a_reply_is_matched_by_its_content(question: str, text: str, expected: bool) -> None:
    told = parse_reply(reply(text))
    assert told is not None
    assert fits(question, told) is expected


def test_version_and_numbers() -> None:
    assert parse_version("NE1000X2V3.928") == ("NE1000X2", "3.928")
    assert parse_version("NE1000") is None
    assert [thousandths(text) for text in ("120.0", "2000.", "0.001", "1200")] == [
        120_000,
        2_000_000,
        1,
        1_200_000,
    ]
