"""A pump at the bench on its real port, as the guide waits for it."""

import contextlib
import queue
import threading
from collections.abc import Callable

from clampctl.cli.bench_pump import Heard
from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent
from clampctl.engine.clock import SessionClock
from clampctl.engine.ports import Port, Surroundings, Wire
from drivers.link import Link

TURN_S = 0.05
EPOCHS_APART = 1_000
"""Each opening by hand counts its connections from a number that no earlier one reached."""


class LiveWires:
    """The pump on its real port, in a thread of its own, so that it is polled while a person thinks."""

    def __init__(self, role: Role, link: Link, opener: Callable[[], Wire]) -> None:
        self._role = role
        self._link = link
        self._opener = opener
        self._clock = SessionClock()
        self._heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._openings = 0
        self._close: Callable[[], None] = lambda: None
        self._port: Port | None = None

    def now_ms(self) -> int:
        """See `Wires`."""
        return self._clock.now_ms()

    def turn(self) -> list[Heard]:
        """See `Wires`; waits only when nothing is there yet."""
        found: list[Heard] = []
        with contextlib.suppress(queue.Empty):
            found.append(self._heard.get(timeout=TURN_S))
            while True:
                found.append(self._heard.get_nowait())
        return found

    def send(self, command: Command) -> None:
        """See `Wires`."""
        if self._port is not None:
            self._port.send(command)

    def reopen(self) -> None:
        """See `Wires`."""
        self.close()
        stop = threading.Event()
        around = Surroundings(self.now_ms, self._emit, lambda *_: None, self.now_ms, stop)
        self._port = Port(self._role, self._link, self._opener, around, self._openings * EPOCHS_APART)
        self._openings += 1
        thread = threading.Thread(target=self._port.run, name="bench")
        thread.start()

        def close() -> None:
            stop.set()
            thread.join()

        self._close = close

    def close(self) -> None:
        """Give the port back; more than once does no harm."""
        self._close()

    def _emit(self, event: DeviceEvent) -> bool:
        self._heard.put(Heard(self.now_ms(), event))
        return True
