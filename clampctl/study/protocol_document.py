"""The protocol's document: quantities with units in, a `Protocol` out.

Every key of a document has its line here; what may be asked for is decided in `core.protocol`.
"""

from collections.abc import Mapping

from clampctl.core.protocol import (
    ClampStep,
    FirstRate,
    GlucoseUnit,
    Infusates,
    LawSettings,
    Limits,
    Mode,
    Prime,
    PrimeStep,
    Protocol,
    Refusal,
    Tail,
)
from clampctl.study.document import Table, number, one_of, sequence, text
from clampctl.study.primes import named_prime
from clampctl.study.quantities import (
    dextrose_g_l,
    duration_ms,
    gir_mg_kg_min,
    glucose_change_mg_dl_min,
    glucose_mg_dl,
    insulin_mu_m2_min,
    insulin_mu_ml,
    insulin_units_mu,
    rate_ul_h,
    share,
    space_l_kg,
    volume_ml,
)
from clampctl.study.subject_document import bsa_formula

KEYS = (
    "name", "title", "sampling", "basal", "mode", "glucose_unit", "bsa",
    "infusates", "law", "steps", "limits", "tail",
)  # fmt: skip
STEP_KEYS = ("name", "insulin", "target", "duration", "prime", "window")
LAW_KEYS = (
    "name", "glucose_space", "look_ahead", "metabolic_start", "metabolic_floor", "first_rates", "rule_from",
)  # fmt: skip
INSULIN_KEYS = ("units", "volume", "concentration")
TAIL_KEYS = ("hold", "half_life", "average")
LIMIT_KEYS = (
    "gir_max", "gir_soft", "gir_rise_max", "gir_fall_max", "doubted_cut_max", "dextrose_rate_max",
    "insulin_max", "insulin_rate_max", "rise_doubted", "insulin_off_below", "late_after", "stale_after",
    "fallback_after", "proposal_life", "override_life", "repeat_within", "readback_within", "silence",
    "silence_stop", "no_flow",
)  # fmt: skip
RECIPE_TOLERANCE = 0.01
"""A written concentration may differ from its recipe by rounding only."""


def read_protocol(entries: Mapping[str, object]) -> Protocol:
    """A protocol from its document."""
    table = Table(entries, "", KEYS)
    name = table.read("name", text)
    return Protocol(
        name=name,
        title=table.read_or("title", text, name),
        steps=tuple(_step(step) for step in table.tables("steps", "step", STEP_KEYS)),
        sampling_ms=table.read_or("sampling", duration_ms, 5 * 60_000),
        basal_ms=table.read_or("basal", duration_ms, 30 * 60_000),
        law=_law(table.table("law", LAW_KEYS)),
        limits=_limits(table.table_or_empty("limits", LIMIT_KEYS)),
        tail=_tail(table.table_or_empty("tail", TAIL_KEYS)),
        infusates=_infusates(table.table("infusates", ("dextrose", "insulin"))),
        mode=table.read_or("mode", one_of(Mode), Mode.CONFIRM),
        glucose_unit=table.read("glucose_unit", one_of(GlucoseUnit)),
        bsa_formula=table.read("bsa", bsa_formula),
    )


def _step(table: Table) -> ClampStep:
    window_start_ms, window_end_ms = table.read("window", _window)
    insulin_mu_m2 = table.read("insulin", insulin_mu_m2_min)
    return ClampStep(
        name=table.read_or("name", text, f"{insulin_mu_m2:g} mU/m2/min"),
        insulin_mu_m2_min=insulin_mu_m2,
        target_mg_dl=table.read("target", glucose_mg_dl),
        duration_ms=table.read("duration", duration_ms),
        prime=table.read("prime", _prime),
        window_start_ms=window_start_ms,
        window_end_ms=window_end_ms,
    )


def _window(value: object, field: str) -> tuple[int, int]:
    """Start and end of the M window, counted from the start of the step."""
    ends = sequence(value, field)
    if len(ends) != 2:
        raise Refusal(field, f'{field} must be two times, for example ["80 min", "120 min"].')
    return duration_ms(ends[0], field), duration_ms(ends[1], field)


def _prime(value: object, field: str) -> Prime:
    """A prime by name, or a custom one as a table of steps."""
    if not isinstance(value, Mapping):
        return named_prime(value, field)
    table = Table(value, field, ("until", "steps"))
    steps = tuple(
        PrimeStep(step.read("from", duration_ms), step.read("multiple", number))
        for step in table.tables("steps", "step", ("from", "multiple"))
    )
    return Prime("custom", steps, table.read("until", duration_ms))


