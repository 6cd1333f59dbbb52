"""Link to a New Era NE-500/1000/1600/4000 or WPI Aladdin syringe pump, for either role.

Insulin: Safe framing, a watchdog that is proven before use. Dextrose: Basic framing, no timer.
Source: pumps reference 2, 10, 11 (New Era manuals; what they leave open is labelled there). A lost
reply means "unknown": RUN is never sent twice for one order. This file decides what is said next;
the dialogues are in `new_era_identify` and `new_era_orders`, deadlines in `new_era_wire`, numbers in
`new_era_text`.
"""

from clampctl.core.commands import Command, Role, StartPump
from clampctl.core.events import DeviceEvent, Trouble
from drivers.capabilities import RIGHT_ON_SILENCE, PumpCapabilities, Watchdog
from drivers.framing import Damage, Frame, Framing
from drivers.link import Expected
from drivers.pumps.new_era_identify import Dialogue, Setup, Unanswered, identify, probe
from drivers.pumps.new_era_orders import Pump, Talk
from drivers.pumps.new_era_text import MAX_WATCHDOG_S, RATE_STEPS, Reply, parse_reply, rate_limits_ul_h
from drivers.pumps.new_era_wire import TRIES, Ask, Silence, Wire
from drivers.waiting import Waiting

__all__ = ["CAPABILITIES", "RATE_STEPS", "NewEra", "rate_limits_ul_h"]

CAPABILITIES = PumpCapabilities(
    rate_ul_h_min=30,
    rate_ul_h_max=1_500_000,
    rate_steps=RATE_STEPS,
    watchdog=Watchdog.SETTABLE,
    watchdog_s=5,
    on_silence=RIGHT_ON_SILENCE,
    counter_quantum_ul=1,
    has_syringe=True,
    units_locked_while_running=True,
    keypad_lock=False,
    senses=("stall",),
)
"""The family as sheet 2 has it. The range is this program's habit inside what 20 to 60 mL syringes
allow; the syringe's own limits come from `rate_limits_ul_h` (2.5). `watchdog_s` is `SAF5` (2.7).
Dextrose keeps running in Basic framing by inference only (1): prove it with a cable pull. The counter
is finest below 10 mL and steps by 100 µL above 100 mL (2.5). A keypad lock exists, its use does not
hold outside a program (2.5). Stall is all it senses (10.3 rule 6).
"""

POLL_MS = 1000
"""One exchange a second, rate and volume in turn: a full reading every two seconds (pumps 2.7)."""

SEARCH_PAUSE_MS = 1000
"""Pause before a pump that answers in neither framing is sought again."""


