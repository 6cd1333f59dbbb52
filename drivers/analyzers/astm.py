"""Link to an analyzer that sends its results by ASTM E1381/E1394: blood-gas analyzers with glucose.

Source: analyzers reference 3, 4.3, 7. The analyzer calls, sends a message and ends; the link answers
ACK and NAK and asks for nothing. A message counts when its L record is acknowledged; what a broken
message held is told for keying in. Silence is no sign of trouble: such an analyzer speaks only when
it has a result.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkHeard, LinkTroubled, SampleKind, Trouble
from drivers.analyzers.astm_message import Message
from drivers.analyzers.astm_profiles import profile_called
from drivers.analyzers.astm_records import Record
from drivers.analyzers.astm_results import CHANGED, FIELD_CAP, Glucose, glucose_of, is_glucose
from drivers.analyzers.astm_wire import (
    Called,
    Ended,
    Happening,
    Misnumbered,
    PoorLine,
    Receiver,
    Text,
    TooLong,
)
from drivers.framing import Damage
from drivers.intake import HISTORY_AFTER, REMEMBERED, Intake, Result
from drivers.reading import Rules

KEY_IN, MEASURE_AGAIN = "key it in if it is to count", "measure again"
UNFINISHED = "came in a message that broke off"
TWO = "is one of two glucose values of one sample"
Identity = tuple[str, ...]


class Astm:
    """One ASTM analyzer on one wire. It takes no orders.

    `profile`: the kind of analyzer, a name in `astm_profiles`. `serial`: the only analyzer that is
    taken, compared with its sender field (H field 5) behind the name; "" takes the first that comes
    and holds to it. `patient`: likewise the only patient ID (P fields 4, 3). `codes`: names of glucose
    instead of the profile's. `silence_ms`: silence inside a message after which it is dropped
    (analyzers 3: 30 s Beckman, 15 s e 411).
    """

    def __init__(
        self,
        profile: str = "radiometer-abl",
        *,
        rules: Rules | None = None,
        wall_zero: datetime | None = None,
        serial: str = "",
        patient: str = "",
        codes: Sequence[str] = (),
        silence_ms: int = 30_000,
    ) -> None:
        self._profile = profile_called(profile)
        self._codes = frozenset(code.casefold() for code in codes or self._profile.codes)
        run_time = timedelta(seconds=self._profile.run_time_s)
        self._intake = Intake(self._profile.title, rules, wall_zero, run_time)
        self._serial = serial
        self._patient = patient
        self._silence_ms = silence_ms
        self._sender = ""
        self._taken: dict[str, Identity] = {}
        self._wire = Receiver()
        self._message = Message()
        self._events: list[DeviceEvent] = []
        self._heard_ms = 0

    # --- the contract ------------------------------------------------------------------------

    def opened(self, epoch: int, now_ms: int) -> None:
        """A wire was opened: a message under way on the old one is over."""
        del epoch  # an analyzer takes no orders, so none can be late
        self._broke_off(self._wire.half)
        self._wire.reset()
        self._intake.opened(now_ms)
        self._heard_ms = now_ms

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """Take bytes in any chunking."""
        for happening in self._wire.feed(data):
            self._happened(happening, now_ms)
        if data:
            self._heard_ms = now_ms
        return self._tell()

    def send(self, command: Command, now_ms: int) -> None:
        """Drop it and say so: there is nothing to order."""
        del now_ms
        self._trouble(Trouble.UNEXPECTED, f"{type(command).__name__} sent to an analyzer, dropped")

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """Drop a message whose analyzer fell silent in the middle."""
        if self._wire.busy and now_ms >= self._heard_ms + self._silence_ms:
            if self._wire.half or self._message.open:
                self._trouble(Trouble.NO_REPLY, "the analyzer fell silent inside a message")
            self._wire.drop()
            self._broke_off()
        return self._tell()

    def wake_at(self) -> int | None:
        """When a silent message is dropped; None between messages."""
        if self._events:
            return self._heard_ms
        return self._heard_ms + self._silence_ms if self._wire.busy else None

    def take_output(self) -> bytes:
        """ACK and NAK to write now: the caller has kept the bytes they answer (analyzers 3.1, rule 6)."""
        return self._wire.take_output()

    def _tell(self) -> list[DeviceEvent]:
        events, self._events = self._events, []
        return events

    # --- what comes in -----------------------------------------------------------------------

    def _happened(self, happening: Happening, now_ms: int) -> None:
        match happening:
            case Called(broke_off=broke_off):
                if broke_off and self._message.open:
                    self._trouble(Trouble.UNEXPECTED, "the analyzer began its message again")
                self._message.clear()
                self._events.append(LinkHeard(Role.ANALYZER, "the analyzer calls"))
            case Text(text=text):
                for line in text.split("\r"):
                    self._line(line.strip("\n"), now_ms)
            case TooLong():
                self._message.spoil()
            case Ended(half=half):
                if half:
                    self._trouble(Trouble.BAD_FRAME, "the message ended in the middle of a record")
                self._broke_off(half)
            case Misnumbered(reason=reason):
                self._trouble(Trouble.UNEXPECTED, reason)
            case Damage(reason=reason):
                self._trouble(Trouble.BAD_FRAME, reason)
            case PoorLine():
                told = "six frames in a row were damaged: look at the analyzer's cable, or key results in"
                self._trouble(Trouble.REFUSED, told)

    def _line(self, line: str, now_ms: int) -> None:
        letter = line[:1].upper()
        if letter == "H":
            self._broke_off()
        if line and not self._message.add(line):
            self._trouble(Trouble.UNEXPECTED, f"a record {letter!r} outside of any message, dropped")
        if letter == "L" and self._message.open:
            self._finished(self._message, now_ms)
            self._message.clear()

    def _broke_off(self, half: bool = False) -> None:
        """A message without its L record: its complete results stay on hold (analyzers 3.1, rule 5).

        Of one that broke off before its glucose nobody knows what it held.
        """
        if self._message.header is not None:
            found = self._glucoses(self._message, self._message.header)
            half = (half or not self._message.spoiled) and not found
            for glucose in found:
                if not glucose.number or self._taken.get(glucose.number) != _identity(glucose):
                    self._hold(glucose, glucose.hold or UNFINISHED, MEASURE_AGAIN if glucose.hold else KEY_IN)
        if self._message.spoiled:
            self._trouble(Trouble.REFUSED, f"a message {self._message.spoiled}: key its results in")
        elif half:
            self._trouble(Trouble.REFUSED, "a message broke off: key its result in unless it comes again")
        self._message.clear()

    def _finished(self, message: Message, now_ms: int) -> None:
        code = message.last.text(3).upper()
        if message.header is None or message.spoiled or code not in ("", "N"):
            self._broke_off()
            return
        first = len(self._events)
        for glucose in self._glucoses(message, message.header):
            foreign = self._foreign(glucose, message.header)
            if glucose.hold:
                self._hold(glucose, glucose.hold, MEASURE_AGAIN)
            elif foreign:
                self._hold(glucose, foreign)
            else:
                self._take(glucose, _sender_of(message.header), now_ms)
        if not any(isinstance(event, GlucoseSampled) for event in self._events[first:]):
            self._events.append(LinkHeard(Role.ANALYZER, "a message without a new glucose result"))

    def _glucoses(self, message: Message, header: Record) -> list[Glucose]:
        """The glucose results of a message; of two in one order neither is taken."""
        found = [finding for finding in message.findings() if is_glucose(finding, self._codes)]
        in_order = Counter(id(finding.first) for finding in found)
        return [
            glucose if in_order[id(finding.first)] == 1 else replace(glucose, hold=glucose.hold or TWO)
            for finding in found
            for glucose in (glucose_of(finding, header, self._profile),)
        ]

    # --- one result --------------------------------------------------------------------------

    def _foreign(self, glucose: Glucose, header: Record) -> str:
        """Why a result is not of this analyzer or this patient; "" when it may be."""
        sender = _sender_of(header)
        if self._serial and self._serial not in header.parts(5)[1:]:
            return f"comes from {sender}, this station expects serial number {self._serial}"
        if self._sender and sender != self._sender:
            return f"comes from {sender}, this session began with {self._sender}"
        if glucose.kind is not SampleKind.PATIENT or _late(glucose):
            return ""
        if self._patient and glucose.patient != self._patient:
            return f"carries the patient ID {glucose.patient!r}, this session's is {self._patient!r}"
        return ""

    def _take(self, glucose: Glucose, sender: str, now_ms: int) -> None:
        """Give a result to the intake; a changed one only when its first version is known.

        The analyzer and the patient of the first that is taken are held to from then on.
        """
        known = self._taken.get(glucose.number)
        identity = _identity(glucose)
        if not glucose.number:
            self._hold(glucose, "came without a sample number")
            return
        if glucose.status in CHANGED:
            if known is None:
                self._hold(glucose, "changes a result that this session does not know")
                return
            identity = known
        elif known is not None and known != identity:
            self._hold(glucose, "came again under the same number with another time")
            return
        self._remember(glucose.number, identity)
        late = _late(glucose) and known is None
        result = Result(
            identity=identity,
            sample=glucose.sample,
            value=glucose.value,
            unit=glucose.unit,
            kind=SampleKind.HISTORY if late else glucose.kind,
            measured=glucose.measured,
            minutes_only=glucose.minutes_only,
            corrected=glucose.status == "C",
            flags=glucose.flags,
        )
        self._intake.source = sender
        events = self._intake.take(result, now_ms)
        taken = [event.kind for event in events if isinstance(event, GlucoseSampled)]
        if taken:
            self._sender = sender
        if SampleKind.PATIENT in taken:
            self._patient = self._patient or glucose.patient
        if late and events:
            told = f"sample {glucose.sample} was measured long before it was sent: kept as history"
            self._trouble(Trouble.REFUSED, told)
        self._events += events

    def _remember(self, number: str, identity: Identity) -> None:
        self._taken[number] = identity
        if len(self._taken) > REMEMBERED:
            del self._taken[next(iter(self._taken))]

    def _hold(self, glucose: Glucose, reason: str, then: str = KEY_IN) -> None:
        """Tell a result that is not taken, and what to do; only a patient's needs a person."""
        patient = glucose.kind is SampleKind.PATIENT
        told = f"sample {glucose.sample}: {glucose.shown} {reason}: {then}"
        self._trouble(Trouble.REFUSED if patient else Trouble.UNEXPECTED, told)

    def _trouble(self, trouble: Trouble, detail: str) -> None:
        self._events.append(LinkTroubled(Role.ANALYZER, trouble, detail))


def _sender_of(header: Record) -> str:
    """How the analyzer calls itself: model and serial number where it tells them (analyzers 3.2)."""
    return header.text(5)[:FIELD_CAP] or "an analyzer without a name"


def _identity(glucose: Glucose) -> Identity:
    """What tells a result from every other: number and time, never the time of a message alone."""
    return (glucose.number, glucose.stamp)


def _late(glucose: Glucose) -> bool:
    """Measured long before it was sent, both by the analyzer's own clock: a memory sent again."""
    if glucose.sent is None or glucose.measured is None or glucose.kind is not SampleKind.PATIENT:
        return False
    return abs(glucose.sent - glucose.measured) > HISTORY_AFTER
