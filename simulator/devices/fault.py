"""Named faults of emulated devices: their text form, such as `gap=3,600`, and the value it stands for."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum


class FaultKind(StrEnum):
    """What can be wrong with a device or its cable (the switches of the pump sheet, section 11.3)."""

    MUTE = "mute"  # hears nothing, says nothing, as an interface that hangs
    CUT = "cut"  # a reply ends after N bytes; cut=0 executes and never answers
    GAP = "gap"  # a reply pauses for so many ms after N bytes
    DELAY = "delay"  # a reply comes so many ms late
    FLIP = "flip"  # the lowest bit of byte N of a reply, counted from 0, is turned over
    NOISE = "noise"  # these bytes come before a reply
    CHUNK = "chunk"  # a reply comes in pieces of N bytes, one each ms
    LOSE_REPLY = "lose_reply"  # the next command is executed and not answered
    UNPLUG = "unplug"  # the cable is out; the device itself goes on

    POWER_CYCLE = "power_cycle"  # switched off and on: what was not kept is gone
    IDENTITY = "identity"  # another device answers
    KEY = "key"  # someone presses start, stop, or changes the rate (µL/h, else half)
    STALL = "stall"  # the plunger is blocked until cleared
    COUNTER_BACK = "counter_back"  # the volume counter falls by so many µL, else to zero
    DRIFT = "drift"  # true delivery differs from the counter by so many percent
    AUTO_ALARM = "auto_alarm"  # an alarm breaks in between the next command and its reply
    ALARM_NEXT = "alarm_next"  # an alarm swallows the next command
    START_FRAMING = "start_framing"  # the framing the pump was left in
    SAF_REPLY = "saf_reply"  # framing of the reply to the command that switches framing
    SAF_NVM = "saf_nvm"  # a timer of so many s left in the pump's memory
    STRICT_UNITS = "strict_units"  # while running any unit is refused, even the same one
    MAX_RATE = "max_rate"  # rates above so many µL/h are out of range
    IGN_NEXT = "ign_next"  # the next setting meets a phase start and is ignored
    STALE_VOL = "stale_vol"  # a target volume of so many µL left by an old program
    STALE_PHASE2 = "stale_phase2"  # a second phase of so many µL/h left by an old program
    DIAMETER = "diameter"  # the diameter, in mm, left in the pump's memory
    REPLY_ADDR = "reply_addr"  # replies carry this address

    BUSY = "busy"  # an analyzer answers that it is in a run
    STUCK = "stuck"  # an analyzer finds the same value again and again
    ERROR = "error"  # results carry this error code, hexadecimal
    UNIT_SWITCH = "unit_switch"  # someone changes the unit of the results
    CLOCK_OFFSET = "clock_offset"  # the analyzer's clock is so many s ahead


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `number` in the unit its kind names (`drift` in ppm, `diameter` in µm), None when not given.

    `times` limits a fault of the wire to so many replies; None lasts until cleared.
    """

    kind: FaultKind
    number: int | None = None
    ms: int = 0
    text: str = ""
    times: int | None = None


def fault(text: str) -> Fault:
    """Reads `name`, `name=value`, or either with `/N` behind it for the next N replies only.

    Raises ValueError with one clear sentence when the name is unknown or the value does not fit it.
    """
    body, slash, count = text.strip().partition("/")
    name, equals, value = body.partition("=")
    try:
        kind = FaultKind(name)
    except ValueError:
        raise ValueError(f"There is no fault called {name!r}.") from None
    form, takes = _GRAMMAR[kind]
    found = takes(kind, value) if equals or takes in _VALUE_OPTIONAL else None
    if found is None:
        raise ValueError(f"The fault {text.strip()!r} does not fit its form: {form}.")
    if slash:
        if kind not in OF_THE_WIRE or not re.fullmatch(r"[1-9]\d{0,5}", count, re.ASCII):
            raise ValueError(f"The fault {text.strip()!r} cannot be limited to {count!r} replies.")
        found = replace(found, times=int(count))
    return found


OF_THE_WIRE = frozenset(
    {
        FaultKind.MUTE,
        FaultKind.CUT,
        FaultKind.GAP,
        FaultKind.DELAY,
        FaultKind.FLIP,
        FaultKind.NOISE,
        FaultKind.CHUNK,
        FaultKind.LOSE_REPLY,
    }
)
"""Faults of single replies, any device: these may be limited with `/N`."""

_Reader = Callable[[FaultKind, str], Fault | None]


def _bare(kind: FaultKind, value: str) -> Fault | None:
    return None if value else Fault(kind)


def _number(low: int, high: int) -> _Reader:
    def read(kind: FaultKind, value: str) -> Fault | None:
        if not re.fullmatch(r"[+-]?\d{1,10}", value, re.ASCII) or not low <= int(value) <= high:
            return None
        return Fault(kind, number=int(value))

    return read


_count = _number(0, 10**9)


