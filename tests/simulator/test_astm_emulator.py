"""The ASTM emulator against the transcript of a Radiometer ABL, its timers and its faults."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.astm import AstmAnalyzer
from simulator.devices.astm_settings import AstmSettings, Unit
from simulator.devices.fault import FaultKind, fault

TRANSCRIPT = Path(__file__).parents[1] / "data" / "transcripts" / "astm_radiometer.txt"
ENQ, ACK, NAK, EOT = b"\x05", b"\x06", b"\x15", b"\x04"
READY_MS = 60_000
SETTINGS = AstmSettings(start=datetime(2026, 11, 22, 10, 14, 30), first_sample=42)

Exchange = list[tuple[bytes, bytes]]


def cases() -> dict[str, Exchange]:
    """Case -> (what the analyzer sends, what it is answered), in order."""
    found: dict[str, Exchange] = {}
    case: Exchange = []
    for line in TRANSCRIPT.read_text("utf-8").splitlines():
        if line.startswith("# case: "):
            case = found[line[8:]] = []
        elif line.startswith("< "):
            case.append((bytes.fromhex(line[2:]), b""))
        elif line.startswith("> "):
            sent, answer = case.pop()
            case.append((sent, answer + bytes.fromhex(line[2:])))
    return found


CASES = cases()


@dataclass(frozen=True)
class Prepared:
    """How the analyzer of a case is set up; `then` faults begin once that many exchanges are done."""

    settings: AstmSettings = SETTINGS
    mmol_l: float = 5.1
    faults: tuple[str, ...] = ()
    then: dict[int, str] = field(default_factory=dict)


EDIT_NOTE = "CHANGE^2002-07-19 16:44:02 () T: 37.0 -> 39.4"

PREPARED = {
    "full_with_split_comment": Prepared(faults=("error=377",)),
    "plain": Prepared(),
    "packed_one_frame": Prepared(replace(SETTINGS, packed=True)),
    "lower_case_checksum": Prepared(replace(SETTINGS, lower_case=True)),
    "noise_before_stx": Prepared(then={0: "noise=00FF41/1"}),
    "repeat_after_lost_ack": Prepared(faults=("duplicate",)),
    "same_number_other_text": Prepared(replace(SETTINGS, tries=1), faults=("duplicate",), then={4: "query"}),
    "bit_flip_then_resend": Prepared(then={3: "flip=15/1"}),
    "frame_number_gap": Prepared(then={3: "wrong_sequence"}),
    "enq_inside_transfer": Prepared(then={3: "contention"}),
    "eot_with_half_record": Prepared(faults=("error=377", "half_message")),
    "number_wrap_lactate_first_time_on_first_only": Prepared(
        replace(SETTINGS, first_time_only=True, panel=True), faults=("lactate_first",)
    ),
    "queried_value": Prepared(faults=("query",)),
    "no_value": Prepared(faults=("no_value",)),
    "other_unit_corrected": Prepared(replace(SETTINGS, unit=Unit.MG_DL, status="C")),
    "decimal_comma": Prepared(faults=("comma",)),
    "edit_resend": Prepared(replace(SETTINGS, edit_note=EDIT_NOTE), then={6: "edit"}),
    "digit_swap_a": Prepared(replace(SETTINGS, short_result=True)),
    "digit_swap_b": Prepared(replace(SETTINGS, short_result=True), faults=("digit_swap",)),
    "byte_above_7f": Prepared(replace(SETTINGS, patient_name="S\xf8rensen^A")),
}


def measured(prepared: Prepared) -> AstmAnalyzer:
    """An analyzer whose result is just ready."""
    analyzer = AstmAnalyzer(prepared.settings)
    for text in prepared.faults:
        analyzer.inject(fault(text), 0)
    analyzer.place_sample(prepared.mmol_l * 18.0156, 0)
    analyzer.advance(READY_MS)
    return analyzer


def answered(analyzer: AstmAnalyzer, answer: bytes, now_ms: int = READY_MS) -> bytes:
    """What the analyzer says to an answer; one second later when it says nothing at once."""
    analyzer.receive(answer, now_ms)
    said = analyzer.take_output()
    if not said:
        analyzer.advance(now_ms + 1000)
        said = analyzer.take_output()
    return said


def conversation(analyzer: AstmAnalyzer, now_ms: int = READY_MS, turns: int = 40) -> list[bytes]:
    """Everything the analyzer sends to a host that acknowledges."""
    said = [analyzer.take_output()]
    while said[-1] and len(said) < turns:
        analyzer.receive(ACK if said[-1] != EOT else b"", now_ms)
        said.append(analyzer.take_output())
    return said[:-1]


def value(analyzer: AstmAnalyzer, now_ms: int = READY_MS) -> list[str]:
    """Code, value, unit and status of the glucose record of one message."""
    for frame in conversation(analyzer, now_ms):
        text = frame.decode("latin-1")
        if text[2:4] == "R|" and "Glu" in text:
            fields = text.split("|")
            return [*fields[2:5], fields[8].strip()[:1]]
    return []


def test_every_case_of_the_transcript_is_prepared() -> None:
    assert set(CASES) == set(PREPARED)


@pytest.mark.parametrize("name", CASES)
def test_the_transcript_is_sent_byte_for_byte(name: str) -> None:
    prepared = PREPARED[name]
    analyzer = measured(replace(prepared, mmol_l=92 / 18.0156) if "other_unit" in name else prepared)
    now_ms, said = READY_MS, analyzer.take_output()
    for index, (sent, answer) in enumerate(CASES[name]):
        assert said == sent
        if index in prepared.then:
            analyzer.inject(fault(prepared.then[index]), now_ms)
        said = answered(analyzer, answer, now_ms)
        now_ms = max(now_ms, READY_MS)


@pytest.mark.parametrize("noise", [b"\x00", b"Q", b"\x02\xff", b"hello"])
def test_only_answers_are_answers(noise: bytes) -> None:
    analyzer = measured(Prepared())
    assert analyzer.take_output() == ENQ
    analyzer.receive(noise, READY_MS)
    assert analyzer.take_output() == b""
    analyzer.receive(ACK, READY_MS)
    assert analyzer.take_output()[:3] == b"\x021H"


@given(st.lists(st.tuples(st.binary(max_size=20), st.integers(0, 20_000)), max_size=20))
def test_any_bytes_leave_a_sender_that_still_ends(pieces: list[tuple[bytes, int]]) -> None:
    analyzer, now_ms = measured(Prepared()), READY_MS
    for piece, pause_ms in pieces:
        now_ms += pause_ms
        analyzer.receive(piece, now_ms)
        assert len(analyzer.take_output()) < 10_000
    for _ in range(20):
        now_ms = max(now_ms, analyzer.wake_at() or 0)
        analyzer.advance(now_ms)
        said = analyzer.take_output()
        while said and not said.endswith(EOT):
            analyzer.receive(ACK, now_ms)
            said = analyzer.take_output()
    assert analyzer.wake_at() is None


# --- timers ----------------------------------------------------------------------------------


def test_no_answer_to_a_call_ends_after_15_s_and_it_calls_again() -> None:
    analyzer = measured(Prepared())
    assert analyzer.take_output() == ENQ
    assert analyzer.wake_at() == READY_MS + 15_000
    analyzer.advance(READY_MS + 14_999)
    assert analyzer.take_output() == b""
    analyzer.advance(READY_MS + 15_000)
    assert analyzer.take_output() == EOT
    analyzer.advance(READY_MS + 25_000)
    assert analyzer.take_output() == ENQ


def test_a_refused_call_comes_again_after_10_s_six_times() -> None:
    analyzer, now_ms = measured(Prepared()), READY_MS
    for _ in range(5):
        assert analyzer.take_output() == ENQ
        analyzer.receive(NAK, now_ms)
        assert analyzer.wake_at() == now_ms + 10_000
        now_ms += 10_000
        analyzer.advance(now_ms)
    assert analyzer.take_output() == ENQ
    analyzer.receive(NAK, now_ms)
    assert analyzer.take_output() == EOT


def test_a_frame_is_sent_six_times_and_given_up() -> None:
    analyzer = measured(Prepared())
    analyzer.receive(ACK, READY_MS)
    frames = [analyzer.take_output()[1:]]
    for _ in range(6):
        analyzer.receive(NAK, READY_MS)
        frames.append(analyzer.take_output())
    assert frames[0] == frames[1]
    assert len(set(frames[1:6])) == 1
    assert frames[6] == EOT


def test_a_dropped_acknowledgement_ends_the_transfer_and_brings_it_again_whole() -> None:
    analyzer = measured(Prepared(faults=("drop_ack=1",)))
    analyzer.take_output()
    analyzer.receive(ACK, READY_MS)
    assert analyzer.take_output() == b""
    analyzer.advance(READY_MS + 25_000)
    assert analyzer.take_output() == EOT + ENQ
    analyzer.receive(ACK, READY_MS + 25_000)
    assert b"H|" in analyzer.take_output()


@pytest.mark.parametrize("byte", [ENQ, EOT])
def test_a_host_that_calls_or_stops_it_gets_the_message_later(byte: bytes) -> None:
    analyzer = measured(Prepared())
    analyzer.receive(ACK, READY_MS)
    analyzer.take_output()
    analyzer.receive(byte, READY_MS)
    wait_ms = 1000 if byte == ENQ else 10_000
    assert analyzer.wake_at() == READY_MS + wait_ms
    analyzer.advance(READY_MS + wait_ms)
    assert analyzer.take_output().endswith(ENQ)


# --- faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("query", ["^^^Glu^M", "?5.1", "mmol/L", "R"]),
        ("no_value", ["^^^Glu^M", ".....", "mmol/L", "X"]),
        ("comma", ["^^^Glu^M", "5,1", "mmol/L", "F"]),
        ("over_range", ["^^^Glu^M", ">60.0", "mmol/L", "F"]),
        ("unit_switch", ["^^^Glu^M", "92", "mg/dL", "F"]),
        ("whole_blood", ["^^^Glu^M", "4.6", "mmol/L", "F"]),
        ("digit_swap", ["^^^Glu^M", "1.5", "mmol/L", "F"]),
    ],
)
def test_a_fault_of_the_text_comes_and_goes(text: str, expected: list[str]) -> None:
    analyzer = measured(Prepared(faults=(text,)))
    assert value(analyzer) == expected
    analyzer.clear(fault(text).kind, READY_MS)
    analyzer.place_sample(5.1 * 18.0156, READY_MS)
    analyzer.advance(2 * READY_MS)
    assert value(analyzer, 2 * READY_MS)[1] == "5.1"


def records_of(analyzer: AstmAnalyzer, now_ms: int = READY_MS) -> str:
    return b"".join(conversation(analyzer, now_ms)).decode("latin-1")


def test_another_id_another_device_and_a_moved_clock_show_in_the_message() -> None:
    analyzer = measured(Prepared(faults=("other_id=S099", "identity=ABL90^Ward", "clock_offset=3600")))
    said = records_of(analyzer)
    for words in ("P|1||S099\r", "O|1|S099|Sample #^42|", "|ABL90^Ward|", "|20261122111530\r"):
        assert words in said
    for kind in (FaultKind.OTHER_ID, FaultKind.IDENTITY, FaultKind.CLOCK_OFFSET):
        analyzer.clear(kind, READY_MS)
    analyzer.place_sample(90.0, READY_MS)
    analyzer.advance(2 * READY_MS)
    said = records_of(analyzer, 2 * READY_MS)
    for words in ("P|1||S017\r", "O|1||Sample #^43|", "|ABL800^Bay 3|", "|20261122101630\r"):
        assert words in said


def records_of_answers(analyzer: AstmAnalyzer, now_ms: int) -> str:
    """The message of an analyzer whose call was heard."""
    analyzer.receive(ACK, now_ms)
    return records_of(analyzer, now_ms)


def test_controls_and_calibrations_are_not_samples() -> None:
    analyzer = AstmAnalyzer(SETTINGS)
    analyzer.inject(fault("control=110"), 0)
    said = records_of(analyzer, 0)
    assert "QC #^1|" in said
    assert "|6.1|mmol/L" in said
    analyzer.inject(fault("calibrate"), 0)
    assert analyzer.running
    analyzer.advance(75_000)
    said = records_of(analyzer, 75_000)
    assert "Cal #^2|" in said
    assert "|10.0|mmol/L" in said


def test_the_memory_is_sent_again() -> None:
    analyzer = measured(Prepared())
    first = records_of(analyzer)
    analyzer.inject(fault("dump"), READY_MS)
    assert records_of(analyzer) == first


def test_a_stuck_analyzer_finds_the_same_value_under_a_new_number() -> None:
    analyzer = measured(Prepared())
    conversation(analyzer)
    analyzer.inject(fault("stuck"), READY_MS)
    analyzer.place_sample(60.0, READY_MS)
    analyzer.advance(2 * READY_MS)
    said = records_of(analyzer, 2 * READY_MS)
    assert "Sample #^43|" in said
    assert "|5.1|mmol/L" in said
    analyzer.clear(FaultKind.STUCK, 2 * READY_MS)
    analyzer.place_sample(60.0, 2 * READY_MS)
    analyzer.advance(3 * READY_MS)
    assert "|3.3|mmol/L" in records_of(analyzer, 3 * READY_MS)


def test_an_error_code_comes_as_a_comment_until_it_is_cleared() -> None:
    analyzer = measured(Prepared(faults=("error=1A",)))
    assert "C|1|I|1A^Calibration drift" in records_of(analyzer)
    analyzer.clear(FaultKind.ERROR, READY_MS)
    analyzer.place_sample(90.0, READY_MS)
    analyzer.advance(2 * READY_MS)
    assert "C|1|I|" not in records_of(analyzer, 2 * READY_MS)


def test_an_unplugged_analyzer_keeps_its_result_and_brings_it_later() -> None:
    analyzer = AstmAnalyzer(SETTINGS)
    analyzer.inject(fault("unplug"), 0)
    assert not analyzer.plugged
    analyzer.place_sample(90.0, 0)
    analyzer.advance(200_000)
    assert analyzer.take_output() == b""
    analyzer.clear(FaultKind.UNPLUG, 200_000)
    analyzer.advance(240_000)
    assert analyzer.take_output().endswith(ENQ)
    assert "|5.0|mmol/L" in records_of_answers(analyzer, 240_000)


def test_an_edit_without_results_and_a_fault_of_a_pump() -> None:
    analyzer = AstmAnalyzer(SETTINGS)
    analyzer.inject(fault("edit"), 0)
    analyzer.inject(fault("drop_ack"), 0)
    analyzer.clear(FaultKind.DROP_ACK, 0)
    analyzer.clear(FaultKind.STALL, 0)
    assert analyzer.wake_at() is None
    with pytest.raises(ValueError, match="no fault 'stall'"):
        analyzer.inject(fault("stall"), 0)
    with pytest.raises(ValueError, match="A sample cannot hold"):
        analyzer.place_sample(-1.0, 0)
