"""The intake and the core's judge of samples attacked: clocks, memories, numbers, units, identities."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core import samples
from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkTroubled, SampleKind, Trouble
from clampctl.core.protocol import Limits
from clampctl.core.state import Blood, Verdict
from drivers.intake import LATE, Intake, Result
from drivers.reading import Rules

MIN = 60_000
LAG_MS = 75_000
WALL_ZERO = datetime(2026, 1, 1, 8)


def told(events: Sequence[DeviceEvent]) -> list[str]:
    """What makes an alarm."""
    return [one.detail for one in events if isinstance(one, LinkTroubled) and one.trouble is Trouble.REFUSED]


def patients(events: Sequence[DeviceEvent]) -> list[GlucoseSampled]:
    return [one for one in events if isinstance(one, GlucoseSampled) and one.kind is SampleKind.PATIENT]


# --- one intake: time ------------------------------------------------------------------------


def result(number: int, value: str = "5.1", measured: datetime | None = None, **changes: object) -> Result:
    base = Result((str(number),), f"S{number}", value, "mmol/L", SampleKind.PATIENT, measured)
    return replace(base, **changes)  # type: ignore[arg-type]


def at(at_ms: int) -> datetime:
    return WALL_ZERO + timedelta(milliseconds=at_ms)


def test_a_slow_clock_makes_results_older_until_it_is_known() -> None:
    desk, behind_ms, drawn = Intake("x", wall_zero=WALL_ZERO), 4 * MIN, []
    for number in range(1, 6):
        now_ms = number * 5 * MIN
        (sample,) = desk.take(result(number, measured=at(now_ms - behind_ms)), now_ms)
        assert isinstance(sample, GlucoseSampled)
        drawn.append(sample.drawn_at_ms)
        assert (sample.flags == (LATE,)) is (sample.drawn_at_ms is not None)
    assert drawn == [*(number * 5 * MIN - 5 * MIN for number in (1, 2, 3)), None, None]


def test_a_clock_set_back_is_told_once_and_learned() -> None:
    desk, said = Intake("x", wall_zero=WALL_ZERO), []
    for number in range(1, 10):
        now_ms, behind_ms = number * 5 * MIN, 3 * MIN if number > 4 else 0
        events = desk.take(result(number, measured=at(now_ms - behind_ms)), now_ms)
        (sample,) = patients(events)
        said.append((len(events) - 1, sample.drawn_at_ms is None))
    fresh, late = (0, True), (0, False)
    assert said == [fresh] * 4 + [(1, False)] + [late] * 2 + [fresh] * 2


def test_a_memory_sent_in_a_rush_teaches_no_offset() -> None:
    desk = Intake("x", wall_zero=WALL_ZERO)
    now_ms = 60 * MIN
    desk.opened(now_ms)
    ages = (9, 7, 5, 3)
    for number, minutes in enumerate(ages):
        (sample,) = desk.take(result(number, measured=at(now_ms - minutes * MIN)), now_ms + number * 1000)
        assert isinstance(sample, GlucoseSampled)
        assert sample.drawn_at_ms == now_ms + number * 1000 - (minutes + 1) * MIN - number * 1000


def test_a_result_from_before_the_session_is_history() -> None:
    desk = Intake("x", wall_zero=WALL_ZERO)
    events = desk.take(result(1, measured=WALL_ZERO - timedelta(minutes=5)), MIN)
    assert patients(events) == []
    assert "before the session" in told(events)[0]


@pytest.mark.parametrize("hours", [-1, 1])
def test_summer_time_that_begins_or_ends_is_told_with_each_result(hours: int) -> None:
    desk = Intake("x", wall_zero=WALL_ZERO)
    for number in (1, 2):
        now_ms = number * 5 * MIN + 120 * MIN
        events = desk.take(result(number, measured=at(now_ms + hours * 60 * MIN)), now_ms)
        assert patients(events) == []
        assert f"60 min {'ahead' if hours > 0 else 'old'}" in told(events)[0]


def test_without_a_clock_a_rush_of_results_is_history_and_told() -> None:
    desk = Intake("x", wall_zero=WALL_ZERO)
    desk.opened(0)
    for number in range(12):
        events = desk.take(result(number), number * 100)
        assert patients(events) == []
        assert "came in a rush" in told(events)[0]
    assert len(patients(desk.take(result(99), 90_000))) == 1


@given(
    st.integers(0, 5 * 60),
    st.lists(st.tuples(st.integers(20, 400), st.integers(0, 600), st.booleans()), min_size=1, max_size=25),
)
def test_no_result_that_may_dose_is_dated_much_later_than_it_was_drawn(
    behind_s: int, course: list[tuple[int, int, bool]]
) -> None:
    """Whatever waits in an analyzer whose clock is right or slow, and however the program restarts."""
    desk, now_s = Intake("x", wall_zero=WALL_ZERO), 3600
    for number, (pause_s, waited_s, restart) in enumerate(course):
        now_s += pause_s
        if restart:
            desk = Intake("x", wall_zero=WALL_ZERO)
            desk.opened(now_s * 1000)
        stamped_s = now_s - waited_s - behind_s
        for sample in patients(desk.take(result(number, measured=at(stamped_s * 1000)), now_s * 1000)):
            assumed_ms = now_s * 1000 - LAG_MS
            drawn_ms = assumed_ms if sample.drawn_at_ms is None else sample.drawn_at_ms
            least_wait_s = min(waited for _, waited, _ in course[max(0, number - 3) : number + 1])
            assert drawn_ms <= (now_s - waited_s + least_wait_s) * 1000


# --- one intake: numbers, units, identity ----------------------------------------------------


def test_the_same_number_written_otherwise_is_a_repeat() -> None:
    desk = Intake("x")
    assert len(patients(desk.take(result(1, "5.10"), 0))) == 1
    assert desk.take(result(1, "5.1", unit="MMOL/L"), 1) == []
    assert "corrected" in told(desk.take(result(1, "5.11"), 2))[0]


def test_a_comma_that_was_refused_may_come_again_with_a_point() -> None:
    desk = Intake("x")
    assert told(desk.take(result(1, "5,1"), 0))
    assert told(desk.take(result(1, "5.1"), 1))


@pytest.mark.parametrize(
    "value", ["٥.١", "5٫1", "5.1e1", "5 1", "+5.1", "-5.1", "", ".....", "5.", ".5", "5.1234", "12345", "1_0"]
)
def test_odd_numbers_are_held_and_told(value: str) -> None:
    events = Intake("x").take(result(1, value), 0)
    assert patients(events) == []
    assert len(told(events)) == 1


@pytest.mark.parametrize("unit", ["", "mmol", "mg/l", "g/L", "mmol/kg", "%", "mmol/L mg/dL"])
def test_odd_units_are_held_and_told(unit: str) -> None:
    events = Intake("x").take(result(1, unit=unit), 0)
    assert patients(events) == []
    assert len(told(events)) == 1


@pytest.mark.parametrize(
    "first",
    [
        result(1, "92", unit="mg/dL", sample="WARD-9"),
        result(1, "92", unit="mg/dL", measured=WALL_ZERO - timedelta(days=1)),
        result(1, "?92", unit="mg/dL"),
        result(1, "19", unit="mg/dL"),
    ],
    ids=["another patient", "yesterday", "doubted", "very low"],
)
def test_a_result_that_does_not_dose_sets_no_unit(first: Result) -> None:
    desk = Intake("x", Rules(sample_prefix="S"), WALL_ZERO)
    assert patients(desk.take(first, 0)) == []
    assert len(patients(desk.take(result(2), 60_000))) == 1


@pytest.mark.parametrize("patient", ["T900", ""])
def test_another_patients_result_is_held_whatever_the_prefix(patient: str) -> None:
    desk = Intake("x")
    assert len(patients(desk.take(result(1, patient="S017"), 0))) == 1
    events = desk.take(result(2, patient=patient), 60_000)
    assert patients(events) == []
    assert "this session's is 'S017'" in told(events)[0]
    assert len(patients(desk.take(result(3, patient="S017"), 120_000))) == 1


# --- what the core refuses is told -----------------------------------------------------------


def arrived(blood: Blood, number: str, value: float, now_ms: int) -> Blood:
    sample = GlucoseSampled(number, value, None, SampleKind.PATIENT, "line", f"{value}", "mg/dL", ())
    return samples.take(blood, sample, LAG_MS, Limits(), now_ms)


def test_numbers_that_begin_again_after_a_power_cut_are_told() -> None:
    blood = arrived(Blood(), "line:1:", 90.0, 10 * MIN)
    blood = arrived(blood, "line:1:", 97.0, 60 * MIN)
    assert blood.newest is not None
    assert blood.newest.glucose_mg_dl == 90.0
    assert blood.analyzer_held == "97.0 mg/dL already seen"
    assert arrived(blood, "line:2:", 97.0, 61 * MIN).analyzer_held == ""


def test_the_lowest_of_lows_is_told_not_swallowed() -> None:
    (sample,) = patients(Intake("x").take(result(1, "1.0"), 0))
    blood = samples.take(Blood(), sample, LAG_MS, Limits(), 10 * MIN)
    assert blood.newest is None
    assert blood.analyzer_held == "1.0 mmol/L outside 20 to 600 mg/dL"


def test_an_old_result_leaves_the_mark_of_the_next_draw() -> None:
    blood = replace(Blood(), draw_marked_ms=20 * MIN)
    late = GlucoseSampled("a", 90.0, 15 * MIN, SampleKind.PATIENT, "x", "90", "mg/dL", (LATE,))
    blood = samples.take(blood, late, LAG_MS, Limits(), 20 * MIN + 5000)
    blood = arrived(blood, "b", 95.0, 23 * MIN)
    assert blood.newest is not None
    assert (blood.newest.drawn_at_ms, blood.newest.verdict) == (20 * MIN, Verdict.BELIEVED)
    assert blood.draw_marked_ms is None
