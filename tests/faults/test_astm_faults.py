"""Every row of the ASTM analyzers' fault table, played; and a morning without faults."""

import pytest

from clampctl.core.events import LinkHeard
from simulator.devices.astm_settings import AstmSettings, Unit
from tests.faults.astm import CASES
from tests.faults.astm_bed import bed
from tests.faults.astm_wire import CASES as WIRE_CASES
from tests.faults.pair import Case


@pytest.mark.parametrize("case", [*WIRE_CASES, *CASES], ids=lambda case: f"{case.fault}: {case.expected}")
def test_row(case: Case) -> None:
    assert case.play() == case.play()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("unit", [Unit.MMOL_L, Unit.MG_DL])
def test_a_morning_of_samples_is_taken_one_by_one(packed: bool, unit: Unit) -> None:
    one = bed(AstmSettings(unit=unit, packed=packed, panel=True, autocal_ms=900_000)).inject("lactate_first")
    true = [5.0 + 0.1 * (number % 7) for number in range(36)]
    for mmol_l in true:
        one.measure(mmol_l, 300_000)
    half_step_mg_dl = 0.5 if unit is Unit.MG_DL else 0.05 * 18.0156
    taken = [sample.glucose_mg_dl for sample in one.pair.samples]
    assert taken == pytest.approx([mmol_l * 18.0156 for mmol_l in true], rel=0, abs=half_step_mg_dl + 1e-6)
    assert one.told == []
    assert len(one.pair.told(LinkHeard)) >= len(true)
    assert set(one.pair.to_device) == {0x06}
