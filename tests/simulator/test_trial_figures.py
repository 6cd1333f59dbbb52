"""Figures of a trial: they are drawn, whatever is not known, and show what the trial found."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clampctl.study.load import load_protocol
from clampctl.study.variants import with_law
from simulator.trial import ChunkResult, Request
from simulator.trial_scores import SCORES

pytest.importorskip("matplotlib")

from simulator import trial_figures
from simulator.subjects.values import Array

PNG = b"\x89PNG\r\n\x1a\n"


def tried(law: str, glucose: Array) -> tuple[Request, ChunkResult]:
    """A made-up trial, shape (minutes, subjects)."""
    n = glucose.shape[1]
    scores = {name: np.where(np.isnan(glucose[0]), np.nan, np.linspace(3.0, 9.0, n)) for name in SCORES}
    request = Request(with_law(load_protocol("euglycemic-40"), law), "composite", "lean", "quiet", 1, n)
    return request, ChunkResult(0, scores, glucose, glucose / 20.0)


def courses(known: int, unknown: int = 0) -> Array:
    """Glucose of subjects of whom some never began."""
    level = np.linspace(80.0, 100.0, known)[None, :] + np.zeros((121, 1))
    return np.concatenate([level, np.full((121, unknown), np.nan)], axis=1)


@pytest.mark.parametrize(("known", "unknown"), [(5, 0), (5, 2), (1, 0), (0, 3)])
def test_figures_are_drawn_whatever_is_known(known: int, unknown: int, tmp_path: Path) -> None:
    results = [tried(law, courses(known, unknown)) for law in ("defronzo", "hold")]
    trial_figures.draw(results, tmp_path / "course.png", tmp_path / "m.png")
    for name in ("course.png", "m.png"):
        assert (tmp_path / name).read_bytes().startswith(PNG)


def test_a_band_is_of_those_who_began() -> None:
    panel: Any = importlib.import_module("matplotlib.figure").Figure().subplots()
    trial_figures._band(panel, courses(101, 3), "default")
    (median,) = panel.get_lines()
    assert median.get_xdata().tolist() == list(range(121))
    assert median.get_ydata() == pytest.approx(np.full(121, 90.0))
    heights = panel.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((81.0, 99.0))


def test_every_law_has_its_panels() -> None:
    results = [tried(law, courses(3)) for law in ("defronzo", "hold", "look-ahead")]
    figure, panels = trial_figures._panels(results, 2, "row")
    assert panels.shape == (2, 3)
    assert "3 subjects" in figure.get_suptitle()
