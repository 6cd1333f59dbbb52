"""The live stack in real time: processes killed, cables pulled, and what the pumps truly did."""

import itertools
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clampctl.core.commands import Role, StopPump
from clampctl.core.events import (
    ClampResumed,
    InsulinStopPressed,
    LinkLost,
    PumpReported,
    SessionResumed,
    Ticked,
    WindowsCounted,
)
from clampctl.core.state import Phase, Priority
from clampctl.engine.guardian import python_command
from clampctl.engine.history import History
from clampctl.engine.replay import Refolded, replay, steps
from simulator.devices.fault import FaultKind
from tests.engine.bedsides import PUMPS, Bed, Nurse, Run, bed, running
from tests.engine.windows import Client, moment, wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and local sockets are POSIX")

KILLS = int(os.environ.get("CLAMPCTL_KILLS", "4"))
"""How often the engine is killed; the campaign of a release sets 20 or more."""

BACK_S = 5.0
STOPPED_MS = 5_000
TICKS_APART_MS = 1_500
FULL_TRACE_S = 2.0
WRITES = re.compile(rb"RAT[\d.]+|RUN|STP")
READS = (b"VER", b"DIS", b"RAT")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bed, Run]]:
    """One session for all tests of this page: each makes sure first that the clamp runs."""
    with running(tmp_path_factory.mktemp("live")) as made:
        yield made


def journal(run: Run) -> list[Refolded]:
    """The steps of the journal so far; a line just being written is left out."""
    data = run.journal.read_bytes()
    return list(steps(data[: data.rfind(b"\n") + 1]))


def attached(run: Run, within_s: float = 20.0) -> Client:
    """A window, as soon as there is one to be had."""

    def found() -> Client | None:
        try:
            return Client(run.address)
        except OSError:
            return None

    return wait_for(found, moment, within_s)


# --- the window may die --------------------------------------------------------------------------


