"""Between vein and analyzer: each fault does its own, once or as long as it is said to last."""

import math

import pytest

from simulator.sampling_site import (
    COLD_WITHIN_MIN,
    OF_ONE_SAMPLE,
    PLASMA_OF_WHOLE_BLOOD,
    BloodFault,
    SamplingSite,
)

MIN_MS = 60_000


def site(fault: BloodFault, size: float = 0.0, *, lasts: bool = False) -> SamplingSite:
    """A site with a fault since minute 0."""
    made = SamplingSite()
    made.befall(fault, size, 0, lasts=lasts)
    return made


def test_a_sound_site_gives_the_blood_as_it_is() -> None:
    made = SamplingSite()
    assert [made.taken(90.3 + minute, minute * MIN_MS) for minute in range(3)] == [90.3, 91.3, 92.3]
    assert made.late_ms() == 0


@pytest.mark.parametrize(
    ("fault", "size", "found"),
    [
        (BloodFault.CONTAMINATED, 100.0, 190.0),
        (BloodFault.DILUTED, 20.0, 72.0),
        (BloodFault.MISSED, 0.0, None),
        (BloodFault.SWAPPED, 0.0, 80.0),
        (BloodFault.WHOLE_BLOOD, 0.0, 90.0 / PLASMA_OF_WHOLE_BLOOD),
        (BloodFault.BIAS, -6.0, 84.0),
        (BloodFault.BIAS, -200.0, 0.0),
    ],
)
def test_one_fault(fault: BloodFault, size: float, found: float | None) -> None:
    made = SamplingSite()
    assert made.taken(80.0, 0) == 80.0
    made.befall(fault, size, 0, lasts=False)
    taken = made.taken(90.0, 5 * MIN_MS)
    assert taken == (None if found is None else pytest.approx(found))
    again = made.taken(90.0, 10 * MIN_MS)
    if fault in OF_ONE_SAMPLE:
        assert again == 90.0
    else:
        assert again == taken
        made.mend(fault, 10 * MIN_MS)
        assert made.taken(90.0, 15 * MIN_MS) == 90.0


def test_one_that_lasts_ends_when_it_is_mended() -> None:
    made = site(BloodFault.CONTAMINATED, 50.0, lasts=True)
    assert [made.taken(90.0, minute * MIN_MS) for minute in (1, 2, 3)] == [140.0] * 3
    made.mend(BloodFault.CONTAMINATED, 4 * MIN_MS)
    assert made.taken(90.0, 5 * MIN_MS) == 90.0


def test_tubes_swapped_on_and_on_are_each_one_sample_old() -> None:
    made = site(BloodFault.SWAPPED, lasts=True)
    assert [made.taken(glucose, 0) for glucose in (70.0, 80.0, 90.0)] == [70.0, 70.0, 80.0]


def test_late_blood_is_late_by_so_much_once() -> None:
    made = site(BloodFault.LATE, 1.5)
    assert (made.late_ms(), made.late_ms()) == (90_000, 0)
    made.befall(BloodFault.LATE, 4.0, 0, lasts=True)
    assert (made.late_ms(), made.late_ms()) == (240_000, 240_000)


def test_missed_blood_leaves_no_tube_to_swap() -> None:
    made = SamplingSite()
    assert made.taken(70.0, 0) == 70.0
    made.befall(BloodFault.MISSED, 0.0, 0, lasts=False)
    assert made.taken(80.0, 1) is None
    made.befall(BloodFault.SWAPPED, 0.0, 2, lasts=False)
    assert made.taken(90.0, 3) == 70.0


def test_a_cold_hand_drifts_low_and_recovers_as_slowly() -> None:
    made = site(BloodFault.COLD_HAND, 6.0)
    half = (1.0 - math.exp(-1.0)) * 6.0
    assert made.taken(90.0, 0) == 90.0
    assert made.taken(90.0, round(COLD_WITHIN_MIN * MIN_MS)) == pytest.approx(90.0 - half)
    assert made.taken(90.0, 1_000 * MIN_MS) == pytest.approx(84.0)
    made.mend(BloodFault.COLD_HAND, 1_000 * MIN_MS)
    assert made.taken(90.0, 1_010 * MIN_MS) == pytest.approx(90.0 - 6.0 * math.exp(-1.0))


def test_drift_grows_by_the_hour_and_ends_with_a_calibration() -> None:
    made = site(BloodFault.DRIFT, 6.0)
    assert [made.taken(100.0, hours * 60 * MIN_MS) for hours in (0, 1, 2)] == pytest.approx(
        [100.0, 106.0, 112.0]
    )
    made.mend(BloodFault.DRIFT, 120 * MIN_MS)
    assert made.taken(100.0, 180 * MIN_MS) == 100.0
