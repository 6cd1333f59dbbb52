"""C-peptide: what tells a subject's own secretion from the insulin that is infused. An optional part.

Two compartments with the population constants of Van Cauter 1992 (207 subjects; models sheet, section
2 [S]), fed with secretion before the liver, of which insulin keeps only what the liver lets through.
Nothing else in a subject depends on it. In type 1 diabetes there is none.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clampctl.core.protocol import Refusal
from clampctl.units import PMOL_L_PER_UU_ML
from simulator.subjects.composite import Parameters, basal, insulin_secretion_mu_kg_min
from simulator.subjects.run import Row

_NORMAL = (4.991, 0.766)
_OBESE = (4.496, 0.781)
_T2D = (4.693, 0.778)
_SHORT_HALF_LIFE_MIN_AND_SHARE = {
    "lean": _NORMAL,
    "obese": _OBESE,
    "metsyn": _OBESE,
    "t2d": _T2D,
    "t1d": _NORMAL,
}
_EXTRACTION_LEAN = 0.53  # by the liver at first pass (Polonsky 1988 [S])
_EXTRACTION_OTHERS = 0.52  # obese likewise; the rest [A]


@dataclass(frozen=True, slots=True)
class CPeptide:
    """One subject's C-peptide: rates per minute between the compartments, and its volume."""

    lost_per_min: float  # k01
    from_second_per_min: float  # k12
    to_second_per_min: float  # k21
    volume_l: float
    hepatic_extraction: float  # 0 to 1
    secretes: bool

    def before_liver_pmol_min(self, secretion_mu_kg_min: float, weight_kg: float) -> float:
        """Secretion R, equimolar with insulin, from what reaches the circulation behind the liver."""
        if not self.secretes:
            return 0.0
        return PMOL_L_PER_UU_ML * secretion_mu_kg_min * weight_kg / (1.0 - self.hepatic_extraction)

    def settled_pmol_l(self, before_liver_pmol_min: float) -> float:
        """The concentration a constant secretion holds."""
        return before_liver_pmol_min / (self.lost_per_min * self.volume_l)

    def course_pmol_l(self, before_liver_pmol_min: Sequence[float]) -> list[float]:
        """Concentration at each minute, from rest at the first rate; each rate holds until the next."""
        first = before_liver_pmol_min[0] / self.lost_per_min
        second = self.to_second_per_min * first / self.from_second_per_min
        found = []
        for entering in before_liver_pmol_min:
            found.append(first / self.volume_l)
            first, second = self._a_minute_on(first, second, entering)
        return found

    def _a_minute_on(self, first: float, second: float, entering: float) -> tuple[float, float]:
        """Both contents, pmol, by the exact solution for a constant rate: rest, and two exponentials."""
        rest = entering / self.lost_per_min
        rest_second = self.to_second_per_min * rest / self.from_second_per_min
        out = self.lost_per_min + self.to_second_per_min
        total = out + self.from_second_per_min
        root = math.sqrt(total * total - 4.0 * self.lost_per_min * self.from_second_per_min)
        fast, slow = (total + root) / 2.0, (total - root) / 2.0
        off, off_second = first - rest, second - rest_second
        slope = self.from_second_per_min * off_second - out * off
        quick = (slope + slow * off) / (slow - fast)
        lasting = off - quick
        per_lasting = (out - slow) / self.from_second_per_min
        per_quick = (out - fast) / self.from_second_per_min
        quick, lasting = quick * math.exp(-fast), lasting * math.exp(-slow)
        return rest + quick + lasting, rest_second + per_quick * quick + per_lasting * lasting


def c_peptide(phenotype: str, bsa_m2: float, age_years: float = 40.0, male: bool = True) -> CPeptide:
    """The C-peptide of a phenotype, or of a variant of one, at an age and body surface.

    Standard micro-constants: k12 = F(b - a) + a, k01 = ab / k12, k21 = a + b - k01 - k12, with a and b of
    the short and the long half-life. Refuses an unknown phenotype.
    """
    kind = phenotype.split("_")[0]
    if kind not in _SHORT_HALF_LIFE_MIN_AND_SHARE:
        raise Refusal("phenotype", f"{phenotype!r} has no known C-peptide kinetics.")
    short_min, share = _SHORT_HALF_LIFE_MIN_AND_SHARE[kind]
    a, b = math.log(2.0) / short_min, math.log(2.0) / (26.705 + 0.209 * age_years)
    from_second = share * (b - a) + a
    lost = a * b / from_second
    return CPeptide(
        lost_per_min=lost,
        from_second_per_min=from_second,
        to_second_per_min=a + b - lost - from_second,
        volume_l=0.344 + 2.061 * bsa_m2 if male else 0.795 + 1.819 * bsa_m2,
        hepatic_extraction=_EXTRACTION_LEAN if kind == "lean" else _EXTRACTION_OTHERS,
        secretes=kind != "t1d",
    )


def course_of(kinetics: CPeptide, parameters: Parameters[float], rows: Iterable[Row]) -> list[float]:
    """C-peptide, pmol/L, beside the rows of a run (`run.open_loop` or `run.held`), one value a row."""
    b = basal(parameters)
    return kinetics.course_pmol_l(
        [
            kinetics.before_liver_pmol_min(
                insulin_secretion_mu_kg_min(parameters, b, row.glucose_mg_dl, row.insulin_uu_ml),
                parameters.weight_kg,
            )
            for row in rows
        ]
    )
