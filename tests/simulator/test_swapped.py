"""Three devices on three ports, in every wrong order: found before a byte that could move a pump."""

import re
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any, cast

import pytest

from clampctl.core.commands import Role
from clampctl.core.events import BasalStarted, ClampStarted, Event
from clampctl.core.state import Phase
from clampctl.engine.journal import Journal
from clampctl.engine.opening import session_started
from clampctl.study.load import load_protocol
from drivers.catalog import ANALYZERS, PUMPS
from simulator.bedside import Bedside
from simulator.bench import Bench, Wired
from simulator.clamp import virtual_subject
from simulator.devices import EMULATED
from simulator.devices.device import PumpDevice
from simulator.furniture import Choice, furniture
from simulator.models import MODELS, Person
from simulator.nurse import Nurse, Seen
from simulator.subjects.variability import NOISES

MOVING = re.compile(
    rb"RUN|STRT|CHGR|INF_START|INF_RATE\^|INF_VTBI\^A|IRATE +\d|RAT *\d|PUR|SAF|DIR[IWR]|VOL\d|TVOLUME +\d"
    rb"|PHN|FUN|ULH|ULM|MLH|MLM|REMOTE_CTRL\^E",
    re.IGNORECASE,
)
"""What starts a pump, sets its rate, takes it under control or changes its program, in every dialect."""

ORDERS = [order for order in permutations(range(3)) if order != (0, 1, 2)]
EMULATED_PUMPS = [name for name in PUMPS if name in EMULATED]
CHOICES = [
    *(Choice(dextrose=pump) for pump in EMULATED_PUMPS if pump != "alaris"),
    *(Choice(insulin=pump) for pump in EMULATED_PUMPS),
    *(Choice(analyzer=name) for name in ANALYZERS if name in EMULATED),
    *(Choice(pump, pump) for pump in EMULATED_PUMPS if PUMPS[pump].told_by and pump != "alaris"),
]


class Overheard:
    """A device that keeps what was written to it."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self.heard = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.device, name)

    def receive(self, data: bytes, now_ms: int) -> None:
        self.heard += data
        self.device.receive(data, now_ms)


class Impatient(Nurse):
    """Presses START at every look, whatever the screen says."""

    def look(self, seen: Seen, now_ms: int) -> list[Event]:  # noqa: ARG002 - as a nurse looks
        if seen.phase == "setup":
            return [BasalStarted("n"), ClampStarted("n")]
        return [ClampStarted("n")]


def bench(choice: Choice, order: tuple[int, ...], path: Path) -> tuple[Bench, dict[Role, Overheard], Journal]:
    """A bed whose cables were plugged in another order."""
    stands = furniture(choice)
    roles = list(stands.devices)
    heard = {role: Overheard(device) for role, device in stands.devices.items()}
    wires = tuple(
        Wired(role, stands.links[role], cast(Any, heard[roles[order[place]]]))
        for place, role in enumerate(roles)
    )
    protocol = load_protocol("euglycemic-40")
    subject = MODELS["composite"].one(Person("lean"))
    bedside = Bedside(
        subject, NOISES["none"], 1, stands.dextrose, stands.insulin, stands.analyzer, protocol.infusates
    )
    first = session_started(protocol, virtual_subject(subject, "s"), stands.station, "s", "")
    journal = Journal(path, lambda _: None)
    return Bench(journal, first, wires, bedside, Impatient(protocol.sampling_ms)), heard, journal


def pumps(heard: dict[Role, Overheard]) -> Iterator[tuple[PumpDevice, bytes]]:
    for role in (Role.DEXTROSE, Role.INSULIN):
        yield heard[role].device, bytes(heard[role].heard)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "".join(map(str, order)))
@pytest.mark.parametrize("choice", CHOICES, ids=lambda one: f"{one.dextrose}-{one.insulin}-{one.analyzer}")
def test_swapped_ports_move_nothing(choice: Choice, order: tuple[int, ...], tmp_path: Path) -> None:
    swapped, heard, journal = bench(choice, order, tmp_path / "swapped.clamp.jsonl")
    swapped.run(lambda _: False, 120_000)
    state = swapped.state
    journal.close()
    misplaced = [
        role for place, role in enumerate(heard) if order[place] != place and role is not Role.ANALYZER
    ]
    for role in misplaced:
        pump = state.dextrose if role is Role.DEXTROSE else state.insulin
        assert not pump.identified, f"the {role.value} link took what it found for its pump"
    assert state.clamp_started_ms is None
    assert state.phase in (Phase.SETUP, Phase.BASAL)
    for place, role in enumerate(heard):
        target = list(heard)[order[place]]
        if target is not Role.ANALYZER and order[place] != place:
            found = MOVING.search(bytes(heard[target].heard))
            assert found is None, (
                f"{found.group()!r} went to the {target.value} pump from the {role.value} link"
            )
    for device, _ in pumps(heard):
        assert (device.delivered_ul, device.flow_ul_h) == (0, 0)


def test_in_the_right_order_the_same_words_are_written(tmp_path: Path) -> None:
    right, heard, journal = bench(Choice(), (0, 1, 2), tmp_path / "right.clamp.jsonl")
    right.run(lambda _: False, 120_000)
    journal.close()
    assert right.state.dextrose.identified
    assert right.state.insulin.identified
    assert all(MOVING.search(words) for _, words in pumps(heard))
