"""`clampctl emulate` serves a device that a wire can be opened on; `clampctl probe` only asks."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.conftest import Run

QUERIES = (b"", b"VER", b"DIA", b"DIS", b"RAT", b"DIR", b"VOL", b"SAF", b"ADR", b"PHN", b"FUN")
"""Commands that ask without a value behind them, and so change nothing (pumps 2.5)."""


@contextmanager
def emulated(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An emulator in a process of its own, and HOST:PORT."""
    command = [sys.executable, "-m", "clampctl.cli", "emulate", *arguments, "--tcp", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            assert first["device"] == arguments[0]
            yield process, first["address"].removeprefix("socket://")
        finally:
            process.kill()


def reply(address: str, asked: bytes) -> bytes:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall(asked)
        heard = b""
        while not heard.endswith(b"\x03"):
            heard += wire.recv(64)
    return heard


def test_a_pump_answers_and_ends_when_told() -> None:
    with emulated("new-era") as (process, address):
        assert reply(address, b"\r") == b"\x0200A?R\x03"
        assert reply(address, b"\r") == b"\x0200S\x03"
        assert reply(address, b"VER\r") == b"\x0200SNE1000V3.928\x03"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0
        assert json.loads(out) == {"sent_bytes": 29, "heard_bytes": 6, "samples": 0}
        assert err == ""


def test_address_and_diameter_are_chosen() -> None:
    with emulated("new-era", "--address", "7", "--diameter-mm", "19.05") as (_, address):
        assert reply(address, b"07\r") == b"\x0207A?R\x03"
        assert reply(address, b"07DIA\r") == b"\x0207S19.05\x03"


@contextmanager
def tapped(address: str) -> Iterator[tuple[str, list[bytes]]]:
    """A port that passes one host's bytes on to the emulator and notes them."""
    host, port = address.split(":")
    noted: list[bytes] = []
    door = socket.create_server(("127.0.0.1", 0))

    def passed(source: socket.socket, target: socket.socket, note: list[bytes] | None) -> None:
        try:
            while data := source.recv(256):
                if note is not None:
                    note.append(data)
                target.sendall(data)
        except OSError:
            return
        finally:
            target.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        near, _ = door.accept()
        with near, socket.create_connection((host, int(port))) as far:
            back = threading.Thread(target=passed, args=(far, near, None))
            back.start()
            passed(near, far, noted)
            back.join()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{door.getsockname()[1]}", noted
    finally:
        thread.join()
        door.close()


def test_a_probe_says_what_it_hears_and_only_asks(clampctl: Run) -> None:
    with emulated("new-era") as (_, address), tapped(address) as (through, noted):
        ran = clampctl("probe", "new-era", "--tcp", through, "--seconds", "3", "--json")
    rows = ran.rows()
    kinds = [row["type"] for row in rows]
    assert "PumpIdentified" in kinds
    assert "PumpReported" in kinds
    assert "LinkLost" not in kinds
    (identified,) = (row for row in rows if row["type"] == "PumpIdentified")
    assert identified["model"] == "NE1000"
    tally = rows[-1]
    assert tally["type"] == "Probed"
    assert tally["sent_bytes"] == len(b"".join(noted))
    assert sum(tally["events"].values()) == len(rows) - 1
    asked = b"".join(noted).split(b"\r")
    assert len(asked) > 5
    assert all(any(line.endswith(query) and len(line) <= 5 for query in QUERIES) for line in asked), asked
    assert not any(word in b"".join(noted) for word in (b"RUN", b"STP", b"PUR", b"*"))


def test_an_analyzer_is_probed_too(clampctl: Run) -> None:
    with emulated("ysi") as (_, address):
        rows = clampctl("probe", "ysi-2700", "--tcp", address, "--seconds", "2", "--json").rows()
    assert {row["type"] for row in rows} <= {"LinkHeard", "LinkTroubled", "GlucoseSampled", "Probed"}
    assert "LinkHeard" in {row["type"] for row in rows}


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is a thing of POSIX")
def test_a_pseudo_terminal_has_a_name() -> None:
    command = [sys.executable, "-m", "clampctl.cli", "emulate", "ysi", "--pty"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["address"].startswith("/dev/")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
