"""An ASTM analyzer at one bed: emulator, link, and the person who gives it blood."""

from dataclasses import dataclass
from datetime import datetime

from clampctl.core.events import GlucoseSampled, SampleKind, Trouble
from drivers.analyzers.astm import Astm
from drivers.reading import Rules
from simulator.devices.astm import AstmAnalyzer
from simulator.devices.astm_settings import AstmSettings
from tests.faults.pair import Pair, pieces

START = datetime(2026, 1, 1, 8)
RUN_MS = 60_000
MMOL_MG_DL = 18.0156


@dataclass(frozen=True)
class Bed:
    """An analyzer, its link, and the person who gives it blood."""

    pair: Pair
    analyzer: AstmAnalyzer

    def measure(self, mmol_l: float = 5.1, wait_ms: int = RUN_MS) -> "Bed":
        """Give a sample and wait for its result."""
        self.analyzer.place_sample(mmol_l * MMOL_MG_DL, self.pair.now_ms)
        self.pair.run(wait_ms)
        return self

    def inject(self, text: str) -> "Bed":
        """A fault begins."""
        self.pair.inject(text)
        return self

    @property
    def doses(self) -> list[str]:
        """Values that may dose, as sent."""
        return [f"{one.raw_value} {one.raw_unit}" for one in self.pair.samples]

    @property
    def told(self) -> list[str]:
        """Everything odd, in words."""
        return [one.detail for one in self.pair.troubles]

    def kinds(self, trouble: Trouble) -> int:
        """How often one kind of trouble was told."""
        return sum(one.trouble is trouble for one in self.pair.troubles)

    def others(self, kind: SampleKind) -> list[str]:
        """Values of another kind, as sent."""
        return [one.raw_value for one in self.pair.told(GlucoseSampled) if one.kind is kind]


def bed(
    settings: AstmSettings | None = None, rules: Rules | None = None, wall_zero: datetime | None = START
) -> Bed:
    """The wire is open and nothing was said."""
    analyzer = AstmAnalyzer(settings)
    return Bed(Pair(Astm(rules=rules, wall_zero=wall_zero), analyzer, pieces).open(), analyzer)


def reached(turns: int, fault: str = "") -> Bed:
    """The first result is under way: so many of its transmissions are out, ENQ being the first.

    A fault begins before the last of them is answered.
    """
    one = bed()
    pair, analyzer = one.pair, one.analyzer
    analyzer.place_sample(5.1 * MMOL_MG_DL, 0)
    analyzer.advance(RUN_MS)
    pair.now_ms = RUN_MS
    for turn in range(1, turns + 1):
        sent = analyzer.take_output()
        pair.to_link += sent
        pair.events += pair.link.receive(sent, RUN_MS)
        if fault and turn == turns:
            pair.inject(fault)
        answer = pair.link.take_output()
        pair.to_device += answer
        analyzer.receive(answer, RUN_MS)
    return one
