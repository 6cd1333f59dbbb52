"""Between pump and vein: each fault does its own, and nothing is made or lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.devices.fault import fault
from simulator.devices.new_era import NewEra
from simulator.infusion_line import Line, LineFault

MIN_MS = 60_000
RATE_UL_H = 60_000
UL_MIN = 1_000.0
"""What a pump at that rate gives in a minute."""


def pump() -> NewEra:
    """A pump that someone started by hand at minute 0."""
    started = NewEra()
    started.inject(fault(f"key=rate,{RATE_UL_H}"), 0)
    started.inject(fault("key=start"), 0)
    return started


def flow(line: Line, minutes: int, begin: int = 0) -> list[float]:
    """The dose of each minute, µL."""
    return [line.advance((begin + minute + 1) * MIN_MS) for minute in range(minutes)]


def require_conserved(line: Line) -> None:
    """What entered was given, was spilled, or is inside."""
    assert line.entered_ul == pytest.approx(line.given_ul + line.spilled_ul + line.inside_ul, abs=1e-6)


def test_a_sound_line_gives_what_the_pump_delivers_to_the_last_bit() -> None:
    motor = pump()
    line, given_ul = Line(motor), 0.0
    for at_ms in range(0, 10 * MIN_MS, 700):
        before_ul = motor.delivered_ul
        given_ul = line.advance(at_ms)
        assert given_ul == motor.delivered_ul - before_ul
    assert given_ul > 0.0
    assert (line.held_ul, line.inside_ul, line.spilled_ul) == (0.0, 0.0, 0.0)


def test_an_unprimed_line_gives_its_dead_volume_of_nothing_first() -> None:
    line = Line(pump())
    line.befall(LineFault.UNPRIMED, 2_500.0)
    assert flow(line, 4) == pytest.approx([0.0, 0.0, 0.5 * UL_MIN, UL_MIN])
    assert line.inside_ul == pytest.approx(2_500.0)
    require_conserved(line)


def test_compliance_takes_up_once_and_gives_back_when_it_ends() -> None:
    line = Line(pump())
    line.befall(LineFault.COMPLIANCE, 1_500.0)
    assert flow(line, 3) == pytest.approx([0.0, 0.5 * UL_MIN, UL_MIN])
    assert line.held_ul == pytest.approx(1_500.0)
    line.mend(LineFault.COMPLIANCE, 3 * MIN_MS)
    assert flow(line, 2, begin=3) == pytest.approx([UL_MIN + 1_500.0, UL_MIN])
    require_conserved(line)


def test_an_occlusion_stores_until_the_pump_stalls_and_all_of_it_comes_at_once() -> None:
    motor = pump()
    line = Line(motor)
    line.befall(LineFault.OCCLUDED, 2_500.0)
    assert flow(line, 2) == [0.0, 0.0]
    assert motor.flow_ul_h == RATE_UL_H
    assert flow(line, 5, begin=2) == [0.0] * 5
    assert motor.flow_ul_h == 0
    assert line.held_ul == pytest.approx(3_000.0)
    line.mend(LineFault.OCCLUDED, 7 * MIN_MS)
    assert flow(line, 2, begin=7) == pytest.approx([3_000.0, 0.0])
    motor.inject(fault("key=start"), 9 * MIN_MS)
    assert flow(line, 1, begin=9) == pytest.approx([UL_MIN])
    require_conserved(line)


def test_an_occlusion_that_ends_before_the_limit_leaves_the_pump_running() -> None:
    motor = pump()
    line = Line(motor)
    line.befall(LineFault.OCCLUDED, 2_500.0)
    flow(line, 2)
    line.mend(LineFault.OCCLUDED, 2 * MIN_MS)
    assert flow(line, 2, begin=2) == pytest.approx([3.0 * UL_MIN, UL_MIN])
    assert motor.flow_ul_h == RATE_UL_H


def test_a_leak_spills_its_share() -> None:
    line = Line(pump())
    line.befall(LineFault.LEAK, 30.0)
    assert flow(line, 2) == pytest.approx([0.7 * UL_MIN] * 2)
    assert line.spilled_ul == pytest.approx(0.6 * UL_MIN)
    line.mend(LineFault.LEAK, 2 * MIN_MS)
    assert flow(line, 1, begin=2) == pytest.approx([UL_MIN])
    require_conserved(line)


def test_a_wrong_strength_is_a_wrong_dose_and_reaches_the_vein_behind_the_dead_volume() -> None:
    line = Line(pump())
    line.befall(LineFault.UNPRIMED, 1_000.0)
    line.befall(LineFault.STRENGTH, 250.0)
    assert flow(line, 2) == pytest.approx([0.0, 2.5 * UL_MIN])
    line.mend(LineFault.STRENGTH, 2 * MIN_MS)
    assert flow(line, 2, begin=2) == pytest.approx([2.5 * UL_MIN, UL_MIN])
    require_conserved(line)


def test_an_empty_bag_gives_air_while_the_pump_counts() -> None:
    motor = pump()
    line = Line(motor)
    line.befall(LineFault.STRENGTH, 250.0)
    line.befall(LineFault.EMPTY, 0.0)
    assert flow(line, 2) == [0.0, 0.0]
    assert motor.delivered_ul == pytest.approx(2.0 * UL_MIN)
    line.mend(LineFault.EMPTY, 2 * MIN_MS)
    assert flow(line, 1, begin=2) == pytest.approx([2.5 * UL_MIN])


SIZES = {
    LineFault.UNPRIMED: st.floats(1.0, 5_000.0),
    LineFault.COMPLIANCE: st.floats(1.0, 2_000.0),
    LineFault.OCCLUDED: st.floats(1.0, 3_000.0),
    LineFault.LEAK: st.floats(1.0, 100.0),
    LineFault.STRENGTH: st.floats(0.0, 1_000.0),
    LineFault.EMPTY: st.just(0.0),
}
ACTS = st.one_of(
    *(st.tuples(st.just(kind), sizes) for kind, sizes in SIZES.items()),
    st.tuples(st.sampled_from(list(LineFault)), st.none()),
    st.tuples(st.just("start"), st.none()),
    st.tuples(st.just("stop"), st.none()),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 5 * MIN_MS), ACTS), max_size=20))
def test_whatever_happens_nothing_is_made_or_lost(
    acts: list[tuple[int, tuple[LineFault | str, float | None]]],
) -> None:
    motor = pump()
    line, at_ms, given_ul = Line(motor), 0, 0.0
    for wait_ms, (what, size) in acts:
        at_ms += wait_ms
        dose_ul = line.advance(at_ms)
        assert dose_ul >= 0.0
        given_ul += dose_ul
        if not isinstance(what, LineFault):
            motor.inject(fault(f"key={what}"), at_ms)
        elif size is None:
            line.mend(what, at_ms)
        else:
            line.befall(what, size)
        require_conserved(line)
    assert given_ul == pytest.approx(line.given_ul, abs=1e-6)
    if all(what not in (LineFault.STRENGTH, LineFault.EMPTY) for _, (what, _) in acts):
        assert line.entered_ul == pytest.approx(motor.delivered_ul, abs=1e-6)


class DrawnBack(NewEra):
    """A pump whose plunger someone pulls back by 2 mL in its third minute."""

    now_ms = 0

    def advance(self, now_ms: int) -> None:
        super().advance(now_ms)
        self.now_ms = now_ms

    @property
    def delivered_ul(self) -> float:
        return super().delivered_ul - (2.0 * UL_MIN if self.now_ms > 2 * MIN_MS else 0.0)


def test_what_was_drawn_back_is_pushed_in_again_first() -> None:
    motor = DrawnBack()
    motor.inject(fault(f"key=rate,{RATE_UL_H}"), 0)
    motor.inject(fault("key=start"), 0)
    line = Line(motor)
    assert flow(line, 5) == pytest.approx([UL_MIN, UL_MIN, 0.0, 0.0, UL_MIN])
    assert line.given_ul == pytest.approx(motor.delivered_ul)
