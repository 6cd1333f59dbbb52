"""Where windows attach: the engine's own socket, and a finished journal's."""

import socket
import stat
import sys
from pathlib import Path

import pytest

from clampctl.cli.live import served_journal
from clampctl.core.events import NoteLogged
from clampctl.core.protocol import Refusal
from clampctl.engine.server import listen
from tests.engine.windows import Client


@pytest.mark.skipif(sys.platform == "win32", reason="local sockets are POSIX")
def test_a_local_socket_is_the_users_own(tmp_path: Path) -> None:
    listening, address = listen(str(tmp_path / "new" / "s"))
    assert stat.S_IMODE(Path(address).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    listening.close()


def test_a_dead_engines_address_is_taken_over_a_living_ones_is_not(tmp_path: Path) -> None:
    listening, address = listen(str(tmp_path / "s"))
    with pytest.raises(OSError, match="another engine listens"):
        listen(address)
    listening.close()
    again, _ = listen(address)
    again.close()


@pytest.mark.parametrize("address", ["tcp://0.0.0.0:0", "tcp://example.org:80", "tcp://:80"])
def test_other_hosts_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 only"):
        listen(address)


def test_an_address_too_long_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot listen on"):
        listen(str(tmp_path / ("x" * 120)))


def test_loopback_serves_where_local_sockets_do_not() -> None:
    listening, address = listen("tcp://127.0.0.1:0")
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))):
        assert address.startswith("tcp://127.0.0.1:")
    listening.close()


# --- a finished journal ------------------------------------------------------------------------


def test_a_finished_journal_is_shown_but_takes_no_acts(clamp_file: Path) -> None:
    before = clamp_file.read_bytes()
    with served_journal(clamp_file) as address, Client(address) as client:
        client.wait(lambda: client.now)
        assert client.hello is not None
        assert not client.hello.live
        receipt = client.done(NoteLogged("too late", "ab"))
        assert receipt.seq is None
        assert "cannot be done" in receipt.refused
        assert len(client.samples) > 3
    assert clamp_file.read_bytes() == before


@pytest.mark.parametrize("data", [b"", b"torn", b"not a journal\n"])
def test_what_is_no_journal_is_not_shown(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.clamp.jsonl"
    path.write_bytes(data)
    with pytest.raises(Refusal), served_journal(path):
        pass
    assert [kept.name for kept in tmp_path.iterdir()] == ["a.clamp.jsonl"]
