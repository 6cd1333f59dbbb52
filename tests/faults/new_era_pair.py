"""A New Era link and its emulator, at the moments from which faults are played."""

from clampctl.core.commands import Role, StartPump
from clampctl.core.events import PumpIdentified, PumpReported, PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.new_era import NewEra as NewEraLink
from simulator.devices.new_era import NewEra
from simulator.devices.new_era_settings import NewEraSettings
from tests.faults.pair import Pair, pieces

DEVICE = "new-era"
DEXTROSE, INSULIN = Role.DEXTROSE, Role.INSULIN
SET_UP_MS = 20_000
DIAMETER_UM = {DEXTROSE: 26_590, INSULIN: 19_050}
RATE_UL_H = {DEXTROSE: 120_000, INSULIN: 4_440}


def pair_of(role: Role, settings: NewEraSettings | None = None) -> Pair:
    """A link and a pump, not yet opened."""
    diameter_um = DIAMETER_UM[role]
    watchdog_s = 5 if role is INSULIN else None
    link = NewEraLink(Expected(role, "NE1000", diameter_um=diameter_um, watchdog_s=watchdog_s))
    return Pair(link, NewEra(settings or NewEraSettings(diameter_um=diameter_um)), pieces)


def found(pair: Pair) -> PumpIdentified:
    """Open it and let it be set up."""
    pair.open().run(SET_UP_MS)
    assert pair.identity is not None
    return pair.identity


def ready(role: Role = DEXTROSE) -> Pair:
    """Identified, set up, stopped."""
    pair = pair_of(role)
    assert found(pair).mismatch is None
    return pair


def running(role: Role = DEXTROSE) -> Pair:
    """Started by order, a minute old."""
    pair = ready(role).order(StartPump(role, RATE_UL_H[role], 1))
    pair.run(60_000)
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H[role])
    pair.to_device.clear()
    pair.events.clear()
    return pair


def pump(pair: Pair) -> NewEra:
    assert isinstance(pair.device, NewEra)
    return pair.device


def reading(pair: Pair) -> tuple[PumpState, int] | None:
    """The latest report."""
    return None if pair.report is None else (pair.report.state, pair.report.rate_ul_h)


def alarms(pair: Pair) -> list[str]:
    """Alarms reported, in order."""
    return [report.alarm for report in pair.told(PumpReported) if report.alarm is not None]


def kinds(pair: Pair) -> set[Trouble]:
    return {event.trouble for event in pair.troubles}


def sent(pair: Pair, word: bytes) -> int:
    return bytes(pair.to_device).count(word)
