"""What a New Era pump answers to each command (sheet 2.5); the text behind the prompt."""

from collections.abc import Callable
from dataclasses import replace

from simulator.devices.new_era_model import Answer, NewEraPump
from simulator.devices.new_era_program import PHASES, Direction, Function, RateUnit
from simulator.devices.new_era_wire import five_characters, thousandths

_DIRECTIONS = {"INF": Direction.INFUSE, "WDR": Direction.WITHDRAW}
_DIRECTION_NAMES = {sign: name for name, sign in _DIRECTIONS.items()}
_MOST_DIGITS = 3


def answer(pump: NewEraPump, command: str, now_ms: int) -> str:
    """Executes a folded command without its address; the empty command asks for the status alone."""
    if not command:
        return Answer.DONE
    for length in (3, 2, 4, 6):
        found = _COMMANDS.get(command[:length])
        if found is not None:
            return found(pump, command[length:], now_ms)
    return Answer.UNKNOWN


def _version(pump: NewEraPump, text: str, now_ms: int) -> str:
    del now_ms
    return Answer.UNKNOWN if text else pump.settings.identity


def _diameter(pump: NewEraPump, text: str, now_ms: int) -> str:
    if not text:
        return five_characters(pump.memory.diameter_um)
    diameter_um = thousandths(text)
    return Answer.OUT_OF_RANGE if diameter_um is None else pump.set_diameter(diameter_um, now_ms)


def _phase_number(pump: NewEraPump, text: str, now_ms: int) -> str:
    del now_ms
    if not text:
        return str(pump.phase_number)
    if pump.operating:
        return Answer.NOT_NOW
    number = _whole(text)
    if number is None or not 1 <= number <= PHASES:
        return Answer.OUT_OF_RANGE
    pump.phase_number = number
    return Answer.DONE


def _function(pump: NewEraPump, text: str, now_ms: int) -> str:
    del now_ms
    if not text:
        return pump.phase.function
    if pump.operating:
        return Answer.NOT_NOW
    try:
        return pump.set_phase(replace(pump.phase, function=Function(text)))
    except ValueError:
        return Answer.UNKNOWN


def _rate(pump: NewEraPump, text: str, now_ms: int) -> str:
    if not text:
        return five_characters(pump.phase.rate) + pump.phase.unit
    unit = _UNITS.get(text[-2:])
    rate = thousandths(text[:-2] if unit else text)
    return Answer.OUT_OF_RANGE if rate is None else pump.set_rate(rate, unit, now_ms)


def _volume(pump: NewEraPump, text: str, now_ms: int) -> str:
    del now_ms
    if not text:
        return five_characters(pump.phase.volume) + _volume_unit(pump)
    if pump.operating and not pump.settings.volume_while_running:
        return Answer.NOT_NOW
    if text in ("UL", "ML"):
        return pump.remember(replace(pump.memory, volume_in_ml=text == "ML"))
    volume = thousandths(text)
    if volume is None:
        return Answer.OUT_OF_RANGE
    return pump.set_phase(replace(pump.phase, volume=volume))


def _direction(pump: NewEraPump, text: str, now_ms: int) -> str:
    del now_ms
    now = pump.phase.direction
    if not text:
        return _DIRECTION_NAMES[now]
    wanted = Direction(-now) if text == "REV" else now if text == "STK" else _DIRECTIONS.get(text)
    if wanted is None:
        return Answer.UNKNOWN
    if pump.operating:
        return Answer.NOT_NOW
    return pump.set_phase(replace(pump.phase, direction=wanted))


def _run(pump: NewEraPump, text: str, now_ms: int) -> str:
    number = _whole(text) if text else None
    return Answer.OUT_OF_RANGE if text and number is None else pump.run(number, now_ms)


def _stop(pump: NewEraPump, text: str, now_ms: int) -> str:
    return Answer.UNKNOWN if text else pump.stop(now_ms)


def _purge(pump: NewEraPump, text: str, now_ms: int) -> str:
    return Answer.UNKNOWN if text else pump.purge(now_ms)


def _dispensed(pump: NewEraPump, text: str, now_ms: int) -> str:
    if text:
        return Answer.UNKNOWN
    pump.plunger.settle(now_ms)
    nl_per_step = 1000 if pump.memory.volume_in_ml else 1
    infused = five_characters(pump.plunger.infused_nl // nl_per_step)
    withdrawn = five_characters(pump.plunger.withdrawn_nl // nl_per_step)
    return f"I{infused}W{withdrawn}{_volume_unit(pump)}"


def _clear_dispensed(pump: NewEraPump, text: str, now_ms: int) -> str:
    del now_ms
    if text not in _DIRECTIONS:
        return Answer.UNKNOWN
    if pump.operating:
        return Answer.NOT_NOW
    if text == "INF":
        pump.plunger.count_infused(0)
    else:
        pump.plunger.count_withdrawn(0)
    return Answer.DONE


def _safe_mode(pump: NewEraPump, text: str, now_ms: int) -> str:
    del now_ms
    if not pump.settings.has_safe_mode:
        return Answer.UNKNOWN
    if not text:
        return str(pump.memory.saf_s)
    seconds = _whole(text)
    if seconds is None or seconds > 255:
        return Answer.OUT_OF_RANGE
    return pump.remember(replace(pump.memory, saf_s=seconds))


def _buzzer(pump: NewEraPump, text: str, now_ms: int) -> str:
    del now_ms
    if not text:
        return str(int(pump.memory.buzzer))
    if text[0] not in "01" or not text.isdigit():
        return Answer.OUT_OF_RANGE
    return pump.remember(replace(pump.memory, buzzer=text[0] == "1"))


def _lock(pump: NewEraPump, text: str, now_ms: int) -> str:
    del now_ms
    if not text:
        return str(int(pump.locked))
    if text not in ("0", "1"):
        return Answer.OUT_OF_RANGE
    if not pump.operating and not pump.settings.locks_when_stopped:
        return Answer.NOT_NOW
    pump.locked = text == "1"
    return Answer.DONE


def _power_failure(pump: NewEraPump, text: str, now_ms: int) -> str:
    del now_ms
    if not text:
        return str(int(pump.memory.resumes_after_power_failure))
    if text not in ("0", "1"):
        return Answer.OUT_OF_RANGE
    return pump.remember(replace(pump.memory, resumes_after_power_failure=text == "1"))


def _address(pump: NewEraPump, text: str, now_ms: int) -> str:
    del now_ms
    digits = text.partition("B")[0]
    address = _whole(digits)
    if address is None or address > 99:
        return Answer.OUT_OF_RANGE
    return pump.remember(replace(pump.memory, address=address))


def _reset(pump: NewEraPump, text: str, now_ms: int) -> str:
    if text:
        return Answer.UNKNOWN
    pump.reset(now_ms)
    return Answer.DONE


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _volume_unit(pump: NewEraPump) -> str:
    return "ML" if pump.memory.volume_in_ml else "UL"


_UNITS: dict[str, RateUnit] = {unit.value: unit for unit in RateUnit}

_COMMANDS: dict[str, Callable[[NewEraPump, str, int], str]] = {
    "VER": _version,
    "DIA": _diameter,
    "PHN": _phase_number,
    "FUN": _function,
    "RAT": _rate,
    "VOL": _volume,
    "DIR": _direction,
    "RUN": _run,
    "STP": _stop,
    "PUR": _purge,
    "DIS": _dispensed,
    "CLD": _clear_dispensed,
    "SAF": _safe_mode,
    "BUZ": _buzzer,
    "LOC": _lock,
    "PF": _power_failure,
    "*ADR": _address,
    "*RESET": _reset,
}
