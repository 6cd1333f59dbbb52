"""The strip under the header: the most urgent alarm, the loss of the engine, or the replay band.

Pure: no Qt. Which alarms hold is the engine's; order, words and room on the strip are here.
"""

from clampctl.engine.wire import Hello, Snapshot
from ui.attachment import Attachment
from ui.view import AlarmLine, Band, SizeClass, StripView
from ui.words import clock, fit, minutes_seconds

MARKS = {Band.HIGH: "▲▲▲", Band.MEDIUM: "▲▲", Band.LOW: "▲"}
RANK = {Band.HIGH: 3, Band.MEDIUM: 2, Band.LOW: 1}
SIGNS = {SizeClass.SMALL: 100, SizeClass.LARGE: 150}
"""How many signs the two lines of the strip hold for certain."""

NO_SOUND = "This window has no sound output; it shows alarms only; check the sound of this computer."


def band_of(priority: str) -> Band:
    """The band of an alarm's priority; an unknown word counts as high."""
    return {"low": Band.LOW, "medium": Band.MEDIUM}.get(priority.lower(), Band.HIGH)


def _calm() -> StripView:
    return StripView(Band.CALM, "", "", "No alarm", "", "Silence\nF8", False, False, ())


def _lost(now: Snapshot, mine: Attachment) -> StripView:
    since = clock(now.wall_utc, mine.utc_offset_min)
    text = f"ENGINE LOST since {since} – read the pumps"
    line = AlarmLine("engine_lost", MARKS[Band.HIGH], text, False)
    return StripView(Band.HIGH, MARKS[Band.HIGH], "HIGH", text, "", "Silence\nF8", False, True, (line,))


def _replay(hello: Hello, now: Snapshot, mine: Attachment, size: SizeClass) -> StripView:
    then = f"alarm then: {now.alarms[0].text}" if now.alarms else "no alarm then"
    day = hello.started_utc[:10]
    text = fit(
        f"{hello.subject_code}, recorded {day} {clock(now.wall_utc, mine.utc_offset_min)}; {then}", 100
    )
    return StripView(Band.REPLAY, "▶", "REPLAY", fit(text, SIGNS[size]), "", "", False, False, ())


def _alarms(now: Snapshot, mine: Attachment) -> list[tuple[Band, AlarmLine, bool]]:
    """All alarms, most urgent first: band, line, and whether it still calls for a person."""
    found = []
    for alarm in now.alarms:
        band = band_of(alarm.priority)
        line = AlarmLine(alarm.name, MARKS[band], alarm.text, not alarm.acknowledged)
        found.append((band, line, alarm.holds and not alarm.acknowledged))
    if mine.audio is False:
        line = AlarmLine("window_silent", MARKS[Band.MEDIUM], NO_SOUND, False)
        found.append((Band.MEDIUM, line, True))
    return sorted(found, key=lambda item: -RANK[item[0]])


def strip(hello: Hello, now: Snapshot, mine: Attachment, size: SizeClass) -> StripView:
    """The alarm strip of this moment."""
    if not hello.live:
        return _replay(hello, now, mine, size)
    if not mine.connected:
        return _lost(now, mine)
    alarms = _alarms(now, mine)
    if not alarms:
        return _calm()
    band, first, calls = alarms[0]
    paused_ms = max(0, (now.audio_paused_until_ms or 0) - now.at_ms)
    return StripView(
        band=band,
        mark=MARKS[band],
        title=band.value.upper(),
        text=fit(first.text, SIGNS[size]),
        count=f"1 of {len(alarms)}",
        silence=f"Silenced\n{minutes_seconds(paused_ms)} min" if paused_ms else "Silence\nF8",
        can_silence=paused_ms == 0,
        flashes=calls and band is not Band.LOW,
        alarms=tuple(line for _, line, _ in alarms),
    )


def sound(hello: Hello, now: Snapshot, mine: Attachment) -> Band:
    """Which tone this window gives: CALM for none. A lost engine always sounds."""
    if not hello.live:
        return Band.CALM
    if not mine.connected:
        return Band.HIGH
    if now.audio_paused_until_ms is not None and now.audio_paused_until_ms > now.at_ms:
        return Band.CALM
    calling = [band_of(a.priority) for a in now.alarms if not a.acknowledged]
    return max(calling, key=RANK.__getitem__, default=Band.CALM)
