"""Every pump link and its emulated pump through orders, time and faults in any order; see `pump_bed`.

A deep search: HYPOTHESIS_PROFILE=search, with `--timeout 0`.
"""

import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from simulator.devices.fault import FaultKind
from tests.drivers.pump_bed import Bed

QUICK = os.environ.get("HYPOTHESIS_PROFILE", "same") == "same"

BEDS = [
    ("new-era", Role.DEXTROSE),
    ("new-era", Role.INSULIN),
    ("alaris", Role.INSULIN),
    ("harvard-ultra", Role.DEXTROSE),
    ("harvard-ultra", Role.INSULIN),
    ("harvard-22", Role.DEXTROSE),
    ("harvard-22", Role.INSULIN),
    ("graseby-3400", Role.DEXTROSE),
    ("graseby-3400", Role.INSULIN),
]

ANOTHER = {"new-era": "NE4000V2.1", "alaris": "8002-99999", "harvard-ultra": "OTHER", "harvard-22": "33V2.0"}
"""What another pump says it is; a Graseby cannot tell."""

OWN_FAULTS = {
    "new-era": ["alarm_next=S", "alarm_next=T", "auto_alarm=S", "ign_next", "reply_addr=7"],
    "alaris": ["drop_remote", "syringe=unconf", "alarms=2", "no_cr", "rate_echo=coarse"],
    "harvard-ultra": ["stop_ignored=3", "t_star_first", "echo", "poll=off", "rescale", "stall_latched"],
    "harvard-22": ["deaf"],
    "graseby-3400": ["stop_ignored=3", "refuse_start"],
}

HALVES = {
    "new-era": ["00RUN", "01RUN", "00RAT999", "01RAT999", "00RA"],
    "alaris": ["!INF_START|38F3", "!INF_RATE^999.00^ml/h|2"],
    "harvard-ultra": ["@irun", "1:@irun", "@irate 9999 ul/min", "1:@irate 9999 ul/min"],
    "harvard-22": ["00RUN", "01RUN", "00RAT999MH", "01RAT999MH"],
    "graseby-3400": ["<STRT>C7", "<CHGR9990>8"],
}
"""What is left in a pump when the wire breaks off inside a command."""

RATES_UL_H = st.sampled_from([1_000, 4_400, 10_000, 33_300, 60_000, 120_000, 200_000])
TIMES_MS = st.sampled_from([10, 50, 200, 500, 700, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000])
COUNTS = st.integers(1, 6)
WIRE = st.one_of(
    st.just("mute"),
    st.just("lose_reply"),
    st.integers(0, 20).map("cut={}".format),
    st.integers(0, 20).map("flip={}".format),
    st.tuples(st.integers(0, 20), st.sampled_from([40, 600, 2_000])).map(lambda at: f"gap={at[0]},{at[1]}"),
    st.sampled_from([30, 400, 700, 1_500, 4_000]).map("delay={}".format),
    st.sampled_from(["00", "02", "03", "0D", "0A", "11", "1B", "3A", "3E", "0A3A", "FF00"]).map(
        "noise={}".format
    ),
    st.sampled_from(["1", "3", "1-7"]).map("chunk={}".format),
)


