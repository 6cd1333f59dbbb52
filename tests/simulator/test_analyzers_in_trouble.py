"""Whole clamps with each analyzer in trouble: no draw is silently lost, no sample silently wrong.

The judge is the virtual subject: what a believed sample says must be its glucose at a moment at which
blood was truly drawn. A blood factor that an analyzer applies unasked cannot be seen by any link and
is not tried here.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from clampctl.core.events import GlucoseSampled, SampleDrawn
from clampctl.core.protocol import Mode
from clampctl.core.state import Phase, Verdict
from clampctl.engine.replay import replay
from clampctl.study.load import load_protocol
from clampctl.study.variants import with_mode
from simulator.clamp import Request
from simulator.faults import planned
from simulator.furniture import Choice
from tests.simulator.watched import Watched, promises_kept

PROTOCOL = with_mode(load_protocol("euglycemic-40"), Mode.AUTOMATIC)
MINUTES = 40.0
LAST_DRAW_MS = 32 * 60_000
TOLD_WITHIN_MS = 8 * 60_000
"""A sample is late after 7 min at most (`Limits.age_late_ms`)."""

WRONG_BY = 0.03
DRAW_OFF_MS = 100_000
GIR_WITHIN = 0.05

PASSING = {
    "ysi-2700": ["cut=20/1@7", "noise=410D0A00FF0D0A/1@12", "flip=30/1@17", "dump@21", "calibrate@26.5",
                 "clock_offset=120@31"],
    "radiometer-abl": ["duplicate@5", "wrong_sequence@9", "drop_ack=2@14", "contention@19", "dump@23",
                       "edit=10@24", "lactate_first@26", "control=300@27", "clock_offset=120@31"],
    "siemens": ["duplicate@5", "wrong_sequence@9", "drop_ack=2@14", "contention@19", "dump@23",
                "edit=10@24", "lactate_first@26", "control=300@27", "clock_offset=180@31"],
    "biosen": ["duplicate@5", "noise=ff0044/1@9", "dump@18", "edit=10@19", "lactate_first@21",
               "control=300@26", "clock_offset=180@31"],
    "poct1a": ["duplicate@5", "chunk=1-7@9", "drop_ack=2@14", "dump@18", "edit=10@19",
               "control=300@26", "clock_offset=120@31"],
    "line": ["duplicate@5", "chunk=1-7@9", "dump@18", "control=300@26"],
}  # fmt: skip
"""Troubles in one clamp that lose no result: minute of the session behind each."""

HOLDING = {
    "ysi-2700": ["unit_switch@10-15", "comma@20-25", "error=0004@30-35"],
    "radiometer-abl": ["unit_switch@10-15", "query@20-25", "half_message@30"],
    "siemens": ["unit_switch@10-15", "error=0004@20-25", "mute@30-35"],
    "biosen": ["unit_switch@10-15", "cut=30/1@21", "comma@30-35"],
    "poct1a": ["unit_switch@10-15", "no_value@20-25", "unplug@30-35"],
    "line": ["unit_switch@10-15", "cut=9/1@21", "over_range@30-35"],
}
"""Troubles that hold one result at a time."""

LASTING = {
    "ysi-2700": "mute@15",
    "radiometer-abl": "identity=OTHER@15",
    "siemens": "other_id=WARD9@15",
    "biosen": "clock_offset=3600@15",
    "poct1a": "other_id=WARD9@15",
    "line": "no_value@15",
}
"""Troubles that stay."""


@dataclass(frozen=True)
class Draw:
    """Blood drawn at a time, and whether its result came or a person was told."""

    at_ms: int
    answered: bool


def clamp(folder: Path, analyzer: str, faults: list[str]) -> Watched:
    """One clamp held to every promise, and its replay to every bit."""
    devices = Choice(analyzer=analyzer)
    entries = tuple(entry for text in faults for entry in planned(f"analyzer:{text}", devices))
    request = Request(PROTOCOL, "lean", 1, "none", MINUTES, entries, devices)
    seen = Watched(request, folder / f"{analyzer}-{len(faults)}.clamp.jsonl")
    promises_kept(seen)
    assert replay(seen.path).difference is None
    return seen


def require_no_sample_wrong(seen: Watched) -> int:
    """Every believed sample is the subject's glucose at a draw; how many there were."""
    truth = seen.room.bedside.truth
    minutes, glucose = [point.at_ms for point in truth], [point.glucose_mg_dl for point in truth]
    drawn = [moment.at_ms for moment in seen.moments if isinstance(moment.event, SampleDrawn)]
    count, newest = 0, None
    for moment in seen.moments:
        sample = moment.state.blood.newest
        if sample is newest or sample is None:
            continue
        newest = sample
        if sample.verdict is not Verdict.BELIEVED or not isinstance(moment.event, GlucoseSampled):
            continue
        count += 1
        draw_ms = min(drawn, key=lambda at_ms: abs(at_ms - sample.drawn_at_ms))
        assert abs(draw_ms - sample.drawn_at_ms) <= DRAW_OFF_MS, sample
        true_mg_dl = float(np.interp(draw_ms, minutes, glucose))
        assert sample.glucose_mg_dl == pytest.approx(true_mg_dl, rel=WRONG_BY), sample
    return count


