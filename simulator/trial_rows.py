"""A trial as a table: one row for a cohort under a law, and one for each of its subjects."""

import numpy as np

from simulator.scores import median_time, percentiles, share_pct, trueness
from simulator.subjects.values import Array
from simulator.trial import ChunkResult, Request
from simulator.trial_scores import SCORES

COUNTED = ("approach_min", "steady_state", "fell_back")
"""Scores that a row sums up otherwise than by percentiles."""

Spread = dict[str, float]
Figure = str | int | float | Spread | list[float] | None


def row(request: Request, result: ChunkResult) -> dict[str, Figure]:
    """The figures of one cohort under one law, as `trial --json` prints them; None where not known.

    Scores are percentiles over the subjects. `clamped` is how many had insulin started (a fasting sample
    below 80 mg/dL keeps the others from it). Shares are of these: below 70 or 54 mg/dL in truth at any
    time, in steady state by the usual criteria, fallen back to SAFE-TAIL. `approach_min` is the median,
    subjects who never arrive included. Bias and SD of M are in % of the mean true uptake.
    `circumstances` are their texts joined by commas, or "none".
    """
    scores = result.scores
    lowest = scores["glucose_min_true_mg_dl"]
    m = trueness(scores["m_mg_kg_min"], scores["m_true_mg_kg_min"])
    clamped = ~np.isnan(lowest)
    law = request.protocol.law.name
    figures: dict[str, Figure] = {
        "model": request.model, "phenotype": request.phenotype, "protocol": request.protocol.name,
        "noise": request.noise, "drift": request.drift, "circumstances": str(request.circumstances),
        "law": law, "seed": request.seed, "subjects": request.subjects, "clamped": int(clamped.sum()),
        "m_window_min": list(window_min(request)),
    }  # fmt: skip
    figures |= {name: percentiles(scores[name]) for name in SCORES if name not in COUNTED}
    return figures | {
        "below_70_share_pct": share_pct(lowest, 70.0),
        "below_54_share_pct": share_pct(lowest, 54.0),
        "approach_min": median_time(scores["approach_min"][clamped]),
        "steady_state_share_pct": _yes_pct(scores["steady_state"]),
        "fell_back_share_pct": _yes_pct(scores["fell_back"]),
        "m_bias_pct": m.bias_pct,
        "m_sd_pct": m.sd_pct,
        "m_coverage_pct": m.coverage_pct,
    }


def columns(request: Request, result: ChunkResult) -> dict[str, list[str] | list[int] | list[float | None]]:
    """One row a subject, column by column: who, under what, and every score (None: not known)."""
    n = result.count
    table: dict[str, list[str] | list[int] | list[float | None]] = {
        "model": [request.model] * n,
        "phenotype": [request.phenotype] * n,
        "law": [request.protocol.law.name] * n,
        "noise": [request.noise] * n,
        "drift": [request.drift] * n,
        "circumstances": [str(request.circumstances)] * n,
        "subject": list(range(result.first, result.first + n)),
    }
    for name in SCORES:
        table[name] = [None if np.isnan(value) else float(value) for value in result.scores[name]]
    return table


def window_min(request: Request) -> tuple[float, float]:
    """The protocol's window for M, in minutes from insulin start."""
    *before, last = request.protocol.steps
    start_ms = sum(step.duration_ms for step in before)
    return (start_ms + last.window_start_ms) / 60_000, (start_ms + last.window_end_ms) / 60_000


def _yes_pct(answers: Array) -> float | None:
    """Share of known answers, 0 or 1, that are 1, in percent."""
    known = answers[~np.isnan(answers)]
    return float(100.0 * known.mean()) if known.size else None
