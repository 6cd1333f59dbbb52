"""The law that changes nothing: the GIR in force, or the protocol's first rates before the rule."""

from clampctl.core.laws.defronzo import first_rate
from clampctl.core.laws.law import Advice, LawState, Question


class Hold:
    """Keeps the GIR: the baseline every other law must beat, and what a nurse's hold means."""

    def advise(self, memory: LawState, question: Question) -> Advice:
        """The GIR in force, or the first rate the protocol prescribes for this minute."""
        if question.elapsed_ms < question.settings.rule_from_ms - question.sampling_ms // 2:
            return Advice(first_rate(question.settings, question.elapsed_ms), memory)
        return Advice(question.in_force_mg_kg_min, memory)
