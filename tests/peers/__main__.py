"""Our links and emulators against programs by others: `make peers`. Exit 1 when an exchange fails.

Each peer runs as a process of its own in an environment of its own, so that nothing of it is ever
imported here. One argument: that environment's Python.
"""

import json
import subprocess
import sys
from enum import StrEnum
from pathlib import Path

from tests.peers import astm_2025, labmcp_astm, labmcp_new_era, nesp, simglucose_clamp, syringe_pump
from tests.peers.exchange import Failed, Notes, Peer

PEERS: tuple[Peer, ...] = (
    nesp.PEER,
    labmcp_new_era.PEER,
    labmcp_astm.SENDER,
    labmcp_astm.RECEIVER,
    astm_2025.PEER,
    syringe_pump.PEER,
    simglucose_clamp.PEER,
)

VERSIONS = (
    "import importlib.metadata as m, json;"
    "print(json.dumps({d.metadata['Name'].lower(): d.version for d in m.distributions()}))"
)


class Result(StrEnum):
    """How an exchange ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


def say(text: str) -> None:
    """A line of the table."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def installed(python: Path) -> dict[str, str]:
    """Version by package name, in the peers' environment."""
    told = subprocess.run([python, "-c", VERSIONS], capture_output=True, text=True, check=True)
    versions: dict[str, str] = json.loads(told.stdout)
    return versions


def row(peer: Peer, version: str, result: str, notes: Notes) -> None:
    """One peer, with all that was seen."""
    frames = f"{notes.frames_from_peer} frames from it, {notes.frames_to_peer} to it"
    say(f"{peer.package} {version} ({peer.licence}): {peer.exchange}")
    say(f"    {result}; {frames}" if notes.frames_from_peer else f"    {result}")
    for agreed in notes.agreed:
        say(f"    agreed: {agreed}")
    for fault in notes.faults_seen:
        say(f"    seen here: {fault}")
    for fault in peer.known_faults:
        say(f"    known fault of the peer: {fault}")


def play(peer: Peer, python: Path, versions: dict[str, str]) -> Result:
    """Run one exchange and print it."""
    version = versions.get(peer.package)
    if version is None:
        row(peer, "absent", "SKIPPED: it is not installed in the peers' environment", Notes())
        return Result.SKIPPED
    try:
        notes = peer.play(python)
    except Failed as failure:
        row(peer, version, f"FAILED: {failure}", Notes())
        return Result.FAILED
    row(peer, version, "PASSED", notes)
    return Result.PASSED


def main(python: Path) -> int:
    """Every exchange, one after the other."""
    versions = installed(python)
    results = [play(peer, python, versions) for peer in PEERS]
    say(", ".join(f"{results.count(result)} {result}" for result in Result))
    return 1 if Result.FAILED in results else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
