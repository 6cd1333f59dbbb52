"""What every analyzer link does with a result once it is read: is it new, ours, of this run?

Source: analyzers reference 7 (pitfalls). A result becomes `GlucoseSampled`; what may not dose is
history, a repeat is dropped, and everything odd is told. Not here: bytes, columns, frames.
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from clampctl.core.commands import Role
from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkTroubled, SampleKind, Trouble
from drivers.reading import ReadingRefused, Rules, glucose_mg_dl, number_of, unit_of

REMEMBERED = 512
"""Results kept to know a repeat: more than any of these analyzers sends from its memory at once."""

HISTORY_AFTER = timedelta(minutes=10)
"""A result whose analyzer time is older than this on arrival is history (analyzers 7: advice freezes
at 10 min)."""

LATE = "dated by the analyzer's clock"
"""Flag of a result that came late and knows by its time stamp when its blood was drawn."""

CLOCK_JUMP = timedelta(seconds=60)
CLOCK_RUNS = 3
"""The clock's offset is the least lag of so many latest results: a result may wait in the analyzer
before it is sent, but none comes early. A result further from it than the jump is told (analyzers 7)."""

DRAWN_BEFORE = timedelta(seconds=60)
"""Blood is drawn about a minute before an analyzer has stamped its result."""

RUN_MS_LEAST = 15_000
"""No analyzer here measures faster (analyzers 1, StatStrip): what comes closer behind another result,
or behind the opening of the wire, comes from a memory."""

_MS, _MINUTE = timedelta(milliseconds=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Result:
    """One glucose result as sent. `identity` tells it from every other result of this analyzer.

    `measured` is the analyzer's own clock, None where it has none; `minutes_only`: a clock without
    seconds. `corrected`: the analyzer says that it changed an earlier result. `patient`: whose blood it
    is, "" where the analyzer does not tell.
    """

    identity: tuple[str, ...]
    sample: str
    value: str
    unit: str
    kind: SampleKind
    measured: datetime | None = None
    minutes_only: bool = False
    corrected: bool = False
    patient: str = ""
    flags: tuple[str, ...] = ()


class Intake:
    """The desk where results of one analyzer arrive.

    `wall_zero` is this computer's local wall clock at session time 0, None where it is not known:
    then the analyzer's clock is not judged. `run_time` is the analyzer's usual time from its time
    stamp to the result's arrival.
    """

    def __init__(
        self,
        source: str,
        rules: Rules | None = None,
        wall_zero: datetime | None = None,
        run_time: timedelta = timedelta(),
    ) -> None:
        self.source = source
        self._rules = rules or Rules()
        self._wall_zero = wall_zero
        self._run_time = run_time
        self._unit = self._rules.unit
        self._patient = ""
        self._known: dict[tuple[str, ...], str] = {}
        self._lags: deque[timedelta] = deque(maxlen=CLOCK_RUNS)
        self._jump_told = False
        self._came_ms: int | None = None
        self.duplicates = 0

    def opened(self, now_ms: int) -> None:
        """The wire was opened: what comes at once comes from a memory."""
        self._came_ms = now_ms

    def take(self, result: Result, now_ms: int) -> list[DeviceEvent]:
        """The events that a result causes; none for a repeat."""
        text = f"{result.value.strip()} {result.unit.strip()}"
        before = self._known.get(result.identity)
        if before is not None and not result.corrected and self._exact(before) == self._exact(text):
            self.duplicates += 1
            return []
        self._remember(result.identity, text)
        rushed = self._came_ms is not None and now_ms - self._came_ms < RUN_MS_LEAST
        self._came_ms = now_ms
        try:
            unit = unit_of(result.unit)
            sample = self._sampled(result, unit, self._judged(result, unit, before))
        except ReadingRefused as refusal:
            return [self._trouble(refusal.trouble, f"sample {result.sample}: {refusal}")]
        if before is not None or result.corrected:
            was = f", it was {before}" if before is not None else ""
            told = f"sample {result.sample} was corrected to {text}{was}: key it in if it is to count"
            return [self._trouble(Trouble.REFUSED, told), sample]
        events = self._dated(result, sample, rushed, now_ms)
        if any(isinstance(event, GlucoseSampled) and event.kind is SampleKind.PATIENT for event in events):
            self._unit = unit
            self._patient = self._patient or result.patient
        return events

    def is_recent(self, measured: datetime | None, now_ms: int) -> bool:
        """Whether this time on the analyzer's clock is of this session and not long ago."""
        if self._wall_zero is None or measured is None:
            return False
        now = self._wall_zero + timedelta(milliseconds=now_ms)
        return measured >= self._wall_zero and abs(now - measured) <= HISTORY_AFTER

    def hold(self, result: Result, why: str) -> list[DeviceEvent]:
        """Hold back a result that the analyzer itself marks; a later version of it is a correction."""
        text = f"{result.value.strip()} {result.unit.strip()} ({why})"
        if self._known.get(result.identity) == text:
            self.duplicates += 1
            return []
        self._remember(result.identity, text)
        patient = result.kind is SampleKind.PATIENT
        trouble = Trouble.REFUSED if patient else Trouble.UNEXPECTED
        return [self._trouble(trouble, f"sample {result.sample}: {text} is held: measure again")]

    def _exact(self, text: str) -> tuple[object, str] | str:
        """5.1 and 5.10 are one number; a text that is no number stands for itself."""
        value, _, unit = text.partition(" ")
        try:
            return number_of(value, self._rules.comma), unit_of(unit)
        except ReadingRefused:
            return text

    def _remember(self, identity: tuple[str, ...], text: str) -> None:
        self._known[identity] = text
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]

    def _judged(self, result: Result, unit: str, before: str | None) -> SampleKind:
        """The kind under which a result is taken; a patient's may turn out to be history.

        Unit and patient of the first that may dose hold for the session: a change is a hard stop
        (analyzers 7).
        """
        if result.kind is not SampleKind.PATIENT:
            return result.kind
        if self._unit not in ("", unit):
            sentence = f"the analyzer changed its unit from {self._unit} to {unit}: set it back"
            raise ReadingRefused(Trouble.REFUSED, sentence)
        if not result.sample.startswith(self._rules.sample_prefix):
            sentence = f"{result.value.strip()} {unit} has a sample ID that is not of this run"
            raise ReadingRefused(Trouble.REFUSED, f"{sentence}: key it in if it is")
        if self._patient and result.patient != self._patient:
            sentence = f"{result.value.strip()} {unit} carries the patient ID {result.patient!r}, "
            sentence += f"this session's is {self._patient!r}"
            raise ReadingRefused(Trouble.REFUSED, f"{sentence}: key it in if it is to count")
        return SampleKind.HISTORY if before is not None or result.corrected else SampleKind.PATIENT

    def _sampled(self, result: Result, unit: str, kind: SampleKind) -> GlucoseSampled:
        flags = (*result.flags, *(("whole blood x 1.11",) if self._rules.from_whole_blood else ()))
        return GlucoseSampled(
            sample_id=":".join((self.source, *result.identity)),
            glucose_mg_dl=glucose_mg_dl(result.value, unit, self._rules),
            drawn_at_ms=None,
            kind=kind,
            source=self.source,
            raw_value=result.value.strip(),
            raw_unit=result.unit.strip(),
            flags=flags,
        )

    # --- how old is it? ----------------------------------------------------------------------

    def _dated(self, result: Result, sample: GlucoseSampled, rushed: bool, now_ms: int) -> list[DeviceEvent]:
        """A fresh result as it is, a late one with the draw that its time stamp tells, an old one as history.

        Without any time stamp a result that came in a rush is history: nobody knows how old it is.
        """
        if self._wall_zero is None or sample.kind is not SampleKind.PATIENT:
            return [sample]
        if result.measured is None:
            return self._old(result, sample, "has no time and came in a rush") if rushed else [sample]
        lag = self._wall_zero + timedelta(milliseconds=now_ms) - result.measured - self._run_time
        if abs(lag) > HISTORY_AFTER:
            far = f"{round(abs(lag) / _MINUTE)} min {'old' if lag > timedelta() else 'ahead'}"
            return self._old(result, sample, f"is {far} by the analyzer's clock")
        moved, events = self._clocked(lag, result.minutes_only, rushed)
        if moved <= timedelta():
            return [*events, sample]
        drawn_at_ms = now_ms - (moved + self._run_time + DRAWN_BEFORE) // _MS
        if drawn_at_ms < 0:
            return [*events, *self._old(result, sample, "is from before the session by the analyzer's clock")]
        return [*events, replace(sample, drawn_at_ms=drawn_at_ms, flags=(*sample.flags, LATE))]

    def _clocked(
        self, lag: timedelta, minutes_only: bool, rushed: bool
    ) -> tuple[timedelta, list[DeviceEvent]]:
        """How late a result is, 0 when it is not; learn the clock's offset, tell once when it moved.

        Until the offset is known the analyzer's clock may be ahead, never behind: what looks late is late.
        """
        known = len(self._lags) == CLOCK_RUNS
        moved = lag - min(self._lags if known else (timedelta(), *self._lags))
        if not rushed:
            self._lags.append(lag)
        if abs(moved) <= CLOCK_JUMP * (2 if minutes_only else 1):
            self._jump_told = False
            return timedelta(), []
        events: list[DeviceEvent] = []
        if known and not self._jump_told:
            self._jump_told = True
            seconds = round(moved.total_seconds())
            told = f"the analyzer's clock moved by {seconds} s against this computer, or its result is late"
            events.append(self._trouble(Trouble.UNEXPECTED, told))
        return max(moved, timedelta()), events

    def _old(self, result: Result, sample: GlucoseSampled, why: str) -> list[DeviceEvent]:
        told = f"sample {result.sample} {why}: kept as history, key it in if it is new"
        return [self._trouble(Trouble.REFUSED, told), replace(sample, kind=SampleKind.HISTORY)]

    def _trouble(self, trouble: Trouble, detail: str) -> LinkTroubled:
        return LinkTroubled(Role.ANALYZER, trouble, detail)
