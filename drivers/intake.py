"""What every analyzer link does with a result once it is read: is it new, ours, of this run?

Source: analyzers reference 7 (pitfalls). A result becomes `GlucoseSampled`; what may not dose is
history, a repeat is dropped, and everything odd is told. Not here: bytes, columns, frames.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from clampctl.core.commands import Role
from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkTroubled, SampleKind, Trouble
from drivers.reading import ReadingRefused, Rules, glucose_mg_dl, unit_of

REMEMBERED = 512
"""Results kept to know a repeat: more than any of these analyzers sends from its memory at once."""

HISTORY_AFTER = timedelta(minutes=10)
"""A result whose analyzer time is older than this on arrival is history (analyzers 7: advice freezes
at 10 min)."""

CLOCK_JUMP_S = 60.0
CLOCK_RUNS = 3
"""The clock's offset is the median over the first results; a later jump is told (analyzers 7)."""


@dataclass(frozen=True, slots=True)
class Result:
    """One glucose result as sent. `identity` tells it from every other result of this analyzer.

    `measured` is the analyzer's own clock, None where it has none; `minutes_only`: a clock without
    seconds. `corrected`: the analyzer says that it changed an earlier result.
    """

    identity: tuple[str, ...]
    sample: str
    value: str
    unit: str
    kind: SampleKind
    measured: datetime | None = None
    minutes_only: bool = False
    corrected: bool = False
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
        self._known: dict[tuple[str, ...], str] = {}
        self._lags_s: list[float] = []
        self._jump_told = False
        self.duplicates = 0

    def take(self, result: Result, now_ms: int) -> list[DeviceEvent]:
        """The events that a result causes; none for a repeat."""
        text = f"{result.value.strip()} {result.unit.strip()}"
        before = self._known.get(result.identity)
        if before == text and not result.corrected:
            self.duplicates += 1
            return []
        self._remember(result.identity, text)
        try:
            unit = unit_of(result.unit)
            sample = self._sampled(result, unit, self._judged(result, unit, before))
        except ReadingRefused as refusal:
            return [self._trouble(refusal.trouble, f"sample {result.sample}: {refusal}")]
        if before is not None or result.corrected:
            was = f", it was {before}" if before is not None else ""
            told = f"sample {result.sample} was corrected to {text}{was}: key it in if it is to count"
            return [self._trouble(Trouble.REFUSED, told), sample]
        return [*self._clocked(result, now_ms), *self._aged(result, sample, now_ms)]

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

    def _remember(self, identity: tuple[str, ...], text: str) -> None:
        self._known[identity] = text
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]

    def _judged(self, result: Result, unit: str, before: str | None) -> SampleKind:
        """The kind under which a result is taken; a patient's may turn out to be history.

        The first unit that comes holds for the session: a change is a hard stop (analyzers 7).
        """
        if result.kind is not SampleKind.PATIENT:
            return result.kind
        if not self._unit:
            self._unit = unit
        if unit != self._unit:
            sentence = f"the analyzer changed its unit from {self._unit} to {unit}: set it back"
            raise ReadingRefused(Trouble.REFUSED, sentence)
        if not result.sample.startswith(self._rules.sample_prefix):
            sentence = f"{result.value.strip()} {unit} has a sample ID that is not of this run"
            raise ReadingRefused(Trouble.REFUSED, f"{sentence}: key it in if it is")
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

    def _lag(self, result: Result, now_ms: int) -> timedelta | None:
        if self._wall_zero is None or result.measured is None:
            return None
        return self._wall_zero + timedelta(milliseconds=now_ms) - result.measured - self._run_time

    def _aged(self, result: Result, sample: GlucoseSampled, now_ms: int) -> list[DeviceEvent]:
        """An old result is history: a memory sent again, or a clock that is far off."""
        lag = self._lag(result, now_ms)
        if lag is None or sample.kind is not SampleKind.PATIENT or abs(lag) <= HISTORY_AFTER:
            return [sample]
        minutes = round(lag.total_seconds() / 60)
        told = f"sample {result.sample} is {minutes} min old by the analyzer's clock: kept as history"
        return [self._trouble(Trouble.REFUSED, told), _as_history(sample)]

    def _clocked(self, result: Result, now_ms: int) -> list[DeviceEvent]:
        """Learn the clock's offset from the first results; tell a later jump once."""
        lag = self._lag(result, now_ms)
        if lag is None or abs(lag) > HISTORY_AFTER:
            return []
        lag_s = lag.total_seconds()
        if len(self._lags_s) < CLOCK_RUNS:
            self._lags_s.append(lag_s)
            return []
        moved_s = lag_s - median(self._lags_s)
        jumped = abs(moved_s) > CLOCK_JUMP_S * (2 if result.minutes_only else 1)
        if not jumped or self._jump_told:
            self._jump_told = jumped
            return []
        self._jump_told = True
        told = f"the analyzer's clock moved by {round(moved_s)} s against this computer"
        return [self._trouble(Trouble.UNEXPECTED, told)]

    def _trouble(self, trouble: Trouble, detail: str) -> LinkTroubled:
        return LinkTroubled(Role.ANALYZER, trouble, detail)


def _as_history(sample: GlucoseSampled) -> GlucoseSampled:
    return GlucoseSampled(
        sample.sample_id, sample.glucose_mg_dl, sample.drawn_at_ms, SampleKind.HISTORY,
        sample.source, sample.raw_value, sample.raw_unit, sample.flags,
    )  # fmt: skip
