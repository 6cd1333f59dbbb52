"""SAFE-TAIL: insulin off, dextrose held and then smoothly halved; its entry and its exit.

Stopping everything is not safe: insulin outlasts its infusion. Dextrose holds 30 min at the last
validated rate, then halves every 30 min, recomputed each minute (safety sheet 2.1, form simulated
in 2.3). Decides when to fall back and how much dextrose then; alarms are made elsewhere.
"""

from dataclasses import replace

from clampctl.core import delivery, readback, samples
from clampctl.core.events import PumpState
from clampctl.core.protocol import Limits, Tail
from clampctl.core.state import DOSING, Dosing, Phase, Pump, State, Tailing, Verdict
from clampctl.core.station import PumpSetup

HALVING = (
    1.0, 0.9771599684342459, 0.9548416039104165, 0.9330329915368074, 0.9117224885582168,
    0.8908987181403393, 0.8705505632961241, 0.8506671609508557, 0.8312378961427878, 0.8122523963562356,
    0.7937005259840998, 0.7755723809168673, 0.757858283255199, 0.7405487761432821, 0.7236346187201891,
    0.7071067811865476, 0.690956439983888, 0.675174973084095, 0.6597539553864471, 0.6446851542197896,
    0.6299605249474366, 0.6155722066724582, 0.6015125180410583, 0.5877739531418044, 0.5743491774985174,
    0.5612310241546865, 0.548412489847313, 0.5358867312681466, 0.5236470614103134, 0.5116869459983875,
)  # fmt: skip
"""2 ** (-k / 30) for k = 0..29: the platform's pow may differ in the last bit, a table may not."""

TAIL_OVER_MG_KG_MIN = 0.25
GLUCOSE_TAIL_OVER_MG_DL = 80.0
GLUCOSE_TAPER_AT_ONCE_MG_DL = 180.0
IDLE_GLUCOSE_MG_DL = 80.0
IDLE_AGE_MS = 10 * 60_000
RESUME_AGE_MS = 3 * 60_000
HOLD_ANEW_MS = 5 * 60_000
"""How often the hold begins again while insulin was not seen off; well below `hold_ms`."""


def trigger(state: State, planned_dextrose_ul_h: int, at_ms: int) -> str:
    """Why the clamp must fall back now; empty when it need not. Only while insulin runs by protocol."""
    if state.phase not in DOSING:
        return ""
    limits = state.session.protocol.limits
    station = state.session.station
    newest, sample = state.blood.newest, samples.believed(state.blood)
    if newest is None or sample is None:
        return "no glucose"
    if newest.glucose_mg_dl < limits.glucose_insulin_off_mg_dl:
        return f"glucose {newest.glucose_mg_dl:.1f} mg/dL"
    age = at_ms - sample.drawn_at_ms
    if age > limits.age_fallback_ms:
        return f"no believed glucose for {limits.age_fallback_ms // 60_000} min"
    dextrose, insulin = state.dextrose, state.insulin
    silence_ms = limits.silence_stop_ms
    if not (readback.in_order(dextrose, silence_ms, at_ms) and readback.in_order(insulin, silence_ms, at_ms)):
        fault = _fault(dextrose, station.dextrose_pump, limits, at_ms)
        fault = fault or _fault(insulin, station.insulin_pump, limits, at_ms)
        if fault:
            return fault
    if insulin.reported_ul_h and delivery.still(insulin, station.insulin_pump, limits, at_ms):
        return "insulin is not flowing: the pump's counter stands still"
    if planned_dextrose_ul_h <= 0:
        lowest = min(newest.glucose_mg_dl, sample.glucose_mg_dl)
        return _not_idle(state, lowest, age, at_ms)
    still = delivery.still(dextrose, station.dextrose_pump, limits, at_ms)
    return "dextrose is not flowing" if still else ""  # I2: what is planned flows, verifiably


def _fault(pump: Pump, setup: PumpSetup, limits: Limits, at_ms: int) -> str:
    """What is wrong with one pump, by what it says; empty when nothing is, or it may still pass."""
    name = f"{setup.role.value} pump"
    if not pump.connected:
        return f"{name} disconnected"
    if pump.mismatch:
        return f"{name} cannot be used: {pump.mismatch}"
    if pump.heard_at_ms is None:
        return f"{name} was connected anew"
    if at_ms - pump.heard_at_ms > limits.silence_stop_ms:
        return f"no answer from the {name}"
    if pump.state is PumpState.ALARM:
        return f"{name} alarm: {pump.alarm or 'unknown'}"
    if pump.stopped_by_itself:
        return f"{name} stopped by itself"
    if readback.unverified_for_ms(pump, at_ms) > delivery.patience_ms(setup, limits.readback_ms):
        return readback.told(pump, f"{name} does not hold the commanded rate")
    return ""


