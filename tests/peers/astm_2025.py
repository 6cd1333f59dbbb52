"""The client of astm-2025 sends to our ASTM link over TCP."""

import json
from pathlib import Path

from simulator.transport import TcpPort
from tests.peers.astm_messages import MESSAGES, VALUES, Heard
from tests.peers.exchange import Notes, Peer, Tapped, Theirs, drive_our_link, now_ms


def play(python: Path) -> Notes:
    """Two messages, one record over two frames, and what the client takes for accepted."""
    wire = Tapped(TcpPort())
    heard = Heard()
    peer = Theirs(python, "astm_2025_client.py", wire.address.rpartition(":")[2], json.dumps(MESSAGES))
    try:
        heard.link.opened(1, now_ms())
        drive_our_link(heard.link, wire, peer, heard.hear)
    finally:
        peer.stop()
        wire.close()
    said = peer.said()
    notes = Notes(wire.from_peer.count(b"\x02"), len(wire.to_peer))
    records = sum(map(len, MESSAGES))
    notes.agree("records acknowledged", records, said["taken"])
    notes.agree("glucose mmol/L", heard.values, VALUES)
    notes.require("nothing odd was told", not heard.troubles)
    if said["lent_buffer"]:
        notes.faults_seen.append(
            "calls Python 2's `buffer` before its first byte: cannot send unless lent one"
        )
    return notes


PEER = Peer(
    package="astm-2025",
    licence="BSD-3-Clause",
    exchange="their client, our ASTM link, TCP",
    known_faults=(
        "its receiver takes a bad checksum with a warning only: 5.1 became an accepted 4.1",
        "its client calls `buffer`, which Python 3 does not have: as installed it sends nothing",
        "TCP only",
        "after a NAK it asks its caller for the next record: it never sends a refused frame again by itself",
    ),
    play=play,
)
