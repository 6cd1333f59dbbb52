"""A Harvard pump of the Ultra dialect (PHD Ultra, 11 Elite, 33 DDS, KDS Legato), byte for byte.

Source: sheet pumps.md section 4.1 and bytes recorded on firmware 3.0.6. What the sheet could not verify
is a setting (`HarvardUltraSettings`).
"""

import re
from dataclasses import replace

from simulator.devices.fault import Fault, FaultKind
from simulator.devices.harvard_motor import Motion, happens_to
from simulator.devices.harvard_ultra_commands import UltraPump, known_word
from simulator.devices.harvard_ultra_settings import HarvardUltraSettings
from simulator.devices.mischief import Outbox

_PROMPTS = {
    Motion.IDLE: ":",
    Motion.INFUSING: ">",
    Motion.WITHDRAWING: "<",
    Motion.STALLED: "*",
    Motion.REACHED: "T*",
    Motion.INTERRUPTED: ":",
}
_ADDRESSED = re.compile(r"@?(\d{1,2}):?@?(.*)|@?(.*)", re.ASCII | re.DOTALL)
_LINE_LIMIT = 128
_XON = "\x11"
_STALE_TARGET_UL = 1_000


class HarvardUltra:
    """The pump on its cable, switched on at `now_ms`; a `PumpDevice`."""

    def __init__(self, settings: HarvardUltraSettings | None = None, now_ms: int = 0) -> None:
        self._made = settings or HarvardUltraSettings()
        self._pump = UltraPump(self._made, now_ms)
        self._outbox = Outbox(self._made.reply_delay_ms)
        self._line = bytearray()
        self._now_ms = now_ms
        self._leaks: int | None = None
        self._star_first = False

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._outbox.plugged

    @property
    def delivered_ul(self) -> float:
        """What has truly left the syringe since the start, µL."""
        return self._pump.motor.plunger.delivered_ul

    @property
    def flow_ul_h(self) -> int:
        """True flow now, µL/h to the nearest whole one; 0 when not running."""
        return self._pump.motor.plunger.true_flow_ul_h

    def preset(self, infused_pl: int, now_ms: int) -> None:
        """The counter shows this from now on, pL."""
        self._pump.motor.count(infused_pl, now_ms)

    def receive(self, data: bytes, now_ms: int) -> None:
        """Takes bytes from the host."""
        self.advance(now_ms)
        if not self._outbox.plugged:
            return
        for byte in data:
            if byte == ord("\n"):
                continue
            if byte != ord("\r"):
                self._line.append(byte)
                del self._line[:-_LINE_LIMIT]
                continue
            line = self._line.decode("latin-1")
            self._line.clear()
            if self._outbox.hears():
                self._hear(line, now_ms)

    def advance(self, now_ms: int) -> None:
        """Lets time pass up to `now_ms`."""
        self._now_ms = now_ms
        self._pump.motor.advance(now_ms)
        self._outbox.advance(now_ms)

    def take_output(self) -> bytes:
        """Bytes for the host, once."""
        return self._outbox.take()

    def wake_at(self) -> int | None:
        """Next ms at which something happens by itself: a target, an empty syringe, a delayed reply."""
        due = [ms for ms in (self._pump.motor.next_ms(), self._outbox.wake_at()) if ms is not None]
        return min(due) if due else None

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Starts a fault; ValueError for one a pump of this make cannot have."""
        self.advance(now_ms)
        if not (
            self._outbox.inject(fault) or self._happens(fault, now_ms) or self._is_left_so(fault, now_ms)
        ):
            raise ValueError(f"A Harvard Ultra pump has no fault {fault.kind.value!r}.")
        if fault.kind in (FaultKind.UNPLUG, FaultKind.POWER_CYCLE):
            self._line.clear()

    def clear(self, kind: FaultKind, now_ms: int) -> None:
        """Ends a lasting fault; clearing `stall` or `stall_latched` is a person at the pump's panel."""
        self.advance(now_ms)
        self._outbox.clear(kind)
        pump, made = self._pump, self._made
        match kind:
            case FaultKind.STALL | FaultKind.STALL_LATCHED:
                pump.motor.free(now_ms)
            case FaultKind.DRIFT:
                pump.motor.drift(0, now_ms)
            case FaultKind.ADDR_LEAK:
                self._leaks = None
            case FaultKind.T_STAR_FIRST:
                self._star_first = False
            case FaultKind.RESCALE:
                pump.rescales = False
            case FaultKind.ECHO:
                pump.echo = made.echo
            case FaultKind.STOP_IGNORED:
                pump.stops_ignored = 0
            case FaultKind.IDENTITY:
                pump.settings = replace(pump.settings, name=made.name, serial=made.serial)
            case FaultKind.MAX_RATE:
                pump.settings = replace(pump.settings, max_rate_ul_h=made.max_rate_ul_h)
            case FaultKind.NVRAM:
                known_word(pump, made.nvram_word)
            case _:
                pass  # nothing of this kind lasts

    def _hear(self, line: str, now_ms: int) -> None:
        pump = self._pump
        found = _ADDRESSED.fullmatch(line)
        addressed = found is not None and found[1] is not None
        address = int(found[1]) if found is not None and found[1] is not None else 0
        text = line if found is None else found[2] if addressed else found[3]
        if address != pump.address:
            return
        before = f"{address:02d}:" if address and pump.settings.addresses_lines else ""
        body = "".join(f"{before}{row}\r\n" for row in pump.answer(text, now_ms))
        leak = "" if self._leaks is None else f"{self._leaks:02d}"
        own = f"{pump.address:02d}" if pump.address else ""
        reply = f"\n{body}{leak}{own}{_PROMPTS[pump.motor.motion]}{_XON if pump.poll else ''}"
        if self._star_first:
            reply = "T*" + reply
        if pump.echo:
            reply = f"{line}\r\n" + reply
        self._outbox.put(reply.encode("latin-1"), now_ms)

    def _happens(self, fault: Fault, now_ms: int) -> bool:
        pump, motor = self._pump, self._pump.motor
        match fault.kind:
            case FaultKind.POWER_CYCLE:
                self._outbox.drop()
                pump.switch_on(now_ms)
            case FaultKind.STALL_LATCHED:
                motor.block(now_ms, latched=True)
            case FaultKind.STOP_IGNORED:
                pump.stops_ignored = fault.number or 0
            case _:
                return happens_to(motor, fault, now_ms)
        return True

    def _is_left_so(self, fault: Fault, now_ms: int) -> bool:
        pump = self._pump
        match fault.kind:
            case FaultKind.IDENTITY:
                pump.settings = replace(pump.settings, name=fault.text, serial=fault.text)
            case FaultKind.DIAMETER:
                pump.motor.enter_diameter(fault.number or pump.motor.diameter_um, now_ms)
            case FaultKind.STALE_VOL:
                pump.motor.target_nl = (fault.number or _STALE_TARGET_UL) * 1000
            case FaultKind.MAX_RATE:
                pump.settings = replace(pump.settings, max_rate_ul_h=fault.number)
            case FaultKind.ECHO:
                pump.echo = True
            case FaultKind.POLL:
                pump.poll = fault.text == "on"
            case FaultKind.NVRAM:
                known_word(pump, fault.text)
            case FaultKind.RESCALE:
                pump.rescales = True
            case FaultKind.ADDR_LEAK:
                self._leaks = fault.number
            case FaultKind.T_STAR_FIRST:
                self._star_first = True
            case _:
                return False
        return True
