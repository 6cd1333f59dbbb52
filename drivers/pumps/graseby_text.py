"""Graseby 3400 frames and numbers: `<COMMAND>sum CR` <-> values of ours.

Source: pumps reference 5.1 (STANPUMP, GR_3400.C). The sum is weak: `OKSTRTINFS` and `CESTRTSTBY` share
one, and so do two numbers with swapped digits. So the text is compared too, and every rate is read
back. Integers throughout; nothing is rounded upward.
"""

import re
from typing import NamedTuple

from clampctl.core.events import PumpState

RATE_STEP_UL_H = 100
"""Rates are whole tenths of mL/h (pumps 5.1)."""

STATES = {"STBY": PumpState.STOPPED, "INFS": PumpState.RUNNING, "ALRM": PumpState.ALARM}
"""Status words (pumps 5.1)."""

LINE_CAP = 40
"""No reply of this command set comes near this many characters, so a longer one is damage."""

_REPLY = re.compile(r"<(OK|CE)([A-Z]{4})(STBY|INFS|ALRM)(\d{0,6})>([0-9A-F]{2})")


class Reply(NamedTuple):
    """One reply: was the command accepted, the pump's state, and a number where one was asked for."""

    accepted: bool
    command: str
    state: PumpState
    number: int | None


def sum_of(text: str) -> str:
    """Low byte of the sum of all characters, both brackets included, two upper-case digits."""
    return f"{sum(text.encode('latin-1')) & 0xFF:02X}"


def packet(command: str) -> bytes:
    """A command as it goes over the wire, such as `<CHGR1200>61` and CR."""
    framed = f"<{command}>"
    return f"{framed}{sum_of(framed)}\r".encode("ascii")


def parse_reply(line: bytes) -> Reply | None:
    """A reply without its CR, taken from its last `<`; None when it is damaged or no reply."""
    text = line.decode("latin-1")
    match = _REPLY.fullmatch(text[max(text.rfind("<"), 0) :])
    if match is None or sum_of(match[0][:-2]) != match[5]:
        return None
    number = int(match[4]) if match[4] else None
    return Reply(match[1] == "OK", match[2], STATES[match[3]], number)


def tenths(rate_ul_h: int) -> int:
    """A rate in µL/h as the pump's number, toward zero. Errors: ValueError below 0."""
    if rate_ul_h < 0:
        raise ValueError(f"negative rate {rate_ul_h}")
    return rate_ul_h // RATE_STEP_UL_H


def ul_h(number: int) -> int:
    """The pump's number of tenths of mL/h, in µL/h."""
    return number * RATE_STEP_UL_H
