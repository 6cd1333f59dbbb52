"""An insulin pump of the Alaris make with its link, and what can be asked of the pair."""

from clampctl.core.commands import Role, SetRate, StartPump
from clampctl.core.events import PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.alaris import Alaris as Link
from simulator.devices.alaris import Alaris
from simulator.devices.alaris_settings import AlarisSettings
from tests.faults.pair import Pair, pieces

SERIAL = "8002-51740"
STATUS_BYTES = 75
"""The reply to INF; that to the request for control is shorter."""

START, STOP, CONTROL = b"!INF_START|", b"!INF_STOP|", b"!REMOTE_CTRL^ENABLED^"


def opened(*faults: str, serial: str = SERIAL, made: AlarisSettings | None = None) -> Pair:
    """An insulin pump on which faults lie before the wire is opened, after five seconds."""
    expected = Expected(Role.INSULIN, "Asena", serial, watchdog_s=15)
    pair = Pair(Link(expected), Alaris(made), pieces)
    for text in faults:
        pair.inject(text)
    pair.open().run(5000)
    return pair


def running(rate_ul_h: int = 3500, *, made: AlarisSettings | None = None) -> Pair:
    """An insulin pump that the link has started."""
    pair = opened(made=made)
    pair.order(StartPump(Role.INSULIN, rate_ul_h, 1)).run(2000)
    assert state(pair) == (PumpState.RUNNING, rate_ul_h)
    return pair


def state(pair: Pair) -> tuple[PumpState, int]:
    """State and rate as last reported."""
    assert pair.report is not None
    return pair.report.state, pair.report.rate_ul_h


def pump(pair: Pair) -> Alaris:
    """The emulated pump, for its physical side."""
    assert isinstance(pair.device, Alaris)
    return pair.device


def counted(pair: Pair) -> int:
    """The counter as last reported, µL."""
    assert pair.report is not None
    assert pair.report.infused_ul is not None
    return pair.report.infused_ul


def starts(pair: Pair) -> int:
    """How often INF_START was sent."""
    return bytes(pair.to_device).count(START)


def told(pair: Pair, trouble: Trouble) -> list[str]:
    """Details of the troubles of one kind."""
    return [event.detail for event in pair.troubles if event.trouble is trouble]


def mismatch(pair: Pair) -> str:
    """Why the pump is only read."""
    assert pair.identity is not None
    assert pair.identity.mismatch is not None
    return pair.identity.mismatch


def read_only(pair: Pair) -> str:
    """Orders of every kind are refused, and none of their bytes is sent."""
    sent, troubles = len(pair.to_device), len(pair.troubles)
    for order in (StartPump(Role.INSULIN, 3500, 1), SetRate(Role.INSULIN, 9000, 1)):
        pair.order(order).run(1500)
    after = bytes(pair.to_device[sent:])
    assert START not in after
    assert b"INF_RATE^" not in after
    refused = [event for event in pair.troubles[troubles:] if event.trouble is Trouble.REFUSED]
    assert len(refused) == 2
    return refused[0].detail
