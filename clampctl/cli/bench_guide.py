"""The guide through a bench sheet: asks, leads through every proof, and gives the sheet.

Moves a pump, so it asks first; whatever ends it, a pump that it ordered is told to stop. The proofs
themselves are in `bench_steps`, limits in `study.bench_proofs`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from clampctl import __version__
from clampctl.cli.bench_pump import PumpAtBench, words
from clampctl.cli.bench_step import Bench
from clampctl.cli.bench_steps import STEPS
from clampctl.cli.bench_talk import NOT_CONNECTED, Engineer
from clampctl.core.commands import Role
from clampctl.core.events import PumpIdentified, PumpState
from clampctl.core.protocol import Refusal
from clampctl.engine.clock import utc_now
from clampctl.study.bench_proofs import (
    RIGHT_ON_SILENCE,
    UNPROVEN,
    Needed,
    Proof,
    ProofName,
    bench_rates,
    needed_proofs,
    shortcomings,
)
from clampctl.study.bench_sheet import BenchSheet
from drivers.capabilities import PumpCapabilities


@dataclass(frozen=True, slots=True)
class UnderTest:
    """The pump and role that are to be proved; `watchdog_s` None for one that must not stop on silence."""

    driver: str
    role: Role
    diameter_um: int | None
    watchdog_s: int | None
    rates_ul_h: tuple[int, int, int]


def under_test(driver: str, role: Role, diameter_um: int | None, capabilities: PumpCapabilities) -> UnderTest:
    """What is to be proved, from what the driver says of its pump.

    Refused for a role in which the driver knows the pump to be wrong, before anything is opened.
    """
    right = RIGHT_ON_SILENCE.get(role)
    known = capabilities.on_silence.get(role)
    watchdog_s = capabilities.watchdog_s if role is Role.INSULIN else None
    if right is None or known is None or known not in (right, UNPROVEN):
        raise Refusal("role", f"The {driver} pump cannot serve as {role} pump: on silence it {known}.")
    if role is Role.INSULIN and watchdog_s is None:
        raise Refusal("role", f"The {driver} pump has no time after which it stops by itself on silence.")
    if capabilities.has_syringe and diameter_um is None:
        raise Refusal("diameter", "Give the inner diameter of the syringe in the pump, in mm.")
    rates = bench_rates(role, capabilities.rate_ul_h_min, capabilities.rate_ul_h_max, capabilities.rate_steps)
    return UnderTest(driver, role, diameter_um if capabilities.has_syringe else None, watchdog_s, rates)


def guide(
    pump: PumpAtBench, engineer: Engineer, tested: UnderTest, now_utc: Callable[[], str] = utc_now
) -> BenchSheet:
    """Lead through every proof; the sheet holds those that failed too.

    Refused before anything is written to the pump unless the engineer types that nobody is connected.
    A pump found running is left alone. Whatever ends the guide, a pump it has ordered is stopped.
    """
    needed = needed_proofs(
        RIGHT_ON_SILENCE[tested.role], tested.watchdog_s, tested.diameter_um, tested.rates_ul_h
    )
    engineer.say(
        f"{len(needed)} proofs for a {tested.driver} pump as {tested.role} pump. It will run with water "
        f"at up to {tested.rates_ul_h[2] / 1000:g} mL/h, into a beaker. Ctrl-C stops it at any time."
    )
    if (
        engineer.ask(f"Type {NOT_CONNECTED} if the pump is not connected to a person:").strip()
        != NOT_CONNECTED
    ):
        raise Refusal("bench", "Nothing was opened or moved: the pump may be connected to a person.")
    name, initials = engineer.text("Your name:"), engineer.text("Your initials:")
    told = _opened(pump)
    told_serial = _told(told.detail, "serial number") or _told(told.detail, "serial")
    serial = told_serial or engineer.text("The serial number on the pump's label:")
    firmware = _told(told.detail, "firmware") or engineer.text("The pump's firmware version, as it shows it:")
    label = f"serial number {serial} {'told' if told_serial else 'off the label'}"
    bench = Bench(pump, engineer, label, tested.rates_ul_h, tested.watchdog_s, tested.diameter_um)
    try:
        proofs = tuple(_proved(one, bench) for one in needed)
    finally:
        if pump.was_ordered and not pump.rest():
            engineer.say("\aTHE PUMP DID NOT CONFIRM ITS STOP. Stop it by its own key, now.")
    held = {proof.name for proof in proofs if proof.passed}
    return BenchSheet(
        driver=tested.driver,
        model=told.model,
        firmware=firmware,
        serial=serial,
        role=tested.role,
        diameter_um=tested.diameter_um,
        date_utc=now_utc(),
        engineer=name,
        initials=initials,
        software=f"clampctl {__version__}",
        rates_ul_h=tested.rates_ul_h,
        watchdog_s=tested.watchdog_s,
        on_silence=RIGHT_ON_SILENCE[tested.role] if ProofName.CABLE_PULL in held else UNPROVEN,
        proofs=proofs,
    )


def _opened(pump: PumpAtBench) -> PumpIdentified:
    """Who the pump is; refused unless it is the expected one and stands still."""
    told, report = pump.open(), pump.last_report()
    if told is None or report is None:
        raise Refusal("bench", "The pump did not say who it is; look at cable, address and serial settings.")
    if told.mismatch is not None:
        raise Refusal("bench", f"This pump is not the one to be proved: {told.mismatch}.")
    if report.state is PumpState.RUNNING:
        raise Refusal(
            "bench", "The pump is running and was left alone; a bench sheet begins with one stopped."
        )
    return told


def _proved(needed: Needed, bench: Bench) -> Proof:
    """One proof, made again for as long as it fails and the engineer wants to."""
    engineer, tries = bench.engineer, 0
    engineer.say(f"-- {needed.name}: {needed.asked}")
    while True:
        tries += 1
        seen = STEPS[needed.name](bench)
        _rested(bench)
        lacking = shortcomings(needed, seen.figures)
        passed = seen.holds and not lacking
        for figure in seen.figures:
            engineer.say(f"   {figure.name}: {figure.value:.6g} {figure.unit}")
        engineer.say("   proved" if passed else f"   NOT proved: {' '.join(lacking) or seen.heard}")
        if passed or not engineer.yes("Make this proof again?"):
            return Proof(needed.name, needed.asked, seen.answer, seen.heard, seen.figures, tries, passed)


def _rested(bench: Bench) -> None:
    """The pump stopped again after a step; an alarm that it holds is cleared by the engineer."""
    if not bench.pump.was_ordered:
        return
    if not bench.pump.rest():
        bench.engineer.say("The pump did not confirm its stop. Look at the pump.")
        return
    report = bench.pump.last_report()
    if report is not None and report.state is not PumpState.STOPPED:
        bench.engineer.did(f"The pump is {words(report)}. Clear this at the pump itself; do not start it.")
        bench.pump.rest()


def _told(detail: str, word: str) -> str:
    """What a link's detail says after a word, such as the version after "firmware"; "" when nothing."""
    found = re.search(rf"\b{word} ([^,;]+)", detail)
    return "" if found is None or found[1].strip() in ("unknown", "not told") else found[1].strip()
