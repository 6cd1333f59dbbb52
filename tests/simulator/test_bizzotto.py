"""The second model against the figures of the models sheet, section 3 and `expected_results.json`."""

import json
import math
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.subjects.bizzotto import (
    Insulin,
    Parameters,
    State,
    Subject,
    basal,
    derivative,
    per_kg,
    repeated,
)
from simulator.subjects.bizzotto_phenotypes import PHENOTYPES, typical
from simulator.subjects.bizzotto_ring import Glucose
from simulator.subjects.values import Array

DATA = Path(__file__).parents[1] / "data" / "models"
EXPECTED: dict[str, Any] = json.loads((DATA / "expected_results.json").read_text())["second_model"]
SOURCE: dict[str, Any] = json.loads((DATA / "bizzotto2016.json").read_text())["typical"]

CLAMPS = [(20.0, 90.0), (40.0, 90.0), (120.0, 90.0), (40.0, 166.0)]
TYPICAL = typical("typical")
MG_DL = 18.0156


@dataclass(frozen=True)
class Clamp:
    """A finished clamp: each course has one row per half minute."""

    glucose: Array
    insulin: Array
    egp: Array
    gir: Array

    def mean(self, course: Array, begin_min: int, end_min: int) -> float:
        return float(course[2 * begin_min : 2 * end_min].mean())


def dose_mu_m2_min(lasting: float, minute: int) -> float:
    return lasting * (221.0 / 69.0) * math.exp(-0.1164 * minute) if minute < 10 else lasting


class ReferenceLaw:
    """The sheet's law: GIR 0, then 2 from 4 min, then by formula from the 10-min sample on."""

    def __init__(self, target_mg_dl: float) -> None:
        self.target = target_mg_dl
        self.factors: list[float] = []
        self.metabolic: list[float] = []

    def gir(self, glucose: float) -> float:
        self.factors.append(self.target / glucose)
        if len(self.factors) <= 2:
            self.metabolic.append(4.0)
            return 0.0
        self.metabolic.append(self.metabolic[-2] * self.factors[-2] * self.factors[-1])
        return max(0.0, (self.target - glucose) * 10.0 * 0.19 / 15.0 + self.metabolic[-1])


def reference_clamp(subject: Any, dose: float, target_mg_dl: float, minutes: int = 240) -> Clamp:
    law, wanted, rows = ReferenceLaw(target_mg_dl), 0.0, []
    for index in range(2 * minutes):
        minute, glucose = index // 2, subject.glucose_mg_dl
        if index % 10 == 0:
            wanted = law.gir(glucose)
        gir = wanted if minute < 4 or minute >= 10 else 2.0
        rows.append((glucose, subject.insulin_uu_ml, subject.egp_mg_kg_min, gir))
        subject.advance(0.5, gir, dose_mu_m2_min(dose, minute) * 1.85 / 75.0)
    return Clamp(*(np.array(course) for course in zip(*rows, strict=True)))


@cache
def clamped(dose: float, target_mg_dl: float) -> Clamp:
    return reference_clamp(Subject(TYPICAL), dose, target_mg_dl)


def flat(state: State[float]) -> list[float]:
    return [*state.glucose, *state.insulin]


# --- the equations, written out a second time


