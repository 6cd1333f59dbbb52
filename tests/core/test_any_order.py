"""Any sequence of samples, people, pumps and time keeps every promise, and replays alike."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clampctl.core.commands import Role
from clampctl.core.events import (
    AlarmAcknowledged,
    AudioPaused,
    BasalStarted,
    ClampEnded,
    ClampResumed,
    ClampStarted,
    CloseRequested,
    DextroseStopPressed,
    HoldPressed,
    HoldReleased,
    InsulinStopPressed,
    LinkLost,
    ModeChosen,
    ProposalAsked,
    ProposalConfirmed,
    PumpReleased,
    PumpReported,
    PumpState,
    RateOverridden,
    SampleDrawn,
    SessionResumed,
    Ticked,
)
from clampctl.core.protocol import Mode
from clampctl.core.state import Phase
from tests.core.promises import kept
from tests.core.world import NO_PRIME, PRIME, World, clamp_step, protocol

ROLES = st.sampled_from((Role.DEXTROSE, Role.INSULIN))
STATES = st.sampled_from(tuple(PumpState))


class Bedside(RuleBasedStateMachine):
    """A clamp of two steps in which anything may happen at any moment."""

    def __init__(self) -> None:
        super().__init__()
        steps = (
            clamp_step(12.0, 90.0, 20),
            clamp_step(40.0, 110.0, 60, NO_PRIME),
            clamp_step(20.0, 80.0, 20, PRIME),
        )
        self.world = World(protocol(*steps, mode=Mode.CONFIRM), look=kept)

    @initialize(mode=st.sampled_from(tuple(Mode)), minutes=st.sampled_from((15, 25, 10, 20, 3, 0)))
    def start(self, mode: Mode, minutes: int) -> None:
        self.world.do(ModeChosen(mode, "n"))
        if minutes:
            self.world.steady(minutes)

    @rule(seconds=st.integers(1, 20))
    def wait(self, seconds: int) -> None:
        self.world.wait(seconds)

    @rule(minutes=st.integers(1, 12))
    def wait_long(self, minutes: int) -> None:
        self.world.wait(minutes * 60, every_s=4.0)

    @rule(seconds=st.one_of(st.integers(1, 15), st.just(600)))
    def sleep(self, seconds: int) -> None:
        self.world.at_ms += seconds * 1000
        self.world.do(Ticked())

    @rule(
        glucose=st.one_of(st.floats(75.0, 120.0), st.floats(40.0, 80.0), st.floats(100.0, 400.0)),
        ago_s=st.integers(0, 120),
    )
    def sample(self, glucose: float, ago_s: int) -> None:
        self.world.sample(glucose, ago_s * 1000)

    @rule(glucose=st.floats(82.0, 98.0), minutes=st.integers(1, 6))
    def sample_in_time(self, glucose: float, minutes: int) -> None:
        self.world.wait(minutes * 60, every_s=4.0)
        self.world.sample(glucose)

    @rule(late_s=st.integers(-300, 1200), glucose=st.floats(0.0, 700.0), old_id=st.booleans())
    def odd_sample(self, late_s: int, glucose: float, old_id: bool) -> None:
        self.world.sample(glucose, late_s * 1000, "g1" if old_id else "")

    @rule(older=st.integers(0, 1))
    def confirm(self, older: int) -> None:
        self.world.do(ProposalConfirmed(self.world.state.dosing.proposals_made - older, "n"))

    @rule(gir=st.floats(0.0, 25.0))
    def override(self, gir: float) -> None:
        self.world.do(RateOverridden(gir, "by hand", "n"))

    @rule(
        event=st.sampled_from(
            (HoldPressed("n"), HoldReleased("n"), ProposalAsked("n"), SampleDrawn("n"), AudioPaused("n"))
        )
    )
    def press(self, event: Any) -> None:
        self.world.do(event)

    @rule(
        event=st.sampled_from(
            (
                InsulinStopPressed("n"),
                DextroseStopPressed("n", "occluded"),
                ClampEnded("n", ""),
                CloseRequested("n", "done"),
                CloseRequested("n", ""),
                BasalStarted("n"),
                ClampStarted("n"),
            )
        )
    )
    def press_rarely(self, event: Any) -> None:
        self.world.do(event)

    @precondition(lambda self: self.world.phase() is Phase.FALLBACK)
    @rule(glucose=st.floats(75.0, 130.0), release=st.booleans())
    def resume(self, glucose: float, release: bool) -> None:
        for role, pump in self.world.pumps.items():
            pump.obeys = pump.answers = pump.flows = True
            if pump.state in (PumpState.ALARM, PumpState.PAUSED):
                pump.state, pump.rate_ul_h = PumpState.STOPPED, 0
            if release:
                self.world.identify(role)
            self.world.report(role)
            self.world.do(PumpReleased(role, "n"))
        self.world.wait(4)
        self.world.sample(glucose)
        self.world.do(ClampResumed("n"))

    @rule(mode=st.sampled_from(tuple(Mode)))
    def choose(self, mode: Mode) -> None:
        self.world.do(ModeChosen(mode, "n"))

    @rule(role=ROLES)
    def report(self, role: Role) -> None:
        self.world.report(role)

    @rule(
        role=ROLES,
        state=STATES,
        rate=st.integers(0, 200_000),
        stale=st.booleans(),
        counter=st.one_of(st.none(), st.integers(0, 50_000)),
    )
    def lie(self, role: Role, state: PumpState, rate: int, stale: bool, counter: int | None) -> None:
        epoch = self.world.pumps[role].epoch - int(stale)
        self.world.do(PumpReported(role, epoch, state, rate, counter, "E1"))

    @rule(role=ROLES, obeys=st.booleans(), answers=st.booleans(), flows=st.booleans())
    def spoil(self, role: Role, obeys: bool, answers: bool, flows: bool) -> None:
        pump = self.world.pumps[role]
        pump.obeys, pump.answers, pump.flows = obeys, answers, flows

    @rule(role=ROLES, state=STATES)
    def local(self, role: Role, state: PumpState) -> None:
        self.world.pumps[role].state = state
        self.world.report(role)

    @rule(role=ROLES)
    def lose(self, role: Role) -> None:
        self.world.do(LinkLost(role, "unplugged"))

    @rule(role=ROLES, mismatch=st.sampled_from((None, None, "another pump")), read=st.booleans())
    def connect(self, role: Role, mismatch: str | None, read: bool) -> None:
        self.world.identify(role, mismatch)
        if read:
            self.world.report(role)

    @rule(connect=st.booleans())
    def restart(self, connect: bool) -> None:
        self.world.do(SessionResumed(20_000, "crash", "2026-01-01T01:00:00Z"))
        for role in self.world.pumps:
            self.world.do(self.world.pumps[role].report())
            if connect:
                self.world.identify(role)
                self.world.report(role)

    @rule()
    def acknowledge(self) -> None:
        for alarm in self.world.state.alarms:
            self.world.do(AlarmAcknowledged(alarm.name, "n"))

    @invariant()
    def a_fallback_has_a_tail(self) -> None:
        if self.world.state.phase in (Phase.FALLBACK, Phase.TAPER):
            assert self.world.state.tailing is not None

    def teardown(self) -> None:
        assert self.world.replayed(through_json=True) == self.world.digests


QUICK = settings().derandomize
"""Else the profile "search" is on: thousands of clamps, other ones each time."""

TestBedside = Bedside.TestCase
TestBedside.settings = settings(max_examples=40 if QUICK else 2_000, stateful_step_count=30 if QUICK else 100)
