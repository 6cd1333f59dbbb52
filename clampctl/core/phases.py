"""All phase transitions are in this file; what triggers them is decided elsewhere.

An unlisted trigger is refused aloud, never ignored.
"""

from enum import StrEnum

from clampctl.core.state import Phase


class Trigger(StrEnum):
    """What may move a session from one phase to another."""

    BASAL_STARTED = "basal_started"
    CLAMP_STARTED = "clamp_started"
    PRIME_OVER = "prime_over"
    CLAMP_OVER = "clamp_over"
    HELD = "held"
    RELEASED = "released"
    FELL_BACK = "fell_back"
    RESUMED = "resumed"
    CLOSED = "closed"


TABLE: dict[Phase, dict[Trigger, Phase]] = {
    Phase.SETUP: {Trigger.BASAL_STARTED: Phase.BASAL, Trigger.CLOSED: Phase.CLOSED},
    Phase.BASAL: {Trigger.CLAMP_STARTED: Phase.PRIME, Trigger.CLOSED: Phase.CLOSED},
    Phase.PRIME: {
        Trigger.PRIME_OVER: Phase.CLAMP,
        Trigger.CLAMP_OVER: Phase.TAPER,
        Trigger.HELD: Phase.HOLD,
        Trigger.FELL_BACK: Phase.FALLBACK,
    },
    Phase.CLAMP: {
        Trigger.CLAMP_OVER: Phase.TAPER,
        Trigger.HELD: Phase.HOLD,
        Trigger.FELL_BACK: Phase.FALLBACK,
    },
    Phase.HOLD: {
        Trigger.RELEASED: Phase.CLAMP,
        Trigger.CLAMP_OVER: Phase.TAPER,
        Trigger.FELL_BACK: Phase.FALLBACK,
    },
    Phase.FALLBACK: {
        Trigger.RESUMED: Phase.CLAMP,
        Trigger.CLAMP_OVER: Phase.TAPER,
        Trigger.CLOSED: Phase.CLOSED,
    },
    Phase.TAPER: {Trigger.CLOSED: Phase.CLOSED},
    Phase.CLOSED: {},
}

_WORDS = {
    Trigger.BASAL_STARTED: "Basal sampling cannot start",
    Trigger.CLAMP_STARTED: "Insulin cannot start",
    Trigger.PRIME_OVER: "The prime cannot end",
    Trigger.CLAMP_OVER: "The clamp cannot end",
    Trigger.HELD: "Holding is not possible",
    Trigger.RELEASED: "Nothing is held that could be released",
    Trigger.FELL_BACK: "SAFE-TAIL is not possible",
    Trigger.RESUMED: "There is no SAFE-TAIL to leave",
    Trigger.CLOSED: "The session cannot be closed",
}


def follow(phase: Phase, trigger: Trigger) -> Phase | None:
    """The phase after `trigger`, or None where the table has no such way."""
    return TABLE[phase].get(trigger)


def refusal(phase: Phase, trigger: Trigger) -> str:
    """One sentence for the nurse about a trigger that the table does not list."""
    return f"{_WORDS[trigger]} in the phase {phase.value}."
