"""Link to an Alaris / Asena GH, CC (GS, TIVA) syringe pump: 38400 8N1, insulin role only.

Such a pump stops 15 s after the computer that started it falls silent (pumps 1; Alaris CC Directions
for Use p.32): right for insulin, never for dextrose. A lost reply means "unknown": INF_START is never
sent twice for one order. Source: pumps reference 3, 10, 11. This file decides what is said next; the
dialogues are in `alaris_identify` and `alaris_orders`, deadlines in `alaris_wire`, text in `alaris_text`.
"""

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent, Trouble
from drivers.capabilities import OnSilence, PumpCapabilities, Watchdog
from drivers.framing import Damage
from drivers.link import Expected
from drivers.pumps.alaris_identify import LEAST_UL_H, MOST_UL_H, Setup, Unanswered, identify
from drivers.pumps.alaris_orders import Pump, Talk
from drivers.pumps.alaris_text import Reply
from drivers.pumps.alaris_wire import LONGEST_MS, Ask, Dialogue, Silence, Wire
from drivers.waiting import Waiting

__all__ = ["CAPABILITIES", "Alaris"]

WATCHDOG_S = 15
"""Fixed in the pump (pumps 3; Alaris CC Directions for Use p.32)."""

CAPABILITIES = PumpCapabilities(
    rate_ul_h_min=LEAST_UL_H,
    rate_ul_h_max=MOST_UL_H,
    rate_steps=((100_000, 10), (MOST_UL_H + 1, 1000)),
    watchdog=Watchdog.FIXED,
    watchdog_s=WATCHDOG_S,
    on_silence={Role.INSULIN: OnSilence.STOPS, Role.DEXTROSE: OnSilence.STOPS},
    counter_quantum_ul=1,
    has_syringe=False,
    units_locked_while_running=True,
    keypad_lock=False,
    senses=("occlusion", "drive disengaged", "near end of infusion", "battery", "communication"),
)
"""The family as sheet 3 has it. Above 99.9 mL/h the pump may keep 0.1 or 1 mL/h [R]: whole mL/h fit
either. It stops on silence in any role when it was started over serial, so it may not be the dextrose
pump (1, 10.1). `has_syringe` False: it knows its syringe by make and size, and no diameter can be
compared. What it senses is taken from the names of its alarm codes [I].
"""

POLL_MS = 1000
"""Remote control is asked for again, and INF read, each second (pumps 3; infupy)."""

SEARCH_PAUSE_MS = 1000
"""Pause before a pump that does not answer is sought again."""


