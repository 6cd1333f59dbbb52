"""One pump link and its emulated pump in virtual time, and the promises they are held to at every byte.

P1  no faster than the greatest rate ordered since the last confirmed stop, or set at the pump's keys
P2  one start for one order, to a pump reported stopped, none after a newer stop
P3  stopped 30 s after a stop on a sound wire, or said why not
P4  after 60 s of a sound wire the latest report is what the pump truly does, or it was said why not
P5  a swapped pump is never moved once the link could know
P6  on silence an insulin pump that was started by order stops, a dextrose pump runs on
P7  a running dextrose pump is adopted by questions alone
P8  no call raises, no buffer grows without end
"""

from collections import deque
from typing import NoReturn

from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from clampctl.core.events import DeviceEvent, LinkTroubled, PumpIdentified, PumpReported, PumpState, Trouble
from drivers.link import Link
from simulator.devices.device import PumpDevice
from simulator.devices.fault import OF_THE_WIRE, FaultKind, fault
from simulator.furniture import Choice, furniture
from tests.drivers.pump_spoken import Said, said

STOPPED_AFTER_MS, TRUE_AFTER_MS = 30_000, 60_000
FRESH_MS = 6_000
"""The latest report is not older than this."""

SURE_MS = 5_000
"""A wire that was sound for so long hides nothing."""

SILENCE_MS = {"new-era": 6_000, "alaris": 16_000, "graseby-3400": 11_000}
"""The watchdog's time and a second; the rolling volume of the others is reckoned from the rate."""

UNSOUND = (*OF_THE_WIRE, FaultKind.UNPLUG, FaultKind.DEAF, FaultKind.REPLY_ADDR, FaultKind.NO_CR)
"""With these nothing can be known of the pump."""

ROLLING_S = 180
TURNS_MAX = 2_000
HELD_BYTES_MAX = 4_096


