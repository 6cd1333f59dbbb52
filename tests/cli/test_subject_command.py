"""`clampctl subject`: the virtual subject alone, with a given GIR or with glucose held on a course."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

COMMAND = ("subject", "--phenotype", "lean", "--insulin", "40 mU/m**2/min", "--json")
KEYS = ["t_min", "glucose_mg_dl", "gir_mg_kg_min", "insulin_uu_ml", "egp_mg_kg_min", "uptake_mg_kg_min"]


def test_a_row_each_minute(clampctl: Run) -> None:
    rows = clampctl(*COMMAND, "--minutes", "30").rows()
    assert [row["t_min"] for row in rows] == list(range(31))
    assert all(list(row) == KEYS for row in rows)
    assert {row["gir_mg_kg_min"] for row in rows} == {0.0}
    assert rows[0]["glucose_mg_dl"] == pytest.approx(90.0)
    assert rows[30]["glucose_mg_dl"] < 80.0
    assert rows[30]["egp_mg_kg_min"] < rows[0]["egp_mg_kg_min"]


def test_held_at_a_number_it_tells_the_gir_that_takes(clampctl: Run) -> None:
    rows = clampctl(*COMMAND, "--minutes", "180", "--hold", "90").rows()
    assert len(rows) == 181
    assert {round(row["glucose_mg_dl"], 9) for row in rows} == {90.0}
    assert 5.8 <= rows[-1]["gir_mg_kg_min"] <= 8.2


def test_that_gir_gives_that_glucose(clampctl: Run, tmp_path: Path) -> None:
    rows = clampctl(*COMMAND, "--minutes", "60", "--hold", "85").rows()
    table = "".join(f"{row['t_min']},{max(0.0, row['gir_mg_kg_min'])!r}\n" for row in rows)
    (tmp_path / "gir.csv").write_text(f"time_min,gir_mg_kg_min\n{table}", encoding="utf-8")
    again = clampctl(*COMMAND, "--minutes", "60", "--gir", tmp_path / "gir.csv").rows()
    assert [row["gir_mg_kg_min"] for row in again[5:]] == pytest.approx(
        [max(0.0, row["gir_mg_kg_min"]) for row in rows[5:]]
    )


def test_held_on_a_course_from_a_file(clampctl: Run, tmp_path: Path) -> None:
    (tmp_path / "course.csv").write_text("time_min,glucose_mmol_l\n0,5.0\n20,6.0\n", encoding="utf-8")
    rows = clampctl(*COMMAND, "--minutes", "30", "--hold", tmp_path / "course.csv").rows()
    assert rows[0]["glucose_mg_dl"] == pytest.approx(5.0 * 18.0156)
    assert rows[10]["glucose_mg_dl"] == pytest.approx(5.5 * 18.0156)
    assert rows[25]["glucose_mg_dl"] == pytest.approx(6.0 * 18.0156)


def test_a_dose_by_body_surface_gives_one_insulin_level_in_any_body(clampctl: Run) -> None:
    bodies = (("--weight-kg", "50"), ("--weight-kg", "100"), ("--weight-kg", "100", "--bsa-m2", "2.5"))
    levels = [clampctl(*COMMAND, "--minutes", "120", *body).rows()[-1]["insulin_uu_ml"] for body in bodies]
    assert levels == pytest.approx([levels[0]] * 3, rel=0.02)
    assert len(set(levels)) == 3


def test_words_for_a_person(clampctl: Run) -> None:
    ran = clampctl(*COMMAND[:-1], "--minutes", "2")
    assert ran.status == 0
    assert len(ran.out.splitlines()) == 3
    assert "glucose_mg_dl 90" in ran.out


@pytest.mark.parametrize("model", ["composite", "bizzotto"])
def test_insulin_begins_with_a_prime_and_stops(clampctl: Run, model: str) -> None:
    plain = clampctl(*COMMAND, "--model", model, "--minutes", "50", "--hold", "90").rows()
    told = ("--prime", "--insulin-until", "40")
    primed = clampctl(*COMMAND, "--model", model, "--minutes", "50", "--hold", "90", *told).rows()
    assert primed[8]["insulin_uu_ml"] > 1.2 * plain[8]["insulin_uu_ml"]
    assert primed[40]["insulin_uu_ml"] == pytest.approx(plain[40]["insulin_uu_ml"], rel=0.1)
    assert primed[50]["insulin_uu_ml"] < 0.5 * plain[50]["insulin_uu_ml"]
    assert clampctl(*COMMAND, "--insulin-until", "-1").status == 2


def test_a_table_without_the_column_is_refused(clampctl: Run, tmp_path: Path) -> None:
    (tmp_path / "gir.csv").write_text("time_min,glucose_mg_dl\n0,90\n", encoding="utf-8")
    ran = clampctl(*COMMAND, "--gir", tmp_path / "gir.csv")
    assert "no column for gir_mg_kg_min" in ran.refusal()


def test_the_second_model_alone(clampctl: Run) -> None:
    rows = clampctl(*COMMAND, "--model", "bizzotto", "--minutes", "30", "--hold", "85").rows()
    assert all(list(row) == KEYS for row in rows)
    assert {round(row["glucose_mg_dl"], 6) for row in rows} == {85.0}
    fasting = clampctl(*COMMAND, "--model", "bizzotto", "--minutes", "2").rows()
    assert fasting[0]["glucose_mg_dl"] == pytest.approx(90.0)
    assert rows[0] != clampctl(*COMMAND, "--minutes", "0", "--hold", "85").rows()[0]


def test_a_person_the_model_does_not_have_is_refused(clampctl: Run) -> None:
    wrong = ("subject", "--model", "bizzotto", "--phenotype", "t2d_severe", "--insulin", "40 mU/m**2/min")
    assert "not a phenotype of the model bizzotto" in clampctl(*wrong).refusal()
    assert "not a model" in clampctl(*COMMAND, "--model", "ptolemy").refusal()
