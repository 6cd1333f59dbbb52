"""What a window is told is what the core holds: over every state of clamps with faults."""

import math
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clampctl import units
from clampctl.core.events import GlucoseSampled
from clampctl.core.interlocks import gir_of
from clampctl.core.people import target_mg_dl
from clampctl.core.state import Phase, Pump, State, Verdict
from clampctl.engine.history import PHASE_WORDS, History
from clampctl.engine.replay import Refolded, steps
from clampctl.engine.snapshot import WINDOW_MS, hello, mean_rate, quality, snapshot
from clampctl.engine.wire import PumpView, RateRow, SampleRow
from tests.engine.clamps import CONFIRMED, EUGLYCEMIC, recorded, two_steps

CLAMPS = {
    "plain": (EUGLYCEMIC, 40.0, ()),
    "confirmed": (CONFIRMED, 20.0, ()),
    "two steps": (two_steps(), 42.0, ()),
    "unplugged": (EUGLYCEMIC, 25.0, ("dextrose:unplug@16-18",)),
}


@dataclass(frozen=True, slots=True)
class Past:
    """A clamp, and how long its history was after each step."""

    steps: list[Refolded]
    history: History
    counts: list[tuple[int, int, int]]

    def until(self, index: int) -> History:
        """The history as it was after a step."""
        past = History()
        samples, rates, events = self.counts[index]
        past.samples = self.history.samples[:samples]
        past.rates = self.history.rates[:rates]
        past.events = self.history.events[:events]
        past.seq = self.steps[index].seq
        return past


@pytest.fixture(scope="module", params=list(CLAMPS))
def past(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Past:
    protocol, minutes, faults = CLAMPS[request.param]
    path: Path = recorded(tmp_path_factory.mktemp("past") / "a.clamp.jsonl", protocol, minutes, faults)
    made = Past([], History(), [])
    for one in steps(path.read_bytes()):
        made.history.saw(one.seq, one.before, one.event, one.after)
        made.steps.append(one)
        made.counts.append((len(made.history.samples), len(made.history.rates), len(made.history.events)))
    return made


def shown_pump(view: PumpView, pump: Pump) -> None:
    assert view.connected == pump.connected
    assert view.heard_at_ms == pump.heard_at_ms
    assert view.state == ("unknown" if pump.state is None else pump.state.value)
    assert view.commanded_ul_h == (pump.commanded_ul_h or 0)
    assert view.reported_ul_h == pump.reported_ul_h
    assert view.verified == pump.verified
    assert view.infused_ul == pump.infused_ul
    assert bool(view.trouble) == bool(pump.mismatch or pump.trouble or pump.alarm)


@given(st.data())
def test_every_figure_is_the_states(past: Past, draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, len(past.steps) - 1))
    late_ms = draw.draw(st.integers(0, 900))
    state, history = past.steps[index].after, past.until(index)
    at_ms = state.at_ms + late_ms
    now = snapshot(state, history, "2026-01-01T08:00:00+00:00", at_ms)
    assert (now.seq, now.at_ms) == (past.steps[index].seq, at_ms)
    assert (now.phase, now.mode) == (state.phase.value, state.mode.value)
    assert (now.holding, now.closed) == (state.phase is Phase.HOLD, state.phase is Phase.CLOSED)
    assert bool(now.fallback_reason) == (state.phase is Phase.FALLBACK)
    assert now.target_mg_dl == target_mg_dl(state, at_ms)
    newest = state.blood.newest
    assert now.glucose_mg_dl == (None if newest is None else newest.glucose_mg_dl)
    assert now.glucose_drawn_at_ms == (None if newest is None else newest.drawn_at_ms)
    assert now.glucose_doubted == (newest is not None and newest.verdict is Verdict.DOUBTED)
    assert now.gir_mg_kg_min == state.dosing.gir_mg_kg_min
    assert now.wanted_mg_kg_min == state.dosing.wanted_mg_kg_min
    assert now.insulin_mu_m2_min == state.insulin_mu_m2_min
    assert tuple(now.gir_reasons) == state.dosing.reasons
    assert [alarm.name for alarm in now.alarms] == [alarm.name for alarm in state.alarms]
    assert [alarm.priority for alarm in now.alarms] == [alarm.priority.name.lower() for alarm in state.alarms]
    proposal = state.dosing.proposal
    assert (now.proposal is None) == (proposal is None)
    if now.proposal is not None and proposal is not None:
        assert (now.proposal.number, now.proposal.rate_ul_h) == (proposal.number, proposal.rate_ul_h)
        assert now.proposal.gir_mg_kg_min == proposal.gir_mg_kg_min
    shown_pump(now.dextrose, state.dextrose)
    shown_pump(now.insulin, state.insulin)
    assert now.refusal == state.refusal
    assert now.journal_healthy


