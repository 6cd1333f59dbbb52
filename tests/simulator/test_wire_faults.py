"""Only text that fits its form becomes a fault, and each fault of the wire shows on a reply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.fault import Fault, FaultKind, fault
from simulator.devices.mischief import Outbox
from simulator.devices.new_era_wire import safe_packet

STATUS = safe_packet(b"00S")


def outbox(*texts: str) -> Outbox:
    box = Outbox()
    for text in texts:
        assert box.inject(fault(text))
    return box


def course(box: Outbox, until_ms: int) -> dict[int, bytes]:
    """What leaves at each ms."""
    found = {}
    for now_ms in range(until_ms + 1):
        box.advance(now_ms)
        left = box.take()
        if left:
            found[now_ms] = left
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("gap=3,600", Fault(FaultKind.GAP, 3, 600)),
        ("flip=4/1", Fault(FaultKind.FLIP, 4, times=1)),
        ("mute/3", Fault(FaultKind.MUTE, times=3)),
        ("noise=1B02", Fault(FaultKind.NOISE, text="1B02")),
        ("drift=-2.5", Fault(FaultKind.DRIFT, -25_000)),
        ("diameter=14.0", Fault(FaultKind.DIAMETER, 14_000)),
        ("key=rate,60000", Fault(FaultKind.KEY, 60_000, text="rate")),
        ("alarm_next", Fault(FaultKind.ALARM_NEXT, text="S")),
        ("error=00a4", Fault(FaultKind.ERROR, 0xA4)),
        ("clock_offset=-3600", Fault(FaultKind.CLOCK_OFFSET, -3600)),
        ("counter_back", Fault(FaultKind.COUNTER_BACK)),
    ],
)
def test_fault_text_becomes_a_value(text: str, value: Fault) -> None:
    assert fault(text) == value


@pytest.mark.parametrize(
    "text",
    ["gap=3", "gap", "cut=", "cut=-1", "chunk=0", "flip=x", "noise=1", "mute=1", "mute/0", "key=up",
     "key=start,5", "stall/2", "drift=nan", "saf_nvm=256", "reply_addr=100", "identity=", "error=12345",
     "start_framing=x", "max_rate", "cut=٣"],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not fit its form|cannot be limited"):
        fault(text)


def names_no_fault(text: str) -> bool:
    return text.strip().split("/")[0].split("=")[0] not in set(FaultKind)


@given(st.text(max_size=30).filter(names_no_fault))
def test_any_other_text_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?s)^There is no fault called .*\.$"):
        fault(text)


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("cut=5", {0: STATUS[:5]}),
        ("cut=0", {}),
        ("gap=3,600", {0: STATUS[:3], 600: STATUS[3:]}),
        ("delay=250", {250: STATUS}),
        ("flip=4", {0: STATUS[:4] + bytes([STATUS[4] ^ 1]) + STATUS[5:]}),
        ("noise=FF00", {0: b"\xff\x00" + STATUS}),
        ("chunk=3", {0: STATUS[:3], 1: STATUS[3:6], 2: STATUS[6:]}),
        ("lose_reply", {}),
        ("mute", {}),
        ("unplug", {}),
    ],
)
def test_faults_of_the_wire(text: str, leaves: dict[int, bytes]) -> None:
    box = outbox(text)
    box.put(STATUS, 0)
    assert course(box, 700) == leaves
    assert box.wake_at() is None
    box.clear(fault(text).kind)
    box.put(STATUS, 700)
    assert box.take() == STATUS


def test_a_gap_between_pieces() -> None:
    box = outbox("gap=4,600", "chunk=3")
    box.put(STATUS, 0)
    assert course(box, 700) == {0: STATUS[:3], 1: STATUS[3:4], 601: STATUS[4:7], 602: STATUS[7:]}


def test_a_limited_fault_ends_by_itself() -> None:
    box = outbox("cut=2/2")
    for _ in range(3):
        box.put(STATUS, 0)
    assert box.take() == STATUS[:2] + STATUS[:2] + STATUS


def test_replies_never_overtake_one_another() -> None:
    box = outbox("delay=100/1")
    box.put(b"first", 0)
    box.put(b"second", 10)
    assert course(box, 200) == {100: b"firstsecond"}
