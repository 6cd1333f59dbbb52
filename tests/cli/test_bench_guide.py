"""The guide through a bench sheet with emulated pumps in virtual time: good ones, and nobody connected."""

import dataclasses

import pytest

from clampctl.cli.bench_guide import under_test
from clampctl.cli.bench_pump import PumpAtBench
from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from clampctl.study.bench_proofs import SAFE_RATE_UL_H, ProofName
from clampctl.study.bench_sheet import covers, judged
from drivers.capabilities import OnSilence
from drivers.link import Expected
from drivers.pumps.alaris import CAPABILITIES as ALARIS
from drivers.pumps.alaris import Alaris
from drivers.pumps.harvard_ultra import CAPABILITIES as ULTRA
from drivers.pumps.harvard_ultra import HarvardUltra
from drivers.pumps.new_era import CAPABILITIES
from simulator.devices.alaris import Alaris as EmulatedAlaris
from simulator.devices.harvard_ultra import HarvardUltra as EmulatedUltra
from simulator.devices.new_era import NewEra as EmulatedNewEra
from simulator.devices.new_era_settings import NewEraSettings
from tests.cli.bench_hands import DIAMETER_UM, PUMP_ROLES, Hands, guided, proof

# --- a good pump -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", PUMP_ROLES)
def test_a_good_pump_is_proved_in_either_role(role: Role) -> None:
    hands = Hands(role)
    sheet = guided(hands, role)
    assert judged(sheet) == []
    assert [one.name for one in sheet.proofs] == list(ProofName)
    assert all(one.tries == 1 for one in sheet.proofs)
    assert (sheet.model, sheet.firmware, sheet.serial) == ("NE1000", "3.928", "4711")
    assert "off the label" in proof(sheet, ProofName.IDENTITY).heard
    watchdog_s = 5 if role is Role.INSULIN else None
    assert covers(sheet, "new-era", role, "NE-1000", "4711", DIAMETER_UM, watchdog_s) is None
    assert hands.device.flow_ul_h == 0
    assert hands.fastest_ul_h == SAFE_RATE_UL_H[role]


def test_what_the_cable_pull_measured_is_on_the_sheet() -> None:
    figures = {
        role: {one.name: one.value for one in proof(guided(Hands(role), role), ProofName.CABLE_PULL).figures}
        for role in PUMP_ROLES
    }
    insulin, dextrose = figures[Role.INSULIN], figures[Role.DEXTROSE]
    # The watchdog's 5 s count from the last byte, at most one reading (2 s) after the last word.
    assert 4.9 <= insulin["stop seen after"] <= 7.1
    assert 4.9 <= insulin["ran on by its counter"] <= 7.1
    assert insulin["rate afterwards"] == 0
    assert dextrose["silence"] >= 600
    assert dextrose["rate afterwards"] == 30_000
    assert dextrose["delivered by its counter"] == pytest.approx(100, abs=0.5)


def test_a_pump_of_another_family_tells_its_own_serial_number() -> None:
    link = HarvardUltra(Expected(Role.DEXTROSE, diameter_um=DIAMETER_UM))
    hands = Hands(Role.DEXTROSE, link, EmulatedUltra())
    tested = under_test("harvard-ultra", Role.DEXTROSE, DIAMETER_UM, ULTRA)
    sheet = guided(hands, Role.DEXTROSE, tested)
    assert judged(sheet) == []
    assert sheet.serial == "D101754"
    assert "D101754 told" in proof(sheet, ProofName.IDENTITY).heard
    assert not any("on the pump's label" in question for question in hands.asked)


def test_an_alarm_that_the_pump_holds_is_cleared_by_the_engineer() -> None:
    link = Alaris(Expected(Role.INSULIN, watchdog_s=ALARIS.watchdog_s))
    hands = Hands(Role.INSULIN, link, EmulatedAlaris())
    hands.instead["firmware version"] = lambda: "2.1.5"
    sheet = guided(hands, Role.INSULIN, under_test("alaris", Role.INSULIN, None, ALARIS))
    assert judged(sheet) == []
    assert (sheet.watchdog_s, sheet.diameter_um) == (15, None)
    assert any("Clear this at the pump itself" in question for question in hands.asked)


