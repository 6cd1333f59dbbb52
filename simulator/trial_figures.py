"""The figures of a trial: glucose and GIR against time as median and band, and M against the true M.

matplotlib is loaded only when a figure is drawn; without windows, so that no display is needed.
"""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulator.subjects import STATEMENT
from simulator.subjects.values import Array
from simulator.trial import ChunkResult, Request

Results = Sequence[tuple[Request, ChunkResult]]

INK = "#1f4e79"
FAINT = "#666666"
BAND_PCT = (5.0, 95.0)
INCHES = 3.6
"""Width and height of one panel."""


def draw(results: Results, course: Path, m: Path) -> None:
    """Both figures of one cohort, a column of panels for each law, as PNG."""
    draw_course(results, course)
    draw_m(results, m)


def draw_course(results: Results, path: Path) -> None:
    """Glucose above GIR, minute by minute from insulin start."""
    figure, panels = _panels(results, rows=2, share_y="row")
    for (request, result), (above, below) in zip(results, panels.T, strict=True):
        step = request.protocol.steps[-1]
        above.axhline(step.target_mg_dl, color=FAINT, linewidth=0.8, linestyle="--", label="target")
        _band(above, result.glucose_mg_dl, "default")
        _band(below, result.gir_mg_kg_min, "steps-post")
        above.set_title(request.protocol.law.name)
        below.set_xlabel("minutes from insulin start")
        below.set_ylim(bottom=0.0)
    panels[0, 0].set_ylabel("true glucose, mg/dL")
    panels[1, 0].set_ylabel("GIR, mg/kg/min")
    panels[0, 0].legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=150)


def draw_m(results: Results, path: Path) -> None:
    """M of every subject against his true net uptake over the same window; the line is equality."""
    figure, panels = _panels(results, rows=1, share_y="all")
    highest = 1.0
    for (request, result), panel in zip(results, panels[0], strict=True):
        true, found = result.scores["m_true_mg_kg_min"], result.scores["m_mg_kg_min"]
        panel.scatter(true, found, s=10, color=INK, alpha=0.5, linewidths=0)
        highest = max([highest, *true[~np.isnan(true)], *found[~np.isnan(found)]])
        panel.set_title(request.protocol.law.name)
        panel.set_xlabel("true net uptake, mg/kg/min")
    for panel in panels[0]:
        panel.plot([0.0, highest], [0.0, highest], color=FAINT, linewidth=0.8)
        panel.set(aspect="equal", xlim=(0.0, 1.05 * highest), ylim=(0.0, 1.05 * highest))
    panels[0, 0].set_ylabel("M, mg/kg/min")
    figure.savefig(path, dpi=150)


def _panels(results: Results, rows: int, share_y: str) -> tuple[Any, Any]:
    """An empty figure and its panels, shape (rows, laws), with who was tried above them."""
    request, result = results[0]
    figure = importlib.import_module("matplotlib.figure").Figure(
        figsize=(INCHES * len(results) + 0.8, INCHES * rows + 0.6), layout="constrained"
    )
    figure.suptitle(
        f"{request.protocol.name}, {request.model} model, {request.phenotype}, {request.noise}, "
        f"{result.count} subjects",
        fontsize="medium",
    )
    figure.supxlabel(STATEMENT.replace("; ", ";\n"), fontsize=7, color=FAINT)
    panels = figure.subplots(rows, len(results), sharex=True, sharey=share_y, squeeze=False)
    return figure, panels


def _band(panel: Any, values: Array, drawn: str) -> None:
    """Median and 5 to 95 % over the subjects whose clamp began, shape (minutes, n)."""
    known = values[:, ~np.isnan(values).any(axis=0)]
    if not known.size:
        return
    minutes = np.arange(known.shape[0])
    low, high = np.percentile(known, BAND_PCT, axis=1)
    step = "post" if drawn == "steps-post" else None
    panel.fill_between(minutes, low, high, step=step, color=INK, alpha=0.2, linewidth=0, label="5 to 95 %")
    panel.plot(minutes, np.median(known, axis=1), drawstyle=drawn, color=INK, label="median")
