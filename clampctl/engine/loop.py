"""The control thread's work: stamp, step, journal, release - for one event at a time.

One owner of state and journal. The bench calls `accept` in virtual time; `run` is the same in real
time, fed by bounded queues. No order leaves before its line is on disk.
"""

import contextlib
import queue
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from clampctl.core.codec import Digest, plain
from clampctl.core.commands import Command, Role, StopPump
from clampctl.core.events import (
    Event,
    InsulinStopPressed,
    JournalTroubled,
    LinkTroubled,
    NoteLogged,
    Ticked,
    Trouble,
)
from clampctl.core.state import DOSING, InvariantBroken, State
from clampctl.core.step import step
from clampctl.engine.journal import Journal

TICK_MS = 1_000
QUEUE_LENGTH = 1_000
TURN_S = 0.2

_TICK = plain(Ticked())


class Watcher(Protocol):
    """Whoever wants to see each step: history for the windows, the bench's record."""

    def saw(self, seq: int, before: State | None, event: Event, after: State) -> None:
        """One event was taken in and is in the journal."""


class Control:
    """State and journal with their one writer."""

    def __init__(
        self,
        journal: Journal,
        release: Callable[[Command], None],
        watchers: tuple[Watcher, ...] = (),
        state: State | None = None,
    ) -> None:
        self.journal = journal
        self.state = state
        self._release = release
        self._watchers = watchers
        self._digest = Digest()
        self._recorded = True

    def accept(self, event: Event, at_ms: int) -> int:
        """Take one event in at `at_ms`; returns its journal seq. Raises InvariantBroken on a bug."""
        before = self.state
        after, commands = step(before, event, at_ms)
        seq = self._write(event, after, commands, at_ms)
        self.state = after
        for command in commands:
            if self._recorded or _safe_unrecorded(command):
                self._release(command)
        for watcher in self._watchers:
            watcher.saw(seq, before, event, after)
        return seq

    def _write(self, event: Event, after: State, commands: tuple[Command, ...], at_ms: int) -> int:
        if not self._recorded:
            return self.journal.seq
        written = _TICK if event.__class__ is Ticked else plain(event)
        orders = [plain(command) for command in commands]
        durable = bool(commands) or event.__class__ is not Ticked
        try:
            return self.journal.append(at_ms, written, orders, self._digest.of(after), durable)
        except OSError as error:
            self._recorded = False
            self._unrecorded = error.strerror or str(error)
            return self.journal.seq

    def journal_lost(self, at_ms: int) -> None:
        """Go on without a record: the alarm, and insulin off when it runs by protocol (SR-29)."""
        if self._recorded or self.state is None or self.state.safeguards.journal_trouble:
            return
        self.accept(JournalTroubled(self._unrecorded, copies_left=0), at_ms)
        if self.state.phase in DOSING:
            self.accept(InsulinStopPressed("program, for want of a record"), at_ms)


def _safe_unrecorded(command: Command) -> bool:
    """Without a record insulin may only be stopped; dextrose goes on by its tail."""
    return command.role is Role.DEXTROSE or isinstance(command, StopPump)


@dataclass(frozen=True, slots=True)
class Posted:
    """An event on its way to the control thread, and who wants to hear what became of it."""

    event: Event
    answer: Callable[[int, str], None] | None = None


class Inbox:
    """Two bounded queues: stops are read first. Full is an alarm, not a wait."""

    def __init__(self, length: int = QUEUE_LENGTH) -> None:
        self._urgent: queue.Queue[Posted] = queue.Queue(length)
        self._ordinary: queue.Queue[Posted | None] = queue.Queue(length)
        self.overflowed = ""

    def post(self, event: Event, answer: Callable[[int, str], None] | None = None) -> bool:
        """Leave an event for the control thread; False when the queue is full."""
        try:
            if isinstance(event, InsulinStopPressed):
                self._urgent.put_nowait(Posted(event, answer))
                self._wake()
            else:
                self._ordinary.put_nowait(Posted(event, answer))
        except queue.Full:
            self.overflowed = f"no room for {type(event).__name__}"
            return False
        return True

    def _wake(self) -> None:
        """Let a waiting reader look at the urgent queue; a full ordinary queue is awake anyway."""
        with contextlib.suppress(queue.Full):
            self._ordinary.put_nowait(None)

    def take(self, wait_s: float) -> Posted | None:
        """The next event, stops first; None when none came in time."""
        try:
            return self._urgent.get_nowait()
        except queue.Empty:
            pass
        try:
            posted = self._ordinary.get(timeout=max(0.0, wait_s))
        except queue.Empty:
            return None
        if posted is not None:
            return posted
        try:
            return self._urgent.get_nowait()
        except queue.Empty:
            return None


def run(
    control: Control,
    inbox: Inbox,
    now_ms: Callable[[], int],
    going: Callable[[], bool],
    ticked: Callable[[int], None],
    turn_s: float = TURN_S,
) -> None:
    """The control thread: events as they come, a tick a second, until `going` is false.

    `turn_s` is the longest wait for an event, in real seconds. `ticked` hears each tick's time, the
    heartbeat of guardian and insulin lease. A broken invariant is written down and ends the engine:
    it restarts into SAFE-TAIL (SR-33).
    """
    next_tick_ms = now_ms()
    try:
        while going():
            wait_s = (next_tick_ms - now_ms()) / 1000
            posted = inbox.take(min(turn_s, wait_s)) if wait_s > 0 else None
            if posted is not None:
                _handled(control, posted, now_ms())
            if inbox.overflowed:
                detail, inbox.overflowed = inbox.overflowed, ""
                control.accept(LinkTroubled(Role.ANALYZER, Trouble.FULL_QUEUE, detail), now_ms())
            at_ms = now_ms()
            if at_ms >= next_tick_ms:
                control.accept(Ticked(), at_ms)
                control.journal_lost(at_ms)
                ticked(at_ms)
                next_tick_ms = max(next_tick_ms + TICK_MS, at_ms)
    except InvariantBroken as broken:
        control.accept(NoteLogged(f"invariant broken: {broken}", "program"), now_ms())
        raise


def _handled(control: Control, posted: Posted, at_ms: int) -> None:
    seq = control.accept(posted.event, at_ms)
    if posted.answer is not None and control.state is not None:
        posted.answer(seq, control.state.refusal)
