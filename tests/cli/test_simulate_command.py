"""`clampctl simulate`: how well virtual clamps go, its one JSON object, and its options."""

from pathlib import Path

import pytest

from clampctl.cli.virtual import NOISES
from simulator.models import MODELS
from tests.cli.conftest import Run

KEYS = [
    "glucose_mean_mg_dl",
    "glucose_cv_true_pct",
    "glucose_cv_measured_pct",
    "deviation_mg_dl",
    "abs_deviation_mg_dl",
    "within_5pct_pct",
    "within_5pct_true_pct",
    "glucose_min_mg_dl",
    "gir_mean_mg_kg_min",
    "gir_cv_pct",
    "m_mg_kg_min",
    "m_window_min",
    "space_correction_mg_kg_min",
    "m_umol_kg_min",
    "insulin_mean_uu_ml",
    "steady_state",
    "alarms",
    "events",
    "wall_s",
    "journal",
]

SHORT = ("simulate", "--protocol", "euglycemic-40", "--subject", "lean", "--minutes", "20", "--noise", "none")


@pytest.mark.parametrize(
    ("subject", "protocol", "m_low", "m_high"),
    [
        ("lean", "euglycemic-40", 5.8, 8.2),
        ("obese", "euglycemic-40", 3.2, 5.2),
        ("metsyn", "euglycemic-60", 3.8, 6.2),
        ("t1d", "euglycemic-40", 4.4, 6.6),
    ],
)
def test_a_quiet_clamp_holds_glucose_and_finds_m(
    clampctl: Run, subject: str, protocol: str, m_low: float, m_high: float
) -> None:
    found = clampctl(
        *("simulate", "--protocol", protocol, "--subject", subject, "--noise", "quiet"),
        *("--seed", "1", "--minutes", "180", "--json"),
    ).json()
    assert list(found) == KEYS
    assert m_low <= found["m_mg_kg_min"] <= m_high
    assert found["m_window_min"] == [140.0, 180.0]
    assert found["within_5pct_true_pct"] >= 90.0
    assert found["glucose_min_mg_dl"] >= 72.0
    assert found["steady_state"] is True
    assert all(" LOW: " in alarm for alarm in found["alarms"])
    assert found["m_umol_kg_min"] == pytest.approx(found["m_mg_kg_min"] * 1000 / 180.156, rel=1e-3)
    assert found["journal"] is None
    assert found["wall_s"] > 0.0


def test_the_journal_stays_where_it_was_asked_for(clampctl: Run, tmp_path: Path) -> None:
    found = clampctl(*SHORT, "--out", tmp_path / "new", "--json").json()
    journal = Path(found["journal"])
    assert journal.parent == tmp_path / "new"
    assert len(journal.read_bytes().splitlines()) == found["events"]
    again = clampctl(*SHORT, "--out", tmp_path / "new", "--json")
    assert "exists already" in again.refusal()


def test_what_is_not_known_is_null(clampctl: Run) -> None:
    found = clampctl(*SHORT, "--fault", "insulin:unplug@0", "--json").json()
    assert list(found) == KEYS
    known = {name for name, value in found.items() if value is not None}
    assert known == {"alarms", "events", "wall_s"}


def test_a_person_is_told_what_it_is_not(clampctl: Run) -> None:
    ran = clampctl(*SHORT)
    assert ran.status == 0
    assert "m_mg_kg_min: " in ran.out
    assert "not evidence of patient safety" in ran.out


def test_law_and_mode_are_chosen(clampctl: Run) -> None:
    held = clampctl(*SHORT, "--law", "hold", "--json").json()
    ruled = clampctl(*SHORT, "--law", "defronzo", "--mode", "confirm", "--json").json()
    assert held["gir_mean_mg_kg_min"] < ruled["gir_mean_mg_kg_min"]


def test_the_second_model_at_the_bedside_under_every_preset(clampctl: Run, tmp_path: Path) -> None:
    assert all(model.noises.keys() == set(NOISES) for model in MODELS.values())
    second = (*SHORT, "--model", "bizzotto", "--json")
    found = clampctl(*second, "--noise", "harsh", "--out", tmp_path).json()
    assert Path(found["journal"]).name == "euglycemic-40-bizzotto-lean-harsh-1.clamp.jsonl"
    assert (
        clampctl(*second).json()["glucose_mean_mg_dl"]
        != clampctl(*SHORT, "--json").json()["glucose_mean_mg_dl"]
    )
    assert "not a model" in clampctl(*SHORT, "--model", "ptolemy").refusal()
    assert "of the model bizzotto" in clampctl(*second, "--subject", "t2d_severe").refusal()
