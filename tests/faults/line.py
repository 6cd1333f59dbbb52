"""Any analyzer that prints lines: every pitfall (analyzers 7) that a link and an emulator can show."""

from collections.abc import Callable
from datetime import datetime

from clampctl.core.commands import Role
from clampctl.core.events import GlucoseSampled, SampleKind, Trouble
from drivers.analyzers.line import LineAnalyzer, form_of
from drivers.reading import Rules
from simulator.devices.fault import FaultKind
from simulator.devices.line import LineDevice
from simulator.devices.line_settings import LineSettings
from tests.faults.pair import Case, Pair, pieces

ZERO = datetime(2026, 1, 1, 8)
MINUTE_MS = 60_000
SAMPLE_MS = 75_000
"""A minute's measurement and a pause."""

PATTERN = r"GLU (?P<value>\S{1,7}) (?P<unit>\S{4,6}) #(?P<id>\S{1,8})(?: (?P<flag>\w{1,6}))?"
OTHERS = r"READY|LAC .{1,20}"
TIMED = LineSettings(template="{time} GLU {value} {unit} #{id}{flag}")
TIME = "%d.%m.%Y %H:%M:%S"
TIMED_PATTERN = r"(?P<time>\S{10} \S{5,8}) " + PATTERN


def learned(
    pattern: str = PATTERN, rules: Rules | None = None, time_format: str = "", end: str = "CRLF"
) -> LineAnalyzer:
    """A driver that may dose: flags QC and CAL are controls, lactate and the banner are other lines."""
    rules = rules or Rules()
    form = form_of(rules, pattern, end, other_lines=OTHERS, time_format=time_format, control_flags="QC, CAL")
    return LineAnalyzer(
        rules=rules, wall_zero=ZERO, pattern=pattern, end=end, other_lines=OTHERS,
        time_format=time_format, control_flags="QC, CAL", learned=form.fingerprint,
    )  # fmt: skip


def opened(link: LineAnalyzer | None = None, settings: LineSettings | None = None) -> Pair:
    """An idle analyzer, one minute into the session."""
    pair = Pair(link or learned(), LineDevice(settings), pieces).open()
    pair.run(MINUTE_MS)
    assert pair.events == []
    return pair


def timed() -> Pair:
    """One that prints the time of its clock."""
    return opened(learned(TIMED_PATTERN, time_format=TIME), TIMED)


def sampled(pair: Pair, *glucose_mg_dl: float) -> Pair:
    """Give these samples, one after the other."""
    device = pair.device
    assert isinstance(device, LineDevice)
    for value in glucose_mg_dl:
        device.place_sample(value, pair.now_ms)
        pair.run(SAMPLE_MS)
    return pair


def values(pair: Pair) -> list[str]:
    """What may dose, as printed."""
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


def _taken(fault: str, *troubles: tuple[Trouble, str]) -> str:
    """The first sample meets the fault; both count once."""
    pair = sampled(opened().inject(fault), 92.4, 93.1)
    assert values(pair) == ["92.4", "93.1"]
    return f"92.4 and 93.1 mg/dL, once each; {told(pair, *troubles)}"


def _lost(fault: str, words: str) -> str:
    """The first sample's line is spoilt and never comes again; the second counts."""
    pair = sampled(opened().inject(fault), 92.4, 93.1)
    assert values(pair) == ["93.1"]
    return told(pair, (Trouble.REFUSED, words))


def _held(fault: str, words: str) -> str:
    """No sample while the fault lasts."""
    pair = sampled(opened().inject(fault), 92.4)
    assert values(pair) == []
    return told(pair, (Trouble.REFUSED, words))


def _not_learned() -> str:
    pair = sampled(opened(LineAnalyzer(pattern=PATTERN, end="CRLF", wall_zero=ZERO)), 92.4)
    assert kinds(pair) == [SampleKind.HISTORY]
    return told(pair, (Trouble.REFUSED, "not enabled: learn this line first"))


def _draw_time() -> str:
    (sample,) = sampled(opened(), 92.4).samples
    assert sample.drawn_at_ms is None
    return "the time of the draw is not told"


