"""DeFronzo's rule of 1979 (clamp-method 2.1): GIR = space term + metabolic term.

    S_i = (Gd - G_i) x 10 V / tau            refills the glucose space in tau
    F_i = Gd / G_i
    M_i = M_(i-2) x F_(i-1) x F_i            follows disposal
    r_i = S_i + M_i, at least 0

What the paper leaves open is decided here, and explained in docs/decisions/0003:
- missed sample: its slot is filled by a straight line between its neighbours once the next one
  arrives; after three missed slots the history restarts from what was delivered;
- sample off the grid: tau is scaled with the interval (half to one and a half times);
- a repeat drawn less than half an interval after the last sample replaces it;
- override, cap, hold: the metabolic term of the last slot becomes what was delivered less the
  space term, but not beyond what was delivered, so the next advice continues from there: a cut
  that a limit held back must not come out as disposal;
- the metabolic term never falls below the floor of the settings: a product cannot leave zero.
"""

from clampctl.core.laws.law import Advice, LawState, Question, Slot
from clampctl.core.protocol import LawSettings

SLOTS_KEPT = 4
MISSED_SLOTS_MAX = 3
BUMP_MG_KG_MIN = 0.05
BUMP_SHARE = 0.02
"""Below either, delivered and wanted count as equal: pump rounding and the seconds a rate needs."""


class DeFronzo:
    """The rule above, behind the Law protocol; stateless, its memory is a value."""

    def advise(self, memory: LawState, question: Question) -> Advice:
        """The GIR wanted; before `rule_from_ms` the protocol's first rates are repeated."""
        slots = memory.slots
        if slots and question.drawn_at_ms - slots[-1].drawn_at_ms < question.sampling_ms // 2:
            slots = slots[:-1]
        else:
            slots = _continued_from_delivery(slots, question)
        if question.elapsed_ms < question.settings.rule_from_ms - question.sampling_ms // 2:
            slot = _first_slot(question)
        else:
            slots = _without_gaps(slots, question)
            slot = _rule_slot(slots, question)
        return Advice(slot.wanted_mg_kg_min, LawState((*slots, slot)[-SLOTS_KEPT:], memory.note))


def first_rate(settings: LawSettings, elapsed_ms: int) -> float:
    """The GIR the protocol prescribes by the clock before the rule begins."""
    gir = 0.0
    for rate in settings.first_rates:
        if elapsed_ms >= rate.from_ms:
            gir = rate.gir_mg_kg_min
    return gir


def _first_slot(question: Question) -> Slot:
    """A sample before the rule: it enters neither term (F is 1, M is the starting history)."""
    settings = question.settings
    return Slot(
        drawn_at_ms=question.drawn_at_ms,
        glucose_mg_dl=question.glucose_mg_dl,
        factor=1.0,
        metabolic_mg_kg_min=settings.metabolic_start_mg_kg_min,
        space_mg_kg_min=0.0,
        wanted_mg_kg_min=first_rate(settings, question.elapsed_ms),
    )


def _rule_slot(slots: tuple[Slot, ...], question: Question) -> Slot:
    settings = question.settings
    before = slots[-1] if slots else None
    interval_ms = question.sampling_ms
    if before is not None:
        interval_ms = question.drawn_at_ms - before.drawn_at_ms
    scale = min(1.5, max(0.5, interval_ms / question.sampling_ms))
    horizon_min = settings.horizon_ms / 60_000 * scale
    space = (question.target_mg_dl - question.glucose_mg_dl) * 10.0 * settings.space_l_kg / horizon_min
    factor = question.target_mg_dl / question.glucose_mg_dl
    two_back = slots[-2].metabolic_mg_kg_min if len(slots) >= 2 else settings.metabolic_start_mg_kg_min
    metabolic = two_back * (before.factor if before is not None else 1.0) * factor
    metabolic = max(settings.metabolic_floor_mg_kg_min, metabolic)
    return Slot(
        question.drawn_at_ms,
        question.glucose_mg_dl,
        factor,
        metabolic,
        space,
        max(0.0, space + metabolic),
    )


def _continued_from_delivery(slots: tuple[Slot, ...], question: Question) -> tuple[Slot, ...]:
    """The slots, made to agree with what was really delivered since the last one.

    The rule reaches back two samples, so two slots change: the next metabolic term is then what
    was delivered (less the space term) times the new F, and the one after it continues from there.
    """
    delivered = question.delivered_mg_kg_min
    if not slots or delivered is None:
        return slots
    last = slots[-1]
    last_elapsed_ms = question.elapsed_ms - (question.drawn_at_ms - last.drawn_at_ms)
    if last_elapsed_ms < question.settings.rule_from_ms - question.sampling_ms // 2:
        return slots
    bump = abs(delivered - last.wanted_mg_kg_min)
    if bump <= BUMP_MG_KG_MIN or bump <= BUMP_SHARE * last.wanted_mg_kg_min:
        return slots
    low, high = sorted((last.metabolic_mg_kg_min, delivered))
    metabolic = min(high, max(low, delivered - last.space_mg_kg_min))
    metabolic = max(question.settings.metabolic_floor_mg_kg_min, metabolic)
    two_back = slots[-2] if len(slots) >= 2 else last
    return (
        *slots[:-2],
        _with_metabolic(two_back, metabolic / last.factor, two_back.wanted_mg_kg_min),
        _with_metabolic(last, metabolic, delivered),
    )


def _without_gaps(slots: tuple[Slot, ...], question: Question) -> tuple[Slot, ...]:
    """Slots so close that the two-sample reach of the rule means ten minutes again."""
    if not slots:
        return slots
    last = slots[-1]
    missed = (question.drawn_at_ms - last.drawn_at_ms + question.sampling_ms // 2) // question.sampling_ms - 1
    if missed <= 0:
        return slots
    if missed > MISSED_SLOTS_MAX:
        metabolic = max(question.settings.metabolic_floor_mg_kg_min, question.in_force_mg_kg_min)
        flat = _with_metabolic(last, metabolic, question.in_force_mg_kg_min)
        anew = Slot(
            question.drawn_at_ms - question.sampling_ms, last.glucose_mg_dl, 1.0, metabolic, 0.0, metabolic
        )
        return (flat, anew)
    for k in range(1, missed + 1):
        share = k / (missed + 1)
        glucose = last.glucose_mg_dl + (question.glucose_mg_dl - last.glucose_mg_dl) * share
        drawn_at_ms = last.drawn_at_ms + (question.drawn_at_ms - last.drawn_at_ms) * k // (missed + 1)
        factor = question.target_mg_dl / glucose
        two_back = slots[-2] if len(slots) >= 2 else slots[-1]
        metabolic = two_back.metabolic_mg_kg_min * slots[-1].factor * factor
        metabolic = max(question.settings.metabolic_floor_mg_kg_min, metabolic)
        slots = (*slots, Slot(drawn_at_ms, glucose, factor, metabolic, 0.0, last.wanted_mg_kg_min))
    return slots


def _with_metabolic(slot: Slot, metabolic_mg_kg_min: float, wanted_mg_kg_min: float) -> Slot:
    return Slot(
        slot.drawn_at_ms,
        slot.glucose_mg_dl,
        slot.factor,
        metabolic_mg_kg_min,
        slot.space_mg_kg_min,
        wanted_mg_kg_min,
    )
