"""Link to a YSI 2300 STAT Plus or 2700 SELECT glucose analyzer: polled, read only.

Source: analyzers reference 4.1, 5, 7 (YSI 2700 SELECT manual p. 9-5 to 9-15). That the 2300 speaks
the same is UNCONFIRMED. The link stays in Result Reporting: nothing here starts a run. A result that
was damaged or lost on the wire counts as sent, so the last ones are then asked again by number.
Columns are in `ysi_line`; what becomes of a result is in `drivers.intake`.
"""

from datetime import datetime, timedelta
from enum import StrEnum

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
from drivers.analyzers.ysi_line import (
    CALIBRATION,
    NO_SAMPLE,
    OTHERS,
    DateOrder,
    Line,
    LineRefused,
    continues,
    end_bytes,
    has_error,
    kind_of,
    parse_line,
)
from drivers.analyzers.ysi_lost import NUMBERED, Lost
from drivers.framing import Damage, LineSplitter
from drivers.intake import Intake, Result
from drivers.reading import Rules

REPLY_MS = 3000
"""Time without an answer after which a poll is repeated (analyzers 4.1)."""

TRIES = 3
SILENT_POLL_MS = 10_000
"""Rhythm of polls to an analyzer that is silent."""

DRAIN_PAUSE_MS = 200
"""Between polls while unsent results are fetched after a connection."""

REMEMBERED = 256
"""Lines kept to know a repeat; the analyzer's own memory holds 32 results (analyzers 4.1)."""

BUSY = "2"
DIGITS = {"1": "not in remote mode", "9": "halted"}
"""Error replies with a known meaning (analyzers 4.1)."""


class Query(StrEnum):
    """With `NUMBERED` the closed list of commands (analyzers 4.1). RY is allowed, but its layout is
    unknown: not sent."""

    RESULT = "RS"
    CALIBRATION = "RC"


