"""What people asked for: granted into the state, or refused with one sentence.

A refused wish changes nothing but `refusal`. Who asked is in the event, and so in the journal.
"""

from dataclasses import replace
from typing import assert_never

from clampctl.core import alarms, dosing, fallback, interlocks, readback, samples
from clampctl.core.commands import Role
from clampctl.core.delivery import integrated
from clampctl.core.devices import pump_of, with_pump
from clampctl.core.events import (
    AlarmAcknowledged,
    AudioPaused,
    BasalStarted,
    ClampEnded,
    ClampResumed,
    ClampStarted,
    CloseRequested,
    DextroseStopPressed,
    HoldPressed,
    HoldReleased,
    InsulinStopPressed,
    MealGiven,
    ModeChosen,
    NoteLogged,
    OperatorEvent,
    ProposalAsked,
    ProposalConfirmed,
    PumpReleased,
    PumpShown,
    PumpState,
    RateOverridden,
    SampleDrawn,
)
from clampctl.core.insulin import step_at
from clampctl.core.phases import Trigger, follow, refusal
from clampctl.core.protocol import Mode
from clampctl.core.state import DOSING, Dosing, InvariantBroken, Phase, State, Verdict
from clampctl.core.values import changed

CLOSE_AFTER_MS = 30 * 60_000
GOOD_SAMPLES_NEEDED = 3
PROGRAM = "program"
"""The program itself signs its acts so, with a word on why."""

UNRECORDED = "The record cannot be written; insulin stays off and rates are confirmed by hand."


def take(state: State, event: OperatorEvent, at_ms: int) -> State:
    """The state after one operator event; `refusal` says why when it changed nothing."""
    state = changed(state, refusal="")
    match event:
        case SampleDrawn():
            return changed(state, blood=replace(state.blood, draw_marked_ms=at_ms))
        case BasalStarted():
            return moved(state, Trigger.BASAL_STARTED)
        case ClampStarted():
            return _clamp_started(state, at_ms)
        case ClampEnded():
            return clamp_over(state, event.reason or "ended by the nurse", at_ms)
        case CloseRequested():
            return _closed(state, event.reason, at_ms)
        case ProposalConfirmed():
            return _dosed(state, dosing.confirmed(state, event.proposal, at_ms))
        case ProposalAsked():
            return _asked(state, at_ms)
        case RateOverridden():
            return _overridden(state, event, at_ms)
        case HoldPressed():
            held = moved(state, Trigger.HELD)
            return held if held.refusal else changed(held, dosing=replace(held.dosing, proposal=None))
        case HoldReleased():
            return moved(state, Trigger.RELEASED)
        case ModeChosen():
            sentence = _automatic_refusal(state) if event.mode is Mode.AUTOMATIC else ""
            if sentence:
                return _refused(state, sentence)
            return changed(state, mode=event.mode, dosing=replace(state.dosing, proposal=None))
        case InsulinStopPressed():
            who = event.actor if event.actor.startswith(PROGRAM) else "the nurse"
            return fell_back(state, f"insulin stopped by {who}", at_ms)
        case DextroseStopPressed():
            return _dextrose_stopped(state, event.reason, at_ms)
        case ClampResumed():
            return _resumed(state, at_ms)
        case PumpReleased():
            return _released(state, event.role)
        case AlarmAcknowledged():
            return _acknowledged(state, event.alarm)
        case AudioPaused():
            return changed(state, audio_paused_until_ms=at_ms + alarms.silence_ms(state.alarms))
        case MealGiven():
            return changed(state, closing=replace(state.closing, meal=True))
        case NoteLogged() | PumpShown():
            return state
        case _:
            assert_never(event)


def moved(state: State, trigger: Trigger) -> State:
    """The state after a phase trigger, or in the same phase with the refusal the phase table gives.

    An earlier refusal stays: the clock and the interlocks move phases too, and may not answer for it.
    """
    phase = follow(state.phase, trigger)
    if phase is None:
        return changed(state, refusal=refusal(state.phase, trigger))
    return changed(state, phase=phase)


def fell_back(state: State, reason: str, at_ms: int, restarted: bool = False) -> State:
    """Into SAFE-TAIL: the tail begins at the last validated rate, proposals are void."""
    after = moved(state, Trigger.FELL_BACK)
    if after.phase is state.phase:
        return after
    return changed(
        after,
        tailing=fallback.begin(state, reason, at_ms, restarted),
        prime_allowed=False,
        dosing=replace(state.dosing, proposal=None, override_until_ms=None),
    )