def sheet_slopes(y: list[float], gir: float, infused: float, eta: float) -> list[float]:
    """Section 3 letter by letter for the typical subject, with the source's constants."""
    t = SOURCE
    a1, ca, p0, q1, q2, q3, gf, i, q, z1, z, i1, delayed = y
    flow, delta, w1 = t["F_mL_min_m2"], t["delta_per_min"], t["w1"]
    w2 = t["fw2"] * (1.0 - w1)
    w3 = 1.0 - w1 - w2
    f2, f3 = t["flambda2"], t["flambda3"]
    l1 = (w1 + w2 / f2 + w3 / (f2 * f3)) / ((t["V_mL_m2"] - t["VHL_mL_m2"]) / flow - 1.0 / delta)
    lung = 1.0 / (t["VHL_mL_m2"] / flow - 1.0 / t["deltaHL_per_min"])
    c = 0.180156 * 1.85 / 75.0

    def limit(action: float) -> float:
        powered = action ** t["hill"]
        found: float = t["Vmax0_umol_min_m2"] + t["Emax_umol_min_m2"] * powered / (
            t["KmI_pmolL"] ** t["hill"] + powered
        )
        return found

    gb = 90.0 / MG_DL
    e0 = c * limit(48.0) * gb / (t["KmG_mmolL"] + gb) * (1.0 + (8.0 / 26.0) ** 2.5)
    egp = e0 / (1.0 + (delayed / 26.0) ** 2.5) * min(1.5, max(0.5, 1.0 + 0.01 * (90.0 - MG_DL * ca)))
    clearance = min(flow, math.exp(eta) * limit(z) / (t["KmG_mmolL"] + gf))
    venous = w1 * q1 + w2 * q2 + w3 * q3
    action_rate = math.log(2.0) / t["t12I_min_per_stage"]
    v, exchange, qb = 4.0, 0.2756 / 4.0, 8.0 * 0.0689 / (0.0689 + 0.0324)
    post = v * (0.06 * 8.0 + 0.15 * 8.0 / (1.0 + 0.0017 * 8.0) + exchange * (8.0 - qb))
    return [
        t["deltaHL_per_min"] * ((gir + egp) / (c * flow) + venous - a1),
        lung * (a1 - ca),
        delta * ((1.0 - clearance / flow) * ca - p0),
        l1 * (p0 - q1),
        f2 * l1 * (p0 - q2),
        f3 * f2 * l1 * (p0 - q3),
        math.log(2.0) / t["t12G_min"] * (ca - gf),
        -0.06 * i - 0.15 * i / (1.0 + 0.0017 * i) - exchange * (i - q) + (infused * 75.0 + post) / v,
        exchange * (i - q) - 0.0324 * q,
        action_rate * (6.0 * i - z1),
        action_rate * (z1 - z),
        0.07 * (i - i1),
        0.07 * (i1 - delayed),
    ]


class SmallSteps:
    """The written-out equations moved by classical Runge-Kutta, 0.05 min: small enough for the fast lags."""

    def __init__(self) -> None:
        self.y = flat(basal(TYPICAL).state)
        self.egp_mg_kg_min = 0.0  # the law does not look at it

    @property
    def glucose_mg_dl(self) -> float:
        return MG_DL * self.y[1]

    @property
    def insulin_uu_ml(self) -> float:
        return self.y[7]

    def advance(self, minutes: float, gir: float, infused: float) -> None:
        step = 0.05

        def slopes(k: list[float], ahead: float) -> list[float]:
            return sheet_slopes([y + ahead * s for y, s in zip(self.y, k, strict=True)], gir, infused, 0.0)

        for _ in range(round(minutes / step)):
            k1 = slopes([0.0] * 13, 0.0)
            k2 = slopes(k1, step / 2.0)
            k3 = slopes(k2, step / 2.0)
            k4 = slopes(k3, step)
            total = (a + 2.0 * (b + c) + d for a, b, c, d in zip(k1, k2, k3, k4, strict=True))
            self.y = [y + step / 6.0 * s for y, s in zip(self.y, total, strict=True)]


GLUCOSE_MMOL_L = st.floats(0.0, 40.0)
INSULIN = st.floats(0.0, 3000.0)


@settings(deadline=None)
@given(
    glucose=st.builds(Glucose, *(GLUCOSE_MMOL_L for _ in range(7))),
    insulin=st.builds(Insulin, *(INSULIN for _ in range(6))),
    gir=st.floats(0.0, 30.0),
    infused=st.floats(0.0, 10.0),
    eta=st.floats(-1.0, 2.0),
)
def test_derivative_is_the_sheets_at_any_state(
    glucose: Glucose[float], insulin: Insulin[float], gir: float, infused: float, eta: float
) -> None:
    state = State(glucose, insulin)
    found = derivative(TYPICAL, basal(TYPICAL), state, gir, infused, math.exp(eta))
    assert flat(found) == pytest.approx(sheet_slopes(flat(state), gir, infused, eta), rel=1e-9, abs=1e-9)


