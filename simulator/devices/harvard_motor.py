"""What any Harvard syringe pump is behind its wire: a motor, a counter, a target volume, a stall."""

from enum import Enum

from simulator.devices.fault import Fault, FaultKind
from simulator.devices.plunger import PPM, Plunger

_PER_NL = 3_600_000  # nL·ms/h in one nL
_PER_PL = 3_600


class Motion(Enum):
    """What the pump is doing."""

    IDLE = "idle"
    INFUSING = "infusing"
    WITHDRAWING = "withdrawing"
    STALLED = "stalled"
    REACHED = "target reached"
    INTERRUPTED = "interrupted"


MOVING = (Motion.INFUSING, Motion.WITHDRAWING)


class Motor:
    """Times in ms; every change happens at the moment given. The target counts the infused volume [I].

    `syringe_um` is the true inner diameter, None when it is the entered one.
    """

    def __init__(
        self, now_ms: int, diameter_um: int, syringe_um: int | None, capacity_ul: int | None
    ) -> None:
        self.plunger = Plunger(now_ms, capacity_ul)
        self.motion = Motion.IDLE
        self.rate_nl_h = 0
        self.diameter_um = diameter_um
        self.target_nl: int | None = None
        self.latched = False
        self._syringe_um = syringe_um
        self._infused = 0
        self._seen = 0
        self._blocked = False
        self._drift_ppm = 0
        self._share(now_ms)

    @property
    def moving(self) -> bool:
        """Whether anything flows."""
        return self.motion in MOVING

    def infused_pl(self, now_ms: int) -> int:
        """The pump's own count of infused volume, pL."""
        self._settle(now_ms)
        return self._infused // _PER_PL

    def count(self, pl: int, now_ms: int) -> None:
        """Sets the counter; what was truly delivered stays."""
        self._settle(now_ms)
        self._infused = pl * _PER_PL

    def run(self, now_ms: int, motion: Motion = Motion.INFUSING) -> bool:
        """Starts, or goes on; False when a stall is not yet cleared or there is no rate."""
        if self.latched or self.rate_nl_h == 0:
            return False
        self._turn(motion, now_ms)
        if self._blocked:
            self._turn(Motion.STALLED, now_ms)
        return True

    def halt(self, now_ms: int, motion: Motion = Motion.IDLE) -> None:
        """Stops; a latched stall stays."""
        self._turn(Motion.STALLED if self.latched else motion, now_ms)

    def set_rate(self, rate_nl_h: int, now_ms: int) -> None:
        """Changes the rate, at once when running."""
        self.rate_nl_h = rate_nl_h
        if self.moving:
            self.run(now_ms, self.motion)

    def block(self, now_ms: int, *, latched: bool) -> None:
        """The plunger cannot move until it is freed; a latched stall also needs the panel."""
        self._blocked, self.latched = True, latched
        if self.moving or latched:
            self._turn(Motion.STALLED, now_ms)

    def free(self, now_ms: int) -> None:
        """The plunger can move and the panel was pressed; the pump does not start by itself."""
        self._blocked = False
        if self.latched:
            self.latched = False
            self.halt(now_ms)

    def drift(self, ppm: int, now_ms: int) -> None:
        """True delivery differs from the counter by so many ppm from now on."""
        self._drift_ppm = ppm
        self._share(now_ms)

    def enter_diameter(self, diameter_um: int, now_ms: int) -> None:
        """Another diameter is entered; the syringe stays what it is."""
        self.diameter_um = diameter_um
        self._share(now_ms)

    def press(self, key: str, rate_ul_h: int | None, now_ms: int) -> None:
        """Someone presses start or stop at the pump, or changes the rate (else halves it)."""
        if key == "start":
            self.run(now_ms)
        elif key == "stop":
            self.latched = False
            self.halt(now_ms)
        else:
            self.set_rate(self.rate_nl_h // 2 if rate_ul_h is None else rate_ul_h * 1000, now_ms)

    def switch_on(self, rate_nl_h: int, now_ms: int) -> None:
        """Power is back: still, nothing counted, no target, this rate."""
        self.latched = False
        self.halt(now_ms)
        self.count(0, now_ms)
        self.target_nl = None
        self.rate_nl_h = rate_nl_h

    def next_ms(self) -> int | None:
        """When it stops by itself: at its target, or when the syringe is empty."""
        due = [ms for ms in (self._reached_ms(), self.plunger.empty_at_ms()) if ms is not None]
        return min(due) if due and self.moving else None

    def advance(self, now_ms: int) -> None:
        """Lets time pass."""
        while (due_ms := self.next_ms()) is not None and due_ms <= now_ms:
            reached = self._reached_ms() == due_ms
            self._turn(Motion.REACHED if reached else Motion.STALLED, due_ms)
        self._settle(now_ms)

    def _reached_ms(self) -> int | None:
        flow = self.plunger.flow_nl_h
        if self.target_nl is None or flow <= 0:
            return None
        left = max(self.target_nl * _PER_NL - self._infused, 0)
        return self._settled_ms - (-left // flow)

    def _turn(self, motion: Motion, now_ms: int) -> None:
        self._settle(now_ms)
        self.motion = motion
        sign = {Motion.INFUSING: 1, Motion.WITHDRAWING: -1}.get(motion, 0)
        self.plunger.turn(sign * self.rate_nl_h, now_ms)

    def _settle(self, now_ms: int) -> None:
        self.plunger.settle(now_ms)
        moved = self.plunger.travelled - self._seen
        self._seen = self.plunger.travelled
        self._settled_ms = now_ms
        if self.plunger.flow_nl_h > 0:
            self._infused += moved

    def _share(self, now_ms: int) -> None:
        self._settle(now_ms)
        entered, true = self.diameter_um, self._syringe_um or self.diameter_um
        squared = entered * entered
        self.plunger.deliver(((PPM + self._drift_ppm) * true * true + squared // 2) // squared, now_ms)


def happens_to(motor: Motor, fault: Fault, now_ms: int) -> bool:
    """What any motor can suffer: a key, a stall, a counter set back, drift. False for any other fault."""
    match fault.kind:
        case FaultKind.KEY:
            motor.press(fault.text, fault.number, now_ms)
        case FaultKind.STALL:
            motor.block(now_ms, latched=False)
        case FaultKind.COUNTER_BACK:
            counted_pl = motor.infused_pl(now_ms)
            back_pl = counted_pl if fault.number is None else fault.number * 10**6
            motor.count(max(counted_pl - back_pl, 0), now_ms)
        case FaultKind.DRIFT:
            motor.drift(fault.number or 0, now_ms)
        case _:
            return False
    return True
