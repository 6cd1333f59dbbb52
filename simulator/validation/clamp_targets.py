"""Targets that are clamps: groups through the real core (`cohorts`).

Published values, tolerances, gates and exemptions are those of the models sheet, section 7. Doses per
kg are those of the typical body; n counts who was clamped to the end.
"""

from simulator.models import MODELS
from simulator.validation.cohorts import (
    Group,
    clamped_to_end,
    insulin_uu_ml,
    m_mg_kg_min,
    measured_cv_pct,
    true_cv_pct,
)
from simulator.validation.judging import Row, Tolerance, between, within_pct
from simulator.validation.subject_alone import per_m2

UNLISTED = "not among the sheet's gates"
CONTROL_MIN = 180
LEAN = Group("lean", 40.0, minutes=CONTROL_MIN, subjects=100)
USUAL_MIN = (80, 120)
LATE_MIN = (210, 240)


def rows() -> list[Row]:
    """All of them, in the sheet's order."""
    return [
        _lean(),
        *_insulin_matched(),
        _per_kg(),
        *_glucose_tolerance(),
        *_type_1(),
        *_type_2(),
        *_control(),
    ]


def _lean() -> Row:
    """V1."""
    return _m("V1", "6.9 (study means 4.7 to 8.7)", between(6.2, 7.8), LEAN)


def _insulin_matched() -> list[Row]:
    """V2: insulin some 100 µU/mL above basal, by assay era or by dose."""
    published, tolerance = "7.03 ± 0.22 SE at +100 µU/mL", within_pct(7.03, 15.0)
    return [
        _m("V2", published, tolerance, Group(phenotype, dose), reason=UNLISTED)
        for phenotype, dose in (("lean_classic_ria", 40.0), ("lean", 57.0))
    ]


def _per_kg() -> Row:
    """V4."""
    group = Group("lean", per_m2("lean", 1.0))
    return _m("V4", "7.1 ± 0.5 SE at 1 mU/kg/min", within_pct(7.1, 20.0), group, reason=UNLISTED)


def _glucose_tolerance() -> list[Row]:
    """V5; metsyn stands for impaired glucose tolerance."""
    reason = "sources conflict: the published type 2 cases were mild"
    found = []
    for phenotype, who, m, target, window in (
        ("lean", "NGT", 8.3, 90.0, USUAL_MIN),
        ("metsyn", "IGT", 5.4, 90.0, USUAL_MIN),
        ("t2d", "T2D", 4.7, 100.0, USUAL_MIN),
        ("t2d", "T2D", 4.7, 100.0, LATE_MIN),
    ):
        group = Group(phenotype, per_m2(phenotype, 1.0), target, 240 if phenotype == "t2d" else 120)
        published = f"{who} {m:g} at 1 mU/kg/min"
        found.append(_m("V5", published, within_pct(m, 25.0), group, window, reason))
    return found


def _type_1() -> list[Row]:
    """V14 and V15."""
    found = []
    for phenotype, dose, m in (
        ("t1d", 0.5, 2.03),
        ("lean", 0.5, 4.8),
        ("t1d", 1.0, 5.59),
        ("lean", 1.0, 8.36),
    ):
        known = phenotype == "t1d" and dose == 0.5
        reason = "known miss, exempt in the sheet: the model takes up too much at this dose" if known else ""
        group = Group(phenotype, per_m2(phenotype, dose))
        published = f"{m:g} at {dose:g} mU/kg/min"
        found.append(_m("V14", published, within_pct(m, 25.0), group, reason=reason))
    published = "3.39 ± 0.30 (old, poor control); modern 22 to 29 % below controls"
    return [*found, _m("V15", published, between(3.0, 6.0), Group("t1d", 40.0), reason=UNLISTED)]


def _type_2() -> list[Row]:
    """V16."""
    reason = "sources conflict: insulin of these patients was lower than these doses give elsewhere"
    found = []
    for dose, m, m_sd, insulin, insulin_sd in ((1.12, 4.1, 1.8, 55.0, 13), (2.24, 6.7, 2.1, 98.0, 27)):
        group = Group("t2d", per_m2("t2d", dose), 100.0, 240)
        at = f"at {dose:g} mU/kg/min"
        for window in (USUAL_MIN, LATE_MIN):
            published = f"{m:g} ± {m_sd} {at}"
            found.append(_m("V16", published, within_pct(m, 30.0), group, window, reason))
        what, published = f"insulin t2d {at}", f"{insulin:g} ± {insulin_sd}"
        tolerance = within_pct(insulin, 30.0)
        found.append(Row("V16", what, published, tolerance, insulin_uu_ml(group), "µU/mL", reason))
    return found


def _control() -> list[Row]:
    """V22, with every noise preset there is; without noise every law looks perfect."""
    found = []
    for noise in MODELS["composite"].noises:
        if noise == "none":
            continue
        group = Group("lean", 40.0, minutes=CONTROL_MIN, noise=noise, subjects=LEAN.subjects)
        true = true_cv_pct(group)
        what = f"measured CV of glucose, last hour, lean, {noise}, median of {clamped_to_end(group)}"
        published = f"5.1, 5.7 (true CV here {true:.1f})"
        found.append(Row("V22", what, published, between(0.0, 6.0), measured_cv_pct(group), "%"))
    return found


def _m(
    target: str,
    published: str,
    tolerance: Tolerance,
    group: Group,
    window: tuple[int, int] = USUAL_MIN,
    reason: str = "",
) -> Row:
    """A row on the mean M of a group."""
    begin, end = window
    what = (
        f"M {begin}-{end} min {group.phenotype} at {group.dose_mu_m2_min:.3g} mU/m²/min, "
        f"insulin {insulin_uu_ml(group):.0f} µU/mL, n {clamped_to_end(group)}"
    )
    return Row(target, what, published, tolerance, m_mg_kg_min(group, begin, end), "mg/kg/min", reason)
