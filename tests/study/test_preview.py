"""Rates that follow from protocol and subject, and protocols with one thing changed."""

from dataclasses import replace
from pathlib import Path

import pytest

from clampctl.core.protocol import Mode, Protocol, Refusal
from clampctl.study.load import load_protocol, load_station, load_subject
from clampctl.study.preview import describe
from clampctl.study.station_document import PumpDefaults
from clampctl.study.variants import with_law, with_minutes, with_mode

STATION = Path(__file__).parents[1] / "data" / "study" / "station.toml"
SUBJECT = load_subject({"code": "S", "weight": "72.0 kg", "height": "178 cm"}, "mosteller")
FORTY = load_protocol("euglycemic-40")


def with_insulin(protocol: Protocol, mu_ml: float) -> Protocol:
    return replace(protocol, infusates=replace(protocol.infusates, insulin_mu_ml=mu_ml))


def test_rates_of_the_set_up_screen() -> None:
    """The worked example of the interface sheet: 4.53 mL/h of insulin, 216 mL/h at 10 mg/kg/min."""
    preview = describe(FORTY, SUBJECT)
    (step,) = preview.steps
    assert step.insulin_mu_min == pytest.approx(75.5, abs=0.05)
    assert step.maintenance_ml_h == pytest.approx(4.53, abs=0.005)
    assert step.prime_peak_ml_h == pytest.approx(4.53 * 3.2029, abs=0.02)
    assert dict(preview.dextrose_ml_h) == pytest.approx({1.0: 21.6, 5.0: 108.0, 10.0: 216.0})
    assert preview.concerns == ()


def test_insulin_for_the_session() -> None:
    """Ten minutes of prime carry 1,385 mU where maintenance is 69 mU/min (clamp-method 1.2)."""
    (step,) = describe(FORTY, SUBJECT).steps
    prime_mu = 1385 * step.insulin_mu_min / 69
    assert step.insulin_ml * 1000 == pytest.approx(prime_mu + 110 * step.insulin_mu_min, rel=5e-4)
    two = describe(load_protocol("euglycemic-two-step-12-40"), SUBJECT)
    assert two.steps[1].insulin_ml == pytest.approx(two.steps[1].maintenance_ml_h * 2.5)
    assert two.insulin_ml == pytest.approx(sum(step.insulin_ml for step in two.steps))
    assert two.clamp_min == 300


def test_concerns_name_step_and_pump() -> None:
    weak = with_insulin(load_protocol("euglycemic-120"), 1000)
    (concern,) = describe(weak, SUBJECT).concerns
    assert "'120 mU/m2/min'" in concern
    assert "above the 40 mL/h that the protocol allows" in concern
    pumps = {"new-era": PumpDefaults(5_000, 200_000, (), watchdog_s=30, counter_quantum_ul=1)}
    station = load_station(STATION, pumps).station
    low, dextrose = describe(FORTY, SUBJECT, station).concerns
    assert "below the 5 mL/h that the insulin pump holds" in low
    assert "10 mg/kg/min takes 216 mL/h, above the 200 mL/h" in dextrose
    slow = replace(station, insulin_pump=replace(station.insulin_pump, rate_ul_h_max=10_000, rate_ul_h_min=1))
    assert "above the 10 mL/h that the insulin pump allows" in describe(FORTY, SUBJECT, slow).concerns[0]


@pytest.mark.parametrize(("minutes", "window"), [(180, (140, 180)), (60, (20, 60)), (30, (0, 30))])
def test_another_length_moves_the_window(minutes: float, window: tuple[int, int]) -> None:
    step = with_minutes(FORTY, minutes).steps[-1]
    assert step.duration_ms == minutes * 60_000
    assert (step.window_start_ms, step.window_end_ms) == (window[0] * 60_000, window[1] * 60_000)


def test_minutes_count_all_steps() -> None:
    two = load_protocol("euglycemic-two-step-12-40")
    longer = with_minutes(two, 330)
    assert longer.steps[0] == two.steps[0]
    assert longer.steps[1].duration_ms == 180 * 60_000
    with pytest.raises(Refusal, match="minutes is 150; nothing is left"):
        with_minutes(two, 150)
    with pytest.raises(Refusal, match="duration is 10 min"):
        with_minutes(two, 160)


def test_another_mode_and_law() -> None:
    assert with_mode(FORTY, Mode.AUTOMATIC) == replace(FORTY, mode=Mode.AUTOMATIC)
    assert with_law(FORTY, "hold").law == replace(FORTY.law, name="hold")
