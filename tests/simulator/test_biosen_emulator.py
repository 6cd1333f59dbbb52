"""The Biosen emulator against the transcript, its runs and its faults."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.biosen import Biosen, BiosenSettings
from simulator.devices.biosen_report import Unit
from simulator.devices.fault import FaultKind, fault

TRANSCRIPT = Path(__file__).parents[1] / "data" / "transcripts" / "biosen.txt"
READY_MS = 60_000


def cases() -> dict[str, bytes]:
    """Case -> everything the analyzer sends."""
    found: dict[str, bytes] = {}
    name = ""
    for line in TRANSCRIPT.read_text("utf-8").splitlines():
        if line.startswith("# case: "):
            name = line[8:]
            found[name] = b""
        elif line.startswith("< "):
            found[name] += bytes.fromhex(line[2:])
    return found


CASES = cases()


def at(hour_minute: str, number: int = 7, unit: Unit = Unit.MMOL_L) -> BiosenSettings:
    """Switched on a minute before, so that a result of 60 s bears this time."""
    start = datetime.fromisoformat(f"2026-11-22T{hour_minute}")
    return BiosenSettings(start=start, clock_offset_s=-60, unit=unit, first_sample=number)


def stat(*faults: str, own: BiosenSettings | None = None, mmol_l: float = 5.12) -> Biosen:
    """A stat sample in the machine, ready at 60 000 ms."""
    biosen = Biosen(own or at("10:14"))
    for text in faults:
        biosen.inject(fault(text), 0)
    biosen.place_sample(mmol_l * 18.0156, 0)
    return biosen


def tube(hour_minute: str, mg_dl: float) -> Biosen:
    biosen = Biosen(at(hour_minute, unit=Unit.MG_DL))
    biosen.place_sample(mg_dl, 0, place="0213", barcode="S017")
    return biosen


def control() -> Biosen:
    biosen = Biosen(at("10:20", number=3))
    biosen.measure_control(12.02 * 18.0156, READY_MS)
    return biosen


def same_minute() -> Biosen:
    biosen = stat(own=replace(at("10:14"), run_ms=30_000, clock_offset_s=0))
    biosen.place_sample(5.12 * 18.0156, 0)
    biosen.advance(59_999)
    assert biosen.take_output() == CASES["stat_sample"]
    biosen = stat(own=replace(at("10:14"), run_ms=20_000, clock_offset_s=0))
    biosen.place_sample(5.12 * 18.0156, 0)
    return biosen


PREPARED: dict[str, Callable[[], Biosen]] = {
    "stat_sample": stat,
    "patient_mg_dl": lambda: tube("10:14", 92.30),
    "three_digit": lambda: tube("10:18", 101.20),
    "control": control,
    "unmapped_channel": lambda: stat(own=replace(at("10:22", number=8), channel="002"), mmol_l=0.91),
    "identical_repeat": lambda: stat("duplicate"),
    "same_minute_new_number": same_minute,
    "split_record": lambda: stat("chunk=9"),
    "noise_then_record": lambda: stat("noise=ff0044"),
    "cut_record": lambda: stat("cut=30"),
}


def said(biosen: Biosen, now_ms: int = READY_MS + 100) -> bytes:
    biosen.advance(now_ms)
    return biosen.take_output()


def test_every_case_is_prepared() -> None:
    assert set(PREPARED) == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_transcript_is_reproduced_byte_for_byte(case: str) -> None:
    assert said(PREPARED[case]()) == CASES[case]


@given(st.sampled_from(sorted(CASES)), st.lists(st.integers(1, 40_000), max_size=10), st.binary(max_size=50))
def test_when_it_is_asked_and_what_it_is_told_changes_nothing(
    case: str, steps_ms: list[int], noise: bytes
) -> None:
    biosen, now_ms, told = PREPARED[case](), READY_MS if case == "control" else 0, b""
    for step_ms in steps_ms:
        now_ms = min(now_ms + step_ms, READY_MS)
        biosen.receive(noise, now_ms)
        told += biosen.take_output()
    assert told + said(biosen) == CASES[case]


def test_results_come_one_after_the_other() -> None:
    biosen = stat()
    biosen.place_sample(100.0, 1000)
    assert biosen.running
    assert biosen.wake_at() == 60_000
    assert said(biosen, 59_999) == b""
    assert said(biosen, 60_000) == CASES["stat_sample"]
    assert biosen.wake_at() == 120_000
    assert b"DS0000008 " in said(biosen, 120_000)
    assert (biosen.wake_at(), biosen.running) == (None, False)


def test_running_numbers_go_round_at_a_thousand() -> None:
    biosen = stat(own=at("10:14", number=999))
    biosen.place_sample(90.0, 0)
    sent = said(biosen, 120_000)
    assert b"DS0000999 " in sent
    assert b"DS0000000 " in sent


@given(st.floats(0, 900.0))
def test_every_record_has_its_columns(glucose_mg_dl: float) -> None:
    for unit in Unit:
        biosen = Biosen(at("10:14", unit=unit))
        biosen.place_sample(glucose_mg_dl, 0)
        sent = said(biosen)
        assert len(sent) == 53
        assert sent[-6:] == unit.encode()
        true = glucose_mg_dl / 18.0156 if unit is Unit.MMOL_L else glucose_mg_dl
        assert float(sent[-12:-6]) == pytest.approx(true, rel=0, abs=0.005 + 1e-9)


def test_a_result_beyond_the_range_is_no_number() -> None:
    assert b">50.0 mmol/l" in said(stat(mmol_l=50.01))
    assert b">900.  mg/dl" in said(stat(own=at("10:14", unit=Unit.MG_DL), mmol_l=60.0))


@pytest.mark.parametrize(
    ("text", "part_of_it"),
    [
        ("unit_switch", b"10:1492.24  mg/dl"),
        ("comma", b"10:145,12  mmol/l"),
        ("query", b"10:14?5.12 mmol/l"),
        ("no_value", b"10:14..... mmol/l"),
        ("over_range", b"10:14>50.0 mmol/l"),
        ("whole_blood", b"10:144.61  mmol/l"),
        ("digit_swap", b"10:141.52  mmol/l"),
        ("error=1a", b"mmol/lE001A"),
        ("other_id=T9", b"DS0000T9          001"),
        ("identity=BIOS02", b"\x02BIOS02DS"),
        ("lactate_first", b"00222.11.2610:141.00  mmol/l\x02BIOS01DS0000007         001"),
        ("clock_offset=3600", b"11:155.12"),
        ("minute_clock", b"10:145.12"),
        ("half_message", CASES["stat_sample"][:26]),
    ],
)
def test_a_fault_comes_and_goes(text: str, part_of_it: bytes) -> None:
    assert part_of_it in said(stat(text))
    biosen = stat(text)
    biosen.clear(fault(text).kind, 0)
    assert said(biosen) == CASES["stat_sample"]


def test_a_fault_of_one_result_is_over_with_it() -> None:
    for text in ("digit_swap", "half_message", "duplicate"):
        biosen = stat(text)
        biosen.place_sample(5.12 * 18.0156, 0)
        said(biosen, 60_000)
        assert said(biosen, 120_000) == CASES["stat_sample"].replace(b"007", b"008").replace(
            b"10:14", b"10:15"
        )


def test_a_stuck_analyzer_finds_the_same_value_under_a_new_number() -> None:
    biosen = stat("stuck")
    biosen.place_sample(180.0, 0)
    assert said(biosen, 120_000).count(b"5.12  ") == 2
    biosen.clear(FaultKind.STUCK, 120_000)
    biosen.place_sample(180.156, 120_000)
    assert b"10.00 " in said(biosen, 180_000)


def test_memory_corrections_and_controls() -> None:
    biosen = stat()
    said(biosen)
    for text, sent in (
        ("dump", CASES["stat_sample"]),
        ("edit=10", CASES["stat_sample"].replace(b"5.12", b"5.63")),
    ):
        biosen.inject(fault(text), 70_000)
        assert biosen.take_output() == sent
    biosen.inject(fault("control=100"), 70_000)
    assert b"DQ0001008 " in biosen.take_output()
    Biosen().inject(fault("edit"), 0)


def test_a_calibration_only_makes_the_result_late() -> None:
    biosen = Biosen(at("10:14"))
    biosen.inject(fault("calibrate"), 0)
    biosen.place_sample(92.0, 0)
    assert said(biosen, 179_999) == b""
    assert said(biosen, 180_000).startswith(b"\x02BIOS01DS")
    automatic = Biosen(BiosenSettings(autocal_ms=600_000))
    assert automatic.wake_at() == 600_000
    assert said(automatic, 800_000) == b""


def test_switched_off_and_on_it_counts_from_its_first_number() -> None:
    biosen = stat()
    said(biosen)
    biosen.place_sample(92.0, 70_000)
    biosen.inject(fault("power_cycle"), 80_000)
    assert said(biosen, 200_000) == b""
    biosen.place_sample(92.0, 200_000)
    assert b"DS0000007 " in said(biosen, 260_000)


def test_unplugged_its_results_are_lost() -> None:
    biosen = stat("unplug")
    plugged = [biosen.plugged]
    assert said(biosen) == b""
    biosen.clear(FaultKind.UNPLUG, 70_000)
    assert [*plugged, biosen.plugged] == [False, True]
    assert said(biosen, 80_000) == b""


def test_a_clock_offset_ends_and_oversize_is_sent() -> None:
    biosen = stat("clock_offset=3600")
    biosen.clear(FaultKind.CLOCK_OFFSET, 0)
    assert said(biosen) == CASES["stat_sample"]
    biosen.inject(fault("oversize"), 70_000)
    assert len(biosen.take_output()) == 20_001


def test_what_is_set_up_is_sent() -> None:
    own = replace(at("10:14"), preamble=b"##", device="EKF 42", tail=b"\x03A7", end=b"\r\n")
    sent = said(stat(own=own))
    assert sent == b"##EKF 42" + CASES["stat_sample"][7:] + b"\x03A7\r\n"


@pytest.mark.parametrize("text", ["stall", "drop_ack", "contention", "busy"])
def test_faults_of_other_devices_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no fault"):
        Biosen().inject(fault(text), 0)


@pytest.mark.parametrize("glucose_mg_dl", [-1.0, float("nan"), float("inf")])
def test_no_such_sample(glucose_mg_dl: float) -> None:
    with pytest.raises(ValueError, match="A sample cannot hold"):
        Biosen().place_sample(glucose_mg_dl, 0)
