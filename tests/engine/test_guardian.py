"""The guardian, with small scripts in the engine's place."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clampctl.engine import guardian as room
from clampctl.engine.guardian import Guardian, python_command
from tests.engine.windows import moment, wait_for

POLITE = """
import signal, sys, time
def end(*_):
    print("ended", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    print(flush=True)
    time.sleep(0.05)
"""


class Told:
    """A guardian and what it told."""

    def __init__(self, folder: Path, script: str, silent_s: float = 2.5) -> None:
        path = folder / "engine.py"
        path.write_text(script)
        self.alarms: list[str] = []
        self.said: list[str] = []
        self.guardian = Guardian(
            [sys.executable, str(path)], self.alarms.append, self.said.append, silent_s=silent_s
        )
        self.status: int | None = None

    def watched(self, act: Callable[[], None]) -> int:
        """Watch in a thread, act meanwhile; the exit code."""

        def watch() -> None:
            self.status = self.guardian.watch()

        thread = threading.Thread(target=watch)
        thread.start()
        act()
        thread.join(30.0)
        assert self.status is not None
        return self.status


def lives(folder: Path, first: str, then: str) -> str:
    """A script that does something else in its second life, and notes its arguments."""
    mark = folder / "lived"
    return (
        "import sys, time, signal\nfrom pathlib import Path\n"
        f"mark = Path({str(mark)!r})\nsecond = mark.exists()\nmark.touch()\n"
        f"if not second:\n    print(sys.argv[1:], flush=True)\n    {first}\n{then}\n"
    )


@pytest.mark.parametrize("status", [0, 2])
def test_an_engine_that_ends_on_purpose_is_not_started_again(tmp_path: Path, status: int) -> None:
    told = Told(tmp_path, f"import sys; print('hello'); sys.exit({status})")
    assert told.guardian.watch() == status
    assert (told.said, told.alarms) == (["hello"], [])


def test_a_dead_engine_is_started_again_to_resume(tmp_path: Path) -> None:
    told = Told(tmp_path, lives(tmp_path, "sys.exit(1)", "print(sys.argv[1:])"))
    assert told.guardian.watch() == 0
    assert told.said == ["[]", "['--resume']"]
    assert told.alarms == ["The engine died (1); it is started again. Check the pumps."]


def test_a_silent_engine_is_killed_and_started_again(tmp_path: Path) -> None:
    told = Told(tmp_path, lives(tmp_path, "print(flush=True); time.sleep(60)", ""), silent_s=0.3)
    assert told.guardian.watch() == 0
    assert "silent" in told.alarms[0]
    assert "died (-9)" in told.alarms[1] or "died (1)" in told.alarms[1]


def test_an_engine_that_never_speaks_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "START_S", 0.5)
    mark = tmp_path / "lived"
    script = (
        f"import time\nfrom pathlib import Path\nmark = Path({str(mark)!r})\n"
        "if not mark.exists():\n    mark.touch()\n    time.sleep(60)\n"
    )
    told = Told(tmp_path, script)
    assert told.guardian.watch() == 0
    assert "silent" in told.alarms[0]


def test_too_many_deaths_end_in_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "RESTARTS_MAX", 2)
    monkeypatch.setattr(room, "PAUSE_S", 0.0)
    told = Told(tmp_path, "import sys; sys.exit(1)")
    assert told.guardian.watch() == 1
    assert "keeps dying" in told.alarms[-1]
    assert len(told.alarms) == 4


def test_a_session_that_cannot_go_on_sounds_the_alarm(tmp_path: Path) -> None:
    told = Told(tmp_path, lives(tmp_path, "sys.exit(1)", "sys.exit(2)"))
    assert told.guardian.watch() == 2
    assert "cannot go on" in told.alarms[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="a clean end by signal is POSIX")
class TestEnd:
    """Asked to end, it waits for the engine's own end."""

    def test_a_running_engine_is_asked(self, tmp_path: Path) -> None:
        told = Told(tmp_path, POLITE)

        def act() -> None:
            wait_for(lambda: told.said or None, moment)
            told.guardian.end()

        assert told.watched(act) == 0
        assert told.said == ["ready", "ended"]
        assert told.alarms == []

    def test_a_starting_engine_is_asked_once_it_can_hear(self, tmp_path: Path) -> None:
        told = Told(tmp_path, POLITE)

        def act() -> None:
            wait_for(lambda: told.guardian._engine, moment)
            told.guardian.end()

        assert told.watched(act) == 0
        assert told.said == ["ready", "ended"]

    def test_between_two_lives_the_next_engine_ends_cleanly(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = Told(tmp_path, lives(tmp_path, "sys.exit(1)", POLITE))
        monkeypatch.setattr(time, "sleep", lambda _: told.guardian.end())
        assert told.watched(lambda: None) == 0
        assert told.said == ["[]", "ready", "ended"]

    def test_an_engine_that_dies_at_its_end_is_an_alarm(self, tmp_path: Path) -> None:
        told = Told(tmp_path, POLITE.replace("sys.exit(0)", "sys.exit(1)"))

        def act() -> None:
            wait_for(lambda: told.said or None, moment)
            told.guardian.end()

        assert told.watched(act) == 1
        assert "did not end well" in told.alarms[-1]


def test_the_program_calls_itself() -> None:
    assert python_command(["run"]) == [sys.executable, "-m", "clampctl.cli", "run"]
