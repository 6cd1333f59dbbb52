"""Byte-level emulators of pumps and analyzers, written from the manuals' sheets and from nothing else."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.devices.alaris import Alaris
from simulator.devices.alaris_settings import AlarisSettings
from simulator.devices.astm import AstmAnalyzer
from simulator.devices.astm_settings import AstmSettings
from simulator.devices.biosen import Biosen, BiosenSettings
from simulator.devices.device import Device
from simulator.devices.graseby import Graseby
from simulator.devices.graseby_settings import GrasebySettings
from simulator.devices.harvard_22 import Harvard22
from simulator.devices.harvard_22_settings import Harvard22Settings
from simulator.devices.harvard_ultra import HarvardUltra
from simulator.devices.harvard_ultra_settings import HarvardUltraSettings
from simulator.devices.line import LineDevice
from simulator.devices.line_settings import LineSettings
from simulator.devices.new_era import NewEra
from simulator.devices.new_era_settings import NewEraSettings
from simulator.devices.poct1a import Poct1a
from simulator.devices.poct1a_settings import Poct1aSettings
from simulator.devices.siemens import Siemens, SiemensSettings
from simulator.devices.ysi import Ysi, YsiSettings


@dataclass(frozen=True, slots=True)
class Emulated:
    """One device that can be emulated: made from its settings, a frozen dataclass full of defaults."""

    make: Callable[..., Device]
    settings: type


EMULATED: dict[str, Emulated] = {
    "new-era": Emulated(NewEra, NewEraSettings),
    "alaris": Emulated(Alaris, AlarisSettings),
    "harvard-ultra": Emulated(HarvardUltra, HarvardUltraSettings),
    "harvard-22": Emulated(Harvard22, Harvard22Settings),
    "graseby-3400": Emulated(Graseby, GrasebySettings),
    "ysi-2700": Emulated(Ysi, YsiSettings),
    "ysi-2300": Emulated(Ysi, YsiSettings),
    "radiometer-abl": Emulated(AstmAnalyzer, AstmSettings),
    "gem": Emulated(AstmAnalyzer, AstmSettings),
    "nova": Emulated(AstmAnalyzer, AstmSettings),
    "cobas-b": Emulated(AstmAnalyzer, AstmSettings),
    "siemens": Emulated(Siemens, SiemensSettings),
    "biosen": Emulated(Biosen, BiosenSettings),
    "poct1a": Emulated(Poct1a, Poct1aSettings),
    "line": Emulated(LineDevice, LineSettings),
}
"""What `clampctl emulate` can be: by the name of the driver that speaks to it."""

ALIASES = {"ysi": "ysi-2700"}
"""Earlier names."""
