"""The drivers there are: one dict, by name, with what is known about each and how well."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from drivers.analyzers.manual import ManualAnalyzer
from drivers.analyzers.ysi import Ysi
from drivers.link import Link
from drivers.pumps.manual import ManualPump
from drivers.pumps.new_era import NewEra


@dataclass(frozen=True, slots=True)
class Entry:
    """One driver. `factory` takes the settings of its link as keywords; None is not known."""

    title: str
    kind: Literal["pump", "analyzer"]
    factory: Callable[..., Link]
    evidence: str
    stops_on_silence: str
    medical_device: bool | None
    notes: str


DRIVERS: dict[str, Entry] = {
    "new-era": Entry(
        title="New Era NE-500/1000/1600/4000, WPI Aladdin",
        kind="pump",
        factory=NewEra,
        evidence="frames from the manuals and checksums recomputed; not yet tried on a pump here",
        stops_on_silence="insulin: after the watchdog time, proven at each opening of a stopped pump; "
        "dextrose: keeps running (inferred, to be proven by a cable pull)",
        medical_device=False,
        notes="Marked not for clinical use on humans. Senses stall only: no air, no pressure.",
    ),
    "ysi-2700": Entry(
        title="YSI 2700 SELECT",
        kind="analyzer",
        factory=partial(Ysi, model="2700"),
        evidence="report columns and commands from the manual; terminators and empty reply unverified",
        stops_on_silence="not a pump",
        medical_device=None,
        notes="Read only. Print the instrument's setup page and compare its serial settings and date order.",
    ),
    "ysi-2300": Entry(
        title="YSI 2300 STAT Plus",
        kind="analyzer",
        factory=partial(Ysi, model="2300"),
        evidence="UNCONFIRMED: assumed to speak like the 2700 SELECT",
        stops_on_silence="not a pump",
        medical_device=None,
        notes="Read only. Print the instrument's setup page and compare its serial settings and date order.",
    ),
    "manual-pump": Entry(
        title="Pump set by hand",
        kind="pump",
        factory=ManualPump,
        evidence="no wire; as good as the person who confirms",
        stops_on_silence="never: the program cannot reach it",
        medical_device=None,
        notes="The program shows a rate, a person sets it and confirms what the pump shows.",
    ),
    "manual-analyzer": Entry(
        title="Glucose keyed by hand",
        kind="analyzer",
        factory=ManualAnalyzer,
        evidence="no wire; as good as the person who keys",
        stops_on_silence="not a pump",
        medical_device=None,
        notes="A value needs its unit; a decimal comma is refused.",
    ),
}
