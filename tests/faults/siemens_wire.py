"""What faults of the wire do to a Siemens analyzer and its link: analyzer sheet 3, 4.4, 7."""

from collections.abc import Callable

from clampctl.core.commands import Role
from clampctl.core.events import Trouble
from simulator.devices.fault import FaultKind
from tests.faults.pair import Case
from tests.faults.siemens_bed import MMOL_5, Bed


def mended(fault: str, frames: int) -> Callable[[], str]:
    """A frame is damaged; the analyzer's own retry brings the result, once."""

    def play() -> str:
        bed = Bed()
        bed.run(1000)
        bed.analyzer.place_sample(MMOL_5, bed.now_ms)
        bed.run(59_000)
        bed.inject(fault).run(20_000)
        assert [sample.raw_value for sample in bed.samples] == ["5.0"]
        damage = bed.said(Trouble.BAD_FRAME)
        assert len(damage) == frames
        return f"{len(damage)} damaged frames told and not answered, result 5.0 taken once after the retry"

    return play


def lost_ack() -> str:
    bed = Bed()
    bed.measure(for_ms=59_000)
    bed.inject("drop_ack=2").run(20_000)
    assert [sample.raw_value for sample in bed.samples] == ["5.0"]
    sent = bytes(bed.to_link).count(b"SMP_NEW_DATA")
    assert sent == 2
    assert "result 1 repeated" in bed.words
    return f"data sent {sent} times, acknowledged each time, sampled once"


def duplicate() -> str:
    bed = Bed()
    bed.inject("duplicate").measure()
    assert [sample.raw_value for sample in bed.samples] == ["5.0"]
    assert bytes(bed.to_link).count(b"SMP_NEW_DATA") == 2
    return "data sent 2 times, sampled once"


def mute() -> str:
    bed = Bed()
    bed.inject("delay=1000").measure(for_ms=60_500)
    bed.inject("mute")
    heard_ms = 61_000
    bed.run(30_000)
    assert [event.detail for event in bed.losses] == ["analyzer silent"]
    (detail,) = bed.said(Trouble.NO_REPLY)
    assert bytes(bed.to_device).count(b"SMP_REQ") == 2
    bed.clear(FaultKind.MUTE).clear(FaultKind.DELAY).measure()
    assert len(bed.samples) == 1
    return f"announced at {heard_ms / 1000:.0f} s, asked for twice, then: {detail}"


def idle() -> str:
    bed = Bed()
    bed.run(1000)
    bed.inject("mute")
    events = bed.run(600_000)
    assert events == []
    return "10 min of silence of an idle analyzer: nothing told, the core's age of the newest sample speaks"


def unplug() -> str:
    bed = Bed()
    bed.analyzer.place_sample(MMOL_5, bed.now_ms)
    bed.run(30_000)
    bed.inject("unplug").run(31_000)
    bed.clear(FaultKind.UNPLUG).open().run(10_000)
    assert [sample.raw_value for sample in bed.samples] == ["5.0"]
    return "unplugged while 5.0 was announced, plugged in within the retry: taken once"


def contention() -> str:
    bed = Bed()
    bed.run(1000)
    bed.measure(for_ms=59_500)
    bed.inject("contention").run(20_000)
    assert [sample.raw_value for sample in bed.samples] == ["5.0"]
    asked = bytes(bed.to_device).count(b"SMP_REQ")
    assert asked == 2
    return f"the request was lost and repeated: asked {asked} times, sampled once"


def wrong_sequence() -> str:
    bed = Bed()
    bed.inject("wrong_sequence").measure()
    (detail,) = bed.said(Trouble.UNEXPECTED)
    assert detail == "result 2 was sent, 1 was asked for"
    bed.run(20_000)
    numbers = [sample.sample_id.split(":")[3] for sample in bed.samples]
    assert numbers == ["2", "1"]
    return f"{detail}; asked again, and 1 came"


