"""What a New Era pump is: a program, a motor, an alarm and a timer that wants to hear from the host."""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from simulator.devices.new_era_program import (
    PHASES,
    Alarm,
    Direction,
    Function,
    Memory,
    Phase,
    RateUnit,
    Status,
    fastest_nl_h,
    slowest_nl_h,
    volume_in_ml,
)
from simulator.devices.new_era_settings import NewEraSettings
from simulator.devices.plunger import PPM, Plunger


class Answer(StrEnum):
    """What follows the prompt when a command has no data to give: nothing, or a refusal (sheet 2.4)."""

    DONE = ""
    UNKNOWN = "?"
    NOT_NOW = "?NA"
    OUT_OF_RANGE = "?OOR"
    DAMAGED = "?COM"
    IGNORED = "?IGN"


class NewEraPump:
    """The pump without its wire. Times in ms; every change happens at the moment given."""

    def __init__(self, settings: NewEraSettings, now_ms: int) -> None:
        self.settings = settings
        self.plunger = Plunger(now_ms, settings.capacity_ul)
        self.status = Status.STOPPED
        self.alarm: Alarm | None = None
        self.announcements: list[Alarm] = []
        self.watchdog_ms: int | None = None
        self.phase_number = 1
        self.locked = False
        self._blocked = False
        self._drift_ppm = 0
        self._phase_mark = 0
        self.reset(now_ms)

    def reset(self, now_ms: int) -> None:
        """Puts the memory back as delivered, then switches on."""
        known = self.settings
        self.memory = Memory(
            known.address, known.saf_s, known.diameter_um, volume_in_ml=volume_in_ml(known.diameter_um)
        )
        self._kept = {number: Phase() for number in range(1, PHASES + 1)}
        self._kept[1] = Phase(Function.RATE)
        self._halt(Status.STOPPED, now_ms)
        self.switch_on(now_ms)

    def switch_on(self, now_ms: int) -> None:
        """Power is back: only the memory is left, the timer rests, the first reply is A?R (manual p.34)."""
        was_pumping = self.status in (Status.INFUSING, Status.WITHDRAWING)
        self._halt(Status.STOPPED, now_ms)
        self.phases = dict(self._kept)
        self.phase_number = 1
        self.watchdog_ms = None
        self.locked = False
        self.plunger.count_infused(0)
        self.plunger.count_withdrawn(0)
        self._share(now_ms)
        self.alarm = Alarm.RESET
        self.announcements = [Alarm.RESET] if self.safe and self.settings.announces_reset else []
        if was_pumping and self.memory.resumes_after_power_failure:
            self.run(1, now_ms)

    @property
    def safe(self) -> bool:
        """Whether packets are framed the Safe way."""
        return self.memory.saf_s > 0

    @property
    def operating(self) -> bool:
        """Whether a program runs or is paused."""
        return self.status is not Status.STOPPED

    @property
    def phase(self) -> Phase:
        """The phase that runs, or the one chosen."""
        return self.phases[self.phase_number]

    def remember(self, memory: Memory) -> Answer:
        """Keeps changed settings through a power cycle."""
        self.memory = memory
        return Answer.DONE

    def heard(self, now_ms: int) -> None:
        """A valid packet came: the timer of a Safe pump starts again, or for the first time."""
        self.watchdog_ms = now_ms + 1000 * self.memory.saf_s if self.safe else None

    def next_ms(self) -> int | None:
        """When something happens by itself."""
        agenda = self._agenda()
        return min(at_ms for at_ms, _ in agenda) if agenda else None

    def advance(self, now_ms: int) -> None:
        """Lets everything due happen, each at its own moment."""
        while agenda := self._agenda():
            at_ms, happen = min(agenda, key=lambda entry: entry[0])
            if at_ms > now_ms:
                return
            happen(at_ms)

    def raise_alarm(self, alarm: Alarm, now_ms: int, *, announced: bool = True) -> None:
        """Stops the pump and its program; a Safe pump also says so unasked, which does not clear it."""
        self._halt(Status.STOPPED, now_ms)
        self.alarm = alarm
        if announced and self.safe:
            self.announcements.append(alarm)

    def run(self, number: int | None, now_ms: int) -> Answer:
        """Starts the program at a phase (1 when None), or goes on after a pause."""
        if self.status is Status.PAUSED:
            self._turn(now_ms)
            return Answer.DONE
        if self.operating:
            return Answer.NOT_NOW
        number = number or 1
        first = self.phases.get(number)
        if first is None or (first.function is Function.RATE and not self._allows(first)):
            return Answer.OUT_OF_RANGE
        self._begin(number, now_ms)
        return Answer.DONE

    def stop(self, now_ms: int) -> Answer:
        """Pauses a running program, ends a paused one."""
        if self.status is Status.STOPPED:
            return Answer.NOT_NOW if self.settings.repeated_stop_is_refused else Answer.DONE
        paused = self.status in (Status.INFUSING, Status.WITHDRAWING)
        self._halt(Status.PAUSED if paused else Status.STOPPED, now_ms)
        return Answer.DONE

    def purge(self, now_ms: int) -> Answer:
        """Runs at the plunger's top speed until stopped."""
        if self.operating:
            return Answer.NOT_NOW
        self.status = Status.PURGING
        self.plunger.turn(fastest_nl_h(self.memory.diameter_um) * self.phase.direction, now_ms)
        return Answer.DONE

    def set_rate(self, rate: int, unit: RateUnit | None, now_ms: int) -> Answer:
        """Thousandths of the unit; while running it acts at once, keeps its unit and is not remembered."""
        old = self.phase
        if self.status is Status.PURGING:
            return Answer.NOT_NOW
        if self.operating and unit is not None and (self.settings.strict_units or unit is not old.unit):
            return Answer.NOT_NOW
        new = replace(old, rate=rate, unit=unit or old.unit)
        if not self._allows(new):
            return Answer.OUT_OF_RANGE
        self._put(new, kept=not self.operating)
        if self.status in (Status.INFUSING, Status.WITHDRAWING):
            self._turn(now_ms)
        return Answer.DONE

    def set_phase(self, phase: Phase, number: int | None = None) -> Answer:
        """Changes the chosen phase, or another one, in the memory too."""
        self._put(phase, kept=True, number=number)
        return Answer.DONE

    def set_diameter(self, diameter_um: int, now_ms: int) -> Answer:
        """Stopped only: fixes the volume unit and clears the counted volume (NE-500 manual)."""
        known = self.settings
        if self.operating:
            return Answer.NOT_NOW
        if not known.diameter_from_um <= diameter_um <= known.diameter_to_um:
            return Answer.OUT_OF_RANGE
        self.leave_diameter(diameter_um, now_ms)
        return Answer.DONE

    def leave_diameter(self, diameter_um: int, now_ms: int) -> None:
        """Puts a diameter in memory, with the volume unit that goes with it and nothing counted."""
        unit_is_ml = volume_in_ml(diameter_um)
        self.memory = replace(self.memory, diameter_um=diameter_um, volume_in_ml=unit_is_ml)
        self.plunger.settle(now_ms)
        self.plunger.count_infused(0)
        self.plunger.count_withdrawn(0)
        self._share(now_ms)

    def press(self, key: str, rate_ul_h: int | None, now_ms: int) -> None:
        """Someone presses start, stop or changes the rate at the pump; a key also clears an alarm."""
        if self.locked:
            return
        self.alarm = None
        if key == "start":
            self.run(None, now_ms)
        elif key == "stop":
            self.stop(now_ms)
        else:
            phase = self.phase
            halved = replace(phase, rate=phase.rate // 2)
            self._put(halved if rate_ul_h is None else _at(phase, rate_ul_h), kept=not self.operating)
            if self.status in (Status.INFUSING, Status.WITHDRAWING):
                self._turn(now_ms)

    def drift(self, ppm: int, now_ms: int) -> None:
        """True delivery differs from the counter by so many ppm from now on."""
        self._drift_ppm = ppm
        self._share(now_ms)

    def block(self, now_ms: int) -> None:
        """The plunger cannot move until it is freed."""
        self._blocked = True
        if self.plunger.flow_nl_h:
            self.raise_alarm(Alarm.STALLED, now_ms)

    def free(self) -> None:
        """The plunger can move again; it does not start by itself."""
        self._blocked = False

    def leave_program(self, number: int, rate_ul_h: int) -> None:
        """An old program's phase is still in memory."""
        self._put(_at(Phase(Function.RATE), rate_ul_h), kept=True, number=number)

    def _agenda(self) -> list[tuple[int, Callable[[int], None]]]:
        agenda: list[tuple[int, Callable[[int], None]]] = []
        if self.watchdog_ms is not None:
            agenda.append((self.watchdog_ms, self._time_out))
        if self.plunger.flow_nl_h:
            empty_ms = self.plunger.empty_at_ms()
            if empty_ms is not None:
                agenda.append((empty_ms, self._stall))
            if self.phase.volume and self.status is not Status.PURGING:
                nl = self.phase.volume * (1000 if self.memory.volume_in_ml else 1)
                reached_ms = self.plunger.passes_ms(self._phase_mark, nl)
                if reached_ms is not None:
                    agenda.append((reached_ms, self._finish_phase))
        return agenda

    def _time_out(self, at_ms: int) -> None:
        self.watchdog_ms = None
        self.raise_alarm(Alarm.SAFE_TIMEOUT, at_ms)

    def _stall(self, at_ms: int) -> None:
        self.raise_alarm(Alarm.STALLED, at_ms)

    def _finish_phase(self, at_ms: int) -> None:
        self.plunger.settle(at_ms)
        self._begin(self.phase_number + 1, at_ms)

    def _begin(self, number: int, at_ms: int) -> None:
        phase = self.phases.get(number)
        if phase is None or phase.function is Function.STOP:
            self._halt(Status.STOPPED, at_ms)
        elif not self._allows(phase):
            self.raise_alarm(Alarm.PROGRAM_ERROR, at_ms)
        else:
            self.phase_number = number
            self._phase_mark = self.plunger.travelled
            self._turn(at_ms)

    def _turn(self, now_ms: int) -> None:
        phase = self.phase
        infusing = phase.direction is Direction.INFUSE
        self.status = Status.INFUSING if infusing else Status.WITHDRAWING
        self.plunger.turn(phase.flow_nl_h * phase.direction, now_ms)
        if self._blocked and phase.flow_nl_h:
            self.raise_alarm(Alarm.STALLED, now_ms)

    def _halt(self, status: Status, now_ms: int) -> None:
        self.status = status
        self.plunger.turn(0, now_ms)

    def _put(self, phase: Phase, *, kept: bool, number: int | None = None) -> None:
        number = number or self.phase_number
        self.phases[number] = phase
        if kept:
            self._kept[number] = phase

    def _allows(self, phase: Phase) -> bool:
        flow, cap_ul_h = phase.flow_nl_h, self.settings.max_rate_ul_h
        if flow == 0:
            return self.settings.accepts_zero_rate
        fastest = fastest_nl_h(self.memory.diameter_um)
        highest = fastest if cap_ul_h is None else min(fastest, cap_ul_h * 1000)
        return slowest_nl_h(self.memory.diameter_um) <= flow <= highest

    def _share(self, now_ms: int) -> None:
        entered = self.memory.diameter_um
        true = self.settings.syringe_um or entered
        squared = entered * entered
        self.plunger.deliver(((PPM + self._drift_ppm) * true * true + squared // 2) // squared, now_ms)


def _at(phase: Phase, rate_ul_h: int) -> Phase:
    return replace(phase, rate=rate_ul_h, unit=RateUnit.MH)
