"""The POCT1-A emulator against the transcript, and its faults."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from simulator.devices.fault import FaultKind, fault
from simulator.devices.poct1a import Poct1a
from simulator.devices.poct1a_settings import Poct1aSettings
from simulator.devices.ysi_report import Unit

TRANSCRIPT = Path(__file__).parents[1] / "data" / "transcripts" / "poct1a.txt"
Lines = list[tuple[str, bytes]]


def cases() -> dict[str, Lines]:
    """Each case's lines as (direction, bytes)."""
    found: dict[str, Lines] = {}
    lines: Lines = []
    for line in TRANSCRIPT.read_text("utf-8").splitlines():
        if line.startswith("# case: "):
            lines = found[line[8:]] = []
        elif line[:2] in ("> ", "< "):
            lines.append((line[0], bytes.fromhex(line[2:])))
    return found


CASES = cases()
GLUCOSE_5_1 = 5.1 * 18.0156


BASE = Poct1aSettings(
    start=datetime(2026, 11, 22, 10, 14, 55),
    utc_offset="-05:00",
    first_control_id=17,
    run_ms=0,
    control_mg_dl=5.6 * 18.0156,
)


def settings(unit: Unit = Unit.MMOL_L, **own: Any) -> Poct1aSettings:
    return replace(BASE, unit=unit, **own)


def sample(meter: Poct1a, *faults: str, glucose_mg_dl: float = GLUCOSE_5_1) -> None:
    for text in faults:
        meter.inject(fault(text), 0)
    meter.place_sample(glucose_mg_dl, 0)
    meter.advance(0)


def with_faults(*faults: str) -> Callable[[Poct1a], None]:
    return lambda meter: sample(meter, *faults)


def only(*faults: str) -> Callable[[Poct1a], None]:
    def act(meter: Poct1a) -> None:
        for text in faults:
            meter.inject(fault(text), 0)
        meter.advance(0)

    return act


def edited(meter: Poct1a) -> None:
    meter.inject(fault("edit=10"), 0)


def nothing(_meter: Poct1a) -> None:
    """The meter is left alone."""


DECLARED = '<?xml version="1.0" encoding="utf-8"?>\r\n'
LATIN = '<?xml version="1.0" encoding="iso-8859-1"?>'

WORLDS: dict[str, tuple[Poct1aSettings, dict[int, Callable[[Poct1a], None]]]] = {
    "nothing_waiting": (settings(), {}),
    "waiting_result": (settings(), {0: sample}),
    "pushed_result": (settings(), {6: sample}),
    "mg_dl": (settings(Unit.MG_DL), {6: lambda meter: sample(meter, glucose_mg_dl=92.4)}),
    "declaration_and_line_ends": (settings(declaration=DECLARED), {6: sample}),
    "latin_1": (settings(declaration=LATIN, encoding="latin-1", patient="S\u00f817"), {6: sample}),
    "control": (settings(), {6: only("control")}),
    "calibration_check": (settings(), {6: only("calibrate")}),
    "lactate_first": (settings(), {6: with_faults("lactate_first")}),
    "sent_again": (settings(), {6: with_faults("drop_ack")}),
    "edited": (settings(), {6: sample, 8: edited}),
    "decimal_comma": (settings(), {6: with_faults("comma")}),
    "over_range": (settings(), {6: with_faults("over_range")}),
    "no_value": (settings(), {6: with_faults("no_value")}),
    "noted_error": (settings(), {6: with_faults("error=4")}),
    "another_meter": (settings(serial="SS-0815"), {}),
    "document_type": (settings(), {6: with_faults("entity_bomb")}),
    "cut_message": (settings(), {6: with_faults("half_message")}),
    "ended": (settings(), {6: only("drop_remote")}),
}
"""Settings of each case, and what happens to the meter before its line of that number."""


def test_every_case_has_a_world() -> None:
    assert set(WORLDS) == set(CASES)


@pytest.mark.parametrize("size", [1, 3, 7, 1_000_000])
@pytest.mark.parametrize("name", WORLDS)
def test_the_transcript_judges_the_emulator(name: str, size: int) -> None:
    own, acts = WORLDS[name]
    meter = Poct1a(own)
    now_ms = 0
    for number, (direction, data) in enumerate(CASES[name]):
        acts.get(number, nothing)(meter)
        if direction == ">":
            for at in range(0, len(data), size):
                meter.receive(data[at : at + size], now_ms)
            continue
        said = meter.take_output()
        if not said:
            now_ms += 10_000
            meter.advance(now_ms)
            said = meter.take_output()
        assert said == data
    assert meter.take_output() == b""


@pytest.mark.parametrize("name", ["waiting_result", "pushed_result"])
def test_a_cut_at_every_byte_gives_the_same(name: str) -> None:
    own, acts = WORLDS[name]
    asked = max((data for direction, data in CASES[name] if direction == ">"), key=len)
    for at in range(1, len(asked)):
        meter = Poct1a(own)
        for number, (direction, data) in enumerate(CASES[name]):
            acts.get(number, nothing)(meter)
            if direction == ">":
                meter.receive(data[:at], 0)
                meter.receive(data[at:], 0)
            else:
                assert meter.take_output() == data


