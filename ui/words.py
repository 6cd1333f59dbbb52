"""Numbers, times and units as text. The decimal point is always "." and None is a dash.

Pure: no Qt. What is said where belongs to `present`.
"""

from datetime import datetime, timedelta

from clampctl.core.protocol import GlucoseUnit
from clampctl.units import mg_dl_from_mmol_l, mmol_l_from_mg_dl

UNKNOWN = "–"
GIR_UNIT = "mg/kg/min"
RATE_UNIT = "mL/h"
INSULIN_UNIT = "mU/m²/min"


def is_mmol(unit: str) -> bool:
    """Whether the session shows glucose in mmol/L."""
    return unit == GlucoseUnit.MMOL_L.value


def shown_glucose(glucose_mg_dl: float, unit: str) -> float:
    """Glucose in the unit of the session from mg/dL."""
    return mmol_l_from_mg_dl(glucose_mg_dl) if is_mmol(unit) else glucose_mg_dl


def stored_glucose(shown: float, unit: str) -> float:
    """Glucose in mg/dL from the unit of the session."""
    return mg_dl_from_mmol_l(shown) if is_mmol(unit) else shown


def glucose(glucose_mg_dl: float | None, unit: str) -> str:
    """Glucose without its unit, at most four signs: 92.4, 392, 5.13, 21.8."""
    if glucose_mg_dl is None:
        return UNKNOWN
    value = shown_glucose(glucose_mg_dl, unit)
    if is_mmol(unit):
        return f"{value:.2f}" if value < 9.995 else f"{value:.1f}"
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def glucose_with_unit(glucose_mg_dl: float | None, unit: str) -> str:
    """Glucose and its unit, for sentences."""
    return f"{glucose(glucose_mg_dl, unit)} {unit}"


def slope(slope_mg_dl_min: float, unit: str) -> str:
    """Change of glucose per minute with its sign, without the unit."""
    value = shown_glucose(slope_mg_dl_min, unit)
    return signed(value, 2 if is_mmol(unit) else 1)


def signed(value: float, digits: int) -> str:
    """A number with its sign (a true minus sign); what rounds to zero has none."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0.0:
        return text
    return ("+" if value > 0 else "−") + text


def gir(gir_mg_kg_min: float | None) -> str:
    """Glucose infusion rate without its unit."""
    return UNKNOWN if gir_mg_kg_min is None else f"{gir_mg_kg_min:.2f}"


def rate(rate_ul_h: int | None) -> str:
    """Pump rate with mL/h: two digits below 10 mL/h, one above."""
    if rate_ul_h is None:
        return f"{UNKNOWN} {RATE_UNIT}"
    ml_h = rate_ul_h / 1000.0
    return f"{ml_h:.2f} {RATE_UNIT}" if ml_h < 9.995 else f"{ml_h:.1f} {RATE_UNIT}"


def dose(insulin_mu_m2_min: float | None) -> str:
    """Insulin dose with its unit."""
    return f"{UNKNOWN if insulin_mu_m2_min is None else format(insulin_mu_m2_min, '.1f')} {INSULIN_UNIT}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share with %."""
    return UNKNOWN + " %" if value is None else f"{value:.{digits}f} %"


def minutes_seconds(duration_ms: int) -> str:
    """min:s of a duration; its sign is dropped. Part seconds are cut."""
    seconds = abs(duration_ms) // 1000
    return f"{seconds // 60}:{seconds % 60:02d}"


def hours_minutes(duration_ms: int) -> str:
    """hh:mm of a duration."""
    minutes = max(0, duration_ms) // 60_000
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def age(duration_ms: int) -> str:
    """How old a value is: seconds below 2 min, minutes above."""
    seconds = max(0, duration_ms) // 1000
    return f"{seconds} s old" if seconds < 120 else f"{seconds // 60} min old"


def silent_for(duration_ms: int) -> str:
    """How long a device has not answered."""
    seconds = max(0, duration_ms) // 1000
    return f"silent {seconds} s ✗" if seconds < 100 else f"silent {seconds // 60} min ✗"


def clock(utc: str, offset_min: int, shift_ms: int = 0) -> str:
    """Time of day hh:mm:ss at the bedside; a dash when the text is no time."""
    try:
        moment = datetime.fromisoformat(utc)
    except ValueError:
        return UNKNOWN
    return (moment + timedelta(minutes=offset_min, milliseconds=shift_ms)).strftime("%H:%M:%S")


def fit(text: str, signs: int) -> str:
    """`text` cut to at most `signs`, between words if it can be, with a mark that there is more."""
    if len(text) <= signs:
        return text
    kept = ""
    for word in text.split():
        if len(kept) + len(word) + 1 > signs - 2:
            break
        kept += f"{word} "
    return f"{kept}…" if kept else f"{text[: signs - 1]}…"
