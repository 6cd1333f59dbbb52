"""simglucose's adults, given intravenous ports, are clamped by our advice: a body that nobody here wrote.

What is judged is glucose, not M: in this model insulin acts on the liver hours too late.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clampctl.core.insulin import multiple
from clampctl.study.load import load_protocol
from clampctl.units import MS_PER_MIN
from tests.peers.exchange import Notes, Peer, Theirs

PACKAGE = "simglucose"
PROTOCOL = "euglycemic-40"
LAW = "defronzo"
MINUTES = 120
INSULIN_MU_KG_MIN = 1.0
"""What 40 mU/m²/min is in an adult, nearly; the peer knows no body surface."""

FASTING_MG_DL = 90.0
LOWEST_MG_DL, HIGHEST_MG_DL = 70.0, 130.0
BATCHES = (range(1, 6), range(6, 11))
"""The ten adults, few enough at a time that a process of theirs ends within its limit."""

ADVISE = (
    *(sys.executable, "-m", "clampctl.cli", "advise"),
    *("--protocol", PROTOCOL, "--law", LAW, "--height-cm", "175"),
)


@dataclass(frozen=True, slots=True)
class Clamps:
    """What became of some adults: glucose each minute, and the time of the peer's own integration."""

    glucose_mg_dl: dict[str, list[float]]
    integration_s: float

    @property
    def subject_minutes(self) -> int:
        """Minutes of all adults together."""
        return sum(len(course) - 1 for course in self.glucose_mg_dl.values())


def clamped(python: Path, adults: Sequence[int], plain: bool) -> Clamps:
    """Clamp some of the adults in the peers' environment, with `clampctl advise` beside it.

    `plain` spares the peer its pandas row: the same numbers, found faster. Errors: Failed.
    """
    prime = load_protocol(PROTOCOL).steps[0].prime
    asked = {
        "advise": ADVISE,
        "adults": list(adults),
        "insulin_mu_kg_min": [
            INSULIN_MU_KG_MIN * multiple(prime, minute * MS_PER_MIN) for minute in range(MINUTES)
        ],
        "fasting_mg_dl": FASTING_MG_DL,
        "plain": plain,
    }
    said = Theirs(python, "simglucose_adult.py", json.dumps(asked)).said()
    glucose, took_s = said["glucose_mg_dl"], said["integration_s"]
    assert isinstance(glucose, dict)
    assert isinstance(took_s, float)
    return Clamps(glucose, took_s)


def play(python: Path) -> Notes:
    """Ten adults from a fasting state at 90 mg/dL, DeFronzo's law, a sample every 5 min, 120 min."""
    notes = Notes()
    courses: dict[str, list[float]] = {}
    for adults in BATCHES:
        courses |= clamped(python, adults, plain=True).glucose_mg_dl
    for adult, course in courses.items():
        lowest, highest = min(course), max(course)
        notes.require(
            f"adult {adult}: {lowest:.0f} to {highest:.0f} mg/dL, {course[-1]:.0f} at {MINUTES} min",
            all(LOWEST_MG_DL <= glucose <= HIGHEST_MG_DL for glucose in course),
        )
    notes.require(
        f"glucose of {len(courses)} adults within {LOWEST_MG_DL:.0f} to {HIGHEST_MG_DL:.0f} mg/dL "
        f"for {MINUTES} min under {LAW}, insulin {INSULIN_MU_KG_MIN:g} mU/kg/min",
        len(courses) == sum(map(len, BATCHES)),
    )
    return notes


PEER = Peer(
    package=PACKAGE,
    licence="MIT",
    exchange="their adults, our `clampctl advise`, JSON lines",
    known_faults=(
        "type 1 diabetes only",
        "no intravenous ports, glucose or insulin (its issue 2): two terms are added to its right-hand side",
        "where its table of patients comes from is not settled (its issue 26): nothing of it is kept here",
        "insulin acts on its liver hours too late: its M says nothing",
        "reads its parameters from a pandas row, which is most of its time; read here from a plain object",
        "needs setuptools below 80 (pkg_resources)",
    ),
    play=play,
)
