"""Adults of simglucose, lent ports for intravenous glucose and insulin, clamped by whoever advises.

One argument, JSON: `advise` (a command that takes samples and gives advice as JSON lines; `--weight-kg`
is added), `adults` (numbers of 1 to 10), `insulin_mu_kg_min` (one rate a minute), `fasting_mg_dl`,
`plain` (whether the parameters are read from a plain object instead of the pandas row it uses).

Its adults have type 1 diabetes and fast at 135-153 mg/dL under subcutaneous insulin. Here each begins in
the fasting state, by its own equations, that intravenous insulin alone keeps at `fasting_mg_dl`.
"""

import json
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.optimize import root
from simglucose.patient.t1dpatient import Action, T1DPatient

PLASMA_GLUCOSE, TISSUE_GLUCOSE, PLASMA_INSULIN, LIVER_INSULIN, SENSED_GLUCOSE = 3, 4, 5, 9, 12
PMOL_PER_MU = 6.0
SAMPLE_MIN = 5
NOTHING = Action(CHO=0, insulin=0)


class Clamped(T1DPatient):
    """Its adult with two more terms: dextrose into plasma glucose, insulin into plasma insulin."""

    gir_mg_kg_min = 0.0
    insulin_mu_kg_min = 0.0
    plain: SimpleNamespace | None = None

    def model(self, t: float, x: Any, action: Action, params: Any, *meal: float) -> Any:
        slope = T1DPatient.model(t, x, action, params if self.plain is None else self.plain, *meal)
        slope[PLASMA_GLUCOSE] += self.gir_mg_kg_min
        slope[PLASMA_INSULIN] += PMOL_PER_MU * self.insulin_mu_kg_min
        return slope

    @property
    def glucose_mg_dl(self) -> float:
        return float(self.state[PLASMA_GLUCOSE] / self._params.Vg)

    def fast_at(self, glucose_mg_dl: float) -> None:
        """Begin where nothing changes at this glucose; finds the insulin that takes, too."""
        inner = slice(TISSUE_GLUCOSE, LIVER_INSULIN + 1)
        resting = np.zeros(13)
        resting[[PLASMA_GLUCOSE, SENSED_GLUCOSE]] = glucose_mg_dl * self._params.Vg

        def slopes(tried: Any) -> Any:
            resting[inner], self.insulin_mu_kg_min = tried[:-1], tried[-1]
            moved = self.model(0.0, resting, NOTHING, self._params, 0.0, 0.0)
            return moved[PLASMA_GLUCOSE : LIVER_INSULIN + 1]

        found = root(slopes, [*self.init_state[inner], 0.2])
        if not found.success or found.x[-1] <= 0.0:
            raise ArithmeticError(f"{self.name} has no fasting state at {glucose_mg_dl:g} mg/dL")
        slopes(found.x)
        self._init_state = resting
        self.reset()


def clamp(adult: Clamped, advise: list[str], insulin_mu_kg_min: list[float]) -> tuple[list[float], float]:
    """Plasma glucose each minute, and the seconds of its own integration; results take a minute."""
    command = [*advise, "--weight-kg", str(adult._params.BW)]
    course, used_s, advised_mg_kg_min = [], 0.0, 0.0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as adviser:
        assert adviser.stdin is not None
        assert adviser.stdout is not None
        for minute, rate in enumerate(insulin_mu_kg_min):
            course.append(adult.glucose_mg_dl)
            adult.gir_mg_kg_min, adult.insulin_mu_kg_min = advised_mg_kg_min, rate
            if minute % SAMPLE_MIN == 0:
                sample = {"t_min": minute, "glucose_mg_dl": adult.glucose_mg_dl}
                adviser.stdin.write(json.dumps(sample) + "\n")
                adviser.stdin.flush()
                advised_mg_kg_min = json.loads(adviser.stdout.readline())["gir_mg_kg_min"]
            start_s = time.perf_counter()
            adult.step(NOTHING)
            used_s += time.perf_counter() - start_s
        course.append(adult.glucose_mg_dl)
    return course, used_s


def main(asked: dict[str, Any]) -> dict[str, object]:
    glucose_mg_dl, fasting_mu_kg_min, used_s = {}, {}, 0.0
    for number in asked["adults"]:
        adult = Clamped.withName(f"adult#{number:03d}")
        adult.plain = SimpleNamespace(**adult._params.to_dict()) if asked["plain"] else None
        adult.fast_at(asked["fasting_mg_dl"])
        fasting_mu_kg_min[number] = adult.insulin_mu_kg_min
        glucose_mg_dl[number], took_s = clamp(adult, asked["advise"], asked["insulin_mu_kg_min"])
        used_s += took_s
    return {
        "glucose_mg_dl": glucose_mg_dl,
        "fasting_mu_kg_min": fasting_mu_kg_min,
        "integration_s": used_s,
    }


sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))) + "\n")
