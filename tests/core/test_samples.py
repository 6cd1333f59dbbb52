"""Which glucose values are believed: every verdict, order, duplicates, the moment of the draw."""

from dataclasses import replace

import pytest

from clampctl.core import samples
from clampctl.core.events import GlucoseSampled, SampleKind
from clampctl.core.protocol import Limits
from clampctl.core.state import Blood, Verdict
from tests.core.world import MIN

LIMITS = Limits()
NOW = 60 * MIN


def value(
    glucose: float = 90.0,
    drawn_at_ms: int | None = NOW,
    sample_id: str = "b",
    kind: SampleKind = SampleKind.PATIENT,
) -> GlucoseSampled:
    return GlucoseSampled(sample_id, glucose, drawn_at_ms, kind, "test", str(glucose), "mg/dL", ())


def taken(blood: Blood, event: GlucoseSampled, at_ms: int = NOW) -> Blood:
    return samples.take(blood, event, MIN, LIMITS, at_ms)


def after(glucose: float = 90.0, minutes_ago: float = 5.0) -> Blood:
    """One believed sample, drawn a while before now."""
    drawn_ms = NOW - round(minutes_ago * MIN)
    return taken(Blood(), value(glucose, drawn_ms, "a"), drawn_ms)


@pytest.mark.parametrize(
    ("event", "verdict", "reason"),
    [
        (value(), Verdict.BELIEVED, ""),
        (value(sample_id="a"), Verdict.REFUSED, "already seen"),
        (value(19.9), Verdict.REFUSED, "outside 20 to 600 mg/dL"),
        (value(600.1), Verdict.REFUSED, "outside 20 to 600 mg/dL"),
        (value(float("nan")), Verdict.REFUSED, "outside 20 to 600 mg/dL"),
        (value(drawn_at_ms=NOW + MIN + 1), Verdict.REFUSED, "drawn in the future"),
        (value(drawn_at_ms=NOW + MIN), Verdict.BELIEVED, ""),
        (value(drawn_at_ms=NOW - 5 * MIN), Verdict.REFUSED, "older than the newest sample"),
        (value(drawn_at_ms=NOW - 5 * MIN + 1), Verdict.BELIEVED, ""),
        (value(115.0), Verdict.BELIEVED, ""),
        (value(115.1), Verdict.DOUBTED, "rises too fast: repeat from another site"),
        (value(20.0), Verdict.BELIEVED, ""),
    ],
)
def test_every_verdict(event: GlucoseSampled, verdict: Verdict, reason: str) -> None:
    before = after()
    blood = taken(before, event)
    assert blood.last_arrived is not None
    assert (blood.last_arrived.verdict, blood.last_arrived.reason) == (verdict, reason)
    if verdict is Verdict.REFUSED:
        assert blood.newest is before.newest
        assert blood.seen_ids == before.seen_ids
    else:
        assert blood.newest is blood.last_arrived
        assert blood.before is before.newest


@pytest.mark.parametrize("kind", [kind for kind in SampleKind if kind is not SampleKind.PATIENT])
def test_only_a_patients_value_counts(kind: SampleKind) -> None:
    before = replace(after(), analyzer_lost="gone")
    blood = taken(before, value(kind=kind))
    assert blood == replace(before, analyzer_heard_ms=NOW, analyzer_lost="")


def test_a_first_value_has_nothing_to_be_doubted_by() -> None:
    blood = taken(Blood(), value(400.0))
    assert blood.newest is not None
    assert blood.newest.verdict is Verdict.BELIEVED
    assert samples.believed(blood) is blood.newest
    assert samples.believed(Blood()) is None
    assert samples.age_ms(Blood(), NOW) is None
    assert samples.believed_age_ms(Blood(), NOW) is None


def doubted() -> Blood:
    blood = taken(after(), value(200.0, sample_id="high"))
    assert blood.newest is not None
    assert blood.newest.verdict is Verdict.DOUBTED
    return blood


@pytest.mark.parametrize(
    ("glucose", "seconds", "verdict", "reason"),
    [
        (185.0, 120, Verdict.BELIEVED, "the repeat agrees"),
        (220.0, 180, Verdict.BELIEVED, "the repeat agrees"),
        (200.0, 181, Verdict.DOUBTED, "rises too fast: repeat from another site"),
        (179.0, 120, Verdict.DOUBTED, "rises too fast: repeat from another site"),
        (95.0, 120, Verdict.BELIEVED, ""),
    ],
)
def test_a_repeat_within_three_minutes_settles_a_doubt(
    glucose: float, seconds: int, verdict: Verdict, reason: str
) -> None:
    before = doubted()
    at_ms = NOW + seconds * 1000
    blood = taken(before, value(glucose, at_ms, "repeat"), at_ms)
    assert blood.newest is not None
    assert (blood.newest.verdict, blood.newest.reason) == (verdict, reason)
    assert blood.before is before.before
    assert blood.before is not None
    assert blood.before.sample_id == "a"


def test_age_counts_from_the_draw_and_a_doubted_sample_reassures_nobody() -> None:
    blood = doubted()
    assert samples.age_ms(blood, NOW + MIN) == MIN
    assert samples.believed_age_ms(blood, NOW + MIN) == 6 * MIN
    last = samples.believed(blood)
    assert last is not None
    assert last.sample_id == "a"


def test_a_rise_is_measured_over_a_minute_at_least() -> None:
    blood = taken(after(90.0, minutes_ago=0.1), value(95.0))
    assert blood.newest is not None
    assert blood.newest.verdict is Verdict.BELIEVED
    blood = taken(after(90.0, minutes_ago=0.1), value(95.1))
    assert blood.newest is not None
    assert blood.newest.verdict is Verdict.DOUBTED


@pytest.mark.parametrize(
    ("device_ms", "marked_ms", "drawn_ms"),
    [
        (NOW - 7_000, NOW - 90_000, NOW - 7_000),
        (None, NOW - 90_000, NOW - 90_000),
        (None, NOW - 15 * MIN, NOW - 15 * MIN),
        (None, NOW - 15 * MIN - 1, NOW - MIN),
        (None, None, NOW - MIN),
    ],
)
def test_the_draw_is_the_devices_or_the_marked_or_assumed(
    device_ms: int | None, marked_ms: int | None, drawn_ms: int
) -> None:
    blood = taken(Blood(draw_marked_ms=marked_ms), value(drawn_at_ms=device_ms))
    assert blood.newest is not None
    assert blood.newest.drawn_at_ms == drawn_ms
    assert blood.newest.received_at_ms == NOW
    assert blood.draw_marked_ms is None


def test_a_spent_mark_does_not_refuse_what_comes_after() -> None:
    marked = replace(after(minutes_ago=2.0), draw_marked_ms=NOW - 3 * MIN)
    blood = taken(marked, value(drawn_at_ms=None))
    assert blood.newest is not None
    assert blood.newest.drawn_at_ms == NOW - MIN


def test_a_refused_value_keeps_the_mark() -> None:
    blood = taken(Blood(draw_marked_ms=NOW - MIN), value(5.0, None))
    assert blood.draw_marked_ms == NOW - MIN


def test_seen_ids_are_bounded() -> None:
    blood = Blood()
    for n in range(80):
        blood = taken(blood, value(90.0, n * MIN, f"s{n}"), n * MIN)
    assert len(blood.seen_ids) == samples.SEEN_KEPT
    assert blood.seen_ids[-1] == "s79"