def _maybe_number(kind: FaultKind, value: str) -> Fault | None:
    return _count(kind, value) if value else Fault(kind)


def _decimal(scale: int, low: Decimal, high: Decimal) -> _Reader:
    def read(kind: FaultKind, value: str) -> Fault | None:
        if (
            not re.fullmatch(r"[+-]?\d{1,4}(\.\d{1,3})?", value, re.ASCII)
            or not low <= Decimal(value) <= high
        ):
            return None
        return Fault(kind, number=int(Decimal(value) * scale))

    return read


def _word(pattern: str) -> _Reader:
    def read(kind: FaultKind, value: str) -> Fault | None:
        return Fault(kind, text=value) if re.fullmatch(pattern, value, re.ASCII) else None

    return read


def _gap(kind: FaultKind, value: str) -> Fault | None:
    found = re.fullmatch(r"(\d{1,4}),(\d{1,7})", value, re.ASCII)
    return Fault(kind, number=int(found[1]), ms=int(found[2])) if found else None


def _key(kind: FaultKind, value: str) -> Fault | None:
    found = re.fullmatch(r"(start|stop|rate)(?:,(\d{1,7}))?", value, re.ASCII)
    if found is None or (found[2] and found[1] != "rate"):
        return None
    return Fault(kind, number=int(found[2]) if found[2] else None, text=found[1])


def _alarm_letter(kind: FaultKind, value: str) -> Fault | None:
    return Fault(kind, text=value or "S") if value in ("", "R", "S", "T", "E", "O") else None


def _error_code(kind: FaultKind, value: str) -> Fault | None:
    return Fault(kind, number=int(value, 16)) if re.fullmatch(r"[0-9A-Fa-f]{1,4}", value) else None


_VALUE_OPTIONAL: tuple[_Reader, ...] = (_bare, _maybe_number, _alarm_letter)

_GRAMMAR: dict[FaultKind, tuple[str, _Reader]] = {
    FaultKind.MUTE: ("mute", _bare),
    FaultKind.CUT: ("cut=N bytes", _number(0, 10_000)),
    FaultKind.GAP: ("gap=N bytes,ms", _gap),
    FaultKind.DELAY: ("delay=ms", _count),
    FaultKind.FLIP: ("flip=N, the byte counted from 0", _number(0, 10_000)),
    FaultKind.NOISE: ("noise=HEX, two digits a byte", _word(r"(?:[0-9A-Fa-f]{2}){1,64}")),
    FaultKind.CHUNK: ("chunk=N bytes, at least 1", _number(1, 10_000)),
    FaultKind.LOSE_REPLY: ("lose_reply", _bare),
    FaultKind.UNPLUG: ("unplug", _bare),
    FaultKind.POWER_CYCLE: ("power_cycle", _bare),
    FaultKind.IDENTITY: ("identity=TEXT", _word(r"[\x21-\x7e]{1,40}")),
    FaultKind.KEY: ("key=start, key=stop, key=rate or key=rate,µL/h", _key),
    FaultKind.STALL: ("stall", _bare),
    FaultKind.COUNTER_BACK: ("counter_back or counter_back=µL", _maybe_number),
    FaultKind.DRIFT: ("drift=percent, -100 to 1000", _decimal(10_000, Decimal(-100), Decimal(1000))),
    FaultKind.AUTO_ALARM: ("auto_alarm=S or auto_alarm=T", _word("[ST]")),
    FaultKind.ALARM_NEXT: ("alarm_next or alarm_next=R|S|T|E|O", _alarm_letter),
    FaultKind.START_FRAMING: ("start_framing=safe or start_framing=basic", _word("safe|basic")),
    FaultKind.SAF_REPLY: ("saf_reply=safe or saf_reply=basic", _word("safe|basic")),
    FaultKind.SAF_NVM: ("saf_nvm=seconds, 0 to 255", _number(0, 255)),
    FaultKind.STRICT_UNITS: ("strict_units", _bare),
    FaultKind.MAX_RATE: ("max_rate=µL/h", _count),
    FaultKind.IGN_NEXT: ("ign_next", _bare),
    FaultKind.STALE_VOL: ("stale_vol or stale_vol=µL", _maybe_number),
    FaultKind.STALE_PHASE2: ("stale_phase2 or stale_phase2=µL/h", _maybe_number),
    FaultKind.DIAMETER: ("diameter=mm, 0.1 to 80", _decimal(1000, Decimal("0.1"), Decimal(80))),
    FaultKind.REPLY_ADDR: ("reply_addr=0 to 99", _number(0, 99)),
    FaultKind.BUSY: ("busy", _bare),
    FaultKind.STUCK: ("stuck", _bare),
    FaultKind.ERROR: ("error=HEX, up to four digits", _error_code),
    FaultKind.UNIT_SWITCH: ("unit_switch", _bare),
    FaultKind.CLOCK_OFFSET: ("clock_offset=seconds, either sign", _number(-(10**8), 10**8)),
}
