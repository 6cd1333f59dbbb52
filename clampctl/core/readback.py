"""Commanded against reported: what a pump says after it was told, and which order to give next.

Decides orders for one pump from a planned rate; not what that rate should be. A rate changed at
the pump's own keys is a report, shown and alarmed, not fought.
"""

from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from clampctl.core.delivery import integrated, reconciled
from clampctl.core.events import IN_ALARM, RUNNING, PumpIdentified, PumpReported, PumpState
from clampctl.core.state import Pump
from clampctl.core.station import PumpSetup
from clampctl.core.values import changed

RESET = "reset"
"""What a link calls the alarm of a pump that was switched on anew: its counter is lost."""

RATE_AGAIN_MS = 2_000
STOP_AGAIN_MS = 2_000
"""An unconfirmed stop is ordered again this often; a stop may be repeated, a start may not."""

STOP_DEXTROSE_FOR_MS = 60_000
"""Dextrose is not ordered to stop again after this: who starts it at the pump later is not fought
(H25). Insulin is stopped as long as it is found running."""


GAP_MS = 2_000
STEADY_MS = 30_000
"""Nobody moves a cable from one pump to another between two readings less than a gap apart; and who answers
after a longer one is found out well within the steady time."""


def identified(pump: Pump, event: PumpIdentified, at_ms: int) -> Pump:
    """A new connection: nothing is believed of the pump until it has reported.

    A pump that was the expected one and is found unusable amid its readings is still that pump: someone
    ended remote control at it. What it says then counts, but it gets no order.
    """
    without_gap = (
        pump.connected
        and event.epoch == pump.epoch
        and pump.heard_at_ms is not None
        and pump.steady_since_ms is not None
        and at_ms - pump.heard_at_ms <= GAP_MS
        and at_ms - pump.steady_since_ms >= STEADY_MS
    )
    return changed(
        pump,
        epoch=event.epoch,
        connected=True,
        identified=event.mismatch is None,
        ours=event.mismatch is None or (pump.ours and without_gap),
        mismatch=event.mismatch,
        heard_at_ms=None,
        verified=False,
        commanded_at_ms=None,
        repeated_at_ms=None,
        account=None,
        trouble="",
        refused="",
    )


def reported(pump: Pump, event: PumpReported, setup: PumpSetup, at_ms: int) -> Pump:
    """One reading taken in: rate, counter, flow, and whether it is what was commanded.

    A pump that does not run delivers 0, whatever rate it holds. A pump last seen running that is
    now found still, on this connection or the next, stopped by itself: a person must look. A link
    therefore reports settled states only, not the halt of a pump that stops to change its rate.
    """
    if event.epoch != pump.epoch or not pump.connected:
        return pump
    commanded = pump.commanded_ul_h
    stopped = event.state is not RUNNING
    rate_ul_h = 0 if stopped else event.rate_ul_h
    ran_by_order = pump.state is RUNNING and commanded is not None and commanded > 0
    infused_ul = pump.infused_ul if event.infused_ul is None else event.infused_ul
    moved = (
        infused_ul is None
        or pump.infused_ul is None
        or infused_ul > pump.infused_ul
        or rate_ul_h != pump.reported_ul_h
    )
    steady = pump.heard_at_ms is not None and at_ms - pump.heard_at_ms <= GAP_MS
    before = integrated(pump, at_ms)
    verified = commanded is not None and rate_ul_h == commanded
    after = changed(
        pump,
        heard_at_ms=at_ms,
        steady_since_ms=pump.steady_since_ms if steady else at_ms,
        state=event.state,
        reported_ul_h=rate_ul_h,
        infused_ul=infused_ul,
        alarm=event.alarm,
        verified=verified,
        differs_since_ms=at_ms if pump.verified and not verified else pump.differs_since_ms,
        repeated_at_ms=None if verified else pump.repeated_at_ms,
        stopped_by_itself=(pump.stopped_by_itself or (ran_by_order and stopped)) and stopped,
        moved_at_ms=at_ms if moved or pump.moved_at_ms is None else pump.moved_at_ms,
        integral_ul_ms_h=before,
        trouble="",
        refused="" if verified else pump.refused,
    )
    if event.alarm == RESET:
        return changed(after, account=None, infused_ul=None)
    return reconciled(after, setup, at_ms)


def lost(pump: Pump, detail: str) -> Pump:
    """The wire is gone; what the pump does now is not known."""
    return changed(
        pump, connected=False, identified=False, verified=False, trouble=detail, heard_at_ms=pump.heard_at_ms
    )


def seen_off(pump: Pump) -> bool:
    """Whether the pump was ordered to stop and last said itself that nothing flows.

    What a pump says that is not the expected one proves nothing.
    """
    return pump.ours and pump.commanded_ul_h == 0 and pump.reported_ul_h == 0


def told(pump: Pump, words: str) -> str:
    """Words on a pump that did not do as ordered, with its link's reason where it gave one."""
    return f"{words}: {pump.refused}" if pump.refused else words


