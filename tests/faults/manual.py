"""Keyed glucose and a pump set by hand: the rows that a device without a wire can show."""

from collections.abc import Callable

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkHeard, LinkTroubled, PumpReported, PumpState
from drivers.analyzers.manual import KeyedValueRefused, ManualAnalyzer
from drivers.link import Expected
from drivers.pumps.manual import REPORT_MS, ManualPump
from drivers.reading import Rules
from tests.faults.pair import Case

KEYPAD, PUMP = "manual-analyzer", "manual-pump"
ANALYZER, DEXTROSE, INSULIN = Role.ANALYZER, Role.DEXTROSE, Role.INSULIN


def keypad(rules: Rules | None = None, always_twice: bool = False) -> ManualAnalyzer:
    """A keypad, just opened."""
    link = ManualAnalyzer(rules=rules, always_twice=always_twice)
    link.opened(1, 0)
    return link


def key(link: ManualAnalyzer, value: str, unit: str, at_ms: int = 60_000) -> list[DeviceEvent]:
    return link.keyed(value, unit, 30_000, "AB", at_ms)


def why(value: str, unit: str, rules: Rules | None = None) -> str:
    """The sentence with which a keying is refused."""
    try:
        key(keypad(rules), value, unit)
    except KeyedValueRefused as refusal:
        return str(refusal)
    raise AssertionError(f"{value} {unit} was taken")


def refusing(*keyings: tuple[str, str], rules: Rules | None = None) -> Callable[[], str]:
    """A play in which every keying is refused."""

    def play() -> str:
        return " ".join(why(value, unit, rules) for value, unit in keyings)

    return play


def draw_time() -> str:
    (sample,) = key(keypad(), "90", "mg/dL", at_ms=600_000)
    assert isinstance(sample, GlucoseSampled)
    assert sample.drawn_at_ms == 30_000
    try:
        keypad().keyed("90", "mg/dL", 60_001, "AB", 60_000)
    except KeyedValueRefused as refusal:
        return f"keyed at 600 s, drawn at {sample.drawn_at_ms // 1000} s: the draw counts; {refusal}"
    raise AssertionError("a draw in the future was taken")


def equal_values() -> str:
    link = keypad()
    first, second = key(link, "90", "mg/dL", 60_000), key(link, "90", "mg/dL", 360_000)
    assert len(first) == len(second) == 1
    assert first != second
    return "2 samples of 90 mg/dL"


def the_units() -> str:
    (five,) = key(keypad(), "5.1", "mmol/L")
    assert isinstance(five, GlucoseSampled)
    assert abs(five.glucose_mg_dl - 91.88) < 0.01
    return f"5.1 taken as {five.glucose_mg_dl:.1f} mg/dL; {why('51', 'mmol/L')} {why('92.4', 'mg/dL')}"


def whole_blood() -> str:
    (sample,) = key(keypad(Rules(from_whole_blood=True)), "90", "mg/dL")
    assert isinstance(sample, GlucoseSampled)
    assert abs(sample.glucose_mg_dl - 99.9) < 1e-9
    assert "whole blood x 1.11" in sample.flags
    return f"90 taken as {sample.glucose_mg_dl:.1f} mg/dL and flagged"


def jump() -> str:
    link = keypad()
    key(link, "90", "mg/dL")
    assert key(link, "140", "mg/dL") == []
    assert link.waits
    assert len(key(link, "140", "mg/dL")) == 1
    return "90 then 140 mg/dL: nothing until 140 was keyed a second time"


def mismatch() -> str:
    link = keypad(always_twice=True)
    assert key(link, "90", "mg/dL") == []
    try:
        key(link, "96", "mg/dL")
    except KeyedValueRefused as refusal:
        assert not link.waits
        assert key(link, "96", "mg/dL") == []
        return f"90 then 96: {refusal} A third keying begins anew"
    raise AssertionError("two different keyings were taken")


def always_there() -> str:
    link, heard = keypad(), 0
    for now_ms in range(0, 60_000, 500):
        heard += len([event for event in link.wake(now_ms) if isinstance(event, LinkHeard)])
    assert heard == 12
    return f"heard {heard} times in a minute; a keypad cannot fall silent, late samples are the core's alarm"


