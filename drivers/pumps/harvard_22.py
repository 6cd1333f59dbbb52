"""Link to a Harvard PHD 22/2000, Model 22, 33 or Pump 11 syringe pump: the "22" dialect.

Dextrose: nothing may stop the pump. Insulin: there is no watchdog, so a volume target for the next
`watchdog_s` seconds is set before the start and moved on while running, where the model has one.
Source: pumps reference 1, 4.2, 10, 11. The diameter is compared, never set. Line: 9600 baud, 8N2.
"""

import re
from decimal import Decimal

from clampctl.core.commands import Role
from drivers.capabilities import OnSilence, PumpCapabilities, Watchdog
from drivers.link import Expected
from drivers.pumps.harvard_22_text import DIGITS, MODELS, Model, TwentyTwoSplitter, held_ul_h, number_text
from drivers.pumps.harvard_dialect import Reading, Who
from drivers.pumps.harvard_link import HarvardLink, refuse_settings
from drivers.pumps.harvard_talk import TRIES, Ask, Dialogue, Reply, Wire, asked
from drivers.pumps.harvard_text import Told, parse_diameter_um, parse_rate, plain, told

REPLY_MS = 1000
"""Time a pump has for its reply; those to RUN may come late (pumps 4.2)."""

FASTEST_UL_H = 999_990
"""Five digits of mL/h with two behind the point."""

CAPABILITIES = PumpCapabilities(
    rate_ul_h_min=1,
    rate_ul_h_max=FASTEST_UL_H,
    rate_steps=((100_000, 1), (1_000_000, 10)),
    watchdog=Watchdog.ROLLING_VOLUME,
    watchdog_s=180,
    on_silence={Role.INSULIN: OnSilence.UNPROVEN, Role.DEXTROSE: OnSilence.UNPROVEN},
    counter_quantum_ul=10,
    has_syringe=True,
    units_locked_while_running=False,
    keypad_lock=False,
    senses=(),
)
"""Of the PHD 2000, which senses nothing by itself; a 22 or 33 senses a stall. Keeping on running, and a
target that may be moved while running, are inferred (pumps 1, 4.2): both roles stay unproven until a
cable pull with a balance is on record. The syringe's own limits cannot be asked: the pump says OOR."""

