"""An EKF Biosen C-Line (Clinic, GP+) analyzer, byte for byte, from its manual: it sends, it hears nothing.

Source: sheet analyzers.md 4.2 (C-Line user manual p. 41). That it sends unasked at each result is [R].
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.devices.biosen_report import Unit, record, shown
from simulator.devices.fault import Fault, FaultKind
from simulator.devices.mischief import Outbox
from simulator.devices.runs import RAM_RESULTS, Job, Reading, Result, Runs, glucose, lactate

CONTROL_MG_DL = 216
"""The control solution, 12 mmol/L as in the manual's example."""

OVERSIZE_BYTES = 20_000
EDIT_PERCENT = 5

_LASTING = frozenset(
    {
        FaultKind.ERROR,
        FaultKind.UNIT_SWITCH,
        FaultKind.COMMA,
        FaultKind.QUERY,
        FaultKind.NO_VALUE,
        FaultKind.OVER_RANGE,
        FaultKind.WHOLE_BLOOD,
        FaultKind.OTHER_ID,
        FaultKind.IDENTITY,
        FaultKind.LACTATE_FIRST,
        FaultKind.MINUTE_CLOCK,  # changes nothing: this clock never shows seconds
    }
)
_ONCE = frozenset({FaultKind.DIGIT_SWAP, FaultKind.HALF_MESSAGE, FaultKind.DUPLICATE})


@dataclass(frozen=True, slots=True)
class BiosenSettings:
    """Constructor settings of `Biosen`; [R] marks what the sheet could not verify.

    start: wall clock at 0 ms. clock_offset_s: how far the instrument's clock is ahead of it.
    unit: setting of the instrument. preamble: 1 to 4 bytes, menu 9.7.3; an example.
    device: DEVID and DEVNO, four letters and two digits; an example.
    channel, lactate_channel: MET texts; examples.
    first_sample: running number of the next sample, 000 to 999.
    run_ms: one sample [R]. calibration_ms: one calibration [R]. autocal_ms: their interval [R]; None without.
    tail: whatever follows the unit [R]. end: what ends a record [R].
    """

    start: datetime = datetime(2026, 1, 1, 8)
    clock_offset_s: int = 0
    unit: Unit = Unit.MMOL_L
    preamble: bytes = b"\x02"
    device: str = "BIOS01"
    channel: str = "001"
    lactate_channel: str = "002"
    first_sample: int = 1
    run_ms: int = 60_000
    calibration_ms: int = 120_000
    autocal_ms: int | None = None
    tail: bytes = b""
    end: bytes = b""


@dataclass(frozen=True, slots=True)
class Blood:
    """Which blood a result is of: TYPE, SAS and barcode; without one, the running number is sent."""

    kind: str
    place: str
    barcode: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A result in the analyzer's memory."""

    blood: Blood
    number: int
    clock_ms: int
    reading: Reading


