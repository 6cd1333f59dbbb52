"""Which port is a device's today: adapters found by the serial number of their USB plug.

A replugged adapter comes back under another name, so "usb:SERIALNUMBER" is looked up at every open.
Not here: opening the port (`engine.ports`), keeping others away from it (`engine.device_lock`).
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from serial.tools import list_ports

USB = "usb:"
"""How an address begins that names an adapter by the serial number of its USB plug."""


class Adapter(Protocol):
    """One serial port of this computer, as much as is used of what pyserial lists.

    `location` is where the plug sits; behind a colon stands which port of an adapter with several.
    """

    @property
    def device(self) -> str:
        """The port's name today."""

    @property
    def serial_number(self) -> str | None:
        """The serial number of its USB plug."""

    @property
    def location(self) -> str | None:
        """Where its USB plug sits."""


Listing = Callable[[], Iterable[Adapter]]


class AdapterNotFound(OSError):
    """No adapter, or more than one, answers to a serial number; wire trouble, tried again later."""


def listed() -> Iterable[Adapter]:
    """The serial ports that this computer has now."""
    ports: Iterable[Adapter] = list_ports.comports()
    return ports


def port_named(address: str, listing: Listing = listed) -> str:
    """The name or URL to open for an address; any but "usb:SERIALNUMBER" is given back as it is.

    Raises `AdapterNotFound` when none or several ports have that serial number.
    """
    if not address.startswith(USB):
        return address
    number = address.removeprefix(USB)
    found = sorted(adapter.device for adapter in listing() if number and adapter.serial_number == number)
    match found:
        case [device]:
            return device
        case []:
            raise AdapterNotFound(f"no adapter with the USB serial number {number!r} is plugged in")
        case _:
            raise AdapterNotFound(
                f"{len(found)} ports have the USB serial number {number!r} ({', '.join(found)}); "
                "name the port itself"
            )


def identity_of(port: str, listing: Listing = listed) -> str:
    """What stays the same for the device behind a port's name or URL, whatever it is called by.

    The adapter's USB serial number, with its port where it has several; else the port's real path;
    else the URL.
    """
    if "://" in port:
        return port
    same = _real(port)
    for adapter in listing():
        if adapter.serial_number and _real(adapter.device) == same:
            _, _, which = (adapter.location or "").partition(":")
            return f"{USB}{adapter.serial_number}" + (f":{which}" if which else "")
    return same


def _real(port: str) -> str:
    """A port's path without links; on Windows its name, in one case and without the device prefix."""
    if sys.platform == "win32":
        return port.removeprefix("\\\\.\\").upper()
    return str(Path(port).resolve())
