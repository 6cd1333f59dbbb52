"""Test vector A of the method sheet (clamp-method 2.1) through the law, and through the whole core."""

import pytest

from clampctl.core.commands import Role
from clampctl.core.interlocks import dextrose_rate
from clampctl.core.laws.defronzo import DeFronzo
from clampctl.core.laws.law import LawState, Question
from tests.core.world import LAW, MIN, World

ROWS = (
    (0, 90.0, 0.0, 0.0),
    (5, 92.0, 2.0, 42.0),
    (10, 88.0, 4.34424, 91.229),
    (15, 85.0, 4.96488, 104.263),
    (20, 84.0, 5.40095, 113.420),
    (25, 86.0, 5.36347, 112.633),
    (30, 89.0, 5.03804, 105.799),
    (35, 91.0, 4.73074, 99.346),
    (40, 92.0, 4.49848, 94.468),
    (45, 90.0, 4.75181, 99.788),
    (50, 90.0, 4.75181, 99.788),
    (55, 91.0, 4.57292, 96.031),
    (60, 89.0, 4.87906, 102.460),
    (65, 90.0, 4.75240, 99.800),
)
"""Minute, glucose mg/dL, GIR mg/kg/min, pump mL/h."""

METABOLIC = {10: 4.09091, 15: 4.33155, 20: 4.64095, 30: 4.91138, 45: 4.75181, 65: 4.75240}


def test_the_law_gives_every_printed_digit() -> None:
    memory = LawState()
    for minute, glucose, gir, _ in ROWS:
        question = Question(glucose, minute * MIN, minute * MIN, 90.0, 5 * MIN, None, 0.0, LAW)
        advice = DeFronzo().advise(memory, question)
        memory = advice.memory
        assert round(advice.wanted_mg_kg_min, 5) == gir
        if minute in METABOLIC:
            assert round(memory.slots[-1].metabolic_mg_kg_min, 5) == METABOLIC[minute]


def test_the_core_gives_every_printed_digit_with_pumps_that_obey() -> None:
    world = World().clamping(90.0)
    for minute, glucose, gir, ml_h in ROWS[1:]:
        world.until(minute)
        world.sample(glucose)
        dose = world.state.dosing
        wanted = dose.wanted_mg_kg_min
        assert wanted is not None
        assert round(wanted, 5) == gir
        step_ul_h = 10 if dose.rate_ul_h < 100_000 else 100
        assert dose.rate_ul_h % step_ul_h == 0
        assert abs(dose.rate_ul_h - ml_h * 1000) <= step_ul_h / 2 + 0.5
        assert world.pumps[Role.DEXTROSE].rate_ul_h == dose.rate_ul_h
    assert world.state.alarms == ()


@pytest.mark.parametrize(("minute", "glucose", "gir", "ml_h"), ROWS)
def test_the_pump_column_follows_from_the_gir(minute: int, glucose: float, gir: float, ml_h: float) -> None:
    rate_ul_h, reason = dextrose_rate(World().state.session, gir)
    assert reason == ""
    assert abs(rate_ul_h - ml_h * 1000) <= (5 if rate_ul_h < 100_000 else 50) + 0.5
