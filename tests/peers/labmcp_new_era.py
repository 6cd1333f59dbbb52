"""The pump simulator of labmcp-new-era is driven by our New Era link in Basic mode."""

from pathlib import Path

from clampctl.core.commands import Role, StartPump, StopPump
from clampctl.core.events import DeviceEvent, LinkTroubled, PumpIdentified, PumpReported, PumpState
from drivers.link import Expected
from drivers.pumps.new_era import NewEra
from simulator.transport import PseudoTerminal
from tests.peers.exchange import Failed, Notes, Peer, Tapped, Theirs, drive_our_link, now_ms

DIAMETER_UM = 14_430
"""What the simulator starts with: a BD 10 mL syringe."""

RATE_UL_H = 120_000


class Bedside:
    """Orders given as the readings come: start when stopped, stop when running long enough."""

    def __init__(self) -> None:
        self.link = NewEra(Expected(Role.DEXTROSE, model="NE1000", diameter_um=DIAMETER_UM))
        self.identified: PumpIdentified | None = None
        self.readings: list[PumpReported] = []
        self.troubles: list[LinkTroubled] = []

    def hear(self, event: DeviceEvent) -> None:
        """One event of the link."""
        match event:
            case PumpIdentified():
                self.identified = event
                if event.mismatch is not None:
                    raise Failed(f"the link refused the pump: {event.mismatch}")
                self.link.send(StartPump(Role.DEXTROSE, RATE_UL_H, event.epoch), now_ms())
            case PumpReported():
                self.readings.append(event)
                if event.state is PumpState.RUNNING and (event.infused_ul or 0) >= 50:
                    self.link.send(StopPump(Role.DEXTROSE, event.epoch), now_ms())
            case LinkTroubled() if self.identified is not None:  # before that the peer is still starting
                self.troubles.append(event)
            case _:
                pass

    @property
    def done(self) -> bool:
        """It ran and stands still again."""
        ran = any(reading.state is PumpState.RUNNING for reading in self.readings)
        return ran and self.readings[-1].state is PumpState.STOPPED


def play(python: Path) -> Notes:
    """Identify, start, read back, stop."""
    wire = Tapped(PseudoTerminal())
    peer = Theirs(python, "labmcp_pump.py", wire.address)
    bed = Bedside()
    try:
        bed.link.opened(1, now_ms())
        drive_our_link(bed.link, wire, peer, bed.hear, lambda: bed.done)
    finally:
        peer.stop()
        wire.close()
    if not bed.done:
        peer.said()  # it ended too early, and says why
        raise Failed("the simulator ended before the pump had run and stopped")
    running = [reading for reading in bed.readings if reading.state is PumpState.RUNNING]
    notes = Notes(wire.from_peer.count(b"\x03"), wire.to_peer.count(b"\r"))
    named = bed.identified is not None and bed.identified.mismatch is None
    notes.require(f"identified as NE1000 with a syringe of {DIAMETER_UM} um", named)
    notes.require(f"rate set and read back {RATE_UL_H} uL/h", all(r.rate_ul_h == RATE_UL_H for r in running))
    counted = [reading.infused_ul for reading in running if reading.infused_ul is not None]
    notes.require(f"counter followed to {counted[-1]} uL, never back", counted == sorted(counted))
    notes.require("stopped, at rate 0", bed.readings[-1].rate_ul_h == 0)
    notes.require("the link found nothing odd once the pump had answered", not bed.troubles)
    return notes


PEER = Peer(
    package="labmcp-new-era",
    licence="Apache-2.0",
    exchange="their pump simulator, our New Era link, Basic mode, pseudo-terminal",
    known_faults=(
        "by its own word never tried on a pump",
        "Basic mode only, so nothing here proves the watchdog",
        "numbers without the pump's trailing point from 1000 up (1000, the pump says 1000.)",
    ),
    play=play,
)
