"""Settings of a link or an emulated device, given as NAME=VALUE or in a station's document.

Each is read as the type that its maker declares, so that "false" is not taken for true and a text not
for a number in the middle of a session. A wrong one is refused with one sentence before anything is
opened. What a setting means is its maker's affair.
"""

import inspect
import math
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from types import NoneType, UnionType
from typing import Any

from clampctl.core.protocol import Refusal
from drivers.catalog import Option, settings_of
from drivers.link import Link

DIAMETER_UM = (100, 80_000)
"""Inner diameters of syringes, µm (pumps 2.5)."""

ADDRESS = (0, 99)


@dataclass(frozen=True, slots=True)
class Declared:
    """The settings of `owner`: their types by name, those that must be given, the least number."""

    owner: str
    hints: Mapping[str, Any]
    required: tuple[str, ...] = ()
    least: int = 0


def of_link(driver: str, factory: Callable[..., Link], rules: Mapping[str, type] | None = None) -> Declared:
    """The settings of a link; its numbers are waits and volumes, and so at least 1.

    `rules` are settings that are not the link's own, such as those about an analyzer's numbers.
    """
    made = factory.func if isinstance(factory, partial) else factory
    hints = typing.get_type_hints(vars(made)["__init__"])
    names = settings_of(factory)
    parameters = inspect.signature(factory).parameters
    required = tuple(name for name in names if parameters[name].default is inspect.Parameter.empty)
    return Declared(driver, {name: hints[name] for name in names} | dict(rules or {}), required, 1)


def of_device(device: str, settings: type) -> Declared:
    """The settings of an emulated device, which are the fields of a dataclass."""
    return Declared(device, typing.get_type_hints(settings))


def from_texts(declared: Declared, texts: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE pairs as typed values. Refused where one is unknown, given twice or does not fit."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise Refusal("setting", f"The setting {text!r} is not written as NAME=VALUE.")
        if name in found:
            raise Refusal("setting", f"The setting {name} is given twice.")
        found[name] = _first(declared, name, value, _read)
    return found


def fitting(declared: Declared, given: Mapping[str, Option]) -> dict[str, Any]:
    """A document's settings, looked at. Refused where one is unknown, missing or of the wrong type."""
    found = {name: _first(declared, name, value, _taken) for name, value in given.items()}
    missing = [name for name in declared.required if name not in given]
    if missing:
        words = " and ".join(missing)
        raise Refusal("setting", f"{declared.owner} does not work without the setting {words}.")
    return found


def _first(declared: Declared, name: str, value: Any, read: Callable[[Any, Any], Any]) -> Any:
    """The value as the first of the declared types that takes it."""
    if name not in declared.hints:
        known = ", ".join(declared.hints) or "none"
        raise Refusal("setting", f"{declared.owner} has no setting {name!r}; it has {known}.")
    kinds = _kinds(declared.hints[name])
    for kind in kinds:
        try:
            taken = read(kind, value)
        except (ValueError, KeyError):
            continue
        _require_in_range(declared, name, taken)
        return taken
    words = " or ".join(dict.fromkeys(filter(None, map(_words, kinds))))
    raise Refusal("setting", f"The setting {name} of {declared.owner} is {value!r}; expected {words}.")


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The types a setting may have. None is what it is when it is not given; a choice's text is a choice."""
    if typing.get_origin(hint) not in (typing.Union, UnionType):
        return (hint,)
    kinds = [kind for kind in typing.get_args(hint) if kind is not NoneType]
    return tuple(filter(_is_choice, kinds)) or tuple(kinds)


def _is_choice(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _are_texts(kind: Any) -> bool:
    """Several texts, such as a tuple of codes; written with commas between."""
    return typing.get_origin(kind) is not None and str in typing.get_args(kind)


def _read(kind: Any, text: str) -> Any:
    """A text as a type. Raises ValueError or KeyError where it is none."""
    if kind is bool:
        return {"true": True, "false": False}[text]
    if kind is datetime:
        return datetime.fromisoformat(text)
    if kind in (int, float, str) or _is_choice(kind):
        return kind(text)
    return _texts(kind, text)


def _taken(kind: Any, value: Option) -> Any:
    """A document's value as a type. Raises ValueError where it is of another."""
    if _is_choice(kind):
        return kind(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in (bool, int, float, str):
        if type(value) is kind:
            return value
        raise ValueError(value)
    return _texts(kind, value)


def _texts(kind: Any, value: Option | tuple[str, ...]) -> tuple[str, ...]:
    if _are_texts(kind) and isinstance(value, tuple):
        return value  # read before
    if not (_are_texts(kind) and isinstance(value, str)):
        raise ValueError(value)
    return tuple(part.strip() for part in value.split(","))


def _words(kind: Any) -> str:
    """What a person may write for a type."""
    if kind is bool:
        return "true or false"
    if _is_choice(kind):
        return " or ".join(str(member.value) for member in kind)
    if _are_texts(kind):
        return "a text, commas between several"
    time = "a time such as 2026-01-01T08:00"
    return {int: "a whole number", float: "a number", str: "a text", datetime: time}.get(kind, "")


def _require_in_range(declared: Declared, name: str, value: Any) -> None:
    """Every number is a quantity or a count, and so not negative; only an offset may be."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    low, high = float(declared.least), math.inf
    if name == "address":
        low, high = ADDRESS
    elif name.endswith("_um"):
        low, high = DIAMETER_UM
    elif "offset" in name:
        low = -math.inf
    if not (math.isfinite(value) and low <= value <= high):
        most = f" to {high:g}" if high < math.inf else " or more"
        raise Refusal(
            "setting", f"The setting {name} of {declared.owner} is {value:g}; expected {low:g}{most}."
        )
