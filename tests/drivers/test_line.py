"""The generic line driver: forms that are refused, lines cut anywhere, results, disabled until learned."""

from datetime import datetime
from typing import Any

import pytest

from clampctl.core.commands import Role, StopPump
from clampctl.core.events import (
    DeviceEvent,
    GlucoseSampled,
    LinkHeard,
    LinkTroubled,
    SampleKind,
    Trouble,
)
from drivers.analyzers.line import LineAnalyzer, form_of
from drivers.analyzers.line_cutter import HALF_MS
from drivers.analyzers.line_form import LineForm
from drivers.analyzers.line_pattern import LINE_CAP, WAYS_MAX, _Counter, checked
from drivers.reading import Rules

PATTERN = r"GLU (?P<value>\S{1,7}) (?P<unit>\S{4,6}) #(?P<id>\d{1,8})(?: (?P<flag>\w{1,6}))?"
TIMED = r"(?P<time>[\d.]{0,11} ?\d\d:\d\d:\d\d) GLU (?P<value>\S{1,7})"
ZERO = datetime(2026, 1, 1, 8)


def enabled(
    pattern: str = PATTERN, end: str = "CRLF", rules: Rules | None = None, **own: Any
) -> LineAnalyzer:
    """A learned driver on a wire that was opened a minute ago."""
    learned = form_of(rules or Rules(), pattern, end, **own).fingerprint
    link = LineAnalyzer(rules=rules, wall_zero=ZERO, pattern=pattern, end=end, learned=learned, **own)
    link.opened(1, -60_000)
    return link


def samples(events: list[DeviceEvent]) -> list[GlucoseSampled]:
    return [event for event in events if isinstance(event, GlucoseSampled)]


def troubles(events: list[DeviceEvent]) -> list[tuple[Trouble, str]]:
    return [(event.trouble, event.detail) for event in events if isinstance(event, LinkTroubled)]


