"""What each fault does to a Biosen and its link: analyzer sheet 7, every row this pair can show."""

from collections.abc import Callable

from clampctl.core.commands import Role
from clampctl.core.events import LinkHeard, SampleKind, Trouble
from drivers.analyzers.biosen import Biosen as Link
from drivers.reading import Rules
from simulator.devices.fault import FaultKind
from tests.faults.biosen_bed import MMOL_5, START, Bed
from tests.faults.pair import Case


def held(fault: str, word: str) -> Callable[[], str]:
    """The result under this fault is held and told with its raw text, the next one is taken."""

    def play() -> str:
        bed = Bed()
        bed.inject(fault).measure()
        assert bed.values == []
        (detail,) = bed.said(Trouble.REFUSED)
        assert word in detail
        bed.clear(FaultKind(fault.partition("=")[0])).measure()
        assert bed.values == ["5.00"]
        return detail

    return play


def damaged(fault: str, reason: str) -> Callable[[], str]:
    """The record under this fault is no sample and is told; the next one is taken."""

    def play() -> str:
        bed = Bed()
        bed.inject(fault).measure()
        assert bed.values == []
        damage = bed.said(Trouble.REFUSED)
        assert damage[0].startswith(reason)
        bed.measure(90.0)
        assert bed.values == ["5.00"]
        return f"{len(damage)} times damage told, no sample; the next record taken"

    return play


def lag() -> str:
    bed = Bed()
    bed.inject("delay=20000").measure(for_ms=100_000)
    (sample,) = bed.samples
    assert sample.drawn_at_ms is None
    return "5.00 came 20 s late without a draw time: the core takes the marked draw or the assumed delay"


def stuck() -> str:
    bed = Bed()
    bed.measure()
    bed.inject("stuck").measure(60.0)
    assert bed.values == ["5.00", "5.00"]
    return "5.00 under numbers 001 and 002: two samples, the core doubts the third"


def duplicate() -> str:
    bed = Bed()
    bed.inject("duplicate").measure()
    assert bed.values == ["5.00"]
    assert len(bed.told(LinkHeard)) == 2
    return "2 records heard, 1 sample"


def dump() -> str:
    bed = Bed()
    for _ in range(3):
        bed.measure()
    bed.inject("dump").run(5000)
    assert bed.values == ["5.00"] * 3
    bed.run(1_200_000)
    bed.link = Link(wall_zero=START, glucose_channel="001")
    bed.open()
    bed.inject("dump").run(5000)
    assert bed.values == ["5.00"] * 3
    assert bed.of_kind(SampleKind.HISTORY) == ["5.00"] * 3
    return "3 known results dropped; to a new program all 3 of 20 min ago are history"


def power_cycle() -> str:
    bed = Bed()
    bed.measure()
    bed.inject("power_cycle").measure(80.0)
    assert bed.values == ["5.00", "4.44"]
    numbers = [sample.sample_id.rpartition(":")[2] for sample in bed.samples]
    assert numbers == ["001", "001"]
    return "number 001 twice, told apart by the minute: 5.00 and 4.44 are samples"


def edit() -> str:
    bed = Bed()
    bed.measure()
    bed.inject("edit=10").run(5000)
    assert bed.values == ["5.00"]
    assert bed.of_kind(SampleKind.HISTORY) == ["5.50"]
    (detail,) = bed.said(Trouble.REFUSED)
    assert "corrected to 5.50 mmol/l, it was 5.00 mmol/l" in detail
    return detail


def same_minute() -> str:
    bed = Bed(run_ms=20_000)
    bed.inject("minute_clock")
    bed.analyzer.place_sample(MMOL_5, bed.now_ms)
    bed.analyzer.place_sample(MMOL_5, bed.now_ms)
    bed.run(50_000)
    first, second = (sample.sample_id for sample in bed.samples)
    assert first.rpartition(":")[0] == second.rpartition(":")[0]
    assert first != second
    return f"{first} and {second}"


def replicates() -> str:
    bed = Bed()
    bed.inject("minute_clock").measure(90.0)
    bed.measure(92.0)
    assert bed.values == ["5.00", "5.11"]
    return "both results kept as samples 5.00 and 5.11; the mean is not taken by the link"


def clock_moved() -> str:
    bed = Bed()
    for _ in range(4):
        bed.measure()
    bed.inject("clock_offset=300").measure()
    bed.measure()
    assert len(bed.values) == 6
    (detail,) = bed.said(Trouble.UNEXPECTED)
    assert "clock moved by -" in detail
    return detail


