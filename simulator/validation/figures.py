"""Pictures of the curves, with matplotlib where it is installed."""

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from simulator.validation.curve import Curve

SIZE_IN = (6.4, 3.6)
DPI = 110


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def draw(curve: Curve, folder: Path) -> Path:
    """The published points with what is allowed about them, and ours, as a PNG in the folder."""
    pyplot: Any = _pyplot()
    figure, axes = pyplot.subplots(figsize=SIZE_IN, dpi=DPI, layout="constrained")
    at, values = zip(*curve.published, strict=True)
    ours = [point for point in curve.ours if at[0] - 5.0 <= point[0] <= at[-1] + 5.0]
    axes.plot(*zip(*ours, strict=True), color="#1f5fa8", label=f"{curve.subject} subject")
    axes.plot(at, values, "o", color="#222222", markersize=4, label="published")
    if curve.band is not None:
        judged = [(t, value) for t, value in curve.published if t >= curve.band.from_min]
        axes.errorbar(
            [t for t, _ in judged],
            [value for _, value in judged],
            yerr=[curve.band.allowed(value) for _, value in judged],
            fmt="none", ecolor="#999999", elinewidth=1, capsize=2, label=f"allowed: {curve.band.text}",
        )  # fmt: skip
    axes.set(title=curve.name, xlabel="minutes", ylabel=curve.unit)
    axes.set_xlim(at[0] - 5.0, at[-1] + 5.0)
    axes.set_ylim(bottom=min(0.0, *(value for _, value in curve.published)))
    axes.grid(color="#dddddd", linewidth=0.5)
    axes.legend(frameon=False, fontsize="small")
    path = folder / f"validation-{curve.key}.png"
    figure.savefig(path, metadata={"Software": None})
    pyplot.close(figure)
    return path


def _pyplot() -> Any:
    importlib.import_module("matplotlib").use("Agg")
    return importlib.import_module("matplotlib.pyplot")
