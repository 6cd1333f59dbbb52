"""The drivers there are: by name, with what is known about each and how well."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from drivers.analyzers.astm import Astm
from drivers.analyzers.biosen import Biosen
from drivers.analyzers.line import LineAnalyzer
from drivers.analyzers.manual import ManualAnalyzer
from drivers.analyzers.poct1a import Poct1a
from drivers.analyzers.siemens import Siemens
from drivers.analyzers.ysi import Ysi
from drivers.capabilities import PumpCapabilities
from drivers.link import Expected, Link
from drivers.pumps import alaris, graseby, harvard_22, harvard_ultra, manual, new_era
from drivers.reading import Rules

Option = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Line:
    """The serial line a device is shipped with; a station may say otherwise."""

    baud: int = 9_600
    frame: str = "8N1"


@dataclass(frozen=True, slots=True)
class PumpEntry:
    """One pump driver. `factory` takes what is expected, and its own settings as keywords.

    `told_by` are the marks by which the pump can be told from another of its kind over the wire:
    some of serial_number, address, syringe_diameter. `own_name` makes of the station's model how the
    pump's own name begins, "" where that is not compared. `medical_device` None is not known.
    """

    title: str
    factory: Callable[..., Link]
    capabilities: PumpCapabilities
    told_by: tuple[str, ...]
    line: Line
    evidence: str
    on_silence: str
    medical_device: bool | None
    notes: str
    own_name: Callable[[str], str] = lambda _: ""


@dataclass(frozen=True, slots=True)
class AnalyzerEntry:
    """One analyzer driver. `factory` takes the rules for its numbers and its own settings as keywords."""

    title: str
    factory: Callable[..., Link]
    line: Line
    evidence: str
    notes: str


def _new_era_name(model: str) -> str:
    """NE-1000 says NE1000V3.928; of a rebrand only NE is expected (pumps 2.5)."""
    name = model.upper().replace("-", "")
    return name if name.startswith("NE") else "NE"


_HARVARD_SILENCE = (
    "dextrose: keeps running (inferred); insulin: stops at a rolling volume limit; both unproven, "
    "each needs a signed bench sheet"
)

PUMPS: Mapping[str, PumpEntry] = {
    "new-era": PumpEntry(
        title="New Era NE-500/1000/1600/4000, WPI Aladdin",
        factory=new_era.NewEra,
        capabilities=new_era.CAPABILITIES,
        told_by=("address", "syringe_diameter"),
        line=Line(19_200),
        evidence="frames from the manuals and checksums recomputed; not yet tried on a pump here",
        on_silence="insulin: stops after the watchdog time, proven at each opening of a stopped pump; "
        "dextrose: keeps running (inferred, to be proven by a cable pull)",
        medical_device=False,
        notes="Marked not for clinical use on humans. Senses stall only: no air, no pressure.",
        own_name=_new_era_name,
    ),
    "alaris": PumpEntry(
        title="Alaris / Asena GH, CC (GS, TIVA)",
        factory=alaris.Alaris,
        capabilities=alaris.CAPABILITIES,
        told_by=("serial_number",),
        line=Line(38_400),
        evidence="frames, checksums and key recomputed from OpenICE and infupy, one recorded status frame; "
        "modes, refusals, alarm codes and INF_VI reply inferred; not yet tried on a pump here",
        on_silence="stops 15 s after the computer falls silent, if the computer started it; insulin only",
        medical_device=True,
        notes="Remote control must be permitted in the pump (said to be possible up to software 2.3.6), "
        "else it is only read. Pull the cable on the bench before use.",
        own_name=lambda _: "Asena",
    ),
    "harvard-ultra": PumpEntry(
        title="Harvard PHD Ultra, 11 Elite, 33 DDS; KDS Legato",
        factory=harvard_ultra.HarvardUltra,
        capabilities=harvard_ultra.CAPABILITIES,
        told_by=("serial_number", "address", "syringe_diameter"),
        line=Line(115_200),
        evidence="rate, volume, version and stop bytes recorded on firmware 3.0.6 by a public driver; "
        "`status` from the PHD Ultra guide p.88; target and silence behaviour inferred; "
        "not yet tried on a pump here",
        on_silence=_HARVARD_SILENCE,
        medical_device=False,
        notes="No watchdog. Laboratory pump; senses stall only: no air, no pressure.",
    ),
    "harvard-22": PumpEntry(
        title="Harvard PHD 22/2000, Model 22/33, Pump 11",
        factory=harvard_22.Harvard22,
        capabilities=harvard_22.CAPABILITIES,
        told_by=("address", "syringe_diameter"),
        line=Line(9_600, "8N2"),
        evidence="framing and commands from the Model 33 manual and public PHD 2000 and Pump 11 drivers, "
        "frames composed, not recorded; some commands of the 22 and 33 UNCONFIRMED; "
        "not yet tried on a pump here",
        on_silence=_HARVARD_SILENCE,
        medical_device=False,
        notes="No watchdog. A PHD 2000 senses no stall. Settings may be lost at power-off.",
    ),
    "graseby-3400": PumpEntry(
        title="Graseby 3400",
        factory=graseby.Graseby3400,
        capabilities=graseby.CAPABILITIES,
        told_by=(),
        line=Line(),
        evidence="commands and sums from the STANPUMP source, recomputed; not yet tried on a pump here",
        on_silence="UNPROVEN in either role: needs a signed bench sheet",
        medical_device=True,
        notes="Cannot say who it is. START at the pump ends remote control. Its highest rate cannot be read.",
    ),
    "manual-pump": PumpEntry(
        title="Pump set by hand",
        factory=manual.ManualPump,
        capabilities=manual.CAPABILITIES,
        told_by=(),
        line=Line(),
        evidence="no wire; as good as the person who confirms",
        on_silence="the program cannot reach it",
        medical_device=None,
        notes="The program shows a rate, a person sets it and confirms what the pump shows.",
        own_name=lambda model: model,
    ),
}

_ASTM = "frames, sums and timers from the Roche host manual; not tried on an instrument"

ANALYZERS: Mapping[str, AnalyzerEntry] = {
    "ysi-2700": AnalyzerEntry(
        title="YSI 2700 SELECT",
        factory=partial(Ysi, "2700"),
        line=Line(),
        evidence="report columns and commands from the manual; terminators and empty reply unverified",
        notes="Read only. Print the instrument's setup page and compare its serial settings and date order.",
    ),
    "ysi-2300": AnalyzerEntry(
        title="YSI 2300 STAT Plus",
        factory=partial(Ysi, "2300"),
        line=Line(),
        evidence="UNCONFIRMED: assumed to speak like the 2700 SELECT",
        notes="Read only. Print the instrument's setup page and compare its serial settings and date order.",
    ),
    "radiometer-abl": AnalyzerEntry(
        title="Radiometer ABL blood gas analyzer (ASTM)",
        factory=partial(Astm, "radiometer-abl"),
        line=Line(),
        evidence=f"{_ASTM}, records from public Radiometer programs; transcript met byte for byte",
        notes="Sends when it has a result: silence cannot be told from idleness.",
    ),
    "gem": AnalyzerEntry(
        title="GEM Premier 3000/4000 (ASTM)",
        factory=partial(Astm, "gem"),
        line=Line(),
        evidence=f"UNCONFIRMED codes; {_ASTM}",
        notes="RS-232 or TCP, as client or server; give its glucose code where it is not found.",
    ),
    "nova": AnalyzerEntry(
        title="Nova pHOx, Prime (ASTM)",
        factory=partial(Astm, "nova"),
        line=Line(),
        evidence=f"UNCONFIRMED codes; {_ASTM}",
        notes="Sends when it has a result: silence cannot be told from idleness.",
    ),
    "cobas-b": AnalyzerEntry(
        title="Roche cobas b 121/123/221 (ASTM)",
        factory=partial(Astm, "cobas-b"),
        line=Line(),
        evidence=f"UNCONFIRMED codes; {_ASTM}",
        notes="Sends when it has a result: silence cannot be told from idleness.",
    ),
    "siemens": AnalyzerEntry(
        title="Siemens RapidLab 1200, RAPIDPoint 400/500 (LIS3)",
        factory=Siemens,
        line=Line(),
        evidence="frames, checksum and flow from public programs, recomputed; glucose key, QC and CAL names "
        "and timers UNCONFIRMED; not tried on an analyzer",
        notes="Sends when it has a result: silence cannot be told from idleness. Some lines are 7200 7E2.",
    ),
    "biosen": AnalyzerEntry(
        title="EKF Biosen C-Line (Clinic, GP+)",
        factory=Biosen,
        line=Line(),
        evidence="fields up to the unit from the manual p. 41; what follows it, baud, terminator and "
        "unasked sending UNCONFIRMED; no checksum; not tried on an analyzer",
        notes="Nothing is sent to it. glucose_channel says which channel is glucose; there is no default.",
    ),
    "poct1a": AnalyzerEntry(
        title="POCT1-A meters over TCP (Nova StatStrip, HemoCue 201 DM)",
        factory=Poct1a,
        line=Line(),
        evidence="UNCONFIRMED: message shapes from two public host programs (DCA Vantage, i-STAT) and the "
        "Nova Prime protocol; no capture of a StatStrip or HemoCue",
        notes="The meter calls this computer (tcp-listen://). Set its serial number; silence cannot be told "
        "from idleness.",
    ),
    "line": AnalyzerEntry(
        title="Any analyzer that prints a line for each result",
        factory=LineAnalyzer,
        line=Line(),
        evidence="no layout is known; disabled until learn mode has compared three lines with the display",
        notes="Read only, no checksum. `clampctl probe line --learn FILE` writes its settings.",
    ),
    "manual-analyzer": AnalyzerEntry(
        title="Glucose keyed by hand",
        factory=ManualAnalyzer,
        line=Line(),
        evidence="no wire; as good as the person who keys",
        notes="A value needs its unit; a decimal comma is refused.",
    ),
}

DRIVERS: Mapping[str, PumpEntry | AnalyzerEntry] = {**PUMPS, **ANALYZERS}
"""All of them."""

_GIVEN = {"expected", "max_rate_ul_h", "rules", "wall_zero"}
"""What the station's own page decides; the rest of a factory's parameters are its settings."""


def settings_of(factory: Callable[..., Link]) -> tuple[str, ...]:
    """The names of the settings that a station may give to a link."""
    return tuple(name for name in inspect.signature(factory).parameters if name not in _GIVEN)


def pump_link(driver: str, expected: Expected, rate_ul_h_max: int, settings: Mapping[str, Option]) -> Link:
    """A pump's link; the station's highest rate goes to a pump that cannot tell its own.

    Errors: KeyError for a driver that is not there, ValueError where settings do not fit.
    """
    factory = PUMPS[driver].factory
    _require_known(driver, factory, settings)
    known = inspect.signature(factory).parameters
    limit = {"max_rate_ul_h": rate_ul_h_max} if "max_rate_ul_h" in known else {}
    return factory(expected, **limit, **settings)


def analyzer_link(
    driver: str, rules: Rules, wall_zero: datetime | None, settings: Mapping[str, Option]
) -> Link:
    """An analyzer's link; `wall_zero` is the local wall clock at session time 0. Errors: as `pump_link`."""
    factory = ANALYZERS[driver].factory
    _require_known(driver, factory, settings)
    known = inspect.signature(factory).parameters
    given = {"rules": rules, "wall_zero": wall_zero}
    return factory(**{name: value for name, value in given.items() if name in known}, **settings)


def _require_known(driver: str, factory: Callable[..., Link], settings: Mapping[str, Option]) -> None:
    known = settings_of(factory)
    for name in settings:
        if name not in known:
            words = ", ".join(known) or "none"
            raise ValueError(f"{driver} has no setting {name!r}; it has {words}")
