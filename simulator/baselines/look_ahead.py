"""The look-ahead rule: estimate what the body takes up, then aim for the target some steps ahead.

With V dG/dt = r - u (clamp-method 2.3 [D], after Bequette 2009, 10.1177/193229680900300503):

    u   = r_(k-1) - 10 V (G_k - G_(k-1)) / T        uptake since the last sample
    r_k = u + 10 V (Gd - G_k) / (N T)               reaches the target in N steps

This is PI control in velocity form: gain 10 V / T, integral time N T. No filter and no prediction of
the sample's delay, both of which the sheet leaves open: a baseline, not a rival tuned to win.
"""

from clampctl.core.laws.law import Advice, LawState, Question
from simulator.baselines.recent import advice, recent

STEPS_AHEAD = 3
"""N: three steps of look-ahead (Bequette 2009, abstract [S])."""


class LookAhead:
    """The rule above, behind the Law protocol; V is the protocol's glucose space, T its sampling interval."""

    def advise(self, memory: LawState, question: Question) -> Advice:
        """The GIR wanted, mg/kg/min; T of the slope is the time that really passed between the samples."""
        past = recent(memory, question)
        space_dl_kg = 10.0 * question.settings.space_l_kg
        uptake = past.given_mg_kg_min - space_dl_kg * past.slope_mg_dl_min
        ahead_min = STEPS_AHEAD * question.sampling_ms / 60_000
        refill = space_dl_kg * (question.target_mg_dl - question.glucose_mg_dl) / ahead_min
        return advice(past, question, refill, uptake + refill)
