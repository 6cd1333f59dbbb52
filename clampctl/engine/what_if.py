"""What another law would have advised in a recorded clamp, beside what was done.

Open loop: the glucose is the recorded one, and before each sample the law is told what was really
delivered. It shows advice, not the course that advice would have led to.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from clampctl.core.dosing import delivered_gir
from clampctl.core.events import ReadingImported
from clampctl.core.protocol import Refusal
from clampctl.core.state import DOSING, State
from clampctl.engine.advise import Adviser, Asked
from clampctl.engine.replay import Refolded, steps


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One sample: the GIR in force until the next (None where not known), and what the law would advise."""

    t_min: float
    glucose_mg_dl: float
    done_mg_kg_min: float | None
    wanted_mg_kg_min: float
    gir_mg_kg_min: float
    rate_ml_h: float
    reasons: tuple[str, ...]


def what_if(path: Path, law: str) -> Iterator[WhatIf]:
    """Advice of `law` at each usable sample.

    Raises `Refusal` for an unknown law and for a journal without a session, `JournalDamaged`,
    `CodecError`. What was done about a sample of a live clamp is known once a nurse has had time to
    confirm it: when the next sample comes, or insulin ends.
    """
    adviser: Adviser | None = None
    waiting: WhatIf | None = None
    gir_mg_kg_min: float | None = None
    read = _Readings()
    for refolded in steps(path.read_bytes()):
        if adviser is None:
            adviser = _adviser(refolded.after, law)
        if waiting is not None and _acted_on(refolded):
            yield replace(waiting, done_mg_kg_min=gir_mg_kg_min)
            waiting = None
        gir_mg_kg_min = refolded.after.dosing.gir_mg_kg_min
        imported, sampled = read.imported(refolded), _sampled(refolded)
        if imported is not None:
            asked, done = imported
            yield _row(adviser, asked, done)
        elif sampled is not None:
            waiting = _row(adviser, sampled, None)
    if adviser is None:
        raise Refusal("file", f"{path} holds no session.")
    if waiting is not None:
        yield replace(waiting, done_mg_kg_min=gir_mg_kg_min)


def _row(adviser: Adviser, asked: Asked, done_mg_kg_min: float | None) -> WhatIf:
    advised = adviser.ask(asked)
    return WhatIf(
        advised.t_min,
        asked.glucose_mg_dl,
        done_mg_kg_min,
        advised.wanted_mg_kg_min,
        advised.gir_mg_kg_min,
        advised.rate_ml_h,
        advised.reasons,
    )


def _acted_on(refolded: Refolded) -> bool:
    """Whether nothing more can be done about the sample before: another one came, or insulin ended."""
    before, after = refolded.before, refolded.after
    if before is None:
        return False
    return before.blood.newest is not after.blood.newest or (
        before.phase in DOSING and after.phase not in DOSING
    )


def _adviser(state: State, law: str) -> Adviser:
    session = state.session
    protocol = replace(session.protocol, law=replace(session.protocol.law, name=law))
    return Adviser(protocol, session.subject, session.station)


def _sampled(refolded: Refolded) -> Asked | None:
    """A usable sample of a live clamp, with what was delivered since the one before."""
    before, after = refolded.before, refolded.after
    newest = after.blood.newest
    if before is None or newest is None or newest is before.blood.newest:
        return None
    if after.clamp_started_ms is None:
        return None
    elapsed_ms = newest.drawn_at_ms - after.clamp_started_ms
    if elapsed_ms < 0:
        return None
    return Asked(elapsed_ms, newest.glucose_mg_dl, delivered_gir(before, refolded.at_ms))


class _Readings:
    """Rows of an imported clamp: the GIR last read, and the mean of those since the last sample."""

    def __init__(self) -> None:
        self._since: list[float] = []
        self._last: float | None = None

    def imported(self, refolded: Refolded) -> tuple[Asked, float | None] | None:
        """The sample in this row, if it holds one."""
        event = refolded.event
        if not isinstance(event, ReadingImported):
            return None
        delivered = sum(self._since) / len(self._since) if self._since else self._last
        if event.gir_mg_kg_min is not None:
            self._last = event.gir_mg_kg_min
            self._since.append(event.gir_mg_kg_min)
        if event.glucose_mg_dl is None:
            return None
        self._since = []
        return Asked(refolded.at_ms, event.glucose_mg_dl, delivered), self._last
