"""Replay: fold a journal again with this version's core and compare every decision.

Identical means: the same commands and the same state digest after every event. Another version of
the program makes it a comparison, and the first difference is told field by field.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clampctl.core.codec import CodecError, Digest, plain, read_event
from clampctl.core.commands import Command
from clampctl.core.events import Event
from clampctl.core.state import InvariantBroken, State
from clampctl.core.step import step
from clampctl.engine.journal import read_lines


@dataclass(frozen=True, slots=True)
class Refolded:
    """One step of a replay: what the journal says, and what the core decides now."""

    seq: int
    at_ms: int
    event: Event
    before: State | None
    after: State
    commands: tuple[Command, ...]
    recorded: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first field that differs between record and replay."""

    line: int
    seq: int
    field: str
    recorded: str
    replayed: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a replay ended; `difference` is None when identical."""

    events: int
    last_state: State | None
    difference: Difference | None


def steps(data: bytes) -> Iterator[Refolded]:
    """Every step of a journal, decided anew. Raises `JournalDamaged`, `CodecError`."""
    state: State | None = None
    for line in read_lines(data):
        body = line.body
        event = read_event(body["event"])
        before = state
        state, commands = step(before, event, body["at_ms"])
        yield Refolded(body["seq"], body["at_ms"], event, before, state, commands, body)


def replay(path: Path) -> Outcome:
    """Replay a whole journal; stops at the first difference. Raises `JournalDamaged`.

    An event that this version's core cannot read or refuses to take in is a difference, too.
    """
    digest = Digest()
    count, last = 0, None
    try:
        for folded in steps(path.read_bytes()):
            count += 1
            last = folded.after
            difference = _difference(folded, digest)
            if difference is not None:
                return Outcome(count, last, difference)
    except (CodecError, InvariantBroken) as error:
        return Outcome(count, last, Difference(count + 1, count, "event", "taken in", str(error)))
    return Outcome(count, last, None)


def _difference(folded: Refolded, digest: Digest) -> Difference | None:
    line = folded.seq + 1
    recorded = folded.recorded
    commands = [plain(command) for command in folded.commands]
    if commands != recorded["commands"]:
        return Difference(line, folded.seq, "commands", str(recorded["commands"]), str(commands))
    replayed = digest.of(folded.after)
    if replayed != recorded["digest"]:
        return Difference(line, folded.seq, "digest", recorded["digest"], replayed)
    return None
