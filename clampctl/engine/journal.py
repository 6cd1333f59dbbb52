"""The journal: one append-only file per session, one line per event, from which all replays.

A line is `crc32|sha256|body`, the body canonical JSON: `{"at_ms", "commands", "digest", "event",
"seq"}`. The CRC covers `sha256|body`; the hash covers the hash of the line before and the body.
Frame and chain are here, the meaning of a body is the core's codec. Damage is reported with its
line and never repaired silently; only an unfinished last line may be cut (`engine.recovery`).
"""

import hashlib
import json
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clampctl.core.codec import canonical

GENESIS = "0" * 64
LINE_BYTES_MAX = 1 << 20
KEYS = frozenset(("at_ms", "commands", "digest", "event", "seq"))
_ENVELOPE = 8 + 1 + 64 + 1
_CLAIM_BYTE = 1 << 40
"""Where Windows locks: far behind any line, so that readers are not kept away."""


class JournalInUse(Exception):
    """Another engine writes this journal."""


class JournalDamaged(Exception):
    """A line that is not what was written. `line` counts from 1; `whole_bytes` precede it."""

    def __init__(self, line: int, whole_bytes: int, detail: str, torn: bool) -> None:
        super().__init__(f"line {line}: {detail}")
        self.line = line
        self.whole_bytes = whole_bytes
        self.detail = detail
        self.torn = torn


@dataclass(frozen=True, slots=True)
class Line:
    """One whole line: its number in the file, its body, and where the file stands after it."""

    number: int
    body: dict[str, Any]
    sha256: str
    end_byte: int


def framed(previous_sha256: str, body: str) -> tuple[bytes, str]:
    """A body as a line, chained to the line before; and its hash."""
    digest = hashlib.sha256(f"{previous_sha256}{body}".encode("ascii")).hexdigest()
    chained = f"{digest}|{body}".encode("ascii")
    return b"%08x|%s\n" % (zlib.crc32(chained), chained), digest


BEFORE_ALL = Line(0, {}, GENESIS, 0)
"""Stands before the first line."""


def read_lines(data: bytes) -> Iterator[Line]:
    """The lines of a journal. Raises `JournalDamaged` at the first that does not hold."""
    line = BEFORE_ALL
    while line.end_byte < len(data):
        line = next_line(data, line)
        yield line


def next_line(data: bytes, before: Line) -> Line:
    """The line after `before`. Raises `JournalDamaged` when it does not hold.

    A line is accepted only if encoding it again gives the same bytes: lenient parsing would let
    flips of case or spacing pass. `torn` marks a last line without its end.
    """
    number, start = before.number + 1, before.end_byte
    end = data.find(b"\n", start)
    if end < 0:
        raise JournalDamaged(number, start, "the line has no end", torn=True)
    raw = data[start : end + 1]
    body, content = _body(raw, number, start)
    again, digest = framed(before.sha256, body)
    if again != raw:
        raise JournalDamaged(number, start, "checksum or chain does not hold", torn=False)
    if content["seq"] != number - 1:
        raise JournalDamaged(number, start, f"expected seq {number - 1}", torn=False)
    return Line(number, content, digest, end + 1)


def _body(raw: bytes, number: int, start: int) -> tuple[str, dict[str, Any]]:
    """The body of a raw line as text and as read, after the cheap looks at its frame."""
    if len(raw) <= _ENVELOPE + 1 or len(raw) > LINE_BYTES_MAX:
        raise JournalDamaged(number, start, "the line has a wrong length", torn=False)
    try:
        body = raw[_ENVELOPE:-1].decode("ascii")
        content = json.loads(body)
        same = canonical(content) == body
    except (ValueError, RecursionError):
        raise JournalDamaged(number, start, "the body is not JSON", torn=False) from None
    if not same:
        raise JournalDamaged(number, start, "the body is not in canonical form", torn=False)
    if not isinstance(content, dict) or set(content) != KEYS:
        raise JournalDamaged(number, start, "the body has other keys", torn=False)
    if type(content["seq"]) is not int or type(content["at_ms"]) is not int:
        raise JournalDamaged(number, start, "seq or at_ms is no whole number", torn=False)
    return body, content


class Journal:
    """The one writer of a session's file. A line is on disk when `append` returns with sync."""

    def __init__(
        self, path: Path, sync: Callable[[int], None], previous_sha256: str = GENESIS, seq: int = -1
    ) -> None:
        """Open for appending; a new file must not exist yet, an old one is continued after `seq`."""
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        if seq < 0:
            flags |= os.O_CREAT | os.O_EXCL
        self.path = path
        self._sync = sync
        self._file = os.open(path, flags, 0o600)
        self._previous = previous_sha256
        self.seq = seq
        if seq < 0:
            sync(self._file)
            sync_folder(path.parent, sync)

    def append(self, at_ms: int, event: Any, commands: list[Any], digest: str, durable: bool) -> int:
        """Write one line and return its seq; `durable` waits for the disk. Raises OSError."""
        seq = self.seq + 1
        body = canonical({"at_ms": at_ms, "commands": commands, "digest": digest, "event": event, "seq": seq})
        line, self._previous = framed(self._previous, body)
        written = os.write(self._file, line)
        if written != len(line):
            raise OSError(f"only {written} of {len(line)} bytes were written")
        self.seq = seq
        if durable:
            self._sync(self._file)
        return seq

    def sync(self) -> None:
        """Wait until all lines are on disk."""
        self._sync(self._file)

    def close(self) -> None:
        """Sync and close."""
        self._sync(self._file)
        os.close(self._file)


def claimed(path: Path) -> int:
    """A handle that keeps every other engine from this journal while it is open; a dead one lets go.

    Raises `JournalInUse` when another engine has it.
    """
    handle = os.open(path, os.O_RDWR)
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, _CLAIM_BYTE, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise JournalInUse(f"another engine writes {path}") from None
    return handle


def sync_folder(folder: Path, sync: Callable[[int], None]) -> None:
    """Make a new file's name durable too."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        sync(handle)
    finally:
        os.close(handle)
