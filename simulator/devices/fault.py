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
    CHUNK = "chunk"  # a reply comes in pieces of N bytes, or of N to M at random, one each ms
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

    PERMIT = "permit"  # remote control is not permitted
    KEY_REFUSED = "key_refused"  # the key for remote control is refused
    NO_CR = "no_cr"  # replies lack their carriage return
    RATE_ECHO = "rate_echo"  # the pump holds rates more coarsely than it was told
    SYRINGE = "syringe"  # the syringe is not confirmed at the pump
    ALARMS = "alarms"  # so many alarms at once
    DROP_REMOTE = "drop_remote"  # someone ends remote control at the pump
    ECHO = "echo"  # the pump repeats each command before its reply
    POLL = "poll"  # the pump was left with this poll setting
    ADDR_LEAK = "addr_leak"  # another pump's address stands before a prompt
    T_STAR_FIRST = "t_star_first"  # a left-over `T*` leads the first line
    RESCALE = "rescale"  # replies come in other units than were asked
    NVRAM = "nvram"  # the word this model knows for "keep nothing"
    STALL_LATCHED = "stall_latched"  # a stall that only the panel clears
    STOP_IGNORED = "stop_ignored"  # the next so many stops are not carried out
    DIGITS = "digits"  # numbers longer than so many digits are cut
    MODEL = "model"  # another model of the same family
    DEAF = "deaf"  # hears nothing while a person sets it, and says nothing
    REFUSE_START = "refuse_start"  # a start is refused with the sum of an accepted one

    BUSY = "busy"  # an analyzer answers that it is in a run
    STUCK = "stuck"  # an analyzer finds the same value again and again
    ERROR = "error"  # results carry this error code, hexadecimal
    UNIT_SWITCH = "unit_switch"  # someone changes the unit of the results
    CLOCK_OFFSET = "clock_offset"  # the analyzer's clock is so many s ahead
    DUPLICATE = "duplicate"  # the next result is sent twice, as after a lost acknowledgement
    EDIT = "edit"  # the latest result is sent again, corrected by so many percent
    DUMP = "dump"  # the whole memory is sent again
    WRONG_SEQUENCE = "wrong_sequence"  # the next frame carries a number that is not its turn
    CONTENTION = "contention"  # the analyzer wants to speak while the host does
    HALF_MESSAGE = "half_message"  # the next message ends in the middle of a record
    DROP_ACK = "drop_ack"  # the next so many acknowledgements of the host are not heard
    COMMA = "comma"  # numbers come with a decimal comma
    QUERY = "query"  # the analyzer doubts its results
    NO_VALUE = "no_value"  # results carry no number
    OVER_RANGE = "over_range"  # results are above the range
    DIGIT_SWAP = "digit_swap"  # the first digits of the next result are swapped; its sum still holds
    LACTATE_FIRST = "lactate_first"  # another analyte comes before glucose
    CONTROL = "control"  # a control sample is measured between two samples
    CALIBRATE = "calibrate"  # a calibration begins now
    OTHER_ID = "other_id"  # results carry this sample ID
    MINUTE_CLOCK = "minute_clock"  # the analyzer's clock shows no seconds
    WHOLE_BLOOD = "whole_blood"  # the analyzer reports whole blood, not plasma
    ENTITY_BOMB = "entity_bomb"  # a message whose entities would fill the memory
    OVERSIZE = "oversize"  # a message without end


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


def _chunk(kind: FaultKind, value: str) -> Fault | None:
    found = re.fullmatch(r"([1-9]\d{0,3})(?:-([1-9]\d{0,3}))?", value, re.ASCII)
    if found is None or (found[2] and int(found[2]) < int(found[1])):
        return None
    return Fault(kind, number=int(found[1]), text=found[2] or "")


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
    FaultKind.CHUNK: ("chunk=N bytes, at least 1, or chunk=N-M", _chunk),
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
    FaultKind.PERMIT: ("permit=no", _word("no")),
    FaultKind.KEY_REFUSED: ("key_refused", _bare),
    FaultKind.NO_CR: ("no_cr", _bare),
    FaultKind.RATE_ECHO: ("rate_echo=coarse", _word("coarse")),
    FaultKind.SYRINGE: ("syringe=unconf", _word("unconf")),
    FaultKind.ALARMS: ("alarms=1 or alarms=2", _number(1, 2)),
    FaultKind.DROP_REMOTE: ("drop_remote", _bare),
    FaultKind.ECHO: ("echo", _bare),
    FaultKind.POLL: ("poll=off or poll=on", _word("on|off")),
    FaultKind.ADDR_LEAK: ("addr_leak=0 to 99", _number(0, 99)),
    FaultKind.T_STAR_FIRST: ("t_star_first", _bare),
    FaultKind.RESCALE: ("rescale", _bare),
    FaultKind.NVRAM: ("nvram=none or nvram=off", _word("none|off")),
    FaultKind.STALL_LATCHED: ("stall_latched", _bare),
    FaultKind.STOP_IGNORED: ("stop_ignored=N", _number(1, 1000)),
    FaultKind.DIGITS: ("digits=N", _number(1, 9)),
    FaultKind.MODEL: ("model=TEXT", _word(r"[\x21-\x7e]{1,40}")),
    FaultKind.DEAF: ("deaf", _bare),
    FaultKind.REFUSE_START: ("refuse_start", _bare),
    FaultKind.BUSY: ("busy", _bare),
    FaultKind.STUCK: ("stuck", _bare),
    FaultKind.ERROR: ("error=HEX, up to four digits", _error_code),
    FaultKind.UNIT_SWITCH: ("unit_switch", _bare),
    FaultKind.CLOCK_OFFSET: ("clock_offset=seconds, either sign", _number(-(10**8), 10**8)),
    FaultKind.DUPLICATE: ("duplicate", _bare),
    FaultKind.EDIT: ("edit or edit=percent", _maybe_number),
    FaultKind.DUMP: ("dump", _bare),
    FaultKind.WRONG_SEQUENCE: ("wrong_sequence", _bare),
    FaultKind.CONTENTION: ("contention", _bare),
    FaultKind.HALF_MESSAGE: ("half_message", _bare),
    FaultKind.DROP_ACK: ("drop_ack or drop_ack=N", _maybe_number),
    FaultKind.COMMA: ("comma", _bare),
    FaultKind.QUERY: ("query", _bare),
    FaultKind.NO_VALUE: ("no_value", _bare),
    FaultKind.OVER_RANGE: ("over_range", _bare),
    FaultKind.DIGIT_SWAP: ("digit_swap", _bare),
    FaultKind.LACTATE_FIRST: ("lactate_first", _bare),
    FaultKind.CONTROL: ("control or control=mg/dL", _maybe_number),
    FaultKind.CALIBRATE: ("calibrate", _bare),
    FaultKind.OTHER_ID: ("other_id=TEXT", _word(r"[\x21-\x7e]{1,40}")),
    FaultKind.MINUTE_CLOCK: ("minute_clock", _bare),
    FaultKind.WHOLE_BLOOD: ("whole_blood", _bare),
    FaultKind.ENTITY_BOMB: ("entity_bomb", _bare),
    FaultKind.OVERSIZE: ("oversize", _bare),
}
