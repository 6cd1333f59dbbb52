"""The guide with pumps and benches that fail: each proof notices what it is there for."""

import pytest

from clampctl.core.commands import Role
from clampctl.study.bench_proofs import UNPROVEN, ProofName
from clampctl.study.bench_sheet import judged
from simulator.devices.fault import FaultKind
from tests.cli.bench_hands import PUMP_ROLES, Hands, guided, proof


def failed(hands: Hands, role: Role) -> list[ProofName]:
    sheet = guided(hands, role)
    names = [one.name for one in sheet.proofs if not one.passed]
    of_proofs = {
        failure.partition(":")[0] for failure in judged(sheet) if not failure.startswith("On silence")
    }
    assert of_proofs == {name.capitalize() for name in names}
    assert hands.device.flow_ul_h == 0
    return names


def test_a_pump_that_delivers_too_much_fails_by_the_balance() -> None:
    hands = Hands(Role.INSULIN)
    hands.inject("drift=6")
    assert failed(hands, Role.INSULIN) == [ProofName.VOLUME]


def test_a_cable_that_was_never_pulled_proves_nothing() -> None:
    hands = Hands(Role.INSULIN)
    hands.instead["Press Enter at the moment"] = lambda: ""
    sheet = guided(hands, Role.INSULIN)
    assert sheet.on_silence == UNPROVEN
    assert not proof(sheet, ProofName.CABLE_PULL).passed
    assert any("silence" in failure for failure in judged(sheet))


def test_an_insulin_pump_that_nobody_saw_stop_is_unproven() -> None:
    hands = Hands(Role.INSULIN)
    hands.instead["Press Enter at the moment"] = lambda: hands._watch_it_stop() or "no"
    sheet = guided(hands, Role.INSULIN)
    assert not proof(sheet, ProofName.CABLE_PULL).passed
    assert any("stop seen after was not measured" in failure for failure in judged(sheet))


def test_a_dextrose_pump_that_stops_without_its_computer_is_unproven() -> None:
    hands = Hands(Role.DEXTROSE)
    hands.instead["leave it out"] = lambda: hands.inject("unplug") + hands.inject("key=stop")
    sheet = guided(hands, Role.DEXTROSE)
    assert sheet.on_silence == UNPROVEN
    assert proof(sheet, ProofName.CABLE_PULL).answer == "no drops"
    assert any("rate afterwards is 0" in failure for failure in judged(sheet))


def test_a_cable_put_back_too_early_proves_nothing() -> None:
    hands = Hands(Role.DEXTROSE)
    said = hands.say

    def say(text: str) -> None:
        said(text)
        if text.startswith("5 min") and not hands.device.plugged:
            hands.clear(FaultKind.UNPLUG)

    hands.say = say  # type: ignore[method-assign]  # the engineer loses patience half way
    sheet = guided(hands, Role.DEXTROSE)
    assert any("silence is" in failure for failure in judged(sheet))
    assert sheet.on_silence == UNPROVEN


def test_a_pump_whose_power_was_never_cut_says_no_reset() -> None:
    hands = Hands(Role.DEXTROSE)
    hands.instead["Switch the pump off"] = lambda: ""
    assert ProofName.RESET in failed(hands, Role.DEXTROSE)


def test_a_syringe_that_stayed_the_same_proves_no_refusal() -> None:
    hands = Hands(Role.DEXTROSE)
    hands.instead["Set a syringe of another"] = lambda: "14.5"
    assert failed(hands, Role.DEXTROSE) == [ProofName.WRONG_SYRINGE]
    hands = Hands(Role.DEXTROSE)
    hands.instead["does the pump itself show"] = lambda: "26.6"
    assert failed(hands, Role.DEXTROSE) == [ProofName.SYRINGE]


def test_keys_that_do_nothing_pass_only_where_they_are_locked() -> None:
    hands = Hands(Role.DEXTROSE)
    hands.instead["own key"] = lambda: ""
    assert failed(hands, Role.DEXTROSE) == [ProofName.LOCAL_KEY]
    hands = Hands(Role.DEXTROSE)
    hands.instead["own key"] = lambda: "locked"
    assert failed(hands, Role.DEXTROSE) == []
    hands = Hands(Role.DEXTROSE)
    hands.instead["own key"] = lambda: hands.inject("key=stop") or "locked"
    assert failed(hands, Role.DEXTROSE) == [ProofName.LOCAL_KEY]


def test_a_blocked_line_without_an_alarm_fails() -> None:
    hands = Hands(Role.DEXTROSE)
    hands.instead["Clamp the line"] = lambda: "no"
    assert failed(hands, Role.DEXTROSE) == [ProofName.OCCLUSION]


def test_a_rate_the_pump_does_not_take_fails() -> None:
    hands = Hands(Role.DEXTROSE)
    hands.inject("max_rate=100000")
    assert failed(hands, Role.DEXTROSE) == [ProofName.RATES, ProofName.VOLUME, ProofName.OCCLUSION]


def test_a_pump_that_falls_silent_fails_what_follows_and_is_shouted_about() -> None:
    hands = Hands(Role.DEXTROSE)
    hands.instead["does the pump itself show"] = lambda: hands.inject("mute") or "26.59"
    names = failed(hands, Role.DEXTROSE)
    assert names == [name for name in ProofName if name not in (ProofName.IDENTITY, ProofName.SYRINGE)]
    assert "DID NOT CONFIRM" in hands.said[-1]


@pytest.mark.parametrize("role", PUMP_ROLES)
def test_a_pump_that_never_comes_back_proves_nothing_by_its_silence(role: Role) -> None:
    hands = Hands(role)
    hands.instead["Put the cable back"] = lambda: ""
    sheet = guided(hands, role)
    assert sheet.on_silence == UNPROVEN
    assert any("silence was not measured" in failure for failure in judged(sheet))
    assert "DID NOT CONFIRM" in hands.said[-1]


def test_a_pump_that_stops_while_it_is_weighed_fails() -> None:
    hands = Hands(Role.DEXTROSE)
    said = hands.say

    def say(text: str) -> None:
        said(text)
        if text.startswith("3 min") and hands.asked[-1].startswith("Water"):
            hands.inject("key=stop")

    hands.say = say  # type: ignore[method-assign]  # someone touches the pump
    sheet = guided(hands, Role.DEXTROSE)
    assert proof(sheet, ProofName.VOLUME).heard == "did not run all the time"
    assert any(failure.startswith("Volume: error is") for failure in judged(sheet))


def test_a_proof_may_be_made_again_and_the_tries_are_kept() -> None:
    hands = Hands(Role.DEXTROSE)
    answers = iter(["yes", "no"])
    labels = iter(["no", "yes"])
    hands.instead = {"again?": lambda: next(answers), "label agree": lambda: next(labels)}
    sheet = guided(hands, Role.DEXTROSE)
    assert proof(sheet, ProofName.IDENTITY).tries == 2
    assert judged(sheet) == []


def test_answers_that_are_none_are_asked_again() -> None:
    hands = Hands(Role.DEXTROSE)
    names = iter(["", "  ", "Ada"])
    shown = iter(["26,59", "nan", "-1", "26.59"])
    labels = iter(["maybe", "Y"])
    hands.instead = {
        "Your name": lambda: next(names),
        "does the pump itself show": lambda: next(shown),
        "label agree": lambda: next(labels),
    }
    sheet = guided(hands, Role.DEXTROSE)
    assert (sheet.engineer, judged(sheet)) == ("Ada", [])
