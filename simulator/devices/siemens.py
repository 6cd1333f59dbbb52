"""A Siemens RapidLab 1200 or RAPIDPoint 400/500 on LIS3, byte for byte, from the sheet.

Source: sheet analyzers.md 4.4 (public programs and captures). [R] marks what it could not verify: among it
the glucose key, every name that begins with QC_ and CAL_, and who asks for identity.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.devices.fault import Fault, FaultKind
from simulator.devices.mischief import Outbox
from simulator.devices.runs import Job, Reading, Result, Runs, glucose, lactate
from simulator.devices.siemens_mail import Mail
from simulator.devices.siemens_wire import ACK, Ear, Part, Unit, message, part, shown

CONTROL_MG_DL = 100
OVERSIZE_BYTES = 20_000
EDIT_PERCENT = 5

MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"

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
_ONCE = frozenset(
    {
        FaultKind.DIGIT_SWAP,
        FaultKind.HALF_MESSAGE,
        FaultKind.DUPLICATE,
        FaultKind.WRONG_SEQUENCE,
        FaultKind.CONTENTION,
    }
)


@dataclass(frozen=True, slots=True)
class SiemensSettings:
    """Constructor settings of `Siemens`; [R] marks what the sheet could not verify.

    start: wall clock at 0 ms. clock_offset_s: how far the instrument's clock is ahead of it.
    unit: setting of the instrument. model, serial: aMOD and iIID; examples.
    patient: iPID as keyed by the operator. exceptions: of every glucose; texts [R].
    glucose_key, lactate_key: [R]. first_sample: rSEQ of the next sample.
    run_ms: one sample [R]. calibration_ms, autocal_ms: [R]; None without automatic calibrations.
    retry_ms: the timer of the protocol [R].
    asks_identity: ID_REQ when switched on [R]. tells_state: SMP_START and SYS_ messages [R when].
    """

    start: datetime = datetime(2026, 1, 1, 8)
    clock_offset_s: int = 0
    unit: Unit = Unit.MMOL_L
    model: str = "0500"
    serial: str = "45064"
    patient: str = "S017"
    exceptions: tuple[str, ...] = ()
    glucose_key: str = "mGlu"
    lactate_key: str = "mLac"
    first_sample: int = 1
    run_ms: int = 60_000
    calibration_ms: int = 75_000
    autocal_ms: int | None = None
    retry_ms: int = 3000
    asks_identity: bool = True
    tells_state: bool = True


class Siemens:
    """The analyzer on its cable, switched on at `now_ms`; an `AnalyzerDevice`."""

    def __init__(self, settings: SiemensSettings | None = None, now_ms: int = 0) -> None:
        self._settings = settings or SiemensSettings()
        self._outbox = Outbox()
        self._mail = Mail(self._outbox, self._settings.retry_ms)
        self._ear = Ear()
        self._odd: dict[FaultKind, Fault] = {}
        self._deaf_to_acks = 0
        self._switch_on(now_ms)

    def _switch_on(self, now_ms: int) -> None:
        settings = self._settings
        self._runs = Runs(
            now_ms,
            first_sample=settings.first_sample,
            run_ms=settings.run_ms,
            calibration_ms=settings.calibration_ms,
            calibrator=glucose(180.156),
            autocal_ms=settings.autocal_ms,
        )
        self._runs.clock_offset_s = settings.clock_offset_s
        self._job_told = Job.IDLE
        if settings.asks_identity:
            self._mail.post(message("ID_REQ"), now_ms)

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._outbox.plugged

    @property
    def running(self) -> bool:
        """Whether a sample or a calibration is in the machine."""
        return self._runs.job is not Job.IDLE

    def place_sample(self, glucose_mg_dl: float, now_ms: int) -> None:
        """The operator gives a sample: its result is announced `run_ms` after the machine is free.

        Glucose in mg/dL; ValueError for a value that is not a finite number of 0 or more.
        """
        self.advance(now_ms)
        self._runs.queue(Job.SAMPLE, (glucose(glucose_mg_dl),), now_ms)
        self._tell_job(now_ms)

    def receive(self, data: bytes, now_ms: int) -> None:
        """Takes bytes from the host."""
        self.advance(now_ms)
        if not self._outbox.plugged:
            return
        for name, values in self._ear.hear(data):
            if self._outbox.hears():
                self._heard(name, values, now_ms)

    def advance(self, now_ms: int) -> None:
        """Lets time pass up to `now_ms`."""
        while (at_ms := self._next_ms()) is not None and at_ms <= now_ms:
            due_ms = self._mail.due_ms()
            if due_ms is not None and due_ms <= at_ms:
                self._mail.expire(at_ms)
            self._runs.advance(at_ms)
            self._report(at_ms)
        self._outbox.advance(now_ms)

    def _next_ms(self) -> int | None:
        pending = [at_ms for at_ms in (self._runs.next_ms(), self._mail.due_ms()) if at_ms is not None]
        return min(pending, default=None)

    def take_output(self) -> bytes:
        """Bytes for the host, once."""
        return self._outbox.take()

    def wake_at(self) -> int | None:
        """Next ms at which a run ends, a timer expires or bytes leave."""
        pending = [at_ms for at_ms in (self._next_ms(), self._outbox.wake_at()) if at_ms is not None]
        return min(pending, default=None)

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Starts a fault; ValueError for one an analyzer of this make cannot have."""
        self.advance(now_ms)
        if self._outbox.inject(fault):
            self._ear.forget()
            return
        if fault.kind in _LASTING | _ONCE:
            self._odd[fault.kind] = fault
            return
        match fault.kind:
            case FaultKind.STUCK:
                self._runs.stuck = True
            case FaultKind.CLOCK_OFFSET:
                self._runs.clock_offset_s = fault.number or 0
            case FaultKind.DROP_ACK:
                self._deaf_to_acks = 1 if fault.number is None else fault.number
            case FaultKind.BUSY:
                self._odd[fault.kind] = fault
                self._mail.post(message("SYS_NOT_READY"), now_ms)
            case FaultKind.CALIBRATE:
                self._runs.calibrate(now_ms)
                self._tell_job(now_ms)
            case FaultKind.CONTROL:
                control = glucose(CONTROL_MG_DL if fault.number is None else fault.number)
                self._mail.post(self._data("QC_NEW_DATA", self._taken(control, now_ms), "QC"), now_ms)
            case FaultKind.EDIT:
                self._edit(EDIT_PERCENT if fault.number is None else fault.number, now_ms)
            case FaultKind.DUMP:
                for result in tuple(self._runs.results):
                    self._mail.post(self._about("SMP_NEW_AV", result.sample), now_ms)
            case FaultKind.POWER_CYCLE:
                self._outbox.drop()
                self._mail.drop()
                self._ear.forget()
                self._switch_on(now_ms)
            case FaultKind.OVERSIZE:
                self._outbox.put(b"\x02SMP_NEW_DATA" + b"x" * OVERSIZE_BYTES, now_ms)
            case _:
                raise ValueError(f"A Siemens analyzer has no fault {fault.kind.value!r}.")

    def clear(self, kind: FaultKind, now_ms: int) -> None:
        """Ends a lasting fault."""
        self.advance(now_ms)
        self._outbox.clear(kind)
        was = self._odd.pop(kind, None)
        match kind:
            case FaultKind.STUCK:
                self._runs.stuck = False
            case FaultKind.CLOCK_OFFSET:
                self._runs.clock_offset_s = self._settings.clock_offset_s
            case FaultKind.DROP_ACK:
                self._deaf_to_acks = 0
            case FaultKind.BUSY if was:
                self._mail.post(message("SYS_READY"), now_ms)
            case _:
                pass  # nothing else of this kind lasts

    # --- what the host says ------------------------------------------------------------------

    def _heard(self, name: str, values: dict[str, str], now_ms: int) -> None:
        if name == "ACK":
            if self._deaf_to_acks:
                self._deaf_to_acks -= 1
            else:
                self._mail.acknowledged(now_ms)
            return
        if self._odd.pop(FaultKind.CONTENTION, None):
            self._mail.post(message("SYS_MEASURING"), now_ms, next_one=True)
            return
        self._outbox.put(ACK, now_ms)
        if name == "SMP_REQ":
            found = [result for result in self._runs.results if str(result.sample) == values.get("rSEQ")]
            if found:
                self._give(found[-1], now_ms)

    def _give(self, result: Result, now_ms: int) -> None:
        data = self._data("SMP_NEW_DATA", result, "SAMPLE")
        self._odd.pop(FaultKind.DIGIT_SWAP, None)
        half = data[: len(data) // 2] if self._odd.pop(FaultKind.HALF_MESSAGE, None) else b""
        if self._odd.pop(FaultKind.DUPLICATE, None):
            self._mail.post(data, now_ms, next_one=True)
        self._mail.post(data, now_ms, next_one=True, first_try=half)

    # --- what the analyzer says by itself ----------------------------------------------------

    def _report(self, now_ms: int) -> None:
        while self._runs.unsent:
            result = self._runs.unsent.popleft()
            self._mail.post(self._about("SMP_NEW_AV", result.sample), now_ms)
        self._tell_job(now_ms)

    def _tell_job(self, now_ms: int) -> None:
        """A calibration is told when it begins and ends; other states only where that is set up."""
        before, job = self._job_told, self._runs.job
        self._job_told = job
        if job is before:
            return
        calibration = self._runs.calibration
        if before in (Job.CALIBRATION, Job.AUTOCAL) and calibration is not None:
            self._mail.post(self._data("CAL_NEW_DATA", calibration, "CAL"), now_ms)
        if job in (Job.CALIBRATION, Job.AUTOCAL):
            self._mail.post(message("CAL_START"), now_ms)
        elif self._settings.tells_state:
            self._mail.post(message("SYS_READY" if job is Job.IDLE else "SYS_MEASURING"), now_ms)

    def _edit(self, percent: int, now_ms: int) -> None:
        if self._runs.results:
            last = self._runs.results[-1]
            readings = tuple(
                Reading(one.chemistry, one.mmol_l * (1 + percent / 100)) for one in last.readings
            )
            edited = Result(last.clock_ms, last.sample, readings, last.error)
            self._mail.post(self._data("SMP_EDIT_DATA", edited, "SAMPLE"), now_ms)

    def _taken(self, reading: Reading, now_ms: int) -> Result:
        number, self._runs.next_sample = self._runs.next_sample, self._runs.next_sample + 1
        return Result(self._runs.clock_ms(now_ms), number, (reading,), 0)

    def _who(self) -> list[Part]:
        other = self._odd.get(FaultKind.IDENTITY)
        serial = other.text if other else self._settings.serial
        return [part("aMOD", self._settings.model), part("iIID", serial)]

    def _about(self, name: str, sample: int) -> bytes:
        return message(name, [*self._who(), part("rSEQ", str(sample))])

    def _data(self, name: str, result: Result, own_type: str) -> bytes:
        settings, odd = self._settings, self._odd
        wall = settings.start + timedelta(milliseconds=result.clock_ms)
        month = MONTHS[3 * wall.month - 3 : 3 * wall.month]
        unit = settings.unit
        if FaultKind.UNIT_SWITCH in odd:
            unit = Unit.MMOL_L if unit is Unit.MG_DL else Unit.MG_DL
        other, error = odd.get(FaultKind.OTHER_ID), odd.get(FaultKind.ERROR)
        exceptions = (*settings.exceptions, *((f"EXC{error.number:X}",) if error else ()))
        ahead = 1 if odd.pop(FaultKind.WRONG_SEQUENCE, None) else 0
        first = FaultKind.LACTATE_FIRST in odd
        parts: list[Part] = [
            *self._who(),
            part("rTYPE", own_type),
            part("rSEQ", str(result.sample + ahead)),
            part("rDATE", f"{wall:%d}{month}{wall:%y}"),
            part("rTIME", f"{wall:%H:%M}"),
            *([part("iPID", other.text if other else settings.patient)] if own_type == "SAMPLE" else []),
            *([part(settings.lactate_key, shown(lactate(1.0), unit, odd), unit)] if first else []),
            (settings.glucose_key, shown(result.readings[0], unit, odd), unit, exceptions),
        ]
        return message(name, parts)
