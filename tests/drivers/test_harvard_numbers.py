"""The Harvard links: settings that cannot be meant, numbers, and any bytes."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clampctl.core.commands import Role, StartPump
from clampctl.core.events import LinkTroubled
from drivers.capabilities import OnSilence
from drivers.framing import Damage
from drivers.link import Expected
from drivers.pumps import harvard_22, harvard_ultra
from drivers.pumps.harvard_22 import Harvard22
from drivers.pumps.harvard_22_text import held_ul_h, number_text
from drivers.pumps.harvard_text import parse_diameter_um, parse_rate, parse_volume, plain, significant
from drivers.pumps.harvard_ultra import HarvardUltra
from drivers.pumps.harvard_ultra_text import CAP, UltraSplitter, parse_reply

# --- settings, numbers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "settings_", "options", "reason"),
    [
        (HarvardUltra, {"role": Role.INSULIN}, {}, "needs a watchdog"),
        (HarvardUltra, {"watchdog_s": 180}, {}, "only the insulin pump"),
        (HarvardUltra, {"role": Role.INSULIN, "watchdog_s": 29}, {}, "30 to 600"),
        (HarvardUltra, {"address": 100}, {}, "0 to 99"),
        (HarvardUltra, {"diameter_um": None}, {}, "diameter"),
        (HarvardUltra, {}, {"rate_unit": "drops"}, "none of"),
        (HarvardUltra, {}, {"read_by": "eye"}, "neither"),
        (Harvard22, {}, {"model": "9"}, "none of"),
        (Harvard22, {"serial": "1"}, {}, "serial number"),
        (Harvard22, {"role": Role.INSULIN, "watchdog_s": 180}, {"model": "33"}, "no volume target"),
        (Harvard22, {"role": Role.INSULIN}, {"model": "2000"}, "needs a watchdog"),
        (Harvard22, {"watchdog_s": 180}, {"model": "2000"}, "only the insulin pump"),
    ],
)
def test_settings_that_cannot_be_meant(make: Any, settings_: Any, options: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make(Expected(**{"role": Role.DEXTROSE, "diameter_um": 26_590, **settings_}), **options)


def test_neither_role_is_called_proven() -> None:
    for family in (harvard_ultra, harvard_22):
        assert set(family.CAPABILITIES.on_silence.values()) == {OnSilence.UNPROVEN}


@given(st.integers(2, 999_999), st.sampled_from(sorted(harvard_ultra.RATE_UNITS)))
def test_a_rate_in_any_unit_reads_back_as_asked_and_never_above(rate_ul_h: int, unit: str) -> None:
    link = HarvardUltra(Expected(Role.DEXTROSE, diameter_um=26_590), rate_unit=unit)
    text = link._pump.dialect.rate_text(rate_ul_h).removeprefix("irate ")
    told = parse_rate(text, 12)
    assert told is not None
    assert told.value <= rate_ul_h
    assert told.nearest == rate_ul_h


@given(st.integers(1, 999_990))
def test_five_digits_are_cut_before_they_are_sent(rate_ul_h: int) -> None:
    held, text = held_ul_h(rate_ul_h), number_text(Decimal(rate_ul_h))
    assert Decimal(text) * 1000 == held <= rate_ul_h
    assert len(text.replace(".", "").strip("0")) <= 5
    assert rate_ul_h - held < (1 if rate_ul_h < 100_000 else 10)


def test_numbers_and_their_units() -> None:
    limit = parse_rate("25.0404 nl/min", 6)
    assert limit is not None
    assert limit.value == Decimal("1.502424")
    assert [parse_rate(text, 6) for text in ("", "1 ul", "1e3 ul/h", "-1 ul/h", "1 ul/day")] == [None] * 5
    volume = parse_volume("1.69023 ml", 6)
    assert volume is not None
    assert (volume.value, volume.quantum) == (Decimal("1690.23"), Decimal("0.01"))
    assert parse_volume("not set", 6) is None
    assert (parse_diameter_um("7.2620 mm"), parse_diameter_um("26.59"), parse_diameter_um("x")) == (
        7262,
        26_590,
        None,
    )
    assert (plain(Decimal("120.00")), plain(Decimal(2000)), plain(significant(Decimal(123_457), 5))) == (
        "120",
        "2000",
        "123450",
    )


# --- any bytes -------------------------------------------------------------------------------


@settings(max_examples=80)
@given(st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 1500)), max_size=25), st.booleans())
def test_noise_never_raises_starts_nothing_and_fills_no_memory(noise: Any, ultra: bool) -> None:
    link = (
        HarvardUltra(Expected(Role.DEXTROSE, diameter_um=26_590))
        if ultra
        else Harvard22(Expected(Role.DEXTROSE, diameter_um=26_590))
    )
    link.opened(1, 0)
    link.send(StartPump(Role.DEXTROSE, 1000, 1), 0)
    now_ms = 0
    for data, pause_ms in noise:
        now_ms += pause_ms
        events = link.receive(data, now_ms) + link.wake(now_ms)
        assert all(isinstance(event, LinkTroubled) for event in events)
        assert b"run" not in link.take_output().lower()
        assert link.wake_at() is not None


@given(st.binary(max_size=3000))
def test_a_reply_without_end_is_one_damage_and_is_forgotten(data: bytes) -> None:
    splitter = UltraSplitter()
    splitter.feed(data, 0)
    assert len(splitter._buffer) <= CAP


@given(st.text(max_size=60), st.booleans())
def test_any_text_is_a_reply_or_damage(text: str, ended: bool) -> None:
    reply = parse_reply(text, "@irate", ended=ended)
    assert isinstance(reply, Damage) or all(line.strip() for line in reply.lines)
