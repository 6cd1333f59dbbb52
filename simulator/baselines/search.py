"""Gains for the PID-clamp form: `python -m simulator.baselines.search`; the same gains at each run.

Searched on the composite model, lean and obese at 40 and lean at 120 mU/m2/min, quiet and noisy, on
subjects no table shows (`SEED`). What is made small is the mean over those cells of

    median |true glucose - target| of the last hour, mg/dL
    + 0.1 x median CV of GIR, %                a GIR that never rests has no M
    + mean shortfall of the lowest true glucose below 75 mg/dL

From the look-ahead rule, which is one of these, to the best neighbour until none is better; then with
steps of half the size, twice. A local minimum on a model: a fair opponent, not an optimum.
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec

import numpy as np

from clampctl.study.load import load_protocol
from simulator.baselines import on_trial
from simulator.baselines.pid_clamp import Gains, PidClamp
from simulator.baselines.recent import SLOTS_KEPT
from simulator.trial import Request, run_chunk

SEED = 8128
START = Gains(kp=-10.0 * 0.19 / 15.0, ki=1.0, kd=-10.0 * 0.19, samples=1)
STEP = Gains(kp=0.06, ki=0.04, kd=0.6, samples=1)
FINEST = 0.25
CALM = 0.1
LOW_MG_DL = 75.0
CELLS = tuple(
    (phenotype, dose, noise)
    for phenotype, dose in (("lean", 40), ("obese", 40), ("lean", 120))
    for noise in ("quiet", "noisy")
)
LAW = "gains on trial"

Judge = Callable[[Sequence[Gains]], list[float]]


def cost(gains: Gains, request: Request) -> float:
    """The sum above for one cell."""
    with on_trial({LAW: PidClamp(gains)}):
        scores = run_chunk(request, 0, request.subjects).scores
    low = np.maximum(0.0, LOW_MG_DL - scores["glucose_min_true_mg_dl"])
    away, restless = (np.nanmedian(scores[name]) for name in ("abs_deviation_true_mg_dl", "gir_cv_pct"))
    return float(away + CALM * restless + np.nanmean(low))


def requests(subjects: int) -> list[Request]:
    """One for each cell."""
    found = []
    for phenotype, dose, noise in CELLS:
        protocol = load_protocol(f"euglycemic-{dose}")
        protocol = replace(protocol, law=replace(protocol.law, name=LAW))
        found.append(Request(protocol, "composite", phenotype, noise, SEED, subjects))
    return found


def judge(subjects: int) -> Judge:
    """Mean cost over the cells, for several gains at once: on every core where joblib is there."""
    cells = requests(subjects)

    def judged(several: Sequence[Gains]) -> list[float]:
        each = np.array(_costs([(gains, cell) for gains in several for cell in cells]))
        means: list[float] = each.reshape(len(several), len(cells)).mean(axis=1).tolist()
        return means

    return judged


def searched(judged: Judge, start: Gains = START) -> Iterator[tuple[Gains, float]]:
    """Ever better gains and their cost; the last are the gains found."""
    best, size = start, 1.0
    least = judged([start])[0]
    yield best, least
    while size >= FINEST:
        near = neighbours(best, size)
        costs = judged(near)
        lowest = min(range(len(near)), key=costs.__getitem__)
        if costs[lowest] < least:
            best, least = near[lowest], costs[lowest]
            yield best, least
        else:
            size /= 2.0


def neighbours(gains: Gains, size: float) -> list[Gains]:
    """One gain a step up or down; the mean always by one interval."""
    found = [
        replace(gains, **{name: getattr(gains, name) + way * size * getattr(STEP, name)})
        for name in ("kp", "ki", "kd")
        for way in (-1.0, 1.0)
    ]
    lengths = (gains.samples - STEP.samples, gains.samples + STEP.samples)
    return found + [replace(gains, samples=n) for n in lengths if 1 <= n <= SLOTS_KEPT]


def _costs(pairs: Iterable[tuple[Gains, Request]]) -> list[float]:
    if not find_spec("joblib"):
        return [cost(*pair) for pair in pairs]
    joblib = importlib.import_module("joblib")
    costs: list[float] = joblib.Parallel(n_jobs=-1)(joblib.delayed(cost)(*pair) for pair in pairs)
    return costs


def main() -> None:
    """Search, and tell every step."""
    parser = argparse.ArgumentParser(description="search the gains of the PID-clamp form")
    parser.add_argument("--subjects", type=int, default=24, help="in each cell")
    options = parser.parse_args()
    for gains, least in searched(judge(options.subjects)):
        sys.stdout.write(f"{least:.4f}  {gains}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
