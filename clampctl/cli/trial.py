"""The command `trial`: cohorts of virtual subjects through the real core, scored."""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clampctl.cli.options import number, whole
from clampctl.cli.output import figures, new_file, print_json, say, warn
from clampctl.core.protocol import Refusal

if TYPE_CHECKING:
    from simulator.trial import ChunkResult, Request

SHOWN = (
    "glucose_cv_true_pct", "glucose_cv_measured_pct", "within_5pct_true_pct", "glucose_min_true_mg_dl",
    "gir_cv_pct", "m_mg_kg_min", "m_true_mg_kg_min",
)  # fmt: skip
"""The scores told in words; JSON and Parquet hold them all."""


def add_to(commands: Any) -> None:
    """The commands of this room."""
    trial = commands.add_parser("trial", help="an in-silico trial: a cohort through the real core, scored")
    trial.add_argument("--protocol", required=True)
    trial.add_argument("--phenotype", required=True, help="lean, obese, metsyn, t2d, t1d or a variant")
    trial.add_argument("--subjects", type=whole(1, 1_000_000), default=1000)
    trial.add_argument(
        "--laws",
        help="of defronzo, hold and, in trials only, pid-clamp, look-ahead; else the protocol's own",
    )
    trial.add_argument("--model", default="composite", help="composite, or bizzotto, the independent second")
    trial.add_argument("--noise", default="quiet", help="none, quiet, noisy or harsh")
    trial.add_argument(
        "--drift", default="none", help="of uptake: none, ramp-lean, ramp-obese, step-up or step-down"
    )
    trial.add_argument(
        "--circumstance",
        action="append",
        default=[],
        metavar="TEXT",
        help="what is otherwise at every bed, such as analyzer-bias=3, late=2, whole-blood; may be repeated",
    )
    trial.add_argument("--seed", type=whole(0), default=1)
    trial.add_argument("--minutes", type=number(), help="length of the clamp; else the protocol's")
    trial.add_argument("--wide", action="store_true", help="a cohort with wider tails of uptake")
    trial.add_argument("--workers", type=whole(1, 1024), help="processes on this machine; else one a core")
    trial.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, such as tcp://host:8786")
    trial.add_argument("--out", type=Path, help="folder for trial.json, trial.parquet and figures")
    trial.add_argument("--json", action="store_true")
    trial.set_defaults(run=run_trial)


def run_trial(options: argparse.Namespace) -> int:
    """`clampctl trial`."""
    from simulator.subjects import STATEMENT
    from simulator.trial_rows import row
    from simulator.workers import Crew, checked
    from simulator.workers import run_trial as tried

    requests = _requests(options)
    for request in requests:
        checked(request)
    files = _files(options.out)
    crew = Crew(_processes(options.workers), options.scheduler)
    results = []
    with _progress(sum(request.subjects for request in requests)) as tell:
        for request in requests:
            results.append((request, tried(request, crew, tell)))
    rows = [row(request, result) for request, result in results]
    _write(files, rows, results)
    if options.json:
        print_json({"rows": rows})
        return 0
    for found in rows:
        say(figures({name: _words(value) for name, value in found.items() if _is_told(name, value)}) + "\n")
    say(STATEMENT)
    return 0


def _requests(options: argparse.Namespace) -> list["Request"]:
    """One request a law, each law once."""
    from clampctl.study.load import load_protocol
    from clampctl.study.variants import with_law, with_minutes
    from simulator.circumstances import circumstances
    from simulator.trial import Request

    protocol = load_protocol(options.protocol)
    if options.minutes is not None:
        protocol = with_minutes(protocol, options.minutes)
    found = circumstances(options.circumstance)
    laws = [protocol.law.name] if options.laws is None else [law.strip() for law in options.laws.split(",")]
    if not all(laws) or len(set(laws)) != len(laws):
        raise Refusal("laws", f"laws is {options.laws!r}; expected names such as defronzo,hold, each once.")
    return [
        Request(
            with_law(protocol, law),
            options.model,
            options.phenotype,
            options.noise,
            options.seed,
            options.subjects,
            options.wide,
            options.drift,
            found,
        )
        for law in laws
    ]


def _processes(asked: int | None) -> int:
    """As many as asked for; else one a core where joblib is there."""
    if asked is not None:
        return asked
    return (os.cpu_count() or 1) if find_spec("joblib") else 1


@dataclass(frozen=True, slots=True)
class Files:
    """Where a trial is written: JSON; Parquet where pyarrow is there; two figures where matplotlib is."""

    as_json: Path
    as_parquet: Path | None
    figures: tuple[Path, Path] | None


def _files(folder: Path | None) -> Files | None:
    """The files of a trial; refused where one exists."""
    if folder is None:
        return None
    return Files(
        new_file(folder / "trial.json"),
        new_file(folder / "trial.parquet") if find_spec("pyarrow") else None,
        (new_file(folder / "trial-course.png"), new_file(folder / "trial-m.png"))
        if find_spec("matplotlib")
        else None,
    )


def _write(
    files: Files | None,
    rows: Sequence[Mapping[str, object]],
    results: Sequence[tuple["Request", "ChunkResult"]],
) -> None:
    """The rows as JSON, every subject's scores as Parquet, courses and M as figures."""
    from simulator.trial_figures import draw

    if files is None:
        return
    files.as_json.write_text(json.dumps({"rows": rows}, allow_nan=False, indent=1) + "\n", encoding="utf-8")
    if files.as_parquet is None:
        warn("pyarrow is not installed; no Parquet was written")
    else:
        _write_parquet(files.as_parquet, results)
    if files.figures is None:
        warn("matplotlib is not installed; no figures were drawn")
    else:
        draw(results, *files.figures)


def _write_parquet(path: Path, results: Sequence[tuple["Request", "ChunkResult"]]) -> None:
    """One row a subject, under one law after the other."""
    from simulator.trial_rows import columns

    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    tables = [arrow.table(columns(request, result)) for request, result in results]
    parquet.write_table(arrow.concat_tables(tables, promote_options="permissive"), path)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """How far the trial is, on a terminal at stderr: a bar where rich is there, else lines."""
    if not sys.stderr.isatty():
        yield lambda _: None
    elif find_spec("rich"):
        console = importlib.import_module("rich.console").Console(stderr=True)
        with importlib.import_module("rich.progress").Progress(console=console) as bar:
            task = bar.add_task("subjects", total=total)
            yield lambda count: bar.advance(task, count)
    else:
        yield _in_lines(total)


def _in_lines(total: int) -> Callable[[int], None]:
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        warn(f"{done} of {total} subjects")

    return tell


def _is_told(name: str, value: object) -> bool:
    return name in SHOWN or not isinstance(value, dict)


def _words(value: object) -> object:
    """Percentiles as text; anything else as it is."""
    if not isinstance(value, dict):
        return value
    return f"{value['p50']:.4g} (5 to 95 %: {value['p5']:.4g} to {value['p95']:.4g})"
