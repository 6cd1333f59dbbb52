"""Records of an EKF Biosen C-Line: found by anchor in what was sent, cut by field, taken strictly.

Source: analyzers reference 4.2 (Biosen C-Line user manual p. 41; the table goes on, on a page that is
not available). There is no known checksum: fixed fields, dates and a strict number stand in for it.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from clampctl.core.events import SampleKind, Trouble
from drivers.framing import Damage
from drivers.intake import Result
from drivers.reading import ReadingRefused

ANCHOR = re.compile(
    rb"D([PQS])(\d{4})([ -~]{12})([ -~]{3})(\d\d\.\d\d\.\d\d)(\d\d:\d\d)([ -~]{6})(mmol/l| mg/dl)"
)
"""SEL, TYPE, SAS, NOM, MET, DATE, TIME, RES, UNIT; whether RES is a number is asked later."""

KINDS = {"P": SampleKind.PATIENT, "S": SampleKind.PATIENT, "Q": SampleKind.CONTROL}

SHOWN = 60
"""Unreadable bytes are told up to this many."""

_RES = re.compile(r"\d{1,3}[.,]\d\d *", re.ASCII)


@dataclass(frozen=True, slots=True)
class Record:
    """One record; texts as sent. `device` is DEVID and DEVNO, "" where they could not be read.

    `tail` is what was sent between the unit and the end of the record; its meaning is not known.
    """

    device: str
    own_type: str
    place: str
    number: str
    channel: str
    date: str
    clock: str
    value: str
    unit: str
    tail: str


def records(sent: bytes, preamble: bytes) -> list[Record | Damage]:
    """Every record in one transmission; what is neither record nor preamble is `Damage` or a tail."""
    header = re.compile(re.escape(preamble) + rb"([ -~]{4}\d\d)\Z")
    matches = list(ANCHOR.finditer(sent))
    if not matches:
        return [Damage(f"no record in {_shown(sent)}")] if sent.strip() else []
    starts = [0, *(match.end() for match in matches)]
    befores = [sent[start : match.start()] for start, match in zip(starts, matches, strict=False)]
    headers = [header.search(before) for before in befores]
    strays = [
        before[: found.start()] if found else before for before, found in zip(befores, headers, strict=True)
    ]
    tails = [*strays[1:], sent[starts[-1] :]]
    found: list[Record | Damage] = [Damage(f"stray bytes {_shown(strays[0])}")] if strays[0] else []
    for match, own, tail in zip(matches, headers, tails, strict=True):
        fields = [own[1] if own else b"", *match.groups(), tail.strip(b" ")]
        found.append(Record(*(field.decode("latin-1") for field in fields)))
    return found


def result_of(record: Record) -> Result:
    """The record's result. Errors: ReadingRefused for an impossible time or a result that is no number."""
    sample = record.number.strip() or f"at {record.place}"
    if _RES.fullmatch(record.value) is None:
        raise ReadingRefused(Trouble.REFUSED, f"sample {sample}: {record.value.strip()!r} is not a number")
    try:
        measured = datetime.strptime(f"{record.date} {record.clock}", "%d.%m.%y %H:%M")
    except ValueError:
        sentence = f"sample {sample}: {record.date} {record.clock} is no time: key it in"
        raise ReadingRefused(Trouble.REFUSED, sentence) from None
    return Result(
        identity=(record.device, record.date, record.clock, record.own_type, record.place, sample),
        sample=sample,
        value=record.value,
        unit=record.unit,
        kind=KINDS[record.own_type],
        measured=measured,
        minutes_only=True,
    )


def _shown(sent: bytes) -> str:
    return repr(sent[:SHOWN])[1:] + (f" and {len(sent) - SHOWN} more" if len(sent) > SHOWN else "")
