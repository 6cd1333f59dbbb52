"""An analyzer that sends its results by ASTM E1381/E1394, byte for byte: a Radiometer ABL.

Source: sheet analyzers.md 3, 4.3. It calls when a result is ready, sends, and waits for each answer.
What it does after giving a message up is [R]: it keeps it and calls again.
"""

from collections import deque
from dataclasses import replace

from simulator.devices.astm_sender import Sender
from simulator.devices.astm_settings import AstmSettings, Unit
from simulator.devices.astm_text import Habits, Outgoing, records, written
from simulator.devices.fault import Fault, FaultKind
from simulator.devices.mischief import Outbox
from simulator.devices.runs import MONITOR, RAM_RESULTS, Job, Result, Runs, glucose, lactate

OF_THE_TEXT = frozenset(
    {
        FaultKind.COMMA,
        FaultKind.QUERY,
        FaultKind.NO_VALUE,
        FaultKind.OVER_RANGE,
        FaultKind.LACTATE_FIRST,
        FaultKind.WHOLE_BLOOD,
        FaultKind.MINUTE_CLOCK,
    }
)
"""Lasting faults of how results are written."""

NEXT_MESSAGE = frozenset({FaultKind.DIGIT_SWAP, FaultKind.HALF_MESSAGE})
"""Faults of the next message alone."""

CONTROL_MG_DL = 100
EDIT_PERCENT = 2
"""What `control` and `edit` mean without a number."""


