"""Replay: the same journal gives the same decisions, here and in any other interpreter."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clampctl import cli
from clampctl.core.protocol import Protocol
from clampctl.engine.guardian import python_command
from clampctl.engine.replay import replay
from tests.engine.clamps import CONFIRMED, EUGLYCEMIC, IN_MMOL, recorded, reframed, two_steps

CLAMPS: dict[str, tuple[Protocol, float, tuple[str, ...]]] = {
    "plain": (EUGLYCEMIC, 30.0, ()),
    "confirmed": (CONFIRMED, 20.0, ()),
    "mmol": (IN_MMOL, 15.0, ()),
    "two steps": (two_steps(), 41.0, ()),
    "unplugged": (EUGLYCEMIC, 20.0, ("dextrose:unplug@16-18",)),
    "mute insulin": (EUGLYCEMIC, 20.0, ("insulin:mute@14-15",)),
    "blocked": (EUGLYCEMIC, 20.0, ("dextrose:stall@18",)),
    "noisy wires": (EUGLYCEMIC, 15.0, ("dextrose:flip=4/9@2", "insulin:gap=3,600/5@3", "analyzer:mute@8-9")),
}


@pytest.fixture(scope="module", params=list(CLAMPS))
def journal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One journal of each kind of clamp."""
    protocol, minutes, faults = CLAMPS[request.param]
    return recorded(tmp_path_factory.mktemp("replay") / "a.clamp.jsonl", protocol, minutes, faults)


def test_a_journal_replays_identical(journal: Path) -> None:
    outcome = replay(journal)
    assert outcome.difference is None
    assert outcome.events == journal.read_bytes().count(b"\n")
    assert outcome.last_state is not None
    assert outcome.last_state.clamp_started_ms is not None


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_another_interpreter_replays_it_identical(journal: Path, seed: str) -> None:
    run = subprocess.run(
        python_command(["replay", str(journal), "--json"]),
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    events = journal.read_bytes().count(b"\n")
    assert json.loads(run.stdout) == {"identical": True, "events": events, "difference": None}


def changed_at(body: dict[str, Any]) -> None:
    """A command with another rate."""
    body["commands"][0]["rate_ul_h"] += 1


def first_order(data: bytes) -> int:
    """The first line with a rate for a pump."""
    lines = data.splitlines()
    return next(
        number for number, line in enumerate(lines, 1) if b'"commands":[{"epoch":1,"rate_ul_h"' in line
    )


def changed(tmp_path: Path, data: bytes, line: int, change: Any) -> Path:
    """The journal with one body changed and framed anew."""
    path = tmp_path / "changed.clamp.jsonl"
    path.write_bytes(reframed(data, lambda number, body: change(body) if number == line else None))
    return path


def test_a_changed_command_is_told_with_its_line(tmp_path: Path, clamp_data: bytes) -> None:
    line = first_order(clamp_data)
    outcome = replay(changed(tmp_path, clamp_data, line, changed_at))
    assert outcome.difference is not None
    assert (outcome.difference.line, outcome.difference.field) == (line, "commands")
    assert outcome.difference.recorded != outcome.difference.replayed
    assert outcome.events == line


def test_a_removed_command_is_a_difference(tmp_path: Path, clamp_data: bytes) -> None:
    line = first_order(clamp_data)
    outcome = replay(changed(tmp_path, clamp_data, line, lambda body: body["commands"].clear()))
    assert outcome.difference is not None
    assert (outcome.difference.line, outcome.difference.recorded) == (line, "[]")


@pytest.mark.parametrize("line", [1, 2, 77, 900])
def test_a_changed_digest_is_told_with_its_line(tmp_path: Path, clamp_data: bytes, line: int) -> None:
    outcome = replay(changed(tmp_path, clamp_data, line, lambda body: body.update(digest="0" * 16)))
    assert outcome.difference is not None
    assert (outcome.difference.line, outcome.difference.field) == (line, "digest")
    assert outcome.difference.recorded == "0" * 16


def test_a_changed_glucose_changes_what_follows(tmp_path: Path, clamp_data: bytes) -> None:
    lines = clamp_data.splitlines()
    line = next(number for number, text in enumerate(lines, 1) if b'"type":"GlucoseSampled"' in text)
    outcome = replay(
        changed(tmp_path, clamp_data, line, lambda body: body["event"].update(glucose_mg_dl=50.0))
    )
    assert outcome.difference is not None
    assert outcome.difference.line == line


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(at_ms=0),
        lambda body: body.update(event={"type": "Nonsense"}),
        lambda body: body["event"].update(extra=1),
    ],
)
def test_an_event_the_core_refuses_is_a_difference(
    tmp_path: Path, clamp_data: bytes, change: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = changed(tmp_path, clamp_data, 500, change)
    assert cli.main(["replay", str(path), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert not said["identical"]
    assert (said["difference"]["line"], said["difference"]["field"]) == (500, "event")


def test_the_command_line_tells_a_difference(
    tmp_path: Path, clamp_data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    line = first_order(clamp_data)
    path = changed(tmp_path, clamp_data, line, changed_at)
    assert cli.main(["replay", str(path)]) == 1
    assert f"line {line}, commands: recorded" in capsys.readouterr().out
