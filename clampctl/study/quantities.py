"""Text with a unit to plain floats in our units: the one place that knows pint.

A text is a number, a unit and, for dextrose, the basis of its label. Anything else (a bare number,
another dimension, an unknown unit) is a `Refusal` that names the field and shows what to write.
Insulin units are mapped before pint sees them: pint's own `U` is the enzyme unit, µmol/min.
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import pint

from clampctl.core.protocol import Refusal
from clampctl.units import ANHYDROUS_PER_MONOHYDRATE, MG_DL_PER_MMOL_L, UMOL_PER_MG

GLUCOSE_MG_DL_LOW = 20.0
GLUCOSE_MG_DL_HIGH = 600.0
"""Glucose values believed to be meant at all (safety sheet SR-6)."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_TEXT = re.compile(rf"\s*(?P<number>{_NUMBER})\s*(?P<unit>\S.*?)?\s*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+")
_POWER = r"(?:(?:\*\*|\^)?[23])?"
_UNIT = re.compile(rf"[A-Za-z]+{_POWER}(?:[/*][A-Za-z]+{_POWER})*")
_NAME = re.compile(r"[A-Za-z]+")
_NAMES = frozenset((
    "g", "kg", "mg", "ug", "mol", "mmol", "umol", "nmol", "pmol",
    "L", "l", "dL", "dl", "mL", "ml", "uL", "ul", "m", "cm", "mm", "um",
    "ms", "s", "min", "minute", "minutes", "h", "hour", "hours",
    "U", "mU", "uU", "IU", "mIU", "uIU",
))  # fmt: skip
"""The unit names of a bedside. pint knows a thousand more, and none of them is meant here."""
_INSULIN_UNIT = re.compile(r"(?<![A-Za-z])(m|u)?I?U(?![A-Za-z])")
_INSULIN_PREFIX = {None: "", "m": "milli", "u": "micro"}


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of quantity: its name with the article, the units it may come in with factors, an example."""

    what: str
    units: tuple[tuple[str, float], ...]
    example: str


_GLUCOSE = _Kind(
    "a glucose concentration",
    (("mg/dL", 1.0), ("mmol/L", MG_DL_PER_MMOL_L)),
    '"90 mg/dL" or "5.0 mmol/L"',
)
_GLUCOSE_CHANGE = _Kind(
    "a change of glucose with time",
    (("mg/dL/min", 1.0), ("mmol/L/min", MG_DL_PER_MMOL_L)),
    '"5 mg/dL/min" or "0.3 mmol/L/min"',
)
_GIR = _Kind(
    "a glucose infusion rate per kg",
    (("mg/kg/min", 1.0), ("umol/kg/min", 1.0 / UMOL_PER_MG)),
    '"2.0 mg/kg/min" or "11 umol/kg/min"',
)
_INSULIN_DOSE = _Kind("an insulin dose per m2", (("mU/m**2/min", 1.0),), '"40 mU/m**2/min"')
_INSULIN_AMOUNT = _Kind("an amount of insulin", (("mU", 1.0),), '"50 U"')
_INSULIN_STRENGTH = _Kind("an insulin concentration", (("mU/mL", 1.0),), '"1 U/mL"')
_DURATION = _Kind("a length of time", (("ms", 1.0),), '"120 min" or "2 h"')
_MASS = _Kind("a weight", (("kg", 1.0),), '"70 kg"')
_LENGTH = _Kind("a length", (("cm", 1.0),), '"175 cm"')
_DIAMETER = _Kind("a diameter", (("um", 1.0),), '"26.6 mm"')
_VOLUME = _Kind("a volume", (("mL", 1.0),), '"50 mL"')
_RATE = _Kind("a pump rate", (("uL/h", 1.0),), '"12 mL/h"')
_SPACE = _Kind("a glucose space per kg", (("L/kg", 1.0),), '"0.19 L/kg"')
_SHARE = _Kind("a percentage", (), '"20 %"')
_DEXTROSE = _Kind("the glucose content of a bag", (("g/L", 1.0),), '"20 % anhydrous" or "20 % monohydrate"')
_BASIS = {"anhydrous": 1.0, "monohydrate": ANHYDROUS_PER_MONOHYDRATE}


def glucose_mg_dl(value: object, field: str = "glucose") -> float:
    """Glucose in mg/dL, from mg/dL or mmol/L; 20 to 600 mg/dL, with a hint when the units look swapped."""
    glucose = _read(value, field, _GLUCOSE)
    if _believable(glucose):
        return glucose
    number, _ = _split(value, field, _GLUCOSE)
    hint = "."
    if _believable(number):
        hint = f'; did you mean "{number:g} mg/dL"?'
    elif _believable(number * MG_DL_PER_MMOL_L):
        hint = f'; did you mean "{number:g} mmol/L"?'
    raise Refusal(
        field,
        f"{field} is {_said(value)}, that is {glucose:.4g} mg/dL; "
        f"expected {GLUCOSE_MG_DL_LOW:g} to {GLUCOSE_MG_DL_HIGH:g} mg/dL{hint}",
    )


def _believable(glucose: float) -> bool:
    return GLUCOSE_MG_DL_LOW <= glucose <= GLUCOSE_MG_DL_HIGH


def glucose_change_mg_dl_min(value: object, field: str = "change of glucose") -> float:
    """Change of glucose in mg/dL per minute."""
    return _read(value, field, _GLUCOSE_CHANGE)


def gir_mg_kg_min(value: object, field: str = "GIR") -> float:
    """Glucose infusion rate in mg/kg/min of anhydrous glucose, from mg/kg/min or µmol/kg/min."""
    return _read(value, field, _GIR)


def insulin_mu_m2_min(value: object, field: str = "insulin") -> float:
    """Insulin dose in mU/m²/min; a dose per kg or in pmol is refused (clamp-method 3.4)."""
    return _read(value, field, _INSULIN_DOSE)


def insulin_units_mu(value: object, field: str = "insulin units") -> float:
    """Amount of insulin in mU, from U, mU or IU."""
    return _read(value, field, _INSULIN_AMOUNT)


def insulin_mu_ml(value: object, field: str = "insulin concentration") -> float:
    """Insulin concentration of a syringe in mU/mL."""
    return _read(value, field, _INSULIN_STRENGTH)


def duration_ms(value: object, field: str = "duration") -> int:
    """A length of time in whole milliseconds."""
    return round(_read(value, field, _DURATION))


def duration_s(value: object, field: str = "duration") -> int:
    """A length of time in whole seconds, as device watchdogs count it."""
    return round(duration_ms(value, field) / 1000)


def mass_kg(value: object, field: str = "weight") -> float:
    """Body weight in kg."""
    return _read(value, field, _MASS)


def length_cm(value: object, field: str = "height") -> float:
    """Body height in cm."""
    return _read(value, field, _LENGTH)


def diameter_um(value: object, field: str = "syringe diameter") -> int:
    """Inner diameter of a syringe in whole µm."""
    return round(_read(value, field, _DIAMETER))


def volume_ml(value: object, field: str = "volume") -> float:
    """A volume in mL."""
    return _read(value, field, _VOLUME)


def volume_ul(value: object, field: str = "volume") -> int:
    """A volume in whole µL."""
    return round(volume_ml(value, field) * 1000.0)


def rate_ul_h(value: object, field: str = "rate") -> int:
    """A pump rate in whole µL/h."""
    return round(_read(value, field, _RATE))


def space_l_kg(value: object, field: str = "glucose space") -> float:
    """Glucose space in L per kg of body weight."""
    return _read(value, field, _SPACE)


def share(value: object, field: str = "share") -> float:
    """A share from a percentage; 1 is the whole."""
    number, unit = _split(value, field, _SHARE)
    if unit != "%":
        raise _refusal(field, value, ", which is not a percentage", _SHARE)
    return _sensible(number / 100.0, value, field, _SHARE)


def dextrose_g_l(value: object, field: str = "dextrose") -> float:
    """Anhydrous glucose in g/L of a dextrose bag whose label says on which basis it counts.

    "20 %" is 20 g per 100 mL. A monohydrate label carries 0.9091 of its number as glucose: to
    ignore it overstates M by 10 % (clamp-method 1.4), so the basis is never assumed.
    """
    strength, _, basis = value.strip().rpartition(" ") if isinstance(value, str) else ("", "", "")
    if basis not in _BASIS:
        raise _refusal(field, value, " without the basis of its label", _DEXTROSE)
    if strength.rstrip().endswith("%"):
        label_g_l = 1000.0 * share(strength, field)
    else:
        label_g_l = _read(strength, field, _DEXTROSE)
    if label_g_l == 0.0:
        raise _refusal(field, value, ", a bag without glucose", _DEXTROSE)
    return label_g_l * _BASIS[basis]


def _read(value: object, field: str, kind: _Kind) -> float:
    """The number of `value` in our unit for `kind`."""
    number, unit_text = _split(value, field, kind)
    unit = _pint_unit(unit_text)
    if unit is None:
        raise _refusal(field, value, f' with the unknown unit "{unit_text}"', kind)
    for name, factor in kind.units:
        wanted = _pint_unit(name)
        if wanted is not None and unit.dimensionality == wanted.dimensionality:
            read = float(_registry().convert(number, unit, wanted)) * factor
            return _sensible(read, value, field, kind)
    raise _refusal(field, value, f", which is not {kind.what}", kind)


def _sensible(number: float, value: object, field: str, kind: _Kind) -> float:
    """Refuse what no quantity of ours can be."""
    if not math.isfinite(number):
        raise _refusal(field, value, ", which is too large", kind)
    if number < 0.0:
        raise _refusal(field, value, ", which is negative", kind)
    return number


def _split(value: object, field: str, kind: _Kind) -> tuple[float, str]:
    """Number and unit of a text, or the refusal that fits what was written instead."""
    if not isinstance(value, str):
        raise _refusal(field, value, " without a unit", kind)
    if _DECIMAL_COMMA.match(value):
        raise _refusal(field, value, " with a decimal comma", kind)
    match = _TEXT.fullmatch(value)
    if match is None:
        raise _refusal(field, value, " without a number", kind)
    if match["unit"] is None:
        raise _refusal(field, value, " without a unit", kind)
    return float(match["number"]), match["unit"]


def _refusal(field: str, value: object, why: str, kind: _Kind) -> Refusal:
    """Field, what was written, what is wrong with it, what to write: one sentence."""
    return Refusal(field, f"{field} is {_said(value)}{why}; write for example {kind.example}.")


def _said(value: object) -> str:
    """A value as the document holds it: texts in quotes."""
    return f'"{value}"' if isinstance(value, str) else f"{value}"


@cache
def _registry() -> pint.UnitRegistry[float]:
    """The one registry, built at first use: insulin and body weight are dimensions of their own.

    Without a body dimension mg/kg/min would be 1/min, and "2 Hz" a glucose infusion rate.
    """
    registry: pint.UnitRegistry[float] = pint.UnitRegistry()
    registry.define("insulin_unit = [insulin]")
    registry.define("body_kg = [body_weight]")
    return registry


@cache
def _pint_unit(text: str) -> pint.Unit | None:
    """A unit for pint in our dialect, None where it is unknown; no arithmetic is ever evaluated."""
    plain = unicodedata.normalize("NFKC", text).replace("μ", "u").replace(" ", "")
    if not _UNIT.fullmatch(plain) or not _NAMES.issuperset(_NAME.findall(plain)):
        return None
    plain = re.sub(r"(?<=/)kg(?![A-Za-z])", "body_kg", plain)
    plain = _INSULIN_UNIT.sub(lambda found: f"{_INSULIN_PREFIX[found[1]]}insulin_unit", plain)
    plain = re.sub(r"(?<=[A-Za-z])(?=\d)", "**", plain)
    return _registry().parse_units(plain)
