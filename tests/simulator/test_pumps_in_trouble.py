"""Every pump in every role, in every trouble, amid a clamp: what truly flows, what is said, what replays.

The clamp of each pair of pumps runs once to minute 35 and is copied there; each row goes on from a copy.
"""

from collections.abc import Iterator
from enum import Enum, auto
from itertools import pairwise
from pathlib import Path

import pytest

from clampctl.core.commands import Role
from clampctl.core.events import InsulinStopPressed, LinkLost
from clampctl.core.protocol import Refusal
from clampctl.core.state import Phase, State
from clampctl.engine.replay import replay
from simulator.clamp import SET_UP_MS
from simulator.faults import Planned, planned
from simulator.furniture import Choice
from tests.simulator.copied_bed import Bed, Moment, replayed

D, INS = Role.DEXTROSE, Role.INSULIN
MIN = 60_000
FAULT_AT_MS = 35 * MIN + 345
"""Between two polls: a link amid a question could not be copied."""

WATCHED_MS, AFTERWARDS_MS = 5 * MIN, 60 * MIN
SIGN_MS = 35_000
POLL_MS = 5_000
LEAST_MG_DL = 60.0
SHARE, QUANTUM_UL = 1.02, 1.0
HELD = 0.98
NOT_OFF = "insulin NOT seen off: stop it at the pump"
NOT_FLOWING = "dextrose NOT seen flowing: go to its pump"

PAIRS = {
    "new-era": Choice(),
    "alaris": Choice(insulin="alaris"),
    "harvard-ultra": Choice("harvard-ultra", "harvard-ultra"),
    "harvard-22": Choice("harvard-22", "harvard-22"),
    "graseby-3400": Choice("graseby-3400", "graseby-3400"),
}
"""The pair of pumps in which a driver is tried; the Alaris takes insulin only."""

OTHER = {"new-era": "NE4000V2.1", "alaris": "8002-99999", "harvard-ultra": "99999", "harvard-22": "9"}
"""Another pump of the make, as far as it can be told from this one: not the Graseby."""

ROLLING = ("harvard-ultra", "harvard-22")
"""No watchdog: a rolling target volume stops them, within minutes (drivers.pumps.harvard_link)."""

UNTOLD = ("adapter", "key=start", "STOP")
"""An order to stop that is not heard, or not at once: what stops the pump is its own limit."""

UNFELT_MS = {("harvard-22", INS, "stall"): 60_000}
"""A PHD 2000 feels no stall: only its counter shows it, once it has to have moved."""


class End(Enum):
    """How a row must end."""

    GOES_ON = auto()  # the clamp goes on, nothing urgent is said
    WARNED = auto()  # the clamp goes on under a high alarm
    COVERED = auto()  # SAFE-TAIL: insulin truly off in time, dextrose truly flows
    DRY = auto()  # SAFE-TAIL: insulin truly off in time, the dextrose pump stands: it is for a person
    LATE = auto()  # SAFE-TAIL: insulin stops late, by the pump's own limit, and it is said at once
    RUNS_ON = auto()  # SAFE-TAIL: insulin runs on, and it is said; dextrose follows it


ANY: dict[Role, dict[str, End]] = {
    D: {
        "unplug": End.COVERED, "unplug 30 s": End.COVERED, "mute": End.COVERED, "mute 10 s": End.GOES_ON,
        "mute 40 s": End.COVERED, "power_cycle": End.DRY, "key=stop": End.DRY, "key=start": End.GOES_ON,
        "key=rate": End.COVERED, "key=rate,90000": End.COVERED, "stall": End.DRY, "counter_back": End.WARNED,
        "drift=20": End.GOES_ON, "swapped 30 s": End.COVERED, "adapter 20 s": End.COVERED,
        "adapter swapped 20 s": End.COVERED, "lose_reply": End.GOES_ON, "chunk=3": End.GOES_ON,
        "max_rate=70000": End.COVERED, "stop_ignored=3": End.GOES_ON, "deaf 60 s": End.COVERED,
        "alarm_next": End.DRY, "stall_latched": End.DRY,
    },
    INS: {
        "unplug": End.COVERED, "unplug 30 s": End.COVERED, "mute": End.COVERED, "mute 10 s": End.GOES_ON,
        "mute 40 s": End.COVERED, "power_cycle": End.COVERED, "key=stop": End.COVERED,
        "key=start": End.GOES_ON, "key=rate": End.COVERED, "key=rate,4600": End.COVERED,
        "stall": End.COVERED, "counter_back": End.WARNED, "drift=20": End.GOES_ON,
        "swapped 30 s": End.COVERED, "adapter 20 s": End.COVERED, "adapter swapped 20 s": End.COVERED,
        "lose_reply": End.GOES_ON, "chunk=3": End.GOES_ON, "drop_remote": End.RUNS_ON,
        "permit=no": End.RUNS_ON, "syringe=unconf": End.GOES_ON, "alarms=2": End.COVERED,
        "stop_ignored=3": End.GOES_ON, "STOP stop_ignored=3": End.COVERED, "deaf 60 s": End.LATE,
        "alarm_next": End.COVERED, "stall_latched": End.COVERED,
    },
}  # fmt: skip
"""What a trouble must end in, whatever the pump."""

