"""Link to a Harvard PHD Ultra, 11 Elite, 33 DDS or KDS Legato syringe pump: the "Ultra" dialect.

Dextrose: nothing may stop the pump, any target is cleared. Insulin: there is no watchdog, so a volume
target for the next `watchdog_s` seconds is set before the start and moved on while running.
Source: pumps reference 1, 4.1, 10, 11. The diameter is compared, never set.
"""

import re
from decimal import ROUND_CEILING, Decimal

from clampctl.core.commands import Role
from drivers.capabilities import OnSilence, PumpCapabilities, Watchdog
from drivers.link import Expected
from drivers.pumps.harvard_dialect import Reading, Who
from drivers.pumps.harvard_link import HarvardLink, refuse_settings
from drivers.pumps.harvard_talk import TRIES, Ask, Dialogue, Reply, Wire, asked
from drivers.pumps.harvard_text import (
    Told,
    parse_diameter_um,
    parse_rate,
    parse_volume,
    plain,
    significant,
)
from drivers.pumps.harvard_ultra_text import UltraSplitter

REPLY_MS = 500
"""Time a pump has for its reply."""

DIGITS = 6
"""Significant digits of every recorded number: 25.0404, 26.0035, 1.69023 [I] (pumps 4.1)."""

FASTEST_UL_H = 999_999
"""Six digits of mL/h show whole µL/h up to here."""

FL_PER_UL = 10**9
UL_H_PER_FL_S = Decimal("3.6e-6")
"""The integers of `status` (pumps 4.1; PHD Ultra guide p.88)."""

RATE_UNITS = {
    "ul/min": (Decimal(60), 4),
    "ml/min": (Decimal(60_000), 7),
    "ul/h": (Decimal(1), 0),
    "ul/hr": (Decimal(1), 0),
    "ml/h": (Decimal(1000), 3),
    "ml/hr": (Decimal(1000), 3),
}
"""µL/h in one of each unit, and the digits behind the point that keep whole µL/h apart."""

CAPABILITIES = PumpCapabilities(
    rate_ul_h_min=2,
    rate_ul_h_max=FASTEST_UL_H,
    rate_steps=((1_000_000, 1),),
    watchdog=Watchdog.ROLLING_VOLUME,
    watchdog_s=180,
    on_silence={Role.INSULIN: OnSilence.UNPROVEN, Role.DEXTROSE: OnSilence.UNPROVEN},
    counter_quantum_ul=1,
    has_syringe=True,
    units_locked_while_running=False,
    keypad_lock=False,
    senses=("stall",),
)
"""Keeping on running, and a target that may be moved while running, are inferred (pumps 1, 4.1, 12.5):
both roles stay unproven until a cable pull with a balance is on record for the model. `watchdog_s` is
the proposed time, a station may set 30 to 600 s. The slowest rate is the recorded one."""

_TEXT = re.compile(r".+")
_STATUS = re.compile(r"(\d{1,18}) +(\d{1,18}) +(\d{1,18}) +([iwIW])([IW.])([S.])([T.])([IW.])([T.]?)")
_LIMITS = re.compile(r"(\S+ \S+) to (\S+ \S+)")
_RATE = re.compile(r"[\d.]+ ?[num]l/\w+", re.IGNORECASE)
_VOLUME = re.compile(r"[\d.]+ ?[num]l", re.IGNORECASE)
_DIAMETER = re.compile(r"[\d.]+ ?mm", re.IGNORECASE)
_FIELD = re.compile(r"(Firmware|Pump address|Serial number) *: *(\S+)")


