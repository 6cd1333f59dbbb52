"""Circumstances of a trial: what they are called, and what each alone does to a value."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.protocol import Refusal
from clampctl.study.load import load_protocol
from clampctl.units import MS_PER_MIN
from simulator.circumstances import AS_IT_SHOULD_BE, EXTENTS, Circumstances, Kind, circumstances
from simulator.clamp import virtual_subject
from simulator.models import MODELS
from simulator.sampling_site import BloodFault, SamplingSite
from simulator.subjects.phenotypes import typical
from simulator.subjects.variability import NOISES
from simulator.trial_bed import STATION

PROTOCOL = load_protocol("euglycemic-40")
EACH = ("assay-cv=3", "analyzer-bias=5", "analyzer-drift=6", "cold-hand=6", "whole-blood",
        "contaminated=100", "late=2", "missed=3", "sampling=10", "weight=1.1",
        "dextrose-strength=0.909", "insulin-strength=0.5", "quantum=1000", "lag=3")  # fmt: skip


def found(texts: str, glucose_mg_dl: float, minute: float = 0.0, number: int = 1) -> float:
    """What the analyzer finds so many minutes after set-up and after insulin start."""
    at_ms = round(minute * MS_PER_MIN)
    blood = circumstances(texts.split()).blood_mg_dl(
        np.array([glucose_mg_dl]), at_ms, np.array([minute]), np.array([number])
    )
    return float(blood[0])


def test_every_kind_is_tried_here() -> None:
    assert [text.partition("=")[0] for text in EACH] == list(Kind) == list(EXTENTS)


@pytest.mark.parametrize("text", EACH)
def test_a_circumstance_says_what_it_was_asked_for(text: str) -> None:
    assert str(circumstances([text])) == text


def test_several_are_one_value_in_whatever_order() -> None:
    there = circumstances(["late=2.0", "cold-hand", "analyzer-bias=-3"])
    assert str(there) == "analyzer-bias=-3,cold-hand=6,late=2"
    assert there == circumstances(["analyzer-bias=-3", "late=2", "cold-hand=6"])
    assert str(circumstances([])) == "none"
    assert circumstances([]) == AS_IT_SHOULD_BE


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (
            ["rain"],
            "'rain' is not a circumstance of a trial; known are assay-cv, analyzer-bias, analyzer-drift",
        ),
        ([""], "'' is not a circumstance"),
        (["analyzer-bias"], r"analyzer-bias takes -30 to 30 %\."),
        (["analyzer-bias="], "analyzer-bias takes"),
        (["analyzer-bias=nan"], "analyzer-bias takes"),
        (["analyzer-bias=1e1"], "analyzer-bias takes"),
        (["analyzer-bias=31"], r"analyzer-bias is 31; expected -30 to 30 %\."),
        (["whole-blood=1"], "whole-blood takes no number"),
        (["late=0"], r"late is 0; expected 0\.5 to 4 min in steps of 0\.5\."),
        (["late=1.2"], "late is 1.2; expected"),
        (["missed=1"], "missed is 1; expected 2 to 100 samples"),
        (["sampling=2.5"], "in steps of 1"),
        (["weight=2.2"], "weight is 2.2; expected 0.85 to 1.2 times the true weight"),
        (["quantum=0"], "quantum is 0"),
        (["late=1", "late=2"], "late is given twice"),
    ],
)
def test_what_is_none_is_refused_with_one_sentence(texts: list[str], sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence) as refused:
        circumstances(texts)
    assert refused.value.field == "circumstance"


def test_a_size_that_is_no_number_is_refused() -> None:
    with pytest.raises(Refusal):
        Circumstances(((Kind.BIAS, math.nan),))


@given(
    st.floats(0.0, 1e3),
    st.integers(0, 10**8),
    st.floats(-math.inf, 1e4, allow_nan=False),
    st.integers(1, 500),
)
def test_nothing_otherwise_changes_no_bit(glucose: float, at_ms: int, clamp_min: float, number: int) -> None:
    values, minutes = np.array([glucose]), np.array([clamp_min])
    there = AS_IT_SHOULD_BE
    assert there.blood_mg_dl(values, at_ms, minutes, np.array([number])).tolist() == [glucose]
    assert there.dextrose_ul_h(values, np.zeros(1)).tolist() == [glucose]
    assert there.insulin_ul_h(values).tolist() == [glucose]
    assert not there.is_missed(number)


def test_nothing_otherwise_changes_nothing_told() -> None:
    subject = virtual_subject(typical("obese"), "x")
    assert AS_IT_SHOULD_BE.told(subject, "du_bois") == subject
    assert AS_IT_SHOULD_BE.station(STATION) == STATION
    assert AS_IT_SHOULD_BE.protocol(PROTOCOL) == PROTOCOL
    assert AS_IT_SHOULD_BE.late_ms == 0
    for noise in NOISES.values():
        assert AS_IT_SHOULD_BE.noise(noise) == noise


def test_what_the_analyzer_finds() -> None:
    assert found("analyzer-bias=-8", 100.0) == pytest.approx(92.0)
    assert found("analyzer-drift=6", 100.0, 0.0) == 100.0
    assert found("analyzer-drift=6", 100.0, 90.0) == pytest.approx(109.0)
    assert found("whole-blood", 111.0) == pytest.approx(100.0)
    assert [found("contaminated=100", 90.0, number=k) for k in (1, 9, 10, 11, 20)] == [90, 90, 190, 90, 190]
    assert found("whole-blood analyzer-bias=10 contaminated=21", 90.0, number=10) == pytest.approx(110.0)
    assert found("cold-hand=50", 20.0, 90.0) == 0.0


def test_a_hand_cools_as_at_the_bench() -> None:
    site = SamplingSite()
    site.befall(BloodFault.COLD_HAND, 6.0, 30 * MS_PER_MIN, lasts=True)
    assert found("cold-hand", 90.0, 30.0) == 90.0
    assert found("cold-hand", 90.0, 40.0) == pytest.approx(90.0 - 6.0 * (1.0 - math.exp(-1.0)))
    for minute in (35, 40, 55, 120):
        assert found("cold-hand", 90.0, minute) == pytest.approx(site.taken(90.0, minute * MS_PER_MIN))


def test_the_assay_takes_the_place_of_the_presets() -> None:
    noise = circumstances(["assay-cv=5"]).noise(NOISES["noisy"])
    assert noise.assay_cv == 0.05
    assert noise.log_vmx == NOISES["noisy"].log_vmx
    assert noise.arterialisation == NOISES["noisy"].arterialisation


def test_a_wrong_weight_comes_with_its_body_surface() -> None:
    subject = virtual_subject(typical("lean"), "x")
    told = circumstances(["weight=1.1"]).told(subject, "du_bois")
    assert told.weight_kg == pytest.approx(1.1 * subject.weight_kg)
    assert told.height_cm == subject.height_cm
    assert told.bsa_m2 == pytest.approx(1.1**0.425 * subject.bsa_m2)
    assert circumstances(["weight=1.1"]).told(subject, "mosteller").bsa_m2 == pytest.approx(
        1.1**0.5 * subject.bsa_m2
    )


@pytest.mark.parametrize("phenotype", MODELS["composite"].phenotypes)
def test_the_core_takes_every_wrong_weight(phenotype: str) -> None:
    extent = EXTENTS[Kind.WEIGHT]
    assert extent is not None
    plant = MODELS["composite"].members(phenotype, 1, 0, 200, True)
    for weight_kg, bsa_m2 in zip(plant.weight_kg.tolist(), plant.bsa_m2.tolist(), strict=True):
        subject = virtual_subject(typical("lean", weight_kg, bsa_m2), "x")
        for factor in (extent.least, extent.most):
            told = circumstances([f"weight={factor:g}"]).told(subject, "du_bois")
            assert told.weight_kg == pytest.approx(factor * weight_kg)