SILENT = (
    "unplug",
    "unplug 30 s",
    "mute",
    "mute 40 s",
    "swapped 30 s",
    "adapter 20 s",
    "adapter swapped 20 s",
)
BUT: dict[tuple[str, Role, str], End] = {
    **{(driver, INS, trouble): End.LATE for driver in ROLLING for trouble in SILENT},
    # their watchdogs of 5 and 10 s are shorter than the silence
    ("new-era", INS, "mute 10 s"): End.COVERED,
    ("graseby-3400", INS, "mute 10 s"): End.COVERED,
    # START at the pump ends remote control; its bench-proven watchdog stops insulin
    ("graseby-3400", D, "key=start"): End.COVERED,
    ("graseby-3400", INS, "key=start"): End.COVERED,
    # no counter to go back
    ("graseby-3400", D, "counter_back"): End.GOES_ON,
    ("graseby-3400", INS, "counter_back"): End.GOES_ON,
}
"""Where a pump differs, and why."""


@pytest.fixture(scope="module")
def beds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bed]:
    """Each pair's clamp after 35 min."""
    found = {}
    for driver, choice in PAIRS.items():
        bed = Bed(choice, tmp_path_factory.mktemp("beds") / f"{driver}.clamp.jsonl")
        bed.bench.run(lambda state: state.clamp_started_ms is not None, SET_UP_MS)
        bed.until((bed.bench.state.clamp_started_ms or 0) + FAULT_AT_MS)
        found[driver] = bed
    return found


def rows() -> Iterator[tuple[str, Role, str, End]]:
    """Every trouble that a pump can have in its role."""
    for driver, choice in PAIRS.items():
        for role, troubles in ANY.items():
            if driver not in (choice.dextrose if role is D else choice.insulin,):
                continue
            for trouble, end in troubles.items():
                if "swapped" in trouble and driver not in OTHER:
                    continue
                if "adapter" in trouble or "swapped" in trouble or _possible(driver, role, trouble):
                    yield driver, role, trouble, BUT.get((driver, role, trouble), end)


def _possible(driver: str, role: Role, trouble: str) -> bool:
    try:
        _entries(PAIRS[driver], role, trouble)
    except Refusal:
        return False
    return True


def _entries(choice: Choice, role: Role, trouble: str) -> tuple[Planned, ...]:
    """A trouble's fault as of minute 0, and its end where it has one."""
    name, _, seconds = trouble.removeprefix("STOP ").removesuffix(" s").partition(" ")
    return planned(f"{role.value}:{name}@0" + (f"-{int(seconds) / 60}" if seconds else ""), choice)


def befall(bed: Bed, driver: str, role: Role, trouble: str) -> None:
    """The trouble begins now, and ends where it ends."""
    now_ms, link = bed.bench.now_ms, bed.stands.links[role]
    adapter = trouble.startswith("adapter")
    words = trouble.split()
    if "swapped" in trouble:
        (other,) = planned(f"{role.value}:identity={OTHER[driver]}@0", bed.choice)
        other.happen(bed.bedside, now_ms)
    if adapter or "swapped" in trouble:
        trouble = f"unplug {words[-2]} s"
    for entry in _entries(bed.choice, role, trouble):
        bed.until(now_ms + entry.at_ms)
        entry.happen(bed.bedside, bed.bench.now_ms)
        if adapter and entry.begins:
            bed.bench.accept(LinkLost(role, "the adapter is gone"))
        elif adapter:
            link.opened(2, bed.bench.now_ms)
    if trouble.startswith("STOP"):
        bed.bench.accept(InsulinStopPressed("n"))


def ordered_ul(before: State, moments: list[Moment], begun_ms: int, end_ms: int) -> float:
    """What the program meant to be given of insulin, by its own plan."""
    times = [begun_ms, *(moment.state.at_ms for moment in moments), end_ms]
    rates = [before.insulin_ul_h, *(moment.state.insulin_ul_h for moment in moments)]
    return sum(rate * (to - at) for rate, (at, to) in zip(rates, pairwise(times), strict=True)) / 3_600_000


