"""The New Era emulator against the manual's frames, its timer, its numbers and its exact delivery."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.device import PumpDevice
from simulator.devices.fault import fault
from simulator.devices.new_era import NewEra
from simulator.devices.new_era_settings import NewEraSettings, SafReply
from simulator.devices.new_era_wire import five_characters, thousandths

TRANSCRIPT = Path(__file__).parents[1] / "data" / "transcripts" / "new_era_safe.txt"


def frames(side: str) -> dict[str, bytes]:
    """Payload as the comment above names it -> frame, for one side of the wire."""
    found: dict[str, bytes] = {}
    payload = ""
    for line in TRANSCRIPT.read_text("utf-8").splitlines():
        if line.startswith("# "):
            payload = line[2:].partition("  ")[0]
        elif line.startswith(side):
            found["" if payload == "(empty)" else payload] = bytes.fromhex(line[2:])
    return found


def crc(payload: bytes) -> int:
    """CRC-16/XMODEM bit by bit."""
    value = 0
    for byte in payload:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1) ^ 0x1021 if value & 0x8000 else value << 1
        value &= 0xFFFF
    return value


def frame(text: str) -> bytes:
    payload = text.encode()
    return bytes([2, len(payload) + 4]) + payload + crc(payload).to_bytes(2, "big") + b"\x03"


def payloads(data: bytes) -> list[str]:
    """Splits correct Safe frames by their length byte; anything else fails the test."""
    found = []
    while data:
        body, rest = data[: data[1] + 1], data[data[1] + 1 :]
        assert body == frame(body[2:-3].decode())
        found.append(body[2:-3].decode())
        data = rest
    return found


def ask(pump: PumpDevice, text: str, now_ms: int = 0) -> str:
    """One Safe exchange, exactly one reply."""
    pump.receive(frame(text), now_ms)
    (reply,) = payloads(pump.take_output())
    return reply


def basic(pump: PumpDevice, text: str, now_ms: int = 0) -> bytes:
    pump.receive(text.encode() + b"\r", now_ms)
    return pump.take_output()


def safe_pump(saf_s: int = 255, address: int = 0) -> NewEra:
    """A pump in Safe mode with its reset alarm read."""
    pump = NewEra(NewEraSettings(saf_s=saf_s, address=address))
    assert ask(pump, f"{address:02d}") == f"{address:02d}A?R"
    return pump


def running_pump(saf_s: int = 255) -> NewEra:
    pump = safe_pump(saf_s=saf_s)
    assert ask(pump, "00RAT120.0MH") == "00S"
    assert ask(pump, "00RUN") == "00I"
    return pump


@pytest.mark.parametrize(("payload", "sent"), frames("> ").items())
def test_every_frame_of_the_transcript_is_understood(payload: str, sent: bytes) -> None:
    address = 1 if payload.startswith("01") else 0
    pump = safe_pump(address=address)
    pump.receive(sent, 0)
    reply = pump.take_output()
    if payload.endswith("SAF0"):
        assert reply == b"\x0200S\x03"
        return
    (text,) = payloads(reply)
    assert text[:2] == f"{address:02d}"
    assert not text.endswith(("?", "?COM", "?NA"))


def _stalled(pump: NewEra) -> None:
    pump.inject(fault("alarm_next=S"), 0)


def _timed_out(pump: NewEra) -> None:
    pump.advance(255_000)
    assert payloads(pump.take_output()) == ["00A?T"]


def _at_120_ml_h(pump: NewEra) -> None:
    ask(pump, "00RAT120.0MH")
    ask(pump, "00RUN")


def _after_12_34_ml(pump: NewEra) -> None:
    _at_120_ml_h(pump)
    ask(pump, "00", 200_000)


def _paused(pump: NewEra) -> None:
    _at_120_ml_h(pump)
    ask(pump, "00STP")


def _fresh(pump: NewEra) -> None:
    del pump


REPLIES: dict[str, tuple[Callable[[NewEra], None], bytes, int]] = {
    "00S": (_fresh, frame("00"), 0),
    "00I": (_at_120_ml_h, frame("00"), 0),
    "00P": (_paused, frame("00"), 0),
    "00I120.0MH": (_at_120_ml_h, frame("00RAT"), 0),
    "00II12.34W0.000ML": (_after_12_34_ml, frame("00DIS"), 370_200),
    "00A?S": (_stalled, frame("00"), 0),
    "00A?T": (_timed_out, frame("00RUN"), 256_000),
    "00S?OOR": (_fresh, frame("00RAT1700MH"), 0),
    "00S?NA": (_fresh, frame("00LOC1"), 0),
    "00S?COM": (_fresh, frame("00RUN").replace(b"RUN", b"RUM"), 0),
}


def test_every_reply_of_the_transcript_is_given_byte_for_byte() -> None:
    wanted = frames("< ")
    assert set(wanted) == {*REPLIES, "00A?R"}
    for payload, (prepare, sent, now_ms) in REPLIES.items():
        pump = safe_pump()
        prepare(pump)
        pump.take_output()
        pump.receive(sent, now_ms)
        assert pump.take_output() == wanted[payload], payload
    pump = NewEra(NewEraSettings(saf_s=10))
    pump.receive(frame("00RUN"), 0)
    assert pump.take_output() == wanted["00A?R"]


SETUP = [
    text
    for text in frames("> ")
    if not text.startswith("01") and not text.endswith(("SAF0", "SAF5", "SAF10", "RUN"))
]
CUTS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 500)), max_size=60)


@given(CUTS)
def test_cut_anywhere_within_half_a_second_says_the_same(cuts: list[tuple[int, int]]) -> None:
    stream = b"".join(frame(text) for text in SETUP)
    whole, cut = safe_pump(), safe_pump()
    whole.receive(stream, 0)
    said, now_ms = b"", 0
    for size, pause_ms in [*cuts, (len(stream), 0)]:
        now_ms += pause_ms
        cut.receive(stream[:size], now_ms)
        said += cut.take_output()
        stream = stream[size:]
    assert said == whole.take_output()


@given(st.lists(st.integers(1, 30), max_size=20))
def test_a_framing_switch_inside_one_burst_is_cut_proof(sizes: list[int]) -> None:
    stream = b"00\r00rat 9.999 mh\r00SAF5\r" + frame("00RAT") + frame("00SAF0") + b"00 V E R\r"
    pump = NewEra()
    said = b""
    for size in [*sizes, len(stream)]:
        pump.receive(stream[:size], 0)
        said += pump.take_output()
        stream = stream[size:]
    safe = frame("00S") + frame("00S9.999MH")
    assert said == b"\x0200A?R\x03\x0200S\x03" + safe + b"\x0200S\x03\x0200SNE1000V3.928\x03"


@given(st.binary(max_size=80), st.booleans())
def test_noise_never_stops_the_pump_from_answering_after_a_silence(noise: bytes, saf: bool) -> None:
    pump = NewEra(NewEraSettings(saf_s=200 if saf else 0))
    pump.receive(noise, 0)
    if saf:
        pump.take_output()
        assert ask(pump, "00VER", 501) in ("00SNE1000V3.928", "00A?R")
    else:
        basic(pump, "", 501)
        assert basic(pump, "00VER", 501) in (b"\x0200SNE1000V3.928\x03", b"\x0200A?R\x03")


def test_a_stray_start_byte_does_not_cost_the_packet_behind_it() -> None:
    pump = safe_pump()
    pump.receive(b"\x02" + frame("00"), 0)
    assert payloads(pump.take_output()) == ["00S"]


@given(st.integers(1, 300))
def test_an_overlong_basic_line_is_cut_proof(at: int) -> None:
    stream = b"9" * 10 + b" " * 285 + b"00VER\r"
    pump = NewEra()
    basic(pump, "")
    pump.receive(stream[:at], 0)
    pump.receive(stream[at:], 0)
    assert pump.take_output() == b"\x0200SNE1000V3.928\x03"


def test_a_gap_of_more_than_half_a_second_drops_the_packet() -> None:
    pump = safe_pump()
    sent = frame("00VER")
    pump.receive(sent[:5], 0)
    pump.receive(sent[5:], 501)
    assert pump.take_output() == b""
    assert ask(pump, "00", 502) == "00S"


@pytest.mark.parametrize("text", ["RAT7.4MH", "RAT33.6MH", "RAT10.1MH"])
def test_checksum_bytes_that_look_like_framing_do_not_cut_the_packet(text: str) -> None:
    assert ask(safe_pump(), text) == "00S"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("120.0", "120.0"),
        ("2000", "2000."),
        ("0.5", "0.500"),
        (".125", "0.125"),
        ("12.34", "12.34"),
        ("7.", "7.000"),
    ],
)
def test_numbers_come_back_with_four_digits_and_a_point(typed: str, shown: str) -> None:
    value = thousandths(typed)
    assert value is not None
    assert five_characters(value) == shown


@pytest.mark.parametrize("typed", ["", ".", "12345", "1.2345", "123.45", "1.2.3", "-1", "1e3", "٣"])
def test_other_numbers_are_not_taken(typed: str) -> None:
    assert thousandths(typed) is None


@given(st.integers(0, 9_999_999))
def test_a_shown_number_is_cut_off_and_never_above_the_true_one(value: int) -> None:
    text = five_characters(value)
    back = thousandths(text)
    assert len(text) == 5
    assert back is not None
    assert 0 <= value - back < max(1, value // 1000 + 1)


@pytest.mark.parametrize(
    ("diameter", "highest", "above", "lowest", "below"),
    [
        ("26.59", "1699MH", "1700MH", "0.024MH", "0.023MH"),
        ("14.43", "500.4MH", "500.6MH", "0.007MH", "0.006MH"),
        ("29.70", "2120MH", "2121MH", "29.20UH", "29.00UH"),
    ],
)
def test_plunger_speed_and_diameter_limit_the_rate(
    diameter: str, highest: str, above: str, lowest: str, below: str
) -> None:
    pump = safe_pump()
    assert ask(pump, f"00DIA{diameter}") == "00S"
    for good in (highest, lowest):
        assert ask(pump, f"00RAT{good}") == "00S"
    for bad in (above, below, "0MH"):
        assert ask(pump, f"00RAT{bad}") == "00S?OOR"


def test_set_up_reads_back_and_volume_units_follow_the_diameter() -> None:
    pump = safe_pump()
    assert ask(pump, "00DIA14.00") == "00S"
    assert ask(pump, "00VOL") == "00S0.000UL"
    assert ask(pump, "00DIA14.01") == "00S"
    assert ask(pump, "00VOL5.5") == "00S"
    assert [ask(pump, f"00{q}") for q in ("DIA", "VOL", "DIR", "FUN", "PHN")] == [
        "00S14.01",
        "00S5.500ML",
        "00SINF",
        "00SRAT",
        "00S1",
    ]
    assert ask(pump, "00VOLUL") == "00S"
    assert ask(pump, "00DIS") == "00SI0.000W0.000UL"
    assert ask(pump, "00DIRREV") == "00S"
    assert ask(pump, "00DIR") == "00SWDR"
    assert ask(pump, "00PHN2") == "00S"
    assert ask(pump, "00FUN") == "00SSTP"
    assert [ask(pump, f"00{text}") for text in ("PHN42", "XYZ", "DIA99.9", "DIRUP")] == [
        "00S?OOR",
        "00S?",
        "00S?OOR",
        "00S?",
    ]


def test_a_running_pump_keeps_units_and_set_up_locked() -> None:
    pump = running_pump()
    for text in ("RAT10.0UM", "DIA20", "VOL5", "DIRWDR", "PHN2", "FUNSTP", "CLDINF", "RUN"):
        assert ask(pump, f"00{text}") == "00I?NA", text
    assert ask(pump, "00RAT60.0") == "00I"
    assert ask(pump, "00RAT") == "00I60.00MH"
    assert pump.flow_ul_h == 60_000
    assert ask(pump, "00LOC1") == "00I"


def test_the_first_stop_pauses_and_the_second_ends() -> None:
    pump = running_pump()
    assert ask(pump, "00STP", 1000) == "00P"
    assert pump.flow_ul_h == 0
    assert ask(pump, "00CLDINF", 1000) == "00P?NA"
    assert ask(pump, "00RUN", 1000) == "00I"
    assert [ask(pump, "00STP", 1000) for _ in range(3)] == ["00P", "00S", "00S"]
    assert ask(pump, "00CLDINF", 1000) == "00S"


@pytest.mark.parametrize(
    ("habit", "to_safe", "to_basic"),
    [
        (SafReply.NEW, frame("00S"), b"\x0200S\x03"),
        (SafReply.SAFE, frame("00S"), frame("00S")),
        (SafReply.BASIC, b"\x0200S\x03", b"\x0200S\x03"),
    ],
)
def test_the_reply_to_a_framing_switch_is_a_setting(habit: SafReply, to_safe: bytes, to_basic: bytes) -> None:
    pump = NewEra(NewEraSettings(saf_reply=habit))
    basic(pump, "")
    assert basic(pump, "SAF10") == to_safe
    pump.receive(frame("SAF0"), 0)
    assert pump.take_output() == to_basic


def test_another_address_is_not_answered_and_a_new_one_is_taken() -> None:
    pump = safe_pump(address=7)
    pump.receive(frame("00") + frame("") + frame("01VER"), 0)
    assert pump.take_output() == b""
    assert ask(pump, "*ADR12B19200") == "12S"
    assert ask(pump, "12") == "12S"
