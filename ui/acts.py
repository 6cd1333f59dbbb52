"""Core events as the JSON objects of an act: {"type": class name, **fields}.

Pure: no Qt. The fields are the events' own; only this page knows how they are spelled on the wire.
"""

from dataclasses import fields
from enum import Enum
from typing import Any

from clampctl.core.events import GlucoseSampled, OperatorEvent, SampleKind


def spelled(event: OperatorEvent | GlucoseSampled) -> dict[str, Any]:
    """An event in the core's JSON form; enums by value, tuples as lists."""
    body: dict[str, Any] = {"type": type(event).__name__}
    for field in fields(event):
        value = getattr(event, field.name)
        if isinstance(value, Enum):
            value = value.value
        elif isinstance(value, tuple):
            value = list(value)
        body[field.name] = value
    return body


def keyed_sample(
    number: int, at_ms: int, glucose_mg_dl: float, drawn_at_ms: int | None, text: str, unit: str
) -> GlucoseSampled:
    """A value keyed by hand; `number` counts this window's keyed samples, `text` is what was keyed."""
    return GlucoseSampled(
        sample_id=f"manual:{number}:{at_ms}",
        glucose_mg_dl=glucose_mg_dl,
        drawn_at_ms=drawn_at_ms,
        kind=SampleKind.PATIENT,
        source="manual",
        raw_value=text,
        raw_unit=unit,
        flags=(),
    )
