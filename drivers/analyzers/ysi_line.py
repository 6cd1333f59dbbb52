"""One report line of a YSI 2700 SELECT: 66 columns, cut by column and taken strictly.

Source: analyzers reference 4.1 (YSI 2700 SELECT manual p. 9-5 to 9-15). Justification inside a field
is unverified [R], so fields are stripped after cutting. There is no checksum: blanks between fields,
ranges of time and date, and a strict number grammar (`drivers.reading`) stand in for it.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clampctl.core.events import SampleKind, Trouble

COLUMNS = 66
NO_SAMPLE, CALIBRATION, MONITOR, INFORMATION = 0, -1, -2, -3
"""Sample numbers with a meaning of their own (analyzers 4.1)."""

OTHERS = ("LAC", "SUC", "LTOS", "GAL")
"""Other chemistries by name (analyzers 4.1; its list goes on). An unknown name may be a damaged one."""

_BLANKS = (9, 18, 24, 28, 38)
_RESULT_BLANKS = (43, 52, 61)
_CLOCK = re.compile(r"([ \d]\d):(\d\d):(\d\d)")
_DATE = re.compile(r"([ \d]\d)/([ \d]\d)/(\d\d)")
_SAMPLE = re.compile(r"-?\d{1,8}")
_ERROR = re.compile(r"[0-9A-Fa-f]{1,4}")


class DateOrder(StrEnum):
    """How the instrument writes a date; its own setting (analyzers 4.1, p. 9-15)."""

    MDY = "mdy"
    DMY = "dmy"


class LineRefused(Exception):
    """A line that is not taken, and why."""

    def __init__(self, trouble: Trouble, sentence: str) -> None:
        super().__init__(sentence)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Line:
    """One report line; texts as sent, stripped. `analyzer_time` is the analyzer's own clock.

    `measured` is the same time, None where there is no such day.
    """

    sample: int
    analyzer_time: str
    chemistry: str
    value: str
    unit: str
    error: str
    measured: datetime | None


def end_bytes(end: bytes | str) -> bytes:
    """A line end; a station writes it as text."""
    return end.encode("ascii") if isinstance(end, str) else end


def continues(text: str) -> bool:
    """More lines follow: a backslash in the last column."""
    return text.endswith("\\")


def parse_line(text: str, date_order: DateOrder) -> Line:
    """Cut a line into its fields. Errors: LineRefused, a damaged layout or an impossible date."""
    if len(text) != COLUMNS:
        raise LineRefused(Trouble.BAD_FRAME, f"line of {len(text)} columns, expected {COLUMNS}: {text!r}")
    sample = _field(text, 29, 37)
    if _SAMPLE.fullmatch(sample) is None or not _blank(text, _BLANKS) or text[-1] not in " \\":
        raise LineRefused(Trouble.BAD_FRAME, f"damaged line {text!r}")
    clock, date = text[0:8], text[9:17]
    measured = _instant(_clock(clock, text), _date(date, date_order))
    number = int(sample)
    if number == INFORMATION:
        return Line(number, f"{clock} {date}", "", "", "", "", measured)
    if not _blank(text, _RESULT_BLANKS):
        raise LineRefused(Trouble.BAD_FRAME, f"damaged line {text!r}")
    return Line(
        sample=number,
        analyzer_time=f"{clock} {date}",
        chemistry=_field(text, 39, 42),
        value=_field(text, 44, 51),
        unit=_field(text, 53, 60),
        error=_field(text, 62, 65),
        measured=measured,
    )


def kind_of(line: Line, draining: bool) -> SampleKind:
    """What was measured; while draining, a patient's result is history."""
    if line.sample == CALIBRATION:
        return SampleKind.CALIBRATION
    if line.sample < 0:
        return SampleKind.INFORMATION
    return SampleKind.HISTORY if draining else SampleKind.PATIENT


def has_error(line: Line) -> bool:
    """Whether the analyzer itself doubts a result. Any code does: no table of them is known.

    Errors: LineRefused for an unreadable code, a value without a sample number.
    """
    if _ERROR.fullmatch(line.error) is None:
        raise LineRefused(Trouble.BAD_FRAME, f"sample {line.sample} has no readable error code")
    if line.sample == NO_SAMPLE:
        raise LineRefused(Trouble.UNEXPECTED, f"a value {line.value} without a sample number")
    return int(line.error, 16) != 0


def _field(text: str, first: int, last: int) -> str:
    """Columns counted from 1, as in the manual."""
    return text[first - 1 : last].strip()


def _blank(text: str, columns: tuple[int, ...]) -> bool:
    return all(text[column - 1] == " " for column in columns)


def _clock(clock: str, text: str) -> tuple[int, int, int]:
    match = _CLOCK.fullmatch(clock)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59 or int(match[3]) > 59:
        raise LineRefused(Trouble.BAD_FRAME, f"damaged line {text!r}")
    return int(match[1]), int(match[2]), int(match[3])


def _date(date: str, order: DateOrder) -> tuple[int, int, int]:
    """Year, month and day; the two digits of the year are of this century."""
    match = _DATE.fullmatch(date)
    if match is None:
        raise LineRefused(Trouble.BAD_FRAME, f"damaged date {date!r}")
    first, second = int(match[1]), int(match[2])
    month, day = (first, second) if order is DateOrder.MDY else (second, first)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise LineRefused(Trouble.REFUSED, f"date {date} is not {order}: month {month}, day {day}")
    return 2000 + int(match[3]), month, day


def _instant(clock: tuple[int, int, int], date: tuple[int, int, int]) -> datetime | None:
    try:
        return datetime(*date, *clock)
    except ValueError:
        return None