_RATE = re.compile(r"[\d.]+ *[num]l/\w+", re.IGNORECASE)
_NUMBER = re.compile(r"[\d.]+(?: *ml)?", re.IGNORECASE)
_DIAMETER = re.compile(r"[\d.]+(?: *mm)?", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")
_TEXT = re.compile(r".+")


class _TwentyTwo:
    """The 22 dialect (`harvard_dialect.Dialect`)."""

    run_text = "RUN"
    stop_text = "STP"
    limits_ul_h = (CAPABILITIES.rate_ul_h_min, FASTEST_UL_H)

    def __init__(self, expected: Expected, model: Model) -> None:
        self._expected = expected
        self._model = model

    def held_ul_h(self, rate_ul_h: int) -> int:
        """Quantised before it is sent, because the pump cuts without a word."""
        return held_ul_h(rate_ul_h)

    def rate_text(self, rate_ul_h: int) -> str:
        """`RAT123.45MH`, or as the model wants it."""
        return self._model.rate.format(number_text(Decimal(rate_ul_h)))

    # --- questions ---------------------------------------------------------------------------

    def who(self) -> Dialogue[Who]:
        """Version, address, syringe. Errors: Unanswered."""
        version = yield from asked(Ask("VER", _TEXT, error_expected=True))
        diameter = yield from asked(Ask("DIA", _DIAMETER))
        name = version.lines[0] if version.done else "unknown"
        diameter_text = diameter.line(_DIAMETER)
        diameter_um = parse_diameter_um(diameter_text) if diameter_text else None
        address = diameter.address or 0
        shown = diameter_text or "not told"
        detail = f"version {name}, address {address:02d}, syringe {shown}"
        return Who(name, detail, self._mismatch(name, address, diameter_um))

    def _mismatch(self, name: str, address: int, diameter_um: int | None) -> str | None:
        wanted = self._expected
        for beginning in (self._model.version, wanted.model):
            if not name.startswith(beginning):
                return f"pump is {name}, expected {beginning}"
        if address != wanted.address:
            return f"pump has address {address:02d}, expected {wanted.address:02d}"
        if wanted.diameter_um is not None and diameter_um != wanted.diameter_um:
            shown = "not told" if diameter_um is None else f"{Decimal(diameter_um) / 1000} mm"
            return f"syringe is {shown}, expected {Decimal(wanted.diameter_um) / 1000} mm"
        return None

    def reading(self, wanted_ul_h: int | None, tries: int = TRIES) -> Dialogue[Reading | None]:
        """Counter, then `RAT`, whose prompt is the state. No counter on a model not known to have one."""
        volume = None
        if self._model.volume:
            volume = _volume((yield Ask(self._model.volume, _NUMBER, tries)))
        reply = yield Ask("RAT", _RATE, tries)
        rate = _rate(reply)
        if reply is None or rate is None:
            return None
        infused_ul = int(volume.value) if volume is not None else None
        rate_ul_h = rate.rate_ul_h(wanted_ul_h)
        return Reading(reply.state, reply.moving, rate_ul_h, infused_ul, reply.alarm)

    def rate_set(self) -> Dialogue[Told | None]:
        """The rate that RUN will use."""
        return _rate((yield Ask("RAT", _RATE)))

    def stops_by_itself(self) -> Dialogue[str | None]:
        """A target volume, or a mode that is not plain pumping. Errors: Unanswered."""
        model = self._model
        if model.has_mode:
            mode = yield from self._mode()
            if mode != "VOLUME":
                return None if mode == "PUMP" else f"{mode} mode"
        if not model.target_question:
            return None
        reply = yield from asked(Ask(model.target_question, _NUMBER, error_expected=True))
        volume = _volume(reply)
        if volume is not None and (volume.value or model.has_mode):
            return f"target volume of {plain(volume.value)} µL"
        return "target volume, which it does not tell" if volume is None else None

    def _mode(self) -> Dialogue[str]:
        reply = yield from asked(Ask("MOD", _WORD, error_expected=True))
        return (reply.line(_WORD) or "unknown").upper() if reply.done else "unknown"

    # --- settings ----------------------------------------------------------------------------

    def make_ready(self) -> Dialogue[str | None]:
        """Direction and mode of a stopped pump, no target left. Errors: Unanswered."""
        reply = yield from asked(Ask("DIR", _WORD, error_expected=True))
        if reply.done and not (reply.line(_WORD) or "").upper().startswith("INF"):
            yield from asked(Ask("DIRINF"))
            reply = yield from asked(Ask("DIR", _WORD))
            if not (reply.line(_WORD) or "").upper().startswith("INF"):
                return "pump does not take the direction INFUSE"
        wants_target = self._expected.role is Role.INSULIN
        if self._model.has_mode:
            yield from asked(Ask("MODVOL" if wants_target else "MODPMP"))
            mode = yield from self._mode()
            if mode != ("VOLUME" if wants_target else "PUMP"):
                return f"pump stays in {mode} mode"
        if wants_target or (yield from self.stops_by_itself()) is None:
            return None
        yield from asked(Ask(self._model.target_clear))
        left = yield from self.stops_by_itself()
        return None if left is None else f"pump keeps its {left}"

    def arm(self, rate_ul_h: int, seconds: int) -> Dialogue[str | None]:
        """Delivered volume and what flows in so many seconds, cut to five digits of mL.

        That the target counts the delivered volume, and may be set while running, is inferred [I].
        """
        model = self._model
        infused = _volume((yield Ask(model.volume, _NUMBER)))
        if infused is None:
            return "the pump does not tell its delivered volume"
        target = number_text(infused.value + Decimal(rate_ul_h * seconds) / 3600)
        target_ul = Decimal(target) * 1000
        if target_ul <= infused.value:
            return "the rate is too small for a target"
        reply = yield Ask(model.target.format(target), error_expected=True)
        if reply is not None and reply.error is not None:
            return f"pump refused it ({reply.error})"
        held = _volume((yield Ask(model.target_question, _NUMBER, error_expected=True)))
        if held is None or abs(held.value - target_ul) > held.quantum:
            holds = "nothing known" if held is None else f"{plain(held.value)} µL"
            return f"asked for {plain(target_ul)} µL, the pump holds {holds}"
        return None


def _rate(reply: Reply | None) -> Told | None:
    return None if reply is None else parse_rate(reply.line(_RATE) or "", DIGITS)


def _volume(reply: Reply | None) -> Told | None:
    """A number of mL, in µL."""
    line = None if reply is None else reply.line(_NUMBER)
    number = re.match(r"\d{1,6}(?:\.\d{0,6})?", line) if line else None
    return None if number is None else told(number[0], Decimal(1000), DIGITS)


class Harvard22(HarvardLink):
    """One pump on one wire; `model` is a key of `MODELS` ("22" also for a Pump 11, [R] in its table).

    Errors: ValueError for settings that cannot be meant, a serial number (the pump tells none); insulin
    needs `watchdog_s` and a model with a volume target, dextrose takes no `watchdog_s`.
    """

    def __init__(self, expected: Expected, *, model: str = "2000") -> None:
        known = MODELS.get(model)
        if known is None:
            raise ValueError(f"Harvard model {model!r} is none of {', '.join(MODELS)}")
        if expected.serial:
            raise ValueError("a Harvard 22 pump does not tell a serial number, so none can be expected")
        refuse_settings(expected, has_target=bool(known.target))
        wire = Wire(TwentyTwoSplitter(known), lambda text: f"{expected.address:02d}{text}\r", REPLY_MS)
        super().__init__(expected, _TwentyTwo(expected, known), wire)
