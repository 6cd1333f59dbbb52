"""The bench: virtual time, the order of things, and that the same request gives the same clamp."""

from pathlib import Path

import pytest

from clampctl.core.events import Event, NoteLogged, Ticked
from clampctl.core.protocol import Mode
from clampctl.core.state import Phase, State
from clampctl.engine.journal import read_lines
from clampctl.study.load import load_protocol
from clampctl.study.variants import with_mode
from clampctl.units import MS_PER_MIN
from simulator import clamp
from simulator.faults import Planned, planned


def request(
    minutes: float = 5.0, seed: int = 1, noise: str = "quiet", faults: tuple[Planned, ...] = ()
) -> clamp.Request:
    protocol = with_mode(load_protocol("euglycemic-40"), Mode.AUTOMATIC)
    return clamp.Request(protocol, "lean", seed, noise, minutes, faults)


def journal_of(path: Path, wanted: clamp.Request) -> bytes:
    clamp.simulate(wanted, path)
    return path.read_bytes()


def test_the_same_request_gives_the_same_bytes(tmp_path: Path) -> None:
    first = journal_of(tmp_path / "one.clamp.jsonl", request())
    assert journal_of(tmp_path / "two.clamp.jsonl", request()) == first
    assert journal_of(tmp_path / "three.clamp.jsonl", request(seed=2)) != first


def test_time_never_runs_back_and_ticks_each_second(tmp_path: Path) -> None:
    lines = list(read_lines(journal_of(tmp_path / "one.clamp.jsonl", request())))
    times = [line.body["at_ms"] for line in lines]
    assert times == sorted(times)
    ticks = [line.body["at_ms"] for line in lines if line.body["event"]["type"] == "Ticked"]
    assert ticks == list(range(0, ticks[-1] + 1, 1_000))


def test_the_clamp_is_as_long_as_asked(tmp_path: Path) -> None:
    room = clamp.furnished(request(minutes=7.0), tmp_path / "one.clamp.jsonl")
    clamp.run(room, 7.0)
    started_ms = room.bench.state.clamp_started_ms
    assert started_ms is not None
    assert room.bench.now_ms - started_ms == 7 * MS_PER_MIN + 1_000
    assert room.bench.state.phase is Phase.PRIME


class Talkative:
    """A watcher that answers a note with two more, while the first is still being taken in."""

    def __init__(self) -> None:
        self.room: clamp.VirtualClamp | None = None
        self.heard: list[str] = []
        self.lines: list[int] = []

    def saw(self, seq: int, before: State | None, event: Event, after: State) -> None:
        if self.room is None or not isinstance(event, NoteLogged):
            return
        assert before is not None
        assert after.at_ms == before.at_ms
        self.lines.append(seq)
        self.heard.append(event.text)
        for text in {"a": ("b", "c"), "b": ("d",)}.get(event.text, ()):
            self.room.bench.accept(NoteLogged(text, "nurse"))


def test_an_answer_waits_until_the_event_before_it_is_done(tmp_path: Path) -> None:
    talkative = Talkative()
    room = talkative.room = clamp.furnished(request(), tmp_path / "one.clamp.jsonl", (talkative,))
    room.bench.accept(NoteLogged("a", "nurse"))
    room.journal.close()
    assert talkative.heard == ["a", "b", "c", "d"]
    assert talkative.lines == [1, 2, 3, 4]


def test_orders_follow_their_event_and_pumps_obey_within_the_moment(tmp_path: Path) -> None:
    room = clamp.furnished(request(), tmp_path / "one.clamp.jsonl")
    clamp.run(room, 6.0)
    state = room.bench.state
    assert room.dextrose.flow_ul_h == state.dextrose.reported_ul_h == state.dosing.rate_ul_h > 0
    assert room.insulin.flow_ul_h == state.insulin.reported_ul_h == state.insulin_ul_h > 0


def test_what_the_pumps_gave_is_what_the_subject_got(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = request(minutes=20.0)
    room = clamp.furnished(wanted, tmp_path / "one.clamp.jsonl")
    subject, infusates = room.bedside.subject, wanted.protocol.infusates
    got_mg = got_mu = 0.0
    advance = subject.advance

    def noted(minutes: float, gir: float, insulin: float, eta: float | None = None) -> None:
        nonlocal got_mg, got_mu
        got_mg += gir * minutes * subject.parameters.weight_kg
        got_mu += insulin * minutes * subject.parameters.weight_kg
        advance(minutes, gir, insulin, eta)

    monkeypatch.setattr(subject, "advance", noted)
    clamp.run(room, 20.0)
    room.bedside.advance(room.bedside.next_ms)
    assert got_mg == pytest.approx(room.dextrose.delivered_ul / 1000 * infusates.dextrose_g_l, rel=1e-12)
    assert got_mu == pytest.approx(room.insulin.delivered_ul / 1000 * infusates.insulin_mu_ml, rel=1e-12)
    believed = room.bench.state.dextrose.integral_ul_ms_h / 3_600_000
    assert believed == pytest.approx(room.dextrose.delivered_ul, rel=0.01)


def test_a_bench_that_cannot_start_ends_and_knows_nothing(tmp_path: Path) -> None:
    outcome = clamp.simulate(request(faults=planned("insulin:unplug@0")), tmp_path / "one.clamp.jsonl")
    assert outcome.last_state.clamp_started_ms is None
    assert outcome.record is None
    assert outcome.summary.m_mg_kg_min is None
    assert outcome.summary.glucose_min_mg_dl is None
    assert outcome.summary.events == len(list(read_lines((tmp_path / "one.clamp.jsonl").read_bytes())))


def test_a_fault_happens_once_and_at_its_minute(tmp_path: Path) -> None:
    room = clamp.furnished(request(faults=planned("dextrose:mute@3-4")), tmp_path / "one.clamp.jsonl")
    room.bench.run(lambda _: False, 3 * MS_PER_MIN - 1)
    heard_ms = room.bench.state.dextrose.heard_at_ms
    assert heard_ms is not None
    assert heard_ms > 3 * MS_PER_MIN - 3_000
    room.bench.run(lambda _: False, 3 * MS_PER_MIN + 10_000)
    assert room.bench.state.dextrose.heard_at_ms == pytest.approx(3 * MS_PER_MIN, abs=3_000)
    room.bench.run(lambda _: False, 4 * MS_PER_MIN + 10_000)
    last_ms = room.bench.state.dextrose.heard_at_ms
    assert last_ms is not None
    assert last_ms > 4 * MS_PER_MIN
    room.journal.close()


def test_a_tick_is_an_event_like_any_other(tmp_path: Path) -> None:
    room = clamp.furnished(request(), tmp_path / "one.clamp.jsonl")
    before = room.journal.seq
    room.bench.accept(Ticked())
    room.journal.close()
    assert room.journal.seq == before + 1
