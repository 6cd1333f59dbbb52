"""Protocols: those that come with the program, and every wrong one refused by name."""

import copy
from pathlib import Path
from typing import Any

import pytest

from clampctl.core.protocol import GlucoseUnit, Limits, Mode, Refusal, Tail
from clampctl.study.load import load_protocol, protocol_names
from clampctl.study.protocol_document import read_protocol

GOOD: dict[str, Any] = {
    "name": "mine",
    "glucose_unit": "mg/dL",
    "bsa": "mosteller",
    "infusates": {"dextrose": "20 % anhydrous", "insulin": {"units": "50 U", "volume": "50 mL"}},
    "law": {
        "name": "defronzo",
        "glucose_space": "0.19 L/kg",
        "look_ahead": "15 min",
        "metabolic_start": "4.0 mg/kg/min",
        "metabolic_floor": "0.5 mg/kg/min",
        "rule_from": "10 min",
    },
    "steps": [
        {
            "insulin": "40 mU/m**2/min",
            "target": "90 mg/dL",
            "duration": "120 min",
            "prime": "none",
            "window": ["80 min", "120 min"],
        }
    ],
}
MISSING = object()
MULTIPLE = "step 1 prime step 1 multiple"
CONCENTRATION = "infusates insulin concentration"


def custom_prime(step: dict[str, object]) -> dict[str, object]:
    return {"until": "5 min", "steps": [step]}


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """GOOD with one value changed, added or taken away."""
    document = copy.deepcopy(GOOD)
    place: Any = document
    for key in path[:-1]:
        place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
    if value is MISSING:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


def test_what_is_not_said_has_the_usual_value() -> None:
    protocol = read_protocol(GOOD)
    assert protocol.title == "mine"
    assert protocol.mode is Mode.CONFIRM
    assert protocol.sampling_ms == 300_000
    assert protocol.limits == Limits()
    assert protocol.tail == Tail()
    assert protocol.law.first_rates == ()
    assert protocol.steps[0].name == "40 mU/m2/min"
    assert protocol.infusates.insulin_mu_ml == pytest.approx(1000.0)
    assert protocol.infusates.insulin_label == "50 U in 50 mL"
    assert protocol.infusates.dextrose_label == "20 % anhydrous"


