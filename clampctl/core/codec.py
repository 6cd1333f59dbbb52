"""Events, commands and state as canonical JSON and back; the digest of a state.

Canonical: keys sorted, no spaces, ASCII, no NaN. Every dataclass carries its name as "type", every
enum its value, a tuple is a list. Reading is strict: unknown or missing keys, a wrong type or
an unknown name raise `CodecError`. Journal frames and chains are in `engine.journal`.
"""

import dataclasses
import hashlib
import json
import operator
import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any

from clampctl.core.commands import Command
from clampctl.core.events import Event
from clampctl.core.state import State

Plain = Any
"""What json reads and writes: dict, list, str, int, float, bool or None."""


class CodecError(ValueError):
    """A text or value that is not what it claims to be."""


def canonical(plain: Plain) -> str:
    """The one text of a JSON value."""
    return _encode_json(plain)


_encode_json = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, check_circular=False
).encode
"""Neither frozen values nor what was read from JSON can hold themselves."""


# --- writing ---------------------------------------------------------------------------------


def plain(value: object) -> Plain:
    """A frozen value as JSON-able plain data."""
    return _writer(type(value))(value)


_writers: dict[type, Callable[[Any], Plain]] = {}
_readers: dict[Any, Callable[[Plain], Any]] = {}
"""Made once per type; a type never changes."""


def _writer(kind: type) -> Callable[[Any], Plain]:
    writer = _writers.get(kind)
    if writer is None:
        writer = _writers[kind] = _new_writer(kind)
    return writer


def _new_writer(kind: type) -> Callable[[Any], Plain]:
    if kind in (int, float, str, bool, type(None)):
        return _same
    if issubclass(kind, Enum):
        return {member: member.value for member in kind}.__getitem__
    if issubclass(kind, tuple):
        return _list_of
    if dataclasses.is_dataclass(kind):
        return _dataclass_writer(kind)
    raise CodecError(f"{kind.__name__} has no JSON form")


def _same(value: Any) -> Plain:
    return value


def _list_of(values: tuple[Any, ...]) -> Plain:
    return [_writer(type(value))(value) for value in values]


def _dataclass_writer(kind: type) -> Callable[[Any], Plain]:
    """A whole number in a float field is written as a float: 70 and 70.0 have one form.

    Only fields that may hold something else than an atom, or a float, are looked at one by one.
    """
    name = kind.__name__
    hints = typing.get_type_hints(kind)
    fields = [field.name for field in dataclasses.fields(kind)]
    looked_at = [
        (field, float in _alternatives(hints[field]))
        for field in fields
        if float in _alternatives(hints[field]) or not _ATOMS.issuperset(_alternatives(hints[field]))
    ]

    def write(value: Any) -> Plain:
        written: dict[str, Plain] = {field: getattr(value, field) for field in fields}
        for field, is_float in looked_at:
            inner = written[field]
            kind_of_inner = inner.__class__
            if kind_of_inner is int and is_float:
                written[field] = float(inner)
            elif kind_of_inner not in _ATOMS:
                written[field] = _writer(kind_of_inner)(inner)
        written["type"] = name
        return written

    return write


def _alternatives(hint: Any) -> tuple[Any, ...]:
    """The types a field may hold, as its annotation says."""
    origin = typing.get_origin(hint)
    return typing.get_args(hint) if origin in (typing.Union, types.UnionType) else (hint,)


_ATOMS = frozenset((int, float, str, bool, type(None)))


# --- reading ---------------------------------------------------------------------------------


Reader = Callable[[Plain], Any]


def read_event(value: Plain) -> Event:
    """An event from plain data. Raises `CodecError`."""
    event: Event = _reader(Event)(value)
    return event


def read_state(value: Plain) -> State:
    """A state from plain data. Raises `CodecError`."""
    state: State = _reader(State)(value)
    return state


def read_command(value: Plain) -> Command:
    """A command from plain data. Raises `CodecError`."""
    command: Command = _reader(Command)(value)
    return command


def _reader(kind: Any) -> Reader:
    reader = _readers.get(kind)
    if reader is None:
        reader = _readers[kind] = _new_reader(kind)
    return reader


