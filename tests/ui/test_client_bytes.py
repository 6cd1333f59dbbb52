"""The client against bytes: any cut, foreign versions, bounded retries."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtNetwork import QLocalServer
from pytestqt.qtbot import QtBot

from clampctl.core.events import HoldPressed
from clampctl.engine.wire import RateRow, Receipt, Rows, frame
from tests.ui import bedside_state as bed
from ui.attachment import Fate
from ui.client import RETRY_MS_MAX, Client, Wish


@pytest.mark.parametrize("chunk", [1, 7, 4096])
def test_any_cut_of_the_bytes_gives_the_same_state(qtbot: QtBot, tmp_path: Path, chunk: int) -> None:
    server = QLocalServer()
    assert server.listen(str(tmp_path / "e.sock"))
    client = Client(str(tmp_path / "e.sock"))
    client.attach()
    qtbot.waitUntil(server.hasPendingConnections)
    socket = server.nextPendingConnection()
    rows = Rows(list(bed.SAMPLES), list(bed.HISTORY.rates), list(bed.EVENTS))
    more = Rows([], [RateRow(bed.NOW_MS, 7.3, 40.0)], [])
    data = b"".join(frame(message) for message in (bed.HELLO, rows, bed.NOW, more))
    for start in range(0, len(data), chunk):
        socket.write(data[start : start + chunk])
        socket.flush()
    qtbot.waitUntil(lambda: len(client.history.rates) == len(bed.HISTORY.rates) + 1)
    assert (client.hello, client.snapshot) == (bed.HELLO, bed.NOW)
    assert client.history.samples == bed.SAMPLES
    client.detach()
    server.close()


@pytest.mark.parametrize(
    "data", [frame(replace(bed.HELLO, wire=99)), b"\xff\xff\xff\xff....", frame(bed.HELLO)[:4] + b"x" * 4000]
)
def test_what_cannot_be_read_ends_the_connection_in_words(qtbot: QtBot, tmp_path: Path, data: bytes) -> None:
    server = QLocalServer()
    assert server.listen(str(tmp_path / "e.sock"))
    client = Client(str(tmp_path / "e.sock"))
    client.attach()
    qtbot.waitUntil(server.hasPendingConnections)
    socket = server.nextPendingConnection()
    socket.write(data)
    qtbot.waitUntil(lambda: "cannot read" in client.trouble)
    assert not client.connected
    client.detach()
    server.close()


def test_retries_back_off_to_a_bound(qtbot: QtBot, tmp_path: Path) -> None:
    client = Client(str(tmp_path / "nobody.sock"))
    waits = []
    for _ in range(9):
        client._retry.stop()
        client.attach()
        qtbot.waitUntil(client._retry.isActive)
        waits.append(client._retry.interval())
    assert waits[:3] == [250, 500, 1000]
    assert waits[-1] == max(waits) == RETRY_MS_MAX
    assert client.is_idle()
    client.detach()


def test_an_act_without_an_engine_is_not_kept_for_later(tmp_path: Path) -> None:
    client = Client(str(tmp_path / "nobody.sock"))
    assert client.send(Wish(HoldPressed(actor="AB"), "Hold")).fate is Fate.NOT_SENT
    client._take(bed.HELLO)
    client._take(bed.NOW)
    client._take(Receipt(act=1, seq=5, refused=""))
    assert client.deed is not None
    assert client.deed.fate is Fate.NOT_SENT
    client.detach()
