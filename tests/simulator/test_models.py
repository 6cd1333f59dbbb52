"""The models behind one interface: the second one in trials, at the bedside and alone, as the first."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from clampctl.core.protocol import Mode, Refusal
from clampctl.study.load import load_protocol
from clampctl.study.variants import with_minutes, with_mode
from simulator import calibration, workers
from simulator.clamp import Request as OneClamp
from simulator.clamp import simulate
from simulator.models import MODELS, BizzottoPlant, Person, model_named
from simulator.scores import mean_over
from simulator.subjects.bizzotto import Parameters, basal, stored_mg_kg
from simulator.subjects.bizzotto_cohort import cohort, sampled
from simulator.subjects.bizzotto_phenotypes import typical
from simulator.subjects.bizzotto_spread import CORRELATIONS, IIV, WIDE_IIV, FieldSpread
from simulator.subjects.cohort import Z_MAX
from simulator.subjects.values import Array
from simulator.trial import ChunkResult, Request, joined, run_chunk
from simulator.trial_scores import SCORES
from simulator.workers import Crew, run_trial

PROTOCOL = load_protocol("euglycemic-40")
SHORT = with_minutes(PROTOCOL, 30)
ASKED = Request(SHORT, "bizzotto", "lean", "harsh", 11, 6)
MANY = 4000
TRUNCATED_SD = 0.9546
"""SD of a standard normal cut off at 2.5."""


def same(one: ChunkResult, other: ChunkResult) -> bool:
    """Whether two results agree to the bit."""
    pairs = [
        (one.glucose_mg_dl, other.glucose_mg_dl),
        (one.gir_mg_kg_min, other.gir_mg_kg_min),
        *((one.scores[name], other.scores[name]) for name in SCORES),
    ]
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def z_of(value: Array | float, centre: float, spread: FieldSpread) -> Array:
    """Deviates from the typical value, in standard deviations of its logarithm or logit."""
    odds = np.asarray(value / (1.0 - value) if spread.share else value)
    return np.asarray(
        np.log(odds / (centre / (1.0 - centre) if spread.share else centre)) / np.sqrt(spread.variance)
    )


# --- cohort


@pytest.fixture(scope="module")
def lean() -> Parameters[Array]:
    """Many lean subjects of the second model."""
    return cohort("lean", 1, 0, MANY)


def test_medians_spread_and_bounds_are_the_sources(lean: Parameters[Array]) -> None:
    centre = typical("lean")
    for name, spread in IIV.items():
        z = z_of(getattr(lean, name), getattr(centre, name), spread)
        assert np.median(z) == pytest.approx(0.0, abs=0.06), name  # 3 x 1.25 / √n
        assert z.std() == pytest.approx(TRUNCATED_SD, abs=0.045), name
        assert 2.4 < np.abs(z).max() <= Z_MAX + 1e-9, name


def test_correlations_are_the_sources(lean: Parameters[Array]) -> None:
    centre = typical("lean")
    z = np.stack([z_of(getattr(lean, name), getattr(centre, name), spread) for name, spread in IIV.items()])
    expected, names = np.eye(len(IIV)), list(IIV)
    for (one, other), value in CORRELATIONS.items():
        a, b = names.index(one), names.index(other)
        expected[a, b] = expected[b, a] = value
    assert np.corrcoef(z) == pytest.approx(expected, abs=0.07)


def test_what_has_no_spread_is_the_phenotype_s(lean: Parameters[Array]) -> None:
    for field in fields(lean):
        if field.name not in IIV:
            assert set(getattr(lean, field.name)) == {getattr(typical("lean"), field.name)}


def test_wide_tails_widen_uptake_only(lean: Parameters[Array]) -> None:
    wide = cohort("lean", 1, 0, MANY, wide=True)
    z = z_of(wide.emax_umol_min_m2, typical("lean").emax_umol_min_m2, WIDE_IIV["emax_umol_min_m2"])
    assert z.std() == pytest.approx(TRUNCATED_SD, abs=0.045)
    assert wide.emax_umol_min_m2.std() > 1.3 * lean.emax_umol_min_m2.std()
    assert (wide.hill == lean.hill).all()


def test_a_member_is_the_same_however_the_cohort_is_cut() -> None:
    def rows(p: Parameters[Array]) -> list[tuple[float, ...]]:
        return list(zip(*(getattr(p, field.name).tolist() for field in fields(p)), strict=True))

    whole = rows(cohort("t2d", 5, 0, 30))
    assert rows(cohort("t2d", 5, 13, 8)) == whole[13:21]
    assert [row for k in range(30) for row in rows(cohort("t2d", 5, k, 1))] == whole
    assert rows(cohort("t2d", 6, 0, 30)) != whole


def test_whoever_has_no_periphery_is_drawn_again_and_a_centre_without_has_no_cohort() -> None:
    small = replace(typical("lean"), volume_ml_m2=1100.0)  # heart, lungs and first lag hold 969
    basal(sampled(small, 1, 0, 200))
    with pytest.raises(ValueError, match="equilibrium"):
        sampled(replace(small, volume_ml_m2=400.0), 1, 0, 2)


@pytest.mark.parametrize("phenotype", MODELS["bizzotto"].phenotypes)
def test_every_member_rests(phenotype: str) -> None:
    plant = MODELS["bizzotto"].members(phenotype, 7, 0, 200, True)
    fasting = plant.glucose_mg_dl
    assert plant.net_uptake_mg_kg_min == pytest.approx(np.zeros(200), abs=1e-9)
    plant.advance(30.0, np.zeros(200), np.zeros(200), np.zeros(200))
    assert plant.glucose_mg_dl == pytest.approx(fasting, abs=1e-9)


# --- trial


def test_the_result_is_the_same_however_it_is_cut_and_whoever_works(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("joblib")
    whole = run_chunk(ASKED, 0, 6)
    assert same(joined(run_chunk(ASKED, k, 1) for k in range(6)), whole)
    assert not same(run_chunk(replace(ASKED, seed=12), 0, 6), whole)
    monkeypatch.setattr(workers, "CHUNK", 2)
    assert same(run_trial(ASKED, Crew(2)), whole)


def test_m_is_near_the_true_uptake_without_noise() -> None:
    found = run_chunk(replace(ASKED, protocol=PROTOCOL, noise="none"), 0, 3).scores
    assert found["m_mg_kg_min"] == pytest.approx(found["m_true_mg_kg_min"], rel=0.05)
    assert set(found["fell_back"]) == {0.0}


def test_true_net_uptake_closes_the_glucose_balance() -> None:
    plant = BizzottoPlant(cohort("lean", 2, 0, 3))
    p, b = plant.parameters, plant.basal
    gir, insulin, before = np.full(3, 5.0), np.full(3, 1.0), stored_mg_kg(p, b, plant.state.glucose)
    taken, minutes = [plant.net_uptake_mg_kg_min], np.arange(0.0, 60.25, 0.25)
    for _ in minutes[1:]:
        plant.advance(0.25, gir, insulin, np.zeros(3))
        taken.append(plant.net_uptake_mg_kg_min)
    rise = stored_mg_kg(p, b, plant.state.glucose) - before
    for k in range(3):
        mean = mean_over(minutes, np.array(taken)[:, k], 0.0, 60.0)
        assert mean == pytest.approx(gir[k] - rise[k] / 60.0, rel=2e-3)


# --- at the bedside, and alone


def test_a_clamp_through_bytes_agrees_with_the_settled_m(tmp_path: Path) -> None:
    """Typical subject, section 3.3: M 5.07 at 80-120 min under the sheet's own reference protocol."""
    asked = OneClamp(with_mode(PROTOCOL, Mode.AUTOMATIC), "typical", 1, "none", 120.0, model="bizzotto")
    found = simulate(asked, tmp_path / "one.clamp.jsonl").summary
    assert found.m_mg_kg_min == pytest.approx(5.07, rel=0.05)
    assert found.insulin_mean_uu_ml == pytest.approx(96.4, rel=0.02)


