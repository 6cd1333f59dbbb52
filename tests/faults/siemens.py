"""What each fault does to a Siemens analyzer and its link: analyzer sheet 7, every row this pair can show.

The rows about the wire are in `siemens_wire`.
"""

from collections.abc import Callable

from clampctl.core.events import SampleKind, Trouble
from drivers.analyzers.siemens import Siemens as Link
from drivers.reading import Rules
from simulator.devices.fault import FaultKind
from tests.faults import siemens_wire
from tests.faults.pair import Case
from tests.faults.siemens_bed import MMOL_5, START, Bed
from tests.faults.siemens_wire import row


def held(fault: str, word: str) -> Callable[[], str]:
    """The result under this fault is held with its raw text, the next one is taken."""

    def play() -> str:
        bed = Bed()
        bed.inject(fault).measure()
        assert bed.samples == []
        (detail,) = bed.said(Trouble.REFUSED)
        assert word in detail
        bed.clear(FaultKind(fault.partition("=")[0])).measure()
        assert [sample.raw_value for sample in bed.samples] == ["5.0"]
        return detail

    return play


def lag() -> str:
    bed = Bed()
    bed.inject("delay=20000").measure(for_ms=140_000)
    (sample,) = bed.samples
    assert sample.drawn_at_ms is None
    assert bed.now_ms == 140_000
    return "the result gives no draw time: the core takes the marked draw or the assumed delay"


def stuck() -> str:
    bed = Bed()
    bed.measure()
    bed.inject("stuck").measure(60.0)
    values = [sample.raw_value for sample in bed.samples]
    assert values == ["5.0", "5.0"]
    assert len({sample.sample_id for sample in bed.samples}) == 2
    return "two results of 5.0 under numbers 1 and 2: both are samples, the core doubts the third"


def dump() -> str:
    bed = Bed()
    for _ in range(3):
        bed.measure()
    bed.inject("dump").run(30_000)
    known = len(bed.samples)
    fresh = Bed()
    fresh.analyzer.advance(fresh.now_ms)
    fresh.measure()
    fresh.run(1_200_000)
    fresh.link = Link(wall_zero=START)
    fresh.open().inject("dump").run(10_000)
    assert known == 3
    assert len(fresh.samples) == 1
    assert fresh.of_kind(SampleKind.HISTORY) == ["5.0"]
    return "3 known results dropped; to a new program the 20 min old one is history"


def power_cycle() -> str:
    bed = Bed()
    bed.measure()
    bed.inject("power_cycle").measure(80.0)
    numbers = [sample.sample_id.split(":")[3] for sample in bed.samples]
    assert numbers == ["1", "1"]
    assert [sample.raw_value for sample in bed.samples] == ["5.0", "4.4"]
    return "number 1 twice, told apart by time: both are samples"


def edit() -> str:
    bed = Bed()
    bed.measure()
    bed.inject("edit=10").run(5000)
    assert [sample.raw_value for sample in bed.samples] == ["5.0"]
    assert bed.of_kind(SampleKind.HISTORY) == ["5.5"]
    (detail,) = bed.said(Trouble.REFUSED)
    assert "corrected to 5.5 mmol/L, it was 5.0 mmol/L" in detail
    return detail


def replicates() -> str:
    bed = Bed()
    bed.inject("minute_clock").measure(90.0)
    bed.measure(92.0)
    values = [sample.raw_value for sample in bed.samples]
    assert values == ["5.0", "5.1"]
    return "both results kept as samples 5.0 and 5.1; the mean is not taken by the link"


def minute() -> str:
    bed = Bed(run_ms=20_000)
    bed.inject("minute_clock")
    bed.analyzer.place_sample(MMOL_5, bed.now_ms)
    bed.analyzer.place_sample(MMOL_5, bed.now_ms)
    bed.run(50_000)
    ids = [sample.sample_id for sample in bed.samples]
    assert [text.split(":", 4)[4] for text in ids] == ["22Nov26:10:00"] * 2
    assert len(set(ids)) == 2
    return f"{ids[0]} and {ids[1]}"


def clock_moved() -> str:
    bed = Bed()
    for _ in range(4):
        bed.measure()
    bed.inject("clock_offset=300").measure()
    bed.measure()
    assert len(bed.samples) == 6
    (detail,) = bed.said(Trouble.UNEXPECTED)
    assert "clock moved by -" in detail
    return detail


def clock_far() -> str:
    bed = Bed()
    bed.inject("clock_offset=3600").measure()
    assert bed.samples == []
    assert bed.of_kind(SampleKind.HISTORY) == ["5.0"]
    (detail,) = bed.said(Trouble.REFUSED)
    assert "kept as history" in detail
    return detail


def unit_switch() -> str:
    bed = Bed()
    bed.measure()
    bed.inject("unit_switch").measure()
    assert [sample.raw_unit for sample in bed.samples] == ["mmol/L"]
    (detail,) = bed.said(Trouble.REFUSED)
    assert "changed its unit from mmol/L to mg/dL" in detail
    return detail


def wrong_unit() -> str:
    bed = Bed()
    bed.inject("unit_switch").measure(15.0)
    assert bed.samples == []
    (detail,) = bed.said(Trouble.REFUSED)
    assert "15 mg/dL is very low: wrong unit?" in detail
    return detail


def control() -> str:
    bed = Bed()
    bed.inject("control=100").measure()
    assert bed.of_kind(SampleKind.CONTROL) == ["5.6"]
    assert [sample.raw_value for sample in bed.samples] == ["5.0"]
    return "control 5.6 told as control, patient 5.0 as sample"


