"""YSI 2300/2700: every pitfall of analyzers 7 that it can show, link against emulator."""

from datetime import datetime

from clampctl.core.commands import Role
from clampctl.core.events import GlucoseSampled, LinkHeard, LinkLost, SampleKind, Trouble
from drivers.analyzers.ysi import Ysi as YsiLink
from drivers.reading import Rules
from simulator.devices.fault import FaultKind
from simulator.devices.ysi import WhenNothing, Ysi, YsiSettings
from simulator.devices.ysi_report import DateOrder, Unit
from tests.faults.pair import Case, Pair, pieces

DEVICE, ROLE = "ysi-2700", Role.ANALYZER
START = datetime(2026, 1, 1, 8)
RUN_MS = 60_000
POLLED_MS = 8_000
MMOL = YsiSettings(unit=Unit.MMOL_L)


def opened(settings: YsiSettings | None = None, rules: Rules | None = None, wall: bool = True) -> Pair:
    """Connected and drained."""
    link = YsiLink("2700", rules=rules, wall_zero=START if wall else None)
    pair = Pair(link, Ysi(settings), pieces).open()
    pair.run(10_000)
    return pair


def measured(pair: Pair, glucose_mg_dl: float = 90.0) -> list[GlucoseSampled]:
    """A sample placed and polled; what of it may dose."""
    assert isinstance(pair.device, Ysi)
    before = len(pair.samples)
    pair.device.place_sample(glucose_mg_dl, pair.now_ms)
    pair.run(RUN_MS + POLLED_MS)
    return pair.samples[before:]


def refused(pair: Pair) -> str:
    """The one sentence about a result that is not taken."""
    (told,) = pair.troubles
    assert told.trouble is Trouble.REFUSED
    return told.detail


def draw_time() -> str:
    (sample,) = measured(opened())
    assert sample.drawn_at_ms is None
    return "the draw is left open; the time of arrival never stands in for it"


def repeat() -> str:
    pair = opened(YsiSettings(when_nothing=WhenNothing.REPEAT))
    first, second = measured(pair), measured(pair)
    pair.run(60_000)
    assert len(first) == len(second) == 1
    assert first[0].glucose_mg_dl == second[0].glucose_mg_dl
    assert len(pair.samples) == 2
    assert pair.troubles == []
    return "2 equal values taken as 2 samples, some 30 repeats dropped"


def unsent() -> str:
    device = Ysi()
    for _ in range(3):
        device.place_sample(90.0, 0)
    device.advance(200_000)
    pair = Pair(YsiLink("2700", wall_zero=START), device, pieces)
    pair.now_ms = 200_000
    pair.open().run(10_000)
    kinds = [event.kind for event in pair.told(GlucoseSampled)]
    assert kinds == [SampleKind.HISTORY] * 3
    assert len(measured(pair)) == 1
    return "3 unsent results kept as history, the next new one taken"


def corrected() -> str:
    pair = opened()
    measured(pair, 90.0)
    pair.inject("edit=10").run(POLLED_MS)
    told = refused(pair)
    assert "corrected to 99.0 mg/dL, it was 90.0 mg/dL" in told
    assert [sample.raw_value for sample in pair.samples] == ["90.0"]
    assert pair.told(GlucoseSampled)[-1].kind is SampleKind.HISTORY
    return f"kept as history, told: {told}"


def dump() -> str:
    pair = opened()
    for value in (90.0, 91.0, 92.0):
        measured(pair, value)
    pair.inject("dump").run(30_000)
    assert [sample.raw_value for sample in pair.samples] == ["90.0", "91.0", "92.0"]
    assert pair.troubles == []
    return "3 results sent again, none taken twice"


def old_clock() -> str:
    pair = opened().inject("clock_offset=-3600")
    assert measured(pair) == []
    assert pair.told(GlucoseSampled)[-1].kind is SampleKind.HISTORY
    return f"kept as history: {refused(pair)}"


def clock_jump() -> str:
    pair = opened()
    for _ in range(3):
        assert len(measured(pair)) == 1
    pair.inject("clock_offset=120")
    assert len(measured(pair)) == 1
    (told,) = pair.troubles
    assert told.trouble is Trouble.UNEXPECTED
    assert "clock moved" in told.detail
    return f"sample taken, told once: {told.detail}"


