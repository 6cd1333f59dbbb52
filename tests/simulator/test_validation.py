"""Validation: judged rightly on made-up figures, both ways; and a few rows computed in earnest."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator.subjects.phenotypes import typical
from simulator.trial import ChunkResult
from simulator.validation import __main__ as command
from simulator.validation import clamp_targets, cohorts, figures, settled_targets
from simulator.validation.cohorts import Group, m_mg_kg_min
from simulator.validation.curve import Band, Curve, Points, half_rise_min, interpolated, read_curve
from simulator.validation.judging import (
    Row,
    Tolerance,
    Verdict,
    at_most,
    away_pct,
    between,
    failed,
    within,
    within_pct,
)
from simulator.validation.page import page, shown
from simulator.validation.published_curves import curves, half_rise
from simulator.validation.results import Results, sources
from simulator.validation.sheet_figures import Figure, composite_figures
from simulator.validation.subject_alone import boundary, insulin_for, per_kg, settled, with_km0

DATA = Path(__file__).parents[1] / "data"
SHEETS_GATES = {"V1", "V3", "V7", "V8", "V9", "V10", "V11", "V12", "V14", "V18", "V19", "V20", "V22"}

MET = Row("V1", "M lean", "6.9", between(6.2, 7.8), 7.0, "mg/kg/min")
MISSED = replace(MET, ours=7.9)
FLAT: Points = [(0.0, 10.0), (60.0, 10.0), (120.0, 10.0)]
CURVE = Curve("made-up", "Made up: insulin", "lean", "µU/mL", FLAT, FLAT, Band(20.0))


# --- targets


@pytest.mark.parametrize(
    ("tolerance", "inside", "outside"),
    [
        (between(6.2, 7.8), (6.2, 7.0, 7.8), (6.19, 7.81, -7.0)),
        (at_most(10.0), (-10.0, 0.0, 10.0), (-10.1, 10.1)),
        (within_pct(8.0, 25.0), (6.0, 10.0), (5.99, 10.01)),
        (within_pct(-8.0, 25.0), (-10.0, -6.0), (-10.01, -5.99)),
        (within(90.0, 12.0, "points"), (78.0, 102.0), (77.9, 102.1)),
    ],
)
def test_a_tolerance_holds_its_ends_and_nothing_beyond(
    tolerance: Tolerance, inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    assert all(tolerance.holds(figure) for figure in inside)
    assert not any(tolerance.holds(figure) for figure in (*outside, math.nan))


def test_a_tolerance_that_holds_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        between(7.8, 6.2)


def test_a_row_that_gates_passes_or_fails_or_is_not_there_yet() -> None:
    unknown = replace(MET, ours=None)
    assert [row.verdict for row in (MET, MISSED, unknown)] == [Verdict.PASS, Verdict.FAIL, Verdict.NOT_YET]
    assert replace(MET, ours=math.nan).verdict is Verdict.FAIL
    assert failed([MET, MISSED, unknown]) == [MISSED, unknown]


def test_a_row_with_a_reason_cannot_fail_but_tells_whether_it_is_met() -> None:
    told = [replace(row, reason="sources conflict") for row in (MET, MISSED)]
    assert [row.verdict for row in told] == [Verdict.INFORMATIVE] * 2
    assert [row.is_met for row in told] == [True, False]
    assert not failed(told)
    assert replace(told[0], tolerance=None).is_met is None


@pytest.fixture
def no_clamps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of groups without running a clamp."""
    for name in ("m_mg_kg_min", "insulin_uu_ml", "measured_cv_pct", "true_cv_pct", "clamped_to_end"):
        monkeypatch.setattr(clamp_targets, name, lambda *_: 7.0)


