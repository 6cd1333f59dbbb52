"""How fast subjects are simulated, beside a baseline of the same run and beside simglucose: `make bench`.

Open loop (bodies only, as arrays), through the real core (`clampctl trial` in processes of its own), and by
a program of others where the peers' environment has it. Judges nothing: only a crash fails. One argument:
the peers' Python.
"""

import argparse
import copy
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from simulator.models import MODELS
from tests.peers.__main__ import installed, say
from tests.peers.exchange import Failed
from tests.peers.simglucose_clamp import PACKAGE, clamped
from tests.speed import BASELINE_LINES, RUNS, baseline, timed

PHENOTYPE, SEED = "lean", 1
OPEN_LOOP_SUBJECTS = 10_000
SUBJECTS = 1_000
MINUTES = 180
INSULIN_MU_M2_MIN, GIR_MG_KG_MIN = 40.0, 5.0
ROUNDS = 2
"""Each crew tries so often, one after the other by turns; the best is told."""

LOOK_S = 0.5


def figure(what: str, subject_minutes: float, took_s: float, base_s: float) -> None:
    """One line of the table."""
    rate, baselines = subject_minutes / took_s, took_s / base_s
    say(f"{what:<58} {rate:>13,.0f} {took_s:>9.2f} {base_s:>11.2f} {baselines:>10.1f}")


def best(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the best run, and of the best baseline, taken by turns."""
    pairs = [(timed(work), timed(baseline)) for _ in range(RUNS)]
    return min(took_s for took_s, _ in pairs), min(base_s for _, base_s in pairs)


def open_loop(model: str) -> Callable[[], None]:
    """A cohort, made beforehand; what moves it a minute at a time under constant glucose and insulin."""
    plant = MODELS[model].members(PHENOTYPE, SEED, 0, OPEN_LOOP_SUBJECTS, False)
    gir, still = np.full(OPEN_LOOP_SUBJECTS, GIR_MG_KG_MIN), np.zeros(OPEN_LOOP_SUBJECTS)
    insulin_mu_kg_min = INSULIN_MU_M2_MIN * plant.bsa_m2 / plant.weight_kg

    def move() -> None:
        moved = copy.copy(plant)
        for _ in range(MINUTES):
            moved.advance(1.0, gir, insulin_mu_kg_min, still)

    return move


def session_kb(session: int) -> int:
    """The peaks of all processes alive in a session, summed: at most what they hold (Linux; else 0)."""
    total = 0
    for told in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(told.read_text().rpartition(")")[2].split()[3]) == session:
                status = (told.parent / "status").read_text()
                total += int(status.partition("VmHWM:")[2].split()[0])
        except (OSError, IndexError):  # it ended meanwhile
            continue
    return total


def trial(subjects: int, workers: int) -> tuple[float, int]:
    """Seconds of wall time and kB at the peak of one trial in processes of its own."""
    asked = ("--protocol", "euglycemic-40", "--phenotype", PHENOTYPE, "--seed", SEED, "--json")
    sizes = ("--subjects", subjects, "--minutes", MINUTES, "--workers", workers)
    command = [sys.executable, "-m", "clampctl.cli", "trial", *map(str, asked + sizes)]
    peak_kb = 0
    start_s = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            while process.poll() is None:
                peak_kb = max(peak_kb, session_kb(process.pid))
                with suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK_S)
            took_s = time.perf_counter() - start_s
        finally:
            process.kill()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return took_s, peak_kb


def through_the_core(subjects: int) -> None:
    """One worker, two, and the baseline, by turns."""
    found: dict[int, list[tuple[float, int]]] = {1: [], 2: []}
    base_s = float("inf")
    for _ in range(ROUNDS):
        base_s = min(base_s, timed(baseline))
        for workers, tries in found.items():
            tries.append(trial(subjects, workers))
    best_s = {workers: min(took_s for took_s, _ in tries) for workers, tries in found.items()}
    for workers, tries in found.items():
        what = f"trial, real core, {subjects:,} x {MINUTES} min of clamp, workers {workers}"
        figure(what, subjects * MINUTES, best_s[workers], base_s)
        seconds = ", ".join(f"{took_s:.1f}" for took_s, _ in tries)
        peak_mb = max(kb for _, kb in tries) * 1024 / 1e6
        memory = f"{peak_mb:.0f} MB" if peak_mb else "not known here"
        say(f"    of {seconds} s; memory at the peak (VmHWM of all its processes, summed): {memory}")
    say(f"    two workers are {best_s[1] / best_s[2]:.2f} times as fast, on {os.cpu_count()} cores")


def beside(python: Path) -> None:
    """simglucose, clamped by our advice; its own integration only is timed."""
    version = installed(python).get(PACKAGE) if python.exists() else None
    if version is None:
        say(f"{PACKAGE} is not installed in the peers' environment ({python}): `make peers` installs it.")
        return
    base_s = min(timed(baseline) for _ in range(RUNS))
    for how, adults, plain in (("as it is", range(1, 4), False), ("without pandas", range(1, 6), True)):
        try:
            found = clamped(python, adults, plain)
        except Failed as failure:
            say(f"{PACKAGE} {version} {how}: FAILED: {failure}")
            continue
        what = f"{PACKAGE} {version} {how}, {len(adults)} adults, one by one"
        figure(what, found.subject_minutes, found.integration_s, base_s)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.trial_speed")
    parser.add_argument("peers_python", type=Path)
    parser.add_argument("--subjects", type=int, default=SUBJECTS)
    options = parser.parse_args()
    say(f"a baseline is {BASELINE_LINES:,} lines of JSON and SHA-256")
    say(f"{'':<58} {'subject-min/s':>13} {'s':>9} {'baseline, s':>11} {'baselines':>10}")
    for model in MODELS:
        took_s, base_s = best(open_loop(model))
        what = f"{model}, open loop, {OPEN_LOOP_SUBJECTS:,} x {MINUTES} min, one core"
        figure(what, OPEN_LOOP_SUBJECTS * MINUTES, took_s, base_s)
    through_the_core(options.subjects)
    beside(options.peers_python)


if __name__ == "__main__":
    main()
