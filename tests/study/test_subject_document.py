"""Subjects: body surface by the protocol's formula, wrong bodies refused by name."""

from pathlib import Path

import pytest

from clampctl.core.protocol import Refusal
from clampctl.study.load import load_subject
from clampctl.study.subject_document import du_bois_m2, mosteller_m2

GOOD: dict[str, object] = {"code": "S-001", "weight": "72.0 kg", "height": "178 cm"}


@pytest.mark.parametrize(
    ("height_cm", "weight_kg", "du_bois", "mosteller"),
    [(170, 70, 1.8097, 1.8181), (175, 105, 2.1957, 2.2592), (165, 95, 2.0164, 2.0867)],
)
def test_body_surface(height_cm: float, weight_kg: float, du_bois: float, mosteller: float) -> None:
    """The table of clamp-method 3.3."""
    assert du_bois_m2(weight_kg, height_cm) == pytest.approx(du_bois, abs=5e-5)
    assert mosteller_m2(weight_kg, height_cm) == pytest.approx(mosteller, abs=5e-5)


def test_from_a_table_and_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "subject.toml"
    path.write_text(
        'code = "S-001"\nweight = "72.0 kg"\nheight = "178 cm"\nsex = "male"\nbirth_year = 1980\n',
        encoding="utf-8",
    )
    read = load_subject(path, "mosteller")
    assert (read.sex, read.birth_year) == ("male", 1980)
    assert read.bsa_m2 == pytest.approx(1.887, abs=5e-4)
    usual = load_subject(GOOD)
    assert (usual.sex, usual.birth_year) == ("unknown", None)
    assert usual.bsa_m2 == pytest.approx(du_bois_m2(72, 178))


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"weight": "-70 kg"}, "weight", "negative"),
        ({"weight": 70}, "weight", "70 without a unit"),
        ({"weight": "0 kg"}, "weight", "expected 35 to 200 kg"),
        ({"weight": "700 kg"}, "weight", "expected 35 to 200 kg"),
        ({"height": "1.78 kg"}, "height", "not a length"),
        ({"height": "1.78 cm"}, "height", "expected 120 to 220 cm"),
        ({"name": "x"}, "name", "Unknown key"),
        ({"wieght": "70 kg"}, "wieght", 'did you mean "weight"?'),
        ({"code": ""}, "code", "text in quotes"),
        ({"sex": "f"}, "sex", 'expected "female"'),
        ({"birth_year": "1980"}, "birth_year", "whole number"),
        ({"birth_year": True}, "birth_year", "whole number"),
    ],
)
def test_refused_by_name(change: dict[str, object], field: str, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        load_subject({**GOOD, **change})
    assert refused.value.field == field
    assert words in refused.value.sentence


@pytest.mark.parametrize("key", ["code", "weight", "height"])
def test_missing(key: str) -> None:
    with pytest.raises(Refusal, match=f"^{key} is missing"):
        load_subject({name: value for name, value in GOOD.items() if name != key})


def test_an_unknown_formula() -> None:
    with pytest.raises(Refusal, match="bsa is"):
        load_subject(GOOD, "haycock")