@pytest.mark.usefixtures("no_clamps")
def test_every_target_of_the_sheet_has_a_row_and_the_sheets_gates_gate() -> None:
    rows = [*settled_targets.rows(), *clamp_targets.rows()]
    listed = {target for target, _ in sources(DATA)}
    assert listed == {f"V{number}" for number in range(1, 23)}
    assert {row.id for row in rows} == listed
    assert {row.id for row in rows if row.gates} == SHEETS_GATES
    exempt = [row.published for row in rows if row.id == "V14" and not row.gates]
    assert exempt == ["2.03 at 0.5 mU/kg/min"]


def test_settled_targets_that_gate_are_met() -> None:
    assert not failed(settled_targets.rows())


# --- the subject alone


def test_dose_responses_are_read_where_they_are_half() -> None:
    lean = typical("lean")
    fasting = lean.basal_egp_mg_kg_min
    half = insulin_for(lean, 0.5, "egp_mg_kg_min")
    dose = boundary(lambda d: settled(lean, 90.0, d).insulin_uu_ml < half, 0.0, 10.0)
    assert settled(lean, 90.0, dose).egp_mg_kg_min == pytest.approx(fasting / 2.0)


@pytest.mark.parametrize("factor", [0.25, 1.0, 4.0])
def test_another_km0_leaves_euglycemic_m_as_it_was(factor: float) -> None:
    lean, dose = typical("lean"), per_kg("lean", 40.0)
    moved = with_km0(lean, factor, dose, 90.0)
    assert moved.km0_mg_kg == factor * lean.km0_mg_kg
    found = settled(moved, 90.0, dose).gir_mg_kg_min
    assert found == pytest.approx(settled(lean, 90.0, dose).gir_mg_kg_min, abs=1e-9)


@pytest.mark.parametrize("short", [lambda _: True, lambda _: False])
def test_a_boundary_that_is_not_there_is_not_made_up(short: Callable[[float], bool]) -> None:
    with pytest.raises(ValueError, match="no such subject"):
        boundary(short, 0.0, 1.0)


# --- groups


def test_m_of_a_group_through_the_core_is_a_lean_m() -> None:
    group = Group("lean", 40.0, subjects=3)
    assert 4.0 < m_mg_kg_min(group, 80, 120) < 10.0
    assert cohorts.clamped(group) is cohorts.clamped(Group("lean", 40.0, subjects=3))


def test_who_fell_back_or_never_began_is_in_no_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = np.array([[1.0, 3.0, 100.0, np.nan]] * 120)
    fell_back = {"fell_back": np.array([0.0, 0.0, 1.0, np.nan])}
    made_up = ChunkResult(0, fell_back, rates, rates)
    monkeypatch.setattr(cohorts, "clamped", lambda _: made_up)
    assert m_mg_kg_min(Group("lean", 40.0), 80, 120) == 2.0
    assert cohorts.clamped_to_end(Group("lean", 40.0)) == 2
    nobody = replace(made_up, scores={"fell_back": np.ones(4)})
    monkeypatch.setattr(cohorts, "clamped", lambda _: nobody)
    with pytest.raises(ValueError, match="no subject of this group"):
        m_mg_kg_min(Group("lean", 40.0), 80, 120)


# --- the sheet's figures


@pytest.mark.parametrize(
    ("name", "sheet", "ours", "is_met"),
    [
        ("M_90_120", 7.0, 7.07, True),
        ("M_90_120", 7.0, 7.071, False),
        ("M_90_120", 1.0, 1.02, True),  # the sheet's 0.02 is wider than 1 %
        ("M_90_120", 1.0, 1.021, False),
        ("EGP_steady", 0.14, 0.135, True),
        ("EGP_steady", 0.14, 0.134, False),
        ("I_90_120", 80.0, 79.1, False),
    ],
)
def test_a_figure_is_met_within_a_percent_or_the_sheets_tolerance(
    name: str, sheet: float, ours: float, is_met: bool
) -> None:
    assert Figure("lean", name, sheet, ours).is_met is is_met


