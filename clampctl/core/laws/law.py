"""What every control law is: a pure rule from samples to a wanted GIR, with its own memory.

A law knows neither pump nor limit nor screen. It is told what was really delivered, so that an
override, a cap or a hold never makes it jump (bumpless).
"""

from dataclasses import dataclass
from typing import Protocol as Interface

from clampctl.core.protocol import LawSettings


@dataclass(frozen=True, slots=True)
class Slot:
    """One sample as a law used it, with what came of it.

    `factor` is F = target / glucose, `metabolic_mg_kg_min` the term M, `space_mg_kg_min` the term S;
    `wanted_mg_kg_min` their sum, at least 0.
    """

    drawn_at_ms: int
    glucose_mg_dl: float
    factor: float
    metabolic_mg_kg_min: float
    space_mg_kg_min: float
    wanted_mg_kg_min: float


@dataclass(frozen=True, slots=True)
class LawState:
    """A law's memory: the slots it still needs, oldest first, and a word on the last advice."""

    slots: tuple[Slot, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What a law is asked: one sample and its circumstances.

    `elapsed_ms` counts from insulin start to the draw. `delivered_mg_kg_min` is the mean GIR
    delivered since the last decision (None before any); `in_force_mg_kg_min` the GIR in force now.
    """

    glucose_mg_dl: float
    drawn_at_ms: int
    elapsed_ms: int
    target_mg_dl: float
    sampling_ms: int
    delivered_mg_kg_min: float | None
    in_force_mg_kg_min: float
    settings: LawSettings


@dataclass(frozen=True, slots=True)
class Advice:
    """What a law wants, and its memory afterwards."""

    wanted_mg_kg_min: float
    memory: LawState


class Law(Interface):
    """One control law."""

    def advise(self, memory: LawState, question: Question) -> Advice:
        """The GIR wanted until the next sample, mg/kg/min, never negative."""
