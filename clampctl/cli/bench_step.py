"""One step of the guide: what it is given, what came of it, and how both are put into words."""

import math
from dataclasses import dataclass

from clampctl.cli.bench_pump import PumpAtBench, words
from clampctl.cli.bench_talk import Engineer
from clampctl.core.events import PumpReported
from clampctl.study.bench_proofs import Figure

MINUTE_MS = 60_000

Readings = list[tuple[int, PumpReported]]
"""What a pump reported, with the times, ms."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The pump, the engineer, and the figures of this pump in its role.

    `label` says which serial number it has and how that is known.
    """

    pump: PumpAtBench
    engineer: Engineer
    label: str
    rates_ul_h: tuple[int, int, int]
    watchdog_s: int | None
    diameter_um: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one step; `holds`: engineer and pump agree, whatever the figures say."""

    answer: str
    heard: str
    holds: bool
    figures: tuple[Figure, ...] = ()


def pass_minutes(bench: Bench, minutes: float) -> None:
    """Let minutes pass, and say so once a minute."""
    end_ms = bench.pump.now_ms + math.ceil(minutes * MINUTE_MS)
    while (left_ms := end_ms - bench.pump.now_ms) > 0:
        bench.engineer.say(f"{max(1, round(left_ms / MINUTE_MS))} min to go.")
        bench.pump.wait(min(MINUTE_MS, left_ms))


def counted(reports: Readings, until_ms: int) -> tuple[int, int] | None:
    """Time and volume, µL, of the last reading of the counter up to a moment; None without one."""
    told = [(at_ms, report.infused_ul) for at_ms, report in reports if at_ms <= until_ms]
    return next(((at_ms, ul) for at_ms, ul in reversed(told) if ul is not None), None)


def in_words(reports: Readings) -> str:
    """What the pump said, each thing once, in order."""
    return "; ".join(dict.fromkeys(words(report) for _, report in reports)) or "nothing"


def not_started(why: str) -> Seen:
    return Seen("", f"not done: {why}", False)


def yes_no(value: bool) -> str:
    return "yes" if value else "no"
