"""From a sample to a glucose infusion: where a law's wish meets the interlocks.

Decides the GIR in force or the proposal for the nurse; not whether the clamp must fall back.
"""

from dataclasses import replace

from clampctl.core import interlocks, samples
from clampctl.core.delivery import integrated
from clampctl.core.insulin import step_at
from clampctl.core.interlocks import Circumstances, Limited
from clampctl.core.laws.defronzo import DeFronzo, first_rate
from clampctl.core.laws.hold import Hold
from clampctl.core.laws.law import Law, Question
from clampctl.core.protocol import Mode, Refusal
from clampctl.core.state import (
    Dosing,
    GivenRate,
    InvariantBroken,
    Phase,
    Proposal,
    Sample,
    State,
    Verdict,
)

LAWS: dict[str, Law] = {"defronzo": DeFronzo(), "hold": Hold()}
"""Every control law by its name in a protocol document."""

GIVEN_KEPT_MS = 40 * 60_000
DELIVERED_OVER_MS_MIN = 60_000
MEAN_MS = 30 * 60_000
MEAN_AFTER_MS = 20 * 60_000


def law_named(name: str) -> Law:
    """The law of that name; a named refusal lists those there are."""
    if name not in LAWS:
        raise Refusal("law", f"law is {name!r}; expected one of {', '.join(sorted(LAWS))}.")
    return LAWS[name]


def on_sample(state: State, at_ms: int) -> Dosing:
    """The dosing after the newest sample: a new GIR in force, or a proposal that waits.

    The law does not remember a doubted sample: its factor would act on the next two, believed ones.
    Raises ArithmeticError or InvariantBroken when the law gives no usable rate.
    """
    sample = state.blood.newest
    if sample is None or state.clamp_started_ms is None:
        return state.dosing
    dosing = state.dosing
    question = _question(state, sample, at_ms)
    settings = question.settings
    advice = law_named(settings.name).advise(dosing.law, question)
    wanted = advice.wanted_mg_kg_min
    before_rule = question.elapsed_ms < settings.rule_from_ms - question.sampling_ms // 2
    if before_rule:
        wanted = first_rate(settings, at_ms - state.clamp_started_ms)
    if not 0.0 <= wanted < float("inf"):
        raise InvariantBroken(f"law {settings.name} wants {wanted}")
    age = samples.age_ms(state.blood, at_ms) or 0
    doubted = sample.verdict is Verdict.DOUBTED
    undoubted = max(dosing.gir_mg_kg_min, dosing.undoubted_mg_kg_min or 0.0)
    now = Circumstances(
        in_force_mg_kg_min=dosing.gir_mg_kg_min,
        doubted=doubted,
        cuts_frozen=age > state.session.protocol.limits.age_stale_ms,
        undoubted_mg_kg_min=undoubted,
        mean_mg_kg_min=mean_given(state, at_ms),
    )
    if doubted:
        dosing = replace(dosing, override_until_ms=None, undoubted_mg_kg_min=undoubted)
    else:
        dosing = replace(
            dosing,
            law=advice.memory,
            decided_at_ms=at_ms,
            integral_at_decision=integrated(state.dextrose, at_ms),
            override_until_ms=None,
            undoubted_mg_kg_min=None,
        )
    limited = interlocks.limit_dextrose(state.session, wanted, now)
    basis = f"sample of minute {question.elapsed_ms / 60_000:.1f}"
    return _given_or_proposed(state, dosing, limited, basis, at_ms)


def by_clock(state: State, at_ms: int) -> Dosing | None:
    """The dosing when a first rate of the protocol is due by the clock; None when none is, or while held.

    A rate just set by hand stays: the clock knows less than the nurse, only a sample ends it.
    """
    if state.clamp_started_ms is None:
        return None
    settings = state.session.protocol.law
    dosing = state.dosing
    index = dosing.first_rate_index + 1
    if index >= len(settings.first_rates):
        return None
    elapsed_ms = at_ms - state.clamp_started_ms
    if elapsed_ms < settings.first_rates[index].from_ms or state.phase is Phase.HOLD:
        return None
    dosing = replace(dosing, first_rate_index=index)
    if elapsed_ms >= settings.rule_from_ms or dosing.override_until_ms is not None:
        return dosing
    now = Circumstances(dosing.gir_mg_kg_min, doubted=False, cuts_frozen=False)
    limited = interlocks.limit_dextrose(state.session, first_rate(settings, elapsed_ms), now)
    return _given_or_proposed(state, dosing, limited, f"protocol minute {elapsed_ms // 60_000}", at_ms)


def mean_given(state: State, at_ms: int) -> float | None:
    """Mean GIR in force over the last 30 min; None until insulin has run for 20."""
    started_ms = state.clamp_started_ms
    if started_ms is None or at_ms - started_ms < MEAN_AFTER_MS:
        return None
    start_ms = max(started_ms, at_ms - MEAN_MS)
    weighted, until_ms = 0.0, at_ms
    for given in reversed(state.dosing.given):
        weighted += given.gir_mg_kg_min * max(0, until_ms - max(start_ms, given.at_ms))
        until_ms = given.at_ms
    return weighted / (at_ms - start_ms)


