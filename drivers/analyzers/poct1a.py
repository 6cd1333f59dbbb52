"""Meters that speak POCT1-A over TCP, such as Nova StatStrip and HemoCue 201 DM; they connect to us.

Source: analyzers reference 4.5, 5 and 7. The meter says who it is and how it stands, is asked for the
results it holds, then told to send each new one at once. Closed list of what is sent: ACK.R01,
REQ.R01 with ROBS, DTV.R01 with START_CONTINUOUS. A meter speaks only when it has something to say:
its silence cannot be told from idleness. UNCONFIRMED: no capture of a StatStrip or HemoCue is known.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

from clampctl.core.commands import Command, Role
from clampctl.core.events import (
    DeviceEvent,
    GlucoseSampled,
    LinkHeard,
    LinkLost,
    LinkTroubled,
    SampleKind,
    Trouble,
)
from drivers.analyzers.poct1a_messages import (
    FIRST_CONTROL_ID,
    NO_TIME,
    Meter,
    Observation,
    acknowledgement,
    continuous_asked,
    control_id_of,
    meter_of,
    observations_of,
    results_asked,
)
from drivers.analyzers.poct1a_xml import Element, MessageSplitter
from drivers.framing import Damage
from drivers.intake import Intake, Result
from drivers.reading import Rules

TRIES = 2
"""So often a question is put before its silence is told."""

HALF_MS = 10_000
"""A message that pauses for longer is cut short; the meter sends it again (analyzers 4.5)."""


class Asked(Enum):
    """The question that waits for its answer."""

    NOTHING = "nothing"
    RESULTS = "its results"
    CONTINUOUS = "continuous mode"


class Poct1a:
    """One meter. `serial`, `vendor`, `device` (DEV.device_id): what its HEL.R01 must say, "" takes any,
    but the first meter of a session is the only one.

    `wall_zero` is this computer's local wall clock at session time 0, with or without its offset from
    UTC; where it is not known, results that waited in the meter are history. Unverified [R], therefore
    settings: `glucose_codes` the OBS.observation_id of glucose (any case; text with commas or a tuple),
    `notes_hold` whether a note on a result holds it, `reply_ms` the time to an answer.
    """

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        wall_zero: datetime | None = None,
        serial: str = "",
        vendor: str = "",
        device: str = "",
        glucose_codes: tuple[str, ...] | str = ("GLU",),
        notes_hold: bool = True,
        reply_ms: int = 30_000,
    ) -> None:
        codes: Iterable[str] = glucose_codes.split(",") if isinstance(glucose_codes, str) else glucose_codes
        self._codes = frozenset(code.strip().upper() for code in codes if code.strip())
        if not self._codes:
            raise ValueError("glucose_codes names no code: nothing would be taken.")
        self._expected = Meter(serial=serial, vendor=vendor, device=device)
        self._wall_zero = wall_zero
        self._local_zero = None if wall_zero is None else wall_zero.replace(tzinfo=None)
        self._notes_hold = notes_hold
        self._reply_ms = reply_ms
        self._intake = Intake("poct1a", rules, self._local_zero)
        self._splitter = MessageSplitter()
        self._out = bytearray()
        self._events: list[DeviceEvent] = []
        self._meter: Meter | None = None
        self._forget()

    def _forget(self) -> None:
        """What a new connection does not know."""
        self._control_id = FIRST_CONTROL_ID
        self._heard_ms = 0
        self._present: Meter | None = None
        self._refusal = "it has not said who it is"
        self._is_continuous = False
        self._old_count = 0
        self._asked = Asked.NOTHING
        self._asked_id = ""
        self._tries_left = 0
        self._due_ms: int | None = None

    # --- the contract ------------------------------------------------------------------------

    def opened(self, epoch: int, now_ms: int) -> None:
        """A wire was opened: the meter speaks first."""
        del epoch  # an analyzer takes no orders, so none can be late
        self._intake.opened(now_ms)
        self._splitter.reset()
        self._out.clear()
        self._forget()

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """Take bytes in any chunking."""
        self._heard_ms = now_ms
        for found in self._splitter.feed(data):
            if isinstance(found, Damage):
                self._trouble(Trouble.BAD_FRAME, found.reason)
            else:
                self._heard(found, now_ms)
        return self._tell()

    def send(self, command: Command, now_ms: int) -> None:
        """Drop it and say so: there is nothing to order."""
        del now_ms
        self._trouble(Trouble.UNEXPECTED, f"{type(command).__name__} sent to an analyzer, dropped")

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """A message that stays half, a question without an answer."""
        if self._splitter.half and now_ms >= self._heard_ms + HALF_MS:
            self._splitter.reset()
            self._trouble(Trouble.BAD_FRAME, "message cut short")
        if self._due_ms is not None and now_ms >= self._due_ms:
            self._unanswered(now_ms)
        return self._tell()

    def wake_at(self) -> int | None:
        """The next deadline; None while nothing is expected."""
        half_ms = self._heard_ms + HALF_MS if self._splitter.half else None
        return min((due for due in (half_ms, self._due_ms) if due is not None), default=None)

    def take_output(self) -> bytes:
        """Bytes to write now."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def _tell(self) -> list[DeviceEvent]:
        events, self._events = self._events, []
        return events

    # --- questions ---------------------------------------------------------------------------

    def _ask(self, asked: Asked, now_ms: int, tries: int = TRIES) -> None:
        self._asked, self._tries_left = asked, tries - 1
        self._asked_id = str(self._control_id)
        message = results_asked if asked is Asked.RESULTS else continuous_asked
        self._out += message(self._control_id, self._created(now_ms))
        self._control_id += 1
        self._due_ms = now_ms + self._reply_ms

    def _answered(self) -> None:
        self._asked, self._due_ms = Asked.NOTHING, None

    def _unanswered(self, now_ms: int) -> None:
        """Ask again; then tell, and go on without: results may come all the same."""
        asked = self._asked
        if self._tries_left > 0:
            self._ask(asked, now_ms, self._tries_left)
            return
        self._answered()
        self._trouble(Trouble.NO_REPLY, f"the meter was asked for {asked.value} and did not answer")
        if asked is Asked.RESULTS:
            self._ask(Asked.CONTINUOUS, now_ms)

    def _acknowledge(self, control_id: str, is_accepted: bool, now_ms: int) -> None:
        self._out += acknowledgement(self._control_id, self._created(now_ms), control_id, is_accepted)
        self._control_id += 1

    def _created(self, now_ms: int) -> str:
        if self._wall_zero is None:
            return NO_TIME
        return (self._wall_zero + timedelta(milliseconds=now_ms)).isoformat(timespec="seconds")

    # --- what comes in -----------------------------------------------------------------------

    def _heard(self, message: Element, now_ms: int) -> None:
        control_id = control_id_of(message)
        if not control_id:
            self._trouble(Trouble.BAD_FRAME, f"{message.tag} has no readable control ID")
            return
        match message.tag:
            case "HEL.R01":
                self._greeted(meter_of(message), control_id, now_ms)
            case "DST.R01":
                self._acknowledge(control_id, not self._refusal, now_ms)
                self._stands(message.value("DST.new_observations_qty"), now_ms)
            case "OBS.R01" | "OBS.R02":
                self._acknowledge(control_id, not self._refusal, now_ms)
                self._observed(message, now_ms)
            case "EOT.R01":
                self._acknowledge(control_id, not self._refusal, now_ms)
                self._alive("all results sent")
                self._tell_old("results that waited in the meter are")
                self._go_on(now_ms)
            case "ACK.R01":
                self._acknowledged(message, now_ms)
            case "ESC.R01":
                self._escaped(message, now_ms)
            case "END.R01":
                self._acknowledge(control_id, True, now_ms)
                self._ended(message.value("TRM.reason_cd"))
            case _:  # keep-alive, events and lists of other kinds [R]
                self._acknowledge(control_id, not self._refusal, now_ms)
                self._alive(f"{message.tag} heard")

    def _greeted(self, meter: Meter, control_id: str, now_ms: int) -> None:
        """HEL.R01 begins the conversation anew. The first right meter is the only one."""
        self._is_continuous = False
        self._answered()
        expected = self._meter or self._expected
        differs = meter.differs(self._expected) or meter.differs(expected)
        self._present = meter
        self._refusal = f"another meter: {differs}" if differs else ""
        self._acknowledge(control_id, not differs, now_ms)
        if differs:
            self._trouble(Trouble.REFUSED, f"results of this meter are refused, it is {self._refusal}")
            return
        self._meter = meter
        name = " ".join(part for part in (meter.vendor, meter.model, meter.serial) if part)
        self._alive(f"meter {name or 'without a name'} connected")

    def _stands(self, waiting: str, now_ms: int) -> None:
        """DST.R01: results that wait are fetched; a meter that does not count them is asked."""
        if self._refusal:
            return
        if waiting != "0":
            self._alive(f"results waiting: {waiting or 'not told'}")
            self._ask(Asked.RESULTS, now_ms)
        else:
            self._alive("nothing new")
            self._go_on(now_ms)

    def _go_on(self, now_ms: int) -> None:
        self._answered()
        if not self._is_continuous and not self._refusal:
            self._ask(Asked.CONTINUOUS, now_ms)

    def _observed(self, message: Element, now_ms: int) -> None:
        """OBS.R01: glucose is taken; while it is asked for, it waited in the meter."""
        if self._refusal:
            self._trouble(Trouble.REFUSED, f"a result was refused, the meter is not ours: {self._refusal}")
            return
        is_stored = self._asked is Asked.RESULTS
        if is_stored:
            self._due_ms = now_ms + self._reply_ms
        serial = self._present.serial if self._present else ""
        count = len(self._events)
        for observation in observations_of(message, serial, self._codes, self._notes_hold):
            self._events += self._taken(observation, is_stored, now_ms)
        if not any(isinstance(event, GlucoseSampled) for event in self._events[count:]):
            self._alive("no new glucose")
        if not is_stored:
            self._tell_old("result is")

    def _taken(self, observation: Observation, is_stored: bool, now_ms: int) -> list[DeviceEvent]:
        """A doubtful result is held, unless it is too old to matter; an old one is history."""
        result, doubt = observation.result, observation.doubt
        is_old = self._is_old(result, is_stored)
        if doubt:
            return [] if is_old else self._intake.hold(result, doubt)
        if not is_old or result.kind is not SampleKind.PATIENT:
            return self._intake.take(result, now_ms)
        events = self._intake.take(replace(result, kind=SampleKind.HISTORY), now_ms)
        self._old_count += 1 if events else 0
        return events

    def _tell_old(self, what: str) -> None:
        """Once for all that waited: a slow clock of the meter would hide a fresh result."""
        count, self._old_count = self._old_count, 0
        if count:
            why = "older than this session by the meter's clock, or of unknown time"
            self._trouble(Trouble.REFUSED, f"{count} {what} {why}: kept as history")

    def _is_old(self, result: Result, is_stored: bool) -> bool:
        """Measured before this session, or stored with no clock to tell when (analyzers 7)."""
        if self._local_zero is None or result.measured is None:
            return is_stored
        measured = result.measured + timedelta(minutes=1 if result.minutes_only else 0)
        return measured < self._local_zero

    def _acknowledged(self, message: Element, now_ms: int) -> None:
        """ACK.R01: only the start of continuous mode is answered by it alone."""
        if message.value("ACK.ack_control_id") != self._asked_id or self._asked is Asked.NOTHING:
            return
        if message.value("ACK.type_cd") != "AA":
            self._refused_by_meter(message.value("ACK.note_txt"), now_ms)
        elif self._asked is Asked.CONTINUOUS:
            self._answered()
            self._is_continuous = True
            self._alive("sends each result at once")

    def _escaped(self, message: Element, now_ms: int) -> None:
        if self._asked is not Asked.NOTHING:
            self._refused_by_meter(message.value("ESC.detail_cd"), now_ms)

    def _refused_by_meter(self, why: str, now_ms: int) -> None:
        asked = self._asked
        self._answered()
        because = f" ({why})" if why else ""
        self._trouble(Trouble.REFUSED, f"the meter refuses {asked.value}{because}")
        if asked is Asked.RESULTS:
            self._go_on(now_ms)

    def _ended(self, reason: str) -> None:
        self._forget_conversation()
        because = f": {reason}" if reason else ""
        self._events.append(LinkLost(Role.ANALYZER, f"the meter ended the connection{because}"))

    def _forget_conversation(self) -> None:
        self._answered()
        self._is_continuous = False
        self._refusal = "it has not said who it is"

    def _alive(self, words: str) -> None:
        self._events.append(LinkHeard(Role.ANALYZER, words))

    def _trouble(self, trouble: Trouble, detail: str) -> None:
        self._events.append(LinkTroubled(Role.ANALYZER, trouble, detail))
