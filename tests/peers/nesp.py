"""nesp-lib drives our New Era emulator in Safe mode."""

from pathlib import Path

from simulator.devices.new_era import NewEra
from simulator.devices.new_era_settings import NewEraSettings
from simulator.transport import PseudoTerminal
from tests.peers.exchange import Notes, Peer, Tapped, ask_our_device, now_ms

SAFE_OVERHEAD = 1
"""The length byte counts itself and all behind it; STX is before it."""


def safe_frames(data: bytes) -> int:
    """How many Safe packets follow one another without a byte between them."""
    at = count = 0
    while at + 1 < len(data) and data[at] == 2:
        at += data[at + 1] + SAFE_OVERHEAD
        count += 1
    return count if at == len(data) else 0


def play(python: Path) -> Notes:
    """The pump was left in Safe mode: nesp-lib sends its first packet in Safe framing, and a pump in Basic
    mode would take it for half a line."""
    pump = NewEra(NewEraSettings(saf_s=10, diameter_um=20_000), now_ms())
    wire = Tapped(PseudoTerminal())
    said = ask_our_device(python, "nesp_driver.py", pump, wire)
    notes = Notes(safe_frames(bytes(wire.from_peer)), safe_frames(bytes(wire.to_peer)))
    notes.require("every byte both ways is part of a whole Safe packet", notes.frames_from_peer > 0)
    notes.agree("one reply to each packet:", notes.frames_to_peer, notes.frames_from_peer)
    notes.agree("model", 1000, said["model"])
    notes.agree("firmware", [3, 928], said["firmware"])
    notes.agree("watchdog s", 2, said["watchdog_s"])
    notes.agree("diameter um", 26_590, said["diameter_um"])
    notes.agree("rate uL/h", 150_000, said["rate_ul_h"])
    notes.require("pump ran", said["running"] is True)
    notes.require("heartbeat kept the watchdog quiet for 3.2 s", said["running_after_silence"] is True)
    notes.agree("infused uL", int(pump.delivered_ul), said["infused_ul"])
    notes.require("pump stopped", said["stopped"] is True and pump.flow_ul_h == 0)
    if said["8_ml_h_while_running"] == "StateException":
        notes.faults_seen.append("150 to 8 mL/h while running: sent 8000UH, was answered ?NA, and raised")
    return notes


PEER = Peer(
    package="nesp-lib",
    licence="MIT",
    exchange="their driver, our New Era emulator, Safe mode, pseudo-terminal",
    known_faults=(
        "chooses units by the value: a change across 10 mL/h while running is refused by the pump and raises",
        "its port has no timeout: a silent pump blocks the call and the heartbeat for ever",
        "a first reply in Basic framing is never finished",
        "numbers are cut after five characters (12.34 mL/h becomes 205.6 uL/min)",
        "default baud 9600, the pump's is 19200",
        "an exception ends its heartbeat thread: the pump stops and nobody is told",
        "first packet in Safe framing: a pump in Basic mode never answers it",
    ),
    play=play,
)
