"""Alarms: pure conditions, and the one latch that turns them into occurrences.

A condition is a fact that holds now, with the text: what; what the program did; what you do. The
latch remembers onset, acknowledgement and, for the grave ones, that it was there (safety sheet 6.2).
"""

from dataclasses import replace
from typing import NamedTuple

from clampctl.core import delivery, insulin, readback
from clampctl.core.commands import Role
from clampctl.core.events import IN_ALARM
from clampctl.core.protocol import Limits
from clampctl.core.state import DOSING, DOUBTED, Alarm, Phase, Priority, Pump, Sample, State
from clampctl.core.station import PumpSetup

RECENT_INSULIN_MS = 60 * 60_000
"""Insulin still acts this long after its infusion (clamp-method 4.3: 60 to 80 min)."""

AUDIO_PAUSE_MS = 120_000
AUDIO_PAUSE_HIGH_MS = 60_000


class Condition(NamedTuple):
    """One alarm condition that holds now; made anew at each look, so as light as can be."""

    name: str
    priority: Priority
    text: str
    latching: bool = False


def conditions(state: State, at_ms: int) -> tuple[Condition, ...]:
    """Every condition that holds at this moment."""
    by_protocol = state.phase in DOSING
    if not by_protocol and state.phase is Phase.CLOSED:
        return ()
    station, limits = state.session.station, state.session.protocol.limits
    found = _glucose(state)
    for pump, setup in ((state.dextrose, station.dextrose_pump), (state.insulin, station.insulin_pump)):
        if not readback.in_order(pump, limits.silence_ms, at_ms):
            found += _pump(state.phase, pump, setup, limits, at_ms)
    found += _dextrose_gap(state)
    found += _safeguards(state, at_ms)
    if by_protocol:
        found += _sampling(state, at_ms)
        found += _insulin_waits(state, at_ms)
        found += _gir(state)
    elif state.phase is Phase.FALLBACK and state.tailing is not None:
        found.append(_safe_tail(state, state.tailing.reason, at_ms))
    return tuple(found)


def _safe_tail(state: State, reason: str, at_ms: int) -> Condition:
    rates = f"{_insulin_is(state)}, {_dextrose_is(state, at_ms)}"
    return Condition("safe_tail", Priority.HIGH, f"SAFE-TAIL: {reason} - {rates} - sample now")


def _gir(state: State) -> list[Condition]:
    """The GIR in force while insulin runs: unusually high, or not what the law wants."""
    found = []
    soft, dosing = state.session.protocol.limits.gir_mg_kg_min_soft, state.dosing
    if dosing.gir_mg_kg_min > soft:
        text = f"GIR above {soft:g} mg/kg/min - check dextrose line, bag strength and insulin strength"
        found.append(Condition("gir_high", Priority.MEDIUM, text))
    if dosing.reasons:
        found.append(Condition("gir_limited", Priority.LOW, f"GIR limited: {dosing.reasons[0]}"))
    return found


def _insulin_is(state: State) -> str:
    """Whether insulin is off, as far as that was seen."""
    return "insulin off" if readback.seen_off(state.insulin) else "insulin NOT seen off: stop it at the pump"


def _dextrose_is(state: State, at_ms: int) -> str:
    """Whether the tail's dextrose flows, as far as that was seen."""
    if state.dosing.rate_ul_h == 0:
        return "dextrose off"
    pump, limits = state.dextrose, state.session.protocol.limits
    if pump.ours and delivery.flowing(pump, state.session.station.dextrose_pump, limits, at_ms):
        return "dextrose held"
    return "dextrose NOT seen flowing: go to its pump"


def _glucose(state: State) -> list[Condition]:
    """What the newest result says, and what keeps the next from coming."""
    found = []
    blood = state.blood
    if blood.analyzer_lost:
        text = f"Analyzer: {blood.analyzer_lost} - check its cable"
        found.append(Condition("analyzer_lost", Priority.MEDIUM, text))
    if blood.analyzer_held:
        urgent = Priority.MEDIUM if state.phase in DOSING else Priority.LOW
        text = f"Result not taken: {blood.analyzer_held} - GIR not changed - sample again"
        found.append(Condition("result_held", urgent, text))
    newest = blood.newest
    if newest is None:
        return found
    value = newest.glucose_mg_dl
    if newest.verdict is DOUBTED:
        text = f"Glucose {value:.1f} doubted: {newest.reason} - GIR cut at most 20 % - repeat within 3 min"
        found.append(Condition("glucose_doubted", Priority.MEDIUM, text))
    if value < 54.0:
        text = f"GLUCOSE {value:.1f} mg/dL - insulin STOPPED - give rescue dextrose"
        found.append(Condition("glucose_below_54", Priority.HIGH, text, latching=True))
    elif value < 70.0:
        text = f"Glucose {value:.1f} mg/dL - sample again at once"
        found.append(Condition("glucose_below_70", Priority.MEDIUM, text))
    elif value < 80.0 and _falls_fast(newest, blood.before):
        text = f"Glucose {value:.1f} mg/dL and falling fast - sample again"
        found.append(Condition("glucose_falling", Priority.MEDIUM, text))
    return found


