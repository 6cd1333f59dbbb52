"""An Alaris / Asena GH or CC syringe pump, byte for byte, from the sheet alone.

Source: sheet pumps.md section 3. What the sheet could not verify is a setting (`AlarisSettings`); a
frame it does not know, or whose sum is wrong, it does not answer [R].
"""

from collections.abc import Sequence

from simulator.devices.alaris_model import AlarisPump, Alarm
from simulator.devices.alaris_settings import AlarisSettings
from simulator.devices.alaris_wire import Inbox, framed, three_decimals, two_decimals, ul_h
from simulator.devices.fault import Fault, FaultKind
from simulator.devices.mischief import Outbox

_PRESSURE = "17.91"
_MASK = "****"


class Alaris:
    """The pump on its cable, switched on at `now_ms`; a `PumpDevice`."""

    def __init__(self, settings: AlarisSettings | None = None, now_ms: int = 0) -> None:
        self._made = settings or AlarisSettings()
        self._pump = AlarisPump(self._made, now_ms)
        self._inbox = Inbox()
        self._outbox = Outbox(self._made.reply_delay_ms)
        self._now_ms = now_ms
        self._has_cr = True
        self._alarm_turn = 0

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._outbox.plugged

    @property
    def delivered_ul(self) -> float:
        """What has truly left the syringe since the start, µL: the exact integral of the true flow."""
        self._pump.plunger.settle(self._now_ms)
        return self._pump.plunger.delivered_ul

    @property
    def flow_ul_h(self) -> int:
        """True flow now, µL/h to the nearest whole one; 0 when not running."""
        return self._pump.plunger.true_flow_ul_h

    def refill(self, capacity_ul: int | None, now_ms: int) -> None:
        """Someone puts in a full syringe of so many µL and confirms it; the pump does not start by itself."""
        self.advance(now_ms)
        self._pump.plunger.settle(now_ms)
        self._pump.plunger.refill(capacity_ul)
        self._pump.is_confirmed = True

    def receive(self, data: bytes, now_ms: int) -> None:
        """Takes bytes from the host."""
        self.advance(now_ms)
        if not self._outbox.plugged:
            return
        for name, *fields in self._inbox.put(data):
            if self._outbox.hears():
                self._pump.heard(name, now_ms)
                said = self._answer(name, fields, now_ms)
                if said is not None:
                    reply = framed(*said)
                    self._outbox.put(reply if self._has_cr else reply[:-1], now_ms)

    def advance(self, now_ms: int) -> None:
        """Lets time pass up to `now_ms`."""
        self._now_ms = now_ms
        self._pump.advance(now_ms)
        self._outbox.advance(now_ms)

    def take_output(self) -> bytes:
        """Bytes for the host, once."""
        return self._outbox.take()

    def wake_at(self) -> int | None:
        """Next ms at which something happens by itself: silence, an end of volume, a delayed reply."""
        due = [ms for ms in (self._pump.next_ms(), self._outbox.wake_at()) if ms is not None]
        return min(due, default=None)

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Starts a fault; ValueError for one a syringe pump of this make cannot have."""
        self.advance(now_ms)
        if not (self._outbox.inject(fault) or self._happens(fault, now_ms) or self._lasts(fault)):
            raise ValueError(f"An Alaris pump has no fault {fault.kind.value!r}.")
        if fault.kind in (FaultKind.UNPLUG, FaultKind.POWER_CYCLE):
            self._inbox.drop()

    def clear(self, kind: FaultKind, now_ms: int) -> None:
        """Ends a lasting fault; alarms stay until a key is pressed."""
        self.advance(now_ms)
        self._outbox.clear(kind)
        pump, made = self._pump, self._made
        match kind:
            case FaultKind.STALL:
                pump.free()
            case FaultKind.DRIFT:
                pump.drift(0, now_ms)
            case FaultKind.IDENTITY:
                pump.serial = made.serial
            case FaultKind.PERMIT | FaultKind.DROP_REMOTE:
                pump.is_permitting = made.is_permitting
            case FaultKind.KEY_REFUSED:
                pump.takes_keys = True
            case FaultKind.NO_CR:
                self._has_cr = True
            case FaultKind.RATE_ECHO:
                pump.is_coarse = False
            case FaultKind.SYRINGE:
                pump.is_confirmed = True
            case FaultKind.MAX_RATE:
                pump.max_rate_ul_h = made.max_rate_ul_h
            case _:
                pass  # nothing of this kind lasts

    def _answer(self, name: str, fields: list[str], now_ms: int) -> Sequence[str] | None:
        """The fields of the reply; None for a command it does not know."""
        pump, made = self._pump, self._made
        match name, fields:
            case "INST_SERIALNO", []:
                return name, pump.serial
            case "COMMS_PROTOCOL", []:
                return name, made.protocol
            case "COMMS_RESPONSE_MAX", []:
                return name, str(made.response_max_ms), "ms"
            case "SYRINGE_STATUS", []:
                confirmed = "CONF" if pump.is_confirmed else "UNCONF"
                return name, made.syringe_make, made.syringe_size, confirmed
            case "INF_RATE_MAX_SYRINGE", []:
                return name, two_decimals(pump.max_rate_ul_h), "ml/h"
            case "INF_VI", []:
                return name, self._infused(now_ms), "ml"
            case "INF", []:
                return self._status(name, now_ms)
            case "ALARM", []:
                return self._alarm(name)
            case "REMQUERY", ["DEACT"]:
                return name, "DEACT", "", "", "", ""
            case _:
                return self._obeyed(name, fields, now_ms)

    def _obeyed(self, name: str, fields: list[str], now_ms: int) -> Sequence[str] | None:
        """Commands: control, and what it takes control to do. How a refusal looks is not known [R]."""
        pump, refusal = self._pump, self._made.refusal
        match name, fields:
            case "REMOTE_CTRL" | "REMOTE_CFG", ["ENABLED", key]:
                return name, "ENABLED", _MASK, "PERMIT" if pump.allow(key) else refusal, "0", "ms"
            case "REMOTE_CTRL" | "REMOTE_CFG", ["DISABLED"]:
                pump.is_remote = False
                return name, "DISABLED", _MASK, "PERMIT", "0", "ms"
            case "INF_RATE", [] | [_, "ml/h"]:
                asked = ul_h(fields[0]) if fields else None
                if asked is not None and pump.is_remote:
                    pump.set_rate(asked, now_ms)
                return name, two_decimals(pump.rate_ul_h), "ml/h"
            case "INF_START", []:
                started = pump.is_remote and pump.start(now_ms, remotely=True)
                return (name,) if started else (name, refusal)
            case "INF_STOP", []:
                if pump.is_remote:
                    pump.stop(now_ms)
                return (name,) if pump.is_remote else (name, refusal)
            case "INF_VI_CLEAR", []:
                if pump.is_remote:
                    pump.count_back(None, now_ms)
                return (name,) if pump.is_remote else (name, refusal)
            case "INF_VTBI", _:
                return self._volume_limit(name, fields)
            case _:
                return None

    def _volume_limit(self, name: str, fields: list[str]) -> Sequence[str]:
        pump = self._pump
        match fields:
            case ["ACTIV", volume, "ml", "STOP"] if pump.is_remote:
                pump.volume_limit_ul = ul_h(volume)
            case ["DEACT"] if pump.is_remote:
                pump.volume_limit_ul = None
        if pump.volume_limit_ul is None:
            return name, "DEACT", "", "", ""
        return name, "ACTIV", three_decimals(pump.volume_limit_ul), "ml", "STOP"

    def _status(self, name: str, now_ms: int) -> Sequence[str]:
        pump = self._pump
        mode, rate_ul_h = ("SET", pump.rate_ul_h) if pump.is_running else ("HLD", 0)
        flag = "A" if pump.alarms else "-"
        rate, infused = two_decimals(rate_ul_h), self._infused(now_ms)
        head = (name, pump.serial, flag, mode, rate, "ml/h", "", infused, "ml")
        return *head, _PRESSURE, "mmHg", "24+", "EVENT", str(pump.log_entry)

    def _infused(self, now_ms: int) -> str:
        self._pump.plunger.settle(now_ms)
        return three_decimals(self._pump.plunger.infused_nl // 1000)

    def _alarm(self, name: str) -> Sequence[str]:
        alarms = self._pump.alarms
        if not alarms:
            return name, "AL_NOALM", " ", " "
        if not self._made.alarms_in_one_reply:
            self._alarm_turn += 1
            return name, alarms[self._alarm_turn % len(alarms)], " ", " "
        return name, *(field for alarm in alarms for field in (alarm, " ", " "))

    def _happens(self, fault: Fault, now_ms: int) -> bool:
        pump = self._pump
        match fault.kind:
            case FaultKind.POWER_CYCLE:
                self._outbox.drop()
                pump.power_cycle(now_ms)
            case FaultKind.KEY:
                pump.press(fault.text, fault.number, now_ms)
            case FaultKind.STALL:
                pump.block(now_ms)
            case FaultKind.COUNTER_BACK:
                pump.count_back(fault.number, now_ms)
            case FaultKind.DRIFT:
                pump.drift(fault.number or 0, now_ms)
            case FaultKind.ALARMS:
                for alarm in (Alarm.OCCLUSION, Alarm.LOW_BATTERY)[: fault.number]:
                    pump.raise_alarm(alarm, now_ms)
            case FaultKind.STALE_VOL:
                pump.volume_limit_ul = 1000 if fault.number is None else fault.number
            case _:
                return False
        return True

    def _lasts(self, fault: Fault) -> bool:
        pump = self._pump
        match fault.kind:
            case FaultKind.IDENTITY:
                pump.serial = fault.text
            case FaultKind.PERMIT | FaultKind.DROP_REMOTE:
                pump.is_permitting = False
                pump.is_remote = False
            case FaultKind.KEY_REFUSED:
                pump.takes_keys = False
            case FaultKind.NO_CR:
                self._has_cr = False
            case FaultKind.RATE_ECHO:
                pump.is_coarse = True
            case FaultKind.SYRINGE:
                pump.is_confirmed = False
            case FaultKind.MAX_RATE:
                pump.max_rate_ul_h = fault.number or self._made.max_rate_ul_h
            case _:
                return False
        return True
