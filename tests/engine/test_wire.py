"""Frames: any chunking gives the same messages, and nothing hostile gets further than this page."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.engine.wire import (
    FRAME_BYTES_MAX,
    Act,
    Beat,
    EventRow,
    Farewell,
    Receipt,
    Rows,
    SampleRow,
    Splitter,
    ToEngine,
    ToWindow,
    WireError,
    frame,
    read_by_engine,
    read_by_window,
)

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@given(st.lists(TEXTS, max_size=6), st.lists(st.integers(1, 60), min_size=1, max_size=20))
def test_any_chunking_gives_the_same_messages(reasons: list[str], sizes: list[int]) -> None:
    messages = [Farewell(reason) for reason in reasons]
    stream = b"".join(frame(message) for message in messages)
    splitter, bodies, at, turn = Splitter(), [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        bodies += splitter.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert [read_by_window(body) for body in bodies] == messages


@given(st.binary(max_size=200), st.integers(1, 7))
def test_any_bytes_give_bodies_or_a_wire_error(data: bytes, size: int) -> None:
    splitter, bodies = Splitter(64), list[bytes]()
    with contextlib.suppress(WireError):
        for at in range(0, len(data), size):
            bodies += splitter.feed(data[at : at + size])
    assert all(len(body) <= 64 for body in bodies)
    for body in bodies:
        with contextlib.suppress(WireError):
            assert isinstance(read_by_engine(body), Act | Beat)


def test_an_oversized_frame_is_refused_by_its_length_alone() -> None:
    assert Splitter(10).feed(b"\x00\x00\x00\x0a" + b"x" * 10) == [b"x" * 10]
    with pytest.raises(WireError, match="over the limit of 10"):
        Splitter(10).feed(b"\x00\x00\x00\x0b")
    with pytest.raises(WireError, match="over the limit"):
        frame(Farewell("x" * FRAME_BYTES_MAX))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"type":"hello"}',
        b'{"type":"beat"}',
        b'{"type":"beat","wire":1,"more":1}',
        b'{"type":"beat","wire":"1"}',
        b'{"type":"act","act":1}',
        b'{"type":"act","act":1,"event":[]}',
        b'{"type":"act","act":1,"event":{"a":1e400}}',
        b'{"type":"act","act":1,"event":{"a":NaN}}',
        b'{"type":"act","act":1,"event":{"a":"\\ud800"}}',
        b'{"type":"act","act":1,"event":{"a":' + b"[" * 1_800 + b"]" * 1_800 + b"}}",
    ],
)
def test_what_does_not_follow_the_page_is_a_wire_error(body: bytes) -> None:
    with pytest.raises(WireError):
        read_by_engine(body)


def test_messages_come_back_as_they_were_sent() -> None:
    to_engine: list[ToEngine] = [Beat(1), Act(3, {"type": "NoteLogged", "text": "µ", "actor": "ab"})]
    assert [read_by_engine(frame(message)[4:]) for message in to_engine] == to_engine
    rows = Rows([SampleRow("s", 1, 90.5, "believed", "", "ysi")], [], [EventRow(1, 2, "phase", "clamp", "")])
    to_window: list[ToWindow] = [rows, Receipt(1, None, "no"), Farewell("")]
    assert [read_by_window(frame(message)[4:]) for message in to_window] == to_window


def test_lengths_are_four_bytes_big_end_first() -> None:
    sent = frame(Beat(1))
    assert int.from_bytes(sent[:4], "big") == len(sent) - 4
    assert json.loads(sent[4:]) == {"type": "beat", "wire": 1}
