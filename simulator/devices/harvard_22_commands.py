"""What a pump of the 22 dialect answers to each command (sheet 4.2); the message before the prompt."""

import re
from collections.abc import Callable
from decimal import Decimal

from simulator.devices.harvard_22_settings import MAKES, Harvard22Settings, Make
from simulator.devices.harvard_motor import Motion, Motor

_UNKNOWN, _NOT_NOW, _OUT_OF_RANGE = "?", "NA", "OOR"
_NL_H = {"UM": 60, "MM": 60_000, "UH": 1, "MH": 1000}  # nL/h in a thousandth of each unit
_SHOWN = {"UM": "ul/mn", "MM": "ml/mn", "UH": "ul/hr", "MH": "ml/hr"}
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}", re.ASCII)


class TwentyTwoPump:
    """The pump without its wire."""

    def __init__(self, settings: Harvard22Settings, now_ms: int) -> None:
        self.settings = settings
        self.model = settings.model
        self.version = settings.version
        self.digits = settings.digits
        self.motor = Motor(now_ms, settings.diameter_um, settings.syringe_um, settings.capacity_ul)
        self.unit = "MH"
        self.by_volume = False
        self.target_nl = 0
        self.refills = False

    @property
    def make(self) -> Make:
        """What differs between models."""
        return MAKES[self.model]

    def prompt(self) -> str:
        """The sign behind the address."""
        match self.motor.motion:
            case Motion.INFUSING:
                return ">"
            case Motion.WITHDRAWING:
                return "<"
            case Motion.STALLED:
                return "*" if self.make.senses_stall else ">"
            case Motion.INTERRUPTED:
                return ":" if self.make.senses_stall else "*"
            case Motion.IDLE | Motion.REACHED:
                return ":"

    def switch_on(self, now_ms: int) -> None:
        """Power is back: nothing that came over the wire was kept (Model 33 manual)."""
        self.by_volume, self.target_nl, self.refills = False, 0, False
        self.motor.switch_on(0, now_ms)

    def aim(self) -> None:
        """A target volume counts where there is one and the mode heeds it."""
        heeded = self.target_nl and (self.by_volume or not self.make.heeds_mode)
        self.motor.target_nl = self.target_nl if heeded else None

    def answer(self, text: str, now_ms: int) -> str:
        """Executes a command without its address; the empty one asks for the prompt alone."""
        if not text:
            return ""
        name, rest = (text[:2], text[2:]) if text.startswith("AF") else (text[:3], text[3:])
        found = _COMMANDS.get(name)
        if found is None or name not in self.make.commands:
            return _UNKNOWN
        return found(self, rest, now_ms)

    def number(self, text: str) -> Decimal | None:
        """A number as typed; digits beyond those it has room for are dropped without a word."""
        if _NUMBER.fullmatch(text) is None:
            return None
        kept, left = "", self.digits
        for sign in text:
            kept += sign if sign == "." else sign if left > 0 else "0" if "." not in kept else ""
            left -= sign != "."
        return Decimal(kept)


def shown(value: Decimal) -> str:
    """Six characters, five digits and a point, cut off: 9.9999, 120.00."""
    places = max(0, 4 - max(value.adjusted(), 0)) if value else 4
    step = Decimal(1).scaleb(-places)
    text = format(value // step * step, "f")
    return text if "." in text else text + "."


def _run(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    if rest or pump.motor.moving:
        return _UNKNOWN if rest else _NOT_NOW
    motion = Motion.WITHDRAWING if pump.refills else Motion.INFUSING
    return "" if pump.motor.run(now_ms, motion) else _NOT_NOW


def _stop(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    stalled_unseen = pump.motor.motion is Motion.STALLED and not pump.make.senses_stall
    if rest or not (pump.motor.moving or stalled_unseen):
        return _UNKNOWN if rest else ""
    pump.motor.halt(now_ms, Motion.INTERRUPTED)
    return ""


def _version(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    del now_ms
    return _UNKNOWN if rest else pump.version or pump.make.version


def _diameter(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    motor = pump.motor
    if not rest:
        return shown(Decimal(motor.diameter_um) / 1000)
    number = pump.number(rest)
    if number is None or not Decimal("0.1") <= number <= 50:
        return _OUT_OF_RANGE
    if motor.moving:
        return _NOT_NOW
    motor.enter_diameter(int(number * 1000), now_ms)
    return ""


def _rate(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    if not rest:
        value = Decimal(pump.motor.rate_nl_h) / _NL_H[pump.unit] / 1000
        return f"{shown(value)}{_SHOWN[pump.unit]}"
    return _set_rate(pump, rest[:-2], rest[-2:], now_ms)


def _rate_in(unit: str) -> Callable[[TwentyTwoPump, str, int], str]:
    return lambda pump, rest, now_ms: _set_rate(pump, rest, unit, now_ms)


def _set_rate(pump: TwentyTwoPump, text: str, unit: str, now_ms: int) -> str:
    number = pump.number(text)
    if number is None or unit not in _NL_H:
        return _UNKNOWN
    nl_h = int(number * 1000 * _NL_H[unit])
    if not 0 < nl_h <= pump.settings.max_rate_ul_h * 1000:
        return _OUT_OF_RANGE
    pump.unit = unit
    pump.motor.set_rate(nl_h, now_ms)
    return ""


def _direction(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    del now_ms
    if not rest:
        return "REFILL" if pump.refills else "INFUSE"
    if rest not in ("INF", "REF", "REV") or pump.motor.moving:
        return _UNKNOWN if not pump.motor.moving else _NOT_NOW
    pump.refills = rest == "REF" or (rest == "REV" and not pump.refills)
    return ""


def _mode(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    del now_ms
    if not rest:
        return "VOLUME" if pump.by_volume else "PUMP"
    if rest not in ("PMP", "VOL"):
        return _UNKNOWN
    if pump.motor.moving:
        return _NOT_NOW
    pump.by_volume = rest == "VOL"
    pump.aim()
    return ""


def _delivered(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    return _UNKNOWN if rest else shown(Decimal(pump.motor.infused_pl(now_ms)) / 10**9)


def _clear_delivered(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    if rest or pump.motor.moving:
        return _UNKNOWN if rest else _NOT_NOW
    pump.motor.count(0, now_ms)
    return ""


def _target(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    del now_ms
    if not rest:
        return shown(Decimal(pump.target_nl) / 10**6)
    number = pump.number(rest)
    if number is None:
        return _UNKNOWN
    if pump.motor.moving and not pump.settings.target_while_running:
        return _NOT_NOW
    pump.target_nl = int(number * 10**6)
    pump.aim()
    return ""


def _clear_target(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    return _UNKNOWN if rest else _target(pump, "0", now_ms)


def _autofill(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    del pump, now_ms
    return _UNKNOWN if rest else "OFF"


def _save(pump: TwentyTwoPump, rest: str, now_ms: int) -> str:
    del pump, now_ms
    return _UNKNOWN if rest else ""


_COMMANDS: dict[str, Callable[[TwentyTwoPump, str, int], str]] = {
    "RUN": _run,
    "STP": _stop,
    "VER": _version,
    "DIA": _diameter,
    "MMD": _diameter,
    "RAT": _rate,
    "ULM": _rate_in("UM"),
    "MLH": _rate_in("MH"),
    "DIR": _direction,
    "MOD": _mode,
    "DEL": _delivered,
    "VOL": _delivered,
    "CLD": _clear_delivered,
    "TGT": _target,
    "MLT": _target,
    "TAR": _target,
    "CLT": _clear_target,
    "AF": _autofill,
    "SAV": _save,
}
