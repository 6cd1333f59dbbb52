"""What the New Era emulator truly delivers, and when its timer stops it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.fault import fault
from simulator.devices.new_era import NewEra
from simulator.devices.new_era_settings import NewEraSettings
from simulator.devices.new_era_wire import safe_packet

DAMAGED = safe_packet(b"00").replace(b"00", b"01")


def ask(pump: NewEra, text: str, now_ms: int = 0) -> str:
    """One Safe exchange, exactly one reply."""
    pump.receive(safe_packet(text.encode()), now_ms)
    return said(pump)


def said(pump: NewEra) -> str:
    """The one Safe reply that is there, as text."""
    reply = pump.take_output()
    assert reply == safe_packet(reply[2:-3])
    return reply[2:-3].decode()


def basic(pump: NewEra, text: str, now_ms: int = 0) -> bytes:
    pump.receive(text.encode() + b"\r", now_ms)
    return pump.take_output()


def running_pump(saf_s: int = 255) -> NewEra:
    pump = NewEra(NewEraSettings(saf_s=saf_s))
    assert [ask(pump, f"00{text}") for text in ("", "RAT120.0MH", "RUN")] == ["00A?R", "00S", "00I"]
    return pump


def test_a_target_volume_ends_the_run_at_the_moment_it_is_reached() -> None:
    pump = running_pump()
    ask(pump, "00STP")
    ask(pump, "00STP")
    assert ask(pump, "00VOL1.000") == "00S"
    assert ask(pump, "00RUN") == "00I"
    assert pump.wake_at() == 30_000
    pump.advance(100_000)
    assert pump.delivered_ul == 1000.0
    assert ask(pump, "00DIS", 100_000) == "00SI1.000W0.000ML"


def test_a_second_run_counts_its_own_volume_and_ends_in_the_ms_it_is_reached() -> None:
    pump = NewEra()
    for text in ("", "RAT7.000MH", "VOL1.000"):
        basic(pump, text)
    for start_ms in (0, 1_000_000):
        basic(pump, "RUN", start_ms)
        assert pump.wake_at() == start_ms + 514_286
        pump.advance(start_ms + 514_286)
        assert pump.flow_ul_h == 0
    assert pump.delivered_ul == 2 * 7_000 * 514_286 / 3_600_000


RATES = st.lists(st.tuples(st.integers(24, 9_999), st.integers(0, 300_000)), min_size=1, max_size=12)


@given(RATES, st.lists(st.integers(0, 3_000_000), max_size=10))
def test_delivery_is_the_exact_integral_however_time_is_cut(
    course: list[tuple[int, int]], looks: list[int]
) -> None:
    pump, looked = NewEra(), NewEra()
    expected, now_ms = 0, 0
    for one in (pump, looked):
        basic(one, "")
        basic(one, "RAT5.000MH")
        basic(one, "RUN")
    for rate_ul_h, lasts_ms in course:
        for one in (pump, looked):
            assert basic(one, f"RAT{rate_ul_h / 1000:.3f}", now_ms) == b"\x0200I\x03"
        for look_ms in sorted(look for look in looks if now_ms <= look <= now_ms + lasts_ms):
            looked.advance(look_ms)
            assert looked.delivered_ul >= 0
        now_ms += lasts_ms
        expected += rate_ul_h * lasts_ms
    for one in (pump, looked):
        one.advance(now_ms)
        assert one.delivered_ul == expected / 3_600_000
        assert one.flow_ul_h == course[-1][0]


def test_the_timer_rests_until_the_first_valid_packet() -> None:
    pump = NewEra(NewEraSettings(saf_s=5))
    assert pump.wake_at() is None
    pump.receive(DAMAGED, 1000)
    assert said(pump) == "00S?COM"
    assert pump.wake_at() is None
    assert ask(pump, "00", 2000) == "00A?R"
    assert pump.wake_at() == 7000


def test_the_timer_rests_again_after_a_power_cycle() -> None:
    pump = running_pump(saf_s=5)
    pump.inject(fault("power_cycle"), 1000)
    assert pump.wake_at() is None
    assert ask(pump, "00", 9000) == "00A?R"
    assert pump.wake_at() == 14_000


def test_silence_stops_the_pump_at_its_moment_and_says_so_unasked() -> None:
    pump = running_pump(saf_s=5)
    ask(pump, "00", 4_999)
    pump.receive(DAMAGED, 6_000)
    pump.take_output()
    pump.advance(60_000)
    assert said(pump) == "00A?T"
    assert pump.flow_ul_h == 0
    assert pump.delivered_ul == 120_000 * 9_999 / 3_600_000
    assert pump.wake_at() is None
    assert ask(pump, "00RUN", 61_000) == "00A?T"
    assert pump.flow_ul_h == 0
    assert pump.wake_at() == 66_000
    assert ask(pump, "00RUN", 61_000) == "00I"


def test_basic_mode_runs_on_in_silence_and_saf0_disarms() -> None:
    pump = running_pump(saf_s=5)
    pump.receive(safe_packet(b"00SAF0"), 1000)
    assert pump.take_output() == b"\x0200I\x03"
    assert pump.wake_at() is None
    pump.advance(3_600_000)
    assert pump.delivered_ul == 120_000.0


def test_an_empty_syringe_stalls_and_a_new_one_goes_on() -> None:
    pump = NewEra(NewEraSettings(capacity_ul=1000))
    for text in ("", "RAT120.0MH", "RUN"):
        basic(pump, text)
    pump.advance(60_000)
    assert pump.delivered_ul == 1000.0
    assert basic(pump, "", 60_000) == b"\x0200A?S\x03"
    basic(pump, "RUN", 60_000)
    pump.advance(60_001)
    assert basic(pump, "", 60_001) == b"\x0200A?S\x03"
    pump.refill(1000, 60_001)
    basic(pump, "RUN", 60_001)
    pump.advance(75_001)
    assert pump.delivered_ul == 1500.0


def test_a_wrong_diameter_scales_delivery_and_the_counter_cannot_tell() -> None:
    pump = NewEra(NewEraSettings(syringe_um=29_700))
    for text in ("", "RAT100.0MH", "RUN"):
        basic(pump, text)
    assert basic(pump, "DIS", 3_600_000) == b"\x0200II100.0W0.000ML\x03"
    assert pump.delivered_ul == pytest.approx(100_000 * (29.7 / 26.59) ** 2, rel=1e-6)


def test_a_diameter_left_in_memory_scales_delivery_too() -> None:
    pump = NewEra(NewEraSettings(syringe_um=26_590))
    pump.inject(fault("diameter=13.295"), 0)
    for text in ("", "RAT5.000MH", "RUN"):
        basic(pump, text)
    assert basic(pump, "DIS", 3_600_000) == b"\x0200II5000.W0.000UL\x03"
    assert pump.delivered_ul == 20_000.0
