"""Trials in other circumstances: each changes at the bed what it should, and nothing else."""

import pickle
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from clampctl.engine.opening import session_started
from clampctl.study.load import load_protocol
from clampctl.study.variants import with_minutes
from clampctl.units import MS_PER_MIN
from simulator.circumstances import circumstances
from simulator.clamp import virtual_subject
from simulator.subjects.phenotypes import typical
from simulator.subjects.values import Array
from simulator.trial import ChunkResult, Request, joined, run_chunk
from simulator.trial_bed import MOMENT_MS, STATION, Bed, for_trial
from simulator.trial_rows import columns, row
from simulator.trial_scores import SCORES

PROTOCOL = load_protocol("euglycemic-40")
N = 3
OF_SAMPLES = (
    "analyzer-bias=5",
    "analyzer-drift=6",
    "cold-hand=6",
    "whole-blood",
    "contaminated=100",
    "missed=3",
    "sampling=10",
)
OTHERS = (
    "assay-cv=3",
    "late=2",
    "weight=1.1",
    "dextrose-strength=0.909",
    "insulin-strength=0.5",
    "quantum=1000",
    "lag=3",
)


def asked(*texts: str, noise: str = "none", minutes: float = 120.0) -> Request:
    """A trial in these circumstances."""
    protocol = with_minutes(PROTOCOL, minutes)
    return Request(protocol, "composite", "lean", noise, 11, N, circumstances=circumstances(texts))


@cache
def tried(*texts: str, noise: str = "none") -> ChunkResult:
    """What came of it; done once for all the tests."""
    return run_chunk(asked(*texts, noise=noise), 0, N)


def same(one: ChunkResult, other: ChunkResult) -> bool:
    """Whether two results agree to the bit."""
    pairs = [(one.glucose_mg_dl, other.glucose_mg_dl), (one.gir_mg_kg_min, other.gir_mg_kg_min)]
    pairs += [(one.scores[name], other.scores[name]) for name in SCORES]
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def run(bed: Bed, minutes: int, reading: Callable[[int], float]) -> list[int]:
    """The rates of dextrose, moment by moment, where the analyzer says `reading` of blood drawn at a time."""
    rates = []
    for at_ms in range(0, minutes * MS_PER_MIN + 1, MOMENT_MS):
        bed.moment(at_ms, reading(at_ms))
        rates.append(bed.dextrose.rate_ul_h)
    return rates


def bed_in(*texts: str) -> Bed:
    """One bed in these circumstances."""
    there = circumstances(texts)
    subject = there.told(virtual_subject(typical("lean"), "x"), PROTOCOL.bsa_formula)
    started = session_started(
        for_trial(there.protocol(PROTOCOL)), subject, there.station(STATION), "trial-x", ""
    )
    return Bed(started, there)


def falling(at_ms: int) -> float:
    """A reading that tells when its blood was drawn."""
    return 90.0 - at_ms / 1e6


def test_late_blood_is_told_at_the_time_that_was_said() -> None:
    on_time, late = bed_in(), bed_in("late=2.5")
    run(on_time, 40, falling)
    run(late, 40, falling)
    assert (on_time.started_ms, late.started_ms) == (60_000, 240_000)  # the fasting result is late, too
    assert len(late.samples) > 5
    assert all(value == falling(at_ms) for at_ms, value in on_time.samples)
    assert all(value == falling(at_ms + 150_000) for at_ms, value in late.samples)
    started_ms = 240_000
    assert [at_ms - started_ms for at_ms, _ in late.samples[1:]] == [
        k * 300_000 for k in range(1, len(late.samples))
    ]


def test_every_third_sample_is_missed() -> None:
    whole, holed = bed_in(), bed_in("missed=3")
    run(whole, 60, falling)
    run(holed, 60, falling)
    drawn = [at_ms for at_ms, _ in whole.samples]
    assert [at_ms for at_ms, _ in holed.samples] == [at for k, at in enumerate(drawn, 1) if k % 3]


