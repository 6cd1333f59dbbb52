"""Link to an EKF Biosen C-Line (Clinic, GP+) glucose and lactate analyzer: it listens, it never writes.

Source: analyzers reference 4.2, 5, 7 (Biosen C-Line user manual p. 41). The analyzer sends a record
at each result; that it does so unasked is UNCONFIRMED, as are baud, terminator and whatever follows
the unit. A record ends by silence or CR/LF. An idle analyzer is silent, and silence cannot be told
from a lost cable.
"""

import re
from datetime import datetime

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent, LinkHeard, LinkTroubled, SampleKind, Trouble
from drivers.analyzers.biosen_record import KINDS, Record, records, result_of
from drivers.framing import Damage
from drivers.intake import Intake
from drivers.reading import ReadingRefused, Rules

TRANSMISSION_MAX = 4096
"""Bytes without an end: 77 records on end, more than one run of the tray sends."""

ENDS = b"\r\n"


class Biosen:
    """One analyzer on one wire. It takes no orders, and nothing is ever sent to it.

    `glucose_channel` is the MET text of glucose; without it nothing is a result. `other_channels` are
    MET texts, comma between, that are known not to be glucose and are passed over. Unverified [R],
    therefore settings: `preamble` as set in menu 9.7.3, `tail` a regular expression of what may follow
    the unit in a good record (anything else holds the result), `silence_ms` that ends a record.
    `device` is DEVID and DEVNO, such as BIOS01; "" takes the first that sends and holds to it.
    """

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        wall_zero: datetime | None = None,
        glucose_channel: str = "",
        other_channels: str = "",
        device: str = "",
        preamble: str = "\x02",
        tail: str = "",
        silence_ms: int = 300,
    ) -> None:
        if not 1 <= len(preamble) <= 4 or not preamble.isascii():
            raise ValueError("a Biosen's preamble has 1 to 4 characters")
        if silence_ms <= 0:
            raise ValueError("silence_ms must be above 0")
        self._intake = Intake("biosen", rules, wall_zero)
        self._glucose_channel = glucose_channel.strip()
        self._other_channels = frozenset(name.strip() for name in other_channels.split(",") if name.strip())
        if self._glucose_channel in self._other_channels:
            raise ValueError(f"channel {self._glucose_channel} cannot be glucose and another analyte")
        self._device = device
        self._preamble = preamble.encode("ascii")
        self._tail = _compiled(tail)
        self._silence_ms = silence_ms
        self._sent = bytearray()
        self._heard_ms = 0
        self._events: list[DeviceEvent] = []

    # --- the contract ------------------------------------------------------------------------

    def opened(self, epoch: int, now_ms: int) -> None:
        """A wire was opened: forget half a record."""
        del epoch  # an analyzer takes no orders, so none can be late
        self._intake.opened(now_ms)
        self._sent.clear()

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """Take bytes in any chunking."""
        self._end_if_silent(now_ms)
        for byte in data:
            if byte in ENDS:
                self._end(now_ms)
                continue
            self._sent.append(byte)
            if len(self._sent) >= TRANSMISSION_MAX:
                self._end(now_ms)
        if data:
            self._heard_ms = now_ms
        return self._tell()

    def send(self, command: Command, now_ms: int) -> None:
        """Drop it and say so: there is nothing to order."""
        del now_ms
        self._trouble(Trouble.UNEXPECTED, f"{type(command).__name__} sent to an analyzer, dropped")

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """Silence ends a record."""
        self._end_if_silent(now_ms)
        return self._tell()

    def wake_at(self) -> int | None:
        """When silence will have ended the record; None when none has begun."""
        return self._heard_ms + self._silence_ms if self._sent else None

    def take_output(self) -> bytes:
        """Nothing, ever."""
        return b""

    def _tell(self) -> list[DeviceEvent]:
        events, self._events = self._events, []
        return events

    # --- what comes in -----------------------------------------------------------------------

    def _end_if_silent(self, now_ms: int) -> None:
        if self._sent and now_ms >= self._heard_ms + self._silence_ms:
            self._end(now_ms)

    def _end(self, now_ms: int) -> None:
        sent = bytes(self._sent)
        self._sent.clear()
        for found in records(sent, self._preamble):
            if isinstance(found, Damage):
                # it is never sent again, so a person has to look
                self._trouble(Trouble.REFUSED, f"{found.reason}: if it was a result, key it in")
            else:
                self._recorded(found, now_ms)

    def _recorded(self, record: Record, now_ms: int) -> None:
        self._events.append(LinkHeard(Role.ANALYZER, f"record of {record.device or 'an unknown device'}"))
        if record.channel.strip() in self._other_channels:
            return
        try:
            self._require_own(record)
            self._require_glucose(record)
            result = result_of(record)
        except ReadingRefused as refusal:
            patient = KINDS[record.own_type] is SampleKind.PATIENT
            self._trouble(refusal.trouble if patient else Trouble.UNEXPECTED, str(refusal))
            return
        if self._tail.fullmatch(record.tail) is None:
            self._events += self._intake.hold(result, f"followed by {record.tail!r}, meaning unknown")
        else:
            self._events += self._intake.take(result, now_ms)

    def _require_own(self, record: Record) -> None:
        """Results of two analyzers are not mixed (analyzers 7)."""
        if not record.device:
            raise _refused(record, "its start is not the preamble that was set up")
        if not self._device:
            self._device = record.device
        if record.device != self._device:
            raise _refused(record, f"sent by {record.device}, expected {self._device}")

    def _require_glucose(self, record: Record) -> None:
        channel = record.channel.strip()
        if not self._glucose_channel:
            raise _refused(record, f"channel {channel}, and glucose_channel is not set up")
        if channel != self._glucose_channel:
            raise _refused(record, f"channel {channel} is not known")

    def _trouble(self, trouble: Trouble, detail: str) -> None:
        self._events.append(LinkTroubled(Role.ANALYZER, trouble, detail))


def _refused(record: Record, why: str) -> ReadingRefused:
    """Held with the result as sent, so that a nurse can key it in."""
    result = f"{record.value.strip()} {record.unit.strip()}"
    sentence = f"sample {record.number.strip()}: {result}, {why}: key it in if it counts"
    return ReadingRefused(Trouble.REFUSED, sentence)


def _compiled(tail: str) -> re.Pattern[str]:
    try:
        return re.compile(tail, re.DOTALL)
    except re.error as error:
        raise ValueError(f"tail is no regular expression: {error}") from None