class AnyOrder(RuleBasedStateMachine):
    """One pump; `driver` and `role` are set by each kind below."""

    driver = "new-era"
    role = Role.DEXTROSE
    bed: Bed

    @initialize(found_ul_h=st.one_of(st.none(), RATES_UL_H), at_ms=st.sampled_from([0, 100, 12_000]))
    def opens(self, found_ul_h: int | None, at_ms: int) -> None:
        self.bed = Bed(self.driver, self.role, found_ul_h)
        self.bed.run(at_ms)

    # --- orders ------------------------------------------------------------------------------

    @rule(rate_ul_h=RATES_UL_H)
    def starts(self, rate_ul_h: int) -> None:
        self.bed.order(StartPump(self.role, rate_ul_h, self.bed.epoch))

    @rule(rate_ul_h=RATES_UL_H, for_ms=st.sampled_from([2_000, 20_000]))
    def starts_and_waits(self, rate_ul_h: int, for_ms: int) -> None:
        self.starts(rate_ul_h)
        self.bed.run(for_ms)

    @rule(rate_ul_h=RATES_UL_H)
    def changes(self, rate_ul_h: int) -> None:
        self.bed.order(SetRate(self.role, rate_ul_h, self.bed.epoch))

    @rule(is_zero=st.booleans())
    def stops(self, is_zero: bool) -> None:
        epoch = self.bed.epoch
        self.bed.order(SetRate(self.role, 0, epoch) if is_zero else StopPump(self.role, epoch))

    @rule(is_old=st.booleans(), rate_ul_h=st.sampled_from([0, 500_000]))
    def orders_another(self, is_old: bool, rate_ul_h: int) -> None:
        other = Role.DEXTROSE if self.role is Role.INSULIN else Role.INSULIN
        role, epoch = (self.role, self.bed.epoch - 1) if is_old else (other, self.bed.epoch)
        orders: tuple[Command, ...] = (StartPump(role, rate_ul_h, epoch), SetRate(role, rate_ul_h, epoch))
        for order in (*orders, StopPump(role, epoch)):
            self.bed.order(order)

    # --- time --------------------------------------------------------------------------------

    @rule(for_ms=TIMES_MS)
    def waits(self, for_ms: int) -> None:
        self.bed.run(for_ms)

    @rule()
    def falls_silent(self) -> None:
        self.bed.silence()

    # --- the wire ----------------------------------------------------------------------------

    @rule(text=WIRE, count=COUNTS)
    def wire_fails(self, text: str, count: int) -> None:
        self.bed.happens(f"{text}/{count}")

    @rule()
    def wire_heals(self) -> None:
        self.bed.heal()

    @rule(for_ms=st.sampled_from([0, 400, 3_000, 8_000, 20_000]), reopens=st.booleans(), swaps=st.booleans())
    def cable_is_pulled(self, for_ms: int, reopens: bool, swaps: bool) -> None:
        """Another pump, or the same, hangs on it when it is back."""
        bed = self.bed
        bed.happens("unplug")
        bed.run(for_ms)
        if swaps and self.driver in ANOTHER:
            if bed.swapped:
                bed.ends(FaultKind.IDENTITY)
            else:
                bed.happens(f"identity={ANOTHER[self.driver]}")
        bed.heal()
        if reopens:
            bed.open()

    @rule(data=st.data())
    def wire_breaks_off(self, data: st.DataObject) -> None:
        half = data.draw(st.sampled_from(HALVES[self.driver]))
        self.bed.note(f"{half} without its end")
        self.bed.device.receive(half.encode(), self.bed.now_ms)
        self.bed.open()

    # --- the pump ----------------------------------------------------------------------------

    @rule(key=st.one_of(st.sampled_from(["start", "stop"]), RATES_UL_H.map("rate,{}".format)))
    def someone_presses(self, key: str) -> None:
        self.bed.key(f"key={key}")

    @rule(restarts=st.booleans())
    def power_fails(self, restarts: bool) -> None:
        self.bed.happens("power_cycle")
        if restarts:
            self.bed.ends(FaultKind.SYRINGE)  # confirmed, where that is asked
            self.bed.key("key=start")

    @precondition(lambda self: self.driver != "harvard-22")  # a 2000 senses no stall
    @rule(is_blocked=st.booleans())
    def plunger_sticks(self, is_blocked: bool) -> None:
        if is_blocked:
            self.bed.happens("stall")
        else:
            self.bed.ends(FaultKind.STALL)

    @rule(ul=st.sampled_from(["", "=5", "=500"]))
    def counter_falls(self, ul: str) -> None:
        self.bed.happens(f"counter_back{ul}")

    @rule(data=st.data())
    def own_fault(self, data: st.DataObject) -> None:
        text = data.draw(st.sampled_from(OWN_FAULTS[self.driver]))
        self.bed.happens(text)
        if data.draw(st.booleans()):
            self.bed.run(data.draw(TIMES_MS))
            self.bed.ends(FaultKind(text.partition("=")[0]))

    def teardown(self) -> None:
        if hasattr(self, "bed") and not self.bed.is_broken:
            self.bed.end()


@pytest.mark.parametrize(("driver", "role"), BEDS, ids=lambda one: getattr(one, "value", one))
def test_the_promises_hold(driver: str, role: Role) -> None:
    kind = type("AnyOrder", (AnyOrder,), {"driver": driver, "role": role})
    steps = settings(max_examples=80, stateful_step_count=30) if QUICK else settings()
    run_state_machine_as_test(kind, settings=steps)