def clamp_over(state: State, reason: str, at_ms: int) -> State:
    """Insulin off, dextrose into its taper; a tail already running goes on."""
    after = moved(state, Trigger.CLAMP_OVER)
    if after.phase is state.phase:
        return after
    tailing = state.tailing
    if tailing is None or state.phase is not Phase.FALLBACK:
        tailing = fallback.begin(state, reason, at_ms)
    return changed(
        after, tailing=tailing, dosing=replace(state.dosing, proposal=None, override_until_ms=None)
    )


def _automatic_refusal(state: State) -> str:
    """Why the program may not apply its rates by itself; empty when it may."""
    if _unrecorded(state):
        return UNRECORDED
    pump = state.session.station.unproven
    if pump is not None:
        return f"Automatic mode needs a signed bench sheet of the {pump.role.value} pump; there is none."
    return ""


def _unrecorded(state: State) -> bool:
    """Whether no copy of the record can be written any more."""
    return bool(state.safeguards.journal_trouble) and state.safeguards.journal_copies_left == 0


def _refused(state: State, sentence: str) -> State:
    return changed(state, refusal=sentence)


def _dosed(state: State, outcome: Dosing | str) -> State:
    if isinstance(outcome, str):
        return _refused(state, outcome)
    return changed(state, dosing=outcome)


def _overridden(state: State, event: RateOverridden, at_ms: int) -> State:
    """Another GIR by hand: any within limits under insulin, only a higher one after it."""
    if state.phase not in (Phase.FALLBACK, Phase.TAPER):
        return _dosed(state, dosing.overridden(state, event.gir_mg_kg_min, event.reason, at_ms))
    outcome = fallback.raised(state, event.gir_mg_kg_min, event.reason, at_ms)
    return _refused(state, outcome) if isinstance(outcome, str) else changed(state, tailing=outcome)


def _clamp_started(state: State, at_ms: int) -> State:
    after = moved(state, Trigger.CLAMP_STARTED)
    if after.refusal:
        return after
    for role in (Role.DEXTROSE, Role.INSULIN):
        pump = pump_of(state, role)
        if not (pump.connected and pump.identified and pump.heard_at_ms is not None):
            return _refused(state, f"The {role.value} pump is not connected and identified yet.")
        if at_ms - pump.heard_at_ms > state.session.protocol.limits.silence_ms:
            return _refused(state, f"The {role.value} pump does not answer; look at its cable first.")
        if pump.state is not PumpState.STOPPED:
            return _refused(
                state, f"The {role.value} pump must be stopped and without alarm before the start."
            )
    age = samples.age_ms(state.blood, at_ms)
    newest = state.blood.newest
    if newest is None or age is None or age > fallback.IDLE_AGE_MS:
        return _refused(state, "A basal sample not older than 10 min is needed before insulin starts.")
    if newest.verdict is Verdict.DOUBTED:
        return _refused(state, "The newest sample is doubted; repeat it from another site first.")
    if newest.glucose_mg_dl < fallback.IDLE_GLUCOSE_MG_DL:
        return _refused(
            state, f"Glucose is {newest.glucose_mg_dl:.1f} mg/dL; insulin may start from 80 mg/dL on."
        )
    return changed(after, clamp_started_ms=at_ms)


def _asked(state: State, at_ms: int) -> State:
    age = samples.age_ms(state.blood, at_ms)
    if state.phase not in (Phase.PRIME, Phase.CLAMP):
        return _refused(state, f"There is nothing to propose in the phase {state.phase.value}.")
    newest, given = state.blood.newest, state.dosing.given
    if newest is None or age is None or age > state.session.protocol.limits.age_late_ms:
        return _refused(state, "The newest sample is too old for a proposal; draw another.")
    if given and given[-1].at_ms >= newest.received_at_ms:
        return _refused(state, "The rate was set after the newest sample; draw another.")
    return sampled(state, at_ms)


def sampled(state: State, at_ms: int) -> State:
    """Dose on the newest sample; a law that fails is a reason to fall back, not to skip (SR-33)."""
    try:
        return changed(state, dosing=dosing.on_sample(state, at_ms))
    except (ArithmeticError, InvariantBroken) as error:
        return fell_back(state, f"the control law failed: {error}", at_ms)


