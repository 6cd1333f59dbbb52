"""Byte-level emulators of pumps and analyzers, written from the manuals' sheets and from nothing else."""

from collections.abc import Callable

from simulator.devices.device import Device
from simulator.devices.new_era import NewEra
from simulator.devices.ysi import Ysi

EMULATED: dict[str, Callable[..., Device]] = {"new-era": NewEra, "ysi": Ysi}
"""What `clampctl emulate` can be, each made without arguments or with its own settings."""
