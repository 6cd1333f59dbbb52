"""One bed of a trial: the real core, two pumps that hold what they are told, a nurse. No bytes, no devices.

Every half minute both pumps report; one report stands for the many a pump gives at a bedside. That
is as rarely as the core allows (`silence_stop_ms`, at most 30 s).
"""

import math
from dataclasses import replace

from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from clampctl.core.events import (
    Event,
    GlucoseSampled,
    PumpIdentified,
    PumpReported,
    PumpState,
    SampleDrawn,
    SampleKind,
    SessionStarted,
)
from clampctl.core.insulin import total_ms
from clampctl.core.protocol import Mode, Protocol
from clampctl.core.state import State, Verdict
from clampctl.core.station import AnalyzerSetup, PumpSetup, RateStep, Station
from clampctl.core.step import step
from clampctl.units import MS_PER_MIN
from simulator.bench import seen
from simulator.circumstances import AS_IT_SHOULD_BE, Circumstances
from simulator.clamp import SET_UP_MS
from simulator.nurse import Nurse
from simulator.subjects.sampling import YSI_ANALYSIS_MS

MOMENT_MS = 30_000
"""From one moment of a trial to the next: whole minutes, primes and first rates all fall on one."""

RESULT_MS = YSI_ANALYSIS_MS
"""From the draw to the result."""

RESOLUTION_MG_DL = 0.1

PROOF = "simulated"
"""A pump of a trial needs no bench sheet: nobody is connected to it."""

_EPOCH = 1
_STEPS = (RateStep(10_000, 1), RateStep(100_000, 10), RateStep(1_000_000, 100))
"""Four figures, as a syringe pump shows them (pumps 2.5)."""


def _setup(role: Role, lowest_ul_h: int, highest_ul_h: int, watchdog_s: int | None) -> PumpSetup:
    return PumpSetup(
        role, "trial", "trial pump", 0, None, lowest_ul_h, highest_ul_h, _STEPS, watchdog_s, None, proof=PROOF
    )


STATION = Station(
    name="trial",
    dextrose_pump=_setup(Role.DEXTROSE, 100, 999_900, None),
    insulin_pump=_setup(Role.INSULIN, 20, 99_990, 30),
    analyzer=AnalyzerSetup("trial", "trial analyzer", "plasma", RESULT_MS),
)


def for_trial(protocol: Protocol) -> Protocol:
    """The protocol in automatic mode, its pumps heard as rarely as the safety sheet ever allows (SR-2).

    Nothing that doses depends on either; the pumps of a trial cannot fall silent.
    """
    return replace(protocol, mode=Mode.AUTOMATIC, limits=replace(protocol.limits, silence_stop_ms=MOMENT_MS))


class TrialPump:
    """A pump that at once, and for ever, gives exactly what it was told; it has no counter."""

    __slots__ = ("said",)

    def __init__(self, role: Role) -> None:
        self.said = PumpReported(role, _EPOCH, PumpState.STOPPED, 0, None, None)

    @property
    def rate_ul_h(self) -> int:
        """What flows."""
        return self.said.rate_ul_h

    def obey(self, command: Command) -> None:
        """Carry out an order; a pump that stands still cannot change its rate."""
        match command:
            case StartPump():
                self._hold(PumpState.RUNNING, command.rate_ul_h)
            case SetRate():
                if self.said.state is PumpState.RUNNING:
                    self._hold(PumpState.RUNNING, command.rate_ul_h)
            case StopPump():
                self._hold(PumpState.STOPPED, 0)

    def _hold(self, state: PumpState, rate_ul_h: int) -> None:
        self.said = PumpReported(self.said.role, _EPOCH, state, rate_ul_h, None, None)