# --- the fasting state


def test_derived_basal_values() -> None:
    b = basal(TYPICAL)
    derived = {
        "l1": b.ring.fast_per_min,
        "l2": b.ring.medium_per_min,
        "l3": b.ring.slow_per_min,
        "w2": b.ring.medium_share,
        "w3": b.ring.slow_share,
        "EGPb": Subject(TYPICAL).egp_mg_kg_min,
        "E0": b.egp_without_insulin_mg_kg_min,
        "Qb": b.state.insulin.interstitial_uu_ml,
        "upost": 75.0 * b.secretion_mu_kg_min,
    }
    published = {name: EXPECTED["derived"][name] for name in derived}
    assert derived == pytest.approx(published, rel=4e-5)  # 0.18016 mg/umol there, 0.180156 here


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_fasting_state_is_an_equilibrium(phenotype: str) -> None:
    p = typical(phenotype)
    b = basal(p)
    assert max(abs(rate) for rate in flat(derivative(p, b, b.state, 0.0, 0.0, 1.0))) < 1e-13


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_untouched_subject_stays_where_it_is(phenotype: str) -> None:
    subject = Subject(typical(phenotype))
    subject.advance(240.0, 0.0, 0.0, 0.0)
    assert flat(subject.state) == pytest.approx(flat(subject.basal.state), abs=1e-9)


@pytest.mark.parametrize("volume_ml_m2", [500.0, 968.0])
def test_subject_without_a_periphery_does_not_exist(volume_ml_m2: float) -> None:
    with pytest.raises(ValueError, match="the glucose volume"):
        basal(replace(TYPICAL, volume_ml_m2=volume_ml_m2))


# --- under the reference protocol


@pytest.mark.parametrize(("dose", "target"), CLAMPS)
def test_reference_protocol(dose: float, target: float) -> None:
    clamp, published = clamped(dose, target), EXPECTED["clamp"][f"dose{dose:.0f}_target{target:.0f}"]
    found = {f"M_{a}_{b}": clamp.mean(clamp.gir, a, b) for a, b in ((90, 120), (80, 120), (210, 240))}
    found["I_90_120"] = clamp.mean(clamp.insulin, 90, 120)
    found["EGP_90_120"] = clamp.mean(clamp.egp, 90, 120)
    found["G_90_120"] = clamp.mean(clamp.glucose, 90, 120)
    found["G_min"] = float(clamp.glucose.min())
    assert found == pytest.approx(published, rel=5e-4, abs=6e-4)  # published to three decimals


@pytest.mark.parametrize(("dose", "target"), CLAMPS)
def test_steps_are_small_enough(dose: float, target: float) -> None:
    clamp, exact = clamped(dose, target), reference_clamp(SmallSteps(), dose, target)
    assert np.max(np.abs(clamp.glucose - exact.glucose)) < 0.25
    assert np.max(np.abs(clamp.insulin - exact.insulin)) < 0.1


def test_subjects_side_by_side_are_the_subjects_alone() -> None:
    alone = [typical("lean"), typical("t2d"), typical("t1d")]
    together = Parameters(
        *(np.array([getattr(p, field.name) for p in alone]) for field in fields(Parameters))
    )
    side_by_side = Subject(together)
    singles = [Subject(p) for p in alone]
    eta = np.array([-0.2, 0.0, 0.3])
    for gir in (0.0, 2.0, 6.0):
        side_by_side.advance(20.0, np.full(3, gir), per_kg(together, 40.0), eta)
        for subject, own_eta in zip(singles, eta.tolist(), strict=True):
            subject.advance(20.0, gir, per_kg(subject.parameters, 40.0), own_eta)
    for name in ("glucose_mg_dl", "insulin_uu_ml", "egp_mg_kg_min", "uptake_mg_kg_min"):
        expected = [getattr(subject, name) for subject in singles]
        assert getattr(side_by_side, name).tolist() == pytest.approx(expected, rel=1e-12)


