"""Alarms: pure conditions, and the one latch that turns them into occurrences.

A condition is a fact that holds now, with the text: what; what the program did; what you do. The
latch remembers onset, acknowledgement and, for the grave ones, that it was there (safety sheet 6.2).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from clampctl.core import delivery, insulin, readback, samples
from clampctl.core.events import PumpState
from clampctl.core.state import DOSING, Alarm, Phase, Priority, Pump, Sample, State, Verdict
from clampctl.core.station import PumpSetup

RECENT_INSULIN_MS = 60 * 60_000
"""Insulin still acts this long after its infusion (clamp-method 4.3: 60 to 80 min)."""

AUDIO_PAUSE_MS = 120_000
AUDIO_PAUSE_HIGH_MS = 60_000


@dataclass(frozen=True, slots=True)
class Condition:
    """One alarm condition that holds now."""

    name: str
    priority: Priority
    text: str
    latching: bool = False


def conditions(state: State, at_ms: int) -> Iterator[Condition]:
    """Every condition that holds at this moment."""
    if state.phase is Phase.CLOSED:
        return
    yield from _glucose(state)
    yield from _sampling(state, at_ms)
    station = state.session.station
    yield from _pump(state, state.dextrose, station.dextrose_pump, at_ms)
    yield from _pump(state, state.insulin, station.insulin_pump, at_ms)
    yield from _dextrose_gap(state)
    yield from _insulin_waits(state, at_ms)
    if state.phase is Phase.FALLBACK and state.tailing is not None:
        rates = f"{_insulin_is(state)}, {_dextrose_is(state, at_ms)}"
        text = f"SAFE-TAIL: {state.tailing.reason} - {rates} - sample now"
        yield Condition("safe_tail", Priority.HIGH, text)
    yield from _safeguards(state, at_ms)
    soft = state.session.protocol.limits.gir_mg_kg_min_soft
    if state.phase in DOSING and state.dosing.gir_mg_kg_min > soft:
        text = f"GIR above {soft:g} mg/kg/min - check dextrose line, bag strength and insulin strength"
        yield Condition("gir_high", Priority.MEDIUM, text)
    if state.dosing.reasons and state.phase in DOSING:
        yield Condition("gir_limited", Priority.LOW, f"GIR limited: {state.dosing.reasons[0]}")


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


def _glucose(state: State) -> Iterator[Condition]:
    newest = state.blood.newest
    if newest is None:
        return
    value = newest.glucose_mg_dl
    if newest.verdict is Verdict.DOUBTED:
        text = f"Glucose {value:.1f} doubted: {newest.reason} - GIR cut at most 20 % - repeat within 3 min"
        yield Condition("glucose_doubted", Priority.MEDIUM, text)
    if value < 54.0:
        text = f"GLUCOSE {value:.1f} mg/dL - insulin STOPPED - give rescue dextrose"
        yield Condition("glucose_below_54", Priority.HIGH, text, latching=True)
    elif value < 70.0:
        yield Condition(
            "glucose_below_70", Priority.MEDIUM, f"Glucose {value:.1f} mg/dL - sample again at once"
        )
    elif value < 80.0 and _falls_fast(newest, state.blood.before):
        yield Condition(
            "glucose_falling", Priority.MEDIUM, f"Glucose {value:.1f} mg/dL and falling fast - sample again"
        )


def _falls_fast(newest: Sample, before: Sample | None) -> bool:
    """Faster than 3 mg/dL/min between the last two believed samples."""
    if before is None:
        return False
    minutes = (newest.drawn_at_ms - before.drawn_at_ms) / 60_000
    return before.glucose_mg_dl - newest.glucose_mg_dl > 3.0 * minutes


def _sampling(state: State, at_ms: int) -> Iterator[Condition]:
    limits = state.session.protocol.limits
    if state.blood.analyzer_lost:
        yield Condition(
            "analyzer_lost", Priority.MEDIUM, f"Analyzer: {state.blood.analyzer_lost} - check its cable"
        )
    if state.blood.analyzer_held:
        urgent = Priority.MEDIUM if state.phase in DOSING else Priority.LOW
        text = f"Result not taken: {state.blood.analyzer_held} - GIR not changed - sample again"
        yield Condition("result_held", urgent, text)
    if state.phase not in DOSING:
        return
    age = samples.age_ms(state.blood, at_ms)
    if age is None:
        return
    minutes = age / 60_000
    if age > limits.age_stale_ms:
        text = f"No glucose for {minutes:.0f} min - GIR not cut - sample now"
        yield Condition("glucose_stale", Priority.HIGH, text)
    elif age > limits.age_late_ms:
        yield Condition(
            "glucose_stale", Priority.MEDIUM, f"Last glucose is {minutes:.0f} min old - sample now"
        )
    override = state.dosing.override_until_ms
    if override is not None:
        text = f"GIR {state.dosing.gir_mg_kg_min:.2f} mg/kg/min set by hand - the next sample ends it"
        yield Condition("override", Priority.LOW, text)


def _in_order(pump: Pump, silence_ms: int, at_ms: int) -> bool:
    """Whether nothing at all can be said against a pump: the usual case, seen at a glance."""
    return (
        pump.connected
        and (pump.verified or pump.commanded_ul_h is None)
        and pump.heard_at_ms is not None
        and at_ms - pump.heard_at_ms <= silence_ms
        and pump.state is not PumpState.ALARM
        and not (pump.mismatch or pump.trouble)
        and (pump.account is None or not pump.account.disagrees)
    )


def _pump(state: State, pump: Pump, setup: PumpSetup, at_ms: int) -> Iterator[Condition]:
    limits = state.session.protocol.limits
    if _in_order(pump, limits.silence_ms, at_ms):
        return
    role, name = pump.role.value, pump.role.value.capitalize()
    dextrose = pump.role.value == "dextrose"
    if pump.mismatch:
        text = f"{name} pump cannot be used: {pump.mismatch} - nothing is written to it - go to the pump"
        yield Condition(f"{role}_identity", Priority.HIGH, text, latching=True)
    if state.phase is Phase.SETUP and pump.heard_at_ms is None and not pump.trouble:
        return
    if pump.trouble or not pump.connected:
        text = f"{name} pump disconnected: {pump.trouble or 'no link'} - check cable and pump"
        urgent = Priority.HIGH if state.phase is not Phase.SETUP else Priority.MEDIUM
        yield Condition(f"{role}_link", urgent, text)
    elif pump.heard_at_ms is None:
        yield Condition(
            f"{role}_link", Priority.MEDIUM, f"{name} pump connected, but not read yet - wait, look at it"
        )
    elif at_ms - pump.heard_at_ms > limits.silence_ms:
        seconds = (at_ms - pump.heard_at_ms) // 1000
        urgent = Priority.HIGH if at_ms - pump.heard_at_ms > limits.silence_stop_ms else Priority.MEDIUM
        yield Condition(
            f"{role}_link", urgent, f"No answer from the {role} pump for {seconds} s - check its cable"
        )
    if pump.state is PumpState.ALARM:
        urgent = Priority.HIGH if dextrose else Priority.MEDIUM
        if state.phase is Phase.SETUP:
            urgent = Priority.LOW
        yield Condition(
            f"{role}_pump_alarm", urgent, f"{name} pump alarm: {pump.alarm or 'unknown'} - go to the pump"
        )
    patience_ms = delivery.patience_ms(setup, limits.readback_ms)
    if readback.unverified_for_ms(pump, at_ms) > patience_ms and pump.connected:
        yield from _not_as_commanded(pump, role, name)
    if pump.account is not None and pump.account.disagrees:
        yield Condition(
            f"{role}_volume", Priority.HIGH, f"{name}: {pump.account.disagrees} - check syringe and line"
        )


def _not_as_commanded(pump: Pump, role: str, name: str) -> Iterator[Condition]:
    commanded, reported = pump.commanded_ul_h or 0, pump.reported_ul_h or 0
    rates = f"{name} pump runs {reported / 1000:.2f} mL/h, commanded {commanded / 1000:.2f}"
    yield Condition(f"{role}_rate", Priority.HIGH, f"{readback.told(pump, rates)} - go to the pump")


def _dextrose_gap(state: State) -> Iterator[Condition]:
    """Dextrose stopped, or planned but not flowing, while insulin runs or acted within the hour."""
    pump, setup = state.dextrose, state.session.station.dextrose_pump
    limits = state.session.protocol.limits
    planned = state.clamp_started_ms is not None and state.dosing.rate_ul_h > 0
    read = pump.heard_at_ms is not None and state.at_ms - pump.heard_at_ms <= limits.silence_stop_ms
    dry = planned and pump.connected and read and delivery.still(pump, setup, limits, state.at_ms)
    if not (pump.stopped_by_itself or dry):
        return
    off_ms = state.insulin_off_ms
    if state.phase in DOSING or (off_ms is not None and state.at_ms - off_ms < RECENT_INSULIN_MS):
        what = "STOPPED" if pump.stopped_by_itself else "NOT FLOWING"
        text = f"DEXTROSE {what} while insulin acts - {_insulin_is(state)} - give dextrose by hand"
        yield Condition("dextrose_not_flowing", Priority.HIGH, text, latching=True)


def _insulin_waits(state: State, at_ms: int) -> Iterator[Condition]:
    """The protocol's insulin rises, but not while held or without a fresh believed sample."""
    if state.phase not in DOSING or state.clamp_started_ms is None:
        return
    elapsed_ms = at_ms - state.clamp_started_ms
    due = insulin.dose_mu_m2_min(state.session.protocol, elapsed_ms, state.prime_allowed)
    if due > state.insulin_mu_m2_min:
        text = f"Insulin is due to rise to {due:g} mU/m2/min - not raised - end the hold or draw a sample"
        yield Condition("insulin_waits", Priority.MEDIUM, text)