class _Ultra:
    """The Ultra dialect (`harvard_dialect.Dialect`)."""

    run_text = "irun"
    stop_text = "stp"

    def __init__(
        self, expected: Expected, poll: bool, rate_unit: str, by_status: bool, names: tuple[str, str]
    ) -> None:
        self._expected = expected
        self._poll = poll
        self._unit = rate_unit
        self._by_status = by_status
        self._names = names
        self._ends_with_xon = False
        self._limits_ul_h = (CAPABILITIES.rate_ul_h_min, FASTEST_UL_H)

    @property
    def limits_ul_h(self) -> tuple[int, int]:
        """What the pump itself told for its syringe (`irate lim`), within six digits of mL/h."""
        return self._limits_ul_h

    def held_ul_h(self, rate_ul_h: int) -> int:
        """Whole µL/h."""
        return rate_ul_h

    def rate_text(self, rate_ul_h: int) -> str:
        """`irate 41.6666 ul/min`, rounded toward zero."""
        size, places = RATE_UNITS[self._unit]
        step = Decimal(1).scaleb(-places)
        return f"irate {plain(Decimal(rate_ul_h) / size // step * step)} {self._unit}"

    # --- questions ---------------------------------------------------------------------------

    def who(self) -> Dialogue[Who]:
        """Model, firmware, address, serial number, syringe, rate limits. Errors: Unanswered."""
        self._ends_with_xon = False
        name = yield from asked(Ask(self._names[0], _TEXT, error_expected=True))
        version = yield from asked(Ask(self._names[1], _TEXT, error_expected=True))
        diameter = yield from asked(Ask("diameter", _DIAMETER))
        yield from self._ask_limits()
        model = name.lines[0] if name.done else "unknown"
        fields = {m[1]: m[2] for m in (_FIELD.fullmatch(line) for line in version.lines) if m is not None}
        address = fields.get("Pump address", str(diameter.address or 0))
        serial = fields.get("Serial number", "not told")
        diameter_text = diameter.line(_DIAMETER)
        diameter_um = parse_diameter_um(diameter_text) if diameter_text else None
        detail = (
            f"{model}, firmware {fields.get('Firmware', 'not told')}, serial number {serial}, "
            f"address {address}, syringe {diameter_text or 'not told'}"
        )
        return Who(model, detail, self._mismatch(model, serial, address, diameter_um))

    def _mismatch(self, model: str, serial: str, address: str, diameter_um: int | None) -> str | None:
        wanted = self._expected
        if not model.startswith(wanted.model):
            return f"pump is {model}, expected {wanted.model}"
        if wanted.serial and serial != wanted.serial:
            return f"pump has serial number {serial}, expected {wanted.serial}"
        if address.lstrip("0") != str(wanted.address or ""):
            return f"pump has address {address}, expected {wanted.address}"
        if wanted.diameter_um is not None and diameter_um != wanted.diameter_um:
            told = "not told" if diameter_um is None else f"{Decimal(diameter_um) / 1000} mm"
            return f"syringe is {told}, expected {Decimal(wanted.diameter_um) / 1000} mm"
        return None

    def _ask_limits(self) -> Dialogue[None]:
        reply = yield from asked(Ask("irate lim", _LIMITS, error_expected=True))
        match = _LIMITS.fullmatch(reply.line(_LIMITS) or "")
        low = parse_rate(match[1], DIGITS) if match else None
        high = parse_rate(match[2], DIGITS) if match else None
        if low is not None and high is not None:
            slowest = int(low.value.to_integral_value(ROUND_CEILING))
            self._limits_ul_h = (max(1, slowest), min(FASTEST_UL_H, int(high.value)))

    def reading(self, wanted_ul_h: int | None, tries: int = TRIES) -> Dialogue[Reading | None]:
        """`status`, or `irate` and `ivolume`; the prompt is the state."""
        if not self._by_status:
            return (yield from self._reading_in_words(wanted_ul_h, tries))
        reply = yield Ask("status", _STATUS, tries)
        match = _STATUS.fullmatch(reply.line(_STATUS) or "") if reply is not None else None
        if reply is None or match is None:
            return None
        infusing = match[4] in "iI"
        rate = Told(int(match[1]) * UL_H_PER_FL_S, UL_H_PER_FL_S).rate_ul_h(wanted_ul_h)
        infused_ul = int(match[3]) // FL_PER_UL if infusing else None
        return self._read(reply, rate if infusing else None, infused_ul)

    def _reading_in_words(self, wanted_ul_h: int | None, tries: int) -> Dialogue[Reading | None]:
        reply = yield Ask("ivolume", _VOLUME, tries)
        volume = parse_volume(reply.line(_VOLUME) or "", DIGITS) if reply is not None else None
        reply = yield Ask("irate", _RATE, tries)
        rate = parse_rate(reply.line(_RATE) or "", DIGITS) if reply is not None else None
        if reply is None or rate is None:
            return None
        return self._read(reply, rate.rate_ul_h(wanted_ul_h), int(volume.value) if volume else None)

    def _read(self, reply: Reply, rate_ul_h: int | None, infused_ul: int | None) -> Reading:
        fresh = self._ends_with_xon and not reply.ended and not reply.moving
        return Reading(reply.state, reply.moving, rate_ul_h, infused_ul, reply.alarm, fresh)

    def rate_set(self) -> Dialogue[Told | None]:
        """The infusion rate that `irun` will use."""
        reply = yield Ask("irate", _RATE)
        return None if reply is None else parse_rate(reply.line(_RATE) or "", DIGITS)

    def stops_by_itself(self) -> Dialogue[str | None]:
        """A target volume or a target time. Errors: Unanswered."""
        reply = yield from asked(Ask("tvolume", _TEXT, error_expected=True))
        text = " ".join(reply.lines)
        volume = parse_volume(text, DIGITS)
        if "not set" not in text and (volume is None or volume.value):
            return f"target volume of {text}"
        reply = yield from asked(Ask("ttime", _TEXT, error_expected=True))
        text = " ".join(reply.lines)
        if reply.done and "not set" not in text and re.match(r"[0:.]+(?:\D|\Z)", text) is None:
            return f"target time of {text}"
        return None

    # --- settings ----------------------------------------------------------------------------

    def make_ready(self) -> Dialogue[str | None]:
        """XON behind prompts, nothing kept in memory, no target left. Errors: Unanswered.

        The word for "keep nothing" differs between models: `none`, else `off` (pumps 4.1).
        """
        if self._poll:
            reply = yield from asked(Ask("poll on", error_expected=True))
            self._ends_with_xon = reply.done and reply.ended
        reply = yield from asked(Ask("nvram none", error_expected=True))
        if not reply.done:
            yield from asked(Ask("nvram off"))
        if (yield from self.stops_by_itself()) is None:
            return None
        yield from asked(Ask("ctvolume"))
        yield from asked(Ask("cttime", error_expected=True))
        left = yield from self.stops_by_itself()
        return None if left is None else f"pump keeps its {left}"

    def arm(self, rate_ul_h: int, seconds: int) -> Dialogue[str | None]:
        """`tvolume`: infused volume and what flows in so many seconds, cut to six digits.

        That the target counts the infused volume, and may be set while running, is inferred [I].
        """
        reply = yield Ask("ivolume", _VOLUME)
        infused = parse_volume(reply.line(_VOLUME) or "", DIGITS) if reply is not None else None
        if infused is None:
            return "the pump does not tell its infused volume"
        target_ul = significant(infused.value + Decimal(rate_ul_h * seconds) / 3600, DIGITS)
        if target_ul <= infused.value:
            return "the rate is too small for a target"
        reply = yield Ask(f"tvolume {plain(target_ul)} ul", error_expected=True)
        if reply is not None and reply.error is not None:
            return f"pump refused it ({reply.error})"
        reply = yield Ask("tvolume", _VOLUME, error_expected=True)
        held = parse_volume(reply.line(_VOLUME) or "", DIGITS) if reply is not None else None
        if held is None or abs(held.value - target_ul) > held.quantum:
            holds = "nothing known" if held is None else f"{plain(held.value)} µL"
            return f"asked for {plain(target_ul)} µL, the pump holds {holds}"
        return None


