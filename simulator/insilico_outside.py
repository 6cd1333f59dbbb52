"""Who leaves 60 to 140 mg/dL in truth, when, and what the law gave meanwhile: a section of the page."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.trial import ChunkResult

LOW_MG_DL, HIGH_MG_DL = 60.0, 140.0
RUN_IN_MIN = 30
"""A `t2d` subject begins far above target; before this minute it is not counted."""

LOOK_BACK_MIN = 15
"""What acts on glucose at its lowest was given about so long before (two stages of insulin action)."""

Person = dict[str, float | int]

HEAD = """
## Outside 60 to 140 mg/dL

True glucose under `defronzo`, from minute 0 ({run_in} in `t2d`). *Low*: each subject by its number in the
cohort of this seed, its lowest glucose and the minute, the GIR {back} minutes before, and the net uptake of
the M window where insulin ran that long. A GIR far below the uptake is the 1979 rule's weakness: it follows
disposal by two samples a step, so a sensitive subject whose insulin acts fast is low before the rate is
there (`bizzotto`: nothing defends it). A GIR near 0 is the run-in: while glucose is high the metabolic
term shrinks to its floor, and the rule begins from nothing when glucose arrives. *High*: how many, and
the minute by which the last was down; in `t2d` that is the run-in.

"""


def outside(result: ChunkResult, run_in: bool) -> dict[str, Any]:
    """The subjects of a cell outside the limits: each low one, how many are high, the last to come down.

    `down_by_min` is None where nobody was high, or one still is at the end.
    """
    begins = RUN_IN_MIN if run_in else 0
    glucose = result.glucose_mg_dl[begins:]
    known = np.flatnonzero(~np.isnan(glucose).any(axis=0))
    low = [_low(result, int(k), begins) for k in known if glucose[:, k].min() < LOW_MG_DL]
    high = glucose[:, known] > HIGH_MG_DL
    return {"low": low, "high": int(high.any(axis=0).sum()), "down_by_min": _down_by(high, begins)}


def _low(result: ChunkResult, k: int, begins: int) -> Person:
    course = result.glucose_mg_dl[begins:, k]
    at_min = begins + int(course.argmin())
    uptake = float(result.scores["m_true_mg_kg_min"][k])
    person: Person = {
        "subject": result.first + k,
        "lowest_mg_dl": float(course.min()),
        "at_min": at_min,
        "gir_mg_kg_min": float(result.gir_mg_kg_min[max(0, at_min - LOOK_BACK_MIN), k]),
    }
    return person if np.isnan(uptake) else {**person, "uptake_mg_kg_min": uptake}


def _down_by(high: NDArray[np.bool_], begins: int) -> int | None:
    rows = np.flatnonzero(high.any(axis=1))
    return None if not rows.size or rows[-1] == high.shape[0] - 1 else begins + int(rows[-1]) + 1


def section(found: Sequence[Mapping[str, Any]]) -> str:
    """The section for the cells under DeFronzo's rule; a cell without exceptions is not listed."""
    head = HEAD.format(run_in=RUN_IN_MIN, back=LOOK_BACK_MIN)
    judged = [figures for figures in found if figures["law"] == "defronzo"]
    lines = [line for figures in judged if (line := _line(figures))]
    share = f"{len(judged) - len(lines)} of {len(judged)} cells have nobody outside.\n\n"
    return head + share + "".join(lines)


def _line(figures: Mapping[str, Any]) -> str:
    told = figures["outside"]
    words = []
    if told["low"]:
        words.append("low " + ", ".join(map(_person, told["low"])))
    if told["high"]:
        until = (
            "one still at the end" if told["down_by_min"] is None else f"down by {told['down_by_min']} min"
        )
        words.append(f"high {told['high']} ({until})")
    if not words:
        return ""
    who = f"{figures['model']} {figures['phenotype']} {figures['dose_mu_m2_min']} {figures['noise']}"
    return f"- {who}: {'; '.join(words)}\n"


def _person(person: Person) -> str:
    uptake = person.get("uptake_mg_kg_min")
    taken = "" if uptake is None else f" of {uptake:.1f}"
    gir = f"GIR {person['gir_mg_kg_min']:.1f}{taken}"
    return f"{person['subject']}: {person['lowest_mg_dl']:.0f} at {person['at_min']} ({gir})"
