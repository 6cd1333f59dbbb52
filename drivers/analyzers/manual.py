"""Glucose keyed in by a person who read it off any analyzer.

There is no wire. A value without its unit is refused, and so is a decimal comma: nothing is guessed.
"""

import re
from decimal import Decimal

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkHeard, LinkTroubled, SampleKind, Trouble
from clampctl.units import mg_dl_from_mmol_l

HEARD_MS = 5000
"""The keypad is told to be there in the rhythm of a polled analyzer."""

_NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,3})?")


class KeyedValueRefused(ValueError):
    """A keyed value that is not taken; the message is for the person who keyed it."""


def keyed_glucose(
    value: str, unit: str, drawn_at_ms: int | None, actor: str, keyed_at_ms: int
) -> GlucoseSampled:
    """A keyed value as a sample: `value` plain decimal text, `unit` mmol/L or mg/dL, time of the draw.

    Errors: KeyedValueRefused for a comma, a text that is no number, a missing or unknown unit, a
    missing actor, a draw later than now.
    """
    text, unit_text = value.strip(), unit.strip()
    if "," in text:
        raise KeyedValueRefused(f"{text!r} has a comma; use a point, as in 5.1.")
    if _NUMBER.fullmatch(text) is None:
        raise KeyedValueRefused(f"{text!r} is not a plain number.")
    if not unit_text:
        raise KeyedValueRefused("The unit is missing: mmol/L or mg/dL.")
    if unit_text not in ("mmol/L", "mg/dL"):
        raise KeyedValueRefused(f"Unit {unit_text!r} is not known: mmol/L or mg/dL.")
    if not actor.strip():
        raise KeyedValueRefused("The initials of the person who keyed the value are missing.")
    if drawn_at_ms is not None and drawn_at_ms > keyed_at_ms:
        raise KeyedValueRefused("The time of the draw lies in the future.")
    number = float(Decimal(text))
    return GlucoseSampled(
        sample_id=f"keyed:{keyed_at_ms}:{text} {unit_text}",
        glucose_mg_dl=number if unit_text == "mg/dL" else mg_dl_from_mmol_l(number),
        drawn_at_ms=drawn_at_ms,
        kind=SampleKind.PATIENT,
        source=f"keyed by {actor.strip()}",
        raw_value=text,
        raw_unit=unit_text,
        flags=("keyed",),
    )


class ManualAnalyzer:
    """The link of a keypad: nothing on a wire, always there."""

    def __init__(self) -> None:
        self._events: list[DeviceEvent] = []
        self._due_ms: int | None = None

    def opened(self, epoch: int, now_ms: int) -> None:
        """Be there at once."""
        del epoch
        self._due_ms = now_ms

    def keyed(
        self, value: str, unit: str, drawn_at_ms: int | None, actor: str, now_ms: int
    ) -> list[DeviceEvent]:
        """A person keyed a value; errors as `keyed_glucose`."""
        return [keyed_glucose(value, unit, drawn_at_ms, actor, now_ms)]

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
