"""The records of one message of an ASTM analyzer, as a Radiometer ABL writes them.

Source: sheet analyzers.md 3.2, 3.3, 4.3. How controls and calibrations are marked is [R].
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor

from simulator.devices.astm_settings import AstmSettings, Unit
from simulator.devices.fault import FaultKind
from simulator.devices.runs import CALIBRATION, MG_DL_PER_MMOL_L, MONITOR, Reading, Result

WHOLE_BLOOD_PER_PLASMA = 1 / 1.11
"""What whole blood holds of plasma's glucose (sheet 2)."""

OVER_RANGE = {Unit.MMOL_L: ">60.0", Unit.MG_DL: ">1081"}
"""How a number above the range is written [R]."""

_WORDS = {CALIBRATION: "Cal #", MONITOR: "QC #"}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One result on its way to the host, under its running number.

    `swapped`: the first digits changed places. `half`: the message ends in the middle of a record.
    """

    result: Result
    number: int
    status: str
    note: str = ""
    swapped: bool = False
    half: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """How results are written now: settings and what was done to the instrument since."""

    settings: AstmSettings
    sender: str
    unit: Unit
    other_id: str
    faults: frozenset[FaultKind]


def records(outgoing: Outgoing, habits: Habits, sent_ms: int) -> list[str]:
    """The message from H to L; `sent_ms` is what the instrument's clock shows."""
    settings, result = habits.settings, outgoing.result
    lines = [_header(habits, sent_ms), _patient(habits), _order(habits, outgoing)]
    measurements = _measurements(outgoing, habits)
    for index, fields in enumerate(measurements):
        head = f"R|{index + 1}|" + "|".join(fields[:3])
        if settings.short_result:
            lines.append(head)
            continue
        time = ""
        if index == 0 or not settings.first_time_only:
            time = "|||" + _stamp(habits, result.clock_ms - settings.started_before_ms)
        lines.append(f"{head}||{fields[3]}||{fields[4]}{time}")
        if "Glu" in fields[0] and result.error:
            text = f"{result.error:X}^{settings.error_text}" * settings.error_repeats
            lines.append(f"C|1|I|{text}|I")
        if "Glu" in fields[0] and outgoing.note:
            lines.append(f"C|1|L|{outgoing.note}|G")
    if settings.panel:
        lines.append(f"C|1|L|{settings.remark}|G")
    return [*lines, "L|1|N"]


def shown(reading: Reading, unit: Unit) -> str:
    """Glucose in one decimal of mmol/L or whole mg/dL, halves upwards; lactate always in mmol/L."""
    if reading.chemistry == "DEX" and unit is Unit.MG_DL:
        return f"{floor(reading.mmol_l * MG_DL_PER_MMOL_L['DEX'] + 0.5)}"
    return f"{floor(reading.mmol_l * 10 + 0.5) / 10:.1f}"


def _header(habits: Habits, sent_ms: int) -> str:
    return rf"H|\^&|||{habits.sender}||||||||1|{_stamp(habits, sent_ms)}"


def _patient(habits: Habits) -> str:
    name = f"||{habits.settings.patient_name}" if habits.settings.patient_name else ""
    return f"P|1||{habits.other_id or habits.settings.patient}{name}"


def _order(habits: Habits, outgoing: Outgoing) -> str:
    word = _WORDS.get(outgoing.result.sample, "")
    specimen, kind = ("", "") if word else (habits.other_id or habits.settings.specimen, "Arterial")
    return f"O|1|{specimen}|{word or 'Sample #'}^{outgoing.number}||||||||||||{kind}^|"


def _measurements(outgoing: Outgoing, habits: Habits) -> list[tuple[str, str, str, str, str]]:
    """Test, value, unit, flag and status of each result, in the order sent."""
    faults, status = habits.faults, outgoing.status
    found = []
    for reading in outgoing.result.readings:
        if reading.chemistry == "DEX":
            found.append(_glucose(reading, outgoing, habits))
        elif FaultKind.LACTATE_FIRST in faults:
            found.insert(0, ("^^^Lac^M", shown(reading, habits.unit), "mmol/L", "N", status))
    if habits.settings.panel:
        found += [("^^^K+^M", "4.0", "mmol/L", "N", status), ("^^^Na+^M", "140", "mmol/L", "N", status)]
    return found


def _glucose(reading: Reading, outgoing: Outgoing, habits: Habits) -> tuple[str, str, str, str, str]:
    faults, flag, status = habits.faults, "N", outgoing.status
    if FaultKind.WHOLE_BLOOD in faults:
        reading = Reading(reading.chemistry, reading.mmol_l * WHOLE_BLOOD_PER_PLASMA)
    value = shown(reading, habits.unit)
    if outgoing.swapped:
        value = _swapped(value)
    if FaultKind.OVER_RANGE in faults:
        value, flag = OVER_RANGE[habits.unit], ">"
    if FaultKind.QUERY in faults:
        value, status = f"?{value}", "R"  # as the ABL735 does; a doubted result is sent again after an edit
    if FaultKind.NO_VALUE in faults:
        value, flag, status = ".....", "", "X"
    if FaultKind.COMMA in faults:
        value = value.replace(".", ",")
    return "^^^Glu^M", value, habits.unit, flag, status


def _swapped(value: str) -> str:
    first, second = [index for index, sign in enumerate(value) if sign.isdigit()][:2]
    signs = list(value)
    signs[first], signs[second] = signs[second], signs[first]
    return "".join(signs)


def _stamp(habits: Habits, clock_ms: int) -> str:
    pattern = "%Y%m%d%H%M" if FaultKind.MINUTE_CLOCK in habits.faults else "%Y%m%d%H%M%S"
    return written(habits.settings.start, clock_ms, pattern)


def written(start: datetime, clock_ms: int, pattern: str) -> str:
    """The instrument's clock in a pattern."""
    return (start + timedelta(milliseconds=clock_ms)).strftime(pattern)
