"""Which code serves which device, and what a session is started from."""

from collections.abc import Mapping

from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from clampctl.core.station import MANUAL_PUMP, AnalyzerSetup, PumpSetup, RateStep, Station
from clampctl.study.station_document import PortSetup, PumpDefaults
from drivers.link import Link

MANUAL_ANALYZER = "manual-analyzer"


def pump_defaults() -> Mapping[str, PumpDefaults]:
    """What each pump driver knows of its pump, for documents that do not say."""
    from drivers.pumps.new_era_text import RATE_STEPS

    steps = tuple(RateStep(below, step) for below, step in RATE_STEPS)
    return {
        "new-era": PumpDefaults(30, 1_500_000, steps, 5, 1),
        MANUAL_PUMP: PumpDefaults(100, 1_200_000, (RateStep(10_000_000, 100),), None, None),
    }


def pump_link(setup: PumpSetup, options: Mapping[str, object]) -> Link:
    """The link for a pump of the station."""
    from drivers.pumps.manual import ManualPump
    from drivers.pumps.new_era import NewEra

    if setup.driver == MANUAL_PUMP:
        return ManualPump(setup.role, setup.model)
    if setup.driver == "new-era":
        expected = setup.model if setup.model.upper().startswith("NE") else "NE"
        return NewEra(
            setup.role,
            setup.address,
            setup.diameter_um,
            expected.replace("-", ""),
            setup.watchdog_s,
            addressed=options.get("addressed", True) is True,
        )
    raise Refusal("driver", f"There is no pump driver {setup.driver!r}.")


def analyzer_link(setup: AnalyzerSetup, options: Mapping[str, object]) -> Link | None:
    """The link for the station's analyzer; None for one that is keyed by hand."""
    from drivers.analyzers.ysi import Ysi

    if setup.driver == MANUAL_ANALYZER:
        return None
    if setup.driver in ("ysi-2300", "ysi-2700"):
        order = str(options.get("date_order", "mdy"))
        return Ysi(setup.driver.removeprefix("ysi-"), date_order=order)
    raise Refusal("driver", f"There is no analyzer driver {setup.driver!r}.")


def links(station: Station, ports: Mapping[Role, PortSetup]) -> dict[Role, Link]:
    """Every link of a station that has a wire or a person behind it."""
    found: dict[Role, Link] = {
        Role.DEXTROSE: pump_link(station.dextrose_pump, ports[Role.DEXTROSE].options),
        Role.INSULIN: pump_link(station.insulin_pump, ports[Role.INSULIN].options),
    }
    analyzer = analyzer_link(station.analyzer, ports[Role.ANALYZER].options)
    if analyzer is not None:
        found[Role.ANALYZER] = analyzer
    return found


def paper_station() -> Station:
    """A station for advice: pumps that can give any sensible rate in steps of 0.01 mL/h."""
    steps = (RateStep(10_000_000, 10),)

    def pump(role: Role) -> PumpSetup:
        return PumpSetup(role, MANUAL_PUMP, "by hand", 0, 26_600, 10, 1_200_000, steps, None, None)

    return Station(
        name="advice",
        dextrose_pump=pump(Role.DEXTROSE),
        insulin_pump=pump(Role.INSULIN),
        analyzer=AnalyzerSetup(MANUAL_ANALYZER, "by hand", "plasma", 0),
    )
