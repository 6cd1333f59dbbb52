"""A New Era NE-1000 (WPI Aladdin) syringe pump, byte for byte, from its manual alone.

Source: sheet pumps.md section 2. What the sheet could not verify is a setting (`NewEraSettings`).
"""

import re
from dataclasses import replace

from simulator.devices.fault import Fault, FaultKind
from simulator.devices.mischief import Outbox
from simulator.devices.new_era_commands import answer
from simulator.devices.new_era_model import Answer, NewEraPump
from simulator.devices.new_era_program import Alarm
from simulator.devices.new_era_settings import NewEraSettings, SafReply
from simulator.devices.new_era_wire import Heard, Inbox, basic_packet, folded, safe_packet

_STALE_VOLUME_UL = 1_000
_STALE_RATE_UL_H = 100_000
_ADDRESSED = re.compile(r"(\d{1,2})(.*)", re.ASCII)


class NewEra:
    """The pump on its cable, switched on at `now_ms`; a `PumpDevice`."""

    def __init__(self, settings: NewEraSettings | None = None, now_ms: int = 0) -> None:
        settings = settings or NewEraSettings()
        self._made = settings
        self._pump = NewEraPump(settings, now_ms)
        self._inbox = Inbox()
        self._outbox = Outbox(settings.reply_delay_ms)
        self._now_ms = now_ms
        self._due_ms: int | None = None
        self._reply_address: int | None = None
        self._breaks_in: Alarm | None = None
        self._ignores_next = False
        self._tell(now_ms)

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
        """Someone puts in a full syringe or bag of so many µL; the pump does not start by itself."""
        self.advance(now_ms)
        self._pump.plunger.settle(now_ms)
        self._pump.plunger.refill(capacity_ul)
        self._tell(now_ms)

    def receive(self, data: bytes, now_ms: int) -> None:
        """Takes bytes from the host."""
        self.advance(now_ms)
        if not self._outbox.plugged:
            return
        self._inbox.put(data, now_ms, safe=self._pump.safe)
        while True:
            packet = self._inbox.next_safe() if self._pump.safe else self._inbox.next_basic()
            if packet is None:
                break
            if self._outbox.hears():
                self._hear(packet, now_ms)
        self._tell(now_ms)

    def advance(self, now_ms: int) -> None:
        """Lets time pass up to `now_ms`."""
        self._now_ms = now_ms
        if self._due_ms is None or now_ms < self._due_ms:
            return
        self._pump.advance(now_ms)
        self._outbox.advance(now_ms)
        self._tell(now_ms)

    def take_output(self) -> bytes:
        """Bytes for the host, once."""
        return self._outbox.take()

    def wake_at(self) -> int | None:
        """Next ms at which something happens by itself: watchdog, end of a volume, a delayed reply."""
        return self._due_ms

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Starts a fault; ValueError for one a syringe pump of this make cannot have."""
        self.advance(now_ms)
        if not (self._outbox.inject(fault) or self._happens(fault, now_ms) or self._left_in_memory(fault)):
            raise ValueError(f"A New Era pump has no fault {fault.kind.value!r}.")
        if fault.kind in (FaultKind.UNPLUG, FaultKind.POWER_CYCLE):
            self._inbox.drop()
        self._tell(now_ms)

    def clear(self, kind: FaultKind, now_ms: int) -> None:
        """Ends a lasting fault; what was left in the pump's memory stays there until the host changes it."""
        self.advance(now_ms)
        self._outbox.clear(kind)
        pump, made = self._pump, self._made
        match kind:
            case FaultKind.STALL:
                pump.free()
            case FaultKind.DRIFT:
                pump.drift(0, now_ms)
            case FaultKind.REPLY_ADDR:
                self._reply_address = None
            case FaultKind.AUTO_ALARM:
                self._breaks_in = None
            case FaultKind.IGN_NEXT:
                self._ignores_next = False
            case FaultKind.STRICT_UNITS:
                pump.settings = replace(pump.settings, strict_units=made.strict_units)
            case FaultKind.MAX_RATE:
                pump.settings = replace(pump.settings, max_rate_ul_h=made.max_rate_ul_h)
            case FaultKind.SAF_REPLY:
                pump.settings = replace(pump.settings, saf_reply=made.saf_reply)
            case FaultKind.IDENTITY:
                pump.settings = replace(pump.settings, identity=made.identity)
            case _:
                pass  # nothing of this kind lasts
        self._tell(now_ms)

    def _hear(self, packet: bytes | Heard, now_ms: int) -> None:
        pump = self._pump
        if isinstance(packet, Heard):
            self._reply(Answer.DAMAGED, now_ms)
            return
        command = folded(packet)
        if not command.startswith("*"):
            addressed = _ADDRESSED.fullmatch(command)
            address = int(addressed[1]) if addressed else 0
            if address != pump.memory.address:
                return
            command = addressed[2] if addressed else command
        if pump.alarm is not None:
            alarm, pump.alarm = pump.alarm, None
            pump.heard(now_ms)
            self._say(f"A?{alarm}", now_ms, safe=pump.safe)
            return
        was_safe = pump.safe
        if self._ignores_next and len(command) > 3:
            self._ignores_next = False
            said: str = Answer.IGNORED
        else:
            said = answer(pump, command, now_ms)
        if was_safe or (pump.safe and pump.settings.saf_arms_at_once):
            pump.heard(now_ms)
        prompt = pump.status
        if self._breaks_in is not None:
            pump.raise_alarm(self._breaks_in, now_ms)
            self._breaks_in = None
            self._announce(now_ms)
        self._say(prompt + said, now_ms, safe=self._reply_is_safe(was_safe))

    def _reply_is_safe(self, was_safe: bool) -> bool:
        now_safe, wanted = self._pump.safe, self._pump.settings.saf_reply
        if now_safe is was_safe or wanted is SafReply.NEW:
            return now_safe
        return wanted is SafReply.SAFE

    def _reply(self, said: str, now_ms: int) -> None:
        self._say(self._pump.status + said, now_ms, safe=self._pump.safe)

    def _say(self, text: str, now_ms: int, *, safe: bool) -> None:
        address = self._pump.memory.address if self._reply_address is None else self._reply_address
        payload = f"{address:02d}{text}".encode("ascii")
        self._outbox.put(safe_packet(payload) if safe else basic_packet(payload), now_ms)

    def _announce(self, now_ms: int) -> None:
        for alarm in self._pump.announcements:
            self._say(f"A?{alarm}", now_ms, safe=True)
        self._pump.announcements.clear()

    def _tell(self, now_ms: int) -> None:
        if self._pump.announcements:
            self._announce(now_ms)
        pump_ms, reply_ms = self._pump.next_ms(), self._outbox.wake_at()
        self._due_ms = (
            pump_ms if reply_ms is None else reply_ms if pump_ms is None else min(pump_ms, reply_ms)
        )

    def _happens(self, fault: Fault, now_ms: int) -> bool:
        pump = self._pump
        match fault.kind:
            case FaultKind.POWER_CYCLE:
                self._outbox.drop()
                pump.switch_on(now_ms)
            case FaultKind.KEY:
                pump.press(fault.text, fault.number, now_ms)
            case FaultKind.STALL:
                pump.block(now_ms)
            case FaultKind.COUNTER_BACK:
                pump.plunger.settle(now_ms)
                back_nl = pump.plunger.infused_nl if fault.number is None else fault.number * 1000
                pump.plunger.count_infused(max(pump.plunger.infused_nl - back_nl, 0))
            case FaultKind.DRIFT:
                pump.drift(fault.number or 0, now_ms)
            case FaultKind.DIAMETER:
                pump.leave_diameter(fault.number or pump.memory.diameter_um, now_ms)
            case FaultKind.AUTO_ALARM:
                self._breaks_in = Alarm(fault.text)
            case FaultKind.ALARM_NEXT:
                pump.raise_alarm(Alarm(fault.text), now_ms, announced=False)
            case FaultKind.IGN_NEXT:
                self._ignores_next = True
            case FaultKind.REPLY_ADDR:
                self._reply_address = fault.number
            case _:
                return False
        return True

    def _left_in_memory(self, fault: Fault) -> bool:
        pump, number = self._pump, fault.number or 0
        match fault.kind:
            case FaultKind.IDENTITY:
                pump.settings = replace(pump.settings, identity=fault.text)
            case FaultKind.SAF_REPLY:
                pump.settings = replace(pump.settings, saf_reply=SafReply(fault.text))
            case FaultKind.STRICT_UNITS:
                pump.settings = replace(pump.settings, strict_units=True)
            case FaultKind.MAX_RATE:
                pump.settings = replace(pump.settings, max_rate_ul_h=number)
            case FaultKind.START_FRAMING:
                self._left_in_mode((pump.memory.saf_s or 10) if fault.text == "safe" else 0)
            case FaultKind.SAF_NVM:
                self._left_in_mode(number)
            case FaultKind.STALE_VOL:
                ul = _STALE_VOLUME_UL if fault.number is None else number
                volume = ul if pump.memory.volume_in_ml else ul * 1000
                pump.set_phase(replace(pump.phase, volume=volume))
            case FaultKind.STALE_PHASE2:
                pump.leave_program(2, _STALE_RATE_UL_H if fault.number is None else number)
            case _:
                return False
        return True

    def _left_in_mode(self, saf_s: int) -> None:
        self._pump.remember(replace(self._pump.memory, saf_s=saf_s))
        self._pump.watchdog_ms = None
        self._inbox.drop()
