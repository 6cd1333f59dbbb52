"""The faults of the Siemens emulator: they come, they go, and they are what their name says."""

from dataclasses import replace
from datetime import datetime

import hypothesis
import pytest
from hypothesis import strategies as st

from simulator.devices.fault import FaultKind, fault
from simulator.devices.siemens import Siemens
from simulator.devices.siemens_wire import Unit, message, part
from tests.simulator.test_siemens_emulator import ACK, CASES, MMOL_5_1, QUIET, placed, play, said


def data_of(siemens: Siemens, now_ms: int = 60_000) -> str:
    """The data frame for the announced sample, with `,` and `;` for the separators."""
    siemens.advance(now_ms)
    siemens.take_output()
    siemens.receive(CASES["new_sample"][1][1], now_ms)
    sent = siemens.take_output()
    assert sent.startswith(ACK)
    return sent[len(ACK) :].decode("latin-1").replace("\x1d", ",").replace("\x1c", ";")


@pytest.mark.parametrize(
    ("text", "part_of_it"),
    [
        ("error=4", "mGlu,5.1,mmol/L,EXC4,;"),
        ("unit_switch", "mGlu,92,mg/dL,,;"),
        ("comma", "mGlu,5,1,mmol/L"),
        ("query", "mGlu,?5.1,"),
        ("no_value", "mGlu,.....,"),
        ("over_range", "mGlu,>55.0,"),
        ("whole_blood", "mGlu,4.6,"),
        ("digit_swap", "mGlu,1.5,"),
        ("other_id=T9", "iPID,T9,"),
        ("identity=99", "iIID,99,"),
        ("lactate_first", "mLac,1.0,mmol/L,,;mGlu,5.1,"),
        ("wrong_sequence", "rSEQ,5,"),
        ("clock_offset=3600", "rTIME,11:14,"),
        ("minute_clock", "rTIME,10:14,"),
    ],
)
def test_a_fault_of_the_results_comes_and_goes(text: str, part_of_it: str) -> None:
    siemens = placed(text)
    assert part_of_it in data_of(siemens)
    plain = placed(text)
    plain.clear(fault(text).kind, 0)
    back = data_of(plain)
    assert "mGlu,5.1,mmol/L,,;" in back
    assert part_of_it not in back or text == "minute_clock"


def test_values_are_rounded_as_the_unit_wants() -> None:
    assert "mGlu,92,mg/dL" in data_of(placed(own=replace(QUIET, unit=Unit.MG_DL)))
    high = Siemens(QUIET)
    high.place_sample(1200.0, 0)
    assert "mGlu,>55.0,mmol/L" in data_of(high)


def test_a_stuck_analyzer_gives_the_same_value_under_a_new_number() -> None:
    siemens = placed("stuck")
    siemens.place_sample(180.0, 0)
    siemens.advance(120_000)
    siemens.take_output()
    siemens.receive(message("SMP_REQ", [part("rSEQ", "5")]), 130_000)
    assert b"rSEQ\x1d5\x1d" in (sent := siemens.take_output())
    assert b"mGlu\x1d5.1\x1d" in sent
    siemens.clear(FaultKind.STUCK, 130_000)
    siemens.place_sample(180.0, 130_000)
    siemens.advance(190_000)
    siemens.take_output()
    siemens.receive(ACK + message("SMP_REQ", [part("rSEQ", "6")]), 190_000)
    assert b"mGlu\x1d10.0\x1d" in siemens.take_output()


def test_a_calibration_is_told_at_its_beginning_and_its_end() -> None:
    siemens = Siemens(replace(QUIET, autocal_ms=600_000))
    assert said(siemens, 600_000) == message("CAL_START")
    assert siemens.running
    siemens.receive(ACK, 600_010)
    ended = said(siemens, 675_000)
    assert ended.startswith(b"\x02CAL_NEW_DATA")
    assert b"mGlu\x1d10.0\x1dmmol/L" in ended
    assert not siemens.running


def test_a_control_has_a_number_of_its_own_and_no_patient() -> None:
    siemens = Siemens(QUIET)
    siemens.inject(fault("control=100"), 0)
    sent = said(siemens, 0)
    assert sent.startswith(b"\x02QC_NEW_DATA")
    assert b"rSEQ\x1d4\x1d" in sent
    assert b"iPID" not in sent
    siemens.place_sample(MMOL_5_1, 0)
    siemens.receive(ACK, 10)
    assert b"rSEQ\x1d5\x1d" in said(siemens, 60_000)


