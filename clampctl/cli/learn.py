"""`clampctl probe line --learn FILE`: three printed lines compared with the display, then the settings."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from clampctl.cli.output import new_file, say, warn
from clampctl.core.protocol import Refusal
from clampctl.engine.clock import SessionClock
from clampctl.engine.ports import Wire
from clampctl.study.learned import learned_options
from drivers.analyzers.line import form_of
from drivers.analyzers.line_cutter import LineCutter
from drivers.analyzers.line_learn import learn
from drivers.catalog import Option
from drivers.framing import Damage
from drivers.reading import Rules

READ_BYTES = 64


def run(
    options: argparse.Namespace,
    rules: Rules,
    settings: Mapping[str, Option],
    opener: Callable[[], Wire],
    ask: Callable[[str], str | None] | None = None,
) -> int:
    """Lead a person through learn mode; write the table of settings for the station. 1 when given up."""
    path: Path = new_file(options.learn)
    own = {name: value for name, value in settings.items() if name not in ("unit", "comma", "sample_prefix")}
    try:
        form = form_of(rules, **_texts(own))
    except ValueError as error:
        raise Refusal("setting", f"This line cannot be read: {str(error).removesuffix('.')}.") from None
    wire = opener()
    try:
        fingerprint = learn(form, _capture(wire, LineCutter(form)), ask or _asked, say)
    except KeyboardInterrupt:
        fingerprint = None
    finally:
        wire.close()
    if fingerprint is None:
        warn("given up; nothing was written.")
        return 1
    initials = (ask or _asked)("Your initials:") or "?"
    path.write_text(learned_options(settings, fingerprint, initials, str(date.today())), encoding="utf-8")
    say(f"{path}: put this table into the station's document.")
    return 0


def _texts(settings: Mapping[str, Option]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "learned"}


def _capture(wire: Wire, cutter: LineCutter) -> Callable[[], bytes | None]:
    """The next whole line, each once; damaged ones are told and waited over."""
    lines = _lines(wire, cutter)

    def capture() -> bytes | None:
        for line in lines:
            if isinstance(line, bytes):
                return line
            say(f"not read: {line.reason}")
        return None

    return capture


def _lines(wire: Wire, cutter: LineCutter) -> Iterator[bytes | Damage]:
    """Lines as they come, for ever."""
    clock = SessionClock()
    while True:
        data, now_ms = wire.read(READ_BYTES), clock.now_ms()
        yield from cutter.feed(data, now_ms) if data else cutter.due(now_ms)


def _asked(question: str) -> str | None:
    try:
        return input(f"{question} ")
    except EOFError:
        return None
