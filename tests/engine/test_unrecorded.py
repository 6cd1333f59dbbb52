"""A record that cannot be written: the alarm, no automatic rate, insulin off, dextrose goes on."""

import errno
from pathlib import Path
from typing import Any

import pytest

from clampctl.core.commands import Command, Role, StopPump
from clampctl.core.events import InsulinStopPressed, JournalTroubled, NoteLogged, Ticked
from clampctl.core.protocol import Mode
from clampctl.core.state import Phase, Priority
from clampctl.engine.recovery import fold
from simulator.clamp import VirtualClamp
from tests.engine.clamps import EUGLYCEMIC, MIN, furnish


def clamped(path: Path, minutes: float) -> VirtualClamp:
    """A clamp that has run for so many minutes."""
    clamp = furnish(path, EUGLYCEMIC)
    clamp.bench.run(lambda state: state.clamp_started_ms is not None, 30 * MIN)
    clamp.bench.run(lambda _: False, clamp.bench.now_ms + round(minutes * MIN))
    return clamp


def trouble(clamp: VirtualClamp) -> str:
    """What the core knows of the record."""
    return clamp.bench.state.safeguards.journal_trouble


def full(*_written: Any) -> int:
    """A disk without room."""
    raise OSError(errno.ENOSPC, "No space left on device")


def going_on(clamp: VirtualClamp, minutes: float) -> None:
    """Time passes on the bench; the control thread looks at the record at each tick."""
    bench = clamp.bench
    end_ms = bench.now_ms + round(minutes * MIN)
    while bench.now_ms < end_ms:
        bench.run(lambda _: False, bench.now_ms + 1_000)
        bench.control.journal_lost(bench.now_ms)


def test_without_a_record_insulin_stops_and_dextrose_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clamp = clamped(tmp_path / "a.clamp.jsonl", 12)
    before = clamp.bench.state
    assert before.phase is Phase.CLAMP
    assert clamp.insulin.flow_ul_h > 0
    flow_ul_h = clamp.dextrose.flow_ul_h
    assert flow_ul_h > 0
    monkeypatch.setattr(clamp.journal, "append", full)
    going_on(clamp, 5)
    state = clamp.bench.state
    assert state.phase is Phase.FALLBACK
    assert state.mode is Mode.CONFIRM
    assert state.safeguards.journal_trouble == "No space left on device"
    assert state.safeguards.journal_copies_left == 0
    alarm = next(alarm for alarm in state.alarms if alarm.name == "journal")
    assert alarm.priority is Priority.HIGH
    assert clamp.insulin.flow_ul_h == 0
    assert state.insulin.verified
    assert clamp.dextrose.flow_ul_h == state.dosing.rate_ul_h
    assert clamp.dextrose.flow_ul_h >= flow_ul_h / 2


def test_the_trouble_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clamp = clamped(tmp_path / "a.clamp.jsonl", 6)
    monkeypatch.setattr(clamp.journal, "append", full)
    seen: list[type] = []

    class Watch:
        def saw(self, _seq: int, _before: object, event: object, _after: object) -> None:
            seen.append(type(event))

    monkeypatch.setattr(clamp.bench.control, "_watchers", (Watch(),))
    going_on(clamp, 2)
    assert seen.count(JournalTroubled) == 1
    assert seen.count(InsulinStopPressed) == 1


def test_the_lines_before_the_trouble_stay_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.clamp.jsonl"
    clamp = clamped(path, 6)
    seq = clamp.journal.seq
    monkeypatch.setattr(clamp.journal, "append", full)
    going_on(clamp, 1)
    monkeypatch.undo()
    going_on(clamp, 1)
    clamp.journal.close()
    assert fold(path).seq == seq


def test_before_the_clamp_the_trouble_only_alarms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clamp = furnish(tmp_path / "a.clamp.jsonl", EUGLYCEMIC)
    monkeypatch.setattr(clamp.journal, "append", full)
    clamp.bench.run(lambda _: False, 2_000)
    clamp.bench.control.journal_lost(clamp.bench.now_ms)
    assert clamp.bench.state.phase is Phase.SETUP
    assert clamp.bench.state.safeguards.journal_trouble


class Orders:
    """What the core ordered, and what was let through."""

    def __init__(self, clamp: VirtualClamp, monkeypatch: pytest.MonkeyPatch) -> None:
        self.released: list[Command] = []
        self._send = clamp.bench.control._release
        monkeypatch.setattr(clamp.bench.control, "_release", self._release)

    def _release(self, command: Command) -> None:
        self.released.append(command)
        self._send(command)

    def to(self, role: Role) -> list[Command]:
        """The orders one pump got."""
        return [command for command in self.released if command.role is role]


def test_unrecorded_insulin_is_only_ever_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clamp = clamped(tmp_path / "a.clamp.jsonl", 0.5)
    orders = Orders(clamp, monkeypatch)
    monkeypatch.setattr(clamp.journal, "append", full)
    clamp.bench.run(lambda state: state.insulin_ul_h != clamp.insulin.flow_ul_h, clamp.bench.now_ms + MIN)
    assert clamp.bench.state.phase is Phase.PRIME
    assert orders.to(Role.INSULIN) == []
    going_on(clamp, 1)
    assert orders.to(Role.INSULIN)
    assert all(isinstance(command, StopPump) for command in orders.to(Role.INSULIN))
    assert clamp.insulin.flow_ul_h == 0


def test_unrecorded_dextrose_goes_on_by_the_law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clamp = clamped(tmp_path / "a.clamp.jsonl", 12)
    orders = Orders(clamp, monkeypatch)
    monkeypatch.setattr(clamp.journal, "append", full)
    clamp.bench.run(lambda _: False, clamp.bench.now_ms + 5 * MIN)
    assert orders.to(Role.DEXTROSE)
    assert clamp.dextrose.flow_ul_h == clamp.bench.state.dosing.rate_ul_h


def test_a_failed_sync_counts_as_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clamp = clamped(tmp_path / "a.clamp.jsonl", 1)
    monkeypatch.setattr(clamp.journal, "_sync", full)
    control = clamp.bench.control
    control.accept(Ticked(), clamp.bench.now_ms)
    control.journal_lost(clamp.bench.now_ms)
    assert trouble(clamp) == ""
    control.accept(NoteLogged("line flushed", "ab"), clamp.bench.now_ms)
    control.journal_lost(clamp.bench.now_ms)
    assert trouble(clamp) == "No space left on device"