def _question(state: State, sample: Sample, at_ms: int) -> Question:
    protocol, dosing = state.session.protocol, state.dosing
    started_ms = state.clamp_started_ms or 0
    _, step, _ = step_at(protocol, at_ms - started_ms)
    return Question(
        glucose_mg_dl=sample.glucose_mg_dl,
        drawn_at_ms=sample.drawn_at_ms,
        elapsed_ms=sample.drawn_at_ms - started_ms,
        target_mg_dl=step.target_mg_dl,
        sampling_ms=protocol.sampling_ms,
        delivered_mg_kg_min=delivered_gir(state, at_ms),
        in_force_mg_kg_min=dosing.gir_mg_kg_min,
        settings=protocol.law,
    )


def delivered_gir(state: State, at_ms: int) -> float | None:
    """Mean GIR by the dextrose pump's reports since the last decision; None when not known."""
    dosing = state.dosing
    if dosing.decided_at_ms is None or at_ms - dosing.decided_at_ms < DELIVERED_OVER_MS_MIN:
        return None
    moved = integrated(state.dextrose, at_ms) - dosing.integral_at_decision
    mean_ul_h = moved / (at_ms - dosing.decided_at_ms)
    return interlocks.gir_of(state.session, 1) * mean_ul_h


def _given_or_proposed(state: State, dosing: Dosing, limited: Limited, basis: str, at_ms: int) -> Dosing:
    dosing = replace(dosing, wanted_mg_kg_min=limited.wanted_mg_kg_min)
    if state.mode is Mode.AUTOMATIC:
        return in_force(dosing, limited.gir_mg_kg_min, limited.rate_ul_h, limited.reasons, at_ms)
    number = dosing.proposals_made + 1
    proposal = Proposal(
        number=number,
        gir_mg_kg_min=limited.gir_mg_kg_min,
        wanted_mg_kg_min=limited.wanted_mg_kg_min,
        rate_ul_h=limited.rate_ul_h,
        reasons=limited.reasons,
        basis=basis,
        made_at_ms=at_ms,
        expires_at_ms=at_ms + state.session.protocol.limits.proposal_ms,
    )
    return replace(dosing, proposal=proposal, proposals_made=number)


def in_force(
    dosing: Dosing, gir_mg_kg_min: float, rate_ul_h: int, reasons: tuple[str, ...], at_ms: int
) -> Dosing:
    """The dosing once this GIR is given."""
    old = [rate for rate in dosing.given if rate.at_ms < at_ms - GIVEN_KEPT_MS]
    given = dosing.given[max(0, len(old) - 1) :]
    return replace(
        dosing,
        gir_mg_kg_min=gir_mg_kg_min,
        rate_ul_h=rate_ul_h,
        reasons=reasons,
        proposal=None,
        given=(*given, GivenRate(at_ms, gir_mg_kg_min)),
    )


def confirmed(state: State, number: int, at_ms: int) -> Dosing | str:
    """The dosing once the nurse accepted proposal `number`, or the sentence that refuses it."""
    proposal = state.dosing.proposal
    if proposal is None or proposal.number != number:
        return "That proposal is no longer the current one; look at the new value."
    if at_ms > proposal.expires_at_ms:
        return "That proposal is older than a minute; ask for it again."
    if state.phase not in (Phase.PRIME, Phase.CLAMP):
        return f"No rate can be accepted in the phase {state.phase.value}."
    return in_force(state.dosing, proposal.gir_mg_kg_min, proposal.rate_ul_h, proposal.reasons, at_ms)


def overridden(state: State, gir_mg_kg_min: float, reason: str, at_ms: int) -> Dosing | str:
    """The dosing once the nurse set another GIR, or the sentence that refuses it."""
    limits = state.session.protocol.limits
    if state.phase not in (Phase.PRIME, Phase.CLAMP, Phase.HOLD):
        return f"The rate cannot be changed by hand in the phase {state.phase.value}."
    if not reason.strip():
        return "A rate set by hand needs a reason."
    if not 0.0 <= gir_mg_kg_min <= limits.gir_mg_kg_min_max:
        return f"{gir_mg_kg_min:g} mg/kg/min is outside 0 to {limits.gir_mg_kg_min_max:g} mg/kg/min."
    rate_ul_h, too_much = interlocks.dextrose_rate(state.session, gir_mg_kg_min)
    if too_much:
        return f"{gir_mg_kg_min:g} mg/kg/min is more than the pump may give: {too_much}."
    dosing = in_force(state.dosing, gir_mg_kg_min, rate_ul_h, ("set by hand",), at_ms)
    return replace(dosing, override_until_ms=at_ms + limits.override_ms)
