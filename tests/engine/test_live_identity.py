"""Who is at the other end, live: a device in use, a pump switched off, a key pressed, cables swapped.

Real processes and real time, as in `test_live`; each test ends what it began.
"""

import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

import pytest

from clampctl.core.commands import Role, StartPump, StopPump
from clampctl.core.events import LinkLost, LinkTroubled, PumpIdentified, PumpReported
from clampctl.core.state import Phase
from clampctl.core.state import Pump as KnownPump
from clampctl.engine.clock import SessionClock
from clampctl.engine.replay import Refolded, replay, steps
from simulator.devices.new_era import NewEra
from simulator.devices.ysi import Ysi
from simulator.furniture import USUAL, furniture
from simulator.transport import PseudoTerminal, TcpPort, serve, served
from tests.engine.bedsides import PUMPS, Bed, Nurse, Overheard, Pump, Run, bed, running
from tests.engine.windows import Client, moment, wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and local sockets are POSIX")

WRITES = re.compile(rb"RAT[\d.]+|RUN|STP|SAF\d|DIR[IW]|VOL\d|PHN|FUN")
"""Everything that starts, stops, sets or programs a New Era pump."""

WITHIN_MS = 10_000
"""A change at the pump is found and alarmed within seconds: a poll, and the patience of read-back."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bed, Run]]:
    """One session for the tests that leave it running."""
    with running(tmp_path_factory.mktemp("identity")) as made:
        yield made


def past(run: Run, since: int = 0) -> list[Refolded]:
    """The journal's steps so far from a number on; a line just being written is left out."""
    data = run.journal.read_bytes()
    return list(steps(data[: data.rfind(b"\n") + 1]))[since:]


def attached(run: Run) -> Client:
    """A window, as soon as there is one to be had."""

    def found() -> Client | None:
        try:
            return Client(run.address)
        except OSError:
            return None

    return wait_for(found, moment)


def whole(run: Run) -> Path:
    """A copy of the journal without the line that is just being written."""
    data = run.journal.read_bytes()
    copy = run.journal.with_name("copy.clamp.jsonl")
    copy.write_bytes(data[: data.rfind(b"\n") + 1])
    return copy


def heard(pump: Pump, since: int) -> bytes:
    """What was written to a pump after so many messages."""
    return b"".join(data for _, data in pump.heard[since:])


def pump_of(one: Refolded, role: Role) -> KnownPump:
    """What the core knew of a pump after a step."""
    return one.after.dextrose if role is Role.DEXTROSE else one.after.insulin


def alarmed(steps_since: list[Refolded], name: str) -> Refolded:
    """The first step after which an alarm stands."""
    return next(one for one in steps_since if any(alarm.name == name for alarm in one.after.alarms))


# --- one program a device ------------------------------------------------------------------------


def test_a_second_run_on_the_same_ports_is_locked_out(live: tuple[Bed, Run]) -> None:
    made, run = live
    with attached(run) as client:
        Nurse(client).clamps()
        begun, lives = len(past(run)), len(run.said)
        second = Run(made, "second")
        try:
            second.engine()
            with attached(second) as other:
                now = other.sees(lambda now: bool(now.dextrose.trouble) and bool(now.insulin.trouble))
                for view in (now.dextrose, now.insulin):
                    assert not view.connected
                    sentence = (
                        rf"cannot open the port: \S+ is locked: another program \(process {run.engine()}\)"
                    )
                    assert re.match(sentence, view.trouble), view.trouble
            seen_ms = client.sees(lambda _: True).at_ms
            client.sees(lambda now: now.at_ms > seen_ms + 1_000)
        finally:
            second.close()
        Nurse(client).sees_insulin()
        assert client.sees(lambda _: True).phase == "clamp"
    undisturbed = past(run, begun)
    assert not [one for one in undisturbed if isinstance(one.event, LinkLost | PumpIdentified | LinkTroubled)]
    assert len(run.said) == lives
    told = [one.event for one in past(second) if isinstance(one.event, LinkLost)]
    assert sorted(event.role.value for event in told) == ["analyzer", "dextrose", "insulin"]
    assert replay(whole(run)).difference is None


