"""Bytes go round through a real pseudo-terminal and a real TCP port, and nothing is left open."""

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial

from simulator.devices import EMULATED
from simulator.devices.fault import FaultKind, fault
from simulator.devices.new_era import NewEra
from simulator.transport import PseudoTerminal, TcpPort, Transport, serve, served

DEADLINE_S = 20.0
RESET = b"\x0200A?R\x03"
READY = b"\x0200S\x03"
SAFE = bytes.fromhex("0207303053AAA603")  # 00S, as the transcript has it


def still() -> int:
    return 0


def port_of(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("socket://").partition(":")
    return host, int(port)


def heard(host: socket.socket, size: int) -> bytes:
    """So many bytes, or fewer when the device hangs up."""
    data = b""
    while len(data) < size:
        assert select.select([host], [], [], DEADLINE_S)[0]
        more = host.recv(size - len(data))
        if not more:
            break
        data += more
    return data


@contextmanager
def caller(address: str) -> Iterator[socket.socket]:
    with socket.create_connection(port_of(address), timeout=DEADLINE_S) as host:
        yield host


@pytest.mark.parametrize("transport", [PseudoTerminal, TcpPort])
def test_a_serial_port_opened_on_the_address_talks_to_the_pump(transport: Callable[[], Transport]) -> None:
    with served(NewEra(), transport(), still) as address:
        port = serial.serial_for_url(address, timeout=DEADLINE_S)
        with port:
            for sent, expected in ((b"\r", RESET), (b"\r", READY), (b"SAF9\r", SAFE)):
                port.write(sent)
                assert port.read(len(expected)) == expected


def test_control_bytes_pass_the_pseudo_terminal_both_ways() -> None:
    transport = PseudoTerminal()
    everything = bytes(range(256))
    host = os.open(transport.address, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(host, everything)
        received = b""
        while len(received) < 256:
            more = transport.read(DEADLINE_S)
            assert more
            received += more
        transport.write(everything)
        answered = b""
        while len(answered) < 256:
            assert select.select([host], [], [], DEADLINE_S)[0]
            answered += os.read(host, 256)
    finally:
        os.close(host)
        transport.close()
    assert received == answered == everything


def test_a_pseudo_terminal_nobody_reads_does_not_hold_the_device_up() -> None:
    transport = PseudoTerminal()
    transport.write(b"x" * 1_000_000)
    assert transport.read(0) == b""
    transport.close()


def test_one_host_at_a_time_and_the_next_may_come() -> None:
    with served(NewEra(), TcpPort(), still) as address:
        with caller(address) as first:
            first.sendall(b"\r")
            assert heard(first, len(RESET)) == RESET
            with caller(address) as second:
                assert heard(second, 1) == b""
            first.sendall(b"\r")
            assert heard(first, len(READY)) == READY
        with caller(address) as third:
            third.sendall(b"\r")
            assert heard(third, len(READY)) == READY


def test_pulling_the_cable_hangs_up_and_it_can_be_put_back() -> None:
    device = NewEra()
    wanted = [fault("unplug")]
    put_back = threading.Event()

    def each_turn(now_ms: int) -> None:
        if pulled.is_set() and wanted:
            device.inject(wanted.pop(), now_ms)
        if put_back.is_set():
            device.clear(FaultKind.UNPLUG, now_ms)

    pulled = threading.Event()
    with served(device, TcpPort(), still, each_turn) as address:
        with caller(address) as host:
            host.sendall(b"\r")
            assert heard(host, len(RESET)) == RESET
            pulled.set()
            assert heard(host, 1) == b""
        put_back.set()
        deadline = time.monotonic() + DEADLINE_S
        reply = b""
        while reply != READY and time.monotonic() < deadline:
            with caller(address) as host:
                try:
                    host.sendall(b"\r")
                    reply = heard(host, len(READY))
                except ConnectionError:
                    continue  # hung up before the cable was in again
        assert reply == READY


def test_time_reaches_the_device_without_a_word_from_the_host() -> None:
    device = NewEra()
    for text in (b"\r", b"RAT120.0MH\r", b"RUN\r"):
        device.receive(text, 0)
    device.take_output()
    delivered = threading.Event()

    def an_hour() -> int:
        return 3_600_000

    def each_turn(now_ms: int) -> None:
        if now_ms == an_hour() and device.delivered_ul == 120_000.0:
            delivered.set()

    with served(device, TcpPort(), an_hour, each_turn):
        assert delivered.wait(DEADLINE_S)


@pytest.mark.parametrize("transport", [PseudoTerminal, TcpPort])
def test_closing_gives_every_descriptor_back(transport: Callable[[], Transport]) -> None:
    before = sorted(path.name for path in Path("/dev/fd").iterdir())
    cable = transport()
    stop = threading.Event()
    stop.set()
    serve(NewEra(), cable, still, stop)
    cable.close()
    assert sorted(path.name for path in Path("/dev/fd").iterdir()) == before


def test_every_emulated_device_can_be_made_without_arguments() -> None:
    for entry in EMULATED.values():
        device = entry.make(entry.settings())
        device.receive(b"\r", 0)
        assert device.plugged
