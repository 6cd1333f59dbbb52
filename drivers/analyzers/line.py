"""Any analyzer that prints one line for each result, as a person set it up and proved it.

Source: analyzers reference 8 and 7. Nothing is ever written to the wire. The line has no checksum: the
whole line must match the pattern, and a lost digit that still does passes the link. Until learn mode
has compared three lines with the display, every result is history. The analyzer speaks only when it
has a result: its silence cannot be told from idleness.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkHeard, LinkTroubled, SampleKind, Trouble
from drivers.analyzers.line_cutter import LineCutter
from drivers.analyzers.line_form import LineForm, LineUnknown
from drivers.analyzers.line_pattern import checked
from drivers.framing import Damage
from drivers.intake import Intake
from drivers.reading import Rules

NOT_ENABLED = "not enabled: learn this line first (clampctl probe line --learn), until then it is history"
OLD = "a result is older than this session by the analyzer's clock: kept as history"


class LineAnalyzer:
    """One such analyzer; the settings are those of `LineForm`, whose `unit` and `comma` come from `rules`.

    `rules.unit` is the unit of a line that prints none; `learned` is the fingerprint that learn mode
    gave. `wall_zero` is this computer's local wall clock at session time 0. Errors: ValueError, see
    `LineForm`.
    """

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        wall_zero: datetime | None = None,
        pattern: str,
        end: str,
        encoding: str = "latin-1",
        other_lines: str = "",
        time_format: str = "",
        good_flags: str = "",
        control_flags: str = "",
        learned: str = "",
    ) -> None:
        rules = rules or Rules()
        self.form = form_of(
            rules, pattern, end, encoding, other_lines, time_format, good_flags, control_flags
        )
        self._is_enabled = learned == self.form.fingerprint
        self._local_zero = None if wall_zero is None else wall_zero.replace(tzinfo=None)
        self._intake = Intake("line", rules, self._local_zero)
        self._cutter = LineCutter(self.form)
        self._events: list[DeviceEvent] = []

    def opened(self, epoch: int, now_ms: int) -> None:
        """A wire was opened: the analyzer speaks first."""
        del epoch  # an analyzer takes no orders, so none can be late
        self._intake.opened(now_ms)
        self._cutter.reset()

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """Take bytes in any chunking."""
        self._read(self._cutter.feed(data, now_ms), now_ms)
        return self._tell()

    def send(self, command: Command, now_ms: int) -> None:
        """Drop it and say so: there is nothing to order."""
        del now_ms
        self._trouble(Trouble.UNEXPECTED, f"{type(command).__name__} sent to an analyzer, dropped")

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """A silence that ends a line, or cuts one short."""
        self._read(self._cutter.due(now_ms), now_ms)
        return self._tell()

    def wake_at(self) -> int | None:
        """The next deadline; None while nothing is expected."""
        return self._cutter.due_ms()

    def take_output(self) -> bytes:
        """Nothing is ever written."""
        return b""

    def _tell(self) -> list[DeviceEvent]:
        events, self._events = self._events, []
        return events

    def _read(self, lines: list[bytes | Damage], now_ms: int) -> None:
        for line in lines:
            if isinstance(line, Damage):
                self._lost(line.reason)
                continue
            before = len(self._events)
            try:
                self._take(line, now_ms)
            except LineUnknown as unknown:
                self._lost(str(unknown))
                continue
            if not any(isinstance(event, GlucoseSampled) for event in self._events[before:]):
                self._events.append(LinkHeard(Role.ANALYZER, "no new result"))

    def _take(self, line: bytes, now_ms: int) -> None:
        local_zero = self._local_zero
        local_now = None if local_zero is None else local_zero + timedelta(milliseconds=now_ms)
        result = self.form.result(line, local_now)
        if result is None:
            return
        if self.form.is_doubted(result):
            self._events += self._intake.hold(result, f"flag {result.flags[0]}")
            return
        is_patient = result.kind is SampleKind.PATIENT
        if is_patient and not self._is_enabled:
            self._trouble(Trouble.REFUSED, NOT_ENABLED)
            result = replace(result, kind=SampleKind.HISTORY)
        elif is_patient and local_zero and result.measured:
            slack = timedelta(minutes=1 if result.minutes_only else 0)
            if result.measured + slack < local_zero:
                self._trouble(Trouble.REFUSED, OLD)
                result = replace(result, kind=SampleKind.HISTORY)
        self._events += self._intake.take(result, now_ms)

    def _lost(self, why: str) -> None:
        """It is never sent again, so a person has to look."""
        self._trouble(Trouble.REFUSED, f"{why}: if it was a result, key it in")

    def _trouble(self, trouble: Trouble, detail: str) -> None:
        self._events.append(LinkTroubled(Role.ANALYZER, trouble, detail))


def form_of(
    rules: Rules,
    pattern: str,
    end: str,
    encoding: str = "latin-1",
    other_lines: str = "",
    time_format: str = "",
    good_flags: str = "",
    control_flags: str = "",
) -> LineForm:
    """The form that a station's settings make; learn mode gives its fingerprint. Errors: as `LineForm`.

    Where the pattern takes the unit from the line, `rules.unit` is only what is allowed.
    """
    has_unit = "unit" in checked(pattern).groupindex
    return LineForm(
        pattern, end, encoding, "" if has_unit else rules.unit, rules.comma,
        other_lines, time_format, good_flags, control_flags,
    )  # fmt: skip
