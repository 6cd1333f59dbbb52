"""Commands on virtual subjects: simulate, subject, demo."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from clampctl.cli.options import add_devices_to, chosen_devices, chosen_protocol, number, text_of, whole
from clampctl.cli.output import figures, new_file, plain, print_json, say
from clampctl.core.protocol import Refusal

PHENOTYPES = "lean, obese, metsyn, t2d or t1d"
MODEL = "composite, or bizzotto, the independent second"
NOISES = ("none", "quiet", "noisy", "harsh")


def add_to(commands: Any) -> None:
    """The commands of this room."""
    demo = commands.add_parser("demo", help="a virtual bedside: subject, emulators, engine, window")
    demo.add_argument("--subject", default="lean", help=PHENOTYPES)
    demo.add_argument("--model", default="composite", help=MODEL)
    demo.add_argument("--protocol", default="euglycemic-40")
    demo.add_argument("--speed", type=number(0.1, 1000.0), default=60.0)
    demo.add_argument("--minutes", type=number(), default=120.0)
    demo.add_argument("--noise", default="quiet", choices=NOISES)
    demo.add_argument("--seed", type=whole(0), default=1)
    demo.add_argument("--mode", default="automatic", choices=("automatic", "confirm"))
    demo.add_argument("--headless", action="store_true", help="no window; ends by itself")
    demo.add_argument("--out", type=Path, help="folder for the journal; else it is thrown away")
    add_devices_to(demo)
    demo.set_defaults(run=run_demo)

    simulate = commands.add_parser("simulate", help="one clamp through bytes and virtual time")
    simulate.add_argument("--protocol", required=True)
    simulate.add_argument("--subject", required=True, help=PHENOTYPES)
    simulate.add_argument("--model", default="composite", help=MODEL)
    simulate.add_argument("--law")
    simulate.add_argument("--seed", type=whole(0), default=1)
    simulate.add_argument("--minutes", type=number())
    simulate.add_argument("--noise", default="quiet", choices=NOISES)
    simulate.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="WHERE:FAULT[=N]@MINUTE[-MINUTE]",
        help="of a device (dextrose, insulin, analyzer), of dextrose-line, insulin-line, dextrose-bag, "
        "insulin-syringe, or of the blood; docs/devices/README.md lists them",
    )
    simulate.add_argument("--mode", default="automatic", choices=("automatic", "confirm"))
    simulate.add_argument("--out", type=Path, help="folder for the journal; else it is thrown away")
    simulate.add_argument("--json", action="store_true")
    add_devices_to(simulate)
    simulate.set_defaults(run=run_simulate)

    subject = commands.add_parser("subject", help="the virtual subject alone")
    subject.add_argument("--phenotype", required=True, help=PHENOTYPES)
    subject.add_argument("--model", default="composite", help=MODEL)
    subject.add_argument("--insulin", required=True, help='such as "40 mU/m**2/min"')
    subject.add_argument("--prime", action="store_true", help="insulin begins with the prime of 10 minutes")
    subject.add_argument("--insulin-until", type=number(0.0), metavar="MINUTE", help="insulin stops there")
    course = subject.add_mutually_exclusive_group()
    course.add_argument("--gir", type=Path, metavar="FILE.csv", help="time and GIR, held from row to row")
    course.add_argument(
        "--hold", metavar="FILE.csv|MG_DL", help="glucose held there; prints the GIR it takes"
    )
    subject.add_argument("--weight-kg", type=number())
    subject.add_argument("--bsa-m2", type=number())
    subject.add_argument("--minutes", type=whole(0, 10_000), default=240)
    subject.add_argument("--json", action="store_true")
    subject.set_defaults(run=run_subject)


def run_simulate(options: argparse.Namespace) -> int:
    """`clampctl simulate`."""
    from clampctl.core.dosing import law_named
    from clampctl.core.insulin import total_ms
    from simulator.clamp import Request, kind, simulate
    from simulator.faults import planned
    from simulator.models import model_named
    from simulator.subjects import STATEMENT

    protocol = chosen_protocol(options)
    law_named(protocol.law.name)
    model_named(options.model, options.subject, options.noise)
    devices = chosen_devices(options)
    faults = tuple(entry for text in options.fault for entry in planned(text, devices))
    minutes = total_ms(protocol) / 60_000
    request = Request(
        protocol, options.subject, options.seed, options.noise, minutes, faults, devices, options.model
    )
    who = kind(options.model, options.subject)
    name = f"{protocol.name}-{who}-{options.noise}-{options.seed}.clamp.jsonl"
    if options.out is None:
        with tempfile.TemporaryDirectory() as folder:
            summary = plain(simulate(request, Path(folder) / name).summary)
        summary["journal"] = None
    else:
        summary = plain(simulate(request, new_file(options.out / name)).summary)
    if options.json:
        print_json(summary)
    else:
        say(figures(summary))
        say(STATEMENT)
    return 0


def run_subject(options: argparse.Namespace) -> int:
    """`clampctl subject`."""
    from clampctl.study.quantities import insulin_mu_m2_min
    from simulator.models import Person, model_named
    from simulator.subjects.courses import doses

    model = model_named(options.model, options.phenotype, "none")
    person = Person(options.phenotype, options.weight_kg, options.bsa_m2)
    dose = insulin_mu_m2_min(options.insulin, "insulin")
    multiples = doses(options.prime, options.insulin_until)
    weight_kg = model.one(person).weight_kg
    if options.hold is not None:
        glucose = _number(options.hold)
        course = glucose if glucose is not None else _course(Path(options.hold), "glucose_mg_dl", weight_kg)
        rows = model.held(person, dose, course, options.minutes, multiples)
    else:
        given = [] if options.gir is None else _course(options.gir, "gir_mg_kg_min", weight_kg)
        rows = model.open_loop(person, dose, given, options.minutes, multiples)
    for row in rows:
        if options.json:
            print_json(row)
        else:
            say("  ".join(f"{name} {value:.4g}" for name, value in plain(row).items()))
    return 0


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _course(path: Path, field: str, weight_kg: float) -> list[tuple[float, float]]:
    from clampctl.study.logged import read_logged

    rows = read_logged({path.name: text_of(path)}, weight_kg)
    course = [
        (row.t_ms / 60_000, value) for row in rows for value in (getattr(row, field),) if value is not None
    ]
    if not course:
        raise Refusal("file", f"{path.name} has no column for {field}.")
    return course


def run_demo(options: argparse.Namespace) -> int:
    """`clampctl demo`."""
    from clampctl.cli.demo import demonstrate

    return demonstrate(options)
