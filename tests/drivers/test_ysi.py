"""The YSI link against its transcript, and what the transcript does not show."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clampctl.core.commands import Role, StopPump
from clampctl.core.events import GlucoseSampled, LinkHeard, LinkLost, LinkTroubled, SampleKind, Trouble
from clampctl.units import MG_DL_PER_MMOL_L
from drivers.analyzers.ysi import Ysi
from drivers.analyzers.ysi_line import DateOrder

RS, RC, ACCEPTED = b"RS\r", b"RC\r", b"A\r\n"
RS1, RS2 = b"RS1\r", b"RS2\r"
NOTHING = ACCEPTED + f"10:14:50 11/22/26 37.01{42:14d} NONE".ljust(66).encode() + b"\r\n"


def cases(text: str) -> dict[str, list[bytes]]:
    """The device's lines of each case; `>` lines are asserted where the case is played."""
    found: dict[str, list[bytes]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("# case: "):
            name = line[8:]
            found[name] = []
        elif line.startswith("< "):
            found[name].append(bytes.fromhex(line[2:]))
    return found


def report_line(
    sample: str = "42", value: str = "5.12", unit: str = "mmol/L", error: str = "0000", chemistry: str = "DEX"
) -> bytes:
    """A line by the column table of the manual."""
    line = f"10:14:55 11/22/26 37.01     {sample:>9} {chemistry:4} {value:>8} {unit:8} {error:4} "
    return line.encode() + b"\r\n"


@pytest.fixture
def drained(peer: Any) -> Any:
    """Connected, nothing unsent, just before its second poll."""
    told = peer(Ysi(), [(RS, b"".join([ACCEPTED]))]).open()
    assert told.run(4900) == [LinkHeard(Role.ANALYZER, "nothing new")]
    return told


def play(drained: Any, *answers: bytes, then: Sequence[tuple[bytes, bytes | None]] = ()) -> list[Any]:
    drained.add(*[(RS, answer) for answer in answers], *then)
    events = list(drained.run())
    assert drained.script == []
    return events


def samples(events: list[Any]) -> list[GlucoseSampled]:
    return [event for event in events if isinstance(event, GlucoseSampled)]


def troubles(events: list[Any]) -> list[Trouble]:
    return [event.trouble for event in events if isinstance(event, LinkTroubled)]


# --- the transcript --------------------------------------------------------------------------


def test_sample_two_chemistries(drained: Any, wire: Any) -> None:
    lines = cases(wire("ysi_2700.txt"))["sample_two_chemistries"]
    assert play(drained, b"".join(lines)) == [
        GlucoseSampled(
            sample_id="ysi 2300:42:10:14:55 11/22/26",
            glucose_mg_dl=5.12 * MG_DL_PER_MMOL_L,
            drawn_at_ms=None,
            kind=SampleKind.PATIENT,
            source="ysi 2300",
            raw_value="5.12",
            raw_unit="mmol/L",
            flags=(),
        )
    ]


def test_calibration(drained: Any, wire: Any) -> None:
    answer = b"".join(cases(wire("ysi_2700.txt"))["calibration"])
    events = play(drained, answer, then=[(RC, answer)])
    assert [sample.kind for sample in samples(events)] == [SampleKind.CALIBRATION]
    assert events[1:] == [LinkHeard(Role.ANALYZER, "no new result")]


def test_error_code(drained: Any, wire: Any) -> None:
    events = play(drained, b"".join(cases(wire("ysi_2700.txt"))["error_code"]))
    assert samples(events) == []
    assert troubles(events) == [Trouble.REFUSED]
    assert "analyzer error 0004" in events[0].detail
    assert "92.4 mg/dL" in events[0].detail


def test_mg_dl_ok(drained: Any, wire: Any) -> None:
    (sample,) = samples(play(drained, b"".join(cases(wire("ysi_2700.txt"))["mg_dl_ok"])))
    assert (sample.glucose_mg_dl, sample.raw_value, sample.raw_unit) == (92.4, "92.4", "mg/dL")
    assert sample.sample_id == "ysi 2300:43:10:18:31 11/22/26"


@pytest.mark.parametrize("case", ["chemistry_none", "information_line"])
def test_lines_without_glucose(drained: Any, wire: Any, case: str) -> None:
    answer = b"".join(cases(wire("ysi_2700.txt"))[case])
    assert play(drained, answer) == [LinkHeard(Role.ANALYZER, "no new result")]


def test_monitor_line(drained: Any, wire: Any) -> None:
    (sample,) = samples(play(drained, b"".join(cases(wire("ysi_2700.txt"))["monitor_line"])))
    assert sample.kind is SampleKind.INFORMATION


def test_day_first_date(peer: Any, wire: Any) -> None:
    answer = b"".join(cases(wire("ysi_2700.txt"))["day_first_date"])
    right = peer(Ysi(date_order=DateOrder.DMY), [(RS, answer)]).open().run()
    assert [sample.raw_value for sample in samples(right)] == ["5.12"]
    wrong = peer(Ysi(date_order="mdy"), [(RS, answer)]).open().run()
    assert samples(wrong) == []
    assert troubles(wrong) == [Trouble.REFUSED]
    assert "month 22" in wrong[0].detail


def test_repeat_poll(drained: Any, wire: Any) -> None:
    lines = cases(wire("ysi_2700.txt"))["repeat_poll"]
    events = play(drained, b"".join(lines[:2]), b"".join(lines[2:]))
    assert [type(event) for event in events] == [GlucoseSampled, LinkHeard]


def test_busy(drained: Any, wire: Any) -> None:
    assert play(drained, *cases(wire("ysi_2700.txt"))["busy"]) == [LinkHeard(Role.ANALYZER, "busy")]


def test_silent(peer: Any) -> None:
    told = peer(Ysi(), [(RS, None)] * 3).open()
    assert told.run(8999) == []
    assert told.script == []
    assert told.run(1) == [LinkLost(Role.ANALYZER, "analyzer silent")]
    told.add((RS, None))
    assert told.run(9000) == []
    assert told.now_ms == 18_000


# --- polls and history -----------------------------------------------------------------------


def test_polls_come_every_five_seconds_and_an_early_wake_does_nothing(drained: Any) -> None:
    assert drained.link.wake_at() == 5000
    assert drained.link.wake(4999) == []
    assert drained.link.take_output() == b""
    drained.link.wake(5000)
    assert drained.link.take_output() == RS
    assert drained.link.wake_at() == 8000


def test_unsent_results_are_history_until_nothing_is_new(peer: Any) -> None:
    answers = [ACCEPTED + report_line(str(number)) for number in (40, 41)]
    told = peer(Ysi(), [(RS, answers[0]), (RS, b"2\r\n"), (RS, answers[1]), (RS, answers[1])]).open()
    told.run()
    told.add((RS, ACCEPTED + report_line("42")))
    kinds = [(sample.sample_id[9:11], sample.kind) for sample in samples(told.run()) + samples(told.events)]
    assert kinds == [
        ("42", SampleKind.PATIENT),
        ("40", SampleKind.HISTORY),
        ("41", SampleKind.HISTORY),
        ("42", SampleKind.PATIENT),
    ]


def test_a_calibration_among_unsent_results_does_not_end_the_history(peer: Any) -> None:
    calibration = ACCEPTED + report_line("-1", "10.00")
    script = [(RS, calibration), (RC, calibration), (RS, ACCEPTED + report_line("41"))]
    told = peer(Ysi(), script).open()
    assert [sample.kind for sample in samples(told.run())] == [SampleKind.CALIBRATION, SampleKind.HISTORY]


def test_results_that_waited_through_a_silence_are_history(drained: Any) -> None:
    drained.add((RS, None), (RS, None), (RS, None), (RS, ACCEPTED + report_line()))
    drained.add((RS1, ACCEPTED + report_line()), *[(b"RS%d\r" % number, NOTHING) for number in (2, 3, 4)])
    events = drained.run()
    assert isinstance(events[0], LinkLost)
    assert [sample.kind for sample in samples(events)] == [SampleKind.HISTORY]


def test_a_result_known_before_a_new_connection_is_a_repeat(drained: Any) -> None:
    play(drained, ACCEPTED + report_line())
    drained.open(epoch=2)
    assert play(drained, ACCEPTED + report_line()) == [LinkHeard(Role.ANALYZER, "no new result")]


def test_equal_values_of_two_samples_are_two_samples(drained: Any) -> None:
    events = play(drained, ACCEPTED + report_line("42"), ACCEPTED + report_line("43"))
    assert len(samples(events)) == 2


def test_a_setting_names_the_digit_for_nothing_to_send(peer: Any) -> None:
    told = peer(Ysi(nothing_digit="4"), [(RS, b"4\r\n")]).open()
    assert told.run() == [LinkHeard(Role.ANALYZER, "nothing new")]


def test_terminators_are_settings(peer: Any) -> None:
    for link in (Ysi(command_end=b"\r\n", line_end=b"\r"), Ysi(command_end="\r\n", line_end="\r")):
        told = peer(link, [(b"RS\r\n", ACCEPTED[:-1] + report_line()[:-1])]).open()
        assert len(samples(told.run())) == 1


def test_a_late_acceptance_tells_nothing_and_a_late_line_is_taken(drained: Any) -> None:
    assert drained.hear(ACCEPTED) == []
    assert len(samples(drained.hear(report_line()))) == 1
    assert drained.link.wake_at() == 5000


def test_old_lines_are_forgotten_one_by_one(drained: Any) -> None:
    for number in range(300):
        drained.hear(report_line(str(1000 + number)))
    assert samples(drained.hear(report_line("1299"))) == []
    assert len(drained.link._seen) == 256


def test_a_halted_analyzer_is_told(drained: Any) -> None:
    assert troubles(play(drained, b"9\r\n")) == [Trouble.REFUSED]


def test_no_order_reaches_an_analyzer(drained: Any) -> None:
    drained.order(StopPump(Role.ANALYZER, 1))
    assert troubles(play(drained, ACCEPTED + report_line())) == [Trouble.UNEXPECTED]


# --- strictness ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        (report_line(unit="g/L"), Trouble.REFUSED),
        (report_line(unit=""), Trouble.REFUSED),
        (report_line(value="5,12"), Trouble.REFUSED),
        (report_line(value=">50.0"), Trouble.REFUSED),
        (report_line(value="-0.10"), Trouble.REFUSED),
        (report_line(value=""), Trouble.REFUSED),
        (report_line(error="0A00"), Trouble.REFUSED),
        (report_line(error=""), Trouble.BAD_FRAME),
        (report_line(error="zz"), Trouble.BAD_FRAME),
        (report_line(sample="0"), Trouble.UNEXPECTED),
    ],
)
def test_what_is_not_plainly_a_value_is_told_and_not_sampled(
    drained: Any, line: bytes, trouble: Trouble
) -> None:
    events = drained.add((RS, ACCEPTED + line)).run()
    assert samples(events) == []
    assert troubles(events) == [trouble]


