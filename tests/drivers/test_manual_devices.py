"""Devices without a wire: a person is the reading."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import (
    LinkHeard,
    LinkTroubled,
    PumpIdentified,
    PumpReported,
    PumpState,
    SampleKind,
    Trouble,
)
from clampctl.units import MG_DL_PER_MMOL_L
from drivers.analyzers.manual import BlindKeying, KeyedValueRefused, Keying, ManualAnalyzer, keyed_glucose
from drivers.link import Expected
from drivers.pumps.manual import ManualPump
from drivers.reading import Rules


def pump() -> ManualPump:
    link = ManualPump(Expected(Role.DEXTROSE))
    link.opened(3, 1000)
    return link


def test_a_manual_pump_identifies_at_once_and_reports_nothing_unconfirmed() -> None:
    link = pump()
    assert link.wake_at() == 1000
    (found,) = link.wake(1000)
    assert isinstance(found, PumpIdentified)
    assert (found.epoch, found.mismatch) == (3, None)
    assert link.wake(3000) == []


def test_an_order_is_shown_until_a_person_confirms_what_the_pump_does() -> None:
    link = pump()
    link.wake(1000)
    link.send(StartPump(Role.DEXTROSE, 120_000, 3), 1500)
    assert link.shown_ul_h == 120_000
    assert link.confirmed(119_000, 2000) == [
        PumpReported(Role.DEXTROSE, 3, PumpState.RUNNING, 119_000, None, None)
    ]
    assert link.shown_ul_h is None


def test_the_confirmed_rate_is_told_again_every_two_seconds() -> None:
    link = pump()
    link.wake(1000)
    told = link.confirmed(0, 2000)
    assert link.wake_at() == 4000
    assert link.wake(3999) == []
    assert link.wake(4000) == told == [PumpReported(Role.DEXTROSE, 3, PumpState.STOPPED, 0, None, None)]
    assert link.wake_at() == 6000


def test_a_stop_is_shown_as_rate_zero() -> None:
    link = pump()
    link.send(SetRate(Role.DEXTROSE, 9000, 3), 1100)
    link.send(StopPump(Role.DEXTROSE, 3), 1200)
    assert link.shown_ul_h == 0


def test_an_order_for_another_connection_is_dropped_and_a_new_connection_clears_the_order() -> None:
    link = pump()
    link.wake(1000)
    link.send(SetRate(Role.DEXTROSE, 9000, 2), 1100)
    (dropped,) = link.wake(1100)
    assert isinstance(dropped, LinkTroubled)
    assert dropped.trouble is Trouble.UNEXPECTED
    link.send(SetRate(Role.DEXTROSE, 9000, 3), 1200)
    link.opened(4, 1300)
    assert link.shown_ul_h is None


def test_a_negative_confirmation_is_impossible() -> None:
    with pytest.raises(ValueError, match="below 0"):
        pump().confirmed(-1, 2000)


@pytest.mark.parametrize(
    ("value", "unit", "glucose_mg_dl"),
    [("5.12", "mmol/L", 5.12 * MG_DL_PER_MMOL_L), (" 92 ", "mg/dL", 92.0), ("90", " mg/dL", 90.0)],
)
def test_a_keyed_value_is_converted_once(value: str, unit: str, glucose_mg_dl: float) -> None:
    sample = keyed_glucose(value, unit, 60_000, "AB", 90_000)
    assert sample.glucose_mg_dl == glucose_mg_dl
    assert (sample.raw_value, sample.raw_unit) == (value.strip(), unit.strip())
    assert (sample.drawn_at_ms, sample.kind, sample.source) == (60_000, SampleKind.PATIENT, "keyed by AB")


@pytest.mark.parametrize(
    ("value", "unit", "drawn_at_ms", "actor", "word"),
    [
        ("5,1", "mmol/L", None, "AB", "comma"),
        ("5.1", "", None, "AB", "unit is missing"),
        ("5.1", "mmol", None, "AB", "not known"),
        ("5.1", "MG/DL", None, "AB", "not known"),
        ("", "mmol/L", None, "AB", "plain number"),
        ("-5", "mmol/L", None, "AB", "plain number"),
        ("5e1", "mmol/L", None, "AB", "plain number"),
        ("nan", "mmol/L", None, "AB", "plain number"),
        ("5.1", "mmol/L", None, " ", "initials"),
        ("5.1", "mmol/L", 90_001, "AB", "future"),
        ("51", "mmol/L", None, "AB", "no decimal"),
        ("92.4", "mg/dL", None, "AB", "whole mg/dL"),
        ("5", "mg/dL", None, "AB", "wrong unit"),
        ("90.0", "mmol/L", None, "AB", "wrong unit"),
        ("?5.1", "mmol/L", None, "AB", "plain number"),
        (">50.0", "mmol/L", None, "AB", "plain number"),
    ],
)
def test_a_doubtful_keyed_value_is_refused(
    value: str, unit: str, drawn_at_ms: int | None, actor: str, word: str
) -> None:
    with pytest.raises(KeyedValueRefused, match=word):
        keyed_glucose(value, unit, drawn_at_ms, actor, 90_000)


def test_the_station_s_rules_hold_for_a_keyed_value() -> None:
    comma = Rules(comma=True, unit="mmol/L", from_whole_blood=True)
    sample = keyed_glucose("5,0", "mmol/L", None, "AB", 0, comma)
    assert sample.glucose_mg_dl == pytest.approx(5.55 * MG_DL_PER_MMOL_L)
    assert "whole blood x 1.11" in sample.flags
    with pytest.raises(KeyedValueRefused, match="not the unit of this run"):
        keyed_glucose("90", "mg/dL", None, "AB", 0, comma)


def test_two_keyings_must_be_equal_and_a_mismatch_clears_both() -> None:
    blind = BlindKeying(always=True)
    assert blind.keyed(Decimal("5.1"), "mmol/L", False) is Keying.AGAIN
    assert blind.keyed(Decimal("5.2"), "mmol/L", False) is Keying.DIFFERENT
    assert not blind.waits
    assert blind.keyed(Decimal("5.2"), "mmol/L", False) is Keying.AGAIN
    assert blind.keyed(Decimal("5.20"), "mmol/L", False) is Keying.TAKEN
    assert blind.keyed(Decimal("90"), "mg/dL", False) is Keying.AGAIN
    assert blind.keyed(Decimal("90"), "mmol/L", False) is Keying.DIFFERENT


@given(st.lists(st.tuples(st.sampled_from(("90", "91", "130")), st.booleans()), max_size=20))
def test_an_unlikely_value_is_never_taken_from_one_keying(keyings: list[tuple[str, bool]]) -> None:
    blind = BlindKeying()
    waiting: str | None = None
    for text, unlikely in keyings:
        found = blind.keyed(Decimal(text), "mg/dL", unlikely)
        assert (found is Keying.TAKEN) == (text == waiting if waiting else not unlikely)
        waiting = text if found is Keying.AGAIN else None
        assert blind.waits == (waiting is not None)


def test_a_jump_is_keyed_twice_and_a_value_near_the_last_once() -> None:
    link = ManualAnalyzer()
    assert len(link.keyed("90", "mg/dL", None, "AB", 1000)) == 1
    assert len(link.keyed("115", "mg/dL", None, "AB", 2000)) == 1
    assert link.keyed("141", "mg/dL", None, "AB", 3000) == []
    with pytest.raises(KeyedValueRefused, match="no decimal"):
        link.keyed("7", "mmol/L", None, "AB", 3500)
    with pytest.raises(KeyedValueRefused, match="differ"):
        link.keyed("114", "mg/dL", None, "AB", 4000)
    assert len(link.keyed("114", "mg/dL", None, "AB", 5000)) == 1
    assert link.keyed("141", "mg/dL", None, "AB", 6000) == []
    assert link.waits
    assert len(link.keyed("141", "mg/dL", None, "AB", 7000)) == 1


def test_every_value_can_be_keyed_twice() -> None:
    link = ManualAnalyzer(always_twice=True)
    assert link.keyed("90", "mg/dL", None, "AB", 1000) == []
    assert len(link.keyed("90", "mg/dL", None, "AB", 2000)) == 1


def test_two_equal_values_keyed_at_different_times_are_two_samples() -> None:
    link = ManualAnalyzer()
    first = link.keyed("5.0", "mmol/L", None, "AB", 1000)
    second = link.keyed("5.0", "mmol/L", None, "AB", 2000)
    assert first != second


def test_the_keypad_is_always_there() -> None:
    link = ManualAnalyzer()
    assert link.wake_at() is None
    link.opened(1, 1000)
    assert link.wake(1000) == [LinkHeard(Role.ANALYZER, "keyed by hand")]
    assert link.wake(5999) == []
    link.send(StopPump(Role.ANALYZER, 1), 5999)
    assert [type(event) for event in link.wake(6000)] == [LinkTroubled, LinkHeard]
    assert link.take_output() == b""
