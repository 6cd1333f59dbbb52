"""Named insulin primes against the table of clamp-method 1.2."""

import pytest

from clampctl.core.protocol import Refusal
from clampctl.study.primes import EXPONENTIAL, FOUR_TWO, NONE, named_prime


@pytest.mark.parametrize(
    ("maintenance", "rates", "tolerance"),
    [
        (69.0, [221, 197, 175, 156, 139, 124, 110, 98, 87, 78], 0.55),
        (60.0, [192.2, 171.1, 152.3, 135.5, 120.6, 107.4, 95.6, 85.1, 75.7, 67.4], 0.06),
    ],
)
def test_exponential_prime(maintenance: float, rates: list[float], tolerance: float) -> None:
    found = [step.multiple * maintenance for step in EXPONENTIAL.steps]
    assert found == pytest.approx(rates, abs=tolerance)
    assert [step.from_ms for step in EXPONENTIAL.steps] == [60_000 * minute for minute in range(10)]
    assert EXPONENTIAL.until_ms == 600_000


def test_loads_above_maintenance() -> None:
    """At 40 mU/m2/min: about 400 mU/m2 for the exponential prime, 600 for 4x/2x."""
    assert 40 * sum(step.multiple - 1 for step in EXPONENTIAL.steps) == pytest.approx(402, abs=2)
    four, two = FOUR_TWO.steps
    load = 40 * ((four.multiple - 1) * 4 + (two.multiple - 1) * 3)
    assert load == pytest.approx(600)
    assert (two.from_ms, FOUR_TWO.until_ms) == (4 * 60_000, 7 * 60_000)
    assert NONE.steps == ()


@pytest.mark.parametrize("name", ["exponential 10 min", "4x/2x", "none"])
def test_by_name(name: str) -> None:
    assert named_prime(name).name == name


@pytest.mark.parametrize("name", ["bolus", "", 4, None, ["none"]])
def test_other_names_are_refused(name: object) -> None:
    with pytest.raises(Refusal, match=r"^step 1 prime is .*4x/2x"):
        named_prime(name, "step 1 prime")
