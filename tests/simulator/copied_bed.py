"""A virtual clamp that can be copied in its midst, each copy with a journal of its own; seen from outside."""

import copy
from dataclasses import dataclass
from pathlib import Path

from clampctl.core.codec import Digest, plain, read_event
from clampctl.core.events import Event, LinkTroubled, Trouble
from clampctl.core.protocol import Mode
from clampctl.core.state import Priority, State
from clampctl.core.step import step
from clampctl.engine.journal import Journal, Line, next_line
from clampctl.engine.opening import session_started
from clampctl.study.load import load_protocol
from clampctl.study.variants import with_mode
from simulator.bedside import Bedside
from simulator.bench import Bench, Wired
from simulator.clamp import virtual_subject
from simulator.furniture import Choice, furniture
from simulator.models import MODELS, Person
from simulator.nurse import Nurse
from simulator.subjects.variability import NOISES

PROTOCOL = with_mode(load_protocol("euglycemic-40"), Mode.AUTOMATIC)


class Bed:
    """One clamp on the bench, looked at from outside; a copy of it goes its own way."""

    def __init__(self, choice: Choice, path: Path) -> None:
        subject = MODELS["composite"].one(Person("lean"))
        self.stands, self.choice = furniture(choice), choice
        stands = self.stands
        self.bedside = Bedside(
            subject, NOISES["none"], 1, stands.dextrose, stands.insulin, stands.analyzer, PROTOCOL.infusates
        )
        first = session_started(PROTOCOL, virtual_subject(subject, "s"), stands.station, "s", "")
        wires = tuple(Wired(role, stands.links[role], device) for role, device in stands.devices.items())
        self.journal = Journal(path, lambda _: None)
        self.moments: list[Moment] = []
        self.bench = Bench(self.journal, first, wires, self.bedside, Nurse(PROTOCOL.sampling_ms), (), (self,))

    def saw(self, seq: int, before: State | None, event: Event, after: State) -> None:  # noqa: ARG002 - a watcher
        """See `Watcher`."""
        pumps = self.stands.dextrose, self.stands.insulin
        self.moments.append(Moment(event, after, *(pump.flow_ul_h for pump in pumps)))

    def copied(self, path: Path) -> "Bed":
        """The same bed, that writes on in a copy of its journal."""
        data = self.journal.path.read_bytes()
        path.write_bytes(data)
        journal = Journal(path, lambda _: None, last_line(data).sha256, self.journal.seq)
        return copy.deepcopy(self, {id(self.journal): journal, id(self.moments): []})

    def until(self, at_ms: int) -> None:
        """Let time pass."""
        self.bench.run(lambda _: False, at_ms)


@dataclass(frozen=True, slots=True)
class Moment:
    """One event, the state after it, and the true flows, µL/h."""

    event: Event
    state: State
    dextrose_ul_h: int
    insulin_ul_h: int

    @property
    def is_high(self) -> bool:
        """Whether a high alarm holds."""
        return any(alarm.holds and alarm.priority is Priority.HIGH for alarm in self.state.alarms)

    @property
    def refusal(self) -> str:
        """Why a link refused an order just now; "" where none did."""
        event = self.event
        return event.detail if isinstance(event, LinkTroubled) and event.trouble is Trouble.REFUSED else ""

    @property
    def tail(self) -> str:
        """What the SAFE-TAIL alarm says; "" where there is none."""
        return next((alarm.text for alarm in self.state.alarms if alarm.name == "safe_tail"), "")


def last_line(data: bytes) -> Line:
    """Where a journal stands."""
    raw = data.splitlines()[-1]
    return Line(data.count(b"\n"), {}, raw[9:73].decode("ascii"), len(data))


def replayed(data: bytes, before: Bed) -> int:
    """How many events were folded again from where the copy began, each with the same result."""
    state, digest, line = before.bench.state, Digest(), last_line(before.journal.path.read_bytes())
    count = 0
    while line.end_byte < len(data):
        line, count = next_line(data, line), count + 1
        state, commands = step(state, read_event(line.body["event"]), line.body["at_ms"])
        assert [plain(command) for command in commands] == line.body["commands"]
        assert digest.of(state) == line.body["digest"]
    return count