def clock_far() -> str:
    bed = Bed()
    bed.inject("clock_offset=-3600").measure()
    assert bed.values == []
    assert bed.of_kind(SampleKind.HISTORY) == ["5.00"]
    (detail,) = bed.said(Trouble.REFUSED)
    return detail


def unit_switch() -> str:
    bed = Bed()
    bed.measure()
    bed.inject("unit_switch").measure()
    assert bed.values == ["5.00"]
    (detail,) = bed.said(Trouble.REFUSED)
    assert "changed its unit from mmol/L to mg/dL" in detail
    return detail


def wrong_unit() -> str:
    bed = Bed()
    bed.inject("unit_switch").measure(15.0)
    assert bed.values == []
    (detail,) = bed.said(Trouble.REFUSED)
    assert "wrong unit?" in detail
    return detail


def comma_allowed() -> str:
    bed = Bed(Rules(comma=True))
    bed.inject("comma").measure()
    (sample,) = bed.samples
    assert sample.raw_value == "5,00"
    assert abs(sample.glucose_mg_dl - MMOL_5) < 1e-9
    return f"'5,00' taken as {sample.glucose_mg_dl:.1f} mg/dL"


def control() -> str:
    bed = Bed()
    bed.inject("control=216").measure()
    assert bed.of_kind(SampleKind.CONTROL) == ["11.99"]
    assert bed.values == ["5.00"]
    return "control 11.99 told as control, patient 5.00 as sample"


def lactate_mapped() -> str:
    bed = Bed()
    bed.inject("lactate_first").measure()
    assert bed.values == ["5.00"]
    assert bed.troubles == []
    return "lactate of channel 002 passed over, glucose 5.00 taken"


def lactate_unknown() -> str:
    bed = Bed(others="")
    bed.inject("lactate_first").measure()
    assert bed.values == ["5.00"]
    (detail,) = bed.said(Trouble.REFUSED)
    assert "1.00 mmol/l, channel 002 is not known" in detail
    return detail


def no_channel() -> str:
    bed = Bed(channel="")
    bed.inject("lactate_first").measure()
    assert bed.values == []
    (detail,) = bed.said(Trouble.REFUSED)
    assert "channel 001, and glucose_channel is not set up" in detail
    return detail


def other_patient() -> str:
    bed = Bed(Rules(sample_prefix="00"))
    bed.inject("other_id=T900").measure()
    assert bed.values == []
    (detail,) = bed.said(Trouble.REFUSED)
    assert "not of this run" in detail
    return detail


def digit_swap() -> str:
    bed = Bed()
    bed.inject("digit_swap").measure(8.3 * 18.0156)
    assert bed.values == ["3.80"]
    assert bed.troubles == []
    return (
        "8.30 arrives as 3.80 and there is no sum: told as sent; an implausible rise is the core's to doubt"
    )


def flipped_digit() -> str:
    bed = Bed()
    bed.inject("flip=41/1").measure()
    assert bed.values == ["4.00"]
    return "a bit turned 5.00 into 4.00 and there is no sum: told as sent"


def calibrate() -> str:
    bed = Bed()
    bed.inject("calibrate").measure(for_ms=179_000)
    assert bed.events == []
    bed.run(5000)
    assert bed.values == ["5.00"]
    return "3 min without a word, then 5.00: the gap is not told from idleness"


def whole_blood() -> str:
    bed = Bed(Rules(from_whole_blood=True))
    bed.inject("whole_blood").measure(5.55 * 18.0156)
    (sample,) = bed.samples
    assert (sample.raw_value, sample.flags) == ("5.00", ("whole blood x 1.11",))
    assert abs(sample.glucose_mg_dl - 5.55 * 18.0156) < 0.01
    return f"blood 5.00 mmol/L told as plasma {sample.glucose_mg_dl:.1f} mg/dL, flagged, converted once"


def other_analyzer() -> str:
    bed = Bed()
    bed.measure()
    bed.inject("identity=BIOS02").measure()
    assert bed.values == ["5.00"]
    (detail,) = bed.said(Trouble.REFUSED)
    assert "sent by BIOS02, expected BIOS01" in detail
    return detail


def silent(fault: str) -> Callable[[], str]:
    """The record is lost; nothing can be told of it, and the next one is taken."""

    def play() -> str:
        bed = Bed()
        bed.inject(fault).measure()
        assert bed.events == []
        bed.clear(FaultKind(fault)).measure(90.0)
        assert len(bed.values) == 1
        return "nothing told: the core's age of the newest sample speaks; the next result is taken"

    return play


