"""The subject as the clamp needs to know it: a study code and a body, never a name."""

from dataclasses import dataclass

from clampctl.core.protocol import Refusal, require_between


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject; `bsa_m2` is computed once when the document is read and then fixed."""

    code: str
    weight_kg: float
    height_cm: float
    bsa_m2: float
    sex: str
    birth_year: int | None

    def __post_init__(self) -> None:
        if not self.code:
            raise Refusal("code", "The subject needs a study code (no name).")
        require_between("weight", self.weight_kg, 35.0, 200.0, "kg")
        require_between("height", self.height_cm, 120.0, 220.0, "cm")
        require_between(
            "body mass index", self.weight_kg / (self.height_cm / 100.0) ** 2, 14.0, 60.0, "kg/m**2"
        )
        require_between("body surface", self.bsa_m2, 1.0, 3.2, "m**2")
        if self.sex not in ("female", "male", "unknown"):
            raise Refusal("sex", f'sex is {self.sex!r}; expected "female", "male" or "unknown".')
        if self.birth_year is not None:
            require_between("birth year", self.birth_year, 1900, 2100, "")
