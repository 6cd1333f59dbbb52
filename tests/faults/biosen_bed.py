"""A Biosen and its link on one wire, for the fault table."""

from datetime import datetime

from clampctl.core.events import DeviceEvent, GlucoseSampled, SampleKind, Trouble
from drivers.analyzers.biosen import Biosen as Link
from drivers.reading import Rules
from simulator.devices.biosen import Biosen, BiosenSettings
from simulator.devices.fault import FaultKind
from tests.faults.pair import Pair, pieces

START = datetime(2026, 11, 22, 10)
MMOL_5 = 5.0 * 18.0156
RUN_MS = 70_000
"""One sample, and the silence after its record."""


class Bed(Pair):
    """An analyzer with its link, the wire open."""

    def __init__(
        self, rules: Rules | None = None, channel: str = "001", others: str = "002", run_ms: int = 60_000
    ) -> None:
        self.analyzer = Biosen(BiosenSettings(start=START, run_ms=run_ms))
        link = Link(rules=rules, wall_zero=START, glucose_channel=channel, other_channels=others)
        super().__init__(link, self.analyzer, pieces)
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

    def of_kind(self, kind: SampleKind) -> list[str]:
        """Values of one kind, as sent."""
        return [event.raw_value for event in self.told(GlucoseSampled) if event.kind is kind]

    @property
    def values(self) -> list[str]:
        """The patient's values, as sent."""
        return self.of_kind(SampleKind.PATIENT)

    def said(self, trouble: Trouble) -> list[str]:
        """Details of the troubles of one kind."""
        return [event.detail for event in self.troubles if event.trouble is trouble]