def covered(state: State, at_ms: int) -> State:
    """After a sample in the tail: while insulin was not seen off, dextrose follows the law upward.

    Holding covers insulin that has stopped, not insulin that runs on. Never downward, never from 0 (a
    person stopped it), and in either mode: it is the way toward less risk.
    """
    now = fallback.tail_gir(state, at_ms)
    if state.tailing is None or now == 0.0 or readback.seen_off(state.insulin):
        return state
    try:
        ruled = dosing.on_sample(changed(state, mode=Mode.AUTOMATIC), at_ms)
    except (ArithmeticError, InvariantBroken):
        return state
    dose = state.dosing
    in_force = replace(
        ruled, gir_mg_kg_min=dose.gir_mg_kg_min, rate_ul_h=dose.rate_ul_h, reasons=(), given=dose.given
    )
    tailing = state.tailing
    if ruled.gir_mg_kg_min > now:
        tailing = replace(tailing, since_ms=at_ms, gir_mg_kg_min=ruled.gir_mg_kg_min)
    return changed(state, dosing=in_force, tailing=tailing)


def _dextrose_stopped(state: State, reason: str, at_ms: int) -> State:
    if not reason.strip():
        return _refused(state, "Stopping dextrose needs a reason.")
    if state.phase in DOSING:
        state = fell_back(state, f"dextrose stopped by the nurse: {reason}", at_ms)
    if state.tailing is None or state.phase is Phase.CLOSED:
        return _refused(state, "No dextrose is given by the program; stop it at the pump.")
    return changed(state, tailing=replace(state.tailing, gir_mg_kg_min=0.0))


def _resumed(state: State, at_ms: int) -> State:
    after = moved(state, Trigger.RESUMED)
    if after.refusal:
        return after
    if _unrecorded(state):
        return _refused(state, UNRECORDED)
    sentence = fallback.resume_refusal(state, at_ms)
    if sentence:
        return _refused(state, sentence)
    safeguards = replace(state.safeguards, restarted="")
    gir = fallback.tail_gir(state, at_ms)
    rate_ul_h, _ = interlocks.dextrose_rate(state.session, gir)
    given = dosing.in_force(state.dosing, gir, rate_ul_h, ("resumed from SAFE-TAIL",), at_ms)
    given = replace(
        given,
        decided_at_ms=at_ms,
        integral_at_decision=integrated(state.dextrose, at_ms),
        undoubted_mg_kg_min=None,
    )
    return changed(after, tailing=None, safeguards=safeguards, dosing=given)


def _released(state: State, role: Role) -> State:
    if role is Role.ANALYZER:
        return _refused(state, "The analyzer is no pump.")
    pump = pump_of(state, role)
    if not pump.stopped_by_itself:
        return _refused(state, f"The {role.value} pump waits for nobody.")
    if pump.state is PumpState.ALARM:
        return _refused(state, f"The {role.value} pump still shows an alarm; clear it at the pump.")
    return with_pump(state, changed(pump, stopped_by_itself=False, commanded_at_ms=None), state.at_ms)


def _acknowledged(state: State, name: str) -> State:
    guard = state.safeguards
    if name == "engine_restarted":
        guard = replace(guard, restarted="")
    elif name == "clock_step":
        guard = replace(guard, clock_step_ms=0)
    elif name == "queue_full":
        guard = replace(guard, queue_full="")
    return changed(state, safeguards=guard, alarms=alarms.acknowledged(state.alarms, name))


def _closed(state: State, reason: str, at_ms: int) -> State:
    after = moved(state, Trigger.CLOSED)
    if state.insulin.connected and state.insulin.state is PumpState.RUNNING and not after.refusal:
        return _refused(state, "The insulin pump still runs; stop it before the session is closed.")
    if after.refusal or state.phase in (Phase.SETUP, Phase.BASAL) or reason.strip():
        return after
    closing = state.closing
    if closing.dextrose_off_ms is None or at_ms - closing.dextrose_off_ms < CLOSE_AFTER_MS:
        return _refused(state, "Dextrose has not been off for 30 min; closing now needs a reason.")
    if len(closing.good_samples_ms) < GOOD_SAMPLES_NEEDED:
        return _refused(state, "Three samples of 80 mg/dL or more, 10 min apart, are needed; else a reason.")
    if not closing.meal:
        return _refused(state, "The meal is not recorded; closing without it needs a reason.")
    return after


def target_mg_dl(state: State, at_ms: int) -> float:
    """The glucose target that holds now."""
    protocol = state.session.protocol
    if state.clamp_started_ms is None:
        return protocol.steps[0].target_mg_dl
    return step_at(protocol, at_ms - state.clamp_started_ms)[1].target_mg_dl
