"""A protocol with one thing changed, for a simulation or a choice on the command line."""

from dataclasses import replace

from clampctl.core.protocol import Mode, Protocol, Refusal
from clampctl.units import MS_PER_MIN

WINDOW_MS = 40 * MS_PER_MIN
"""The last 40 min of a clamp of 120 to 180 min carry its M value (clamp-method 1.6 [R])."""


def with_minutes(protocol: Protocol, minutes: float) -> Protocol:
    """The clamp made `minutes` long by its last step, whose M window becomes its last 40 min.

    `minutes` counts all steps together. Refused where nothing would be left of the last step.
    """
    *before, last = protocol.steps
    duration_ms = round(minutes * MS_PER_MIN) - sum(step.duration_ms for step in before)
    if duration_ms <= 0:
        raise Refusal("minutes", f"minutes is {minutes:g}; nothing is left for step {last.name!r}.")
    changed = replace(
        last,
        duration_ms=duration_ms,
        window_start_ms=max(0, duration_ms - WINDOW_MS),
        window_end_ms=duration_ms,
    )
    return replace(protocol, steps=(*before, changed))


def with_mode(protocol: Protocol, mode: Mode) -> Protocol:
    """The same protocol, its rates confirmed by hand or applied by the program."""
    return replace(protocol, mode=mode)


def with_law(protocol: Protocol, law: str) -> Protocol:
    """The same protocol under another control law, with the same settings."""
    return replace(protocol, law=replace(protocol.law, name=law))
