"""A bench sheet: what must be proved, how a sheet is judged, and which pump it covers."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from clampctl.study.bench_proofs import (
    CONTINUES,
    RIGHT_ON_SILENCE,
    SAFE_RATE_UL_H,
    STOPS,
    UNPROVEN,
    Figure,
    Needed,
    Proof,
    ProofName,
    bench_rates,
    needed_proofs,
    shortcomings,
    volume_error_pct,
    volume_minutes,
)
from clampctl.study.bench_sheet import BenchSheet, covers, judged, read_sheet, sheet_body, sheet_text

STEPS = ((10_000, 1), (100_000, 10), (1_000_000, 100))
RATES = {Role.INSULIN: (1_000, 5_000, 20_000), Role.DEXTROSE: (6_000, 30_000, 120_000)}
WATCHDOG_S = {Role.INSULIN: 5, Role.DEXTROSE: None}
PUMP_ROLES = st.sampled_from(sorted(RATES))
DIAMETER_UM = 26_590


def good_figures(needed: Needed) -> Iterator[Figure]:
    """For every limit a value just inside it."""
    for limit in needed.limits:
        value = limit.least if limit.least is not None else limit.most
        assert value is not None
        yield Figure(limit.figure, value, limit.unit)


def good_proof(needed: Needed, rates_ul_h: tuple[int, int, int]) -> Proof:
    figures = {figure.name: figure for figure in good_figures(needed)}
    if needed.name is ProofName.VOLUME:
        minutes = volume_minutes(rates_ul_h[2])
        mass_g = rates_ul_h[2] / 1000 * minutes / 60
        error_pct = volume_error_pct(mass_g, minutes, rates_ul_h[2])
        figures |= {"mass": Figure("mass", mass_g, "g"), "error": Figure("error", error_pct, "%")}
    return Proof(needed.name, needed.asked, "yes", "heard", tuple(figures.values()), 1, True)


def good_sheet(role: Role = Role.INSULIN, diameter_um: int | None = DIAMETER_UM) -> BenchSheet:
    needed = needed_proofs(RIGHT_ON_SILENCE[role], WATCHDOG_S[role], diameter_um, RATES[role])
    return BenchSheet(
        driver="new-era",
        model="NE1000",
        firmware="3.928",
        serial="4711",
        role=role,
        diameter_um=diameter_um,
        date_utc="2026-11-22T10:00:00Z",
        engineer="Ada Example",
        initials="AE",
        software="clampctl 0.1.0",
        rates_ul_h=RATES[role],
        watchdog_s=WATCHDOG_S[role],
        on_silence=RIGHT_ON_SILENCE[role],
        proofs=tuple(good_proof(one, RATES[role]) for one in needed),
    )


def with_figure(sheet: BenchSheet, name: ProofName, figure: str, value: float | None) -> BenchSheet:
    """The sheet with another figure in one proof; None takes it away."""

    def changed(proof: Proof) -> Proof:
        if proof.name is not name:
            return proof
        kept = tuple(
            one if one.name != figure or value is None else dataclasses.replace(one, value=value)
            for one in proof.figures
            if one.name != figure or value is not None
        )
        return dataclasses.replace(proof, figures=kept)

    return dataclasses.replace(sheet, proofs=tuple(changed(proof) for proof in sheet.proofs))


# --- figures -----------------------------------------------------------------------------------


def test_rates_are_rising_safe_and_held_by_the_pump() -> None:
    assert bench_rates(Role.INSULIN, 30, 1_500_000, STEPS) == RATES[Role.INSULIN]
    assert bench_rates(Role.DEXTROSE, 30, 1_500_000, STEPS) == RATES[Role.DEXTROSE]
    assert bench_rates(Role.DEXTROSE, 100, 50_000, ((10_000_000, 1_000),)) == (2_000, 12_000, 50_000)
    for low, high in ((7_000, 1_000_000), (100, 2_000)):
        with pytest.raises(Refusal, match="low, middle and high"):
            bench_rates(Role.DEXTROSE, low, high, ((10_000_000, 1_000),))


@given(PUMP_ROLES, st.integers(1, 100_000), st.integers(1, 2_000_000), st.sampled_from([1, 10, 100, 1000]))
def test_no_rate_is_ever_above_the_safe_one(role: Role, low: int, high: int, step: int) -> None:
    try:
        rates = bench_rates(role, low, high, ((10_000_000, step),))
    except Refusal:
        return
    assert low <= rates[0] < rates[1] < rates[2] <= min(high, SAFE_RATE_UL_H[role])
    assert all(rate % step == 0 for rate in rates)


def test_the_error_of_a_volume_by_hand() -> None:
    # 60 mL/h for 10 min are 10 mL; 9.98 g of water are 10 mL.
    assert volume_error_pct(9.98, 10.0, 60_000) == pytest.approx(0.0, abs=1e-9)
    assert volume_error_pct(10.479, 10.0, 60_000) == pytest.approx(5.0)
    assert volume_error_pct(8.982, 10.0, 60_000) == pytest.approx(-10.0)


def test_enough_is_collected_for_a_balance() -> None:
    assert volume_minutes(20_000) == pytest.approx(12.0)
    assert volume_minutes(120_000) == 5.0


# --- what is needed ----------------------------------------------------------------------------


def test_what_must_be_proved_follows_from_the_pump() -> None:
    with_syringe = needed_proofs(STOPS, 5, DIAMETER_UM, RATES[Role.INSULIN])
    without = needed_proofs(CONTINUES, None, None, RATES[Role.DEXTROSE])
    assert [one.name for one in with_syringe] == list(ProofName)
    assert {one.name for one in with_syringe} - {one.name for one in without} == {
        ProofName.SYRINGE,
        ProofName.WRONG_SYRINGE,
    }


@pytest.mark.parametrize(
    ("on_silence", "watchdog_s"), [(STOPS, None), (CONTINUES, 5), (UNPROVEN, None), ("", 5)]
)
def test_a_pump_that_cannot_be_right_on_silence_needs_no_proofs(
    on_silence: str, watchdog_s: int | None
) -> None:
    with pytest.raises(Refusal, match="must stop by itself"):
        needed_proofs(on_silence, watchdog_s, DIAMETER_UM, RATES[Role.INSULIN])


def test_missing_doubled_and_wrong_figures_are_named() -> None:
    cable = next(
        one
        for one in needed_proofs(STOPS, 5, DIAMETER_UM, RATES[Role.INSULIN])
        if one.name is ProofName.CABLE_PULL
    )
    good = list(good_figures(cable))
    assert shortcomings(cable, good) == []
    assert shortcomings(cable, [one for one in good if "counter" not in one.name]) == []
    assert shortcomings(cable, good[1:]) == ["Cable pull: silence was not measured in s."]
    assert shortcomings(cable, [*good, good[0]]) == ["Cable pull: silence was not measured in s."]
    in_minutes = [dataclasses.replace(good[0], unit="min"), *good[1:]]
    assert shortcomings(cable, in_minutes) == ["Cable pull: silence was not measured in s."]
    late = [dataclasses.replace(one, value=8.1) if "stop" in one.name else one for one in good]
    assert shortcomings(cable, late) == ["Cable pull: stop seen after is 8.1 s, expected 0 to 8."]
    unknown = [dataclasses.replace(one, value=float("nan")) if "stop" in one.name else one for one in good]
    assert len(shortcomings(cable, unknown)) == 1


# --- judgement ---------------------------------------------------------------------------------


@given(PUMP_ROLES, st.sampled_from([DIAMETER_UM, None]))
def test_a_complete_sheet_is_good(role: Role, diameter_um: int | None) -> None:
    assert judged(good_sheet(role, diameter_um)) == []


@given(PUMP_ROLES, st.sampled_from(list(ProofName)))
def test_every_proof_must_be_there_once_and_passed(role: Role, name: ProofName) -> None:
    sheet = good_sheet(role)
    (one,) = (proof for proof in sheet.proofs if proof.name is name)
    others = tuple(proof for proof in sheet.proofs if proof.name is not name)
    for proofs, word in (
        (others, "missing"),
        ((*sheet.proofs, one), "more than once"),
        ((*others, dataclasses.replace(one, passed=False)), "not proved"),
    ):
        (failure,) = judged(dataclasses.replace(sheet, proofs=proofs))
        assert failure.startswith(name.capitalize())
        assert word in failure


@pytest.mark.parametrize(
    ("role", "name", "figure", "value", "sentence"),
    [
        (Role.INSULIN, ProofName.CABLE_PULL, "stop seen after", 8.5, "expected 0 to 8"),
        (Role.INSULIN, ProofName.CABLE_PULL, "stop seen after", None, "not measured"),
        (Role.INSULIN, ProofName.CABLE_PULL, "ran on by its counter", 60.0, "at most 8"),
        (Role.INSULIN, ProofName.CABLE_PULL, "rate afterwards", 5_000.0, "expected 0"),
        (Role.INSULIN, ProofName.CABLE_PULL, "silence", 2.0, "at least 5"),
        (Role.DEXTROSE, ProofName.CABLE_PULL, "silence", 599.0, "at least 600"),
        (Role.DEXTROSE, ProofName.CABLE_PULL, "rate afterwards", 0.0, "expected 30000"),
        (Role.DEXTROSE, ProofName.CABLE_PULL, "delivered by its counter", 94.0, "95 to 105"),
        (Role.DEXTROSE, ProofName.RATES, "middle rate held", 29_999.0, "expected 30000"),
        (Role.DEXTROSE, ProofName.RATES, "low rate held", None, "not measured"),
        (Role.INSULIN, ProofName.SYRINGE, "diameter shown", 19.05, "expected 26.59"),
        (Role.INSULIN, ProofName.RESET, "rate afterwards", 1.0, "expected 0"),
        (Role.INSULIN, ProofName.VOLUME, "error", 5.1, "-5 to 5"),
        (Role.INSULIN, ProofName.VOLUME, "minutes", 5.0, "at least 12"),
        (Role.INSULIN, ProofName.VOLUME, "mass", 3.0, "does not follow"),
    ],
)
def test_a_figure_outside_its_limit_fails_whatever_the_sheet_says_of_itself(
    role: Role, name: ProofName, figure: str, value: float | None, sentence: str
) -> None:
    (failure,) = judged(with_figure(good_sheet(role), name, figure, value))
    assert sentence in failure


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": ""}, "does not say the model"),
        ({"serial": " "}, "does not say the serial number"),
        ({"engineer": ""}, "engineer's name"),
        ({"initials": ""}, "engineer's initials"),
        ({"firmware": ""}, "firmware"),
        ({"date_utc": "yesterday"}, "date"),
        ({"date_utc": "2026-11-22T10:00:00"}, "date"),
        ({"on_silence": UNPROVEN}, "is unproven"),
        ({"on_silence": CONTINUES}, "one that stops"),
        ({"rates_ul_h": (1_000, 5_000, 20_001)}, "rates tried"),
        ({"rates_ul_h": (0, 5_000, 20_000)}, "rates tried"),
        ({"watchdog_s": None}, "must stop by itself"),
        ({"role": Role.ANALYZER}, "for a pump"),
        ({"role": Role.DEXTROSE}, "one that continues"),
    ],
)
def test_what_is_said_about_the_pump_must_hold_too(change: dict[str, Any], sentence: str) -> None:
    failures = judged(dataclasses.replace(good_sheet(), **change))
    assert any(sentence in failure for failure in failures)


# --- coverage ----------------------------------------------------------------------------------

USE = ("new-era", Role.INSULIN, "NE-1000", "4711", DIAMETER_UM, 5)


def test_a_sheet_covers_its_own_pump() -> None:
    assert covers(good_sheet(), *USE) is None
    dextrose = ("new-era", Role.DEXTROSE, "ne1000", "4711", None, None)
    assert covers(good_sheet(Role.DEXTROSE, None), *dextrose) is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"driver": "alaris"}, "driver"),
        ({"role": Role.DEXTROSE}, "role"),
        ({"model": "NE500"}, "model"),
        ({"serial": "4712"}, "serial number"),
        ({"diameter_um": 19_050}, "syringe is 19.050 mm, here it is 26.590 mm"),
        ({"diameter_um": None}, "syringe is none"),
        ({"watchdog_s": 30}, "stop on silence is after 30 s"),
    ],
)
def test_a_sheet_covers_no_other_pump_or_use(change: dict[str, Any], word: str) -> None:
    sheet = dataclasses.replace(good_sheet(), **change)
    refusal = covers(sheet, *USE)
    assert refusal is not None
    assert f"its {word}" in refusal


@pytest.mark.parametrize(
    ("model", "is_its_own"),
    [
        ("NE1000", True),
        ("ne-1000", True),
        ("NE", True),
        ("", False),
        ("-", False),
        ("NE10000", False),
        ("1000", False),
    ],
)
def test_a_model_is_how_the_pumps_own_name_begins(model: str, is_its_own: bool) -> None:
    refusal = covers(good_sheet(), "new-era", Role.INSULIN, model, "4711", DIAMETER_UM, 5)
    assert (refusal is None) is is_its_own


def test_an_unknown_serial_number_or_a_failed_sheet_covers_nothing() -> None:
    assert "not known" in (covers(good_sheet(), "new-era", Role.INSULIN, "NE1000", "", DIAMETER_UM, 5) or "")
    nameless = dataclasses.replace(good_sheet(), serial="")
    assert covers(nameless, "new-era", Role.INSULIN, "NE1000", "", DIAMETER_UM, 5) is not None
    failed = with_figure(good_sheet(), ProofName.VOLUME, "error", 6.0)
    assert "does not admit the insulin pump: Volume: error is 6 %" in (covers(failed, *USE) or "")


# --- text --------------------------------------------------------------------------------------


@given(PUMP_ROLES, st.sampled_from([DIAMETER_UM, None]))
def test_a_sheet_is_read_as_it_was_written(role: Role, diameter_um: int | None) -> None:
    sheet = good_sheet(role, diameter_um)
    text = sheet_text(sheet)
    again = read_sheet(json.loads(text))
    assert again == sheet
    assert sheet_text(again) == text


def test_whole_numbers_and_floats_have_one_text() -> None:
    sheet = with_figure(good_sheet(), ProofName.RESET, "rate afterwards", 0)
    assert sheet_text(sheet) == sheet_text(good_sheet())


def test_anything_else_is_no_sheet() -> None:
    body = sheet_body(good_sheet())
    bodies: list[object] = [
        None,
        [],
        {},
        "sheet",
        body | {"more": 1},
        {key: value for key, value in body.items() if key != "serial"},
        body | {"role": "nurse"},
        body | {"watchdog_s": "5"},
        body | {"watchdog_s": 5.0},
        body | {"rates_ul_h": [1, 2]},
        body | {"proofs": [{}]},
        body | {"type": "Sheet"},
        body | {"proofs": [body["proofs"][0] | {"passed": 1}]},
    ]
    for wrong in bodies:
        with pytest.raises(Refusal, match="not a bench sheet"):
            read_sheet(wrong)
