"""The physical world at one bed: a subject, two pumps on their lines, an analyzer that is given blood.

The same bedside serves the bench (virtual time) and the live emulation; neither link nor core knows it.
"""

from dataclasses import dataclass

import numpy as np

from clampctl.core.protocol import Infusates
from clampctl.units import MS_PER_MIN
from simulator.devices.device import AnalyzerDevice, PumpDevice
from simulator.subjects.composite import Parameters, Subject
from simulator.subjects.sampling import Analysis, Sampling
from simulator.subjects.variability import NOISES, Walk, deviates

STEP_MS = 15_000
"""The subject moves on in quarter minutes with the mean of what the pumps truly delivered."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The subject's own figures at one minute: what no analyzer can say."""

    at_ms: int
    glucose_mg_dl: float
    insulin_uu_ml: float


class Bedside:
    """A subject fed by what the emulated pumps truly deliver; mass is neither made nor lost."""

    def __init__(
        self,
        parameters: Parameters[float],
        noise: str,
        seed: int,
        dextrose: PumpDevice,
        insulin: PumpDevice,
        analyzer: AnalyzerDevice,
        infusates: Infusates,
    ) -> None:
        preset = NOISES[noise]
        body, site = np.random.default_rng(seed).spawn(2)
        self.truth: list[Truth] = []
        self.subject = Subject(parameters)
        self._eta = Walk(preset.log_vmx, deviates(body))
        self._sampling = Sampling(preset, deviates(site), Analysis(analysis_ms=0))
        self._dextrose = dextrose
        self._insulin = insulin
        self._analyzer = analyzer
        self._infusates = infusates
        self._given_ul = (dextrose.delivered_ul, insulin.delivered_ul)
        self._at_ms = 0
        self._note()

    @property
    def next_ms(self) -> int:
        """When the subject is next moved on."""
        return self._at_ms + STEP_MS

    def advance(self, now_ms: int) -> None:
        """Move the subject on to `now_ms` with what was delivered meanwhile."""
        while self._at_ms + STEP_MS <= now_ms:
            self._step(STEP_MS, now_ms)

    def draw(self, now_ms: int) -> None:
        """Draw blood now and give it to the analyzer."""
        self.advance(now_ms)
        reading = self._sampling.draw(self.subject.glucose_mg_dl, now_ms)
        self._analyzer.place_sample(reading.glucose_mg_dl, now_ms)

    def _step(self, step_ms: int, now_ms: int) -> None:
        self._dextrose.advance(now_ms)
        self._insulin.advance(now_ms)
        given_ul = (self._dextrose.delivered_ul, self._insulin.delivered_ul)
        dextrose_ul, insulin_ul = (new - old for new, old in zip(given_ul, self._given_ul, strict=True))
        self._given_ul = given_ul
        minutes = step_ms / MS_PER_MIN
        weight_kg = self.subject.parameters.weight_kg
        gir = dextrose_ul / 1000.0 * self._infusates.dextrose_g_l / minutes / weight_kg
        insulin = insulin_ul / 1000.0 * self._infusates.insulin_mu_ml / minutes / weight_kg
        self.subject.advance(minutes, gir, insulin, self._eta.advance(minutes))
        self._at_ms += step_ms
        if self._at_ms % MS_PER_MIN == 0:
            self._note()

    def _note(self) -> None:
        subject = self.subject
        self.truth.append(Truth(self._at_ms, subject.glucose_mg_dl, subject.insulin_uu_ml))
