"""The command line as a test calls it: arguments and stdin in; exit code, stdout and stderr out."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clampctl.cli import main

DATA = Path(__file__).parents[1] / "data"
KATZ = tuple(str(DATA / "clamps" / f"katz_nonobese_120_{what}.csv") for what in ("glucose", "gir", "insulin"))


@dataclass(frozen=True, slots=True)
class Ran:
    """How one command ended."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """The one JSON object on stdout; nothing else may be there."""
        assert self.status == 0, self.err
        assert self.err == ""
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    def rows(self) -> list[Any]:
        """JSON lines on stdout."""
        assert self.status == 0, self.err
        return [json.loads(line) for line in self.out.splitlines()]

    def refusal(self) -> str:
        """The one sentence on stderr of a command that was refused."""
        assert self.status == 2, self.err
        assert self.err.startswith("clampctl: ")
        assert self.err.count("\n") == 1
        assert "Traceback" not in self.err
        return self.err


Run = Callable[..., Ran]


@pytest.fixture
def clampctl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `clampctl ARGUMENTS` in this process."""

    def run(*arguments: str | Path, stdin: str = "") -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0
        said = capsys.readouterr()
        return Ran(status, said.out, said.err)

    return run


@pytest.fixture
def imported(clampctl: Run, tmp_path: Path) -> Path:
    """The journal of Katz's non-obese group, imported."""
    ran = clampctl("import", *KATZ, "--weight-kg", "70", "--code", "katz", "--out", tmp_path / "in", "--json")
    return Path(ran.json()["journal"])
