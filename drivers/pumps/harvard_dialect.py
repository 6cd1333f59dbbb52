"""What each Harvard dialect can say and ask: the seam between wording and the course of a dialogue."""

from dataclasses import dataclass
from typing import Protocol

from clampctl.core.events import PumpState
from drivers.pumps.harvard_talk import TRIES, Dialogue
from drivers.pumps.harvard_text import Told


@dataclass(frozen=True, slots=True)
class Reading:
    """One full reading; None is not known. `fresh`: the pump forgot what it was set to."""

    state: PumpState
    moving: bool
    rate_ul_h: int | None
    infused_ul: int | None
    alarm: str | None
    fresh: bool = False

    @property
    def seen(self) -> tuple[PumpState, int | None, str | None]:
        """What only an order or a person at the pump changes."""
        return self.state, self.rate_ul_h if self.moving else 0, self.alarm


@dataclass(frozen=True, slots=True)
class Who:
    """The pump that answered; `mismatch` is why it is not the expected one."""

    model: str
    detail: str
    mismatch: str | None


class Dialect(Protocol):
    """How one family of Harvard pumps is spoken to."""

    run_text: str
    stop_text: str

    @property
    def limits_ul_h(self) -> tuple[int, int]:
        """Slowest and fastest rate in µL/h."""
        ...

    def held_ul_h(self, rate_ul_h: int) -> int:
        """The rate as the pump can hold it, never above what was asked."""
        ...

    def rate_text(self, rate_ul_h: int) -> str:
        """The command that sets a rate."""
        ...

    def who(self) -> Dialogue[Who]:
        """Ask model, address, syringe. Errors: Unanswered."""
        ...

    def reading(self, wanted_ul_h: int | None, tries: int = TRIES) -> Dialogue[Reading | None]:
        """Ask state, rate and counter; None when one was not told."""
        ...

    def rate_set(self) -> Dialogue[Told | None]:
        """Ask the rate a stopped pump would run at."""
        ...

    def stops_by_itself(self) -> Dialogue[str | None]:
        """What will stop the pump without an order, in words; None for nothing. Errors: Unanswered."""
        ...

    def make_ready(self) -> Dialogue[str | None]:
        """Settings of a stopped pump; why it did not take them. Errors: Unanswered."""
        ...

    def arm(self, rate_ul_h: int, seconds: int) -> Dialogue[str | None]:
        """A volume target for the next seconds, read back; why it is not there."""
        ...
