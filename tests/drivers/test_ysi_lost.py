"""A YSI result that is lost or damaged on the wire is asked again by its number."""

from datetime import datetime
from typing import Any

import pytest

from clampctl.core.events import GlucoseSampled, LinkTroubled, SampleKind, Trouble
from drivers.analyzers.ysi import Ysi
from drivers.analyzers.ysi_lost import Lost

RS, RS1, RS2, ACCEPTED = b"RS\r", b"RS1\r", b"RS2\r", b"A\r\n"
NOTHING = ACCEPTED + f"10:14:50 11/22/26 37.01{42:14d} NONE".ljust(66).encode() + b"\r\n"


def samples(events: list[Any]) -> list[GlucoseSampled]:
    return [event for event in events if isinstance(event, GlucoseSampled)]


def troubles(events: list[Any]) -> list[Trouble]:
    return [event.trouble for event in events if isinstance(event, LinkTroubled)]


def at_time(clock: str, sample: str, value: str = "5.12", chemistry: str = "DEX") -> bytes:
    """A line by the column table of the manual."""
    line = f"{clock} 11/22/26 37.01     {sample:>9} {chemistry:4} {value:>8} mmol/L   0000 "
    return ACCEPTED + line.encode() + b"\r\n"


@pytest.fixture
def known(peer: Any) -> Any:
    """Drained; sample 42 of 10:14:55 is known, and nothing new is told by a line."""
    told = peer(Ysi(), [(RS, at_time("10:14:55", "42")), (RS, NOTHING)]).open()
    told.run(5000)
    return told


@pytest.mark.parametrize("lost", [None, ACCEPTED, ACCEPTED + b"10:20:0", ACCEPTED + b"x" * 66 + b"\r\n"])
def test_a_result_lost_on_the_wire_is_asked_again_by_number(known: Any, lost: bytes | None) -> None:
    """It counts as sent, so RS tells nothing new."""
    again = [] if lost == ACCEPTED else [(RS, NOTHING)]
    known.add((RS, lost), *again, (RS1, at_time("10:20:00", "43", "6.00")), (RS, NOTHING))
    (sample,) = samples(known.run())
    assert (sample.sample_id[9:11], sample.raw_value, sample.kind) == ("43", "6.00", SampleKind.PATIENT)
    assert known.script == []


def test_two_lost_results_are_both_found(known: Any) -> None:
    known.add((RS, ACCEPTED + b"x\r\n"), (RS, None), (RS, NOTHING))
    known.add((RS1, at_time("10:25:00", "44")), (RS2, at_time("10:20:00", "43")), (RS, NOTHING))
    found = [(sample.sample_id[9:11], sample.kind) for sample in samples(known.run())]
    assert found == [("44", SampleKind.PATIENT), ("43", SampleKind.HISTORY)]


@pytest.mark.parametrize("clock", ["09:00:00", "10:14:55"])
def test_an_old_result_under_that_number_is_history(known: Any, clock: str) -> None:
    known.add((RS, None), (RS, NOTHING), (RS1, at_time(clock, "1")), (RS, NOTHING))
    events = known.run()
    assert [sample.kind for sample in samples(events)] == [SampleKind.HISTORY]
    assert troubles(events) == [Trouble.UNEXPECTED]
    assert "key it in" in next(event.detail for event in events if isinstance(event, LinkTroubled))


def test_the_wall_clock_at_opening_parts_old_from_new(peer: Any) -> None:
    link = Ysi(wall_zero=datetime(2026, 11, 22, 10, 10))
    told = peer(link, [(RS, NOTHING), (RS, None), (RS, NOTHING), (RS1, at_time("10:10:02", "7"))]).open()
    assert [sample.kind for sample in samples(told.run())] == [SampleKind.PATIENT]


def test_an_analyzer_that_cannot_ask_again_is_told(known: Any) -> None:
    known.add((RS, None), (RS, NOTHING), (RS1, b"1\r\n"), (RS, NOTHING))
    (told,) = [event for event in known.run() if isinstance(event, LinkTroubled)]
    assert "key it in" in told.detail


def test_a_busy_analyzer_is_asked_again_by_number_later(known: Any) -> None:
    known.add((RS, None), (RS, b"2\r\n"), (RS, NOTHING), (RS1, b"2\r\n"))
    known.add((RS, NOTHING), (RS1, at_time("10:20:00", "43")), (RS, NOTHING))
    assert len(samples(known.run())) == 1


def test_a_result_asked_for_when_the_cable_was_pulled_is_history(known: Any) -> None:
    known.link.wake(5000 + known.now_ms)
    known.link.take_output()
    known.open(epoch=2)
    known.add((RS, NOTHING), (RS1, at_time("10:20:00", "43")), (RS, NOTHING))
    assert [sample.kind for sample in samples(known.run())] == [SampleKind.HISTORY]


def test_a_damaged_chemistry_name_loses_no_result(known: Any) -> None:
    known.add(
        (RS, at_time("10:20:00", "43", chemistry="DDX")), (RS1, at_time("10:20:00", "43")), (RS, NOTHING)
    )
    events = known.run()
    assert [sample.kind for sample in samples(events)] == [SampleKind.PATIENT]
    assert "chemistry 'DDX' is not known" in events[0].detail


def test_nothing_is_asked_further_back_than_nine() -> None:
    lost = Lost()
    for _ in range(30):
        lost.reply_lost()
        lost.result_came()
    asked, query = [], "RS"
    while (following := lost.after(query)) is not None:
        asked.append(following)
        query = following
    assert asked == [f"RS{number}" for number in range(1, 10)]
    assert lost.after("RS") is None
