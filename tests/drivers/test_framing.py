"""Splitters: whole frames out, whatever the pieces; damage is told once and never becomes a frame."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.framing import Damage, Frame, Framing, LineSplitter, NewEraSplitter, crc16_xmodem, safe_packet


def split(pieces: list[bytes], framing: Framing | None) -> list[Frame | Damage]:
    splitter = NewEraSplitter()
    splitter.framing = framing
    return [found for piece in pieces for found in splitter.feed(piece, 0)]


def cut(data: bytes, marks: list[int]) -> list[bytes]:
    edges = [0, *sorted(mark % (len(data) + 1) for mark in marks), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def test_checksum_of_the_packet_printed_in_the_manual() -> None:
    assert crc16_xmodem(b"SAF0") == 0x5543
    assert safe_packet(b"SAF0") == bytes.fromhex("0208534146305543 03".replace(" ", ""))


@pytest.mark.parametrize("payload", ["00I7.4MH", "00I33.6MH", "RAT7.4MH", "RAT10.1MH", "RAT33.6MH"])
def test_safe_is_driven_by_length_not_by_etx(payload: str) -> None:
    data = safe_packet(payload.encode())
    assert split([data + data], Framing.SAFE) == [Frame(payload.encode(), Framing.SAFE)] * 2


def test_basic_reply_ends_at_etx_without_cr() -> None:
    assert split([b"\x0200S\x03\x0200I\x03"], Framing.BASIC) == [
        Frame(b"00S", Framing.BASIC),
        Frame(b"00I", Framing.BASIC),
    ]


def test_unsettled_framing_is_told_by_the_second_byte() -> None:
    assert split([b"\x0200S\x03" + safe_packet(b"00A?T")], None) == [
        Frame(b"00S", Framing.BASIC),
        Frame(b"00A?T", Framing.SAFE),
    ]


def test_a_gap_inside_a_packet_drops_its_first_part() -> None:
    splitter = NewEraSplitter()
    splitter.framing = Framing.SAFE
    data = safe_packet(b"00S")
    assert splitter.feed(data[:4], 0) == []
    assert splitter.feed(data[4:], 501) == [Damage("frame cut short")]
    assert splitter.feed(data, 510) == [Frame(b"00S", Framing.SAFE)]
    assert splitter.feed(data[:4], 600) == []
    assert splitter.feed(data[4:], 1100) == [Frame(b"00S", Framing.SAFE)]


@pytest.mark.parametrize(
    ("data", "framing"),
    [
        (b"noise", Framing.SAFE),
        (b"\x02\x03\x02\x01", Framing.SAFE),
        (b"\x02\xff", Framing.SAFE),
        (b"\x02" + b"0" * 80, Framing.BASIC),
        (b"\x0200\x0200", Framing.BASIC),
    ],
)
def test_damage_is_told_once_per_run(data: bytes, framing: Framing) -> None:
    found = split([data], framing)
    assert len(found) == 1
    assert isinstance(found[0], Damage)


def test_a_good_frame_after_damage_is_found() -> None:
    good = safe_packet(b"00S")
    bad = bytearray(good)
    bad[3] ^= 1
    found = split([bytes(bad) + b"zz" + good], Framing.SAFE)
    assert found == [Damage("bad checksum"), Frame(b"00S", Framing.SAFE)]


@given(st.data())
def test_any_chunking_gives_the_same_frames(data: Any) -> None:
    framing = data.draw(st.sampled_from([Framing.SAFE, Framing.BASIC, None]))
    parts = st.one_of(
        st.binary(max_size=12),
        st.sampled_from([safe_packet(b"00I120.0MH"), b"\x0200I12.34\x03", safe_packet(b"RAT7.4MH")]),
    )
    stream = b"".join(data.draw(st.lists(parts, max_size=6)))
    marks = data.draw(st.lists(st.integers(0, 200), max_size=8))
    assert split(cut(stream, marks), framing) == split([stream], framing)


@given(st.integers(0, 12), st.integers(0, 7))
def test_no_single_bit_flip_passes_the_checksum(position: int, bit: int) -> None:
    data = bytearray(safe_packet(b"00I9.999MH"))
    data[position] ^= 1 << bit
    assert all(isinstance(found, Damage) for found in split([bytes(data)], Framing.SAFE))


@given(st.binary(max_size=400))
def test_buffers_stay_small(noise: bytes) -> None:
    splitter, lines = NewEraSplitter(), LineSplitter(b"\r\n", cap=80)
    for _ in range(3):
        splitter.feed(noise, 0)
        lines.feed(noise)
    assert len(splitter._buffer) <= 65
    assert len(lines._buffer) <= 81


def test_lines_are_cut_at_the_terminator_and_an_overlong_one_is_dropped() -> None:
    lines = LineSplitter(b"\r\n", cap=8)
    assert lines.feed(b"A\r\nab\rc\r\n") == [b"A", b"ab\rc"]
    assert lines.half is False
    assert lines.feed(b"123456789012") == [Damage("line without end")]
    assert lines.feed(b"345\r\nB\r\n") == [b"B"]


@given(st.lists(st.sampled_from([b"A\r\n", b"x" * 70, b"\r", b"\n", b"2\r\n"]), max_size=8), st.data())
def test_any_chunking_gives_the_same_lines(parts: list[bytes], data: Any) -> None:
    stream = b"".join(parts)
    marks = data.draw(st.lists(st.integers(0, 600), max_size=8))
    whole, pieces = LineSplitter(b"\r\n", cap=100), LineSplitter(b"\r\n", cap=100)
    assert [line for piece in cut(stream, marks) for line in pieces.feed(piece)] == whole.feed(stream)
