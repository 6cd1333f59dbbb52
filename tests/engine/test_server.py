"""The server: the whole past to each window, receipts for acts, and no harm from a bad window."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from clampctl.core.codec import plain
from clampctl.core.events import Event, GlucoseSampled, NoteLogged, SampleKind, Ticked
from clampctl.engine import server as room
from clampctl.engine.history import History
from clampctl.engine.replay import Refolded
from clampctl.engine.server import ACT_BYTES_MAX, SILENT_MS_MAX, WINDOWS_MAX, Server, Sources, listen
from clampctl.engine.snapshot import hello, snapshot
from clampctl.engine.wire import EventRow, Hello, Rows, Snapshot
from tests.engine.windows import Client, wait_for


class Hall:
    """A server that turns in the test's thread, on a past that the test writes."""

    def __init__(self, folder: Path, past: list[Refolded]) -> None:
        self.history, self.posted, self.counts = History(), list[Event](), list[int]()
        self.answers: list[Callable[[int, str], None]] = []
        self.has_room, self.at_ms = True, 0
        for one in past:
            self.history.saw(one.seq, one.before, one.event, one.after)
            self.state = one.after
        listening, self.address = listen(str(folder / "s"))
        self.sources = Sources(
            lambda: hello(self.state, live=True),
            lambda: snapshot(self.state, self.history, "", self.state.at_ms),
            self.history,
            self._post,
            self.counts.append,
            lambda: self.at_ms,
        )
        self.server = Server(listening, self.sources, threading.Event())
        listening.setblocking(False)
        self.server._selector.register(listening, 1)

    def _post(self, event: Event, answer: Callable[[int, str], None]) -> bool:
        self.posted.append(event)
        self.answers.append(answer)
        return self.has_room

    def turn(self, _wait_s: float = 0.0) -> None:
        """One turn of the server; its clock moves on by a tenth of a second."""
        self.at_ms += 100
        self.server._turn(0.0)

    def until(self, client: Client, found: Callable[[], object]) -> None:
        """Turn the server and read, until it is so."""

        def both(_wait_s: float) -> None:
            self.turn()
            client.pump(0.0)

        wait_for(lambda: found() or None, both)

    def buffered(self) -> list[int]:
        """What waits to be written to each window."""
        return [len(window.out) for window in self.server._windows.values()]


def _last_is(client: Client, row: EventRow) -> bool:
    return client.events[-1] == row


@pytest.fixture
def hall(tmp_path: Path, clamp_steps: list[Refolded]) -> Iterator[Hall]:
    made = Hall(tmp_path, clamp_steps)
    yield made
    for window in list(made.server._windows.values()):
        made.server._drop(window)
    made.server._selector.close()
    made.server._listening.close()


@contextmanager
def window(hall: Hall) -> Iterator[Client]:
    """A window that has been greeted and shown everything."""
    with Client(hall.address) as client:
        hall.until(client, lambda: client.now)
        yield client


# --- what a window is told -----------------------------------------------------------------------


def test_a_window_is_greeted_then_told_the_past_then_the_present(hall: Hall) -> None:
    with window(hall) as client:
        assert client.kinds[:3] == [Hello, Rows, Snapshot]
        assert client.hello == hello(hall.state, live=True)
        assert client.now == snapshot(hall.state, hall.history, "", hall.state.at_ms)
        assert (client.samples, client.rates) == (hall.history.samples, hall.history.rates)
        assert client.events == hall.history.events
        assert len(client.samples) > 3


def test_a_second_window_sees_the_whole_past_and_both_see_what_follows(hall: Hall) -> None:
    with window(hall) as first, window(hall) as second:
        assert second.events == first.events == hall.history.events
        row = EventRow(99_999, 1, "operator", "later", "ab")
        hall.history.events.append(row)
        for client in (first, second):
            hall.until(client, partial(_last_is, client, row))
            assert client.events == hall.history.events


def test_a_long_past_comes_in_pieces(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "ROWS_MAX", 3)
    with window(hall) as client:
        assert client.events == hall.history.events
        assert client.rates == hall.history.rates
        assert client.kinds.count(Rows) >= len(hall.history.events) // 3
        assert client.kinds.index(Snapshot) > client.kinds.count(Rows) - 1


def test_the_longest_acts_never_fill_a_frame(hall: Hall) -> None:
    text = "\u0001" * 650
    assert len(str(plain(NoteLogged(text, "ab"))).encode()) < ACT_BYTES_MAX
    hall.history.events[:] = [EventRow(0, 0, "operator", "µ" * ACT_BYTES_MAX, "ab")] * (3 * room.ROWS_MAX)
    with window(hall) as client:
        assert client.events == hall.history.events


def test_windows_are_counted_as_they_come_and_go(hall: Hall) -> None:
    hall.turn()
    assert hall.counts == [0]
    with window(hall) as first:
        assert hall.counts[-1] == 1
        with window(hall):
            assert hall.counts[-1] == 2
        hall.until(first, lambda: hall.counts[-1] == 1)
    wait_for(lambda: hall.counts[-1] == 0, hall.turn)


