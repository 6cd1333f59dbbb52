"""A value keyed by hand: slips of finger and unit are caught; events are spelled as the core reads them."""

import pytest

from clampctl.core.events import ModeChosen
from clampctl.core.protocol import Mode
from ui.acts import keyed_sample, spelled
from ui.keying import Again, Ready, Refused, judge, number


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("5.1", "mg/dL", "looks like mmol/L"),
        ("2", "mg/dL", "looks like mmol/L"),
        ("15", "mg/dL", "looks like mmol/L"),
        ("92.4", "mmol/L", "looks like mg/dL"),
        ("40", "mmol/L", "looks like mg/dL"),
        ("300", "mmol/L", "looks like mg/dL"),
        ("19.9", "mg/dL", "outside"),
        ("601", "mg/dL", "outside"),
        ("36", "mmol/L", "outside"),
        ("", "mg/dL", "Key a number"),
        ("9.2.4", "mg/dL", "Key a number"),
        ("٩٢", "mg/dL", "Key a number"),
        ("-92", "mg/dL", "Key a number"),
        ("nan", "mg/dL", "Key a number"),
        ("12345678", "mg/dL", "outside"),
    ],
)
def test_refused_with_a_sentence(text: str, unit: str, words: str) -> None:
    verdict = judge(text, unit, None, None)
    assert isinstance(verdict, Refused)
    assert words in verdict.sentence


@pytest.mark.parametrize(
    ("text", "last", "first", "verdict"),
    [
        ("92.4", 91.8, None, Ready(92.4)),
        ("92,4", None, None, Ready(92.4)),
        ("116.8", 91.8, None, Ready(116.8)),
        ("116.9", 91.8, None, Again.UNLIKELY),
        ("52", 91.8, None, Again.UNLIKELY),
        ("52.0", 91.8, "52", Ready(52.0)),
        ("25", 91.8, "52", Refused("The two entries differ; key the value again.")),
    ],
)
def test_unlikely_values_are_keyed_twice(
    text: str, last: float | None, first: str | None, verdict: Ready | Refused | Again
) -> None:
    assert judge(text, "mg/dL", last, first) == verdict


def test_mmol_is_stored_in_mg_dl() -> None:
    verdict = judge("5.13", "mmol/L", 91.8, None)
    assert isinstance(verdict, Ready)
    assert verdict.glucose_mg_dl == pytest.approx(92.42, abs=0.01)
    assert number("5,13") == 5.13


def test_a_keyed_sample_is_spelled_as_the_core_reads_it() -> None:
    event = keyed_sample(3, 7_320_000, 92.4, 7_200_000, "92.4", "mg/dL")
    assert spelled(event) == {
        "type": "GlucoseSampled", "sample_id": "manual:3:7320000", "glucose_mg_dl": 92.4,
        "drawn_at_ms": 7_200_000, "kind": "patient", "source": "manual", "raw_value": "92.4",
        "raw_unit": "mg/dL", "flags": [],
    }  # fmt: skip


def test_enums_are_spelled_by_value() -> None:
    body = spelled(ModeChosen(mode=Mode.AUTOMATIC, actor="AB"))
    assert body == {"type": "ModeChosen", "mode": "automatic", "actor": "AB"}
    assert type(body["mode"]) is str
