"""The one function that decides: `step(state, event, at_ms) -> (state, commands)`.

Live, simulated and replayed clamps run this same function. An event is taken in, the phase may
change by the clock, a usable sample is dosed on, the safe state is entered when something fails,
both pumps get their order, and the alarms are looked at. Nothing else happens anywhere.
"""

from dataclasses import replace
from typing import assert_never

from clampctl.core import alarms, devices, dosing, fallback, insulin, interlocks, people, readback, samples
from clampctl.core.commands import Command, Role
from clampctl.core.events import (
    RUNNING,
    ClockStepped,
    Event,
    GlucoseSampled,
    JournalTroubled,
    LinkHeard,
    LinkLost,
    LinkTroubled,
    PumpIdentified,
    PumpReported,
    ReadingImported,
    SessionResumed,
    SessionStarted,
    Ticked,
    WindowsCounted,
)
from clampctl.core.laws.law import LawState
from clampctl.core.phases import Trigger
from clampctl.core.protocol import Mode
from clampctl.core.state import (
    DOSING,
    Blood,
    Closing,
    Dosing,
    InvariantBroken,
    Phase,
    Pump,
    Safeguards,
    Session,
    State,
    Verdict,
)
from clampctl.core.values import changed

GOOD_GLUCOSE_MG_DL = 80.0
FLAT_GIR_SHARE = 0.2
GOOD_SAMPLE_EVERY_MS = 10 * 60_000


def step(state: State | None, event: Event, at_ms: int) -> tuple[State, tuple[Command, ...]]:
    """The next state, and the orders that may leave once both are on disk.

    Raises InvariantBroken on a bug: a second start, an event before the start, time going back.
    """
    if state is None:
        if not isinstance(event, SessionStarted):
            raise InvariantBroken(f"{type(event).__name__} before the session started")
        return _opened(event, at_ms), ()
    if at_ms < state.at_ms:
        raise InvariantBroken(f"time went back from {state.at_ms} to {at_ms} ms")
    after = _taken(state, event, at_ms)
    if state.blood.newest is not after.blood.newest:
        after = _sampled(after, at_ms)
    after = _by_the_clock(after, at_ms)
    after, planned_dextrose, planned_insulin = _planned(after, at_ms)
    after, commands = _ordered(after, planned_dextrose, planned_insulin, at_ms)
    return _watched(state, after, at_ms), commands


def _opened(event: SessionStarted, at_ms: int) -> State:
    session = Session(
        event.session_id, event.protocol, event.subject, event.station, event.software, event.started_utc
    )
    dosing.law_named(event.protocol.law.name)
    mode = event.protocol.mode if event.station.unproven is None else Mode.CONFIRM
    return State(
        at_ms=at_ms,
        session=session,
        phase=Phase.SETUP,
        mode=mode,
        clamp_started_ms=None,
        prime_allowed=True,
        blood=Blood(),
        dextrose=Pump(Role.DEXTROSE),
        insulin=Pump(Role.INSULIN),
        dosing=Dosing(LawState()),
        insulin_mu_m2_min=0.0,
        insulin_ul_h=0,
        tailing=None,
        insulin_off_ms=None,
        alarms=(),
        audio_paused_until_ms=None,
        safeguards=Safeguards(),
        closing=Closing(),
        refusal="",
    )


def _taken(state: State, event: Event, at_ms: int) -> State:
    match event:
        case PumpReported() | GlucoseSampled() | LinkHeard() | LinkLost() | LinkTroubled() | PumpIdentified():
            return devices.take(state, event, at_ms)
        case Ticked() | ReadingImported():
            return changed(state, at_ms=at_ms)
        case SessionResumed():
            return _resumed(changed(state, at_ms=at_ms), event, at_ms)
        case ClockStepped() | WindowsCounted():
            return changed(state, at_ms=at_ms, safeguards=_guarded(state.safeguards, event, at_ms))
        case JournalTroubled():
            state = changed(state, at_ms=at_ms, safeguards=_guarded(state.safeguards, event, at_ms))
            return changed(state, mode=Mode.CONFIRM)  # SR-29: what is not recorded is not automatic
        case SessionStarted():
            raise InvariantBroken("the session was started twice")
        case _:
            return people.take(changed(state, at_ms=at_ms), event, at_ms)