def in_order(pump: Pump, silence_ms: int, at_ms: int) -> bool:
    """Whether nothing at all can be said against a pump: the usual case, seen at a glance.

    That its counter advances is not looked at here (`delivery`).
    """
    return (
        pump.connected
        and (pump.verified or pump.commanded_ul_h is None)
        and pump.heard_at_ms is not None
        and at_ms - pump.heard_at_ms <= silence_ms
        and pump.state is not IN_ALARM
        and not (pump.stopped_by_itself or pump.mismatch or pump.trouble)
        and (pump.account is None or not pump.account.disagrees)
    )


def unverified_for_ms(pump: Pump, at_ms: int) -> int:
    """How long the pump has not confirmed what was commanded; 0 when it has, or nothing was.

    Counts from the order, or from the first report that differed after it had been confirmed; for
    insulin above its order always from the order, there is no time to be given.
    """
    if pump.verified or pump.commanded_ul_h is None or pump.commanded_at_ms is None:
        return 0
    if pump.role is Role.INSULIN and (pump.reported_ul_h or 0) > pump.commanded_ul_h:
        return at_ms - pump.commanded_at_ms
    return at_ms - max(pump.commanded_at_ms, pump.differs_since_ms or 0)


def order(pump: Pump, planned_ul_h: int, at_ms: int) -> tuple[Pump, Command | None]:
    """The order that brings a pump to the planned rate, if one is due.

    None while the pump is not identified and read on this connection, while the same order or a
    start waits for its read-back, and where a person must look first (it stopped by itself).
    """
    if not (pump.connected and pump.identified) or pump.heard_at_ms is None:
        return _remember(pump, planned_ul_h), None
    if planned_ul_h == 0:
        return _stop(pump, at_ms)
    if pump.commanded_ul_h == planned_ul_h and pump.commanded_at_ms is not None:
        return _again(pump, at_ms)
    if pump.stopped_by_itself or pump.state in (PumpState.PAUSED, PumpState.ALARM):
        return _remember(pump, planned_ul_h), None
    running = pump.state is RUNNING
    if not running and _start_unanswered(pump):
        return pump, None
    given = changed(
        pump,
        commanded_ul_h=planned_ul_h,
        commanded_at_ms=at_ms,
        differs_since_ms=None,
        verified=running and pump.reported_ul_h == planned_ul_h,
    )
    if given.verified:
        return given, None
    if running:
        return given, SetRate(pump.role, planned_ul_h, pump.epoch)
    return given, StartPump(pump.role, planned_ul_h, pump.epoch)


def _stop(pump: Pump, at_ms: int) -> tuple[Pump, Command | None]:
    """Stop what is not stopped: a paused pump, or one in alarm, may go on at the touch of a key."""
    if pump.commanded_ul_h == 0 and pump.commanded_at_ms is not None:
        last_ms = pump.repeated_at_ms or pump.commanded_at_ms
        if pump.verified or at_ms - last_ms < STOP_AGAIN_MS:
            return pump, None
        if pump.role is Role.DEXTROSE and at_ms - pump.commanded_at_ms > STOP_DEXTROSE_FOR_MS:
            return pump, None
        return changed(pump, repeated_at_ms=at_ms), StopPump(pump.role, pump.epoch)
    is_stopped = pump.state is PumpState.STOPPED
    stopped = changed(
        pump, commanded_ul_h=0, commanded_at_ms=at_ms, differs_since_ms=None, verified=is_stopped
    )
    if stopped.verified:
        return stopped, None
    return stopped, StopPump(pump.role, pump.epoch)


def _again(pump: Pump, at_ms: int) -> tuple[Pump, Command | None]:
    """A dextrose rate that was lost on the way is set again: it is absolute, so it may be.

    Not one that was confirmed and then changed: that was a person at the pump's keys.
    """
    if pump.verified or pump.role is not Role.DEXTROSE:
        return pump, None
    ordered_ms = pump.repeated_at_ms or pump.commanded_at_ms or 0
    lost = pump.state is RUNNING and pump.differs_since_ms is None
    heard_since = pump.heard_at_ms is not None and pump.heard_at_ms - ordered_ms >= RATE_AGAIN_MS
    if not lost or not heard_since or pump.commanded_ul_h is None:
        return pump, None
    return changed(pump, repeated_at_ms=at_ms), SetRate(pump.role, pump.commanded_ul_h, pump.epoch)


def _start_unanswered(pump: Pump) -> bool:
    """Whether a start was ordered that no report has followed yet: it may be running by now."""
    return (
        bool(pump.commanded_ul_h)
        and pump.commanded_at_ms is not None
        and pump.heard_at_ms is not None
        and pump.heard_at_ms <= pump.commanded_at_ms
    )


def _remember(pump: Pump, planned_ul_h: int) -> Pump:
    """The intent, kept for the day the pump can be told; the old order is void."""
    if pump.commanded_ul_h == planned_ul_h and pump.commanded_at_ms is None:
        return pump
    return changed(pump, commanded_ul_h=planned_ul_h, commanded_at_ms=None, verified=False)
