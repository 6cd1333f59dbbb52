"""`make validation`: compute, write docs/validation.md and its pictures, end with 1 where anything failed.

A command of the repository: it reads tests/data, since the digitised curves may not be passed on with
the program, and writes docs.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from simulator.validation.figures import can_draw, draw
from simulator.validation.page import page
from simulator.validation.results import computed, sources

ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, compute, write and judge."""
    parser = argparse.ArgumentParser(prog="python -m simulator.validation", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=ROOT / "tests" / "data", help="folder of clamps and models"
    )
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where validation.md is written")
    options = parser.parse_args(arguments)
    if not (options.data / "clamps").is_dir():
        _tell(f"{options.data} has no published clamps: run this in a checkout, or name a folder with --data")
        return 2
    results = computed(options.data, _tell)
    text = page(results, sources(options.data))
    sys.stdout.write(text)
    (options.docs / "validation.md").write_text(text, encoding="utf-8")
    if can_draw():
        (options.docs / "pictures").mkdir(parents=True, exist_ok=True)
        for curve in results.curves:
            if curve.gates:
                draw(curve, options.docs / "pictures")
    else:
        _tell("matplotlib is not installed: the pictures were not drawn")
    for miss in results.known_misses():
        _tell(f"known miss: {miss}")
    for failure in results.failures():
        _tell(f"FAIL {failure}")
    return int(bool(results.failures()))


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    raise SystemExit(main())
