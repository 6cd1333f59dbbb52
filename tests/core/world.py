"""A bedside without devices: the real core, two pumps that obey, and a clock moved by hand.

Every step is kept with its promises checked (`promises`), and can be folded again (`replayed`).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from clampctl.core.codec import Digest, canonical, plain, read_event
from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from clampctl.core.events import (
    BasalStarted,
    ClampStarted,
    Event,
    GlucoseSampled,
    PumpIdentified,
    PumpReported,
    PumpState,
    SampleKind,
    SessionStarted,
    Ticked,
)
from clampctl.core.protocol import (
    ClampStep,
    FirstRate,
    GlucoseUnit,
    Infusates,
    LawSettings,
    Limits,
    Mode,
    Prime,
    PrimeStep,
    Protocol,
    Tail,
)
from clampctl.core.state import Phase, State
from clampctl.core.station import AnalyzerSetup, PumpSetup, RateStep, Station
from clampctl.core.step import step
from clampctl.core.subject import Subject

MIN = 60_000
STARTED_MS = 10 * MIN
"""When `World.clamping` starts insulin."""

SORENSEN_MU_MIN = (221, 197, 175, 156, 139, 124, 110, 98, 87, 78)
PRIME = Prime(
    "table", tuple(PrimeStep(n * MIN, rate / 69) for n, rate in enumerate(SORENSEN_MU_MIN)), 10 * MIN
)
"""Insulin prime of clamp-method 1.2, mU/min over 69 mU/min of maintenance."""

NO_PRIME = Prime("none", (), 0)
LAW = LawSettings(
    name="defronzo",
    space_l_kg=0.19,
    horizon_ms=15 * MIN,
    metabolic_start_mg_kg_min=4.0,
    metabolic_floor_mg_kg_min=0.5,
    first_rates=(FirstRate(5 * MIN, 2.0),),
    rule_from_ms=10 * MIN,
)
SUBJECT = Subject("T-01", weight_kg=70.0, height_cm=175.0, bsa_m2=1.725, sex="unknown", birth_year=None)
FOUR_FIGURES = (RateStep(10_000, 1), RateStep(100_000, 10), RateStep(1_000_000, 100))
DEXTROSE = PumpSetup(
    Role.DEXTROSE, "test", "D", 0, 26_600, 100, 999_900, FOUR_FIGURES, None, 1, proof="bench"
)
INSULIN = PumpSetup(Role.INSULIN, "test", "I", 1, 19_000, 20, 99_990, FOUR_FIGURES, 30, 1, proof="bench")
STATION = Station("ward", DEXTROSE, INSULIN, AnalyzerSetup("test", "A", "plasma", lag_ms=MIN))


def clamp_step(
    dose: float = 40.0, target: float = 90.0, minutes: int = 120, prime: Prime = PRIME
) -> ClampStep:
    """One step of a protocol."""
    return ClampStep(f"{dose:g}", dose, target, minutes * MIN, prime, 0, minutes * MIN)


def protocol(
    *steps: ClampStep,
    mode: Mode = Mode.AUTOMATIC,
    law: LawSettings = LAW,
    limits: Limits | None = None,
    tail: Tail | None = None,
) -> Protocol:
    """A protocol of 20 % dextrose and 1 U/mL insulin, sampled every 5 min."""
    return Protocol(
        name="test",
        title="Test",
        steps=steps or (clamp_step(),),
        sampling_ms=5 * MIN,
        basal_ms=30 * MIN,
        law=law,
        limits=limits or Limits(),
        tail=tail or Tail(),
        infusates=Infusates(200.0, "20 % anhydrous", 1000.0, "1 U/mL"),
        mode=mode,
        glucose_unit=GlucoseUnit.MG_DL,
        bsa_formula="du_bois",
    )


def started(asked: Protocol | None = None, station: Station = STATION) -> SessionStarted:
    """The first event of a session."""
    return SessionStarted(1, "s-1", asked or protocol(), SUBJECT, station, "test", "2026-01-01T00:00:00Z")


def opened(asked: Protocol | None = None, station: Station = STATION) -> State:
    """The state right after the start of a session."""
    return step(None, started(asked, station), 0)[0]


@dataclass
class TestPump:
    """A pump that does what it is told; `obeys` off makes it deaf."""

    __test__ = False
    role: Role
    epoch: int = 1
    state: PumpState = PumpState.STOPPED
    rate_ul_h: int = 0
    infused_ul: float = 0.0
    flows: bool = True
    obeys: bool = True
    answers: bool = True

    def obey(self, command: Command) -> None:
        """Carry out an order for this connection."""
        if not self.obeys or command.epoch != self.epoch:
            return
        match command:
            case SetRate():
                if self.state is PumpState.RUNNING:
                    self.rate_ul_h = command.rate_ul_h
            case StartPump():
                self.state, self.rate_ul_h = PumpState.RUNNING, command.rate_ul_h
            case StopPump():
                self.state, self.rate_ul_h = PumpState.STOPPED, 0

    def pass_ms(self, duration_ms: int) -> None:
        """Deliver for a while."""
        if self.flows and self.state is PumpState.RUNNING:
            self.infused_ul += self.rate_ul_h * duration_ms / 3_600_000

    def report(self) -> PumpReported:
        """What it says of itself."""
        return PumpReported(self.role, self.epoch, self.state, self.rate_ul_h, int(self.infused_ul), None)


Look = Callable[[State, Event, State, tuple[Command, ...]], None]


@dataclass
class World:
    """The core and its two pumps in virtual time."""

    asked: Protocol = field(default_factory=protocol)
    station: Station = STATION
    look: Look | None = None
    at_ms: int = 0
    samples: int = 0
    log: list[tuple[int, Event]] = field(default_factory=list)
    orders: list[tuple[int, Command]] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pumps = {role: TestPump(role) for role in (Role.DEXTROSE, Role.INSULIN)}
        self._digest = Digest()
        self._unread = False
        first = started(self.asked, self.station)
        self.log.append((0, first))
        self.state = step(None, first, 0)[0]
        self.digests.append(self._digest.of(self.state))

    @property
    def dextrose(self) -> TestPump:
        """The dextrose pump."""
        return self.pumps[Role.DEXTROSE]

    @property
    def insulin(self) -> TestPump:
        """The insulin pump."""
        return self.pumps[Role.INSULIN]

    def do(self, event: Event) -> tuple[Command, ...]:
        """One event now; the pumps carry out what comes of it."""
        before = self.state
        self.state, commands = step(before, event, self.at_ms)
        self.log.append((self.at_ms, event))
        self.digests.append(self._digest.of(self.state))
        self._unread = self._unread or bool(commands)
        for command in commands:
            self.orders.append((self.at_ms, command))
            self.pumps[command.role].obey(command)
        if self.look is not None:
            self.look(before, event, self.state, commands)
        return commands

    def refused(self, event: Event) -> str:
        """The sentence that refuses an event; empty when it was granted."""
        self.do(event)
        return self.state.refusal

    def report(self, role: Role) -> tuple[Command, ...]:
        """One pump says how it is."""
        return self.do(self.pumps[role].report())

    def identify(self, role: Role, mismatch: str | None = None) -> None:
        """A new connection to one pump, without a report yet."""
        self.pumps[role].epoch += 1
        self.do(PumpIdentified(role, self.pumps[role].epoch, "model", "", mismatch))

    def wait(self, seconds: float, every_s: float = 2.0) -> None:
        """Time passes in ticks, each with a report of both pumps; an order is read back after 1 s."""
        until_ms = self.at_ms + round(seconds * 1000)
        while self.at_ms < until_ms:
            tick_ms = 1000 if self._unread else round(every_s * 1000)
            passed_ms = min(tick_ms, until_ms - self.at_ms)
            self._unread = False
            self.at_ms += passed_ms
            for pump in self.pumps.values():
                pump.pass_ms(passed_ms)
            self.do(Ticked())
            for role, pump in self.pumps.items():
                if pump.answers:
                    self.report(role)

    def until(self, clamp_minute: float, every_s: float = 2.0) -> None:
        """Time passes up to a minute of the clamp."""
        started_ms = self.state.clamp_started_ms or 0
        self.wait((started_ms + clamp_minute * MIN - self.at_ms) / 1000, every_s)

    def sample(self, glucose_mg_dl: float, drawn_ago_ms: int = 0, sample_id: str = "") -> tuple[Command, ...]:
        """A result of the analyzer for blood drawn a while ago."""
        self.samples += 1
        return self.do(
            GlucoseSampled(
                sample_id=sample_id or f"g{self.samples}",
                glucose_mg_dl=glucose_mg_dl,
                drawn_at_ms=self.at_ms - drawn_ago_ms,
                kind=SampleKind.PATIENT,
                source="test",
                raw_value=f"{glucose_mg_dl}",
                raw_unit="mg/dL",
                flags=(),
            )
        )

    def ready(self) -> "World":
        """Pumps known and stopped, basal sampling under way."""
        for role in self.pumps:
            self.identify(role)
            self.report(role)
        self.do(BasalStarted("n"))
        return self

    def clamping(self, glucose_mg_dl: float = 90.0) -> "World":
        """Insulin has just started, at a sample of this moment."""
        self.ready()
        self.wait((STARTED_MS - self.at_ms) / 1000, every_s=10)
        self.sample(glucose_mg_dl)
        self.do(ClampStarted("n"))
        assert self.state.phase in (Phase.PRIME, Phase.CLAMP), self.state.refusal
        return self

    def steady(self, minutes: int = 30, glucose_mg_dl: float = 90.0, every_s: float = 5.0) -> "World":
        """The clamp after `minutes` of samples on target, one every 5 min."""
        self.clamping()
        for minute in range(5, minutes + 1, 5):
            self.until(minute, every_s)
            self.sample(glucose_mg_dl)
        return self

    def phase(self) -> Phase:
        """The phase now."""
        return self.state.phase

    def overridden(self) -> bool:
        """Whether a rate set by hand is in force."""
        return self.state.dosing.override_until_ms is not None

    def is_silent(self) -> bool:
        """Whether the sound is paused."""
        return self.state.audio_paused_until_ms is not None

    def names(self) -> set[str]:
        """Names of the alarms there are."""
        return {alarm.name for alarm in self.state.alarms}

    def replayed(self, through_json: bool) -> list[str]:
        """The digests when the same events are folded again."""
        digest, state, found = Digest(), None, []
        for at_ms, event in self.log:
            again = read_event(json.loads(canonical(plain(event)))) if through_json else event
            state, _ = step(state, again, at_ms)
            found.append(digest.of(state))
        return found


def with_pump_rate(state: State, dextrose_ul_h: int) -> State:
    """The state with another GIR rate in force, for tests of single parts."""
    return replace(state, dosing=replace(state.dosing, rate_ul_h=dextrose_ul_h))
