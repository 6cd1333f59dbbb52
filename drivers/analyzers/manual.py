"""Glucose keyed in by a person who read it off any analyzer.

There is no wire. A value without its unit is refused, and so is a comma or a number that looks like
the other unit: nothing is guessed. An unlikely value, or every value, is keyed twice, the first unseen.
Source: analyzers reference 8 (hand-entered values that differ by more than 20 %: PMC6351970).
"""

from datetime import datetime
from decimal import Decimal
from enum import Enum

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkHeard, LinkTroubled, SampleKind, Trouble
from drivers.reading import UNITS, ReadingRefused, Rules, glucose_mg_dl, number_of

HEARD_MS = 5000
"""The keypad is told to be there in the rhythm of a polled analyzer."""

UNLIKELY_MG_DL = 25.0
"""A value further than this from the last one is unlikely (interface sheet 4.4)."""


class KeyedValueRefused(ValueError):
    """A keyed value that is not taken; the message is for the person who keyed it."""


class Keying(Enum):
    """What became of a keying."""

    TAKEN = "taken"
    AGAIN = "key it once more, unseen"
    DIFFERENT = "the two entries differ, key the value again"


class BlindKeying:
    """Keys a value twice where that is wanted: the first is hidden, the second must be equal.

    `always` False wants it of unlikely values only. Two that differ are both forgotten.
    """

    def __init__(self, always: bool = False) -> None:
        self._always = always
        self._first: tuple[Decimal, str] | None = None

    @property
    def waits(self) -> bool:
        """The second keying is awaited."""
        return self._first is not None

    def keyed(self, number: Decimal, unit: str, unlikely: bool) -> Keying:
        """One keying, as a number: 5.1 and 5.10 are equal, 5.1 mmol/L and 5.1 mg/dL are not."""
        first, self._first = self._first, None
        if first is not None:
            return Keying.TAKEN if first == (number, unit) else Keying.DIFFERENT
        if not (self._always or unlikely):
            return Keying.TAKEN
        self._first = (number, unit)
        return Keying.AGAIN


def keyed_glucose(
    value: str,
    unit: str,
    drawn_at_ms: int | None,
    actor: str,
    keyed_at_ms: int,
    rules: Rules | None = None,
) -> GlucoseSampled:
    """A keyed value as a sample: `value` plain decimal text, `unit` mmol/L or mg/dL, time of the draw.

    mmol/L needs a decimal and mg/dL must have none, so that 51 and 5.1 cannot be mixed up (analyzers 8).
    Errors: KeyedValueRefused for a comma where `rules` have none, a text that is no number, a missing
    or unknown unit or another than the run's, a number that looks like the other unit, a missing actor,
    a draw later than now.
    """
    rules = rules or Rules()
    text, unit_text = value.strip(), unit.strip()
    if "," in text and not rules.comma:
        raise KeyedValueRefused(f"{text!r} has a comma; use a point, as in 5.1.")
    if not unit_text:
        raise KeyedValueRefused("The unit is missing: mmol/L or mg/dL.")
    if unit_text not in UNITS.values():
        raise KeyedValueRefused(f"Unit {unit_text!r} is not known: mmol/L or mg/dL.")
    if rules.unit and unit_text != rules.unit:
        raise KeyedValueRefused(f"Unit {unit_text} is not the unit of this run, which is {rules.unit}.")
    if not actor.strip():
        raise KeyedValueRefused("The initials of the person who keyed the value are missing.")
    if drawn_at_ms is not None and drawn_at_ms > keyed_at_ms:
        raise KeyedValueRefused("The time of the draw lies in the future.")
    try:
        number_of(text, rules.comma)
        _require_form(text, unit_text)
        glucose = glucose_mg_dl(text, unit_text, rules)
    except ReadingRefused as refusal:
        raise KeyedValueRefused(f"{refusal}.") from refusal
    return GlucoseSampled(
        sample_id=f"keyed:{keyed_at_ms}:{text} {unit_text}",
        glucose_mg_dl=glucose,
        drawn_at_ms=drawn_at_ms,
        kind=SampleKind.PATIENT,
        source=f"keyed by {actor.strip()}",
        raw_value=text,
        raw_unit=unit_text,
        flags=("keyed", *(("whole blood x 1.11",) if rules.from_whole_blood else ())),
    )


def _require_form(text: str, unit: str) -> None:
    has_decimal = "." in text or "," in text
    if unit == "mmol/L" and not has_decimal:
        raise KeyedValueRefused(f"{text} mmol/L has no decimal; key it as shown, as in 5.1.")
    if unit == "mg/dL" and has_decimal:
        raise KeyedValueRefused(f"{text} mg/dL has a decimal; key whole mg/dL.")


class ManualAnalyzer:
    """The link of a keypad: nothing on a wire, always there.

    `rules` as for any analyzer; `always_twice` wants every value keyed twice, else unlikely ones.
    `wall_zero` is not used: nothing keyed carries an analyzer's clock.
    """

    def __init__(
        self, *, rules: Rules | None = None, wall_zero: datetime | None = None, always_twice: bool = False
    ) -> None:
        del wall_zero
        self._rules = rules or Rules()
        self._blind = BlindKeying(always_twice)
        self._last_mg_dl: float | None = None
        self._events: list[DeviceEvent] = []
        self._due_ms: int | None = None

    @property
    def waits(self) -> bool:
        """A value was keyed once and has to be keyed once more, unseen."""
        return self._blind.waits

    def opened(self, epoch: int, now_ms: int) -> None:
        """Be there at once."""
        del epoch
        self._due_ms = now_ms

    def keyed(
        self, value: str, unit: str, drawn_at_ms: int | None, actor: str, now_ms: int
    ) -> list[DeviceEvent]:
        """A person keyed a value: a sample, or nothing while the second keying is awaited.

        Errors: as `keyed_glucose`; also KeyedValueRefused when the second differs from the first.
        """
        sample = keyed_glucose(value, unit, drawn_at_ms, actor, now_ms, self._rules)
        last_mg_dl = self._last_mg_dl
        unlikely = last_mg_dl is not None and abs(sample.glucose_mg_dl - last_mg_dl) > UNLIKELY_MG_DL
        number = number_of(sample.raw_value, self._rules.comma)
        match self._blind.keyed(number, sample.raw_unit, unlikely):
            case Keying.AGAIN:
                return []
            case Keying.DIFFERENT:
                raise KeyedValueRefused("The two entries differ; key the value again.")
            case Keying.TAKEN:
                self._last_mg_dl = sample.glucose_mg_dl
                return [sample]

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """There is no wire; bytes mean nothing."""
        del data, now_ms
        return self._told()

    def send(self, command: Command, now_ms: int) -> None:
        """Drop it and say so: there is nothing to order."""
        del now_ms
        detail = f"{type(command).__name__} sent to an analyzer, dropped"
        self._events.append(LinkTroubled(Role.ANALYZER, Trouble.UNEXPECTED, detail))

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """Say that the keypad is there."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        self._due_ms = now_ms + HEARD_MS
        return [*self._told(), LinkHeard(Role.ANALYZER, "keyed by hand")]

    def wake_at(self) -> int | None:
        """When the keypad is next told; None before the first `opened`."""
        return self._due_ms

    def take_output(self) -> bytes:
        """Nothing is ever written."""
        return b""

    def _told(self) -> list[DeviceEvent]:
        events, self._events = self._events, []
        return events