class NewEra:
    """One pump on one wire. `watchdog_s` None: Basic framing, must not stop on silence.

    `diameter_um` is compared with the pump's, never set. `addressed` False leaves address 0 away in
    Safe framing, as the manual prints it. `read_only` only looks: no set-up, no orders but stop.
    Errors: ValueError for an address outside 0 to 99, no diameter, a serial number (the pump tells
    none), a watchdog outside 1 to 255 s, an insulin pump without a watchdog or another with one.
    """

    def __init__(self, expected: Expected, *, addressed: bool = True) -> None:
        watchdog_s = expected.watchdog_s
        if not 0 <= expected.address <= 99:
            raise ValueError(f"pump address {expected.address} is not 0 to 99")
        if expected.diameter_um is None:
            raise ValueError("a syringe pump needs the diameter of its syringe")
        if expected.serial:
            raise ValueError("a New Era pump does not tell a serial number, so none can be expected")
        if watchdog_s is not None and not 1 <= watchdog_s <= MAX_WATCHDOG_S:
            raise ValueError(f"watchdog {watchdog_s} s is not 1 to {MAX_WATCHDOG_S} s")
        if (expected.role is Role.INSULIN) != (watchdog_s is not None):
            raise ValueError("the insulin pump needs a watchdog, and no other pump may have one")
        setup = Setup(expected.diameter_um, expected.model, watchdog_s, expected.read_only)
        self._pump = Pump(expected.role, setup)
        self._wire = Wire(expected.address, addressed)
        self._waiting = Waiting()
        self._is_open = False
        self._forget(0)

    def _forget(self, now_ms: int) -> None:
        self._dialogue: Dialogue[object] | None = None
        self._protected = False
        self._silence: Silence | None = None
        self._silence_ends_ms = now_ms
        self._volume_next = False
        self._next_poll_ms = now_ms
        self._now_ms = now_ms
        self._due_ms: int | None = None

    # --- the contract ------------------------------------------------------------------------

    def opened(self, epoch: int, now_ms: int) -> None:
        """A wire was opened: whatever waits is dropped, the pump is asked who it is."""
        for order in self._waiting.drop_all():
            self._drop(order)
        self._wire.opened()
        self._pump.opened(epoch)
        self._forget(now_ms)
        self._is_open = True
        self._go_on(None)
        self._settle()

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """Take bytes in any chunking."""
        self._now_ms = now_ms
        for frame in self._wire.split(data, now_ms):
            self._heard(frame)
        return self._tell()

    def send(self, command: Command, now_ms: int) -> None:
        """Let an order wait for its turn; a stop overtakes everything (`Waiting`)."""
        self._now_ms = now_ms
        if not self._is_open or command.epoch != self._pump.epoch or command.role is not self._pump.role:
            self._drop(command)
            self._settle()
            return
        self._waiting.add(command)
        if isinstance(command, StartPump):
            self._pump.alarm_since_start = None
        stop_now = self._waiting.stop and not self._protected
        if self._wire.asked is None and (self._dialogue is None or stop_now):
            self._go_on(None)
        self._settle()

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """Deadlines, repeats, polls."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        self._now_ms = now_ms
        if self._wire.asked is not None:
            if now_ms >= self._wire.deadline_ms:
                self._missed(self._wire.asked)
        elif self._silence is not None:
            if now_ms >= self._silence_ends_ms:
                self._go_on(self._wire.alarm)
        elif self._is_open:
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
            self._due_ms = self._wire.deadline_ms
        else:
            self._due_ms = self._next_poll_ms if self._silence is None else self._silence_ends_ms

    def _tell(self) -> list[DeviceEvent]:
        events, self._pump.events = self._pump.events, []
        self._settle()
        return events

    # --- what comes in -----------------------------------------------------------------------

    def _heard(self, frame: Frame | Damage) -> None:
        if isinstance(frame, Damage):
            self._pump.trouble(Trouble.BAD_FRAME, frame.reason)
            return
        reply = parse_reply(frame)
        if reply is None:
            self._pump.trouble(Trouble.BAD_FRAME, f"unreadable reply {frame.payload!r}")
        elif reply.address != self._wire.address:
            self._pump.trouble(Trouble.UNEXPECTED, f"reply from address {reply.address:02d}, ignored")
        elif reply.alarm is not None:
            self._alarmed(reply, reply.alarm)
        elif self._wire.asked is None or not self._wire.fits(reply):
            self._pump.trouble(Trouble.UNEXPECTED, f"reply {frame.payload!r} answers nothing asked, ignored")
        else:
            self._answered(self._wire.asked, reply)

    def _answered(self, ask: Ask, reply: Reply) -> None:
        name = ask.text or "status"
        if reply.error in ("?COM", "?IGN") and self._wire.repeat(self._now_ms):
            self._pump.trouble(Trouble.BAD_FRAME, f"pump did not take {name} ({reply.error})")
            return
        if reply.error is not None and not ask.error_expected:
            self._pump.trouble(Trouble.REFUSED, f"pump refused {name} ({reply.error})")
        self._pump.note(reply)
        self._finish(reply)

    def _finish(self, reply: Reply) -> None:
        """The question is settled. After an outage another pump may hang on the wire."""
        if self._wire.failures >= TRIES and self._pump.identity is not None:
            self._pump.suspect = True
        self._wire.answered(reply)
        self._go_on(reply)

    def _alarmed(self, reply: Reply, alarm: str) -> None:
        """Tell it at once. In Safe framing it may be unsolicited, so the question stays open."""
        self._wire.alarm = reply
        doing = self._wire.asked or self._silence
        if doing is None or not doing.alarm_expected:
            self._pump.alarmed(alarm)
        if self._wire.asked is not None and reply.framing is Framing.BASIC:
            self._finish(reply)

    def _missed(self, ask: Ask) -> None:
        """A deadline passed: an alarm was the answer, or there was none."""
        alarm = self._wire.alarm
        if alarm is not None:
            self._finish(alarm)
            return
        self._wire.missed()
        if self._wire.failures >= TRIES:
            self._pump.trouble(Trouble.NO_REPLY, f"pump did not answer {ask.text or 'status'}")
        stop_now = self._waiting.stop and not self._protected
        if stop_now or not self._wire.repeat(self._now_ms):
            self._wire.give_up()
            self._go_on(None)

    # --- what goes out -----------------------------------------------------------------------

    def _go_on(self, answer: Reply | None) -> None:
        """Hand the answer to the dialogue at hand until it asks again; then begin the next."""
        self._silence = None
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
            self._take_step(step)
            return

    def _take_step(self, step: Ask | Silence) -> None:
        if isinstance(step, Ask):
            self._wire.ask(step, self._now_ms)
        else:
            self._silence = step
            self._silence_ends_ms = self._now_ms + step.ms
            self._wire.alarm = None

    def _next_dialogue(self) -> Dialogue[object] | None:
        """What matters most now: framing, stop, identity, orders, poll."""
        framing = self._wire.framing
        self._protected = framing is None or self._waiting.stop
        if framing is None:
            return self._probe()
        if self._waiting.stop:
            self._waiting.stop_taken()
            return self._pump.stop()
        if self._pump.identity is None:
            return self._identify(framing)
        if self._pump.suspect:
            return self._pump.check_again(self._pump.identity)
        if self._waiting.orders:
            return self._pump.obey(self._waiting.take(), framing, silent=self._wire.failures >= TRIES)
        if self._now_ms >= self._next_poll_ms:
            in_step_ms = self._next_poll_ms + POLL_MS
            self._next_poll_ms = in_step_ms if in_step_ms > self._now_ms else self._now_ms + POLL_MS
            self._volume_next = not self._volume_next
            return self._pump.read_rate() if self._volume_next else self._pump.read_volume()
        return None

    def _probe(self) -> Talk:
        self._wire.framing = yield from probe()
        if self._wire.framing is None:
            yield Silence(SEARCH_PAUSE_MS)

    def _identify(self, framing: Framing) -> Talk:
        try:
            identity = yield from identify(self._pump.setup, framing)
        except Unanswered:
            self._wire.framing = None
            return
        self._pump.identified(identity)
        self._next_poll_ms = self._now_ms + POLL_MS
        self._volume_next = False
