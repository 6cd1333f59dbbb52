"""What may dose, what is history, what is dropped, and what is told."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from clampctl.core.events import GlucoseSampled, LinkTroubled, SampleKind, Trouble
from drivers.intake import REMEMBERED, Intake, Result
from drivers.reading import Rules

ZERO = datetime(2026, 11, 22, 8)
RESULT = Result(("1", "08:00"), "S017", "5.1", "mmol/L", SampleKind.PATIENT, ZERO)


def kinds(events: list[object]) -> list[SampleKind]:
    return [event.kind for event in events if isinstance(event, GlucoseSampled)]


def words(events: list[object]) -> list[str]:
    return [event.detail for event in events if isinstance(event, LinkTroubled)]


def intake(rules: Rules | None = None, zero: datetime | None = None) -> Intake:
    return Intake("abl", rules, zero)


def numbered(number: int, **changes: object) -> Result:
    return replace(RESULT, identity=(str(number),), **changes)  # type: ignore[arg-type]


def test_a_result_keeps_its_raw_text_and_unit() -> None:
    (sample,) = intake().take(replace(RESULT, value=" 5.10", unit="mmol/l "), 0)
    assert isinstance(sample, GlucoseSampled)
    assert (sample.raw_value, sample.raw_unit, sample.sample_id) == ("5.10", "mmol/l", "abl:1:08:00")
    assert sample.glucose_mg_dl == pytest.approx(5.1 * 18.0156)
    assert sample.drawn_at_ms is None


def test_a_repeat_is_dropped_and_an_equal_value_is_not() -> None:
    desk = intake()
    assert kinds([*desk.take(RESULT, 0), *desk.take(RESULT, 1)]) == [SampleKind.PATIENT]
    assert desk.duplicates == 1
    assert kinds(list(desk.take(numbered(2), 2))) == [SampleKind.PATIENT]


def test_a_correction_is_told_and_kept_but_never_doses() -> None:
    desk = intake()
    desk.take(RESULT, 0)
    events = list(desk.take(replace(RESULT, value="5.4"), 1))
    assert kinds(events) == [SampleKind.HISTORY]
    assert "corrected to 5.4 mmol/L, it was 5.1 mmol/L" in words(events)[0]
    events = list(desk.take(numbered(9, corrected=True), 2))
    assert kinds(events) == [SampleKind.HISTORY]
    assert len(words(events)) == 1


def test_a_change_of_unit_is_a_hard_stop_until_it_is_set_back() -> None:
    desk = intake()
    desk.take(RESULT, 0)
    for number in (2, 3):
        events = list(desk.take(numbered(number, value="92", unit="mg/dL"), number))
        assert kinds(events) == []
        assert "changed its unit from mmol/L to mg/dL" in words(events)[0]
    assert kinds(list(desk.take(numbered(4), 4))) == [SampleKind.PATIENT]
    fixed = intake(Rules(unit="mg/dL"))
    assert kinds(list(fixed.take(RESULT, 0))) == []


def test_a_control_in_another_unit_sets_nothing() -> None:
    desk = intake()
    desk.take(replace(RESULT, kind=SampleKind.CONTROL, value="180", unit="mg/dL"), 0)
    assert kinds(list(desk.take(numbered(2), 1))) == [SampleKind.PATIENT]


def test_another_sample_id_is_set_aside() -> None:
    desk = intake(Rules(sample_prefix="S0"))
    assert kinds(list(desk.take(RESULT, 0))) == [SampleKind.PATIENT]
    events = list(desk.take(numbered(2, sample="WARD-9"), 1))
    assert kinds(events) == []
    assert "5.1 mmol/L has a sample ID that is not of this run" in words(events)[0]


@pytest.mark.parametrize("kind", [SampleKind.CONTROL, SampleKind.CALIBRATION, SampleKind.HISTORY])
def test_what_is_no_patient_stays_what_it_is(kind: SampleKind) -> None:
    assert kinds(list(intake().take(replace(RESULT, kind=kind), 0))) == [kind]


def test_whole_blood_is_multiplied_once_and_says_so() -> None:
    (sample,) = intake(Rules(from_whole_blood=True)).take(replace(RESULT, value="80", unit="mg/dL"), 0)
    assert isinstance(sample, GlucoseSampled)
    assert sample.glucose_mg_dl == pytest.approx(88.8)
    assert sample.flags == ("whole blood x 1.11",)
    assert sample.raw_value == "80"


@pytest.mark.parametrize(
    ("minutes", "kind"), [(10, SampleKind.PATIENT), (11, SampleKind.HISTORY), (-11, SampleKind.HISTORY)]
)
def test_an_old_result_is_history(minutes: int, kind: SampleKind) -> None:
    desk = intake(zero=ZERO + timedelta(minutes=minutes - 15))
    events = list(desk.take(RESULT, 900_000))
    assert kinds(events) == [kind]
    assert len(words(events)) == (kind is SampleKind.HISTORY)


def test_a_clock_that_jumps_is_told_once_until_it_is_back() -> None:
    desk = intake(zero=ZERO)
    told = []
    for number in range(12):
        at_ms = number * 300_000
        jump_s = 90 if number in (5, 6, 9) else 20
        measured = ZERO + timedelta(milliseconds=at_ms) - timedelta(seconds=jump_s)
        events = list(desk.take(numbered(number, measured=measured), at_ms))
        assert kinds(events) == [SampleKind.PATIENT]
        told.append(len(words(events)))
    assert told == [0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0]


def test_a_clock_without_seconds_is_given_a_minute_more() -> None:
    desk = intake(zero=ZERO)
    for number, lag_s in enumerate((10, 20, 30, 100, 140)):
        at_ms = number * 300_000
        measured = ZERO + timedelta(milliseconds=at_ms) - timedelta(seconds=lag_s)
        events = list(desk.take(numbered(number, measured=measured, minutes_only=True), at_ms))
        assert bool(words(events)) is (lag_s == 140 + 1)


def test_what_cannot_be_read_is_told_with_its_sample() -> None:
    events = list(intake().take(replace(RESULT, value="?5.1"), 0))
    assert kinds(events) == []
    assert events == [
        LinkTroubled(events[0].role, Trouble.REFUSED, "sample S017: '?5.1' is not a plain number")
    ]  # type: ignore[attr-defined]


def test_memory_is_bounded() -> None:
    desk = intake()
    for number in range(3 * REMEMBERED):
        desk.take(numbered(number), number)
    assert len(desk._known) == REMEMBERED