def by_hand(role: Role = DEXTROSE) -> ManualPump:
    link = ManualPump(Expected(role, "any pump"))
    link.opened(1, 0)
    link.wake(0)
    return link


def unconfirmed() -> str:
    link = by_hand()
    link.send(StartPump(DEXTROSE, 120_000, 1), 100)
    told = [event for now_ms in range(0, 60_000, 500) for event in link.wake(now_ms)]
    assert told == []
    assert link.shown_ul_h == 120_000
    return "shown for a minute, nothing reported: the core alarms on silence"


def other_rate() -> str:
    link = by_hand()
    link.send(SetRate(DEXTROSE, 120_000, 1), 100)
    (report,) = link.confirmed(100_000, 5_000)
    assert report == PumpReported(DEXTROSE, 1, PumpState.RUNNING, 100_000, None, None)
    return "100000 µL/h read off the pump is reported, not the 120000 that were shown"


def stop() -> str:
    link = by_hand(INSULIN)
    link.confirmed(4_440, 0)
    link.send(SetRate(INSULIN, 6_000, 1), 100)
    link.send(StopPump(INSULIN, 1), 200)
    assert link.shown_ul_h == 0
    (still,) = link.wake(REPORT_MS)
    assert isinstance(still, PumpReported)
    assert still.rate_ul_h == 4_440
    (off,) = link.confirmed(0, 3_000)
    assert isinstance(off, PumpReported)
    assert off.state is PumpState.STOPPED
    return "the stop replaces the rate; 4440 µL/h is reported until a person has seen 0"


def old_order() -> str:
    link = by_hand()
    link.opened(2, 1_000)
    link.send(SetRate(DEXTROSE, 120_000, 1), 1_100)
    dropped = [event for event in link.wake(1_100) if isinstance(event, LinkTroubled)]
    assert len(dropped) == 1
    assert link.shown_ul_h is None
    return f"{dropped[0].detail}; nothing shown"


def watchdog() -> str:
    try:
        ManualPump(Expected(INSULIN, watchdog_s=5))
    except ValueError as refusal:
        return f"{refusal}"
    raise AssertionError("a watchdog was believed")


CASES = [
    Case(KEYPAD, ANALYZER, "keyed late", "age counts from the draw, which lies in the past", draw_time),
    Case(KEYPAD, ANALYZER, "an equal value", "equal values are samples of their own", equal_values),
    Case(KEYPAD, ANALYZER, "5,1", "a comma only where it is allowed", refusing(("5,1", "mmol/L"))),
    Case(
        KEYPAD, ANALYZER, "?5.1", "qualifiers and blanks are no number",
        refusing(("?5.1", "mmol/L"), ("<2.0", "mmol/L"), ("", "mg/dL"), ("HI", "mg/dL")),
    ),
    Case(
        KEYPAD, ANALYZER, "no unit", "no unit, an unknown one, another than the run's: refused",
        refusing(("90", ""), ("90", "mg"), ("90", "mg/dL"), rules=Rules(unit="mmol/L")),
    ),
    Case(
        KEYPAD, ANALYZER, "5 mg/dL", "a number that looks like the other unit is refused",
        refusing(("5", "mg/dL"), ("90.0", "mmol/L")),
    ),
    Case(KEYPAD, ANALYZER, "51 mmol/L", "mmol/L needs a decimal, mg/dL has none", the_units),
    Case(KEYPAD, ANALYZER, "whole blood", "1.11 once, only where the station says so", whole_blood),
    Case(KEYPAD, ANALYZER, "a jump", "an unlikely jump is keyed twice, unseen", jump),
    Case(KEYPAD, ANALYZER, "96 after 90", "two keyings that differ are both forgotten", mismatch),
    Case(KEYPAD, ANALYZER, "a quiet minute", "a keypad is always there", always_there),
    Case(PUMP, DEXTROSE, "nobody confirms", "an order nobody confirmed is not believed", unconfirmed),
    Case(PUMP, DEXTROSE, "another rate is set", "what a person reads is reported", other_rate),
    Case(PUMP, INSULIN, "a stop", "a stop overtakes, and counts once seen", stop),
    Case(PUMP, DEXTROSE, "a new connection", "an order of an earlier connection is dropped", old_order),
    Case(PUMP, INSULIN, "a watchdog", "no watchdog can be promised", watchdog),
]  # fmt: skip
