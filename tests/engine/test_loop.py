"""The control thread's work: bounded queues, stops first, write before release, bugs written down."""

import itertools
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from clampctl.core.commands import Command
from clampctl.core.events import (
    Event,
    InsulinStopPressed,
    NoteLogged,
    SampleDrawn,
    Ticked,
    Trouble,
)
from clampctl.core.state import InvariantBroken, State
from clampctl.engine.journal import Journal, read_lines
from clampctl.engine.loop import TICK_MS, Control, Inbox, run
from clampctl.engine.recovery import fold
from clampctl.engine.replay import replay
from tests.engine.clamps import EUGLYCEMIC, furnish
from tests.engine.sessions import first_event

STOP = InsulinStopPressed("ab")


def control(tmp_path: Path, release: Callable[[Command], None] = lambda _: None) -> Control:
    """A session that has just begun."""
    made = Control(Journal(tmp_path / "a.clamp.jsonl", lambda _: None), release)
    made.accept(first_event(EUGLYCEMIC), 0)
    return made


def written(made: Control) -> list[str]:
    """The names of the events on disk."""
    return [line.body["event"]["type"] for line in read_lines(made.journal.path.read_bytes())]


# --- the inbox ---------------------------------------------------------------------------------


def test_events_come_out_in_their_order_and_a_stop_comes_first() -> None:
    inbox = Inbox(length=4)
    for text in ("a", "b"):
        assert inbox.post(NoteLogged(text, "ab"))
    assert inbox.post(STOP)
    taken = [inbox.take(0.0) for _ in range(3)]
    assert [posted.event for posted in taken if posted is not None] == [
        STOP,
        NoteLogged("a", "ab"),
        NoteLogged("b", "ab"),
    ]


def test_a_full_inbox_takes_no_more_and_says_so_but_takes_a_stop() -> None:
    inbox = Inbox(length=3)
    assert all(inbox.post(NoteLogged(str(number), "ab")) for number in range(3))
    assert not inbox.post(SampleDrawn("ab"))
    assert inbox.overflowed == "no room for SampleDrawn"
    assert inbox.post(STOP)
    first = inbox.take(0.0)
    assert first is not None
    assert first.event == STOP


def test_even_stops_are_bounded() -> None:
    inbox = Inbox(length=2)
    assert [inbox.post(STOP) for _ in range(3)] == [True, True, False]
    assert inbox.overflowed == "no room for InsulinStopPressed"


def test_a_waiting_reader_wakes_for_a_stop() -> None:
    inbox = Inbox()
    taken: list[Event | None] = []

    def read() -> None:
        posted = inbox.take(60.0)
        taken.append(None if posted is None else posted.event)

    reader = threading.Thread(target=read)
    reader.start()
    inbox.post(STOP)
    reader.join(10.0)
    assert taken == [STOP]


def test_many_writers_lose_nothing_that_was_taken_in() -> None:
    inbox, told = Inbox(length=50), list[str]()

    def write(name: str) -> None:
        told.extend(
            f"{name}{number}" for number in range(200) if inbox.post(NoteLogged(f"{name}{number}", name))
        )

    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for writer in writers:
        writer.start()
    taken: list[str] = []
    while len(taken) < len(told) or any(writer.is_alive() for writer in writers):
        posted = inbox.take(0.01)
        if posted is not None and isinstance(posted.event, NoteLogged):
            taken.append(posted.event.text)
    for writer in writers:
        writer.join()
    assert sorted(taken) == sorted(told)


# --- the loop ----------------------------------------------------------------------------------


class Time:
    """A clock that moves on by a step at each look."""

    def __init__(self, step_ms: int) -> None:
        self.at_ms, self._step_ms = 0, step_ms

    def now_ms(self) -> int:
        self.at_ms += self._step_ms
        return self.at_ms


def turned(made: Control, inbox: Inbox, turns: int, step_ms: int = 100) -> list[int]:
    """Run the loop for some turns; the times of its ticks."""
    ticks: list[int] = []
    left = iter(range(turns))
    run(made, inbox, Time(step_ms).now_ms, lambda: next(left, None) is not None, ticks.append, turn_s=0.0)
    return ticks