@pytest.mark.parametrize("name", MODELS)
def test_held_glucose_is_on_its_course_and_its_rates_give_it_back(name: str) -> None:
    model, course = MODELS[name], [(0.0, 90.0), (10.0, 90.0), (25.5, 120.0), (40.0, 85.0)]
    held = model.held(Person("lean"), 40.0, course, 60)
    on = np.interp([row.t_min for row in held], [at for at, _ in course], [value for _, value in course])
    assert np.array([row.glucose_mg_dl for row in held]) == pytest.approx(on, abs=1e-6)
    rates = [(float(row.t_min), row.gir_mg_kg_min) for row in held]
    again = model.open_loop(Person("lean"), 40.0, rates, 60)
    assert [row.glucose_mg_dl for row in again] == pytest.approx([row.glucose_mg_dl for row in held], abs=0.5)


def test_held_at_90_the_second_model_needs_its_settled_m() -> None:
    rows = MODELS["bizzotto"].held(Person("typical"), 40.0, 90.0, 600)
    assert rows[-1].gir_mg_kg_min + rows[-1].egp_mg_kg_min == pytest.approx(5.412, abs=2e-3)  # section 3.3


def test_held_elsewhere_the_blood_begins_there() -> None:
    rows = MODELS["bizzotto"].held(Person("lean"), 40.0, 110.0, 3)
    assert [row.glucose_mg_dl for row in rows] == pytest.approx([110.0] * 4)