@pytest.mark.parametrize(
    "damaged",
    [
        report_line()[:-3] + b"\r\n",
        b"x" + report_line(),
        report_line().replace(b"10:14", b"25:14"),
        report_line().replace(b"11/22/26", b"11-22-26"),
        report_line(sample="4x"),
        report_line().replace(b"42 DEX", b"42xDEX"),
        report_line().replace(b"DEX  ", b"DEX x"),
        report_line()[:-3] + b"?\r\n",
        b"Q\r\n",
        b"x" * 300 + b"\r\n",
    ],
)
def test_a_damaged_answer_is_asked_again(drained: Any, damaged: bytes) -> None:
    good = ACCEPTED + report_line("43")
    events = play(drained, ACCEPTED + damaged, good, then=[(RS1, good), (RS2, NOTHING)])
    assert troubles(events) == [Trouble.BAD_FRAME]
    assert [sample.sample_id[9:11] for sample in samples(events)] == ["43"]


def test_a_line_cut_short_is_asked_again(drained: Any) -> None:
    good = ACCEPTED + report_line()
    events = play(drained, good[:40], good, then=[(RS1, good), (RS2, NOTHING)])
    assert troubles(events) == [Trouble.BAD_FRAME]
    assert len(samples(events)) == 1


def test_a_sample_sent_again_with_another_value_is_told(drained: Any) -> None:
    events = play(drained, ACCEPTED + report_line(), ACCEPTED + report_line(value="6.12"))
    assert [(sample.raw_value, sample.kind) for sample in samples(events)] == [
        ("5.12", SampleKind.PATIENT),
        ("6.12", SampleKind.HISTORY),
    ]
    assert troubles(events) == [Trouble.REFUSED]


