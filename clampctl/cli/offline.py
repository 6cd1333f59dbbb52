"""Commands on records and documents: replay, report, advise, import, check."""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clampctl.cli.options import minutes_window, number, text_of
from clampctl.cli.output import figures, new_file, plain, print_json, say, warn
from clampctl.core.protocol import Refusal, require_between
from clampctl.units import MS_PER_MIN

if TYPE_CHECKING:
    from clampctl.engine.advise import Asked
    from clampctl.engine.history import History

REQUIRED, OPTIONAL = frozenset(("t_min", "glucose_mg_dl")), frozenset(("delivered_mg_kg_min",))
"""Keys of a line for `advise`."""

DAY_MIN = 1440.0


def add_to(commands: Any) -> None:
    """The commands of this room."""
    replay = commands.add_parser("replay", help="fold a journal again: identical, or the first difference")
    replay.add_argument("file", type=Path)
    replay.add_argument("--what-if", metavar="LAW", help="what this law would have advised at each sample")
    replay.add_argument("--json", action="store_true")
    replay.set_defaults(run=run_replay)

    report = commands.add_parser("report", help="M, insulin sensitivity, quality measures, tables")
    report.add_argument("file", type=Path)
    report.add_argument("--out", type=Path, help="folder for summary.json and the CSV tables")
    report.add_argument("--window", help="minutes for M and quality, such as 80-120")
    report.add_argument("--json", action="store_true")
    report.set_defaults(run=run_report)

    advise = commands.add_parser("advise", help="JSON lines of samples in, advice out")
    advise.add_argument("--protocol", required=True)
    advise.add_argument("--weight-kg", type=number(), required=True)
    advise.add_argument("--height-cm", type=number(), required=True)
    advise.add_argument("--law")
    advise.set_defaults(run=run_advise)

    logged = commands.add_parser("import", help="a clamp logged elsewhere becomes a journal")
    logged.add_argument("files", type=Path, nargs="+", metavar="FILE.csv")
    logged.add_argument("--weight-kg", type=number(), required=True)
    logged.add_argument("--height-cm", type=number(), default=170.0)
    logged.add_argument("--code", default="imported")
    logged.add_argument("--protocol", default="euglycemic-40")
    logged.add_argument("--out", type=Path, required=True)
    logged.add_argument("--json", action="store_true")
    logged.set_defaults(run=run_import)

    check = commands.add_parser("check", help="validate a protocol, a station or a journal")
    check.add_argument("file")
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=run_check)


def run_replay(options: argparse.Namespace) -> int:
    """`clampctl replay`."""
    from clampctl.engine.replay import replay
    from clampctl.engine.what_if import what_if

    try:
        if options.what_if is not None:
            for row in what_if(options.file, options.what_if):
                print_json(row)
            return 0
        outcome = replay(options.file)
    except _damages() as damage:
        return _damaged(options, damage)
    if not outcome.events:
        raise Refusal("file", f"{options.file} holds no session.")
    difference = outcome.difference
    if options.json:
        print_json(
            {"identical": difference is None, "events": outcome.events, "difference": plain(difference)}
        )
    elif difference is None:
        say(f"identical: {outcome.events} events")
    else:
        say(f"line {difference.line}, {difference.field}: recorded {difference.recorded}")
        say(f"line {difference.line}, {difference.field}: replayed {difference.replayed}")
    return 0 if difference is None else 1


def _damages() -> tuple[type[Exception], ...]:
    """What is raised by a record that is not what was written, or that no session can have left."""
    from clampctl.core.codec import CodecError
    from clampctl.core.state import InvariantBroken
    from clampctl.engine.journal import JournalDamaged

    return JournalDamaged, CodecError, InvariantBroken


def _damaged(options: argparse.Namespace, damage: Exception) -> int:
    if options.json:
        print_json({"identical": False, "damage": str(damage), "line": getattr(damage, "line", None)})
    warn(f"{options.file}: {damage}.")
    return 1


def run_report(options: argparse.Namespace) -> int:
    """`clampctl report`."""
    from clampctl.engine.report import reported

    window = minutes_window(options.window)
    try:
        summary, history = reported(options.file, window)
    except _damages() as damage:
        return _damaged(options, damage)
    if not summary.events:
        raise Refusal("file", f"{options.file} holds no session.")
    if options.out is not None:
        _write_tables(options.out, plain(summary), history)
    if options.json:
        print_json(summary)
    else:
        say(figures(plain(summary)))
    return 0


