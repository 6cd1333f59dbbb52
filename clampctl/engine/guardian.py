"""The guardian: a tiny parent that starts the engine, hears its heartbeat, and restarts a dead one.

It touches no port and no journal. A dead or silent engine leaves the pumps at their last rates; the
new engine reads them first and goes into SAFE-TAIL. Too many restarts in a row: it only alarms.
"""

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

SILENT_S = 2.5
"""Two ticks and a half without a heartbeat: the engine hangs (safety sheet 2.4)."""

START_S = 10.0
"""A starting engine folds its journal before the first beat."""

PAUSE_S = 0.2
RESTARTS_MAX = 20
RESTARTS_WITHIN_S = 60.0
FINISHED = (0, 2)
"""Exit codes that are no accident: a clean end, wrong use."""


@dataclass(slots=True)
class Guardian:
    """Keeps one engine alive; `alarm` is told in words what happened."""

    command: Sequence[str]
    alarm: Callable[[str], None]
    said: Callable[[str], None]
    silent_s: float = SILENT_S
    _restarts_s: list[float] = field(default_factory=list)
    _engine: subprocess.Popen[str] | None = None
    _ending: bool = False
    _listens: bool = False

    def end(self) -> None:
        """Ask the engine to end cleanly; one that starts is asked once it can, to stop insulin first."""
        self._ending = True
        if self._engine is not None and self._listens:
            self._engine.terminate()

    def watch(self) -> int:
        """Start the engine and restart it until it ends on purpose; its last exit code."""
        resumed: list[str] = []
        while True:
            status = self._one(resumed)
            if status in FINISHED:
                if status and resumed:
                    self.alarm("The session cannot go on. Stop insulin at the pump, keep dextrose running.")
                return status
            if self._ending:
                self.alarm(f"The engine did not end well ({status}). Look at both pumps.")
                return 1
            self.alarm(f"The engine died ({status}); it is started again. Check the pumps.")
            now_s = time.monotonic()
            self._restarts_s = [at for at in self._restarts_s if now_s - at < RESTARTS_WITHIN_S]
            self._restarts_s.append(now_s)
            if len(self._restarts_s) > RESTARTS_MAX:
                self.alarm("The engine keeps dying. Stop insulin at the pump, keep dextrose running.")
                return 1
            time.sleep(PAUSE_S)
            resumed = ["--resume"]

    def _one(self, more: Sequence[str]) -> int:
        """One life of the engine; a silent one is killed."""
        engine = subprocess.Popen([*self.command, *more], stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self._engine, self._listens = engine, False
        beats: queue.Queue[str | None] = queue.Queue()
        listener = threading.Thread(target=_listen, args=(engine, beats), name="heartbeat")
        listener.start()
        wait_s = START_S
        try:
            while True:
                try:
                    line = beats.get(timeout=wait_s)
                except queue.Empty:
                    self.alarm("The engine is silent; it is stopped and started again.")
                    engine.kill()
                    break
                if line is None:
                    break
                if not self._listens:
                    self._listens = True
                    if self._ending:
                        engine.terminate()
                if line.strip():
                    self.said(line.rstrip("\n"))
                else:
                    wait_s = self.silent_s
        finally:
            engine.wait()
            listener.join()
            if engine.stdout is not None:
                engine.stdout.close()
        return engine.returncode


def _listen(engine: "subprocess.Popen[str]", beats: "queue.Queue[str | None]") -> None:
    """Lines of the engine: an empty one is a heartbeat, any other is said aloud."""
    if engine.stdout is not None:
        for line in engine.stdout:
            beats.put(line)
    beats.put(None)


def python_command(arguments: Sequence[str]) -> list[str]:
    """This program's command line with other arguments, in a process of its own."""
    return [sys.executable, "-m", "clampctl.cli", *arguments]