def _old_by_its_clock() -> str:
    pair = sampled(timed().inject("clock_offset=-900"), 92.4)
    assert kinds(pair) == [SampleKind.HISTORY]
    return told(pair, (Trouble.REFUSED, "older than this session by the analyzer's clock"))


def _clock_jump() -> str:
    pair = sampled(timed(), 90.0, 91.0, 92.0).inject("clock_offset=120")
    sampled(pair, 93.0)
    assert values(pair) == ["90.0", "91.0", "92.0", "93.0"]
    return told(pair, (Trouble.UNEXPECTED, "clock moved by -120 s"))


def _minute_clock() -> str:
    link = learned(TIMED_PATTERN, time_format="%d.%m.%Y %H:%M")
    settings = LineSettings(template=TIMED.template, run_ms=10_000)
    pair = opened(link, settings).inject("minute_clock")
    device = pair.device
    assert isinstance(device, LineDevice)
    for value in (92.0, 92.0):
        device.place_sample(value, pair.now_ms)
    pair.run(SAMPLE_MS)
    assert values(pair) == ["92.0", "92.0"]
    return f"two samples of one minute, told apart by their numbers; {told(pair)}"


def _stuck() -> str:
    pair = sampled(opened().inject("stuck"), 90.0, 120.0)
    assert values(pair) == ["90.0", "90.0"]
    return f"90.0 and 90.0 mg/dL under two numbers; {told(pair)}"


def _dump() -> str:
    pair = sampled(opened(), 90.0, 91.0).inject("dump")
    sampled(pair, 92.0)
    assert values(pair) == ["90.0", "91.0", "92.0"]
    return f"three samples, the memory's two dropped; {told(pair)}"


def _edit() -> str:
    pair = sampled(opened(), 90.0).inject("edit=10")
    pair.run(MINUTE_MS)
    assert kinds(pair) == [SampleKind.PATIENT, SampleKind.HISTORY]
    return told(pair, (Trouble.REFUSED, "was corrected to 99.0 mg/dL, it was 90.0 mg/dL"))


def _unit_switch() -> str:
    pair = sampled(opened(), 90.0).inject("unit_switch")
    sampled(pair, 92.0)
    assert values(pair) == ["90.0"]
    return told(pair, (Trouble.REFUSED, "changed its unit from mg/dL to mmol/L"))


def _very_low() -> str:
    pair = sampled(opened(), 5.0)
    assert values(pair) == []
    return told(pair, (Trouble.REFUSED, "5.0 mg/dL is very low: wrong unit?"))


def _control(fault: str) -> str:
    pair = opened().inject(fault)
    pair.run(SAMPLE_MS)
    assert kinds(pair) == [SampleKind.CONTROL]
    return f"a control; {told(pair)}; losses {len(pair.losses)}"


def _other_id() -> str:
    pair = sampled(opened(learned(rules=Rules(sample_prefix="0"))).inject("other_id=X999"), 92.4)
    assert values(pair) == []
    return told(pair, (Trouble.REFUSED, "has a sample ID that is not of this run"))


def _digit_swap() -> str:
    pair = sampled(opened().inject("digit_swap"), 64.0)
    assert values(pair) == ["46.0"]
    return f"46.0 mg/dL for 64.0: the core judges the jump; {told(pair)}"


def _flipped_digit() -> str:
    pair = sampled(opened().inject("flip=5/1"), 92.4)
    assert values(pair) == ["93.4"]
    return f"93.4 mg/dL for 92.4: no checksum; {told(pair)}"


def _whole_blood() -> str:
    pair = sampled(opened(learned(rules=Rules(from_whole_blood=True))).inject("whole_blood"), 111.0)
    (sample,) = pair.samples
    assert (sample.raw_value, round(sample.glucose_mg_dl, 6)) == ("100.0", 111.0)
    return f"100.0 mg/dL of blood is {sample.glucose_mg_dl:.0f} mg/dL of plasma; {told(pair)}"


def _unplug() -> str:
    pair = sampled(opened().inject("unplug"), 92.4)
    pair.open().clear(FaultKind.UNPLUG)
    sampled(pair, 93.1)
    assert values(pair) == ["93.1"]
    return f"92.4 mg/dL is lost, to be keyed in; {told(pair)}"


