"""What an R record says about glucose, and what in it holds it back.

Source: analyzers reference 3.2, 4.3, 7. Every hold is one sentence with the number as sent, so that a
nurse can key it in. Not here: whether a result is new, its unit and number (`drivers.intake`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from clampctl.core.events import SampleKind
from drivers.analyzers.astm_profiles import Profile
from drivers.analyzers.astm_records import Finding, Record

FINAL, CHANGED = ("F", "V"), ("C", "R")
"""Statuses that are used, and those that are used once their first version is known (analyzers 3.2)."""

STATUS_WORDS = {"P": "preliminary", "X": "not done", "I": "still pending", "": "without a status"}

OUT_OF_RANGE = ("<", ">")
"""Flags of a number that lies beyond what the analyzer can measure (analyzers 3.2, 7)."""

NOT_PATIENT = {"qc": SampleKind.CONTROL, "control": SampleKind.CONTROL, "cal": SampleKind.CALIBRATION}
"""First words of a sample number or specimen type that is nobody's blood [R]."""

WORDS_CAP = 80
"""Characters of an analyzer's comment that are shown."""

FIELD_CAP = 60
"""Characters kept of a field: more is no number, no unit, no ID."""


@dataclass(frozen=True, slots=True)
class Glucose:
    """One glucose result as the message has it.

    `number` is the analyzer's own name for it (O field 4), else the tube's ID, "" where there is none;
    `sample` is what a nurse calls it: the tube's ID, else the running number. `stamp` is the time as
    sent with the results, `measured` the best there is (that, else the message's own), `sent` the
    message's. `hold` says why it is held, "" when nothing speaks against it.
    """

    number: str
    sample: str
    patient: str
    value: str
    unit: str
    status: str
    kind: SampleKind
    stamp: str
    measured: datetime | None
    sent: datetime | None
    minutes_only: bool
    flags: tuple[str, ...]
    hold: str

    @property
    def shown(self) -> str:
        """The number and unit as sent."""
        return f"{self.value} {self.unit}".strip()


def is_glucose(finding: Finding, codes: Collection[str]) -> bool:
    """Whether an R record is about glucose: the fourth component of its test field, in small letters."""
    return finding.result.part(3, 4).casefold() in codes


def glucose_of(finding: Finding, header: Record, profile: Profile) -> Glucose:
    """Read one glucose result; whatever speaks against it is its `hold`."""
    result, order = finding.result, finding.order
    tube = order.part(3, 1)
    stamp = _stamp(result) or _stamp(finding.first)
    measured = time_of(stamp or header.text(14))
    return Glucose(
        number=(order.text(4) or tube)[:FIELD_CAP],
        sample=(tube or order.parts(4)[-1] or "without a number")[:FIELD_CAP],
        patient=(finding.patient.part(4, 1) or finding.patient.part(3, 1))[:FIELD_CAP],
        value=result.text(4)[:FIELD_CAP],
        unit=result.text(5)[:FIELD_CAP],
        status=result.text(9)[:FIELD_CAP].upper(),
        kind=_kind(finding, header, profile),
        stamp=stamp[:FIELD_CAP],
        measured=measured,
        sent=time_of(header.text(14)),
        minutes_only=len(stamp or header.text(14)) == MINUTE_STAMP,
        flags=tuple(
            flag[:FIELD_CAP] for flag in (order.part(16, 1), result.text(7)) if flag not in ("", "N")
        ),
        hold=_hold(finding, profile) or ("has no readable time" if stamp and measured is None else ""),
    )


MINUTE_STAMP = 12
"""Digits of a time stamp without seconds."""


def time_of(stamp: str) -> datetime | None:
    """The time of a stamp YYYYMMDDHHMM[SS]; None where it is none."""
    if not (stamp.isascii() and stamp.isdecimal()):
        return None
    for length, pattern in ((14, "%Y%m%d%H%M%S"), (MINUTE_STAMP, "%Y%m%d%H%M")):
        if len(stamp) == length:
            try:
                return datetime.strptime(stamp, pattern)
            except ValueError:
                return None
    return None


def _stamp(result: Record) -> str:
    """Started, else completed (analyzers 3.2)."""
    return result.text(12) or result.text(13)


def _kind(finding: Finding, header: Record, profile: Profile) -> SampleKind:
    """Patient only where nothing says otherwise. O field 12 and H field 12 `Q` mark a control [R]."""
    order = finding.order
    if "Q" in (header.text(12).upper(), order.text(12).upper()):
        return SampleKind.CONTROL
    for text in (order.text(4), order.text(16)):
        for word, kind in NOT_PATIENT.items():
            if text.casefold().startswith(word):
                return kind
    named = order.parts(4)
    if header.text(12).upper() not in ("", "P"):
        return SampleKind.INFORMATION
    if profile.sample_word and len(named) > 1 and named[0] != profile.sample_word.strip():
        return SampleKind.INFORMATION
    return SampleKind.PATIENT


def _hold(finding: Finding, profile: Profile) -> str:
    """Why an R record is held back, worst first; "" when it is not."""
    result = finding.result
    value, status = result.text(4), result.text(9)[:FIELD_CAP].upper()
    doubts = _instrument_comments(finding.comments, profile)
    because = f" ({'; '.join(doubts)[:WORDS_CAP]})" if doubts else ""
    if not value.strip(".") or status in ("X", "I"):
        return f"has no value{because}"
    if value.startswith("?"):
        return f"is doubted by the analyzer itself{because}"
    if doubts:
        return f"came with an analyzer comment{because}"
    if any(sign in result.text(7) for sign in OUT_OF_RANGE):
        return "is beyond the analyzer's range"
    if profile.measured and result.part(3, 5) not in ("", profile.measured):
        return "was not measured but calculated, estimated or keyed"
    if status not in (*FINAL, *CHANGED):
        return f"is not final: {STATUS_WORDS.get(status, f'status {status!r}')}"
    return ""


def _instrument_comments(comments: tuple[Record, ...], profile: Profile) -> list[str]:
    """The analyzer's own words (source I); a person's comment (L) is not a doubt (analyzers 3.2)."""
    return [
        comment.text(4)
        for comment in comments
        if comment.text(3).upper() != "L" and comment.part(4, 1) not in profile.harmless
    ]
