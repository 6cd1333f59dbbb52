"""The pumps' rows of the fuzz table."""

from binascii import crc_hqx

from clampctl.core.commands import Role
from drivers.link import Expected
from drivers.pumps.alaris import Alaris
from drivers.pumps.graseby import Graseby3400
from drivers.pumps.harvard_22 import Harvard22
from drivers.pumps.harvard_ultra import HarvardUltra
from drivers.pumps.new_era import NewEra
from simulator.devices import alaris, graseby, harvard_22, harvard_ultra, new_era
from simulator.devices.new_era_settings import NewEraSettings
from tests.fuzz import witness
from tests.fuzz.row import Row, pump
from tests.fuzz.seeds import cases, frames


def safe(*commands: str) -> list[bytes]:
    """New Era Safe packets."""
    return [
        bytes((2, len(text) + 4)) + text.encode() + crc_hqx(text.encode(), 0).to_bytes(2, "big") + b"\x03"
        for text in commands
    ]


NEW_ERA_SAYS = ("00S", "00I", "00I120.0MH", "00S0.000MH", "00SI0.123W0.000ML", "00A?R", "00A?T", "00S26.59")
NEW_ERA_HEARS = (
    "RAT", "RAT9.999MH", "RUN", "STP", "STP", "DIS", "VER", "DIA14.00", "FUNSTP", "PHN2", "VOL1.5",
    "SAF0", "SAF5", "*ADR0", "LOC1", "CLDINF", "BUZ1", "",
)  # fmt: skip
"""Beside the golden frames, which hold each command once."""

ULTRA_HEARS = (
    "status", "version", "ver", "tvolume", "tvolume 1 ml", "ctvolume", "ttime 60", "cttime", "wrun",
    "nvram none", "echo on", "poll off", "address 5", "diameter 26.59", "irate 1 ml/h",
)  # fmt: skip
"""Commands of an Ultra pump that the golden frames do not hold (pumps 4.1)."""

TWENTY_TWO_HEARS = ("RUN", "STP", "RAT9.99MH", "TGT1.0", "CLD", "MLT1", "DIA26.59", "MODVOL", "DIRREF", "AF")
"""Commands of a 22 pump that change something (pumps 4.2)."""

PUMPS: tuple[Row, ...] = (
    Row(
        "new-era insulin",
        Role.INSULIN,
        lambda: NewEra(Expected(Role.INSULIN, model="NE", diameter_um=26_590, watchdog_s=5)),
        lambda now_ms: pump(new_era.NewEra(NewEraSettings(saf_s=10), now_ms)),
        cases("new_era_safe"),
        frames("new_era_safe", ">") + safe(*NEW_ERA_HEARS),
        safe(*NEW_ERA_SAYS),
        witness.new_era,
    ),
    Row(
        "new-era dextrose",
        Role.DEXTROSE,
        lambda: NewEra(Expected(Role.DEXTROSE, model="NE", diameter_um=26_590)),
        lambda now_ms: pump(new_era.NewEra(NewEraSettings(), now_ms)),
        cases("new_era_safe"),
        frames("new_era_safe", ">") + [f"{text}\r".encode() for text in NEW_ERA_HEARS],
        [f"\x02{text}\x03".encode() for text in NEW_ERA_SAYS],
    ),
    Row(
        "alaris",
        Role.INSULIN,
        lambda: Alaris(Expected(Role.INSULIN, watchdog_s=15)),
        lambda now_ms: pump(alaris.Alaris(None, now_ms)),
        cases("alaris_asena"),
        frames("alaris_asena", ">"),
        scan=witness.alaris,
    ),
    Row(
        "graseby-3400",
        Role.DEXTROSE,
        lambda: Graseby3400(Expected(Role.DEXTROSE), max_rate_ul_h=1_200_000, total_ul=100),
        lambda now_ms: pump(graseby.Graseby(None, now_ms)),
        cases("graseby_3400"),
        frames("graseby_3400", ">"),
        scan=witness.graseby,
    ),
    Row(
        "harvard-ultra",
        Role.DEXTROSE,
        lambda: HarvardUltra(Expected(Role.DEXTROSE, diameter_um=26_590)),
        lambda now_ms: pump(harvard_ultra.HarvardUltra(None, now_ms)),
        cases("harvard_ultra"),
        frames("harvard_ultra", ">") + [f"@{text}\r\n".encode() for text in ULTRA_HEARS],
    ),
    Row(
        "harvard-22",
        Role.DEXTROSE,
        lambda: Harvard22(Expected(Role.DEXTROSE, diameter_um=26_590)),
        lambda now_ms: pump(harvard_22.Harvard22(None, now_ms)),
        cases("harvard_22"),
        frames("harvard_22", ">") + [f"00{text}\r".encode() for text in TWENTY_TWO_HEARS],
    ),
)