class Biosen:
    """The analyzer on its cable, switched on at `now_ms`; an `AnalyzerDevice`."""

    def __init__(self, settings: BiosenSettings | None = None, now_ms: int = 0) -> None:
        self._settings = settings or BiosenSettings()
        self._outbox = Outbox()
        self._odd: dict[FaultKind, Fault] = {}
        self._bloods: deque[Blood] = deque()
        self._kept: deque[Kept] = deque(maxlen=RAM_RESULTS)
        self._runs = self._switched_on(now_ms)

    def _switched_on(self, now_ms: int) -> Runs:
        settings = self._settings
        runs = Runs(
            now_ms,
            first_sample=settings.first_sample,
            run_ms=settings.run_ms,
            calibration_ms=settings.calibration_ms,
            calibrator=glucose(CONTROL_MG_DL),
            autocal_ms=settings.autocal_ms,
        )
        runs.clock_offset_s = settings.clock_offset_s
        return runs

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._outbox.plugged

    @property
    def running(self) -> bool:
        """Whether a sample or a calibration is in the machine."""
        return self._runs.job is not Job.IDLE

    def place_sample(self, glucose_mg_dl: float, now_ms: int, place: str = "", barcode: str = "") -> None:
        """The operator gives a sample: a stat sample, or one at a place of the tray such as 0213.

        Glucose in mg/dL; ValueError for a value that is not a finite number of 0 or more.
        """
        self.advance(now_ms)
        reading = glucose(glucose_mg_dl)
        self._bloods.append(Blood("P", place, barcode) if place else Blood("S", "0000", barcode))
        self._runs.queue(Job.SAMPLE, (reading,), now_ms)

    def measure_control(self, glucose_mg_dl: float, now_ms: int) -> None:
        """Control C1 was measured: its record leaves now, under a running number of its own."""
        self.advance(now_ms)
        number, self._runs.next_sample = self._runs.next_sample, self._runs.next_sample + 1
        blood = Blood("Q", "0001", "")
        self._send(Kept(blood, number, self._runs.clock_ms(now_ms), glucose(glucose_mg_dl)), now_ms)

    def receive(self, data: bytes, now_ms: int) -> None:
        """Bytes from the host fall on deaf ears."""
        del data
        self.advance(now_ms)

    def advance(self, now_ms: int) -> None:
        """Lets time pass up to `now_ms`: each result is sent when its run ends."""
        while (at_ms := self._runs.next_ms()) is not None and at_ms <= now_ms:
            self._runs.advance(at_ms)
            while self._runs.unsent:
                self._report(self._runs.unsent.popleft(), at_ms)
        self._outbox.advance(now_ms)

    def take_output(self) -> bytes:
        """Bytes for the host, once."""
        return self._outbox.take()

    def wake_at(self) -> int | None:
        """Next ms at which a run ends, a calibration starts or bytes leave."""
        pending = [at_ms for at_ms in (self._runs.next_ms(), self._outbox.wake_at()) if at_ms is not None]
        return min(pending, default=None)

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Starts a fault; ValueError for one an analyzer of this make cannot have."""
        self.advance(now_ms)
        if self._outbox.inject(fault):
            return
        if fault.kind in _LASTING | _ONCE:
            self._odd[fault.kind] = fault
            return
        match fault.kind:
            case FaultKind.STUCK:
                self._runs.stuck = True
            case FaultKind.CLOCK_OFFSET:
                self._runs.clock_offset_s = fault.number or 0
            case FaultKind.CALIBRATE:
                self._runs.calibrate(now_ms)
            case FaultKind.CONTROL:
                self.measure_control(CONTROL_MG_DL if fault.number is None else fault.number, now_ms)
            case FaultKind.EDIT:
                self._edit(EDIT_PERCENT if fault.number is None else fault.number, now_ms)
            case FaultKind.DUMP:
                for kept in tuple(self._kept):
                    self._send(kept, now_ms)
            case FaultKind.POWER_CYCLE:
                self._outbox.drop()
                self._bloods.clear()
                self._runs = self._switched_on(now_ms)
            case FaultKind.OVERSIZE:
                self._outbox.put(self._settings.preamble + b"x" * OVERSIZE_BYTES, now_ms)
            case _:
                raise ValueError(f"A Biosen analyzer has no fault {fault.kind.value!r}.")

    def clear(self, kind: FaultKind, now_ms: int) -> None:
        """Ends a lasting fault."""
        self.advance(now_ms)
        self._outbox.clear(kind)
        self._odd.pop(kind, None)
        if kind is FaultKind.STUCK:
            self._runs.stuck = False
        if kind is FaultKind.CLOCK_OFFSET:
            self._runs.clock_offset_s = self._settings.clock_offset_s

    def _report(self, result: Result, now_ms: int) -> None:
        kept = Kept(self._bloods.popleft(), result.sample, result.clock_ms, result.readings[0])
        self._kept.append(kept)
        if FaultKind.LACTATE_FIRST in self._odd:
            self._put(self._record(kept, lactate(1.0), self._settings.lactate_channel), now_ms)
        self._send(kept, now_ms)
        if self._odd.pop(FaultKind.DUPLICATE, None):
            self._send(kept, now_ms)

    def _edit(self, percent: int, now_ms: int) -> None:
        if self._kept:
            last = self._kept[-1]
            changed = Reading(last.reading.chemistry, last.reading.mmol_l * (1 + percent / 100))
            self._send(Kept(last.blood, last.number, last.clock_ms, changed), now_ms)

    def _send(self, kept: Kept, now_ms: int) -> None:
        sent = self._record(kept, kept.reading, self._settings.channel)
        self._odd.pop(FaultKind.DIGIT_SWAP, None)
        half = self._odd.pop(FaultKind.HALF_MESSAGE, None) is not None
        self._put(sent[: len(sent) // 2] if half else sent, now_ms)

    def _put(self, sent: bytes, now_ms: int) -> None:
        self._outbox.put(sent, now_ms)

    def _record(self, kept: Kept, reading: Reading, channel: str) -> bytes:
        settings, odd = self._settings, self._odd
        unit = settings.unit
        if FaultKind.UNIT_SWITCH in odd:
            unit = Unit.MMOL_L if unit is Unit.MG_DL else Unit.MG_DL
        device, other = odd.get(FaultKind.IDENTITY), odd.get(FaultKind.OTHER_ID)
        error = odd.get(FaultKind.ERROR)
        return (
            record(
                settings.preamble,
                device.text if device else settings.device,
                kept.blood.kind,
                kept.blood.place,
                other.text if other else kept.blood.barcode or f"{kept.number % 1000:03d}",
                channel,
                settings.start + timedelta(milliseconds=kept.clock_ms),
                shown(reading, unit, odd),
                unit,
            )
            + settings.tail
            + (f"E{error.number:04X}".encode("ascii") if error else b"")
            + settings.end
        )
