"""python-syringe-pump drives our Harvard Ultra emulator; GPLv3, so it stays a program of its own."""

from pathlib import Path

from simulator.devices.harvard_ultra import HarvardUltra
from simulator.devices.harvard_ultra_settings import HarvardUltraSettings
from simulator.transport import PseudoTerminal
from tests.peers.exchange import Notes, Peer, Tapped, ask_our_device, now_ms

XON = b"\x11"


def play(python: Path) -> Notes:
    """Identity, diameter, rate and its limits, a run of a second, volume, stop."""
    made = HarvardUltraSettings(diameter_um=20_000)
    pump = HarvardUltra(made, now_ms())
    wire = Tapped(PseudoTerminal())
    said = ask_our_device(python, "syringe_pump_driver.py", pump, wire)
    notes = Notes(wire.from_peer.count(b"\r\n"), wire.to_peer.count(XON))
    notes.agree("one prompt to each command:", notes.frames_to_peer, notes.frames_from_peer)
    notes.agree("firmware", made.firmware, said["firmware"])
    notes.agree("serial number", made.serial, said["serial"])
    notes.agree("diameter um", 26_590, said["diameter_um"])
    notes.agree("rate uL/h", 150_000, said["rate_ul_h"])
    limits = said["limits_ul_h"]
    notes.require(
        "limits read, with the rate between", isinstance(limits, list) and limits[0] < 150_000 < limits[1]
    )
    notes.agree("prompts running and stopped", [">", ":"], [said["prompt"], said["prompt_stopped"]])
    notes.agree("infused uL", round(pump.delivered_ul), said["infused_ul"])
    notes.require("pump stands still", pump.flow_ul_h == 0)
    notes.agree("commands refused in its opening", "", said["refused"])
    return notes


PEER = Peer(
    package="python-syringe-pump",
    licence="GPLv3, out of process",
    exchange="their driver, our Harvard Ultra emulator, pseudo-terminal",
    known_faults=(
        "where a pump knows only `nvram off` it sends that and raises all the same",
        "waits for XON: without `poll on` it reads nothing",
        "leaving its context stops the pump: a program that ends in an error ends the infusion",
    ),
    play=play,
)
