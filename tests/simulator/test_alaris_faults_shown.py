"""Each named fault of the Alaris emulator shows its effect."""

import pytest

from simulator.devices.alaris import Alaris
from simulator.devices.alaris_settings import AlarisSettings
from simulator.devices.alaris_wire import framed
from simulator.devices.fault import FaultKind, fault

PERMITTED, REFUSED = (f"REMOTE_CTRL^ENABLED^****^{word}^0^ms" for word in ("PERMIT", "DENY"))


def say(pump: Alaris, text: str, now_ms: int = 0) -> str:
    """One frame, and the text of the reply."""
    pump.receive(framed(*text.split("^")), now_ms)
    return pump.take_output().decode()[1:-6]


def ask_control(pump: Alaris, now_ms: int = 0) -> str:
    return say(pump, "REMOTE_CTRL^ENABLED^3CC1", now_ms)


def running(made: AlarisSettings | None = None) -> Alaris:
    """Infusing 60 mL/h since 0 ms, started over serial."""
    pump = Alaris(made)
    ask_control(pump)
    say(pump, "INF_RATE^60.00^ml/h")
    assert say(pump, "INF_START") == "INF_START"
    return pump


def hurt(pump: Alaris, *texts: str, now_ms: int = 0) -> Alaris:
    for text in texts:
        pump.inject(fault(text), now_ms)
    return pump


@pytest.mark.parametrize("text", ["permit=no", "drop_remote", "key_refused"])
def test_remote_control_can_be_refused_and_given_again(text: str) -> None:
    pump = hurt(running(), text)
    assert ask_control(pump) == REFUSED
    assert pump.flow_ul_h == 60_000
    pump.clear(fault(text).kind, 0)
    assert ask_control(pump) == PERMITTED


def test_a_reply_without_its_end() -> None:
    pump = hurt(Alaris(), "no_cr")
    pump.receive(framed("INF_VI"), 0)
    assert pump.take_output() == framed("INF_VI", "0.000", "ml")[:-1]
    pump.clear(FaultKind.NO_CR, 0)
    pump.receive(framed("INF_VI"), 0)
    assert pump.take_output() == framed("INF_VI", "0.000", "ml")


def test_a_coarse_rate_is_held_and_delivered() -> None:
    pump = hurt(running(), "rate_echo=coarse")
    assert say(pump, "INF_RATE^3.55^ml/h") == "INF_RATE^3.60^ml/h"
    assert pump.flow_ul_h == 3600
    assert say(pump, "INF_RATE^120.50^ml/h") == "INF_RATE^121.00^ml/h"
    pump.clear(FaultKind.RATE_ECHO, 0)
    assert say(pump, "INF_RATE^3.55^ml/h") == "INF_RATE^3.55^ml/h"


def test_an_unconfirmed_syringe_is_not_started() -> None:
    pump = hurt(running(), "key=stop", "syringe=unconf")
    assert say(pump, "SYRINGE_STATUS") == "SYRINGE_STATUS^BD PLASTIPAK^ 50^UNCONF"
    assert say(pump, "INF_START") == "INF_START^DENY"
    pump.clear(FaultKind.SYRINGE, 0)
    assert say(pump, "INF_START") == "INF_START"


def test_alarms_stop_and_stay_until_a_key_is_pressed() -> None:
    pump = hurt(running(), "alarms=2")
    assert pump.flow_ul_h == 0
    assert say(pump, "ALARM") == "ALARM^AL_OCCLU^ ^ ^AL_LWBAT^ ^ "
    assert say(pump, "INF_START") == "INF_START^DENY"
    hurt(pump, "key=start")
    assert say(pump, "ALARM") == "ALARM^AL_NOALM^ ^ "
    assert pump.flow_ul_h == 60_000


def test_alarms_may_take_turns() -> None:
    pump = hurt(running(AlarisSettings(alarms_in_one_reply=False)), "alarms=2")
    assert {say(pump, "ALARM") for _ in range(4)} == {"ALARM^AL_OCCLU^ ^ ", "ALARM^AL_LWBAT^ ^ "}


def test_one_alarm_is_one() -> None:
    assert say(hurt(running(), "alarms=1"), "ALARM") == "ALARM^AL_OCCLU^ ^ "