# --- what the transcript does not show -------------------------------------------------------


def conversing(own: Poct1aSettings | None = None) -> Poct1a:
    """A meter in continuous mode, nothing to send."""
    meter = Poct1a(own or settings())
    for direction, data in CASES["nothing_waiting"]:
        if direction == ">":
            meter.receive(data, 0)
    meter.take_output()
    return meter


def test_without_continuous_mode_a_new_result_is_announced() -> None:
    meter = Poct1a(settings(run_ms=6000))
    for direction, data in CASES["nothing_waiting"][:-2]:
        if direction == ">":
            meter.receive(data, 0)
    meter.take_output()
    meter.place_sample(90.0, 1000)
    assert meter.running
    assert meter.wake_at() == 7000
    meter.advance(7000)
    assert b'<DST.new_observations_qty V="1"/>' in meter.take_output()
    assert not meter.running


def test_an_unheard_greeting_is_repeated_for_ever() -> None:
    meter = Poct1a(settings())
    greetings = 0
    for turn in range(8):
        meter.advance(turn * 10_000)
        greetings += meter.take_output().count(b"<HEL.R01>")
    assert greetings == 8


def test_unplugged_it_says_nothing_and_then_greets_and_sends_what_it_kept() -> None:
    meter = conversing()
    meter.inject(fault("unplug"), 0)
    sample(meter)
    assert not meter.plugged
    assert meter.take_output() == b""
    meter.clear(FaultKind.UNPLUG, 1000)
    assert meter.take_output().startswith(b"<HEL.R01>")
    meter.receive(ack_of(meter_id(meter)), 1000)
    assert b'<DST.new_observations_qty V="1"/>' in meter.take_output()


def meter_id(meter: Poct1a) -> int:
    assert meter._waits is not None
    return meter._waits.control_id


def ack_of(control_id: int, kind: str = "AA") -> bytes:
    body = f'<ACK><ACK.type_cd V="{kind}"/><ACK.ack_control_id V="{control_id}"/></ACK>'
    return f"<ACK.R01>{body}</ACK.R01>".encode()


def test_the_whole_memory_can_be_sent_again() -> None:
    meter = conversing()
    for _ in range(3):
        sample(meter)
        meter.receive(ack_of(meter_id(meter)), 0)
    meter.take_output()
    meter.inject(fault("dump"), 0)
    count = 0
    while b"<OBS.R01>" in meter.take_output():
        count += 1
        meter.receive(ack_of(meter_id(meter)), 0)
    assert count == 3


def test_a_refused_result_is_kept_and_the_meter_greets_anew() -> None:
    meter = conversing()
    sample(meter)
    meter.take_output()
    meter.receive(ack_of(meter_id(meter), "AE"), 0)
    assert meter.take_output().startswith(b"<HEL.R01>")
    assert len(meter._results.unsent) == 1


def test_a_busy_meter_refuses_to_send_until_it_is_not() -> None:
    meter = conversing()
    meter.inject(fault("busy"), 0)
    asked = CASES["waiting_result"][4][1]
    meter.receive(asked, 0)
    assert b'<ESC.detail_cd V="BSY"/>' in meter.take_output()
    meter.clear(FaultKind.BUSY, 0)
    meter.receive(asked, 0)
    assert b"<EOT.R01>" in meter.take_output()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("other_id=<&X", b'<PT.patient_id V="&lt;&amp;X"/>'),
        ("unit_switch", b'V="92" U="mg/dL"'),
        ("whole_blood", b'V="4.6" U="mmol/L"'),
        ("digit_swap", b'V="1.5" U="mmol/L"'),
        ("minute_clock", b'<SVC.observation_dttm V="2026-11-22T10:14-05:00"/>'),
        ("clock_offset=65", b'<SVC.observation_dttm V="2026-11-22T10:16:00-05:00"/>'),
        ("query", b""),
    ],
)
def test_what_faults_do_to_a_result(text: str, shown: bytes) -> None:
    meter = conversing()
    if not shown:
        with pytest.raises(ValueError, match="A POCT1-A meter has no fault"):
            meter.inject(fault(text), 0)
        return
    sample(meter, text)
    assert shown in meter.take_output()


def test_a_stuck_meter_repeats_its_number_for_new_samples() -> None:
    meter = conversing(settings(Unit.MG_DL, run_ms=1000))
    meter.inject(fault("stuck"), 0)
    shown = []
    for turn, value in enumerate((90.0, 120.0)):
        meter.place_sample(value, turn * 2000)
        meter.advance(turn * 2000 + 1000)
        shown.append(meter.take_output())
        meter.receive(ack_of(meter_id(meter)), turn * 2000 + 1000)
    assert [b'V="90" U="mg/dL"' in text for text in shown] == [True, True]
    assert shown[0] != shown[1]


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_impossible_blood_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="A sample cannot hold"):
        Poct1a().place_sample(value, 0)


def test_random_bytes_do_nothing() -> None:
    meter = conversing()
    for at in range(3000):
        meter.receive(bytes((at * 37 % 251, at % 256)) * 9, 0)
    assert meter.take_output() == b""
    assert len(meter._buffer) <= 16_384
