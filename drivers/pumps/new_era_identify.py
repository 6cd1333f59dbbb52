"""What is said to a New Era pump on a new connection: which framing, who are you, make ready.

Each function is a dialogue: a generator that yields `Ask` or `Silence` and is sent what came back.
A pump that is not stopped is only read (pumps 10.1 rule 5).
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from drivers.framing import Framing
from drivers.pumps.new_era_text import (
    WRONG_MOTION,
    Reply,
    held,
    number_text,
    parse_infused_ul,
    parse_rate,
    parse_version,
    thousandths,
)
from drivers.pumps.new_era_wire import TRIES, Ask, Silence

T = TypeVar("T")
Dialogue = Generator[Ask | Silence, Reply | None, T]

PROBE_GAP_MS = 100
"""After 500 ms without an answer: more than 0.5 s, so a Safe pump has dropped Basic bytes (pumps 2.7)."""

PROOF_MARGIN_MS = 1500
"""Silence beyond the watchdog's own time before it must have tripped."""

STATUS = Ask("")
VERSION = Ask("VER")
DIAMETER = Ask("DIA")
RATE = Ask("RAT")
VOLUME = Ask("DIS")

PROGRAM = ("PHN2", "FUNSTP", "PHN1", "FUNRAT", "VOL0", "DIRINF")
"""One rate phase, then stop; no volume target; phase 1 selected at the end (pumps 2.5)."""


class Unanswered(Exception):
    """The pump fell silent inside a dialogue."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The pump that is expected; `watchdog_s` None means it must not stop on silence.

    `read_only`: nothing is ever written, whatever state the pump is in.
    """

    diameter_um: int
    model: str
    watchdog_s: int | None
    read_only: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """The pump that answered, and its first reading."""

    model: str
    detail: str
    mismatch: str | None
    rate_ul_h: int | None
    unit: str | None
    infused_ul: int | None
    prepared: bool


def probe() -> Dialogue[Framing | None]:
    """Find the framing: half a line is spoilt, then Basic, then after a pause Safe (pumps 2.7)."""
    yield Ask("", tries=1, over=Framing.BASIC, bare=True, error_expected=True)
    reply = yield Ask("", tries=1, over=Framing.BASIC)
    if reply is None:
        yield Silence(PROBE_GAP_MS)
        reply = yield Ask("", tries=1, over=Framing.SAFE)
    return None if reply is None else reply.framing


def identify(setup: Setup, framing: Framing) -> Dialogue[Identity]:
    """Ask everything, compare with what is expected, and make a stopped, matching pump ready."""
    version, diameter, wrong = yield from _who(setup)
    rate = parse_rate((yield from asked(RATE)).data)
    infused_ul = parse_infused_ul((yield from asked(VOLUME)).data)
    prompt = (yield from asked(STATUS)).prompt
    mismatch = (
        wrong
        or (None if prompt == "S" else _wrong_motion(setup, framing, prompt, rate))
        or ("pump does not tell its rate" if rate is None else None)
    )
    prepared = False
    if prompt == "S" and mismatch is None and not setup.read_only:
        mismatch = yield from make_ready(setup, framing)
        if mismatch is None and setup.watchdog_s is not None:
            mismatch = yield from prove_watchdog(setup.watchdog_s)
            yield from asked(STATUS)
        prepared = mismatch is None
    model, firmware = parse_version(version.data) or ("unknown", "unknown")
    on_silence = _silence_words(setup, framing, prepared)
    return Identity(
        model=model,
        detail=f"firmware {firmware}, syringe {diameter.data or '?'} mm, {on_silence}",
        mismatch=mismatch,
        rate_ul_h=None if rate is None else rate[0],
        unit=None if rate is None else rate[1],
        infused_ul=infused_ul,
        prepared=prepared,
    )


def check_again(setup: Setup) -> Dialogue[tuple[str, str | None]]:
    """After an outage or a reset: model and syringe once more; the model and a mismatch or None."""
    version, _, mismatch = yield from _who(setup)
    model, _ = parse_version(version.data) or ("unknown", "unknown")
    return model, mismatch


def make_ready(setup: Setup, framing: Framing) -> Dialogue[str | None]:
    """Timer and program of a stopped pump, read back; a sentence when the pump does not take them."""
    refused = yield from _set_timer(setup, framing)
    if refused is not None:
        return refused
    for text in PROGRAM:
        reply = yield from asked(Ask(text))
        if not reply.done:
            return f"pump refused {text} ({reply.error or reply.alarm})"
    direction = (yield from asked(Ask("DIR"))).data
    if direction != "INF":
        return f"pump direction is {direction or 'not told'}, expected INF"
    target = (yield from asked(Ask("VOL"))).data
    if not target or thousandths(target[:-2]) != 0:
        return f"pump has a volume target of {target or 'unknown size'}, expected none"
    return None