def test_ten_thousand_subjects_move_as_one() -> None:
    many, one = Subject(repeated(TYPICAL, 10_000)), Subject(TYPICAL)
    many.advance(5.0, np.full(10_000, 4.0), per_kg(many.parameters, 40.0))
    one.advance(5.0, 4.0, per_kg(TYPICAL, 40.0))
    assert many.glucose_mg_dl.shape == (10_000,)
    assert many.glucose_mg_dl == pytest.approx(one.glucose_mg_dl, rel=1e-12)


# --- what eta and extremes do


@pytest.mark.parametrize("minutes", [0.0, 120.0])
def test_eta_scales_the_whole_clearance_fasting_and_clamped(minutes: float) -> None:
    subject = Subject(TYPICAL)
    subject.advance(minutes, 5.0, per_kg(TYPICAL, 40.0))
    before, glucose = subject.uptake_mg_kg_min, subject.glucose_mg_dl
    subject.advance(0.0, 5.0, per_kg(TYPICAL, 40.0), 0.3)
    assert subject.glucose_mg_dl == glucose
    assert subject.uptake_mg_kg_min == pytest.approx(math.exp(0.3) * before, rel=1e-12)


def test_eta_left_out_stays_as_it_was() -> None:
    told, left_out = Subject(TYPICAL), Subject(TYPICAL)
    for subject in (told, left_out):
        subject.advance(60.0, 4.0, 1.0, -0.3)
    told.advance(60.0, 4.0, 1.0, -0.3)
    left_out.advance(60.0, 4.0, 1.0)
    assert left_out.state == told.state


def test_nothing_takes_up_more_glucose_than_passes() -> None:
    greedy = replace(TYPICAL, emax_umol_min_m2=40_000.0, km_glucose_mmol_l=0.5)
    subject = Subject(greedy)
    subject.advance(240.0, 0.0, per_kg(greedy, 240.0))
    assert 0.0 < subject.glucose_mg_dl < 40.0
    assert min(subject.state.glucose) >= 0.0


@settings(deadline=None, max_examples=40)
@given(
    stretches=st.lists(
        st.tuples(st.floats(0.01, 20.0), st.floats(0.0, 40.0), st.floats(0.0, 8.0), st.floats(-1.0, 1.0)),
        min_size=1,
        max_size=6,
    )
)
def test_any_treatment_leaves_a_body_with_some_glucose_and_insulin(
    stretches: list[tuple[float, float, float, float]],
) -> None:
    subject = Subject(TYPICAL)
    for minutes, gir, insulin, eta in stretches:
        subject.advance(minutes, gir, insulin, eta)
        assert all(0.0 < amount < 1e4 for amount in flat(subject.state))


# --- moving


def test_a_long_advance_is_its_parts() -> None:
    whole, parts = Subject(TYPICAL), Subject(TYPICAL)
    whole.advance(10.0, 3.0, 1.0, 0.1)
    for _ in range(20):
        parts.advance(0.5, 3.0, 1.0, 0.1)
    assert parts.state == whole.state


def test_no_time_changes_nothing() -> None:
    subject = Subject(TYPICAL)
    subject.advance(0.0, 99.0, 99.0)
    assert subject.state == subject.basal.state


def test_subject_cannot_go_back_in_time() -> None:
    with pytest.raises(ValueError, match="back in time"):
        Subject(TYPICAL).advance(-0.25, 0.0, 0.0)


def test_infused_glucose_reaches_the_artery_before_it_has_mixed() -> None:
    subject = Subject(TYPICAL)
    subject.advance(1.0, 5.0, 0.0)
    whole_body_rise = 5.0 / (12648.0 * 1.85 / 75.0 / 100.0)  # mg/kg over dL/kg
    assert subject.glucose_mg_dl - 90.0 > 4.0 * whole_body_rise
