"""A door for devices that call: real sockets on the loopback, and the port that stands behind it."""

import socket
import threading
from collections.abc import Iterator

import pytest

from clampctl.core.commands import Role
from clampctl.core.events import GlucoseSampled, LinkHeard, LinkLost
from clampctl.engine.listening import HungUp, ListeningWire, open_listening
from drivers.analyzers.poct1a import Poct1a as Link
from simulator.devices.poct1a import Poct1a
from simulator.devices.poct1a_settings import Poct1aSettings
from simulator.transport import Caller, serve
from tests.engine.wires import Rig

PATIENCE = 500
"""Reads of 20 ms each until a test gives up."""


@pytest.fixture
def wire() -> Iterator[ListeningWire]:
    opened = open_listening("127.0.0.1", 0)
    yield opened
    opened.close()


def called(wire: ListeningWire) -> socket.socket:
    """A device calls and is let in."""
    device = socket.create_connection(("127.0.0.1", wire.port), 5)
    device.sendall(b"!")
    assert heard(wire, 1) == b"!"
    return device


def heard(wire: ListeningWire, count: int) -> bytes:
    """So many bytes."""
    data = b""
    for _ in range(PATIENCE):
        data += wire.read(count - len(data))
        if len(data) == count:
            break
    return data


def test_nobody_called(wire: ListeningWire) -> None:
    assert wire.in_waiting == 0
    assert wire.read(64) == b""
    assert wire.write(b"lost") == 4


def test_bytes_go_both_ways_and_reads_are_bounded(wire: ListeningWire) -> None:
    with called(wire) as device:
        device.sendall(b"x" * 10_000)
        assert heard(wire, 10_000) == b"x" * 10_000
        device.sendall(b"abc")
        for _ in range(PATIENCE):
            if wire.in_waiting == 3:
                break
        assert wire.in_waiting == 3
        assert wire.read(2) == b"ab"
        assert wire.in_waiting == 1
        wire.write(b"answer")
        assert device.recv(64) == b"answer"


def test_a_device_that_hangs_up_is_an_error(wire: ListeningWire) -> None:
    called(wire).close()
    with pytest.raises(HungUp, match="ended the call"):
        heard(wire, 1)


def test_a_second_caller_is_turned_away_and_the_first_stays(wire: ListeningWire) -> None:
    with called(wire) as first, socket.create_connection(("127.0.0.1", wire.port), 5) as second:
        assert wire.read(1) == b""
        assert second.recv(1) == b""
        first.sendall(b"still here")
        assert heard(wire, 10) == b"still here"


def test_the_same_address_can_be_opened_again_at_once(wire: ListeningWire) -> None:
    with called(wire) as device:
        wire.close()
        assert device.recv(1) == b""
        again = open_listening("127.0.0.1", wire.port)
        try:
            called(again).close()
        finally:
            again.close()


def test_no_host_is_the_loopback() -> None:
    wire = open_listening("", 0)
    try:
        assert wire._door.getsockname()[0] == "127.0.0.1"
    finally:
        wire.close()


def test_an_address_in_use_is_refused(wire: ListeningWire) -> None:
    with pytest.raises(OSError, match="in use"):
        open_listening("127.0.0.1", wire.port)


def test_closing_twice_does_no_harm(wire: ListeningWire) -> None:
    called(wire).close()
    wire.close()
    wire.close()


def test_a_port_takes_calls_one_after_the_other(wire: ListeningWire) -> None:
    """A meter calls, gives a result, hangs up; the port opens the door again for its next call."""
    address = wire.port
    wire.close()
    rig = Rig(Role.ANALYZER, Link(serial="SS-4711"), lambda: open_listening("127.0.0.1", address))
    given, done = threading.Event(), threading.Event()

    def watch(event: object) -> None:
        if isinstance(event, LinkHeard) and event.detail == "sends each result at once":
            given.set()
        if isinstance(event, GlucoseSampled):
            done.set()
        if isinstance(event, LinkLost) and done.is_set():
            rig.stop.set()

    rig.heard = watch
    engine = threading.Thread(target=rig.port.run)
    engine.start()
    meter = Poct1a(Poct1aSettings(run_ms=0, reply_ms=1000))
    line, hang_up = Caller(f"127.0.0.1:{address}"), threading.Event()
    turns = 0

    def each_turn(at_ms: int) -> None:
        nonlocal turns
        turns += 1
        if given.is_set():
            given.clear()
            meter.place_sample(92.0, at_ms)
        if done.is_set() or turns > 50 * PATIENCE:
            hang_up.set()

    ticks = iter(range(0, 10**9, 50))
    serve(meter, line, lambda: next(ticks), hang_up, each_turn)
    engine.join(20)
    rig.stop.set()
    engine.join(20)
    samples = [event.raw_value for event in rig.events if isinstance(event, GlucoseSampled)]
    assert samples == ["92"]
    assert isinstance(rig.events[-1], LinkLost)
    assert "ended the call" in rig.events[-1].detail
