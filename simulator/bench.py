"""The bench: subject, emulators, links and engine loop in one thread and virtual time.

The only difference to a bedside is who sits at the other end of the wire: the same links, the same
bytes, the same `Control`. Time jumps to whatever is due next.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from clampctl.core.commands import Command, Role
from clampctl.core.events import Event, SampleDrawn, SessionStarted, Ticked
from clampctl.core.state import Pump, State, Verdict
from clampctl.engine.journal import Journal
from clampctl.engine.loop import TICK_MS, Control, Watcher
from drivers.link import Link
from simulator.bedside import Bedside
from simulator.devices.device import Device
from simulator.faults import Planned
from simulator.nurse import Nurse, Seen

TURNS_MAX = 10_000
"""Exchanges at one instant; more is a loop without end between a link and an emulator."""


@dataclass(slots=True)
class Wired:
    """A link and the emulated device at the other end of its wire."""

    role: Role
    link: Link
    device: Device


class Bench:
    """One clamp in virtual time."""

    def __init__(
        self,
        journal: Journal,
        started: SessionStarted,
        wires: tuple[Wired, ...],
        bedside: Bedside,
        nurse: Nurse,
        faults: tuple[Planned, ...] = (),
        watchers: tuple[Watcher, ...] = (),
    ) -> None:
        self.now_ms = 0
        self.control = Control(journal, self._send, watchers)
        self._wires = wires
        self._by_role = {wire.role: wire for wire in wires}
        self._bedside = bedside
        self._nurse = nurse
        self._faults = sorted(faults, key=lambda fault: fault.at_ms)
        self._events: deque[Event] = deque()
        self._orders: deque[Command] = deque()
        self._taking = False
        self._next_tick_ms = 0
        self.accept(started)
        for wire in wires:
            wire.link.opened(1, 0)

    @property
    def state(self) -> State:
        """The core's state now."""
        state = self.control.state
        if state is None:
            raise RuntimeError("the bench has not started")
        return state

    def run(self, done: Callable[[State], bool], end_ms: int) -> None:
        """Let time pass until `done`, or until `end_ms`."""
        while self.now_ms < end_ms and not done(self.state):
            self.now_ms = min(end_ms, max(self.now_ms, self._next_ms()))
            self._moment()

    def accept(self, event: Event) -> None:
        """An event now; the orders it causes go to the pumps at once.

        What the pumps answer waits its turn, as in the engine's queue: each event is taken in whole
        before the next, however the answers come about.
        """
        self._events.append(event)
        if self._taking:
            return
        self._taking = True
        while self._events:
            self.control.accept(self._events.popleft(), self.now_ms)
            while self._orders:
                order = self._orders.popleft()
                wire = self._by_role[order.role]
                wire.link.send(order, self.now_ms)
                self._settle(wire)
        self._taking = False

    def _send(self, command: Command) -> None:
        self._orders.append(command)

    def _next_ms(self) -> int:
        next_ms = min(self._next_tick_ms, self._bedside.next_ms)
        if self._faults:
            next_ms = min(next_ms, self._faults[0].at_ms)
        for wire in self._wires:
            due = wire.link.wake_at()
            if due is not None and due < next_ms:
                next_ms = due
            due = wire.device.wake_at()
            if due is not None and due < next_ms:
                next_ms = due
        return next_ms

    def _moment(self) -> None:
        now_ms = self.now_ms
        while self._faults and self._faults[0].at_ms <= now_ms:
            self._faults.pop(0).happen(self._bedside, now_ms)
        for wire in self._wires:
            due = wire.device.wake_at()
            if due is not None and due <= now_ms:
                wire.device.advance(now_ms)
                self._settle(wire)
            due = wire.link.wake_at()
            if due is not None and due <= now_ms:
                for event in wire.link.wake(now_ms):
                    self.accept(event)
                self._settle(wire)
        self._bedside.advance(now_ms)
        if now_ms >= self._next_tick_ms:
            self.accept(Ticked())
            self._next_tick_ms += TICK_MS
            self._nursed()

    def _settle(self, wire: Wired) -> None:
        """Pass bytes to and fro until both ends are silent at this instant."""
        link, device, now_ms = wire.link, wire.device, self.now_ms
        for _ in range(TURNS_MAX):
            to_device = link.take_output()
            if to_device:
                device.receive(to_device, now_ms)
            to_link = device.take_output()
            if not to_link:
                if not to_device:
                    return
                continue
            for event in link.receive(to_link, now_ms):
                self.accept(event)
        raise RuntimeError(f"the {wire.role.value} wire never falls silent")

    def _nursed(self) -> None:
        for act in self._nurse.look(seen(self.state), self.now_ms):
            self.accept(act)
            if isinstance(act, SampleDrawn):
                self._bedside.draw(self.now_ms)


def seen(state: State) -> Seen:
    """What a window would show of a state, as far as the nurse cares."""
    newest, proposal = state.blood.newest, state.dosing.proposal
    return Seen(
        phase=state.phase.value,
        pumps_ready=_ready(state.dextrose) and _ready(state.insulin),
        clamp_started_ms=state.clamp_started_ms,
        newest_sample=None if newest is None else newest.sample_id,
        doubted=newest is not None and newest.verdict is Verdict.DOUBTED,
        proposal=None if proposal is None else proposal.number,
        proposal_expires_ms=None if proposal is None else proposal.expires_at_ms,
    )


def _ready(pump: Pump) -> bool:
    return pump.identified and pump.heard_at_ms is not None
