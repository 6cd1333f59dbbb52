"""Who is the Alaris pump on a new connection, and may the program control it: questions only.

The one request among them, for remote control, is made last and only of the pump that is expected; it
neither moves nor sets anything. Dialogues are generators that yield `Ask` or `Silence`.
Source: pumps reference 3 and 10.
"""

from dataclasses import dataclass

from drivers.pumps.alaris_text import (
    Reply,
    Status,
    parse_infused_ul,
    parse_rate,
    parse_status,
    rate_text,
    remote_key,
    thousandths,
)
from drivers.pumps.alaris_wire import LONGEST_MS, Ask, Dialogue

SERIAL = Ask("INST_SERIALNO")
PROTOCOL = Ask("COMMS_PROTOCOL")
RESPONSE_MAX = Ask("COMMS_RESPONSE_MAX")
SYRINGE = Ask("SYRINGE_STATUS")
RATE_MAX = Ask("INF_RATE_MAX_SYRINGE")
RATE = Ask("INF_RATE")
VOLUME = Ask("INF_VI")
VOLUME_LIMIT = Ask("INF_VTBI")
STATUS = Ask("INF")

LEAST_UL_H, MOST_UL_H = 100, 1_200_000
"""0.1 to 1200 mL/h, which a syringe narrows (pumps 3)."""

CONFIRMED = "CONF"

FLOWS_S = 10
"""While running the counter may grow for this long between two questions."""

AGREEMENT_TRIES = 2
"""A key pressed between two questions explains one disagreement, not two."""


class Unanswered(Exception):
    """The pump fell silent inside a dialogue."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The pump that is expected; "" is not compared. `read_only`: nothing but questions."""

    serial: str
    protocol: str
    syringe: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """The pump that answered. `controlled`: it permits remote control to this program."""

    serial: str
    protocol: str
    detail: str
    mismatch: str | None
    controlled: bool
    response_ms: int | None
    most_ul_h: int

    @property
    def model(self) -> str:
        """What the pump calls itself, such as Asena."""
        return self.protocol.partition(" ")[0] or "unknown"


def identify(setup: Setup, held_modes: tuple[str, ...]) -> Dialogue[tuple[Identity, Status | None]]:
    """Ask everything, compare, and ask for remote control of the pump that matches."""
    serial = (yield from asked(SERIAL)).field(1)
    protocol = (yield from asked(PROTOCOL)).field(1)
    response = yield from asked(RESPONSE_MAX)
    told_ms = thousandths(response.field(1)) if response.field(2) == "ms" else None
    confirmed, syringe = yield from read_syringe()
    most_ul_h = yield from read_rate_max()
    limit = volume_limit_words((yield VOLUME_LIMIT))
    status, mismatch = yield from _read_consistent(serial, held_modes)
    mismatch = _wrong_pump(setup, serial, protocol, syringe) or mismatch
    controlled = False
    if mismatch is None and not setup.read_only:
        mismatch = yield from _take_control(serial)
        controlled = mismatch is None
    identity = Identity(
        serial=serial,
        protocol=protocol,
        detail=f"serial {serial}, {protocol}, syringe {syringe}{'' if confirmed else ' NOT CONFIRMED'}, "
        f"at most {rate_text(most_ul_h)} mL/h, {limit}, "
        "stops 15 s after the computer falls silent if the computer started it",
        mismatch=mismatch,
        controlled=controlled,
        response_ms=None if told_ms is None else min(told_ms // 1000, LONGEST_MS),
        most_ul_h=most_ul_h,
    )
    return identity, status


def asked(ask: Ask) -> Dialogue[Reply]:
    """The answer to a question. Raises Unanswered when there is none."""
    reply = yield ask
    if reply is None:
        raise Unanswered
    return reply


def read_syringe() -> Dialogue[tuple[bool, str]]:
    """Whether the syringe is confirmed at the pump, and its make and size."""
    reply = yield from asked(SYRINGE)
    return reply.field(3) == CONFIRMED, f"{reply.field(1)} {reply.field(2).strip()}".strip()


def read_rate_max() -> Dialogue[int]:
    """The fastest rate with the syringe that is in, µL/h; 0 when the pump does not tell it."""
    return min(parse_rate((yield from asked(RATE_MAX))) or 0, MOST_UL_H)


def control_request(serial: str) -> Ask:
    """The request for remote control, which also keeps it; its key is made of the serial number."""
    return Ask(f"REMOTE_CTRL^ENABLED^{remote_key(serial)}")


def is_permitted(reply: Reply) -> bool:
    """Whether remote control was given; how a refusal looks is not known [R], so only PERMIT counts."""
    return reply.field(1) == "ENABLED" and "PERMIT" in reply.fields


def _take_control(serial: str) -> Dialogue[str | None]:
    reply = yield control_request(serial)
    if reply is None:
        yield from asked(SERIAL)
        return "the pump does not answer the request for remote control: it is only read"
    if is_permitted(reply):
        return None
    return "the pump does not permit remote control: it is only read; set its rate at its keys"


def volume_limit_words(reply: Reply | None) -> str:
    """A volume to be infused that someone set at the pump; its second field, empty when off."""
    text = "?" if reply is None else reply.field(2)
    volume = thousandths(text)
    if text == "":
        return "no volume limit"
    return "volume limit not known" if volume is None else f"STOPS AFTER {volume} µL BY ITS VOLUME LIMIT"


def _read_consistent(serial: str, held_modes: tuple[str, ...]) -> Dialogue[tuple[Status | None, str | None]]:
    """INF, compared with INF_RATE and INF_VI where those can be read: its layout is what it is taken for."""
    status: Status | None = None
    for _ in range(AGREEMENT_TRIES):
        rate, volume = (yield RATE), (yield VOLUME)
        status = parse_status((yield from asked(STATUS)))
        if status is None:
            return None, "the pump's status report cannot be read"
        if status.serial != serial:
            return None, f"two pumps answer, {serial} and {status.serial}"
        rate_ul_h = None if rate is None else parse_rate(rate)
        infused_ul = None if volume is None else parse_infused_ul(volume)
        is_still = status.mode in held_modes or status.rate_ul_h == 0
        grown_ul = 0 if infused_ul is None else status.infused_ul - infused_ul
        flowed_ul = 0 if is_still else status.rate_ul_h * FLOWS_S // 3600 + 1
        if (is_still or rate_ul_h in (None, status.rate_ul_h)) and 0 <= grown_ul <= flowed_ul:
            return status, None
    return status, "the pump's status report does not agree with its rate and volume"


def _wrong_pump(setup: Setup, serial: str, protocol: str, syringe: str) -> str | None:
    if setup.serial and serial != setup.serial:
        return f"pump is serial {serial or 'unknown'}, expected {setup.serial}"
    if not protocol.startswith(setup.protocol):
        return f"pump speaks {protocol or 'unknown'}, expected {setup.protocol}"
    if not syringe.startswith(setup.syringe):
        return f"syringe is {syringe or 'unknown'}, expected {setup.syringe}"
    return None
