"""A POCT1-A meter that calls its host over TCP, message for message; such as a docked StatStrip.

Source: sheet analyzers.md 4.5. It speaks first: HEL, then DST; it sends what it holds when asked, and
each new result at once when told to. What is not acknowledged is sent again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from simulator.devices.fault import Fault, FaultKind
from simulator.devices.mischief import Outbox
from simulator.devices.poct1a_messages import Said, bomb, endless, heard, hello, leaf, message, status
from simulator.devices.poct1a_results import CALIBRATION, CONTROL, LASTING, PATIENT, Results
from simulator.devices.poct1a_settings import Poct1aSettings

_SPOILT: dict[FaultKind, Callable[[bytes], bytes]] = {
    FaultKind.ENTITY_BOMB: bomb,
    FaultKind.OVERSIZE: endless,
    FaultKind.HALF_MESSAGE: lambda document: document[: len(document) // 2],
}
"""What a fault makes of the next result's message."""


class Topic(Enum):
    """What the meter is about."""

    GREETING = "greeting"
    STATUS = "status"
    IDLE = "idle"
    RESULTS = "results"
    END_OF_RESULTS = "end of results"


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message that waits for its acknowledgement."""

    name: str
    body: str
    control_id: int
    due_ms: int
    tries_left: int


class Poct1a:
    """The meter on its cable, switched on and connected at `now_ms`; an `AnalyzerDevice`."""

    def __init__(self, settings: Poct1aSettings | None = None, now_ms: int = 0) -> None:
        self._settings = settings = settings or Poct1aSettings()
        self._results = Results(settings)
        self._outbox = Outbox(settings.reply_delay_ms)
        self._buffer = bytearray()
        self._serial = settings.serial
        self._control_id = settings.first_control_id
        self._is_continuous = False
        self._is_busy = False
        self._repeats = 0
        self._deaf_to_acks = 0
        self._spoils: FaultKind | None = None
        self._waits: _Sent | None = None
        self._announced = 0
        self._topic = Topic.GREETING
        self._greet(now_ms)

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._outbox.plugged

    @property
    def running(self) -> bool:
        """Whether a strip is in the meter."""
        return self._results.running

    def place_sample(self, glucose_mg_dl: float, now_ms: int) -> None:
        """The operator gives a sample; its result is ready `run_ms` later."""
        self.advance(now_ms)
        self._results.place(PATIENT, glucose_mg_dl, now_ms)

    def receive(self, data: bytes, now_ms: int) -> None:
        """Takes bytes from the host."""
        self.advance(now_ms)
        if not self._outbox.plugged:
            return
        self._buffer += data
        for said in heard(self._buffer):
            if self._outbox.hears():
                self._hear(said, now_ms)

    def advance(self, now_ms: int) -> None:
        """Lets time pass up to `now_ms`."""
        self._results.advance(now_ms)
        waits = self._waits
        if waits is not None and now_ms >= waits.due_ms:
            if waits.tries_left > 0:
                self._send(waits.name, waits.body, now_ms, waits.tries_left - 1)
            else:
                self._greet(now_ms)
        self._push(now_ms)
        self._outbox.advance(now_ms)

    def take_output(self) -> bytes:
        """Bytes for the host, once."""
        return self._outbox.take()

    def wake_at(self) -> int | None:
        """Next ms at which a measurement ends, a message is repeated or leaves."""
        waits_ms = self._waits.due_ms if self._waits is not None else None
        pending = (self._results.next_ms(), waits_ms, self._outbox.wake_at())
        return min((at_ms for at_ms in pending if at_ms is not None), default=None)

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Starts a fault; ValueError for one a meter like this cannot have."""
        self.advance(now_ms)
        if self._outbox.inject(fault):
            self._buffer.clear()
            return
        results = self._results
        if fault.kind in LASTING:
            results.inject(fault)
            return
        match fault.kind:
            case FaultKind.IDENTITY:
                self._serial = fault.text
                self._greet(now_ms)
            case FaultKind.POWER_CYCLE:
                self._greet(now_ms)
            case FaultKind.BUSY:
                self._is_busy = True
            case FaultKind.DUPLICATE:
                self._repeats += 1
            case FaultKind.DROP_ACK:
                self._deaf_to_acks = 1 if fault.number is None else fault.number
            case FaultKind.EDIT:
                results.edit(10 if fault.number is None else fault.number)
            case FaultKind.DUMP:
                results.dump()
            case FaultKind.CONTROL:
                reads = self._settings.control_mg_dl if fault.number is None else fault.number
                results.place(CONTROL, reads, now_ms)
            case FaultKind.CALIBRATE:
                results.place(CALIBRATION, self._settings.control_mg_dl, now_ms)
            case FaultKind.DIGIT_SWAP:
                results.is_swapped_next = True
            case FaultKind.DROP_REMOTE:
                self._topic, self._waits, self._is_continuous = Topic.GREETING, None, False
                self._put("END", f"<TRM>{leaf('TRM.reason_cd', 'NRM')}</TRM>", now_ms)
            case FaultKind.ENTITY_BOMB | FaultKind.OVERSIZE | FaultKind.HALF_MESSAGE:
                self._spoils = fault.kind
            case _:
                raise ValueError(f"A POCT1-A meter has no fault {fault.kind.value!r}.")
        self._push(now_ms)

    def clear(self, kind: FaultKind, now_ms: int) -> None:
        """Ends a lasting fault; plugged in again, the meter connects and greets."""
        self.advance(now_ms)
        was_out = not self._outbox.plugged
        self._outbox.clear(kind)
        self._results.clear(kind)
        if kind is FaultKind.BUSY:
            self._is_busy = False
        if kind is FaultKind.IDENTITY:
            self._serial = self._settings.serial
        is_back = was_out and self._outbox.plugged
        if is_back or kind in (FaultKind.IDENTITY, FaultKind.DROP_REMOTE):
            self._greet(now_ms)

    # --- the conversation --------------------------------------------------------------------

    def _greet(self, now_ms: int) -> None:
        settings = self._settings
        self._is_continuous = False
        self._buffer.clear()
        self._topic = Topic.GREETING
        body = hello(settings.device_id, settings.vendor, settings.model, self._serial)
        self._send("HEL", body, now_ms, settings.tries - 1)

    def _send(self, name: str, body: str, now_ms: int, tries_left: int | None = None) -> None:
        """A message that is to be acknowledged."""
        left = self._settings.tries - 1 if tries_left is None else tries_left
        due_ms = now_ms + self._settings.reply_ms
        self._waits = _Sent(name, body, self._control_id, due_ms, left)
        self._put(name, body, now_ms)

    def _put(self, name: str, body: str, now_ms: int) -> None:
        settings = self._settings
        text = message(name, self._control_id, self._results.stamp(now_ms), body)
        document = text.encode(settings.encoding, "xmlcharrefreplace")
        self._control_id += 1
        if name == "OBS" and self._spoils is not None:
            document = _SPOILT[self._spoils](document)
            self._spoils = None
        self._outbox.put(settings.declaration.encode() + document, now_ms)

    def _push(self, now_ms: int) -> None:
        """Speak of new results: send one, or tell that there are some."""
        if self._waits is not None or not self._results.unsent or not self._outbox.plugged:
            return
        if self._topic is Topic.RESULTS or (self._topic is Topic.IDLE and self._is_continuous):
            self._send("OBS", self._results.unsent[0].body(self._settings.code), now_ms)
        elif self._topic is Topic.IDLE and self._announced != self._results.kept:
            self._announce(now_ms)

    def _announce(self, now_ms: int) -> None:
        self._topic, self._announced = Topic.STATUS, self._results.kept
        self._send("DST", status(len(self._results.unsent)), now_ms)

    def _hear(self, said: Said, now_ms: int) -> None:
        match said.name:
            case "ACK":
                self._acknowledged(said, now_ms)
            case "REQ" if self._is_busy:
                body = leaf("ESC.esc_control_id", said.values.get("HDR.control_id", "")) + leaf(
                    "ESC.detail_cd", "BSY"
                )
                self._put("ESC", f"<ESC>{body}</ESC>", now_ms)
            case "REQ" if said.values.get("REQ.request_cd") == "ROBS":
                self._topic = Topic.RESULTS
                self._next_result(now_ms)
            case "DTV" if said.values.get("DTV.command_cd") == "START_CONTINUOUS":
                self._is_continuous = True
                self._acknowledge(said, now_ms)
                self._push(now_ms)
            case _:
                pass  # nothing else is known to this meter

    def _acknowledge(self, said: Said, now_ms: int) -> None:
        answers = leaf("ACK.ack_control_id", said.values.get("HDR.control_id", ""))
        self._put("ACK", f"<ACK>{leaf('ACK.type_cd', 'AA')}{answers}</ACK>", now_ms)

    def _acknowledged(self, said: Said, now_ms: int) -> None:
        waits = self._waits
        if waits is None or said.values.get("ACK.ack_control_id") != str(waits.control_id):
            return
        if self._deaf_to_acks > 0:
            self._deaf_to_acks -= 1
            return
        self._waits = None
        if said.values.get("ACK.type_cd") != "AA":
            if waits.name != "HEL":
                self._greet(now_ms)
            return
        match waits.name:
            case "HEL":
                self._announce(now_ms)
            case "OBS":
                self._delivered(now_ms)
            case _:
                self._topic = Topic.IDLE  # DST or EOT: what follows is the host's to say

    def _delivered(self, now_ms: int) -> None:
        if self._repeats > 0:
            self._repeats -= 1
        elif self._results.unsent:
            self._results.unsent.popleft()
        if self._topic is Topic.RESULTS:
            self._next_result(now_ms)
        else:
            self._push(now_ms)

    def _next_result(self, now_ms: int) -> None:
        if self._results.unsent:
            self._push(now_ms)
        else:
            self._topic = Topic.END_OF_RESULTS
            self._send("EOT", f"<EOT>{leaf('EOT.topic_cd', 'OBS')}</EOT>", now_ms)
