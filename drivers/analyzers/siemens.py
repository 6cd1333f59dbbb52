"""Link to a Siemens RapidLab 1200 or RAPIDPoint 400/500 blood-gas analyzer over LIS3, read only.

Source: analyzers reference 4.4, 5, 7. The analyzer speaks when it has something: it announces a
result, the link asks for it, the analyzer gives it. Every good frame is acknowledged, a damaged one
is told and not answered, so that the analyzer's own timer sends it again. Sent are only ACK, ID_DATA
and SMP_REQ. An idle analyzer is silent, and silence cannot be told from a lost cable.
"""

from datetime import datetime

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent, LinkHeard, LinkLost, LinkTroubled, SampleKind, Trouble
from drivers.analyzers.siemens_frame import (
    ACK,
    ACK_FRAME,
    Element,
    FrameSplitter,
    Message,
    message_frame,
    parse_message,
)
from drivers.analyzers.siemens_result import KINDS, result_of
from drivers.framing import Damage
from drivers.intake import Intake
from drivers.reading import ReadingRefused, Rules

TRIES = 2
"""The protocol repeats a frame once when its timer expires (analyzers 4.4)."""

WANTED_MAX = 32
"""Announced results that wait to be asked for; the oldest is given up beyond."""

ASKED = ("aMOD", "iIID", "rSEQ")
"""A request repeats these elements of the announcement (analyzers 4.4)."""

WORDS = {
    "SYS_READY": "ready",
    "SYS_NOT_READY": "not ready",
    "SYS_MEASURING": "measuring",
    "SMP_START": "measuring",
    "SMP_ABORT": "run aborted",
}
FAMILIES = {"CAL": "calibrating", "QC": "control"}


