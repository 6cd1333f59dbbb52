"""The golden frames judge the Alaris emulator, cut at any byte; then what it does by itself."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.alaris import Alaris
from simulator.devices.alaris_settings import AlarisSettings
from simulator.devices.alaris_wire import Inbox, framed

GOLDEN = Path(__file__).parents[1] / "data" / "transcripts" / "alaris_asena.txt"
ENABLE = framed("REMOTE_CTRL", "ENABLED", "3CC1")


def groups() -> list[tuple[bytes, bytes | None]]:
    """Each `>` with the `<` below it, if there is one."""
    found: list[tuple[bytes, bytes | None]] = []
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        if line.startswith("> "):
            found.append((bytes.fromhex(line[2:]), None))
        elif line.startswith("< "):
            found[-1] = (found[-1][0], bytes.fromhex(line[2:]))
    return found


ANSWERED = [(asked, told) for asked, told in groups() if told is not None]


def say(pump: Alaris, text: str, now_ms: int = 0) -> str:
    """One frame, and the text of the reply."""
    pump.receive(framed(*text.split("^")), now_ms)
    return pump.take_output().decode()[1:-6]


def controlled(made: AlarisSettings | None = None) -> Alaris:
    pump = Alaris(made)
    assert say(pump, "REMOTE_CTRL^ENABLED^3CC1") == "REMOTE_CTRL^ENABLED^****^PERMIT^0^ms"
    return pump


def running(made: AlarisSettings | None = None) -> Alaris:
    """Infusing 60 mL/h since 0 ms, started over serial."""
    pump = controlled(made)
    assert say(pump, "INF_RATE^60.00^ml/h") == "INF_RATE^60.00^ml/h"
    assert say(pump, "INF_START") == "INF_START"
    return pump


def test_there_are_golden_frames() -> None:
    assert (len(groups()), len(ANSWERED)) == (22, 15)
    assert framed("INST_SERIALNO", "8002-51740") == ANSWERED[0][1]


@pytest.mark.parametrize(("asked", "told"), ANSWERED)
def test_each_golden_reply_is_made_cut_at_any_byte(asked: bytes, told: bytes) -> None:
    for at in range(len(asked) + 1):
        pump = Alaris()
        pump.receive(ENABLE, 0)
        pump.take_output()
        if asked.startswith(b"!INF_START"):
            pump.receive(framed("INF_RATE", "3.50", "ml/h"), 0)
            pump.take_output()
        pump.receive(asked[:at], 0)
        assert pump.take_output() == (told if at == len(asked) else b"")
        pump.receive(asked[at:], 0)
        assert pump.take_output() == (told if at < len(asked) else b"")


@pytest.mark.parametrize("seed", range(5))
def test_the_whole_transcript_in_random_pieces(seed: int) -> None:
    dice, pump = Random(seed), Alaris()
    data = ENABLE + b"".join(asked for asked, _ in ANSWERED if b"DISABLED" not in asked)
    while data:
        size = dice.randint(1, 7)
        pump.receive(data[:size], 0)
        data = data[size:]
    permit = next(told for asked, told in ANSWERED if asked == ENABLE)
    assert pump.take_output() == permit + b"".join(
        told for asked, told in ANSWERED if b"DISABLED" not in asked
    )


@given(st.lists(st.binary(max_size=400), max_size=10))
def test_noise_never_raises_and_is_not_kept(chunks: list[bytes]) -> None:
    inbox = Inbox()
    for chunk in chunks:
        inbox.put(chunk)
        assert inbox._held is None or len(inbox._held) <= 255


@pytest.mark.parametrize(
    "data", [b"!INF|4962\r", b"INF|4961\r", b"!INF\x1b|4961\r", b"!INF|4961", b"!WHAT|7D3B\r", b"!|\r"]
)
def test_what_is_no_known_frame_is_not_answered(data: bytes) -> None:
    pump = Alaris()
    pump.receive(data, 0)
    assert pump.take_output() == b""


def test_a_frame_begun_anew_or_after_noise_is_heard() -> None:
    pump = Alaris()
    pump.receive(b"\xff\r!IN!INF_VI|B42C\r", 0)
    assert pump.take_output() == framed("INF_VI", "0.000", "ml")


def test_the_status_has_the_layout_of_a_recorded_one() -> None:
    pump = running()
    assert say(pump, "INF", 600) == ("INF^8002-51740^-^SET^60.00^ml/h^^0.010^ml^17.91^mmHg^24+^EVENT^127905")
    assert say(pump, "INF_STOP", 1200) == "INF_STOP"
    assert say(pump, "INF", 5000) == ("INF^8002-51740^-^HLD^0.00^ml/h^^0.020^ml^17.91^mmHg^24+^EVENT^127906")
    assert say(pump, "INF_RATE", 5000) == "INF_RATE^60.00^ml/h"


def test_nothing_is_set_or_started_without_remote_control() -> None:
    pump = Alaris()
    assert say(pump, "INF_RATE^60.00^ml/h") == "INF_RATE^0.00^ml/h"
    assert say(pump, "INF_START") == "INF_START^DENY"
    pump = running()
    assert say(pump, "REMOTE_CTRL^DISABLED") == "REMOTE_CTRL^DISABLED^****^PERMIT^0^ms"
    assert say(pump, "INF_STOP") == "INF_STOP^DENY"
    assert pump.flow_ul_h == 60_000


def test_another_key_gets_no_control() -> None:
    assert say(Alaris(), "REMOTE_CTRL^ENABLED^3CC2") == "REMOTE_CTRL^ENABLED^****^DENY^0^ms"
    other = Alaris(AlarisSettings(serial="8002-51733"))
    assert say(other, "REMOTE_CTRL^ENABLED^3CC1") == "REMOTE_CTRL^ENABLED^****^DENY^0^ms"


@pytest.mark.parametrize("rate", ["0.09", "1200.01", "-1.00", "x", "1.0000"])
def test_a_rate_out_of_range_leaves_the_rate_as_it_was(rate: str) -> None:
    pump = running()
    assert say(pump, f"INF_RATE^{rate}^ml/h") == "INF_RATE^60.00^ml/h"
    assert pump.flow_ul_h == 60_000


def test_a_rate_is_held_in_its_steps() -> None:
    pump = controlled(AlarisSettings(coarse_quantum_ul_h=1000))
    assert say(pump, "INF_RATE^99.99^ml/h") == "INF_RATE^99.99^ml/h"
    assert say(pump, "INF_RATE^120.55^ml/h") == "INF_RATE^121.00^ml/h"


def test_a_start_needs_a_rate_and_is_not_counted_twice() -> None:
    pump = controlled()
    assert say(pump, "INF_START") == "INF_START^DENY"
    pump = running()
    assert say(pump, "INF_START", 1000) == "INF_START"
    pump.advance(3000)
    assert pump.delivered_ul == 50.0


def test_silence_ends_an_infusion_started_over_serial_after_15_s() -> None:
    pump = running()
    say(pump, "INF", 5000)
    assert pump.wake_at() == 20_000
    pump.advance(60_000)
    assert pump.flow_ul_h == 0
    assert pump.delivered_ul == pytest.approx(20 * 60_000 / 3600)
    assert say(pump, "ALARM", 60_000) == "ALARM^AL_COMTO^ ^ "
    assert say(pump, "INF", 60_000).startswith("INF^8002-51740^A^HLD^0.00^")
    say(pump, "REMOTE_CTRL^ENABLED^3CC1", 60_000)
    assert say(pump, "INF_START", 60_000) == "INF_START^DENY"


def test_only_the_request_for_control_may_count_as_sound() -> None:
    pump = running(AlarisSettings(control_alone_counts=True))
    for now_ms in range(1000, 15_001, 1000):
        say(pump, "INF", now_ms)
    assert pump.flow_ul_h == 0
    pump = running(AlarisSettings(control_alone_counts=True))
    for now_ms in range(1000, 60_001, 1000):
        say(pump, "REMOTE_CTRL^ENABLED^3CC1", now_ms)
    assert pump.flow_ul_h == 60_000


def test_a_volume_limit_and_an_empty_syringe_end_the_infusion() -> None:
    pump = controlled(AlarisSettings(comms_fail_ms=10**9))
    assert say(pump, "INF_VTBI") == "INF_VTBI^DEACT^^^"
    assert say(pump, "INF_VTBI^ACTIV^11.000^ml^STOP") == "INF_VTBI^ACTIV^11.000^ml^STOP"
    say(pump, "INF_RATE^60.00^ml/h")
    say(pump, "INF_START")
    pump.advance(3_600_000)
    assert pump.delivered_ul == pytest.approx(11_000)
    assert say(pump, "INF_VTBI^DEACT", 3_600_000) == "INF_VTBI^DEACT^^^"
    small = running(AlarisSettings(capacity_ul=100, comms_fail_ms=10**9))
    small.advance(60_000)
    assert small.delivered_ul == pytest.approx(100)
    small.refill(50_000, 60_000)
    assert say(small, "ALARM", 60_000) == "ALARM^AL_EOIST^ ^ "


def test_the_counter_can_be_cleared_and_delivery_stays() -> None:
    pump = running()
    assert say(pump, "INF_VI", 6000) == "INF_VI^0.100^ml"
    assert say(pump, "INF_VI_CLEAR", 6000) == "INF_VI_CLEAR"
    assert say(pump, "INF_VI", 6000) == "INF_VI^0.000^ml"
    assert pump.delivered_ul == pytest.approx(100)


def test_a_reply_may_take_its_time() -> None:
    pump = Alaris(AlarisSettings(reply_delay_ms=250))
    pump.receive(framed("INST_SERIALNO"), 0)
    assert pump.take_output() == b""
    assert pump.wake_at() == 250
    pump.advance(250)
    assert pump.take_output() == framed("INST_SERIALNO", "8002-51740")
