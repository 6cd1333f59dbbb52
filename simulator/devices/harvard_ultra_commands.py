"""What an Ultra pump answers to each command (sheet 4.1); the lines before the prompt."""

import re
from collections.abc import Callable
from dataclasses import replace

from simulator.devices.harvard_motor import Motion, Motor
from simulator.devices.harvard_ultra_numbers import (
    rate_nl_h,
    rate_text,
    small_rate_text,
    volume_pl,
    volume_text,
)
from simulator.devices.harvard_ultra_settings import HarvardUltraSettings

_LIMITS_UM = 20_450  # the limits below were recorded with a 20.45 mm syringe [I]
_SLOWEST_TENTH_PL_MIN = 250_404
_FASTEST_TENTH_PL_MIN = 260_035_000_000
_HOSHI_ML = ("1", "2", "3", "5", "10", "20", "30", "50", "100")


class UltraPump:
    """The pump without its wire."""

    def __init__(self, settings: HarvardUltraSettings, now_ms: int) -> None:
        self.settings = settings
        self.motor = Motor(now_ms, settings.diameter_um, settings.syringe_um, settings.capacity_ul)
        self.address = settings.address
        self.poll = settings.poll
        self.echo = settings.echo
        self.rate_unit = "ml/min"
        self.target_s = 0
        self.keeps = True
        self.kept_nl_h = 0
        self.rescales = False
        self.stops_ignored = 0

    def limits_tenth_pl_min(self) -> tuple[int, int]:
        """Slowest and fastest rate at this diameter, tenths of pL/min."""
        area, recorded = self.motor.diameter_um**2, _LIMITS_UM**2
        return _SLOWEST_TENTH_PL_MIN * area // recorded, _FASTEST_TENTH_PL_MIN * area // recorded

    def switch_on(self, now_ms: int) -> None:
        """Power is back: poll and echo as delivered, the rate that was kept [R]."""
        self.poll, self.echo, self.target_s, self.keeps = self.settings.poll, self.settings.echo, 0, True
        self.motor.switch_on(self.kept_nl_h, now_ms)

    def answer(self, text: str, now_ms: int) -> list[str]:
        """Executes a command without its address; the empty one asks for the prompt alone."""
        name, _, rest = text.strip().lower().partition(" ")
        if not name:
            return []
        found = _COMMANDS.get(name) or _SHORT.get(name)
        return (
            _error("Command", name, "Unknown command") if found is None else found(self, rest.strip(), now_ms)
        )


def _error(kind: str, word: str, reason: str) -> list[str]:
    return [f"{kind} error: {word}", f"   {reason}"]


