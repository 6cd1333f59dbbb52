"""POCT1-A meters: every pitfall (analyzers 7) that a link and an emulator can show."""

from collections.abc import Callable
from datetime import datetime

from clampctl.core.commands import Role
from clampctl.core.events import GlucoseSampled, LinkHeard, SampleKind, Trouble
from drivers.analyzers.poct1a import Poct1a as Link
from drivers.reading import Rules
from simulator.devices.fault import FaultKind
from simulator.devices.poct1a import Poct1a
from simulator.devices.poct1a_settings import Poct1aSettings
from simulator.devices.ysi_report import Unit
from tests.faults.pair import Case, Pair, pieces

ZERO = datetime(2026, 1, 1, 8)
SERIAL = Poct1aSettings().serial
MINUTE_MS = 60_000
SAMPLE_MS = 75_000
"""A minute's measurement and time for a repeat."""


def opened(rules: Rules | None = None, wall_zero: datetime | None = ZERO, serial: str = SERIAL) -> Pair:
    """A meter in continuous mode, one minute into the session."""
    pair = Pair(Link(rules=rules, wall_zero=wall_zero, serial=serial), Poct1a(), pieces).open()
    pair.run(MINUTE_MS)
    assert pair.told(LinkHeard)[-1].detail == "sends each result at once"
    return pair


def sampled(pair: Pair, *glucose_mg_dl: float) -> Pair:
    """Give these samples, one after the other."""
    device = pair.device
    assert isinstance(device, Poct1a)
    for value in glucose_mg_dl:
        device.place_sample(value, pair.now_ms)
        pair.run(SAMPLE_MS)
    return pair


def values(pair: Pair) -> list[str]:
    """What may dose, as the meter wrote it."""
    return [sample.raw_value for sample in pair.samples]


def kinds(pair: Pair) -> list[SampleKind]:
    """What every value that came is taken for."""
    return [sample.kind for sample in pair.told(GlucoseSampled)]


def told(pair: Pair, *expected: tuple[Trouble, str]) -> str:
    """Exactly these troubles, each with its words; the last one's sentence."""
    assert [trouble.trouble for trouble in pair.troubles] == [trouble for trouble, _ in expected]
    for trouble, (_, words) in zip(pair.troubles, expected, strict=True):
        assert words in trouble.detail
    return pair.troubles[-1].detail if expected else "nothing odd is told"


def _taken_once(fault: str, *troubles: tuple[Trouble, str], lasting: FaultKind | None = None) -> str:
    """A sample goes through the fault, and counts exactly once."""
    pair = opened().inject(fault)
    sampled(pair, 92.0)
    if lasting is not None:
        pair.clear(lasting)
    pair.run(MINUTE_MS)
    assert values(pair) == ["92"]
    return f"92 mg/dL once; {told(pair, *troubles)}"


def _held(fault: str, words: str) -> str:
    """No sample while the fault lasts."""
    pair = sampled(opened().inject(fault), 92.0)
    assert values(pair) == []
    return told(pair, (Trouble.REFUSED, words))


def _old_by_its_clock() -> str:
    pair = sampled(opened().inject("clock_offset=-900"), 92.0)
    assert kinds(pair) == [SampleKind.HISTORY]
    return told(pair, (Trouble.REFUSED, "1 result is older than this session by the meter's clock"))


def _ahead_by_its_clock() -> str:
    pair = sampled(opened().inject("clock_offset=900"), 92.0)
    assert kinds(pair) == [SampleKind.HISTORY]
    return told(pair, (Trouble.REFUSED, "15 min ahead by the analyzer's clock: kept as history"))


def _clock_jump() -> str:
    pair = sampled(opened(), 90.0, 91.0, 92.0).inject("clock_offset=120")
    sampled(pair, 93.0)
    assert values(pair) == ["90", "91", "92", "93"]
    return told(pair, (Trouble.UNEXPECTED, "clock moved by -120 s"))


def _minute_clock() -> str:
    pair = sampled(opened().inject("minute_clock"), 90.0, 92.0)
    assert values(pair) == ["90", "92"]
    return f"90 and 92 mg/dL, in minutes of their own; {told(pair)}"


def _stuck() -> str:
    pair = sampled(opened().inject("stuck"), 90.0, 120.0)
    assert values(pair) == ["90", "90"]
    assert len({sample.sample_id for sample in pair.samples}) == 2
    return f"90 and 90 mg/dL under two times; {told(pair)}"


def _dump() -> str:
    pair = sampled(opened(), 90.0, 91.0).inject("dump")
    sampled(pair, 92.0)
    assert values(pair) == ["90", "91", "92"]
    return f"three samples, the memory's two dropped; {told(pair)}"


