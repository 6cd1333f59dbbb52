"""The physical world at one bed: a subject, two pumps on their lines, an analyzer that is given blood.

What can go wrong between pump and vein is in `infusion_line`, between vein and analyzer in
`sampling_site`. The same bedside serves the bench (virtual time) and the live emulation; neither link
nor core knows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from clampctl.core.commands import Role
from clampctl.core.protocol import Infusates
from clampctl.units import MS_PER_MIN
from simulator.devices.device import AnalyzerDevice, Device, PumpDevice
from simulator.infusion_line import Line
from simulator.models import Body
from simulator.sampling_site import SamplingSite
from simulator.subjects.sampling import Analysis, Sampling
from simulator.subjects.variability import Noise, Walk, deviates

STEP_MS = 15_000
"""The subject moves on in quarter minutes with the mean of what the pumps truly delivered."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The subject's own figures at one minute: what no analyzer can say."""

    at_ms: int
    glucose_mg_dl: float
    insulin_uu_ml: float


class Bedside:
    """A subject of any model, fed by what the emulated pumps truly deliver; mass is neither made nor lost."""

    def __init__(
        self,
        subject: Body[float],
        noise: Noise,
        seed: int,
        dextrose: PumpDevice,
        insulin: PumpDevice,
        analyzer: AnalyzerDevice,
        infusates: Infusates,
    ) -> None:
        body, site = np.random.default_rng(seed).spawn(2)
        self.truth: list[Truth] = []
        self.subject = subject
        self._eta = Walk(noise.log_vmx, deviates(body))
        self._sampling = Sampling(noise, deviates(site), Analysis(analysis_ms=0))
        self.devices: Mapping[Role, Device] = {
            Role.DEXTROSE: dextrose, Role.INSULIN: insulin, Role.ANALYZER: analyzer
        }  # fmt: skip
        self.lines: Mapping[Role, Line] = {Role.DEXTROSE: Line(dextrose), Role.INSULIN: Line(insulin)}
        self.site = SamplingSite()
        self._analyzer = analyzer
        self._infusates = infusates
        self._late_ms: list[int] = []
        self._at_ms = 0
        self._note()

    @property
    def next_ms(self) -> int:
        """When the subject is next moved on, or blood that is late is drawn."""
        return min([self._at_ms + STEP_MS, *self._late_ms])

    def advance(self, now_ms: int) -> None:
        """Move the subject on to `now_ms` with what was delivered meanwhile."""
        while self._at_ms + STEP_MS <= now_ms:
            self._step(STEP_MS, now_ms)
        while self._late_ms and self._late_ms[0] <= now_ms:
            self._late_ms.pop(0)
            self._give_blood(now_ms)

    def draw(self, now_ms: int) -> None:
        """Draw blood now and give it to the analyzer; all of it later where the site says so."""
        self.advance(now_ms)
        late_ms = self.site.late_ms()
        if late_ms:
            self._late_ms = sorted([*self._late_ms, now_ms + late_ms])
        else:
            self._give_blood(now_ms)

    def _give_blood(self, now_ms: int) -> None:
        glucose_mg_dl = self.site.taken(self.subject.glucose_mg_dl, now_ms)
        if glucose_mg_dl is not None:
            reading = self._sampling.draw(glucose_mg_dl, now_ms)
            self._analyzer.place_sample(reading.glucose_mg_dl, now_ms)

    def _step(self, step_ms: int, now_ms: int) -> None:
        dextrose_ul = self.lines[Role.DEXTROSE].advance(now_ms)
        insulin_ul = self.lines[Role.INSULIN].advance(now_ms)
        minutes = step_ms / MS_PER_MIN
        weight_kg = self.subject.weight_kg
        gir = dextrose_ul / 1000.0 * self._infusates.dextrose_g_l / minutes / weight_kg
        insulin = insulin_ul / 1000.0 * self._infusates.insulin_mu_ml / minutes / weight_kg
        self.subject.advance(minutes, gir, insulin, self._eta.advance(minutes))
        self._at_ms += step_ms
        if self._at_ms % MS_PER_MIN == 0:
            self._note()

    def _note(self) -> None:
        subject = self.subject
        self.truth.append(Truth(self._at_ms, subject.glucose_mg_dl, subject.insulin_uu_ml))
