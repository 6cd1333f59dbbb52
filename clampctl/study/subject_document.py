"""The subject's document: code and body with units in, a `Subject` with its body surface out."""

from collections.abc import Mapping

from clampctl.core.protocol import Refusal
from clampctl.core.subject import Subject
from clampctl.study.document import Table, text, whole
from clampctl.study.quantities import length_cm, mass_kg

KEYS = ("code", "weight", "height", "sex", "birth_year")


def du_bois_m2(weight_kg: float, height_cm: float) -> float:
    """Body surface in m², 0.007184 H^0.725 W^0.425 (Du Bois; clamp-method 3.3). Up to 5 % low in obesity."""
    return float(0.007184 * height_cm**0.725 * weight_kg**0.425)


def mosteller_m2(weight_kg: float, height_cm: float) -> float:
    """Body surface in m², sqrt(H W / 3600) (Mosteller; clamp-method 3.3)."""
    return float((height_cm * weight_kg / 3600.0) ** 0.5)


BSA_FORMULAS = {"du_bois": du_bois_m2, "mosteller": mosteller_m2}
"""One formula per study: the choice shifts the insulin dose by up to 3 % (clamp-method 3.3)."""


def bsa_formula(value: object, field: str = "bsa") -> str:
    """The name of a body surface formula that we know."""
    if isinstance(value, str) and value in BSA_FORMULAS:
        return value
    names = " or ".join(f'"{name}"' for name in BSA_FORMULAS)
    raise Refusal(field, f'{field} is "{value}"; expected {names}.')


def read_subject(entries: Mapping[str, object], formula: str) -> Subject:
    """A subject from its table; `formula` names the body surface formula of the protocol."""
    table = Table(entries, "", KEYS)
    weight_kg = table.read("weight", mass_kg)
    height_cm = table.read("height", length_cm)
    return Subject(
        code=table.read("code", text),
        weight_kg=weight_kg,
        height_cm=height_cm,
        bsa_m2=BSA_FORMULAS[bsa_formula(formula)](weight_kg, height_cm),
        sex=table.read_or("sex", text, "unknown"),
        birth_year=table.read_or("birth_year", whole, None),
    )
