"""Commands at the bedside: run, ui, doctor."""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clampctl.cli.output import print_json, say, warn
from clampctl.core.protocol import Refusal

if TYPE_CHECKING:
    from clampctl.study.station_document import StationDocument


def add_to(commands: Any) -> None:
    """The commands of this room."""
    run = commands.add_parser("run", help="the real thing: guardian and engine on real ports")
    run.add_argument("station", type=Path, metavar="STATION.toml")
    run.add_argument("--address", help="local socket for windows; else one beside the journal")
    run.add_argument("--journal", type=Path, help=argparse.SUPPRESS)
    run.add_argument("--engine", action="store_true", help=argparse.SUPPRESS)
    run.add_argument("--resume", action="store_true", help="go on with the journal given by --journal")
    run.set_defaults(run=run_run)

    window = commands.add_parser("ui", help="a window on a running engine or a finished journal")
    window.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a journal to look at")
    window.add_argument("--attach", metavar="ADDRESS", help="the address that `run` printed")
    window.add_argument("--theme", default="night", choices=("night", "day"))
    window.add_argument("--size", metavar="1280x800", help="else the whole screen")
    window.add_argument("--actor", default="", help="initials that sign this window's acts")
    window.add_argument("--serve-only", action="store_true", help=argparse.SUPPRESS)
    window.set_defaults(run=run_ui)

    doctor = commands.add_parser("doctor", help="what this computer lacks")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(run=run_doctor)


def run_run(options: argparse.Namespace) -> int:
    """`clampctl run`: the guardian, or with --engine the engine it guards."""
    from clampctl.cli.wiring import proven, pump_defaults
    from clampctl.study.load import load_station

    document = proven(load_station(options.station, pump_defaults()))
    if document.protocol is None or document.subject is None:
        raise Refusal("station", f"{options.station} names no protocol or no subject; both are needed.")
    if options.engine:
        from clampctl.cli.live import run_engine

        return run_engine(options, document)
    return _guard(options, document)


def _guard(options: argparse.Namespace, document: "StationDocument") -> int:
    from clampctl.engine.guardian import Guardian, python_command

    if options.resume and options.journal is None:
        raise Refusal("resume", "--resume needs --journal with the record to go on with.")
    journal = (options.journal or _journal_path(document)).absolute()
    address = _absolute(options.address or str(journal.with_suffix(".sock")))
    command = [
        *("run", str(options.station), "--engine"),
        *("--journal", str(journal), "--address", address),
        *(["--resume"] if options.resume else []),
    ]

    def alarm(text: str) -> None:
        with contextlib.suppress(OSError):
            warn(f"\a{text}")

    def said(text: str) -> None:
        with contextlib.suppress(OSError):
            say(text)

    guardian = Guardian(python_command(command), alarm, said)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: guardian.end())
    if sys.platform != "win32":
        # A closed terminal ends no clamp; the engine inherits this.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return guardian.watch()


def _absolute(address: str) -> str:
    """An address that a window finds from any folder."""
    return address if "://" in address else str(Path(address).absolute())


def _journal_path(document: "StationDocument") -> Path:
    folder = document.session_directory
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    code = document.subject.code if document.subject is not None else "session"
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return folder / f"{code}-{stamp}.clamp.jsonl"


def run_ui(options: argparse.Namespace) -> int:
    """`clampctl ui`."""
    if (options.file is None) == (options.attach is None):
        raise Refusal("ui", "Give a journal to look at, or --attach with the address of a running engine.")
    if options.file is None:
        return show(options.attach, options)
    if options.serve_only:
        from clampctl.cli.live import served_journal

        with served_journal(options.file) as address:
            print_json({"address": address})
            sys.stdin.read()
        return 0
    return _review(options)


def _review(options: argparse.Namespace) -> int:
    """A window on a finished journal, which a small process of its own folds and serves."""
    from clampctl.engine.guardian import python_command

    command = python_command(["ui", str(options.file), "--serve-only"])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line:
            return process.wait()
        return show(json.loads(line)["address"], options)


def show(address: str, options: argparse.Namespace) -> int:
    """A window on an address, until it is closed."""
    from ui.app import main

    size = None
    if options.size is not None:
        width, cross, height = options.size.partition("x")
        if not (cross and width.isdigit() and height.isdigit()):
            raise Refusal("size", f"size is {options.size!r}; expected width x height, such as 1280x800.")
        size = int(width), int(height)
    return main(_absolute(address), options.theme, size=size, actor=options.actor)


def run_doctor(options: argparse.Namespace) -> int:
    """`clampctl doctor`."""
    from clampctl.cli.doctor import findings

    found = findings(dict(os.environ))
    if options.json:
        print_json({"findings": found})
    else:
        for finding in found:
            say(finding)
        if not found:
            say("nothing is missing")
    return 1 if found else 0
