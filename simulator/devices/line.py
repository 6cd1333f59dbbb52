"""An analyzer that prints one line for each result and hears nothing; in the manner of many printers.

Source: sheet analyzers.md 8 and 4.6: no real layout is known, so every text is a setting.
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import timedelta
from math import isfinite

from simulator.devices.fault import Fault, FaultKind
from simulator.devices.line_settings import LineSettings
from simulator.devices.mischief import Outbox
from simulator.devices.ysi_report import Unit

MG_DL_PER_MMOL_L = 18.0156
PLASMA_PER_BLOOD = 1.11
MEMORY = 100
"""Results that it can print again."""

PATIENT, CONTROL, CALIBRATION = "", " QC", " CAL"
"""Flags of what was measured."""

_LASTING = frozenset(
    {
        FaultKind.STUCK, FaultKind.COMMA, FaultKind.NO_VALUE, FaultKind.OVER_RANGE, FaultKind.QUERY,
        FaultKind.LACTATE_FIRST, FaultKind.MINUTE_CLOCK, FaultKind.WHOLE_BLOOD, FaultKind.UNIT_SWITCH,
        FaultKind.CLOCK_OFFSET, FaultKind.OTHER_ID, FaultKind.ERROR,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Printed:
    """One result as printed."""

    id: str
    mg_dl: float
    value: str
    unit: Unit
    time: str
    flag: str


class LineDevice:
    """The analyzer on its cable, on since `now_ms`; an `AnalyzerDevice`."""

    def __init__(self, settings: LineSettings | None = None, now_ms: int = 0) -> None:
        del now_ms
        self._settings = settings = settings or LineSettings()
        self._outbox = Outbox()
        self._faults: dict[FaultKind, Fault] = {}
        self._running: deque[tuple[str, float]] = deque()
        self._ends_ms: int | None = None
        self._next_id = settings.first_id
        self._memory: deque[Printed] = deque(maxlen=MEMORY)
        self._once: set[FaultKind] = set()

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._outbox.plugged

    @property
    def running(self) -> bool:
        """Whether a sample or a control is in the machine."""
        return bool(self._running)

    def place_sample(self, glucose_mg_dl: float, now_ms: int) -> None:
        """The operator gives a sample; its line is printed `run_ms` after the machine is free."""
        self.advance(now_ms)
        self._queue(PATIENT, glucose_mg_dl, now_ms)

    def receive(self, data: bytes, now_ms: int) -> None:
        """It hears nothing."""
        del data
        self.advance(now_ms)

    def advance(self, now_ms: int) -> None:
        """Lets time pass up to `now_ms`."""
        while self._ends_ms is not None and self._ends_ms <= now_ms:
            at_ms = self._ends_ms
            flag, glucose_mg_dl = self._running.popleft()
            self._ends_ms = at_ms + self._settings.run_ms if self._running else None
            self._finish(flag, glucose_mg_dl, at_ms)
        self._outbox.advance(now_ms)

    def take_output(self) -> bytes:
        """Bytes for the host, once."""
        return self._outbox.take()

    def wake_at(self) -> int | None:
        """Next ms at which a measurement ends or bytes leave."""
        pending = (self._ends_ms, self._outbox.wake_at())
        return min((at_ms for at_ms in pending if at_ms is not None), default=None)

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Starts a fault; ValueError for one that such an analyzer cannot have."""
        self.advance(now_ms)
        if self._outbox.inject(fault):
            return
        if fault.kind in _LASTING:
            self._faults[fault.kind] = fault
            return
        match fault.kind:
            case FaultKind.POWER_CYCLE:
                self._running.clear()
                self._ends_ms = None
                self._print(self._settings.banner, now_ms)
            case FaultKind.EDIT if self._memory:
                self._edit(10 if fault.number is None else fault.number, now_ms)
            case FaultKind.DUMP:
                for result in self._memory:
                    self._print(self._line(result), now_ms)
            case FaultKind.CONTROL:
                reads = self._settings.control_mg_dl if fault.number is None else fault.number
                self._queue(CONTROL, reads, now_ms)
            case FaultKind.CALIBRATE:
                self._queue(CALIBRATION, self._settings.control_mg_dl, now_ms)
            case FaultKind.DUPLICATE | FaultKind.DIGIT_SWAP | FaultKind.HALF_MESSAGE | FaultKind.OVERSIZE:
                self._once.add(fault.kind)
            case _:
                raise ValueError(f"A line-printing analyzer has no fault {fault.kind.value!r} now.")

    def clear(self, kind: FaultKind, now_ms: int) -> None:
        """Ends a lasting fault."""
        self.advance(now_ms)
        self._outbox.clear(kind)
        self._faults.pop(kind, None)

    # --- results -----------------------------------------------------------------------------

    def _queue(self, flag: str, glucose_mg_dl: float, now_ms: int) -> None:
        if not isfinite(glucose_mg_dl) or glucose_mg_dl < 0:
            raise ValueError(f"A sample cannot hold {glucose_mg_dl} mg/dL.")
        self._running.append((flag, glucose_mg_dl))
        if self._ends_ms is None:
            self._ends_ms = now_ms + self._settings.run_ms

    def _finish(self, flag: str, glucose_mg_dl: float, at_ms: int) -> None:
        if FaultKind.STUCK in self._faults and self._memory:
            glucose_mg_dl = self._memory[-1].mg_dl
        shown_mg_dl = glucose_mg_dl
        if FaultKind.WHOLE_BLOOD in self._faults:
            shown_mg_dl /= PLASMA_PER_BLOOD
        unit = self._settings.unit
        if FaultKind.UNIT_SWITCH in self._faults:
            unit = Unit.MMOL_L if unit is Unit.MG_DL else Unit.MG_DL
        other, error = self._faults.get(FaultKind.OTHER_ID), self._faults.get(FaultKind.ERROR)
        result = Printed(
            id=other.text if other else str(self._next_id),
            mg_dl=glucose_mg_dl,
            value=self._written(shown_mg_dl, unit),
            unit=unit,
            time=self._time(at_ms),
            flag=f" E{error.number or 0:04X}" if error else flag,
        )
        self._next_id += 1
        self._memory.append(result)
        if FaultKind.LACTATE_FIRST in self._faults:
            self._print(self._settings.other.format(id=result.id), at_ms)
        self._print(self._line(result), at_ms)
        if FaultKind.DUPLICATE in self._once:
            self._once.discard(FaultKind.DUPLICATE)
            self._print(self._line(result), at_ms)

    def _edit(self, percent: int, now_ms: int) -> None:
        latest = self._memory[-1]
        mg_dl = latest.mg_dl * (1 + percent / 100)
        self._memory.append(replace(latest, mg_dl=mg_dl, value=self._written(mg_dl, latest.unit)))
        self._print(self._line(self._memory[-1]), now_ms)

    def _time(self, at_ms: int) -> str:
        settings = self._settings
        offset = self._faults.get(FaultKind.CLOCK_OFFSET)
        ahead_s = settings.clock_offset_s if offset is None else offset.number or 0
        clock = settings.start + timedelta(milliseconds=at_ms, seconds=ahead_s)
        form = settings.time_format
        return clock.strftime(form.replace(":%S", "") if FaultKind.MINUTE_CLOCK in self._faults else form)

    def _written(self, glucose_mg_dl: float, unit: Unit) -> str:
        """One decimal in mg/dL, two in mmol/L."""
        mmol_l = glucose_mg_dl / MG_DL_PER_MMOL_L
        text = f"{glucose_mg_dl:.1f}" if unit is Unit.MG_DL else f"{mmol_l:.2f}"
        if FaultKind.DIGIT_SWAP in self._once:
            self._once.discard(FaultKind.DIGIT_SWAP)
            first, second = [at for at, sign in enumerate(text) if sign.isdigit()][:2]
            text = text[:first] + text[second] + text[first + 1 : second] + text[first] + text[second + 1 :]
        if FaultKind.NO_VALUE in self._faults:
            return "-----"
        if FaultKind.OVER_RANGE in self._faults:
            return ">900"
        if FaultKind.QUERY in self._faults:
            return f"?{text}"
        return text.replace(".", ",") if FaultKind.COMMA in self._faults else text

    # --- lines -------------------------------------------------------------------------------

    def _line(self, result: Printed) -> str:
        return self._settings.template.format(
            value=result.value, unit=result.unit.value, id=result.id, time=result.time, flag=result.flag
        )

    def _print(self, text: str, now_ms: int) -> None:
        settings = self._settings
        line = (text + settings.end).encode(settings.encoding, "replace")
        if FaultKind.HALF_MESSAGE in self._once:
            line = line[: len(line) // 2]
        if FaultKind.OVERSIZE in self._once:
            line = text.encode(settings.encoding, "replace") * 1000
        self._once -= {FaultKind.HALF_MESSAGE, FaultKind.OVERSIZE}
        self._outbox.put(line, now_ms)
