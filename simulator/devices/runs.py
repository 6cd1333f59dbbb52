"""The chemistry side of an analyzer: samples and calibrations take turns and become results."""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from math import isfinite

MG_DL_PER_MMOL_L = {"DEX": 18.0156, "LAC": 9.008}
"""Molar masses of glucose and lactic acid, in g/mol over 10."""

RAM_RESULTS = 32
"""So many sample results are kept, and one calibration: a YSI's battery RAM (sheet 4.1)."""

CALIBRATION, MONITOR, INFORMATION = -1, -2, -3
"""What the sample column says when it is no sample."""


class Job(Enum):
    """What the machine is doing; the values are those of the RY reply."""

    IDLE = 0
    SAMPLE = 1
    CALIBRATION = 2
    AUTOCAL = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """One chemistry of a result: `DEX` glucose or `LAC` lactate, in mmol/L before any rounding."""

    chemistry: str
    mmol_l: float


@dataclass(frozen=True, slots=True)
class Result:
    """A finished run: the instrument's clock at its end, the sample column, error 0 when good."""

    clock_ms: int
    sample: int
    readings: tuple[Reading, ...]
    error: int


class Runs:
    """Runs in order of arrival, one at a time; a calibration that is due goes first.

    `autocal_ms` is the interval of automatic calibrations from `now_ms` on, None without them.
    """

    def __init__(
        self,
        now_ms: int,
        *,
        first_sample: int,
        run_ms: int,
        calibration_ms: int,
        calibrator: Reading,
        autocal_ms: int | None,
    ) -> None:
        self.next_sample = first_sample
        self.error = 0
        self.clock_offset_s = 0
        self.stuck = False
        self.job = Job.IDLE
        self.results: deque[Result] = deque(maxlen=RAM_RESULTS)
        self.unsent: deque[Result] = deque(maxlen=RAM_RESULTS)
        self.calibration: Result | None = None
        self._run_ms = run_ms
        self._calibration_ms = calibration_ms
        self._calibrator = calibrator
        self._autocal_ms = autocal_ms
        self._autocal_due_ms = None if autocal_ms is None else now_ms + autocal_ms
        self._ends_ms = now_ms
        self._inside: tuple[Reading, ...] = ()
        self._waiting: deque[tuple[Job, tuple[Reading, ...]]] = deque()

    def queue(self, job: Job, readings: tuple[Reading, ...], now_ms: int) -> None:
        """Adds a run; it starts at once when the machine is idle."""
        self._waiting.append((job, readings))
        self._start(now_ms)

    def calibrate(self, now_ms: int) -> None:
        """The operator asks for a calibration."""
        self.queue(Job.CALIBRATION, (self._calibrator,), now_ms)

    def monitor(self, reading: Reading, now_ms: int) -> None:
        """A monitor measurement is ready; it is reported like a sample, as number -2."""
        self._keep(Result(self.clock_ms(now_ms), MONITOR, (reading,), self.error))

    def clock_ms(self, now_ms: int) -> int:
        """What the instrument's clock shows, in ms since the start."""
        return now_ms + 1000 * self.clock_offset_s

    def next_ms(self) -> int | None:
        """When the run ends or an automatic calibration starts."""
        return self._autocal_due_ms if self.job is Job.IDLE else self._ends_ms

    def advance(self, now_ms: int) -> None:
        """Lets runs end and start at their moments."""
        while (at_ms := self.next_ms()) is not None and at_ms <= now_ms:
            if self.job is not Job.IDLE:
                self._finish(at_ms)
            self._start(at_ms)

    def _start(self, now_ms: int) -> None:
        if self.job is not Job.IDLE:
            return
        due_ms = self._autocal_due_ms
        if due_ms is not None and self._autocal_ms is not None and due_ms <= now_ms:
            self._autocal_due_ms = due_ms + self._autocal_ms
            self.job, self._inside = Job.AUTOCAL, (self._calibrator,)
        elif self._waiting:
            self.job, self._inside = self._waiting.popleft()
        else:
            return
        self._ends_ms = now_ms + (self._run_ms if self.job is Job.SAMPLE else self._calibration_ms)

    def _finish(self, at_ms: int) -> None:
        if self.job is Job.SAMPLE:
            readings = self._inside
            if self.stuck and self.results:
                readings = self.results[-1].readings
            self._keep(Result(self.clock_ms(at_ms), self.next_sample, readings, self.error))
            self.next_sample += 1
        else:
            self.calibration = Result(self.clock_ms(at_ms), CALIBRATION, self._inside, self.error)
        self.job = Job.IDLE

    def _keep(self, result: Result) -> None:
        self.results.append(result)
        self.unsent.append(result)


def glucose(mg_dl: float) -> Reading:
    """A glucose reading from mg/dL; ValueError unless it is a finite number, 0 or more."""
    return _reading("DEX", mg_dl / MG_DL_PER_MMOL_L["DEX"])


def lactate(mmol_l: float) -> Reading:
    """A lactate reading from mmol/L; ValueError unless it is a finite number, 0 or more."""
    return _reading("LAC", mmol_l)


def _reading(chemistry: str, mmol_l: float) -> Reading:
    if not isfinite(mmol_l) or mmol_l < 0:
        raise ValueError(f"A sample cannot hold {mmol_l} mmol/L.")
    return Reading(chemistry, mmol_l)
