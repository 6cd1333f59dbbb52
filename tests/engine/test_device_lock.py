"""One program per device: refused by name and process, freed by closing and by death."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import serial

from clampctl.engine.device_lock import DeviceInUse, claimed_device, lock_folder
from clampctl.engine.ports import LockedWire, open_serial
from simulator.transport import PseudoTerminal, TcpPort
from tests.engine.wires import Scripted

HOLD = """
import sys
from pathlib import Path
from clampctl.engine.device_lock import claimed_device
lock = claimed_device("usb:A1", "COM7", Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_claim_is_refused_and_a_released_device_is_free(tmp_path: Path) -> None:
    lock = claimed_device("usb:A1", "COM7", tmp_path)
    with pytest.raises(DeviceInUse, match=r"^COM8 is locked: this program uses this device$"):
        claimed_device("usb:A1", "COM8", tmp_path)
    lock.release()
    lock.release()
    claimed_device("usb:A1", "COM8", tmp_path).release()


def test_different_devices_do_not_disturb_each_other(tmp_path: Path) -> None:
    names = ["usb:A1", "usb:A1:1.0", "usb_A1", "/dev/ttyUSB0", "socket://bed:1", "x" * 500, "x" * 501]
    locks = [claimed_device(name, name, tmp_path) for name in names]
    assert len(list(tmp_path.glob("*.lock"))) == len(names)
    for lock in locks:
        lock.release()


def test_another_program_is_named_by_its_process_and_its_death_frees_the_device(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(
                DeviceInUse, match=rf"^COM7 is locked: another program \(process {holder.pid}\)"
            ):
                claimed_device("usb:A1", "COM7", tmp_path)
        finally:
            holder.kill()
            holder.wait()
        lock = claimed_device("usb:A1", "COM7", tmp_path)
        with pytest.raises(DeviceInUse, match="this program"):
            claimed_device("usb:A1", "COM7", tmp_path)
        lock.release()


@pytest.mark.parametrize("note", [b"", b"\xff", b"-1", b"not a number"])
def test_a_holder_without_a_readable_note_is_another_program(tmp_path: Path, note: bytes) -> None:
    lock = claimed_device("usb:A1", "COM7", tmp_path)
    (written,) = tmp_path.glob("*.pid")
    written.write_bytes(note)
    with pytest.raises(DeviceInUse, match=r"locked: another program uses"):
        claimed_device("usb:A1", "COM7", tmp_path)
    lock.release()


def test_a_device_whose_holder_cannot_be_noted_is_not_kept(tmp_path: Path) -> None:
    lock = claimed_device("usb:A1", "COM7", tmp_path)
    (note,) = tmp_path.glob("*.pid")
    lock.release()
    note.mkdir()
    for _ in range(2):
        with pytest.raises(IsADirectoryError):
            claimed_device("usb:A1", "COM7", tmp_path)
    note.rmdir()
    claimed_device("usb:A1", "COM7", tmp_path).release()


# --- the folder --------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="owners and modes are POSIX")
def test_the_folder_is_this_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert lock_folder() == lock_folder() == tmp_path / "clampctl"
    assert lock_folder().stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert lock_folder() == tmp_path / f"clampctl-{os.getuid()}"
    monkeypatch.setattr(os, "getuid", lambda: 54_321)
    (tmp_path / "clampctl-54321").mkdir()
    with pytest.raises(PermissionError, match="belongs to another user"):
        lock_folder()


# --- an open port ------------------------------------------------------------------------------


def test_closing_the_wire_frees_the_device() -> None:
    port = TcpPort()
    try:
        first = open_serial(port.address, 19_200)
        with pytest.raises(DeviceInUse, match=f"^{port.address} is locked"):
            open_serial(port.address, 19_200)
        first.close()
        open_serial(port.address, 19_200).close()
    finally:
        port.close()


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals and links are POSIX")
def test_a_device_is_locked_under_all_its_names(tmp_path: Path) -> None:
    terminal, by_id = PseudoTerminal(), tmp_path / "by-id"
    by_id.symlink_to(terminal.address)
    first = open_serial(str(by_id), 19_200)
    try:
        with pytest.raises(DeviceInUse):
            open_serial(terminal.address, 19_200)
    finally:
        first.close()
        terminal.close()


def test_a_port_that_does_not_open_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise serial.SerialException("no such port")

    monkeypatch.setattr(serial, "serial_for_url", fails)
    for _ in range(2):
        with pytest.raises(serial.SerialException, match="no such port"):
            open_serial("socket://nowhere:1", 19_200)


def test_a_locked_wire_is_the_wire_and_lets_go_even_when_closing_fails(tmp_path: Path) -> None:
    lock = claimed_device("usb:A1", "COM7", tmp_path)
    inner = Scripted(iter([b"abc"]), lambda: None)
    wire = LockedWire(inner, lock)
    assert (wire.in_waiting, wire.read(2), wire.write(b"xy")) == (64, b"ab", 2)
    assert inner.written == [b"xy"]

    def stuck() -> None:
        raise OSError("cannot close")

    inner.close = stuck  # type: ignore[method-assign]  # a device that is gone
    with pytest.raises(OSError, match="cannot close"):
        wire.close()
    claimed_device("usb:A1", "COM7", tmp_path).release()