class AstmAnalyzer:
    """The analyzer on its cable, switched on at `now_ms`; a `Device`."""

    def __init__(self, settings: AstmSettings | None = None, now_ms: int = 0) -> None:
        self._settings = settings = settings or AstmSettings()
        self._runs = Runs(
            now_ms,
            first_sample=settings.first_sample,
            run_ms=settings.run_ms,
            calibration_ms=settings.calibration_ms,
            calibrator=glucose(settings.calibrator_mg_dl),
            autocal_ms=settings.autocal_ms,
        )
        self._runs.clock_offset_s = settings.clock_offset_s
        self._outbox = Outbox()
        self._sender = Sender(settings, self._outbox)
        self._unit, self._name, self._other_id = settings.unit, settings.sender, ""
        self._faults: set[FaultKind] = set()
        self._waiting: deque[Outgoing] = deque(maxlen=2 * RAM_RESULTS)
        self._sending: Outgoing | None = None
        self._specials = 0
        self._calibration: Result | None = None

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._outbox.plugged

    @property
    def running(self) -> bool:
        """Whether a sample or a calibration is in the machine."""
        return self._runs.job is not Job.IDLE

    def place_sample(self, glucose_mg_dl: float, now_ms: int, lactate_mmol_l: float = 0.9) -> None:
        """The operator gives a sample: its message leaves `run_ms` after the machine is free.

        Glucose in mg/dL, lactate in mmol/L (sent with `lactate_first`); ValueError for a value that is
        not a finite number of 0 or more.
        """
        self.advance(now_ms)
        self._runs.queue(Job.SAMPLE, (glucose(glucose_mg_dl), lactate(lactate_mmol_l)), now_ms)

    def receive(self, data: bytes, now_ms: int) -> None:
        """Takes answers from the host."""
        self.advance(now_ms)
        for byte in data:
            if self._outbox.hears():
                self._sender.heard(byte, now_ms, self._records)
        self.advance(now_ms)

    def advance(self, now_ms: int) -> None:
        """Lets time pass up to `now_ms`, one moment after another."""
        while (at_ms := self._next_ms()) is not None and at_ms <= now_ms:
            self._live(at_ms)
        self._live(now_ms)
        self._outbox.advance(now_ms)

    def take_output(self) -> bytes:
        """Bytes for the host, once."""
        return self._outbox.take()

    def wake_at(self) -> int | None:
        """Next ms at which a run ends, a calibration starts, a wait ends or bytes leave."""
        pending = [at_ms for at_ms in (self._next_ms(), self._outbox.wake_at()) if at_ms is not None]
        return min(pending, default=None)

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Starts a fault; ValueError for one an analyzer of this make cannot have."""
        self.advance(now_ms)
        if self._outbox.inject(fault) or self._sender.inject(fault):
            return
        match fault.kind:
            case kind if kind in OF_THE_TEXT or kind in NEXT_MESSAGE:
                self._faults.add(kind)
            case FaultKind.STUCK:
                self._runs.stuck = True
            case FaultKind.ERROR:
                self._runs.error = fault.number or 0
            case FaultKind.CLOCK_OFFSET:
                self._runs.clock_offset_s = fault.number or 0
            case FaultKind.UNIT_SWITCH:
                self._unit = Unit.MMOL_L if self._settings.unit is Unit.MG_DL else Unit.MG_DL
            case FaultKind.OTHER_ID:
                self._other_id = fault.text
            case FaultKind.IDENTITY:
                self._name = fault.text
            case FaultKind.EDIT:
                self._edit(EDIT_PERCENT if fault.number is None else fault.number, now_ms)
            case FaultKind.DUMP:
                self._waiting.extend(self._outgoing(result) for result in self._runs.results)
            case FaultKind.CONTROL:
                self._control(CONTROL_MG_DL if fault.number is None else fault.number, now_ms)
            case FaultKind.CALIBRATE:
                self._runs.calibrate(now_ms)
            case _:
                raise ValueError(f"An ASTM analyzer has no fault {fault.kind.value!r}.")
        self.advance(now_ms)

    def clear(self, kind: FaultKind, now_ms: int) -> None:
        """Ends a lasting fault."""
        self.advance(now_ms)
        self._outbox.clear(kind)
        self._sender.clear(kind)
        self._faults.discard(kind)
        match kind:
            case FaultKind.STUCK:
                self._runs.stuck = False
            case FaultKind.ERROR:
                self._runs.error = 0
            case FaultKind.CLOCK_OFFSET:
                self._runs.clock_offset_s = self._settings.clock_offset_s
            case FaultKind.UNIT_SWITCH:
                self._unit = self._settings.unit
            case FaultKind.OTHER_ID:
                self._other_id = ""
            case FaultKind.IDENTITY:
                self._name = self._settings.sender
            case _:
                pass  # nothing of this kind lasts

    # --- results -----------------------------------------------------------------------------

    def _next_ms(self) -> int | None:
        pending = [at_ms for at_ms in (self._runs.next_ms(), self._sender.due_ms) if at_ms is not None]
        return min(pending, default=None)

    def _live(self, at_ms: int) -> None:
        """What happens at one moment: runs end, waits end, the next message is called."""
        runs = self._runs
        runs.advance(at_ms)
        while runs.unsent:
            self._waiting.append(self._outgoing(runs.unsent.popleft()))
        if runs.calibration is not self._calibration:
            self._calibration = runs.calibration
            if runs.calibration is not None:
                self._waiting.append(self._outgoing(runs.calibration))
        self._sender.advance(at_ms)
        if self._sender.idle and self._waiting:
            self._sending = self._shaped(self._waiting.popleft())
            self._sender.call(at_ms, half=self._sending.half)

    def _outgoing(self, result: Result) -> Outgoing:
        """Controls and calibrations count by themselves."""
        number = result.sample
        if number < 0:
            self._specials += 1
            number = self._specials
        return Outgoing(result, number, self._settings.status)

    def _shaped(self, outgoing: Outgoing) -> Outgoing:
        """The message about to be called, with the faults that wait for it."""
        swapped = FaultKind.DIGIT_SWAP in self._faults
        half = FaultKind.HALF_MESSAGE in self._faults
        self._faults -= NEXT_MESSAGE
        return replace(outgoing, swapped=swapped, half=half)

    def _records(self) -> list[str]:
        """The present message as it is written now."""
        if self._sending is None:
            return []
        habits = Habits(self._settings, self._name, self._unit, self._other_id, frozenset(self._faults))
        return records(self._sending, habits, self._runs.clock_ms(self._sender.called_ms))

    def _edit(self, percent: int, now_ms: int) -> None:
        """The operator lowers the latest result by so many percent; it is sent again as corrected."""
        results = self._runs.results
        for index in reversed(range(len(results))):
            if results[index].sample != MONITOR:
                break
        else:
            return
        first, *others = results[index].readings
        lowered = replace(first, mmol_l=first.mmol_l * max(0, 100 - percent) / 100)
        results[index] = replace(results[index], readings=(lowered, *others))
        moment = written(self._settings.start, self._runs.clock_ms(now_ms), "%Y-%m-%d %H:%M:%S")
        note = self._settings.edit_note.replace("{stamp}", moment)
        self._waiting.append(replace(self._outgoing(results[index]), status="C", note=note))

    def _control(self, mg_dl: int, now_ms: int) -> None:
        self._runs.monitor(glucose(mg_dl), now_ms)
