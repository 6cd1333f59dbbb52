"""One link or one emulator under fuzz: frames in, everything watched. Not here: which, how many."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from types import TracebackType

from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from clampctl.core.events import DeviceEvent, GlucoseSampled, PumpIdentified, PumpReported
from drivers.link import Link
from tests.fuzz.mutate import Mutator
from tests.fuzz.row import Made, Row
from tests.fuzz.witness import Witness

SETTLE_MS = 12_000
"""Clean talk before the damage: a link has identified its device by then."""

EPISODE = 60
"""Frames between two openings of the wire."""

LIFE = 5_000
"""Frames that one emulated device lives through; the next is as new."""

WAKES_MAX = 200
TURNS_MAX = 1_000
PASSES_MS = (0, 0, 0, 1, 5, 40, 120, 350, 600, 1_100, 3_100, 16_000)
RATES_UL_H = (0, 1_000, 60_000, 120_000)


class Wrong(Exception):
    """Something that no bytes may cause."""


class Trail:
    """The latest doings, added to whatever is raised meanwhile."""

    def __init__(self) -> None:
        self._steps: deque[str] = deque(maxlen=12)

    def note(self, now_ms: int, doing: str, data: bytes = b"") -> None:
        """One step."""
        self._steps.append(f"{now_ms} ms {doing} {data.hex(' ')}")

    def __enter__(self) -> "Trail":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note("\n".join(("the latest steps:", *self._steps)))


@dataclass(slots=True)
class Count:
    """Frames fed so far."""

    frames: int = 0


class LinkRig:
    """One link for a whole life, opened again and again on wires that lie."""

    def __init__(self, row: Row, seed: int) -> None:
        self._row = row
        self._dice = Random(seed)
        self._link: Link = row.link()
        self._mutator = Mutator(row.from_device, self._dice)
        self._witness = Witness(row.scan)
        self._trail = Trail()
        self._now_ms = 0
        self._epoch = 0
        self.count = Count()
        self._episodes = [self._cold, self._retold, self._noisy]
        if row.scan is not None:
            self._episodes.append(self._deaf)

    def run(self, frames: int) -> None:
        """Feed so many more frames. Errors: Wrong, or whatever the link raised, with the latest steps."""
        until = self.count.frames + frames
        with self._trail:
            while self.count.frames < until:
                self._dice.choice(self._episodes)()

    # --- four kinds of episode ---------------------------------------------------------------

    def _cold(self) -> None:
        """The wire is opened on noise; anything may come."""
        self._open()
        for _ in range(EPISODE):
            self._feed(self._mutator.frame())
            self._pass(self._dice.choice(PASSES_MS))
            self._link.take_output()

    def _retold(self) -> None:
        """Golden cases from beginning to end, with some frames spoilt."""
        self._open()
        for _ in range(EPISODE // 10):
            for frame in self._dice.choice(self._row.cases):
                self._feed(self._mutator.spoilt(frame) if self._dice.random() < 0.1 else frame)
                self._pass(self._dice.choice(PASSES_MS[:9]))
                self._link.take_output()

    def _deaf(self) -> None:
        """A link at work hears damaged frames only, most of them answers: it may not tell one value."""
        made = self._settled()
        self._witness.reset()
        for _ in range(EPISODE):
            if self._dice.random() < 0.3:
                self._damaged(self._mutator.frame())
            self._talk(made, self._damaged)
            self._pass(self._dice.choice(PASSES_MS), made)
            self._order()
            self._bleed(made)

    def _noisy(self) -> None:
        """A link at work on a bad wire, both ways."""
        made = self._settled()
        for _ in range(EPISODE):
            if self._dice.random() < 0.2:
                self._feed(self._mutator.frame())
            self._talk(made, self._doubtful, lies=0.15)
            self._pass(self._dice.choice(PASSES_MS), made)
            self._order()
            self._bleed(made)

    # --- what they are made of ---------------------------------------------------------------

    def _open(self) -> None:
        self._epoch += 1
        self._trail.note(self._now_ms, "opened")
        self._witness.reset()
        self._link.opened(self._epoch, self._now_ms)

    def _settled(self) -> Made:
        """A new device, and a link that has talked with it undisturbed; what was said then counts."""
        made = self._row.device(self._now_ms)
        self._open()
        self._witness.frames = 1
        until_ms = self._now_ms + SETTLE_MS
        while self._now_ms < until_ms:
            self._talk(made, lambda reply: self._judge(self._link.receive(reply, self._now_ms)))
            due = [ms for ms in (self._link.wake_at(), made.device.wake_at()) if ms is not None]
            self._pass(max(min(due, default=until_ms), self._now_ms + 1) - self._now_ms, made)
        return made

    def _talk(self, made: Made, hears: Callable[[bytes], None], lies: float = 0.0) -> None:
        """What waits on both sides goes over, and the answers to it; so many of the link's are spoilt."""
        for _ in range(TURNS_MAX):
            out, back = self._link.take_output(), made.device.take_output()
            if not out and not back:
                return
            if out:
                lie = self._dice.random() < lies
                made.device.receive(self._mutator.spoilt(out) if lie else out, self._now_ms)
            if back:
                hears(back)
        raise Wrong("link and device never fall silent")

    def _bleed(self, made: Made) -> None:
        """Now and then an analyzer is given blood."""
        if made.place is not None and self._dice.random() < 0.1:
            made.place(self._dice.uniform(60.0, 160.0), self._now_ms)

    def _doubtful(self, reply: bytes) -> None:
        self._feed(self._mutator.spoilt(reply) if self._dice.random() < 0.3 else reply)

    def _damaged(self, frame: bytes) -> None:
        """Hardly another frame, but no sound one; otherwise it is lost."""
        touched = self._mutator.touched(frame)
        if not self._witness.found(touched):
            self._feed(touched)

    def _feed(self, frame: bytes) -> None:
        self.count.frames += 1
        for piece in self._mutator.pieces(frame):
            self._give(piece)

    def _give(self, piece: bytes) -> None:
        self._witness.hear(piece)
        self._trail.note(self._now_ms, "hears", piece)
        self._judge(self._link.receive(piece, self._now_ms))

    def _pass(self, ms: int, made: Made | None = None) -> None:
        """Time passes; every timer that is due runs."""
        self._now_ms += ms
        if made is not None:
            made.device.advance(self._now_ms)
        for _ in range(WAKES_MAX):
            due_ms = self._link.wake_at()
            if due_ms is None or due_ms > self._now_ms:
                return
            self._trail.note(self._now_ms, "wakes")
            self._judge(self._link.wake(self._now_ms))
        raise Wrong("a timer is due for ever")

    def _order(self) -> None:
        role = self._row.role
        if role is Role.ANALYZER or self._dice.random() > 0.1:
            return
        rate_ul_h = self._dice.choice(RATES_UL_H)
        orders: tuple[Command, ...] = (
            SetRate(role, rate_ul_h, self._epoch),
            StartPump(role, max(rate_ul_h, 1_000), self._epoch),
            StopPump(role, self._epoch),
        )
        order = self._dice.choice(orders)
        self._trail.note(self._now_ms, f"is told {order}")
        self._link.send(order, self._now_ms)

    def _judge(self, events: list[DeviceEvent]) -> None:
        """A value needs a sound frame; a sample's digits must stand in one."""
        for event in events:
            match event:
                case GlucoseSampled():
                    if self._row.scan is not None and not self._witness.knows(
                        event.raw_value.encode("latin-1")
                    ):
                        raise Wrong(f"told {event.raw_value!r}, which no sound frame holds")
                case PumpReported() | PumpIdentified():
                    if self._row.scan is not None and not self._witness.frames:
                        raise Wrong(f"told {event} without one sound frame")
                case _:
                    pass