def test_the_memory_is_announced_again() -> None:
    siemens = placed()
    play(siemens, CASES["new_sample"], lambda sent: [sent])
    siemens.inject(fault("dump"), 70_000)
    assert siemens.take_output() == CASES["new_sample"][0][1]


def test_acknowledgements_that_are_not_heard_cost_the_retry() -> None:
    siemens = placed("drop_ack")
    first = said(siemens, 60_000)
    siemens.receive(ACK, 60_010)
    assert said(siemens, 63_000) == first
    siemens.receive(ACK, 63_010)
    assert siemens.wake_at() is None
    siemens.inject(fault("drop_ack=5"), 63_010)
    siemens.clear(FaultKind.DROP_ACK, 63_010)
    siemens.inject(fault("busy"), 63_010)
    siemens.receive(ACK, 63_020)
    assert siemens.wake_at() is None


def test_switched_off_and_on_it_counts_from_its_first_number_and_asks_who_listens() -> None:
    siemens = placed(own=replace(QUIET, asks_identity=True))
    siemens.inject(fault("power_cycle"), 30_000)
    assert said(siemens, 30_000) == message("ID_REQ")
    siemens.receive(ACK, 30_010)
    assert said(siemens, 90_000) == b""
    siemens.place_sample(MMOL_5_1, 90_000)
    assert b"rSEQ\x1d4\x1d" in said(siemens, 150_000)


def test_busy_is_told_and_so_is_its_end() -> None:
    siemens = Siemens(QUIET)
    siemens.clear(FaultKind.BUSY, 0)
    assert siemens.take_output() == b""
    siemens.inject(fault("busy"), 0)
    assert siemens.take_output() == message("SYS_NOT_READY")
    siemens.receive(ACK, 10)
    siemens.clear(FaultKind.BUSY, 20)
    assert siemens.take_output() == message("SYS_READY")


def test_what_the_host_says_is_lost_in_contention() -> None:
    siemens = placed("contention")
    said(siemens, 60_000)
    siemens.receive(CASES["new_sample"][1][1], 60_010)
    assert siemens.take_output() == message("SYS_MEASURING")
    siemens.receive(CASES["new_sample"][1][1], 60_020)
    assert siemens.take_output() == CASES["new_sample"][2][1]


def test_half_a_message_is_made_good_by_the_retry() -> None:
    siemens = placed("half_message")
    whole = CASES["new_sample"][2][1][len(ACK) :]
    said(siemens, 60_000)
    siemens.receive(CASES["new_sample"][1][1], 60_000)
    assert siemens.take_output() == ACK + whole[: len(whole) // 2]
    assert said(siemens, 63_000) == whole


def test_unplugged_it_neither_hears_nor_says() -> None:
    siemens = placed("unplug")
    plugged = [siemens.plugged]
    assert said(siemens, 60_000) == b""
    siemens.receive(CASES["new_sample"][1][1], 61_000)
    siemens.clear(FaultKind.UNPLUG, 62_000)
    assert [*plugged, siemens.plugged] == [False, True]
    assert said(siemens, 63_000) == CASES["new_sample"][0][1]


@pytest.mark.parametrize("text", ["stall", "permit=no", "entity_bomb", "deaf"])
def test_faults_of_other_devices_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no fault"):
        Siemens().inject(fault(text), 0)


@pytest.mark.parametrize("glucose_mg_dl", [-1.0, float("nan"), float("inf")])
def test_no_such_sample(glucose_mg_dl: float) -> None:
    with pytest.raises(ValueError, match="A sample cannot hold"):
        Siemens().place_sample(glucose_mg_dl, 0)


@pytest.mark.parametrize("month", range(1, 13))
def test_months_are_english_whatever_the_computer_speaks(month: int) -> None:
    english = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    sent = data_of(placed(own=replace(QUIET, start=datetime(2026, month, 3, 8))))
    assert f"rDATE,03{english[month - 1]}26," in sent


@hypothesis.given(st.lists(st.binary(max_size=300), max_size=20))
def test_no_bytes_of_the_host_raise_and_the_next_request_is_answered(noise: list[bytes]) -> None:
    siemens = placed()
    for now_ms, piece in enumerate(noise):
        siemens.receive(piece, 60_000 + now_ms)
        siemens.take_output()
    assert len(siemens._ear._buffer) <= 4096
    siemens.receive(b"\x04" + message("SMP_REQ", [part("rSEQ", "99")]), 61_000)
    assert siemens.take_output().endswith(ACK)
