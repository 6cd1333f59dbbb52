"""What the commands say and when they may act; which next steps a phase offers.

Pure: no Qt. The engine refuses by itself; a greyed command only spares the nurse the refusal.
"""

from dataclasses import dataclass

from clampctl.engine.wire import Hello, PumpView, Snapshot
from ui.attachment import Attachment, Deed, Fate
from ui.view import AcceptButton, ActionsView, AdviceView, Button, ChangeForm, SampleForm, SizeClass, Tone
from ui.words import GIR_UNIT, age, clock, fit, gir, glucose_with_unit, minutes_seconds, rate

DOSING = ("prime", "clamp", "hold")
SIGNS = {SizeClass.SMALL: 52, SizeClass.LARGE: 70}
"""How many signs one line under the plots holds for certain."""

ADVICE_LINES, DEED_LINES = 3, 2
WHY_SIGNS = 450

PAUSED = ("stopped", "paused", "alarm")


@dataclass(frozen=True, slots=True)
class Choice:
    """One step out of a phase: the event's name, its button, what it does, whether it needs a reason."""

    event: str
    label: str
    effect: str
    needs_reason: bool = False


_END = Choice("ClampEnded", "End clamp", "Insulin stops; glucose goes on and is tapered.", True)
_CLOSE = Choice("CloseRequested", "Close session", "Both pumps are left at zero; the record is closed.", True)
CHOICES: dict[str, tuple[Choice, ...]] = {
    "setup": (Choice("BasalStarted", "Start basal", "Basal sampling begins; no pump moves."), _CLOSE),
    "basal": (Choice("ClampStarted", "Start insulin", "The insulin prime begins; this is minute 0."), _CLOSE),
    "prime": (_END,),
    "clamp": (_END,),
    "hold": (_END,),
    "fallback": (
        Choice("ClampResumed", "Resume insulin", "SAFE-TAIL ends; insulin runs again, without a prime."),
        _END,
        _CLOSE,
    ),
    "taper": (_CLOSE,),
}
PHASE_BUTTONS = {
    "setup": "Start basal…",
    "basal": "Start insulin\n(clamp)…",
    "prime": "End clamp…",
    "clamp": "End clamp…",
    "hold": "End clamp…",
    "fallback": "Resume after\nSAFE-TAIL…",
    "taper": "Close…",
}


def stale(now: Snapshot) -> bool:
    """Whether the last glucose is past the age at which it may dose; no value is stale too."""
    drawn = now.glucose_drawn_at_ms
    return now.glucose_mg_dl is None or drawn is None or now.at_ms - drawn > now.sample_stale_ms


def _accept(now: Snapshot, mine: Attachment, can: bool) -> AcceptButton:
    offer = now.proposal
    if offer is None:
        return AcceptButton("Accept – no advice\nF4", False, None)
    said = f"Accept {gir(offer.gir_mg_kg_min)} {GIR_UNIT}\nF4"
    deed = mine.deed
    sent = deed is not None and deed.proposal == offer.number and deed.fate in (Fate.PENDING, Fate.JOURNALLED)
    if stale(now):
        return AcceptButton(f"{said}, old sample", False, offer.number)
    if now.at_ms >= offer.expires_at_ms:
        return AcceptButton("Advice expired\nask anew  F4", can, None, asks=True)
    return AcceptButton(f"{said}, sent" if sent else said, can and not sent, offer.number)


def actions(now: Snapshot, mine: Attachment) -> ActionsView:
    """Every command of the running screen."""
    can = mine.connected and not now.closed
    dosing = can and now.phase in DOSING
    tailing = can and now.phase in ("fallback", "taper")
    insulin_runs = now.insulin.commanded_ul_h > 0 or (now.insulin.reported_ul_h or 0) > 0
    phase_name = "fallback" if now.phase == "fallback" else now.phase
    return ActionsView(
        sample=Button("ENTER SAMPLE  F2", can),
        drawn=Button("Sample\ndrawn", can),
        note=Button("Log\nevent… F5", can),
        accept=_accept(now, mine, can),
        change=Button("Change\nrate… F3", dosing or tailing),
        hold=Button("Release\nhold F6" if now.holding else "Hold\nF6", dosing),
        holding=now.holding,
        phase=Button(PHASE_BUTTONS.get(phase_name, "Session\nclosed"), can and phase_name in CHOICES),
        phase_name=phase_name,
        stop_insulin=Button("STOP INSULIN\nCtrl+F12", can),
        stop_glucose=Button("Stop\nglucose…", can),
        insulin_runs=insulin_runs,
        release_dextrose=can and now.dextrose.state in PAUSED and now.dextrose.commanded_ul_h > 0,
        release_insulin=can and now.insulin.state in PAUSED and now.insulin.commanded_ul_h > 0,
        dextrose_shows_ul_h=_to_be_read(now.dextrose, can),
        insulin_shows_ul_h=_to_be_read(now.insulin, can),
    )


