"""What must hold after every single step, whatever happened (style 3.2, safety sheet 4 and 5)."""

from clampctl import units
from clampctl.core import fallback, insulin, samples
from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from clampctl.core.devices import pump_of, setup_of
from clampctl.core.events import Event, ProposalConfirmed, PumpState, RateOverridden
from clampctl.core.state import DOSING, Phase, State, Verdict

SLACK = 1e-9


def kept(before: State, event: Event, after: State, commands: tuple[Command, ...]) -> None:
    """Raise AssertionError when one step breaks a promise."""
    assert after.at_ms >= before.at_ms
    assert after.session is before.session
    for command in commands:
        _order_is_allowed(before, after, command)
    assert len({command.role for command in commands}) == len(commands)
    if after.phase in (Phase.SETUP, Phase.BASAL):
        assert all(isinstance(c, StopPump) and c.role is Role.INSULIN for c in commands)
    if after.phase is Phase.CLOSED:
        assert commands == ()
    if after.phase in (Phase.FALLBACK, Phase.TAPER):
        assert after.insulin_ul_h == 0
        assert after.insulin_mu_m2_min == 0.0
        assert not any(c.role is Role.INSULIN and not isinstance(c, StopPump) for c in commands)
    if after.phase in DOSING:
        _insulin_may_run(before, after)
        _dextrose_moves_gently(before, event, after)
    _alarms_speak(after)


def _order_is_allowed(before: State, after: State, command: Command) -> None:
    pump, setup = pump_of(after, command.role), setup_of(after, command.role)
    assert pump.connected
    assert pump.identified
    assert pump.heard_at_ms is not None
    assert command.epoch == pump.epoch
    if isinstance(command, StopPump):
        return
    limits, session = after.session.protocol.limits, after.session
    rate = command.rate_ul_h
    assert setup.rate_ul_h_min <= rate <= setup.rate_ul_h_max
    assert any(rate < band.below_ul_h and rate % band.step_ul_h == 0 for band in setup.rate_steps)
    if command.role is Role.DEXTROSE:
        gir = units.gir_mg_kg_min(rate, session.subject.weight_kg, session.protocol.infusates.dextrose_g_l)
        assert rate <= limits.dextrose_ul_h_max
        assert gir <= limits.gir_mg_kg_min_max + SLACK
    else:
        peak = insulin.peak_mu_m2_min(session.protocol)
        ceiling = units.insulin_ul_h(peak, session.subject.bsa_m2, session.protocol.infusates.insulin_mu_ml)
        assert rate <= min(limits.insulin_ul_h_max, ceiling)
    if isinstance(command, StartPump):
        assert pump.state is PumpState.STOPPED
        assert not pump.stopped_by_itself
    else:
        assert isinstance(command, SetRate)
        assert pump.state is PumpState.RUNNING


def _insulin_may_run(before: State, after: State) -> None:
    """SR-5, SR-8, I1, I2, and: insulin never rises without a fresh believed sample."""
    newest, believed = after.blood.newest, samples.believed(after.blood)
    limits = after.session.protocol.limits
    assert newest is not None
    assert believed is not None
    assert newest.glucose_mg_dl >= limits.glucose_insulin_off_mg_dl
    age_ms = after.at_ms - believed.drawn_at_ms
    assert age_ms <= limits.age_fallback_ms
    if after.insulin_ul_h > before.insulin_ul_h:
        assert age_ms <= fallback.IDLE_AGE_MS
        assert after.phase is not Phase.HOLD
    if after.dosing.rate_ul_h == 0 and after.dosing.proposal is None:
        assert min(believed.glucose_mg_dl, newest.glucose_mg_dl) >= fallback.IDLE_GLUCOSE_MG_DL
        assert age_ms <= fallback.IDLE_AGE_MS
    for pump in (after.dextrose, after.insulin):
        assert pump.connected
        assert pump.identified
        assert pump.state is not PumpState.ALARM
        assert not pump.stopped_by_itself


def _dextrose_moves_gently(before: State, event: Event, after: State) -> None:
    """SR-7, SR-10, I10: slew limits, and no more than 20 % off for one doubted sample."""
    if isinstance(event, RateOverridden | ProposalConfirmed) or before.phase not in DOSING:
        return
    limits = after.session.protocol.limits
    gir, gir_before = after.dosing.gir_mg_kg_min, before.dosing.gir_mg_kg_min
    assert gir <= gir_before + limits.gir_rise_mg_kg_min_max + SLACK
    assert gir >= gir_before - limits.gir_fall_mg_kg_min_max - SLACK
    newest = after.blood.newest
    if newest is not None and newest.verdict is Verdict.DOUBTED:
        assert gir >= gir_before * (1.0 - limits.doubted_cut_max) - SLACK


def _alarms_speak(after: State) -> None:
    names = [alarm.name for alarm in after.alarms]
    assert len(set(names)) == len(names)
    for alarm in after.alarms:
        assert alarm.text
        assert "None" not in alarm.text
        assert alarm.holds or (alarm.latching and not alarm.acknowledged)
