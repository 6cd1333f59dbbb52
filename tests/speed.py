"""How fast it is, as figures beside a baseline of the same run: `make bench`. Judges nothing."""

import hashlib
import json
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from clampctl.core.protocol import Mode
from clampctl.engine.replay import replay
from clampctl.study.load import load_protocol
from clampctl.study.variants import with_minutes, with_mode
from simulator.clamp import Outcome, Request, simulate

BASELINE_LINES = 100_000
RUNS = 3
DAY_MIN = 1440.0


def timed(work: Callable[[], object]) -> float:
    """Seconds of one run, on this process's own clock."""
    start_s = time.perf_counter()
    work()
    return time.perf_counter() - start_s


def baseline() -> None:
    """What a Python program cannot avoid: JSON, a hash and a checksum for each of many lines."""
    previous = ""
    for number in range(BASELINE_LINES):
        body = json.dumps(
            {"at_ms": number * 1000, "event": {"type": "Ticked"}, "seq": number}, sort_keys=True
        )
        previous = hashlib.sha256((previous + body).encode()).hexdigest()


def clamp(minutes: float, folder: Path, name: str) -> Outcome:
    """One virtual clamp through the byte-level devices."""
    protocol = with_mode(with_minutes(load_protocol("euglycemic-40"), minutes), Mode.AUTOMATIC)
    return simulate(Request(protocol, "lean", 1, "quiet", minutes), folder / name)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        base_s = min(timed(baseline) for _ in range(RUNS))
        print(f"baseline: {BASELINE_LINES} lines of JSON and SHA-256: {base_s:.2f} s")
        runs = []
        for run in range(RUNS):
            runs.append(timed(lambda run=run: clamp(180.0, folder, f"{run}.clamp.jsonl")))  # type: ignore[misc]
        best_s = min(runs)
        print(
            f"clamp of 180 min through bytes: {best_s:.2f} s (of {', '.join(f'{s:.2f}' for s in runs)}), "
            f"{180 * 60 / best_s:.0f} times real time, {best_s / base_s:.2f} baselines"
        )
        day = folder / "day.clamp.jsonl"
        day_s = timed(lambda: clamp(DAY_MIN, folder, day.name))
        outcome = replay(day)
        replay_s = min(timed(lambda: replay(day)) for _ in range(RUNS))
        print(
            f"journal of 24 h: {outcome.events} events, {day.stat().st_size / 1e6:.0f} MB, "
            f"written in {day_s:.1f} s, replayed in {replay_s:.1f} s ({replay_s / base_s:.1f} baselines), "
            f"{'identical' if outcome.difference is None else 'DIFFERENT'}"
        )
        tracemalloc.start()
        replay(folder / "0.clamp.jsonl")
        print(f"memory of a replay of 180 min: {tracemalloc.get_traced_memory()[1] / 1e6:.0f} MB at its peak")


if __name__ == "__main__":
    main()
