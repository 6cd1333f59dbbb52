"""Past facts: everything the core ever learns. The engine stamps each with `at_ms` on arrival.

Facts from devices carry the device's own words; facts from people carry who (`actor`, initials).
"""

from dataclasses import dataclass
from enum import StrEnum

from clampctl.core.commands import Role
from clampctl.core.protocol import Mode, Protocol
from clampctl.core.station import Station
from clampctl.core.subject import Subject


class SampleKind(StrEnum):
    """What was measured; only a patient's own fresh sample may dose."""

    PATIENT = "patient"
    CALIBRATION = "calibration"
    CONTROL = "control"
    INFORMATION = "information"
    HISTORY = "history"


class PumpState(StrEnum):
    """What a pump says it is doing."""

    RUNNING = "running"
    STOPPED = "stopped"
    PAUSED = "paused"
    ALARM = "alarm"


RUNNING = PumpState.RUNNING
IN_ALARM = PumpState.ALARM
"""Asked at every report: a member by its own name is found ten times faster than through its class."""


class Trouble(StrEnum):
    """Trouble on a wire, as the link saw it."""

    BAD_FRAME = "bad_frame"
    NO_REPLY = "no_reply"
    REFUSED = "refused"
    UNEXPECTED = "unexpected"
    FULL_QUEUE = "full_queue"


# --- the session -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """The first event: all that the session depends on, so that a journal alone replays."""

    schema: int
    session_id: str
    protocol: Protocol
    subject: Subject
    station: Station
    software: str
    started_utc: str


@dataclass(frozen=True, slots=True)
class SessionResumed:
    """A new engine took over; the gap is read once from the wall clock and never used to dose."""

    gap_ms: int
    reason: str
    resumed_utc: str


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time passed; once a second."""


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The wall clock moved against the boot clock by `step_ms`; nothing is decided from it."""

    step_ms: int


@dataclass(frozen=True, slots=True)
class JournalTroubled:
    """A journal copy could not be written."""

    detail: str
    copies_left: int


@dataclass(frozen=True, slots=True)
class WindowsCounted:
    """How many windows watch the engine."""

    count: int


# --- devices ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GlucoseSampled:
    """One value from an analyzer or a keypad, converted once; raw text and unit kept.

    `drawn_at_ms` is None where the device does not know; the core then uses the marked draw or
    the station's assumed delay, never silently the time of arrival.
    """

    sample_id: str
    glucose_mg_dl: float
    drawn_at_ms: int | None
    kind: SampleKind
    source: str
    raw_value: str
    raw_unit: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PumpIdentified:
    """A pump answered who it is on a new connection, and matches the station or not."""

    role: Role
    epoch: int
    model: str
    detail: str
    mismatch: str | None


@dataclass(frozen=True, slots=True)
class PumpReported:
    """One reading of a pump: state, rate held, volume counter (None where there is none)."""

    role: Role
    epoch: int
    state: PumpState
    rate_ul_h: int
    infused_ul: int | None
    alarm: str | None


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The wire to a device is gone (unplugged, port error) or gave no answer at all."""

    role: Role
    detail: str


@dataclass(frozen=True, slots=True)
class LinkTroubled:
    """A damaged, refused or unexpected exchange; the link goes on."""

    role: Role
    trouble: Trouble
    detail: str


@dataclass(frozen=True, slots=True)
class LinkHeard:
    """An analyzer answered: it is alive, with nothing new to report."""

    role: Role
    detail: str


# --- people ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SampleDrawn:
    """Blood was drawn now; the next result belongs to this moment."""

    actor: str


@dataclass(frozen=True, slots=True)
class BasalStarted:
    """Setting up is done, basal sampling begins."""

    actor: str


@dataclass(frozen=True, slots=True)
class ClampStarted:
    """Insulin may start: the prime begins, this is minute 0."""

    actor: str


@dataclass(frozen=True, slots=True)
class ClampEnded:
    """Insulin off, dextrose into the taper."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class CloseRequested:
    """End of the session; a reason is needed before the tail rule is met."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProposalConfirmed:
    """The nurse accepted one proposal, by its number."""

    proposal: int
    actor: str


@dataclass(frozen=True, slots=True)
class ProposalAsked:
    """The nurse wants the expired proposal made anew from the newest sample."""

    actor: str


@dataclass(frozen=True, slots=True)
class RateOverridden:
    """The nurse set another GIR, with a reason; it ends with the next sample's decision."""

    gir_mg_kg_min: float
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class HoldPressed:
    """Keep the present rates; the law rests."""

    actor: str


@dataclass(frozen=True, slots=True)
class HoldReleased:
    """The law may act again."""

    actor: str


@dataclass(frozen=True, slots=True)
class ModeChosen:
    """Proposals are confirmed by hand, or applied by the program."""

    mode: Mode
    actor: str


@dataclass(frozen=True, slots=True)
class InsulinStopPressed:
    """STOP INSULIN: enter SAFE-TAIL, dextrose keeps running."""

    actor: str


@dataclass(frozen=True, slots=True)
class DextroseStopPressed:
    """Stop dextrose too, knowing the hazard; confirmed in a second step on screen."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClampResumed:
    """The nurse ends the fallback and lets insulin run again at its maintenance, without a prime."""

    actor: str


@dataclass(frozen=True, slots=True)
class PumpReleased:
    """A person looked at a pump that stopped by itself and allows it to be started."""

    role: Role
    actor: str


@dataclass(frozen=True, slots=True)
class PumpShown:
    """A person read this rate off a pump that is set by hand; its link reports it on."""

    role: Role
    rate_ul_h: int
    actor: str


@dataclass(frozen=True, slots=True)
class AlarmAcknowledged:
    """An alarm was seen by a person."""

    alarm: str
    actor: str


@dataclass(frozen=True, slots=True)
class AudioPaused:
    """The sound is silenced for the allowed time; a new alarm breaks it."""

    actor: str


@dataclass(frozen=True, slots=True)
class NoteLogged:
    """Free text for the record: an event at the bedside, a meal, a line flush."""

    text: str
    actor: str


@dataclass(frozen=True, slots=True)
class MealGiven:
    """The carbohydrate meal after the clamp."""

    actor: str


# --- logged clamps ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadingImported:
    """One row of a clamp logged elsewhere; None where the column is empty."""

    glucose_mg_dl: float | None
    gir_mg_kg_min: float | None
    insulin_uu_ml: float | None


DeviceEvent = GlucoseSampled | PumpIdentified | PumpReported | LinkLost | LinkTroubled | LinkHeard

SessionEvent = SessionStarted | SessionResumed | Ticked | ClockStepped | JournalTroubled | WindowsCounted

OperatorEvent = (
    SampleDrawn | BasalStarted | ClampStarted | ClampEnded | CloseRequested
    | ProposalConfirmed | ProposalAsked | RateOverridden | HoldPressed | HoldReleased | ModeChosen
    | InsulinStopPressed | DextroseStopPressed | ClampResumed | PumpReleased | PumpShown
    | AlarmAcknowledged | AudioPaused | NoteLogged | MealGiven
)  # fmt: skip

Event = SessionEvent | DeviceEvent | OperatorEvent | ReadingImported
