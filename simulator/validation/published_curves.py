"""The published curves that the composite model is laid over: Katz 2000 and Sorensen 1985, digitised.

One parameter set per phenotype: nothing is fitted to a curve. Insulin of these years is read with the
preset `lean_classic_ria`; what is not an insulin level is `lean`. Tolerances: issue 'Virtual subjects'.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from simulator.subjects.composite import Parameters
from simulator.subjects.courses import PRIME
from simulator.subjects.phenotypes import typical
from simulator.subjects.run import Row, held, open_loop
from simulator.validation.curve import Band, Curve, Points, half_rise_min, interpolated, read_curve
from simulator.validation.judging import Row as Judged
from simulator.validation.judging import at_most
from simulator.validation.subject_alone import boundary

KATZ_BODY = (70.0, 1.9)  # none published; the digitising repository's
SORENSEN_BODY = (70.0, 1.725)  # 69 mU/min for 70 kg is then 40 mU/m²/min
STOP_MIN = 120.0
HALF_RISE_AWAY_MIN = 10.0

TOO_MUCH_DISPOSAL = (
    "these eight took up little more than half of what every other group here does at this insulin "
    "(V2, V8), and a steady level is the sheet's; its fall is met, see the next row"
)

Published = Callable[[str], Points]


def curves(data: Path) -> list[Curve]:
    """All of them; `data` is the folder that holds `clamps`."""

    def published(name: str) -> Points:
        return read_curve(data / "clamps" / f"{name}.csv")

    return [
        *_katz(published),
        _euglycemic(published),
        *_insulin_alone(published),
        *_after_stop(published, "lean_classic_ria", ""),
        *_after_stop(published, "lean", "another assay than that of the curve"),
    ]


def half_rise(katz_gir: Curve) -> Judged:
    """Half-rise of the Katz GIR against ours."""
    published, ours = half_rise_min(katz_gir.published), half_rise_min(katz_gir.ours)
    what = f"half-rise of GIR, ours less published ({ours:.1f}, {published:.1f} min)"
    tolerance = at_most(HALF_RISE_AWAY_MIN)
    return Judged("Katz", what, f"{published:.1f} min", tolerance, ours - published, "min")


def _katz(published: Published) -> list[Curve]:
    """120 mU/m²/min, glucose held on the published course; no prime was published."""
    band = Band(25.0, from_min=60.0)
    glucose = published("katz_nonobese_120_glucose")
    lean = typical("lean", *KATZ_BODY)
    gir = _course(held(lean, 120.0, glucose, 241), lambda row: row.gir_mg_kg_min * lean.weight_kg)
    rows = held(typical("lean_classic_ria", *KATZ_BODY), 120.0, glucose, 241)
    return [
        Curve("katz-gir", "Katz non-obese, 120 mU/m²/min: GIR", "lean", "mg/min",
              published("katz_nonobese_120_gir"), gir, band),
        Curve("katz-insulin", "Katz non-obese, 120 mU/m²/min: insulin", "lean_classic_ria", "µU/mL",
              published("katz_nonobese_120_insulin"), _course(rows, _insulin), band),
    ]  # fmt: skip


def _euglycemic(published: Published) -> Curve:
    """40 mU/m²/min with its prime, glucose held on the published course."""
    glucose = published("sorensen_euglycaemic_glucose")
    rows = held(typical("lean_classic_ria", *SORENSEN_BODY), 40.0, glucose, 120, PRIME)
    name = "Sorensen euglycemic, 40 mU/m²/min: insulin"
    points = published("sorensen_euglycaemic_insulin")
    band = Band(20.0, from_min=15.0)
    return Curve(
        "sorensen-euglycemic-insulin",
        name,
        "lean_classic_ria",
        "µU/mL",
        points,
        _course(rows, _insulin),
        band,
    )


def _insulin_alone(published: Published) -> list[Curve]:
    """0.25 mU/kg/min without glucose."""
    p = typical("lean")
    rows = open_loop(p, 0.25 * p.weight_kg / p.bsa_m2, (), 150)
    name, reason = "Insulin 0.25 mU/kg/min alone", "no tolerance was set"
    return [
        Curve("insulin-alone-glucose", f"{name}: glucose", "lean", "mg/dL",
              published("sorensen_insulin025_glucose"), _course(rows, lambda row: row.glucose_mg_dl),
              rmse_max=8.0),
        Curve("insulin-alone-insulin", f"{name}: insulin", "lean", "µU/mL",
              published("sorensen_insulin025_insulin"), _course(rows, _insulin), reason=reason),
    ]  # fmt: skip


def _after_stop(published: Published, phenotype: str, reason: str) -> list[Curve]:
    """Insulin ends at 120 min, glucose is held at 90 mg/dL; the dose is the one that gives the published
    insulin at the stop, since none was published."""
    p = typical(phenotype)
    insulin = published("sorensen_afterstop_insulin")
    disposal = published("sorensen_afterstop_glucose_disposal")
    rows = _stopped(p, *insulin[0])
    surface = p.weight_kg / p.bsa_m2
    rise = _course(rows, lambda row: (row.uptake_mg_kg_min - rows[0].uptake_mg_kg_min) * surface)
    scale = disposal[0][1] / interpolated(rise, disposal[0][0])
    shape = [(at, scale * value) for at, value in rise]
    scaled = reason or "for its shape: the published level is not that of other clamps at this insulin"
    unjudged = reason or "no tolerance was set"
    name, rate = "After insulin stops", "mg/m²/min"
    band = Band(30.0, 20.0)
    return [
        Curve("after-stop-insulin", f"{name}: insulin", phenotype, "µU/mL", insulin,
              _course(rows, _insulin), Band(30.0, 8.0), reason=reason),
        Curve("after-stop-disposal", f"{name}: rise of disposal", phenotype, rate, disposal, rise, band,
              reason=reason, known_miss=TOO_MUCH_DISPOSAL),
        Curve("after-stop-disposal-shape", f"{name}: rise of disposal x {scale:.2f}", phenotype, rate,
              disposal, shape, band, reason=scaled),
        Curve("after-stop-production", f"{name}: hepatic output", phenotype, rate,
              published("sorensen_afterstop_hepatic_output"),
              _course(rows, lambda row: row.egp_mg_kg_min * surface), reason=unjudged),
    ]  # fmt: skip


def _stopped(p: Parameters[float], at_min: float, insulin_uu_ml: float) -> list[Row]:
    """The clamp at whatever dose gives this insulin at this minute, and what follows its stop."""

    def run(dose_mu_m2_min: float, minutes: int) -> list[Row]:
        return held(p, dose_mu_m2_min, p.basal_glucose_mg_dl, minutes, (*PRIME, (STOP_MIN, 0.0)))

    def short(dose: float) -> bool:
        return interpolated(_course(run(dose, int(STOP_MIN)), _insulin), at_min) < insulin_uu_ml

    return run(boundary(short, 1.0, 240.0, 20), 222)


def _insulin(row: Row) -> float:
    return row.insulin_uu_ml


def _course(rows: Sequence[Row], value: Callable[[Row], float]) -> Points:
    return [(float(row.t_min), value(row)) for row in rows]