def lactate_first() -> str:
    bed = Bed()
    bed.inject("lactate_first").measure()
    assert [sample.raw_value for sample in bed.samples] == ["5.0"]
    assert b"mLac\x1d1.0" in bytes(bed.to_link)
    return "lactate 1.0 passed over, glucose 5.0 taken"


def other_patient() -> str:
    bed = Bed(Rules(sample_prefix="S0"))
    bed.inject("other_id=T900").measure()
    assert bed.samples == []
    (detail,) = bed.said(Trouble.REFUSED)
    assert "not of this run" in detail
    bed.clear(FaultKind.OTHER_ID).measure()
    assert len(bed.samples) == 1
    return detail


def second_patient() -> str:
    bed = Bed()
    bed.measure()
    bed.inject("other_id=T900").measure()
    assert len(bed.samples) == 1
    (detail,) = bed.said(Trouble.REFUSED)
    assert "carries the patient ID 'T900'" in detail
    return detail


def digit_swap() -> str:
    bed = Bed()
    bed.measure(8.3 * 18.0156)
    bed.inject("digit_swap").measure(8.3 * 18.0156)
    assert [sample.raw_value for sample in bed.samples] == ["8.3", "3.8"]
    assert bed.troubles == []
    return (
        "8.3 arrives as 3.8 with a sum that holds: told as sent; an implausible rise is the core's to doubt"
    )


def calibrate() -> str:
    bed = Bed()
    bed.inject("calibrate").measure(for_ms=140_000)
    assert "calibrating" in bed.words
    assert bed.losses == []
    assert [sample.raw_value for sample in bed.samples] == ["5.0"]
    assert bed.of_kind(SampleKind.CALIBRATION) == ["10.0"]
    return "'calibrating' told, no link lost; calibrator 10.0 is no sample; 5.0 comes 75 s late"


def whole_blood() -> str:
    bed = Bed(Rules(from_whole_blood=True))
    bed.inject("whole_blood").measure(5.55 * 18.0156)
    (sample,) = bed.samples
    assert sample.raw_value == "5.0"
    assert abs(sample.glucose_mg_dl - 5.55 * 18.0156) < 0.01
    assert sample.flags == ("whole blood x 1.11",)
    return f"blood 5.0 mmol/L told as plasma {sample.glucose_mg_dl:.1f} mg/dL, flagged, converted once"


def other_analyzer() -> str:
    bed = Bed()
    bed.measure()
    bed.inject("identity=99999").measure()
    assert len(bed.samples) == 1
    (detail,) = bed.said(Trouble.REFUSED)
    assert "analyzer '99999', expected '45064'" in detail
    return detail


def named_analyzer() -> str:
    bed = Bed(serial="45064")
    bed.inject("identity=45065").measure()
    assert bed.samples == []
    (detail,) = bed.said(Trouble.REFUSED)
    assert "analyzer '45065', expected '45064'" in detail
    bed.clear(FaultKind.IDENTITY).measure()
    assert len(bed.samples) == 1
    return detail


def two_hours_old() -> str:
    bed = Bed()
    bed.inject("clock_offset=-7200").measure()
    assert bed.samples == []
    assert bed.of_kind(SampleKind.HISTORY) == ["5.0"]
    (detail,) = bed.said(Trouble.REFUSED)
    assert "121 min old" in detail or "120 min old" in detail
    return detail


CASES: list[Case] = [
    *siemens_wire.CASES,
    row("delay=20000", "a late result carries no draw time of its own", lag),
    row("stuck", "equal values under new numbers are new samples", stuck),
    row("dump", "a memory sent again is dropped, or history to a program that does not know it", dump),
    row("power_cycle", "a running number that starts over is told apart by time", power_cycle),
    row("clock_offset=-7200", "a result two hours old by the analyzer's clock is history", two_hours_old),
    row("edit=10", "a corrected result is told with what it was, never a second sample", edit),
    row("minute_clock", "two results of the same blood are both kept", replicates),
    row("minute_clock", "two results within a minute are told apart by the running number", minute),
    row("clock_offset=300", "a jump of the analyzer's clock is told once, results go on", clock_moved),
    row("clock_offset=3600", "a result an hour off by the analyzer's clock is history, and told", clock_far),
    row("unit_switch", "a change of unit stops the results until it is set back", unit_switch),
    row("unit_switch", "a number that looks like the other unit is held", wrong_unit),
    row("comma", "a decimal comma is held where the station does not allow it", held("comma", "'5,0'")),
    row("query", "a doubted value is held with its raw text", held("query", "'?5.0'")),
    row("no_value", "a result without a number is held", held("no_value", "'.....'")),
    row("over_range", "an over-range mark is held, never taken for a number", held("over_range", "'>55.0'")),
    row("control=100", "a control is told as control, never as the patient", control),
    row("lactate_first", "another analyte before glucose is passed over", lactate_first),
    row("other_id=T900", "a result of another patient is held", other_patient),
    row("other_id=T900, no prefix set", "the first patient is held to", second_patient),
    row("digit_swap", "a swap that the checksum misses is told as sent", digit_swap),
    row("calibrate", "a calibration is told as such, not as a lost link", calibrate),
    row("error=4", "any exception holds the result and shows its text", held("error=4", "exception EXC4")),
    row("whole_blood", "1.11 is applied once, where the station says whole blood", whole_blood),
    row("identity=99999", "a result of a second analyzer is held", other_analyzer),
    row("identity=45065", "a station that names its analyzer takes no other", named_analyzer),
]
