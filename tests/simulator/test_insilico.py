"""The in-silico table: every cell that there is, what a cell says, and a run that is resumed."""

import json
from pathlib import Path
from typing import Any

import pytest

from clampctl.study.load import load_protocol
from clampctl.study.variants import with_minutes
from simulator import insilico
from simulator.insilico import Cell, cells, played, table
from simulator.insilico_page import TABLE, page
from simulator.models import MODELS
from simulator.subjects import STATEMENT
from simulator.workers import checked

CELL = Cell("composite", "lean", 120, "quiet", "look-ahead", 2, 3)


@pytest.fixture
def half_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every protocol cut short."""
    monkeypatch.setattr(insilico, "load_protocol", lambda name: with_minutes(load_protocol(name), 30))


def test_every_cell_can_be_tried_and_none_twice() -> None:
    found = cells(5, 1)
    assert len(found) == len(set(found))
    assert {cell.model for cell in found} == set(MODELS)
    composite = [cell for cell in found if cell.model == "composite"]
    noises = [noise for noise in insilico.NOISES if noise in MODELS["composite"].noises]
    assert len(composite) == 5 * 3 * len(noises) * 3
    for cell in found:
        checked(cell.request())


@pytest.mark.usefixtures("half_an_hour")
def test_a_cell_is_a_row_of_a_trial_and_its_early_low() -> None:
    found = played(CELL)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["law"], found["dose_mu_m2_min"], found["minutes"], found["subjects"]) == (
        "look-ahead", 120, 30, 2,
    )  # fmt: skip
    # insulin ran for half an hour only: all of it is early
    assert found["early_min_true_mg_dl"] == found["glucose_min_true_mg_dl"]


def told(figures: dict[str, Any]) -> dict[str, Any]:
    """A row as it would come back from a file."""
    result: dict[str, Any] = json.loads(json.dumps(figures))
    return result


@pytest.mark.usefixtures("half_an_hour")
def test_a_run_is_resumed_where_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kept.jsonl"
    asked = [CELL, Cell("composite", "lean", 120, "quiet", "defronzo", 2, 3)]
    seen: list[tuple[int, str]] = []

    def tell(done: int, cell: Cell) -> None:
        seen.append((done, cell.law))

    first = table(asked[:1], 1, kept, tell)
    both = table(asked, 1, kept, tell)
    monkeypatch.setattr(insilico, "played", lambda _: pytest.fail("it was known"))
    assert table(asked, 1, kept, tell) == both
    assert both[0] == told(first[0])
    assert seen == [(1, "look-ahead"), (2, "defronzo")]


def figures(**changes: Any) -> dict[str, Any]:
    """Made-up figures of one cell."""
    spread = {"p5": 1.04, "p50": 2.04, "p95": 3.04}
    found: dict[str, Any] = {
        "model": "composite", "phenotype": "lean", "dose_mu_m2_min": 120, "noise": "quiet", "law": "defronzo",
        "subjects": 7, "seed": 3, "clamped": 6, "minutes": 120, "glucose_cv_true_pct": spread,
        "glucose_cv_measured_pct": spread, "abs_deviation_true_mg_dl": spread, "within_5pct_true_pct": spread,
        "within_10pct_true_pct": spread, "glucose_min_true_mg_dl": spread, "below_70_share_pct": 12.0,
        "below_54_share_pct": 0.0, "approach_min": None, "gir_cv_pct": spread, "m_mg_kg_min": None,
        "m_bias_pct": -0.5, "m_sd_pct": 2.0, "fell_back_share_pct": 0.0, "early_min_true_mg_dl": spread,
        "early_below_70_share_pct": 14.3, "outside": {"low": [], "high": 0, "down_by_min": None},
    }  # fmt: skip
    return found | changes


def test_the_page_tells_its_size_what_it_proves_and_what_is_not_known() -> None:
    text = page([figures(), figures(phenotype="obese", minutes=180)])
    assert "**7 subjects in each of 2 cells, seed 3, 120 or 180 min.**" in text
    assert STATEMENT in text
    lines = [line for line in text.splitlines() if line.startswith("| composite")]
    assert lines[0] == "| composite | quiet | defronzo | 1 | 2 | 3 | 14 | 1 | 2 | 3 | 12 | 0 |"
    rest = (
        "| 120 | quiet | defronzo | 6 | 2.0 | 2.0 | 2.0 | 2 | 2 | 2 | 1 | 12 | – | 2.0 | – | -0.5 | 2.0 | 0 |"
    )
    assert lines[1:] == [f"| composite | lean {rest}", f"| composite | obese {rest}"]


def test_a_table_is_square() -> None:
    lines = [line for line in page([figures()]).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines[3:]} == {len(TABLE) + 1}


@pytest.mark.usefixtures("half_an_hour")
def test_the_command_writes_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(insilico, "PHENOTYPES", ("lean",))
    monkeypatch.setattr(insilico, "DOSES", (120,))
    monkeypatch.setattr(insilico, "NOISES", ("quiet",))
    target = tmp_path / "in-silico.md"
    insilico.main(["--subjects", "1", "--workers", "1", "--models", "composite", "--page", str(target)])
    assert target.read_text(encoding="utf-8").count("\n| composite | lean | 120 | quiet |") == 3
    assert capsys.readouterr().err.splitlines()[-1] == "3 of 3 cells: composite, lean, 120, quiet, look-ahead"
