"""Two proofs of a pump left alone: its cable pulled out, its power gone.

What it did meanwhile is told by the engineer's eye, and by the pump once it is heard again. Source:
pumps reference 10.1 and 12 point 6. Limits are in `study.bench_proofs`.
"""

from clampctl.cli.bench_step import (
    Bench,
    Readings,
    Seen,
    counted,
    in_words,
    not_started,
    pass_minutes,
    yes_no,
)
from clampctl.core.events import PumpState
from clampctl.study.bench_proofs import SILENCE_S, STOP_MARGIN_S, Figure

BACK_MS = 60_000
"""A pump whose cable or power is back is heard again by then."""

COUNTER_MS = 15_000
"""A pump with a volume counter has told it by then."""

RESET = "reset"
"""The word of the alarm with which every link tells that a pump had lost its power."""


def cable_pull(bench: Bench) -> Seen:
    """The pump alone: insulin must stop, dextrose must go on."""
    rate_ul_h = bench.rates_ul_h[1]
    refused = bench.pump.start(rate_ul_h)
    if refused is not None:
        return not_started(refused)
    bench.pump.wait(COUNTER_MS, lambda: counted(bench.pump.reports(), bench.pump.now_ms) is not None)
    if bench.watchdog_s is None:
        return _continues(bench, rate_ul_h)
    return _stops(bench, rate_ul_h, bench.watchdog_s)


def _stops(bench: Bench, rate_ul_h: int, watchdog_s: int) -> Seen:
    """Time of the stop by the engineer's key and by the pump's counter, both from its last word on."""
    pump, engineer = bench.pump, bench.engineer
    longest_s = watchdog_s + STOP_MARGIN_S
    stopped = not engineer.ask(
        f"Pull the cable out. Press Enter at the moment the pump stops by itself; type no if it has not "
        f"stopped after {longest_s:g} s."
    ).strip()
    pressed_ms = pump.now_ms
    back = _cable_back(bench, pressed_ms)
    last_ms = max((at_ms for at_ms, _ in pump.reports() if at_ms <= pressed_ms), default=pressed_ms)
    figures = [Figure("stop seen after", (pressed_ms - last_ms) / 1000, "s")] if stopped else []
    if back:
        figures.append(Figure("silence", (back[0][0] - last_ms) / 1000, "s"))
        figures.append(Figure("rate afterwards", max(report.rate_ul_h for _, report in back), "µL/h"))
        before, after = counted(pump.reports(), pressed_ms), counted(back, pump.now_ms)
        if before is not None and after is not None and after[1] >= before[1]:
            ran_s = (after[1] - before[1]) * 3600 / rate_ul_h - (last_ms - before[0]) / 1000
            figures.append(Figure("ran on by its counter", ran_s, "s"))
    running = any(report.state is PumpState.RUNNING for _, report in back)
    answer = "stop seen" if stopped else "no stop seen"
    return Seen(answer, in_words(back), stopped and bool(back) and not running, tuple(figures))


def _continues(bench: Bench, rate_ul_h: int) -> Seen:
    """Ten minutes alone; drops by the engineer's eye, volume by the pump's counter."""
    pump, engineer = bench.pump, bench.engineer
    engineer.did("Pull the cable out and leave it out.")
    pass_minutes(bench, SILENCE_S / 60)
    flows = engineer.yes("The cable is still out. Does the pump still deliver: do drops fall?")
    waited_ms = pump.now_ms
    back = _cable_back(bench, waited_ms)
    last_ms = max((at_ms for at_ms, _ in pump.reports() if at_ms <= waited_ms), default=waited_ms)
    figures = []
    if back:
        figures.append(Figure("silence", (back[0][0] - last_ms) / 1000, "s"))
        figures.append(Figure("rate afterwards", min(report.rate_ul_h for _, report in back), "µL/h"))
        before, after = counted(pump.reports(), waited_ms), counted(back, pump.now_ms)
        if before is not None and after is not None:
            commanded_ul = rate_ul_h * (after[0] - before[0]) / 3_600_000
            share_pct = 100 * (after[1] - before[1]) / commanded_ul
            figures.append(Figure("delivered by its counter", share_pct, "%"))
    running = bool(back) and all(report.state is PumpState.RUNNING for _, report in back)
    return Seen("drops fall" if flows else "no drops", in_words(back), flows and running, tuple(figures))


def _cable_back(bench: Bench, since_ms: int) -> Readings:
    """The cable is in again: what the pump then says, up to its volume counter if it has one."""
    pump = bench.pump
    pump.listen()
    bench.engineer.did("Put the cable back.")
    pump.wait(BACK_MS, lambda: bool(pump.reports_after(since_ms)))
    pump.wait(COUNTER_MS, lambda: counted(pump.reports_after(since_ms), pump.now_ms) is not None)
    return pump.reports_after(since_ms)


def reset(bench: Bench) -> Seen:
    """Power off and on while it runs: it must stand still and say so."""
    pump, engineer = bench.pump, bench.engineer
    refused = pump.start(bench.rates_ul_h[0])
    if refused is not None:
        return not_started(refused)
    mark = len(pump.heard)
    engineer.did("Switch the pump off, and on again, while it runs. Wait until it has started up.")
    on_ms = pump.now_ms

    def told() -> bool:
        return any(RESET in (report.alarm or "") for _, report in pump.reports(mark))

    said = pump.wait(BACK_MS, told)
    pump.wait(COUNTER_MS, lambda: any(report.alarm is None for _, report in pump.reports_after(on_ms)))
    stands = engineer.yes("Does the pump stand still?")
    pump.listen()
    heard = pump.reports(mark)
    first = next((place for place, (_, report) in enumerate(heard) if RESET in (report.alarm or "")), None)
    figures: tuple[Figure, ...] = ()
    if first is not None:
        fastest_ul_h = max(report.rate_ul_h for _, report in heard[first:])
        figures = (Figure("rate afterwards", fastest_ul_h, "µL/h"),)
    return Seen(f"stands still: {yes_no(stands)}", in_words(heard), said and stands, figures)