def _falls_fast(newest: Sample, before: Sample | None) -> bool:
    """Faster than 3 mg/dL/min between the last two believed samples."""
    if before is None:
        return False
    minutes = (newest.drawn_at_ms - before.drawn_at_ms) / 60_000
    return before.glucose_mg_dl - newest.glucose_mg_dl > 3.0 * minutes


def _sampling(state: State, at_ms: int) -> list[Condition]:
    """How old glucose is while insulin runs, and a rate by hand that waits for the next."""
    limits = state.session.protocol.limits
    newest = state.blood.newest
    if newest is None:
        return []
    found = []
    age = at_ms - newest.drawn_at_ms
    minutes = age / 60_000
    if age > limits.age_stale_ms:
        text = f"No glucose for {minutes:.0f} min - GIR not cut - sample now"
        found.append(Condition("glucose_stale", Priority.HIGH, text))
    elif age > limits.age_late_ms:
        text = f"Last glucose is {minutes:.0f} min old - sample now"
        found.append(Condition("glucose_stale", Priority.MEDIUM, text))
    if state.dosing.override_until_ms is not None:
        text = f"GIR {state.dosing.gir_mg_kg_min:.2f} mg/kg/min set by hand - the next sample ends it"
        found.append(Condition("override", Priority.LOW, text))
    return found


def _pump(phase: Phase, pump: Pump, setup: PumpSetup, limits: Limits, at_ms: int) -> list[Condition]:
    """What is to be said of a pump that is not in order."""
    found = []
    role, name = pump.role, pump.role.capitalize()
    if pump.mismatch:
        text = f"{name} pump cannot be used: {pump.mismatch} - nothing is written to it - go to the pump"
        found.append(Condition(f"{role}_identity", Priority.HIGH, text, latching=True))
    if pump.heard_at_ms is None and not pump.trouble and phase is Phase.SETUP:
        return found
    found += _link(pump, name, limits, phase, at_ms)
    if pump.state is IN_ALARM:
        urgent = Priority.HIGH if pump.role is Role.DEXTROSE else Priority.MEDIUM
        if phase is Phase.SETUP:
            urgent = Priority.LOW
        text = f"{name} pump alarm: {pump.alarm or 'unknown'} - go to the pump"
        found.append(Condition(f"{role}_pump_alarm", urgent, text))
    if pump.connected and not pump.verified:
        patience_ms = delivery.patience_ms(setup, limits.readback_ms)
        if readback.unverified_for_ms(pump, at_ms) > patience_ms:
            found.append(_not_as_commanded(pump, role, name))
    if pump.account is not None and pump.account.disagrees:
        text = f"{name}: {pump.account.disagrees} - check syringe and line"
        found.append(Condition(f"{role}_volume", Priority.HIGH, text))
    return found


def _link(pump: Pump, name: str, limits: Limits, phase: Phase, at_ms: int) -> list[Condition]:
    """Whether a pump is connected, read, and answers: at most one condition."""
    role = pump.role
    if pump.trouble or not pump.connected:
        text = f"{name} pump disconnected: {pump.trouble or 'no link'} - check cable and pump"
        urgent = Priority.HIGH if phase is not Phase.SETUP else Priority.MEDIUM
    elif pump.heard_at_ms is None:
        text = f"{name} pump connected, but not read yet - wait, look at it"
        urgent = Priority.MEDIUM
    elif at_ms - pump.heard_at_ms > limits.silence_ms:
        silent_ms = at_ms - pump.heard_at_ms
        text = f"No answer from the {role} pump for {silent_ms // 1000} s - check its cable"
        urgent = Priority.HIGH if silent_ms > limits.silence_stop_ms else Priority.MEDIUM
    else:
        return []
    return [Condition(role + "_link", urgent, text)]


def _not_as_commanded(pump: Pump, role: str, name: str) -> Condition:
    commanded, reported = pump.commanded_ul_h or 0, pump.reported_ul_h or 0
    rates = f"{name} pump runs {reported / 1000:.2f} mL/h, commanded {commanded / 1000:.2f}"
    return Condition(f"{role}_rate", Priority.HIGH, f"{readback.told(pump, rates)} - go to the pump")


def _dextrose_gap(state: State) -> list[Condition]:
    """Dextrose stopped, or planned but not flowing, while insulin runs or acted within the hour."""
    pump = state.dextrose
    if not (pump.stopped_by_itself or _dry(state, pump)):
        return []
    off_ms = state.insulin_off_ms
    if state.phase in DOSING or (off_ms is not None and state.at_ms - off_ms < RECENT_INSULIN_MS):
        what = "STOPPED" if pump.stopped_by_itself else "NOT FLOWING"
        text = f"DEXTROSE {what} while insulin acts - {_insulin_is(state)} - give dextrose by hand"
        return [Condition("dextrose_not_flowing", Priority.HIGH, text, latching=True)]
    return []


