"""The past of a session as rows that only grow: for windows, reports and the review screen.

Derived from the same steps live and in replay, so both show the same past.
"""

from clampctl import units
from clampctl.core.events import (
    AlarmAcknowledged,
    AudioPaused,
    Event,
    GlucoseSampled,
    LinkLost,
    LinkTroubled,
    MealGiven,
    NoteLogged,
    OperatorEvent,
    ProposalAsked,
    ProposalConfirmed,
    PumpIdentified,
    ReadingImported,
    SampleDrawn,
    SessionResumed,
    Trouble,
)
from clampctl.core.interlocks import gir_of
from clampctl.core.state import Phase, State, Verdict
from clampctl.engine.wire import EventRow, RateRow, SampleRow

_QUIET_TROUBLE = (Trouble.BAD_FRAME, Trouble.NO_REPLY)
PHASE_WORDS = {
    Phase.SETUP: "set-up",
    Phase.BASAL: "basal sampling",
    Phase.PRIME: "insulin started, prime",
    Phase.CLAMP: "clamp",
    Phase.HOLD: "held by hand",
    Phase.FALLBACK: "SAFE-TAIL",
    Phase.TAPER: "insulin off, taper",
    Phase.CLOSED: "closed",
}


class History:
    """Rows of one session; a watcher of the control thread. Other threads only read by index."""

    def __init__(self) -> None:
        self.samples: list[SampleRow] = []
        self.rates: list[RateRow] = []
        self.events: list[EventRow] = []
        self.insulin_uu_ml: list[tuple[int, float]] = []
        self.seq = -1

    def saw(self, seq: int, before: State | None, event: Event, after: State) -> None:
        """Take one step in."""
        self.seq = seq
        if isinstance(event, GlucoseSampled) and (before is None or before.blood is not after.blood):
            self._sampled(before, after)
        elif isinstance(event, ReadingImported):
            self._imported(event, after)
        if before is None:
            self._told(seq, after.at_ms, "session", "session started", "")
            return
        if before.dextrose is not after.dextrose or before.insulin is not after.insulin:
            self._rated(after)
        if before.phase is not after.phase:
            self._told(seq, after.at_ms, "phase", phase_text(after), getattr(event, "actor", ""))
        if before.alarms is not after.alarms:
            self._alarmed(seq, before, after)
        self._acted(seq, event, after)

    def _sampled(self, before: State | None, after: State) -> None:
        sample = after.blood.last_arrived
        if sample is None or (before is not None and sample is before.blood.last_arrived):
            return
        self.samples.append(
            SampleRow(
                sample_id=sample.sample_id,
                drawn_at_ms=sample.drawn_at_ms,
                glucose_mg_dl=sample.glucose_mg_dl,
                verdict=sample.verdict.value,
                reason=sample.reason,
                source=sample.source,
            )
        )

    def _imported(self, event: ReadingImported, after: State) -> None:
        at_ms = after.at_ms
        if event.glucose_mg_dl is not None:
            row = SampleRow(f"row {at_ms}", at_ms, event.glucose_mg_dl, Verdict.BELIEVED.value, "", "import")
            self.samples.append(row)
        if event.gir_mg_kg_min is not None:
            self.rates.append(RateRow(at_ms, event.gir_mg_kg_min, None))
        if event.insulin_uu_ml is not None:
            self.insulin_uu_ml.append((at_ms, event.insulin_uu_ml))

    def _rated(self, after: State) -> None:
        dextrose, insulin = after.dextrose.reported_ul_h, after.insulin.reported_ul_h
        session = after.session
        gir = None if dextrose is None else gir_of(session, dextrose)
        dose = None
        if insulin is not None:
            dose = units.insulin_mu_m2_min(
                insulin, session.subject.bsa_m2, session.protocol.infusates.insulin_mu_ml
            )
        last = self.rates[-1] if self.rates else None
        if last is None or last.gir_mg_kg_min != gir or last.insulin_mu_m2_min != dose:
            self.rates.append(RateRow(after.at_ms, gir, dose))

    def _alarmed(self, seq: int, before: State, after: State) -> None:
        had = {alarm.name for alarm in before.alarms if alarm.holds}
        was = {alarm.name: alarm.priority for alarm in before.alarms if alarm.holds}
        has = {alarm.name: alarm for alarm in after.alarms if alarm.holds}
        for name, alarm in has.items():
            if name not in had or alarm.priority > was[name]:
                self._told(seq, after.at_ms, "alarm", f"{alarm.priority.name}: {alarm.text}", "")
        for name in sorted(had - set(has)):
            self._told(seq, after.at_ms, "alarm", f"ended: {name}", "")

    def _acted(self, seq: int, event: Event, after: State) -> None:
        at_ms = after.at_ms
        match event:
            case PumpIdentified():
                text = f"{event.role.value} pump {event.model}: {event.mismatch or event.detail}"
                self._told(seq, at_ms, "device", text, "")
            case LinkLost():
                self._told(seq, at_ms, "device", f"{event.role.value}: {event.detail}", "")
            case LinkTroubled() if event.trouble not in _QUIET_TROUBLE:
                self._told(seq, at_ms, "device", f"{event.role.value}: {event.detail}", "")
            case SessionResumed():
                self._told(seq, at_ms, "session", f"program restarted: {event.reason}", "")
            case NoteLogged():
                self._told(seq, at_ms, "operator", event.text, event.actor)
            case MealGiven():
                self._told(seq, at_ms, "operator", "meal given", event.actor)
            case AlarmAcknowledged() | AudioPaused():
                self._told(seq, at_ms, "alarm", _words(event), event.actor)
            case _:
                actor = getattr(event, "actor", "")
                routine = isinstance(event, SampleDrawn | ProposalConfirmed | ProposalAsked)
                if actor and (after.refusal or not routine):
                    refused = f" - refused: {after.refusal}" if after.refusal else ""
                    self._told(seq, at_ms, "operator", _words(event) + refused, actor)

    def _told(self, seq: int, at_ms: int, kind: str, text: str, actor: str) -> None:
        self.events.append(EventRow(seq, at_ms, kind, text, actor))


def phase_text(state: State) -> str:
    """A phase in the nurse's words."""
    text = PHASE_WORDS[state.phase]
    if state.phase in (Phase.FALLBACK, Phase.TAPER) and state.tailing is not None:
        return f"{text}: {state.tailing.reason}"
    return text


def _words(event: Event | OperatorEvent) -> str:
    """An event's name as words, with the figure that matters."""
    name = type(event).__name__
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    gir = getattr(event, "gir_mg_kg_min", None)
    reason = getattr(event, "reason", "") or getattr(event, "alarm", "")
    if gir is not None:
        words += f" to {gir:.2f} mg/kg/min"
    return f"{words}: {reason}" if reason else words
