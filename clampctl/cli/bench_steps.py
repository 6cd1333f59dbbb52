"""The proofs of a bench sheet, one function each: what the engineer does, what the pump says.

Those of a pump left alone are in `bench_alone`. Every step that moves the pump begins with it
stopped, and the guide stops it afterwards. Limits and passing are in `study.bench_proofs`. Source of
the steps: pumps reference 10, 12 point 6.
"""

from collections.abc import Callable, Mapping

from clampctl.cli.bench_alone import cable_pull, reset
from clampctl.cli.bench_pump import ORDER_MS, words
from clampctl.cli.bench_step import MINUTE_MS, Bench, Seen, in_words, not_started, pass_minutes, yes_no
from clampctl.core.events import PumpState
from clampctl.study.bench_proofs import Figure, ProofName, volume_error_pct, volume_minutes

NOT_OF_THE_LINE = ("reset", "watchdog")
"""Words of alarms that no blocked line raises."""


def identity(bench: Bench) -> Seen:
    """The wire's model against the label's."""
    told = bench.pump.identity()
    if told is None:
        return not_started("the pump did not say who it is")
    same = bench.engineer.yes(f"The pump says it is a {told.model} ({told.detail}). Does its label agree?")
    heard = f"{told.model}, {told.detail}; {bench.label}"
    return Seen(yes_no(same), heard, same and told.mismatch is None)


def syringe(bench: Bench) -> Seen:
    """The pump's own screen against what the link read."""
    told = bench.pump.identity()
    shown_mm = bench.engineer.number("Which inner diameter does the pump itself show for its syringe?", "mm")
    heard = "nothing" if told is None else told.mismatch or told.detail
    holds = told is not None and told.mismatch is None
    return Seen(f"{shown_mm:g} mm", heard, holds, (Figure("diameter shown", shown_mm, "mm"),))


def wrong_syringe(bench: Bench) -> Seen:
    """Another syringe at the pump: the program must see it and start nothing."""
    pump, engineer = bench.pump, bench.engineer
    other_mm = engineer.number("Set a syringe of another diameter at the pump. Which diameter is it?", "mm")
    told = pump.open()
    refused = pump.start(bench.rates_ul_h[0])
    if refused is None:
        pump.rest()
    engineer.did("Set the right syringe at the pump again.")
    right = pump.open()
    if right is None or right.mismatch is not None:
        engineer.say("The pump does not show the right syringe; the proofs that follow will not hold.")
    seen = told is not None and told.mismatch is not None
    heard = "nothing" if told is None else told.mismatch or told.detail
    holds = seen and refused is not None and _is_other(other_mm, bench.diameter_um)
    return Seen(
        f"{other_mm:g} mm set", f"{heard}; {refused or 'started'}", holds, (Figure("set", other_mm, "mm"),)
    )


def rates(bench: Bench) -> Seen:
    """Start at the low rate, change to the middle and the high one; each as the pump reports it."""
    pump = bench.pump
    low, *others = bench.rates_ul_h
    figures, said = list[Figure](), list[str]()
    for word, rate_ul_h in zip(("low", "middle", "high"), (low, *others), strict=True):
        refused = pump.start(rate_ul_h) if word == "low" else pump.set_rate(rate_ul_h)
        report = pump.last_report()
        if report is None or refused is not None:
            return Seen("", f"{word} rate: {refused}", False, tuple(figures))
        figures.append(Figure(f"{word} rate held", report.rate_ul_h, "µL/h"))
        said.append(words(report))
    return Seen("", "; ".join(said), True, tuple(figures))


def volume(bench: Bench) -> Seen:
    """Water collected at the high rate and weighed; the time is from report to report."""
    pump, engineer, rate_ul_h = bench.pump, bench.engineer, bench.rates_ul_h[2]
    minutes = volume_minutes(rate_ul_h)
    engineer.did(
        f"Water at room temperature, line primed, its end under the water in a covered beaker. Tare the "
        f"balance; the pump will run for {minutes:g} min at {rate_ul_h / 1000:g} mL/h."
    )
    refused = pump.start(rate_ul_h)
    if refused is not None:
        return not_started(refused)
    mark, started_ms = len(pump.heard), pump.now_ms
    pass_minutes(bench, minutes)
    steady = all(report.state is PumpState.RUNNING for _, report in pump.reports(mark))
    stopped = pump.rest()
    ran_min = (pump.now_ms - started_ms) / MINUTE_MS
    mass_g = engineer.number("The pump stands still. What does the balance show?", "g")
    return Seen(
        f"{mass_g:g} g",
        "ran all the time" if steady else "did not run all the time",
        steady and stopped,
        (
            Figure("rate", rate_ul_h, "µL/h"),
            Figure("minutes", ran_min, "min"),
            Figure("mass", mass_g, "g"),
            Figure("error", volume_error_pct(mass_g, ran_min, rate_ul_h), "%"),
        ),
    )


def local_key(bench: Bench) -> Seen:
    """A stop at the pump itself is seen, unless its keys are locked."""
    pump = bench.pump
    refused = pump.start(bench.rates_ul_h[0])
    if refused is not None:
        return not_started(refused)
    mark = len(pump.heard)
    answer = bench.engineer.ask(
        "Stop the pump by its own key. Then press Enter; type locked if its keys do nothing."
    )

    def stands() -> bool:
        return any(report.state is not PumpState.RUNNING for _, report in pump.reports(mark))

    stopped = pump.wait(ORDER_MS, stands)
    locked = answer.strip().lower() == "locked"
    return Seen(answer.strip() or "pressed", in_words(pump.reports(mark)), stopped != locked)


def occlusion(bench: Bench) -> Seen:
    """A clamped line raises an alarm of the pump's own."""
    pump, engineer = bench.pump, bench.engineer
    refused = pump.start(bench.rates_ul_h[2])
    if refused is not None:
        return not_started(refused)
    mark = len(pump.heard)
    seen = engineer.did("Clamp the line close to the pump and wait for its alarm; type no if there is none.")

    def alarmed() -> bool:
        alarms = [report.alarm for _, report in pump.reports(mark) if report.alarm]
        return any(not any(word in alarm for word in NOT_OF_THE_LINE) for alarm in alarms)

    heard = pump.wait(ORDER_MS, alarmed)
    pump.rest()
    engineer.did("Open the clamp slowly into the beaker: the pressure lets go a bolus.")
    return Seen(
        "alarm seen at the pump" if seen else "no alarm", in_words(pump.reports(mark)), seen and heard
    )


STEPS: Mapping[ProofName, Callable[[Bench], Seen]] = {
    ProofName.IDENTITY: identity,
    ProofName.SYRINGE: syringe,
    ProofName.WRONG_SYRINGE: wrong_syringe,
    ProofName.RATES: rates,
    ProofName.VOLUME: volume,
    ProofName.LOCAL_KEY: local_key,
    ProofName.OCCLUSION: occlusion,
    ProofName.CABLE_PULL: cable_pull,
    ProofName.RESET: reset,
}


def _is_other(other_mm: float, diameter_um: int | None) -> bool:
    return diameter_um is not None and round(other_mm * 1000) != diameter_um
