"""The record of an EKF Biosen C-Line: fixed fields without separators, no checksum known.

Source: sheet analyzers.md 4.2 (C-Line user manual p. 41). What follows the unit is on a page that is not
available.
"""

from collections.abc import Container
from datetime import datetime
from enum import StrEnum

from simulator.devices.fault import FaultKind
from simulator.devices.runs import MG_DL_PER_MMOL_L, Reading

PLASMA_PER_BLOOD = 1.11
MMOL_L_MOST = 50.0  # [R] above this the analyzer gives no number


class Unit(StrEnum):
    """Unit of the results, a setting of the instrument; as sent, six characters."""

    MG_DL = " mg/dl"
    MMOL_L = "mmol/l"


def record(
    preamble: bytes,
    device: str,
    kind: str,
    place: str,
    number: str,
    channel: str,
    wall: datetime,
    result: str,
    unit: Unit,
) -> bytes:
    """One record: preamble, then DEVID and DEVNO, `D`, TYPE, SAS, NOM, MET, DATE, TIME, RES, UNIT."""
    text = f"{device:6.6}D{kind}{place:4.4}{number:12.12}{channel:3.3}{wall:%d.%m.%y%H:%M}{result:6.6}{unit}"
    return preamble + text.encode("ascii")


def shown(reading: Reading, unit: Unit, odd: Container[FaultKind]) -> str:
    """The number as sent, two decimals, with what is odd about it now."""
    mmol_l = reading.mmol_l / PLASMA_PER_BLOOD if FaultKind.WHOLE_BLOOD in odd else reading.mmol_l
    number = mmol_l if unit is Unit.MMOL_L else mmol_l * MG_DL_PER_MMOL_L[reading.chemistry]
    text = f"{number:.2f}"
    if FaultKind.DIGIT_SWAP in odd:
        text = _swapped(text)
    if FaultKind.COMMA in odd:
        text = text.replace(".", ",")
    if FaultKind.QUERY in odd:
        text = "?" + text
    if FaultKind.OVER_RANGE in odd or mmol_l > MMOL_L_MOST:
        text = ">50.0" if unit is Unit.MMOL_L else ">900."
    return "....." if FaultKind.NO_VALUE in odd else text


def _swapped(text: str) -> str:
    """The first two digits have changed places."""
    first, second = [at for at, letter in enumerate(text) if letter.isdigit()][:2]
    letters = list(text)
    letters[first], letters[second] = letters[second], letters[first]
    return "".join(letters)
