"""A number is taken strictly and converted once; nothing about it is guessed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.events import Trouble
from drivers.reading import ReadingRefused, Rules, glucose_mg_dl, number_of, unit_of


@pytest.mark.parametrize(
    ("value", "unit", "rules", "mg_dl"),
    [
        ("92.4", "mg/dL", Rules(), 92.4),
        ("92", "mg/dL", Rules(), 92.0),
        ("5.12", "mmol/L", Rules(), 5.12 * 18.0156),
        ("5,12", "mmol/L", Rules(comma=True), 5.12 * 18.0156),
        (" 5.1 ", "mmol/L", Rules(), 5.1 * 18.0156),
        ("80.0", "mg/dL", Rules(from_whole_blood=True), 88.8),
        ("20", "mg/dL", Rules(), 20.0),
        ("28.0", "mg/dL", Rules(), 28.0),
        ("30.0", "mmol/L", Rules(), 30.0 * 18.0156),
    ],
)
def test_one_conversion(value: str, unit: str, rules: Rules, mg_dl: float) -> None:
    assert glucose_mg_dl(value, unit, rules) == pytest.approx(mg_dl, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "?5.1",
        "<2.0",
        ">40",
        "5,1",
        "-5.1",
        "+5",
        "5.1.2",
        "5.1234",
        "12345",
        "1e2",
        "٥",
        ".5",
        ".....",
    ],
)
def test_what_is_no_plain_number_is_held(text: str) -> None:
    with pytest.raises(ReadingRefused, match="not a plain number") as refused:
        number_of(text)
    assert refused.value.trouble is Trouble.REFUSED


@pytest.mark.parametrize(
    ("value", "unit"), [("19.9", "mg/dL"), ("5.1", "mg/dL"), ("30.1", "mmol/L"), ("92", "mmol/L")]
)
def test_a_number_that_looks_like_the_other_unit_is_asked_about(value: str, unit: str) -> None:
    with pytest.raises(ReadingRefused, match="wrong unit"):
        glucose_mg_dl(value, unit, Rules())


@pytest.mark.parametrize(("text", "unit"), [("mmol/l", "mmol/L"), (" mg/dl", "mg/dL"), ("MG/DL ", "mg/dL")])
def test_a_unit_in_any_case(text: str, unit: str) -> None:
    assert unit_of(text) == unit


@pytest.mark.parametrize("text", ["", "kg/L", "mmol", "mg/dL/min", "%"])
def test_another_unit_is_refused(text: str) -> None:
    with pytest.raises(ReadingRefused, match="neither"):
        unit_of(text)


@given(st.integers(0, 9999), st.integers(0, 999))
def test_the_exact_decimal_is_kept(whole: int, part: int) -> None:
    assert number_of(f"{whole}.{part:03d}") == Decimal(whole) + Decimal(part) / 1000
