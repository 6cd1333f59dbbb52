"""How a frozen value is changed: a new one with some fields replaced.

`dataclasses.replace` does the same for every frozen dataclass and is used everywhere else. The two
large values that change with every event (`State`, `Pump`) are kept without slots, so that a copy
is one dictionary copy: a day's journal holds 190,000 events and must replay in seconds.
"""

from typing import Any, TypeVar

Value = TypeVar("Value")

_new = object.__new__
_set = object.__setattr__  # as a frozen dataclass sets its own fields


def changed(value: Value, /, **changes: Any) -> Value:
    """A copy of a frozen dataclass without slots, with fields replaced. TypeError for no such field."""
    fields = value.__dict__
    merged = {**fields, **changes}
    if len(merged) != len(fields):
        raise TypeError(f"{type(value).__name__} has no {sorted(changes.keys() - fields.keys())}")
    copy: Value = _new(type(value))
    _set(copy, "__dict__", merged)
    return copy