def _new_reader(kind: Any) -> Reader:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _union_reader(typing.get_args(kind))
    if origin is tuple:
        return _tuple_reader(_reader(typing.get_args(kind)[0]))
    if kind is float:
        return _read_float
    if kind in (int, str, bool):
        return _exact_reader(kind)
    if _is_enum(kind):
        return _enum_reader(kind)
    return _dataclass_reader(kind)


def _read_float(value: Plain) -> float:
    if value.__class__ in (int, float) and abs(value) <= _FLOAT_MAX:
        return float(value)
    raise CodecError(f"expected a finite number, found {value!r}")


_FLOAT_MAX = 1.7976931348623157e308


def _exact_reader(kind: type) -> Reader:
    def read(value: Plain) -> Any:
        if value.__class__ is not kind:
            raise CodecError(f"expected {kind.__name__}, found {value!r}")
        return value

    return read


def _enum_reader(kind: type[Enum]) -> Reader:
    known = {member.value: member for member in kind}

    def read(value: Plain) -> Enum:
        member = known.get(value) if value.__class__ in (str, int) else None
        if member is None:
            raise CodecError(f"{value!r} is no {kind.__name__}")
        return member

    return read


def _tuple_reader(item: Reader) -> Reader:
    def read(value: Plain) -> tuple[Any, ...]:
        if value.__class__ is not list:
            raise CodecError(f"expected a list, found {value!r}")
        return tuple([item(inner) for inner in value])

    return read


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _union_reader(kinds: tuple[Any, ...]) -> Reader:
    atoms = [_reader(kind) for kind in kinds if kind in (int, float, str, bool) or _is_enum(kind)]
    optional = type(None) in kinds
    named = {
        kind.__name__: _reader(kind)
        for kind in kinds
        if isinstance(kind, type) and dataclasses.is_dataclass(kind)
    }

    def read(value: Plain) -> Any:
        if value is None and optional:
            return None
        if value.__class__ is dict and str(value.get("type")) in named:
            return named[str(value["type"])](value)
        if atoms and value.__class__ is not dict:
            return atoms[0](value)
        raise CodecError(f"unexpected {value!r}")

    return read


def _dataclass_reader(kind: type) -> Reader:
    name = kind.__name__
    hints = typing.get_type_hints(kind)
    fields = tuple((field.name, _reader(hints[field.name])) for field in dataclasses.fields(kind))

    def read(value: Plain) -> Any:
        if value.__class__ is not dict or value.get("type") != name:
            raise CodecError(f"expected a {name}, found {value!r}")
        if len(value) != len(fields) + 1:
            raise CodecError(f"{name} has the keys {sorted(value)}")
        try:
            return kind(*[reader(value[field]) for field, reader in fields])
        except KeyError as error:
            raise CodecError(f"{name} lacks {error}") from None

    return read


# --- digest ----------------------------------------------------------------------------------


LONG_TEXT = 64


class Digest:
    """SHA-256 of a state's canonical form, part by part, first 16 hex digits.

    A part's mark is its canonical text, or the SHA-256 of a long one; the digest is that of all
    marks, in the order of the parts' names. The mark of each part seen last is remembered: parts are
    frozen, so the same object has the same mark. The result depends on the state alone.
    """

    def __init__(self) -> None:
        names = sorted(field.name for field in dataclasses.fields(State))
        self._parts = operator.attrgetter(*names)
        self._seen: tuple[object, ...] = (self,) * len(names)
        self._marks = [""] * len(names)

    def of(self, state: State) -> str:
        """The digest of one state."""
        parts = self._parts(state)
        marks = [
            mark if part is before else _mark(part)
            for part, before, mark in zip(parts, self._seen, self._marks, strict=True)
        ]
        self._seen, self._marks = parts, marks
        return hashlib.sha256("\n".join(marks).encode("ascii")).hexdigest()[:16]


def _mark(part: object) -> str:
    text = str(part) if part.__class__ is int else canonical(plain(part))
    return text if len(text) <= LONG_TEXT else hashlib.sha256(text.encode("ascii")).hexdigest()