def _guarded(
    guard: Safeguards, event: ClockStepped | JournalTroubled | WindowsCounted, at_ms: int
) -> Safeguards:
    match event:
        case ClockStepped():
            return replace(guard, clock_step_ms=event.step_ms)
        case JournalTroubled():
            return replace(guard, journal_trouble=event.detail, journal_copies_left=event.copies_left)
        case WindowsCounted():
            had = guard.windows is not None and guard.windows > 0
            gone_ms = guard.windows_gone_at_ms
            if event.count > 0:
                gone_ms = None
            elif had:
                gone_ms = at_ms
            return replace(guard, windows=event.count, windows_gone_at_ms=gone_ms)
        case _:
            assert_never(event)


def _resumed(state: State, event: SessionResumed, at_ms: int) -> State:
    """A new engine: both pumps unknown until read, insulin off until a nurse confirms (SR-19)."""
    state = changed(
        state,
        dextrose=readback.lost(state.dextrose, ""),
        insulin=readback.lost(state.insulin, ""),
        safeguards=replace(
            state.safeguards, restarted=event.reason or "no reason known", resumed_at_ms=at_ms, windows=None
        ),
        dosing=replace(state.dosing, proposal=None),
    )
    if state.phase in DOSING:
        return people.fell_back(state, f"the program restarted: {event.reason}", at_ms, restarted=True)
    return state


def _sampled(state: State, at_ms: int) -> State:
    """What a new usable sample changes: the tail rule's count, and the dose while the law acts."""
    newest = state.blood.newest
    if newest is not None and _repeats_itself(state):
        reason = "the same value again and again while GIR moved: check the analyzer"
        state = changed(state, blood=samples.doubted(state.blood, newest, reason))
    state = changed(state, closing=_closing_after_sample(state))
    if state.phase in (Phase.FALLBACK, Phase.TAPER):
        return people.covered(state, at_ms)
    if state.phase not in (Phase.PRIME, Phase.CLAMP):
        return state
    return people.sampled(state, at_ms)


def _repeats_itself(state: State) -> bool:
    """Three equal values or more, while the rule moved GIR by more than a fifth (H16)."""
    blood, started_ms = state.blood, state.clamp_started_ms
    if blood.same_value_run < samples.FLAT_RUN or state.phase not in DOSING or started_ms is None:
        return False
    protocol = state.session.protocol
    ruled_ms = started_ms + protocol.law.rule_from_ms + protocol.sampling_ms
    since_ms = max(blood.same_value_since_ms, ruled_ms)
    rates = [state.dosing.gir_mg_kg_min]
    for given in reversed(state.dosing.given):
        rates.append(given.gir_mg_kg_min)
        if given.at_ms <= since_ms:
            break
    return max(rates) - min(rates) > FLAT_GIR_SHARE * max(rates)


def _closing_after_sample(state: State) -> Closing:
    newest, closing = state.blood.newest, state.closing
    if newest is None or closing.dextrose_off_ms is None or newest.verdict is not Verdict.BELIEVED:
        return closing
    good = closing.good_samples_ms
    if newest.glucose_mg_dl < GOOD_GLUCOSE_MG_DL:
        return replace(closing, good_samples_ms=())
    if good and newest.drawn_at_ms - good[-1] < GOOD_SAMPLE_EVERY_MS:
        return closing
    return replace(closing, good_samples_ms=(*good, newest.drawn_at_ms)[-8:])


def _by_the_clock(state: State, at_ms: int) -> State:
    """What the passing of time alone decides."""
    dose = state.dosing
    if dose.override_until_ms is not None and at_ms >= dose.override_until_ms:
        state = changed(state, dosing=replace(dose, override_until_ms=None))
    if dose.proposal is not None and at_ms > dose.proposal.expires_at_ms + GOOD_SAMPLE_EVERY_MS:
        state = changed(state, dosing=replace(state.dosing, proposal=None))
    paused_ms = state.audio_paused_until_ms
    if paused_ms is not None and at_ms >= paused_ms:
        state = changed(state, audio_paused_until_ms=None)
    if state.phase not in DOSING or state.clamp_started_ms is None:
        return state
    elapsed_ms = at_ms - state.clamp_started_ms
    protocol = state.session.protocol
    if elapsed_ms >= insulin.total_ms(protocol):
        return people.clamp_over(state, "the protocol's time is over", at_ms)
    if elapsed_ms >= protocol.steps[0].prime.until_ms and state.phase is Phase.PRIME:
        state = people.moved(state, Trigger.PRIME_OVER)
    due = dosing.by_clock(state, at_ms)
    if due is not None:
        state = changed(state, dosing=due)
    return state