def chunks() -> str:
    bed = Bed()
    bed.inject("chunk=1-7").measure()
    assert bed.values == ["5.00"]
    assert bed.troubles == []
    return "pieces of 1 to 7 bytes, 1 ms apart: 5.00 taken, nothing told"


def noise() -> str:
    bed = Bed()
    bed.inject("noise=ff0044").measure()
    assert bed.values == ["5.00"]
    (detail,) = bed.said(Trouble.REFUSED)
    return f"{detail} told, 5.00 taken"


def oversize() -> str:
    bed = Bed()
    bed.inject("oversize").run(1000)
    damage = bed.said(Trouble.REFUSED)
    assert len(damage) == 5
    bed.measure()
    assert bed.values == ["5.00"]
    return f"20 001 bytes told as {len(damage)} times damage, at most 4096 kept; 5.00 taken"


def row(fault: str, expected: str, play: Callable[[], str]) -> Case:
    """A row of the table."""
    return Case("biosen", Role.ANALYZER, fault, expected, play)


CASES: list[Case] = [
    row("delay=20000", "a late result carries no draw time of its own", lag),
    row("stuck", "equal values under new numbers are new samples", stuck),
    row("duplicate", "a record sent twice is one sample", duplicate),
    row("dump", "a memory sent again is dropped, or history to a program that does not know it", dump),
    row("power_cycle", "a running number that starts over is told apart by the minute", power_cycle),
    row("edit=10", "a record sent again with another value is a correction, never a second sample", edit),
    row("minute_clock", "two results of the same blood are both kept", replicates),
    row("minute_clock", "two results within a minute are told apart by the running number", same_minute),
    row("clock_offset=300", "a jump of the analyzer's clock is told once, results go on", clock_moved),
    row("clock_offset=-3600", "a result an hour old by the analyzer's clock is history, and told", clock_far),
    row("unit_switch", "a change of unit stops the results until it is set back", unit_switch),
    row("unit_switch", "a number that looks like the other unit is held", wrong_unit),
    row("comma", "a decimal comma is held where the station does not allow it", held("comma", "'5,00'")),
    row("comma", "a decimal comma is taken where the station allows it", comma_allowed),
    row("query", "a doubted value is held with its raw text", held("query", "'?5.00'")),
    row("no_value", "a result without a number is held", held("no_value", "'.....'")),
    row("over_range", "an over-range mark is held, never taken for a number", held("over_range", "'>50.0'")),
    row("control=216", "a control is told as control, never as the patient", control),
    row("lactate_first", "a channel known as another analyte is passed over", lactate_mapped),
    row("lactate_first", "a channel that is not known is held", lactate_unknown),
    row("lactate_first", "without a channel for glucose nothing is a sample", no_channel),
    row("other_id=T900", "a result of another patient is held", other_patient),
    row("digit_swap", "swapped digits cannot be seen and are told as sent", digit_swap),
    row("flip=41/1", "a digit that turned into another cannot be seen: there is no checksum", flipped_digit),
    row("calibrate", "a calibration is silence: it cannot be told from idleness", calibrate),
    row("error=4", "an unknown code after the unit holds the result", held("error=4", "followed by 'E0004'")),
    row("whole_blood", "1.11 is applied once, where the station says whole blood", whole_blood),
    row("identity=BIOS02", "a result of a second analyzer is held", other_analyzer),
    row("mute", "an analyzer that is silent cannot be told from an idle one", silent("mute")),
    row("lose_reply", "a record that is lost whole leaves no trace", silent("lose_reply")),
    row("unplug", "a record sent while the cable is out leaves no trace", silent("unplug")),
    row(
        "cut=30/1", "a record cut short is told after 300 ms of silence", damaged("cut=30/1", "no record in")
    ),
    row("half_message", "half a record is told and never a sample", damaged("half_message", "no record in")),
    row("flip=7/1", "a damaged frame around the number is no record", damaged("flip=7/1", "no record in")),
    row("gap=30,400/1", "a pause above 300 ms spoils a record", damaged("gap=30,400/1", "no record in")),
    row("chunk=1-7", "any cutting of the bytes gives the same result", chunks),
    row("noise=ff0044", "bytes before a record are told and passed over", noise),
    row("oversize", "bytes without end are bounded and told", oversize),
]
