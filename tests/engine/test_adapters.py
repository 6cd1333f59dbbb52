"""An adapter is found by its USB serial number under whatever name it has today."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import serial
from serial.tools import list_ports

from clampctl.engine.adapters import Adapter, AdapterNotFound, identity_of, port_named
from clampctl.engine.ports import open_serial


@dataclass
class Plugged:
    """One line of what pyserial lists."""

    device: str
    serial_number: str | None = None
    location: str | None = None


def listing(*adapters: Plugged) -> list[Adapter]:
    return list(adapters)


def test_a_replugged_adapter_is_found_under_its_new_name() -> None:
    here = listing(Plugged("/dev/ttyUSB0", "A1"), Plugged("/dev/ttyS0"))
    assert port_named("usb:A1", lambda: here) == "/dev/ttyUSB0"
    here[:] = listing(Plugged("/dev/ttyUSB0", "B2"), Plugged("/dev/ttyUSB1", "A1"))
    assert port_named("usb:A1", lambda: here) == "/dev/ttyUSB1"


@pytest.mark.parametrize("name", ["/dev/ttyUSB0", "COM5", "socket://127.0.0.1:4000", "tcp://bed:1"])
def test_plain_names_and_urls_pass_through_unlisted(name: str) -> None:
    def never() -> list[Adapter]:
        raise AssertionError("nothing needs to be listed")

    assert port_named(name, never) == name


@pytest.mark.parametrize("number", ["A1", "", "a1", "None"])
def test_an_adapter_that_is_not_plugged_in_is_wire_trouble(number: str) -> None:
    with pytest.raises(AdapterNotFound, match="plugged in"):
        port_named(f"usb:{number}", lambda: listing(Plugged("/dev/ttyS0"), Plugged("/dev/ttyUSB0", "A12")))
    assert issubclass(AdapterNotFound, OSError)


def test_two_adapters_with_one_serial_number_are_refused() -> None:
    twins = listing(Plugged("/dev/ttyUSB1", "A1"), Plugged("/dev/ttyUSB0", "A1"))
    with pytest.raises(AdapterNotFound, match=r"2 ports have .*'A1' \(/dev/ttyUSB0, /dev/ttyUSB1\)"):
        port_named("usb:A1", lambda: twins)


def test_the_identity_of_a_device_does_not_hang_on_its_name(tmp_path: Path) -> None:
    port, link = tmp_path / "ttyUSB0", tmp_path / "by-id"
    port.touch()
    link.symlink_to(port)
    numbered, bare = [Plugged(str(port), "A1", "1-2")], [Plugged(str(port))]
    assert identity_of(str(link), lambda: numbered) == identity_of(str(port), lambda: numbered) == "usb:A1"
    assert identity_of(str(link), lambda: bare) == identity_of(str(port), list) == str(port.resolve())
    assert identity_of("socket://127.0.0.1:9", lambda: numbered) == "socket://127.0.0.1:9"


def test_the_ports_of_one_adapter_are_different_devices() -> None:
    four = listing(*(Plugged(f"/dev/ttyUSB{port}", "A1", f"1-2:1.{port}") for port in range(4)))
    assert identity_of("/dev/ttyUSB2", lambda: four) == "usb:A1:1.2"
    assert len({identity_of(adapter.device, lambda: four) for adapter in four}) == 4


def test_a_port_is_looked_up_at_every_open(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    here = [Plugged("/dev/ttyUSB-test-0", "A1-test")]
    monkeypatch.setattr(list_ports, "comports", lambda: here)
    monkeypatch.setattr(serial, "serial_for_url", lambda name, **_: opened.append(name))
    open_serial("usb:A1-test", 9_600)
    here[0] = Plugged("/dev/ttyUSB-test-1", "A1-test")
    open_serial("usb:A1-test", 9_600)
    assert opened == ["/dev/ttyUSB-test-0", "/dev/ttyUSB-test-1"]
    here.clear()
    with pytest.raises(AdapterNotFound):
        open_serial("usb:A1-test", 9_600)
