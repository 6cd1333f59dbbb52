"""`clampctl import`, then report, replay, what-if and check on it: published group means of Katz 2000."""

import csv
import json
from pathlib import Path

import pytest

from tests.cli.conftest import KATZ, Run
from tests.cli.test_simulate_command import KEYS

SAMPLES = 31


def test_m_of_katz_is_found_again(clampctl: Run, imported: Path) -> None:
    found = clampctl("report", imported, "--window", "80-120", "--json").json()
    assert list(found) == KEYS
    assert found["m_mg_kg_min"] == pytest.approx(12.30, abs=0.05)
    assert found["m_window_min"] == [80.0, 120.0]
    assert found["space_correction_mg_kg_min"] == pytest.approx(
        found["gir_mean_mg_kg_min"] - found["m_mg_kg_min"]
    )
    assert found["space_correction_mg_kg_min"] != 0.0
    assert found["glucose_cv_true_pct"] is found["within_5pct_true_pct"] is found["wall_s"] is None
    assert found["journal"] == str(imported)


def test_a_person_reads_the_same(clampctl: Run, imported: Path) -> None:
    ran = clampctl("report", imported, "--window", "80-120")
    assert "m_mg_kg_min: 12.29" in ran.out
    assert "space_correction_mg_kg_min: -0.33" in ran.out


def test_an_imported_clamp_replays_identical(clampctl: Run, imported: Path) -> None:
    events = len(imported.read_bytes().splitlines())
    for command in ("replay", "check"):
        assert clampctl(command, imported, "--json").json() == {
            "identical": True,
            "events": events,
            "difference": None,
        }
    assert clampctl("replay", imported).out == f"identical: {events} events\n"


def test_what_another_law_would_have_advised_beside_what_was_done(clampctl: Run, imported: Path) -> None:
    rows = clampctl("replay", imported, "--what-if", "defronzo", "--json").rows()
    assert len(rows) == SAMPLES
    for row in rows:
        assert list(row)[:4] == ["t_min", "glucose_mg_dl", "done_mg_kg_min", "wanted_mg_kg_min"]
        assert 0.0 <= row["gir_mg_kg_min"] <= 20.0
    assert rows[0]["done_mg_kg_min"] is None
    late = rows[-8:]
    for row in late:
        assert row["done_mg_kg_min"] == pytest.approx(12.5, abs=1.0)
        assert row["wanted_mg_kg_min"] == pytest.approx(row["done_mg_kg_min"], abs=2.0)


def test_the_rule_would_have_advised_what_it_did(clampctl: Run, tmp_path: Path) -> None:
    simulate = ("simulate", "--protocol", "euglycemic-40", "--subject", "lean", "--minutes", "40")
    for mode in ("automatic", "confirm"):
        found = clampctl(*simulate, "--mode", mode, "--out", tmp_path / mode, "--json").json()
        rows = clampctl("replay", found["journal"], "--what-if", "defronzo").rows()
        assert len(rows) >= 6
        for row in rows[:-1]:
            assert row["done_mg_kg_min"] == pytest.approx(row["gir_mg_kg_min"], abs=0.05)


def test_tables_are_written_once(clampctl: Run, imported: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "katz"
    first = clampctl("report", imported, "--out", out, "--window", "80-120", "--json")
    assert {path.name for path in out.iterdir()} == {"summary.json", "samples.csv", "rates.csv", "events.csv"}
    assert json.loads((out / "summary.json").read_text(encoding="utf-8")) == first.json()
    with (out / "samples.csv").open(encoding="utf-8", newline="") as table:
        samples = list(csv.DictReader(table))
    assert len(samples) == SAMPLES
    assert float(samples[0]["glucose_mg_dl"]) == 86.0
    before = {path: path.read_bytes() for path in out.iterdir()}
    assert "exists already" in clampctl("report", imported, "--out", out).refusal()
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_a_folder_with_one_of_the_tables_gets_none(clampctl: Run, imported: Path, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("mine", encoding="utf-8")
    before = set(tmp_path.iterdir())
    assert "events.csv exists already" in clampctl("report", imported, "--out", tmp_path).refusal()
    assert set(tmp_path.iterdir()) == before


def test_every_table_has_its_header(clampctl: Run, imported: Path, tmp_path: Path) -> None:
    empty = tmp_path / "gir.csv"
    empty.write_text("time_min,gir_mg_kg_min\n0,2\n5,3\n", encoding="utf-8")
    journal = clampctl("import", empty, "--weight-kg", "70", "--out", tmp_path / "in", "--json").json()
    clampctl("report", journal["journal"], "--out", tmp_path / "out")
    assert (tmp_path / "out" / "samples.csv").read_text(encoding="utf-8").startswith("sample_id,")


def test_an_import_never_overwrites(clampctl: Run, imported: Path) -> None:
    before = imported.read_bytes()
    again = clampctl("import", *KATZ, "--weight-kg", "70", "--code", "katz", "--out", imported.parent)
    assert "exists already" in again.refusal()
    assert imported.read_bytes() == before


@pytest.mark.parametrize(
    "window", ["80", "80-", "-80", "a-b", "120-80", "80-80", "nan-120", "80-inf", "80-nan"]
)
def test_a_window_is_from_to(clampctl: Run, imported: Path, window: str) -> None:
    ran = clampctl("report", imported, f"--window={window}")
    assert "such as 80-120" in ran.refusal()
    assert ran.out == ""