def _not_idle(state: State, lowest_mg_dl: float, age_ms: int, at_ms: int) -> str:
    """I2: without dextrose planned, insulin needs glucose well above low and a fresh sample."""
    well = lowest_mg_dl >= IDLE_GLUCOSE_MG_DL and age_ms <= IDLE_AGE_MS
    if well or _waits_for_the_nurse(state, at_ms):
        return ""
    return f"no dextrose planned at {lowest_mg_dl:.1f} mg/dL"


def _waits_for_the_nurse(state: State, at_ms: int) -> bool:
    """Whether dextrose is offered and may still be confirmed, and glucose was well a sample ago."""
    proposal, before = state.dosing.proposal, state.blood.before
    offered = proposal is not None and proposal.rate_ul_h > 0 and at_ms <= proposal.expires_at_ms
    return offered and before is not None and before.glucose_mg_dl >= IDLE_GLUCOSE_MG_DL


def rise_waits(state: State, dose_mu_m2_min: float, at_ms: int) -> bool:
    """Whether running insulin may not rise to a scheduled dose now: held, or no fresh believed sample.

    A start from 0 is granted by a person, with its own sample (`people`).
    """
    if not 0.0 < state.insulin_mu_m2_min < dose_mu_m2_min:
        return False
    age = samples.believed_age_ms(state.blood, at_ms)
    return state.phase is Phase.HOLD or age is None or age > IDLE_AGE_MS


def begin(state: State, reason: str, at_ms: int, restarted: bool = False) -> Tailing:
    """The tail from the last validated rate: the mean of the last 10 min, at least half the highest.

    Three cases in which that mean is too little: glucose below 80 mg/dL keeps the rate in force and a
    raise that waits for the nurse; an insulin pump that takes no order may run on, so the rate in force
    stays; and while the rule has hardly begun there is part of a prime to be covered, by the protocol's
    first rate. After a restart dextrose keeps the rate it was left at (7.4), and is not started. Never
    above the ceiling.
    """
    protocol, dosing = state.session.protocol, state.dosing
    gir = validated_gir(dosing, protocol.tail, at_ms)
    newest = state.blood.newest
    if newest is not None and newest.glucose_mg_dl < GLUCOSE_TAIL_OVER_MG_DL:
        offered = 0.0 if dosing.proposal is None else dosing.proposal.gir_mg_kg_min
        gir = max(gir, dosing.gir_mg_kg_min, offered)
    started_ms = state.clamp_started_ms
    early_ms = protocol.law.rule_from_ms + protocol.tail.average_ms
    high = newest is not None and newest.glucose_mg_dl > GLUCOSE_TAPER_AT_ONCE_MG_DL
    if restarted or not _obeys(state.insulin, protocol.limits.silence_ms, at_ms):
        gir = max(gir, dosing.gir_mg_kg_min)
    early = started_ms is not None and at_ms - started_ms < early_ms
    if early and not (high or restarted):
        gir = max(gir, max((rate.gir_mg_kg_min for rate in protocol.law.first_rates), default=0.0))
    return Tailing(at_ms, min(gir, protocol.limits.gir_mg_kg_min_max), reason)


def _obeys(insulin: Pump, silence_ms: int, at_ms: int) -> bool:
    """Whether the insulin pump can be told to stop now, or stands still already."""
    heard_ms = insulin.heard_at_ms
    heard = heard_ms is not None and at_ms - heard_ms <= silence_ms
    return heard and (
        (insulin.connected and insulin.identified) or (insulin.ours and not insulin.reported_ul_h)
    )


def held_anew(state: State, at_ms: int) -> Tailing | None:
    """The tail with its hold begun again: dextrose does not fade under insulin that was not seen off.

    Two samples above 180 mg/dL let it fade, as they end any hold. None where nothing is to be done.
    """
    tailing = state.tailing
    if tailing is None or at_ms - tailing.since_ms < HOLD_ANEW_MS:
        return None
    if readback.seen_off(state.insulin) or _high_twice(state):
        return None
    return replace(tailing, since_ms=at_ms, gir_mg_kg_min=tail_gir(state, at_ms))


