"""Link to a YSI 2300 STAT Plus or 2700 SELECT glucose analyzer: polled, read only.

Source: analyzers reference 4.1, 5, 7 (YSI 2700 SELECT manual p. 9-5 to 9-15). That the 2300 speaks
the same is UNCONFIRMED. The link stays in Result Reporting: nothing here starts a run. A result that
was damaged on the wire counts as sent and is not asked again; the event says so. Columns and units
are in `ysi_line`.
"""

from enum import StrEnum

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkHeard, LinkLost, LinkTroubled, Trouble
from drivers.analyzers.ysi_line import (
    CALIBRATION,
    NO_SAMPLE,
    DateOrder,
    Line,
    LineRefused,
    continues,
    glucose_mg_dl,
    kind_of,
    parse_line,
)
from drivers.framing import Damage, LineSplitter

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
    """The closed list of commands (analyzers 4.1). RY is allowed, but its layout is unknown: not sent."""

    RESULT = "RS"
    CALIBRATION = "RC"
    STATUS = "RY"


class Ysi:
    """One YSI on one wire. It takes no orders.

    Unverified [R], therefore settings: `command_end` after a command, `line_end` after a reply,
    `nothing_digit` the reply to RS with nothing to send (None: an `A` and no line for
    `empty_wait_ms`), `date_order` as set in the instrument, `chemistry` the name of the glucose probe.
    """

    def __init__(
        self,
        model: str = "2300",
        poll_ms: int = 5000,
        date_order: DateOrder | str = DateOrder.MDY,
        chemistry: str = "DEX",
        command_end: bytes = b"\r",
        line_end: bytes = b"\r\n",
        nothing_digit: str | None = None,
        empty_wait_ms: int = 1500,
    ) -> None:
        self._source = f"ysi {model}"
        self._poll_ms = poll_ms
        self._date_order = DateOrder(date_order)
        self._chemistry = chemistry
        self._command_end = command_end
        self._nothing_digit = nothing_digit
        self._empty_wait_ms = empty_wait_ms
        self._lines = LineSplitter(line_end)
        self._known: dict[tuple[int, str, str, str], str] = {}
        self._out = bytearray()
        self._events: list[DeviceEvent] = []
        self._due_ms: int | None = None
        self._forget()

    def _forget(self) -> None:
        self._asked: Query | None = None
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
        self._forget()
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

    def _ask(self, query: Query, now_ms: int) -> None:
        self._asked = query
        self._asked_ms = now_ms
        self._tries_left = 1 if self._silent else TRIES
        self._news = False
        self._sampled = False
        self._calibrated = False
        self._transmit(query, now_ms)

    def _transmit(self, query: Query, now_ms: int) -> None:
        self._tries_left -= 1
        self._accepted = False
        self._damaged = False
        self._out += query.encode("ascii") + self._command_end
        self._due_ms = now_ms + REPLY_MS

    def _missed(self, query: Query, now_ms: int) -> None:
        if self._lines.half:
            self._spoil("line cut short")
            self._lines.reset()
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
        if query is Query.RESULT and results_told and not self._news:
            self._draining = False
        if query is Query.RESULT and self._calibrated:
            self._ask(Query.CALIBRATION, now_ms)
        elif self._draining and results_told:
            self._due_ms = now_ms + DRAIN_PAUSE_MS
        else:
            self._due_ms = max(self._asked_ms + self._poll_ms, now_ms + 1)

    # --- what comes in -----------------------------------------------------------------------

    def _heard(self, text: str, now_ms: int) -> None:
        if len(text) == 1:
            self._replied(text, now_ms)
            return
        try:
            self._take(parse_line(text, self._date_order))
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
            self._trouble(
                Trouble.REFUSED, f"analyzer answered {text} ({DIGITS.get(text, 'meaning unknown')})"
            )
            self._complete(f"answered {text}", now_ms, results_told=False)
        else:
            self._spoil(f"unreadable reply {text!r}")

    def _spoil(self, reason: str) -> None:
        """Damage ends no poll: its deadline repeats it."""
        self._damaged = True
        self._trouble(Trouble.BAD_FRAME, reason)

    def _take(self, line: Line) -> None:
        """A line seen for the first time is judged; a repeat with other numbers is told."""
        if line.sample == NO_SAMPLE and not line.value:
            return
        key = (line.sample, line.analyzer_time, line.chemistry, line.error)
        result = f"{line.value} {line.unit}"
        before = self._known.get(key)
        if before is not None:
            if before != result:
                self._trouble(
                    Trouble.UNEXPECTED, f"sample {line.sample} sent again as {result}, it was {before}"
                )
            return
        self._known[key] = result
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        self._news = True
        self._calibrated = self._calibrated or line.sample == CALIBRATION
        if line.chemistry == self._chemistry:
            self._sample(line)

    def _sample(self, line: Line) -> None:
        self._events.append(
            GlucoseSampled(
                sample_id=f"ysi:{line.sample}:{line.analyzer_time}",
                glucose_mg_dl=glucose_mg_dl(line),
                drawn_at_ms=None,
                kind=kind_of(line, self._draining),
                source=self._source,
                raw_value=line.value,
                raw_unit=line.unit,
                flags=(),
            )
        )
        self._sampled = True

    def _trouble(self, trouble: Trouble, detail: str) -> None:
        self._events.append(LinkTroubled(Role.ANALYZER, trouble, detail))