def _law(table: Table) -> LawSettings:
    return LawSettings(
        name=table.read("name", text),
        space_l_kg=table.read("glucose_space", space_l_kg),
        horizon_ms=table.read("look_ahead", duration_ms),
        metabolic_start_mg_kg_min=table.read("metabolic_start", gir_mg_kg_min),
        metabolic_floor_mg_kg_min=table.read("metabolic_floor", gir_mg_kg_min),
        first_rates=tuple(
            FirstRate(rate.read("from", duration_ms), rate.read("gir", gir_mg_kg_min))
            for rate in table.tables("first_rates", "first rate", ("from", "gir"))
        ),
        rule_from_ms=table.read("rule_from", duration_ms),
    )


def _infusates(table: Table) -> Infusates:
    insulin_mu_ml_, insulin_label = _insulin(table.table("insulin", INSULIN_KEYS))
    return Infusates(
        dextrose_g_l=table.read("dextrose", dextrose_g_l),
        dextrose_label=table.read("dextrose", text),
        insulin_mu_ml=insulin_mu_ml_,
        insulin_label=insulin_label,
    )


def _insulin(table: Table) -> tuple[float, str]:
    """Concentration in mU/mL and the words for it, from the recipe or as stated; both must agree."""
    if "units" not in table and "volume" not in table:
        return table.read("concentration", insulin_mu_ml), table.read("concentration", text)
    volume = table.read("volume", volume_ml)
    if volume == 0.0:
        raise Refusal(table.field("volume"), f"{table.field('volume')} is 0; a syringe has a volume.")
    made_mu_ml = table.read("units", insulin_units_mu) / volume
    stated_mu_ml = table.read_or("concentration", insulin_mu_ml, made_mu_ml)
    if abs(stated_mu_ml - made_mu_ml) > RECIPE_TOLERANCE * made_mu_ml:
        raise Refusal(
            table.field("concentration"),
            f"{table.field('concentration')} is {stated_mu_ml / 1000:g} U/mL, "
            f"but units and volume make {made_mu_ml / 1000:g} U/mL; correct one of them.",
        )
    return made_mu_ml, f"{table.read('units', text)} in {table.read('volume', text)}"


def _tail(table: Table) -> Tail:
    usual = Tail()
    return Tail(
        hold_ms=table.read_or("hold", duration_ms, usual.hold_ms),
        half_life_ms=table.read_or("half_life", duration_ms, usual.half_life_ms),
        average_ms=table.read_or("average", duration_ms, usual.average_ms),
    )


def _limits(table: Table) -> Limits:
    usual = Limits()
    read = table.read_or
    return Limits(
        gir_mg_kg_min_max=read("gir_max", gir_mg_kg_min, usual.gir_mg_kg_min_max),
        gir_mg_kg_min_soft=read("gir_soft", gir_mg_kg_min, usual.gir_mg_kg_min_soft),
        gir_rise_mg_kg_min_max=read("gir_rise_max", gir_mg_kg_min, usual.gir_rise_mg_kg_min_max),
        gir_fall_mg_kg_min_max=read("gir_fall_max", gir_mg_kg_min, usual.gir_fall_mg_kg_min_max),
        doubted_cut_max=read("doubted_cut_max", share, usual.doubted_cut_max),
        dextrose_ul_h_max=read("dextrose_rate_max", rate_ul_h, usual.dextrose_ul_h_max),
        insulin_mu_m2_min_max=read("insulin_max", insulin_mu_m2_min, usual.insulin_mu_m2_min_max),
        insulin_ul_h_max=read("insulin_rate_max", rate_ul_h, usual.insulin_ul_h_max),
        rise_doubted_mg_dl_min=read("rise_doubted", glucose_change_mg_dl_min, usual.rise_doubted_mg_dl_min),
        glucose_insulin_off_mg_dl=read("insulin_off_below", glucose_mg_dl, usual.glucose_insulin_off_mg_dl),
        age_late_ms=read("late_after", duration_ms, usual.age_late_ms),
        age_stale_ms=read("stale_after", duration_ms, usual.age_stale_ms),
        age_fallback_ms=read("fallback_after", duration_ms, usual.age_fallback_ms),
        proposal_ms=read("proposal_life", duration_ms, usual.proposal_ms),
        override_ms=read("override_life", duration_ms, usual.override_ms),
        repeat_ms=read("repeat_within", duration_ms, usual.repeat_ms),
        readback_ms=read("readback_within", duration_ms, usual.readback_ms),
        silence_ms=read("silence", duration_ms, usual.silence_ms),
        silence_stop_ms=read("silence_stop", duration_ms, usual.silence_stop_ms),
        no_flow_ms=read("no_flow", duration_ms, usual.no_flow_ms),
    )
