"""The journal's frame and chain: what is written is read, what was changed is found."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl import cli
from clampctl.engine.journal import (
    BEFORE_ALL,
    GENESIS,
    Journal,
    JournalDamaged,
    JournalInUse,
    claimed,
    framed,
    next_line,
    read_lines,
)
from clampctl.engine.recovery import cut_tail, fold
from tests.engine.clamps import reframed

EVENT = {"text": "flush \u00b5 \u2028 \U0001f489", "actor": "ab", "type": "NoteLogged"}


def unsynced(_handle: int) -> None:
    """The disk is not waited for."""


def damage(data: bytes) -> JournalDamaged:
    """What reading finds; fails when nothing is found."""
    with pytest.raises(JournalDamaged) as found:
        list(read_lines(data))
    return found.value


# --- writing and reading -----------------------------------------------------------------------


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.clamp.jsonl", unsynced)
    for at_ms in (0, 5, 5):
        journal.append(at_ms, EVENT, [{"type": "StopPump"}], "d" * 16, durable=True)
    journal.close()
    lines = list(read_lines((tmp_path / "a.clamp.jsonl").read_bytes()))
    assert [line.body["at_ms"] for line in lines] == [0, 5, 5]
    assert [line.body["seq"] for line in lines] == [0, 1, 2]
    assert [line.number for line in lines] == [1, 2, 3]
    assert all(line.body["event"] == EVENT for line in lines)
    assert lines[-1].end_byte == (tmp_path / "a.clamp.jsonl").stat().st_size


def test_a_second_opening_continues_the_chain(tmp_path: Path) -> None:
    path = tmp_path / "a.clamp.jsonl"
    first = Journal(path, unsynced)
    first.append(0, EVENT, [], "d", durable=True)
    first.close()
    last = list(read_lines(path.read_bytes()))[-1]
    second = Journal(path, unsynced, last.sha256, last.body["seq"])
    assert second.append(1, EVENT, [], "d", durable=False) == 1
    second.close()
    assert [line.body["seq"] for line in read_lines(path.read_bytes())] == [0, 1]


def test_an_existing_file_is_never_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.clamp.jsonl"
    path.write_bytes(b"what a nurse needs\n")
    with pytest.raises(FileExistsError):
        Journal(path, unsynced)
    assert path.read_bytes() == b"what a nurse needs\n"


def test_file_and_name_are_synced_when_the_file_is_made(tmp_path: Path) -> None:
    synced: list[int] = []
    journal = Journal(tmp_path / "a.clamp.jsonl", synced.append)
    assert len(synced) == (2 if os.name == "posix" else 1)
    journal.append(0, EVENT, [], "d", durable=False)
    assert len(synced) == (2 if os.name == "posix" else 1)
    journal.append(0, EVENT, [], "d", durable=True)
    assert len(synced) == (3 if os.name == "posix" else 2)
    journal.close()


def test_a_journal_has_one_engine(tmp_path: Path) -> None:
    path = tmp_path / "a.clamp.jsonl"
    path.touch()
    handle = claimed(path)
    with pytest.raises(JournalInUse, match="another engine"):
        claimed(path)
    os.close(handle)
    os.close(claimed(path))


def test_a_line_cut_short_by_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "a.clamp.jsonl", unsynced)
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:40]))
    with pytest.raises(OSError, match="only 40 of"):
        journal.append(0, EVENT, [], "d", durable=True)
    monkeypatch.undo()
    journal.close()
    assert damage((tmp_path / "a.clamp.jsonl").read_bytes()).torn


# --- truncation at every byte ------------------------------------------------------------------


def test_a_cut_at_every_byte_leaves_exactly_the_whole_lines_before_it(lines_200: list[bytes]) -> None:
    data, before = b"".join(lines_200), BEFORE_ALL
    for line in lines_200:
        for cut in range(1, len(line)):
            with pytest.raises(JournalDamaged) as found:
                next_line(data[: before.end_byte + cut], before)
            assert (found.value.torn, found.value.line) == (True, before.number + 1)
            assert found.value.whole_bytes == before.end_byte
        before = next_line(data, before)
    assert before.end_byte == len(data)


def cuts(lines: list[bytes]) -> list[int]:
    """Around each end of a line, and every byte of the last one."""
    ends = [sum(map(len, lines[:count])) for count in range(len(lines) + 1)]
    around = {end + offset for end in ends for offset in (-1, 0, 1, 40)}
    return sorted(cut for cut in around | set(range(ends[-2], ends[-1])) if 0 <= cut <= ends[-1])


def test_recovery_cuts_the_tail_and_keeps_it_aside(tmp_path: Path, lines_200: list[bytes]) -> None:
    lines = lines_200[:30]
    data = b"".join(lines)
    for cut in cuts(lines):
        path = tmp_path / f"{cut}.clamp.jsonl"
        path.write_bytes(data[:cut])
        whole = data[:cut].rpartition(b"\n")
        folded = fold(path)
        assert folded.seq == whole[0].count(b"\n") + len(whole[1]) - 1
        assert (folded.state is None) == (folded.seq < 0)
        aside = cut_tail(path, folded)
        assert path.read_bytes() == whole[0] + whole[1]
        assert (aside is None) == (whole[2] == b"")
        assert aside is None or aside.read_bytes() == whole[2]
        assert bool(folded.torn) == (aside is not None)


def test_a_second_tail_at_the_same_line_does_not_replace_the_first(
    tmp_path: Path, lines_200: list[bytes]
) -> None:
    path = tmp_path / "a.clamp.jsonl"
    kept = []
    for tail in (b"first", b"second", b"third"):
        path.write_bytes(lines_200[0] + tail)
        aside = cut_tail(path, fold(path))
        assert aside is not None
        kept.append(aside)
    assert [aside.read_bytes() for aside in kept] == [b"first", b"second", b"third"]


# --- damage ------------------------------------------------------------------------------------


def test_every_flipped_bit_of_every_tenth_line_is_found(lines_200: list[bytes]) -> None:
    data, before = b"".join(lines_200), BEFORE_ALL
    for number, line in enumerate(lines_200):
        bits = len(line) * 8 if number % 10 == 5 else 0
        for bit in range(bits):
            at = before.end_byte + bit // 8
            flipped = data[:at] + bytes((data[at] ^ (1 << bit % 8),)) + data[at + 1 :]
            with pytest.raises(JournalDamaged) as found:
                next_line(flipped, before)
            assert found.value.line == number + 1
        before = next_line(data, before)


def test_every_other_value_of_every_byte_of_one_line_is_found(lines_200: list[bytes]) -> None:
    line = min(lines_200[1:], key=len)
    number = lines_200.index(line)
    data, before = b"".join(lines_200), BEFORE_ALL
    for _ in range(number):
        before = next_line(data, before)
    start = before.end_byte
    for offset, old in enumerate(line):
        head, tail = data[: start + offset], data[start + offset + 1 : start + 2 * len(line)]
        for new in range(256):
            if new != old:
                with pytest.raises(JournalDamaged):
                    next_line(head + bytes((new,)) + tail, before)


@given(st.data())
def test_one_changed_byte_anywhere_names_its_line(lines_200: list[bytes], draw: st.DataObject) -> None:
    data = b"".join(lines_200)
    at = draw.draw(st.integers(0, len(data) - 1))
    new = draw.draw(st.integers(0, 255).filter(lambda byte: byte != data[at]))
    found = damage(data[:at] + bytes((new,)) + data[at + 1 :])
    assert found.line == data[:at].count(b"\n") + 1
    assert found.torn == (at == len(data) - 1)


@given(st.data())
def test_lines_deleted_doubled_or_swapped_are_named(lines_200: list[bytes], draw: st.DataObject) -> None:
    first = draw.draw(st.integers(0, len(lines_200) - 2))
    second = draw.draw(st.integers(first + 1, len(lines_200) - 1))
    deleted = lines_200[:first] + lines_200[first + 1 :]
    assert damage(b"".join(deleted)).line == first + 1
    doubled = [*lines_200[: first + 1], lines_200[first], *lines_200[first + 1 :]]
    assert damage(b"".join(doubled)).line == first + 2
    swapped = list(lines_200)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    assert damage(b"".join(swapped)).line == first + 1


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"at_ms":0,"commands":[],"digest":"","event":{},"seq":0.0}',
        '{"at_ms":true,"commands":[],"digest":"","event":{},"seq":0}',
        '{"at_ms":0,"commands":[],"digest":"","event":{},"seq":false}',
        '{"at_ms":0,"commands":[],"digest":"","event":{},"seq":1}',
        '{"at_ms":0,"commands":[],"digest":"","event":{"x":NaN},"seq":0}',
        '{"at_ms":0,"commands":[],"digest":"","event":{"x":1e999},"seq":0}',
        '{"at_ms":0,"commands":[],"digest":"","event":{}, "seq":0}',
        '{"seq":0,"at_ms":0,"commands":[],"digest":"","event":{}}',
        '{"at_ms":0,"commands":[],"digest":"","event":{}}',
        '{"at_ms":0,"at_ms":0,"commands":[],"digest":"","event":{},"seq":0}',
        "[]",
    ],
)
def test_a_well_framed_body_of_another_shape_is_damage(body: str) -> None:
    line, _ = framed(GENESIS, body)
    found = damage(line)
    assert (found.line, found.torn, found.whole_bytes) == (1, False, 0)


def deleted(lines: list[bytes]) -> list[bytes]:
    return lines[:40] + lines[41:]


def doubled(lines: list[bytes]) -> list[bytes]:
    return [*lines[:40], lines[39], *lines[40:]]


def swapped(lines: list[bytes]) -> list[bytes]:
    return [*lines[:40], lines[41], lines[40], *lines[42:]]


def flipped(lines: list[bytes]) -> list[bytes]:
    return [*lines[:40], lines[40][:90] + bytes((lines[40][90] ^ 4,)) + lines[40][91:], *lines[41:]]


@pytest.mark.parametrize("harm", [deleted, doubled, swapped, flipped])
def test_replay_names_the_damaged_line(
    harm: Callable[[list[bytes]], list[bytes]],
    lines_200: list[bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "a.clamp.jsonl"
    path.write_bytes(b"".join(harm(lines_200)))
    assert cli.main(["replay", str(path), "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["line"] == 41
    assert "line 41" in said.err
    with pytest.raises(JournalDamaged):
        fold(path)


def test_damage_before_the_tail_is_never_cut(tmp_path: Path, lines_200: list[bytes]) -> None:
    path = tmp_path / "a.clamp.jsonl"
    data = b"".join(flipped(lines_200)) + b"torn"
    path.write_bytes(data)
    with pytest.raises(JournalDamaged) as found:
        fold(path)
    assert (found.value.line, found.value.torn) == (41, False)
    assert path.read_bytes() == data


def test_a_journal_framed_anew_without_a_change_is_the_same(clamp_data: bytes) -> None:
    assert reframed(clamp_data, lambda _number, _body: None) == clamp_data


def test_a_disk_error_reaches_the_caller(tmp_path: Path) -> None:
    def broken(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        Journal(tmp_path / "a.clamp.jsonl", broken)
