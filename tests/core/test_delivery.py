"""Volume against the pump's counter, and whether a pump really delivers."""

from dataclasses import replace

import pytest

from clampctl.core import delivery
from clampctl.core.commands import Role
from clampctl.core.events import PumpState
from clampctl.core.protocol import Limits
from clampctl.core.state import Pump
from tests.core.world import DEXTROSE, MIN

LIMITS = Limits()
BLIND = replace(DEXTROSE, counter_quantum_ul=None)
COARSE = replace(DEXTROSE, counter_quantum_ul=100)


def pump(at_ms: int, rate: int = 60_000, counter: int | None = 0, integral: int = 0) -> Pump:
    return Pump(
        Role.DEXTROSE,
        connected=True,
        heard_at_ms=at_ms,
        state=PumpState.RUNNING,
        reported_ul_h=rate,
        infused_ul=counter,
        commanded_ul_h=rate,
        commanded_at_ms=0,
        moved_at_ms=at_ms,
        integral_ul_ms_h=integral,
    )


def test_the_integral_is_rate_times_time() -> None:
    assert delivery.integrated(pump(10 * MIN), 20 * MIN) == 60_000 * 10 * MIN
    assert delivery.integrated(pump(10 * MIN, integral=7), 10 * MIN) == 7
    assert delivery.integrated(Pump(Role.DEXTROSE, integral_ul_ms_h=7), 10 * MIN) == 7
    unread = replace(pump(0), reported_ul_h=None, integral_ul_ms_h=9)
    assert delivery.integrated(unread, 10 * MIN) == 9


@pytest.mark.parametrize(
    ("infused_ul", "step_ul"), [(0, 1), (9_999, 1), (10_000, 10), (100_000, 100), (1_000_000, 1_000)]
)
def test_the_step_of_a_four_figure_counter(infused_ul: int, step_ul: int) -> None:
    assert delivery.quantum_ul(DEXTROSE, infused_ul) == step_ul
    assert delivery.quantum_ul(COARSE, infused_ul) == max(100, step_ul)
    assert delivery.quantum_ul(BLIND, infused_ul) == 0


@pytest.mark.parametrize(
    ("change", "flows"),
    [
        ({}, True),
        ({"heard_at_ms": None}, False),
        ({"state": PumpState.PAUSED}, False),
        ({"reported_ul_h": 0}, False),
        ({"reported_ul_h": None}, False),
        ({"connected": False}, False),
        ({"heard_at_ms": MIN - 20_001}, False),
        ({"heard_at_ms": MIN - 20_000}, True),
        ({"moved_at_ms": MIN - 20_001}, False),
        ({"moved_at_ms": None}, False),
    ],
)
def test_flow_is_seen_or_it_is_not(change: dict[str, object], flows: bool) -> None:
    seen = replace(pump(MIN), **change)  # type: ignore[arg-type]  # one field of many kinds
    assert delivery.flowing(seen, DEXTROSE, LIMITS, MIN) == flows


@pytest.mark.parametrize(
    ("rate", "setup", "counter", "still_ms"),
    [
        (60_000, DEXTROSE, 0, 20_000),
        (10_001, DEXTROSE, 0, 20_000),
        (10_000, DEXTROSE, 0, 80_000),
        (60_000, COARSE, 0, 20_000),
        (20_000, COARSE, 0, 36_000),
        (1_000, DEXTROSE, 200_000, 4 * 720_000),
        (60_000, DEXTROSE, None, 20_000),
    ],
)
def test_how_long_a_counter_may_stand_still(
    rate: int, setup: object, counter: int | None, still_ms: int
) -> None:
    assert setup in (DEXTROSE, COARSE)
    where = DEXTROSE if setup is DEXTROSE else COARSE
    assert delivery.no_flow_ms(pump(0, rate, counter), where, LIMITS) == still_ms


def test_without_a_counter_or_a_rate_stillness_proves_nothing() -> None:
    assert delivery.no_flow_ms(pump(0), BLIND, LIMITS) > 10**15
    assert delivery.no_flow_ms(pump(0, rate=0), DEXTROSE, LIMITS) > 10**15


@pytest.mark.parametrize(
    ("change", "at_ms", "still"),
    [
        ({}, 0, False),
        ({}, 20_001, True),
        ({"state": PumpState.STOPPED, "commanded_ul_h": 0}, 20_001, False),
        ({"state": PumpState.STOPPED, "commanded_ul_h": None}, 20_001, False),
        ({"state": PumpState.STOPPED}, 20_000, False),
        ({"state": PumpState.STOPPED}, 20_001, True),
        ({"state": PumpState.STOPPED, "commanded_at_ms": None}, 0, True),
        ({"state": PumpState.PAUSED, "commanded_ul_h": 0}, 0, True),
        ({"reported_ul_h": 0}, 20_000, False),
        ({"reported_ul_h": 0}, 20_001, True),
    ],
)
def test_a_pump_that_should_deliver_is_still(change: dict[str, object], at_ms: int, still: bool) -> None:
    seen = replace(pump(0), **change)  # type: ignore[arg-type]  # one field of many kinds
    assert delivery.still(seen, DEXTROSE, LIMITS, at_ms) == still


def reconciled(before: Pump, at_ms: int, counter: int | None) -> Pump:
    after = replace(
        before,
        heard_at_ms=at_ms,
        infused_ul=counter,
        integral_ul_ms_h=delivery.integrated(before, at_ms),
    )
    return delivery.reconciled(after, DEXTROSE, at_ms)


def test_an_account_opens_and_closes_every_ten_minutes() -> None:
    first = delivery.reconciled(pump(0), DEXTROSE, 0)
    assert first.account is not None
    early = reconciled(first, 10 * MIN - 1, 9_000)
    assert early.account == first.account
    closed = reconciled(first, 10 * MIN, 10_000)
    assert closed.account is not None
    assert (closed.account.since_ms, closed.account.counter_start_ul) == (10 * MIN, 10_000)
    assert closed.account.disagrees == ""


@pytest.mark.parametrize(
    ("counted", "agrees"), [(9_500, True), (9_499, False), (10_500, True), (10_501, False)]
)
def test_five_per_cent_is_the_measure(counted: int, agrees: bool) -> None:
    account = reconciled(delivery.reconciled(pump(0), DEXTROSE, 0), 10 * MIN, counted).account
    assert account is not None
    assert (account.disagrees == "") == agrees
    if not agrees:
        assert account.disagrees == f"the pump counted {counted / 1000:.2f} mL where 10.00 mL was due"


def test_small_volumes_are_allowed_a_fifth_of_a_millilitre() -> None:
    slow = delivery.reconciled(pump(0, rate=600), DEXTROSE, 0)
    for counted, agrees in ((300, True), (301, False)):
        account = reconciled(slow, 10 * MIN, counted).account
        assert account is not None
        assert (account.disagrees == "") == agrees


def test_a_counter_that_goes_back_is_noted_at_once() -> None:
    first = delivery.reconciled(pump(0, counter=500), DEXTROSE, 0)
    back = reconciled(first, MIN, 499)
    assert back.account is not None
    assert back.account.disagrees == "the pump's volume counter went back"
    assert back.account.counter_start_ul == 499


def test_without_a_counter_there_is_no_account() -> None:
    assert delivery.reconciled(pump(0, counter=None), DEXTROSE, 0).account is None
    assert delivery.reconciled(pump(0), BLIND, 0).account is None
