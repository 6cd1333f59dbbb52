"""A pump on a virtual bench and an honest engineer: what is asked is done to the emulator, and told truly."""

from collections.abc import Callable

from clampctl.cli.bench_guide import UnderTest, guide, under_test
from clampctl.cli.bench_pump import Heard, PumpAtBench
from clampctl.cli.bench_talk import Engineer
from clampctl.core.commands import Command, Role
from clampctl.study.bench_proofs import SAFE_RATE_UL_H, Proof, ProofName
from clampctl.study.bench_sheet import BenchSheet
from drivers.link import Expected, Link
from drivers.pumps.new_era import CAPABILITIES, NewEra
from simulator.devices.device import PumpDevice
from simulator.devices.fault import FaultKind
from simulator.devices.new_era import NewEra as EmulatedNewEra
from simulator.devices.new_era_settings import NewEraSettings
from tests.faults.pair import Pair

STEP_MS = 50
PUMP_ROLES = (Role.DEXTROSE, Role.INSULIN)
DIAMETER_UM = 26_590
PATIENCE_MS = 20_000
"""How long the engineer watches a pump that should stop."""


QUESTIONS_MAX = 100


class VirtualWires:
    """A pair of link and emulator as the guide's wires; every event keeps its time to 50 ms."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.waiting: list[Heard] = []
        self._taken = 0

    def now_ms(self) -> int:
        return self.pair.now_ms

    def turn(self) -> list[Heard]:
        self.pass_ms(STEP_MS)
        heard, self.waiting = self.waiting, []
        return heard

    def send(self, command: Command) -> None:
        self.pair.order(command)
        self._stamp()

    def reopen(self) -> None:
        self.pair.open()
        self._stamp()

    def close(self) -> None:
        return

    def pass_ms(self, ms: int) -> None:
        """Let time pass while nobody listens; what comes waits."""
        end_ms = self.pair.now_ms + ms
        while self.pair.now_ms < end_ms:
            self.pair.run(min(STEP_MS, end_ms - self.pair.now_ms))
            self._stamp()

    def _stamp(self) -> None:
        new = self.pair.events[self._taken :]
        self._taken += len(new)
        self.waiting += [Heard(self.pair.now_ms, event) for event in new]


class Hands:
    """The engineer. `instead` replaces the answer to questions that hold a text; it may act, and raise."""

    def __init__(self, role: Role, link: Link | None = None, device: PumpDevice | None = None) -> None:
        expected = Expected(
            role,
            diameter_um=DIAMETER_UM,
            watchdog_s=CAPABILITIES.watchdog_s if role is Role.INSULIN else None,
        )
        self.device = device or EmulatedNewEra(NewEraSettings(diameter_um=DIAMETER_UM))
        self.wires = VirtualWires(Pair(link or NewEra(expected), self.device))
        self.asked: list[str] = []
        self.said: list[str] = []
        self.fastest_ul_h = 0
        self.tared_ul = 0.0
        self.instead: dict[str, Callable[[], str]] = {}

    def say(self, text: str) -> None:
        self.said.append(text)

    def ask(self, question: str) -> str:
        self.asked.append(question)
        assert len(self.asked) < QUESTIONS_MAX, f"asked again and again: {question!r}"
        self.wires.pass_ms(2_000)
        self.fastest_ul_h = max(self.fastest_ul_h, self.device.flow_ul_h)
        for text, answer in (self.instead | self._usual | self.instead).items():
            if text in question:
                return answer()
        raise AssertionError(f"nobody knows what to answer to {question!r}")

    def inject(self, text: str) -> str:
        self.wires.pair.inject(text)
        return ""

    def clear(self, kind: FaultKind) -> str:
        self.wires.pair.clear(kind)
        return ""

    @property
    def _usual(self) -> dict[str, Callable[[], str]]:
        return {
            "Type NOT CONNECTED": lambda: "NOT CONNECTED",
            "Your name": lambda: "Ada Example",
            "initials": lambda: "AE",
            "on the pump's label": lambda: "4711",
            "label agree": lambda: "yes",
            "does the pump itself show": lambda: "26.59",
            "Set a syringe of another": lambda: self.inject("diameter=14.5") or "14.5",
            "Set the right syringe": lambda: self.inject("diameter=26.59"),
            "Tare": self._tare,
            "balance show": lambda: f"{(self.device.delivered_ul - self.tared_ul) / 1000 * 0.998:.2f}",
            "own key": lambda: self.inject("key=stop"),
            "Clamp the line": self._clamp,
            "Open the clamp": lambda: self.clear(FaultKind.STALL),
            "Press Enter at the moment": self._watch_it_stop,
            "leave it out": lambda: self.inject("unplug"),
            "drops fall": lambda: "yes" if self.device.flow_ul_h else "no",
            "Put the cable back": lambda: self.clear(FaultKind.UNPLUG),
            "Clear this at the pump": lambda: self.inject("key=stop"),
            "Switch the pump off": lambda: self.inject("power_cycle"),
            "stand still": lambda: "no" if self.device.flow_ul_h else "yes",
            "again?": lambda: "no",
        }

    def _tare(self) -> str:
        self.tared_ul = self.device.delivered_ul
        return ""

    def _clamp(self) -> str:
        self.inject("stall")
        self.wires.pass_ms(3_000)
        return ""

    def _watch_it_stop(self) -> str:
        self.inject("unplug")
        for _ in range(PATIENCE_MS // STEP_MS):
            if not self.device.flow_ul_h:
                return ""
            self.wires.pass_ms(STEP_MS)
        return "no"


def pump_of(role: Role) -> UnderTest:
    return under_test("new-era", role, DIAMETER_UM, CAPABILITIES)


def guided(hands: Hands, role: Role, tested: UnderTest | None = None) -> BenchSheet:
    pump = PumpAtBench(hands.wires, role, SAFE_RATE_UL_H[role])
    return guide(
        pump, Engineer(hands.ask, hands.say), tested or pump_of(role), lambda: "2026-11-22T10:00:00Z"
    )


def proof(sheet: BenchSheet, name: ProofName) -> Proof:
    (found,) = (one for one in sheet.proofs if one.name is name)
    return found
