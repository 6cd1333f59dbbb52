"""Each named fault of the New Era emulator shows its effect."""

import pytest

from simulator.devices.fault import FaultKind, fault
from simulator.devices.new_era import NewEra
from simulator.devices.new_era_settings import NewEraSettings
from simulator.devices.new_era_wire import safe_packet

STATUS = safe_packet(b"00S")


def basic(pump: NewEra, text: str, now_ms: int = 0) -> bytes:
    pump.receive(text.encode() + b"\r", now_ms)
    return pump.take_output()


def safe(pump: NewEra, text: str, now_ms: int = 0) -> bytes:
    pump.receive(safe_packet(text.encode()), now_ms)
    return pump.take_output()


def hurt(pump: NewEra, *texts: str) -> NewEra:
    for text in texts:
        pump.inject(fault(text), 0)
    return pump


def ready() -> NewEra:
    """A Basic pump with its reset alarm read."""
    pump = NewEra()
    basic(pump, "")
    return pump


def ready_safe() -> NewEra:
    pump = NewEra(NewEraSettings(saf_s=200))
    safe(pump, "00")
    return pump


def running() -> NewEra:
    pump = ready()
    basic(pump, "RAT120.0MH")
    basic(pump, "RUN")
    return pump


def test_mute_neither_executes_nor_answers_but_lose_reply_executes() -> None:
    pump = hurt(running(), "mute/1")
    assert basic(pump, "RAT50.0") == b""
    assert pump.flow_ul_h == 120_000
    hurt(pump, "lose_reply")
    assert basic(pump, "RAT50.0") == b""
    assert pump.flow_ul_h == 50_000
    assert basic(pump, "") == b"\x0200I\x03"


def test_an_unplugged_pump_goes_on_and_what_it_says_is_lost() -> None:
    pump = hurt(running(), "unplug")
    plugged = [pump.plugged]
    assert basic(pump, "STP", 1000) == b""
    pump.advance(3_600_000)
    assert pump.delivered_ul == 120_000.0
    pump.clear(FaultKind.UNPLUG, 3_600_000)
    plugged.append(pump.plugged)
    assert plugged == [False, True]
    assert basic(pump, "", 3_600_000) == b"\x0200I\x03"


def test_a_power_cycle_loses_the_trim_the_counter_and_the_run() -> None:
    pump = running()
    basic(pump, "RAT50.0")
    pump.inject(fault("power_cycle"), 60_000)
    assert pump.flow_ul_h == 0
    assert basic(pump, "RUN", 60_000) == b"\x0200A?R\x03"
    assert basic(pump, "RAT", 60_000) == b"\x0200S120.0MH\x03"
    assert basic(pump, "DIS", 60_000) == b"\x0200SI0.000W0.000ML\x03"
    assert pump.delivered_ul == pytest.approx(50_000 / 60)


def test_power_failure_mode_resumes_the_run() -> None:
    pump = ready()
    for text in ("PF1", "RAT120.0MH", "RUN"):
        basic(pump, text)
    pump.inject(fault("power_cycle"), 1000)
    assert pump.flow_ul_h == 120_000


def test_another_pump_answers() -> None:
    pump = hurt(ready(), "identity=NE4000V2.1")
    assert basic(pump, "VER") == b"\x0200SNE4000V2.1\x03"


def test_local_keys() -> None:
    pump = hurt(running(), "key=rate,60000")
    assert basic(pump, "RAT") == b"\x0200I60.00MH\x03"
    hurt(pump, "key=rate")
    assert pump.flow_ul_h == 30_000
    hurt(pump, "key=stop")
    assert basic(pump, "") == b"\x0200P\x03"
    hurt(pump, "key=start")
    assert pump.flow_ul_h == 30_000
    assert basic(pump, "LOC1") == b"\x0200I\x03"
    hurt(pump, "key=stop")
    assert pump.flow_ul_h == 30_000


def test_a_key_clears_an_alarm() -> None:
    pump = hurt(NewEra(), "key=stop")
    assert basic(pump, "") == b"\x0200S\x03"


def test_a_stalled_pump_stalls_again_until_it_is_free() -> None:
    pump = hurt(running(), "stall")
    assert pump.flow_ul_h == 0
    assert basic(pump, "") == b"\x0200A?S\x03"
    basic(pump, "RUN")
    assert basic(pump, "") == b"\x0200A?S\x03"
    pump.clear(FaultKind.STALL, 0)
    assert basic(pump, "RUN") == b"\x0200I\x03"
    assert pump.flow_ul_h == 120_000


def test_the_counter_runs_back_but_the_volume_is_in() -> None:
    pump = running()
    pump.advance(60_000)
    pump.inject(fault("counter_back=500"), 60_000)
    assert basic(pump, "DIS", 60_000) == b"\x0200II1.500W0.000ML\x03"
    pump.inject(fault("counter_back"), 60_000)
    assert basic(pump, "DIS", 60_000) == b"\x0200II0.000W0.000ML\x03"
    assert pump.delivered_ul == 2000.0


