"""A whole clamp with each device: M is what it is with the usual ones, and each replay is identical."""

from pathlib import Path

import pytest

from clampctl.core.protocol import Mode
from clampctl.engine.replay import replay
from clampctl.study.load import load_protocol
from clampctl.study.variants import with_mode
from simulator.clamp import Outcome, Request, simulate
from simulator.furniture import Choice

M_WITHIN = 0.02
PROTOCOL = with_mode(load_protocol("euglycemic-40"), Mode.AUTOMATIC)
CHOICES = [
    Choice(insulin="alaris"),
    Choice("harvard-ultra", "harvard-ultra"),
    Choice("harvard-22", "harvard-22"),
    Choice(dextrose="graseby-3400"),
    Choice(insulin="graseby-3400"),
    Choice(analyzer="radiometer-abl"),
    Choice(analyzer="siemens"),
    Choice(analyzer="biosen"),
    Choice(analyzer="poct1a"),
    Choice(analyzer="line"),
    Choice("harvard-ultra", "alaris", "radiometer-abl"),
    Choice("harvard-22", "new-era", "siemens"),
    Choice("graseby-3400", "harvard-22", "poct1a"),
    Choice("new-era", "graseby-3400", "biosen"),
]


def clamp(choice: Choice, path: Path) -> Outcome:
    """Two hours on a lean subject, through bytes."""
    return simulate(Request(PROTOCOL, "lean", 1, "quiet", 120.0, devices=choice), path)


@pytest.fixture(scope="module")
def usual_m_mg_kg_min(tmp_path_factory: pytest.TempPathFactory) -> float:
    m = clamp(Choice(), tmp_path_factory.mktemp("usual") / "usual.clamp.jsonl").summary.m_mg_kg_min
    assert m is not None
    return m


@pytest.mark.parametrize("choice", CHOICES, ids=lambda one: f"{one.dextrose}-{one.insulin}-{one.analyzer}")
def test_m_does_not_depend_on_the_devices(choice: Choice, usual_m_mg_kg_min: float, tmp_path: Path) -> None:
    path = tmp_path / "one.clamp.jsonl"
    summary = clamp(choice, path).summary
    assert summary.m_mg_kg_min == pytest.approx(usual_m_mg_kg_min, rel=M_WITHIN)
    assert all(" LOW: " in line and "reset" in line for line in summary.alarms), summary.alarms
    outcome = replay(path)
    assert outcome.difference is None
    assert outcome.events == summary.events
