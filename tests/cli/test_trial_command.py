"""`clampctl trial`: rows on stdout, files on request, a sentence for what cannot be tried."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from clampctl.cli import trial
from clampctl.core.dosing import law_named
from clampctl.core.protocol import Refusal

USUAL = ("--protocol", "euglycemic-40", "--phenotype", "lean", "--minutes", "20", "--workers", "1")


def run(*arguments: str | Path) -> int:
    """The command with these arguments."""
    parser = argparse.ArgumentParser()
    trial.add_to(parser.add_subparsers())
    options = parser.parse_args(["trial", *map(str, arguments)])
    status: int = options.run(options)
    return status


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The rows of the one JSON object on stdout."""
    said = capsys.readouterr()
    assert said.out.count("\n") == 1
    assert said.err == ""
    found: list[dict[str, Any]] = json.loads(said.out)["rows"]
    return found


def test_a_row_for_each_law(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*USUAL, "--subjects", "3", "--laws", "defronzo,hold", "--json") == 0
    found = rows(capsys)
    assert [row["law"] for row in found] == ["defronzo", "hold"]
    for row in found:
        assert (row["model"], row["phenotype"], row["protocol"], row["noise"], row["subjects"]) == (
            "composite", "lean", "euglycemic-40", "quiet", 3,
        )  # fmt: skip
        assert set(row["glucose_cv_true_pct"]) == {"p5", "p50", "p95"}


def test_the_same_seed_gives_the_same_rows(capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for seed in ("4", "4", "5"):
        run(*USUAL, "--subjects", "2", "--seed", seed, "--json")
        found.append(rows(capsys))
    assert found[0] == found[1] != found[2]


def test_circumstances_hold_for_every_law_and_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--circumstance", "late=2", "--circumstance", "weight=1.1", "--laws", "defronzo,hold")
    found = []
    for texts in (asked, ()):
        assert run(*USUAL, "--subjects", "2", *texts, "--json") == 0
        found.append(rows(capsys))
    there, none = found
    assert [row["circumstances"] for row in there] == ["late=2,weight=1.1"] * 2
    assert [row["circumstances"] for row in none] == ["none"]
    assert there[0]["insulin_mean_uu_ml"]["p50"] > none[0]["insulin_mean_uu_ml"]["p50"]
    assert run(*USUAL, "--subjects", "2", *asked) == 0
    assert capsys.readouterr().out.count("circumstances: late=2,weight=1.1") == 2


def test_files_hold_the_rows_and_every_subject(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*USUAL, "--subjects", "3", "--out", tmp_path, "--laws", "defronzo,hold", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "trial.json").read_text())["rows"] == told["rows"]
    with pytest.raises(Refusal, match="exists"):
        run(*USUAL, "--subjects", "3", "--out", tmp_path)


def test_parquet_holds_every_subject(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert run(*USUAL, "--subjects", "3", "--out", tmp_path, "--laws", "defronzo,hold", "--json") == 0
    table = parquet.read_table(tmp_path / "trial.parquet").to_pydict()
    assert table["law"] == ["defronzo"] * 3 + ["hold"] * 3
    assert table["subject"] == [0, 1, 2] * 2
    assert table["circumstances"] == ["none"] * 6


def test_figures_are_drawn_beside_them(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert run(*USUAL, "--subjects", "2", "--out", tmp_path, "--json") == 0
    for name in ("trial-course.png", "trial-m.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_what_is_not_installed_is_told_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trial, "find_spec", lambda _: None)
    assert run(*USUAL, "--subjects", "2", "--out", tmp_path, "--json") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["trial.json"]
    assert capsys.readouterr().err.splitlines() == [
        "clampctl: pyarrow is not installed; no Parquet was written",
        "clampctl: matplotlib is not installed; no figures were drawn",
    ]


def test_baselines_are_for_trials_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*USUAL, "--subjects", "2", "--laws", "defronzo,pid-clamp,look-ahead", "--json") == 0
    assert [row["law"] for row in rows(capsys)] == ["defronzo", "pid-clamp", "look-ahead"]
    with pytest.raises(Refusal, match="expected one of defronzo, hold"):
        law_named("pid-clamp")


SPREADS = (
    "glucose_cv_true_pct", "glucose_cv_measured_pct", "abs_deviation_mg_dl", "abs_deviation_true_mg_dl",
    "within_5pct_pct", "within_5pct_true_pct", "within_10pct_pct", "within_10pct_true_pct",
    "glucose_min_mg_dl", "glucose_min_true_mg_dl", "below_70_min", "below_54_min", "gir_cv_pct", "mdpe_pct",
    "mdape_pct", "divergence_pct_h", "wobble_pct", "m_mg_kg_min", "m_true_mg_kg_min",
)  # fmt: skip
FIGURES = ("approach_min", "m_bias_pct", "m_sd_pct", "below_70_share_pct", "below_54_share_pct")


def test_every_score_is_in_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*USUAL, "--subjects", "3", "--minutes", "60", "--json") == 0
    (found,) = rows(capsys)
    for name in SPREADS:
        assert found[name]["p5"] <= found[name]["p50"] <= found[name]["p95"], name
    for name in FIGURES:
        assert found[name] is None or isinstance(found[name], float), name
    assert found["m_coverage_pct"] is None  # until an interval is stated


def test_words_end_with_what_a_virtual_subject_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*USUAL, "--subjects", "2") == 0
    said = capsys.readouterr().out
    assert "law: defronzo" in said
    assert said.rstrip().endswith("not evidence of patient safety.")


@pytest.mark.parametrize(
    "wrong",
    [
        ("--laws", "guess"),
        ("--laws", "hold,hold"),
        ("--laws", ","),
        ("--model", "ptolemy"),
        ("--noise", "loud"),
        ("--phenotype", "tall"),
        ("--minutes", "20.5"),
        ("--circumstance", "rain"),
        ("--circumstance", "late=5"),
    ],
)
def test_what_cannot_be_tried_is_refused(wrong: tuple[str, str]) -> None:
    with pytest.raises(Refusal):
        run(*USUAL, "--subjects", "2", *wrong)
