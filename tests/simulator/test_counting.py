"""A cable that counts and cuts, and a device that calls its host."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from simulator.counting import Counting
from simulator.devices.fault import fault
from simulator.devices.poct1a import Poct1a
from simulator.devices.poct1a_settings import Poct1aSettings
from simulator.transport import Caller, Transport, serve

DEADLINE_S = 20.0
EVERYTHING = bytes(range(256)) * 4


class Kept:
    """A transport that keeps what it was given and reads what it was told to."""

    address = "kept://"

    def __init__(self, reads: list[bytes]) -> None:
        self.reads = reads
        self.waited_s: list[float] = []
        self.written: list[bytes] = []
        self.ended: list[str] = []

    def read(self, wait_s: float) -> bytes:
        self.waited_s.append(wait_s)
        return self.reads.pop(0) if self.reads else b""

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def hang_up(self) -> None:
        self.ended.append("hung up")

    def close(self) -> None:
        self.ended.append("closed")


def all_of(cable: Transport) -> list[bytes]:
    """Every piece until nothing comes."""
    return list(iter(lambda: cable.read(0.0), b""))


def test_an_uncut_cable_counts_and_changes_nothing() -> None:
    kept = Kept([b"abc", EVERYTHING])
    cable = Counting(kept, split=False)
    assert cable.address == "kept://"
    cable.write(EVERYTHING)
    cable.write(b"")
    assert kept.written == [EVERYTHING]
    assert all_of(cable) == [b"abc", EVERYTHING]
    assert (cable.sent, cable.heard) == (1024, 1027)


def test_a_cut_cable_gives_the_same_bytes_in_pieces_of_1_to_7() -> None:
    kept = Kept([EVERYTHING, b"abc"])
    cable = Counting(kept, split=True)
    cable.write(EVERYTHING)
    pieces = all_of(cable)
    for found, whole in ((kept.written, EVERYTHING), (pieces, EVERYTHING + b"abc")):
        assert b"".join(found) == whole
        assert {len(piece) for piece in found} == set(range(1, 8))
    assert (cable.sent, cable.heard) == (1024, 1027)


def test_the_pieces_are_the_same_in_every_run() -> None:
    def pieces() -> list[bytes]:
        kept = Kept([])
        Counting(kept, split=True).write(EVERYTHING)
        return kept.written

    assert pieces() == pieces()


def test_what_waits_is_given_before_the_cable_is_read_again() -> None:
    kept = Kept([bytes(100)])
    cable = Counting(kept, split=True)
    while cable.heard < 100:
        assert cable.read(0.5)
    assert kept.waited_s == [0.5]


def test_pulling_the_cable_loses_what_waits_in_it() -> None:
    kept = Kept([EVERYTHING])
    cable = Counting(kept, split=True)
    first = cable.read(0.0)
    cable.hang_up()
    assert cable.read(0.0) == b""
    assert cable.heard == len(first)
    cable.close()
    assert kept.ended == ["hung up", "closed"]


# --- a device that calls -------------------------------------------------------------------------


@contextmanager
def door() -> Iterator[tuple[socket.socket, str]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(DEADLINE_S)
        yield listening, f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("host", ["", "nowhere", ":5001", "h:", "h:x", "h:0", "h:65536", "h:-1"])
def test_whom_to_call_must_be_a_host_and_a_port(host: str) -> None:
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        Caller(host)


def test_a_caller_speaks_and_hears_and_names_whom_it_calls() -> None:
    with door() as (listening, here):
        caller = Caller(here)
        assert caller.address == f"tcp-listen://{here}"
        caller.write(b"lost: nobody was called yet")
        caller.dial(threading.Event())
        with listening.accept()[0] as host:
            caller.write(b"")
            caller.write(b"hello")
            assert host.recv(64) == b"hello"
            assert caller.read(0.0) == b""
            host.sendall(b"well")
            assert caller.read(DEADLINE_S) == b"well"
            caller.close()
            caller.close()
            assert host.recv(64) == b""


def test_a_host_that_hangs_up_is_called_again_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.transport.CALL_AGAIN_S", 0.05)
    with door() as (listening, here):
        caller = Caller(here)
        caller.dial(threading.Event())
        listening.accept()[0].close()
        assert caller.read(DEADLINE_S) == b""
        caller.write(b"lost")
        caller.dial(threading.Event())
        with listening.accept()[0] as host:
            caller.write(b"again")
            assert host.recv(64) == b"again"
        caller.close()


def test_a_host_that_is_not_there_costs_nothing_but_time(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[object] = []

    def refused(*host: object) -> socket.socket:
        tries.append(host)
        raise ConnectionRefusedError

    monkeypatch.setattr("simulator.transport.socket.create_connection", refused)
    caller = Caller("127.0.0.1:5001")
    assert caller.read(0.0) == b""
    assert caller.read(0.0) == b""
    assert len(tries) == 1  # not again before a second is over
    stop = threading.Event()
    stop.set()
    caller.dial(stop)
    caller.close()


def test_a_line_that_breaks_while_speaking_is_hung_up() -> None:
    with door() as (listening, here):
        caller = Caller(here)
        caller.dial(threading.Event())
        host = listening.accept()[0]
        linger_no_time = b"\1\0\0\0\0\0\0\0"
        host.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_no_time)
        host.close()  # a reset, not a goodbye
        assert caller.read(DEADLINE_S) == b""
        caller.write(b"nobody hears this")
        caller.close()


def test_a_meter_pulled_out_hangs_up() -> None:
    meter, stop, told = Poct1a(Poct1aSettings()), threading.Event(), threading.Event()
    ticks = iter(range(0, 10**9, 20))

    def each_turn(at_ms: int) -> None:
        if told.is_set():
            told.clear()
            meter.inject(fault("unplug"), at_ms)

    with door() as (listening, here):
        caller = Caller(here)
        caller.dial(stop)
        thread = threading.Thread(target=serve, args=(meter, caller, lambda: next(ticks), stop, each_turn))
        thread.start()
        try:
            with listening.accept()[0] as host:
                host.settimeout(DEADLINE_S)
                assert b"HEL.R01" in host.recv(4096)
                told.set()
                while host.recv(4096):
                    pass
        finally:
            stop.set()
            thread.join()
    assert not meter.plugged