class Bed:
    """One subject's clamp, moment by moment.

    `next_sample` is the number of the sample that is drawn next, 1 the first.
    """

    __slots__ = (
        "_circumstances", "_due", "_ends_ms", "_nurse", "_said", "_unread", "dextrose", "insulin",
        "next_sample", "samples", "state",
    )  # fmt: skip

    def __init__(self, started: SessionStarted, circumstances: Circumstances = AS_IT_SHOULD_BE) -> None:
        self.state: State = step(None, started, 0)[0]
        self.dextrose = TrialPump(Role.DEXTROSE)
        self.insulin = TrialPump(Role.INSULIN)
        self.samples: list[tuple[int, float]] = []
        self.next_sample = 1
        self._circumstances = circumstances
        self._nurse = Nurse(started.protocol.sampling_ms)
        self._said: list[int] = []
        self._due: list[tuple[int, int, float]] = []
        self._unread: list[TrialPump] = []
        self._ends_ms: int | None = None
        for role in (Role.DEXTROSE, Role.INSULIN):
            self._happens(PumpIdentified(role, _EPOCH, "trial pump", "", None), 0)

    @property
    def started_ms(self) -> int | None:
        """When insulin began; None where it did not."""
        return self.state.clamp_started_ms

    @property
    def is_over(self) -> bool:
        """Whether the protocol's time is over, or set-up's without a start of insulin."""
        return self.state.at_ms >= (SET_UP_MS if self._ends_ms is None else self._ends_ms)

    def clamp_min(self, at_ms: int) -> float:
        """Minutes from insulin start, negative before it; before it is known, long before."""
        return -math.inf if self.started_ms is None else (at_ms - self.started_ms) / MS_PER_MIN

    def moment(self, at_ms: int, reading_mg_dl: float) -> None:
        """What happens at one moment: both pumps, a result that is due, and the nurse.

        The pumps come first: SAFE-TAIL asks how lately they were heard. `reading_mg_dl` is what the
        analyzer will say of blood drawn now.
        """
        self._reports(self.dextrose, at_ms)
        self._reports(self.insulin, at_ms)
        while self._due and self._due[0][0] <= at_ms:
            _, said_ms, value = self._due.pop(0)
            self._resulted(said_ms, value, at_ms)
        if at_ms % MS_PER_MIN == 0:
            self._nursed(at_ms)
        while self._said and self._said[0] + self._circumstances.late_ms <= at_ms:
            self._drawn(self._said.pop(0), reading_mg_dl, at_ms)
        while self._unread:
            self._reports(self._unread[0], at_ms)
        if self._ends_ms is None and self.started_ms is not None:
            self._ends_ms = self.started_ms + total_ms(self.state.session.protocol)

    def _nursed(self, at_ms: int) -> None:
        """The nurse looks, once a minute, and says that she draws."""
        for act in self._nurse.look(seen(self.state), at_ms):
            self._happens(act, at_ms)
            if isinstance(act, SampleDrawn):
                self._said.append(at_ms)

    def _drawn(self, said_ms: int, reading_mg_dl: float, at_ms: int) -> None:
        """Blood is drawn now that was said to be drawn before, or is missed."""
        if not self._circumstances.is_missed(self.next_sample):
            self._due.append((at_ms + RESULT_MS, said_ms, reading_mg_dl))
        self.next_sample += 1

    def _resulted(self, said_ms: int, glucose_mg_dl: float, at_ms: int) -> None:
        """The analyzer tells a value; what the core believes is kept as a sample of the record."""
        told = GlucoseSampled(
            sample_id=str(said_ms),
            glucose_mg_dl=glucose_mg_dl,
            drawn_at_ms=None,
            kind=SampleKind.PATIENT,
            source="trial",
            raw_value="",
            raw_unit="mg/dL",
            flags=(),
        )
        self._happens(told, at_ms)
        sample = self.state.blood.last_arrived
        if sample is not None and sample.verdict is Verdict.BELIEVED:
            self.samples.append((sample.drawn_at_ms, sample.glucose_mg_dl))

    def _reports(self, pump: TrialPump, at_ms: int) -> None:
        """A pump tells how it is; what it was ordered is thereby read back."""
        if self._unread and pump in self._unread:
            self._unread.remove(pump)
        self._happens(pump.said, at_ms)

    def _happens(self, event: Event, at_ms: int) -> None:
        """One event reaches the core; its orders are carried out, and wait to be read back."""
        self.state, commands = step(self.state, event, at_ms)
        for command in commands:
            pump = self.dextrose if command.role is Role.DEXTROSE else self.insulin
            pump.obey(command)
            if pump not in self._unread:
                self._unread.append(pump)