def test_another_glucose_probe_name_is_a_setting(peer: Any) -> None:
    told = peer(Ysi(chemistry="GLU"), [(RS, ACCEPTED + report_line(chemistry="GLU"))]).open()
    assert len(samples(told.run())) == 1


# --- any bytes -------------------------------------------------------------------------------

SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@SHARED
@given(st.data())
def test_every_case_cut_anywhere_gives_the_same_events(peer: Any, wire: Any, data: Any) -> None:
    lines = data.draw(st.sampled_from(list(cases(wire("ysi_2700.txt")).values())))
    answer = b"".join(lines)
    marks = sorted(data.draw(st.lists(st.integers(0, 200), max_size=6)))
    whole, cut = Ysi(), Ysi()
    for link in (whole, cut):
        link.opened(1, 0)
    pieces = [answer[a:b] for a, b in zip([0, *marks], [*marks, 999], strict=True)]
    told = [event for piece in pieces for event in cut.receive(piece, 5)]
    assert told == whole.receive(answer, 5)
    assert cut.wake_at() == whole.wake_at()


@SHARED
@given(st.lists(st.tuples(st.binary(max_size=90), st.integers(0, 4000)), max_size=20))
def test_noise_never_raises_and_is_never_a_sample(pieces: list[tuple[bytes, int]]) -> None:
    link, now_ms = Ysi(), 0
    link.opened(1, 0)
    for noise, pause_ms in pieces:
        now_ms += pause_ms
        assert samples(link.receive(noise, now_ms) + link.wake(now_ms)) == []
        assert set(link.take_output().split(b"\r")) <= {b"", b"RS", *(b"RS%d" % n for n in range(1, 10))}
