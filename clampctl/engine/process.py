"""The engine as a process: threads for ports, server and control, joined into one session.

Started by the guardian, or by the demo in its own time. Ends when the session is closed, or cleanly
on request: insulin stopped and verified first, dextrose left running, as the fallback rule says.
"""

import gc
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from clampctl.core.commands import Command, Role
from clampctl.core.events import (
    DeviceEvent,
    Event,
    InsulinStopPressed,
    LinkTroubled,
    PumpShown,
    SessionResumed,
    SessionStarted,
    Trouble,
    WindowsCounted,
)
from clampctl.core.state import DOSING, InvariantBroken, Phase, State
from clampctl.engine.clock import boot_ms, utc_now
from clampctl.engine.history import History
from clampctl.engine.journal import Journal
from clampctl.engine.loop import TURN_S, Control, Inbox, run
from clampctl.engine.ports import Port, Surroundings, Wire
from clampctl.engine.server import Server, Sources, listen
from clampctl.engine.snapshot import hello, snapshot
from clampctl.engine.wire import Hello, Snapshot
from drivers.link import Link
from drivers.wiretap import Direction, Wiretap

STOP_WITHIN_MS = 5_000
CLOSED_LINGER_MS = 3_000


@dataclass(frozen=True, slots=True)
class Ends:
    """One device: its link, and how its port is opened."""

    link: Link
    opener: Callable[[], Wire]


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a session starts: a new journal with its first event, or an old one with its state."""

    journal: Journal
    event: SessionStarted | SessionResumed
    state: State | None
    history: History


class Engine:
    """One running session."""

    def __init__(
        self,
        begin: Begin,
        ends: Mapping[Role, Ends],
        address: str,
        now_ms: Callable[[], int],
        wire_folder: Path | None = None,
        turn_s: float = TURN_S,
        wall: Callable[[], str] = utc_now,
    ) -> None:
        listening, self.address = listen(address)
        self.history = begin.history
        self._begin = begin
        self._now_ms = now_ms
        self._turn_s = turn_s
        self._wall = wall
        self._inbox = Inbox()
        self._stop = threading.Event()
        self._ending = threading.Event()
        self._ticked_ms = now_ms()
        self._ending_since_ms: int | None = None
        self._taps = _taps(wire_folder, ends)
        self.control = Control(begin.journal, self._release, (begin.history, self), begin.state)
        around = Surroundings(now_ms, self._emit, self._tapped, lambda: self._ticked_ms, self._stop)
        self._ports = {
            role: Port(role, end.link, end.opener, around, _epoch(begin.state, role))
            for role, end in ends.items()
        }
        sources = Sources(self._hello, self._snapshot, self.history, self.post, self._counted, boot_ms)
        self._server = Server(listening, sources, self._stop)

    def run(self, beat: Callable[[], None]) -> None:
        """Run the session to its end; `beat` is called at each tick of the control thread."""
        self.control.accept(self._begin.event, self._now_ms())
        gc.freeze()
        threads = [threading.Thread(target=self._server.run, name="server")]
        threads += [
            threading.Thread(target=port.run, name=f"port {role.value}") for role, port in self._ports.items()
        ]
        for thread in threads:
            thread.start()

        def ticked(at_ms: int) -> None:
            self._ticked_ms = at_ms
            dead = [thread.name for thread in threads if not thread.is_alive()]
            if dead:
                raise InvariantBroken(f"the thread {dead[0]!r} ended by itself")
            beat()

        try:
            run(self.control, self._inbox, self._now_ms, self._going, ticked, self._turn_s)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
            self._begin.journal.close()
            for file, _ in self._taps.values():
                file.close()

    def end(self) -> None:
        """Ask the engine to end: insulin is stopped and verified first. Any thread may call this."""
        self._ending.set()

    def post(self, event: Event, answer: Callable[[int, str], None]) -> bool:
        """An event from a window."""
        return self._inbox.post(event, answer)

    def saw(self, _seq: int, _before: State | None, event: Event, _after: State) -> None:
        """What a person read off a pump that is set by hand goes to that pump's link."""
        if isinstance(event, PumpShown) and event.role in self._ports:
            self._ports[event.role].shown(event.rate_ul_h)

    def _going(self) -> bool:
        """Whether to go on; when asked to end, insulin's stop is waited for, not for ever."""
        state = self.control.state
        if state is None or not (self._ending.is_set() or state.phase is Phase.CLOSED):
            return True
        if self._ending_since_ms is None:
            self._ending_since_ms = self._now_ms()
            if state.phase in DOSING:
                self._inbox.post(InsulinStopPressed("program, which was ended"))
        waited_ms = self._now_ms() - self._ending_since_ms
        if state.phase is Phase.CLOSED:
            return waited_ms < CLOSED_LINGER_MS
        return not self.insulin_is_off() and waited_ms < STOP_WITHIN_MS

    def insulin_is_off(self) -> bool:
        """Whether the insulin pump confirmed its stop, was never told to run, or is ours no more."""
        state = self.control.state
        if state is None or state.phase is Phase.CLOSED:
            return True
        insulin = state.insulin
        return state.phase not in DOSING and (insulin.verified or insulin.commanded_ul_h is None)

    def _release(self, command: Command) -> None:
        port = self._ports.get(command.role)
        if port is not None and not port.send(command):
            detail = f"orders wait for the {command.role.value} pump"
            self._inbox.post(LinkTroubled(command.role, Trouble.FULL_QUEUE, detail))

    def _emit(self, event: DeviceEvent) -> bool:
        return self._inbox.post(event)

    def _tapped(self, role: Role, data: bytes, received: bool, now_ms: int) -> None:
        """Keep raw bytes; a full disk ends the keeping, never the port."""
        kept = self._taps.get(role)
        if kept is None:
            return
        try:
            kept[1].note(Direction.FROM_DEVICE if received else Direction.TO_DEVICE, data, now_ms)
        except OSError:
            self._taps.pop(role, None)

    def _counted(self, count: int) -> None:
        self._inbox.post(WindowsCounted(count))

    def _hello(self) -> Hello | None:
        state = self.control.state
        return None if state is None else hello(state, live=True)

    def _snapshot(self) -> Snapshot | None:
        state = self.control.state
        if state is None:
            return None
        return snapshot(state, self.history, self._wall(), max(state.at_ms, self._now_ms()))


def _epoch(state: State | None, role: Role) -> int:
    """The last connection's number: a new engine counts on, so that old orders stay void."""
    if state is None or role is Role.ANALYZER:
        return 0
    return state.dextrose.epoch if role is Role.DEXTROSE else state.insulin.epoch


def _taps(folder: Path | None, ends: Mapping[Role, Ends]) -> dict[Role, tuple[BinaryIO, Wiretap]]:
    """A file of raw bytes for each wire, beside the journal; none when no folder is given."""
    if folder is None:
        return {}
    taps: dict[Role, tuple[BinaryIO, Wiretap]] = {}
    for role in ends:
        file: BinaryIO = (folder / f"{role.value}.wire.jsonl").open("ab", buffering=0)
        taps[role] = (file, Wiretap(file, role.value))
    return taps
