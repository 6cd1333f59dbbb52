"""The line emulator: what it prints, when, and what faults make of it."""

import pytest

from simulator.devices.fault import FaultKind, fault
from simulator.devices.line import LineDevice
from simulator.devices.line_settings import LineSettings
from simulator.devices.ysi_report import Unit

TIMED = LineSettings(template="{time} {value} {unit} #{id}{flag}")


def printed(*faults: str, settings: LineSettings | None = None, glucose_mg_dl: float = 92.4) -> bytes:
    """What comes out a minute after a sample was placed."""
    device = LineDevice(settings)
    for text in faults:
        device.inject(fault(text), 0)
    device.place_sample(glucose_mg_dl, 0)
    device.advance(60_000)
    return device.take_output()


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (LineSettings(first_id=42), b"GLU 92.4 mg/dL #0042\r\n"),
        (LineSettings(unit=Unit.MMOL_L), b"GLU 5.13 mmol/L #0001\r\n"),
        (LineSettings(end=""), b"GLU 92.4 mg/dL #0001"),
        (LineSettings(template="\u00b5 {value}", encoding="cp437"), b"\xe6 92.4\r\n"),
        (TIMED, b"01.01.2026 08:01:00 92.4 mg/dL #1\r\n"),
    ],
)
def test_a_line_is_as_set_up(settings: LineSettings, line: bytes) -> None:
    assert printed(settings=settings) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("comma", b"GLU 92,4 mg/dL #0001\r\n"),
        ("no_value", b"GLU ----- mg/dL #0001\r\n"),
        ("over_range", b"GLU >900 mg/dL #0001\r\n"),
        ("query", b"GLU ?92.4 mg/dL #0001\r\n"),
        ("error=1F", b"GLU 92.4 mg/dL #0001 E001F\r\n"),
        ("unit_switch", b"GLU 5.13 mmol/L #0001\r\n"),
        ("whole_blood", b"GLU 83.2 mg/dL #0001\r\n"),
        ("other_id=X", b"GLU 92.4 mg/dL #000X\r\n"),
        ("lactate_first", b"LAC 1.0 mmol/L #0001\r\nGLU 92.4 mg/dL #0001\r\n"),
        ("digit_swap", b"GLU 29.4 mg/dL #0001\r\n"),
        ("duplicate", b"GLU 92.4 mg/dL #0001\r\n" * 2),
        ("half_message", b"GLU 92.4 mg"),
        ("oversize", b"GLU 92.4 mg/dL #0001" * 1000),
        ("mute", b""),
        ("unplug", b""),
    ],
)
def test_what_faults_make_of_a_line(text: str, line: bytes) -> None:
    assert printed(text) == line


@pytest.mark.parametrize(
    ("text", "time"), [("clock_offset=-60", b"08:00:00"), ("minute_clock", b"08:01 "), ("mute/1", b"")]
)
def test_its_clock(text: str, time: bytes) -> None:
    assert time in printed(text, settings=TIMED)


def test_samples_and_controls_take_turns() -> None:
    device = LineDevice()
    device.place_sample(90.0, 0)
    device.inject(fault("control=300"), 0)
    device.inject(fault("calibrate"), 0)
    was_running = device.running
    assert device.wake_at() == 60_000
    device.advance(180_000)
    assert device.take_output().split(b"\r\n") == [
        b"GLU 90.0 mg/dL #0001",
        b"GLU 300.0 mg/dL #0002 QC",
        b"GLU 100.0 mg/dL #0003 CAL",
        b"",
    ]
    assert (was_running, device.running) == (True, False)
    assert device.wake_at() is None


def test_the_memory_and_a_corrected_result() -> None:
    device = LineDevice()
    for value in (90.0, 100.0):
        device.place_sample(value, 0)
    device.advance(120_000)
    device.take_output()
    device.inject(fault("edit=10"), 120_000)
    assert device.take_output() == b"GLU 110.0 mg/dL #0002\r\n"
    device.inject(fault("dump"), 120_000)
    assert device.take_output().count(b"\r\n") == 3


def test_switched_off_and_on_it_prints_its_banner_and_forgets_the_sample() -> None:
    device = LineDevice()
    device.place_sample(90.0, 0)
    device.inject(fault("power_cycle"), 1000)
    device.advance(120_000)
    assert device.take_output() == b"READY\r\n"


def test_a_stuck_analyzer_repeats_its_number() -> None:
    device = LineDevice()
    device.inject(fault("stuck"), 0)
    for value in (90.0, 120.0):
        device.place_sample(value, 0)
    device.advance(120_000)
    assert device.take_output() == b"GLU 90.0 mg/dL #0001\r\nGLU 90.0 mg/dL #0002\r\n"
    device.clear(FaultKind.STUCK, 120_000)
    device.place_sample(120.0, 120_000)
    device.advance(180_000)
    assert device.take_output() == b"GLU 120.0 mg/dL #0003\r\n"


@pytest.mark.parametrize("text", ["drop_ack", "edit", "stall"])
def test_faults_it_cannot_have(text: str) -> None:
    with pytest.raises(ValueError, match="has no fault"):
        LineDevice().inject(fault(text), 0)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_impossible_blood_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="A sample cannot hold"):
        LineDevice().place_sample(value, 0)


def test_it_hears_nothing() -> None:
    device = LineDevice()
    device.receive(bytes(range(256)), 0)
    assert device.take_output() == b""
    assert device.plugged
