"""The form of Clamp-PID: glucose, its slope, and the mean of the recent GIR instead of an error integral.

    GIR = kp (G - Gd) + ki mean(recent GIR) + kd dG/dt        kp, kd negative

Form: Benesch 2021, 10.1177/1932296821991514, as clamp-method 2.4 has it [S: Profil blog]. The published
gains are not known here (section 7), and that device acts each minute: the gains below were searched
for samples every 5 min (`simulator.baselines.search`) and say nothing about the published controller.
"""

from dataclasses import dataclass

from clampctl.core.laws.law import Advice, LawState, Question
from simulator.baselines.recent import SLOTS_KEPT, advice, recent


@dataclass(frozen=True, slots=True)
class Gains:
    """kp in mg/kg/min per mg/dL, ki without unit, kd in mg/kg/min per mg/dL/min.

    `samples` is over how many intervals the recent GIR is a mean. With kp = -10 V / (N T), ki = 1,
    kd = -10 V and one interval this is the look-ahead rule.
    """

    kp: float
    ki: float
    kd: float
    samples: int

    def __post_init__(self) -> None:
        if not 1 <= self.samples <= SLOTS_KEPT:
            raise ValueError(f"the mean GIR of {self.samples} intervals; expected 1 to {SLOTS_KEPT}")


SEARCHED = Gains(kp=-0.1117, ki=1.0, kd=-0.70, samples=1)
"""As found by `simulator.baselines.search` with 24 subjects a cell: cost 2.17, the look-ahead rule 2.93.

The floor is flat: 16 subjects a cell gave the same with ki 1.01, cost 2.17 against 3.00 [A].
"""


class PidClamp:
    """The rule above, behind the Law protocol."""

    def __init__(self, gains: Gains = SEARCHED) -> None:
        self._gains = gains

    def advise(self, memory: LawState, question: Question) -> Advice:
        """The GIR wanted, mg/kg/min; while fewer intervals are known, the mean is over those."""
        gains = self._gains
        past = recent(memory, question)
        given = [slot.metabolic_mg_kg_min for slot in past.before] + [past.given_mg_kg_min]
        lasting = given[-gains.samples :]
        away = gains.kp * (question.glucose_mg_dl - question.target_mg_dl)
        wanted = away + gains.ki * sum(lasting) / len(lasting) + gains.kd * past.slope_mg_dl_min
        return advice(past, question, away, wanted)
