"""A glucose value keyed by hand: refused with a sentence, asked for twice, or ready to send.

Pure: no Qt. The engine judges the value again; this page catches slips of finger and unit.
"""

from dataclasses import dataclass
from enum import Enum

from ui.words import glucose_with_unit, is_mmol, stored_glucose

UNLIKELY_MG_DL = 25.0
"""A keyed value further than this from the last is keyed twice (interface sheet 4.4)."""

READABLE_MG_DL = (20.0, 600.0)
LOOKS_MMOL = (2.0, 15.0)
LOOKS_MG_DL = (40.0, 300.0)


@dataclass(frozen=True, slots=True)
class Ready:
    """The value may be sent."""

    glucose_mg_dl: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The value is not taken, and why."""

    sentence: str


class Again(Enum):
    """The value is unlikely and has to be keyed once more, unseen."""

    UNLIKELY = "Far from the last value: key it once more, unseen."


def number(text: str) -> float | None:
    """A plain decimal number; a comma counts as the point. None for anything else."""
    plain = text.strip().replace(",", ".")
    if not plain or plain.count(".") > 1 or not plain.replace(".", "").isdecimal() or not plain.isascii():
        return None
    return float(plain)


def judge(text: str, unit: str, last_mg_dl: float | None, first: str | None) -> Ready | Refused | Again:
    """What to do with a keyed glucose value; `first` is the earlier keying of the same value."""
    value = number(text)
    if value is None:
        return Refused("Key a number such as " + ("5.1." if is_mmol(unit) else "92.4."))
    if is_mmol(unit) and LOOKS_MG_DL[0] <= value <= LOOKS_MG_DL[1]:
        return Refused(f"{text} looks like mg/dL; this session uses mmol/L.")
    if not is_mmol(unit) and LOOKS_MMOL[0] <= value <= LOOKS_MMOL[1]:
        return Refused(f"{text} looks like mmol/L; this session uses mg/dL.")
    glucose_mg_dl = stored_glucose(value, unit)
    low, high = READABLE_MG_DL
    if not low <= glucose_mg_dl <= high:
        span = f"{glucose_with_unit(low, unit)} to {glucose_with_unit(high, unit)}"
        return Refused(f"{text} {unit} is outside {span}; read the analyzer again.")
    if first is not None:
        same = number(first) == value
        return Ready(glucose_mg_dl) if same else Refused("The two entries differ; key the value again.")
    if last_mg_dl is not None and abs(glucose_mg_dl - last_mg_dl) > UNLIKELY_MG_DL:
        return Again.UNLIKELY
    return Ready(glucose_mg_dl)
