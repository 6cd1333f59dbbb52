"""The three plots as plain numbers: reduced lines, ranges that hold every value, stacked flags.

Pure: no Qt, no pyqtgraph. Minutes count from the start of insulin, or of the session before that.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from clampctl.engine.wire import EventRow, RateRow, Snapshot
from clampctl.units import minutes_from_ms
from ui.attachment import History
from ui.view import Curve, Flag, PlotsView, PlotView, SizeClass, Tone
from ui.words import fit, is_mmol, shown_glucose

COLUMNS = {SizeClass.SMALL: 480, SizeClass.LARGE: 860}
"""Pixels across a plot; a line keeps at most two points for each."""

AHEAD_MIN = 20.0
FORECAST_MIN = 10.0
FLAGS_MAX = 12
FLAG_PX = 28
LEVELS = 3
FLAG_SHARE = 0.14
"""Height of one row of flags as a share of the glucose plot."""

BAND = 0.05
NO_CURVE = Curve((), ())


def reduced(curve: Curve, columns: int) -> Curve:
    """The lowest and the highest point of each pixel column, in order of time; gaps (NaN) stay."""
    if len(curve.minutes) <= 2 * columns:
        return curve
    start, end = curve.minutes[0], curve.minutes[-1]
    width = (end - start) / columns
    kept: list[int] = []
    group: list[int] = []
    edge = start + width
    for index, minute in enumerate(curve.minutes):
        if minute > edge and group:
            kept += _extremes(group, curve.values)
            group = []
            edge = start + width * (math.floor((minute - start) / width) + 1)
        group.append(index)
    kept += _extremes(group, curve.values)
    return Curve(tuple(curve.minutes[i] for i in kept), tuple(curve.values[i] for i in kept))


def _extremes(group: Sequence[int], values: Sequence[float]) -> list[int]:
    known = [i for i in group if not math.isnan(values[i])]
    if not known:
        return [group[0]]
    return sorted({min(known, key=values.__getitem__), max(known, key=values.__getitem__)})


def steps(points: Iterable[tuple[float, float | None]], end_min: float) -> Curve:
    """A staircase that ends at `end_min`; None makes a gap."""
    minutes: list[float] = []
    values: list[float] = []
    for minute, value in points:
        if values:
            minutes.append(minute)
            values.append(values[-1])
        minutes.append(minute)
        values.append(math.nan if value is None else value)
    if values and minutes[-1] < end_min:
        minutes.append(end_min)
        values.append(values[-1])
    return Curve(tuple(minutes), tuple(values))


def value_range(values: Iterable[float], low: float, high: float, grid: float) -> tuple[float, float]:
    """The range low..high, widened in whole grid steps until it holds every value with room."""
    known = [v for v in values if math.isfinite(v)]
    lowest, highest = min([low, *known]), max([high, *known])
    room = 0.04 * (highest - lowest)
    if lowest < low:
        lowest = math.floor((lowest - room) / grid) * grid
    if highest > high:
        highest = math.ceil((highest + room) / grid) * grid
    return lowest, highest


def flags(events: Sequence[EventRow], origin_ms: int, px_per_min: float) -> tuple[Flag, ...]:
    """The last events as numbered flags; close ones are stacked, and merged when the stack is full."""
    placed: list[Flag] = []
    first = max(0, len(events) - FLAGS_MAX)
    for number, event in enumerate(events[first:], start=first + 1):
        minute = minutes_from_ms(event.at_ms - origin_ms)
        near = {f.level for f in placed if (minute - f.minute) * px_per_min < FLAG_PX}
        free = [level for level in range(LEVELS) if level not in near]
        if free:
            placed.append(Flag(minute, str(number), free[0]))
        else:
            last = placed[-1]
            placed[-1] = Flag(last.minute, f"{last.label.split('–')[0]}–{number}", last.level)
    return tuple(placed)


def flag_words(events: Sequence[EventRow], signs: int) -> str:
    """The latest flags in words, as many as fit on one line."""
    words = ""
    for number in range(len(events), 0, -1):
        entry = f"{number} {fit(events[number - 1].text, 36)}"
        longer = f"{entry}  ·  {words}" if words else entry
        if len(longer) > signs:
            break
        words = longer
    return words


def now_minute(now: Snapshot, origin_ms: int) -> float:
    """The present on the time axis, in tenths of a minute: a finer step would repaint for nothing."""
    return math.floor(minutes_from_ms(now.at_ms - origin_ms) * 10.0) / 10.0


def _glucose_plot(history: History, now: Snapshot, origin_ms: int, unit: str, fresh: bool) -> PlotView:
    def minute(at_ms: int) -> float:
        return minutes_from_ms(at_ms - origin_ms)

    def curve(believed: bool) -> Curve:
        rows = [r for r in history.samples if (r.verdict == "believed") == believed]
        rows.sort(key=lambda row: row.drawn_at_ms)
        return Curve(
            tuple(minute(r.drawn_at_ms) for r in rows),
            tuple(shown_glucose(r.glucose_mg_dl, unit) for r in rows),
        )

    believed, doubted, future = curve(True), curve(False), NO_CURVE
    value, drawn, slope = now.glucose_mg_dl, now.glucose_drawn_at_ms, now.glucose_slope_mg_dl_min
    if fresh and value is not None and drawn is not None and slope is not None:
        ahead = minute(now.at_ms) + FORECAST_MIN - minute(drawn)
        foreseen = max(0.0, value + slope * ahead)
        future = Curve(
            (minute(drawn), minute(drawn) + ahead),
            (shown_glucose(value, unit), shown_glucose(foreseen, unit)),
        )
    target = shown_glucose(now.target_mg_dl, unit)
    reach, grid = (1.7, 0.5) if is_mmol(unit) else (30.0, 10.0)
    low, high = value_range(
        (*believed.values, *doubted.values, *future.values), target - reach, target + reach, grid
    )
    title = f"Glucose, {unit}  (band: target ± 5 %)"
    return PlotView(title, Tone.TEXT, believed, future, believed, doubted, low, high)


def _staircase(title: str, tone: Tone, past: Curve, future: Curve, floor: float, grid: float) -> PlotView:
    _, high = value_range((*past.values, *future.values), 0.0, floor, grid)
    return PlotView(title, tone, past, future, NO_CURVE, NO_CURVE, -0.04 * high, high)


def _rate_plots(
    rates: Sequence[RateRow], now: Snapshot, origin_ms: int, lost: bool
) -> tuple[PlotView, PlotView]:
    now_min = now_minute(now, origin_ms)
    at = [min(now_min, minutes_from_ms(row.at_ms - origin_ms)) for row in rates]
    gir = steps(zip(at, (r.gir_mg_kg_min for r in rates), strict=True), now_min)
    insulin = steps(zip(at, (r.insulin_mu_m2_min for r in rates), strict=True), now_min)
    proposed = insulin_ahead = NO_CURVE
    if now.proposal is not None and now.at_ms < now.proposal.expires_at_ms and not lost:
        value = now.proposal.gir_mg_kg_min
        proposed = Curve((now_min, now_min + FORECAST_MIN), (value, value))
    if now.phase == "clamp" and now.insulin_mu_m2_min is not None and not lost:
        end_ms = now.at_ms if now.step_ends_ms is None else now.step_ends_ms
        until = min(now_min + AHEAD_MIN, max(now_min, minutes_from_ms(end_ms - origin_ms)))
        insulin_ahead = Curve((now_min, until), (now.insulin_mu_m2_min, now.insulin_mu_m2_min))
    return (
        _staircase("Glucose infusion, mg/kg/min", Tone.INFUSION, gir, proposed, 4.0, 2.0),
        _staircase("Insulin, mU/m²/min", Tone.INSULIN, insulin, insulin_ahead, 20.0, 20.0),
    )


def _with_room(plot: PlotView, levels: int) -> PlotView:
    """A plot raised until no value is behind `levels` rows of flags."""
    highest = max((*plot.past.values, *plot.future.values, *plot.doubted.values), default=plot.low)
    free = 1.0 - levels * FLAG_SHARE
    return replace(plot, high=max(plot.high, plot.low + (highest - plot.low) / free))


def _thinned(plot: PlotView, columns: int) -> PlotView:
    return replace(
        plot,
        past=reduced(plot.past, columns),
        points=reduced(plot.points, columns),
        doubted=reduced(plot.doubted, columns),
    )


def plots(history: History, now: Snapshot, unit: str, size: SizeClass, fresh: bool, lost: bool) -> PlotsView:
    """Three plots on one time axis; `fresh` allows the forecast, `lost` greys them."""
    origin_ms = 0 if now.clamp_started_ms is None else now.clamp_started_ms
    now_min = now_minute(now, origin_ms)
    glucose = _glucose_plot(history, now, origin_ms, unit, fresh)
    gir, insulin = _rate_plots(history.rates, now, origin_ms, lost)
    shown_events = history.events[-FLAGS_MAX:]
    minutes = [
        now_min,
        *(m for p in (glucose, gir, insulin) for c in (p.past, p.future, p.doubted) for m in c.minutes),
        *(minutes_from_ms(e.at_ms - origin_ms) for e in shown_events),
    ]
    start = math.floor(min(minutes) / 10.0 - 0.2) * 10.0
    end = math.ceil(max([*minutes, now_min + AHEAD_MIN, start + 60.0]) / 10.0) * 10.0
    columns = COLUMNS[size]
    raised = flags(history.events, origin_ms, columns / (end - start))
    glucose = _with_room(glucose, 1 + max((flag.level for flag in raised), default=-1))
    target = shown_glucose(now.target_mg_dl, unit)
    began = "session start" if now.clamp_started_ms is None else "insulin start"
    return PlotsView(
        glucose=_thinned(glucose, columns),
        gir=_thinned(gir, columns),
        insulin=_thinned(insulin, columns),
        start_min=start,
        end_min=end,
        now_min=now_min,
        now_word="last heard" if lost else "now",
        axis=f"min from {began}",
        band=(target * (1.0 - BAND), target * (1.0 + BAND)),
        target=target,
        flags=raised,
        flag_words=flag_words(history.events, 54 if size is SizeClass.SMALL else 70),
        grey=lost,
    )
