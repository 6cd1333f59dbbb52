"""Signed bench sheets of the emulated pumps, as an engineer would have written them."""

from pathlib import Path

from clampctl.core.commands import Role
from clampctl.engine.signature import key_pair, signed_document
from clampctl.study.bench_proofs import (
    RIGHT_ON_SILENCE,
    WATER_G_ML,
    Figure,
    Limit,
    Needed,
    Proof,
    bench_rates,
    needed_proofs,
    volume_error_pct,
    volume_minutes,
)
from clampctl.study.bench_sheet import BenchSheet, judged, sheet_body
from drivers.pumps.new_era import CAPABILITIES


def signed_sheet(
    folder: Path, role: Role, serial: str, diameter_um: int, watchdog_s: int | None
) -> tuple[str, str]:
    """A sheet of a New Era pump that passed everything: its file's name and the unit's public key."""
    rates = bench_rates(role, CAPABILITIES.rate_ul_h_min, CAPABILITIES.rate_ul_h_max, CAPABILITIES.rate_steps)
    needed = needed_proofs(RIGHT_ON_SILENCE[role], watchdog_s, diameter_um, rates)
    sheet = BenchSheet(
        driver="new-era",
        model="NE1000",
        firmware="3.928",
        serial=serial,
        role=role,
        diameter_um=diameter_um,
        date_utc="2026-01-01T08:00:00+00:00",
        engineer="An Engineer",
        initials="AE",
        software="test",
        rates_ul_h=rates,
        watchdog_s=watchdog_s,
        on_silence=RIGHT_ON_SILENCE[role],
        proofs=tuple(_passed(one, rates[2]) for one in needed),
    )
    assert judged(sheet) == []
    key = key_pair(folder / "unit-key.pem")
    name = f"{role.value}.bench.json"
    (folder / name).write_text(signed_document(sheet_body(sheet), key), encoding="utf-8")
    return name, key.public


def _passed(needed: Needed, rate_ul_h: int) -> Proof:
    figures = tuple(Figure(limit.figure, _value(limit, rate_ul_h), limit.unit) for limit in needed.limits)
    return Proof(needed.name, needed.asked, "yes", "", figures, 1, True)


def _value(limit: Limit, rate_ul_h: int) -> float:
    minutes = volume_minutes(rate_ul_h)
    mass_g = rate_ul_h / 1000.0 * minutes / 60.0 * WATER_G_ML
    if limit.figure == "mass":
        return mass_g
    if limit.figure == "error":
        return volume_error_pct(mass_g, minutes, rate_ul_h)
    return next(value for value in (limit.least, limit.most) if value is not None)
