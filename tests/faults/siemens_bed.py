"""A Siemens analyzer and its link on one wire, for the fault table."""

from datetime import datetime

from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkHeard, SampleKind, Trouble
from drivers.analyzers.siemens import Siemens as Link
from drivers.reading import Rules
from simulator.devices.fault import FaultKind
from simulator.devices.siemens import Siemens, SiemensSettings
from tests.faults.pair import Pair, pieces

START = datetime(2026, 11, 22, 10)
MMOL_5 = 5.0 * 18.0156
RUN_MS = 70_000
"""One sample, and time for a retry."""


class Bed(Pair):
    """An analyzer with its link, the wire open."""

    def __init__(self, rules: Rules | None = None, serial: str = "", run_ms: int = 60_000) -> None:
        self.analyzer = Siemens(SiemensSettings(start=START, run_ms=run_ms))
        super().__init__(Link(rules=rules, wall_zero=START, serial=serial), self.analyzer, pieces)
        self.open()

    def measure(self, glucose_mg_dl: float = MMOL_5, for_ms: int = RUN_MS) -> list[DeviceEvent]:
        """A sample is given; what was told until its result should be there."""
        self.analyzer.place_sample(glucose_mg_dl, self.now_ms)
        return self.run(for_ms)

    def inject(self, text: str) -> "Bed":
        """A fault begins now."""
        super().inject(text)
        return self

    def clear(self, kind: FaultKind) -> "Bed":
        """A fault ends now."""
        super().clear(kind)
        return self

    def open(self) -> "Bed":
        """The wire is opened."""
        super().open()
        return self

    def of_kind(self, kind: SampleKind) -> list[str]:
        """Values of one kind, as sent."""
        return [event.raw_value for event in self.told(GlucoseSampled) if event.kind is kind]

    def said(self, trouble: Trouble) -> list[str]:
        """Details of the troubles of one kind."""
        return [event.detail for event in self.troubles if event.trouble is trouble]

    @property
    def words(self) -> list[str]:
        """What the analyzer said about itself."""
        return [event.detail for event in self.told(LinkHeard)]