def test_one_window_too_many_is_sent_away(hall: Hall) -> None:
    many = [Client(hall.address) for _ in range(WINDOWS_MAX)]
    for client in many:
        hall.until(client, partial(getattr, client, "now"))
    with Client(hall.address) as late:
        hall.until(late, lambda: late.gone)
        assert late.farewell is not None
        assert late.farewell.reason == "too many windows"
    for client in many:
        client.__exit__()


# --- acts --------------------------------------------------------------------------------------


def test_an_act_becomes_an_event_and_gets_one_receipt(hall: Hall) -> None:
    with window(hall) as client:
        number = client.act(NoteLogged("line flushed", "ab"))
        hall.until(client, lambda: hall.posted)
        assert hall.posted == [NoteLogged("line flushed", "ab")]
        hall.answers[0](41, "no")
        hall.until(client, lambda: number in client.receipts)
        assert (client.receipts[number].seq, client.receipts[number].refused) == (41, "no")


def test_a_glucose_typed_in_a_window_is_an_act(hall: Hall) -> None:
    event = GlucoseSampled("typed", 91.0, None, SampleKind.PATIENT, "keyed", "91", "mg/dL", ())
    with window(hall) as client:
        client.act(event)
        hall.until(client, lambda: hall.posted)
        assert hall.posted == [event]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"type": "Nonsense"}, "does not know this act"),
        ({"type": "NoteLogged", "text": "a"}, "does not know this act"),
        ({"type": "NoteLogged", "text": "a", "actor": 3}, "does not know this act"),
        ({}, "does not know this act"),
        (plain(Ticked()), "cannot be done from a window"),
        ({"type": "LinkLost", "role": "insulin", "detail": ""}, "cannot be done"),
        ({"type": "ProposalConfirmed", "proposal": 1 << 54, "actor": "ab"}, "out of every range"),
        ({"type": "ProposalConfirmed", "proposal": -(1 << 60), "actor": "ab"}, "out of every range"),
    ],
)
def test_an_act_that_is_none_is_refused_by_a_receipt(
    hall: Hall, body: dict[str, object], sentence: str
) -> None:
    with window(hall) as client:
        number = client.act(body)
        hall.until(client, lambda: number in client.receipts)
        assert client.receipts[number].seq is None
        assert sentence in client.receipts[number].refused
        assert hall.posted == []
        assert not client.gone


def test_an_act_without_room_is_refused(hall: Hall) -> None:
    hall.has_room = False
    with window(hall) as client:
        number = client.act(NoteLogged("a", "ab"))
        hall.until(client, lambda: number in client.receipts)
        assert "busy" in client.receipts[number].refused


def test_a_receipt_for_a_window_that_left_harms_nobody(hall: Hall) -> None:
    with window(hall) as client:
        client.act(NoteLogged("a", "ab"))
        hall.until(client, lambda: hall.posted)
    wait_for(lambda: hall.counts[-1] == 0, hall.turn)
    hall.answers[0](1, "")
    hall.turn()
    with window(hall) as client:
        assert client.now is not None


# --- bad windows -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        (ACT_BYTES_MAX + 1).to_bytes(4, "big"),
        b"\x00\x00\x00\x02{}",
        b"\x00\x00\x00\x03\xff\xfe\xfd",
        b"GET / HTTP/1.1\r\n\r\n",
        (4_000).to_bytes(4, "big") + b'{"type":"act","act":1,"event":{"a":'.ljust(4_000, b"["),
    ],
)
def test_a_hostile_frame_gets_a_farewell_and_the_door(hall: Hall, data: bytes) -> None:
    with window(hall) as good, window(hall) as bad:
        bad.say(data)
        hall.until(bad, lambda: bad.gone)
        assert bad.farewell is not None
        assert "not understood" in bad.farewell.reason
        shown = good.kinds.count(Snapshot)
        hall.until(good, lambda: good.kinds.count(Snapshot) > shown)


def test_a_slow_reader_does_not_grow_memory(hall: Hall) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as slow:
        slow.connect(hall.address)
        full = 0
        for turn in range(2_000):
            if turn % 20 == 0:
                slow.send(b"\x00\x00\x00\x18" + b'{"type":"beat","wire":1}')
            hall.history.events.append(EventRow(turn, turn, "operator", "x" * 2_000, "ab"))
            hall.turn()
            full = max([full, *hall.buffered()])
        assert 0 < full < 1 << 20
        assert len(hall.buffered()) == 1


def test_acts_without_reading_receipts_end_in_disconnection(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "BUFFER_BYTES_MAX", 100_000)
    with Client(hall.address) as greedy:
        hall.turn()
        most = 0
        for _ in range(40_000):
            if hall.counts[-1:] == [0]:
                break
            greedy.act({"type": "Nonsense"})
            hall.turn()
            most = max([most, *hall.buffered()])
        assert hall.counts[-1] == 0
        assert most <= 100_000


def test_a_silent_window_is_gone(hall: Hall) -> None:
    with window(hall):
        hall.at_ms += SILENT_MS_MAX + 1
        wait_for(lambda: hall.counts[-1] == 0, hall.turn)


def test_a_window_that_vanishes_leaves_the_others(hall: Hall) -> None:
    with window(hall) as stays:
        with window(hall) as goes:
            goes.act(NoteLogged("a", "ab"))
        hall.until(stays, lambda: hall.counts[-1] == 1)
        assert not stays.gone
