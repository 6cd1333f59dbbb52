"""A YSI 2300 STAT Plus or 2700 SELECT analyzer in Result Reporting mode, byte for byte, from its manual.

Source: sheet analyzers.md 4.1 (2700 SELECT manual; that the 2300 is alike is [R]).
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from simulator.devices.fault import Fault, FaultKind
from simulator.devices.mischief import Outbox
from simulator.devices.runs import INFORMATION, Job, Reading, Result, Runs, glucose, lactate
from simulator.devices.ysi_report import DateOrder, Unit, report_line, shown, stamp

_ACCEPTED = b"A\r\n"
_BUSY = b"2\r\n"
_SHOWN_INSTEAD = {FaultKind.COMMA: "", FaultKind.OVER_RANGE: ">900.0", FaultKind.NO_VALUE: "......"}
"""What stands in the result column instead of a number [R]; a comma replaces the point."""

_EDIT_PERCENT = 5
_COMMAND_LIMIT = 32  # [R] length of the command buffer


class WhenNothing(StrEnum):
    """What RS answers when every result was sent [R]."""

    NONE_LINE = "none_line"  # a line of chemistry NONE with the latest sample number, 0 before the first
    REPEAT = "repeat"  # the latest result once more
    ERROR = "error"  # the refusal digit


class StatusReply(StrEnum):
    """What RY answers; its wire layout is unknown [R]."""

    REFUSED = "refused"  # the refusal digit
    DIGITS = "digits"  # mode, sample, calibration and machine state, a blank between


@dataclass(frozen=True, slots=True)
class YsiSettings:
    """Constructor settings of `Ysi`; [R] marks what the sheet could not verify.

    start: wall clock at 0 ms. clock_offset_s: how far the instrument's clock is ahead of it.
    unit, date_order: settings of the instrument.
    temperature: as printed, five characters.
    first_sample: number of the next sample.
    has_lactate: a second chemistry, a second line.
    run_ms: one sample [R 60-65 s]. calibration_ms: one calibration [R 1-1.5 min].
    autocal_ms: interval of automatic calibrations [R 15 min]; None without.
    calibrator_mg_dl: what a calibration reads.
    busy_in_run: RS and RC answer 2 during a run [R]; otherwise they are served.
    when_nothing, status_reply: see there.
    refusal_digit: error digit for a command this mode does not take [R; 1 is "not in remote mode"].
    reply_delay_ms: time to answer.
    """

    start: datetime = datetime(2026, 1, 1, 8)
    clock_offset_s: int = 0
    unit: Unit = Unit.MG_DL
    date_order: DateOrder = DateOrder.MONTH_FIRST
    temperature: str = "37.01"
    first_sample: int = 1
    has_lactate: bool = False
    run_ms: int = 60_000
    calibration_ms: int = 75_000
    autocal_ms: int | None = None
    calibrator_mg_dl: float = 180.156
    busy_in_run: bool = False
    when_nothing: WhenNothing = WhenNothing.NONE_LINE
    status_reply: StatusReply = StatusReply.REFUSED
    refusal_digit: str = "1"
    reply_delay_ms: int = 0


class Ysi:
    """The analyzer on its cable, switched on at `now_ms`; a `Device`. Commands end in CR or CR LF."""

    def __init__(self, settings: YsiSettings | None = None, now_ms: int = 0) -> None:
        self._settings = settings = settings or YsiSettings()
        self._bench = Runs(
            now_ms,
            first_sample=settings.first_sample,
            run_ms=settings.run_ms,
            calibration_ms=settings.calibration_ms,
            calibrator=glucose(settings.calibrator_mg_dl),
            autocal_ms=settings.autocal_ms,
        )
        self._outbox = Outbox(settings.reply_delay_ms)
        self._line = bytearray()
        self._unit = settings.unit
        self._bench.clock_offset_s = settings.clock_offset_s
        self._busy = False
        self._shown_instead: FaultKind | None = None

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._outbox.plugged

    @property
    def running(self) -> bool:
        """Whether a sample or a calibration is in the machine."""
        return self._bench.job is not Job.IDLE

    def place_sample(self, glucose_mg_dl: float, now_ms: int, lactate_mmol_l: float = 1.0) -> None:
        """The operator gives a sample: its result is ready `run_ms` after the machine is free.

        Glucose in mg/dL, lactate in mmol/L (used when there is a second chemistry); ValueError for a value
        that is not a finite number of 0 or more.
        """
        self.advance(now_ms)
        readings: tuple[Reading, ...] = (glucose(glucose_mg_dl),)
        if self._settings.has_lactate:
            readings = (*readings, lactate(lactate_mmol_l))
        self._bench.queue(Job.SAMPLE, readings, now_ms)

    def calibrate(self, now_ms: int) -> None:
        """The operator asks for a calibration; RC reports it once done."""
        self.advance(now_ms)
        self._bench.calibrate(now_ms)

    def monitor(self, glucose_mg_dl: float, now_ms: int) -> None:
        """A monitor measurement in mg/dL is ready; RS reports it as sample -2."""
        self.advance(now_ms)
        self._bench.monitor(glucose(glucose_mg_dl), now_ms)

    def receive(self, data: bytes, now_ms: int) -> None:
        """Takes bytes from the host."""
        self.advance(now_ms)
        if not self._outbox.plugged:
            return
        for byte in data:
            if byte != 0x0D:
                self._line.append(byte)
                continue
            command = bytes(self._line[-_COMMAND_LIMIT:]).decode("latin-1").strip()
            self._line.clear()
            if self._outbox.hears():
                self._outbox.put(self._answer(command, now_ms), now_ms)
        del self._line[:-_COMMAND_LIMIT]

    def advance(self, now_ms: int) -> None:
        """Lets time pass up to `now_ms`."""
        self._bench.advance(now_ms)
        self._outbox.advance(now_ms)

    def take_output(self) -> bytes:
        """Bytes for the host, once."""
        return self._outbox.take()

    def wake_at(self) -> int | None:
        """Next ms at which a run ends, a calibration starts or a reply leaves."""
        pending = [at_ms for at_ms in (self._bench.next_ms(), self._outbox.wake_at()) if at_ms is not None]
        return min(pending, default=None)

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Starts a fault; ValueError for one an analyzer of this make cannot have."""
        self.advance(now_ms)
        if self._outbox.inject(fault):
            self._line.clear()
            return
        match fault.kind:
            case FaultKind.BUSY:
                self._busy = True
            case FaultKind.STUCK:
                self._bench.stuck = True
            case FaultKind.ERROR:
                self._bench.error = fault.number or 0
            case FaultKind.UNIT_SWITCH:
                self._unit = Unit.MMOL_L if self._settings.unit is Unit.MG_DL else Unit.MG_DL
            case FaultKind.CLOCK_OFFSET:
                self._bench.clock_offset_s = fault.number or 0
            case FaultKind.CALIBRATE:
                self._bench.calibrate(now_ms)
            case FaultKind.DUMP:
                self._bench.unsent.extend(self._bench.results)
            case FaultKind.EDIT if self._bench.results:
                self._edit(_EDIT_PERCENT if fault.number is None else fault.number)
            case FaultKind.COMMA | FaultKind.OVER_RANGE | FaultKind.NO_VALUE:
                self._shown_instead = fault.kind
            case _:
                raise ValueError(f"A YSI analyzer has no fault {fault.kind.value!r}.")

    def clear(self, kind: FaultKind, now_ms: int) -> None:
        """Ends a lasting fault."""
        self.advance(now_ms)
        self._outbox.clear(kind)
        match kind:
            case FaultKind.BUSY:
                self._busy = False
            case FaultKind.STUCK:
                self._bench.stuck = False
            case FaultKind.ERROR:
                self._bench.error = 0
            case FaultKind.UNIT_SWITCH:
                self._unit = self._settings.unit
            case FaultKind.CLOCK_OFFSET:
                self._bench.clock_offset_s = self._settings.clock_offset_s
            case FaultKind.COMMA | FaultKind.OVER_RANGE | FaultKind.NO_VALUE:
                self._shown_instead = None
            case _:
                pass  # nothing of this kind lasts

    def _answer(self, command: str, now_ms: int) -> bytes:
        reports = re.fullmatch(r"RS([1-9]?)|(RC)", command, re.ASCII)
        if self._busy or (reports and self._settings.busy_in_run and self.running):
            return _BUSY
        if command == "RS":
            return self._unsent_report(now_ms)
        if reports and reports[2]:
            return self._report(self._bench.calibration, now_ms)
        if reports:
            back = int(reports[1])
            results = self._bench.results
            return self._report(results[-back] if back <= len(results) else None, now_ms)
        if command == "RM":
            return _ACCEPTED + report_line(self._stamp(self._bench.clock_ms(now_ms)), "*****", INFORMATION)
        if command == "RY" and self._settings.status_reply is StatusReply.DIGITS:
            return _ACCEPTED + self._status()
        return f"{self._settings.refusal_digit}\r\n".encode("ascii")

    def _unsent_report(self, now_ms: int) -> bytes:
        bench = self._bench
        if bench.unsent:
            return self._report(bench.unsent.popleft(), now_ms)
        match self._settings.when_nothing:
            case WhenNothing.NONE_LINE:
                return self._report(None, now_ms)
            case WhenNothing.REPEAT:
                return self._report(bench.results[-1] if bench.results else None, now_ms)
            case WhenNothing.ERROR:
                return f"{self._settings.refusal_digit}\r\n".encode("ascii")

    def _report(self, result: Result | None, now_ms: int) -> bytes:
        if result is None:
            samples = [kept.sample for kept in self._bench.results if kept.sample > 0]
            latest = samples[-1] if samples else 0
            return _ACCEPTED + report_line(
                self._stamp(self._bench.clock_ms(now_ms)),
                self._settings.temperature,
                latest,
                chemistry="NONE",
            )
        lines = _ACCEPTED
        for reading in result.readings:
            lines += report_line(
                self._stamp(result.clock_ms),
                self._settings.temperature,
                result.sample,
                chemistry=reading.chemistry,
                result=self._shown(reading),
                unit=self._unit,
                error=f"{result.error:04X}",
                more=reading is not result.readings[-1],
            )
        return lines

    def _edit(self, percent: int) -> None:
        latest = self._bench.results.pop()
        scaled = [replace(one, mmol_l=one.mmol_l * (100 + percent) / 100) for one in latest.readings]
        edited = replace(latest, readings=tuple(scaled))
        self._bench.results.append(edited)
        self._bench.unsent.append(edited)

    def _shown(self, reading: Reading) -> str:
        number = shown(reading, self._unit)
        if self._shown_instead is None:
            return number
        return _SHOWN_INSTEAD[self._shown_instead] or number.replace(".", ",")

    def _status(self) -> bytes:
        bench = self._bench
        no_sample, no_calibration = int(not bench.unsent), int(bench.calibration is None)
        return f"0 {no_sample} {no_calibration} {bench.job.value}\r\n".encode("ascii")

    def _stamp(self, clock_ms: int) -> str:
        return stamp(self._settings.start + timedelta(milliseconds=clock_ms), self._settings.date_order)