def test_a_killed_window_costs_no_tick_and_the_next_sees_everything(live: tuple[Bed, Run]) -> None:
    _, run = live
    with attached(run) as client:
        Nurse(client).clamps()
        command = python_command(["ui", "--attach", run.address, "--size", "1280x800"])
        window = subprocess.Popen(command, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
        client.wait(lambda: _windows(run) == 2)
        from_ms = journal(run)[-1].at_ms - 3_000
        window.kill()
        window.wait()
        client.wait(lambda: _windows(run) == 1)
        killed_ms = journal(run)[-1].at_ms
        client.sees(lambda now: now.at_ms > killed_ms + 3_000)
    ticks = [one.at_ms for one in journal(run) if isinstance(one.event, Ticked) and one.at_ms >= from_ms]
    assert max(after - before for before, after in itertools.pairwise(ticks)) <= TICKS_APART_MS
    known = _history(journal(run))
    began_s = time.monotonic()
    with attached(run) as late:
        now = late.sees(lambda _: True)
        took_s = time.monotonic() - began_s
    assert took_s <= FULL_TRACE_S
    assert now.phase == "clamp"
    assert late.samples[: len(known.samples)] == known.samples
    assert late.rates[: len(known.rates)] == known.rates
    assert late.events[: len(known.events)] == known.events


def _windows(run: Run) -> int:
    counts = [one.event.count for one in journal(run) if isinstance(one.event, WindowsCounted)]
    return counts[-1]


def _history(past: list[Refolded]) -> History:
    history = History()
    for one in past:
        history.saw(one.seq, one.before, one.event, one.after)
    return history


# --- the engine may die --------------------------------------------------------------------------


@pytest.mark.timeout(60 + 30 * KILLS)
def test_a_killed_engine_is_back_and_insulin_waits_for_the_nurse(live: tuple[Bed, Run]) -> None:
    made, run = live
    moments = random.Random(KILLS)
    back_s = []
    with attached(run) as client:
        Nurse(client).clamps()
    for number in range(KILLS):
        if number % 4 == 3:  # the next engine is killed while it recovers, too
            os.kill(run.engine(len(run.said)), signal.SIGKILL)
            run.engine(len(run.said) + 1)
        threading.Event().wait(moments.uniform(0.0, 0.3 if number % 4 == 3 else 1.5))
        back_s.append(_killed_once(made, run))
        if number % 4 != 1:  # else the next kill meets a session in SAFE-TAIL
            with attached(run) as client:
                Nurse(client).resumes()
    print("back after", " ".join(f"{seconds:.2f}" for seconds in back_s), "s")  # noqa: T201 - the campaign's table
    assert max(back_s) <= BACK_S
    assert replay(_settled(run)).difference is None
    _read_before_written(journal(run))
    _waited_for_the_nurse(journal(run))


def _killed_once(made: Bed, run: Run) -> float:
    """Kill the engine and look at everything it promises; how long it took to be back, s."""
    lives = len(run.said)
    dextrose_ul_h = made.dextrose.flow_ul_h
    os.kill(run.engine(lives), signal.SIGKILL)
    began_s, killed_ms = time.monotonic(), made.clock.now_ms()
    run.engine(lives + 1)
    with attached(run) as client:
        now = client.sees(lambda _: True)
        took_s = time.monotonic() - began_s
        assert now.phase == "fallback"
        restarted = next(alarm for alarm in now.alarms if alarm.name == "engine_restarted")
        assert restarted.priority == "high"
        client.sees(lambda now: now.insulin.verified and now.insulin.reported_ul_h == 0)
        held = client.sees(lambda now: now.dextrose.verified).dextrose.commanded_ul_h
    assert made.insulin.flow_ul_h == 0
    assert made.dextrose.flow_ul_h == held
    flows = made.dextrose.flows_since(killed_ms)
    assert set(flows) <= {dextrose_ul_h, held}
    assert min(flows) >= dextrose_ul_h / 2 > 0
    for role in PUMPS:
        _wire_was_read_first(made, role, killed_ms)
    return took_s


def _wire_was_read_first(made: Bed, role: Role, since_ms: int) -> None:
    """No rate, start or stop went to a pump before it was asked who it is and what it does."""
    heard = b"".join(data for at_ms, data in made.pumps[role].heard if at_ms > since_ms)
    written = WRITES.search(heard)
    before = heard if written is None else heard[: written.start()]
    assert all(question in before for question in READS), heard


def _settled(run: Run) -> Path:
    """A copy of the journal without the line that is just being written."""
    data = run.journal.read_bytes()
    copy = run.journal.with_name("copy.clamp.jsonl")
    copy.write_bytes(data[: data.rfind(b"\n") + 1])
    return copy


def _read_before_written(past: list[Refolded]) -> None:
    """After each start of an engine, a pump gets no order before it reported on its new connection."""
    read: set[Role] = set()
    restarts = 0
    for one in past:
        if isinstance(one.event, SessionResumed):
            read, restarts = set(), restarts + 1
        elif isinstance(one.event, PumpReported):
            pump = one.after.dextrose if one.event.role is Role.DEXTROSE else one.after.insulin
            assert one.event.epoch == pump.epoch
            read.add(one.event.role)
        assert all(command.role in read for command in one.commands)
    assert restarts >= KILLS


def _waited_for_the_nurse(past: list[Refolded]) -> None:
    """From a restart until the nurse resumes, insulin is only ever stopped."""
    waits = False
    for one in past:
        waits = (waits or isinstance(one.event, SessionResumed)) and one.after.phase is Phase.FALLBACK
        if waits:
            insulin = [command for command in one.commands if command.role is Role.INSULIN]
            assert all(isinstance(command, StopPump) for command in insulin)
        elif isinstance(one.event, ClampResumed) and one.before is not None:
            newest = one.before.blood.newest
            assert newest is not None
            assert newest.received_at_ms >= (one.before.safeguards.resumed_at_ms or 0)


# --- a pump may be lost --------------------------------------------------------------------------


def test_without_its_dextrose_pump_insulin_stops_at_once(live: tuple[Bed, Run]) -> None:
    made, run = live
    with attached(run) as client:
        Nurse(client).clamps()
        begun = len(journal(run))
        pulled_ms = made.clock.now_ms()
        made.dextrose.inject("unplug")
        client.sees(lambda now: now.phase == "fallback" and now.insulin.reported_ul_h == 0)
        assert made.insulin.flow_ul_h == 0
        assert made.insulin.flows[-1][0] - pulled_ms <= STOPPED_MS
        past = journal(run)[begun:]
        lost = next(one for one in past if isinstance(one.event, LinkLost))
        assert lost.event == LinkLost(Role.DEXTROSE, getattr(lost.event, "detail", ""))
        _insulin_stopped_within(past, lost)
        assert len([one for one in past if isinstance(one.event, LinkLost)]) == 1
        made.dextrose.clear(FaultKind.UNPLUG)
        Nurse(client).resumes()
    assert min(made.dextrose.flows_since(pulled_ms)) > 0


def test_a_dextrose_pump_that_falls_silent_stops_insulin(live: tuple[Bed, Run]) -> None:
    made, run = live
    with attached(run) as client:
        Nurse(client).clamps()
        begun = len(journal(run))
        made.dextrose.inject("mute")
        client.sees(lambda now: now.phase == "fallback" and now.insulin.reported_ul_h == 0)
        assert made.insulin.flow_ul_h == 0
        past = journal(run)[begun:]
        silent = next(one for one in past if one.after.phase is Phase.FALLBACK)
        assert silent.after.tailing is not None
        assert silent.after.tailing.reason == "no answer from the dextrose pump"
        _insulin_stopped_within(past, silent)
        made.dextrose.clear(FaultKind.MUTE)
        Nurse(client).resumes()


def _insulin_stopped_within(past: list[Refolded], found: Refolded) -> None:
    """Ordered, verified and alarmed within the time from detection, all in the journal."""
    after = [one for one in past if found.seq <= one.seq and one.at_ms <= found.at_ms + STOPPED_MS]
    assert any(isinstance(command, StopPump) for one in after for command in one.commands)
    verified = [one for one in after if isinstance(one.event, PumpReported) and one.after.insulin.verified]
    assert any(one.after.insulin.reported_ul_h == 0 for one in verified)
    alarms = {alarm.name: alarm for one in after for alarm in one.after.alarms}
    assert alarms["dextrose_link"].priority is Priority.HIGH
    assert alarms["safe_tail"].priority is Priority.HIGH
    rows = [row.text for row in _history(after).events if row.kind == "alarm"]
    assert any("Dextrose pump" in text or "dextrose pump" in text for text in rows)


# --- one engine a bed ----------------------------------------------------------------------------


def test_a_second_engine_is_turned_away(live: tuple[Bed, Run]) -> None:
    made, run = live
    run.engine()
    for more, sentence in (((), "exists already"), (("--resume",), "is running already")):
        second = Run(made, "a", more)
        assert second.ended() == 2
        assert sentence in second.errors()
        second.close()
    other = Run(made, "b")
    other.engine()
    with attached(other) as client:
        now = client.sees(lambda now: bool(now.dextrose.trouble) and bool(now.insulin.trouble))
        assert not now.dextrose.connected
        assert not now.insulin.connected
    other.guardian.terminate()
    assert other.ended() == 0
    other.close()
    with attached(run) as client:
        before = client.sees(lambda _: True).at_ms
        client.sees(lambda now: now.at_ms > before + 1_000)
    assert replay(_settled(run)).difference is None


# --- the end -----------------------------------------------------------------------------------


def test_the_end_stops_insulin_and_leaves_dextrose_running(tmp_path: Path) -> None:
    with bed(tmp_path) as made:
        run = Run(made)
        try:
            run.engine()
            with attached(run) as client:
                Nurse(client).starts()
                run.guardian.terminate()
                client.wait(lambda: client.farewell)
            assert run.ended() == 0
        finally:
            run.close()
        assert made.insulin.flow_ul_h == 0
        assert made.dextrose.flow_ul_h > 0
        past = journal(run)
    assert replay(run.journal).difference is None
    assert any(isinstance(one.event, InsulinStopPressed) for one in past)
    last = past[-1].after
    assert last.phase is Phase.FALLBACK
    assert (last.insulin.reported_ul_h, last.insulin.verified) == (0, True)
    assert last.dextrose.reported_ul_h == made.dextrose.flow_ul_h
