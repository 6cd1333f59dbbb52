"""What a baseline needs to remember: its last samples, and the GIR given between them.

In a baseline's slots `metabolic_mg_kg_min` is the mean GIR delivered up to that sample.
"""

from dataclasses import dataclass

from clampctl.core.laws.defronzo import first_rate
from clampctl.core.laws.law import Advice, LawState, Question, Slot

SLOTS_KEPT = 6


@dataclass(frozen=True, slots=True)
class Recent:
    """The samples before this one, oldest first, the mean GIR since the last one, and the slope from it."""

    before: tuple[Slot, ...]
    given_mg_kg_min: float
    slope_mg_dl_min: float


def recent(memory: LawState, question: Question) -> Recent:
    """What came before the sample in question.

    A repeat drawn less than half an interval after the last sample takes its place.
    """
    before = memory.slots
    given = question.delivered_mg_kg_min
    if given is None:
        given = question.in_force_mg_kg_min
    if before and question.drawn_at_ms - before[-1].drawn_at_ms < question.sampling_ms // 2:
        given = before[-1].metabolic_mg_kg_min
        before = before[:-1]
    slope = 0.0
    if before:
        minutes = (question.drawn_at_ms - before[-1].drawn_at_ms) / 60_000
        slope = (question.glucose_mg_dl - before[-1].glucose_mg_dl) / minutes
    return Recent(before, given, slope)


def advice(
    past: Recent, question: Question, toward_target_mg_kg_min: float, wanted_mg_kg_min: float
) -> Advice:
    """The GIR a baseline wants, at least 0, and its memory afterwards.

    Before the rule begins it is the protocol's first rate.
    """
    wanted = max(0.0, wanted_mg_kg_min)
    if question.elapsed_ms < question.settings.rule_from_ms - question.sampling_ms // 2:
        wanted = first_rate(question.settings, question.elapsed_ms)
    slot = Slot(
        drawn_at_ms=question.drawn_at_ms,
        glucose_mg_dl=question.glucose_mg_dl,
        factor=question.target_mg_dl / question.glucose_mg_dl,
        metabolic_mg_kg_min=past.given_mg_kg_min,
        space_mg_kg_min=toward_target_mg_kg_min,
        wanted_mg_kg_min=wanted,
    )
    return Advice(wanted, LawState((*past.before, slot)[-SLOTS_KEPT:]))
