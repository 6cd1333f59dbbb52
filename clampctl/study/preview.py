"""What a protocol will ask of the pumps for one subject, before anything runs.

For `clampctl check` and the set-up screens; not a decision, so nothing here limits or rounds.
"""

from dataclasses import dataclass

from clampctl.core.protocol import ClampStep, Protocol
from clampctl.core.station import PumpSetup, Station
from clampctl.core.subject import Subject
from clampctl.units import MS_PER_MIN, dextrose_ul_h, insulin_ul_h

SHOWN_GIR_MG_KG_MIN = (1.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class StepPreview:
    """Insulin of one step: mU/min, mL/h at maintenance and at the peak of the prime, mL in all."""

    name: str
    insulin_mu_min: float
    maintenance_ml_h: float
    prime_peak_ml_h: float
    insulin_ml: float


@dataclass(frozen=True, slots=True)
class Preview:
    """The pump rates that follow from a protocol and a subject.

    `dextrose_ml_h` pairs a GIR in mg/kg/min with its rate in mL/h; `insulin_ml` is needed for the
    whole session, without filling the line; `concerns` are sentences for the nurse.
    """

    bsa_m2: float
    steps: tuple[StepPreview, ...]
    dextrose_ml_h: tuple[tuple[float, float], ...]
    insulin_ml: float
    clamp_min: float
    concerns: tuple[str, ...]


def describe(protocol: Protocol, subject: Subject, station: Station | None = None) -> Preview:
    """The rates in mL/h that follow; with a station its pumps' ranges are looked at too."""
    steps = tuple(_step(step, protocol, subject) for step in protocol.steps)
    dextrose_ml_h = tuple(
        (gir, dextrose_ul_h(gir, subject.weight_kg, protocol.infusates.dextrose_g_l) / 1000.0)
        for gir in SHOWN_GIR_MG_KG_MIN
    )
    return Preview(
        bsa_m2=subject.bsa_m2,
        steps=steps,
        dextrose_ml_h=dextrose_ml_h,
        insulin_ml=sum(step.insulin_ml for step in steps),
        clamp_min=sum(step.duration_ms for step in protocol.steps) / MS_PER_MIN,
        concerns=(
            *_insulin_concerns(steps, protocol, station.insulin_pump if station else None),
            *_dextrose_concerns(dextrose_ml_h, protocol, station.dextrose_pump if station else None),
        ),
    )


def _step(step: ClampStep, protocol: Protocol, subject: Subject) -> StepPreview:
    rate_ml_h = (
        insulin_ul_h(step.insulin_mu_m2_min, subject.bsa_m2, protocol.infusates.insulin_mu_ml) / 1000.0
    )
    prime = step.prime
    ends = [entry.from_ms for entry in prime.steps[1:]] + [prime.until_ms]
    multiples_ms = sum(
        entry.multiple * (end - entry.from_ms) for entry, end in zip(prime.steps, ends, strict=False)
    )
    maintenance_ms = step.duration_ms - (prime.until_ms if prime.steps else 0)
    return StepPreview(
        name=step.name,
        insulin_mu_min=step.insulin_mu_m2_min * subject.bsa_m2,
        maintenance_ml_h=rate_ml_h,
        prime_peak_ml_h=rate_ml_h * max((entry.multiple for entry in prime.steps), default=1.0),
        insulin_ml=rate_ml_h * (multiples_ms + maintenance_ms) / (60 * MS_PER_MIN),
    )


def _insulin_concerns(
    steps: tuple[StepPreview, ...], protocol: Protocol, pump: PumpSetup | None
) -> list[str]:
    """Sentences on a prime above the limit or the pump, and a maintenance below what the pump holds."""
    highest = protocol.limits.insulin_ul_h_max / 1000.0
    words = "the protocol"
    if pump is not None and pump.rate_ul_h_max / 1000.0 < highest:
        highest, words = pump.rate_ul_h_max / 1000.0, "the insulin pump"
    concerns = [
        f"Step {step.name!r}: insulin peaks at {step.prime_peak_ml_h:.1f} mL/h, above the {highest:g} mL/h "
        f"that {words} allows; use a stronger insulin or a gentler prime."
        for step in steps
        if step.prime_peak_ml_h > highest
    ]
    lowest = 0.0 if pump is None else pump.rate_ul_h_min / 1000.0
    concerns += [
        f"Step {step.name!r}: insulin runs at {step.maintenance_ml_h:.3f} mL/h, below the {lowest:g} mL/h "
        "that the insulin pump holds; use a weaker insulin."
        for step in steps
        if step.maintenance_ml_h < lowest
    ]
    return concerns


def _dextrose_concerns(
    dextrose_ml_h: tuple[tuple[float, float], ...], protocol: Protocol, pump: PumpSetup | None
) -> list[str]:
    """One sentence where a usual GIR is beyond the protocol's limit or the pump."""
    highest = protocol.limits.dextrose_ul_h_max / 1000.0
    if pump is not None:
        highest = min(highest, pump.rate_ul_h_max / 1000.0)
    return [
        f"Dextrose: {gir:g} mg/kg/min takes {rate_ml_h:.0f} mL/h, above the {highest:g} mL/h allowed; "
        "use a stronger dextrose."
        for gir, rate_ml_h in dextrose_ml_h
        if rate_ml_h > highest
    ]