@pytest.mark.parametrize(("driver", "role", "trouble", "end"), list(rows()), ids=str)
def test_a_pump_in_trouble(
    driver: str, role: Role, trouble: str, end: End, beds: dict[str, Bed], tmp_path: Path
) -> None:
    before = beds[driver]
    bed = before.copied(tmp_path / "one.clamp.jsonl")
    begun_ms = bed.bench.now_ms
    bed.stands.insulin.advance(begun_ms)
    given_ul = bed.stands.insulin.delivered_ul
    befall(bed, driver, role, trouble)
    bed.until(begun_ms + WATCHED_MS)
    moments = bed.moments
    assert replayed(bed.journal.path.read_bytes(), before) == len(moments) > 300
    sign_ms = begun_ms + UNFELT_MS.get((driver, role, trouble), 0)
    if trouble.startswith("max_rate"):
        sign_ms, why = next((m.state.at_ms, m.refusal) for m in moments if m.refusal)
        assert f"{role.value} pump does not hold the commanded rate: {why}" in moments[-1].tail
    limit_ms = 1000 * (bed.bench.state.session.station.insulin_pump.watchdog_s or 0)
    ended_as_it_must(end, moments, sign_ms, limit_ms)
    if end is not End.RUNS_ON and trouble != "drift=20":
        meant_ul = ordered_ul(before.bench.state, moments, begun_ms, bed.bench.now_ms)
        untold = end is End.LATE or trouble.split()[0] in UNTOLD
        more_ul = before.bench.state.insulin_ul_h * limit_ms / 3_600_000 if untold else 0.0
        assert bed.stands.insulin.delivered_ul - given_ul <= SHARE * meant_ul + QUANTUM_UL + more_ul
    last = moments[-1]
    if role is INS and "swapped" in trouble:
        assert NOT_OFF in last.tail, "another pump's word was taken"
    if end is End.DRY:
        assert last.dextrose_ul_h == 0
        assert NOT_FLOWING in last.tail
    else:
        assert min(moment.dextrose_ul_h for moment in moments) > 0
        assert last.dextrose_ul_h >= HELD * last.state.dosing.rate_ul_h or trouble == "drift=20"


def ended_as_it_must(end: End, moments: list[Moment], sign_ms: int, limit_ms: int) -> None:
    """Phase, alarms and insulin's true flow against the row's expectation."""
    after = [moment for moment in moments if moment.state.at_ms >= sign_ms]
    in_time = [moment for moment in after if moment.state.at_ms <= sign_ms + SIGN_MS]
    tail = end not in (End.GOES_ON, End.WARNED)
    assert moments[-1].state.phase is (Phase.FALLBACK if tail else Phase.CLAMP)
    assert any(moment.is_high for moment in in_time) == (end is not End.GOES_ON)
    off_ms = next((m.state.at_ms - sign_ms for m in after if m.insulin_ul_h == 0), None)
    if end in (End.COVERED, End.DRY):
        assert off_ms is not None
        assert off_ms <= SIGN_MS
    elif end is End.LATE:
        assert off_ms is not None
        assert off_ms <= limit_ms + POLL_MS
    else:
        assert off_ms is None
    for moment in moments:
        runs = moment.insulin_ul_h > 0 and moment.tail and moment.state.at_ms > sign_ms + SIGN_MS
        assert not runs or NOT_OFF in moment.tail


AFTERWARDS = (
    ("new-era", INS, "key=stop"),
    ("new-era", INS, "unplug"),
    ("new-era", D, "key=rate"),
    ("new-era", D, "unplug"),
    ("alaris", INS, "drop_remote"),
    ("harvard-ultra", INS, "unplug"),
    ("harvard-22", D, "deaf 60 s"),
    ("graseby-3400", D, "key=start"),
)
"""One of each course that true glucose can take where dextrose still flows."""


@pytest.mark.parametrize(("driver", "role", "trouble"), AFTERWARDS, ids=str)
def test_glucose_holds_for_an_hour_with_nobody_at_the_pump(
    driver: str, role: Role, trouble: str, beds: dict[str, Bed], tmp_path: Path
) -> None:
    bed = beds[driver].copied(tmp_path / "one.clamp.jsonl")
    begun_ms = bed.bench.now_ms
    befall(bed, driver, role, trouble)
    bed.until(begun_ms + AFTERWARDS_MS)
    assert bed.bench.state.phase is Phase.FALLBACK
    lowest = min(point.glucose_mg_dl for point in bed.bedside.truth if point.at_ms >= begun_ms)
    assert lowest > LEAST_MG_DL


@pytest.mark.parametrize("driver", PAIRS)
def test_a_copied_bed_goes_the_way_of_the_first(driver: str, tmp_path: Path) -> None:
    """Without trouble both write the same journal, and it replays from its first line."""
    first = Bed(PAIRS[driver], tmp_path / "first.clamp.jsonl")
    first.until(FAULT_AT_MS // 5)
    second = first.copied(tmp_path / "second.clamp.jsonl")
    for bed in (first, second):
        bed.until(FAULT_AT_MS // 3)
    assert first.journal.path.read_bytes() == second.journal.path.read_bytes()
    assert len(second.moments) < len(first.moments)
    assert replay(second.journal.path).difference is None