def test_percent_off_has_the_sign_of_the_difference() -> None:
    assert away_pct(1.1, 1.0) == pytest.approx(10.0)
    assert away_pct(-1.1, -1.0) == pytest.approx(-10.0)
    assert math.isnan(away_pct(1.0, 0.0))


def test_the_composite_model_shows_the_sheets_figures() -> None:
    found = composite_figures(DATA)
    assert len(found) == 50
    assert [figure for figure in found if not figure.is_met] == []


# --- curves


def off(
    ours: float,
    band: Band | None = CURVE.band,
    rmse_max: float | None = None,
    reason: str = "",
    known_miss: str = "",
) -> Curve:
    """The made-up curve with ours at this level."""
    course = [(0.0, ours), (120.0, ours)]
    return replace(CURVE, ours=course, band=band, rmse_max=rmse_max, reason=reason, known_miss=known_miss)


def test_a_curve_is_met_where_every_judged_point_is() -> None:
    assert off(12.0).is_met
    assert not off(12.1).is_met
    assert not off(7.9).is_met
    assert off(13.0, band=Band(20.0, 3.0)).is_met
    assert not off(13.1, band=Band(20.0, 3.0)).is_met


def test_points_before_the_first_judged_minute_do_not_count() -> None:
    late = replace(CURVE, ours=[(0.0, 100.0), (59.0, 100.0), (60.0, 10.0), (120.0, 11.0)])
    assert not late.is_met
    judged = replace(late, band=Band(20.0, from_min=60.0))
    assert judged.is_met
    assert judged.rmse == pytest.approx(math.sqrt(0.5))
    assert judged.worst == (120.0, 1.0)


def test_a_curve_may_be_judged_by_its_error() -> None:
    assert off(17.9, band=None, rmse_max=8.0).is_met
    assert not off(18.1, band=None, rmse_max=8.0).is_met


def test_the_worst_point_is_the_one_that_leaves_least() -> None:
    published = [(0.0, 100.0), (10.0, 10.0)]
    curve = replace(CURVE, published=published, ours=[(0.0, 110.0), (10.0, 15.0)])
    assert curve.worst == (10.0, 5.0)


def test_between_points_a_course_is_straight_and_outside_flat() -> None:
    course = [(10.0, 1.0), (20.0, 3.0)]
    assert [interpolated(course, at) for at in (0.0, 10.0, 15.0, 20.0, 99.0)] == [1.0, 1.0, 2.0, 3.0, 3.0]


def test_half_rise_is_when_a_rate_stays_above_half() -> None:
    plateau = [(60.0, 8.0), (120.0, 8.0)]
    assert half_rise_min([(0.0, 0.0), (40.0, 8.0), *plateau]) == 20.0
    assert half_rise_min([(0.0, 0.0), (5.0, 6.0), (10.0, 0.0), (20.0, 8.0), *plateau]) == 15.0
    assert math.isnan(half_rise_min([(0.0, 0.0), (60.0, 9.0), (120.0, 0.0), (180.0, 0.0)]))


def test_half_rise_is_judged_either_way() -> None:
    rising = [(0.0, 0.0), (40.0, 8.0), (120.0, 8.0)]
    curve = replace(CURVE, published=rising, ours=[(at + 9.0, value) for at, value in rising])
    assert half_rise(curve).verdict is Verdict.PASS
    late = replace(curve, ours=[(at + 11.0, value) for at, value in rising])
    assert half_rise(late).verdict is Verdict.FAIL


