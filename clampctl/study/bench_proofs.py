"""What must be proved at the bench before a pump may be set without a nurse's hand: proofs and limits.

Source: pumps reference 10.1 to 10.3 and 12 point 6, safety sheet SR-32. The figures of the bench
itself (safe rates, margins, waiting times) are choices of this program, to be confirmed by a unit's
engineer. Not here: how a proof is made (`cli.bench_steps`), the sheet it is written on (`bench_sheet`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal

STOPS, CONTINUES, UNPROVEN = "stops", "continues", "unproven"
"""What a pump does when the computer falls silent, in the words of the drivers' capabilities."""

RIGHT_ON_SILENCE: Mapping[Role, str] = {Role.INSULIN: STOPS, Role.DEXTROSE: CONTINUES}
"""Insulin off with dextrose running is the safe state (pumps 10.1)."""

SAFE_RATE_UL_H: Mapping[Role, int] = {Role.INSULIN: 20_000, Role.DEXTROSE: 120_000}
"""No rate above this is ever set at the bench, µL/h: 20 and 120 mL/h of water into a beaker."""

STOP_MARGIN_S = 3.0
"""Allowed beyond the watchdog's time: two seconds between readings, one to press a key."""

SILENCE_S = 600.0
"""The dextrose pump must run on through ten minutes without a computer."""

ERROR_PCT = 5.0
"""Allowed error of a delivered volume: where the core acts too (pumps 10.3 rule 4)."""

VOLUME_ML = 4.0
"""A volume that a balance of 0.01 g weighs to a quarter of a percent."""

VOLUME_MINUTES_LEAST = 5.0
"""Long enough that start and stop, seen to within a second or two, do not count."""

WATER_G_ML = 0.998
"""Density of water at 20 °C, 0.9982 g/mL (CRC Handbook); 0.9970 at 25 °C changes 0.1 %."""


class ProofName(StrEnum):
    """The proofs, in the order in which they are made."""

    IDENTITY = "identity"
    SYRINGE = "syringe"
    WRONG_SYRINGE = "wrong syringe"
    RATES = "rates"
    VOLUME = "volume"
    LOCAL_KEY = "local key"
    OCCLUSION = "occlusion"
    CABLE_PULL = "cable pull"
    RESET = "power reset"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value with its unit."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure must lie between, both ends allowed; None is open.

    `if_known`: a figure that a pump may lack, such as one from a volume counter.
    """

    figure: str
    unit: str
    least: float | None
    most: float | None
    if_known: bool = False


@dataclass(frozen=True, slots=True)
class Needed:
    """One proof that a sheet must hold: what is asked, and the limits of its figures."""

    name: ProofName
    asked: str
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof as it was made: what was asked, what the engineer answered, what the pump said.

    `figures` are what was measured, `tries` how often it was made; the last one counts. `passed`:
    engineer and pump agree that it holds, and every figure is within its limits.
    """

    name: ProofName
    asked: str
    answer: str
    heard: str
    figures: tuple[Figure, ...]
    tries: int
    passed: bool


