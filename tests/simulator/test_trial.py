"""In-silico trials: the same clamp as on the bench, the same result however the work is cut."""

import json
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import PumpState
from clampctl.core.protocol import Mode, Refusal
from clampctl.core.state import Phase
from clampctl.engine.opening import session_started
from clampctl.study.load import load_protocol
from clampctl.study.variants import with_law, with_minutes, with_mode
from simulator import clamp, trial, workers
from simulator.clamp import simulate
from simulator.models import MODELS, CompositePlant, model_named
from simulator.scores import mean_over
from simulator.subjects.cohort import cohort
from simulator.subjects.composite import Parameters
from simulator.subjects.phenotypes import typical
from simulator.subjects.values import Array
from simulator.subjects.variability import NOISES
from simulator.trial import ChunkResult, Request, joined, run_chunk
from simulator.trial_bed import STATION, Bed, TrialPump, for_trial
from simulator.trial_rows import columns, row
from simulator.trial_scores import SCORES
from simulator.workers import Crew, run_trial

PROTOCOL = load_protocol("euglycemic-40")
SHORT = with_minutes(PROTOCOL, 30)


def request(subjects: int = 6, noise: str = "noisy", phenotype: str = "lean", **changes: Any) -> Request:
    """A short trial."""
    asked = Request(SHORT, "composite", phenotype, noise, 11, subjects)
    return replace(asked, **changes)


def same(one: ChunkResult, other: ChunkResult) -> bool:
    """Whether two results agree to the bit."""
    pairs = [
        (one.glucose_mg_dl, other.glucose_mg_dl),
        (one.gir_mg_kg_min, other.gir_mg_kg_min),
        *((one.scores[name], other.scores[name]) for name in SCORES),
    ]
    return one.first == other.first and all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def member(phenotype: str, seed: int, index: int) -> Parameters[float]:
    """One member of a cohort, alone."""
    p = cohort(phenotype, seed, index, 1)
    return Parameters(*(float(getattr(p, field.name)[0]) for field in fields(p)))