def test_it_ticks_once_a_second_and_hears_each_tick(tmp_path: Path) -> None:
    made = control(tmp_path)
    ticks = turned(made, Inbox(), 100)
    gaps = [after - before for before, after in itertools.pairwise(ticks)]
    assert len(ticks) > 20
    assert all(abs(gap - TICK_MS) < 400 for gap in gaps)
    assert abs(ticks[-1] - ticks[0] - TICK_MS * (len(ticks) - 1)) < 400
    assert written(made).count("Ticked") == len(ticks)


def test_a_late_loop_does_not_make_up_for_lost_ticks(tmp_path: Path) -> None:
    ticks = turned(control(tmp_path), Inbox(), 20, step_ms=5_000)
    assert len(ticks) == 20


def test_an_overflow_becomes_an_alarm(tmp_path: Path) -> None:
    made, inbox = control(tmp_path), Inbox(length=1)
    inbox.post(NoteLogged("a", "ab"))
    inbox.post(SampleDrawn("ab"))
    turned(made, inbox, 20)
    assert made.state is not None
    assert made.state.safeguards.queue_full == "no room for SampleDrawn"
    assert any(alarm.name == "queue_full" for alarm in made.state.alarms)
    assert inbox.overflowed == ""
    events = [line.body["event"] for line in read_lines(made.journal.path.read_bytes())]
    troubles = [event for event in events if event["type"] == "LinkTroubled"]
    assert [event["trouble"] for event in troubles] == [Trouble.FULL_QUEUE.value]


def test_answers_carry_the_line_and_the_refusal(tmp_path: Path) -> None:
    made, inbox = control(tmp_path), Inbox()
    answers: list[tuple[int, str]] = []
    inbox.post(NoteLogged("a", "ab"), lambda seq, refused: answers.append((seq, refused)))
    inbox.post(STOP, lambda seq, refused: answers.append((seq, refused)))
    turned(made, inbox, 20)
    lines = [line.body for line in read_lines(made.journal.path.read_bytes())]
    assert [lines[seq]["event"]["type"] for seq, _ in answers] == ["InsulinStopPressed", "NoteLogged"]
    assert answers[0][1]
    assert answers[1][1] == ""


# --- write, then act ---------------------------------------------------------------------------


def test_every_order_is_on_disk_before_it_is_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.clamp.jsonl"
    clamp = furnish(path, EUGLYCEMIC)
    made = clamp.bench.control
    release, synced, released = made._release, [0], []
    monkeypatch.setattr(clamp.journal, "_sync", lambda _: synced.__setitem__(0, path.stat().st_size))

    def seen(command: Command) -> None:
        with path.open("rb") as file:
            file.seek(max(0, synced[0] - 8_192))
            last = file.read().splitlines()[-1]
        assert path.stat().st_size == synced[0], "the line was released before it was synced"
        orders = json.loads(last[74:])["commands"]
        assert type(command).__name__ in [order["type"] for order in orders]
        released.append(command)
        release(command)

    monkeypatch.setattr(made, "_release", seen)
    clamp.bench.run(lambda _: False, 20 * 60_000)
    assert {type(command).__name__ for command in released} == {"SetRate", "StartPump"}


def test_a_watcher_sees_a_step_once_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.clamp.jsonl"
    seen: list[int] = []

    class Watch:
        def saw(self, seq: int, _before: State | None, _event: Event, _after: State) -> None:
            assert path.read_bytes().count(b"\n") == seq + 1
            seen.append(seq)

    made = Control(Journal(path, lambda _: None), lambda _: None, (Watch(),))
    made.accept(first_event(EUGLYCEMIC), 0)
    made.accept(NoteLogged("a", "ab"), 1)
    assert seen == [0, 1]


# --- bugs --------------------------------------------------------------------------------------


def test_a_broken_invariant_is_written_down_and_ends_the_loop(tmp_path: Path) -> None:
    made, inbox = control(tmp_path), Inbox()
    inbox.post(first_event(EUGLYCEMIC))
    with pytest.raises(InvariantBroken, match="started twice"):
        turned(made, inbox, 20)
    folded = fold(made.journal.path)
    assert folded.last_event == NoteLogged("invariant broken: the session was started twice", "program")
    assert replay(made.journal.path).difference is None


def test_the_event_that_broke_it_is_not_in_the_record(tmp_path: Path) -> None:
    made = control(tmp_path)
    made.accept(Ticked(), 5_000)
    with pytest.raises(InvariantBroken, match="time went back"):
        made.accept(NoteLogged("late", "ab"), 4_000)
    assert written(made) == ["SessionStarted", "Ticked"]