def bench_rates(
    role: Role, rate_ul_h_min: int, rate_ul_h_max: int, rate_steps: Sequence[tuple[int, int]]
) -> tuple[int, int, int]:
    """A low, a middle and a high rate, µL/h, that the pump can hold, the high one a safe one.

    `rate_steps` as in the drivers' capabilities: below the first the pump holds multiples of the
    second. Refused for a pump whose range is too narrow.
    """
    high = min(SAFE_RATE_UL_H[role], rate_ul_h_max)
    rates = [_held(high // share, rate_steps) for share in (20, 4, 1)]
    low, middle, high = rates
    if not rate_ul_h_min <= low < middle < high:
        raise Refusal("rates", "This pump's range holds no low, middle and high rate that are safe to try.")
    return low, middle, high


def _held(rate_ul_h: int, rate_steps: Sequence[tuple[int, int]]) -> int:
    step = next((step for below, step in rate_steps if rate_ul_h < below), 1)
    return rate_ul_h // step * step


def volume_minutes(rate_ul_h: int) -> float:
    """How long to collect water at a rate, min, so that a balance can tell the error."""
    return max(VOLUME_MINUTES_LEAST, VOLUME_ML * 1000.0 / rate_ul_h * 60.0)


def volume_error_pct(mass_g: float, minutes: float, rate_ul_h: int) -> float:
    """Delivered against commanded volume, %, from the mass of water; positive is too much.

    100 x (m / density - rate x time) / (rate x time); density `WATER_G_ML`.
    """
    commanded_ml = rate_ul_h / 1000.0 * minutes / 60.0
    return 100.0 * (mass_g / WATER_G_ML - commanded_ml) / commanded_ml


def needed_proofs(
    on_silence: str, watchdog_s: int | None, diameter_um: int | None, rates_ul_h: tuple[int, int, int]
) -> tuple[Needed, ...]:
    """The proofs for a pump that `on_silence` must stop (within `watchdog_s`) or continue.

    `diameter_um` is None for a pump without a syringe, which needs no proof of one.
    """
    low, middle, high = rates_ul_h
    syringe: tuple[Needed, ...] = ()
    if diameter_um is not None:
        shown_mm = diameter_um / 1000.0
        syringe = (
            Needed(
                ProofName.SYRINGE,
                f"Pump and program agree on a syringe of {shown_mm:g} mm inner diameter.",
                (Limit("diameter shown", "mm", shown_mm, shown_mm),),
            ),
            Needed(ProofName.WRONG_SYRINGE, "The program refuses to start a pump with another syringe."),
        )
    return (
        Needed(ProofName.IDENTITY, "The pump tells over the wire the model that its label names."),
        *syringe,
        Needed(
            ProofName.RATES,
            "The pump holds each rate it is told.",
            tuple(
                Limit(f"{word} rate held", "µL/h", rate, rate)
                for word, rate in (("low", low), ("middle", middle), ("high", high))
            ),
        ),
        Needed(
            ProofName.VOLUME,
            f"The volume weighed is within {ERROR_PCT:g} % of the volume commanded.",
            (
                Limit("rate", "µL/h", high, high),
                Limit("minutes", "min", volume_minutes(high), None),
                Limit("mass", "g", 0.0, None),
                Limit("error", "%", -ERROR_PCT, ERROR_PCT),
            ),
        ),
        Needed(ProofName.LOCAL_KEY, "A key pressed at the pump is seen by the program, or is locked."),
        Needed(ProofName.OCCLUSION, "A blocked line raises an alarm that the program hears."),
        _cable_pull(on_silence, watchdog_s, middle),
        Needed(
            ProofName.RESET,
            "A pump that lost its power comes back stopped and says that it was reset.",
            (Limit("rate afterwards", "µL/h", 0.0, 0.0),),
        ),
    )


def _cable_pull(on_silence: str, watchdog_s: int | None, rate_ul_h: int) -> Needed:
    if on_silence == STOPS and watchdog_s is not None:
        most = watchdog_s + STOP_MARGIN_S
        return Needed(
            ProofName.CABLE_PULL,
            f"With the cable pulled out the pump stops by itself within {watchdog_s} s.",
            (
                Limit("silence", "s", float(watchdog_s), None),
                Limit("stop seen after", "s", 0.0, most),
                Limit("ran on by its counter", "s", None, most, if_known=True),
                Limit("rate afterwards", "µL/h", 0.0, 0.0),
            ),
        )
    if on_silence == CONTINUES and watchdog_s is None:
        return Needed(
            ProofName.CABLE_PULL,
            f"With the cable pulled out the pump delivers on for {SILENCE_S / 60.0:g} minutes.",
            (
                Limit("silence", "s", SILENCE_S, None),
                Limit("rate afterwards", "µL/h", rate_ul_h, rate_ul_h),
                Limit("delivered by its counter", "%", 100.0 - ERROR_PCT, 100.0 + ERROR_PCT, if_known=True),
            ),
        )
    raise Refusal(
        "on_silence", "An insulin pump must stop by itself on silence, and a dextrose pump must not."
    )


def shortcomings(needed: Needed, figures: Sequence[Figure]) -> list[str]:
    """One sentence for each figure that is missing, doubled, in another unit or outside its limit."""
    found = []
    for limit in needed.limits:
        same = [figure for figure in figures if figure.name == limit.figure]
        if not same and limit.if_known:
            continue
        if len(same) != 1 or same[0].unit != limit.unit:
            found.append(f"{needed.name.capitalize()}: {limit.figure} was not measured in {limit.unit}.")
        elif not _within(same[0].value, limit):
            value = same[0].value
            found.append(
                f"{needed.name.capitalize()}: {limit.figure} is {value:g} {limit.unit}, {_allowed(limit)}."
            )
    return found


def _within(value: float, limit: Limit) -> bool:
    """NaN is outside."""
    least = float("-inf") if limit.least is None else limit.least
    most = float("inf") if limit.most is None else limit.most
    return least <= value <= most


def _allowed(limit: Limit) -> str:
    if limit.least is None:
        return f"expected at most {limit.most:g}"
    if limit.most is None:
        return f"expected at least {limit.least:g}"
    if limit.least == limit.most:
        return f"expected {limit.most:g}"
    return f"expected {limit.least:g} to {limit.most:g}"
