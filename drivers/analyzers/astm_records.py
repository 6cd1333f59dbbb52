"""Records of ASTM E1394 (CLSI LIS02-A2): a message's H, P, O, R, C, L cut into fields and put in order.

Source: analyzers reference 3.1 rule 7, 3.2. Fields are counted from 1, the record letter being 1, as in
the standard. Nothing here raises on any text: what is missing reads as "".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

ESCAPED = {"F": 0, "R": 1, "S": 2, "E": 3}
"""Escape letters and which delimiter of the H record each stands for (analyzers 3.1, rule 7)."""

USUAL = "|\\^&"
"""Field, repeat, component, escape, unless the H record says otherwise."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record, cut by its message's delimiters."""

    letter: str
    fields: tuple[str, ...]
    delimiters: str

    def parts(self, number: int) -> tuple[str, ...]:
        """The components of a field, stripped and with escapes resolved; at least one, maybe ""."""
        raw = self.fields[number - 1] if number <= len(self.fields) else ""
        return tuple(self._plain(part) for part in raw.split(self.delimiters[2]))

    def part(self, number: int, component: int) -> str:
        """One component, counted from 1; "" where there is none."""
        parts = self.parts(number)
        return parts[component - 1] if component <= len(parts) else ""

    def text(self, number: int) -> str:
        """A field with its components joined by blanks."""
        return " ".join(part for part in self.parts(number) if part)

    def _plain(self, text: str) -> str:
        escape = self.delimiters[3]
        for letter, index in ESCAPED.items():
            text = text.replace(f"{escape}{letter}{escape}", self.delimiters[index])
        return text.strip()


@dataclass(frozen=True, slots=True)
class Finding:
    """One R record with everything that belongs to it.

    `comments` are the C records after it, and those above it: of its order, patient or message.
    `first` is the first R record of its order.
    """

    patient: Record
    order: Record
    result: Record
    first: Record
    comments: tuple[Record, ...]


@dataclass(slots=True)
class _Open:
    """A message while its records come by."""

    patient: Record
    order: Record
    above: list[Record] = field(default_factory=list)
    group: list[tuple[Record, list[Record]]] = field(default_factory=list)


def delimiters_of(header: str) -> str | None:
    """The four delimiters of an H record; None where they are not four different signs."""
    signs = header[1:5]
    different = len(set(signs)) == len(signs) == len(USUAL)
    if not different or any(sign.isalnum() or sign.isspace() for sign in signs):
        return None
    return signs


def record_of(line: str, delimiters: str = USUAL) -> Record:
    """Cut one record; the delimiters of an H record are its field 2."""
    return Record(line[:1].upper(), tuple(line.split(delimiters[0])), delimiters)


def findings(records: Iterable[Record]) -> list[Finding]:
    """The R records of a message, each under its patient, order and comments."""
    nothing = Record("", (), USUAL)
    now = _Open(nothing, nothing)
    found: list[Finding] = []
    for record in records:
        match record.letter:
            case "P":
                found += _closed(now)
                now = _Open(record, nothing, now.above if now.patient is nothing else [])
            case "O":
                found += _closed(now)
                now = _Open(now.patient, record, now.above if now.order is nothing else [])
            case "R":
                now.group.append((record, []))
            case "C" if now.group:
                now.group[-1][1].append(record)
            case "C":
                now.above.append(record)
            case _:
                pass  # Q, M, S and what else there is says nothing about a result
    return found + _closed(now)


def _closed(now: _Open) -> list[Finding]:
    return [
        Finding(now.patient, now.order, result, now.group[0][0], (*now.above, *comments))
        for result, comments in now.group
    ]