# --- nobody may be connected -------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["", "yes", "not connected", "CONNECTED"])
def test_without_the_typed_words_nothing_is_even_opened(answer: str) -> None:
    hands = Hands(Role.DEXTROSE)
    hands.instead["Type NOT CONNECTED"] = lambda: answer
    with pytest.raises(Refusal, match="may be connected to a person"):
        guided(hands, Role.DEXTROSE)
    assert hands.wires.pair.epoch == 0
    assert bytes(hands.wires.pair.to_device) == b""


def test_a_pump_found_running_is_left_alone() -> None:
    hands = Hands(Role.DEXTROSE)
    hands.instead["Your name"] = lambda: hands.inject("key=rate,5000") + hands.inject("key=start") or "Ada"
    with pytest.raises(Refusal, match="running"):
        guided(hands, Role.DEXTROSE)
    assert hands.device.flow_ul_h > 0
    assert b"STP" not in hands.wires.pair.to_device


def test_another_pump_is_refused_before_anything_moves() -> None:
    hands = Hands(Role.DEXTROSE, device=EmulatedNewEra(NewEraSettings(diameter_um=19_050)))
    with pytest.raises(Refusal, match=r"19\.05"):
        guided(hands, Role.DEXTROSE)
    assert b"RUN" not in hands.wires.pair.to_device


def test_a_pump_that_says_nothing_is_refused() -> None:
    hands = Hands(Role.DEXTROSE)
    hands.inject("mute")
    with pytest.raises(Refusal, match="did not say who it is"):
        guided(hands, Role.DEXTROSE)


def questions(role: Role) -> list[str]:
    hands = Hands(role)
    guided(hands, role)
    return hands.asked


def broken_off() -> str:
    raise KeyboardInterrupt


@pytest.mark.parametrize("role", PUMP_ROLES)
def test_breaking_off_at_any_question_stops_the_pump_or_shouts(role: Role) -> None:
    shouted = 0
    for question in questions(role):
        hands = Hands(role)
        hands.instead = {question: broken_off} | hands._usual
        with pytest.raises(KeyboardInterrupt):
            guided(hands, role)
        shout = any("DID NOT CONFIRM" in text for text in hands.said)
        shouted += shout
        assert hands.device.flow_ul_h == 0 or shout, question
    assert shouted == (2 if role is Role.DEXTROSE else 1), "with the cable out nothing can be confirmed"


def test_nothing_faster_than_the_safe_rate_is_ordered() -> None:
    hands = Hands(Role.DEXTROSE)
    pump = PumpAtBench(hands.wires, Role.DEXTROSE, 120_000)
    assert pump.open() is not None
    with pytest.raises(ValueError, match="120001"):
        pump.start(120_001)
    with pytest.raises(ValueError, match="0 µL/h"):
        pump.start(0)
    assert not pump.was_ordered


# --- roles a pump cannot have ------------------------------------------------------------------


def test_a_pump_known_to_be_wrong_on_silence_is_refused_before_it_is_opened() -> None:
    stops = dataclasses.replace(CAPABILITIES, on_silence={Role.DEXTROSE: OnSilence.STOPS})
    with pytest.raises(Refusal, match="cannot serve as dextrose pump"):
        under_test("x", Role.DEXTROSE, DIAMETER_UM, stops)
    with pytest.raises(Refusal, match="cannot serve"):
        under_test("x", Role.ANALYZER, DIAMETER_UM, CAPABILITIES)
    never = dataclasses.replace(CAPABILITIES, watchdog_s=None)
    with pytest.raises(Refusal, match="stops by itself"):
        under_test("x", Role.INSULIN, DIAMETER_UM, never)
    with pytest.raises(Refusal, match="diameter"):
        under_test("x", Role.DEXTROSE, None, CAPABILITIES)


def test_an_unproven_pump_may_be_proved() -> None:
    unproven = dataclasses.replace(
        CAPABILITIES, on_silence={Role.DEXTROSE: OnSilence.UNPROVEN}, has_syringe=False
    )
    found = under_test("x", Role.DEXTROSE, DIAMETER_UM, unproven)
    assert (found.diameter_um, found.watchdog_s) == (None, None)
