"""What devices said, taken into the state. Decides belief, not dosing."""

from dataclasses import replace
from typing import assert_never

from clampctl.core import readback, samples
from clampctl.core.commands import Role
from clampctl.core.events import (
    DeviceEvent,
    GlucoseSampled,
    LinkHeard,
    LinkLost,
    LinkTroubled,
    PumpIdentified,
    PumpReported,
    Trouble,
)
from clampctl.core.state import InvariantBroken, Pump, State
from clampctl.core.station import PumpSetup
from clampctl.core.values import changed


def take(state: State, event: DeviceEvent, at_ms: int) -> State:
    """The state after one device event, at its time."""
    match event:
        case PumpReported():
            pump, setup = pump_of(state, event.role), setup_of(state, event.role)
            return with_pump(state, readback.reported(pump, event, setup, at_ms), at_ms)
        case GlucoseSampled():
            protocol, station = state.session.protocol, state.session.station
            blood = samples.take(state.blood, event, station.analyzer.lag_ms, protocol.limits, at_ms)
            return changed(state, at_ms=at_ms, blood=blood)
        case LinkHeard():
            blood = replace(state.blood, analyzer_heard_ms=at_ms, analyzer_lost="")
            return changed(state, at_ms=at_ms, blood=blood)
        case PumpIdentified():
            return with_pump(state, readback.identified(pump_of(state, event.role), event, at_ms), at_ms)
        case LinkLost():
            return _lost(state, event, at_ms)
        case LinkTroubled():
            return _troubled(state, event, at_ms)
        case _:
            assert_never(event)


def pump_of(state: State, role: Role) -> Pump:
    """The pump in a role. Raises InvariantBroken for the analyzer."""
    if role is state.dextrose.role:
        return state.dextrose
    if role is state.insulin.role:
        return state.insulin
    raise InvariantBroken("the analyzer is no pump")


def setup_of(state: State, role: Role) -> PumpSetup:
    """The station's page about the pump in a role."""
    station = state.session.station
    return station.dextrose_pump if role is state.dextrose.role else station.insulin_pump


def with_pump(state: State, pump: Pump, at_ms: int) -> State:
    """The state at this time, with one pump's belief replaced."""
    if pump.role is state.dextrose.role:
        return changed(state, at_ms=at_ms, dextrose=pump)
    return changed(state, at_ms=at_ms, insulin=pump)


def _lost(state: State, event: LinkLost, at_ms: int) -> State:
    if event.role is Role.ANALYZER:
        blood = replace(state.blood, analyzer_lost=event.detail or "no link")
        return changed(state, at_ms=at_ms, blood=blood)
    return with_pump(state, readback.lost(pump_of(state, event.role), event.detail), at_ms)


def _troubled(state: State, event: LinkTroubled, at_ms: int) -> State:
    """Trouble alone changes no belief; silence and read-back judge it.

    A full queue is an alarm, and so is a result that an analyzer's link holds back or cannot fetch. Why
    a pump's link refused an order is kept for the alarm that read-back may raise.
    """
    if event.trouble is Trouble.FULL_QUEUE:
        return changed(state, at_ms=at_ms, safeguards=replace(state.safeguards, queue_full=event.detail))
    if event.role is Role.ANALYZER and event.trouble in (Trouble.REFUSED, Trouble.NO_REPLY):
        return changed(state, at_ms=at_ms, blood=replace(state.blood, analyzer_held=event.detail))
    if event.role is not Role.ANALYZER and event.trouble is Trouble.REFUSED:
        return with_pump(state, changed(pump_of(state, event.role), refused=event.detail), at_ms)
    return changed(state, at_ms=at_ms)
