"""Session time: integer milliseconds on the boot clock, which also counts suspend.

The wall clock is read for display, and once after a restart for the gap; nothing is dosed from it.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

GAP_MS_MAX = 7 * 24 * 3_600_000
"""A gap after a restart beyond a week is a wrong clock, not a pause."""

_SOURCE = getattr(time, "CLOCK_BOOTTIME", None)


def boot_ms() -> int:
    """Milliseconds on the boot clock; on systems without one, the monotonic clock."""
    if _SOURCE is None:
        return time.monotonic_ns() // 1_000_000
    return time.clock_gettime_ns(_SOURCE) // 1_000_000


def utc_now() -> str:
    """The wall clock as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def utc_ms() -> int:
    """The wall clock in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def wall_at(started_utc: str, at_ms: int) -> str:
    """The wall clock at a session time, by the session's start; empty where that is not known."""
    try:
        began = datetime.fromisoformat(started_utc)
    except ValueError:
        return ""
    return (began + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")


class SessionClock:
    """Milliseconds since the session began, from any source of boot milliseconds."""

    def __init__(self, at_ms: int = 0, source: Callable[[], int] = boot_ms) -> None:
        """A clock that reads `at_ms` now."""
        self._source = source
        self._origin_ms = source() - at_ms

    def now_ms(self) -> int:
        """Session time."""
        return self._source() - self._origin_ms


def gap_ms(last_utc_ms: int, now_utc_ms: int) -> int:
    """The pause between two engines by the wall clock: never negative, at most a week."""
    return min(GAP_MS_MAX, max(0, now_utc_ms - last_utc_ms))
