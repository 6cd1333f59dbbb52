"""`clampctl probe PUMP --bench-sheet FILE`: the guide on a real port, and the signed sheet as a file."""

import argparse
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from clampctl.cli.bench_guide import guide, under_test
from clampctl.cli.bench_pump import PumpAtBench
from clampctl.cli.bench_talk import Engineer
from clampctl.cli.bench_wires import LiveWires
from clampctl.cli.output import new_file, say, warn
from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from clampctl.engine.ports import Wire
from clampctl.engine.signature import key_pair, key_path, read_document, signed_document
from clampctl.study.bench_proofs import SAFE_RATE_UL_H
from clampctl.study.bench_sheet import BenchSheet, judged, read_sheet, sheet_body
from drivers.capabilities import PumpCapabilities
from drivers.link import Link


def run(
    options: argparse.Namespace, link: Link, opener: Callable[[], Wire], capabilities: PumpCapabilities
) -> int:
    """Guide an engineer through the proofs of one pump and write the signed sheet.

    `options`: `bench_sheet` (a new file), `driver`, `role`, `diameter_mm` (None without a syringe),
    `key` (the unit's key file, None for this user's own). `link` is made for this role and may write.
    0 when the sheet admits the pump, 1 when it does not or was broken off. Refused when the file exists.
    """
    path: Path = new_file(options.bench_sheet)
    role = Role(options.role)
    diameter_um = None if options.diameter_mm is None else round(options.diameter_mm * 1000)
    tested = under_test(options.driver, role, diameter_um, capabilities)
    key = key_pair(options.key or key_path(os.environ, Path.home()))
    wires = LiveWires(role, link, opener)
    engineer = Engineer(lambda question: input(f"{question} "), say)
    try:
        with _interrupted_once():
            sheet = guide(PumpAtBench(wires, role, SAFE_RATE_UL_H[role]), engineer, tested)
    except (KeyboardInterrupt, EOFError):
        warn("broken off; no sheet was written.")
        return 1
    finally:
        wires.close()
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(signed_document(sheet_body(sheet), key))
    failures = judged(sheet)
    for failure in failures:
        say(failure)
    say(f"{path}: signed by {key.public}; {'does not admit' if failures else 'admits'} this {role} pump.")
    return 1 if failures else 0


def read_signed(path: Path, trusted_key: str | None = None) -> BenchSheet:
    """The sheet in a signed file; refused when it was changed, or signed by another than the trusted key."""
    try:
        text = path.read_bytes().decode("ascii")
    except (OSError, UnicodeDecodeError):
        raise Refusal("bench_sheet", f"The bench sheet {path} cannot be read.") from None
    return read_sheet(read_document(text, trusted_key).body)


@contextlib.contextmanager
def _interrupted_once() -> Iterator[None]:
    """The first Ctrl-C, end or hang-up breaks off; further ones do not disturb the stop of the pump."""
    broken_off = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal broken_off
        if not broken_off:
            broken_off = True
            raise KeyboardInterrupt

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    before = {
        getattr(signal, name): signal.signal(getattr(signal, name), interrupt)
        for name in names
        if hasattr(signal, name)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
