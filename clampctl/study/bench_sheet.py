"""The bench sheet: one pump in one role, what was proved of it, by whom; its text and its judgement.

Automatic mode needs a sheet that covers the very pump (SR-32). A sheet is judged anew each time it is
read, by the limits of this program. Not here: the signature around it (`engine.signature`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from clampctl.core.codec import canonical, plain
from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from clampctl.study.bench_proofs import (
    RIGHT_ON_SILENCE,
    SAFE_RATE_UL_H,
    Needed,
    Proof,
    ProofName,
    needed_proofs,
    shortcomings,
    volume_error_pct,
)


@dataclass(frozen=True, slots=True)
class BenchSheet:
    """What one engineer proved of one pump in one role.

    `model` and `firmware` are the pump's own words; `serial` is read over the wire where the pump
    tells it, else off its label (the identity's proof says which). `diameter_um` is None for a pump
    without a syringe. `date_utc` is ISO 8601. `rates_ul_h` are the low, middle and high rate tried.
    `on_silence` is what the cable pull proved, and `watchdog_s` the time within which it stopped,
    None for a pump that must not stop.
    """

    driver: str
    model: str
    firmware: str
    serial: str
    role: Role
    diameter_um: int | None
    date_utc: str
    engineer: str
    initials: str
    software: str
    rates_ul_h: tuple[int, int, int]
    watchdog_s: int | None
    on_silence: str
    proofs: tuple[Proof, ...]


# --- text ------------------------------------------------------------------------------------


def sheet_body(sheet: BenchSheet) -> Any:
    """A sheet as plain JSON data, to be signed."""
    return plain(sheet)


def sheet_text(sheet: BenchSheet) -> str:
    """The one canonical JSON text of a sheet."""
    return canonical(sheet_body(sheet))


def read_sheet(body: Any) -> BenchSheet:
    """A sheet from plain JSON data; refused when it is none, or says anything besides."""
    try:
        sheet = msgspec.convert(body, BenchSheet)
        same = sheet_text(sheet) == canonical(body)
    except (msgspec.ValidationError, ValueError):
        same = False
    if not same:
        raise Refusal("bench_sheet", "This is not a bench sheet of this version of clampctl.")
    return sheet


# --- judgement -------------------------------------------------------------------------------


def judged(sheet: BenchSheet) -> list[str]:
    """One sentence for each thing that keeps a sheet from admitting its pump; none is good."""
    found = [
        f"The sheet does not say the {name}."
        for name, value in (
            ("model", sheet.model),
            ("firmware", sheet.firmware),
            ("serial number", sheet.serial),
            ("engineer's name", sheet.engineer),
            ("engineer's initials", sheet.initials),
        )
        if not value.strip()
    ]
    if not _is_date(sheet.date_utc):
        found.append("The sheet does not say its date.")
    right = RIGHT_ON_SILENCE.get(sheet.role)
    if right is None:
        return [*found, f"A bench sheet is for a pump, not for the {sheet.role}."]
    if sheet.on_silence != right:
        found.append(
            f"On silence the {sheet.role} pump {_does(sheet.on_silence)}; it must be one that {right}."
        )
    if not 0 < sheet.rates_ul_h[0] < sheet.rates_ul_h[1] < sheet.rates_ul_h[2] <= SAFE_RATE_UL_H[sheet.role]:
        found.append("The rates tried are not a low, a middle and a high rate that are safe at the bench.")
    try:
        needed = needed_proofs(right, sheet.watchdog_s, sheet.diameter_um, sheet.rates_ul_h)
    except Refusal as refusal:
        return [*found, refusal.sentence]
    for one in needed:
        found += _judged_proof(one, [proof for proof in sheet.proofs if proof.name is one.name])
    return found


def _judged_proof(needed: Needed, made: list[Proof]) -> list[str]:
    match made:
        case [proof]:
            found = shortcomings(needed, proof.figures)
            if proof.name is ProofName.VOLUME and not found and not _adds_up(proof):
                found.append("Volume: the error does not follow from mass, minutes and rate.")
            if not proof.passed and not found:
                found.append(f"{needed.name.capitalize()}: not proved. {needed.asked}")
            return found
        case []:
            return [f"{needed.name.capitalize()}: missing. {needed.asked}"]
        case _:
            return [f"{needed.name.capitalize()}: stands on the sheet more than once."]


def _adds_up(proof: Proof) -> bool:
    value = {figure.name: figure.value for figure in proof.figures}
    error_pct = volume_error_pct(value["mass"], value["minutes"], int(value["rate"]))
    return abs(error_pct - value["error"]) < 0.01


def _is_date(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _does(on_silence: str) -> str:
    return f"was seen as one that {on_silence}" if on_silence in RIGHT_ON_SILENCE.values() else "is unproven"


def covers(
    sheet: BenchSheet,
    driver: str,
    role: Role,
    model: str,
    serial: str,
    diameter_um: int | None,
    watchdog_s: int | None,
) -> str | None:
    """Why this sheet does not admit this pump to automatic mode, in one sentence; None when it does.

    `model` is how the pump's own name begins, as links compare it, without regard to case and hyphens;
    everything else is compared exactly. An unknown serial number ("") is never covered.
    """
    if not serial:
        return f"The {role} pump's serial number is not known, so no bench sheet can be its own."
    for name, proved, used in (
        ("driver", sheet.driver, driver),
        ("role", sheet.role.value, role.value),
        ("model", sheet.model, sheet.model if _begins(sheet.model, model) else model),
        ("serial number", sheet.serial, serial),
        ("syringe", _syringe(sheet.diameter_um), _syringe(diameter_um)),
        ("stop on silence", _watchdog(sheet.watchdog_s), _watchdog(watchdog_s)),
    ):
        if proved != used:
            return f"The bench sheet is for another pump or use: its {name} is {proved}, here it is {used}."
    failures = judged(sheet)
    return f"The bench sheet does not admit the {role} pump: {failures[0]}" if failures else None


def _syringe(diameter_um: int | None) -> str:
    return "none" if diameter_um is None else f"{diameter_um / 1000:.3f} mm"


def _watchdog(watchdog_s: int | None) -> str:
    return "none" if watchdog_s is None else f"after {watchdog_s} s"


def _begins(own_name: str, model: str) -> bool:
    return bool(_bare(model)) and _bare(own_name).startswith(_bare(model))


def _bare(model: str) -> str:
    return "".join(sign for sign in model if sign.isalnum()).casefold()