def _to_be_read(pump: PumpView, can: bool) -> int | None:
    """The rate a person sets on a pump without a wire and then confirms; None when nothing waits."""
    waits = can and pump.by_hand and pump.reported_ul_h != pump.commanded_ul_h
    return pump.commanded_ul_h if waits else None


def _advice(now: Snapshot, mine: Attachment) -> str:
    offer = now.proposal
    if not mine.connected:
        return "No advice: the engine is lost. Read both pumps."
    if now.fallback_reason:
        return f"SAFE-TAIL: {now.fallback_reason}"
    if offer is None:
        reasons = f" ({'; '.join(now.gir_reasons)})" if now.gir_reasons else ""
        return f"No advice waits. Glucose infusion {gir(now.gir_mg_kg_min)} {GIR_UNIT}{reasons}."
    left_ms = offer.expires_at_ms - now.at_ms
    life = f"good for {minutes_seconds(left_ms)} min" if left_ms > 0 else "expired"
    said = f"Advice {gir(offer.gir_mg_kg_min)} {GIR_UNIT} = {rate(offer.rate_ul_h)}, {life}"
    if not offer.reasons:
        return f"{said}; no limit binds."
    wanted = f"wanted {gir(offer.wanted_mg_kg_min)} {GIR_UNIT}"
    return f"{said}; {wanted}, limited: {'; '.join(offer.reasons)}"


def _journalled(deed: Deed, now: Snapshot, connected: bool) -> str:
    said = f"✓ {deed.words}: journal line {deed.seq}"
    if not deed.sets_rate or not connected:
        return said
    pump = now.dextrose
    return f"{said}; pump {'confirms ' + rate(pump.reported_ul_h) if pump.verified else 'not yet confirmed'}"


def _deed(now: Snapshot, mine: Attachment) -> str:
    deed = mine.deed
    if deed is None:
        return f"Refused: {now.refusal}" if now.refusal else ""
    match deed.fate:
        case Fate.PENDING:
            return f"… {deed.words}: sent, waiting for the engine"
        case Fate.JOURNALLED:
            return f"Refused: {now.refusal}" if now.refusal else _journalled(deed, now, mine.connected)
        case Fate.REFUSED:
            return f"Refused: {deed.refused}"
        case Fate.TIMED_OUT:
            return f"✗ {deed.words}: NO ANSWER in 5 s – look at the pumps before trying again"
        case Fate.CUT_OFF:
            return f"✗ {deed.words}: engine lost before it answered – read the pumps"
        case Fate.NOT_SENT:
            return f"✗ {deed.words}: not sent, the engine is lost"


def advice(hello: Hello, now: Snapshot, mine: Attachment, size: SizeClass) -> AdviceView:
    """Why this rate, and what became of the last command; both always have their place."""
    line, why = SIGNS[size], _advice(now, mine)
    return AdviceView(
        advice=fit(why, ADVICE_LINES * line),
        why=fit(why, WHY_SIGNS),
        deed=fit(_deed(now, mine), DEED_LINES * line) if hello.live else "",
        tone=Tone.TEXT if mine.connected else Tone.MUTED,
    )


def sample_form(hello: Hello, now: Snapshot, mine: Attachment) -> SampleForm:
    """What the sample entry shows beside the number."""
    drawn = now.draw_marked_ms
    last = f"last {glucose_with_unit(now.glucose_mg_dl, hello.glucose_unit)}"
    if now.glucose_drawn_at_ms is not None:
        last += f", {age(now.at_ms - now.glucose_drawn_at_ms)}"
    when = "not marked" if drawn is None else clock(now.wall_utc, mine.utc_offset_min, drawn - now.at_ms)
    return SampleForm(hello.glucose_unit, now.glucose_mg_dl, last, now.at_ms, drawn, when)


def change_form(hello: Hello, now: Snapshot) -> ChangeForm:
    """What the change of rate shows beside the number."""
    before = f"now {gir(now.gir_mg_kg_min)} {GIR_UNIT} = {rate(now.dextrose.commanded_ul_h)}"
    return ChangeForm(before, hello.weight_kg, hello.dextrose_g_l)
