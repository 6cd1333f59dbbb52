"""The whole transition table, pair by pair, and the sentences of the refusals."""

import itertools

import pytest

from clampctl.core.phases import TABLE, Trigger, follow, refusal
from clampctl.core.state import Phase

WAYS = {
    ("setup", "basal_started"): "basal",
    ("setup", "closed"): "closed",
    ("basal", "clamp_started"): "prime",
    ("basal", "closed"): "closed",
    ("prime", "prime_over"): "clamp",
    ("prime", "clamp_over"): "taper",
    ("prime", "held"): "hold",
    ("prime", "fell_back"): "fallback",
    ("clamp", "clamp_over"): "taper",
    ("clamp", "held"): "hold",
    ("clamp", "fell_back"): "fallback",
    ("hold", "released"): "clamp",
    ("hold", "clamp_over"): "taper",
    ("hold", "fell_back"): "fallback",
    ("fallback", "resumed"): "clamp",
    ("fallback", "clamp_over"): "taper",
    ("fallback", "closed"): "closed",
    ("taper", "closed"): "closed",
}


PAIRS = tuple(itertools.product(Phase, Trigger))


@pytest.mark.parametrize(("phase", "trigger"), PAIRS)
def test_every_pair(phase: Phase, trigger: Trigger) -> None:
    expected = WAYS.get((phase.value, trigger.value))
    assert follow(phase, trigger) == (None if expected is None else Phase(expected))


@pytest.mark.parametrize(("phase", "trigger"), PAIRS)
def test_a_refusal_is_one_sentence_that_names_the_phase(phase: Phase, trigger: Trigger) -> None:
    sentence = refusal(phase, trigger)
    assert sentence.endswith(f" in the phase {phase.value}.")
    assert sentence[0].isupper()
    assert sentence.count(".") == 1


def test_insulin_phases_can_always_fall_back_and_nothing_leaves_the_end() -> None:
    assert TABLE[Phase.CLOSED] == {}
    for phase in (Phase.PRIME, Phase.CLAMP, Phase.HOLD):
        assert follow(phase, Trigger.FELL_BACK) is Phase.FALLBACK
    assert [phase for phase in Phase if follow(phase, Trigger.RESUMED)] == [Phase.FALLBACK]
