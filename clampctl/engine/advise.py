"""Advice without pumps: samples in, rates out, through the core's own dosing and interlocks.

For calculators, spreadsheets, other simulators, and for asking what another law would have advised
in a recorded clamp. Nothing is infused; what was delivered is taken from the caller, else it is
assumed that every advice was followed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from clampctl.core import dosing
from clampctl.core.dosing import law_named
from clampctl.core.events import GlucoseSampled, SampleKind, SessionStarted
from clampctl.core.interlocks import gir_of
from clampctl.core.protocol import Limits, Mode, Protocol
from clampctl.core.samples import take
from clampctl.core.state import Phase, State, Verdict
from clampctl.core.station import Station
from clampctl.core.step import step
from clampctl.core.subject import Subject
from clampctl.units import MS_PER_MIN, dextrose_ul_h


@dataclass(frozen=True, slots=True)
class Asked:
    """One sample of a clamp under way; `delivered_mg_kg_min` is the mean GIR since the one before."""

    at_ms: int
    glucose_mg_dl: float
    delivered_mg_kg_min: float | None = None


@dataclass(frozen=True, slots=True)
class Advised:
    """What the law wants, what the limits leave of it, and what the pump can give.

    `held` says that the rate was held because the sample was refused.
    """

    t_min: float
    wanted_mg_kg_min: float
    gir_mg_kg_min: float
    rate_ml_h: float
    reasons: tuple[str, ...]
    held: bool


class Adviser:
    """The dosing of one clamp, asked sample by sample. Minute 0 is the start of insulin."""

    def __init__(self, protocol: Protocol, subject: Subject, station: Station) -> None:
        """Refuses an unknown law."""
        law_named(protocol.law.name)
        automatic = replace(protocol, mode=Mode.AUTOMATIC)
        first = SessionStarted(1, "advice", automatic, subject, station, "", "")
        state, _ = step(None, first, 0)
        self._state: State = replace(state, phase=Phase.CLAMP, clamp_started_ms=0)
        self._weight_kg = subject.weight_kg
        self._dextrose_g_l = protocol.infusates.dextrose_g_l

    def ask(self, asked: Asked) -> Advised:
        """The advice for one sample; samples come in the order of their time."""
        state = self._believing(self._delivered(asked), asked)
        arrived = state.blood.last_arrived
        refused = arrived is None or arrived.verdict is Verdict.REFUSED
        if not refused:
            state = replace(state, dosing=dosing.on_sample(state, asked.at_ms))
        self._state = state
        given = state.dosing
        reasons = given.reasons
        if refused and arrived is not None:
            reasons = (f"sample refused: {arrived.reason}",)
        return Advised(
            t_min=asked.at_ms / MS_PER_MIN,
            wanted_mg_kg_min=given.wanted_mg_kg_min or 0.0,
            gir_mg_kg_min=given.gir_mg_kg_min,
            rate_ml_h=given.rate_ul_h / 1000,
            reasons=reasons,
            held=refused,
        )

    def _believing(self, state: State, asked: Asked) -> State:
        sample = GlucoseSampled(
            sample_id=f"asked {asked.at_ms}",
            glucose_mg_dl=asked.glucose_mg_dl,
            drawn_at_ms=asked.at_ms,
            kind=SampleKind.PATIENT,
            source="asked",
            raw_value=repr(asked.glucose_mg_dl),
            raw_unit="mg/dL",
            flags=(),
        )
        limits: Limits = state.session.protocol.limits
        return replace(state, at_ms=asked.at_ms, blood=take(state.blood, sample, 0, limits, asked.at_ms))

    def _delivered(self, asked: Asked) -> State:
        """The state with the dextrose volume that the caller says, or the advice assumed followed."""
        state = self._state
        gir = asked.delivered_mg_kg_min
        dose = state.dosing
        if gir is None:
            gir = gir_of(state.session, dose.rate_ul_h)
        elapsed_ms = asked.at_ms - (dose.decided_at_ms or 0)
        rate_ul_h = dextrose_ul_h(gir, self._weight_kg, self._dextrose_g_l)
        moved = round(rate_ul_h * elapsed_ms)
        if asked.delivered_mg_kg_min is not None and dose.gir_mg_kg_min != gir:
            dose = replace(dose, gir_mg_kg_min=gir)
        pump = replace(state.dextrose, integral_ul_ms_h=dose.integral_at_decision + moved)
        return replace(state, dextrose=pump, dosing=dose)


def advise(
    protocol: Protocol, subject: Subject, station: Station, samples: Iterator[Asked]
) -> Iterator[Advised]:
    """Advice for each sample as it comes."""
    adviser = Adviser(protocol, subject, station)
    for asked in samples:
        yield adviser.ask(asked)