def date_order() -> str:
    pair = opened(YsiSettings(start=datetime(2026, 1, 22, 8), date_order=DateOrder.DAY_FIRST), wall=False)
    assert measured(pair) == []
    assert "month 22" in pair.troubles[-1].detail
    return "held: month 22"


def unit_switch() -> str:
    pair = opened()
    assert len(measured(pair)) == 1
    pair.inject("unit_switch")
    assert measured(pair) == []
    told = refused(pair)
    pair.clear(FaultKind.UNIT_SWITCH)
    assert len(measured(pair)) == 1
    return f"held until it was set back: {told}"


def wrong_unit() -> str:
    pair = opened(rules=Rules(unit="mmol/L"))
    assert measured(pair) == []
    assert "unit" in refused(pair)
    low = opened()
    assert measured(low, 5.0) == []
    assert "wrong unit?" in refused(low)
    return f"held: {refused(pair)}; {refused(low)}"


def comma() -> str:
    pair = opened(MMOL).inject("comma")
    assert measured(pair) == []
    told = refused(pair)
    allowed = opened(MMOL, Rules(comma=True)).inject("comma")
    assert [sample.raw_value for sample in measured(allowed)] == ["5,00"]
    return f"held: {told}; taken where the station allows it"


def over_range() -> str:
    pair = opened().inject("over_range")
    assert measured(pair, 950.0) == []
    return f"held: {refused(pair)}"


def no_value() -> str:
    pair = opened().inject("no_value")
    assert measured(pair) == []
    return f"held: {refused(pair)}"


def calibration() -> str:
    pair = opened(YsiSettings(has_lactate=True, autocal_ms=90_000))
    assert isinstance(pair.device, Ysi)
    pair.device.monitor(100.0, pair.now_ms)
    assert [sample.raw_value for sample in measured(pair)] == ["90.0"]
    pair.run(300_000)
    kinds = {event.kind for event in pair.told(GlucoseSampled)}
    assert kinds == {SampleKind.PATIENT, SampleKind.INFORMATION}
    return "1 patient's glucose; lactate and calibrations feed nothing, the monitor value is information"


def other_patient() -> str:
    pair = opened(YsiSettings(first_sample=801), Rules(sample_prefix="7"))
    assert measured(pair) == []
    return f"held: {refused(pair)}"


def error() -> str:
    pair = opened().inject("error=0004")
    assert measured(pair) == []
    told = refused(pair)
    assert "0004" in told
    pair.clear(FaultKind.ERROR)
    assert len(measured(pair)) == 1
    return f"held: {told}"


def whole_blood() -> str:
    (sample,) = measured(opened(rules=Rules(from_whole_blood=True)))
    assert abs(sample.glucose_mg_dl - 99.9) < 1e-9
    assert sample.flags == ("whole blood x 1.11",)
    return f"raw {sample.raw_value}, taken as {sample.glucose_mg_dl:.1f} mg/dL, once, and flagged"


def mute() -> str:
    pair = opened()
    pair.inject("mute").run(14_000)
    (lost,) = pair.losses
    assert lost == LinkLost(ROLE, "analyzer silent")
    assert isinstance(pair.device, Ysi)
    pair.device.place_sample(90.0, pair.now_ms)
    pair.run(90_000)
    pair.clear(FaultKind.MUTE)
    pair.run(30_000)
    assert [event.kind for event in pair.told(GlucoseSampled)] == [SampleKind.HISTORY]
    assert len(measured(pair)) == 1
    return "told within 14 s; what waited through the silence is history, the next result is taken"


def unplug() -> str:
    pair = opened()
    measured(pair)
    pair.inject("unplug").run(60_000)
    assert len(pair.losses) == 1
    pair.clear(FaultKind.UNPLUG).open().run(20_000)
    assert len(pair.samples) == 1
    assert len(measured(pair)) == 1
    return "told once, nothing taken twice after it came back"


def busy() -> str:
    pair = opened().inject("busy")
    before = len(pair.events)
    pair.run(60_000)
    heard = pair.told(LinkHeard, before)
    assert {event.detail for event in heard} == {"busy"}
    assert pair.losses == []
    pair.clear(FaultKind.BUSY)
    assert len(measured(pair)) == 1
    return f"{len(heard)} times busy in a minute: alive, not lost"


