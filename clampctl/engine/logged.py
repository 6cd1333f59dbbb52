"""A clamp logged elsewhere as a journal: the same file, opened by the same report and replay."""

import os
from collections.abc import Iterable
from pathlib import Path

from clampctl.core.events import ReadingImported, SessionStarted
from clampctl.engine.journal import Journal
from clampctl.engine.loop import Control

Reading = tuple[int, float | None, float | None, float | None]
"""Time in ms; glucose mg/dL, GIR mg/kg/min, insulin µU/mL; None where nothing was logged."""


def write_logged(path: Path, started: SessionStarted, rows: Iterable[Reading]) -> int:
    """Write the journal of a logged clamp; returns how many rows it holds."""
    journal = Journal(path, lambda _: None)
    control = Control(journal, lambda _: None)
    control.accept(started, 0)
    count = 0
    for t_ms, glucose_mg_dl, gir_mg_kg_min, insulin_uu_ml in rows:
        control.accept(ReadingImported(glucose_mg_dl, gir_mg_kg_min, insulin_uu_ml), t_ms)
        count += 1
    journal.close()
    with path.open("rb") as written:
        os.fsync(written.fileno())
    return count