def _dry(state: State, pump: Pump) -> bool:
    """Whether dextrose is planned, and its pump is read but does not deliver it."""
    if state.clamp_started_ms is None or state.dosing.rate_ul_h <= 0:
        return False
    session, at_ms, heard_ms = state.session, state.at_ms, pump.heard_at_ms
    limits = session.protocol.limits
    if not pump.connected or heard_ms is None or at_ms - heard_ms > limits.silence_stop_ms:
        return False
    return delivery.still(pump, session.station.dextrose_pump, limits, at_ms)


def _insulin_waits(state: State, at_ms: int) -> list[Condition]:
    """The protocol's insulin rises, but not while held or without a fresh believed sample."""
    if state.clamp_started_ms is None:
        return []
    elapsed_ms = at_ms - state.clamp_started_ms
    due = insulin.dose_mu_m2_min(state.session.protocol, elapsed_ms, state.prime_allowed)
    if due <= state.insulin_mu_m2_min:
        return []
    text = f"Insulin is due to rise to {due:g} mU/m2/min - not raised - end the hold or draw a sample"
    return [Condition("insulin_waits", Priority.MEDIUM, text)]


def _safeguards(state: State, at_ms: int) -> list[Condition]:
    guard = state.safeguards
    found = []
    if guard.restarted:
        rates = f"{_insulin_is(state)}, {_dextrose_is(state, at_ms)}"
        text = f"Program restarted ({guard.restarted}) - {rates} - check pumps, sample"
        found.append(Condition("engine_restarted", Priority.HIGH, text, latching=True))
    if guard.journal_trouble:
        urgent = Priority.HIGH if guard.journal_copies_left == 0 else Priority.MEDIUM
        text = f"The record cannot be written: {guard.journal_trouble}"
        found.append(Condition("journal", urgent, text))
    if guard.queue_full:
        text = f"The program falls behind: {guard.queue_full}"
        found.append(Condition("queue_full", Priority.MEDIUM, text))
    gone_ms = guard.windows_gone_at_ms
    if gone_ms is not None and at_ms - gone_ms >= 3_000:
        found.append(Condition("no_window", Priority.MEDIUM, "No window watches the clamp - open one"))
    if guard.clock_step_ms:
        text = f"The computer's clock moved by {guard.clock_step_ms / 1000:.0f} s - dosing is not affected"
        found.append(Condition("clock_step", Priority.LOW, text))
    return found


def latched(alarms: tuple[Alarm, ...], now: tuple[Condition, ...], at_ms: int) -> tuple[Alarm, ...]:
    """The alarms after one look: new ones begin, ended ones go unless they latch until seen.

    Most urgent first, then oldest. An alarm that rises in priority must be acknowledged anew.
    """
    if not now and not alarms:
        return alarms
    known = {alarm.name: alarm for alarm in alarms} if alarms else {}
    after = []
    for condition in now:
        after.append(_occurrence(known.pop(condition.name, None), condition, at_ms))
    for ended in known.values():
        if ended.latching and not ended.acknowledged:
            after.append(replace(ended, holds=False) if ended.holds else ended)
    if len(after) > 1:
        after.sort(key=lambda alarm: (-alarm.priority, alarm.since_ms, alarm.name))
    fresh = tuple(after)
    return alarms if fresh == alarms else fresh


def _occurrence(old: Alarm | None, condition: Condition, at_ms: int) -> Alarm:
    if old is None or (not old.holds and old.acknowledged):
        return Alarm(
            condition.name, condition.priority, condition.text, at_ms, True, condition.latching, False
        )
    if old.holds and old.text == condition.text and old.priority is condition.priority:
        return old
    rose = condition.priority > old.priority or not old.holds
    return replace(
        old,
        priority=condition.priority,
        text=condition.text,
        holds=True,
        acknowledged=old.acknowledged and not rose,
    )


def acknowledged(alarms: tuple[Alarm, ...], name: str) -> tuple[Alarm, ...]:
    """The alarms after one was seen by a person; a latched one whose condition ended then goes."""
    return tuple(
        replace(alarm, acknowledged=True) if alarm.name == name else alarm
        for alarm in alarms
        if alarm.name != name or alarm.holds
    )


def silence_ms(alarms: tuple[Alarm, ...]) -> int:
    """How long the sound may be paused: 60 s while a high alarm holds, else 120 s (SR-26)."""
    high = any(alarm.priority is Priority.HIGH for alarm in alarms)
    return AUDIO_PAUSE_HIGH_MS if high else AUDIO_PAUSE_MS


def louder(before: tuple[Alarm, ...], after: tuple[Alarm, ...]) -> bool:
    """Whether an alarm began, or rose, to be at least as urgent as all there were: it breaks a pause."""
    top = max((alarm.priority for alarm in before), default=Priority.LOW)
    known = {(alarm.name, alarm.priority) for alarm in before if alarm.holds}
    return any(
        (alarm.name, alarm.priority) not in known and alarm.priority >= top for alarm in after if alarm.holds
    )
