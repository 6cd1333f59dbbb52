"""New Era numbers and replies: text of the command set <-> integers of ours.

Source: pumps reference 2.4, 2.5 (New Era NE-500, NE-1000, NE-1600 manuals). Not here: framing, order
of questions. Integers throughout; nothing is rounded upward, so no limit is passed by formatting.
"""

import math
import re
from typing import NamedTuple

from clampctl.core.events import PumpState
from drivers.framing import Frame, Framing

RATE_STEPS = ((10_000, 1), (100_000, 10), (1_000_000, 100), (10_000_000, 1000))
"""(below_ul_h, step_ul_h): four digits and a point, in mL/h (pumps 2.5)."""

PLUNGER_MAX_CM_MIN = 5.1005
PLUNGER_MIN_CM_H = 0.004205
"""Plunger speeds of the NE-1000 (pumps 2.5; manual 12.5)."""

MOST_THOUSANDTHS = 9_999_000
"""Four digits before the point are the longest number (pumps 2.5)."""

MAX_WATCHDOG_S = 255
"""Longest Safe time-out in use elsewhere; the manual's own bound is not known (pumps 2.3)."""

ALARMS = {"R": "reset", "S": "stalled", "T": "watchdog", "E": "program error", "O": "phase out of range"}
"""`A?` letters (pumps 2.4)."""

STATES = {
    "I": PumpState.RUNNING,
    "S": PumpState.STOPPED,
    "P": PumpState.PAUSED,
    "T": PumpState.PAUSED,
    "U": PumpState.PAUSED,
    "W": PumpState.ALARM,
    "X": PumpState.ALARM,
}
"""Prompts (pumps 2.4). Withdrawing and purging are never wanted here, so they count as alarms."""

WRONG_MOTION = {"W": "withdrawing", "X": "purging"}

_NUMBER = r"(\d{1,4}(?:\.\d{0,3})?)"
_RATE = re.compile(_NUMBER + "(UM|MM|UH|MH)")
_VOLUMES = re.compile(f"I{_NUMBER}W{_NUMBER}(UL|ML)")
_VERSION = re.compile(r"([A-Z]+\d*(?:X\d*)?)V(\d+\.\d+)")
_PLAIN = re.compile(_NUMBER)

SHAPES = {
    "RAT": _RATE,
    "DIS": _VOLUMES,
    "VER": _VERSION,
    "DIA": _PLAIN,
    "VOL": re.compile(_NUMBER + "(UL|ML)"),
    "DIR": re.compile("INF|WDR|REV|STK"),
}
"""What the reply to each question looks like; every other command is answered by a prompt alone."""


class Reply(NamedTuple):
    """One reply: prompt with data, or with an error such as `?OOR`, or an alarm."""

    address: int
    prompt: str
    data: str
    error: str | None
    alarm: str | None
    framing: Framing

    @property
    def done(self) -> bool:
        """The command was carried out: neither refused nor swallowed by an alarm (pumps 2.3)."""
        return self.error is None and self.alarm is None


def parse_reply(frame: Frame) -> Reply | None:
    """Read a reply frame: two address digits, a prompt, data; None when it is none of that."""
    text = frame.payload.decode("latin-1")
    address, prompt, data = text[:2], text[2:3], text[3:]
    if not (address.isascii() and address.isdecimal() and len(address) == 2):
        return None
    if prompt == "A" and len(data) == 2 and data[0] == "?":
        alarm = ALARMS.get(data[1], f"unknown alarm {data[1]!r}")
        return Reply(int(address), "A", "", None, alarm, frame.framing)
    if prompt not in STATES:
        return None
    if data.startswith("?"):
        return Reply(int(address), prompt, "", data, None, frame.framing)
    return Reply(int(address), prompt, data, None, None, frame.framing)


def fits(question: str, reply: Reply) -> bool:
    """Could this reply answer that question? Late replies and alarms interleave (pumps 2.7)."""
    if not reply.done:
        return True
    shape = SHAPES.get(question)
    return not reply.data if shape is None else shape.fullmatch(reply.data) is not None


def thousandths(text: str) -> int:
    """A pump's decimal number, at most three digits after the point, in thousandths."""
    whole, _, part = text.partition(".")
    return int(whole) * 1000 + int(part.ljust(3, "0"))


def number_text(value_thousandths: int) -> str:
    """At most four digits and a point, rounded toward zero: 9.999, 12.34, 120.0, 1200 (pumps 2.5).

    Range 0 to 9999 (in thousandths, below 10 000 000); outside raises ValueError.
    """
    if value_thousandths < 0:
        raise ValueError(f"negative number {value_thousandths}")
    whole, part = divmod(value_thousandths, 1000)
    if value_thousandths < 10_000:
        return f"{whole}.{part:03d}"
    if value_thousandths < 100_000:
        return f"{whole}.{part // 10:02d}"
    if value_thousandths < 1_000_000:
        return f"{whole}.{part // 100}"
    if value_thousandths < 10_000_000:
        return str(whole)
    raise ValueError(f"{value_thousandths} thousandths need more than four digits")


def held(value_thousandths: int) -> int:
    """The value as the pump can hold it, in thousandths."""
    return thousandths(number_text(value_thousandths))


def parse_rate(data: str) -> tuple[int, str] | None:
    """Rate in µL/h and its unit (UM, MM, UH, MH) from the reply to RAT; None when it is not one."""
    match = _RATE.fullmatch(data)
    if match is None:
        return None
    value, unit = thousandths(match[1]), match[2]
    if unit == "MH":
        return value, unit
    if unit == "MM":
        return value * 60, unit
    return (value * 60 // 1000 if unit == "UM" else value // 1000), unit


def parse_infused_ul(data: str) -> int | None:
    """Infused volume in µL from the reply to DIS; the unit is the reply's own (pumps 2.5, 2.7)."""
    match = _VOLUMES.fullmatch(data)
    if match is None:
        return None
    value = thousandths(match[1])
    return value if match[3] == "ML" else value // 1000


def parse_version(data: str) -> tuple[str, str] | None:
    """Model and firmware from the reply to VER, such as NE1000 and 3.928."""
    match = _VERSION.fullmatch(data)
    return None if match is None else (match[1], match[2])


def rate_limits_ul_h(diameter_um: int) -> tuple[int, int]:
    """Slowest and fastest rate in µL/h for a syringe of this inner diameter (pumps 2.5).

    From the plunger speeds, and no more than four digits of mL/h; rounded inward, so that both ends
    are possible.
    """
    area_cm2 = math.pi / 4.0 * (diameter_um / 10_000.0) ** 2
    slowest = math.ceil(area_cm2 * PLUNGER_MIN_CM_H * 1000.0)
    fastest = math.floor(area_cm2 * PLUNGER_MAX_CM_MIN * 60.0 * 1000.0)
    return slowest, min(fastest, MOST_THOUSANDTHS)
