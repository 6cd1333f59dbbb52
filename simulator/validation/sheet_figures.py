"""The models sheet's own figures against ours: 'expected from a correct implementation' (2 and 3.3).

These hold the programs against the equations, not the equations against people. A figure passes within
1 %, or within the sheet's tolerance (M 0.02, insulin 0.1, EGP 0.005, glucose 0.1) where that is wider.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.subjects import bizzotto, bizzotto_equilibrium, bizzotto_phenotypes, composite
from simulator.subjects.phenotypes import typical
from simulator.validation.judging import Tolerance, away_pct
from simulator.validation.reference_protocol import Clamp, mean, reference_clamp
from simulator.validation.subject_alone import settled

SHARE_PCT = 1.0
ABSOLUTE: Mapping[str, float] = {"M": 0.02, "Rd": 0.02, "I": 0.1, "EGP": 0.005, "G": 0.1}

COMPOSITE_TARGET_MG_DL: Mapping[str, float] = {
    "lean": 90.0, "obese": 90.0, "metsyn": 90.0, "t2d": 100.0, "t1d": 90.0,
}  # fmt: skip
SECOND_CLAMPS = ((20.0, 90.0), (40.0, 90.0), (120.0, 90.0), (40.0, 166.0))
SECOND_STEADY_RD = (2.962, 5.412, 10.596, 6.766)
"""Settled uptake at target: in the sheet's table (3.3) only."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one clamp or steady state; the name begins with its quantity."""

    subject: str
    name: str
    sheet: float
    ours: float

    @property
    def away_pct(self) -> float:
        """How far ours lies from the sheet's."""
        return away_pct(self.ours, self.sheet)

    @property
    def is_met(self) -> bool:
        """Whether it is within tolerance."""
        quantity = self.name.split("_")[0]
        away = max(abs(self.sheet) * SHARE_PCT / 100.0, ABSOLUTE[quantity]) * (1.0 + 1e-9)
        return Tolerance(self.sheet - away, self.sheet + away, "").holds(self.ours)


def composite_figures(data: Path) -> list[Figure]:
    """Section 2: five phenotypes at 40 mU/m²/min; `data` is the folder of the sheet's data files."""
    expected = _expected(data)["composite"]
    found = []
    for phenotype, target in COMPOSITE_TARGET_MG_DL.items():
        p = typical(phenotype)
        dose = composite.per_kg(p, 40.0)
        ours = _clamp_figures(reference_clamp(composite.Subject(p), dose, target))
        still = settled(p, target, dose)
        ours |= {
            "M_steady": still.gir_mg_kg_min,
            "I_steady": still.insulin_uu_ml,
            "EGP_steady": still.egp_mg_kg_min,
        }
        steady = expected[phenotype]["steady_state_at_target"]["40"]
        sheet = expected[phenotype]["clamp"] | {f"{name}_steady": steady[name] for name in ("M", "I", "EGP")}
        found += [Figure(phenotype, name, sheet[name], value) for name, value in ours.items()]
    return found


def second_model_figures(data: Path) -> list[Figure]:
    """Section 3.3: the typical subject under four clamps."""
    expected = _expected(data)["second_model"]["clamp"]
    p = bizzotto_phenotypes.typical("typical")
    b = bizzotto.basal(p)
    found = []
    for (dose, target), rd in zip(SECOND_CLAMPS, SECOND_STEADY_RD, strict=True):
        per_kg = bizzotto.per_kg(p, dose)
        ours = _clamp_figures(reference_clamp(bizzotto.Subject(p), per_kg, target))
        still = bizzotto_equilibrium.equilibrium(p, b, target, per_kg)
        driven = bizzotto.drive(p, b, still.state.insulin, 1.0)
        ours["Rd_steady"] = still.gir_mg_kg_min + bizzotto.egp_mg_kg_min(p, driven, still.state.glucose)
        sheet = expected[f"dose{dose:g}_target{target:g}"] | {"Rd_steady": rd}
        found += [Figure(f"{dose:g} mU/m²/min, {target:g} mg/dL", name, sheet[name], value)
                  for name, value in ours.items()]  # fmt: skip
    return found


def _clamp_figures(clamp: Clamp) -> dict[str, float]:
    return {
        "M_90_120": mean(clamp.gir_mg_kg_min, 90, 120),
        "M_80_120": mean(clamp.gir_mg_kg_min, 80, 120),
        "M_210_240": mean(clamp.gir_mg_kg_min, 210, 240),
        "I_90_120": mean(clamp.insulin_uu_ml, 90, 120),
        "EGP_90_120": mean(clamp.egp_mg_kg_min, 90, 120),
        "G_90_120": mean(clamp.glucose_mg_dl, 90, 120),
        "G_min": min(clamp.glucose_mg_dl),
    }


def _expected(data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (data / "models" / "expected_results.json").read_text(encoding="utf-8")
    )
    return found
