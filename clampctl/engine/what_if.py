"""What another law would have advised in a recorded clamp, beside what was done.

Open loop: the glucose is the recorded one, and before each sample the law is told what was really
delivered. It shows advice, not the course that advice would have led to.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from clampctl.core.dosing import delivered_gir
from clampctl.core.events import ReadingImported
from clampctl.core.state import State, Verdict
from clampctl.engine.advise import Adviser, Asked
from clampctl.engine.replay import Refolded, steps


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One sample: GIR in force after it (None where not known), and what the law would have advised."""

    t_min: float
    glucose_mg_dl: float
    done_mg_kg_min: float | None
    wanted_mg_kg_min: float
    gir_mg_kg_min: float
    rate_ml_h: float
    reasons: tuple[str, ...]


def what_if(path: Path, law: str) -> Iterator[WhatIf]:
    """Advice of `law` at each usable sample. Raises `Refusal` for an unknown law, `JournalDamaged`."""
    adviser: Adviser | None = None
    read = _Readings()
    for refolded in steps(path.read_bytes()):
        if adviser is None:
            adviser = _adviser(refolded.after, law)
        found = read.imported(refolded) or _sampled(refolded)
        if found is None:
            continue
        asked, done = found
        advised = adviser.ask(asked)
        yield WhatIf(
            advised.t_min,
            asked.glucose_mg_dl,
            done,
            advised.wanted_mg_kg_min,
            advised.gir_mg_kg_min,
            advised.rate_ml_h,
            advised.reasons,
        )


def _adviser(state: State, law: str) -> Adviser:
    session = state.session
    protocol = replace(session.protocol, law=replace(session.protocol.law, name=law))
    return Adviser(protocol, session.subject, session.station)


def _sampled(refolded: Refolded) -> tuple[Asked, float | None] | None:
    """A usable sample of a live clamp, with the GIR in force once it was acted on."""
    before, after = refolded.before, refolded.after
    newest = after.blood.newest
    if before is None or newest is None or newest is before.blood.newest:
        return None
    if after.clamp_started_ms is None or newest.verdict is Verdict.REFUSED:
        return None
    elapsed_ms = newest.drawn_at_ms - after.clamp_started_ms
    if elapsed_ms < 0:
        return None
    delivered = delivered_gir(before, refolded.at_ms)
    return Asked(elapsed_ms, newest.glucose_mg_dl, delivered), after.dosing.gir_mg_kg_min


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