class DeviceRig:
    """Emulated devices of one kind that hear mutated host frames."""

    def __init__(self, row: Row, seed: int) -> None:
        self._row = row
        self._dice = Random(seed)
        self._mutator = Mutator(row.hears, self._dice)
        self._trail = Trail()
        self._now_ms = 0
        self.count = Count()

    def run(self, frames: int) -> None:
        """Feed so many more frames. Errors: whatever the device raised, with the latest steps."""
        until = self.count.frames + frames
        with self._trail:
            while self.count.frames < until:
                self._live(min(LIFE, until - self.count.frames))

    def _live(self, frames: int) -> None:
        made = self._row.device(self._now_ms)
        self._trail.note(self._now_ms, "switched on")
        placed_ms = self._now_ms
        for _ in range(frames):
            self.count.frames += 1
            for piece in self._mutator.pieces(self._mutator.frame()):
                self._trail.note(self._now_ms, "hears", piece)
                made.device.receive(piece, self._now_ms)
            self._now_ms += self._dice.choice(PASSES_MS)
            made.device.advance(self._now_ms)
            made.device.take_output()
            made.device.wake_at()
            if made.place is not None and self._now_ms - placed_ms > 120_000:
                placed_ms = self._now_ms
                made.place(self._dice.uniform(0.0, 400.0), self._now_ms)