def test_a_stall_comes_back_until_the_plunger_is_free() -> None:
    pump = hurt(running(), "stall")
    assert pump.flow_ul_h == 0
    hurt(pump, "key=start")
    assert pump.flow_ul_h == 0
    pump.clear(FaultKind.STALL, 0)
    hurt(pump, "key=start")
    assert pump.flow_ul_h == 60_000


def test_local_keys() -> None:
    pump = hurt(running(), "key=rate,9000")
    assert pump.flow_ul_h == 9000
    hurt(pump, "key=rate")
    assert pump.flow_ul_h == 4500
    hurt(pump, "key=stop")
    assert pump.flow_ul_h == 0


@pytest.mark.parametrize(("stops_too", "flow_ul_h"), [(False, 60_000), (True, 0)])
def test_silence_and_an_infusion_started_at_the_keys(stops_too: bool, flow_ul_h: int) -> None:
    pump = hurt(running(AlarisSettings(keypad_infusion_stops_too=stops_too)), "key=stop", "key=start")
    pump.advance(60_000)
    assert pump.flow_ul_h == flow_ul_h


@pytest.mark.parametrize(("keeps", "counter"), [(False, "0.000"), (True, "0.100")])
def test_a_power_cycle_ends_infusion_control_and_confirmation(keeps: bool, counter: str) -> None:
    pump = running(AlarisSettings(keeps_volume=keeps))
    hurt(pump, "power_cycle", now_ms=6000)
    assert pump.flow_ul_h == 0
    assert say(pump, "INF_VI", 6000) == f"INF_VI^{counter}^ml"
    assert say(pump, "INF_RATE^9.00^ml/h", 6000) == "INF_RATE^60.00^ml/h"
    assert say(pump, "SYRINGE_STATUS", 6000).endswith("UNCONF")
    assert pump.delivered_ul == pytest.approx(100)


def test_a_counter_falls_and_drift_shows_only_in_what_is_delivered() -> None:
    pump = running()
    hurt(pump, "counter_back=40", now_ms=6000)
    assert say(pump, "INF_VI", 6000) == "INF_VI^0.060^ml"
    hurt(pump, "counter_back", "drift=50", now_ms=6000)
    assert pump.flow_ul_h == 90_000
    assert say(pump, "INF_VI", 12_000) == "INF_VI^0.100^ml"
    assert pump.delivered_ul == pytest.approx(250)
    pump.clear(FaultKind.DRIFT, 12_000)
    assert pump.flow_ul_h == 60_000


def test_another_pump_answers_and_wants_another_key() -> None:
    pump = hurt(Alaris(), "identity=8002-51733")
    assert say(pump, "INST_SERIALNO") == "INST_SERIALNO^8002-51733"
    assert ask_control(pump) == REFUSED
    pump.clear(FaultKind.IDENTITY, 0)
    assert ask_control(pump) == PERMITTED


def test_left_over_limits() -> None:
    pump = hurt(Alaris(), "stale_vol=2000", "max_rate=150000")
    assert say(pump, "INF_VTBI") == "INF_VTBI^ACTIV^2.000^ml^STOP"
    assert say(pump, "INF_RATE_MAX_SYRINGE") == "INF_RATE_MAX_SYRINGE^150.00^ml/h"
    pump.clear(FaultKind.MAX_RATE, 0)
    assert say(pump, "INF_RATE_MAX_SYRINGE") == "INF_RATE_MAX_SYRINGE^1200.00^ml/h"


def test_an_unplugged_pump_stops_itself_and_hears_nothing() -> None:
    pump = hurt(running(), "unplug")
    plugged = [pump.plugged]
    assert say(pump, "INF", 1000) == ""
    pump.advance(20_000)
    assert pump.delivered_ul == pytest.approx(250)
    pump.clear(FaultKind.UNPLUG, 20_000)
    plugged.append(pump.plugged)
    assert plugged == [False, True]


def test_a_lost_reply_was_carried_out() -> None:
    pump = hurt(running(), "lose_reply")
    assert say(pump, "INF_STOP") == ""
    assert pump.flow_ul_h == 0


@pytest.mark.parametrize("text", ["saf_nvm=5", "reply_addr=1", "busy", "echo", "diameter=14.0"])
def test_a_fault_of_another_device_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="An Alaris pump has no fault"):
        hurt(Alaris(), text)