def draws(seen: Watched) -> list[Draw]:
    """Every draw, and whether it was answered within the time in which a person has to know."""
    found = []
    for drawn in seen.moments:
        if not isinstance(drawn.event, SampleDrawn) or drawn.at_ms > LAST_DRAW_MS:
            continue
        later = [one for one in seen.moments if 0 <= one.at_ms - drawn.at_ms <= TOLD_WITHIN_MS]
        came = any(
            one.state.blood.newest is not None
            and abs(one.state.blood.newest.drawn_at_ms - drawn.at_ms) <= DRAW_OFF_MS
            for one in later
        )
        told = any(
            alarm.name in ("result_held", "glucose_stale", "analyzer_lost", "safe_tail")
            for one in later
            for alarm in one.state.alarms
        )
        found.append(Draw(drawn.at_ms, came or told))
    return found


def gir(seen: Watched) -> float:
    """Mean GIR of the last ten minutes, mg/kg/min."""
    end_ms = seen.state.at_ms
    return float(
        np.mean([one.state.dosing.gir_mg_kg_min for one in seen.moments if one.at_ms > end_ms - 600_000])
    )


@pytest.fixture(scope="module")
def usual_gir(tmp_path_factory: pytest.TempPathFactory) -> float:
    return gir(clamp(tmp_path_factory.mktemp("usual"), "ysi-2700", []))


@pytest.mark.parametrize("analyzer", PASSING)
def test_troubles_that_pass_change_nothing(analyzer: str, usual_gir: float, tmp_path: Path) -> None:
    seen = clamp(tmp_path, analyzer, PASSING[analyzer])
    every = draws(seen)
    assert require_no_sample_wrong(seen) >= len(every)
    assert all(draw.answered for draw in every)
    assert seen.state.phase is Phase.CLAMP
    assert gir(seen) == pytest.approx(usual_gir, rel=GIR_WITHIN)
    assert seen.alarm_names() <= {"result_held"}


@pytest.mark.parametrize("analyzer", HOLDING)
def test_a_result_held_back_is_told_and_the_next_one_counts(analyzer: str, tmp_path: Path) -> None:
    seen = clamp(tmp_path, analyzer, HOLDING[analyzer])
    every = draws(seen)
    assert len(every) - 3 <= require_no_sample_wrong(seen)
    assert all(draw.answered for draw in every)
    assert seen.alarm_names() & {"result_held", "analyzer_lost", "glucose_stale"}


@pytest.mark.parametrize("analyzer", LASTING)
def test_a_trouble_that_stays_ends_in_safe_tail(analyzer: str, tmp_path: Path) -> None:
    seen = clamp(tmp_path, analyzer, [LASTING[analyzer]])
    require_no_sample_wrong(seen)
    assert all(draw.answered for draw in draws(seen))
    assert "safe_tail" in seen.alarm_names()
    assert seen.state.phase is Phase.FALLBACK


def test_a_clock_set_back_dates_blood_older_never_newer(usual_gir: float, tmp_path: Path) -> None:
    seen = clamp(tmp_path, "radiometer-abl", ["clock_offset=-180@15"])
    last_mark_ms = 0
    for moment in seen.moments:
        if isinstance(moment.event, SampleDrawn):
            last_mark_ms = moment.at_ms
        newest = moment.state.blood.newest
        assert newest is None or newest.drawn_at_ms <= last_mark_ms
    assert seen.state.phase is Phase.CLAMP
    assert gir(seen) == pytest.approx(usual_gir, rel=GIR_WITHIN)
