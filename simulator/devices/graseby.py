"""A Graseby 3400 syringe pump, byte for byte, as STANPUMP speaks with it.

Source: sheet pumps.md 5.1. What the sheet could not verify is a setting (`GrasebySettings`).
"""

import re
from dataclasses import replace

from simulator.devices.fault import Fault, FaultKind
from simulator.devices.graseby_settings import GrasebySettings
from simulator.devices.mischief import Outbox
from simulator.devices.plunger import PPM, Plunger

_LINE_LIMIT = 80  # [R] length of the command buffer
_FRAMED = re.compile(rb"(<([A-Z]{4})(\d{0,5})>)([0-9A-F]{2})")
_QUESTIONS = ("CHCK", "CHKR", "GETR", "TOTL")
_COMMANDS = (*_QUESTIONS, "STRT", "STOP", "CHGR", "ZTOT")
_STANDBY, _INFUSING, _ALARM = "STBY", "INFS", "ALRM"


class Graseby:
    """The pump on its cable, switched on at `now_ms`, in standby; a `PumpDevice`."""

    def __init__(self, settings: GrasebySettings | None = None, now_ms: int = 0) -> None:
        self._made = self._settings = settings or GrasebySettings()
        self._outbox = Outbox(self._settings.reply_delay_ms)
        self._plunger = Plunger(now_ms, self._settings.capacity_ul)
        self._line = bytearray()
        self._blocked = False
        self._refuses_start = False
        self._ignored_stops = 0
        self._now_ms = now_ms
        self._switch_on(now_ms)

    def _switch_on(self, now_ms: int) -> None:
        self._status = _STANDBY
        self._rate = 0  # tenths of mL/h
        self._local = False
        self._silent_ms: int | None = None
        self._line.clear()
        self._plunger.turn(0, now_ms)
        self._plunger.count_infused(0)

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._outbox.plugged

    @property
    def delivered_ul(self) -> float:
        """What has truly left the syringe since the start, µL."""
        self._plunger.settle(self._now_ms)
        return self._plunger.delivered_ul

    @property
    def flow_ul_h(self) -> int:
        """True flow now, µL/h."""
        return self._plunger.true_flow_ul_h

    def receive(self, data: bytes, now_ms: int) -> None:
        """Takes bytes from the host; a command whose sum is wrong is not answered [R]."""
        self.advance(now_ms)
        if not self._outbox.plugged:
            return
        for byte in data:
            if byte != 0x0D:
                self._line.append(byte)
                del self._line[:-_LINE_LIMIT]
                continue
            line = bytes(self._line)
            self._line.clear()
            framed = _FRAMED.fullmatch(line[max(line.rfind(b"<"), 0) :])
            if framed is None or f"{sum(framed[1]) % 256:02X}".encode() != framed[4]:
                continue
            if self._outbox.hears():
                self._hear(framed[2].decode(), framed[3].decode(), now_ms)

    def advance(self, now_ms: int) -> None:
        """Lets time pass up to `now_ms`."""
        self._now_ms = now_ms
        while (due_ms := self._trips_ms()) is not None and due_ms <= now_ms:
            self._trip(due_ms)
        self._plunger.settle(now_ms)
        self._outbox.advance(now_ms)

    def take_output(self) -> bytes:
        """Bytes for the host, once."""
        return self._outbox.take()

    def wake_at(self) -> int | None:
        """Next ms at which something happens by itself."""
        due = (self._trips_ms(), self._outbox.wake_at())
        return min((at_ms for at_ms in due if at_ms is not None), default=None)

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Starts a fault; ValueError for one a pump of this make cannot have."""
        self.advance(now_ms)
        if self._outbox.inject(fault):
            self._line.clear()
            return
        match fault.kind:
            case FaultKind.POWER_CYCLE:
                self._outbox.drop()
                self._switch_on(now_ms)
            case FaultKind.KEY:
                self._press(fault.text, fault.number, now_ms)
            case FaultKind.STALL:
                self._blocked = True
                if self._status == _INFUSING:
                    self._trip(now_ms)
            case FaultKind.COUNTER_BACK:
                counted = self._plunger.infused_nl
                back_nl = counted if fault.number is None else fault.number * 1000
                self._plunger.count_infused(max(counted - back_nl, 0))
            case FaultKind.DRIFT:
                self._plunger.deliver(PPM + (fault.number or 0), now_ms)
            case FaultKind.MAX_RATE:
                self._settings = replace(self._settings, max_rate_ul_h=fault.number or 0)
            case FaultKind.REFUSE_START:
                self._refuses_start = True
            case FaultKind.STOP_IGNORED:
                self._ignored_stops = fault.number or 1
            case _:
                raise ValueError(f"A Graseby 3400 has no fault {fault.kind.value!r}.")

    def clear(self, kind: FaultKind, now_ms: int) -> None:
        """Ends a lasting fault; an alarm stays until someone presses STOP at the pump."""
        self.advance(now_ms)
        self._outbox.clear(kind)
        match kind:
            case FaultKind.STALL:
                self._blocked = False
            case FaultKind.DRIFT:
                self._plunger.deliver(PPM, now_ms)
            case FaultKind.MAX_RATE:
                self._settings = replace(self._settings, max_rate_ul_h=self._made.max_rate_ul_h)
            case FaultKind.REFUSE_START:
                self._refuses_start = False
            case FaultKind.STOP_IGNORED:
                self._ignored_stops = 0
            case _:
                pass  # nothing of this kind lasts

    # --- the wire ----------------------------------------------------------------------------

    def _hear(self, command: str, number: str, now_ms: int) -> None:
        if command not in _COMMANDS or (number != "") != (command in ("CHGR", "CHKR")):
            return
        if self._settings.stops_after_s is not None and not self._local:
            self._silent_ms = now_ms + 1000 * self._settings.stops_after_s
        readable = command in _QUESTIONS and self._settings.questions_when_local
        accepted = (not self._local or readable) and self._done(command, number, now_ms)
        data = ""
        if accepted and command == "GETR":
            data = str(self._rate)
        elif accepted and command == "TOTL":
            data = str(self._plunger.infused_nl // (1000 * self._settings.total_ul))
        text = f"<{'OK' if accepted else 'CE'}{command}{self._status}{data}>"
        self._outbox.put(f"{text}{sum(text.encode()) % 256:02X}\r".encode(), now_ms)

    def _done(self, command: str, number: str, now_ms: int) -> bool:
        """Carries out a command; False when the pump refuses it."""
        match command:
            case "STRT":
                return self._start(now_ms)
            case "STOP":
                self._stop(now_ms)
            case "CHGR":
                if int(number) * 100 > self._settings.max_rate_ul_h:
                    return False
                self._set_rate(int(number), now_ms)
            case "CHKR":
                return not self._settings.check_compares or int(number) == self._rate
            case "ZTOT":
                self._plunger.count_infused(0)
            case _:
                pass  # CHCK, GETR and TOTL only ask
        return True

    # --- the pump ----------------------------------------------------------------------------

    def _start(self, now_ms: int) -> bool:
        if self._status == _INFUSING:
            return True
        if self._status == _ALARM or self._refuses_start or self._rate == 0:
            return False
        self._status = _INFUSING
        self._set_rate(self._rate, now_ms)
        if self._blocked:
            self._trip(now_ms)
        return True

    def _stop(self, now_ms: int) -> None:
        if self._ignored_stops:
            self._ignored_stops -= 1
        elif self._status == _INFUSING:
            self._status = _STANDBY
            self._plunger.turn(0, now_ms)

    def _set_rate(self, tenths: int, now_ms: int) -> None:
        """Rate 0 does not end an infusion: the pump infuses on, at nothing (sheet 5.1)."""
        self._rate = tenths
        if self._status == _INFUSING:
            self._plunger.turn(tenths * 100_000, now_ms)

    def _press(self, key: str, rate_ul_h: int | None, now_ms: int) -> None:
        """START takes the pump away from the computer; STOP ends an alarm and gives it back [R]."""
        match key:
            case "start":
                self._start(now_ms)
                self._local = True
            case "stop":
                self._ignored_stops = 0
                self._stop(now_ms)
                self._status = _STANDBY
                self._local = False
            case _:
                self._set_rate(self._rate // 2 if rate_ul_h is None else rate_ul_h // 100, now_ms)

    def _trips_ms(self) -> int | None:
        """When the pump stops by itself: an empty syringe, or a computer that fell silent."""
        if self._status != _INFUSING:
            return None
        due = (self._silent_ms, self._plunger.empty_at_ms())
        return min((at_ms for at_ms in due if at_ms is not None), default=None)

    def _trip(self, at_ms: int) -> None:
        self._plunger.turn(0, at_ms)
        self._status = _ALARM
