"""The analyzer simulator of labmcp-astm-lis sends to our ASTM link; its receiver takes from our emulator."""

import json
from pathlib import Path

from simulator.devices.astm import AstmAnalyzer
from simulator.devices.astm_settings import AstmSettings, Unit
from simulator.transport import PseudoTerminal
from tests.peers.astm_messages import MESSAGES, VALUES, Heard
from tests.peers.exchange import Notes, Peer, Tapped, Theirs, ask_our_device, drive_our_link, now_ms

STX = b"\x02"


def send(python: Path) -> Notes:
    """Two messages, one frame damaged on its way once, one record over two frames."""
    wire = Tapped(PseudoTerminal())
    heard = Heard()
    peer = Theirs(python, "labmcp_astm_sender.py", wire.address, json.dumps(MESSAGES))
    try:
        heard.link.opened(1, now_ms())
        drive_our_link(heard.link, wire, peer, heard.hear)
    finally:
        peer.stop()
        wire.close()
    said = peer.said()
    notes = Notes(wire.from_peer.count(STX), len(wire.to_peer))
    notes.agree("messages", len(MESSAGES), said["sent"])
    notes.agree("damaged frame, answered NAK and sent again:", heard.damaged, said["naks"])
    notes.agree("glucose mmol/L", heard.values, VALUES)
    notes.require("nothing else was told", len(heard.troubles) == heard.damaged == 1)
    return notes


def receive(python: Path) -> Notes:
    """Two samples of our emulator, with a potassium and a sodium behind each glucose."""
    began_ms = now_ms()
    settings = AstmSettings(run_ms=500, unit=Unit.MG_DL, panel=True)
    analyzer = AstmAnalyzer(settings, began_ms)
    wire = Tapped(PseudoTerminal())
    waiting = [(began_ms + 4_000, 92.0), (began_ms + 5_500, 101.0)]

    def give_blood(at_ms: int) -> None:
        while waiting and waiting[0][0] <= at_ms:
            analyzer.place_sample(waiting.pop(0)[1], at_ms)

    said = ask_our_device(python, "labmcp_astm_receiver.py", analyzer, wire, "6", each_turn=give_blood)
    notes = Notes(len(wire.from_peer), wire.to_peer.count(STX))
    results = said["results"]
    glucose = [row[1:] for row in results if row[0].lower() == "glu"] if isinstance(results, list) else []
    ours = [[value, "mg/dL", "F", "S017"] for value in ("92", "101")]
    notes.agree("glucose, unit, status, patient", ours, glucose)
    notes.agree("messages complete", [True, True], said["complete"])
    notes.agree("frames accepted", notes.frames_to_peer, said["accepted"])
    notes.agree("frames refused", 0, said["rejected"])
    return notes


FAULTS = (
    "by its own word never tried on an analyzer",
    "takes a frame with the last number and another text for a repeat: dropped a first piece, kept the tail",
    "acknowledges frames that are in memory only",
)
LICENCE = "Apache-2.0"
SENDER = Peer(
    "labmcp-astm-lis", LICENCE, "their analyzer simulator, our ASTM link, pseudo-terminal", FAULTS[:1], send
)
RECEIVER = Peer(
    "labmcp-astm-lis", LICENCE, "their receiver, our ASTM emulator, pseudo-terminal", FAULTS, receive
)
