"""All that `make validation` computes, and whether it is good enough."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulator.validation import clamp_targets, settled_targets
from simulator.validation.curve import Curve
from simulator.validation.judging import Row, failed
from simulator.validation.published_curves import curves, half_rise
from simulator.validation.sheet_figures import Figure, composite_figures, second_model_figures


@dataclass(frozen=True, slots=True)
class Results:
    """Targets, the sheet's figures for both models, and curves."""

    rows: list[Row]
    composite: list[Figure]
    second: list[Figure]
    curves: list[Curve]

    def failures(self) -> list[str]:
        """One line for whatever is judged and not met; empty when all is well."""
        return [
            *(f"{row.id} {row.quantity}: {row.verdict}" for row in failed(self.rows)),
            *(
                f"sheet, {figure.subject}, {figure.name}: {figure.away_pct:+.1f} %"
                for figure in (*self.composite, *self.second)
                if not figure.is_met
            ),
            *(f"curve, {curve.name}" for curve in self._missed() if not curve.known_miss),
        ]

    def known_misses(self) -> list[str]:
        """One line for each curve that is missed for a reason that is known."""
        return [f"curve, {curve.name}: {curve.known_miss}" for curve in self._missed() if curve.known_miss]

    def _missed(self) -> list[Curve]:
        return [curve for curve in self.curves if curve.gates and not curve.is_met]


def computed(data: Path, told: Callable[[str], None]) -> Results:
    """Everything, some seconds each; `data` is the folder of data files, `told` hears what begins."""
    told("settled and held subjects")
    rows = settled_targets.rows()
    told("groups through the core")
    rows += clamp_targets.rows()
    told("figures of the sheet")
    composite, second = composite_figures(data), second_model_figures(data)
    told("published curves")
    found = curves(data)
    rows.sort(key=lambda row: int(row.id[1:]))
    katz_gir = next(curve for curve in found if curve.key == "katz-gir")
    return Results([*rows, half_rise(katz_gir)], composite, second, found)


def sources(data: Path) -> list[tuple[str, str]]:
    """Every target of the models sheet and where its published value comes from."""
    path = data / "models" / "validation_targets.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["id"], row["source"]) for row in csv.DictReader(file)]
