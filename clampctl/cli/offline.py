"""Commands on records and documents: replay, report, advise, import, check."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clampctl.cli.output import figures, minutes_window, new_file, plain, print_json, say, warn
from clampctl.core.protocol import Refusal

if TYPE_CHECKING:
    from clampctl.engine.advise import Asked
    from clampctl.engine.history import History


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
    advise.add_argument("--weight-kg", type=float, required=True)
    advise.add_argument("--height-cm", type=float, required=True)
    advise.add_argument("--law")
    advise.set_defaults(run=run_advise)

    logged = commands.add_parser("import", help="a clamp logged elsewhere becomes a journal")
    logged.add_argument("files", type=Path, nargs="+", metavar="FILE.csv")
    logged.add_argument("--weight-kg", type=float, required=True)
    logged.add_argument("--height-cm", type=float, default=170.0)
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
    from clampctl.engine.journal import JournalDamaged
    from clampctl.engine.replay import replay
    from clampctl.engine.what_if import what_if

    try:
        if options.what_if is not None:
            for row in what_if(options.file, options.what_if):
                print_json(row)
            return 0
        outcome = replay(options.file)
    except JournalDamaged as damage:
        return _damaged(options, damage)
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


def _damaged(options: argparse.Namespace, damage: Exception) -> int:
    if options.json:
        print_json({"identical": False, "damage": str(damage), "line": getattr(damage, "line", None)})
    warn(f"{options.file}: {damage}.")
    return 1


def run_report(options: argparse.Namespace) -> int:
    """`clampctl report`."""
    from clampctl.engine.journal import JournalDamaged
    from clampctl.engine.report import reported

    window = minutes_window(options.window)
    try:
        summary, history = reported(options.file, window)
    except JournalDamaged as damage:
        return _damaged(options, damage)
    if options.out is not None:
        _write_tables(options.out, plain(summary), history)
    if options.json:
        print_json(summary)
    else:
        say(figures(plain(summary)))
    return 0


def _write_tables(folder: Path, summary: Any, history: "History") -> None:
    import csv

    names = ("summary.json", "samples.csv", "rates.csv", "events.csv")
    targets = [new_file(folder / name) for name in names]
    targets[0].write_text(json.dumps(summary, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    tables: tuple[Sequence[Any], ...] = (history.samples, history.rates, history.events)
    for path, rows in zip(targets[1:], tables, strict=True):
        with path.open("w", newline="", encoding="utf-8") as table:
            writer = csv.writer(table)
            if rows:
                fields = rows[0].__struct_fields__
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
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            known = {"t_min", "glucose_mg_dl", "delivered_mg_kg_min"}
            if not isinstance(row, dict) or not set(row) <= known:
                raise ValueError("unknown keys")
            delivered = row.get("delivered_mg_kg_min")
            asked = Asked(
                round(float(row["t_min"]) * 60_000),
                float(row["glucose_mg_dl"]),
                None if delivered is None else float(delivered),
            )
        except (ValueError, KeyError, TypeError, OverflowError):
            raise Refusal(
                "line", f'line {number} is not like {{"t_min": 5, "glucose_mg_dl": 92.0}}.'
            ) from None
        if asked.at_ms <= last_ms:
            raise Refusal("t_min", f"line {number}: t_min does not rise.")
        last_ms = asked.at_ms
        yield asked


def run_import(options: argparse.Namespace) -> int:
    """`clampctl import`."""
    from clampctl.cli.wiring import paper_station, session_started
    from clampctl.engine.logged import write_logged
    from clampctl.study.load import load_protocol, load_subject
    from clampctl.study.logged import read_logged

    texts = {}
    for path in options.files:
        try:
            texts[path.name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise Refusal("file", f"{path.name} is not a text file in UTF-8.") from None
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
    from clampctl.cli.wiring import pump_defaults
    from clampctl.study.document import read_toml
    from clampctl.study.load import load_protocol, load_station
    from clampctl.study.preview import describe

    if path.suffix == ".toml" and "dextrose_pump" in read_toml(path):
        document = load_station(path, pump_defaults())
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