def damage(text: str) -> Pair:
    """A result whose line is damaged on its way, after one that came well."""
    pair = opened(wall=False)
    assert len(measured(pair)) == 1
    assert isinstance(pair.device, Ysi)
    pair.device.place_sample(100.0, pair.now_ms)
    pair.run(RUN_MS - 5_000)
    while pair.device.running:
        pair.run(10)
    pair.inject(text).run(20_000)
    return pair


def cut() -> str:
    found = 0
    for at in (0, 1, 3, 4, 30, 60, 69, 70):
        pair = damage(f"cut={at}/1")
        assert [sample.raw_value for sample in pair.samples] == ["90.0", "100.0"]
        assert bytes(pair.to_device).count(b"RS1") == 1
        found += 1
    return f"{found} of {found} cut replies: the result asked again by number and taken"


def flip() -> str:
    unseen, held = [], []
    for at in range(71):
        pair = damage(f"flip={at}/1")
        values = [sample.raw_value for sample in pair.samples[1:]]
        if values == []:
            assert pair.troubles
            held.append(at)
        elif values != ["100.0"]:
            unseen.append(at)
    assert all(46 <= at <= 53 for at in unseen)
    assert len(unseen) <= 4
    return (
        f"of 71 damaged bytes {71 - len(unseen) - len(held)} lose nothing, {len(held)} hold the result, "
        f"{len(unseen)} change a digit unseen (no checksum): the core must doubt it"
    )


def noise() -> str:
    pair = damage("noise=410D0A00FF0D0A/1")
    assert [sample.raw_value for sample in pair.samples] == ["90.0", "100.0"]
    return f"told {len(pair.troubles)} times, the result taken once"


def stuck() -> str:
    pair = opened()
    measured(pair, 90.0)
    pair.inject("stuck")
    values = [sample.raw_value for _ in range(3) for sample in measured(pair, 150.0)]
    assert values == ["90.0"] * 3
    return "4 samples of one value with numbers of their own: the core must doubt them"


CASES = [
    Case(DEVICE, ROLE, "a sample", "age counts from the draw: arrival never becomes the draw", draw_time),
    Case(DEVICE, ROLE, "the last result again", "a stale poll is no sample, an equal value is one", repeat),
    Case(DEVICE, ROLE, "results that waited", "unsent results of before the connection are history", unsent),
    Case(DEVICE, ROLE, "dump", "the memory sent again: every repeat dropped", dump),
    Case(DEVICE, ROLE, "edit=10", "a result sent again with another value is a correction", corrected),
    Case(DEVICE, ROLE, "clock_offset=-3600", "an old time stamp is history", old_clock),
    Case(DEVICE, ROLE, "clock_offset=120", "a clock that jumps is told", clock_jump),
    Case(DEVICE, ROLE, "day before month", "day and month swapped: held", date_order),
    Case(DEVICE, ROLE, "unit_switch", "a unit that changes is a hard stop", unit_switch),
    Case(
        DEVICE, ROLE, "another unit", "another unit than the station's, or a number like it: held", wrong_unit
    ),
    Case(DEVICE, ROLE, "comma", "a decimal comma only where it is allowed", comma),
    Case(DEVICE, ROLE, "over_range", "over range is no number", over_range),
    Case(DEVICE, ROLE, "no_value", "no number: held", no_value),
    Case(DEVICE, ROLE, "calibrate", "calibration, monitor and lactate never dose", calibration),
    Case(DEVICE, ROLE, "sample 801", "a sample ID of another run is held", other_patient),
    Case(DEVICE, ROLE, "error=0004", "any error code holds and is shown raw", error),
    Case(DEVICE, ROLE, "whole blood", "1.11 once, only where the station says so", whole_blood),
    Case(DEVICE, ROLE, "mute", "silence: told; what waited is history", mute),
    Case(DEVICE, ROLE, "unplug", "pulled and back: nothing twice", unplug),
    Case(DEVICE, ROLE, "busy", "busy is not lost", busy),
    Case(DEVICE, ROLE, "cut=N/1", "a result lost on the wire is asked again by number", cut),
    Case(DEVICE, ROLE, "flip=N/1", "a damaged byte outside the digits is never a wrong value", flip),
    Case(DEVICE, ROLE, "noise=410D0A00FF0D0A/1", "stray bytes lose no result", noise),
    Case(DEVICE, ROLE, "stuck", "equal values are samples; the core judges them", stuck),
]
