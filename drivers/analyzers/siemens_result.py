"""A Siemens LIS3 message as one glucose result, taken strictly.

Source: analyzers reference 4.4 (keys rTYPE, rSEQ, rDATE `21Jul03`, rTIME `12:20`, iIID, iPID) and 7.
The clock shows minutes, so the running number rSEQ is part of a result's identity.
"""

import re
from datetime import datetime

from clampctl.core.events import SampleKind, Trouble
from drivers.analyzers.siemens_frame import Message
from drivers.intake import Result
from drivers.reading import ReadingRefused

KINDS = {
    "SMP_NEW_DATA": SampleKind.PATIENT,
    "SMP_EDIT_DATA": SampleKind.PATIENT,
    "QC_NEW_DATA": SampleKind.CONTROL,
    "QC_EDIT_DATA": SampleKind.CONTROL,
    "CAL_NEW_DATA": SampleKind.CALIBRATION,
}
"""Messages that carry results. The QC_ and CAL_ ends are UNCONFIRMED: the sheet has only their beginnings."""

CORRECTIONS = ("SMP_EDIT_DATA", "QC_EDIT_DATA")

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_DATE = re.compile(r"(\d\d)([A-Z][a-z]{2})(\d\d)", re.ASCII)
_CLOCK = re.compile(r"(\d\d):(\d\d)", re.ASCII)


def result_of(message: Message, glucose_key: str, patient_type: str) -> Result:
    """The glucose result in a message of `KINDS`; its flags are the analyzer's exceptions.

    Errors: ReadingRefused, where there is not exactly one glucose, no running number, no readable
    time, or a sample whose rTYPE is not `patient_type`.
    """
    kind = KINDS[message.name]
    number = message.text("rSEQ")
    if not number:
        raise ReadingRefused(Trouble.REFUSED, "a result without a running number: key it in if it counts")
    own_type = message.text("rTYPE")
    if kind is SampleKind.PATIENT and own_type != patient_type:
        sentence = f"result {number} is of type {own_type!r}, not {patient_type!r}: key it in if it counts"
        raise ReadingRefused(Trouble.REFUSED, sentence)
    found = message.all_of(glucose_key)
    if len(found) != 1:
        sentence = f"result {number} has {len(found)} values {glucose_key}, expected one: key it in"
        raise ReadingRefused(Trouble.REFUSED, sentence)
    glucose = found[0]
    date, clock = message.text("rDATE"), message.text("rTIME")
    return Result(
        identity=(message.text("iIID"), message.name.partition("_")[0], number, date, clock),
        sample=message.text("iPID") or f"number {number}",
        value=glucose.value,
        unit=glucose.unit,
        kind=kind,
        measured=_measured(number, date, clock),
        minutes_only=True,
        corrected=message.name in CORRECTIONS,
        patient=message.text("iPID"),
        flags=glucose.exceptions,
    )


def _measured(number: str, date: str, clock: str) -> datetime:
    day, at = _DATE.fullmatch(date), _CLOCK.fullmatch(clock)
    try:
        if day is None or at is None:
            raise ValueError("not written as 21Jul03 and 12:20")
        month = MONTHS.index(day[2]) + 1
        return datetime(2000 + int(day[3]), month, int(day[1]), int(at[1]), int(at[2]))
    except ValueError:
        sentence = f"result {number} has no readable time ({date!r} {clock!r}): key it in"
        raise ReadingRefused(Trouble.REFUSED, sentence) from None
