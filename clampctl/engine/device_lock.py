"""One program per device: a lock file that the system frees when its holder dies (SR-16).

The serial port's own lock goes by the port's name and stops only programs that ask for it (libraries
sheet 9); this one goes by the device. It holds between the programs of one user.
"""

import contextlib
import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

OWNER_ONLY = 0o700
_NAME_MAX = 60


class DeviceInUse(OSError):
    """Another program, or another part of this one, has the device."""


class DeviceLock:
    """A device that is ours until `release`, or until this process is gone."""

    def __init__(self, lock: FileLock, holder: Path) -> None:
        self._lock = lock
        self._holder = holder

    def release(self) -> None:
        """Let others have the device; more than once does no harm."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._holder.unlink()
            self._lock.release()


def claimed_device(identity: str, port: str, folder: Path | None = None) -> DeviceLock:
    """Take the device with this identity (`engine.adapters`); `port` is what a person calls it.

    Raises `DeviceInUse` with one sentence that names the port and the process that has it.
    """
    place = lock_folder() if folder is None else folder
    name = _file_name(identity)
    holder = place / f"{name}.pid"
    lock = FileLock(place / f"{name}.lock", thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise DeviceInUse(f"{port} is locked: {_holder_words(holder)} uses this device") from None
    try:
        holder.write_text(str(os.getpid()), encoding="ascii")
    except OSError:
        lock.release()
        raise
    return DeviceLock(lock, holder)


def lock_folder() -> Path:
    """This user's own folder for locks, emptied by the system at a restart or soon after.

    Raises OSError when the folder belongs to someone else.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        place = Path(runtime) / "clampctl"
    elif sys.platform == "win32":
        place = Path(tempfile.gettempdir()) / "clampctl"
    else:
        place = Path(tempfile.gettempdir()) / f"clampctl-{os.getuid()}"
    place.mkdir(mode=OWNER_ONLY, exist_ok=True)
    if sys.platform != "win32" and place.lstat().st_uid != os.getuid():
        raise PermissionError(f"{place} belongs to another user; no device can be locked there")
    return place


def _file_name(identity: str) -> str:
    """A readable file name, told apart by a hash."""
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", identity).strip("_.")[-_NAME_MAX:]
    return f"{readable}-{hashlib.sha256(identity.encode('utf-8')).hexdigest()[:12]}"


def _holder_words(holder: Path) -> str:
    """Who has the device, from the note that its holder leaves; it is not there for a moment."""
    try:
        noted = holder.read_text(encoding="ascii")
    except (OSError, ValueError):
        noted = ""
    if not noted.isdecimal():
        return "another program"
    return "this program" if int(noted) == os.getpid() else f"another program (process {noted})"
