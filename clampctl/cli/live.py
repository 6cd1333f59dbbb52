"""Real ports and real time: the engine process and the replay process."""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from clampctl.cli.output import print_json, warn
from clampctl.cli.wiring import line_of, links, opener_of
from clampctl.core.codec import CodecError
from clampctl.core.commands import Role
from clampctl.core.events import Event, SessionResumed
from clampctl.core.protocol import Refusal
from clampctl.core.state import InvariantBroken, Phase, State
from clampctl.core.station import Station
from clampctl.engine.clock import SessionClock, boot_ms, gap_ms, utc_ms, utc_now, wall_at
from clampctl.engine.history import History
from clampctl.engine.journal import Journal, JournalDamaged, JournalInUse, claimed
from clampctl.engine.opening import session_started
from clampctl.engine.ports import NoWire, Wire
from clampctl.engine.process import Begin, Ends, Engine
from clampctl.engine.recovery import cut_tail, fold
from clampctl.engine.server import Server, Sources, listen
from clampctl.engine.snapshot import hello, snapshot
from clampctl.study.station_document import PortSetup, StationDocument
from drivers.catalog import Line

FOLDED_PER_BEAT = 2_000
"""Lines folded between heartbeats, about a fifth of a second's work."""


def synced(handle: int) -> None:
    """Wait until a file's data are on the disk."""
    getattr(os, "fdatasync", os.fsync)(handle)


def run_engine(options: argparse.Namespace, document: StationDocument) -> int:
    """The engine process under its guardian: an empty line on stdout is a heartbeat.

    It speaks for the first time once it can be told to end.
    """
    stop = threading.Event()
    try:
        begin, clock = _begin(options, document)
    except (JournalDamaged, CodecError, InvariantBroken) as damage:
        warn(f"The record {options.journal} is damaged: {damage}. Stop insulin at the pump by hand.")
        return 2
    except JournalInUse as used:
        raise Refusal("journal", f"This session is running already: {used}.") from None
    except FileExistsError:
        raise Refusal(
            "journal", f"{options.journal} exists already; --resume goes on with it, nothing was changed."
        ) from None
    if begin is None:
        return 0
    wall_zero = datetime.now() - timedelta(milliseconds=clock.now_ms())
    ends = {
        role: Ends(link, _opener(document.ports[role], line_of(_driver(document.station, role)), stop))
        for role, link in links(document.station, document.ports, wall_zero).items()
    }
    wires = options.journal.with_suffix(".wires")
    wires.mkdir(mode=0o700, exist_ok=True)
    try:
        engine = Engine(begin, ends, options.address, clock.now_ms, wires)
    except (OSError, ValueError) as error:
        if options.resume:
            raise  # the guardian tries again
        raise Refusal("address", f"No window could attach: {error}.") from None
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: engine.end())
    print_json({"address": engine.address, "journal": str(options.journal), "pid": os.getpid()})
    try:
        engine.run(_beat)
    finally:
        stop.set()
    if not engine.insulin_is_off():
        warn("The insulin pump did not confirm its stop. Look at the pump and stop it there.")
        return 1
    return 0


class _Folding:
    """A heartbeat while a long journal is folded: an engine that reads is not one that hangs."""

    def saw(self, seq: int, _before: State | None, _event: Event, _after: State) -> None:
        """One line was folded."""
        if seq % FOLDED_PER_BEAT == 0:
            _beat()


def _beat() -> None:
    """Tell the guardian; one that is gone is no reason to stop."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write("\n")
        sys.stdout.flush()


def _begin(options: argparse.Namespace, document: StationDocument) -> tuple[Begin | None, SessionClock]:
    """A new session, or an old one taken up again; None when the old one is closed."""
    path: Path = options.journal
    if options.resume and path.exists():
        claimed(path)
        history = History()
        folded = fold(path, (history, _Folding()))
        cut_tail(path, folded)
        if folded.state is not None:
            if folded.state.phase is Phase.CLOSED:
                return None, SessionClock()
            last_ms = folded.state.at_ms
            gap = _gap_since(folded.anchor_utc, folded.anchor_at_ms, last_ms)
            clock = SessionClock(last_ms + gap)
            journal = Journal(path, synced, folded.sha256, folded.seq)
            resumed = SessionResumed(gap, folded.torn or "the engine was started again", utc_now())
            return Begin(journal, resumed, folded.state, history), clock
        path.unlink()
    if document.protocol is None or document.subject is None:
        raise Refusal("station", "The station names no protocol or no subject.")
    started = session_started(
        document.protocol,
        document.subject,
        document.station,
        path.name.removesuffix(".clamp.jsonl"),
        utc_now(),
    )
    journal = Journal(path, synced)
    claimed(path)
    return Begin(journal, started, None, History()), SessionClock()


def _gap_since(anchor_utc: str, anchor_at_ms: int, last_ms: int) -> int:
    """How long nobody was there, by the wall clock; 0 where the journal does not say."""
    try:
        anchor_ms = round(datetime.fromisoformat(anchor_utc).timestamp() * 1000)
    except ValueError:
        return 0
    return gap_ms(anchor_ms + last_ms - anchor_at_ms, utc_ms())


def _driver(station: Station, role: Role) -> str:
    if role is Role.ANALYZER:
        return station.analyzer.driver
    return (station.dextrose_pump if role is Role.DEXTROSE else station.insulin_pump).driver


def _opener(port: PortSetup, line: Line, stop: threading.Event) -> Callable[[], Wire]:
    if port.port is None:
        return partial(NoWire, stop)
    return opener_of(port.port, port.baud or line.baud, port.frame or line.frame)


@contextmanager
def served_journal(path: Path) -> Iterator[str]:
    """A finished journal on the wire, for as long as the block lasts; gives the address.

    Raises `Refusal` for a journal that cannot be read.
    """
    history = History()
    try:
        state = fold(path, (history,)).state
    except (JournalDamaged, ValueError) as damage:
        raise Refusal("file", f"{path} cannot be shown: {damage}.") from None
    if state is None:
        raise Refusal("file", f"{path} holds no session.")
    shown: State = state
    wall_utc = wall_at(shown.session.started_utc, shown.at_ms)
    stop = threading.Event()
    with tempfile.TemporaryDirectory(prefix="clampctl-") as folder:
        listening, address = listen(str(Path(folder) / "replay.sock"))
        sources = Sources(
            hello=lambda: hello(shown, live=False),
            snapshot=lambda: snapshot(shown, history, wall_utc, shown.at_ms),
            history=history,
            post=None,
            windows_changed=lambda _: None,
            real_ms=boot_ms,
        )
        thread = threading.Thread(target=Server(listening, sources, stop).run, name="replay")
        thread.start()
        try:
            yield address
        finally:
            stop.set()
            thread.join()
