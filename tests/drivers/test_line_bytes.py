"""Lines as they come over a wire: cut at any byte, among noise, in bounded memory."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clampctl.core.events import DeviceEvent, GlucoseSampled
from drivers.analyzers.line import LineAnalyzer, form_of
from drivers.analyzers.line_pattern import LINE_CAP
from drivers.reading import Rules

PATTERN = r"GLU (?P<value>\S{1,7}) (?P<unit>\S{4,6}) #(?P<id>\d{1,8})(?: (?P<flag>\w{1,6}))?"
LINES = (
    b"GLU 92.4 mg/dL #0042\r\nGLU 93.1 mg/dL #0043 QC\r\nLAC 1.0 mmol/L #0044\r\n\r\n"
    b"GLU 92,4 mg/dL #0045\r\n" + b"x" * 300 + b"\r\nGLU 95.0 mg/dL #0046\r\nGLU 95"
)


def enabled(end: str = "CRLF") -> LineAnalyzer:
    learned = form_of(Rules(), PATTERN, end).fingerprint
    link = LineAnalyzer(pattern=PATTERN, end=end, learned=learned)
    link.opened(1, 0)
    return link


def told(marks: list[int], end: str = "CRLF") -> list[DeviceEvent]:
    """All that the lines mean when cut at these places."""
    link = enabled(end)
    cuts = [0, *marks, len(LINES)]
    return [event for start, stop in pairwise(cuts) for event in link.receive(LINES[start:stop], 0)]


def test_the_lines_mean_something() -> None:
    events = told([])
    values = [event.raw_value for event in events if isinstance(event, GlucoseSampled)]
    assert values == ["92.4", "95.0"]
    assert len(events) == 9


@pytest.mark.parametrize("end", ["CRLF", "CR", "LF"])
def test_a_cut_at_every_byte_gives_the_same(end: str) -> None:
    whole = told([], end)
    for at in range(1, len(LINES)):
        assert told([at], end) == whole
    assert told(list(range(1, len(LINES))), end) == whole


@given(st.lists(st.integers(1, 7), min_size=120, max_size=120))
def test_random_pieces_give_the_same(sizes: list[int]) -> None:
    marks, at = [], 0
    for size in sizes:
        at += size
        if at < len(LINES):
            marks.append(at)
    assert told(marks) == told([])


@given(
    st.sampled_from(["CR", "LF", "CRLF", "SILENCE:300"]),
    st.lists(st.tuples(st.binary(max_size=400), st.integers(0, 1000)), max_size=20),
)
@settings(max_examples=60)
def test_noise_never_raises_and_the_memory_stays_small(end: str, pieces: list[tuple[bytes, int]]) -> None:
    link, now_ms = enabled(end), 0
    for noise, pause_ms in pieces:
        now_ms += pause_ms
        events = link.receive(noise, now_ms) + link.wake(now_ms)
        assert not any(isinstance(event, GlucoseSampled) for event in events)
        assert len(link._cutter._waiting) <= LINE_CAP
    assert link.take_output() == b""