def test_drift_is_true_and_the_counter_does_not_know() -> None:
    pump = hurt(running(), "drift=-2.5")
    assert basic(pump, "DIS", 3_600_000) == b"\x0200II120.0W0.000ML\x03"
    assert pump.delivered_ul == 117_000.0
    assert pump.flow_ul_h == 117_000
    pump.clear(FaultKind.DRIFT, 3_600_000)
    assert pump.flow_ul_h == 120_000


@pytest.mark.parametrize("letter", ["S", "T"])
def test_an_alarm_breaks_in_before_the_reply(letter: str) -> None:
    pump = ready_safe()
    safe(pump, "RAT120.0MH")
    hurt(pump, f"auto_alarm={letter}")
    alarm = safe_packet(f"00A?{letter}".encode())
    assert safe(pump, "RUN") == alarm + safe_packet(b"00I")
    assert pump.flow_ul_h == 0
    assert safe(pump, "RUN") == alarm
    assert safe(pump, "") == STATUS


def test_an_alarm_swallows_the_next_command() -> None:
    pump = ready()
    basic(pump, "RAT120.0MH")
    hurt(pump, "alarm_next=T")
    assert basic(pump, "RUN") == b"\x0200A?T\x03"
    assert pump.flow_ul_h == 0
    assert basic(pump, "RUN") == b"\x0200I\x03"


def test_framing_and_timer_left_in_memory() -> None:
    pump = hurt(NewEra(), "start_framing=safe")
    assert basic(pump, "") == b""
    assert pump.wake_at() is None
    assert safe(pump, "00", 501) == safe_packet(b"00A?R")
    hurt(pump, "start_framing=basic")
    assert basic(pump, "", 502) == b"\x0200S\x03"
    pump = hurt(NewEra(), "saf_nvm=5")
    assert pump.wake_at() is None
    assert safe(pump, "00") == safe_packet(b"00A?R")
    assert pump.wake_at() == 5000


@pytest.mark.parametrize(("text", "reply"), [("saf_reply=safe", STATUS), ("saf_reply=basic", b"\x0200S\x03")])
def test_framing_of_the_switching_reply(text: str, reply: bytes) -> None:
    pump = hurt(ready_safe(), text)
    assert safe(pump, "SAF0") == reply
    assert basic(pump, "SAF5") == reply


def test_strict_units_refuse_even_the_same_one() -> None:
    pump = running()
    assert basic(pump, "RAT60.0MH") == b"\x0200I\x03"
    hurt(pump, "strict_units")
    assert basic(pump, "RAT50.0MH") == b"\x0200I?NA\x03"
    assert pump.flow_ul_h == 60_000
    pump.clear(FaultKind.STRICT_UNITS, 0)
    assert basic(pump, "RAT50.0MH") == b"\x0200I\x03"


def test_a_lower_maximum_rate() -> None:
    pump = hurt(running(), "max_rate=100000")
    assert basic(pump, "RAT100.1") == b"\x0200I?OOR\x03"
    assert basic(pump, "RAT100.0") == b"\x0200I\x03"
    pump.clear(FaultKind.MAX_RATE, 0)
    assert basic(pump, "RAT100.1") == b"\x0200I\x03"


def test_the_next_setting_is_ignored_once() -> None:
    pump = hurt(running(), "ign_next")
    assert basic(pump, "") == b"\x0200I\x03"
    assert basic(pump, "RAT60.0") == b"\x0200I?IGN\x03"
    assert pump.flow_ul_h == 120_000
    assert basic(pump, "RAT60.0") == b"\x0200I\x03"


def test_a_stale_volume_ends_the_run() -> None:
    pump = hurt(ready(), "stale_vol=2000")
    assert basic(pump, "VOL") == b"\x0200S2.000ML\x03"
    basic(pump, "RAT120.0MH")
    basic(pump, "RUN")
    pump.advance(600_000)
    assert pump.delivered_ul == 2000.0


def test_a_stale_second_phase_runs_on_when_the_first_ends() -> None:
    pump = hurt(ready(), "stale_vol=2000", "stale_phase2=60000")
    basic(pump, "RAT120.0MH")
    basic(pump, "RUN")
    pump.advance(120_000)
    assert pump.flow_ul_h == 60_000
    assert pump.delivered_ul == 3000.0
    assert basic(pump, "PHN", 120_000) == b"\x0200I2\x03"


def test_a_small_diameter_turns_volumes_to_microlitres() -> None:
    pump = hurt(ready(), "diameter=14.0")
    assert basic(pump, "DIS") == b"\x0200SI0.000W0.000UL\x03"
    assert basic(pump, "DIA") == b"\x0200S14.00\x03"


def test_a_wrong_address_in_the_reply() -> None:
    pump = hurt(ready(), "reply_addr=7")
    assert basic(pump, "") == b"\x0207S\x03"
    pump.clear(FaultKind.REPLY_ADDR, 0)
    assert basic(pump, "") == b"\x0200S\x03"


def test_an_analyzer_fault_is_none_of_a_pump() -> None:
    with pytest.raises(ValueError, match="no fault 'busy'"):
        hurt(ready(), "busy")
