"""The models a trial can run on: each makes a cohort, and moves it through time side by side.

A trial knows a model by its name and by this interface only, so that every claim about control can
be made on another one, too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from clampctl.core.protocol import Refusal
from simulator.subjects.cohort import cohort
from simulator.subjects.composite import Subject, brain_uptake_mg_kg_min
from simulator.subjects.phenotypes import PHENOTYPES, VARIANTS
from simulator.subjects.values import Array
from simulator.subjects.variability import NOISES, Noise


class Plant(Protocol):
    """n subjects side by side; every property is an array of shape (n,)."""

    @property
    def weight_kg(self) -> Array:
        """Body weight."""

    @property
    def bsa_m2(self) -> Array:
        """Body surface."""

    @property
    def glucose_mg_dl(self) -> Array:
        """True plasma glucose."""

    @property
    def insulin_uu_ml(self) -> Array:
        """Plasma insulin."""

    @property
    def net_uptake_mg_kg_min(self) -> Array:
        """Glucose taken up by the whole body less what the liver makes: what M is meant to measure."""

    def advance(self, minutes: float, gir_mg_kg_min: Array, insulin_mu_kg_min: Array, eta: Array) -> None:
        """Move on with constant inputs; `eta` is the deviation of the logarithm of insulin's effect."""


class CompositePlant(Subject[Array]):
    """The composite model as a trial sees it."""

    @property
    def weight_kg(self) -> Array:
        """Body weight."""
        return self.parameters.weight_kg

    @property
    def bsa_m2(self) -> Array:
        """Body surface."""
        return self.parameters.bsa_m2

    @property
    def net_uptake_mg_kg_min(self) -> Array:
        """Tissue and brain less endogenous production; urine is a loss, not uptake."""
        return self.uptake_mg_kg_min + brain_uptake_mg_kg_min(self.glucose_mg_dl) - self.egp_mg_kg_min


@dataclass(frozen=True, slots=True)
class Model:
    """One model: who there is, how they waver, and members `first` to `first + count - 1` of a cohort.

    `members` takes phenotype, seed, first, count, and whether the tails are wide.
    """

    phenotypes: tuple[str, ...]
    noises: Mapping[str, Noise]
    members: Callable[[str, int, int, int, bool], Plant]


def _composite(phenotype: str, seed: int, first: int, count: int, wide: bool) -> CompositePlant:
    return CompositePlant(cohort(phenotype, seed, first, count, wide))


MODELS: Mapping[str, Model] = MappingProxyType(
    {"composite": Model((*PHENOTYPES, *VARIANTS), NOISES, _composite)}
)


def model_named(name: str, phenotype: str, noise: str) -> Model:
    """The model of that name. Refuses a model, or a phenotype or noise it does not have."""
    if name not in MODELS:
        raise Refusal("model", f"{name!r} is not a model; known are {', '.join(MODELS)}.")
    model = MODELS[name]
    for field, asked, known in (
        ("phenotype", phenotype, model.phenotypes),
        ("noise", noise, tuple(model.noises)),
    ):
        if asked not in known:
            raise Refusal(
                field, f"{asked!r} is not a {field} of the model {name}; known are {', '.join(known)}."
            )
    return model