def test_a_digitised_file_is_read_without_its_comments(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    path.write_text("# a source\ntime_min,insulin_mU_L\n-0.3,11.1\n14.2,23.9\n", encoding="utf-8")
    assert read_curve(path) == [(0.0, 11.1), (14.2, 23.9)]


def test_the_curves_start_where_they_must() -> None:
    found = {(curve.key, curve.subject): curve for curve in curves(DATA)}
    stop = found["after-stop-insulin", "lean_classic_ria"]
    assert interpolated(stop.ours, 118.9) == pytest.approx(126.2, abs=0.1)
    alone = found["insulin-alone-glucose", "lean"]
    assert alone.ours[0] == (0.0, 90.0)
    assert len([curve for curve in found.values() if curve.gates]) == 6


# --- the page and the command

GOOD = Results(
    [MET], [Figure("lean", "M_90_120", 7.0, 7.0)], [Figure("40, 90", "M_90_120", 5.0, 5.0)], [CURVE]
)


def test_all_met_is_no_failure() -> None:
    assert GOOD.failures() == []


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (replace(GOOD, rows=[MET, MISSED]), "V1 M lean: FAIL"),
        (replace(GOOD, rows=[replace(MET, ours=None)]), "V1 M lean: not yet"),
        (replace(GOOD, composite=[Figure("lean", "M_90_120", 7.0, 7.7)]), "sheet, lean, M_90_120: +10.0 %"),
        (replace(GOOD, second=[Figure("40, 90", "M_90_120", 5.0, 4.5)]), "sheet, 40, 90, M_90_120: -10.0 %"),
        (replace(GOOD, curves=[off(13.0)]), "curve, Made up: insulin"),
    ],
)
def test_whatever_is_judged_and_not_met_is_told(bad: Results, told: str) -> None:
    assert bad.failures() == [told]
    assert "**FAIL**" in page(bad, ()) or "**not yet**" in page(bad, ())


def test_a_miss_that_is_known_fails_on_the_page_and_not_the_command() -> None:
    results = replace(GOOD, curves=[off(13.0, known_miss="another group")])
    assert results.failures() == []
    assert results.known_misses() == ["curve, Made up: insulin: another group"]
    assert "**FAIL**" in page(results, ())
    assert "- not met, and known: curve, Made up: insulin: another group" in page(results, ())
    assert replace(GOOD, curves=[replace(CURVE, known_miss="another group")]).known_misses() == []


def test_what_is_not_judged_is_no_failure_and_says_why() -> None:
    results = replace(
        GOOD,
        rows=[replace(MISSED, reason="sources conflict")],
        curves=[off(13.0, reason="no tolerance was set")],
    )
    assert results.failures() == []
    text = page(results, [("V1", "Bergman 1985")])
    assert "*informative*: not met; sources conflict" in text
    assert "*informative*: not met; no tolerance was set" in text
    assert "- V1: Bergman 1985" in text
    assert "**FAIL**" not in text
    assert "pictures/" not in text


@pytest.mark.parametrize(
    ("figure", "text"), [(None, "-"), (1004.4, "1004"), (62.81, "62.8"), (0.7491, "0.75"), (-12.0, "-12.0")]
)
def test_figures_are_short(figure: float | None, text: str) -> None:
    assert shown(figure) == text


@pytest.mark.parametrize(("results", "code"), [(GOOD, 0), (replace(GOOD, rows=[MISSED]), 1)])
def test_the_command_writes_the_page_and_ends_with_the_verdict(
    results: Results,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "computed", lambda *_: results)
    monkeypatch.setattr(command, "can_draw", lambda: False)
    assert command.main(["--data", str(DATA), "--docs", str(tmp_path)]) == code
    printed = capsys.readouterr()
    assert (tmp_path / "validation.md").read_text(encoding="utf-8") == printed.out
    assert "matplotlib is not installed" in printed.err
    assert ("FAIL V1 M lean" in printed.err) is bool(code)


def test_without_published_curves_the_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--data", str(tmp_path), "--docs", str(tmp_path)]) == 2
    assert "no published clamps" in capsys.readouterr().err
    assert not (tmp_path / "validation.md").exists()


def test_a_picture_is_drawn_where_matplotlib_is(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert figures.can_draw()
    path = figures.draw(CURVE, tmp_path)
    assert path.read_bytes().startswith(b"\x89PNG")
