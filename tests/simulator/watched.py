"""Virtual clamps looked at from outside: what truly flowed, and what must hold whatever happens.

The true flows come from the emulators, not from what the program believes (safety sheet, section 5).
"""

from dataclasses import dataclass
from pathlib import Path

from clampctl import units
from clampctl.core import insulin, samples
from clampctl.core.commands import Role
from clampctl.core.events import Event
from clampctl.core.protocol import Mode, Protocol
from clampctl.core.state import DOSING, Phase, Priority, State
from clampctl.engine.journal import read_lines
from clampctl.engine.replay import replay
from clampctl.study.load import load_protocol
from clampctl.study.variants import with_mode
from simulator import clamp
from simulator.faults import planned

UNCOVERED_MS_MAX = 30_000
"""Insulin with dextrose not flowing, or not heard of (SR-2)."""

AGE_MS_MAX = 15 * 60_000 + 5_000
"""Age of the newest believed sample under insulin, and 5 s to stop it (SR-5, 2.4)."""

BELOW_60_MS_MAX = 5_000
"""From a sample below 60 mg/dL to insulin 0 (I11)."""


@dataclass(frozen=True, slots=True)
class Moment:
    """True flows, µL/h, as an event came, and the state after it."""

    seq: int
    event: Event
    dextrose_ul_h: int
    insulin_ul_h: int
    state: State

    @property
    def at_ms(self) -> int:
        return self.state.at_ms


class Watched:
    """One virtual clamp, watched step by step."""

    def __init__(self, request: clamp.Request, path: Path) -> None:
        self.path = path
        self.moments: list[Moment] = []
        self.room = clamp.furnished(request, path, (self,))
        clamp.run(self.room, request.minutes)

    def saw(self, seq: int, before: State | None, event: Event, after: State) -> None:
        """See `Watcher`; the flows are those before this step's orders reach the pumps."""
        if before is not None:
            flows = self.room.dextrose.flow_ul_h, self.room.insulin.flow_ul_h
            self.moments.append(Moment(seq, event, *flows, after))

    @property
    def state(self) -> State:
        """How it ended."""
        return self.room.bench.state

    def glucose_min_mg_dl(self) -> float:
        """The subject's own lowest glucose."""
        return min(point.glucose_mg_dl for point in self.room.bedside.truth)

    def insulin_off_after_s(self, at_ms: int) -> float | None:
        """Seconds from a moment until insulin truly stood still; None when it never did."""
        for moment in self.moments:
            if moment.at_ms >= at_ms and moment.insulin_ul_h == 0:
                return (moment.at_ms - at_ms) / 1000
        return None

    def alarm_after_s(self, at_ms: int, name: str, priority: Priority) -> float | None:
        """Seconds from a moment until an alarm of this priority held; None when it never did."""
        for moment in self.moments:
            if moment.at_ms >= at_ms and any(
                alarm.name == name and alarm.priority is priority and alarm.holds
                for alarm in moment.state.alarms
            ):
                return (moment.at_ms - at_ms) / 1000
        return None

    def alarm_names(self) -> set[str]:
        """Every alarm above LOW that ever held."""
        return {
            alarm.name
            for moment in self.moments
            for alarm in moment.state.alarms
            if alarm.priority is not Priority.LOW
        }

    def orders(self, role: Role) -> list[str]:
        """The kinds of order that the journal holds for a role, in order."""
        return [
            command["type"]
            for line in read_lines(self.path.read_bytes())
            for command in line.body["commands"]
            if command["role"] == role.value
        ]


def watched(
    folder: Path,
    *faults: str,
    minutes: float,
    protocol: str | Protocol = "euglycemic-40",
    subject: str = "lean",
    mode: Mode = Mode.AUTOMATIC,
    seed: int = 1,
) -> Watched:
    """Run so many minutes of a clamp and hold it to every promise: the invariants, an identical replay."""
    chosen = with_mode(load_protocol(protocol) if isinstance(protocol, str) else protocol, mode)
    entries = tuple(entry for text in faults for entry in planned(text))
    request = clamp.Request(chosen, subject, seed, "quiet", minutes, entries)
    seen = Watched(request, folder / f"{subject}-{len(list(folder.iterdir()))}.clamp.jsonl")
    promises_kept(seen)
    outcome = replay(seen.path)
    assert outcome.difference is None
    assert outcome.events == seen.room.journal.seq + 1
    return seen


def promises_kept(seen: Watched) -> None:
    """Raise AssertionError where insulin ran as it must not (I1, I2, I4, I11, I16)."""
    dry_since_ms = low_since_ms = safe_since_ms = None
    session = seen.state.session
    peak = insulin.peak_mu_m2_min(session.protocol)
    ceiling = 1.1 * units.insulin_ul_h(peak, session.subject.bsa_m2, session.protocol.infusates.insulin_mu_ml)
    for moment in seen.moments:
        state, at_ms = moment.state, moment.at_ms
        runs = moment.insulin_ul_h > 0
        dry = runs and moment.dextrose_ul_h == 0 and state.dosing.rate_ul_h > 0
        dry_since_ms = _since(dry_since_ms, dry, at_ms)
        assert _lasted(dry_since_ms, at_ms) <= UNCOVERED_MS_MAX, "insulin without dextrose"
        newest = state.blood.newest
        low = runs and newest is not None and newest.glucose_mg_dl < 60.0
        low_since_ms = _since(low_since_ms, low, at_ms)
        assert _lasted(low_since_ms, at_ms) <= BELOW_60_MS_MAX, "insulin below 60 mg/dL"
        reached = runs and state.insulin.connected and at_ms - (state.insulin.heard_at_ms or 0) < 5_000
        safe_since_ms = _since(safe_since_ms, reached and state.phase is Phase.FALLBACK, at_ms)
        assert _lasted(safe_since_ms, at_ms) <= 10_000, "insulin in SAFE-TAIL"
        assert moment.insulin_ul_h <= ceiling
        if runs and state.phase in DOSING:
            assert state.dextrose.heard_at_ms is not None
            assert at_ms - state.dextrose.heard_at_ms <= UNCOVERED_MS_MAX, "insulin with dextrose unknown"
            age_ms = samples.believed_age_ms(state.blood, at_ms)
            assert age_ms is not None
            assert age_ms <= AGE_MS_MAX, "insulin without glucose"


def _since(since_ms: int | None, holds: bool, at_ms: int) -> int | None:
    if not holds:
        return None
    return at_ms if since_ms is None else since_ms


def _lasted(since_ms: int | None, at_ms: int) -> int:
    return 0 if since_ms is None else at_ms - since_ms
