"""ASTM analyzers: every row of the pitfalls (analyzers 7) that a message can show."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from clampctl.core.commands import Role
from clampctl.core.events import LinkHeard, SampleKind, Trouble
from drivers.reading import Rules
from simulator.devices.astm_settings import AstmSettings
from simulator.devices.fault import FaultKind
from tests.faults.astm_bed import START, bed
from tests.faults.pair import Case

BLOOD = Rules(from_whole_blood=True)
OF_RUN = Rules(sample_prefix="S017")

# --- the same again --------------------------------------------------------------------------


def a_dump_of_known_results_is_dropped() -> str:
    one = bed().measure().measure(5.4)
    events = len(one.pair.events)
    one.inject("dump")
    assert one.doses == ["5.1 mmol/L", "5.4 mmol/L"]
    assert {type(event) for event in one.pair.events[events:]} == {LinkHeard}
    return "2 results sent again, none taken twice, nothing told"


def a_dump_at_power_up_is_history(wall_zero: datetime | None) -> str:
    one = bed(wall_zero=wall_zero)
    one.inject("unplug").measure(4.0, 20 * 60_000).measure(4.2, 20 * 60_000)
    one.pair.clear(FaultKind.UNPLUG)
    one.pair.run(60_000)
    late = one.others(SampleKind.HISTORY)
    assert late == ["4.0", "4.2"]
    assert one.doses == []
    return f"{len(late)} results kept as history, none may dose"


def an_edit_is_no_second_sample() -> str:
    one = bed().measure().inject("edit")
    assert one.doses == ["5.1 mmol/L"]
    assert one.others(SampleKind.HISTORY) == ["5.0"]
    assert one.kinds(Trouble.REFUSED) == 1
    return one.told[0]


def an_unknown_edit_is_held() -> str:
    one = bed(AstmSettings(status="C")).measure()
    assert one.doses == []
    assert one.kinds(Trouble.REFUSED) == 1
    return one.told[0]


def an_equal_value_of_a_new_sample_counts() -> str:
    one = bed().measure().inject("stuck").measure(3.0)
    ids = {sample.sample_id for sample in one.pair.samples}
    assert one.doses == ["5.1 mmol/L"] * 2
    assert len(ids) == 2
    return "two samples of 5.1 under two numbers: passed on, the core doubts a value that repeats itself"


def two_tubes_of_one_draw() -> str:
    one = bed()
    one.measure(5.1).measure(5.2)
    ids = {sample.sample_id for sample in one.pair.samples}
    assert len(ids) == 2
    return "5.1 and 5.2 as two samples, both kept"


def the_same_minute() -> str:
    one = bed(AstmSettings(run_ms=20_000, started_before_ms=0)).inject("minute_clock")
    one.measure(5.1, 20_000).measure(5.1, 20_000)
    stamps = {sample.sample_id.rsplit(":", 1)[1] for sample in one.pair.samples}
    assert len(stamps) == 1
    assert one.doses == ["5.1 mmol/L"] * 2
    return f"two samples stamped {stamps.pop()}, both taken"


# --- clocks, units, numbers ------------------------------------------------------------------


def a_clock_an_hour_off_is_history() -> str:
    one = bed().inject("clock_offset=-3600").measure()
    assert one.doses == []
    assert one.kinds(Trouble.REFUSED) == 1
    return one.told[0]


def a_clock_that_jumps_is_told_once() -> str:
    one = bed().measure().measure().measure().inject("clock_offset=90").measure().measure()
    assert len(one.doses) == 5
    assert one.kinds(Trouble.UNEXPECTED) == 1
    return f"5 of 5 results taken; {one.told[0]}"


def a_changed_unit_is_a_hard_stop() -> str:
    one = bed().measure().inject("unit_switch").measure()
    assert one.doses == ["5.1 mmol/L"]
    assert one.kinds(Trouble.REFUSED) == 1
    told = one.told[0]
    one.pair.clear(FaultKind.UNIT_SWITCH)
    assert one.measure(5.4).doses == ["5.1 mmol/L", "5.4 mmol/L"]
    return told


def held(fault: str, words: str) -> str:
    """The result is told with its reason and does not dose; the next one does."""
    one = bed().inject(fault).measure()
    assert one.doses == []
    assert one.kinds(Trouble.REFUSED) == 1
    assert words in one.told[0]
    told = one.told[0]
    one.pair.clear(FaultKind(fault.split("=")[0]))
    assert one.measure(5.4).doses == ["5.4 mmol/L"]
    return told


def a_wrong_unit_by_size_is_held() -> str:
    one = bed().measure(31.0)
    assert one.doses == []
    assert one.kinds(Trouble.REFUSED) == 1
    return one.told[0]


def swapped_digits_pass_the_sum() -> str:
    one = bed().inject("digit_swap").measure()
    assert one.doses == ["1.5 mmol/L"]
    assert one.told == []
    assert b"\x15" not in one.pair.to_device
    return "1.5 instead of 5.1 with a right sum is passed on as sent: the core judges the jump"


# --- whose -----------------------------------------------------------------------------------


def no_patients_blood(fault: str, kind: SampleKind, value: str) -> str:
    one = bed().measure().inject(fault)
    one.pair.run(100_000)
    assert one.doses == ["5.1 mmol/L"]
    assert one.others(kind) == [value]
    assert one.told == []
    return f"{value} as {kind}, one sample may dose"


def a_calibration_delays_a_sample() -> str:
    one = bed().inject("calibrate").measure(5.1, 134_999)
    assert one.doses == []
    one.pair.run(1)
    assert one.doses == ["5.1 mmol/L"]
    assert one.told == []
    assert one.pair.losses == []
    return "the result came 75 s later than usual; no loss told, the calibration is no sample"


def another_analyte_first() -> str:
    one = bed().inject("lactate_first").measure()
    assert one.doses == ["5.1 mmol/L"]
    assert b"R|1|^^^Lac^M|0.9" in one.pair.to_link
    return "5.1 taken, lactate 0.9 in front of it ignored"


def another_patient() -> str:
    one = bed().measure().inject("other_id=S099").measure()
    assert one.doses == ["5.1 mmol/L"]
    assert one.kinds(Trouble.REFUSED) == 1
    return one.told[0]


def a_tube_of_another_run() -> str:
    one = bed(AstmSettings(specimen="S017-1"), OF_RUN).inject("other_id=S099").measure()
    assert one.doses == []
    assert one.kinds(Trouble.REFUSED) == 1
    one.pair.clear(FaultKind.OTHER_ID)
    assert one.measure(5.4).doses == ["5.4 mmol/L"]
    return one.told[0]


def another_analyzer() -> str:
    one = bed().measure().inject("identity=ABL90^Ward").measure()
    assert one.doses == ["5.1 mmol/L"]
    assert one.kinds(Trouble.REFUSED) == 1
    return one.told[0]


def whole_blood(rules: Rules | None, expected_mg_dl: int) -> str:
    one = bed(rules=rules).inject("whole_blood").measure(5.5)
    (sample,) = one.pair.samples
    assert round(sample.glucose_mg_dl) == expected_mg_dl
    assert ("whole blood x 1.11" in sample.flags) == (rules is not None)
    return f"{sample.raw_value} mmol/L sent for a plasma of 5.5, {sample.glucose_mg_dl:.0f} mg/dL taken"


def _case(fault: str, expected: str, play: Callable[[], str]) -> Case:
    return Case("radiometer-abl", Role.ANALYZER, fault, expected, play)


CASES: list[Case] = [
    _case("dump", "known results are dropped without a word", a_dump_of_known_results_is_dropped),
    _case("unplug for 40 min", "old results are history by this computer's clock",
          partial(a_dump_at_power_up_is_history, START)),
    _case("unplug for 40 min, wall clock unknown", "old results are history by the analyzer's own clock",
          partial(a_dump_at_power_up_is_history, None)),
    _case("edit", "a correction is told and kept, never a second sample", an_edit_is_no_second_sample),
    _case("edit of an unknown result", "a correction of a result that was never seen is held",
          an_unknown_edit_is_held),
    _case("stuck", "an equal value alone is no repeat", an_equal_value_of_a_new_sample_counts),
    _case("two tubes of one draw", "bench duplicates stay two results", two_tubes_of_one_draw),
    _case("minute_clock", "two samples in one minute are two", the_same_minute),
    _case("clock_offset=-3600", "a result an hour old by its stamp is history, and told",
          a_clock_an_hour_off_is_history),
    _case("clock_offset=90", "a clock that jumps after three results is told once",
          a_clock_that_jumps_is_told_once),
    _case("unit_switch", "a change of unit is a hard stop until it is set back",
          a_changed_unit_is_a_hard_stop),
    _case("a sample of 31 mmol/L", "a number that looks like the other unit is held",
          a_wrong_unit_by_size_is_held),
    _case("comma", "a decimal comma is refused", partial(held, "comma", "not a plain number")),
    _case("query", "a value that the analyzer doubts is held", partial(held, "query", "doubted")),
    _case("no_value", "dots are no value", partial(held, "no_value", "has no value")),
    _case("over_range", "beyond the range is not a number", partial(held, "over_range", "range")),
    _case("error=377", "an unknown error code holds and is shown raw", partial(held, "error=377", "377")),
    _case("digit_swap", "the sum cannot see it: the value is passed on for the core to judge",
          swapped_digits_pass_the_sum),
    _case("control=110", "a control is no patient",
          partial(no_patients_blood, "control=110", SampleKind.CONTROL, "6.1")),
    _case("calibrate", "a calibration is no patient",
          partial(no_patients_blood, "calibrate", SampleKind.CALIBRATION, "10.0")),
    _case("calibrate before a sample", "a calibration delays a result and is no loss",
          a_calibration_delays_a_sample),
    _case("lactate_first", "another analyte is ignored", another_analyte_first),
    _case("other_id=S099", "another patient's result is held", another_patient),
    _case("other_id=S099, run prefix S017", "a tube that is not of this run is held",
          a_tube_of_another_run),
    _case("identity=ABL90^Ward", "a second analyzer is refused", another_analyzer),
    _case("whole_blood", "the message does not say it: the value is taken as sent",
          partial(whole_blood, None, 90)),
    _case("whole_blood, station says so", "1.11 is applied once and flagged",
          partial(whole_blood, BLOOD, 100)),
]  # fmt: skip
