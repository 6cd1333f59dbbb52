"""What differs between analyzers that speak ASTM, as data.

Source: analyzers reference 3.2, 4.3. Only the Radiometer table rests on a message that was seen; the
glucose codes of GEM, Nova and cobas b are not known and UNCONFIRMED.
"""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of analyzer.

    `codes`: names of glucose in the test code `^^^code`, in any case. `measured`: the word after the
    code that marks a measured value, "" where none is sent. `sample_word`: the first part of the
    instrument's sample number (O field 4) of a patient's sample, "" where it is not judged.
    `harmless`: codes of instrument comments that hold nothing back. `run_time_s`: usual seconds from
    the time stamp to the result's arrival [R].
    """

    title: str
    evidence: str
    codes: tuple[str, ...] = ("glu",)
    measured: str = ""
    sample_word: str = ""
    harmless: tuple[str, ...] = ()
    run_time_s: int = 60


_ASSUMED = "UNCONFIRMED: framing as published, glucose code `glu` assumed; compare with a captured message"

PROFILES = MappingProxyType(
    {
        "radiometer-abl": Profile(
            title="Radiometer ABL",
            evidence="records as in public programs for the ABL735 and ABL9; line settings unverified",
            measured="M",
            sample_word="Sample #",
        ),
        "gem": Profile(title="GEM Premier", evidence=_ASSUMED),
        "nova": Profile(title="Nova pHOx/Prime", evidence=_ASSUMED),
        "cobas-b": Profile(title="Roche cobas b 121/123/221", evidence=_ASSUMED),
    }
)
"""The profiles there are, by the name used in a station document."""


def profile_called(name: str) -> Profile:
    """The profile of that name. Errors: ValueError with one sentence for an unknown one."""
    if name not in PROFILES:
        raise ValueError(f"There is no ASTM profile {name!r}; there are {', '.join(PROFILES)}.")
    return PROFILES[name]
