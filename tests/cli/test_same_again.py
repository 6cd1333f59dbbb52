"""The same command gives the same journal, byte for byte, whatever Python hashes; every journal replays."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Run

COMMAND = (
    "simulate",
    "--protocol",
    "euglycemic-40",
    "--subject",
    "obese",
    "--minutes",
    "20",
    "--noise",
    "noisy",
)


def test_the_same_bytes_again_and_under_other_hashes(clampctl: Run, tmp_path: Path) -> None:
    journals = []
    for name in ("one", "two"):
        found = clampctl(*COMMAND, "--out", tmp_path / name, "--json").json()
        journals.append(Path(found["journal"]).read_bytes())
    elsewhere = subprocess.run(
        [sys.executable, "-m", "clampctl.cli", *COMMAND, "--out", str(tmp_path / "three"), "--json"],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert elsewhere.stderr == ""
    (third,) = (tmp_path / "three").iterdir()
    journals.append(third.read_bytes())
    assert journals[0] == journals[1] == journals[2]
    replayed = clampctl("replay", third, "--json").json()
    assert replayed == {"identical": True, "events": journals[0].count(b"\n"), "difference": None}
