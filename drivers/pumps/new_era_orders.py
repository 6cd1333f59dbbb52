"""What is known of one New Era pump, and the dialogues that read and change it.

Every order ends in a reading: a rate sent is asked back (pumps 10.3 rule 3). Not here: when a
dialogue runs (`new_era`), the opening (`new_era_identify`).
"""

from dataclasses import replace

from clampctl.core.commands import Role, SetRate, StartPump
from clampctl.core.events import (
    DeviceEvent,
    LinkTroubled,
    PumpIdentified,
    PumpReported,
    PumpState,
    Trouble,
)
from drivers.framing import Framing
from drivers.pumps.new_era_identify import (
    RATE,
    STATUS,
    VOLUME,
    Dialogue,
    Identity,
    Setup,
    Unanswered,
    check_again,
    make_ready,
)
from drivers.pumps.new_era_text import (
    STATES,
    WRONG_MOTION,
    Reply,
    held,
    number_text,
    parse_infused_ul,
    parse_rate,
    rate_limits_ul_h,
)
from drivers.pumps.new_era_wire import Ask, Silence

Talk = Dialogue[None]

STOP_PAUSE_MS = 500
"""Pause between stops that a pump does not answer."""

EARLY_ALARMS = 8
"""So many of those that come before the identity are kept."""