def prove_watchdog(watchdog_s: int) -> Dialogue[str | None]:
    """Stay silent; the pump must raise its time-out alarm (pumps 2.3, 10.1 rule 1)."""
    heard = yield Silence(watchdog_s * 1000 + PROOF_MARGIN_MS, alarm_expected=True)
    reply = yield Ask("", tries=1, alarm_expected=True)
    if reply is None:
        raise Unanswered
    tripped = reply.alarm == "watchdog" or (heard is not None and heard.alarm == "watchdog")
    return None if tripped else "the pump did not stop on silence"


def asked(ask: Ask) -> Dialogue[Reply]:
    """Ask until an answer comes that no alarm swallowed; for questions and absolute settings only."""
    reply: Reply | None = None
    for _ in range(TRIES):
        reply = yield ask
        if reply is None:
            raise Unanswered
        if reply.alarm is None:
            return reply
    raise Unanswered


def _set_timer(setup: Setup, framing: Framing) -> Dialogue[str | None]:
    """Arm the watchdog, or find it off: Basic framing has none (pumps 2.3, 2.7)."""
    if setup.watchdog_s is None and framing is Framing.BASIC:
        return None
    wanted = Framing.BASIC if setup.watchdog_s is None else Framing.SAFE
    reply = yield from asked(Ask(f"SAF{setup.watchdog_s or 0}", into=wanted))
    if not reply.done:
        return f"pump refused its silence timer setting ({reply.error})"
    try:
        yield from asked(STATUS)
    except Unanswered:
        return (yield from _stuck(framing))
    return None


def _stuck(framing: Framing) -> Dialogue[str]:
    """It took SAF and fell silent: does it answer as before? Then its timer is as it was, and it is told
    once, instead of being written to its memory again and again."""
    if framing is Framing.BASIC:
        yield Ask("", tries=1, over=Framing.BASIC, bare=True, error_expected=True)
    reply = yield Ask("", tries=1, over=framing, into=framing)
    if reply is None:
        raise Unanswered
    return f"pump stays in {framing.value} framing: its silence timer cannot be set"


def _who(setup: Setup) -> Dialogue[tuple[Reply, Reply, str | None]]:
    """Model, syringe, and what is wrong with them. Basic framing has no checksum: what is wrong is asked
    once more, because it makes the pump read-only for good."""
    for _ in range(2):
        version = yield from asked(VERSION)
        diameter = yield from asked(DIAMETER)
        mismatch = _wrong_identity(setup, version, diameter)
        if mismatch is None:
            break
    return version, diameter, mismatch


def _wrong_identity(setup: Setup, version: Reply, diameter: Reply) -> str | None:
    if not version.data or not version.data.startswith(setup.model):
        return f"pump is {version.data or 'unknown'}, expected {setup.model or 'a New Era pump'}"
    if not diameter.data:
        return "pump does not tell its syringe diameter"
    diameter_um = thousandths(diameter.data)
    if diameter_um != held(setup.diameter_um):
        return f"syringe is {number_text(diameter_um)} mm, expected {number_text(setup.diameter_um)} mm"
    return None


def _wrong_motion(setup: Setup, framing: Framing, prompt: str, rate: tuple[int, str] | None) -> str | None:
    """What forbids taking over a pump that is not stopped."""
    if prompt in WRONG_MOTION:
        return f"pump is {WRONG_MOTION[prompt]}"
    if setup.watchdog_s is None and framing is Framing.SAFE:
        return "pump may stop when the computer falls silent; stop it, then its timer can be switched off"
    if setup.watchdog_s is not None and framing is Framing.BASIC:
        return "pump does not stop when the computer falls silent; stop it, then its timer can be armed"
    if rate is not None and rate[1] != "MH":
        return f"running pump counts its rate in {rate[1]}, expected MH (mL/h)"
    return None


def _silence_words(setup: Setup, framing: Framing, prepared: bool) -> str:
    """What is known about the pump's behaviour when the computer falls silent."""
    if prepared and setup.watchdog_s is not None:
        return f"watchdog {setup.watchdog_s} s proven"
    if prepared or framing is Framing.BASIC:
        return "keeps running on silence"
    return "watchdog armed, not proven on this connection"
