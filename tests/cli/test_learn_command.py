"""`clampctl probe line --learn FILE`: three lines against the display, and the table for the station."""

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clampctl.cli import probe
from drivers.analyzers.line import form_of
from drivers.reading import Rules
from simulator.devices.line import LineDevice
from simulator.devices.line_settings import LineSettings
from simulator.transport import TcpPort, served
from tests.cli.conftest import Ran, Run
from tests.engine.wires import Scripted

PATTERN = r"GLU (?P<value>\d{1,4}\.\d) (?P<unit>\S{4,6}) #(?P<id>\d{1,8})"
VALUES = ("92.4", "101.0", "88.7")
DISPLAY = "".join(f"{value} mg/dL\n" for value in VALUES)


def line(number: int, value: str) -> bytes:
    return f"GLU {value} mg/dL #{number:04}\r\n".encode()


LINES = b"READY\r\n" + b"".join(line(number, value) for number, value in enumerate(VALUES, 1))


def given_up() -> None:
    """A script that runs out is a person who presses Ctrl-C."""
    raise KeyboardInterrupt


@pytest.fixture
def learned(clampctl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs learn mode on a wire that says these bytes, cut into reads of some size."""

    def run(said: bytes, typed: str, *more: str, size: int = 64) -> Ran:
        reads: Iterator[bytes | Exception] = iter(
            [said[start : start + size] for start in range(0, len(said), size)]
        )
        wire = Scripted(reads, given_up)
        monkeypatch.setattr(probe, "opener", lambda _: lambda: wire)
        settings = (
            "--setting",
            f"pattern={PATTERN}",
            "--setting",
            "end=CRLF",
            "--setting",
            "other_lines=READY",
        )
        ran = clampctl(
            "probe",
            "line",
            "--port",
            "x",
            "--learn",
            tmp_path / "learned.toml",
            *settings,
            *more,
            stdin=typed,
        )
        assert wire.closed == 1
        assert wire.written == []
        return ran

    return run


@pytest.mark.parametrize("size", [1, 7, 64])
def test_three_equal_lines_become_a_table_that_the_station_takes(
    learned: Callable[..., Ran], clampctl: Run, tmp_path: Path, size: int
) -> None:
    ran = learned(LINES, f"{DISPLAY}ab\n", size=size)
    assert (ran.status, ran.err) == (0, "")
    assert "Equal, 3 of 3." in ran.out
    text = (tmp_path / "learned.toml").read_text(encoding="utf-8")
    assert " by ab on " in text
    options = tomllib.loads(text)["analyzer"]["options"]
    assert options["learned"] == form_of(Rules(), PATTERN, "CRLF", other_lines="READY").fingerprint
    assert options["pattern"] == PATTERN
    example = Path(__file__).parents[2] / "docs" / "devices" / "station.toml"
    station = example.read_text(encoding="utf-8").replace('"ysi-2700"', '"line"')
    (tmp_path / "bed.toml").write_text(station + text, encoding="utf-8")
    assert clampctl("check", tmp_path / "bed.toml", "--json").json()["good"] is True


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("92.5 mg/dL\n", "The display shows 92.5 mg/dL, the line says 92.4 mg/dL: start over."),
        ("92.4 mmol/L\n", "start over"),
        ("92.4\n", "type value and unit as shown"),
        ("many\n", "'many' is not a plain number"),
        ("", "What does the display show?"),
    ],
)
def test_what_is_not_equal_writes_nothing(
    learned: Callable[..., Ran], tmp_path: Path, typed: str, says: str
) -> None:
    ran = learned(LINES, typed)
    assert ran.status == 1
    assert says in ran.out
    assert ran.err == "clampctl: given up; nothing was written.\n"
    assert not (tmp_path / "learned.toml").exists()


def test_a_mismatch_starts_over_and_a_repeat_does_not_count(
    learned: Callable[..., Ran], tmp_path: Path
) -> None:
    said = line(1, "92.4") + line(2, "90.0") + line(2, "90.0") + line(3, "91.0") + line(4, "93.0")
    ran = learned(said, "90.0 mg/dL\n90.0 mg/dL\n90.0 mg/dL\n91.0 mg/dL\n93.0 mg/dL\nab\n")
    assert ran.status == 0
    assert ran.out.count("start over") == 1
    assert ran.out.count("This result was compared before") == 1
    assert (tmp_path / "learned.toml").exists()


def test_a_line_without_its_end_is_told(learned: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    ran = learned(b"x" * 300 + b"\r\n", "")
    assert ran.status == 1
    assert "not read: line without end" in ran.out


def test_the_rules_of_the_analyzer_are_part_of_what_is_learned(
    learned: Callable[..., Ran], tmp_path: Path
) -> None:
    said = LINES.replace(b".", b",")
    ran = learned(said, f"{DISPLAY}ab\n", "--setting", "comma=true")
    assert ran.status == 1
    assert "This line cannot be used" in ran.out  # the pattern wants a point
    assert not (tmp_path / "learned.toml").exists()


def test_a_file_that_is_there_is_left_alone(clampctl: Run, tmp_path: Path) -> None:
    path = tmp_path / "learned.toml"
    path.write_text("mine", encoding="utf-8")
    ran = clampctl(
        *("probe", "line", "--port", "x", "--learn", path),
        *("--setting", f"pattern={PATTERN}", "--setting", "end=CRLF"),
    )
    assert "exists already" in ran.refusal()
    assert path.read_text(encoding="utf-8") == "mine"


def test_the_emulated_printer_is_learned_over_a_port(clampctl: Run, tmp_path: Path) -> None:
    """Through a real port; samples are given as a person would, one after the other."""
    device = LineDevice(LineSettings(run_ms=200))
    values, given = [float(value) for value in VALUES], 0
    ticks = iter(range(0, 10**9, 20))

    def each_turn(at_ms: int) -> None:
        nonlocal given
        if at_ms >= 1_500 + 700 * given:
            device.place_sample(values[given % 3], at_ms)
            given += 1

    with served(device, TcpPort(), lambda: next(ticks), each_turn) as address:
        where = ("--tcp", address.removeprefix("socket://"), "--learn", tmp_path / "learned.toml")
        ran = clampctl(
            *("probe", "line", *where, "--setting", f"pattern={PATTERN}", "--setting", "end=CRLF"),
            *("--setting", "other_lines=READY"),
            stdin=f"{DISPLAY}ab\n",
        )
    assert ran.status == 0, ran.out + ran.err
    assert json.dumps(PATTERN) in (tmp_path / "learned.toml").read_text(encoding="utf-8")
