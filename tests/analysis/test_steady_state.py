"""The verdict on a window, and the reasons it names."""

import pytest

from clampctl.analysis.record import GirIs, Record, series
from clampctl.analysis.steady_state import SteadyLimits, Verdict, steady_state

STEADY_GLUCOSE = [(80.0 + 5 * n, 90.0 + (-1) ** n) for n in range(9)]
STEADY_GIR = [(0.0, 7.0), (95.0, 7.1), (110.0, 7.0)]


def judged(
    glucose: list[tuple[float, float]], gir: list[tuple[float, float]], end: float = 120.0
) -> tuple[Verdict, str]:
    record = Record(
        glucose=series(glucose),
        gir=series(gir),
        gir_is=GirIs.STEPS,
        insulin=series([]),
        clamp_start_min=0.0,
        taper_start_min=120.0,
        target_mg_dl=90.0,
        weight_kg=70.0,
    )
    found = steady_state(record, 80.0, end, SteadyLimits())
    return found.verdict, "; ".join(found.reasons)


def test_a_quiet_window_is_steady() -> None:
    assert judged(STEADY_GLUCOSE, STEADY_GIR) == (Verdict.STEADY, "")


@pytest.mark.parametrize(
    ("glucose", "gir", "verdict", "reason"),
    [
        (
            [(80.0 + 5 * n, 90.0 + 8 * (-1) ** n) for n in range(9)],
            STEADY_GIR,
            Verdict.UNSTEADY,
            "glucose CV",
        ),
        (STEADY_GLUCOSE, [(0.0, 6.0), (90.0, 8.0), (110.0, 6.0)], Verdict.UNSTEADY, "GIR CV"),
        (STEADY_GLUCOSE, [(0.0, 7.0), (100.0, 7.7)], Verdict.UNSTEADY, "GIR trend"),
        (STEADY_GLUCOSE[:3], STEADY_GIR, Verdict.UNKNOWN, "3 samples"),
        (STEADY_GLUCOSE[:6], STEADY_GIR, Verdict.UNKNOWN, "15 min without a sample"),
        (STEADY_GLUCOSE, [], Verdict.UNKNOWN, "GIR is not recorded"),
        (STEADY_GLUCOSE, [(0.0, 0.0)], Verdict.UNKNOWN, "GIR is not recorded, or zero"),
    ],
)
def test_reasons(
    glucose: list[tuple[float, float]], gir: list[tuple[float, float]], verdict: Verdict, reason: str
) -> None:
    found, reasons = judged(glucose, gir)
    assert found is verdict
    assert reason in reasons


def test_a_short_window_says_nothing() -> None:
    verdict, reasons = judged(STEADY_GLUCOSE, STEADY_GIR, end=105.0)
    assert verdict is Verdict.UNKNOWN
    assert "25 min" in reasons
