"""Learn mode of the line driver: three lines are compared with what the display showed.

Source: analyzers reference 8. A person types each value from the analyzer's own display, without
having seen what the program read; all must match before the fingerprint is given, and a mismatch
starts over. Not here: ports and screens, which come in as functions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from drivers.analyzers.line_form import LineForm, LineUnknown
from drivers.intake import Result
from drivers.reading import ReadingRefused, number_of, unit_of

SAMPLES = 3
"""So many lines are compared (analyzers 8)."""


@dataclass(frozen=True, slots=True)
class Learning:
    """How far it is: what was compared so far, all of it equal. `matched` holds identity and number."""

    form: LineForm
    matched: tuple[tuple[tuple[str, ...], Decimal], ...] = ()

    @property
    def fingerprint(self) -> str | None:
        """What the station's document must hold; None before all lines matched."""
        return self.form.fingerprint if len(self.matched) == SAMPLES else None


def result_in(form: LineForm, raw: bytes) -> Result | str | None:
    """The result in a line, or a sentence why it has none that can be compared; None: no result."""
    try:
        result = form.result(raw, None)
        if result is None:
            return None
        unit_of(result.unit)
        number_of(result.value, form.comma)
    except (LineUnknown, ReadingRefused) as refusal:
        return f"This line cannot be used: {refusal}."
    if form.is_doubted(result):
        return f"This line cannot be used: its flag is {result.flags[0]}."
    return result


def shown(typed: str) -> tuple[Decimal, str]:
    """What a person typed, such as `92.4 mg/dL`: number and unit. Errors: ReadingRefused."""
    value, _, unit = typed.strip().partition(" ")
    return number_of(value, comma=True), unit_of(unit)


def compared(learning: Learning, result: Result, typed: str) -> tuple[Learning, str]:
    """One line against what a person typed: how far it is then, and what to say.

    `result` comes from `result_in`. A mismatch starts over; a repeat, and a third value equal to the
    first two, prove nothing and do not count. Errors: ReadingRefused, see `shown`.
    """
    form = learning.form
    number = number_of(result.value, form.comma)
    if shown(typed) != (number, unit_of(result.unit)):
        read = f"{result.value} {result.unit}"
        return Learning(form), f"The display shows {typed.strip()}, the line says {read}: start over."
    if result.identity in (identity for identity, _ in learning.matched):
        return learning, "This result was compared before: measure another sample."
    numbers = {*(earlier for _, earlier in learning.matched), number}
    if len(learning.matched) == SAMPLES - 1 and len(numbers) == 1:
        return learning, "All samples had the same value, which proves little: measure another one."
    done = Learning(form, (*learning.matched, (result.identity, number)))
    return done, f"Equal, {len(done.matched)} of {SAMPLES}."


def learn(
    form: LineForm,
    capture: Callable[[], bytes | None],
    ask: Callable[[str], str | None],
    say: Callable[[str], None],
) -> str | None:
    """Lead a person through learn mode; the fingerprint, or None when given up.

    `capture` waits for the next line and gives its bytes without their end, None when the person gives
    up; `ask` shows a question and gives what was typed, None to give up; `say` shows a sentence.
    """
    learning = Learning(form)
    while learning.fingerprint is None:
        say(f"Measure sample {len(learning.matched) + 1} of {SAMPLES}.")
        raw = capture()
        if raw is None:
            return None
        result = result_in(form, raw)
        if result is None:
            continue
        say(f"Received: {raw.hex(' ').upper()}")
        if isinstance(result, str):
            say(result)
            learning = Learning(form)
            continue
        typed = _typed(ask, say)
        if typed is None:
            return None
        learning, sentence = compared(learning, result, typed)
        say(sentence)
    say("All equal. The station's document enables this line with the fingerprint below.")
    return learning.fingerprint


def _typed(ask: Callable[[str], str | None], say: Callable[[str], None]) -> str | None:
    """What the display shows; asked for until it can be compared, None to give up."""
    while (typed := ask("What does the display show? Value and unit:")) is not None:
        try:
            shown(typed)
        except ReadingRefused as refusal:
            say(f"{refusal}; type value and unit as shown, such as 92.4 mg/dL.")
        else:
            break
    return typed
