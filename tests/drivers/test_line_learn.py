"""Learn mode: three lines equal to the display, or it starts over; and what then stands in the document."""

import tomllib

import pytest

from clampctl.study.learned import learned_options
from drivers.analyzers.line import LineAnalyzer
from drivers.analyzers.line_form import LineForm
from drivers.analyzers.line_learn import Learning, compared, learn, result_in
from drivers.intake import Result

PATTERN = r"GLU (?P<value>\S{1,7}) (?P<unit>\S{4,6}) #(?P<id>\d{1,8})(?: (?P<flag>\w{1,6}))?"
FORM = LineForm(PATTERN, "CRLF", other_lines="READY")


def line(value: str = "92.4", number: int = 1, unit: str = "mg/dL", flag: str = "") -> bytes:
    return f"GLU {value} {unit} #{number}{flag}".encode()


def learned(*turns: tuple[bytes, str | None]) -> tuple[str | None, list[str]]:
    """What learn mode gives for these lines and answers, and what it said."""
    lines, answers = iter(turns), iter([answer for _, answer in turns])
    said: list[str] = []

    def capture() -> bytes | None:
        turn = next(lines, None)
        return None if turn is None else turn[0]

    def ask(question: str) -> str | None:
        said.append(question)
        return next(answers)

    return learn(FORM, capture, ask, said.append), said


THREE = [
    (line("92.4", 1), "92.4 mg/dL"),
    (line("93.1", 2), "93.1 mg/dL"),
    (line("88.0", 3), "88 mg/dl"),
]


def test_three_equal_lines_give_the_fingerprint() -> None:
    fingerprint, said = learned(*THREE)
    assert fingerprint == FORM.fingerprint
    assert f"Received: {line().hex(' ').upper()}" in said
    assert [text for text in said if text.startswith("Equal")] == [f"Equal, {n} of 3." for n in (1, 2, 3)]


def test_the_value_that_was_read_is_not_shown_before_the_person_typed() -> None:
    _, said = learned(THREE[0])
    asked = said.index("What does the display show? Value and unit:")
    assert not any("92.4" in text for text in said[: asked + 1])


@pytest.mark.parametrize("typed", ["92.5 mg/dL", "924 mg/dL", "92.4 mmol/L", "92 mg/dL"])
def test_a_mismatch_starts_over(typed: str) -> None:
    fingerprint, said = learned(THREE[0], THREE[1], (line("92.4", 3), typed))
    assert fingerprint is None
    assert said[-2] == f"The display shows {typed}, the line says 92.4 mg/dL: start over."
    assert said[-1] == "Measure sample 1 of 3."


def test_after_a_mismatch_all_three_are_needed_again() -> None:
    wrong = (line("92.4", 9), "29.4 mg/dL")
    assert learned(THREE[0], THREE[1], wrong, THREE[2])[0] is None
    assert learned(THREE[0], THREE[1], wrong, *THREE)[0] == FORM.fingerprint


@pytest.mark.parametrize("typed", ["", "92.4", "mg/dL", "92.4 g/L", "about 92 mg/dL"])
def test_what_cannot_be_compared_is_asked_for_again(typed: str) -> None:
    lines = iter([raw for raw, _ in THREE])
    answers = iter(["92.4 mg/dL", typed, "93.1 mg/dL", "88.0 mg/dL"])
    said: list[str] = []
    assert learn(FORM, lambda: next(lines), lambda _: next(answers), said.append) == FORM.fingerprint
    assert any("type value and unit as shown" in text for text in said)


def test_a_repeat_does_not_count() -> None:
    assert learned(THREE[0], THREE[0], THREE[1])[0] is None
    assert learned(THREE[0], THREE[0], *THREE[1:])[0] == FORM.fingerprint


def test_three_equal_values_prove_too_little() -> None:
    same = [(line("92.4", number), "92.4 mg/dL") for number in (1, 2, 3)]
    assert learned(*same)[0] is None
    assert learned(*same, (line("93.1", 4), "93.1 mg/dL"))[0] == FORM.fingerprint


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"garbage", "not as set up"),
        (line("-----"), "not a plain number"),
        (line(unit="mg/L"), "neither mmol/L nor mg/dL"),
        (line(flag=" E4"), "its flag is E4"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_and_starts_over(raw: bytes, words: str) -> None:
    assert words in str(result_in(FORM, raw))
    lines = iter([line("92.4", 1), line("93.1", 2), raw, line("88.0", 3)])
    answers = iter(["92.4 mg/dL", "93.1 mg/dL", "88.0 mg/dL"])
    said: list[str] = []
    assert learn(FORM, lambda: next(lines, None), lambda _: next(answers), said.append) is None
    assert any(words in text for text in said)


def test_other_lines_are_passed_over() -> None:
    assert result_in(FORM, b"READY") is None
    lines = iter([b"READY", *(raw for raw, _ in THREE)])
    answers = iter([typed for _, typed in THREE])
    assert learn(FORM, lambda: next(lines), lambda _: next(answers), lambda _: None) == FORM.fingerprint


def test_giving_up_gives_nothing() -> None:
    assert learned()[0] is None
    assert learned(THREE[0], (line("93.1", 2), None))[0] is None


def test_a_comma_on_the_line_equals_a_point_on_the_display() -> None:
    form = LineForm(PATTERN, "CR", comma=True)
    result = result_in(form, line("5,10", unit="mmol/L"))
    assert isinstance(result, Result)
    assert len(compared(Learning(form), result, "5.1 mmol/l")[0].matched) == 1
    assert len(compared(Learning(form), result, "5,1 mmol/l")[0].matched) == 1


def test_what_stands_in_the_document_enables_the_driver() -> None:
    options = {"pattern": PATTERN, "end": "CRLF", "good_flags": "N", "learned": "old"}
    fingerprint = LineForm(PATTERN, "CRLF", good_flags="N").fingerprint
    text = learned_options(options, fingerprint, "AB\nx = 1", "2026-11-22")
    read = tomllib.loads(text)["analyzer"]["options"]
    assert read == {"pattern": PATTERN, "end": "CRLF", "good_flags": "N", "learned": fingerprint}
    assert LineAnalyzer(**read)._is_enabled


@pytest.mark.parametrize("value", ['a"b\\d\t\x7f\u00e9\U0001f600', True, 3, 0.5])
def test_any_setting_survives_the_document(value: str | bool | int | float) -> None:
    text = learned_options({"key": value}, "f", "AB", "2026-11-22")
    assert tomllib.loads(text)["analyzer"]["options"] == {"key": value, "learned": "f"}