class Alaris:
    """One pump on one wire.

    `response_ms` is the time for an answer until the pump tells its own, in ms; `resend_ms` when an
    unanswered question is sent once more. `running_modes` and `held_modes` are the words of INF, apart
    by commas, for a pump that infuses and one that does not: SET and HLD are the ones seen [I].
    `syringe` is how make and size of the syringe must begin, such as `BD PLASTIPAK 50`; "" is not
    compared. `expected.model` is how COMMS_PROTOCOL must begin: Asena. `expected.read_only`: nothing
    but questions, so either role will do.
    Errors: ValueError for dextrose, another watchdog than 15 s, an address or a diameter to compare,
    a deadline that cannot work.
    """

    def __init__(
        self,
        expected: Expected,
        *,
        response_ms: int = 4000,
        resend_ms: int = 500,
        running_modes: str = "SET",
        held_modes: str = "HLD",
        syringe: str = "",
    ) -> None:
        _check(expected)
        if not 0 < resend_ms < response_ms <= LONGEST_MS:
            raise ValueError(f"re-send after {resend_ms} ms and answer in {response_ms} ms cannot work")
        setup = Setup(expected.serial, expected.model, syringe, expected.read_only)
        running, held = (tuple(modes.split(",")) for modes in (running_modes, held_modes))
        self._pump = Pump(expected.role, setup, running, held)
        self._response_ms = response_ms
        self._wire = Wire(response_ms, resend_ms)
        self._waiting = Waiting()
        self._is_open = False
        self._forget(0)

    def _forget(self, now_ms: int) -> None:
        self._dialogue: Dialogue[None] | None = None
        self._protected = False
        self._silence_ends_ms: int | None = None
        self._next_poll_ms = now_ms
        self._now_ms = now_ms
        self._due_ms: int | None = None

    # --- the contract ------------------------------------------------------------------------

    def opened(self, epoch: int, now_ms: int) -> None:
        """A wire was opened: whatever waits is dropped, the pump is asked who it is."""
        for order in self._waiting.drop_all():
            self._drop(order)
        self._wire.opened()
        self._wire.response_ms = self._response_ms
        self._pump.opened(epoch)
        self._forget(now_ms)
        self._is_open = True
        self._go_on(None)
        self._settle()

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """Take bytes in any chunking."""
        self._now_ms = now_ms
        for found in self._wire.split(data, now_ms):
            self._heard(found)
        return self._tell()

    def send(self, command: Command, now_ms: int) -> None:
        """Let an order wait for its turn; a stop overtakes everything (`Waiting`)."""
        self._now_ms = now_ms
        if not self._is_open or command.epoch != self._pump.epoch or command.role is not self._pump.role:
            self._drop(command)
            self._settle()
            return
        self._waiting.add(command)
        if self._dialogue is None or (self._waiting.stop and not self._protected):
            self._wire.give_up()
            self._go_on(None)
        self._settle()

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """Deadlines, the re-send, polls."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        self._now_ms = now_ms
        for found in self._wire.expired(now_ms):
            self._heard(found)
        if self._wire.asked is not None:
            if now_ms >= self._wire.due_ms and self._wire.overdue(now_ms):
                self._settled(self._wire.asked)
        elif self._silence_ends_ms is None or now_ms >= self._silence_ends_ms:
            self._go_on(None)
        return self._tell()

    def wake_at(self) -> int | None:
        """The next deadline; None before the first `opened`."""
        return self._due_ms

    def take_output(self) -> bytes:
        """Bytes to write now."""
        return self._wire.take_output()

    def _drop(self, command: Command) -> None:
        self._pump.trouble(
            Trouble.UNEXPECTED, f"{type(command).__name__} is for another connection or pump, dropped"
        )

    def _settle(self) -> None:
        """Work out when `wake` is next wanted."""
        if self._pump.events:
            self._due_ms = self._now_ms
        elif not self._is_open:
            self._due_ms = None
        elif self._wire.asked is not None:
            self._due_ms = self._wire.due_ms
        else:
            self._due_ms = self._next_poll_ms if self._silence_ends_ms is None else self._silence_ends_ms

    def _tell(self) -> list[DeviceEvent]:
        events, self._pump.events = self._pump.events, []
        self._settle()
        return events

    # --- what comes in -----------------------------------------------------------------------

    def _heard(self, found: Reply | Damage) -> None:
        if isinstance(found, Damage):
            self._pump.trouble(Trouble.BAD_FRAME, found.reason)
            return
        asked = self._wire.asked
        if asked is None or found.name != asked.name:
            self._pump.trouble(Trouble.UNEXPECTED, f"reply {found.name!r} answers nothing asked, ignored")
            return
        if self._wire.failures > 0 and self._pump.identity is not None:
            self._pump.suspect = True
        answer = self._wire.heard(found, self._now_ms)
        if answer is not None:
            self._go_on(answer)

    def _settled(self, ask: Ask) -> None:
        """A question's time is over; it was answered once, or not at all."""
        answer = self._wire.give_up()
        if answer is None:
            self._pump.trouble(Trouble.NO_REPLY, f"pump did not answer {ask.name}")
        self._go_on(answer)

    # --- what goes out -----------------------------------------------------------------------

    def _go_on(self, answer: Reply | None) -> None:
        """Hand the answer to the dialogue at hand until it asks again; then begin the next."""
        self._silence_ends_ms = None
        if self._dialogue is not None and self._waiting.stop and not self._protected:
            self._dialogue.close()
            self._dialogue = None
        while True:
            if self._dialogue is None:
                answer = None
                self._dialogue = self._next_dialogue()
                if self._dialogue is None:
                    return
            try:
                step = self._dialogue.send(answer)
            except StopIteration:
                self._dialogue = None
                continue
            if isinstance(step, Silence):
                self._silence_ends_ms = self._now_ms + step.ms
            else:
                self._wire.ask(step, self._now_ms)
            return

    def _next_dialogue(self) -> Talk | None:
        """What matters most now: who it is, stop, who it is again, orders, poll."""
        pump = self._pump
        self._protected = pump.identity is None or self._waiting.stop
        if pump.identity is None:
            return self._identify()
        if self._waiting.stop:
            self._waiting.stop_taken()
            return pump.stop()
        if pump.suspect:
            return self._identify()
        if self._waiting.orders:
            return pump.obey(self._waiting.take())
        if self._now_ms >= self._next_poll_ms:
            in_step_ms = self._next_poll_ms + POLL_MS
            self._next_poll_ms = in_step_ms if in_step_ms > self._now_ms else self._now_ms + POLL_MS
            return self._poll()
        return None

    def _poll(self) -> Talk:
        yield from self._pump.keep_control()
        yield from self._pump.read()

    def _identify(self) -> Talk:
        try:
            identity, status = yield from identify(self._pump.wanted, self._pump.held_modes)
        except Unanswered:
            yield Silence(SEARCH_PAUSE_MS)
            return
        self._pump.identified(identity)
        if identity.response_ms is not None:
            self._wire.response_ms = max(identity.response_ms, self._wire.resend_ms)
        self._next_poll_ms = self._now_ms + POLL_MS
        if status is not None:
            self._pump.take(status)
            yield from self._pump.report(status)


def _check(expected: Expected) -> None:
    if expected.address or expected.diameter_um is not None:
        raise ValueError("an Alaris pump has no address and tells no syringe diameter to compare")
    if expected.watchdog_s not in (None, WATCHDOG_S):
        raise ValueError(f"an Alaris pump stops after {WATCHDOG_S} s of silence, not {expected.watchdog_s} s")
    if expected.read_only:
        return
    if expected.role is not Role.INSULIN:
        raise ValueError("an Alaris pump stops 15 s after the computer falls silent, so insulin only")
    if expected.watchdog_s is None:
        raise ValueError(f"the insulin pump needs its watchdog stated: {WATCHDOG_S} s")
