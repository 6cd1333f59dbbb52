"""The YSI emulator against the transcript of report lines, its runs and its faults."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.fault import FaultKind, fault
from simulator.devices.ysi import StatusReply, WhenNothing, Ysi, YsiSettings
from simulator.devices.ysi_report import DateOrder, Unit

TRANSCRIPT = Path(__file__).parents[1] / "data" / "transcripts" / "ysi_2700.txt"
Exchanges = list[tuple[bytes, bytes]]


def cases() -> dict[str, Exchanges]:
    """Case -> (bytes from the host, all bytes that answer them) in order."""
    found: dict[str, Exchanges] = {}
    exchanges: Exchanges = []
    for line in TRANSCRIPT.read_text("utf-8").splitlines():
        if line.startswith("# case: "):
            exchanges = found[line[8:]] = []
        elif line.startswith("> "):
            exchanges.append((bytes.fromhex(line[2:]), b""))
        elif line.startswith("< "):
            asked, answered = exchanges.pop()
            exchanges.append((asked, answered + bytes.fromhex(line[2:])))
    return found


def at(hour_minute_second: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-22T{hour_minute_second}")


def measured(settings: YsiSettings, glucose_mg_dl: float, *faults: str) -> Ysi:
    """An analyzer 60 s after a sample was placed, its result ready."""
    ysi = Ysi(settings)
    for text in faults:
        ysi.inject(fault(text), 0)
    ysi.place_sample(glucose_mg_dl, 0, lactate_mmol_l=0.91)
    ysi.advance(60_000)
    return ysi


GLUCOSE_5_12 = 5.12 * 18.0156
MMOL = YsiSettings(start=at("10:13:55"), unit=Unit.MMOL_L, first_sample=42)
MG = YsiSettings(start=at("10:17:31"), first_sample=43, temperature="37.02")


def two_chemistries() -> Ysi:
    settings = YsiSettings(start=at("10:13:55"), unit=Unit.MMOL_L, first_sample=42, has_lactate=True)
    return measured(settings, GLUCOSE_5_12)


def calibrated() -> Ysi:
    ysi = Ysi(YsiSettings(start=at("10:15:05"), unit=Unit.MMOL_L, temperature="37.02"))
    ysi.calibrate(0)
    ysi.advance(75_000)
    return ysi


def nothing_unsent() -> Ysi:
    settings = YsiSettings(start=at("10:19:02"), first_sample=44, temperature="37.02")
    ysi = measured(settings, 90.0)
    answered(ysi, b"RS\r")
    return ysi


def monitored() -> Ysi:
    ysi = Ysi(YsiSettings(start=at("10:20:10"), unit=Unit.MMOL_L, temperature="37.02"))
    ysi.monitor(9.95 * 18.0156, 60_000)
    return ysi


def day_first() -> Ysi:
    order = DateOrder.DAY_FIRST
    return measured(
        YsiSettings(start=at("10:13:55"), unit=Unit.MMOL_L, first_sample=42, date_order=order), GLUCOSE_5_12
    )


def repeating() -> Ysi:
    habit = WhenNothing.REPEAT
    return measured(
        YsiSettings(start=at("10:13:55"), unit=Unit.MMOL_L, first_sample=42, when_nothing=habit), GLUCOSE_5_12
    )


def busy() -> Ysi:
    ysi = Ysi(YsiSettings(busy_in_run=True))
    ysi.place_sample(90.0, 59_999)
    return ysi


PREPARED: dict[str, Callable[[], Ysi]] = {
    "sample_two_chemistries": two_chemistries,
    "calibration": calibrated,
    "error_code": lambda: measured(MG, 92.4, "error=4"),
    "mg_dl_ok": lambda: measured(MG, 92.4),
    "chemistry_none": nothing_unsent,
    "monitor_line": monitored,
    "information_line": lambda: Ysi(YsiSettings(start=at("10:20:40"))),
    "day_first_date": day_first,
    "repeat_poll": repeating,
    "busy": busy,
    "silent": lambda: measured(MMOL, 90.0, "mute"),
}


def answered(ysi: Ysi, asked: bytes, now_ms: int = 60_000) -> bytes:
    ysi.receive(asked, now_ms)
    return ysi.take_output()


def result(ysi: Ysi, now_ms: int) -> tuple[str, str, str, str]:
    """Sample, number, unit and error of one RS report, by column."""
    reply = answered(ysi, b"RS\r", now_ms).decode()
    assert reply.startswith("A\r\n")
    line = reply[3:71]
    assert line.endswith("\r\n")
    return line[28:37].strip(), line[43:51].strip(), line[52:60].strip(), line[61:65].strip()


def test_the_transcript_has_no_case_beside_the_prepared_ones() -> None:
    assert set(cases()) == set(PREPARED)


@pytest.mark.parametrize(("case", "exchanges"), cases().items())
def test_the_transcript_is_answered_byte_for_byte(case: str, exchanges: Exchanges) -> None:
    ysi = PREPARED[case]()
    now_ms = 75_000 if case == "calibration" else 60_000
    assert [(asked, answered(ysi, asked, now_ms)) for asked, _ in exchanges] == exchanges


@given(st.lists(st.integers(1, 6), max_size=12))
def test_commands_cut_anywhere_and_ended_with_cr_or_crlf_say_the_same(sizes: list[int]) -> None:
    stream = b"RS\r\nRC\rRY\r\nRM\rRS1\r\n"
    whole, cut = measured(MMOL, 90.0), measured(MMOL, 90.0)
    said = b""
    expected = answered(whole, stream)
    for size in [*sizes, len(stream)]:
        said += answered(cut, stream[:size])
        stream = stream[size:]
    assert said == expected
    assert said.count(b"A\r\n") == 4


@given(st.binary(max_size=100))
def test_noise_never_stops_the_analyzer_from_answering(noise: bytes) -> None:
    ysi = Ysi()
    answered(ysi, noise + b"\r")
    assert answered(ysi, b"RM\r").startswith(b"A\r\n")


@given(st.floats(0, 900))
def test_every_report_is_66_columns(glucose_mg_dl: float) -> None:
    for settings in (MG, MMOL):
        reply = answered(measured(settings, glucose_mg_dl), b"RS\r")
        assert len(reply) == 3 + 68
        mmol = settings is MMOL
        true = glucose_mg_dl / 18.0156 if mmol else glucose_mg_dl
        assert float(reply[46:54]) == pytest.approx(true, rel=0, abs=0.005 + 1e-9 if mmol else 0.05 + 1e-9)


@pytest.mark.parametrize("glucose_mg_dl", [-1.0, float("nan"), float("inf")])
def test_no_such_sample(glucose_mg_dl: float) -> None:
    with pytest.raises(ValueError, match="A sample cannot hold"):
        Ysi().place_sample(glucose_mg_dl, 0)


def test_a_result_comes_when_its_run_ends_and_is_sent_once() -> None:
    ysi = Ysi(YsiSettings(first_sample=7))
    ysi.place_sample(90.0, 1000)
    ysi.place_sample(95.0, 2000)
    assert ysi.running
    assert ysi.wake_at() == 61_000
    assert result(ysi, 60_999)[0] == "0"
    assert result(ysi, 61_000) == ("7", "90.0", "mg/dL", "0000")
    assert result(ysi, 61_001)[:2] == ("7", "")
    assert ysi.wake_at() == 121_000
    assert result(ysi, 200_000)[:2] == ("8", "95.0")
    assert ysi.wake_at() is None


def test_unsent_results_come_oldest_first_and_memory_holds_32() -> None:
    ysi = Ysi()
    for _ in range(34):
        ysi.place_sample(90.0, 0)
    assert [result(ysi, 34 * 60_000)[0] for _ in range(33)] == [*map(str, range(3, 35)), "34"]
    assert b" 33 DEX" in answered(ysi, b"RS2\r", 34 * 60_000)


def test_the_other_answers_when_nothing_is_unsent() -> None:
    refusing = Ysi(YsiSettings(when_nothing=WhenNothing.ERROR, refusal_digit="9"))
    assert answered(refusing, b"RS\r") == b"9\r\n"
    assert b"  0 NONE" in answered(Ysi(YsiSettings(when_nothing=WhenNothing.REPEAT)), b"RS\r")
    assert b"  0 NONE" in answered(Ysi(), b"RC\r")
    assert b"  0 NONE" in answered(Ysi(), b"RS9\r")


@pytest.mark.parametrize("command", [b"TR1", b"TN0", b"PS", b"RX", b"RI", b"RY", b"RS0", b"rs", b"", b"V0"])
def test_what_this_mode_does_not_take_is_refused_with_a_digit(command: bytes) -> None:
    assert answered(Ysi(), command + b"\r") == b"1\r\n"


def test_status_in_digits() -> None:
    ysi = Ysi(YsiSettings(status_reply=StatusReply.DIGITS))
    assert answered(ysi, b"RY\r", 0) == b"A\r\n0 1 1 0\r\n"
    ysi.place_sample(90.0, 0)
    ysi.calibrate(0)
    assert answered(ysi, b"RY\r", 0) == b"A\r\n0 1 1 1\r\n"
    assert answered(ysi, b"RY\r", 60_000) == b"A\r\n0 0 1 2\r\n"
    assert answered(ysi, b"RY\r", 135_000) == b"A\r\n0 0 0 0\r\n"


def test_an_idle_analyzer_calibrates_when_it_is_due() -> None:
    ysi = Ysi(YsiSettings(autocal_ms=900_000))
    ysi.advance(900_000)
    assert ysi.running
    assert ysi.wake_at() == 975_000
    assert b" -1 DEX " in answered(ysi, b"RC\r", 975_000)
    assert result(ysi, 975_000)[0] == "0"


def test_automatic_calibration_takes_its_turn_before_waiting_samples() -> None:
    ysi = Ysi(YsiSettings(autocal_ms=900_000, calibration_ms=80_000))
    assert ysi.wake_at() == 900_000
    ysi.place_sample(90.0, 870_000)
    ysi.place_sample(95.0, 871_000)
    assert result(ysi, 930_000)[1] == "90.0"
    assert ysi.wake_at() == 930_000 + 80_000
    assert answered(ysi, b"RC\r", 1_009_999).find(b"NONE") > 0
    assert b" -1 DEX     180.2 mg/dL" in answered(ysi, b"RC\r", 1_010_000)
    assert result(ysi, 1_070_000)[1] == "95.0"
    assert ysi.wake_at() == 1_800_000


def test_busy_error_unit_and_clock_faults_come_and_go() -> None:
    ysi = Ysi(YsiSettings(start=at("10:00:00")))
    for text in ("busy", "error=1a", "unit_switch", "clock_offset=-3600"):
        ysi.inject(fault(text), 0)
    ysi.place_sample(180.156, 0)
    assert answered(ysi, b"RS\r") == b"2\r\n"
    ysi.clear(FaultKind.BUSY, 60_000)
    assert b"09:01:00 11/22/26" in answered(ysi, b"RS1\r")
    assert result(ysi, 60_000) == ("1", "10.00", "mmol/L", "001A")
    for kind in (FaultKind.ERROR, FaultKind.UNIT_SWITCH, FaultKind.CLOCK_OFFSET):
        ysi.clear(kind, 60_000)
    ysi.place_sample(180.156, 60_000)
    assert b"10:02:00" in answered(ysi, b"RS1\r", 120_000)
    assert result(ysi, 120_000) == ("2", "180.2", "mg/dL", "0000")


def test_a_stuck_analyzer_finds_the_same_value_under_a_new_number() -> None:
    ysi = measured(MG, 92.4, "stuck")
    ysi.place_sample(60.0, 60_000)
    assert [result(ysi, 120_000)[:2] for _ in range(2)] == [("43", "92.4"), ("44", "92.4")]
    ysi.clear(FaultKind.STUCK, 120_000)
    ysi.place_sample(60.0, 120_000)
    assert result(ysi, 180_000)[:2] == ("45", "60.0")


def test_a_fault_of_the_wire_and_one_of_a_pump() -> None:
    ysi = Ysi(YsiSettings(reply_delay_ms=300))
    assert answered(ysi, b"RM\r", 0) == b""
    assert ysi.wake_at() == 300
    ysi.inject(fault("unplug"), 0)
    plugged = [ysi.plugged]
    ysi.advance(300)
    assert answered(ysi, b"RM\r", 300) == b""
    ysi.clear(FaultKind.UNPLUG, 300)
    assert [*plugged, ysi.plugged] == [False, True]
    with pytest.raises(ValueError, match="no fault 'stall'"):
        ysi.inject(fault("stall"), 300)
