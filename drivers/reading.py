"""One analyzer number: text and unit as sent, taken strictly and converted once.

Source: analyzers reference 2 and 7. Nothing is guessed: not the unit from the size of the number,
not the meaning of a comma, not a plasma value from whole blood.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from clampctl.core.events import Trouble
from clampctl.units import mg_dl_from_mmol_l

PLASMA_PER_WHOLE_BLOOD = Decimal("1.11")
"""IFCC's constant factor from whole blood to plasma (analyzers 2; Clin Chem 2005;51:1573)."""

MG_DL_LEAST, MMOL_L_MOST = Decimal(20), Decimal(30)
"""A number beyond these looks like the other unit: it is held and asked about. The sheet (analyzers 7) has
30 for both; a true 28 mg/dL must stop insulin at once, so the low end is the core's own (SR-6)."""

UNITS = {"mg/dl": "mg/dL", "mmol/l": "mmol/L"}
"""The units there are, found in any case."""

_POINT = re.compile(r"\d{1,4}(?:\.\d{1,3})?", re.ASCII)
_COMMA = re.compile(r"\d{1,4}(?:[.,]\d{1,3})?", re.ASCII)


class ReadingRefused(Exception):
    """A result that is not taken, and why: one sentence a nurse understands."""

    def __init__(self, trouble: Trouble, sentence: str) -> None:
        super().__init__(sentence)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Rules:
    """How this station's analyzer writes its numbers.

    `comma`: a decimal comma is allowed. `unit`: the only unit that is taken, "" takes the first that
    comes and holds to it. `from_whole_blood`: the analyzer reports whole blood and the program makes
    plasma of it, by 1.11, once. `sample_prefix`: how sample IDs of this run begin, "" takes any.
    """

    comma: bool = False
    unit: str = ""
    from_whole_blood: bool = False
    sample_prefix: str = ""


def unit_of(text: str) -> str:
    """The unit as we write it. Errors: ReadingRefused for one that is not known."""
    unit = UNITS.get(text.strip().lower())
    if unit is None:
        raise ReadingRefused(Trouble.REFUSED, f"unit {text.strip()!r} is neither mmol/L nor mg/dL")
    return unit


def number_of(text: str, comma: bool = False) -> Decimal:
    """The exact decimal of a plain number; a comma only where it is allowed.

    Errors: ReadingRefused for a qualifier (`?`, `<`, `>`), blanks, signs or anything else.
    """
    stripped = text.strip()
    if (_COMMA if comma else _POINT).fullmatch(stripped) is None:
        raise ReadingRefused(Trouble.REFUSED, f"{stripped!r} is not a plain number")
    return Decimal(stripped.replace(",", "."))


def glucose_mg_dl(value: str, unit: str, rules: Rules) -> float:
    """Glucose in mg/dL from the text sent and its unit (`unit_of`), converted once.

    Errors: ReadingRefused, see `number_of`; also for a number that looks like the other unit.
    """
    number = number_of(value, rules.comma)
    if unit == "mg/dL" and number < MG_DL_LEAST:
        raise ReadingRefused(Trouble.REFUSED, f"{value.strip()} mg/dL is very low: wrong unit? Measure again")
    if unit == "mmol/L" and number > MMOL_L_MOST:
        raise ReadingRefused(
            Trouble.REFUSED, f"{value.strip()} mmol/L is very high: wrong unit? Measure again"
        )
    if rules.from_whole_blood:
        number *= PLASMA_PER_WHOLE_BLOOD
    return float(number) if unit == "mg/dL" else mg_dl_from_mmol_l(float(number))