def test_only_a_tenth_sample_is_contaminated() -> None:
    """The core doubts it and has it repeated; the other samples are what they would be."""
    clean, dirty = tried(), tried("contaminated=100")
    assert np.array_equal(dirty.glucose_mg_dl[:46], clean.glucose_mg_dl[:46])
    assert not np.array_equal(dirty.glucose_mg_dl[50:60], clean.glucose_mg_dl[50:60])
    assert (dirty.gir_mg_kg_min[46:48] < clean.gir_mg_kg_min[46:48]).all()


def test_a_hand_cools_from_minute_30_of_the_clamp() -> None:
    """The sample of minute 30 is still true, that of minute 35 is low: the core gives more dextrose."""
    warm, cold = tried(), tried("cold-hand=10")
    assert np.array_equal(cold.gir_mg_kg_min[:36], warm.gir_mg_kg_min[:36])
    assert (cold.gir_mg_kg_min[36:40] > warm.gir_mg_kg_min[36:40]).all()


def test_samples_come_at_the_interval_that_is_asked_for() -> None:
    bed = bed_in("sampling=10")
    assert bed.state.session.protocol.sampling_ms == 600_000
    run(bed, 50, falling)
    assert [at_ms - 60_000 for at_ms, _ in bed.samples[1:]] == [600_000, 1_200_000, 1_800_000, 2_400_000]


@pytest.mark.parametrize("text", OF_SAMPLES)
def test_samples_change_bodies_through_the_rule_only(text: str) -> None:
    """Doses are those of the clock until the rule acts on a sample, at minute 10 at the earliest."""
    usual, other = tried(), tried(text)
    assert np.array_equal(usual.glucose_mg_dl[:10], other.glucose_mg_dl[:10])
    assert np.array_equal(usual.gir_mg_kg_min[:10], other.gir_mg_kg_min[:10])
    assert not np.array_equal(usual.glucose_mg_dl[-1], other.glucose_mg_dl[-1])


@pytest.mark.parametrize(("text", "share"), [("analyzer-bias=5", 1.05), ("analyzer-bias=-5", 0.95)])
def test_the_core_steers_by_what_it_is_told(text: str, share: float) -> None:
    result = tried(text)
    true, usual = (one.glucose_mg_dl[60:].mean(axis=0) for one in (result, tried()))
    assert result.scores["glucose_mean_mg_dl"] == pytest.approx(true * share, rel=0.01)
    assert true == pytest.approx(usual / share, rel=0.01)
    assert result.scores["m_mg_kg_min"] == pytest.approx(result.scores["m_true_mg_kg_min"], rel=0.05)


def test_more_noise_of_the_assay_scatters_samples() -> None:
    usual, worse = tried(noise="quiet"), tried("assay-cv=5", noise="quiet")
    cv = "glucose_cv_measured_pct"
    assert worse.scores[cv].mean() > 1.3 * usual.scores[cv].mean()
    assert same(tried("assay-cv=0"), tried())  # the preset `none` has no assay noise either


def test_who_reads_too_low_is_never_clamped() -> None:
    request = asked("analyzer-bias=-30")
    result = run_chunk(request, 0, N)
    assert np.isnan(result.glucose_mg_dl).all()
    assert row(request, result)["clamped"] == 0


def test_a_bed_without_a_start_in_set_up_is_over() -> None:
    bed, last = bed_in(), bed_in()
    run(bed, 30, lambda _: 75.0)
    assert bed.is_over
    assert bed.started_ms is None
    run(last, 30, lambda at_ms: 90.0 if at_ms >= 25 * MS_PER_MIN else 75.0)
    assert last.started_ms == 26 * MS_PER_MIN
    assert not last.is_over


def m_ratio(*texts: str) -> Array:
    """M over the true net uptake."""
    scores = tried(*texts).scores
    return scores["m_mg_kg_min"] / scores["m_true_mg_kg_min"]