@pytest.mark.parametrize("phenotype", ["lean", "obese"])
def test_the_trial_agrees_with_the_bench(
    phenotype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same people, once with ideal pumps and few reports, once through emulators and bytes."""
    found = run_chunk(request(2, "none", phenotype, protocol=PROTOCOL), 0, 2).scores
    for index in range(2):
        body = CompositePlant(member(phenotype, 11, index))
        model = replace(MODELS["composite"], one=partial(lambda found, _: found, body))
        monkeypatch.setattr(clamp, "model_named", partial(lambda found, *_: found, model))
        asked = clamp.Request(with_mode(PROTOCOL, Mode.AUTOMATIC), phenotype, 1, "none", 120.0)
        summary = simulate(asked, tmp_path / f"{index}.clamp.jsonl").summary
        assert summary.m_mg_kg_min == pytest.approx(found["m_mg_kg_min"][index], rel=0.02)
        assert summary.insulin_mean_uu_ml == pytest.approx(found["insulin_mean_uu_ml"][index], rel=0.01)
        assert summary.glucose_mean_mg_dl == pytest.approx(found["glucose_mean_mg_dl"][index], abs=1.0)
        assert summary.glucose_min_mg_dl == pytest.approx(found["glucose_min_mg_dl"][index], abs=1.0)
        assert summary.gir_mean_mg_kg_min == pytest.approx(found["gir_mean_mg_kg_min"][index], rel=0.02)


@pytest.fixture(scope="module")
def whole() -> ChunkResult:
    """Six subjects in one piece."""
    return run_chunk(request(), 0, 6)


def test_the_result_is_the_same_however_it_is_cut(whole: ChunkResult) -> None:
    assert same(joined(run_chunk(request(), k, 1) for k in range(6)), whole)
    parts = [run_chunk(request(), 0, 2), run_chunk(request(), 2, 3), run_chunk(request(), 5, 1)]
    assert same(joined(reversed(parts)), whole)
    assert not same(run_chunk(request(seed=12), 0, 6), whole)


def test_a_drift_of_uptake_shows_in_the_gir() -> None:
    gir = [
        run_chunk(request(2, "none", protocol=PROTOCOL, drift=name), 0, 2).gir_mg_kg_min
        for name in ("step-down", "none", "step-up")
    ]
    assert all((course[:59] == gir[1][:59]).all() for course in gir)
    late = [course[-30:].mean(axis=0) for course in gir]
    assert (late[0] < 0.95 * late[1]).all()
    assert (late[2] > 1.05 * late[1]).all()


def test_the_result_is_the_same_whoever_works(whole: ChunkResult, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("joblib")
    monkeypatch.setattr(workers, "CHUNK", 2)
    told: list[int] = []
    assert same(run_trial(request(), Crew(1), told.append), whole)
    assert same(run_trial(request(), Crew(2), told.append), whole)
    assert told == [2, 2, 2] * 2


@pytest.mark.filterwarnings("ignore")
def test_the_result_is_the_same_under_a_scheduler(
    whole: ChunkResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "CHUNK", 2)
    options: dict[str, Any] = {"dashboard_address": None, "threads_per_worker": 1, "host": "127.0.0.1"}
    with distributed.LocalCluster(n_workers=2, **options) as cluster:
        told: list[int] = []
        crew = Crew(scheduler=cluster.scheduler_address)
        assert same(run_trial(request(), crew, told.append), whole)
        assert told == [2, 2, 2]


def test_a_law_meets_the_same_people_with_the_same_noise(whole: ChunkResult) -> None:
    held = run_chunk(request(protocol=with_law(SHORT, "hold")), 0, 6)
    assert (held.glucose_mg_dl[:10] == whole.glucose_mg_dl[:10]).all()  # the rule acts from minute 11 on
    assert (held.glucose_mg_dl[-1] != whole.glucose_mg_dl[-1]).all()


def test_noise_reaches_samples_and_bodies() -> None:
    none, quiet = (run_chunk(request(noise=noise), 0, 6) for noise in ("none", "quiet"))
    assert (none.glucose_mg_dl[-1] != quiet.glucose_mg_dl[-1]).all()
    spread = [result.scores["glucose_mean_mg_dl"] for result in (none, quiet)]
    assert (spread[0] != spread[1]).all()


def test_m_is_near_the_true_uptake_without_noise() -> None:
    found = run_chunk(request(4, "none", protocol=PROTOCOL), 0, 4).scores
    assert found["m_mg_kg_min"] == pytest.approx(found["m_true_mg_kg_min"], rel=0.05)
    assert found["m_umol_kg_min"] == pytest.approx(found["m_mg_kg_min"] * 5.5507, rel=1e-4)
    assert set(found["fell_back"]) == {0.0}


def test_true_net_uptake_closes_the_glucose_balance() -> None:
    """GIR less the rise of both pools is what was taken up: no glucose is made or lost by the scores."""
    plant = CompositePlant(cohort("lean", 2, 0, 3))
    gir, insulin = np.full(3, 5.0), np.full(3, 1.0)
    taken, minutes = [], np.arange(0.0, 60.25, 0.25)
    before = plant.state
    for _ in minutes[:-1]:
        taken.append(plant.net_uptake_mg_kg_min)
        plant.advance(0.25, gir, insulin, np.zeros(3))
    taken.append(plant.net_uptake_mg_kg_min)
    rise = sum(
        getattr(plant.state, pool) - getattr(before, pool)
        for pool in ("plasma_glucose_mg_kg", "tissue_glucose_mg_kg")
    )
    for k in range(3):
        mean = mean_over(minutes, np.array(taken)[:, k], 0.0, 60.0)
        assert mean == pytest.approx(gir[k] - rise[k] / 60.0, rel=1e-3)


def test_below_60_insulin_stops_and_there_is_no_m() -> None:
    """Held at its first rate a sensitive subject falls; the core ends insulin, and M is not known."""
    found = run_chunk(request(2, "none", protocol=with_law(PROTOCOL, "hold")), 0, 2)
    assert set(found.scores["fell_back"]) == {1.0}
    assert np.isnan(found.scores["m_mg_kg_min"]).all()
    assert np.isnan(found.scores["m_true_mg_kg_min"]).all()
    assert (found.scores["glucose_min_true_mg_dl"] < 70.0).all()
    assert (found.scores["below_70_min"] > 0.0).all()


def test_who_fasts_below_80_is_not_clamped(monkeypatch: pytest.MonkeyPatch) -> None:
    def members(*_: object) -> CompositePlant[Array]:
        p = cohort("lean", 1, 0, 2)
        return CompositePlant(replace(p, basal_glucose_mg_dl=np.array([75.0, 90.0])))

    model = replace(MODELS["composite"], members=members)
    monkeypatch.setattr(trial, "model_named", lambda *_: model)
    found = run_chunk(request(2, "none"), 0, 2)
    assert np.isnan(found.glucose_mg_dl[:, 0]).all()
    assert not np.isnan(found.glucose_mg_dl[:, 1]).any()
    assert np.isnan(found.scores["glucose_min_true_mg_dl"]).tolist() == [True, False]
    assert row(request(2, "none"), found)["clamped"] == 1


def test_a_bed_is_set_up_sampled_and_ended_like_a_real_one() -> None:
    protocol = for_trial(SHORT)
    started = session_started(protocol, clamp.virtual_subject(typical("lean"), "x"), STATION, "trial-x", "")
    bed = Bed(started)
    assert bed.state.mode is Mode.AUTOMATIC
    alarms = set()
    for moment in range(200):
        if bed.is_over:
            break
        bed.moment(moment * 30_000, 90.0 - moment * 0.05)
        alarms |= {alarm.name for alarm in bed.state.alarms}
    assert bed.started_ms == 60_000
    assert bed.state.at_ms == 60_000 + 30 * 60_000
    assert bed.state.phase is Phase.TAPER
    assert alarms == set()
    assert [at_ms for at_ms, _ in bed.samples] == [0, *range(360_000, 1_800_000, 300_000)]
    assert bed.insulin.rate_ul_h == 0
    assert bed.dextrose.rate_ul_h == bed.state.dosing.rate_ul_h > 0
    assert bed.state.dextrose.verified
    assert bed.state.insulin.verified


def test_a_doubted_sample_is_repeated() -> None:
    started = session_started(
        for_trial(SHORT), clamp.virtual_subject(typical("lean"), "x"), STATION, "trial-x", ""
    )
    bed = Bed(started)
    for moment in range(26):
        bed.moment(moment * 30_000, 200.0 if moment == 12 else 90.0)  # drawn at minute 5 of the clamp
    assert [at_ms for at_ms, _ in bed.samples] == [0, 420_000, 660_000]


def test_a_trial_pump_holds_what_it_is_told() -> None:
    pump = TrialPump(Role.DEXTROSE)
    pump.obey(SetRate(Role.DEXTROSE, 5_000, 1))
    assert pump.rate_ul_h == 0
    pump.obey(StartPump(Role.DEXTROSE, 5_000, 1))
    pump.obey(SetRate(Role.DEXTROSE, 7_000, 1))
    assert (pump.said.state, pump.said.rate_ul_h) == (PumpState.RUNNING, 7_000)
    pump.obey(StopPump(Role.DEXTROSE, 1))
    assert (pump.said.state, pump.rate_ul_h) == (PumpState.STOPPED, 0)


def test_a_row_has_every_figure_and_only_what_json_can_hold(whole: ChunkResult) -> None:
    found = row(request(), whole)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["model"], found["phenotype"], found["protocol"], found["noise"], found["law"]) == (
        "composite", "lean", "euglycemic-40", "noisy", "defronzo",
    )  # fmt: skip
    assert found["subjects"] == found["clamped"] == 6
    assert found["m_window_min"] == [0.0, 30.0]
    lowest = found["glucose_min_mg_dl"]
    assert isinstance(lowest, dict)
    assert lowest["p5"] <= lowest["p50"] <= lowest["p95"]
    plain = ("below_70_share_pct", "below_54_share_pct", "m_bias_pct", "m_sd_pct", "fell_back_share_pct")
    assert all(isinstance(found[name], float) for name in plain)
    assert found["m_coverage_pct"] is None


def test_a_table_has_a_row_for_each_subject(whole: ChunkResult) -> None:
    table = columns(request(), whole)
    assert {len(column) for column in table.values()} == {6}
    assert table["subject"] == list(range(6))
    assert table["m_mg_kg_min"] == whole.scores["m_mg_kg_min"].tolist()


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "ptolemy"},
        {"phenotype": "tall"},
        {"noise": "loud"},
        {"drift": "sideways"},
        {"subjects": 0},
        {"seed": 1 << 64},
        {"protocol": with_minutes(PROTOCOL, 30.5)},
        {"protocol": with_law(PROTOCOL, "guess")},
    ],
)
def test_what_cannot_be_tried_is_refused_before_anything_runs(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        run_trial(request(**wrong), progress=lambda _: pytest.fail("it ran"))


def test_every_model_has_a_noise_for_every_preset_of_its_own() -> None:
    model = model_named("composite", "t2d_severe", "quiet")
    assert model.noises is NOISES
    plant = model.members("obese", 1, 0, 3, False)
    assert plant.glucose_mg_dl.shape == plant.net_uptake_mg_kg_min.shape == (3,)
    assert plant.net_uptake_mg_kg_min == pytest.approx(np.zeros(3), abs=1e-9)  # fasting: none is infused