class Siemens:
    """One analyzer on one wire. It takes no orders.

    Unverified [R], therefore settings: `glucose_key` of measured glucose, `patient_type` the rTYPE of
    a patient's sample, `retry_ms` until a request is repeated, `gap_ms` of silence that ends a half
    frame, `host_model` and `host_id` as which the link answers ID_REQ. `serial` is the analyzer's
    iIID; "" takes the first that sends a result and holds to it.
    """

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        wall_zero: datetime | None = None,
        glucose_key: str = "mGlu",
        patient_type: str = "SAMPLE",
        serial: str = "",
        retry_ms: int = 5000,
        gap_ms: int = 2000,
        host_model: str = "LIS",
        host_id: str = "333",
    ) -> None:
        if not glucose_key or not patient_type:
            raise ValueError("a Siemens analyzer needs the key of glucose and the type of a sample")
        if retry_ms <= 0 or gap_ms <= 0:
            raise ValueError("retry_ms and gap_ms must be above 0")
        self._intake = Intake("siemens", rules, wall_zero)
        self._glucose_key = glucose_key
        self._patient_type = patient_type
        self._serial = serial
        self._retry_ms = retry_ms
        self._gap_ms = gap_ms
        self._identity = Message("ID_DATA", (Element("aMOD", host_model), Element("iIID", host_id)))
        self._frames = FrameSplitter()
        self._wanted: dict[str, Message] = {}
        self._tries_left = 0
        self._ask_due_ms: int | None = None
        self._gap_due_ms: int | None = None
        self._last_data = b""
        self._damaged = 0
        self._out = bytearray()
        self._events: list[DeviceEvent] = []

    # --- the contract ------------------------------------------------------------------------

    def opened(self, epoch: int, now_ms: int) -> None:
        """A wire was opened: what was announced before and never came is asked for again."""
        del epoch  # an analyzer takes no orders, so none can be late
        self._frames.reset()
        self._gap_due_ms = None
        self._out.clear()
        self._intake.opened(now_ms)
        self._ask(now_ms)

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """Take bytes in any chunking."""
        self._close_gap(now_ms)
        for payload in self._frames.feed(data):
            if isinstance(payload, Damage):
                self._spoiled(payload)
                continue
            self._damaged = 0
            if payload == bytes((ACK,)):
                self._acknowledged(now_ms)
            else:
                self._out += ACK_FRAME
                self._heard(payload, now_ms)
        if data:
            self._gap_due_ms = now_ms + self._gap_ms if self._frames.half else None
        return self._tell()

    def send(self, command: Command, now_ms: int) -> None:
        """Drop it and say so: there is nothing to order."""
        del now_ms
        self._trouble(Trouble.UNEXPECTED, f"{type(command).__name__} sent to an analyzer, dropped")

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """Half frames are given up, requests repeated."""
        self._close_gap(now_ms)
        if self._ask_due_ms is not None and now_ms >= self._ask_due_ms:
            if self._frames.half:
                self._ask_due_ms = now_ms + self._retry_ms
            else:
                self._missed(now_ms)
        return self._tell()

    def wake_at(self) -> int | None:
        """The next deadline; None when nothing is announced and no frame is half."""
        due = [at_ms for at_ms in (self._gap_due_ms, self._ask_due_ms) if at_ms is not None]
        return min(due, default=None)

    def take_output(self) -> bytes:
        """Bytes to write now."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def _tell(self) -> list[DeviceEvent]:
        events, self._events = self._events, []
        return events

    # --- announced results -------------------------------------------------------------------

    def _close_gap(self, now_ms: int) -> None:
        if self._gap_due_ms is not None and now_ms >= self._gap_due_ms:
            self._gap_due_ms = None
            for damage in self._frames.give_up():
                self._spoiled(damage)

    def _spoiled(self, damage: Damage) -> None:
        """A frame damaged as often as the protocol sends it is lost, and with it perhaps a result."""
        self._damaged += 1
        self._trouble(Trouble.BAD_FRAME, damage.reason)
        if self._damaged == TRIES:
            told = "frames came damaged twice: if a result does not come, key it in and look at the cable"
            self._trouble(Trouble.REFUSED, told)

    def _announced(self, message: Message, now_ms: int) -> None:
        number = message.text("rSEQ")
        if not number:
            self._trouble(Trouble.REFUSED, "a result without a running number was announced: key it in")
            return
        self._words(f"result {number} announced")
        self._wanted[number] = Message(
            "SMP_REQ", tuple(Element(key, message.text(key)) for key in ASKED if message.all_of(key))
        )
        if len(self._wanted) > WANTED_MAX:
            self._give_up()
        if self._ask_due_ms is None:
            self._ask(now_ms)

    def _ask(self, now_ms: int) -> None:
        """Ask for the oldest announced result, as often as the protocol allows."""
        self._tries_left = TRIES
        self._ask_due_ms = None
        if self._wanted:
            self._transmit(now_ms)

    def _transmit(self, now_ms: int) -> None:
        self._tries_left -= 1
        self._out += message_frame(next(iter(self._wanted.values())))
        self._ask_due_ms = now_ms + self._retry_ms

    def _acknowledged(self, now_ms: int) -> None:
        self._words("acknowledged")
        if self._ask_due_ms is not None:
            self._ask_due_ms = now_ms + self._retry_ms

    def _missed(self, now_ms: int) -> None:
        if self._tries_left > 0:
            self._transmit(now_ms)
            return
        self._give_up()
        self._events.append(LinkLost(Role.ANALYZER, "analyzer silent"))
        self._ask(now_ms)

    def _give_up(self) -> None:
        number = next(iter(self._wanted))
        del self._wanted[number]
        self._trouble(Trouble.NO_REPLY, f"result {number} was announced and never sent: key it in")

    def _came(self, number: str, now_ms: int) -> None:
        """A result was given: the next one is asked for."""
        if self._wanted.pop(number, None) is not None:
            self._ask(now_ms)
        elif self._wanted:
            asked = next(iter(self._wanted))
            self._trouble(Trouble.UNEXPECTED, f"result {number} was sent, {asked} was asked for")

    # --- what comes in -----------------------------------------------------------------------

    def _heard(self, payload: bytes, now_ms: int) -> None:
        message = parse_message(payload)
        if isinstance(message, Damage):
            self._trouble(Trouble.REFUSED, f"{message.reason}: if it was a result, key it in")
        elif message.name == "ID_REQ":
            self._out += message_frame(self._identity)
            self._words("asked who listens")
        elif message.name == "SMP_NEW_AV":
            self._announced(message, now_ms)
        elif message.name in KINDS:
            if message.name == "SMP_NEW_DATA":
                self._came(message.text("rSEQ"), now_ms)
            if payload == self._last_data:
                self._words(f"result {message.text('rSEQ')} repeated")
                return
            self._last_data = payload
            self._take(message, now_ms)
        else:
            family = FAMILIES.get(message.name.partition("_")[0])
            self._words(WORDS.get(message.name) or family or f"said {message.name}")

    def _take(self, message: Message, now_ms: int) -> None:
        try:
            self._require_own(message.text("iIID"))
            result = result_of(message, self._glucose_key, self._patient_type)
        except ReadingRefused as refusal:
            patient = KINDS[message.name] is SampleKind.PATIENT
            self._trouble(refusal.trouble if patient else Trouble.UNEXPECTED, str(refusal))
            return
        if result.flags:
            told = self._intake.hold(result, f"exception {', '.join(result.flags)}")
        else:
            told = self._intake.take(result, now_ms)
        if not told:
            self._words(f"result {message.text('rSEQ')} repeated")
        self._events += told

    def _require_own(self, serial: str) -> None:
        """Results of two analyzers are not mixed (analyzers 7)."""
        if not self._serial:
            self._serial = serial
        if serial != self._serial:
            sentence = f"a result of analyzer {serial!r}, expected {self._serial!r}: key it in if it counts"
            raise ReadingRefused(Trouble.REFUSED, sentence)

    def _words(self, words: str) -> None:
        self._events.append(LinkHeard(Role.ANALYZER, words))

    def _trouble(self, trouble: Trouble, detail: str) -> None:
        self._events.append(LinkTroubled(Role.ANALYZER, trouble, detail))
