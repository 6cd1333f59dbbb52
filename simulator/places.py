"""Where at the bed something can be wrong that is no device's fault: what, how much, and what is usual."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from clampctl.core.commands import Role
from simulator.infusion_line import LineFault
from simulator.sampling_site import BloodFault

Kind = TypeVar("Kind", LineFault, BloodFault)


@dataclass(frozen=True, slots=True)
class Size:
    """The number behind `=`: what it is unless given, its range, and its unit."""

    usual: float
    least: float
    most: float
    unit: str


@dataclass(frozen=True, slots=True)
class Place(Generic[Kind]):
    """Somewhere between a device and the subject, and what can be wrong there; None where it has no size."""

    role: Role
    sizes: Mapping[Kind, Size | None]

    def found(self, words: str) -> tuple[Kind, float]:
        """The fault that a text names, with its size, 0 where it has none.

        Raises ValueError with one clear sentence.
        """
        name, equals, text = words.partition("=")
        kind = next((kind for kind in self.sizes if kind.value == name), None)
        if kind is None:
            known = ", ".join(kind.value for kind in self.sizes)
            raise ValueError(f"There is no fault called {name!r} here; known are {known}.")
        size = self.sizes[kind]
        if not equals:
            return kind, 0.0 if size is None else size.usual
        if size is None:
            raise ValueError(f"The fault {name} takes no number.")
        if not re.fullmatch(r"[+-]?\d{1,5}(\.\d{1,3})?", text, re.ASCII) or not (
            size.least <= float(text) <= size.most
        ):
            raise ValueError(f"The fault {name} takes {size.least:g} to {size.most:g} {size.unit}.")
        return kind, float(text)


def _line(role: Role) -> Place[LineFault]:
    return Place(
        role,
        MappingProxyType(
            {
                LineFault.UNPRIMED: Size(2_000.0, 1.0, 10_000.0, "µL"),
                LineFault.COMPLIANCE: Size(150.0, 1.0, 5_000.0, "µL"),
                LineFault.OCCLUDED: Size(1_500.0, 1.0, 5_000.0, "µL"),
                LineFault.LEAK: Size(100.0, 1.0, 100.0, "percent"),
            }
        ),
    )


def _source(role: Role, usual_percent: float) -> Place[LineFault]:
    strength = Size(usual_percent, 0.0, 10_000.0, "percent of the label")
    return Place(role, MappingProxyType({LineFault.STRENGTH: strength, LineFault.EMPTY: None}))


LINES: Mapping[str, Place[LineFault]] = MappingProxyType(
    {
        "dextrose-line": _line(Role.DEXTROSE),
        "insulin-line": _line(Role.INSULIN),
        "dextrose-bag": _source(Role.DEXTROSE, 250.0),
        "insulin-syringe": _source(Role.INSULIN, 1_000.0),
    }
)
"""Between pump and vein, and what hangs on the pump."""

BLOOD: Mapping[str, Place[BloodFault]] = MappingProxyType(
    {
        "blood": Place(
            Role.ANALYZER,
            MappingProxyType(
                {
                    BloodFault.CONTAMINATED: Size(100.0, 1.0, 1_000.0, "mg/dL"),
                    BloodFault.DILUTED: Size(20.0, 1.0, 100.0, "percent"),
                    BloodFault.LATE: Size(2.0, 0.1, 30.0, "min"),
                    BloodFault.SWAPPED: None,
                    BloodFault.MISSED: None,
                    BloodFault.COLD_HAND: Size(6.0, 0.1, 50.0, "mg/dL"),
                    BloodFault.WHOLE_BLOOD: None,
                    BloodFault.BIAS: Size(6.0, -200.0, 200.0, "mg/dL"),
                    BloodFault.DRIFT: Size(6.0, -100.0, 100.0, "percent an hour"),
                }
            ),
        )
    }
)
"""Between vein and analyzer."""
