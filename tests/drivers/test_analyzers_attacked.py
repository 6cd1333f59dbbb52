"""Every analyzer link attacked at its desk: old, repeated, foreign and misdated results never dose.

The emulated analyzers and links are those of the virtual bed, on one wall clock. What a link says is
given to the core's own judge of samples, across restarts of the program.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pytest

from clampctl.core import samples
from clampctl.core.commands import Role
from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkTroubled, SampleKind, Trouble
from clampctl.core.protocol import Limits
from clampctl.core.state import Blood
from drivers.analyzers.astm import Astm
from drivers.analyzers.biosen import Biosen
from drivers.analyzers.line import LineAnalyzer, form_of
from drivers.analyzers.siemens import Siemens
from drivers.reading import Rules
from simulator.devices.fault import FaultKind
from simulator.furniture import LAG_MS, WALL_ZERO, Choice, furniture
from tests.drivers.astm_said import Said, transfer
from tests.faults.pair import Pair

MIN = 60_000
ANALYZERS = ("ysi-2700", "radiometer-abl", "siemens", "biosen", "poct1a", "line")
TOLD = (Trouble.REFUSED, Trouble.NO_REPLY)


def pieces(data: bytes) -> list[bytes]:
    """Cut into 1 to 7 bytes, in a fixed pattern."""
    cut, size = [], 0
    while data:
        size = size * 3 % 7 + 1
        cut.append(data[:size])
        data = data[size:]
    return cut


class Desk:
    """One analyzer, its link, and the core's samples, which outlive the program."""

    def __init__(self, analyzer: str) -> None:
        self._choice = Choice(analyzer=analyzer)
        stands = furniture(self._choice)
        self.device = stands.analyzer
        self.pair = Pair(stands.links[Role.ANALYZER], stands.analyzer, pieces).open()
        self.blood = Blood()
        self.taken: list[tuple[str, int]] = []
        self._read = 0
        self.run(30_000)

    @property
    def now_ms(self) -> int:
        return self.pair.now_ms

    def run(self, for_ms: int) -> list[DeviceEvent]:
        """Let time pass in seconds; what the link said, given to the core as it came."""
        said: list[DeviceEvent] = []
        for _ in range(for_ms // 1000):
            self.pair.run(1000)
            said += self._given()
        return said

    def _given(self) -> list[DeviceEvent]:
        events, self._read = self.pair.events[self._read :], len(self.pair.events)
        for event in events:
            if not isinstance(event, GlucoseSampled):
                continue
            before = self.blood.newest
            self.blood = samples.take(self.blood, event, LAG_MS, Limits(), self.now_ms)
            newest = self.blood.newest
            if newest is not None and newest is not before:
                self.taken.append((event.raw_value, newest.drawn_at_ms))
        return events

    def place(self, glucose_mg_dl: float) -> int:
        """Blood drawn now is given to the analyzer; the time."""
        self.device.place_sample(glucose_mg_dl, self.now_ms)
        return self.now_ms

    def measured(self, glucose_mg_dl: float) -> int:
        """Drawn now and measured; three minutes pass."""
        drawn_ms = self.place(glucose_mg_dl)
        self.run(3 * MIN)
        return drawn_ms

    def measured_unheard(self, glucose_mg_dl: float) -> int:
        """The same while no program listens: what the analyzer says is lost."""
        drawn_ms = self.place(glucose_mg_dl)
        for _ in range(180):
            self.pair.now_ms += 1000
            self.device.advance(self.now_ms)
            self.device.take_output()
        return drawn_ms

    def restarted(self) -> None:
        """A new program on the same wire: it knows what is in the journal, and nothing else."""
        self.pair.link = furniture(self._choice).links[Role.ANALYZER]
        self.pair.open()


def told(events: Sequence[DeviceEvent]) -> list[str]:
    """What makes an alarm."""
    return [one.detail for one in events if isinstance(one, LinkTroubled) and one.trouble in TOLD]


def patients(events: Sequence[DeviceEvent]) -> list[GlucoseSampled]:
    return [one for one in events if isinstance(one, GlucoseSampled) and one.kind is SampleKind.PATIENT]


# --- the program restarts, the cable comes and goes ------------------------------------------


@pytest.mark.parametrize("analyzer", ANALYZERS)
def test_a_memory_sent_again_to_a_restarted_program_doses_nothing_twice(analyzer: str) -> None:
    desk = Desk(analyzer)
    for glucose in (90.0, 95.0):
        desk.measured(glucose)
    before = list(desk.taken)
    assert len(before) == 2
    desk.restarted()
    desk.pair.inject("dump")
    desk.run(2 * MIN)
    assert desk.taken == before
    desk.measured(99.0)
    assert len(desk.taken) == 3


@pytest.mark.parametrize("analyzer", ANALYZERS)
def test_what_was_measured_while_the_program_was_down_is_never_dated_as_new(analyzer: str) -> None:
    desk = Desk(analyzer)
    desk.measured(90.0)
    drawn = [desk.measured_unheard(glucose) for glucose in (100.0, 104.0)]
    desk.restarted()
    desk.pair.inject("dump")
    events = desk.run(2 * MIN)
    new = [at_ms for value, at_ms in desk.taken[1:]]
    for at_ms in new:
        assert min(abs(at_ms - drawn_ms) for drawn_ms in drawn) <= 90_000
    assert new or told(events)


@pytest.mark.parametrize("analyzer", ANALYZERS)
def test_a_cable_pulled_twice_inside_a_message_gives_a_result_once_or_tells(analyzer: str) -> None:
    desk = Desk(analyzer)
    desk.measured(90.0)
    first = len(desk.pair.events)
    drawn_ms = desk.place(100.0)
    for _ in range(2):
        while desk.device.running:
            desk.run(1000)
        desk.pair.inject("unplug")
        desk.run(20_000)
        desk.pair.clear(FaultKind.UNPLUG)
        desk.pair.open()
        desk.run(4000)
    desk.run(60_000)
    new = desk.taken[1:]
    assert len(new) <= 1
    assert all(abs(at_ms - drawn_ms) <= 90_000 for _, at_ms in new)
    if analyzer not in ("biosen", "line"):  # they never send again, and a pulled cable hides it
        assert new or told(desk.pair.events[first:])
    desk.measured(95.0)
    assert len(desk.taken) == 2 + len(new)


@pytest.mark.parametrize("analyzer", ["radiometer-abl", "poct1a"])
def test_a_result_that_waits_for_the_cable_is_dated_by_its_time_stamp(analyzer: str) -> None:
    desk = Desk(analyzer)
    for glucose in (90.0, 91.0, 92.0):
        desk.measured(glucose)
    desk.pair.inject("unplug")
    drawn_ms = desk.measured(100.0)
    desk.run(3 * MIN)
    desk.pair.clear(FaultKind.UNPLUG)
    desk.pair.open()
    desk.run(MIN)
    assert len(desk.taken) == 4
    assert abs(desk.taken[-1][1] - drawn_ms) <= 90_000


def test_what_waited_in_a_polled_analyzer_is_told() -> None:
    desk = Desk("ysi-2700")
    desk.measured(90.0)
    desk.pair.inject("unplug")
    desk.measured(100.0)
    desk.pair.clear(FaultKind.UNPLUG)
    desk.pair.open()
    events = desk.run(MIN)
    assert len(desk.taken) == 1
    assert told(events) == ["sample 2 waited in the analyzer: kept as history, key it in if it counts"]


# --- single links ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """One Biosen record."""

    number: str
    time: str
    value: str = "5.12  "
    date: str = "01.01.26"

    @property
    def sent(self) -> bytes:
        return f"\x02BIOS01DS0000{self.number:<12}001{self.date}{self.time}{self.value}mmol/l\r\n".encode()


def test_biosens_number_wraps_and_midnight_passes() -> None:
    link = Biosen(glucose_channel="001", wall_zero=datetime(2026, 1, 1, 23, 50))
    link.opened(1, 0)
    found = []
    for minute, record in (
        (3, Record("998", "23:53")),
        (8, Record("999", "23:58")),
        (13, Record("000", "00:03", date="02.01.26")),
        (18, Record("001", "00:08", date="02.01.26")),
    ):
        found += patients(link.receive(record.sent, minute * MIN))
    assert len({sample.sample_id for sample in found}) == 4
    assert all(sample.drawn_at_ms is None for sample in found)


def test_a_damaged_biosen_record_is_told_as_it_never_comes_again() -> None:
    link = Biosen(glucose_channel="001")
    sent = Record("001", "08:10").sent
    assert "key it in" in told(link.receive(sent[:30] + sent[31:], 0))[0]


PATTERN = r"GLU (?P<value>\d{1,4}\.\d) (?P<unit>\S{4,6}) #(?P<id>\d{1,8})"


def test_twelve_hours_of_a_printers_memory_dose_nothing() -> None:
    learned = form_of(Rules(), PATTERN, "CRLF").fingerprint
    link = LineAnalyzer(wall_zero=WALL_ZERO, pattern=PATTERN, end="CRLF", learned=learned)
    link.opened(1, 0)
    events: list[DeviceEvent] = []
    for number in range(144):
        events += link.receive(f"GLU {80 + number % 40}.0 mg/dL #{number}\r\n".encode(), 200 + 30 * number)
    assert patients(events) == []
    assert told(events)
    assert len(patients(link.receive(b"GLU 92.0 mg/dL #200\r\n", 90_000))) == 1


@pytest.mark.parametrize("kept", [2, 3])
def test_an_astm_message_that_breaks_off_before_its_glucose_is_told(kept: int) -> None:
    link = Astm()
    events = link.receive(transfer(*Said().records[:kept]), 0)
    assert told(events) == ["a message broke off: key its result in unless it comes again"]
    assert len(patients(link.receive(transfer(*Said().records), 60_000))) == 1


def test_siemens_frames_that_are_lost_for_good_are_told() -> None:
    link = Siemens()
    link.opened(1, 0)
    assert told(link.receive(b"\x02SMP\x0300\x04", 1000)) == []
    assert "key it in" in told(link.receive(b"\x02SMP\x0300\x04", 6000))[0]
