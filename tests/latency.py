"""From an analyzer's last byte to the dextrose pump's first: `make bench`, on pseudo-terminals.

The engine is the real one, in its own processes, with its journal on the disk and synced; the
emulated devices are served here, and the bytes on their cables are timed. Judges nothing.
"""

import re
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from clampctl.core.commands import Role
from clampctl.engine.clock import SessionClock
from simulator.devices.device import Device
from simulator.devices.ysi import Ysi, YsiSettings
from simulator.furniture import USUAL, furniture
from simulator.transport import PseudoTerminal, Transport, served
from tests.engine.bedsides import PROTOCOL, Bed, Nurse, Pump, Run, station_text
from tests.engine.windows import Client

RESULTS = 480
EVERY_MS = 250
POLL_MS = 100
WRITTEN = re.compile(rb"RAT[\d.]+")
PAIRED_MS = 1_000
"""A rate later than this after a result was not caused by it."""


class Timed:
    """A cable that notes when bytes went and came, in ns."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.sent: list[tuple[int, bytes]] = []
        self.heard: list[tuple[int, bytes]] = []

    @property
    def address(self) -> str:
        return self._transport.address

    def read(self, wait_s: float) -> bytes:
        data = self._transport.read(wait_s)
        if data:
            self.heard.append((time.monotonic_ns(), data))
        return data

    def write(self, data: bytes) -> None:
        self._transport.write(data)
        if data:
            self.sent.append((time.monotonic_ns(), data))

    def hang_up(self) -> None:
        self._transport.hang_up()

    def close(self) -> None:
        self._transport.close()


class Feed:
    """Gives the analyzer blood again and again, a little higher and a little lower."""

    def __init__(self, analyzer: Ysi) -> None:
        self._analyzer = analyzer
        self._next_ms = 0
        self.given = 0
        self.going = threading.Event()
        self.done = threading.Event()

    def turn(self, at_ms: int) -> None:
        if not self.going.is_set() or at_ms < self._next_ms:
            return
        if self.given >= RESULTS:
            self.done.set()
            return
        self._next_ms = at_ms + EVERY_MS
        self.given += 1
        self._analyzer.place_sample(90.0 + 1.5 * (self.given % 2) + 0.1 * (self.given % 7), at_ms)


def pairs(results: list[int], rates: list[int]) -> list[float]:
    """For each result that was followed by a rate before the next one: ms between them."""
    found = []
    for index, at_ns in enumerate(results):
        end_ns = results[index + 1] if index + 1 < len(results) else at_ns + PAIRED_MS * 1_000_000
        after = next((rate_ns for rate_ns in rates if at_ns < rate_ns < end_ns), None)
        if after is not None:
            found.append((after - at_ns) / 1e6)
    return found


def measured(folder: Path) -> list[float]:
    """One live session in automatic mode: latencies in ms."""
    stands, clock = furniture(USUAL), SessionClock()
    analyzer = Ysi(YsiSettings(start=datetime.now(), run_ms=1))
    feed = Feed(analyzer)
    pumps = {Role.DEXTROSE: Pump(stands.dextrose), Role.INSULIN: Pump(stands.insulin)}  # type: ignore[arg-type]
    devices: dict[Role, Device] = {role: pump.device for role, pump in pumps.items()}
    devices[Role.ANALYZER] = analyzer
    cables = {role: Timed(PseudoTerminal()) for role in devices}
    turns = {Role.ANALYZER: feed.turn, **{role: pump.turn for role, pump in pumps.items()}}
    with ExitStack() as stack:
        addresses = {
            role: stack.enter_context(served(devices[role], cables[role], clock.now_ms, turns[role]))
            for role in devices
        }
        bed = Bed(folder, addresses, pumps)
        bed.station.write_text(
            station_text(folder, {role.value: where for role, where in addresses.items()}).replace(
                'driver = "ysi-2700"', f'driver = "ysi-2700"\noptions = {{ poll_ms = {POLL_MS} }}'
            )
        )
        (folder / "live.toml").write_text(PROTOCOL.replace('rule_from = "15 min"', 'rule_from = "1 min"'))
        run = Run(bed)
        try:
            run.engine()
            with Client(run.address) as client:
                Nurse(client).clamps()
                feed.going.set()
                while not feed.done.is_set():
                    client.pump(0.1)
        finally:
            run.close()
    results = [at for at, data in cables[Role.ANALYZER].sent if b"DEX" in data]
    rates = [at for at, data in cables[Role.DEXTROSE].heard if WRITTEN.search(data)]
    return sorted(pairs(results, rates))


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as text:
        found = measured(Path(text))
    if not found:
        print("no result was followed by a rate")
        sys.exit(1)
    p50, p99 = found[len(found) // 2], found[min(len(found) - 1, round(0.99 * len(found)))]
    print(
        f"byte to command, journal synced: {len(found)} pairs, p50 {p50:.1f} ms, p99 {p99:.1f} ms, "
        f"most {found[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()