# --- someone at the pump -------------------------------------------------------------------------


def test_a_rate_changed_at_the_pump_is_found_alarmed_and_not_fought(live: tuple[Bed, Run]) -> None:
    made, run = live
    with attached(run) as client:
        Nurse(client).clamps()
        begun, said, commanded_ul_h = len(past(run)), len(made.dextrose.heard), made.dextrose.flow_ul_h
        changed_ul_h = 2 * commanded_ul_h
        made.dextrose.inject(f"key=rate,{changed_ul_h}")
        client.sees(lambda now: any(alarm.name == "dextrose_rate" for alarm in now.alarms))
        since = past(run, begun)
        assert made.dextrose.flow_ul_h == changed_ul_h
        assert WRITES.search(heard(made.dextrose, said)) is None
        made.dextrose.inject(f"key=rate,{commanded_ul_h}")
        client.sees(lambda now: now.dextrose.reported_ul_h == commanded_ul_h)
    first = next(one for one in since if reports(one, Role.DEXTROSE, changed_ul_h))
    found = alarmed(since, "dextrose_rate")
    assert found.at_ms - first.at_ms <= WITHIN_MS
    (alarm,) = (alarm for alarm in found.after.alarms if alarm.name == "dextrose_rate")
    assert f"runs {changed_ul_h / 1000:.2f} mL/h" in alarm.text
    assert f"commanded {commanded_ul_h / 1000:.2f}" in alarm.text
    assert all(command.role is Role.INSULIN for one in since for command in one.commands)


def reports(one: Refolded, role: Role, rate_ul_h: int) -> bool:
    event = one.event
    return isinstance(event, PumpReported) and event.role is role and event.rate_ul_h == rate_ul_h


@pytest.mark.parametrize("role", PUMPS)
def test_a_pump_switched_off_and_on_is_found_and_not_started_by_itself(
    live: tuple[Bed, Run], role: Role
) -> None:
    made, run = live
    pump = made.pumps[role]
    with attached(run) as client:
        Nurse(client).clamps()
        begun, said = len(past(run)), len(pump.heard)
        pump.inject("power_cycle")
        client.sees(lambda now: now.phase == "fallback" and now.insulin.reported_ul_h == 0)
        began_ms = client.sees(lambda _: True).at_ms
        client.sees(lambda now: now.at_ms > began_ms + 3_000)
        assert (pump.flow_ul_h, made.insulin.flow_ul_h) == (0, 0)
        words = heard(pump, said)
    since = past(run, begun)
    told = next(one for one in since if isinstance(one.event, PumpReported) and one.event.alarm == "reset")
    assert told.after.phase is Phase.FALLBACK
    assert alarmed(since, f"{role.value}_pump_alarm").seq == told.seq
    assert any(isinstance(c, StopPump) and c.role is Role.INSULIN for c in told.commands)
    assert b"RUN" not in words
    assert all(question in words for question in (b"VER", b"DIA", b"RAT")), words
    assert not any(isinstance(command, StartPump) for one in since for command in one.commands)


# --- cables --------------------------------------------------------------------------------------


def test_pumps_swapped_while_the_program_was_away_get_no_order(tmp_path: Path) -> None:
    with bed(tmp_path) as made:
        first = Run(made)
        try:
            first.engine()
            with attached(first) as client:
                Nurse(client).starts()
            first.guardian.terminate()
            assert first.ended() == 0
        finally:
            first.close()
        dextrose_ul_h, begun = made.dextrose.flow_ul_h, len(past(first))
        said = {role: len(made.pumps[role].heard) for role in PUMPS}
        swap_ports(made.station)
        again = Run(made, "a", ("--resume",))
        try:
            again.engine()
            with attached(again) as client:
                began_ms = client.sees(lambda _: True).at_ms
                now = client.sees(lambda now: now.at_ms > began_ms + 5_000)
        finally:
            again.close()
        for role in PUMPS:
            words = heard(made.pumps[role], said[role])
            assert words
            assert WRITES.search(words) is None, words
        assert (made.dextrose.flow_ul_h, made.insulin.flow_ul_h) == (dextrose_ul_h, 0)
        assert dextrose_ul_h > 0
    urgent = {alarm.name for alarm in now.alarms if alarm.priority == "high"}
    for role in PUMPS:
        assert urgent & {f"{role.value}_link", f"{role.value}_identity"}, urgent
    assert not any(pump_of(one, role).identified for one in past(again, begun) for role in PUMPS)


