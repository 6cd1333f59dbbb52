"""`clampctl advise`: the rule's test vector, delivered rates, limits, and lines that are refused."""

import json

import pytest

from tests.cli.conftest import Ran, Run

ADVISE = ("advise", "--protocol", "euglycemic-40", "--weight-kg", "70", "--height-cm", "175")

VECTOR_A = (
    (0, 90, "0.00000"),
    (5, 92, "2.00000"),
    (10, 88, "4.34424"),
    (15, 85, "4.96488"),
    (20, 84, "5.40095"),
    (25, 86, "5.36347"),
    (30, 89, "5.03804"),
    (35, 91, "4.73074"),
    (40, 92, "4.49848"),
    (45, 90, "4.75181"),
    (50, 90, "4.75181"),
    (55, 91, "4.57292"),
    (60, 89, "4.87906"),
    (65, 90, "4.75240"),
)
"""Minute, glucose in mg/dL, wanted GIR in mg/kg/min (clamp-method 2.1, vector A)."""

LINES = "".join(json.dumps({"t_min": t, "glucose_mg_dl": g}) + "\n" for t, g, _ in VECTOR_A)


def test_vector_a_to_the_last_digit(clampctl: Run) -> None:
    rows = clampctl(*ADVISE, stdin=LINES).rows()
    assert [f"{row['wanted_mg_kg_min']:.5f}" for row in rows] == [wanted for _, _, wanted in VECTOR_A]
    for row, (t_min, _, wanted) in zip(rows, VECTOR_A, strict=True):
        assert list(row) == ["t_min", "wanted_mg_kg_min", "gir_mg_kg_min", "rate_ml_h", "reasons", "held"]
        assert row["t_min"] == t_min
        assert row["gir_mg_kg_min"] == row["wanted_mg_kg_min"]
        assert row["rate_ml_h"] == pytest.approx(float(wanted) * 70 * 60 / 200, abs=0.006)
        assert row["reasons"] == []
        assert row["held"] is False


def test_an_advice_that_was_followed_changes_nothing(clampctl: Run) -> None:
    plain = clampctl(*ADVISE, stdin=LINES).rows()
    delivered = [None, *(row["gir_mg_kg_min"] for row in plain)]
    told = "".join(
        json.dumps({"t_min": t, "glucose_mg_dl": g, "delivered_mg_kg_min": before}) + "\n"
        for (t, g, _), before in zip(VECTOR_A, delivered, strict=False)
    )
    again = clampctl(*ADVISE, stdin=told).rows()
    for row, other in zip(plain, again, strict=True):
        assert row["wanted_mg_kg_min"] == pytest.approx(other["wanted_mg_kg_min"], abs=0.02)


def test_the_rule_goes_on_from_what_was_delivered(clampctl: Run) -> None:
    told = "".join(
        json.dumps({"t_min": t, "glucose_mg_dl": 90, "delivered_mg_kg_min": 3.0}) + "\n"
        for t in range(0, 70, 5)
    )
    rows = clampctl(*ADVISE, stdin=told).rows()
    assert [row["wanted_mg_kg_min"] for row in rows[4:]] == pytest.approx([3.0] * 10)


def test_the_limits_are_told(clampctl: Run) -> None:
    lines = "".join(
        json.dumps({"t_min": t, "glucose_mg_dl": g}) + "\n" for t, g in ((0, 90), (5, 90), (10, 40))
    )
    row = clampctl(*ADVISE, stdin=lines).rows()[-1]
    assert row["wanted_mg_kg_min"] > row["gir_mg_kg_min"] == 6.0
    assert row["reasons"] == ["rise at most 4 mg/kg/min a sample"]


def test_a_value_that_is_none_holds_the_rate(clampctl: Run) -> None:
    lines = LINES + '{"t_min": 70, "glucose_mg_dl": 5.1}\n'
    *_, before, row = clampctl(*ADVISE, stdin=lines).rows()
    assert row["held"] is True
    assert row["rate_ml_h"] == before["rate_ml_h"]
    assert row["reasons"] == ["sample refused: outside 20 to 600 mg/dL"]


def test_hold_keeps_the_first_rate(clampctl: Run) -> None:
    rows = clampctl(*ADVISE, "--law", "hold", stdin=LINES).rows()
    assert {row["rate_ml_h"] for row in rows[1:]} == {42.0}


def test_nothing_in_nothing_out(clampctl: Run) -> None:
    assert clampctl(*ADVISE, stdin="\n\n") == Ran(0, "", "")


FIRST = '{"t_min": 0, "glucose_mg_dl": 90}\n'


@pytest.mark.parametrize(
    "line",
    [
        "glucose 92",
        "[5, 92]",
        "[" * 100_000,
        '{"t_min": 5}',
        '{"glucose_mg_dl": 92}',
        '{"t_min": 5, "glucose_mmol_l": 5.1}',
        '{"t_min": 5, "glucose_mg_dl": 92, "note": "x"}',
        '{"t_min": 5, "glucose_mg_dl": "92"}',
        '{"t_min": 5, "glucose_mg_dl": null}',
        '{"t_min": 5, "glucose_mg_dl": true}',
        '{"t_min": 5, "glucose_mg_dl": NaN}',
        '{"t_min": Infinity, "glucose_mg_dl": 92}',
        '{"t_min": 0, "glucose_mg_dl": 92}',
        '{"t_min": -5, "glucose_mg_dl": 92}',
        '{"t_min": 1e300, "glucose_mg_dl": 92}',
        '{"t_min": 5, "glucose_mg_dl": 92, "delivered_mg_kg_min": -1}',
        '{"t_min": 5, "glucose_mg_dl": 92, "delivered_mg_kg_min": Infinity}',
        '{"t_min": 5, "glucose_mg_dl": 92, "delivered_mg_kg_min": 1e200}',
    ],
)
def test_a_wrong_line_is_refused_by_its_number(clampctl: Run, line: str) -> None:
    ran = clampctl(*ADVISE, stdin=FIRST + "\n" + line + "\n")
    assert "line 3" in ran.refusal()
    assert len(ran.out.splitlines()) == 1
