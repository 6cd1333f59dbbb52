"""What is known of one Alaris pump, and the dialogues that read and change it.

Every order begins with a reading, so that it goes to the pump that was identified and in the state the
pump is in now, and ends with one (pumps 10.3 rule 3). Not here: when a dialogue runs (`alaris`),
the opening (`alaris_identify`).
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
from drivers.pumps.alaris_identify import (
    LEAST_UL_H,
    RATE,
    STATUS,
    Identity,
    Setup,
    Unanswered,
    asked,
    control_request,
    is_permitted,
    read_rate_max,
    read_syringe,
)
from drivers.pumps.alaris_text import Status, alarm_words, held, parse_rate, parse_status, rate_text
from drivers.pumps.alaris_wire import Ask, Dialogue, Silence

Talk = Dialogue[None]

ALARM = Ask("ALARM")
START = Ask("INF_START", once=True)
STOP = Ask("INF_STOP", wait_ms=500)
"""A stop waits no longer than that for its echo: it is the reading after it that counts."""

STOP_TRIES = 3

SETTLE_MS = 500
SETTLE_TRIES = 3
"""How often and how long a change that was taken may need to show in INF [R]."""

RESET = "reset"
CONTROL_ENDED = "remote control was ended at the pump: it is only read"
UNTOLD_ALARM = "alarm, the pump does not tell which"


class Pump:
    """State, rate and identity as last told by the pump; None is not known. Says events."""

    def __init__(
        self, role: Role, setup: Setup, running_modes: tuple[str, ...], held_modes: tuple[str, ...]
    ) -> None:
        self.role = role
        self.setup = setup
        self.held_modes = held_modes
        self.events: list[DeviceEvent] = []
        self._known_modes = {*running_modes, *held_modes}
        self.opened(0)

    def opened(self, epoch: int) -> None:
        """A new connection: nothing is known."""
        self.epoch = epoch
        self.identity: Identity | None = None
        self.state: PumpState | None = None
        self.suspect = False
        self._rate_ul_h = 0
        self._infused_ul: int | None = None
        self._had_control = False
        self._first_serial = ""
        self._met_other = False
        self._odd_modes: set[str] = set()

    # --- facts -------------------------------------------------------------------------------

    def trouble(self, trouble: Trouble, detail: str) -> None:
        """Say that an exchange went wrong."""
        self.events.append(LinkTroubled(self.role, trouble, detail))

    @property
    def wanted(self) -> Setup:
        """What a pump on this wire must be; once one was met on this connection, that very one."""
        return replace(self.setup, serial=self.setup.serial or self._first_serial)

    def identified(self, identity: Identity) -> None:
        """Say who the pump is: at first, and when that changed on this connection."""
        before, self.identity = self.identity, identity
        self._first_serial = self._first_serial or identity.serial
        same = before is not None and before.serial == identity.serial
        self._had_control = identity.controlled or (self._had_control and same)
        self.suspect = False
        if before is None or (before.serial, before.mismatch) != (identity.serial, identity.mismatch):
            told = PumpIdentified(self.role, self.epoch, identity.model, identity.detail, identity.mismatch)
            self.events.append(told)

    # --- reading -----------------------------------------------------------------------------

    def read(self) -> Dialogue[bool]:
        """Ask INF and, when it shows an alarm, ALARM, then tell it; False when nothing was told."""
        status = yield from self._ask_status()
        if status is None:
            return False
        yield from self.report(status)
        return True

    def report(self, status: Status) -> Talk:
        """Tell a status as a reading. A counter cleared in a pump that stopped means it was reset."""
        running = self.state is PumpState.RUNNING
        alarm = None
        if status.is_alarm:
            reply = yield ALARM
            alarm = (None if reply is None else alarm_words(reply)) or UNTOLD_ALARM
        if not running and self._infused_ul and status.infused_ul == 0:
            self.suspect = True
            self.state, alarm = PumpState.ALARM, RESET
        self._infused_ul = status.infused_ul
        self.events.append(
            PumpReported(
                self.role,
                self.epoch,
                self.state or PumpState.ALARM,
                self._rate_ul_h if running else 0,
                status.infused_ul,
                alarm,
            )
        )

    def take(self, status: Status) -> None:
        """State and rate out of a status: a held pump does not run, nor one at rate 0.

        One that runs in spite of an alarm (battery low) is running.
        """
        flows = status.rate_ul_h > 0 and status.mode not in self.held_modes
        still = PumpState.ALARM if status.is_alarm else PumpState.STOPPED
        self.state = PumpState.RUNNING if flows else still
        self._rate_ul_h = status.rate_ul_h
        if status.mode not in self._known_modes and status.mode not in self._odd_modes:
            self._odd_modes.add(status.mode)
            self.trouble(Trouble.UNEXPECTED, f"the pump is in an unknown mode, {status.mode!r}")

    def keep_control(self) -> Talk:
        """Ask for remote control again, as each second; the pump's user may have ended it."""
        if self.identity is not None and self.identity.controlled:
            reply = yield control_request(self.identity.serial)
            if reply is not None and not is_permitted(reply):
                self._lose_control(self.identity)

    def _ask_status(self) -> Dialogue[Status | None]:
        reply = yield STATUS
        status = None if reply is None else parse_status(reply)
        if status is None:
            if reply is not None:
                self.trouble(Trouble.BAD_FRAME, f"unreadable status {'^'.join(reply.fields)!r}")
            return None
        if self.identity is not None and status.serial != self.identity.serial:
            if not self.suspect:
                self.trouble(Trouble.UNEXPECTED, f"pump {status.serial} answers, not {self.identity.serial}")
            self.suspect = self._met_other = True
            return None
        self._met_other = False
        self.take(status)
        return status

    def _lose_control(self, identity: Identity) -> None:
        """It is not taken back on this connection: someone at the pump wanted it (pumps 10.3 rule 10)."""
        self.trouble(Trouble.UNEXPECTED, CONTROL_ENDED)
        self.identified(replace(identity, mismatch=CONTROL_ENDED, controlled=False))

    @property
    def _is_controlled(self) -> bool:
        return self.identity is not None and self.identity.controlled

    # --- orders ------------------------------------------------------------------------------

    def obey(self, order: SetRate | StartPump) -> Talk:
        """Carry out an order, or refuse it with a sentence; control is kept on the way."""
        refused = self._reason_against(order)
        if refused is None:
            yield from self.keep_control()
            refused = self._reason_against(order)
        if refused is not None:
            self.trouble(Trouble.REFUSED, refused)
            return
        status = yield from self._ask_status()
        wanted = PumpState.RUNNING if isinstance(order, SetRate) else PumpState.STOPPED
        if status is None or self.state is not wanted:
            state = "silent" if status is None else self.state
            self.trouble(Trouble.REFUSED, f"{_name(order)} refused: the pump is {state}, not {wanted}")
            if status is not None:
                yield from self.report(status)
        elif isinstance(order, StartPump):
            yield from self._start(order.rate_ul_h)
        else:
            told_ul_h = yield from self._set_rate(order.rate_ul_h)
            yield from self._read_settled(told_ul_h)

    def stop(self) -> Talk:
        """INF_STOP until INF shows that nothing runs, repeated for ever while control is ours.

        Where it was taken away, one try: the pump's user may have ended remote control, not insulin.
        """
        identity = self.identity
        if identity is None or self.setup.read_only or not self._had_control:
            reason = None if identity is None else identity.mismatch
            self.trouble(Trouble.REFUSED, f"stop refused, go to the pump: {reason or 'it is only read'}")
            return
        while True:
            is_ours = self._is_controlled
            if not is_ours:
                yield control_request(identity.serial)
            for _ in range(STOP_TRIES):
                if (yield STOP) is not None:
                    break
            status = yield from self._ask_status()
            if status is not None and self.state is not PumpState.RUNNING:
                yield from self.report(status)
                return
            if self._met_other or not is_ours:
                break
            yield Silence(SETTLE_MS)
            if status is not None:
                yield from self.keep_control()  # lost with its power, or after 15 s of silence
        self.trouble(Trouble.REFUSED, "the pump could not be stopped from here: go to the pump")
        if status is not None:
            yield from self.report(status)

    def _start(self, rate_ul_h: int) -> Talk:
        """Syringe, rate echoed and asked back, control, then INF_START once, then what came of it."""
        try:
            refused = yield from self._prepare(rate_ul_h)
        except Unanswered:
            refused = "the pump fell silent"
        if refused is not None:
            self.trouble(Trouble.REFUSED, f"not started: {refused}")
            yield from self.read()
            return
        reply = yield START
        if reply is None:
            detail = "INF_START was not answered; it is not repeated, the status is read"
            self.trouble(Trouble.NO_REPLY, detail)
        yield from self._read_settled(held(rate_ul_h))
        if self.state is not PumpState.RUNNING:
            self.trouble(Trouble.REFUSED, "INF_START was sent, but the pump does not run")

    def _prepare(self, rate_ul_h: int) -> Dialogue[str | None]:
        """Everything before INF_START; a sentence when it must not be sent."""
        identity = self.identity
        if identity is None:
            return "the pump is not identified"
        confirmed, syringe = yield from read_syringe()
        if not confirmed:
            return "the syringe is not confirmed at the pump"
        if not syringe.startswith(self.setup.syringe):
            return f"syringe is {syringe}, expected {self.setup.syringe}"
        most_ul_h = yield from read_rate_max()
        self.identity = replace(identity, most_ul_h=most_ul_h)
        if rate_ul_h > most_ul_h:
            return f"{rate_ul_h} µL/h is above {most_ul_h} µL/h, the most with this syringe"
        told_ul_h = yield from self._set_rate(rate_ul_h)
        reply = yield RATE
        asked_back = None if reply is None else parse_rate(reply)
        if told_ul_h != held(rate_ul_h) or asked_back != held(rate_ul_h):
            return f"asked for {held(rate_ul_h)} µL/h, the pump holds {asked_back or 'nothing known'}"
        if not is_permitted((yield from asked(control_request(identity.serial)))):
            self._lose_control(identity)
            return CONTROL_ENDED
        return None

    def _set_rate(self, rate_ul_h: int) -> Dialogue[int | None]:
        """Set the rate; what the pump echoes is compared exactly (pumps 3). None: no readable echo."""
        reply = yield Ask(f"INF_RATE^{rate_text(rate_ul_h)}^ml/h")
        told_ul_h = None if reply is None else parse_rate(reply)
        if reply is not None and told_ul_h != held(rate_ul_h):
            holds = "no rate it tells" if told_ul_h is None else f"{told_ul_h} µL/h"
            self.trouble(Trouble.UNEXPECTED, f"asked for {held(rate_ul_h)} µL/h, the pump holds {holds}")
        return told_ul_h

    def _read_settled(self, rate_ul_h: int | None) -> Talk:
        """Tell the reading once the pump runs as it agreed to, or whatever it shows after a while."""
        status = None
        for turn in range(SETTLE_TRIES):
            if turn:
                yield Silence(SETTLE_MS)
            yield from self.keep_control()  # a slow pump must not miss it for 15 s
            status = yield from self._ask_status()
            as_agreed = self.state is PumpState.RUNNING and self._rate_ul_h == rate_ul_h
            if status is None or status.is_alarm or rate_ul_h is None or as_agreed:
                break
        if status is not None:
            yield from self.report(status)

    def _reason_against(self, order: SetRate | StartPump) -> str | None:
        name, identity = _name(order), self.identity
        if self.setup.read_only:
            return f"{name} refused, the pump is only read"
        if identity is None:
            return f"{name} refused: the pump is not identified"
        if identity.mismatch is not None:
            return f"{name} refused, read-only: {identity.mismatch}"
        most_ul_h = identity.most_ul_h
        if not LEAST_UL_H <= order.rate_ul_h <= most_ul_h:
            return f"{name} refused: {order.rate_ul_h} µL/h is outside {LEAST_UL_H} to {most_ul_h} µL/h"
        return None


def _name(order: SetRate | StartPump) -> str:
    return "rate" if isinstance(order, SetRate) else "start"
