"""The fuzz itself can fail: links that believe, raise or hoard are found out."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent, GlucoseSampled, PumpReported, PumpState, SampleKind
from drivers.link import Link
from simulator.devices.ysi import Ysi
from tests.fuzz import run, witness
from tests.fuzz.rig import Wrong
from tests.fuzz.row import Row, analyzer
from tests.fuzz.table import ROWS


class Listener:
    """A link that only listens; what it makes of bytes is up to the test."""

    def __init__(self, hears: Callable[[bytes], list[DeviceEvent]]) -> None:
        self._hears = hears

    def opened(self, epoch: int, now_ms: int) -> None:
        """Nothing to forget."""

    def receive(self, data: bytes, now_ms: int) -> list[DeviceEvent]:
        """What the test says."""
        del now_ms
        return self._hears(data)

    def send(self, command: Command, now_ms: int) -> None:
        """Nothing is done."""

    def wake(self, now_ms: int) -> list[DeviceEvent]:
        """Nothing is due."""
        del now_ms
        return []

    def wake_at(self) -> int | None:
        """Never."""
        return None

    def take_output(self) -> bytes:
        """Silent."""
        return b""


def with_link(monkeypatch: pytest.MonkeyPatch, name: str, link: Callable[[], Link]) -> None:
    rows: tuple[Row, ...] = tuple(replace(row, link=link) if row.name == name else row for row in ROWS)
    monkeypatch.setattr(run, "ROWS", rows)


def test_a_report_from_a_damaged_frame_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def believes(data: bytes) -> list[DeviceEvent]:
        report = PumpReported(Role.INSULIN, 1, PumpState.RUNNING, 120_000, None, None)
        return [report] if data.endswith(b"\x03") else []

    with_link(monkeypatch, "new-era insulin", lambda: Listener(believes))
    with pytest.raises(Wrong, match="without one sound frame"):
        run.ran("new-era insulin", "link", 10_000, seed=1)


def test_a_sample_whose_digits_are_in_no_sound_frame_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def believes(data: bytes) -> list[DeviceEvent]:
        sample = GlucoseSampled("a:1", 74.0, None, SampleKind.PATIENT, "a", "4.1", "mmol/L", ())
        return [sample] if b"5.1" in data else []

    golden = b"\x024R|1|^^^Glu^M|5.1|mmol/L\r\x0368\r\n"
    row = Row(
        "gullible",
        Role.ANALYZER,
        lambda: Listener(believes),
        lambda now_ms: analyzer(Ysi(None, now_ms)),
        [[golden]],
        [golden],
        scan=witness.astm,
    )
    monkeypatch.setattr(run, "ROWS", (row,))
    with pytest.raises(Wrong, match="no sound frame holds"):
        run.ran("gullible", "link", 10_000, seed=1)


def test_what_a_link_raises_comes_with_the_latest_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumbles(data: bytes) -> list[DeviceEvent]:
        data.decode("ascii")
        return []

    with_link(monkeypatch, "ysi", lambda: Listener(stumbles))
    with pytest.raises(UnicodeDecodeError) as raised:
        run.ran("ysi", "link", 10_000, seed=1)
    assert "ms hears" in raised.value.__notes__[0]


def test_a_link_that_keeps_every_byte_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bytes] = []

    def hoards(data: bytes) -> list[DeviceEvent]:
        kept.append(data)
        return []

    with_link(monkeypatch, "ysi", lambda: Listener(hoards))
    assert not run.ran("ysi", "link", 60_000, seed=1).flat


@pytest.mark.parametrize(
    ("scan", "sound", "damaged"),
    [
        (witness.new_era, "02 07 30 30 49 19 DD 03", "02 07 30 30 53 19 DD 03"),
        (witness.astm, "02 35 4C 7C 31 7C 4E 0D 03 30 38 0D 0A", "02 35 4C 7C 31 7C 4E 0D 03 38 38 0D 0A"),
        (witness.siemens, "02 06 03 30 42 04", "02 15 03 30 42 04"),
        (witness.graseby, "3C 53 54 52 54 3E 43 37 0D", "3C 53 54 4F 50 3E 43 37 0D"),
        (witness.alaris, "21 49 4E 46 7C 34 39 36 31 0D", "21 49 4E 47 7C 34 39 36 31 0D"),
    ],
)
def test_the_witness_agrees_with_the_frames_in_the_manuals(
    scan: witness.Scan, sound: str, damaged: str
) -> None:
    """Each of these sound frames is printed in the reference sheets (pumps 2 to 5, analyzers 3 and 4)."""
    assert list(scan(bytes.fromhex(sound), 0))
    assert not list(scan(bytes.fromhex(damaged), 0))
