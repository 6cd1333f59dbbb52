"""Who leaves 60 to 140 mg/dL: found in made-up courses, and told."""

from typing import Any

import numpy as np

from simulator.insilico_outside import outside, section
from simulator.trial import ChunkResult
from simulator.trial_scores import SCORES

MINUTES = 61


def cohort(*courses: float | dict[int, float]) -> ChunkResult:
    """Subjects 10 and following at 90 mg/dL, or all along at one value, or elsewhere in some minutes."""
    glucose = np.full((MINUTES, len(courses)), 90.0)
    gir = np.tile(np.arange(MINUTES, dtype=np.float64)[:, None], (1, len(courses)))
    for k, course in enumerate(courses):
        if isinstance(course, dict):
            for minute, value in course.items():
                glucose[minute, k] = value
        else:
            glucose[:, k] = course
    scores = {name: np.full(len(courses), 7.0) for name in SCORES}
    return ChunkResult(10, scores, glucose, gir)


def test_the_lowest_and_what_was_given_before() -> None:
    told = outside(cohort(90.0, {20: 59.9, 21: 50.0, 22: 58.0}, {5: 60.0}), run_in=False)
    assert told["low"] == [
        {"subject": 11, "lowest_mg_dl": 50.0, "at_min": 21, "gir_mg_kg_min": 6.0, "uptake_mg_kg_min": 7.0}
    ]
    assert (told["high"], told["down_by_min"]) == (0, None)


def test_an_uptake_that_is_not_known_is_not_told() -> None:
    result = cohort({3: 40.0})
    result.scores["m_true_mg_kg_min"][0] = np.nan
    (person,) = outside(result, run_in=False)["low"]
    assert person == {"subject": 10, "lowest_mg_dl": 40.0, "at_min": 3, "gir_mg_kg_min": 0.0}


def test_a_run_in_is_not_counted_before_its_end() -> None:
    courses = ({29: 150.0, 10: 50.0}, {30: 150.0, 41: 141.0})
    assert outside(cohort(*courses), run_in=True) == {"low": [], "high": 1, "down_by_min": 42}
    assert outside(cohort(*courses), run_in=False)["high"] == 2


def test_one_who_never_comes_down_and_one_who_never_began() -> None:
    assert outside(cohort(200.0, np.nan), run_in=False) == {"low": [], "high": 1, "down_by_min": None}


def figures(law: str, told: dict[str, Any]) -> dict[str, Any]:
    """A cell, as far as this section looks."""
    who = {"model": "composite", "phenotype": "lean", "dose_mu_m2_min": 40, "noise": "harsh"}
    return {**who, "law": law, "outside": told}


def test_the_section_tells_each_by_name_and_counts_the_others() -> None:
    told = outside(cohort({21: 50.0}, 200.0), run_in=False)
    calm = outside(cohort(90.0), run_in=False)
    text = section([figures("defronzo", told), figures("defronzo", calm), figures("pid-clamp", told)])
    assert "1 of 2 cells have nobody outside." in text
    assert text.splitlines()[-1] == (
        "- composite lean 40 harsh: low 10: 50 at 21 (GIR 6.0 of 7.0); high 1 (one still at the end)"
    )