def _switch(name: str) -> Callable[[UltraPump, str, int], list[str]]:
    def switched(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
        del now_ms
        if rest not in ("on", "off"):
            return _error("Argument", rest, "Unknown argument")
        setattr(pump, name, rest == "on")
        return []

    return switched


def _nvram(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del now_ms
    if rest != pump.settings.nvram_word:
        return _error("Argument", rest, "Unknown argument")
    pump.keeps = False
    return []


def _rate(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    motor = pump.motor
    low, high = pump.limits_tenth_pl_min()
    if not rest:
        unit = {"ul/min": "ml/h", "ml/h": "ul/min"}.get(pump.rate_unit, "ul/h")
        return [rate_text(motor.rate_nl_h, unit if pump.rescales else pump.rate_unit)]
    if rest == "lim":
        return [f"{small_rate_text(low)} to {small_rate_text(high)}"]
    found = rate_nl_h(rest)
    if found is None:
        return _error("Argument", rest, "Unknown argument")
    nl_h, unit = found
    cap_ul_h = pump.settings.max_rate_ul_h
    in_range = low * 6 <= nl_h * 1000 <= high * 6 and (cap_ul_h is None or nl_h <= cap_ul_h * 1000)
    if not in_range:
        return _error("Argument", rest, "Out of range")
    pump.rate_unit = unit
    motor.set_rate(nl_h, now_ms)
    if pump.keeps:
        pump.kept_nl_h = nl_h
    return []


def _run(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del rest
    if pump.motor.motion is not Motion.INFUSING and not pump.motor.run(now_ms):
        return _error("Command", "irun", "Clear the stall first" if pump.motor.latched else "No rate")
    return []


def _withdraw(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del rest
    pump.motor.run(now_ms, Motion.WITHDRAWING)
    return []


def _stop(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del rest
    if pump.stops_ignored:
        pump.stops_ignored -= 1
    else:
        pump.motor.halt(now_ms)
    return []


def _infused(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del rest
    pl = pump.motor.infused_pl(now_ms)
    return [volume_text(pl, "nl" if pump.rescales and pl < 10**9 else "ml" if pump.rescales else None)]


def _clear_infused(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del rest
    pump.motor.count(0, now_ms)
    return []


def _target(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del now_ms
    motor = pump.motor
    if not rest:
        told = motor.target_nl
        return ["Target volume not set" if told is None else volume_text(told * 1000)]
    pl = volume_pl(rest)
    if pl is None:
        return _error("Argument", rest, "Unknown argument")
    if motor.moving and not pump.settings.target_while_running:
        return _error("Command", "tvolume", "Not while running")
    motor.target_nl = pl // 1000
    return []


def _clear_target(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del rest, now_ms
    pump.motor.target_nl = None
    return []


def _target_time(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del now_ms
    if not rest:
        return [f"{pump.target_s} seconds" if pump.target_s else "Target time not set"]
    if not re.fullmatch(r"\d{1,6}", rest, re.ASCII):
        return _error("Argument", rest, "Unknown argument")
    pump.target_s = int(rest)
    return []


def _clear_target_time(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del rest, now_ms
    pump.target_s = 0
    return []


def _diameter(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    motor = pump.motor
    if not rest:
        return [f"{motor.diameter_um // 1000}.{motor.diameter_um % 1000:03d}0 mm"]
    found = re.fullmatch(r"(\d{1,2})(?:\.(\d{1,4}))?(?: ?mm)?", rest, re.ASCII)
    if found is None or motor.moving:
        return _error("Argument", rest, "Out of range")
    motor.enter_diameter(int(found[1]) * 1000 + int((found[2] or "0").ljust(4, "0")[:3]), now_ms)
    return []


def _name(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del rest, now_ms
    return [pump.settings.name]


def _version(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del rest, now_ms
    known = pump.settings
    return [
        f"Firmware:      {known.firmware}",
        f"Pump address:  {pump.address}",
        f"Serial number: {known.serial}",
    ]


def _address(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del now_ms
    if not re.fullmatch(r"\d{1,2}", rest, re.ASCII):
        return _error("Argument", rest, "Out of range")
    pump.address = int(rest)
    return [f"Pump address set to {pump.address}"]


def _status(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del rest
    if not pump.settings.tells_status:
        return _error("Command", "status", "Unknown command")
    motor = pump.motor
    fl_s = (motor.rate_nl_h * 10**6 + 1800) // 3600
    back = motor.motion is Motion.WITHDRAWING
    flags = ("w" if back else "i") + "." + ("S" if motor.motion is Motion.STALLED else ".") + ".I"
    if pump.settings.tells_target_flag:
        flags += "T" if motor.motion is Motion.REACHED else "."
    return [f"{fl_s} 0 {motor.infused_pl(now_ms) * 1000} {flags}"]


def _manufacturer(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    del pump, now_ms
    maker, _, size = rest.partition(" ")
    ml = size.partition(" ")[0]
    return [] if maker == "hoshi" and ml in _HOSHI_ML else _error("Argument", ml, "Unknown syringe")


def _load(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    """A quick start method: infuse, withdraw, or both. What it does to rate and target is not written [R]."""
    del now_ms
    if rest not in ("qs i", "qs w", "qs iw"):
        return _error("Argument", rest, "Unknown argument")
    return _error("Command", "load", "Not while running") if pump.motor.moving else []


def _clock(pump: UltraPump, rest: str, now_ms: int) -> list[str]:
    """Set the clock of the display; nothing here depends on it. The text of its answer is unknown [R]."""
    del pump, now_ms
    told = re.fullmatch(r"\d{2}/\d{2}/\d{2} \d{2}:\d{2}:\d{2}", rest, re.ASCII)
    return [rest] if told else _error("Argument", rest, "Unknown argument")


def known_word(pump: UltraPump, word: str) -> None:
    """Another model: the word it knows for "keep nothing"."""
    pump.settings = replace(pump.settings, nvram_word=word)


_COMMANDS: dict[str, Callable[[UltraPump, str, int], list[str]]] = {
    "poll": _switch("poll"),
    "echo": _switch("echo"),
    "nvram": _nvram,
    "irate": _rate,
    "irun": _run,
    "wrun": _withdraw,
    "stp": _stop,
    "stop": _stop,
    "ivolume": _infused,
    "civolume": _clear_infused,
    "cvolume": _clear_infused,
    "tvolume": _target,
    "ctvolume": _clear_target,
    "ttime": _target_time,
    "cttime": _clear_target_time,
    "diameter": _diameter,
    "ver": _name,
    "version": _version,
    "address": _address,
    "status": _status,
    "syrmanu": _manufacturer,
    "load": _load,
    "time": _clock,
}
_SHORT = {name[:4]: command for name, command in _COMMANDS.items() if len(name) > 4}