def _edit() -> str:
    pair = sampled(opened(), 90.0).inject("edit=10")
    pair.run(MINUTE_MS)
    assert kinds(pair) == [SampleKind.PATIENT, SampleKind.HISTORY]
    return told(pair, (Trouble.REFUSED, "was corrected to 99 mg/dL, it was 90 mg/dL"))


def _unit_switch() -> str:
    pair = sampled(opened(), 90.0).inject("unit_switch")
    sampled(pair, 92.0)
    assert values(pair) == ["90"]
    return told(pair, (Trouble.REFUSED, "changed its unit from mg/dL to mmol/L"))


def _very_low() -> str:
    pair = sampled(opened(), 5.0)
    assert values(pair) == []
    return told(pair, (Trouble.REFUSED, "5 mg/dL is very low: wrong unit?"))


def _control() -> str:
    pair = opened().inject("control=300")
    pair.run(SAMPLE_MS)
    assert kinds(pair) == [SampleKind.CONTROL]
    return f"300 mg/dL is a control; {told(pair)}"


def _calibrate() -> str:
    pair = opened().inject("calibrate")
    pair.run(SAMPLE_MS)
    assert kinds(pair) == [SampleKind.CALIBRATION]
    return f"a calibration, no loss; {told(pair)}; losses {len(pair.losses)}"


def _other_id() -> str:
    pair = sampled(opened(Rules(sample_prefix="S01")).inject("other_id=X99"), 92.0)
    assert values(pair) == []
    return told(pair, (Trouble.REFUSED, "has a sample ID that is not of this run"))


def _other_patient() -> str:
    pair = sampled(sampled(opened(), 90.0).inject("other_id=X99"), 92.0)
    assert values(pair) == ["90"]
    return told(pair, (Trouble.REFUSED, "carries the patient ID 'X99', this session's is 'S017'"))


def _identity() -> str:
    pair = sampled(opened(), 90.0).inject("identity=SS-0815")
    sampled(pair, 92.0)
    assert values(pair) == ["90"]
    pair.clear(FaultKind.IDENTITY)
    pair.run(MINUTE_MS)
    assert values(pair) == ["90", "92"]
    return told(pair, (Trouble.REFUSED, "serial number is SS-0815, expected SS-4711"))


def _digit_swap() -> str:
    pair = sampled(opened().inject("digit_swap"), 81.0)
    assert values(pair) == []
    return told(pair, (Trouble.REFUSED, "18 mg/dL is very low"))


def _digit_swap_unseen() -> str:
    pair = sampled(opened().inject("digit_swap"), 64.0)
    assert values(pair) == ["46"]
    return f"46 mg/dL for 64: the core judges the jump; {told(pair)}"


def _whole_blood() -> str:
    pair = sampled(opened(Rules(from_whole_blood=True)).inject("whole_blood"), 111.0)
    (sample,) = pair.samples
    assert (sample.raw_value, round(sample.glucose_mg_dl, 6)) == ("100", 111.0)
    assert sample.flags == ("whole blood x 1.11",)
    return f"100 mg/dL of blood is {sample.glucose_mg_dl:.0f} mg/dL of plasma; {told(pair)}"


def _draw_time() -> str:
    (sample,) = sampled(opened(), 92.0).samples
    assert sample.drawn_at_ms is None
    return "the time of the draw is not told"


def _unplug() -> str:
    pair = sampled(opened(), 90.0).inject("unplug")
    sampled(pair, 92.0)
    assert values(pair) == ["90"]
    pair.open().clear(FaultKind.UNPLUG)
    pair.run(MINUTE_MS)
    assert values(pair) == ["90", "92"]
    return f"92 mg/dL, fetched once after the cable is back; {told(pair)}"


def _unplug_without_clock() -> str:
    pair = opened(wall_zero=None).inject("unplug")
    sampled(pair, 92.0)
    pair.open().clear(FaultKind.UNPLUG)
    pair.run(MINUTE_MS)
    assert kinds(pair) == [SampleKind.HISTORY]
    return told(pair, (Trouble.REFUSED, "1 results that waited in the meter are older than this session"))


def _busy() -> str:
    pair = opened().inject("unplug").inject("busy")
    sampled(pair, 92.0)
    pair.open().clear(FaultKind.UNPLUG)
    pair.run(MINUTE_MS)
    assert values(pair) == ["92"]
    return told(pair, (Trouble.REFUSED, "the meter refuses its results (BSY)"))


def _drop_remote() -> str:
    pair = opened().inject("drop_remote")
    (loss,) = pair.losses
    pair.clear(FaultKind.DROP_REMOTE)
    sampled(pair, 92.0)
    assert values(pair) == ["92"]
    return f"{loss.detail}; then 92 mg/dL"


