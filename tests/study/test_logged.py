"""Logged clamps from CSV text, and every wrong line refused by name and number."""

from pathlib import Path

import pytest

from clampctl.core.protocol import Refusal
from clampctl.study.logged import LoggedRow, read_logged

DATA = Path(__file__).parents[1] / "data" / "clamps"


def read(text: str, weight_kg: float = 70.0) -> tuple[LoggedRow, ...]:
    return read_logged({"log.csv": text}, weight_kg)


@pytest.mark.parametrize(
    ("header", "line", "row"),
    [
        ("time_min,glucose_mg_dl", "5,90", LoggedRow(300_000, 90.0, None, None)),
        ("time_s,glucose_mg_dL", "300,90", LoggedRow(300_000, 90.0, None, None)),
        ("time_h,glucose_mmol_L", "0.5,5.0", LoggedRow(1_800_000, 90.078, None, None)),
        ("time_ms,gir_mg_min", "7,140", LoggedRow(7, None, 2.0, None)),
        ("Time_min,GIR_mg_kg_min", "5,2.5", LoggedRow(300_000, None, 2.5, None)),
        ("time_min,gir_umol_kg_min", "5,5.5507", LoggedRow(300_000, None, 1.0, None)),
        ("time_min,gir_µmol_kg_min", "5,5.5507", LoggedRow(300_000, None, 1.0, None)),
        ("glucose_mg_dl,time_min,insulin_mU_L", "90,5,100", LoggedRow(300_000, 90.0, None, 100.0)),
        ("time_min,glucose_mg_dl,insulin_uU_mL", "5,90,100", LoggedRow(300_000, 90.0, None, 100.0)),
        ("time_min,glucose_mg_dl,insulin_pmol_L", "5,90,600", LoggedRow(300_000, 90.0, None, 100.0)),
        ("time_min,glucose_mg_dl,gir_mg_min", "5,90,", LoggedRow(300_000, 90.0, None, None)),
        ("time_min;glucose_mg_dl", "5;90", LoggedRow(300_000, 90.0, None, None)),
        ('"time_min", "glucose_mg_dl"', '"5", "90"', LoggedRow(300_000, 90.0, None, None)),
        ("time_min,glucose_mg_dl", "-1,90", LoggedRow(0, 90.0, None, None)),
    ],
)
def test_reads(header: str, line: str, row: LoggedRow) -> None:
    (found,) = read(f"\ufeff# a comment\n\n{header}\r\n{line}\r\n")
    assert found.t_ms == row.t_ms
    for value, expected in (
        (found.glucose_mg_dl, row.glucose_mg_dl),
        (found.gir_mg_kg_min, row.gir_mg_kg_min),
        (found.insulin_uu_ml, row.insulin_uu_ml),
    ):
        assert value == (None if expected is None else pytest.approx(expected, rel=1e-5))


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("", "file", "log.csv is empty"),
        ("# only a comment\n", "file", "log.csv is empty"),
        ("time_min,glucose_mg_dl\n", "file", "no rows"),
        ("glucose_mg_dl\n90\n", "time", "the column of time is missing; write time_ms or"),
        ("time_min,insulin_mu_l\n0,10\n", "glucose", "neither a glucose nor a gir column"),
        ("time_min,glucose_mg_dl\n0,\n", "glucose", "neither a glucose nor a gir column"),
        ("time_min,glucose\n0,90\n", "glucose", "write glucose_mg_dl or glucose_mmol_l"),
        ("time,glucose_mg_dl\n0,90\n", "time", "no unit that is known"),
        ("time_min,glucose_mg\n0,90\n", "glucose_mg", "no unit that is known"),
        ("time_min,glucose_mg_dl,remark\n0,90,x\n", "remark", "is not known"),
        ("time_min,glucose_mg_dl,glucose_mmol_l\n0,90,5\n", "glucose_mmol_l", "two columns of glucose"),
        ("time_min,glucose_mg_dl\n0,90\n5,abc\n", "glucose_mg_dl", 'line 3: glucose_mg_dl is "abc"'),
        ("# c\ntime_min,glucose_mg_dl\n0,nan\n", "glucose_mg_dl", 'line 3: glucose_mg_dl is "nan"'),
        ("time_min,glucose_mg_dl\n0,inf\n", "glucose_mg_dl", "line 2"),
        ("time_min,glucose_mg_dl\n0,1e999\n", "glucose_mg_dl", "line 2"),
        ("time_min,glucose_mg_dl\n0,9_0\n", "glucose_mg_dl", "line 2"),
        ("time_min;glucose_mmol_l\n0;5,0\n", "glucose_mmol_l", 'line 2: glucose_mmol_l is "5,0"'),
        ("time_min,glucose_mg_dl\nx,90\n", "time_min", 'line 2: time_min is "x"'),
        ("time_min,glucose_mg_dl\n0,90\n10,91\n5,92\n", "time", "line 4: time goes backwards, 10 to 5 min"),
        ("time_min,glucose_mg_dl\n-2,90\n", "time", "line 2: time is -2 min"),
        ("time_min,glucose_mg_dl\n,90\n", "time", "line 2: the time is missing"),
        ("time_min,glucose_mg_dl\n0,-90\n", "glucose_mg_dl", "line 2: glucose_mg_dl is -90; it cannot"),
        ("time_min,gir_mg_min\n0,-1\n", "gir_mg_min", "cannot be negative"),
        ("time_min,glucose_mg_dl\n0,5.1\n", "glucose_mg_dl", "is the unit in the header right?"),
        ("time_min,glucose_mmol_l\n0,90\n", "glucose_mmol_l", "that is 1621 mg/dL; is the unit"),
        ("time_min,glucose_mg_dl\n0,90,5\n", "row", "line 2: 3 cells under 2 columns"),
    ],
)  # fmt: skip
def test_refuses(text: str, field: str, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(text)
    assert refused.value.field == field
    assert "log.csv" in refused.value.sentence
    assert words in refused.value.sentence


def test_a_weight_that_cannot_divide() -> None:
    with pytest.raises(Refusal, match="weight is 0 kg"):
        read("time_min,gir_mg_min\n0,140\n", 0.0)


def test_three_files_become_one_course() -> None:
    """Katz, non-obese: 31 readings of glucose, 31 of GIR, 9 of insulin, some at the same time."""
    names = [f"katz_nonobese_120_{what}.csv" for what in ("insulin", "gir", "glucose")]
    rows = read_logged({name: (DATA / name).read_text(encoding="utf-8") for name in names}, 70.0)
    assert sum(row.glucose_mg_dl is not None for row in rows) == 31
    assert sum(row.gir_mg_kg_min is not None for row in rows) == 31
    assert sum(row.insulin_uu_ml is not None for row in rows) == 9
    assert [row.t_ms for row in rows] == sorted({row.t_ms for row in rows})
    at_120 = next(row for row in rows if row.t_ms == 120 * 60_000)
    assert at_120 == LoggedRow(7_200_000, 90.8, at_120.gir_mg_kg_min, 283.1)
    assert at_120.gir_mg_kg_min == pytest.approx(823.5 / 70)


def test_two_values_of_one_time_stay_two_rows() -> None:
    rows = read("time_min,glucose_mg_dl,gir_mg_kg_min\n-0.5,90,\n0,91,\n0,,2\n")
    assert rows == (LoggedRow(0, 90.0, None, None), LoggedRow(0, 91.0, 2.0, None))


@pytest.mark.parametrize("name", ["sorensen_hyperglycaemic_insulin.csv", "sorensen_insulin025_insulin.csv"])
def test_a_time_just_before_0_is_0(name: str) -> None:
    rows = read_logged(
        {name: (DATA / name).read_text(encoding="utf-8"), "g.csv": "time_min,glucose_mg_dl\n5,90\n"}, 70.0
    )
    assert rows[0].t_ms == 0
    assert rows[0].insulin_uu_ml is not None
