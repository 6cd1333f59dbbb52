"""Everything the core knows at one moment, as frozen values. Only `step` makes a new one.

Histories here are bounded: the journal is the memory, the state is what the next decision needs.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from clampctl.core.commands import Role
from clampctl.core.events import PumpState
from clampctl.core.laws.law import LawState
from clampctl.core.protocol import Mode, Protocol
from clampctl.core.station import Station
from clampctl.core.subject import Subject


class InvariantBroken(AssertionError):
    """A promise inside the core does not hold: a bug. The engine journals it and acts safely."""


class Phase(StrEnum):
    """Where the session is; `phases.TABLE` says what may follow."""

    SETUP = "setup"
    BASAL = "basal"
    PRIME = "prime"
    CLAMP = "clamp"
    HOLD = "hold"
    FALLBACK = "fallback"
    TAPER = "taper"
    CLOSED = "closed"


DOSING = (Phase.PRIME, Phase.CLAMP, Phase.HOLD)
"""Phases in which insulin runs by the protocol."""


class Verdict(StrEnum):
    """Whether a sample may dose."""

    BELIEVED = "believed"
    DOUBTED = "doubted"
    REFUSED = "refused"


DOUBTED = Verdict.DOUBTED
"""Asked at every report, as `events.RUNNING` is."""


class Priority(IntEnum):
    """Alarm priority; higher is more urgent."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


@dataclass(frozen=True, slots=True)
class Session:
    """What never changes during a session."""

    session_id: str
    protocol: Protocol
    subject: Subject
    station: Station
    software: str
    started_utc: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A patient's glucose with its draw time and what we think of it."""

    sample_id: str
    glucose_mg_dl: float
    drawn_at_ms: int
    received_at_ms: int
    source: str
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Blood:
    """The samples: newest usable, the believed one before it, and what was already seen.

    `analyzer_held` is why the latest result was not taken; "" once one was.
    """

    newest: Sample | None = None
    before: Sample | None = None
    last_arrived: Sample | None = None
    seen_ids: tuple[str, ...] = ()
    draw_marked_ms: int | None = None
    same_value_run: int = 0
    same_value_since_ms: int = 0
    analyzer_heard_ms: int | None = None
    analyzer_lost: str = ""
    analyzer_held: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Delivered volume against the pump's counter, over one reconciliation window.

    Volumes by integration are in µL·ms/h (rate x time), an exact integer.
    """

    since_ms: int
    integral_start: int
    counter_start_ul: int
    disagrees: str = ""


@dataclass(frozen=True)
class Pump:
    """What we believe of one pump: commanded against reported.

    `ours`: what answers is the expected pump, though it may only be read by now; `steady_since_ms`: from
    then on it was heard without a gap. `refused` is why its link did not carry out the latest order; ""
    once an order was followed.
    """

    role: Role
    epoch: int = 0
    connected: bool = False
    identified: bool = False
    ours: bool = False
    mismatch: str | None = None
    heard_at_ms: int | None = None
    steady_since_ms: int | None = None
    state: PumpState | None = None
    reported_ul_h: int | None = None
    infused_ul: int | None = None
    alarm: str | None = None
    commanded_ul_h: int | None = None
    commanded_at_ms: int | None = None
    repeated_at_ms: int | None = None
    verified: bool = False
    differs_since_ms: int | None = None
    stopped_by_itself: bool = False
    moved_at_ms: int | None = None
    integral_ul_ms_h: int = 0
    account: Account | None = None
    trouble: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rate waiting for the nurse, bound to what it was computed from."""

    number: int
    gir_mg_kg_min: float
    wanted_mg_kg_min: float
    rate_ul_h: int
    reasons: tuple[str, ...]
    basis: str
    made_at_ms: int
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class GivenRate:
    """From `at_ms` on this GIR was in force."""

    at_ms: int
    gir_mg_kg_min: float


@dataclass(frozen=True, slots=True)
class Dosing:
    """The glucose infusion: what the law wants, what is in force, what waits.

    `gir_mg_kg_min` is in force (given by the program, confirmed or overridden). `given` holds its
    changes of the last 40 min. `integral_at_decision` marks the dextrose volume at the last
    decision, for the mean that was really delivered since. `undoubted_mg_kg_min` is the GIR that was
    in force when the newest samples began to be doubted; None while they are believed.
    """

    law: LawState
    wanted_mg_kg_min: float | None = None
    gir_mg_kg_min: float = 0.0
    rate_ul_h: int = 0
    reasons: tuple[str, ...] = ()
    proposal: Proposal | None = None
    proposals_made: int = 0
    override_until_ms: int | None = None
    first_rate_index: int = -1
    decided_at_ms: int | None = None
    integral_at_decision: int = 0
    given: tuple[GivenRate, ...] = ()
    undoubted_mg_kg_min: float | None = None


@dataclass(frozen=True, slots=True)
class Tailing:
    """Dextrose after insulin: since when, from which GIR, and why."""

    since_ms: int
    gir_mg_kg_min: float
    reason: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm occurrence. `text` reads: what; what the program did; what you do."""

    name: str
    priority: Priority
    text: str
    since_ms: int
    holds: bool
    latching: bool
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Safeguards:
    """Facts about the record, the windows and the engine that alarms are made from."""

    journal_trouble: str = ""
    journal_copies_left: int | None = None
    windows: int | None = None
    windows_gone_at_ms: int | None = None
    restarted: str = ""
    resumed_at_ms: int | None = None
    clock_step_ms: int = 0
    queue_full: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """What the tail rule needs before a session may close."""

    dextrose_off_ms: int | None = None
    good_samples_ms: tuple[int, ...] = ()
    meal: bool = False


@dataclass(frozen=True)
class State:
    """The whole state; `at_ms` is the time of the last event."""

    at_ms: int
    session: Session
    phase: Phase
    mode: Mode
    clamp_started_ms: int | None
    prime_allowed: bool
    blood: Blood
    dextrose: Pump
    insulin: Pump
    dosing: Dosing
    insulin_mu_m2_min: float
    insulin_ul_h: int
    tailing: Tailing | None
    insulin_off_ms: int | None
    alarms: tuple[Alarm, ...]
    audio_paused_until_ms: int | None
    safeguards: Safeguards
    closing: Closing
    refusal: str