def _mute() -> str:
    pair = opened().inject("mute")
    sampled(pair, 92.0)
    assert values(pair) == []
    pair.clear(FaultKind.MUTE)
    pair.run(MINUTE_MS)
    assert values(pair) == ["92"]
    return f"nothing while mute, then 92 mg/dL once; {told(pair)}"


def _mmol_comma() -> str:
    settings = Poct1aSettings(unit=Unit.MMOL_L)
    pair = Pair(Link(wall_zero=ZERO), Poct1a(settings), pieces).open().inject("comma")
    pair.run(MINUTE_MS)
    sampled(pair, 92.0)
    assert values(pair) == []
    return told(pair, (Trouble.REFUSED, "'5,1' is not a plain number"))


BAD = Trouble.BAD_FRAME
ROWS: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("", "the time of arrival never becomes the time of the draw", _draw_time),
    ("clock_offset=-900", "a result from before the session is history, and told", _old_by_its_clock),
    ("clock_offset=900", "a clock that is far off makes history, and is told", _ahead_by_its_clock),
    ("clock_offset=120", "a clock that jumps by more than 60 s is told", _clock_jump),
    ("minute_clock", "minutes of their own are results of their own", _minute_clock),
    ("stuck", "equal values at new times are new samples", _stuck),
    ("duplicate", "a result sent twice counts once", lambda: _taken_once("duplicate")),
    ("drop_ack=2", "a result whose acknowledgement is lost counts once", lambda: _taken_once("drop_ack=2")),
    ("dump", "a memory sent again is dropped", _dump),
    ("edit=10", "a corrected result is told and does not dose", _edit),
    ("unit_switch", "a changed unit is a hard stop", _unit_switch),
    ("", "5 mg/dL is held: wrong unit?", _very_low),
    ("comma", "a decimal comma that is not allowed is refused", _mmol_comma),
    ("no_value", "a result without a number is refused", lambda: _held("no_value", "is not a plain number")),
    ("over_range", "above the range is no number", lambda: _held("over_range", "'>600' is not a plain")),
    ("error=4", "a noted error holds, shown as sent", lambda: _held("error=4", "noted 'Error 0004'")),
    ("control=300", "a control is never a patient's", _control),
    ("calibrate", "a calibration check is never a patient's, and no loss", _calibrate),
    ("lactate_first", "lactate is passed over", lambda: _taken_once("lactate_first")),
    ("other_id=X99", "another patient's result is put aside", _other_id),
    ("other_id=X99, no prefix set", "the first patient is held to", _other_patient),
    ("identity=SS-0815", "another meter's results are refused, its own come later", _identity),
    ("digit_swap", "swapped digits that become very low are held", _digit_swap),
    ("digit_swap", "swapped digits that stay likely pass the link: no checksum", _digit_swap_unseen),
    ("whole_blood", "1.11 is applied once, by setting", _whole_blood),
    ("unplug", "what was measured meanwhile is fetched and counts once", _unplug),
    ("unplug", "without a wall clock, what waited is history", _unplug_without_clock),
    ("power_cycle", "a meter that starts anew goes on", lambda: _taken_once("power_cycle")),
    ("drop_remote", "a meter that says goodbye is lost until it greets", _drop_remote),
    ("busy", "a refused question is told; results come by themselves", _busy),
    ("mute", "silence is idleness to the link; the meter repeats", _mute),
    (
        "entity_bomb",
        "entities are refused unread; the repeat counts",
        lambda: _taken_once("entity_bomb", (BAD, "a document type or entity")),
    ),
    (
        "oversize",
        "a message without end is dropped at 64 KiB; the repeat counts",
        lambda: _taken_once("oversize", (BAD, "message without end")),
    ),
    (
        "half_message",
        "half a message is told; the repeat counts",
        lambda: _taken_once("half_message", (BAD, "message cut short")),
    ),
    ("cut=300/1", "a message cut short is told", lambda: _taken_once("cut=300/1", (BAD, "cut short"))),
    ("flip=0/1", "a damaged root is told", lambda: _taken_once("flip=0/1", (BAD, "no message"))),
    ("flip=9/1", "a damaged element is told", lambda: _taken_once("flip=9/1", (BAD, "damaged message"))),
    ("noise=ff00/1", "noise is told, the message behind it is read",
     lambda: _taken_once("noise=ff00/1", (BAD, "no message"))),
    ("gap=100,5000/1", "a pause inside a message changes nothing", lambda: _taken_once("gap=100,5000/1")),
    ("delay=4000", "late messages change nothing", lambda: _taken_once("delay=4000")),
    ("chunk=1-7", "pieces change nothing", lambda: _taken_once("chunk=1-7")),
    ("lose_reply", "a lost message is repeated by the meter", lambda: _taken_once("lose_reply")),
)  # fmt: skip


CASES = [Case("poct1a", Role.ANALYZER, fault, expected, play) for fault, expected, play in ROWS]