def test_m_is_by_the_weight_that_was_told() -> None:
    usual, other = tried(), tried("weight=1.1")
    assert other.gir_mg_kg_min[5] == pytest.approx(usual.gir_mg_kg_min[5], rel=1e-3)  # 2 mg/kg/min, as told
    assert (other.glucose_mg_dl[9] > usual.glucose_mg_dl[9]).all()  # and truly a tenth more
    assert (other.scores["insulin_mean_uu_ml"] > 1.02 * usual.scores["insulin_mean_uu_ml"]).all()
    assert m_ratio("weight=1.1") == pytest.approx(m_ratio() / 1.1, rel=0.03)


def test_m_is_by_the_label_of_the_bag() -> None:
    usual, weak = tried(), tried("dextrose-strength=0.8")
    assert np.array_equal(usual.gir_mg_kg_min[:10], weak.gir_mg_kg_min[:10])
    assert np.array_equal(usual.glucose_mg_dl[:5], weak.glucose_mg_dl[:5])  # dextrose begins at minute 4
    assert (weak.glucose_mg_dl[6:10] < usual.glucose_mg_dl[6:10]).all()
    assert m_ratio("dextrose-strength=0.8") == pytest.approx(m_ratio() / 0.8, rel=0.03)


def test_weak_insulin_lowers_uptake_not_the_truth_of_m() -> None:
    usual, weak = tried().scores, tried("insulin-strength=0.5").scores
    assert (weak["insulin_mean_uu_ml"] < 0.7 * usual["insulin_mean_uu_ml"]).all()
    assert (weak["m_true_mg_kg_min"] < 0.8 * usual["m_true_mg_kg_min"]).all()
    assert m_ratio("insulin-strength=0.5") == pytest.approx(m_ratio(), rel=0.05)


def test_a_coarse_pump_gives_whole_steps_and_insulin_none() -> None:
    fine, coarse = bed_in(), bed_in("quantum=1000")
    assert any(rate % 1_000 for rate in run(fine, 60, falling))
    rates = run(coarse, 60, falling)
    assert not any(rate % 1_000 for rate in rates)
    assert len(set(rates)) > 2
    assert coarse.insulin.rate_ul_h == fine.insulin.rate_ul_h > 0
    assert coarse.state.session.station.insulin_pump == STATION.insulin_pump


def test_an_unprimed_line_gives_nothing_until_the_pump_ran_so_long() -> None:
    there = circumstances(["lag=1.5", "dextrose-strength=2"])
    rates, ran_min = np.full(4, 500.0), np.array([0.0, 1.0, 1.5, 9.0])
    assert there.dextrose_ul_h(rates, ran_min).tolist() == [0.0, 0.0, 1_000.0, 1_000.0]
    usual, late, later = tried(), tried("lag=3"), tried("lag=6")
    assert np.array_equal(usual.gir_mg_kg_min[:10], late.gir_mg_kg_min[:10])
    assert np.array_equal(usual.glucose_mg_dl[:5], late.glucose_mg_dl[:5])
    assert (late.glucose_mg_dl[5:10] < usual.glucose_mg_dl[5:10]).all()
    assert np.array_equal(late.glucose_mg_dl[:8], later.glucose_mg_dl[:8])  # nothing arrives in either
    assert (late.glucose_mg_dl[8:10] > later.glucose_mg_dl[8:10]).all()


def test_the_same_bits_however_it_is_cut() -> None:
    request = asked(*OF_SAMPLES, *OTHERS, noise="noisy", minutes=60.0)
    whole = run_chunk(request, 0, N)
    sent = pickle.loads(pickle.dumps(request))
    assert sent == request
    assert same(joined(run_chunk(sent, k, 1) for k in range(N)), whole)
    assert not same(whole, run_chunk(asked(noise="noisy", minutes=60.0), 0, N))


def test_a_row_and_every_subject_say_the_circumstances() -> None:
    request = asked("late=2", "analyzer-bias=5")
    result = tried("analyzer-bias=5")
    assert row(request, result)["circumstances"] == "analyzer-bias=5,late=2"
    assert columns(request, result)["circumstances"] == ["analyzer-bias=5,late=2"] * N
    assert row(asked(), tried())["circumstances"] == "none"
