"""A Harvard pump of the 22 dialect (PHD 22/2000, Model 22, 33, Pump 11), byte for byte.

Source: sheet pumps.md section 4.2. What the sheet could not verify is a setting (`Harvard22Settings`).
"""

import re

from simulator.devices.fault import Fault, FaultKind
from simulator.devices.harvard_22_commands import TwentyTwoPump
from simulator.devices.harvard_22_settings import MAKES, Harvard22Settings
from simulator.devices.harvard_motor import happens_to
from simulator.devices.mischief import Outbox

_ADDRESSED = re.compile(r"(\d{1,2})?(.*)", re.ASCII | re.DOTALL)
_LINE_LIMIT = 80
_STALE_TARGET_UL = 1_000


class Harvard22:
    """The pump on its cable, switched on at `now_ms`; a `PumpDevice`."""

    def __init__(self, settings: Harvard22Settings | None = None, now_ms: int = 0) -> None:
        self._made = settings or Harvard22Settings()
        self._pump = TwentyTwoPump(self._made, now_ms)
        self._outbox = Outbox(self._made.reply_delay_ms)
        self._line = bytearray()
        self._deaf = False
        self._reply_address: int | None = None

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

    def receive(self, data: bytes, now_ms: int) -> None:
        """Takes bytes from the host."""
        self.advance(now_ms)
        if not self._outbox.plugged:
            return
        for byte in data:
            if byte != ord("\r"):
                self._line.append(byte)
                del self._line[:-_LINE_LIMIT]
                continue
            line = self._line.decode("latin-1").strip().upper()
            self._line.clear()
            if self._outbox.hears() and not self._deaf:
                self._hear(line, now_ms)

    def advance(self, now_ms: int) -> None:
        """Lets time pass up to `now_ms`."""
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
            raise ValueError(f"A Harvard 22 pump has no fault {fault.kind.value!r}.")
        if fault.kind in (FaultKind.UNPLUG, FaultKind.POWER_CYCLE):
            self._line.clear()

    def clear(self, kind: FaultKind, now_ms: int) -> None:
        """Ends a lasting fault."""
        self.advance(now_ms)
        self._outbox.clear(kind)
        pump, made = self._pump, self._made
        match kind:
            case FaultKind.STALL:
                pump.motor.free(now_ms)
            case FaultKind.DRIFT:
                pump.motor.drift(0, now_ms)
            case FaultKind.DEAF:
                self._deaf = False
            case FaultKind.REPLY_ADDR:
                self._reply_address = None
            case FaultKind.DIGITS:
                pump.digits = made.digits
            case FaultKind.MODEL:
                pump.model = made.model
            case FaultKind.IDENTITY:
                pump.version = made.version
            case _:
                pass  # nothing of this kind lasts

    def _hear(self, line: str, now_ms: int) -> None:
        pump = self._pump
        found = _ADDRESSED.fullmatch(line)
        if found is None or int(found[1] or 0) != self._made.address:
            return
        said = pump.answer(found[2], now_ms)
        message = f"\n{said}\r" if said else ""
        address = self._made.address if self._reply_address is None else self._reply_address
        self._outbox.put(f"{message}\n{address:02d}{pump.prompt()}".encode("latin-1"), now_ms)

    def _happens(self, fault: Fault, now_ms: int) -> bool:
        motor = self._pump.motor
        match fault.kind:
            case FaultKind.POWER_CYCLE:
                self._outbox.drop()
                self._pump.switch_on(now_ms)
            case FaultKind.DIAMETER:
                motor.enter_diameter(fault.number or motor.diameter_um, now_ms)
            case _:
                return happens_to(motor, fault, now_ms)
        return True

    def _is_left_so(self, fault: Fault, now_ms: int) -> bool:
        del now_ms
        pump = self._pump
        match fault.kind:
            case FaultKind.IDENTITY:
                pump.version = fault.text
            case FaultKind.MODEL:
                if fault.text not in MAKES:
                    raise ValueError(f"There is no Harvard 22 pump of model {fault.text!r}.")
                pump.model = fault.text
            case FaultKind.DIGITS:
                pump.digits = fault.number or self._made.digits
            case FaultKind.STALE_VOL:
                pump.target_nl = (fault.number or _STALE_TARGET_UL) * 1000
                pump.by_volume = True
                pump.aim()
            case FaultKind.DEAF:
                self._deaf = True
            case FaultKind.REPLY_ADDR:
                self._reply_address = fault.number
            case _:
                return False
        return True
