"""What a window knows about its attachment to an engine, beside the engine's own messages.

Pure values: `client` makes them, `present` reads them.
"""

from dataclasses import dataclass
from enum import StrEnum

from clampctl.engine.wire import EventRow, RateRow, SampleRow


@dataclass(frozen=True, slots=True)
class History:
    """All rows so far; they only grow."""

    samples: tuple[SampleRow, ...] = ()
    rates: tuple[RateRow, ...] = ()
    events: tuple[EventRow, ...] = ()


class Fate(StrEnum):
    """What became of an act."""

    PENDING = "pending"
    JOURNALLED = "journalled"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    CUT_OFF = "cut_off"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True)
class Deed:
    """One act of this window: its number, its words on screen, and what became of it.

    `proposal` is the number it accepted, `sets_rate` whether a pump must confirm it.
    """

    act: int
    words: str
    fate: Fate
    proposal: int | None = None
    sets_rate: bool = False
    seq: int | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """The window's own side of the screen.

    `audio` is True with a working sound output, False without, None where only a beep is known.
    `utc_offset_min` turns the engine's UTC into the time of day at the bedside.
    """

    connected: bool
    deed: Deed | None = None
    actor: str = ""
    audio: bool | None = None
    utc_offset_min: int = 0