class Pump:
    """State, rate and identity as last told by the pump; None is not known. Says events."""

    def __init__(self, role: Role, setup: Setup) -> None:
        self.role = role
        self.setup = setup
        self.events: list[DeviceEvent] = []
        self.limits_ul_h = rate_limits_ul_h(setup.diameter_um)
        self.opened(0)

    def opened(self, epoch: int) -> None:
        """A new connection: nothing is known."""
        self.epoch = epoch
        self.identity: Identity | None = None
        self.state: PumpState | None = None
        self.suspect = False
        self.alarm_since_start: str | None = None
        self._prepared = False
        self._prompt = ""
        self._rate_ul_h: int | None = None
        self._unit: str | None = None
        self._early_alarms: list[str] = []

    # --- facts -------------------------------------------------------------------------------

    def trouble(self, trouble: Trouble, detail: str) -> None:
        """Say that an exchange went wrong."""
        self.events.append(LinkTroubled(self.role, trouble, detail))

    def note(self, reply: Reply) -> None:
        """Keep the prompt of a reply."""
        self._prompt = reply.prompt
        self.state = STATES[reply.prompt]

    def alarmed(self, alarm: str) -> None:
        """Tell an alarm at once; before the identity is known, right after it."""
        self.state = PumpState.ALARM
        self.alarm_since_start = alarm
        if self.identity is None:
            self._early_alarms = [*self._early_alarms[1 - EARLY_ALARMS :], alarm]
            return
        self._tell(PumpState.ALARM, 0, None, alarm)
        if alarm == "reset":
            self.suspect = True
            self._prepared = False

    def identified(self, identity: Identity) -> None:
        """Say who the pump is, then its first reading."""
        self.identity = identity
        self._prepared = identity.prepared
        self._rate_ul_h, self._unit = identity.rate_ul_h, identity.unit
        self._say_identity(identity)
        for alarm in self._early_alarms:
            self._tell(PumpState.ALARM, 0, None, alarm)
        self._report(identity.infused_ul)

    # --- reading -----------------------------------------------------------------------------

    def read_rate(self) -> Dialogue[bool]:
        """Ask the rate held; the prompt of the reply is the state. True when it was told."""
        self._rate_ul_h = self._unit = None
        reply = yield RATE
        rate = parse_rate(reply.data) if reply is not None else None
        if rate is None:
            return False
        self._rate_ul_h, self._unit = rate
        return True

    def read_volume(self) -> Talk:
        """Ask the volume counter and report all that is known from this round."""
        reply = yield VOLUME
        if reply is not None and reply.done:
            self._report(parse_infused_ul(reply.data))

    def read_back(self) -> Talk:
        """Ask rate and state after an order and report at once; the counter was not asked."""
        if (yield from self.read_rate()):
            self._report(None)

    def check_again(self, identity: Identity) -> Talk:
        """After an outage or a reset: is it still the same pump and syringe?"""
        try:
            model, mismatch = yield from check_again(self.setup)
        except Unanswered:
            model, mismatch = identity.model, identity.mismatch
        self.suspect = False
        self._unit = None
        mismatch = mismatch or identity.mismatch
        if mismatch is None and model != identity.model:
            mismatch = f"pump is now {model}, it was {identity.model}"
        if mismatch != identity.mismatch:
            self.identity = replace(identity, model=model, mismatch=mismatch)
            self._say_identity(self.identity)

    # --- orders ------------------------------------------------------------------------------

    def obey(self, order: SetRate | StartPump, framing: Framing, *, silent: bool) -> Talk:
        """Carry out an order, or refuse it with a sentence; nothing is sent for a refused order.

        One that fell silent may be another pump by now: who it is comes first.
        """
        reason = (
            f"{_name(order)} refused: the pump does not answer" if silent else self._reason_against(order)
        )
        if reason is not None:
            self.trouble(Trouble.REFUSED, reason)
        elif isinstance(order, StartPump):
            yield from self._start(order.rate_ul_h, framing)
        else:
            yield from self._change(order.rate_ul_h)

    def _change(self, rate_ul_h: int) -> Talk:
        """A number without unit is meant in the pump's own, which a person may have changed (pumps 2.5)."""
        if self._unit != "MH":
            yield from self.read_rate()
        if self._unit != "MH":
            self.trouble(
                Trouble.REFUSED, f"rate refused: the pump counts in {self._unit or 'nothing known'}, not MH"
            )
            return
        yield Ask(f"RAT{number_text(rate_ul_h)}")
        yield from self.read_back()

    def stop(self) -> Talk:
        """STP until the pump says S: the first one only pauses (pumps 2.5)."""
        while True:
            reply = yield Ask("STP", tries=1, error_expected=True)
            if reply is None:
                yield Silence(STOP_PAUSE_MS)
            elif reply.prompt == "S":
                break
        self._report(None)

    def _start(self, rate_ul_h: int, framing: Framing) -> Talk:
        """Rate with units, asked back, equal, then RUN once, then what came of it."""
        refused = yield from self._make_ready(framing)
        if refused is None:
            reply = yield Ask(f"RAT{number_text(rate_ul_h)}MH")
            if reply is None or not reply.done or reply.prompt != "S":
                refused = "the pump did not take the rate while stopped"
        if refused is None:
            told = yield from self.read_rate()
            if not told or self.state is not PumpState.STOPPED or self._rate_ul_h != held(rate_ul_h):
                refused = f"asked for {rate_ul_h} µL/h, the pump holds {self._rate_ul_h or 'nothing known'}"
        if refused is None and self.alarm_since_start is not None:
            refused = f"alarm, {self.alarm_since_start}"
        if refused is not None:
            self.trouble(Trouble.REFUSED, f"not started: {refused}")
            return
        reply = yield Ask("RUN", tries=1)
        if reply is None:
            self.trouble(Trouble.NO_REPLY, "RUN was not answered; it is not repeated, the status is read")
        yield STATUS
        yield from self.read_back()
        if self.state is PumpState.STOPPED:
            self.trouble(Trouble.REFUSED, "RUN was sent, but the pump is stopped")

    def _make_ready(self, framing: Framing) -> Dialogue[str | None]:
        """Timer and program, where this connection has not set them yet."""
        if self._prepared:
            return None
        try:
            refused = yield from make_ready(self.setup, framing)
        except Unanswered:
            return "the pump fell silent"
        self._prepared = refused is None
        return refused

    def _reason_against(self, order: SetRate | StartPump) -> str | None:
        name = _name(order)
        wanted = PumpState.RUNNING if isinstance(order, SetRate) else PumpState.STOPPED
        low, high = self.limits_ul_h
        if self.setup.read_only:
            return f"{name} refused, the pump is only read"
        if self.identity is not None and self.identity.mismatch is not None:
            return f"{name} refused, read-only: {self.identity.mismatch}"
        if isinstance(order, StartPump) and self.alarm_since_start is not None:
            return f"start refused: alarm since it was ordered, {self.alarm_since_start}"
        if self.state is not wanted:
            return f"{name} refused: the pump is {self.state or 'not heard yet'}, not {wanted}"
        if not low <= order.rate_ul_h <= high:
            return f"{name} refused: {order.rate_ul_h} µL/h is outside {low} to {high} µL/h of this syringe"
        return None

    # --- words -------------------------------------------------------------------------------

    def _say_identity(self, identity: Identity) -> None:
        self.events.append(
            PumpIdentified(self.role, self.epoch, identity.model, identity.detail, identity.mismatch)
        )

    def _report(self, infused_ul: int | None) -> None:
        """A full reading; nothing while the state or the rate of a running pump is not known."""
        rate_ul_h = self._rate_ul_h if self.state is PumpState.RUNNING else 0
        if self.state is not None and rate_ul_h is not None:
            self._tell(self.state, rate_ul_h, infused_ul, WRONG_MOTION.get(self._prompt))

    def _tell(self, state: PumpState, rate_ul_h: int, infused_ul: int | None, alarm: str | None) -> None:
        self.events.append(PumpReported(self.role, self.epoch, state, rate_ul_h, infused_ul, alarm))


def _name(order: SetRate | StartPump) -> str:
    return "rate" if isinstance(order, SetRate) else "start"