def test_a_rate_between_whole_minutes_counts_from_there() -> None:
    rows = MODELS["bizzotto"].open_loop(Person("lean"), 0.0, [(1.25, 4.0), (2.5, 0.0)], 4)
    assert [row.gir_mg_kg_min for row in rows] == [0.0, 3.0, 2.0, 0.0, 0.0]
    assert rows[1].glucose_mg_dl == pytest.approx(90.0)
    assert rows[2].glucose_mg_dl > 91.0


@pytest.mark.parametrize("name", MODELS)
def test_a_body_of_another_size_is_whom_the_rows_are_of(name: str) -> None:
    person = Person("lean", 100.0, 1.9)
    heavy = MODELS[name].one(person)
    assert (heavy.weight_kg, heavy.bsa_m2) == (100.0, 1.9)
    levels = [MODELS[name].open_loop(who, 40.0, [], 30)[30].insulin_uu_ml for who in (person, Person("lean"))]
    assert levels[0] != pytest.approx(levels[1], rel=0.003)


@pytest.mark.parametrize(
    ("dose", "course", "minutes"),
    [
        (40.0, [], 10),
        (40.0, [(0.0, 0.0)], 10),
        (40.0, [(1.0, 90.0), (1.0, 95.0)], 10),
        (40.0, float("nan"), 10),
        (-1.0, 90.0, 10),
        (float("inf"), 90.0, 10),
        (40.0, 90.0, -1),
    ],
)
@pytest.mark.parametrize("name", MODELS)
def test_what_cannot_be_held_is_refused(
    name: str, dose: float, course: list[tuple[float, float]] | float, minutes: int
) -> None:
    with pytest.raises(Refusal):
        MODELS[name].held(Person("lean"), dose, course, minutes)


def test_models_have_the_same_presets_and_phenotypes_of_their_own() -> None:
    composite, bizzotto = MODELS["composite"], MODELS["bizzotto"]
    assert list(composite.noises) == list(bizzotto.noises) == ["none", "quiet", "noisy", "harsh"]
    assert set(bizzotto.phenotypes) - set(composite.phenotypes) == {"typical"}
    with pytest.raises(Refusal, match="of the model bizzotto; known are typical, lean"):
        model_named("bizzotto", "t2d_severe", "quiet")


# --- how harsh the presets are


def test_a_harsher_preset_wavers_more() -> None:
    none, harsh = (calibration.harshness("bizzotto", noise, 5, minutes=120.0) for noise in ("none", "harsh"))
    assert none.measured_cv_pct < harsh.measured_cv_pct
    assert none.true_cv_pct < harsh.true_cv_pct < harsh.measured_cv_pct
    assert harsh.lowest_mg_dl < none.lowest_mg_dl < 90.0


def test_the_table_has_a_line_for_every_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert calibration.main(["--subjects", "1", "--minutes", "20"]) == 0
    told = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert [(line[0], line[1]) for line in told] == [
        (name, noise) for name, model in MODELS.items() for noise in model.noises
    ]
    assert [line[3] for line in told] == ["-", "2.5", "3.3", "5.0"] * 2