class Ysi:
    """One YSI on one wire. It takes no orders.

    Unverified [R], therefore settings: `command_end` after a command, `line_end` after a reply,
    `nothing_digit` the reply to RS with nothing to send (None: an `A` and no line for
    `empty_wait_ms`), `date_order` as set in the instrument, `chemistry` the name of the glucose probe.
    `rules` and `wall_zero` as in `Intake`.
    """

    def __init__(
        self,
        model: str = "2300",
        poll_ms: int = 5000,
        date_order: DateOrder | str = DateOrder.MDY,
        chemistry: str = "DEX",
        command_end: bytes | str = b"\r",
        line_end: bytes | str = b"\r\n",
        nothing_digit: str | None = None,
        empty_wait_ms: int = 1500,
        *,
        rules: Rules | None = None,
        wall_zero: datetime | None = None,
    ) -> None:
        self._intake = Intake(f"ysi {model}", rules, wall_zero)
        self._wall_zero = wall_zero
        self._poll_ms = poll_ms
        self._date_order = DateOrder(date_order)
        self._chemistry = chemistry
        self._command_end = end_bytes(command_end)
        self._nothing_digit = nothing_digit
        self._empty_wait_ms = empty_wait_ms
        self._lines = LineSplitter(end_bytes(line_end))
        self._seen: dict[str, None] = {}
        self._newest: datetime | None = None
        self._says_nothing = nothing_digit is not None
        self._out = bytearray()
        self._events: list[DeviceEvent] = []
        self._due_ms: int | None = None
        self._asked: str | None = None
        self._lost = Lost()
        self._forget()

    def _forget(self) -> None:
        self._asked = None
        self._asked_ms = 0
        self._tries_left = 0
        self._accepted = False
        self._damaged = False
        self._news = False
        self._sampled = False
        self._calibrated = False
        self._silent = False
        self._draining = True

    # --- the contract ------------------------------------------------------------------------

    def opened(self, epoch: int, now_ms: int) -> None:
        """A wire was opened: what the analyzer had not sent by now is history."""
        del epoch  # an analyzer takes no orders, so none can be late
        self._lines.reset()
        self._out.clear()
        self._intake.opened(now_ms)
        if self._asked == Query.RESULT:
            self._lost.reply_lost()
        self._forget()
        if self._wall_zero is not None:
            self._note_time(self._wall_zero + timedelta(milliseconds=now_ms))
        self._ask(Query.RESULT, now_ms)

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """Take bytes in any chunking."""
        for line in self._lines.feed(data):
            if isinstance(line, Damage):
                self._spoil(line.reason)
            else:
                self._heard(line.decode("latin-1"), now_ms)
        return self._tell()

    def send(self, command: Command, now_ms: int) -> None:
        """Drop it and say so: there is nothing to order."""
        del now_ms
        self._trouble(Trouble.UNEXPECTED, f"{type(command).__name__} sent to an analyzer, dropped")

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """Time-outs, repeats, polls."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        if self._asked is None:
            self._ask(Query.RESULT, now_ms)
        elif self._accepted and not self._damaged and not self._lines.half:
            if self._says_nothing:
                self._lost_one()
            self._complete("nothing new", now_ms)
        else:
            self._missed(self._asked, now_ms)
        return self._tell()

    def wake_at(self) -> int | None:
        """The next deadline; None before the first `opened`."""
        return self._due_ms

    def take_output(self) -> bytes:
        """Bytes to write now."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def _tell(self) -> list[DeviceEvent]:
        events, self._events = self._events, []
        return events

    # --- the poll ----------------------------------------------------------------------------

    def _ask(self, query: str, now_ms: int) -> None:
        if query == Query.RESULT:
            self._asked_ms = now_ms
            self._news = False
            self._calibrated = False
        self._asked = query
        self._tries_left = 1 if self._silent else TRIES
        self._sampled = False
        self._transmit(query, now_ms)

    def _transmit(self, query: str, now_ms: int) -> None:
        self._tries_left -= 1
        self._accepted = False
        self._damaged = False
        self._out += query.encode("ascii") + self._command_end
        self._due_ms = now_ms + REPLY_MS

    def _missed(self, query: str, now_ms: int) -> None:
        if self._lines.half:
            self._spoil("line cut short")
            self._lines.reset()
        elif not self._damaged:
            self._lost_one()
        if self._tries_left > 0:
            self._transmit(query, now_ms)
            return
        if not self._silent:
            self._silent = True
            self._events.append(LinkLost(Role.ANALYZER, "analyzer silent"))
        self._draining = True
        self._asked = None
        self._due_ms = max(self._asked_ms + SILENT_POLL_MS, now_ms)

    def _complete(self, words: str, now_ms: int, results_told: bool = True) -> None:
        """The answer is whole: what is asked next, and when. Draining ends when RS told nothing new."""
        query, self._asked = self._asked, None
        self._silent = False
        if not self._sampled:
            self._events.append(LinkHeard(Role.ANALYZER, words))
        following = self._following(query) if results_told else None
        if following is not None:
            self._ask(following, now_ms)
            return
        if results_told and not self._news:
            self._draining = False
        if self._draining and results_told:
            self._due_ms = now_ms + DRAIN_PAUSE_MS
        else:
            self._due_ms = max(self._asked_ms + self._poll_ms, now_ms + 1)

    def _following(self, query: str | None) -> str | None:
        """What belongs to this round still: the calibration, then every result that may have been lost."""
        if query == Query.RESULT and self._calibrated:
            return Query.CALIBRATION
        return None if query is None else self._lost.after(query)

    def _lost_one(self) -> None:
        """RS was not answered whole; what is asked by number is simply asked again."""
        if self._asked in (None, Query.RESULT) and not self._silent:
            self._lost.reply_lost()

    # --- what comes in -----------------------------------------------------------------------

    def _heard(self, text: str, now_ms: int) -> None:
        if len(text) == 1:
            self._replied(text, now_ms)
            return
        try:
            self._take(parse_line(text, self._date_order), text, now_ms)
        except LineRefused as refusal:
            if refusal.trouble is Trouble.BAD_FRAME:
                self._spoil(str(refusal))
                return
            self._trouble(refusal.trouble, f"{refusal}; {text!r}")
        if self._asked is None:
            return
        if continues(text):
            self._accepted = False
            self._due_ms = now_ms + REPLY_MS
        else:
            self._complete("no new result", now_ms)

    def _replied(self, text: str, now_ms: int) -> None:
        """`A` or a digit; a late one, after the poll was given up, tells nothing."""
        if self._asked is None:
            return
        if text == "A":
            self._accepted = True
            self._due_ms = now_ms + self._empty_wait_ms
        elif text == self._nothing_digit:
            self._complete("nothing new", now_ms)
        elif text == BUSY:
            self._complete("busy", now_ms, results_told=False)
        elif text.isascii() and text.isdecimal():
            self._refused(text, now_ms)
        else:
            self._spoil(f"unreadable reply {text!r}")

    def _refused(self, digit: str, now_ms: int) -> None:
        told = f"analyzer answered {digit} ({DIGITS.get(digit, 'meaning unknown')})"
        if self._asked in NUMBERED:
            self._lost.forget()
            told += ": a result was lost on the wire and cannot be asked again, key it in"
        self._trouble(Trouble.REFUSED, told)
        self._complete(f"answered {digit}", now_ms, results_told=False)

    def _spoil(self, reason: str) -> None:
        """Damage ends no poll: its deadline repeats it."""
        if not self._damaged:
            self._lost_one()
        self._damaged = True
        self._trouble(Trouble.BAD_FRAME, reason)

    def _take(self, line: Line, text: str, now_ms: int) -> None:
        """A line seen word for word is a repeat; a new one of the glucose probe goes to the intake."""
        if not line.value and line.chemistry != self._chemistry:
            self._says_nothing = True
            return
        if text in self._seen:
            return
        self._seen[text] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._news = True
        if line.sample == CALIBRATION:
            self._calibrated = True
        if line.chemistry != self._chemistry:
            if line.chemistry not in OTHERS:
                self._lost_one()
                raise LineRefused(Trouble.UNEXPECTED, f"chemistry {line.chemistry!r} is not known")
            return
        recovered = self._asked in NUMBERED
        if not recovered and line.sample != CALIBRATION:
            self._lost.result_came()
        self._sample(line, recovered, now_ms)

    def _sample(self, line: Line, recovered: bool, now_ms: int) -> None:
        """What was asked again by number may dose only when it is later than all that came before."""
        doubted = has_error(line)
        kind = kind_of(line, self._draining)
        if recovered and kind is SampleKind.PATIENT and not self._later(line.measured):
            kind = SampleKind.HISTORY
            told = f"sample {line.sample} was asked again and may be an old one: key it in if it is new"
            self._trouble(Trouble.UNEXPECTED, told)
        if line.sample > NO_SAMPLE and line.measured is not None:
            self._note_time(line.measured)
        result = Result(
            identity=(str(line.sample), line.analyzer_time),
            sample=str(line.sample),
            value=line.value,
            unit=line.unit,
            kind=kind,
            measured=line.measured if kind is SampleKind.PATIENT else None,
        )
        if doubted:
            self._events += self._intake.hold(result, f"analyzer error {line.error}")
            return
        events = self._intake.take(result, now_ms)
        self._events += events
        if events and kind is SampleKind.HISTORY and self._intake.is_recent(line.measured, now_ms):
            told = f"sample {line.sample} waited in the analyzer: kept as history, key it in if it counts"
            self._trouble(Trouble.REFUSED, told)
        self._sampled = self._sampled or any(isinstance(event, GlucoseSampled) for event in events)

    def _later(self, measured: datetime | None) -> bool:
        return measured is not None and self._newest is not None and measured > self._newest

    def _note_time(self, at: datetime) -> None:
        self._newest = at if self._newest is None else max(self._newest, at)

    def _trouble(self, trouble: Trouble, detail: str) -> None:
        self._events.append(LinkTroubled(Role.ANALYZER, trouble, detail))
