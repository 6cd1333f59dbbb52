"""Events, commands and states go to JSON and back unchanged; anything odd is refused."""

import dataclasses
import json
import typing
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core import codec
from clampctl.core.codec import CodecError, canonical, plain, read_command, read_event, read_state
from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from clampctl.core.events import (
    ClampEnded,
    Event,
    HoldPressed,
    InsulinStopPressed,
    LinkLost,
    ModeChosen,
    NoteLogged,
    RateOverridden,
    ReadingImported,
    SessionStarted,
    Ticked,
)
from clampctl.core.protocol import Mode, Refusal
from tests.core.world import STATION, SUBJECT, World, opened, protocol, started

EVENTS = tuple(kind for kind in typing.get_args(Event) if kind is not SessionStarted)


def strategy(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type as annotated; floats are finite."""
    if kind is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    if kind in (int, str, bool):
        return st.from_type(kind)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(list(kind))
    if typing.get_origin(kind) is tuple:
        return st.lists(strategy(typing.get_args(kind)[0]), max_size=3).map(tuple)
    if typing.get_args(kind):
        return st.one_of(
            *(st.none() if part is type(None) else strategy(part) for part in typing.get_args(kind))
        )
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{field.name: strategy(hints[field.name]) for field in dataclasses.fields(kind)})


def there_and_back(value: Any, read: Any) -> Any:
    return read(json.loads(canonical(plain(value))))


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_event_there_and_back(kind: type, data: st.DataObject) -> None:
    event = data.draw(strategy(kind))
    again = there_and_back(event, read_event)
    assert again == event
    assert type(again) is type(event)


def test_the_first_event_there_and_back() -> None:
    assert there_and_back(started(), read_event) == started()


@pytest.mark.parametrize("kind", [SetRate, StartPump, StopPump])
@given(data=st.data())
def test_every_command_there_and_back(kind: type[Command], data: st.DataObject) -> None:
    command = data.draw(strategy(kind))
    assert there_and_back(command, read_command) == command


def rich() -> World:
    """A session in which every part of the state holds something."""
    world = World(protocol(mode=Mode.CONFIRM)).steady(5)
    world.do(RateOverridden(3.0, "x", "n"))
    world.wait(60)
    world.sample(300.0)
    world.do(LinkLost(Role.ANALYZER, "gone"))
    world.do(HoldPressed("n"))
    world.do(InsulinStopPressed("n"))
    world.do(ClampEnded("n", "over"))
    return world


def test_rich_states_there_and_back_with_the_same_digest() -> None:
    world = rich()
    again = there_and_back(world.state, read_state)
    assert again == world.state
    assert codec.Digest().of(again) == world.digests[-1]
    assert there_and_back(opened(), read_state) == opened()


def test_the_digest_remembers_nothing_that_matters() -> None:
    """The same as computed without a cache, in any order of states."""
    world = rich()
    digest = codec.Digest()
    early, late = opened(), world.state
    for state in (early, late, early, early, late):
        assert digest.of(state) == codec.Digest().of(state)
    assert len(world.digests[-1]) == 16
    assert digest.of(early) != digest.of(late)


def test_canonical_text() -> None:
    assert canonical({"b": 1, "a": [1.5, None, True, "µ"]}) == '{"a":[1.5,null,true,"\\u00b5"],"b":1}'
    with pytest.raises(ValueError, match="Out of range"):
        canonical(float("nan"))


def test_a_whole_number_in_a_float_field_has_one_form() -> None:
    whole = dataclasses.replace(SUBJECT, weight_kg=70, height_cm=175)
    assert canonical(plain(whole)) == canonical(plain(SUBJECT))
    assert plain(ReadingImported(90, None, 1))["glucose_mg_dl"] == 90.0
    first = dataclasses.replace(started(), subject=whole)
    assert canonical(plain(there_and_back(first, read_event))) == canonical(plain(first))


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(CodecError, match="set has no JSON form"):
        plain({1})


GOOD = plain(RateOverridden(5.0, "low", "n"))


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        "RateOverridden",
        {},
        {"type": "NoSuchEvent"},
        {"type": ["RateOverridden"]},
        {"type": None},
        {key: value for key, value in GOOD.items() if key != "reason"},
        {**GOOD, "extra": 1},
        {"type": "RateOverridden", "gir_mg_kg_min": 5.0, "reason": "low", "nurse": "n"},
        {**GOOD, "gir_mg_kg_min": "5.0"},
        {**GOOD, "gir_mg_kg_min": True},
        {**GOOD, "gir_mg_kg_min": None},
        {**GOOD, "gir_mg_kg_min": float("nan")},
        {**GOOD, "gir_mg_kg_min": float("inf")},
        {**GOOD, "gir_mg_kg_min": 10**400},
        {**GOOD, "reason": 5},
        {**plain(ModeChosen(Mode.CONFIRM, "n")), "mode": "both"},
        {**plain(ModeChosen(Mode.CONFIRM, "n")), "mode": ["confirm"]},
        {**plain(ReadingImported(None, None, None)), "insulin_uu_ml": {"type": "Ticked"}},
        {**plain(started()), "schema": 1.0},
        {**plain(started()), "schema": True},
        {**plain(started()), "protocol": {**plain(protocol()), "steps": {}}},
        {**plain(started()), "subject": plain(STATION)},
    ],
)
def test_anything_odd_is_refused(odd: Any) -> None:
    with pytest.raises(CodecError):
        read_event(odd)


def test_a_value_out_of_its_range_is_refused_by_name() -> None:
    odd = plain(started())
    odd["subject"]["weight_kg"] = 700.0
    with pytest.raises(Refusal, match="weight is 700 kg"):
        read_event(odd)


def test_an_event_is_no_command_and_no_state() -> None:
    for read in (read_command, read_state):
        with pytest.raises(CodecError):
            read(plain(Ticked()))
    with pytest.raises(CodecError):
        read_event(plain(StopPump(Role.INSULIN, 1)))


def test_enums_are_read_by_value_only() -> None:
    written = plain(opened())
    written["phase"] = "SETUP"
    with pytest.raises(CodecError, match="'SETUP' is no Phase"):
        read_state(written)


@given(st.text())
def test_any_text_survives(text: str) -> None:
    assert there_and_back(NoteLogged(text, "n"), read_event).text == text