def _silence() -> str:
    link = learned(end="SILENCE:300")
    pair = opened(link, LineSettings(end="")).inject("gap=5,200")
    sampled(pair, 92.4, 93.1)
    assert values(pair) == ["92.4", "93.1"]
    return f"a pause of 200 ms is not the end, one of 300 ms is; {told(pair)}"


def _silence_too_short() -> str:
    link = learned(end="SILENCE:300")
    pair = sampled(opened(link, LineSettings(end="")).inject("gap=5,400"), 92.4)
    assert values(pair) == []
    return told(pair, (Trouble.REFUSED, "not as set up"), (Trouble.REFUSED, "not as set up"))


def _mute() -> str:
    pair = sampled(opened().inject("mute"), 92.4)
    assert pair.events == []
    pair.clear(FaultKind.MUTE)
    sampled(pair, 93.1)
    assert values(pair) == ["93.1"]
    return f"nothing is told of 92.4 mg/dL; {told(pair)}"


ROWS: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("", "until the line is learned, every result is history", _not_learned),
    ("", "the time of arrival never becomes the time of the draw", _draw_time),
    ("clock_offset=-900", "a result from before the session is history and told, where the line has a time",
     _old_by_its_clock),
    ("clock_offset=120", "a clock that jumps by more than 60 s is told", _clock_jump),
    ("minute_clock", "results of one minute are told apart by their numbers", _minute_clock),
    ("stuck", "equal values under new numbers are new samples", _stuck),
    ("duplicate", "a line printed twice counts once", lambda: _taken("duplicate")),
    ("dump", "a memory printed again is dropped", _dump),
    ("edit=10", "a changed result is told and does not dose", _edit),
    ("unit_switch", "a changed unit is a hard stop", _unit_switch),
    ("", "5 mg/dL is held: wrong unit?", _very_low),
    ("comma", "a decimal comma that is not allowed is refused", lambda: _held("comma", "'92,4' is not")),
    ("no_value", "dashes are no number", lambda: _held("no_value", "'-----' is not a plain number")),
    ("over_range", "above the range is no number", lambda: _held("over_range", "'>900' is not")),
    ("query", "a doubted value holds", lambda: _held("query", "'?92.4' is not a plain number")),
    ("error=4", "an unknown flag holds, shown as printed", lambda: _held("error=4", "flag E0004")),
    ("control=300", "a flagged control is never a patient's", lambda: _control("control=300")),
    ("calibrate", "a flagged calibration is never a patient's, and no loss", lambda: _control("calibrate")),
    ("lactate_first", "the line of another analyte is passed over", lambda: _taken("lactate_first")),
    ("other_id=X999", "another patient's result is put aside", _other_id),
    ("digit_swap", "swapped digits pass the link: no checksum", _digit_swap),
    ("flip=5/1", "a flipped bit in a digit passes the link: no checksum", _flipped_digit),
    ("flip=0/1", "a flipped bit elsewhere is told", lambda: _lost("flip=0/1", "'FLU 92.4")),
    ("whole_blood", "1.11 is applied once, by setting", _whole_blood),
    ("unplug", "what was printed meanwhile is lost", _unplug),
    ("mute", "a line that never comes is not noticed by the link", _mute),
    ("power_cycle", "a banner that is set up is passed over", lambda: _taken("power_cycle")),
    ("half_message", "half a line is told", lambda: _lost("half_message", "line cut short")),
    ("cut=12/1", "a line cut short is told", lambda: _lost("cut=12/1", "line cut short")),
    ("oversize", "a line without end is dropped at 256 bytes", lambda: _lost("oversize", "line without end")),
    ("noise=ff00/1", "noise in a line spoils it", lambda: _lost("noise=ff00/1", "not as set up")),
    ("gap=5,1500", "a pause inside a line changes nothing", lambda: _taken("gap=5,1500")),
    ("gap=5,200", "where silence ends a line, a short pause does not", _silence),
    ("gap=5,400", "where silence ends a line, a long pause spoils it", _silence_too_short),
    ("delay=4000", "late lines change nothing", lambda: _taken("delay=4000")),
    ("chunk=1-7", "pieces change nothing", lambda: _taken("chunk=1-7")),
)  # fmt: skip


CASES = [Case("line", Role.ANALYZER, fault, expected, play) for fault, expected, play in ROWS]
