"""The command line, and the only place where the rooms are wired together.

Each command imports what it needs when it runs, so that `clampctl replay` never loads Qt. Exit 0 on
success, 1 on a finding, 2 on wrong use with one sentence on stderr.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from clampctl import __version__
from clampctl.core.protocol import Refusal

FINDING, WRONG_USE = 1, 2


class _Parser(argparse.ArgumentParser):
    """Wrong use is one sentence, without the usage text above it."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"clampctl: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    from clampctl.cli import bedside, emulate, offline, probe, trial, virtual

    top = _Parser(prog="clampctl", description="Hyperinsulinemic-euglycemic clamps. Research software.")
    top.add_argument("--version", action="version", version=f"clampctl {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    for room in (virtual, trial, emulate, bedside, probe, offline):
        room.add_to(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the console script."""
    options = parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except Refusal as refusal:
        print(f"clampctl: {refusal.sentence}", file=sys.stderr)
        return WRONG_USE
    except OSError as trouble:
        if getattr(options, "engine", False):
            raise  # the guardian starts a broken engine again, but not one that was refused
        if isinstance(trouble, BrokenPipeError):
            sys.stderr.close()
            return 0
        print(f"clampctl: {_sentence(trouble)}.", file=sys.stderr)
        return WRONG_USE
    except UnicodeDecodeError:
        print("clampctl: what is read is not text in UTF-8.", file=sys.stderr)
        return WRONG_USE
    return status


def _sentence(trouble: OSError) -> str:
    """What the system says about a file or a port, in words."""
    if isinstance(trouble, FileNotFoundError):
        return f"there is no file {trouble.filename}"
    where = f"{trouble.filename}: " if trouble.filename else ""
    return f"{where}{trouble.strerror or trouble}"
