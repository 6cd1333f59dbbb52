"""The report line of a YSI 2300/2700: 66 columns, CR LF, no checksum.

Source: 2700 SELECT manual p. 9-5 to 9-15, as sheet analyzers.md 4.1 gives the columns. Justification inside a
field is [R]: numbers to the right, words to the left.
"""

from datetime import datetime
from enum import StrEnum

from simulator.devices.runs import MG_DL_PER_MMOL_L, Reading


class Unit(StrEnum):
    """Unit of the results, a setting of the instrument."""

    MG_DL = "mg/dL"
    MMOL_L = "mmol/L"


class DateOrder(StrEnum):
    """Order of day and month, a setting of the instrument (manual p. 9-15)."""

    MONTH_FIRST = "%m/%d/%y"
    DAY_FIRST = "%d/%m/%y"


def shown(reading: Reading, unit: Unit) -> str:
    """The number as the instrument rounds it: one decimal in mg/dL, two in mmol/L."""
    if unit is Unit.MG_DL:
        return f"{reading.mmol_l * MG_DL_PER_MMOL_L[reading.chemistry]:.1f}"
    return f"{reading.mmol_l:.2f}"


def report_line(
    stamp: str,
    temperature: str,
    sample: int,
    *,
    chemistry: str = "",
    result: str = "",
    unit: str = "",
    error: str = "",
    more: bool = False,
) -> bytes:
    """One line by column: 1-17 stamp, 19-23 temperature, 29-37 sample, 39-42 chemistry, 44-51 result,
    53-60 unit, 62-65 error in hexadecimal, 66 a backslash when one more line follows.
    """
    mark = "\\" if more else " "
    line = f"{stamp:17} {temperature:5} {'':3} {sample:9d} {chemistry:4} {result:>8} {unit:8} {error:4}{mark}"
    return line.encode("ascii") + b"\r\n"


def stamp(wall: datetime, order: DateOrder) -> str:
    """Time and date, columns 1-17."""
    return wall.strftime(f"%H:%M:%S {order.value}")
