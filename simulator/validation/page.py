"""The validation page: everything that was computed, as Markdown."""

from collections.abc import Iterable, Sequence

from simulator.subjects import STATEMENT
from simulator.validation.curve import Curve
from simulator.validation.judging import Row, Verdict
from simulator.validation.results import Results
from simulator.validation.sheet_figures import Figure

HEAD = """# Virtual subjects against published clamps

Written by `make validation`, which computes every figure anew and ends with 1 when anything that is judged
fails, unless it is a miss that is known and told here. {statement}

A row is judged, pass or fail, or it is *informative*: then it says why it is not judged, and whether it would
have been met. Which rows are judged, and how narrowly, is the models sheet's choice, not made here.

{count}

"""

COLUMNS = """| id | what | published | tolerance | ours | unit | verdict |
|---|---|---|---|---|---|---|
"""

TARGETS = """
## Targets

Composite model. M is the mean glucose infusion rate, without space correction. M of groups comes from clamps
through the program's own core (DeFronzo's rule, samples every 5 min, `quiet` noise); everything else is one
typical subject with settled or held glucose.

"""

SOURCES = """
Sources:

"""

SHEET = """
## Programs against equations

The figures that a correct implementation must show, from the models sheet: the sheet's → ours, and how many
percent off. They hold the programs against the equations, and the equations against nobody. Passed within
1 %, or within 0.02 mg/kg/min (M, Rd), 0.005 mg/kg/min (EGP), 0.1 µU/mL (I), 0.1 mg/dL (G) where that is
wider.
"""

CURVES = """
## Published curves

Group means, digitised (`tests/data/clamps`): Katz 2000, J Clin Endocrinol Metab 85:2402 [R], and Sorensen,
MIT thesis 1985. One parameter set per phenotype; nothing is fitted to a curve. Glucose is held on the
published course, or at 90 mg/dL where insulin stops: the dose before is the one that gives the published
insulin at the stop, since none was published. RMSE and worst point are over the judged minutes; the worst
point is the one that leaves least of what is allowed.

| curve | subject | tolerance | RMSE | unit | worst point | verdict |
|---|---|---|---|---|---|---|
"""


def page(results: Results, sources: Sequence[tuple[str, str]]) -> str:
    """The whole page; `sources` are target and source."""
    gating = [row.verdict is Verdict.PASS for row in results.rows if row.gates]
    figures = [figure.is_met for figure in (*results.composite, *results.second)]
    curves = [curve.is_met for curve in results.curves if curve.gates]
    count = (
        f"Targets judged: {sum(gating)} of {len(gating)} met. Figures of the sheet: {sum(figures)} of "
        f"{len(figures)}. Curves judged: {sum(curves)} of {len(curves)}."
    )
    return "".join(
        (
            HEAD.format(statement=STATEMENT, count=count),
            _lines(f"- not met: {failure}" for failure in results.failures()),
            _lines(f"- not met, and known: {miss}" for miss in results.known_misses()),
            TARGETS,
            COLUMNS,
            _lines(_target(row) for row in results.rows if row.id.startswith("V")),
            SOURCES,
            _lines(f"- {target}: {source}" for target, source in sources),
            SHEET,
            "\n### Composite model, 40 mU/m²/min\n\n",
            _grid(results.composite),
            "\n### Second model (Bizzotto 2016, ICING)\n\n",
            _grid(results.second),
            CURVES,
            _lines(_curve(curve) for curve in results.curves),
            "\n",
            COLUMNS,
            _lines(_target(row) for row in results.rows if not row.id.startswith("V")),
            *(_picture(curve) for curve in results.curves),
        )
    )


def shown(figure: float | None) -> str:
    """Three figures or so, as one would write it by hand; a dash where not known."""
    if figure is None:
        return "-"
    digits = 0 if abs(figure) >= 100.0 else 1 if abs(figure) >= 10.0 else 2
    return f"{figure:.{digits}f}"


def _target(row: Row) -> str:
    tolerance = "-" if row.tolerance is None else row.tolerance.text
    cells = (row.id, row.quantity, row.published, tolerance, shown(row.ours), row.unit, _verdict(row))
    return _line(cells)


def _verdict(row: Row) -> str:
    match row.verdict:
        case Verdict.PASS:
            return "pass"
        case Verdict.FAIL | Verdict.NOT_YET:
            return f"**{row.verdict}**"
        case Verdict.INFORMATIVE:
            return _informative(row.is_met, row.reason)


def _informative(is_met: bool | None, reason: str) -> str:
    found = "" if is_met is None else "met; " if is_met else "not met; "
    return f"*informative*: {found}{reason}"


def _curve(curve: Curve) -> str:
    at, error = curve.worst
    published = dict(curve.published)[at]
    worst = f"{error:+.1f} of {published:.1f} at {at:.0f} min"
    judged = curve.band is not None or curve.rmse_max is not None
    verdict = "pass" if curve.is_met else "**FAIL**"
    if not curve.gates:
        verdict = _informative(curve.is_met if judged else None, curve.reason)
    cells = (curve.name, curve.subject, curve.tolerance, shown(curve.rmse), curve.unit, worst, verdict)
    return _line(cells)


def _grid(figures: Sequence[Figure]) -> str:
    """A row for each figure, a column for each subject or clamp."""
    subjects = list(dict.fromkeys(figure.subject for figure in figures))
    names = list(dict.fromkeys(figure.name for figure in figures))
    cells = {(figure.name, figure.subject): _compared(figure) for figure in figures}
    head = _line(("figure", *subjects)) + "\n" + _line(("---",) * (len(subjects) + 1)) + "\n"
    return head + _lines(
        _line((f"`{name}`", *(cells[name, subject] for subject in subjects))) for name in names
    )


def _compared(figure: Figure) -> str:
    away = f"{figure.away_pct:+.1f}".replace("-0.0", "+0.0")
    text = f"{figure.sheet:.4g} → {figure.ours:.4g} ({away} %)"
    return text if figure.is_met else f"**FAIL** {text}"


def _picture(curve: Curve) -> str:
    return f"\n![{curve.name}, {curve.subject}](pictures/validation-{curve.key}.png)\n" if curve.gates else ""


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
