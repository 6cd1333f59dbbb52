"""Delivered volume: the integral of the reported rate against the pump's own counter, and flow.

Decides whether a pump really delivers; not what to do about it (`fallback`, `alarms`). Thresholds:
safety sheet SR-14 (5 % over 10 min, 0.2 mL) and 2.4 (20 s without advance above 10 mL/h).
"""

from clampctl.core.events import RUNNING, PumpState
from clampctl.core.protocol import Limits
from clampctl.core.state import Account, Pump
from clampctl.core.station import PumpSetup
from clampctl.core.values import changed

UL_MS_H_PER_UL = 3_600_000
"""A rate in µL/h for one ms moves 1/3,600,000 µL."""

WINDOW_MS = 10 * 60_000
SHARE_MAX = 0.05
BY_HAND_MS = 120_000
SLACK_UL = 200
FLOW_SEEN_ABOVE_UL_H = 10_000
FIGURES_QUANTUM_UL = ((10_000, 1), (100_000, 10), (1_000_000, 100))
"""A four-figure counter in mL moves in these steps below these volumes (pumps 2.5)."""


def integrated(pump: Pump, at_ms: int) -> int:
    """Volume by the reported rate up to now, in µL·ms/h."""
    if pump.heard_at_ms is None or pump.reported_ul_h is None:
        return pump.integral_ul_ms_h
    return pump.integral_ul_ms_h + pump.reported_ul_h * (at_ms - pump.heard_at_ms)


def patience_ms(setup: PumpSetup, limit_ms: int) -> int:
    """How long an order may take to be seen: `limit_ms`, or two minutes where a person carries it out."""
    return max(limit_ms, BY_HAND_MS) if setup.by_hand else limit_ms


def quantum_ul(setup: PumpSetup, infused_ul: int) -> int:
    """The step in which the counter moves at this volume; 0 for a pump without a counter."""
    if setup.counter_quantum_ul is None:
        return 0
    for below_ul, step_ul in FIGURES_QUANTUM_UL:
        if infused_ul < below_ul:
            return max(step_ul, setup.counter_quantum_ul)
    return 1_000


def flowing(pump: Pump, setup: PumpSetup, limits: Limits, at_ms: int) -> bool:
    """Whether the pump verifiably delivers: heard, running as commanded, counter advancing."""
    heard_ms = pump.heard_at_ms
    if heard_ms is None or pump.state is not RUNNING or not pump.reported_ul_h:
        return False
    if not pump.connected or at_ms - heard_ms > limits.silence_stop_ms:
        return False
    still_ms = at_ms - (pump.moved_at_ms or 0)
    return still_ms <= limits.no_flow_ms or still_ms <= no_flow_ms(pump, setup, limits)


def still(pump: Pump, setup: PumpSetup, limits: Limits, at_ms: int) -> bool:
    """Whether a pump that should deliver does not: it may take `no_flow_ms` to start, no longer.

    Not yet when the first order above 0 has still to go out; at once when the pump cannot be
    ordered (paused, in alarm, waiting for a person) or runs without its counter advancing.
    """
    if flowing(pump, setup, limits, at_ms):
        return False
    if pump.state is PumpState.PAUSED or (pump.state is RUNNING and pump.reported_ul_h):
        return True
    if not pump.commanded_ul_h:
        return False
    return pump.commanded_at_ms is None or at_ms - pump.commanded_at_ms > patience_ms(
        setup, limits.no_flow_ms
    )


def no_flow_ms(pump: Pump, setup: PumpSetup, limits: Limits) -> int:
    """How long a still counter is no proof of no flow: 20 s (`limits`), or two steps of a coarse counter.

    Never shorter than `limits.no_flow_ms`.
    """
    rate = pump.reported_ul_h or 0
    if setup.counter_quantum_ul is None or rate <= 0:
        return 1 << 62
    two_steps_ms = 2 * quantum_ul(setup, pump.infused_ul or 0) * UL_MS_H_PER_UL // rate
    if rate <= FLOW_SEEN_ABOVE_UL_H:
        return 4 * max(limits.no_flow_ms, two_steps_ms)
    return max(limits.no_flow_ms, two_steps_ms)


def reconciled(pump: Pump, setup: PumpSetup, at_ms: int) -> Pump:
    """The volume account after one report; a window closes every 10 min with its verdict."""
    counter = pump.infused_ul
    if counter is None or setup.counter_quantum_ul is None:
        return pump
    account = pump.account
    if account is None:
        return changed(pump, account=Account(at_ms, pump.integral_ul_ms_h, counter))
    if counter < account.counter_start_ul:
        note = "the pump's volume counter went back"
        return changed(pump, account=Account(at_ms, pump.integral_ul_ms_h, counter, note))
    if at_ms - account.since_ms < WINDOW_MS:
        return pump
    expected_ul = (pump.integral_ul_ms_h - account.integral_start) / UL_MS_H_PER_UL
    counted_ul = counter - account.counter_start_ul
    slack_ul = max(SLACK_UL, SHARE_MAX * expected_ul, 2 * quantum_ul(setup, counter))
    note = ""
    if abs(counted_ul - expected_ul) > slack_ul:
        note = f"the pump counted {counted_ul / 1000:.2f} mL where {expected_ul / 1000:.2f} mL was due"
    return changed(pump, account=Account(at_ms, pump.integral_ul_ms_h, counter, note))
