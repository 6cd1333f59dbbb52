"""In-silico trials: cohorts through the real core, side by side, and what came of it.

Every subject has a whole core (`trial_bed`); the subjects' bodies move together as arrays. A chunk of
subjects is one task that depends on nothing but its request, so that trials are cut up at will and the
result is the same to the bit. Physiology sheet, section 1: not evidence of patient safety.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from clampctl.core.insulin import total_ms
from clampctl.core.protocol import Protocol
from clampctl.engine.opening import session_started
from clampctl.units import MS_PER_MIN
from simulator.circumstances import AS_IT_SHOULD_BE, Circumstances
from simulator.clamp import SET_UP_MS, virtual_subject
from simulator.models import Plant, model_named
from simulator.subjects.cohort import Stream, member_generator
from simulator.subjects.phenotypes import typical
from simulator.subjects.sampling import Analysis, Sampling
from simulator.subjects.values import Array
from simulator.subjects.variability import Deviates, Walk, drift_named
from simulator.trial_bed import MOMENT_MS, RESOLUTION_MG_DL, STATION, Bed, for_trial
from simulator.trial_scores import SCORES, Course, scored

CHUNK = 250
"""Subjects in one task: enough that arrays pay, few enough that workers share them evenly."""

MOMENT_MIN = MOMENT_MS / MS_PER_MIN


@dataclass(frozen=True, slots=True)
class Request:
    """What to try: one law (in the protocol) on one cohort.

    `wide` widens the spread of uptake; `drift` is what everybody's uptake undergoes beside the noise;
    `circumstances` are what is otherwise than it should be at every bed.
    """

    protocol: Protocol
    model: str
    phenotype: str
    noise: str
    seed: int
    subjects: int
    wide: bool = False
    drift: str = "none"
    circumstances: Circumstances = AS_IT_SHOULD_BE


@dataclass(frozen=True, slots=True, eq=False)
class ChunkResult:
    """Members `first` and following: scores by name, shape (n,), and minute by minute, shape (minutes, n).

    Glucose is the true one, GIR what the bench would record. NaN is not known: a score that cannot be
    had, or a clamp that never began.
    """

    first: int
    scores: Mapping[str, Array]
    glucose_mg_dl: Array
    gir_mg_kg_min: Array

    @property
    def count(self) -> int:
        """Number of subjects."""
        return int(self.glucose_mg_dl.shape[1])


def run_chunk(request: Request, first: int, count: int) -> ChunkResult:
    """Members `first` to `first + count - 1` of the cohort, each clamped once and scored."""
    model = model_named(request.model, request.phenotype, request.noise)
    circumstances = request.circumstances
    protocol = for_trial(circumstances.protocol(request.protocol))
    members = range(first, first + count)
    plant = model.members(request.phenotype, request.seed, first, count, request.wide)
    beds = [_bed(protocol, request, plant, k, first + k) for k in range(count)]
    moments = (SET_UP_MS + total_ms(protocol)) // MOMENT_MS + 1
    preset = circumstances.noise(model.noises[request.noise])
    deviates = _deviates(request.seed, members, Stream.UPTAKE, moments + 1)
    uptake = Walk(preset.log_vmx, deviates, drift_named(request.drift))
    sampling = Sampling(
        preset,
        _deviates(request.seed, members, Stream.SAMPLING, 2 * moments + 1),
        Analysis(resolution_mg_dl=RESOLUTION_MG_DL),
    )
    course = _run(beds, plant, sampling, uptake, circumstances, moments)
    return _result(protocol, beds, course, first)


def joined(chunks: Iterable[ChunkResult]) -> ChunkResult:
    """Chunks that follow one another as one; in their order, whenever each was done."""
    parts = sorted(chunks, key=lambda chunk: chunk.first)
    return ChunkResult(
        parts[0].first,
        {name: np.concatenate([part.scores[name] for part in parts]) for name in SCORES},
        np.concatenate([part.glucose_mg_dl for part in parts], axis=1),
        np.concatenate([part.gir_mg_kg_min for part in parts], axis=1),
    )


def _run(
    beds: list[Bed],
    plant: Plant,
    sampling: Sampling[Array],
    uptake: Walk[Array],
    circumstances: Circumstances,
    moments: int,
) -> Course:
    """Let time pass until every clamp is over, or could not begin; each bed's core, all bodies at once.

    The course has the GIR that the record would have: by the pump's word, the label and the weight the
    core was told. The bodies get what truly reaches them.
    """
    infusates = beds[0].state.session.protocol.infusates
    told_kg = np.array([bed.state.session.subject.weight_kg for bed in beds], dtype=np.float64)
    told_mg_kg_min = infusates.dextrose_g_l / (60_000.0 * told_kg)
    dextrose_mg_kg_min = infusates.dextrose_g_l / (60_000.0 * plant.weight_kg)
    insulin_mu_kg_min = infusates.insulin_mu_ml / (60_000.0 * plant.weight_kg)
    ran_min = np.zeros(len(beds))
    course = Course.empty(moments, len(beds))
    for moment in range(moments):
        at_ms = moment * MOMENT_MS
        open_beds = _sampled(beds, plant, sampling, circumstances, at_ms)
        for bed, value in open_beds:
            bed.moment(at_ms, value)
        dextrose_ul_h = np.array([bed.dextrose.rate_ul_h for bed in beds], dtype=np.float64)
        insulin_ul_h = np.array([bed.insulin.rate_ul_h for bed in beds], dtype=np.float64)
        course.note(moment, plant, told_mg_kg_min * dextrose_ul_h)
        if not open_beds:
            break
        gir = dextrose_mg_kg_min * circumstances.dextrose_ul_h(dextrose_ul_h, ran_min)
        insulin = insulin_mu_kg_min * circumstances.insulin_ul_h(insulin_ul_h)
        plant.advance(MOMENT_MIN, gir, insulin, uptake.advance(MOMENT_MIN))
        ran_min += MOMENT_MIN * (dextrose_ul_h > 0.0)
    return course


def _sampled(
    beds: list[Bed], plant: Plant, sampling: Sampling[Array], circumstances: Circumstances, at_ms: int
) -> list[tuple[Bed, float]]:
    """Every bed that is not over, with what the analyzer will say of blood drawn there now."""
    blood = circumstances.blood_mg_dl(
        plant.glucose_mg_dl,
        at_ms,
        np.array([bed.clamp_min(at_ms) for bed in beds], dtype=np.float64),
        np.array([bed.next_sample for bed in beds], dtype=np.int64),
    )
    readings = sampling.draw(blood, at_ms).glucose_mg_dl.tolist()
    return [(bed, value) for bed, value in zip(beds, readings, strict=True) if not bed.is_over]


def _result(protocol: Protocol, beds: list[Bed], course: Course, first: int) -> ChunkResult:
    """The scores of every bed, and its course from insulin start, one value a minute."""
    minutes = total_ms(protocol) // MS_PER_MIN
    scores = {name: np.full(len(beds), np.nan) for name in SCORES}
    glucose = np.full((minutes + 1, len(beds)), np.nan)
    gir = np.full((minutes + 1, len(beds)), np.nan)
    per_minute = MS_PER_MIN // MOMENT_MS
    for k, bed in enumerate(beds):
        if bed.started_ms is None:
            continue
        for name, value in scored(bed, course, k).items():
            scores[name][k] = value
        start = bed.started_ms // MOMENT_MS
        rows = slice(start, start + per_minute * minutes + 1, per_minute)
        glucose[:, k] = course.glucose_mg_dl[rows, k]
        gir[:, k] = course.gir_mg_kg_min[rows, k]
    return ChunkResult(first, scores, glucose, gir)


def _bed(protocol: Protocol, request: Request, plant: Plant, k: int, index: int) -> Bed:
    """The bed of the chunk's k-th member; of a subject the core knows the body only, as it is told."""
    circumstances = request.circumstances
    code = f"{request.phenotype}-{request.seed}-{index}"
    body = typical("lean", float(plant.weight_kg[k]), float(plant.bsa_m2[k]))
    subject = circumstances.told(virtual_subject(body, code), protocol.bsa_formula)
    started = session_started(protocol, subject, circumstances.station(STATION), f"trial-{code}", "")
    return Bed(started, circumstances)


def _deviates(seed: int, members: range, stream: Stream, each: int) -> Deviates[Array]:
    """Deviates for members side by side, each from his own stream, `each` of them at most."""
    table = np.stack([member_generator(seed, k, stream).standard_normal(each) for k in members], axis=1)
    rows = iter(table)
    return lambda: next(rows)
