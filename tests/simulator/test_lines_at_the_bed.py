"""Whole clamps with something wrong between pump, vein and analyzer: what the program does.

The judge is the virtual subject. A test whose name says that a fault is not seen shows what the
program cannot know, not what it should do.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from clampctl.core.commands import Role
from clampctl.core.state import Phase, Priority
from clampctl.units import MS_PER_MIN
from simulator.faults import planned
from simulator.furniture import USUAL
from tests.simulator.copied_bed import Bed, Moment

AS_OF_MIN = 30


@dataclass(frozen=True, slots=True)
class After:
    """What became of a lean subject's clamp after a fault at minute 30 of the session."""

    bed: Bed

    @property
    def lowest_mg_dl(self) -> float:
        """The subject's own lowest glucose since then."""
        return min(
            point.glucose_mg_dl for point in self.bed.bedside.truth if point.at_ms >= AS_OF_MIN * MS_PER_MIN
        )

    @property
    def alarms(self) -> set[str]:
        """Every alarm above LOW that held."""
        return {
            alarm.name
            for moment in self.bed.moments
            for alarm in moment.state.alarms
            if alarm.holds and alarm.priority is not Priority.LOW
        }

    @property
    def first_high(self) -> Moment | None:
        """The moment at which a high alarm first held."""
        return next((moment for moment in self.bed.moments if moment.is_high), None)

    @property
    def insulin_off_min(self) -> float | None:
        """Minutes until the insulin pump stood still."""
        for moment in self.bed.moments:
            if moment.insulin_ul_h == 0:
                return moment.state.at_ms / MS_PER_MIN - AS_OF_MIN
        return None

    def true_mg_dl(self, moment: Moment) -> float:
        """The subject's own glucose in the minute of a moment."""
        return self.bed.bedside.truth[moment.state.at_ms // MS_PER_MIN].glucose_mg_dl


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Bed:
    """A clamp in which nothing is wrong until minute 30."""
    bed = Bed(USUAL, tmp_path_factory.mktemp("well") / "well.clamp.jsonl")
    bed.until(AS_OF_MIN * MS_PER_MIN)
    assert bed.bench.state.phase is Phase.CLAMP
    return bed


def after(well: Bed, folder: Path, fault: str, minutes: int) -> After:
    """So many minutes of the same clamp with a fault, whose own minutes count from there."""
    bed = well.copied(folder / "copy.clamp.jsonl")
    begin_ms, end_ms = bed.bench.now_ms, bed.bench.now_ms + minutes * MS_PER_MIN
    for entry in planned(fault):
        bed.until(min(end_ms, begin_ms + entry.at_ms))
        entry.happen(bed.bedside, bed.bench.now_ms)
    bed.until(end_ms)
    return After(bed)


def test_an_occluded_dextrose_line_is_seen_when_the_pump_stalls(well: Bed, tmp_path: Path) -> None:
    seen = after(well, tmp_path, "dextrose-line:occluded@0", 6)
    assert {"dextrose_not_flowing", "safe_tail"} <= seen.alarms
    assert seen.insulin_off_min is not None
    assert seen.insulin_off_min < 3.0
    assert seen.bed.bench.state.phase is Phase.FALLBACK
    assert seen.lowest_mg_dl > 70.0


def test_a_dextrose_line_on_the_floor_is_not_seen_before_glucose_is_below_70(
    well: Bed, tmp_path: Path
) -> None:
    seen = after(well, tmp_path, "dextrose-line:leak@0", 20)
    first = seen.first_high
    assert first is not None
    assert seen.true_mg_dl(first) < 60.0
    assert not seen.alarms & {"dextrose_not_flowing", "dextrose_volume", "gir_high"}
    assert seen.bed.bench.state.phase is Phase.FALLBACK
    assert seen.lowest_mg_dl < 60.0


def test_an_occluded_insulin_line_is_not_seen_for_20_min_and_its_bolus_comes_after_insulin_off(
    well: Bed, tmp_path: Path
) -> None:
    seen = after(well, tmp_path, "insulin-line:occluded@0-24", 27)
    off_min = seen.insulin_off_min
    assert off_min is not None
    assert 15.0 < off_min < 24.0
    assert "safe_tail" in seen.alarms
    truth = {point.at_ms // MS_PER_MIN - AS_OF_MIN: point.insulin_uu_ml for point in seen.bed.bedside.truth}
    assert truth[24] < 30.0
    assert truth[25] > 150.0
    assert seen.bed.bedside.lines[Role.INSULIN].held_ul == 0.0
    assert seen.lowest_mg_dl > 70.0


def test_a_bolus_after_an_occlusion_that_stalled_no_pump_is_not_seen_before_glucose_is_below_70(
    well: Bed, tmp_path: Path
) -> None:
    seen = after(well, tmp_path, "insulin-line:occluded=5000@10-70", 120)
    assert seen.alarms == {"glucose_below_70"}
    assert seen.first_high is None
    assert seen.lowest_mg_dl < 60.0


def test_insulin_of_ten_times_the_strength_is_not_seen_while_dextrose_can_follow(
    well: Bed, tmp_path: Path
) -> None:
    seen = after(well, tmp_path, "insulin-syringe:strength@0", 20)
    assert seen.alarms <= {"glucose_below_70"}
    assert seen.bed.bench.state.phase is Phase.CLAMP
    assert seen.bed.bedside.subject.insulin_uu_ml > 400.0
    assert seen.lowest_mg_dl > 54.0


def test_dextrose_in_one_sample_is_doubted_and_harms_nobody(well: Bed, tmp_path: Path) -> None:
    seen = after(well, tmp_path, "blood:contaminated@0", 12)
    assert seen.alarms == {"glucose_doubted"}
    assert seen.bed.bench.state.phase is Phase.CLAMP
    assert seen.lowest_mg_dl > 75.0


def test_dextrose_in_every_sample_is_not_seen_for_what_it_is_while_glucose_falls_below_54(
    well: Bed, tmp_path: Path
) -> None:
    seen = after(well, tmp_path, "blood:contaminated=50@0-60", 34)
    assert seen.alarms == {"glucose_doubted"}
    assert seen.first_high is None
    assert seen.insulin_off_min is None
    assert seen.lowest_mg_dl < 54.0


def test_blood_that_never_comes_ends_insulin_after_15_min(well: Bed, tmp_path: Path) -> None:
    seen = after(well, tmp_path, "blood:missed@0-60", 18)
    assert {"glucose_stale", "safe_tail"} <= seen.alarms
    assert seen.insulin_off_min is not None
    assert seen.insulin_off_min < 16.0
    assert seen.lowest_mg_dl > 70.0


def test_blood_diluted_by_two_fifths_ends_insulin_at_once(well: Bed, tmp_path: Path) -> None:
    seen = after(well, tmp_path, "blood:diluted=40@0", 8)
    assert "safe_tail" in seen.alarms
    assert seen.insulin_off_min is not None
    assert seen.lowest_mg_dl > 75.0


def test_blood_drawn_late_is_told_late_and_counts_when_it_was_drawn(well: Bed, tmp_path: Path) -> None:
    seen = after(well, tmp_path, "blood:late=4@0", 12)
    assert seen.alarms == {"glucose_stale"}
    assert seen.bed.bench.state.phase is Phase.CLAMP
