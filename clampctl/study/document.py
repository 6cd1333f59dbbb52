"""A TOML document read key by key: unknown and missing keys are refused by name.

A reader is any function `(value, field) -> T` that refuses what it cannot take: every function of
`study.quantities`, and the few for plain values below. Not here: what the keys mean.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from clampctl.core.protocol import Refusal

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)
Reader = Callable[[object, str], T]


class Table:
    """One table of a document; `path` says where it stands, "" for the document itself."""

    def __init__(self, entries: Mapping[str, object], path: str, allowed: Sequence[str]) -> None:
        self._entries = entries
        self._path = path
        self._allowed = tuple(allowed)
        for key in entries:
            if key not in self._allowed:
                raise Refusal(key, self._unknown(key))

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def read(self, key: str, reader: Reader[T]) -> T:
        """The value of a key that must be there."""
        if key not in self._entries:
            raise Refusal(self.field(key), f"{self.field(key)} is missing.")
        return reader(self._entries[key], self.field(key))

    def read_or(self, key: str, reader: Reader[T], default: T) -> T:
        """The value of a key, or `default` where the document is silent."""
        return self.read(key, reader) if key in self._entries else default

    def table(self, key: str, allowed: Sequence[str]) -> "Table":
        """The table under a key that must be there."""
        return Table(self.read(key, mapping), self.field(key), allowed)

    def table_or_empty(self, key: str, allowed: Sequence[str]) -> "Table":
        """The table under a key, empty where the document is silent."""
        return Table(self.read_or(key, mapping, {}), self.field(key), allowed)

    def tables(self, key: str, singular: str, allowed: Sequence[str]) -> "list[Table]":
        """The tables of an array, each called by `singular` and its number, counted from 1."""
        nothing: Sequence[object] = ()
        entries = self.read_or(key, sequence, nothing)
        prefix = f"{self._path} " if self._path else ""
        return [
            Table(mapping(entry, self.field(key)), f"{prefix}{singular} {number}", allowed)
            for number, entry in enumerate(entries, start=1)
        ]

    def field(self, key: str) -> str:
        """A key with its place, as sentences name it."""
        return f"{self._path} {key}" if self._path else key

    def _unknown(self, key: str) -> str:
        where = f" in {self._path}" if self._path else ""
        close = get_close_matches(key, self._allowed, n=1)
        if close:
            return f'Unknown key "{key}"{where}; did you mean "{close[0]}"?'
        return f'Unknown key "{key}"{where}; known are {", ".join(self._allowed)}.'


def read_toml(path: Path) -> dict[str, object]:
    """The tables of a TOML file; refused when it cannot be read or is not TOML."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refusal("file", f'The file "{path}" cannot be read: {error.strerror}.') from error
    except UnicodeDecodeError as error:
        raise Refusal("file", f'The file "{path}" is not UTF-8 text.') from error
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise Refusal("file", f'The file "{path}" is not valid TOML: {error}.') from error


def text(value: object, field: str) -> str:
    """A text that is not empty."""
    if isinstance(value, str) and value.strip():
        return value
    raise Refusal(field, f"{field} must be a text in quotes.")


def whole(value: object, field: str) -> int:
    """A whole number without a unit, from 0."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise Refusal(field, f"{field} must be a whole number, 0 or more.")


def number(value: object, field: str) -> float:
    """A pure number: a multiple, never a quantity."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise Refusal(field, f"{field} must be a number without a unit.")


def yes_or_no(value: object, field: str) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise Refusal(field, f"{field} must be true or false.")


def mapping(value: object, field: str) -> Mapping[str, object]:
    """A table."""
    if isinstance(value, Mapping):
        return value
    raise Refusal(field, f"{field} must be a table.")


def sequence(value: object, field: str) -> Sequence[object]:
    """An array."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value
    raise Refusal(field, f"{field} must be a list in square brackets.")


def one_of(choices: type[Choice]) -> Reader[Choice]:
    """A reader for the words of an enum."""

    def read(value: object, field: str) -> Choice:
        for choice in choices:
            if value == choice.value:
                return choice
        words = " or ".join(f'"{choice.value}"' for choice in choices)
        raise Refusal(field, f'{field} is "{value}"; expected {words}.')

    return read