def raised(state: State, gir_mg_kg_min: float, reason: str, at_ms: int) -> Tailing | str:
    """The tail once the nurse raised it, held and halved anew; or the sentence that refuses it."""
    now = tail_gir(state, at_ms)
    highest = state.session.protocol.limits.gir_mg_kg_min_max
    if state.tailing is None or not reason.strip():
        return "A rate set by hand needs a reason."
    if not now <= gir_mg_kg_min <= highest:
        return f"After insulin dextrose can be raised by hand, to {now:.2f} up to {highest:g} mg/kg/min."
    return Tailing(at_ms, gir_mg_kg_min, f"{state.tailing.reason}; raised by hand")


def validated_gir(dosing: Dosing, tail: Tail, at_ms: int) -> float:
    """Mean GIR of the last `average_ms`, clamped to 0.5 to 1.0 of its 30-min maximum (2.1)."""
    highest = 0.0
    weighted = 0.0
    until_ms = at_ms
    start_ms = at_ms - tail.average_ms
    for given in reversed(dosing.given):
        if until_ms > at_ms - 3 * tail.average_ms:
            highest = max(highest, given.gir_mg_kg_min)
        if until_ms > start_ms:
            weighted += given.gir_mg_kg_min * (until_ms - max(start_ms, given.at_ms))
        until_ms = given.at_ms
    return min(highest, max(0.5 * highest, weighted / tail.average_ms))


def tail_gir(state: State, at_ms: int) -> float:
    """The GIR of the tail now; 0 only once it has faded and glucose is known to be well."""
    tailing = state.tailing
    if tailing is None:
        return 0.0
    tail = state.session.protocol.tail
    elapsed_ms = at_ms - tailing.since_ms - tail.hold_ms
    gir = tailing.gir_mg_kg_min
    if _high_twice(state):
        elapsed_ms = max(elapsed_ms, at_ms - tailing.since_ms)
    if elapsed_ms > 0:
        gir *= halved(elapsed_ms, tail.half_life_ms)
    if gir < TAIL_OVER_MG_KG_MIN and _glucose_is_well(state, at_ms):
        return 0.0
    return gir


def halved(elapsed_ms: int, half_life_ms: int) -> float:
    """2 ** (-elapsed / half-life), in thirtieths of a half-life."""
    thirtieths = elapsed_ms * len(HALVING) // half_life_ms
    share = HALVING[thirtieths % len(HALVING)]
    for _ in range(min(60, thirtieths // len(HALVING))):
        share *= 0.5
    return share


def _high_twice(state: State) -> bool:
    """Two believed samples above 180 mg/dL end the hold at once (2.1, exceptions)."""
    newest, before = state.blood.newest, state.blood.before
    return (
        newest is not None
        and newest.verdict is Verdict.BELIEVED
        and before is not None
        and newest.glucose_mg_dl > GLUCOSE_TAPER_AT_ONCE_MG_DL
        and before.glucose_mg_dl > GLUCOSE_TAPER_AT_ONCE_MG_DL
    )


def _glucose_is_well(state: State, at_ms: int) -> bool:
    sample = samples.believed(state.blood)
    age = samples.believed_age_ms(state.blood, at_ms)
    limits = state.session.protocol.limits
    return (
        sample is not None
        and age is not None
        and sample.glucose_mg_dl >= GLUCOSE_TAIL_OVER_MG_DL
        and age <= limits.age_fallback_ms
    )


def resume_refusal(state: State, at_ms: int) -> str:
    """Why SAFE-TAIL may not be left now; empty when it may (safety sheet 2.6)."""
    newest = state.blood.newest
    age = samples.age_ms(state.blood, at_ms)
    restarted_ms = state.safeguards.resumed_at_ms or 0
    if newest is None or age is None or age > RESUME_AGE_MS or newest.received_at_ms < restarted_ms:
        return "Draw a sample first: leaving SAFE-TAIL needs one not older than 3 min."
    if newest.verdict is Verdict.DOUBTED:
        return "The newest sample is doubted: repeat it from another site first."
    if newest.glucose_mg_dl < GLUCOSE_TAIL_OVER_MG_DL:
        return f"Glucose is {newest.glucose_mg_dl:.1f} mg/dL; insulin may run again from 80 mg/dL on."
    for pump, name in ((state.dextrose, "dextrose"), (state.insulin, "insulin")):
        if not (pump.connected and pump.identified and pump.heard_at_ms is not None):
            return f"The {name} pump is not connected and read."
        if at_ms - pump.heard_at_ms > state.session.protocol.limits.silence_ms:
            return f"The {name} pump does not answer; look at its cable first."
        if pump.state in (PumpState.ALARM, PumpState.PAUSED) or pump.stopped_by_itself:
            return f"The {name} pump needs a person: clear its alarm and release it first."
    return ""
