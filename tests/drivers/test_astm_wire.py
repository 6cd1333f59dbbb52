"""The receiver of E1381: numbers, sums, noise, caps; any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.analyzers.astm_wire import (
    FRAME_CAP,
    NOISE_TOLD,
    POOR_AFTER,
    TEXT_CAP,
    Called,
    Ended,
    Happening,
    Misnumbered,
    PoorLine,
    Receiver,
    Text,
    TooLong,
)
from drivers.framing import Damage

ENQ, ACK, NAK, EOT, ETX, ETB = b"\x05", b"\x06", b"\x15", b"\x04", b"\x03", b"\x17"


def frame(number: int, text: bytes, end: bytes = ETX) -> bytes:
    """A sound frame, summed here one byte at a time."""
    body = str(number % 8).encode() + text + end
    total = 0
    for byte in body:
        total = (total + byte) & 0xFF
    return b"\x02" + body + b"%02X\r\n" % total


def called() -> Receiver:
    receiver = Receiver()
    assert receiver.feed(ENQ) == [Called(broke_off=False)]
    assert receiver.take_output() == ACK
    return receiver


def answered(receiver: Receiver, data: bytes) -> tuple[list[Happening], bytes]:
    return receiver.feed(data), receiver.take_output()


def test_a_text_over_three_pieces_is_joined_and_told_once() -> None:
    receiver = called()
    assert answered(receiver, frame(1, b"C|1|", ETB)) == ([], ACK)
    assert receiver.half
    assert answered(receiver, frame(2, b"I|long ", ETB)) == ([], ACK)
    assert answered(receiver, frame(3, b"words\r")) == ([Text("C|1|I|long words\r")], ACK)
    assert not receiver.half


def test_numbers_run_1_to_7_then_0() -> None:
    receiver = called()
    for number in range(1, 20):
        assert answered(receiver, frame(number, b"x"))[1] == ACK


@pytest.mark.parametrize("number", [0, 2, 3, 7])
def test_the_first_number_is_1(number: int) -> None:
    found, answer = answered(called(), frame(number, b"x"))
    assert found == [Misnumbered(f"frame {number} where 1 was due")]
    assert answer == NAK


def test_a_repeat_after_a_lost_answer_is_acknowledged_and_dropped() -> None:
    receiver = called()
    receiver.feed(frame(1, b"x"))
    receiver.take_output()
    assert answered(receiver, frame(1, b"x")) == ([], ACK)
    assert answered(receiver, frame(1, b"y")) == ([Misnumbered("frame 1 came again with another text")], NAK)
    assert answered(receiver, frame(1, b"x", ETB))[1] == NAK
    assert answered(receiver, frame(2, b"y")) == ([Text("y")], ACK)


def test_a_frame_without_a_call_is_refused() -> None:
    assert answered(Receiver(), frame(1, b"x")) == ([Misnumbered("a frame outside of any transfer")], NAK)
    receiver = called()
    receiver.feed(frame(1, b"x") + EOT)
    receiver.take_output()
    assert answered(receiver, frame(2, b"x"))[1] == NAK


@given(st.integers(0, 30), st.integers(0, 7))
def test_a_bit_turned_over_anywhere_is_never_taken(index: int, bit: int) -> None:
    sound = frame(1, b"R|1|^^^Glu^M|5.1|mmol/L\r")
    index %= len(sound)
    damaged = sound[:index] + bytes((sound[index] ^ 1 << bit,)) + sound[index + 1 :]
    receiver = called()
    found = [one for one in receiver.feed(damaged) if isinstance(one, Text)]
    said = bytes(receiver.take_output())
    lower_case = damaged.lower() == sound.lower() and index >= len(sound) - 4
    assert (found, ACK in said) == (
        ([Text("R|1|^^^Glu^M|5.1|mmol/L\r")], True) if lower_case else ([], said == ACK)
    )
    if not lower_case and ACK in said:
        assert damaged[index : index + 1] == ENQ


@pytest.mark.parametrize(
    "broken",
    [
        b"\x021no end\r\n",
        b"\x021x\x03GG\r\n",
        b"\x021x\x03A\r\n",
        b"\x021x\x03A\n",
        frame(1, b"x")[:-1] + b"\x0b",
        frame(1, b"x").replace(b"\r\n", b"\n\r"),
        b"\x02\x03" + b"03\r\n",
        b"\x028x\x03B3\r\n",
        frame(1, b"x" * 245),
    ],
)
def test_what_is_no_frame_is_refused_once_and_the_next_is_taken(broken: bytes) -> None:
    receiver = called()
    found, answer = answered(receiver, broken)
    assert (found, answer) == ([Damage("broken frame")], NAK)
    receiver.feed(b"")
    assert answered(receiver, frame(1, b"x"))[1] == ACK


def test_the_longest_frame_is_247_bytes() -> None:
    longest = frame(1, b"x" * 240)
    assert len(longest) == FRAME_CAP
    assert answered(called(), longest)[1] == ACK


def test_six_refusals_in_a_row_are_told_once_and_the_line_stays_open() -> None:
    receiver = called()
    told = [receiver.feed(frame(1, b"x").replace(b"x", b"z")) for _ in range(POOR_AFTER + 3)]
    assert [PoorLine() in one for one in told] == [False] * 5 + [True] + [False] * 3
    assert receiver.take_output() == NAK * (POOR_AFTER + 3)
    assert answered(receiver, frame(1, b"x")) == ([Text("x")], ACK)


def test_a_call_inside_a_transfer_starts_over() -> None:
    receiver = called()
    receiver.feed(frame(1, b"x", ETB))
    receiver.take_output()
    assert answered(receiver, ENQ) == ([Called(broke_off=True)], ACK)
    assert answered(receiver, frame(1, b"new")) == ([Text("new")], ACK)


@pytest.mark.parametrize("control", [ENQ, EOT])
def test_a_control_inside_a_frame_ends_it(control: bytes) -> None:
    receiver = called()
    found, _ = answered(receiver, frame(1, b"x")[:4] + control)
    assert found[0] == Damage("frame cut short")
    assert found[1:] == ([Called(broke_off=True)] if control == ENQ else [Ended(half=True)])


def test_a_frame_begun_again_is_taken_and_the_stump_is_not_answered() -> None:
    found, answer = answered(called(), frame(1, b"x")[:3] + frame(1, b"x"))
    assert found == [Damage("frame cut short"), Text("x")]
    assert answer == ACK


def test_the_end_is_never_answered() -> None:
    receiver = called()
    assert answered(receiver, frame(1, b"x", ETB) + EOT) == ([Ended(half=True)], ACK)
    assert not receiver.busy
    assert answered(receiver, EOT) == ([], b"")


def test_stray_bytes_are_told_when_they_end_and_when_they_do_not() -> None:
    receiver = Receiver()
    assert receiver.feed(b"abc" + ENQ) == [Damage("3 stray bytes"), Called(broke_off=False)]
    found = receiver.feed(b"\xff" * (10 * NOISE_TOLD))
    assert found == [Damage(f"{NOISE_TOLD} stray bytes: are baud rate and parity right?")]
    assert receiver.noise_bytes == 3 + 10 * NOISE_TOLD


def test_a_text_without_end_is_acknowledged_and_not_kept() -> None:
    receiver = called()
    count = TEXT_CAP // 240 + 5
    for number in range(1, count):
        assert answered(receiver, frame(number, b"x" * 240, ETB)) == ([], ACK)
        assert len(receiver._joined) <= TEXT_CAP
    assert answered(receiver, frame(count, b"x")) == ([TooLong()], ACK)
    assert answered(receiver, frame(count + 1, b"y")) == ([Text("y")], ACK)


BYTES = st.lists(
    st.sampled_from([b"\x02", b"\x03", b"\x04", b"\x05", b"\x17", b"\r\n", b"1", b"H|\\^&", frame(1, b"x")])
    | st.binary(max_size=20),
    max_size=40,
)


@given(BYTES, st.lists(st.integers(1, 7), min_size=1, max_size=8))
def test_any_bytes_cut_anywhere_say_the_same_and_keep_the_buffers_small(
    chunks: list[bytes], sizes: list[int]
) -> None:
    stream = b"".join(chunks)
    whole, cut = Receiver(), Receiver()
    expected = whole.feed(stream)
    found: list[Happening] = []
    turn = 0
    rest = stream
    while rest:
        size = sizes[turn % len(sizes)]
        found += cut.feed(rest[:size])
        rest, turn = rest[size:], turn + 1
        assert len(cut._frame or b"") <= FRAME_CAP
    assert found == expected
    assert set(whole.take_output()) <= set(ACK + NAK)
