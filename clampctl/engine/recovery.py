"""Back from a journal: fold it, cut an unfinished last line, say what was found.

A torn tail is cut to the last whole record and kept in a file aside. Damage before the tail is
never cut: the old file stays as it is and the session cannot be resumed from it (safety sheet 7.4).
"""

import contextlib
import itertools
import os
from dataclasses import dataclass
from pathlib import Path

from clampctl.core.codec import read_event
from clampctl.core.events import Event, SessionResumed, SessionStarted
from clampctl.core.state import State
from clampctl.core.step import step
from clampctl.engine.journal import GENESIS, JournalDamaged, read_lines
from clampctl.engine.loop import Watcher


@dataclass(frozen=True, slots=True)
class Folded:
    """What a journal says: its last state, and where to write on."""

    state: State | None
    last_event: Event | None
    seq: int
    sha256: str
    whole_bytes: int
    torn: str
    anchor_utc: str
    anchor_at_ms: int


def fold(path: Path, watchers: tuple[Watcher, ...] = ()) -> Folded:
    """The state after every whole line of a journal; the file is only read.

    The anchor is the last moment at which the journal holds session time and wall clock together.

    Raises `JournalDamaged` on damage before the tail, `CodecError` on a body this version cannot read.
    """
    state: State | None = None
    event: Event | None = None
    seq, sha256, whole_bytes, torn = -1, GENESIS, 0, ""
    anchor_utc, anchor_at_ms = "", 0
    try:
        for line in read_lines(path.read_bytes()):
            event, before, at_ms = read_event(line.body["event"]), state, line.body["at_ms"]
            state, _ = step(before, event, at_ms)
            seq, sha256, whole_bytes = line.body["seq"], line.sha256, line.end_byte
            if isinstance(event, SessionStarted):
                anchor_utc, anchor_at_ms = event.started_utc, at_ms
            elif isinstance(event, SessionResumed):
                anchor_utc, anchor_at_ms = event.resumed_utc, at_ms
            for watcher in watchers:
                watcher.saw(seq, before, event, state)
    except JournalDamaged as damage:
        if not damage.torn:
            raise
        torn = damage.detail
    return Folded(state, event, seq, sha256, whole_bytes, torn, anchor_utc, anchor_at_ms)


def cut_tail(path: Path, folded: Folded) -> Path | None:
    """Cut an unfinished last line, kept beside the journal; None when there was none."""
    size = path.stat().st_size
    if size == folded.whole_bytes:
        return None
    tail = path.read_bytes()[folded.whole_bytes :]
    for number in itertools.count():
        aside = path.with_suffix(f".tail-{folded.seq + 1}" + (f"-{number}" if number else ""))
        with contextlib.suppress(FileExistsError), aside.open("xb") as kept:
            kept.write(tail)
            kept.flush()
            os.fsync(kept.fileno())
            break
    os.truncate(path, folded.whole_bytes)
    return aside