def _safeguards(state: State, at_ms: int) -> Iterator[Condition]:
    guard = state.safeguards
    if guard.restarted:
        rates = f"{_insulin_is(state)}, {_dextrose_is(state, at_ms)}"
        text = f"Program restarted ({guard.restarted}) - {rates} - check pumps, sample"
        yield Condition("engine_restarted", Priority.HIGH, text, latching=True)
    if guard.journal_trouble:
        urgent = Priority.HIGH if guard.journal_copies_left == 0 else Priority.MEDIUM
        yield Condition("journal", urgent, f"The record cannot be written: {guard.journal_trouble}")
    if guard.queue_full:
        yield Condition("queue_full", Priority.MEDIUM, f"The program falls behind: {guard.queue_full}")
    gone_ms = guard.windows_gone_at_ms
    if gone_ms is not None and at_ms - gone_ms >= 3_000:
        yield Condition("no_window", Priority.MEDIUM, "No window watches the clamp - open one")
    if guard.clock_step_ms:
        text = f"The computer's clock moved by {guard.clock_step_ms / 1000:.0f} s - dosing is not affected"
        yield Condition("clock_step", Priority.LOW, text)


def latched(alarms: tuple[Alarm, ...], now: tuple[Condition, ...], at_ms: int) -> tuple[Alarm, ...]:
    """The alarms after one look: new ones begin, ended ones go unless they latch until seen.

    Most urgent first, then oldest. An alarm that rises in priority must be acknowledged anew.
    """
    if not now and not alarms:
        return alarms
    known = {alarm.name: alarm for alarm in alarms}
    after: list[Alarm] = []
    for condition in now:
        old = known.pop(condition.name, None)
        after.append(_occurrence(old, condition, at_ms))
    after.extend(
        alarm if not alarm.holds else replace(alarm, holds=False)
        for alarm in known.values()
        if alarm.latching and not alarm.acknowledged
    )
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
