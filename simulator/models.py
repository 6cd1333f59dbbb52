"""The models of a person: each makes a cohort, and one at a bedside, and moves them through time.

A trial and a bedside know a model by its name and by this interface only, so that every claim about
control can be made on another one, too. Presets of noise have the same names and, under DeFronzo, the
same measured CV on each (`simulator.calibration`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Protocol, TypeAlias, TypeVar

from clampctl.core.protocol import Refusal
from simulator.subjects import (
    bizzotto,
    bizzotto_cohort,
    bizzotto_phenotypes,
    bizzotto_run,
    composite,
    phenotypes,
    run,
)
from simulator.subjects.cohort import cohort
from simulator.subjects.courses import Course
from simulator.subjects.values import Array, Value
from simulator.subjects.variability import BIZZOTTO_NOISES, NOISES, Noise


class Body(Protocol[Value]):
    """One subject (numbers), or n side by side (arrays of shape (n,))."""

    @property
    def weight_kg(self) -> Value:
        """Body weight."""

    @property
    def bsa_m2(self) -> Value:
        """Body surface."""

    @property
    def glucose_mg_dl(self) -> Value:
        """True plasma glucose."""

    @property
    def insulin_uu_ml(self) -> Value:
        """Plasma insulin."""

    @property
    def net_uptake_mg_kg_min(self) -> Value:
        """Glucose taken up by the whole body less what the liver makes: what M is meant to measure."""

    def advance(self, minutes: float, gir_mg_kg_min: Value, insulin_mu_kg_min: Value, eta: Value) -> None:
        """Move on with constant inputs; `eta` is the deviation of the logarithm of insulin's effect."""


Plant: TypeAlias = Body[Array]
"""The subjects of a trial."""


class CompositePlant(composite.Subject[Value], Generic[Value]):
    """The composite model."""

    @property
    def weight_kg(self) -> Value:
        """Body weight."""
        return self.parameters.weight_kg

    @property
    def bsa_m2(self) -> Value:
        """Body surface."""
        return self.parameters.bsa_m2

    @property
    def net_uptake_mg_kg_min(self) -> Value:
        """Tissue and brain less endogenous production; urine is a loss, not uptake."""
        return (
            self.uptake_mg_kg_min + composite.brain_uptake_mg_kg_min(self.glucose_mg_dl) - self.egp_mg_kg_min
        )


class BizzottoPlant(bizzotto.Subject[Value], Generic[Value]):
    """The second model. Nothing in it answers to low glucose: below 70 mg/dL it falls as people do not."""

    @property
    def weight_kg(self) -> Value:
        """Body weight."""
        return self.parameters.weight_kg

    @property
    def bsa_m2(self) -> Value:
        """Body surface."""
        return self.parameters.bsa_m2

    @property
    def net_uptake_mg_kg_min(self) -> Value:
        """Uptake of the whole body, brain included, less endogenous production; it has no kidneys."""
        return self.uptake_mg_kg_min - self.egp_mg_kg_min


@dataclass(frozen=True, slots=True)
class Person:
    """The typical subject of a phenotype, in another body if one is given."""

    phenotype: str
    weight_kg: float | None = None
    bsa_m2: float | None = None


Given = TypeVar("Given", contravariant=True)


class Alone(Protocol[Given]):
    """A person alone, minute by minute, under what is given or held."""

    def __call__(
        self, person: Person, insulin_mu_m2_min: float, course: Given, minutes: int, prime: Course = (), /
    ) -> list[run.Row]:
        """Rows of minutes 0 to `minutes`; insulin is the dose times the multiples in `prime`."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model: who there is, how they waver, members of a cohort, and one alone.

    `members` takes phenotype, seed, first, count, and whether the tails are wide, and gives members `first`
    to `first + count - 1`. `open_loop` takes a course of GIR, `held` one of glucose (`subjects.run`,
    `subjects.bizzotto_run`).
    """

    phenotypes: tuple[str, ...]
    noises: Mapping[str, Noise]
    members: Callable[[str, int, int, int, bool], Plant]
    one: Callable[[Person], Body[float]]
    open_loop: Alone[Course]
    held: Alone[Course | float]


def _composite(person: Person) -> composite.Parameters[float]:
    return phenotypes.typical(person.phenotype, person.weight_kg, person.bsa_m2)


def _bizzotto(person: Person) -> bizzotto.Parameters[float]:
    return bizzotto_phenotypes.typical(person.phenotype, person.weight_kg, person.bsa_m2)


DEFAULT = "composite"

MODELS: Mapping[str, Model] = MappingProxyType(
    {
        DEFAULT: Model(
            phenotypes=(*phenotypes.PHENOTYPES, *phenotypes.VARIANTS),
            noises=NOISES,
            members=lambda *whom: CompositePlant(cohort(*whom)),
            one=lambda person: CompositePlant(_composite(person)),
            open_loop=lambda person, *given: run.open_loop(_composite(person), *given),
            held=lambda person, *given: run.held(_composite(person), *given),
        ),
        "bizzotto": Model(
            phenotypes=tuple(bizzotto_phenotypes.PHENOTYPES),
            noises=BIZZOTTO_NOISES,
            members=lambda *whom: BizzottoPlant(bizzotto_cohort.cohort(*whom)),
            one=lambda person: BizzottoPlant(_bizzotto(person)),
            open_loop=lambda person, *given: bizzotto_run.open_loop(_bizzotto(person), *given),
            held=lambda person, *given: bizzotto_run.held(_bizzotto(person), *given),
        ),
    }
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
