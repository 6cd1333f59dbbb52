"""The in-silico table, docs/in-silico.md: `make in-silico`, or `python -m simulator.insilico --help`.

Every cell is a trial as `clampctl trial` runs it: model x phenotype x dose x noise x law, the same
people with the same noise under each law. A cell is one task; the table is the same however many work.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

from clampctl.study.load import load_protocol
from clampctl.study.variants import with_law
from simulator.insilico_outside import outside
from simulator.insilico_page import page
from simulator.models import MODELS
from simulator.scores import percentiles, share_pct
from simulator.trial import Request
from simulator.trial_rows import row
from simulator.workers import Crew, checked, run_trial

DOSES = (40, 60, 120)
NOISES = ("quiet", "noisy", "harsh")
LAWS = ("defronzo", "pid-clamp", "look-ahead")
PHENOTYPES = ("lean", "obese", "metsyn", "t2d", "t1d")
EARLY_MIN = 40
"""Before this minute a clamp at a high dose undershoots (clamp-method 4.6)."""

PAGE = Path("docs/in-silico.md")

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the table; `subjects` is its size."""

    model: str
    phenotype: str
    dose: int
    noise: str
    law: str
    subjects: int
    seed: int

    def request(self) -> Request:
        """The trial it stands for: the protocol of its dose, at the protocol's own length."""
        protocol = with_law(load_protocol(f"euglycemic-{self.dose}"), self.law)
        return Request(protocol, self.model, self.phenotype, self.noise, self.seed, self.subjects)


def cells(subjects: int, seed: int, models: Sequence[str] = tuple(MODELS)) -> list[Cell]:
    """Every cell of these models, in the order of the table; what a model does not have is left out."""
    return [
        Cell(model, phenotype, dose, noise, law, subjects, seed)
        for model in models
        for phenotype, dose, noise, law in product(PHENOTYPES, DOSES, NOISES, LAWS)
        if phenotype in MODELS[model].phenotypes and noise in MODELS[model].noises
    ]


def played(cell: Cell) -> Figures:
    """The figures of one cell: a row of `trial --json`, and the lowest true glucose before minute 40."""
    request = cell.request()
    result = run_trial(request, Crew(1))
    early = result.glucose_mg_dl[:EARLY_MIN].min(axis=0)
    return {
        **row(request, result),
        "dose_mu_m2_min": cell.dose,
        "minutes": int(result.glucose_mg_dl.shape[0]) - 1,
        "early_min_true_mg_dl": percentiles(early),
        "early_below_70_share_pct": share_pct(early, 70.0),
        "outside": outside(result, run_in=cell.phenotype == "t2d"),
    }


def table(
    asked: Sequence[Cell], workers: int, kept: Path | None, tell: Callable[[int, Cell], None]
) -> list[Figures]:
    """The figures of every cell, in order; `kept` holds those of earlier runs and gets the new ones."""
    known = {} if kept is None or not kept.exists() else dict(map(_remembered, kept.read_text().splitlines()))
    missing = [cell for cell in asked if cell not in known]
    for count, (cell, found) in enumerate(zip(missing, _results(missing, workers), strict=True), 1):
        known[cell] = found
        if kept is not None:
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps([asdict(cell), found], allow_nan=False) + "\n")
        tell(len(asked) - len(missing) + count, cell)
    return [known[cell] for cell in asked]


def _remembered(line: str) -> tuple[Cell, Figures]:
    cell, found = json.loads(line)
    return Cell(**cell), found


def _results(asked: Sequence[Cell], workers: int) -> Iterator[Figures]:
    """In order, each as soon as it and those before it are done."""
    if workers == 1 or not find_spec("joblib"):
        return map(played, asked)
    joblib = importlib.import_module("joblib")
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator")
    results: Iterator[Figures] = parallel(joblib.delayed(played)(cell) for cell in asked)
    return results


def main(arguments: Sequence[str] | None = None) -> None:
    """Try every cell, telling on stderr how far it is, and write the page."""
    parser = argparse.ArgumentParser(description="the in-silico table")
    parser.add_argument("--subjects", type=int, default=100, help="in each cell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--models", default=",".join(MODELS), help="such as composite,bizzotto")
    parser.add_argument("--workers", type=int, default=-1, help="processes; -1 is one a core")
    parser.add_argument(
        "--kept", type=Path, help="JSON lines that let a run be resumed; new models, new file"
    )
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    asked = cells(options.subjects, options.seed, options.models.split(","))
    for cell in asked:
        checked(cell.request())

    def tell(done: int, cell: Cell) -> None:
        who = f"{cell.model}, {cell.phenotype}, {cell.dose}, {cell.noise}, {cell.law}"
        sys.stderr.write(f"{done} of {len(asked)} cells: {who}\n")

    found: list[Mapping[str, Any]] = list(table(asked, options.workers, options.kept, tell))
    options.page.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