class Bed:
    """`found_ul_h` is the rate at which the pump runs when the wire is opened, None for stopped."""

    def __init__(self, driver: str, role: Role, found_ul_h: int | None) -> None:
        choice = Choice(dextrose=driver) if role is Role.DEXTROSE else Choice(insulin=driver)
        made = furniture(choice)
        self.driver, self.role = driver, role
        self.link: Link = made.links[role]
        self.device: PumpDevice = made.dextrose if role is Role.DEXTROSE else made.insulin
        self.now_ms = 0
        self.epoch = 0
        self.is_broken = False
        self.trail: deque[str] = deque(maxlen=40)
        self.sound_since_ms: int | None = 0
        self.ceiling_ul_h = 0
        self.starts_open = 0
        self.stopped_at_ms: int | None = None
        self.started_by_order = False
        self.swapped = False
        self.knows = False
        self.is_silent = False
        if found_ul_h is not None:
            if driver == "new-era" and role is Role.INSULIN:
                self.device.inject(fault("saf_nvm=5"), 0)
            self.key(f"key=rate,{found_ul_h}")
            self.key("key=start")
        self.open()

    # --- what happens ------------------------------------------------------------------------

    def open(self) -> None:
        """The wire is opened, anew."""
        self.note("open")
        self.epoch += 1
        if self.sound_since_ms is not None:
            self.sound_since_ms = self.now_ms
        self.reported: PumpReported | None = None
        self.reported_ms = self.now_ms
        self.mismatch: str | None = None
        self.said_ms: int | None = None
        self.stopped_at_ms = None
        self.starts_open = 0
        self.stop_refused = False
        self.knows = self.swapped
        self.adopting = self.role is Role.DEXTROSE and self.device.flow_ul_h > 0
        self.link.opened(self.epoch, self.now_ms)
        self._settle()

    def order(self, command: Command) -> None:
        """The core orders; what is meant for another pump or connection must not count."""
        self.note(f"order {command}")
        if command.role is self.role and command.epoch == self.epoch:
            self.adopting = False
            self.flow_at_order_ul_h = self.device.flow_ul_h
            told = self.sound_for_ms >= SURE_MS and self.mismatch is None
            self.is_sure = told and self.stopped_at_ms is None  # else a stop may go before it
            match command:
                case StopPump() | SetRate(rate_ul_h=0):
                    self.stopped_at_ms, self.stop_refused = self.now_ms, False
                    self.starts_open = 0
                case SetRate(rate_ul_h=rate_ul_h) | StartPump(rate_ul_h=rate_ul_h):
                    self.stopped_at_ms = None
                    self.ceiling_ul_h = max(self.ceiling_ul_h, rate_ul_h)
                    self.starts_open += isinstance(command, StartPump)
        self.link.send(command, self.now_ms)
        self._settle()

    def key(self, text: str) -> None:
        """Someone at the pump: what it is set to there counts as wanted."""
        self.happens(text)
        number = fault(text).number or 0
        self.ceiling_ul_h = max(self.ceiling_ul_h, number, self.device.flow_ul_h)
        self.started_by_order = False
        if self.device.flow_ul_h:
            self.stopped_at_ms = None

    def happens(self, text: str) -> None:
        """A fault begins: one of the wire is not sound until `heal`, any other is told in time."""
        self.note(text)
        one = fault(text)
        self.device.inject(one, self.now_ms)
        if one.kind in UNSOUND:
            self.sound_since_ms = None
        elif self.sound_since_ms is not None:
            self.sound_since_ms = self.now_ms
        if one.kind is FaultKind.IDENTITY:
            self.swapped, self.knows = True, self.is_silent
        rolls = self.driver not in SILENCE_MS and one.kind is FaultKind.COUNTER_BACK
        if one.kind is FaultKind.POWER_CYCLE or rolls:  # its target is as much further away
            self.started_by_order = False

    def ends(self, kind: FaultKind) -> None:
        """A fault of the device ends."""
        self.note(f"clear {kind.value}")
        self.device.clear(kind, self.now_ms)
        if kind is FaultKind.IDENTITY:
            self.swapped = self.knows = False
        if self.sound_since_ms is not None:
            self.sound_since_ms = self.now_ms

    def heal(self) -> None:
        """The wire is sound from now on."""
        self.note("heal")
        for kind in UNSOUND:
            self.device.clear(kind, self.now_ms)
        if self.sound_since_ms is None:
            self.sound_since_ms = self.now_ms

    def run(self, for_ms: int) -> None:
        """Time passes."""
        self.note(f"{for_ms} ms pass")
        end_ms = self.now_ms + for_ms
        while True:
            due = [ms for ms in (self.link.wake_at(), self.device.wake_at()) if ms is not None]
            next_ms = max(self.now_ms, min(due, default=end_ms + 1))
            if next_ms > end_ms:
                break
            self.now_ms = next_ms
            self.device.advance(next_ms)
            self._settle()
            self._tell(self.link.wake(next_ms))
            self._settle()
        self.now_ms = end_ms
        self.device.advance(end_ms)
        self._settle()
        self.judge()

    def silence(self) -> None:
        """P6: the program hangs, for as long as the pump may go on, and comes back."""
        flow_ul_h, before_ul = self.device.flow_ul_h, self.device.delivered_ul
        for_ms = SILENCE_MS.get(self.driver, 0)
        most_ul = self.ceiling_ul_h * ROLLING_S / 3600 + 1.0
        if not for_ms and flow_ul_h:
            for_ms = min(self.ceiling_ul_h * ROLLING_S * 1000 // flow_ul_h + 1000, 40_000_000)
        if self.role is Role.DEXTROSE:
            for_ms = 60_000
        self.note(f"silence for {for_ms} ms")
        self.now_ms += for_ms
        self.device.advance(self.now_ms)
        after_ul_h = self.device.flow_ul_h
        if self.role is Role.INSULIN and self.started_by_order and after_ul_h:
            self.broken(f"P6: still {after_ul_h} µL/h after {for_ms} ms of silence")
        if self.driver not in SILENCE_MS and self.role is Role.INSULIN and self.started_by_order:
            gone_ul = self.device.delivered_ul - before_ul
            if gone_ul > most_ul:
                self.broken(f"P6: {gone_ul} µL after silence, {most_ul} µL at most")
        if self.role is Role.DEXTROSE and after_ul_h != flow_ul_h:
            self.broken(f"P6: dextrose {flow_ul_h} became {after_ul_h} µL/h on silence")
        if self.sound_since_ms is not None:
            self.sound_since_ms = self.now_ms
        self._settle()

    # --- the wire ----------------------------------------------------------------------------

    def _settle(self) -> None:
        for _ in range(TURNS_MAX):
            out = self.link.take_output()
            for kind, text in said(self.driver, out):
                self._hears(kind, text)
            if out:
                self.device.receive(out, self.now_ms)
            self._watch()
            back = self.device.take_output()
            if back:
                self.is_silent = False
                self._tell(self.link.receive(back, self.now_ms))
            if not out and not back:
                return
        self.broken("P8: the wire never falls silent")

    def _hears(self, kind: Said, text: str) -> None:
        self.note(f"  link: {text or 'status'}")
        if kind is Said.QUESTION:
            return
        if self.adopting and self.device.flow_ul_h > 0:
            self.broken(f"P7: {text} to a running dextrose pump nobody gave an order for")
        moving = kind in (Said.START, Said.RATE)
        if moving and self.swapped and self.knows and self.device.plugged:
            self.broken(f"P5: {text} to a swapped pump")
        if moving and self.mismatch is not None:
            self.broken(f"P5: {text} to a pump that was told to be another one")
        if kind is Said.START:
            self._starts(text)

    def _starts(self, text: str) -> None:
        if not self.starts_open:
            self.broken(f"P2: {text} without an order that is still open")
        if self.reported is None:
            self.broken(f"P2: {text} to a pump not reported yet")
        if self.is_sure and self.flow_at_order_ul_h and self.sound_for_ms >= SURE_MS:
            self.broken(f"P2: {text} to a pump that runs")
        self.starts_open -= 1
        self.started_by_order = True

    def _watch(self) -> None:
        if self.device.flow_ul_h > self.ceiling_ul_h + 1:
            self.broken(f"P1: {self.device.flow_ul_h} µL/h, at most {self.ceiling_ul_h} ordered")

    def _tell(self, events: list[DeviceEvent]) -> None:
        for event in events:
            self.note(f"  told: {event}")
            if isinstance(event, LinkTroubled):
                self.said_ms = self.now_ms
                if event.trouble is Trouble.NO_REPLY and event.detail.startswith("pump did not answer"):
                    self.is_silent = True
                    self.knows = self.knows or self.swapped
                if event.trouble is Trouble.REFUSED and "stop" in event.detail:
                    self.stop_refused = True
            elif isinstance(event, PumpIdentified) and event.epoch == self.epoch:
                self.mismatch = event.mismatch
            elif isinstance(event, PumpReported) and event.epoch == self.epoch:
                self.reported, self.reported_ms = event, self.now_ms
                if self.stopped_at_ms is not None and event.state is PumpState.STOPPED:
                    self.ceiling_ul_h = 0
                    self._watch()

    # --- judgement ---------------------------------------------------------------------------

    @property
    def sound_for_ms(self) -> int:
        """For how long the wire has been sound."""
        return 0 if self.sound_since_ms is None else self.now_ms - self.sound_since_ms

    def judge(self) -> None:
        """P3 and P4, once the wire was sound for long enough."""
        flow_ul_h, told = self.device.flow_ul_h, self.reported
        stopping_ms = 0 if self.stopped_at_ms is None else self.now_ms - self.stopped_at_ms
        excused = self.mismatch is not None or self.stop_refused
        if min(stopping_ms, self.sound_for_ms) >= STOPPED_AFTER_MS and flow_ul_h and not excused:
            self.broken(f"P3: {flow_ul_h} µL/h, ordered to stop {stopping_ms} ms ago")
        if self.sound_for_ms < TRUE_AFTER_MS:
            return
        if told is None or self.now_ms - self.reported_ms > FRESH_MS:
            said_late = self.said_ms is not None and self.now_ms - self.said_ms <= FRESH_MS
            if self.mismatch is None and not said_late:
                self.broken(f"P4: nothing reported since {self.reported_ms} ms")
            return
        told_ul_h = told.rate_ul_h if told.state is PumpState.RUNNING else 0
        if abs(told_ul_h - flow_ul_h) > 1 or (told.state is PumpState.RUNNING) != (flow_ul_h > 0):
            self.broken(f"P4: it does {flow_ul_h} µL/h, told is {told}")

    def end(self) -> None:
        """A sound wire for long enough, then everything must be right."""
        self.heal()
        self.run(TRUE_AFTER_MS + FRESH_MS)
        held = held_bytes(self.link)
        if held > HELD_BYTES_MAX:
            self.broken(f"P8: {held} bytes and entries held")

    def note(self, text: str) -> None:
        """Keep the latest doings, for the message of a failure."""
        self.trail.append(f"{self.now_ms:>8} {text}")

    def broken(self, promise: str) -> NoReturn:
        """A promise was not kept."""
        self.is_broken = True
        raise AssertionError("\n".join((f"{self.driver} {self.role.value}: {promise}", *self.trail)))


def held_bytes(thing: object, seen: set[int] | None = None) -> int:
    """Bytes and entries in all buffers that a link holds, at any depth."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    if isinstance(thing, bytes | bytearray | str):
        return len(thing) if isinstance(thing, bytearray) else 0
    if isinstance(thing, list | set | dict):
        inside = thing.values() if isinstance(thing, dict) else thing
        return len(thing) + sum(held_bytes(one, seen) for one in inside)
    if type(thing).__module__.startswith("drivers.") and hasattr(thing, "__dict__"):
        return sum(held_bytes(one, seen) for one in vars(thing).values())
    return 0