def _planned(state: State, at_ms: int) -> tuple[State, int | None, int | None]:
    """The rates both pumps should have now, after the last look for a reason to fall back.

    None means: no order in this phase. Before the clamp insulin has to stand still.
    """
    reason = fallback.trigger(state, state.dosing.rate_ul_h, at_ms)
    if reason:
        state = people.fell_back(state, reason, at_ms)
    if state.phase in DOSING and state.clamp_started_ms is not None:
        protocol = state.session.protocol
        elapsed_ms = at_ms - state.clamp_started_ms
        dose = insulin.dose_mu_m2_min(protocol, elapsed_ms, state.prime_allowed)
        if dose != state.insulin_mu_m2_min and not fallback.rise_waits(state, dose, at_ms):
            rate = interlocks.insulin_rate(state.session, dose, insulin.peak_mu_m2_min(protocol))
            state = changed(state, insulin_mu_m2_min=dose, insulin_ul_h=rate, insulin_off_ms=None)
        return state, state.dosing.rate_ul_h, state.insulin_ul_h
    if state.phase is Phase.CLOSED:
        return state, None, None
    if state.phase in (Phase.SETUP, Phase.BASAL):
        pump = state.insulin
        return state, None, 0 if pump.state is RUNNING or pump.commanded_ul_h == 0 else None
    return _tailing(state, at_ms)


def _tailing(state: State, at_ms: int) -> tuple[State, int, int]:
    anew = fallback.held_anew(state, at_ms)
    if anew is not None:
        state = changed(state, tailing=anew)
    gir = fallback.tail_gir(state, at_ms)
    dose = state.dosing
    if gir != dose.gir_mg_kg_min or dose.wanted_mg_kg_min is not None:
        rate, _ = interlocks.dextrose_rate(state.session, gir)
        if gir > 0.0:
            rate = max(rate, state.session.station.dextrose_pump.rate_ul_h_min)
        dose = dosing.in_force(replace(dose, wanted_mg_kg_min=None), gir, rate, (), at_ms)
        state = changed(state, dosing=dose)
    if state.insulin_ul_h != 0 or state.insulin_off_ms is None:
        state = changed(state, insulin_mu_m2_min=0.0, insulin_ul_h=0, insulin_off_ms=at_ms)
    off_ms = state.closing.dextrose_off_ms
    if (dose.rate_ul_h == 0) != (off_ms is not None):
        off_ms = at_ms if dose.rate_ul_h == 0 else None
        state = changed(state, closing=replace(state.closing, dextrose_off_ms=off_ms, good_samples_ms=()))
    return state, dose.rate_ul_h, 0


def _ordered(
    state: State, dextrose_ul_h: int | None, insulin_ul_h: int | None, at_ms: int
) -> tuple[State, tuple[Command, ...]]:
    """The orders of this step; insulin's stop goes first, then dextrose, then insulin's rise."""
    if insulin_ul_h is None:
        return state, ()
    insulin_pump, insulin_order = readback.order(state.insulin, insulin_ul_h, at_ms)
    dextrose_pump, dextrose_order = state.dextrose, None
    if dextrose_ul_h is not None:
        dextrose_pump, dextrose_order = readback.order(state.dextrose, dextrose_ul_h, at_ms)
    if insulin_pump is not state.insulin or dextrose_pump is not state.dextrose:
        state = changed(state, insulin=insulin_pump, dextrose=dextrose_pump)
    if insulin_order is None:
        return state, () if dextrose_order is None else (dextrose_order,)
    if dextrose_order is None:
        return state, (insulin_order,)
    if insulin_ul_h == 0:
        return state, (insulin_order, dextrose_order)
    return state, (dextrose_order, insulin_order)


def _watched(before: State, state: State, at_ms: int) -> State:
    now = alarms.conditions(state, at_ms)
    after = alarms.latched(state.alarms, now, at_ms)
    if after is state.alarms:
        return state
    paused_ms = state.audio_paused_until_ms
    if paused_ms is not None and alarms.louder(before.alarms, after):
        paused_ms = None
    return changed(state, alarms=after, audio_paused_until_ms=paused_ms)
