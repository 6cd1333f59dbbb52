"""Who the virtual subjects are: the table of the models sheet, section 2, and other bodies."""

import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from clampctl.core.protocol import Refusal
from simulator import subjects
from simulator.subjects.phenotypes import PHENOTYPES, VARIANTS, typical

MODELS = Path(__file__).parents[1] / "data" / "models"
DEFAULTS: dict[str, Any] = json.loads((MODELS / "recommended_default.json").read_text())

FIVE = ["lean", "obese", "metsyn", "t2d", "t1d"]


@pytest.mark.parametrize("phenotype", FIVE)
def test_phenotype_is_the_sheets_table(phenotype: str) -> None:
    table, common = DEFAULTS["phenotypes"][phenotype], DEFAULTS["common"]
    expected = [table[key] for key in ("BW", "BSA", "Gb", "Ib", "MCR", "Vmx", "Km0", "EGPb", "IC50", "t12")]
    expected += [table[key] for key in ("VG", "k1", "k2")]
    expected += [common["VI_L_per_kg"], table.get("secslope", common["secslope_per_mgdl"])]
    expected += [table.get("secsup", common["secsup_max"])]
    expected += [0.0, 0.5] if phenotype == "t1d" else [1.0, 1.0]  # the project's own: glucagon, adrenaline
    parameters = typical(phenotype)
    assert [getattr(parameters, field.name) for field in fields(parameters)] == expected


def test_package_says_what_the_values_are_not() -> None:
    assert subjects.STATEMENT in " ".join((subjects.__doc__ or "").split())


def test_there_are_five_phenotypes() -> None:
    assert list(PHENOTYPES) == FIVE


def test_unknown_phenotype_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refusal, match=r"'thin' is not a phenotype; known are lean, obese"):
        typical("thin")


@pytest.mark.parametrize("weight_kg", [0.0, -70.0, math.nan, math.inf])
def test_impossible_body_is_refused(weight_kg: float) -> None:
    with pytest.raises(Refusal, match="weight is"):
        typical("lean", weight_kg=weight_kg)
    with pytest.raises(Refusal, match="body surface is"):
        typical("lean", bsa_m2=weight_kg)


def test_another_weight_takes_the_surface_with_it() -> None:
    heavier = typical("lean", weight_kg=70.0 * 1.44)
    assert heavier.bsa_m2 == pytest.approx(1.85 * 1.2)
    assert typical("lean", weight_kg=80.0, bsa_m2=1.9) == replace(
        PHENOTYPES["lean"], weight_kg=80.0, bsa_m2=1.9
    )
    assert typical("lean", bsa_m2=1.9) == replace(PHENOTYPES["lean"], bsa_m2=1.9)


def test_t2d_grades_scale_uptake() -> None:
    central = PHENOTYPES["t2d"]
    for variant, factor in (("t2d_mild", 1.6), ("t2d_severe", 0.6)):
        graded = VARIANTS[variant]
        assert graded.vmx_mg_kg_min_per_pmol_l == pytest.approx(factor * central.vmx_mg_kg_min_per_pmol_l)
        assert replace(graded, vmx_mg_kg_min_per_pmol_l=central.vmx_mg_kg_min_per_pmol_l) == central
