"""A virtual bedside in passing time: emulators on pseudo-terminals or TCP ports, a subject, a nurse.

For the live stack: the engine opens these ports as it would real ones. The demo's time runs faster
than the wall clock, and waits while a byte is on its way, so that speed never looks like silence.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from clampctl.core.commands import Role
from clampctl.core.events import Event, SampleDrawn
from clampctl.engine.ports import Wire
from simulator.bedside import Bedside
from simulator.devices.device import Device
from simulator.nurse import Nurse, Seen
from simulator.transport import Transport

TURN_S = 0.001
STEP_MS_MAX = 100
"""Virtual time moves on by at most this much at once, however long the computer slept."""

TICK_LATE_MS = 1_200

WAIT_S_MAX = 0.25
"""How long time waits for a port to read its answer; a port that is gone must not stop it."""


class DemoClock:
    """Milliseconds that pass `speed` times as fast, but not while a wire waits for its answer."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._now_ms = 0.0
        self._real_s = time.monotonic()
        self._asked: dict[int, float] = {}
        self._ticked_ms: float | None = None
        self._ticked_s = self._real_s

    def now_ms(self) -> int:
        """Virtual session time; any thread may ask."""
        return int(self._now_ms)

    def asked(self, wire: int) -> None:
        """A wire was written to and expects an answer."""
        self._asked[wire] = time.monotonic()

    def answered(self, wire: int) -> None:
        """The answer was read."""
        self._asked.pop(wire, None)

    def ticked(self) -> None:
        """The control thread's heartbeat: time does not run away from it."""
        self._ticked_ms, self._ticked_s = self._now_ms, time.monotonic()

    def pass_on(self) -> None:
        """Let time pass; only the serving thread calls this."""
        real_s = time.monotonic()
        passed_ms = (real_s - self._real_s) * 1000.0 * self._speed
        self._real_s = real_s
        if any(real_s - at_s < WAIT_S_MAX for at_s in list(self._asked.values())):
            return
        tick_is_late = self._ticked_ms is not None and self._now_ms - self._ticked_ms > TICK_LATE_MS
        if tick_is_late and real_s - self._ticked_s < WAIT_S_MAX:
            return
        self._now_ms += min(passed_ms, STEP_MS_MAX)


class PacedWire:
    """A port that tells the demo's clock when it waits for an answer."""

    def __init__(self, wire: Wire, clock: DemoClock) -> None:
        self._wire = wire
        self._clock = clock

    @property
    def in_waiting(self) -> int:
        """See `Wire`."""
        return self._wire.in_waiting

    def read(self, size: int = 1) -> bytes:
        """See `Wire`."""
        data = self._wire.read(size)
        if data:
            self._clock.answered(id(self))
        return data

    def write(self, data: bytes) -> int | None:
        """See `Wire`."""
        self._clock.asked(id(self))
        return self._wire.write(data)

    def close(self) -> None:
        """See `Wire`."""
        self._clock.answered(id(self))
        self._wire.close()


@dataclass(frozen=True, slots=True)
class Plugged:
    """An emulated device on its transport."""

    role: Role
    device: Device
    transport: Transport


class LiveBedside:
    """Everything at the bed in one thread; `run` is its body."""

    def __init__(
        self,
        plugged: tuple[Plugged, ...],
        bedside: Bedside,
        nurse: Nurse,
        now_ms: Callable[[], int],
        pass_on: Callable[[], None],
    ) -> None:
        self._plugged = plugged
        self._bedside = bedside
        self._nurse = nurse
        self._now_ms = now_ms
        self._pass_on = pass_on
        self._looked_ms = -1_000

    def run(
        self, look: Callable[[], Seen | None], post: Callable[[Event], None], stop: threading.Event
    ) -> None:
        """Serve until told to stop; `look` is the nurse's screen, `post` her keyboard."""
        try:
            while not stop.is_set():
                self._pass_on()
                self._turn()
                self._nursed(look, post)
                stop.wait(TURN_S)
        finally:
            for plug in self._plugged:
                plug.transport.close()

    def _turn(self) -> None:
        for plug in self._plugged:
            now_ms = self._now_ms()
            plug.device.advance(now_ms)
            if not plug.device.plugged:
                plug.transport.hang_up()
                continue
            data = plug.transport.read(0.0)
            if data:
                plug.device.receive(data, now_ms)
            output = plug.device.take_output()
            if output:
                plug.transport.write(output)
        self._bedside.advance(self._now_ms())

    def _nursed(self, look: Callable[[], Seen | None], post: Callable[[Event], None]) -> None:
        now_ms = self._now_ms()
        if now_ms - self._looked_ms < 1_000:
            return
        self._looked_ms = now_ms
        seen = look()
        if seen is None:
            return
        for act in self._nurse.look(seen, now_ms):
            post(act)
            if isinstance(act, SampleDrawn):
                self._bedside.draw(now_ms)
