"""A clamp logged elsewhere, as CSV text: columns with their unit in the header, to rows in our units.

Comment lines begin with `#`. One file may hold all columns, or several files are merged by time.
Nothing is guessed: an unknown column, a missing unit or a text in a number is refused by line.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from clampctl.core.protocol import Refusal, require_between
from clampctl.study.quantities import GLUCOSE_MG_DL_HIGH, GLUCOSE_MG_DL_LOW
from clampctl.units import MG_DL_PER_MMOL_L, PMOL_L_PER_UU_ML, UMOL_PER_MG

MS_PER = {"time_ms": 1.0, "time_s": 1_000.0, "time_min": 60_000.0, "time_h": 3_600_000.0}
GLUCOSE_MG_DL_PER = {"glucose_mg_dl": 1.0, "glucose_mmol_l": MG_DL_PER_MMOL_L}
INSULIN_UU_ML_PER = {
    "insulin_uu_ml": 1.0,
    "insulin_mu_l": 1.0,
    "insulin_miu_l": 1.0,
    "insulin_pmol_l": 1.0 / PMOL_L_PER_UU_ML,
}
GIR_MG_MIN = "gir_mg_min"
GIR_MG_KG_MIN_PER = {"gir_mg_kg_min": 1.0, "gir_umol_kg_min": 1.0 / UMOL_PER_MG}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
STEMS = ("time", "glucose", "gir", "insulin")
EARLIEST_MIN = -1.0
"""Times read off a graph may lie slightly before 0; from here to 0 they are read as 0."""


@dataclass(frozen=True, slots=True)
class LoggedRow:
    """What was logged at one time; None where nothing was."""

    t_ms: int
    glucose_mg_dl: float | None
    gir_mg_kg_min: float | None
    insulin_uu_ml: float | None


@dataclass(frozen=True, slots=True)
class _Column:
    """A header name, what it holds (one of STEMS) and the factor to our unit."""

    name: str
    stem: str
    factor: float


def read_logged(texts: Mapping[str, str], weight_kg: float) -> tuple[LoggedRow, ...]:
    """The rows of one clamp from the texts of its files, by file name, merged by time.

    `weight_kg` turns mg/min into mg/kg/min. Refused without any glucose or GIR.
    """
    require_between("weight", weight_kg, 1.0, 500.0, "kg")
    by_file = [_read_file(name, text, weight_kg) for name, text in texts.items()]
    rows = _merged([row for rows in by_file for row in rows])
    if not any(row.glucose_mg_dl is not None or row.gir_mg_kg_min is not None for row in rows):
        raise Refusal("glucose", f"{_names(texts)} holds neither a glucose nor a gir column with values.")
    return rows


def _read_file(name: str, text: str, weight_kg: float) -> list[LoggedRow]:
    """The rows of one file in its own order."""
    lines = [
        (number, line)
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise Refusal("file", f"{name} is empty.")
    delimiter = ";" if ";" in lines[0][1] else ","
    columns = _columns(name, _cells(lines[0][1], delimiter), weight_kg)
    rows: list[LoggedRow] = []
    before_min = -math.inf
    for number, line in lines[1:]:
        values = _values(f"{name} line {number}", columns, _cells(line, delimiter))
        t_min = values["time"]
        if t_min is None:
            raise Refusal("time", f"{name} line {number}: the time is missing.")
        if t_min < before_min:
            raise Refusal(
                "time", f"{name} line {number}: time goes backwards, {before_min:g} to {t_min:g} min."
            )
        if t_min < EARLIEST_MIN:
            raise Refusal("time", f"{name} line {number}: time is {t_min:g} min; the clamp begins at 0.")
        before_min = t_min
        rows.append(
            LoggedRow(
                max(0, round(t_min * 60_000)),
                values.get("glucose"),
                values.get("gir"),
                values.get("insulin"),
            )
        )
    if not rows:
        raise Refusal("file", f"{name} has a header but no rows.")
    return rows


def _columns(name: str, header: Sequence[str], weight_kg: float) -> list[_Column]:
    """The columns of a header, each known by its full name; unit letters may be of either case."""
    known = {
        "time": {column: factor / 60_000.0 for column, factor in MS_PER.items()},
        "glucose": GLUCOSE_MG_DL_PER,
        "gir": {GIR_MG_MIN: 1.0 / weight_kg, **GIR_MG_KG_MIN_PER},
        "insulin": INSULIN_UU_ML_PER,
    }
    columns: list[_Column] = []
    for cell in header:
        column = cell.lower().replace("µ", "u").replace("μ", "u")
        stem = column.partition("_")[0]
        if stem not in known:
            raise Refusal(cell, f'{name}: the column "{cell}" is not known; known are {", ".join(STEMS)}.')
        if column not in known[stem]:
            units = " or ".join(known[stem])
            raise Refusal(cell, f'{name}: the column "{cell}" has no unit that is known; write {units}.')
        if any(other.stem == stem for other in columns):
            raise Refusal(cell, f"{name}: there are two columns of {stem}.")
        columns.append(_Column(cell, stem, known[stem][column]))
    if not any(column.stem == "time" for column in columns):
        raise Refusal("time", f"{name}: the column of time is missing; write {' or '.join(MS_PER)}.")
    return columns


def _values(where: str, columns: Sequence[_Column], cells: Sequence[str]) -> dict[str, float | None]:
    """The numbers of one line in our units, by what they hold; None for an empty cell."""
    if len(cells) != len(columns):
        raise Refusal("row", f"{where}: {len(cells)} cells under {len(columns)} columns.")
    values: dict[str, float | None] = {}
    for column, cell in zip(columns, cells, strict=True):
        if not cell:
            values[column.stem] = None
            continue
        number = float(cell) * column.factor if _NUMBER.fullmatch(cell) else math.nan
        if not math.isfinite(number):
            raise Refusal(column.name, f'{where}: {column.name} is "{cell}", which is not a number.')
        _refuse_impossible(where, column, cell, number)
        values[column.stem] = number
    return values


def _refuse_impossible(where: str, column: _Column, cell: str, number: float) -> None:
    """Refuse a negative amount, and a glucose outside 20 to 600 mg/dL: its unit is likely another."""
    if column.stem != "time" and number < 0.0:
        raise Refusal(column.name, f"{where}: {column.name} is {cell}; it cannot be negative.")
    if column.stem == "glucose" and not GLUCOSE_MG_DL_LOW <= number <= GLUCOSE_MG_DL_HIGH:
        raise Refusal(
            column.name,
            f"{where}: {column.name} is {cell}, that is {number:.4g} mg/dL; is the unit in the header right?",
        )


def _merged(rows: Sequence[LoggedRow]) -> tuple[LoggedRow, ...]:
    """All rows by time; rows of the same time become one where they hold different things."""
    merged: list[LoggedRow] = []
    for row in sorted(rows, key=lambda row: row.t_ms):
        last = merged[-1] if merged else None
        if last is not None and last.t_ms == row.t_ms and not _overlap(last, row):
            merged[-1] = replace(
                last,
                glucose_mg_dl=_first(last.glucose_mg_dl, row.glucose_mg_dl),
                gir_mg_kg_min=_first(last.gir_mg_kg_min, row.gir_mg_kg_min),
                insulin_uu_ml=_first(last.insulin_uu_ml, row.insulin_uu_ml),
            )
        else:
            merged.append(row)
    return tuple(merged)


def _overlap(one: LoggedRow, other: LoggedRow) -> bool:
    """Both rows hold a value of the same quantity."""
    pairs = (
        (one.glucose_mg_dl, other.glucose_mg_dl),
        (one.gir_mg_kg_min, other.gir_mg_kg_min),
        (one.insulin_uu_ml, other.insulin_uu_ml),
    )
    return any(a is not None and b is not None for a, b in pairs)


def _first(one: float | None, other: float | None) -> float | None:
    return other if one is None else one


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"').strip() for cell in line.split(delimiter)]


def _names(texts: Mapping[str, str]) -> str:
    return ", ".join(texts) or "The import"
