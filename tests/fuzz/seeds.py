"""Golden frames of a transcript, each way."""

from pathlib import Path

TRANSCRIPTS = Path(__file__).parents[1] / "data" / "transcripts"


def cases(transcript: str, arrow: str = "<") -> list[list[bytes]]:
    """The frames of one direction, case by case: `<` from the device, `>` from the host."""
    text = (TRANSCRIPTS / f"{transcript}.txt").read_text(encoding="utf-8")
    found = [
        [bytes.fromhex(line[1:]) for line in case.splitlines() if line.startswith(f"{arrow} ")]
        for case in text.split("\n\n")
    ]
    return [case for case in found if case]


def frames(transcript: str, arrow: str) -> list[bytes]:
    """Every frame of one direction."""
    return [frame for case in cases(transcript, arrow) for frame in case]