class HarvardUltra(HarvardLink):
    """One pump on one wire.

    `poll`: ask for XON behind every prompt; without it a reply ends when nothing follows its prompt.
    `mark` stands before every command; "@" skips the refresh of the pump's screen [R].
    `rate_unit` is one of `RATE_UNITS`; "ul/min" is recorded from hardware [S].
    `read_by`: "status", integers labelled internal by its manual, or "rate": `irate` and `ivolume`.
    `name_question` is answered by the model's name, `version_question` by firmware, address and serial
    number, the latter recorded on firmware 3.0.6; wording on other models [R].
    Errors: ValueError for settings that cannot be meant; insulin needs `watchdog_s`, dextrose none.
    """

    def __init__(
        self,
        expected: Expected,
        *,
        poll: bool = True,
        mark: str = "@",
        rate_unit: str = "ul/min",
        read_by: str = "status",
        name_question: str = "ver",
        version_question: str = "version",
    ) -> None:
        refuse_settings(expected, has_target=True)
        if rate_unit not in RATE_UNITS:
            raise ValueError(f"rate unit {rate_unit!r} is none of {', '.join(RATE_UNITS)}")
        if read_by not in ("status", "rate"):
            raise ValueError(f"read_by {read_by!r} is neither status nor rate")
        prefix = f"{expected.address}:{mark}" if expected.address else mark
        dialect = _Ultra(expected, poll, rate_unit, read_by == "status", (name_question, version_question))
        wire = Wire(UltraSplitter(), lambda text: f"{prefix}{text}\r\n", REPLY_MS)
        super().__init__(expected, dialect, wire)
