"""`devices`, `doctor`, `check`, `--help`, `--version`, and the exit codes of the console script."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from clampctl import __version__
from clampctl.cli import main
from clampctl.cli.doctor import findings
from clampctl.study.load import protocol_names
from drivers.catalog import DRIVERS
from tests.cli.conftest import DATA, Run

COMMANDS = [
    "demo",
    "simulate",
    "run",
    "ui",
    "replay",
    "report",
    "advise",
    "emulate",
    "trial",
    "import",
    "subject",
    "probe",
    "devices",
    "doctor",
    "check",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"usage: clampctl {command} ")
    assert said.err == ""


def test_help_names_every_command_and_version_the_version(clampctl: Run) -> None:
    ran = clampctl("--help")
    assert ran.status == 0
    assert all(f"    {command} " in ran.out for command in COMMANDS)
    assert clampctl("--version").out == f"clampctl {__version__}\n"


def test_devices_name_every_driver_with_its_evidence(clampctl: Run) -> None:
    found = clampctl("devices", "--json").json()
    assert [driver["driver"] for driver in found["drivers"]] == list(DRIVERS)
    assert all(driver["evidence"] and driver["notes"] for driver in found["drivers"])
    pumps = [driver for driver in found["drivers"] if driver["kind"] == "pump"]
    assert all(set(pump["on_silence_by_role"]) == {"dextrose", "insulin"} for pump in pumps)
    assert isinstance(found["ports"], list)
    assert "evidence: " in clampctl("devices").out


def test_doctor_finds_or_not_and_its_exit_code_says_so(clampctl: Run) -> None:
    ran = clampctl("doctor", "--json")
    found = json.loads(ran.out)["findings"]
    assert ran.status == (1 if found else 0)
    words = clampctl("doctor")
    assert words.out.splitlines() == (found or ["nothing is missing"])


def test_doctor_misses_a_screen() -> None:
    without, with_one = findings({}), findings({"DISPLAY": ":0"})
    assert set(with_one) <= set(without)
    assert sum("no screen" in finding for finding in without) == (1 if sys.platform == "linux" else 0)
    assert not any("no screen" in finding for finding in with_one)


@pytest.mark.parametrize("name", protocol_names())
def test_every_protocol_that_comes_along_is_good(clampctl: Run, name: str) -> None:
    found = clampctl("check", name, "--json").json()
    assert found["protocol"] == name
    assert found["good"] is True
    assert clampctl("check", name).out.startswith(f"protocol: {name}\n")


def test_a_station_is_checked_with_its_preview(clampctl: Run) -> None:
    found = clampctl("check", DATA / "study" / "station.toml", "--json").json()
    assert found["good"] is True
    assert found["station"]
    assert found["preview"]


def test_the_console_script_ends_with_these_codes(tmp_path: Path) -> None:
    def status(*arguments: str) -> int:
        command = [sys.executable, "-m", "clampctl.cli", *arguments]
        return subprocess.run(command, capture_output=True, check=False, cwd=tmp_path).returncode

    (tmp_path / "torn.clamp.jsonl").write_bytes(b"no journal")
    assert status("check", "euglycemic-40") == 0
    assert status("replay", "torn.clamp.jsonl") == 1
    assert status("replay", "nosuch.clamp.jsonl") == 2


def test_a_replay_never_loads_the_screen(imported: Path) -> None:
    script = "import sys; from clampctl.cli import main; main(sys.argv[1:]); print('PySide6' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", script, "replay", str(imported)], capture_output=True, check=True, text=True
    )
    assert ran.stdout.endswith("False\n")