# --- patterns and forms ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "ways"),
    [
        ("abc", 1),
        (r"\d{1,4}", 4),
        (r"\d{3}", 1),
        ("a?b?", 4),
        ("a|b|cd", 3),
        ("a*", LINE_CAP + 1),
        ("a+?", LINE_CAP),
        ("a{2,}", LINE_CAP - 1),
        ("a{,}", LINE_CAP + 1),
        ("a{}", 1),
        ("a{,3}", 4),
        ("(a|b){1,3}", 2 + 4 + 8),
        (r"(?:x{1,2}){2}", 4),
        (r"[]a-z*+{9}]x\*\{", 1),
        (r"[^\]]{1,2}", 2),
        ("(?P<value>a?)(?P<id>b?)", 4),
        ("(a*)*", WAYS_MAX + 1),
        ("(a|a)*", WAYS_MAX + 1),
        (".*.*.*", WAYS_MAX + 1),
        ("a{0,1000}", LINE_CAP + 1),
    ],
)
def test_the_ways_of_a_pattern(pattern: str, ways: int) -> None:
    assert _Counter(pattern).ways() == ways


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(a+)+b", "too many ways"),
        ("(a|aa)+b", "too many ways"),
        (".*.*.*b", "too many ways"),
        (r"\d+\d+\d+", "too many ways"),
        ("(?=a)b", "a group that is not known here"),
        ("(?i)a", "a group that is not known here"),
        (r"(a)\1", "not known here"),
        ("(a", "not a regular expression"),
        ("", "0 characters"),
        ("a" * 513, "513 characters"),
    ],
)
def test_patterns_that_are_refused(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        checked(pattern)


def test_the_dearest_pattern_that_is_taken_ends() -> None:
    assert checked(r"(?:x{0,3}){9}y").fullmatch("x" * LINE_CAP) is None


@pytest.mark.parametrize(
    ("own", "why"),
    [
        ({"pattern": r"(?P<id>\d) (?P<unit>\w)"}, "names no value"),
        ({"pattern": r"(?P<value>\d) (?P<id>\d)"}, "unit must come either"),
        ({"unit": "mg/dL"}, "unit must come either"),
        ({"pattern": r"(?P<value>\d) (?P<id>\d)", "unit": "g/L"}, "'g/L' is not known"),
        ({"pattern": r"(?P<value>\d) (?P<unit>\w)"}, "neither an id nor a time with seconds"),
        ({"pattern": TIMED, "unit": "mg/dL", "time_format": "%H:%M"}, "neither an id nor a time"),
        ({"pattern": TIMED, "unit": "mg/dL"}, "neither an id nor a time"),
        ({"time_format": "%H:%M:%S"}, "needs time_format, and the other way round"),
        ({"pattern": TIMED, "unit": "mg/dL", "time_format": "%d %H:%M:%S"}, "time_format needs"),
        ({"pattern": TIMED, "unit": "mg/dL", "time_format": "%H:%M:%S %b"}, "time_format needs"),
        ({"pattern": TIMED, "unit": "mg/dL", "time_format": "%H:%M:%S:%S"}, "time_format needs"),
        ({"pattern": TIMED, "unit": "mg/dL", "time_format": "%H:%M:%S%"}, "time_format needs"),
        ({"pattern": PATTERN + "(?P<more>x)"}, "it may name value, unit, id, time, flag"),
        ({"other_lines": "(a+)+"}, "too many ways"),
        ({"encoding": "utf-16"}, "encoding must be one of"),
        ({"end": "NUL"}, "end must be CR"),
        ({"end": "SILENCE:20"}, "end must be CR"),
        ({"end": "SILENCE:9999"}, "end must be CR"),
    ],
)
def test_forms_that_are_refused(own: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        LineForm(**{"pattern": PATTERN, "end": "CR", **own})


def test_everything_that_decides_the_number_is_in_the_fingerprint() -> None:
    base: dict[str, Any] = {"pattern": TIMED, "end": "CR", "unit": "mg/dL", "time_format": "%H:%M:%S"}
    other: dict[str, Any] = {
        "pattern": TIMED + " ?", "end": "LF", "unit": "mmol/L", "time_format": "%H.%M.%S",
        "encoding": "ascii", "comma": True, "other_lines": "x", "good_flags": "N", "control_flags": "QC",
    }  # fmt: skip
    prints = {LineForm(**{**base, name: value}).fingerprint for name, value in other.items()}
    assert len(prints | {LineForm(**base).fingerprint}) == len(other) + 1
    assert all(len(text) == 64 for text in prints)


# --- results ---------------------------------------------------------------------------------


def test_a_line_becomes_a_sample() -> None:
    assert enabled().receive(b"GLU 92.4 mg/dL #0042\r\n", 0) == [
        GlucoseSampled(
            sample_id="line:0042:",
            glucose_mg_dl=92.4,
            drawn_at_ms=None,
            kind=SampleKind.PATIENT,
            source="line",
            raw_value="92.4",
            raw_unit="mg/dL",
            flags=(),
        )
    ]


@pytest.mark.parametrize("learned", ["", "0" * 64])
def test_until_it_is_learned_every_result_is_history_and_told(learned: str) -> None:
    link = LineAnalyzer(pattern=PATTERN, end="CRLF", learned=learned)
    link.opened(1, 0)
    events = link.receive(b"GLU 92.4 mg/dL #0042\r\n", 0)
    assert [sample.kind for sample in samples(events)] == [SampleKind.HISTORY]
    assert "not enabled: learn this line first" in troubles(events)[0][1]


def test_a_setting_that_changed_after_learning_disables() -> None:
    learned = enabled().form.fingerprint
    link = LineAnalyzer(pattern=PATTERN, end="CRLF", learned=learned, good_flags="H")
    assert "not enabled" in troubles(link.receive(b"GLU 92.4 mg/dL #0042\r\n", 0))[0][1]


@pytest.mark.parametrize(
    ("line", "trouble", "words"),
    [
        (b"GLU 92,4 mg/dL #1", Trouble.REFUSED, "not a plain number"),
        (b"GLU >900 mg/dL #1", Trouble.REFUSED, "not a plain number"),
        (b"GLU ?92.4 mg/dL #1", Trouble.REFUSED, "not a plain number"),
        (b"GLU ----- mg/dL #1", Trouble.REFUSED, "not a plain number"),
        (b"GLU 92.4 mg/l #1", Trouble.REFUSED, "neither mmol/L nor mg/dL"),
        (b"GLU 5.1 mg/dL #1", Trouble.REFUSED, "very low"),
        (b"GLU 92.4 mg/dL #1 E0004", Trouble.REFUSED, "flag E0004"),
        (b"GLU 92.4 mg/dL", Trouble.REFUSED, "not as set up"),
        (b"xGLU 92.4 mg/dL #1", Trouble.REFUSED, "not as set up"),
        (b"GLU 92.4 mg/dL #1 E4 and more", Trouble.REFUSED, "not as set up"),
        (b"LAC 1.0 mmol/L #1", Trouble.REFUSED, "not as set up"),
        (b"\xff", Trouble.REFUSED, "not as set up"),
        (b"x" * 300, Trouble.REFUSED, "line without end"),
    ],
)
def test_what_is_not_plainly_a_value_is_told(line: bytes, trouble: Trouble, words: str) -> None:
    events = enabled().receive(line + b"\r\n", 0)
    assert samples(events) == []
    ((told, detail),) = troubles(events)
    assert told is trouble
    assert words in detail


def test_flags_that_are_known() -> None:
    link = enabled(good_flags="N, H", control_flags="QC")
    lines = b"GLU 92.4 mg/dL #1 H\r\nGLU 92.4 mg/dL #2 QC\r\nGLU 92.4 mg/dL #3 X\r\n"
    events = link.receive(lines, 0)
    assert [sample.kind for sample in samples(events)] == [SampleKind.PATIENT, SampleKind.CONTROL]
    assert [sample.flags for sample in samples(events)] == [("H",), ("QC",)]
    assert len(troubles(events)) == 1


def test_other_lines_and_empty_ones_are_signs_of_life() -> None:
    link = enabled(other_lines=r"READY|LAC .{1,20}")
    events = link.receive(b"READY\r\n\r\nLAC 1.0 mmol/L #1\r\n", 0)
    assert events == [LinkHeard(Role.ANALYZER, "no new result")] * 3


def test_bytes_outside_the_encoding_are_told() -> None:
    events = enabled(encoding="ascii").receive(b"GLU 92.4 mg/dL #1\xb5\r\n", 0)
    assert "is not ascii" in troubles(events)[0][1]


def test_a_repeat_is_dropped_and_a_change_is_told() -> None:
    link = enabled()
    events = link.receive(b"GLU 92.4 mg/dL #1\r\nGLU 92.4 mg/dL #1\r\nGLU 93.4 mg/dL #1\r\n", 0)
    assert [sample.kind for sample in samples(events)] == [SampleKind.PATIENT, SampleKind.HISTORY]
    assert "was corrected to 93.4 mg/dL" in troubles(events)[0][1]


def test_a_fixed_unit_and_a_comma_come_from_the_rules() -> None:
    link = enabled(r"(?P<value>\S{1,6}) #(?P<id>\d)", rules=Rules(comma=True, unit="mmol/L"))
    (sample,) = samples(link.receive(b"5,1 #1\r\n", 0))
    assert (sample.raw_value, sample.raw_unit) == ("5,1", "mmol/L")


@pytest.mark.parametrize(
    ("time_format", "time", "now_ms", "kind"),
    [
        ("%d.%m.%Y %H:%M:%S", "01.01.2026 08:01:00", 65_000, SampleKind.PATIENT),
        ("%d.%m.%Y %H:%M:%S", "01.01.2026 07:59:59", 65_000, SampleKind.HISTORY),
        ("%d.%m.%Y %H:%M:%S", "01.01.2026 08:01:00", 665_001, SampleKind.HISTORY),
        ("%H:%M:%S", "08:01:00", 65_000, SampleKind.PATIENT),
        ("%H:%M:%S", "00:00:30", 16 * 3_600_000 + 60_000, SampleKind.PATIENT),
        ("%H:%M:%S", "23:59:50", 16 * 3_600_000 + 10_000, SampleKind.PATIENT),
    ],
)
def test_the_analyzers_own_clock(time_format: str, time: str, now_ms: int, kind: SampleKind) -> None:
    link = enabled(TIMED, rules=Rules(unit="mg/dL"), time_format=time_format)
    (sample,) = samples(link.receive(f"{time} GLU 92.4\r\n".encode(), now_ms))
    assert sample.kind is kind


def test_a_time_without_a_date_and_without_a_wall_clock_is_not_judged() -> None:
    rules = Rules(unit="mg/dL")
    learned = form_of(rules, TIMED, "CR", time_format="%H:%M:%S").fingerprint
    link = LineAnalyzer(rules=rules, pattern=TIMED, end="CR", time_format="%H:%M:%S", learned=learned)
    (sample,) = samples(link.receive(b"23:00:00 GLU 92.4\r", 0))
    assert sample.kind is SampleKind.PATIENT


def test_an_impossible_time_is_told() -> None:
    link = enabled(TIMED, rules=Rules(unit="mg/dL"), time_format="%H:%M:%S")
    assert "an impossible time" in troubles(link.receive(b"25:00:00 GLU 92.4\r\n", 0))[0][1]


# --- ends of lines ---------------------------------------------------------------------------


@pytest.mark.parametrize(("end", "sent"), [("CR", b"\r\n"), ("LF", b"\r\n"), ("CR", b"\r"), ("LF", b"\n\0")])
def test_what_is_left_of_another_terminator_is_no_line(end: str, sent: bytes) -> None:
    link = enabled(end=end)
    data = b"GLU 92.4 mg/dL #1" + sent
    events = link.receive(data, 0) + link.wake(HALF_MS)
    assert len(samples(events)) == 1
    assert troubles(events) == []
    assert link.wake_at() is None


def test_silence_ends_a_line_when_it_is_long_enough() -> None:
    link = enabled(end="SILENCE:300")
    assert link.receive(b"GLU 92.4 mg/dL ", 0) == []
    assert link.receive(b"#1", 299) == []
    assert link.wake_at() == 599
    assert link.wake(598) == []
    assert len(samples(link.wake(599))) == 1
    link.receive(b"GLU 93.4 mg/dL #2", 1000)
    assert len(samples(link.receive(b"GLU 94.4 mg/dL #3", 2000))) == 1


def test_a_line_without_end_is_told_once_and_silence_clears_it() -> None:
    link = enabled(end="SILENCE:300")
    events = link.receive(b"GLU 92.4 mg/dL #1" * 200, 0)
    assert troubles(events) == [(Trouble.REFUSED, "line without end: if it was a result, key it in")]
    assert link.wake(300) == []
    link.receive(b"GLU 92.4 mg/dL #1", 1000)
    assert len(samples(link.wake(1300))) == 1


def test_half_a_line_is_told_after_a_while_and_a_new_wire_forgets_it() -> None:
    link = enabled()
    link.receive(b"GLU 92", 0)
    assert link.wake_at() == HALF_MS
    ((trouble, words),) = troubles(link.wake(HALF_MS))
    assert (trouble, words.partition(":")[0]) == (Trouble.REFUSED, "line cut short")
    link.receive(b"GLU 92", 5000)
    link.opened(2, 5100)
    assert len(samples(link.receive(b"GLU 92.4 mg/dL #1\r\n", 5200))) == 1


def test_no_order_reaches_an_analyzer() -> None:
    link = enabled()
    link.send(StopPump(Role.ANALYZER, 1), 0)
    assert troubles(link.wake(0))[0][0] is Trouble.UNEXPECTED
    assert link.take_output() == b""
