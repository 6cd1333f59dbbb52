"""A POCT1-A meter's results: what is measured, how it is written, and what someone does to it.

Source: sheet analyzers.md 4.5; role codes other than OBS are [R].
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import timedelta
from math import isfinite

from simulator.devices.fault import Fault, FaultKind
from simulator.devices.poct1a_messages import observation, service
from simulator.devices.poct1a_settings import Poct1aSettings
from simulator.devices.ysi_report import Unit

MG_DL_PER_MMOL_L = 18.0156
PLASMA_PER_BLOOD = 1.11
MEMORY = 200
"""Results that the meter keeps [R]."""

PATIENT, CONTROL, CALIBRATION = "OBS", "LQC", "CVR"

LASTING = frozenset(
    {
        FaultKind.STUCK, FaultKind.COMMA, FaultKind.NO_VALUE, FaultKind.OVER_RANGE,
        FaultKind.LACTATE_FIRST, FaultKind.MINUTE_CLOCK, FaultKind.WHOLE_BLOOD, FaultKind.UNIT_SWITCH,
        FaultKind.CLOCK_OFFSET, FaultKind.OTHER_ID, FaultKind.ERROR,
    }
)  # fmt: skip
"""Faults of the results that last until cleared."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One result: its role, the meter's time as text, whose it is, the number as written."""

    role: str
    at: str
    patient: str
    value: str
    unit: str
    note: str = ""
    has_lactate: bool = False

    def body(self, code: str) -> str:
        """As the body of an OBS.R01."""
        lactate = observation("LAC", "1.0", "mmol/L", "") if self.has_lactate else ""
        return service(
            self.role, self.at, self.patient, lactate + observation(code, self.value, self.unit, self.note)
        )


class Results:
    """Measurements one after the other, and the memory."""

    def __init__(self, settings: Poct1aSettings) -> None:
        self._settings = settings
        self._faults: dict[FaultKind, Fault] = {}
        self._running: deque[tuple[str, float]] = deque()
        self._ends_ms: int | None = None
        self._last_mg_dl: float | None = None
        self.is_swapped_next = False
        self.kept = 0
        self.memory: deque[Measured] = deque(maxlen=MEMORY)
        self.unsent: deque[Measured] = deque(maxlen=MEMORY)

    @property
    def running(self) -> bool:
        """Whether a strip is in the meter."""
        return bool(self._running)

    def place(self, role: str, glucose_mg_dl: float, now_ms: int) -> None:
        """Someone gives a sample; ValueError unless it is a finite number, 0 or more."""
        if not isfinite(glucose_mg_dl) or glucose_mg_dl < 0:
            raise ValueError(f"A sample cannot hold {glucose_mg_dl} mg/dL.")
        self._running.append((role, glucose_mg_dl))
        if self._ends_ms is None:
            self._ends_ms = now_ms + self._settings.run_ms

    def next_ms(self) -> int | None:
        """When the measurement ends."""
        return self._ends_ms

    def advance(self, now_ms: int) -> None:
        """Lets measurements end at their moments."""
        while self._ends_ms is not None and self._ends_ms <= now_ms:
            role, glucose_mg_dl = self._running.popleft()
            self._keep(self._measured(role, glucose_mg_dl, self._ends_ms))
            self._ends_ms = self._ends_ms + self._settings.run_ms if self._running else None

    def inject(self, fault: Fault) -> None:
        """Starts a lasting fault of the results."""
        self._faults[fault.kind] = fault

    def clear(self, kind: FaultKind) -> None:
        """Ends it."""
        self._faults.pop(kind, None)

    def edit(self, percent: int) -> None:
        """Someone corrects the latest result, which is then sent again."""
        latest = self.memory[-1] if self.memory else None
        if latest is not None and latest.value.replace(".", "").isdecimal():
            corrected = float(latest.value) * (1 + percent / 100)
            self._keep(replace(latest, value=f"{corrected:.{self._decimals(latest.unit)}f}"))

    def dump(self) -> None:
        """The whole memory is to be sent again."""
        self.unsent = deque(self.memory, maxlen=MEMORY)
        self.kept += 1

    def stamp(self, now_ms: int) -> str:
        """The meter's clock as it writes it."""
        offset = self._faults.get(FaultKind.CLOCK_OFFSET)
        ahead_s = self._settings.clock_offset_s if offset is None else offset.number or 0
        clock = self._settings.start + timedelta(milliseconds=now_ms, seconds=ahead_s)
        digits = "minutes" if FaultKind.MINUTE_CLOCK in self._faults else "seconds"
        return clock.isoformat(timespec=digits) + self._settings.utc_offset

    def _keep(self, result: Measured) -> None:
        self.kept += 1
        self.memory.append(result)
        self.unsent.append(result)

    def _measured(self, role: str, glucose_mg_dl: float, at_ms: int) -> Measured:
        if FaultKind.STUCK in self._faults and self._last_mg_dl is not None:
            glucose_mg_dl = self._last_mg_dl
        self._last_mg_dl = glucose_mg_dl
        if FaultKind.WHOLE_BLOOD in self._faults:
            glucose_mg_dl /= PLASMA_PER_BLOOD
        unit = self._settings.unit
        if FaultKind.UNIT_SWITCH in self._faults:
            unit = Unit.MMOL_L if unit is Unit.MG_DL else Unit.MG_DL
        other, error = self._faults.get(FaultKind.OTHER_ID), self._faults.get(FaultKind.ERROR)
        patient = self._settings.patient if other is None else other.text
        return Measured(
            role=role,
            at=self.stamp(at_ms),
            patient=patient if role == PATIENT else "",
            value=self._written(glucose_mg_dl, unit),
            unit=unit.value,
            note="" if error is None else f"Error {error.number or 0:04X}",
            has_lactate=FaultKind.LACTATE_FIRST in self._faults,
        )

    def _written(self, glucose_mg_dl: float, unit: Unit) -> str:
        """Whole mg/dL, or one decimal in mmol/L, as these meters show it [R]."""
        shown = glucose_mg_dl if unit is Unit.MG_DL else glucose_mg_dl / MG_DL_PER_MMOL_L
        text = f"{shown:.{self._decimals(unit.value)}f}"
        if self.is_swapped_next:
            self.is_swapped_next = False
            first, second = [at for at, sign in enumerate(text) if sign.isdigit()][:2]
            text = text[:first] + text[second] + text[first + 1 : second] + text[first] + text[second + 1 :]
        if FaultKind.NO_VALUE in self._faults:
            return ""
        if FaultKind.OVER_RANGE in self._faults:
            return ">600" if unit is Unit.MG_DL else ">33.3"
        return text.replace(".", ",") if FaultKind.COMMA in self._faults else text

    @staticmethod
    def _decimals(unit: str) -> int:
        return 0 if unit == Unit.MG_DL.value else 1
