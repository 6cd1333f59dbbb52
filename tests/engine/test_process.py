"""One engine in this process, with pumps that a person sets: acts, receipts, ends, dead threads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from clampctl.core.commands import Role
from clampctl.core.events import (
    BasalStarted,
    ClampStarted,
    CloseRequested,
    InsulinStopPressed,
    ModeChosen,
    NoteLogged,
    PumpShown,
)
from clampctl.core.protocol import Mode
from clampctl.core.state import InvariantBroken
from clampctl.engine.clock import SessionClock
from clampctl.engine.history import History
from clampctl.engine.journal import Journal, read_lines
from clampctl.engine.ports import NoWire
from clampctl.engine.process import Begin, Ends, Engine
from clampctl.engine.recovery import fold
from clampctl.engine.replay import replay
from drivers.link import Expected
from drivers.pumps.manual import ManualPump
from tests.engine.clamps import EUGLYCEMIC
from tests.engine.sessions import first_event
from tests.engine.windows import Client, moment, wait_for


def engine(folder: Path, ends: dict[Role, Ends] | None = None, wires: Path | None = None) -> Engine:
    """A new session; without `ends`, two pumps that a person sets."""
    stop = threading.Event()
    if ends is None:
        ends = {
            role: Ends(ManualPump(Expected(role, "by hand")), partial(NoWire, stop))
            for role in (Role.DEXTROSE, Role.INSULIN)
        }
    journal = Journal(folder / "a.clamp.jsonl", lambda _: None)
    begin = Begin(journal, first_event(EUGLYCEMIC), None, History())
    return Engine(begin, ends, str(folder / "s"), SessionClock().now_ms, wires, turn_s=0.01)


@contextmanager
def running(made: Engine) -> Iterator[Client]:
    """The engine in a thread, with a window attached; it ends with the block."""
    thread = threading.Thread(target=made.run, args=(lambda: None,))
    thread.start()
    try:
        with Client(made.address) as client:
            yield client
    finally:
        made.end()
        thread.join(20.0)
        assert not thread.is_alive()


def body(made: Engine, seq: int | None) -> Any:
    """The event in a line of the journal."""
    lines = read_lines(made.control.journal.path.read_bytes())
    return next(line.body["event"] for line in lines if line.body["seq"] == seq)


def test_each_act_is_in_the_line_its_receipt_names(tmp_path: Path) -> None:
    made = engine(tmp_path)
    with running(made) as client:
        for event in (BasalStarted("ab"), NoteLogged("line µ", "ab"), ModeChosen(Mode.CONFIRM, "ab")):
            receipt = client.done(event)
            assert receipt.refused == ""
            assert body(made, receipt.seq)["type"] == type(event).__name__
        receipt = client.done(ClampStarted("ab"))
        assert receipt.refused
        assert body(made, receipt.seq)["type"] == "ClampStarted"
        assert client.sees(lambda now: now.phase == "basal").refusal == receipt.refused
    assert replay(made.control.journal.path).difference is None


def test_a_rate_read_off_a_pump_by_a_person_comes_back_as_its_report(tmp_path: Path) -> None:
    made = engine(tmp_path)
    with running(made) as client:
        client.sees(lambda now: now.dextrose.connected)
        client.done(PumpShown(Role.DEXTROSE, 12_000, "ab"))
        client.sees(lambda now: now.dextrose.reported_ul_h == 12_000)


def test_a_closed_session_ends_the_engine_after_a_farewell(tmp_path: Path) -> None:
    made = engine(tmp_path)
    thread = threading.Thread(target=made.run, args=(lambda: None,))
    thread.start()
    with Client(made.address) as client:
        client.wait(lambda: client.now)
        assert client.done(CloseRequested("ab", "set up for practice")).refused == ""
        client.sees(lambda now: now.closed)
        assert client.wait(lambda: client.farewell).reason == "the engine ended"
    thread.join(20.0)
    assert not thread.is_alive()
    state = fold(made.control.journal.path).state
    assert state is not None
    assert state.phase.value == "closed"


def test_the_end_in_set_up_waits_for_nobody(tmp_path: Path) -> None:
    made = engine(tmp_path)
    with running(made) as client:
        client.wait(lambda: client.now)
    assert made.insulin_is_off()
    events = [line.body["event"]["type"] for line in read_lines(made.control.journal.path.read_bytes())]
    assert InsulinStopPressed.__name__ not in events


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_thread_ends_the_engine_and_is_written_down(tmp_path: Path) -> None:
    def broken() -> Any:
        raise RuntimeError("a bug in a driver")

    link = ManualPump(Expected(Role.INSULIN, "by hand"))
    made = engine(tmp_path, {Role.INSULIN: Ends(link, broken)})
    with pytest.raises(InvariantBroken, match="port insulin"):
        made.run(lambda: None)
    last = list(read_lines(made.control.journal.path.read_bytes()))[-1].body["event"]
    assert last["type"] == "NoteLogged"
    assert "port insulin" in last["text"]


def test_raw_bytes_are_on_disk_while_the_engine_runs(tmp_path: Path) -> None:
    wires = tmp_path / "wires"
    wires.mkdir()
    made = engine(tmp_path, wires=wires)
    made._tapped(Role.INSULIN, b"\x02", True, 5)
    kept = wires / "insulin.wire.jsonl"
    assert b'"hex": "02"' in kept.read_bytes()
    with running(made) as client:
        client.wait(lambda: client.now)


def test_a_full_disk_ends_the_keeping_of_raw_bytes_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wires = tmp_path / "wires"
    wires.mkdir()
    made = engine(tmp_path, wires=wires)
    kept = made._taps[Role.INSULIN]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept[1], "note", full)
    made._tapped(Role.INSULIN, b"\x02", True, 5)
    assert Role.INSULIN not in made._taps
    kept[0].close()
    with running(made) as client:
        client.wait(lambda: client.now)


def test_a_beat_follows_each_tick(tmp_path: Path) -> None:
    made, beats = engine(tmp_path), list[None]()
    thread = threading.Thread(target=made.run, args=(partial(beats.append, None),))
    thread.start()
    wait_for(lambda: len(beats) >= 2 or None, moment)
    made.end()
    thread.join(20.0)
    ticks = [line for line in read_lines(made.control.journal.path.read_bytes()) if _is_tick(line.body)]
    assert len(ticks) == len(beats)


def _is_tick(content: dict[str, Any]) -> bool:
    return bool(content["event"]["type"] == "Ticked")
