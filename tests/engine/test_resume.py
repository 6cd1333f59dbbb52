"""Taking a session up again, and the sentences that refuse it."""

import argparse
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from clampctl import cli
from clampctl.cli import live
from clampctl.cli.wiring import pump_defaults
from clampctl.core.commands import Role
from clampctl.core.events import SessionResumed, SessionStarted
from clampctl.core.state import Phase
from clampctl.engine import ports
from clampctl.engine.clock import GAP_MS_MAX, SessionClock, gap_ms, wall_at
from clampctl.engine.journal import claimed
from clampctl.engine.recovery import fold
from clampctl.study.load import load_station
from clampctl.study.station_document import PortSetup, StationDocument
from drivers.catalog import Line
from tests.engine.bedsides import PROTOCOL, station_text
from tests.engine.clamps import reframed


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """A station whose ports nobody serves."""
    (tmp_path / "live.toml").write_text(PROTOCOL)
    path = tmp_path / "station.toml"
    ports = {role.value: f"tcp://127.0.0.1:{number}" for number, role in enumerate(Role, 1)}
    path.write_text(station_text(tmp_path, ports))
    return path


@pytest.fixture
def document(station: Path) -> StationDocument:
    return load_station(station, pump_defaults())


def options(journal: Path, resume: bool = True) -> argparse.Namespace:
    return argparse.Namespace(journal=journal, resume=resume, address="")


def engine(station: Path, journal: Path, *more: str) -> int:
    """`clampctl run --engine`, where it does not get as far as to run."""
    address = str(station.parent / "s")
    where = ["--journal", str(journal), "--address", address]
    return cli.main(["run", str(station), "--engine", *where, *more])


def test_a_session_goes_on_where_its_journal_ends(
    document: StationDocument, tmp_path: Path, clamp_data: bytes
) -> None:
    path = tmp_path / "a.clamp.jsonl"
    path.write_bytes(clamp_data + b"half a li")
    before = fold(path)
    begin, clock = live._begin(options(path), document)
    assert begin is not None
    assert begin.state == before.state
    assert begin.state is not None
    assert isinstance(begin.event, SessionResumed)
    assert begin.event.reason == "the line has no end"
    assert begin.event.gap_ms == GAP_MS_MAX  # the bench's session is dated in the past
    assert clock.now_ms() >= begin.state.at_ms + begin.event.gap_ms
    assert begin.journal.seq == before.seq
    assert begin.history.samples
    assert path.read_bytes() == clamp_data
    assert (tmp_path / f"a.clamp.tail-{before.seq + 1}").read_bytes() == b"half a li"
    begin.journal.close()


def test_a_journal_without_a_whole_line_is_begun_anew(document: StationDocument, tmp_path: Path) -> None:
    path = tmp_path / "a.clamp.jsonl"
    path.write_bytes(b"0123")
    begin, _ = live._begin(options(path), document)
    assert begin is not None
    assert isinstance(begin.event, SessionStarted)
    assert begin.event.session_id == "a"
    assert (tmp_path / "a.clamp.tail-0").read_bytes() == b"0123"
    begin.journal.close()


def test_a_closed_session_stays_closed(
    document: StationDocument, tmp_path: Path, clamp_data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.clamp.jsonl"
    path.write_bytes(clamp_data)
    folded = fold(path)
    assert folded.state is not None
    closed = replace(folded, state=replace(folded.state, phase=Phase.CLOSED))
    monkeypatch.setattr(live, "fold", lambda *_: closed)
    begin, _ = live._begin(options(path), document)
    assert begin is None


def test_a_damaged_record_is_left_alone(
    station: Path, tmp_path: Path, lines_200: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.clamp.jsonl"
    data = b"".join(lines_200[:50] + lines_200[51:])
    path.write_bytes(data)
    assert engine(station, path, "--resume") == 2
    said = capsys.readouterr().err
    assert "line 51" in said
    assert "Stop insulin at the pump" in said
    assert path.read_bytes() == data


@pytest.mark.parametrize("changed", [{"at_ms": 0}, {"event": {"type": "FromTheFuture"}}])
def test_a_record_this_version_cannot_fold_is_left_alone(
    station: Path,
    tmp_path: Path,
    clamp_data: bytes,
    changed: dict[str, object],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "a.clamp.jsonl"
    data = reframed(clamp_data, lambda number, body: body.update(changed if number == 900 else {}))
    path.write_bytes(data)
    assert engine(station, path, "--resume") == 2
    assert "Stop insulin at the pump" in capsys.readouterr().err
    assert path.read_bytes() == data


def test_a_record_is_never_begun_twice(
    station: Path, tmp_path: Path, clamp_data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.clamp.jsonl"
    path.write_bytes(clamp_data)
    assert engine(station, path) == 2
    assert "exists already" in capsys.readouterr().err
    assert path.read_bytes() == clamp_data


def test_a_record_in_use_is_left_alone_even_with_a_half_line(
    station: Path, tmp_path: Path, clamp_data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.clamp.jsonl"
    path.write_bytes(clamp_data + b"just being wr")
    handle = claimed(path)
    assert engine(station, path, "--resume") == 2
    assert "is running already" in capsys.readouterr().err
    assert path.read_bytes() == clamp_data + b"just being wr"
    os.close(handle)


def test_an_address_that_cannot_be_is_one_sentence(
    station: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--journal", str(tmp_path / "a.clamp.jsonl"), "--address", str(tmp_path / ("x" * 120))]
    assert cli.main(["run", str(station), "--engine", *where]) == 2
    said = capsys.readouterr().err
    assert "cannot listen on" in said
    assert said.count("\n") == 1


def test_resume_needs_a_record(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", str(station), "--resume"]) == 2
    assert "--journal" in capsys.readouterr().err


def test_the_gap_is_read_from_the_wall_clock_once() -> None:
    assert gap_ms(1_000, 4_500) == 3_500
    assert gap_ms(4_500, 1_000) == 0
    assert gap_ms(0, 10 * GAP_MS_MAX) == GAP_MS_MAX
    assert live._gap_since("", 0, 5_000) == 0
    assert live._gap_since("2999-01-01T00:00:00.000+00:00", 0, 5_000) == 0
    assert live._gap_since("2001-01-01T00:00:00.000+00:00", 0, 5_000) == GAP_MS_MAX


def test_a_clock_reads_what_it_was_told_and_goes_on() -> None:
    source = iter([10_000, 10_250])
    clock = SessionClock(777, lambda: next(source))
    assert clock.now_ms() == 777 + 250
    assert wall_at("2026-01-01T08:00:00.000+00:00", 1_500) == "2026-01-01T08:00:01.500+00:00"
    assert wall_at("", 1_500) == ""


def test_port_settings_reach_the_opener(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(ports, "open_serial", lambda *where, **how: asked.append((*where, how["frame"])))
    stop = threading.Event()
    line = Line(38_400, "8N2")
    live._opener(PortSetup("COM7", 9_600, "7E1", {}), line, stop)()
    live._opener(PortSetup("tcp://127.0.0.1:9", None, None, {}), line, stop)()
    assert asked == [("COM7", 9_600, "7E1"), ("socket://127.0.0.1:9", 38_400, "8N2")]
    assert live._opener(PortSetup(None, None, None, {}), line, stop)().in_waiting == 0