def oversize() -> str:
    bed = Bed()
    bed.inject("oversize").measure()
    assert [sample.raw_value for sample in bed.samples] == ["5.0"]
    assert bed.said(Trouble.BAD_FRAME) == ["frame without end"]
    return "20 000 bytes dropped at 8192, told once, the next result taken"


def chunks() -> str:
    bed = Bed()
    bed.inject("chunk=1-7").measure()
    assert [sample.raw_value for sample in bed.samples] == ["5.0"]
    assert bed.troubles == []
    return "pieces of 1 to 7 bytes, each 1 ms apart: 5.0 taken, nothing told"


def noise() -> str:
    bed = Bed()
    bed.inject("noise=ff0044").measure()
    assert [sample.raw_value for sample in bed.samples] == ["5.0"]
    strays = bed.said(Trouble.BAD_FRAME)
    assert set(strays) == {"stray bytes"}
    return f"{len(strays)} runs of stray bytes told, 5.0 taken"


def gap() -> str:
    bed = Bed()
    bed.run(1000)
    bed.measure(for_ms=59_500)
    bed.inject("gap=100,2500/4").run(30_000)
    assert [sample.raw_value for sample in bed.samples] == ["5.0"]
    damage = bed.said(Trouble.BAD_FRAME)
    assert "frame cut short" in damage
    return f"a pause of 2.5 s inside a frame: {len(damage)} times damage, 5.0 taken once"


def busy() -> str:
    bed = Bed()
    bed.inject("busy").run(1000)
    assert "not ready" in bed.words
    bed.clear(FaultKind.BUSY).run(1000)
    assert "ready" in bed.words
    return "'not ready', later 'ready'"


def announcement_lost() -> str:
    bed = Bed()
    bed.run(1000)
    bed.measure(for_ms=59_500)
    bed.inject("cut=10/2").run(60_000)
    assert bed.samples == []
    assert bed.losses == []
    damage = bed.said(Trouble.BAD_FRAME)
    assert damage == ["frame cut short"] * 2
    bed.measure()
    assert len(bed.samples) == 1
    return "damage told twice, no result, no link lost: the core's age of the newest sample speaks"


def row(fault: str, expected: str, play: Callable[[], str]) -> Case:
    """A row of the table."""
    return Case("siemens", Role.ANALYZER, fault, expected, play)


CASES: list[Case] = [
    row("drop_ack=2", "a repeat after a lost acknowledgement is acknowledged and dropped", lost_ack),
    row("duplicate", "a result sent twice is one sample", duplicate),
    row("busy", "'not ready' is told, not a lost link", busy),
    row("mute", "an announced result that never comes is told, and the link lost", mute),
    row("mute", "silence of an idle analyzer cannot be told from idleness", idle),
    row("unplug", "a result announced while the cable was out is taken when it is back", unplug),
    row("flip=20/1", "a damaged announcement is not answered; the retry is taken", mended("flip=20/1", 1)),
    row("flip=100/4", "a damaged result is not answered; the retry is taken", mended("flip=100/4", 1)),
    row("half_message", "half a frame is told and the retry taken", mended("half_message", 1)),
    row("cut=100/4", "a frame cut short is told and the retry taken", mended("cut=100/4", 1)),
    row("lose_reply", "a frame that is lost whole comes again", mended("lose_reply", 0)),
    row("gap=100,2500/4", "a pause inside a frame spoils it, the retry is taken", gap),
    row("chunk=1-7", "any cutting of the bytes gives the same result", chunks),
    row("noise=ff0044", "bytes between frames are told and passed over", noise),
    row("oversize", "a frame without end is dropped and told once", oversize),
    row("contention", "a request that is not heard is sent once more", contention),
    row(
        "wrong_sequence",
        "a result that was not asked for is told, and the asked one asked again",
        wrong_sequence,
    ),
    row("cut=10/2", "an announcement that is lost twice is told as damage only", announcement_lost),
]
