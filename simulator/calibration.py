"""How harsh the presets of noise are: the measured CV of a clamp under each, on each model.

The yardstick of the presets (`subjects.variability`): lean subjects, 40 mU/m²/min for 180 min, DeFronzo's law
on a sample every 5 min, CV of the samples of the last hour, median over the cohort. Published clamps
have about 5 % (models sheet, V22). `python -m simulator.calibration` prints the table; nothing is fitted
here, a preset is a number that this table was read for.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from clampctl.study.load import load_protocol
from clampctl.study.variants import with_law, with_minutes
from simulator.models import MODELS
from simulator.trial import Request
from simulator.workers import run_trial

PROTOCOL = "euglycemic-40"
PHENOTYPE = "lean"
LAW = "defronzo"
MINUTES = 180.0
SUBJECTS = 200
SEED = 1

WANTED_PCT = {"quiet": 2.5, "noisy": 3.3, "harsh": 5.0}
"""Measured CV wanted of a preset, in percent; the default model's quiet and noisy stay the sheet's."""


@dataclass(frozen=True, slots=True)
class Harshness:
    """One preset on one model: medians over the cohort, and the lowest true glucose of all."""

    model: str
    noise: str
    measured_cv_pct: float
    true_cv_pct: float
    lowest_mg_dl: float


def harshness(
    model: str, noise: str, subjects: int = SUBJECTS, seed: int = SEED, minutes: float = MINUTES
) -> Harshness:
    """Clamp a cohort under a preset. Refuses what a trial refuses."""
    protocol = with_law(with_minutes(load_protocol(PROTOCOL), minutes), LAW)
    scores = run_trial(Request(protocol, model, PHENOTYPE, noise, seed, subjects)).scores
    return Harshness(
        model,
        noise,
        float(np.nanmedian(scores["glucose_cv_measured_pct"])),
        float(np.nanmedian(scores["glucose_cv_true_pct"])),
        float(np.nanmin(scores["glucose_min_true_mg_dl"])),
    )


def lines(subjects: int, seed: int, minutes: float = MINUTES) -> Iterator[str]:
    """The table of every preset on every model, line by line as it is found."""
    yield f"{PHENOTYPE}, {PROTOCOL}, {minutes:g} min, {LAW}, {subjects} subjects, seed {seed}"
    yield "model      noise   measured CV %  wanted  true CV %  lowest mg/dL"
    for model, known in MODELS.items():
        for noise in known.noises:
            found = harshness(model, noise, subjects, seed, minutes)
            wanted = WANTED_PCT.get(noise)
            yield (
                f"{model:<10} {noise:<7} {found.measured_cv_pct:13.2f}"
                f" {'-' if wanted is None else f'{wanted:.1f}':>7} {found.true_cv_pct:10.2f}"
                f" {found.lowest_mg_dl:13.1f}"
            )


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m simulator.calibration", description=lines.__doc__)
    parser.add_argument("--subjects", type=int, default=SUBJECTS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    options = parser.parse_args(arguments)
    for line in lines(options.subjects, options.seed, options.minutes):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
