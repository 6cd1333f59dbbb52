"""ASTM analyzers: what can go wrong on their wire, link against emulator."""

from collections.abc import Callable
from functools import partial

from clampctl.core.commands import Role
from clampctl.core.events import GlucoseSampled, SampleKind, Trouble
from simulator.devices.fault import FaultKind
from tests.faults.astm_bed import RUN_MS, bed, reached
from tests.faults.pair import Case


def a_wire_fault(fault: str, kind: Trouble | None) -> str:
    """A fault strikes the first result; it arrives in the end, once, and the next one too."""
    one = bed().inject(fault).measure()
    one.pair.run(60_000)
    one.pair.clear(FaultKind(fault.split("=")[0].split("/")[0]))
    one.measure(5.4)
    assert one.doses == ["5.1 mmol/L", "5.4 mmol/L"]
    assert kind is None or one.kinds(kind) >= 1
    assert one.kinds(Trouble.REFUSED) == 0
    naks = bytes(one.pair.to_device).count(b"\x15")
    words = f"told {one.told[0]!r}" if one.told else "nothing told"
    return f"{len(one.doses)} of 2 results taken, {naks} NAK, {words}"


def struck_in_the_result(fault: str, kind: Trouble) -> str:
    """The fault strikes the frame of the glucose result: the answer to the order's frame brings it."""
    one = reached(4, fault)
    one.pair.run(RUN_MS)
    assert one.doses == ["5.1 mmol/L"]
    assert one.kinds(kind) >= 1
    assert one.kinds(Trouble.REFUSED) == 0
    return f"5.1 taken once, never another number; told {one.told[0]!r}"


def a_bad_wire() -> str:
    one = reached(4, "flip=15")
    one.pair.run(1000)
    assert one.doses == []
    assert one.kinds(Trouble.REFUSED) == 2
    assert bytes(one.pair.to_device).count(b"\x15") == 6
    told = next(words for words in one.told if "in a row" in words)
    one.pair.clear(FaultKind.FLIP)
    one.pair.run(RUN_MS)
    assert one.doses == ["5.1 mmol/L"]
    return f"6 NAK, then told {told!r}; the link stayed and took the message when it came whole"


def a_cut_frame_brings_the_message_again() -> str:
    one = bed().inject("cut=20/3").measure()
    assert one.doses == []
    one.pair.run(60_000)
    assert one.doses == ["5.1 mmol/L"]
    assert "frame cut short" in one.told
    return "nothing of the stump was taken; the whole message came and counted"


def a_dead_wire_is_not_told_from_idleness(fault: str) -> str:
    one = bed().measure()
    events = len(one.pair.events)
    one.inject(fault).measure(5.4, 300_000)
    assert one.pair.events[events:] == []
    one.pair.clear(FaultKind(fault))
    one.pair.run(60_000)
    assert one.doses == ["5.1 mmol/L", "5.4 mmol/L"]
    return "5 min without an event; plugged in again, the kept result came and counted"


def a_result_kept_too_long_is_history() -> str:
    one = bed().inject("unplug").measure(5.1, 15 * 60_000)
    one.pair.clear(FaultKind.UNPLUG)
    one.pair.run(60_000)
    assert one.doses == []
    assert one.others(SampleKind.HISTORY) == ["5.1"]
    assert one.kinds(Trouble.REFUSED) == 1
    assert all(sample.drawn_at_ms is None for sample in one.pair.told(GlucoseSampled))
    return one.told[0]


def silence_inside_a_message() -> str:
    one = reached(5)
    pair = one.pair
    pair.inject("unplug")
    pair.run(29_999)
    assert one.told == []
    pair.run(1)
    assert one.kinds(Trouble.NO_REPLY) == 1
    assert one.doses == []
    held = one.told[-1]
    pair.clear(FaultKind.UNPLUG)
    pair.run(60_000)
    assert one.doses == ["5.1 mmol/L"]
    return f"after 30 s: {held}; sent again whole, it counted"


def a_half_message_is_held(error: bool) -> str:
    one = bed()
    if error:
        one.inject("error=377")
    one.inject("half_message").measure()
    assert one.doses == []
    assert one.kinds(Trouble.BAD_FRAME) == 1
    assert one.kinds(Trouble.REFUSED) == 1
    told = one.told[-1]
    one.pair.clear(FaultKind.ERROR)
    assert one.measure(5.4).doses == ["5.4 mmol/L"]
    return f"{told}; the next result counted"


def a_repeat_is_one_sample(turn: int, fault: str, copies: int) -> str:
    one = reached(turn, fault)
    one.pair.run(60_000)
    assert one.doses == ["5.1 mmol/L"]
    assert one.told == []
    assert bytes(one.pair.to_link).count(b"R|1|^^^Glu^M|5.1") == copies
    return f"result frame sent {copies} times, one sample"


def _case(fault: str, expected: str, play: Callable[[], str]) -> Case:
    return Case("radiometer-abl", Role.ANALYZER, fault, expected, play)


CASES: list[Case] = [
    _case("chunk=1-7", "pieces of any size are one message", partial(a_wire_fault, "chunk=1-7", None)),
    _case("gap=20,9000", "a pause inside a frame is waited out",
          partial(a_wire_fault, "gap=20,9000/3", None)),
    _case("delay=9000", "a slow analyzer is waited for", partial(a_wire_fault, "delay=9000/4", None)),
    _case("noise=00FF41", "stray bytes are counted, told and skipped",
          partial(a_wire_fault, "noise=00FF41/2", Trouble.BAD_FRAME)),
    _case("lose_reply", "a call that is lost comes again", partial(a_wire_fault, "lose_reply", None)),
    _case("cut=20", "a frame cut short is never read; the message counts when it comes whole",
          a_cut_frame_brings_the_message_again),
    _case("flip=15", "a damaged frame is refused and its repeat taken; 4.1 is never a result",
          partial(struck_in_the_result, "flip=15/1", Trouble.BAD_FRAME)),
    _case("flip=15 in every frame", "six refusals in a row are an alarm; the link stays on line", a_bad_wire),
    _case("wrong_sequence", "a frame out of turn is refused, the right one taken",
          partial(struck_in_the_result, "wrong_sequence", Trouble.UNEXPECTED)),
    _case("contention", "a call inside a transfer starts over; one sample",
          partial(struck_in_the_result, "contention", Trouble.UNEXPECTED)),
    _case("duplicate", "a frame repeated after a lost acknowledgement is dropped; one sample",
          partial(a_repeat_is_one_sample, 1, "duplicate", 2)),
    _case("drop_ack=1, the call's", "a call that was answered in vain comes again; one sample",
          partial(a_repeat_is_one_sample, 1, "drop_ack=1", 1)),
    _case("drop_ack=1, the last frame's", "a whole message sent again is one sample",
          partial(a_repeat_is_one_sample, 6, "drop_ack=1", 2)),
    _case("unplug", "silence cannot be told from idleness; a kept result is taken when the cable is back",
          partial(a_dead_wire_is_not_told_from_idleness, "unplug")),
    _case("mute", "the same for an interface that hangs",
          partial(a_dead_wire_is_not_told_from_idleness, "mute")),
    _case("unplug for 14 min", "a result that comes more than 10 min late is history, whenever it comes",
          a_result_kept_too_long_is_history),
    _case("unplug inside a message", "after 30 s the message is dropped and its results are held",
          silence_inside_a_message),
    _case("half_message", "a message that ends inside its result gives nothing",
          partial(a_half_message_is_held, False)),
    _case("half_message, error=377", "a message that ends inside a comment holds its result",
          partial(a_half_message_is_held, True)),
]  # fmt: skip