def swap_ports(station: Path) -> None:
    """Write the station's document as if the two pumps' cables were exchanged."""
    text = station.read_text()
    dextrose, insulin, _ = re.findall(r'port = "(.*)"', text)
    text = text.replace(dextrose, "<insulin>").replace(insulin, dextrose).replace("<insulin>", insulin)
    station.write_text(text)


class Adapter:
    """A pump's USB adapter: its name is a link to the terminal that it has today."""

    def __init__(self, name: Path, pump: Pump, clock: SessionClock) -> None:
        self.name = name
        self.terminals: list[str] = []
        self._pump = pump
        self._clock = clock
        self._pull: Callable[[], None] = lambda: None

    def plug(self) -> None:
        """Give the adapter a new terminal, and its old name."""
        terminal, stop = PseudoTerminal(), threading.Event()
        self.terminals.append(terminal.address)
        self.name.unlink(missing_ok=True)
        self.name.symlink_to(terminal.address)
        device = Overheard(self._pump.device, self._pump.heard)
        arguments = (device, terminal, self._clock.now_ms, stop, self._pump.turn)
        thread = threading.Thread(target=serve, args=arguments, name=f"adapter {terminal.address}")
        thread.start()

        def pull() -> None:
            stop.set()
            thread.join()

        self._pull = pull

    def pull(self) -> None:
        """Take it out: the terminal is gone, and whoever has it open is told."""
        self._pull()


@contextmanager
def adapted(folder: Path) -> Iterator[tuple[Bed, Adapter]]:
    """A bed whose dextrose pump is on an adapter that may come back under another name."""
    stands, clock = furniture(USUAL), SessionClock()
    pumps = {role: Pump(cast(NewEra, stands.devices[role])) for role in PUMPS}
    adapter = Adapter(folder / "usb-dextrose", pumps[Role.DEXTROSE], clock)
    with ExitStack() as stack:
        insulin = Overheard(pumps[Role.INSULIN].device, pumps[Role.INSULIN].heard)
        turn = pumps[Role.INSULIN].turn
        addresses = {
            Role.DEXTROSE: str(adapter.name),
            Role.INSULIN: stack.enter_context(served(insulin, TcpPort(), clock.now_ms, turn)),
            Role.ANALYZER: stack.enter_context(served(Ysi(), TcpPort(), clock.now_ms)),
        }
        adapter.plug()
        stack.callback(adapter.pull)
        made = Bed(folder, addresses, pumps)
        made.clock = clock
        yield made, adapter


def test_an_adapter_that_comes_back_under_another_name_is_found_and_its_pump_adopted(tmp_path: Path) -> None:
    with adapted(tmp_path) as (made, adapter):
        run = Run(made)
        try:
            run.engine()
            with attached(run) as client:
                Nurse(client).starts()
                begun, held_ul_h = len(past(run)), made.dextrose.flow_ul_h
                adapter.pull()
                client.sees(lambda now: not now.dextrose.connected and now.insulin.reported_ul_h == 0)
                said = len(made.dextrose.heard)
                holder = PseudoTerminal()  # takes the old name, so that the adapter gets another
                adapter.plug()
                client.sees(lambda now: now.dextrose.connected and now.dextrose.verified)
                holder.close()
        finally:
            run.close()
        assert adapter.terminals[0] != adapter.terminals[1]
        assert WRITES.search(heard(made.dextrose, said)) is None
        assert made.dextrose.flows_since(0)[-1] == held_ul_h > 0
    since = past(run, begun)
    (lost,) = (one for one in since if isinstance(one.event, LinkLost) and one.event.role is Role.DEXTROSE)
    assert lost.after.phase is Phase.FALLBACK
    found = [one.event for one in since if isinstance(one.event, PumpIdentified)]
    assert [(event.role, event.mismatch) for event in found] == [(Role.DEXTROSE, None)]
    assert replay(whole(run)).difference is None
