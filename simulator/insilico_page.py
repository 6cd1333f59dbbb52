"""The in-silico table as a page: what it proves, the undershoot at the highest dose, every cell."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator.insilico_outside import section
from simulator.subjects import STATEMENT

Figures = Mapping[str, Any]
Column = tuple[str, Callable[[Figures], str]]


def number(name: str, digits: int = 1, percentile: str | None = None) -> Callable[[Figures], str]:
    """How a figure, or a percentile of it, is written; a dash where it is not known."""

    def written(figures: Figures) -> str:
        value = figures[name]
        if percentile is not None and value is not None:
            value = value[percentile]
        return "–" if value is None else f"{value:.{digits}f}"

    return written


def word(name: str) -> Callable[[Figures], str]:
    """How a name or a count is written."""
    return lambda figures: str(figures[name])


WHO: tuple[Column, ...] = (
    ("model", word("model")),
    ("phenotype", word("phenotype")),
    ("dose", word("dose_mu_m2_min")),
    ("noise", word("noise")),
    ("law", word("law")),
)

TABLE: tuple[Column, ...] = (
    *WHO,
    ("clamped", word("clamped")),
    ("true CV %", number("glucose_cv_true_pct", 1, "p50")),
    ("measured CV %", number("glucose_cv_measured_pct", 1, "p50")),
    ("off target mg/dL", number("abs_deviation_true_mg_dl", 1, "p50")),
    ("within 5 %", number("within_5pct_true_pct", 0, "p50")),
    ("within 10 %", number("within_10pct_true_pct", 0, "p50")),
    ("lowest", number("glucose_min_true_mg_dl", 0, "p50")),
    ("lowest p5", number("glucose_min_true_mg_dl", 0, "p5")),
    ("below 70 %", number("below_70_share_pct", 0)),
    ("approach min", number("approach_min", 0)),
    ("GIR CV %", number("gir_cv_pct", 1, "p50")),
    ("M", number("m_mg_kg_min", 2, "p50")),
    ("M bias %", number("m_bias_pct", 1)),
    ("M SD %", number("m_sd_pct", 1)),
    ("fell back %", number("fell_back_share_pct", 0)),
)

EARLY: tuple[Column, ...] = (
    ("model", word("model")),
    ("noise", word("noise")),
    ("law", word("law")),
    ("before 40 min: p5", number("early_min_true_mg_dl", 0, "p5")),
    ("p50", number("early_min_true_mg_dl", 0, "p50")),
    ("p95", number("early_min_true_mg_dl", 0, "p95")),
    ("below 70 %", number("early_below_70_share_pct", 0)),
    ("whole clamp: p5", number("glucose_min_true_mg_dl", 0, "p5")),
    ("p50", number("glucose_min_true_mg_dl", 0, "p50")),
    ("p95", number("glucose_min_true_mg_dl", 0, "p95")),
    ("below 70 %", number("below_70_share_pct", 0)),
    ("below 54 %", number("below_54_share_pct", 0)),
)

HEAD = """# In silico: models, phenotypes, doses, noise and laws

**{subjects} subjects in each of {cells} cells, seed {seed}, {minutes} min.** Written by `make in-silico`;
another size: `make in-silico SUBJECTS=1000`; other choices: `python -m simulator.insilico --help`.

What it proves: that the core which runs a bedside clamp, given each of these laws, keeps these virtual
subjects where the table says, and how the laws compare on the same people with the same noise. What it
does not prove: that a patient would fare so. {statement}
A glucose CV in silico is below the one in life (1.1 against 4.0 %, 3.7 against 6.5 %: Benesch 2021,
10.1177/1932296821991514): read the rows against each other, not against published clamps. Pumps here do
exactly as they are told, and no sample is late or lost; faults are tried elsewhere
(`docs/devices/faults.md`).

`defronzo` is what a nurse is offered. `look-ahead` and `pid-clamp` are baselines (`simulator/baselines`);
the gains of the latter were searched on the composite model, lean and obese, on other subjects: there it
is at home.
"""

UNDERSHOOT = """
## Lean at 120 mU/m²/min: the undershoot before 40 min

Lowest true glucose, mg/dL, before minute 40 and, since it may come later, of the whole clamp: percentiles
over the subjects, and the share of subjects below a limit. The protocol's first rates, twice those at
40 mU/m²/min, lift glucose at first; the law then cuts what insulin is about to need.

"""

CELLS = """
## Every cell

Dose in mU/m²/min. A figure is the median over the subjects of its cell unless it says otherwise. Over the
last 60 min: true and measured CV of glucose, mean distance of true glucose from target, share of the time
truly within 5 and 10 % of target, CV of GIR. Over the whole clamp: lowest true glucose, its 5th
percentile, the share of subjects below 70 mg/dL; minutes until glucose stays within 5 % for 30 min (–
where half never did). M in mg/kg/min, and its bias and SD against the true net uptake of the same window,
in % of that. The share of subjects whose clamp fell back. `clamped` is how many were given insulin: a
fasting value below 80 mg/dL keeps a subject from it. `t2d` begins far above target and is brought down
during the clamp, so that what the run-in does is in its figures, the bias of M too. In the model
`bizzotto` nothing answers to low glucose: below 70 mg/dL it falls as people do not.

"""


def page(found: Sequence[Figures]) -> str:
    """The whole page; the cells in their order."""
    first = found[0]
    minutes = " or ".join(sorted({str(figures["minutes"]) for figures in found}, key=int))
    head = HEAD.format(
        subjects=first["subjects"], cells=len(found), seed=first["seed"], minutes=minutes, statement=STATEMENT
    )
    early = [
        figures for figures in found if (figures["phenotype"], figures["dose_mu_m2_min"]) == ("lean", 120)
    ]
    return head + UNDERSHOOT + markdown(EARLY, early) + section(found) + CELLS + markdown(TABLE, found)


def markdown(columns: Sequence[Column], found: Sequence[Figures]) -> str:
    """Figures as a table; numbers stand to the right."""
    names = [name for name, _ in columns]
    rules = ["---" if name in {who for who, _ in WHO} else "--:" for name in names]
    rows = [[written(figures) for _, written in columns] for figures in found]
    return "".join(f"| {' | '.join(line)} |\n" for line in (names, rules, *rows))