@pytest.mark.parametrize(
    ("path", "value", "field", "words"),
    [
        (("steps", 0, "target"), 90, "step 1 target", "90 without a unit"),
        (("steps", 0, "target"), "90 mmol/L", "step 1 target", 'did you mean "90 mg/dL"?'),
        (("steps", 0, "target"), "5 mg/dL", "step 1 target", 'did you mean "5 mmol/L"?'),
        (("steps", 0, "target"), "30 mg/dL", "target", "expected 45 to 450 mg/dL"),
        (("steps", 0, "taget"), "90 mg/dL", "taget", 'in step 1; did you mean "target"?'),
        (("steps", 0, "target"), MISSING, "step 1 target", "is missing"),
        (("steps", 0, "insulin"), "40 mU/kg/min", "step 1 insulin", "insulin dose per m2"),
        (("steps", 0, "insulin"), "200 mU/m**2/min", "insulin", "this protocol allows 120"),
        (("steps", 0, "insulin"), "-40 mU/m**2/min", "step 1 insulin", "negative"),
        (("steps", 0, "duration"), "5 min", "duration", "expected 20 to 1440 min"),
        (("steps", 0, "window"), ["80 min"], "step 1 window", "two times"),
        (("steps", 0, "window"), "80 min", "step 1 window", "list in square brackets"),
        (("steps", 0, "window"), ["80 min", "130 min"], "window", "inside the step"),
        (("steps", 0, "window"), [80, 120], "step 1 window", "80 without a unit"),
        (("steps", 0, "prime"), "double", "step 1 prime", "exponential 10 min"),
        (("steps", 0, "prime"), custom_prime({"from": "0 min"}), MULTIPLE, "missing"),
        (("steps", 0, "prime"), custom_prime({"from": "1 min", "multiple": 2}), "prime", "minute 0"),
        (("steps", 0, "prime"), custom_prime({"from": "0 min", "multiple": "2"}), MULTIPLE, "a number"),
        (("steps",), MISSING, "steps", "no clamp step"),
        (("steps",), {"insulin": "x"}, "steps", "list in square brackets"),
        (("steps",), ["40"], "steps", "must be a table"),
        (("patient_name",), "x", "patient_name", "Unknown key"),
        (("law", "gain"), "8.87", "gain", "in law"),
        (("law",), MISSING, "law", "is missing"),
        (("law",), "defronzo", "law", "must be a table"),
        (("law", "look_ahead"), "15", "law look_ahead", "without a unit"),
        (("law", "first_rates"), [{"from": "4 min", "gir": "2 mg/min"}], "law first rate 1 gir", "per kg"),
        (("law", "name"), "", "law name", "text in quotes"),
        (("infusates", "dextrose"), "0 % anhydrous", "infusates dextrose", "a bag without glucose"),
        (("infusates", "dextrose"), "20 %", "infusates dextrose", "basis of its label"),
        (("infusates", "dextrose"), "3 % anhydrous", "dextrose", "expected 4.5 to 70 % anhydrous"),
        (("infusates", "insulin", "volume"), "0 mL", "infusates insulin volume", "is 0"),
        (("infusates", "insulin", "volume"), MISSING, "infusates insulin volume", "missing"),
        (("infusates", "insulin", "units"), MISSING, "infusates insulin units", "missing"),
        (("infusates", "insulin", "units"), "0 U", "insulin concentration", "expected 0.05 to 10 U/mL"),
        (("infusates", "insulin", "concentration"), "0.5 U/mL", CONCENTRATION, "make 1 U/mL"),
        (("infusates", "insulin"), {}, "infusates insulin concentration", "is missing"),
        (("sampling",), "20 min", "sampling", "expected 1 to 10 min"),
        (("mode",), "auto", "mode", '"confirm" or "automatic"'),
        (("glucose_unit",), "mg", "glucose_unit", '"mg/dL" or "mmol/L"'),
        (("bsa",), "haycock", "bsa", '"du_bois" or "mosteller"'),
        (("limits", "gir_max"), "25 mg/kg/min", "gir max", "expected 0 to 20 mg/kg/min"),
        (("limits", "gir_maximum"), "15 mg/kg/min", "gir_maximum", 'did you mean "gir_max"?'),
        (("limits", "doubted_cut_max"), "40 %", "cut on a doubted high", "expected 0 to 0.2"),
        (("tail", "half_life"), 30, "tail half_life", "30 without a unit"),
    ],
)  # fmt: skip
def test_refused_by_name(path: tuple[str | int, ...], value: object, field: str, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_protocol(changed(path, value))
    assert refused.value.field == field
    assert words in refused.value.sentence


def test_a_concentration_may_be_rounded_or_stand_alone() -> None:
    path = ("infusates", "insulin", "concentration")
    agreeing = read_protocol(changed(path, "1.009 U/mL"))
    assert agreeing.infusates.insulin_mu_ml == pytest.approx(1000.0)
    with pytest.raises(Refusal, match=r"1\.011 U/mL"):
        read_protocol(changed(path, "1.011 U/mL"))
    alone = read_protocol(changed(path[:-1], {"concentration": "0.3 U/mL"}))
    assert alone.infusates.insulin_mu_ml == pytest.approx(300.0)


def test_a_custom_prime() -> None:
    steps = [{"from": "0 min", "multiple": 3}, {"from": "2 min", "multiple": 1.5}]
    prime = read_protocol(changed(("steps", 0, "prime"), {"until": "5 min", "steps": steps})).steps[0].prime
    assert (prime.name, prime.until_ms) == ("custom", 300_000)
    assert [(step.from_ms, step.multiple) for step in prime.steps] == [(0, 3.0), (120_000, 1.5)]


LIMIT_TEXTS = {
    "gir_max": ("12 mg/kg/min", "gir_mg_kg_min_max", 12.0),
    "gir_soft": ("10 mg/kg/min", "gir_mg_kg_min_soft", 10.0),
    "gir_rise_max": ("3 mg/kg/min", "gir_rise_mg_kg_min_max", 3.0),
    "gir_fall_max": ("1 mg/kg/min", "gir_fall_mg_kg_min_max", 1.0),
    "doubted_cut_max": ("10 %", "doubted_cut_max", 0.1),
    "dextrose_rate_max": ("400 mL/h", "dextrose_ul_h_max", 400_000),
    "insulin_max": ("100 mU/m**2/min", "insulin_mu_m2_min_max", 100.0),
    "insulin_rate_max": ("30 mL/h", "insulin_ul_h_max", 30_000),
    "rise_doubted": ("4 mg/dL/min", "rise_doubted_mg_dl_min", 4.0),
    "insulin_off_below": ("65 mg/dL", "glucose_insulin_off_mg_dl", 65.0),
    "late_after": ("3 min", "age_late_ms", 180_000),
    "stale_after": ("6 min", "age_stale_ms", 360_000),
    "fallback_after": ("10 min", "age_fallback_ms", 600_000),
    "proposal_life": ("50 s", "proposal_ms", 50_000),
    "override_life": ("9 min", "override_ms", 540_000),
    "repeat_within": ("2 min", "repeat_ms", 120_000),
    "readback_within": ("4 s", "readback_ms", 4_000),
    "silence": ("3 s", "silence_ms", 3_000),
    "silence_stop": ("15 s", "silence_stop_ms", 15_000),
    "no_flow": ("10 s", "no_flow_ms", 10_000),
}


def test_every_limit_has_its_key() -> None:
    limits = read_protocol({**GOOD, "limits": {key: entry[0] for key, entry in LIMIT_TEXTS.items()}}).limits
    found = {name: getattr(limits, name) for name in Limits.__dataclass_fields__}
    assert found == pytest.approx({name: value for _, name, value in LIMIT_TEXTS.values()})


@pytest.mark.parametrize(
    ("name", "insulin", "target", "minutes", "unit"),
    [
        ("euglycemic-40", [40], 90.0, 120, GlucoseUnit.MG_DL),
        ("euglycemic-60", [60], 90.078, 120, GlucoseUnit.MMOL_L),
        ("euglycemic-120", [120], 90.0, 120, GlucoseUnit.MG_DL),
        ("euglycemic-two-step-12-40", [12, 40], 90.0, 300, GlucoseUnit.MG_DL),
    ],
)
def test_protocols_of_the_program(
    name: str, insulin: list[float], target: float, minutes: float, unit: GlucoseUnit
) -> None:
    protocol = load_protocol(name)
    assert protocol.name == name
    assert [step.insulin_mu_m2_min for step in protocol.steps] == pytest.approx(insulin)
    assert [step.target_mg_dl for step in protocol.steps] == pytest.approx([target] * len(insulin))
    assert sum(step.duration_ms for step in protocol.steps) == minutes * 60_000
    assert {step.window_end_ms - step.window_start_ms for step in protocol.steps} == {40 * 60_000}
    assert protocol.steps[0].prime.name == "exponential 10 min"
    assert protocol.glucose_unit is unit
    assert protocol.infusates.dextrose_g_l == pytest.approx(200.0)
    assert protocol.mode is Mode.CONFIRM


def test_there_are_no_other_protocols() -> None:
    assert protocol_names() == (
        "euglycemic-120", "euglycemic-40", "euglycemic-60", "euglycemic-two-step-12-40",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "field", "words"),
    [
        ("euglycemic", "protocol", "known are euglycemic-120, euglycemic-40"),
        ("nowhere.toml", "file", "cannot be read"),
    ],
)
def test_a_protocol_that_is_not_there(name: str, field: str, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        load_protocol(name)
    assert refused.value.field == field
    assert words in refused.value.sentence


@pytest.mark.parametrize(("content", "words"), [(b"name = ", "not valid TOML"), (b"\xff\xfe", "not UTF-8")])
def test_a_file_that_is_not_a_document(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(Refusal, match=words):
        load_protocol(path)
