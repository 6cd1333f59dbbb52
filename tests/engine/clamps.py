"""Short virtual clamps, their journals, and journals framed anew after a change."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from clampctl.core.codec import canonical
from clampctl.core.protocol import GlucoseUnit, Mode, Protocol
from clampctl.engine.journal import GENESIS, framed
from clampctl.engine.loop import Watcher
from clampctl.study.load import load_protocol
from simulator.clamp import Request, VirtualClamp, furnished, run
from simulator.faults import planned

MIN = 60_000
EUGLYCEMIC = replace(load_protocol("euglycemic-40"), mode=Mode.AUTOMATIC)
CONFIRMED = replace(EUGLYCEMIC, mode=Mode.CONFIRM)
IN_MMOL = replace(EUGLYCEMIC, glucose_unit=GlucoseUnit.MMOL_L)


def two_steps() -> Protocol:
    """The two-step protocol with steps of 20 min and two targets."""
    long = load_protocol("euglycemic-two-step-12-40")
    steps = tuple(
        replace(step, target_mg_dl=target, duration_ms=20 * MIN, window_start_ms=0, window_end_ms=20 * MIN)
        for step, target in zip(long.steps, (90.0, 100.0), strict=True)
    )
    return replace(long, steps=steps, mode=Mode.AUTOMATIC)


def request(
    protocol: Protocol, minutes: float, faults: tuple[str, ...] = (), noise: str = "quiet"
) -> Request:
    """A lean subject, a seed, and faults in the form of the command line."""
    return Request(
        protocol, "lean", 1, noise, minutes, tuple(one for text in faults for one in planned(text))
    )


def furnish(path: Path, protocol: Protocol = EUGLYCEMIC, watchers: tuple[Watcher, ...] = ()) -> VirtualClamp:
    """A bench that has not been run."""
    return furnished(request(protocol, 30.0), path, watchers)


def recorded(path: Path, protocol: Protocol, minutes: float, faults: tuple[str, ...] = ()) -> Path:
    """The journal of one clamp on the bench."""
    run(furnished(request(protocol, minutes, faults), path), minutes)
    return path


def reframed(data: bytes, change: Callable[[int, dict[str, Any]], None]) -> bytes:
    """The journal with `change` done to each body, its checksums and chain made right again."""
    previous, lines = GENESIS, []
    for number, line in enumerate(data.splitlines(), 1):
        body = json.loads(line[74:])
        change(number, body)
        framed_line, previous = framed(previous, canonical(body))
        lines.append(framed_line)
    return b"".join(lines)