def _write_tables(folder: Path, summary: Any, history: "History") -> None:
    import csv

    from clampctl.engine.wire import EventRow, RateRow, SampleRow

    tables: dict[str, tuple[tuple[str, ...], Sequence[Any]]] = {
        "samples.csv": (SampleRow.__struct_fields__, history.samples),
        "rates.csv": (RateRow.__struct_fields__, history.rates),
        "events.csv": (EventRow.__struct_fields__, history.events),
    }
    words, *targets = [new_file(folder / name) for name in ("summary.json", *tables)]
    words.write_text(json.dumps(summary, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    for path, (fields, rows) in zip(targets, tables.values(), strict=True):
        with path.open("w", newline="", encoding="utf-8") as table:
            writer = csv.writer(table)
            writer.writerow(fields)
            writer.writerows([getattr(row, field) for field in fields] for row in rows)


def run_advise(options: argparse.Namespace) -> int:
    """`clampctl advise`."""
    from clampctl.cli.wiring import paper_station
    from clampctl.engine.advise import advise
    from clampctl.study.load import load_protocol, load_subject
    from clampctl.study.variants import with_law

    protocol = load_protocol(options.protocol)
    if options.law is not None:
        protocol = with_law(protocol, options.law)
    body = {
        "code": "advice",
        "weight": f"{options.weight_kg} kg",
        "height": f"{options.height_cm} cm",
        "sex": "unknown",
    }
    subject = load_subject(body, protocol.bsa_formula)
    for advised in advise(protocol, subject, paper_station(), _asked(sys.stdin)):
        print_json(advised)
    return 0


def _asked(lines: Iterator[str] | Any) -> Iterator["Asked"]:
    """The samples on stdin; a line that is none is refused by its number."""
    from clampctl.engine.advise import Asked

    last_ms = -1
    for count, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _numbers(line)
        if row is None:
            raise Refusal("line", f'line {count} is not like {{"t_min": 5, "glucose_mg_dl": 92.0}}.')
        delivered = row.get("delivered_mg_kg_min")
        if delivered is not None:
            require_between(f"line {count}: delivered_mg_kg_min", delivered, 0.0, 100.0, "mg/kg/min")
        require_between(f"line {count}: t_min", row["t_min"], 0.0, DAY_MIN, "min")
        asked = Asked(round(row["t_min"] * MS_PER_MIN), row["glucose_mg_dl"], delivered)
        if asked.at_ms <= last_ms:
            raise Refusal("t_min", f"line {count}: t_min does not rise.")
        last_ms = asked.at_ms
        yield asked


def _numbers(line: str) -> dict[str, float] | None:
    """A line's keys and numbers; None when it is not an object of known keys and finite numbers."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or not REQUIRED <= set(row) <= REQUIRED | OPTIONAL:
        return None
    given = {name: value for name, value in row.items() if value is not None or name in REQUIRED}
    if not all(type(value) in (int, float) and math.isfinite(value) for value in given.values()):
        return None
    return {name: float(value) for name, value in given.items()}


def run_import(options: argparse.Namespace) -> int:
    """`clampctl import`."""
    from clampctl.cli.wiring import paper_station
    from clampctl.engine.logged import write_logged
    from clampctl.engine.opening import session_started
    from clampctl.study.load import load_protocol, load_subject
    from clampctl.study.logged import read_logged

    texts = {path.name: text_of(path) for path in options.files}
    protocol = load_protocol(options.protocol)
    body = {
        "code": options.code,
        "weight": f"{options.weight_kg} kg",
        "height": f"{options.height_cm} cm",
        "sex": "unknown",
    }
    subject = load_subject(body, protocol.bsa_formula)
    rows = read_logged(texts, options.weight_kg)
    target = new_file(options.out / f"{options.code}.clamp.jsonl")
    started = session_started(protocol, subject, paper_station(), f"import-{options.code}", "")
    count = write_logged(
        target, started, ((row.t_ms, row.glucose_mg_dl, row.gir_mg_kg_min, row.insulin_uu_ml) for row in rows)
    )
    if options.json:
        print_json({"journal": target, "rows": count})
    else:
        say(f"{count} rows -> {target}")
    return 0


def run_check(options: argparse.Namespace) -> int:
    """`clampctl check`."""
    path = Path(options.file)
    if path.suffix == ".jsonl":
        options.file, options.what_if = path, None
        return run_replay(options)
    from clampctl.cli.wiring import links, proven, pump_defaults
    from clampctl.study.document import read_toml
    from clampctl.study.load import load_protocol, load_station
    from clampctl.study.preview import describe

    if path.suffix == ".toml" and "dextrose_pump" in read_toml(path):
        document = proven(load_station(path, pump_defaults()))
        links(document.station, document.ports)
        found: dict[str, object] = {"station": document.station.name, "good": True}
        if document.protocol is not None and document.subject is not None:
            found["preview"] = plain(describe(document.protocol, document.subject, document.station))
    else:
        protocol = load_protocol(options.file)
        found = {"protocol": protocol.name, "title": protocol.title, "good": True}
    if options.json:
        print_json(found)
    else:
        say(figures(found))
    return 0