@given(st.data())
def test_the_past_is_what_the_events_said(past: Past, draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, len(past.steps) - 1))
    history, state = past.until(index), past.steps[index].after
    sampled = [one for one in past.steps[: index + 1] if isinstance(one.event, GlucoseSampled)]
    assert len(history.samples) <= len(sampled)
    if state.blood.last_arrived is not None:
        assert history.samples[-1].sample_id == state.blood.last_arrived.sample_id
        assert history.samples[-1].verdict == state.blood.last_arrived.verdict.value
    if history.rates:
        session, last = state.session, history.rates[-1]
        dextrose, insulin = state.dextrose.reported_ul_h, state.insulin.reported_ul_h
        assert last.gir_mg_kg_min == (None if dextrose is None else gir_of(session, dextrose))
        dose = None
        if insulin is not None:
            bsa_m2, mu_ml = session.subject.bsa_m2, session.protocol.infusates.insulin_mu_ml
            dose = units.insulin_mu_m2_min(insulin, bsa_m2, mu_ml)
        assert last.insulin_mu_m2_min == dose
    phases = [row.text for row in history.events if row.kind == "phase"]
    if phases:
        assert phases[-1].startswith(PHASE_WORDS[state.phase])


def test_the_past_only_grows_and_is_in_order(past: Past) -> None:
    assert past.counts == sorted(past.counts)
    assert [row.at_ms for row in past.history.rates] == sorted(row.at_ms for row in past.history.rates)
    assert [row.seq for row in past.history.events] == sorted(row.seq for row in past.history.events)


def test_hello_tells_the_session(past: Past) -> None:
    state = past.steps[-1].after
    told = hello(state, live=True)
    assert told.session_id == state.session.session_id
    assert told.weight_kg == state.session.subject.weight_kg
    assert told.sampling_ms == state.session.protocol.sampling_ms
    assert told.glucose_unit == state.session.protocol.glucose_unit.value


def test_the_next_sample_is_due_on_the_grid(past: Past) -> None:
    seen = 0
    for one in past.steps[::50]:
        state = one.after
        due_ms = snapshot(state, past.history, "", state.at_ms).next_sample_due_ms
        if due_ms is not None and state.clamp_started_ms is not None and state.phase is Phase.CLAMP:
            assert (due_ms - state.clamp_started_ms) % state.session.protocol.sampling_ms == 0
            assert state.blood.newest is not None
            assert due_ms > state.blood.newest.drawn_at_ms
            seen += 1
    assert seen > 3


# --- the figures of the last half hour -----------------------------------------------------------


def rows(*rates: tuple[int, float | None]) -> list[RateRow]:
    return [RateRow(at_ms, gir, None) for at_ms, gir in rates]


def sample(minute: int, glucose: float, verdict: Verdict = Verdict.BELIEVED) -> SampleRow:
    return SampleRow(f"s{minute}", minute * 60_000, glucose, verdict.value, "", "")


def test_a_mean_rate_weighs_each_rate_by_its_time() -> None:
    made = rows((0, 1.0), (10_000, 3.0), (30_000, 7.0))
    assert mean_rate(made, 0, 40_000) == pytest.approx((10 * 1 + 20 * 3 + 10 * 7) / 40)
    assert mean_rate(made, 5_000, 20_000) == pytest.approx((5 * 1 + 10 * 3) / 15)
    assert mean_rate(made, 31_000, 32_000) == 7.0


def test_a_mean_rate_that_is_not_known_all_through_is_none() -> None:
    assert mean_rate([], 0, 10) is None
    assert mean_rate(rows((5, 1.0)), 0, 10) is None
    assert mean_rate(rows((0, 1.0), (4, None), (6, 2.0)), 0, 10) is None
    assert mean_rate(rows((0, 1.0), (4, None), (6, 2.0)), 7, 10) == 2.0


def test_quality_by_hand() -> None:
    samples = [sample(minute, glucose) for minute, glucose in ((5, 90.0), (10, 94.0), (15, 99.0))]
    samples += [sample(20, 300.0, Verdict.DOUBTED), sample(25, 20.0, Verdict.REFUSED)]
    told = quality(samples, rows((0, 6.0), (15 * 60_000, 6.6)), 90.0, WINDOW_MS)
    mean = (90 + 94 + 99) / 3
    spread = math.sqrt(sum((value - mean) ** 2 for value in (90, 94, 99)) / 2)
    assert told.glucose_mean_mg_dl == pytest.approx(mean)
    assert told.glucose_cv_measured_pct == pytest.approx(100 * spread / mean)
    assert told.within_5pct_pct == pytest.approx(200 / 3)
    assert told.gir_mean_mg_kg_min == pytest.approx(6.3)
    assert told.gir_slope_pct_30min == pytest.approx(200 * 0.6 / 6.3)
    assert told.steady is False


def test_quality_is_unknown_until_three_samples() -> None:
    told = quality([sample(5, 90.0), sample(10, 90.0)], rows((0, 6.0)), 90.0, WINDOW_MS)
    assert (told.glucose_mean_mg_dl, told.steady) == (None, None)


def test_the_figures_count_from_the_target_of_the_running_step(past: Past) -> None:
    state: State = past.steps[-1].after
    target = target_mg_dl(state, state.at_ms)
    history, minute = History(), state.at_ms // 60_000
    history.samples = [sample(minute - ago, target) for ago in (15, 10, 5)]
    assert snapshot(state, history, "", state.at_ms).quality.within_5pct_pct == 100.0
