"""Text with a unit to our numbers, and every refusal naming its field."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.protocol import Refusal
from clampctl.study import quantities
from clampctl.study.quantities import glucose_mg_dl

READERS = (
    "glucose_mg_dl", "glucose_change_mg_dl_min", "gir_mg_kg_min", "insulin_mu_m2_min",
    "insulin_units_mu", "insulin_mu_ml", "duration_ms", "duration_s", "mass_kg", "length_cm",
    "diameter_um", "volume_ml", "volume_ul", "rate_ul_h", "space_l_kg", "share", "dextrose_g_l",
)  # fmt: skip


@pytest.mark.parametrize(
    ("reader", "text", "expected"),
    [
        ("glucose_mg_dl", "90 mg/dL", 90.0),
        ("glucose_mg_dl", "90 mg/dl", 90.0),
        ("glucose_mg_dl", "5.0 mmol/L", 90.078),
        ("glucose_mg_dl", "5.0mmol/l", 90.078),
        ("glucose_mg_dl", "0.9 g/L", 90.0),
        ("glucose_change_mg_dl_min", "0.3 mmol/L/min", 5.40468),
        ("gir_mg_kg_min", "2.0 mg/kg/min", 2.0),
        ("gir_mg_kg_min", "5.5507 umol/kg/min", 1.0),
        ("gir_mg_kg_min", "5.5507 µmol/kg/min", 1.0),
        ("gir_mg_kg_min", "120 mg/kg/h", 2.0),
        ("insulin_mu_m2_min", "40 mU/m**2/min", 40.0),
        ("insulin_mu_m2_min", "40 mU/m2/min", 40.0),
        ("insulin_mu_m2_min", "40 mU/m²/min", 40.0),
        ("insulin_mu_m2_min", "40 mIU/m^2/min", 40.0),
        ("insulin_mu_m2_min", "2.4 U/m**2/h", 40.0),
        ("insulin_units_mu", "50 U", 50_000.0),
        ("insulin_units_mu", "50 IU", 50_000.0),
        ("insulin_mu_ml", "1 U/mL", 1_000.0),
        ("insulin_mu_ml", "1 µU/uL", 1.0),
        ("duration_ms", "120 min", 7_200_000),
        ("duration_ms", "2 h", 7_200_000),
        ("duration_ms", "0 min", 0),
        ("duration_s", "0.5 min", 30),
        ("mass_kg", "70 kg", 70.0),
        ("mass_kg", "70000 g", 70.0),
        ("length_cm", "1.75 m", 175.0),
        ("diameter_um", "26.6 mm", 26_600),
        ("volume_ml", "0.5 L", 500.0),
        ("volume_ul", "0.001 mL", 1),
        ("rate_ul_h", "12 mL/h", 12_000),
        ("rate_ul_h", "0.2 mL/min", 12_000),
        ("space_l_kg", "190 mL/kg", 0.19),
        ("share", "20 %", 0.2),
        ("dextrose_g_l", "20 % anhydrous", 200.0),
        ("dextrose_g_l", "20% anhydrous", 200.0),
        ("dextrose_g_l", "20 % monohydrate", 181.82),
        ("dextrose_g_l", "200 g/L anhydrous", 200.0),
        ("dextrose_g_l", "200 mg/mL anhydrous", 200.0),
    ],
)
def test_reads(reader: str, text: str, expected: float) -> None:
    found = getattr(quantities, reader)(text)
    assert found == pytest.approx(expected, rel=1e-5)
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("reader", "value", "words"),
    [
        ("glucose_mg_dl", 90, 'is 90 without a unit; write for example "90 mg/dL" or "5.0 mmol/L".'),
        ("glucose_mg_dl", "90", 'is "90" without a unit'),
        ("glucose_mg_dl", math.nan, "is nan without a unit"),
        ("glucose_mg_dl", True, "without a unit"),
        ("glucose_mg_dl", None, "without a unit"),
        ("glucose_mg_dl", ["90 mg/dL"], "without a unit"),
        ("glucose_mg_dl", "nan mg/dL", "without a number"),
        ("glucose_mg_dl", "inf mg/dL", "without a number"),
        ("glucose_mg_dl", "", "without a number"),
        ("glucose_mg_dl", "90 + 5 mg/dL", 'unknown unit "+ 5 mg/dL"'),
        ("glucose_mg_dl", "5,0 mmol/L", "decimal comma"),
        ("glucose_mg_dl", "90 mg/dQ", 'unknown unit "mg/dQ"'),
        ("glucose_mg_dl", "90 kg", "which is not a glucose concentration"),
        ("glucose_mg_dl", "-5 mmol/L", "negative"),
        ("glucose_mg_dl", "1e400 mg/dL", "too large"),
        (
            "glucose_mg_dl",
            "90 mmol/L",
            'that is 1621 mg/dL; expected 20 to 600 mg/dL; did you mean "90 mg/dL"?',
        ),
        ("glucose_mg_dl", "5 mg/dL", 'did you mean "5 mmol/L"?'),
        ("glucose_mg_dl", "0 mg/dL", "expected 20 to 600 mg/dL."),
        ("gir_mg_kg_min", "2 mg/min", "which is not a glucose infusion rate per kg"),
        ("gir_mg_kg_min", "2 Hz", "unknown unit"),
        ("gir_mg_kg_min", "2 mL/L/min", "which is not a glucose infusion rate per kg"),
        ("insulin_mu_m2_min", "40 mU/kg/min", "which is not an insulin dose per m2"),
        ("insulin_mu_m2_min", "240 pmol/m2/min", "which is not an insulin dose per m2"),
        ("insulin_mu_m2_min", "40 umol/min/m2/min", "which is not an insulin dose per m2"),
        ("insulin_units_mu", "50 umol/min", "which is not an amount of insulin"),
        ("insulin_mu_m2_min", "40 mU/m**0/min", "unknown unit"),
        ("duration_ms", "120 m", "which is not a length of time"),
        ("duration_ms", "1e308 h", "too large"),
        ("mass_kg", "-70 kg", "negative"),
        ("mass_kg", 70.0, 'is 70.0 without a unit; write for example "70 kg".'),
        ("share", "20 ppm", "which is not a percentage"),
        ("share", "-20 %", "negative"),
        ("mass_kg", "70 Np", "unknown unit"),
        ("mass_kg", "70 lb", 'unknown unit "lb"'),
        ("mass_kg", "70 kg/kg", "which is not a weight"),
        ("dextrose_g_l", "20 %", 'without the basis of its label; write for example "20 % anhydrous"'),
        ("dextrose_g_l", 20, "without the basis of its label"),
        ("dextrose_g_l", "0 % anhydrous", "a bag without glucose"),
        ("dextrose_g_l", "0 g/L monohydrate", "a bag without glucose"),
        ("dextrose_g_l", "20 anhydrous", "without a unit"),
        ("dextrose_g_l", "-20 % anhydrous", "negative"),
        ("dextrose_g_l", "20 mL anhydrous", "which is not the glucose content of a bag"),
    ],
)
def test_refuses(reader: str, value: object, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        getattr(quantities, reader)(value, "target")
    assert refused.value.field == "target"
    assert refused.value.sentence.startswith("target is ")
    assert words in refused.value.sentence


def test_insulin_units_are_not_enzyme_units() -> None:
    """pint reads U as µmol/min; insulin must not convert to it."""
    with pytest.raises(Refusal):
        quantities.gir_mg_kg_min("2 mU/kg/min")


@given(st.floats(20, 600))
def test_glucose_in_our_own_unit_is_exact(glucose: float) -> None:
    assert glucose_mg_dl(f"{glucose!r} mg/dL") == glucose


@given(
    st.sampled_from(READERS),
    st.text(max_size=20)
    | st.from_regex(r"-?\d{1,4}(\.\d)? ?[a-zA-Zµ%/*0-9^ ()_.-]{0,12}( anhydrous)?", fullmatch=True)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.none(),
)
def test_anything_is_a_sensible_number_or_a_refusal(reader: str, value: object) -> None:
    sentence, found = "", 0.0
    try:
        found = getattr(quantities, reader)(value, "field")
    except Refusal as refused:
        sentence = refused.sentence
    assert sentence.startswith("field is ") or (sentence == "" and math.isfinite(found) and found >= 0)
