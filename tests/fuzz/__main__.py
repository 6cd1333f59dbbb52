"""`make fuzz`: 10^6 mutated frames through every link and every emulator. Exit 1 on a finding."""

import argparse
import os
import sys
import traceback
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

from tests.fuzz.run import Ran, Side, ran, rows

SIDES: tuple[Side, ...] = ("link", "emulator")


def say(text: str) -> None:
    """A line of the table."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def judged(future: Future[Ran], name: str, side: Side, seed: int) -> bool:
    """Print one parser's row; False on a finding."""
    error = future.exception()
    if error is not None:
        say(f"{name:20} {side:9} FINDING with seed {seed}: {type(error).__name__}: {error}")
        say("".join(traceback.format_exception(error)))
        return False
    done = future.result()
    speed = f"{done.frames:9} frames {done.frames_per_s:7}/s"
    memory = f"{done.resident_kb:5} kB grown, traced {done.grown_kb:4} kB, {done.peak_kb:5} kB peak"
    say(f"{name:20} {side:9} {speed} {memory} {'flat' if done.flat else 'FINDING'}")
    return done.flat


def main() -> int:
    """All parsers, as many at once as there are processors."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("names", nargs="*", help="only these")
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        futures = {
            pool.submit(ran, row.name, side, asked.frames, asked.seed): (row.name, side)
            for row in rows(asked.names)
            for side in SIDES
        }
        results = [judged(future, *futures[future], asked.seed) for future in as_completed(futures)]
    say(f"{len(results)} parsers, {results.count(False)} with a finding")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
