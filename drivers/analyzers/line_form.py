"""How one analyzer prints a line: what a person set up, its fingerprint, and reading a line by it.

Source: analyzers reference 8 (generic line driver). The fingerprint stands for everything that
decides which number is taken from a line: learn mode gives it, and the driver is disabled without it.
Not here: cutting bytes into lines, comparing a line with the display.
"""

import hashlib
import json
import re
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from clampctl.core.events import SampleKind
from drivers.analyzers.line_pattern import LINE_CAP, checked
from drivers.intake import Result
from drivers.reading import UNITS

GROUPS = ("value", "unit", "id", "time", "flag")
ENDS = {"CR": b"\r", "LF": b"\n", "CRLF": b"\r\n"}
ENCODINGS = ("ascii", "latin-1", "utf-8", "cp1252", "cp437", "cp850")
SILENCE_MS_LEAST, SILENCE_MS_MOST = 50, 5000

_SILENCE = re.compile(r"SILENCE:(\d{2,4})")


class LineUnknown(Exception):
    """A line that is not as set up; nothing is taken from it."""


@dataclass(frozen=True, slots=True)
class LineForm:
    """The form of a line.

    `pattern` must match the whole line and names its parts: `value`, and `unit` unless `unit` is set,
    and `id` or a `time` with seconds, by which a repeat is known; also `flag`. `end` is CR, LF, CRLF
    or SILENCE:ms. `other_lines` is a pattern for lines that are no results. `time_format` is written
    as for strptime from %Y %y %m %d %H %M %S. `good_flags` and `control_flags` are flags, commas
    between them, that mean a good result (as no flag does) and a control; any other holds. `comma`: a
    decimal comma is allowed. Errors: ValueError, one sentence for the person who sets it up.
    """

    pattern: str
    end: str
    encoding: str = "latin-1"
    unit: str = ""
    comma: bool = False
    other_lines: str = ""
    time_format: str = ""
    good_flags: str = ""
    control_flags: str = ""

    def __post_init__(self) -> None:
        groups = checked(self.pattern).groupindex
        unknown = [name for name in groups if name not in GROUPS]
        if self.other_lines:
            checked(self.other_lines)
        directives = re.findall(r"%(.?)", self.time_format, re.DOTALL)
        for is_wrong, sentence in (
            (bool(unknown), f"The pattern names {', '.join(unknown)}; it may name {', '.join(GROUPS)}."),
            ("value" not in groups, "The pattern names no value: write (?P<value>...)."),
            (
                ("unit" in groups) == bool(self.unit),
                "The unit must come either from the pattern, (?P<unit>...), or from the setting, not both.",
            ),
            (bool(self.unit) and self.unit not in UNITS.values(), f"The unit {self.unit!r} is not known."),
            (
                "id" not in groups and not ("time" in groups and "S" in directives),
                "The pattern names neither an id nor a time with seconds: a repeated line would count twice.",
            ),
            (
                ("time" in groups) != bool(self.time_format),
                "A (?P<time>...) in the pattern needs time_format, and the other way round.",
            ),
            (
                bool(self.time_format) and not _is_clock(directives),
                "time_format needs %H and %M, may have %S, and a whole date (%d, %m, %Y or %y) or none.",
            ),
            (self.encoding not in ENCODINGS, f"The encoding must be one of {', '.join(ENCODINGS)}."),
            (not self._is_end_known(), "The end must be CR, LF, CRLF or SILENCE:ms, from 50 to 5000 ms."),
        ):
            if is_wrong:
                raise ValueError(sentence)

    def _is_end_known(self) -> bool:
        silence = _SILENCE.fullmatch(self.end)
        if silence is None:
            return self.end in ENDS
        return SILENCE_MS_LEAST <= int(silence[1]) <= SILENCE_MS_MOST

    @property
    def terminator(self) -> bytes | None:
        """The bytes that end a line; None where silence does."""
        return ENDS.get(self.end)

    @property
    def silence_ms(self) -> int | None:
        """How long a silence ends a line; None where bytes do."""
        silence = _SILENCE.fullmatch(self.end)
        return None if silence is None else int(silence[1])

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all of this, in hexadecimal."""
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        text = json.dumps(settings, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def result(self, raw: bytes, local_now: datetime | None) -> Result | None:
        """The result in a line; None in an empty line and in one that is known to be no result.

        `local_now` completes a time without a date. Errors: LineUnknown.
        """
        try:
            line = raw.decode(self.encoding).strip("\r\n\0")
        except UnicodeDecodeError:
            raise LineUnknown(f"{raw!r} is not {self.encoding}") from None
        if not line.strip():
            return None
        match = re.fullmatch(self.pattern, line) if len(line) <= LINE_CAP else None
        if match is None:
            if self.other_lines and re.fullmatch(self.other_lines, line):
                return None
            raise LineUnknown(f"{line!r} is not as set up")
        told = {name: (text or "").strip() for name, text in match.groupdict().items()}
        flag = told.get("flag", "")
        return Result(
            identity=tuple(told.get(name, "") for name in ("id", "time")),
            sample=told.get("id", ""),
            value=told["value"],
            unit=told.get("unit", self.unit),
            kind=SampleKind.CONTROL if flag and flag in _words(self.control_flags) else SampleKind.PATIENT,
            measured=self._measured(told.get("time", ""), line, local_now),
            minutes_only="%S" not in self.time_format,
            flags=(flag,) if flag else (),
        )

    def is_doubted(self, result: Result) -> bool:
        """A flag that is not known holds the result."""
        return not set(result.flags) <= _words(self.good_flags) | _words(self.control_flags)

    def _measured(self, time: str, line: str, local_now: datetime | None) -> datetime | None:
        """The analyzer's clock; a time without a date is that of the nearest day. None without a clock."""
        if not self.time_format:
            return None
        try:
            measured = datetime.strptime(time, self.time_format)
        except ValueError:
            raise LineUnknown(f"{line!r} has an impossible time") from None
        if "%d" in self.time_format:
            return measured
        if local_now is None:
            return None
        days = [local_now.date() + timedelta(days=days) for days in (-1, 0, 1)]
        return min(
            (datetime.combine(day, measured.time()) for day in days), key=lambda at: abs(local_now - at)
        )


def _is_clock(directives: list[str]) -> bool:
    """A time of day with or without a whole date, nothing twice."""
    return "".join(sorted(letter or "%" for letter in directives)) in (
        "HM",
        "HMS",
        "HMYdm",
        "HMSYdm",
        "HMdmy",
        "HMSdmy",
    )


def _words(text: str) -> set[str]:
    return {word.strip() for word in text.split(",") if word.strip()}
