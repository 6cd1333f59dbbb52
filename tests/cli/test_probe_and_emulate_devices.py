"""Every device emulated in a process of its own and probed: on TCP, on a pseudo-terminal, or as a caller."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clampctl.cli import parser
from clampctl.cli.emulate import _planned, _rehearsed
from simulator.devices import EMULATED
from tests.cli.conftest import Run

DOCS = Path(__file__).parents[2] / "docs" / "devices"
PUMPS = {
    "new-era": "NE1000",
    "alaris": "Asena",
    "harvard-ultra": "11 ELITE",
    "harvard-22": "PHD2.0",
    "graseby-3400": "Graseby 3400",
}
ANALYZERS: dict[str, tuple[str, ...]] = {
    "ysi-2700": ("--setting", "poll_ms=500"),
    "radiometer-abl": (),
    "gem": ("--setting", "codes=glucose,glu"),
    "siemens": (),
    "biosen": ("--setting", "glucose_channel=001"),
}
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is a thing of POSIX")


@contextmanager
def emulated(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An emulator in a process of its own, and its address."""
    command = [sys.executable, "-m", "clampctl.cli", "emulate", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            assert first, process.communicate()[1]
            yield process, json.loads(first)["address"]
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> dict[str, int]:
    """Told to end, an emulator says how much it sent and heard."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    found: dict[str, int] = json.loads(out.splitlines()[-1])
    return found


def of_kind(rows: list[Any], kind: str) -> list[Any]:
    return [row for row in rows if row["type"] == kind]


@POSIX
@pytest.mark.parametrize("pump", PUMPS)
def test_every_pump_says_who_it_is_and_what_it_does_on_a_pseudo_terminal(clampctl: Run, pump: str) -> None:
    with emulated(pump, "--pty", "--split") as (process, address):
        rows = clampctl("probe", pump, "--port", address, "--seconds", "2.5").rows()
        counted = ended(process)
    (identified,) = of_kind(rows, "PumpIdentified")
    assert identified["model"].startswith(PUMPS[pump])
    assert identified["mismatch"] is None
    last = of_kind(rows, "PumpReported")[-1]
    assert (last["state"], last["rate_ul_h"], last["alarm"]) == ("stopped", 0, None)
    assert of_kind(rows, "LinkTroubled") == []
    assert 0 < counted["heard_bytes"] <= rows[-1]["sent_bytes"]


@pytest.mark.parametrize("analyzer", ANALYZERS)
def test_every_analyzer_gives_its_result_on_tcp(clampctl: Run, analyzer: str) -> None:
    given = ("--glucose", "92", "--every", "600", "--setting", "run_ms=1500", "--split")
    with emulated(analyzer, "--tcp", "0", *given) as (process, address):
        where = ("--tcp", address.removeprefix("socket://"))
        rows = clampctl("probe", analyzer, *where, *ANALYZERS[analyzer], "--seconds", "4").rows()
        assert ended(process)["samples"] == 1
    assert of_kind(rows, "LinkHeard")
    assert of_kind(rows, "LinkTroubled") == []
    (sample,) = of_kind(rows, "GlucoseSampled")
    assert sample["glucose_mg_dl"] == pytest.approx(92, abs=0.5)


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return f"127.0.0.1:{door.getsockname()[1]}"


def test_a_meter_calls_and_its_greeting_is_not_lost_before_somebody_listens(clampctl: Run) -> None:
    here = free_port()
    given = ("--glucose", "92", "--every", "600", "--setting", "run_ms=1000")
    with emulated("poct1a", "--connect", here, *given) as (process, address):
        assert address == f"tcp-listen://{here}"
        rows = clampctl("probe", "poct1a", "--listen", here, "--seconds", "4").rows()
        assert ended(process)["samples"] == 1
    assert "SS-4711 connected" in of_kind(rows, "LinkHeard")[0]["detail"]
    (sample,) = of_kind(rows, "GlucoseSampled")
    assert sample["raw_value"] == "92"


def test_a_pump_with_another_serial_number_is_named(clampctl: Run) -> None:
    with emulated("alaris", "--tcp", "0", "--setting", "serial=8002-99999") as (_, address):
        where = ("--tcp", address.removeprefix("socket://"))
        ran = clampctl("probe", "alaris", *where, "--serial-number", "8002-51740", "--seconds", "2")
    assert ran.err == (
        "clampctl: this is not the device that was expected: "
        "pump is serial 8002-99999, expected 8002-51740.\n"
    )
    assert of_kind(ran.rows(), "PumpIdentified")[0]["mismatch"]


def test_nothing_heard_says_why(clampctl: Run) -> None:
    ran = clampctl("probe", "new-era", "--tcp", free_port(), "--seconds", "0.5")
    assert ran.status == 1
    assert "nothing was heard in 0.5 s (cannot open the port" in ran.err
    assert json.loads(ran.out.splitlines()[-1])["sent_bytes"] == 0


# --- faults ------------------------------------------------------------------------------------


def test_a_fault_begins_and_ends_at_its_seconds(clampctl: Run) -> None:
    """A cable is pulled for a while: the emulator hangs up, and the pump is identified anew."""
    with emulated("new-era", "--tcp", "0", "--fault", "unplug@2-2.5") as (process, address):
        rows = clampctl(
            "probe", "new-era", "--tcp", address.removeprefix("socket://"), "--seconds", "6"
        ).rows()
        ended(process)
    assert len(of_kind(rows, "LinkLost")) == 1
    assert len(of_kind(rows, "PumpIdentified")) == 2


def test_a_fault_that_finds_nothing_to_spoil_is_told_and_the_device_goes_on() -> None:
    with emulated("ysi-2700", "--tcp", "0", "--fault", "edit=10@0.1") as (process, _):
        assert process.stderr is not None
        assert process.stderr.readline().startswith("clampctl: at 0.1 s: ")
        assert process.poll() is None


def named_faults(page: Path) -> Iterator[tuple[str, str]]:
    """Device and fault for every fault that a page says can be tried."""
    _, *calls = page.read_text(encoding="utf-8").split("`clampctl emulate ")
    for call in calls:
        line, _, rest = call.partition("`")
        device, _, options = line.partition(" ")
        first = options.partition("--fault ")[2]
        sentence = re.split(r"\.(?:\s|$)", rest)[0]
        for word in (
            first,
            *(word for quoted in re.findall(r"`([^`]+)`", sentence) for word in quoted.split()),
        ):
            head, equals, values = word.partition("=")
            for value in values.split("|"):
                if head:
                    yield device, f"{head}{equals}{value}"


PAGES = [page for page in sorted(DOCS.glob("*.md")) if page.name not in ("faults.md", "README.md")]
DOCUMENTED = sorted({found for page in PAGES for found in named_faults(page)})


def test_the_pages_name_faults_of_every_emulated_device() -> None:
    aliases = {"ysi-2300", "gem", "nova", "cobas-b"}
    assert {device for device, _ in DOCUMENTED} == EMULATED.keys() - aliases
    assert len(DOCUMENTED) > 200


@pytest.mark.parametrize(("device", "text"), DOCUMENTED)
def test_every_fault_that_a_page_names_can_be_had(device: str, text: str) -> None:
    entry = EMULATED[device]
    found, seconds = _planned(text)
    assert seconds == [0.0]
    _rehearsed(entry, entry.settings()).inject(found, 600_000)


@pytest.mark.parametrize(
    ("text", "seconds"), [("mute", [0.0]), ("mute@20", [20.0]), ("key=rate,60000@1.5-2", [1.5, 2.0])]
)
def test_when_a_fault_is(text: str, seconds: list[float]) -> None:
    assert _planned(text)[1] == seconds


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["probe", "emulate"])
def test_every_option_is_explained(command: str) -> None:
    top = parser()._subparsers
    assert top is not None
    found = top._group_actions[0].choices
    assert isinstance(found, dict)
    assert [action.dest for action in found[command]._actions if not action.help] == []


def test_the_first_ctrl_c_before_anybody_answers_ends_a_caller() -> None:
    with emulated("poct1a", "--connect", free_port()) as (process, _):
        stopping = threading.Timer(30, process.kill)
        stopping.start()
        assert ended(process) == {"sent_bytes": 0, "heard_bytes": 0, "samples": 0}
        stopping.cancel()
