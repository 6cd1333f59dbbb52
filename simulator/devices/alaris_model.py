"""What an Alaris pump is: a motor, a syringe to be confirmed, alarms, and a host it listens for."""

from collections.abc import Callable
from enum import StrEnum

from simulator.devices.alaris_settings import AlarisSettings
from simulator.devices.alaris_wire import crc
from simulator.devices.plunger import PPM, Plunger

SLOWEST_UL_H = 100
FINE_BELOW_UL_H = 100_000


class Alarm(StrEnum):
    """Codes as OpenICE lists them; what each means is inferred from its name."""

    COMMS = "AL_COMTO"
    OCCLUSION = "AL_OCCLU"
    LOW_BATTERY = "AL_LWBAT"
    EMPTY = "AL_EOIST"


class AlarisPump:
    """The pump without its wire. Times in ms; every change happens at the moment given."""

    def __init__(self, settings: AlarisSettings, now_ms: int) -> None:
        self.settings = settings
        self.plunger = Plunger(now_ms, settings.capacity_ul)
        self.rate_ul_h = 0
        self.alarms: list[Alarm] = []
        self.serial = settings.serial
        self.is_confirmed = settings.is_confirmed
        self.is_permitting = settings.is_permitting
        self.max_rate_ul_h = settings.max_rate_ul_h
        self.volume_limit_ul: int | None = None
        self.takes_keys = True
        self.is_coarse = False
        self.is_remote = False
        self.log_entry = 127_904
        self._is_running = False
        self._is_blocked = False
        self._started_remotely = False
        self._heard_ms = now_ms
        self._limit_mark = 0

    @property
    def is_running(self) -> bool:
        """Whether the motor turns."""
        return self._is_running

    def heard(self, name: str, now_ms: int) -> None:
        """A valid frame came."""
        if name == "REMOTE_CTRL" or not self.settings.control_alone_counts:
            self._heard_ms = now_ms

    def allow(self, key: str) -> bool:
        """The host asks for remote control; whether it gets it."""
        key_fits = self.takes_keys and key == crc(self.serial.encode("latin-1"))
        self.is_remote = self.is_permitting and key_fits
        return self.is_remote

    def set_rate(self, rate_ul_h: int, now_ms: int) -> None:
        """The rate, as the pump can hold it; nothing changes when it is out of range."""
        if not SLOWEST_UL_H <= rate_ul_h <= self.max_rate_ul_h:
            return
        self.rate_ul_h = self._held(rate_ul_h)
        if self._is_running:
            self.plunger.turn(self.rate_ul_h * 1000, now_ms)

    def start(self, now_ms: int, *, remotely: bool) -> bool:
        """Turns the motor; whether it runs. An alarm, no rate or an unconfirmed syringe forbids it."""
        if not self._is_running and self.is_confirmed and self.rate_ul_h and not self.alarms:
            self._is_running = True
            self._started_remotely = remotely
            self._heard_ms = now_ms
            self.plunger.turn(self.rate_ul_h * 1000, now_ms)
            self._limit_mark = self.plunger.travelled
            self.log_entry += 1
            if self._is_blocked:
                self.raise_alarm(Alarm.OCCLUSION, now_ms)
        return self._is_running

    def stop(self, now_ms: int) -> None:
        """Rests the motor; the rate stays set."""
        self._is_running = False
        self.plunger.turn(0, now_ms)
        self.log_entry += 1

    def raise_alarm(self, alarm: Alarm, now_ms: int) -> None:
        """Stops the pump; the alarm stays until a key is pressed."""
        self.stop(now_ms)
        if alarm not in self.alarms:
            self.alarms.append(alarm)

    def press(self, key: str, rate_ul_h: int | None, now_ms: int) -> None:
        """Someone presses start, stop or changes the rate at the pump; a key also clears the alarms."""
        self.alarms.clear()
        if key == "start":
            self.start(now_ms, remotely=False)
        elif key == "stop":
            self.stop(now_ms)
        else:
            self.set_rate(self.rate_ul_h // 2 if rate_ul_h is None else rate_ul_h, now_ms)

    def power_cycle(self, now_ms: int) -> None:
        """Switched off and on: at rest, without remote control, its syringe to be confirmed anew [I]."""
        self.stop(now_ms)
        self.alarms.clear()
        self.is_remote = False
        self.is_confirmed = False
        self.volume_limit_ul = None
        if not self.settings.keeps_volume:
            self.plunger.count_infused(0)

    def count_back(self, ul: int | None, now_ms: int) -> None:
        """The counter falls by so many µL, else to zero."""
        self.plunger.settle(now_ms)
        back_nl = self.plunger.infused_nl if ul is None else ul * 1000
        self.plunger.count_infused(max(self.plunger.infused_nl - back_nl, 0))

    def drift(self, ppm: int, now_ms: int) -> None:
        """True delivery differs from the counter by so many ppm from now on."""
        self.plunger.deliver(PPM + ppm, now_ms)

    def block(self, now_ms: int) -> None:
        """The plunger cannot move until it is freed."""
        self._is_blocked = True
        if self._is_running:
            self.raise_alarm(Alarm.OCCLUSION, now_ms)

    def free(self) -> None:
        """The plunger can move again; it does not start by itself."""
        self._is_blocked = False

    def next_ms(self) -> int | None:
        """When something happens by itself."""
        return min((at_ms for at_ms, _ in self._agenda()), default=None)

    def advance(self, now_ms: int) -> None:
        """Lets everything due happen, each at its own moment."""
        while agenda := self._agenda():
            at_ms, happen = min(agenda, key=lambda entry: entry[0])
            if at_ms > now_ms:
                return
            happen(at_ms)

    def _agenda(self) -> list[tuple[int, Callable[[int], None]]]:
        agenda: list[tuple[int, Callable[[int], None]]] = []
        if not self._is_running:
            return agenda
        if self._started_remotely or self.settings.keypad_infusion_stops_too:
            agenda.append((self._heard_ms + self.settings.comms_fail_ms, self._miss_host))
        ends = [self.plunger.empty_at_ms()]
        if self.volume_limit_ul is not None:
            ends.append(self.plunger.passes_ms(self._limit_mark, self.volume_limit_ul * 1000))
        agenda += [(end_ms, self._end) for end_ms in ends if end_ms is not None]
        return agenda

    def _miss_host(self, at_ms: int) -> None:
        self.is_remote = False
        self.raise_alarm(Alarm.COMMS, at_ms)

    def _end(self, at_ms: int) -> None:
        self.raise_alarm(Alarm.EMPTY, at_ms)

    def _held(self, rate_ul_h: int) -> int:
        fine = rate_ul_h < FINE_BELOW_UL_H
        step = 10 if fine else self.settings.coarse_quantum_ul_h
        if self.is_coarse:
            step = 100 if fine else 1000
        return (rate_ul_h + step // 2) // step * step
