"""Graseby 3400: every row of the pump failure matrix (pumps 11.3), link against emulator."""

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import LinkTroubled, PumpIdentified, PumpReported, PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.graseby import Graseby3400
from simulator.devices.fault import FaultKind
from simulator.devices.graseby import Graseby
from simulator.devices.graseby_settings import GrasebySettings
from tests.faults.pair import Case, Pair, pieces

DEVICE, ROLE = "graseby-3400", Role.DEXTROSE
RATE_UL_H = 120_000
PER_MIN_UL = RATE_UL_H / 60


def opened(settings: GrasebySettings | None = None) -> Pair:
    """Identified, in standby."""
    link = Graseby3400(Expected(ROLE), max_rate_ul_h=400_000, total_ul=100)
    pair = Pair(link, Graseby(settings), pieces).open()
    pair.run(1500)
    assert pair.identity is not None
    assert pair.identity.mismatch is None
    return pair


def running(settings: GrasebySettings | None = None) -> Pair:
    """Started by order at 120 mL/h, a minute old."""
    pair = opened(settings).order(StartPump(ROLE, RATE_UL_H, 1))
    pair.run(60_000)
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    assert pair.troubles == []
    return pair


def reading(pair: Pair) -> tuple[PumpState, int] | None:
    """The latest report."""
    return None if pair.report is None else (pair.report.state, pair.report.rate_ul_h)


def starts(pair: Pair) -> int:
    """How often STRT went over the wire."""
    return bytes(pair.to_device).count(b"<STRT>")


def kinds(events: list[LinkTroubled]) -> set[Trouble]:
    return {event.trouble for event in events}


def flow(pair: Pair) -> int:
    """What truly leaves the syringe, µL/h."""
    assert isinstance(pair.device, Graseby)
    return pair.device.flow_ul_h


def delivered(pair: Pair) -> float:
    assert isinstance(pair.device, Graseby)
    return pair.device.delivered_ul


def mute() -> str:
    pair = running().inject("mute")
    before = len(pair.events)
    pair.run(20_000)
    silent = pair.told(PumpReported, before)
    lost = pair.told(LinkTroubled, before)
    assert silent == []
    assert kinds(lost) == {Trouble.NO_REPLY}
    pair.clear(FaultKind.MUTE)
    pair.run(3000)
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    assert starts(pair) == 1
    return f"{len(lost)} times no reply in 20 s, no report; read again afterwards, 1 start in all"


def cut() -> str:
    seen = 0
    for at in range(1, 15):
        pair = running().inject(f"cut={at}/1")
        pair.run(3000)
        assert kinds(pair.troubles) <= {Trouble.BAD_FRAME}
        assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
        seen += len(pair.troubles)
    assert seen == 14
    return f"14 of 14 cut replies told as damage, the question repeated, still {RATE_UL_H} µL/h"


def lose_reply() -> str:
    pair = opened().inject("lose_reply")
    pair.order(StartPump(ROLE, RATE_UL_H, 1))
    pair.run(2000)
    for _ in range(3):
        pair.inject("lose_reply")
        pair.run(400)
    pair.run(3000)
    assert starts(pair) == 1
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    return f"4 replies lost around a start: {starts(pair)} STRT sent, then read as running"


def start_reply_lost() -> str:
    pair = opened(GrasebySettings(reply_delay_ms=100)).order(StartPump(ROLE, RATE_UL_H, 1))
    while not pair.to_device.endswith(b"<GETR>AC\r"):
        pair.run(10)
    pair.inject("lose_reply")
    pair.run(5000)
    assert starts(pair) == 1
    assert kinds(pair.troubles) == {Trouble.NO_REPLY}
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    return f"STRT executed and unanswered: told, {starts(pair)} STRT, read as running"


def unplug() -> str:
    pair = running().inject("unplug")
    pair.run(10_000)
    pair.clear(FaultKind.UNPLUG).open()
    before = len(pair.to_device)
    pair.run(3000)
    asked = bytes(pair.to_device[before:])
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    assert not any(word in asked for word in (b"STRT", b"STOP", b"CHGR", b"ZTOT"))
    assert pair.identity is not None
    assert pair.identity.epoch == 2
    return f"adopted at {RATE_UL_H} µL/h by questions alone; {delivered(pair):.0f} µL delivered meanwhile"


def identity() -> str:
    pair = running().inject("unplug")
    pair.run(5000)
    pair.device = Graseby(now_ms=pair.now_ms)
    before = len(pair.events)
    pair.run(4000)
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert flow(pair) == 0
    assert pair.told(LinkTroubled, before)
    assert pair.identity is not None
    assert "cannot say who it is" in pair.identity.detail
    return "another pump of the kind: no number tells it; read anew as stopped at 0, not started"


def start_key() -> str:
    pair = running().inject("key=start")
    pair.run(3000)
    told = pair.told(PumpIdentified)[-1]
    assert told.mismatch is not None
    assert "START key" in told.mismatch
    sent = len(pair.to_device)
    pair.order(SetRate(ROLE, 60_000, 1)).order(StopPump(ROLE, 1))
    pair.run(3000)
    assert b"CHGR600" not in pair.to_device[sent:]
    assert b"<STOP>" in pair.to_device[sent:]
    assert flow(pair) == RATE_UL_H
    assert kinds(pair.troubles) == {Trouble.UNEXPECTED, Trouble.REFUSED}
    return f"told as a mismatch, only STOP is still tried; the pump runs on at {flow(pair)} µL/h"


def start_key_half() -> str:
    pair = running(GrasebySettings(questions_when_local=True)).inject("key=start")
    pair.run(3000)
    pair.order(SetRate(ROLE, 60_000, 1))
    pair.run(1000)
    assert pair.identity is not None
    assert pair.identity.mismatch is not None
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    return "questions still answered: noticed at the next order, then only read, at the true rate"


def stop_key() -> str:
    pair = running().inject("key=stop")
    pair.run(1500)
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert starts(pair) == 1
    return "reported as stopped within 1.5 s, not started again"


def rate_key() -> str:
    pair = running().inject("key=rate,60000")
    pair.run(1500)
    assert reading(pair) == (PumpState.RUNNING, 60_000)
    assert b"CHGR1200" not in pair.to_device[-100:]
    return "reported as 60000 µL/h within 1.5 s, not fought"


def stall() -> str:
    pair = running().inject("stall")
    pair.run(1500)
    assert pair.report is not None
    assert (pair.report.state, pair.report.rate_ul_h) == (PumpState.ALARM, 0)
    pair.order(StartPump(ROLE, RATE_UL_H, 1))
    pair.run(1000)
    assert starts(pair) == 1
    return f"alarm reported ({pair.report.alarm}), a start refused"


def counter_back() -> str:
    pair = running()
    assert pair.report is not None
    before = pair.report.infused_ul
    pair.inject("counter_back")
    pair.run(1500)
    assert before is not None
    assert pair.report.infused_ul is not None
    assert pair.report.infused_ul < before
    return f"counter reported as it stands: {before} µL, then {pair.report.infused_ul} µL"


def drift() -> str:
    pair = running().inject("drift=20")
    pair.run(600_000)
    assert pair.report is not None
    counted = pair.report.infused_ul
    assert counted is not None
    assert abs(counted - 11 * PER_MIN_UL) <= 200
    assert delivered(pair) > counted + 3000
    return f"not on the wire: counter {counted} µL as its rate says, delivered {delivered(pair):.0f} µL"


def power_cycle() -> str:
    pair = running().inject("power_cycle")
    pair.run(3000)
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert starts(pair) == 1
    assert flow(pair) == 0
    return "reported as stopped at 0, counter at 0, not started again"


def flip() -> str:
    for at in range(15):
        pair = running().inject(f"flip={at}/1")
        pair.run(3000)
        assert [event.trouble for event in pair.troubles] == [Trouble.BAD_FRAME]
        assert {(report.state, report.rate_ul_h) for report in pair.told(PumpReported)} <= {
            (PumpState.STOPPED, 0),
            (PumpState.RUNNING, RATE_UL_H),
        }
    return "15 of 15 damaged bytes: no other rate or state was ever reported"


def noise() -> str:
    pair = running().inject("noise=3C4F4B0D00FF/2")
    pair.run(3000)
    assert kinds(pair.troubles) == {Trouble.BAD_FRAME}
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    return f"told {len(pair.troubles)} times, every reply behind it still read"


def delay() -> str:
    pair = opened().inject("delay=700").order(StartPump(ROLE, RATE_UL_H, 1))
    pair.run(10_000)
    pair.clear(FaultKind.DELAY)
    pair.run(5000)
    assert starts(pair) <= 1
    state = PumpState.RUNNING if starts(pair) else PumpState.STOPPED
    assert pair.report is not None
    assert pair.report.state is state
    return f"replies 0.7 s late: {starts(pair)} STRT sent, state told truly as {state}"


def refuse_start() -> str:
    pair = opened().inject("refuse_start").order(StartPump(ROLE, RATE_UL_H, 1))
    pair.run(2000)
    (refused,) = pair.troubles
    assert refused.trouble is Trouble.REFUSED
    assert "check the syringe" in refused.detail
    assert reading(pair) == (PumpState.STOPPED, 0)
    assert b"<CESTRTSTBY>91\r" in pair.to_link
    return "told to check the syringe, reported as stopped; the sum 91 of an accepted start did not fool it"


def rate_zero() -> str:
    pair = running().order(SetRate(ROLE, 0, 1))
    pair.run(1500)
    assert b"<CHGR0>" not in pair.to_device
    assert b"<STOP>" in pair.to_device
    assert reading(pair) == (PumpState.STOPPED, 0)
    return "STOP sent in its place, reported in standby"


def stop_ignored() -> str:
    pair = running().inject("stop_ignored=3").order(StopPump(ROLE, 1))
    pair.run(4000)
    assert bytes(pair.to_device).count(b"<STOP>") == 4
    assert reading(pair) == (PumpState.STOPPED, 0)
    return "4 STOPs until the pump was in standby"


def max_rate() -> str:
    pair = running().inject("max_rate=200000").order(SetRate(ROLE, 300_000, 1))
    pair.run(2000)
    assert kinds(pair.troubles) == {Trouble.REFUSED}
    assert pair.identity is not None
    assert pair.identity.mismatch is None
    assert reading(pair) == (PumpState.RUNNING, RATE_UL_H)
    return f"refused with a sentence, still ours, still {RATE_UL_H} µL/h"


def silence() -> str:
    found = []
    for stops_after_s in (None, 6):
        pair = running(GrasebySettings(stops_after_s=stops_after_s)).inject("unplug")
        pair.run(120_000)
        found.append(flow(pair))
    assert found == [RATE_UL_H, 0]
    return f"unknown of the real pump: one that keeps on gives {found[0]} µL/h, one that stops {found[1]}"


CASES = [
    Case(DEVICE, ROLE, "mute", "no reply: deadline, told, no report, no second start", mute),
    Case(DEVICE, ROLE, "cut=N/1", "reply cut at any byte: told, asked again", cut),
    Case(DEVICE, ROLE, "lose_reply", "executed, reply lost: read again, never a second start", lose_reply),
    Case(DEVICE, ROLE, "lose_reply", "start executed, reply lost: unknown, then read", start_reply_lost),
    Case(DEVICE, ROLE, "unplug", "back on a new connection: adopted without a write", unplug),
    Case(DEVICE, ROLE, "another pump", "swapped: the pump tells no name; read anew, not started", identity),
    Case(DEVICE, ROLE, "key=start", "START ends remote control: mismatch, read-only, STOP tried", start_key),
    Case(DEVICE, ROLE, "key=start", "the same where questions are still answered", start_key_half),
    Case(DEVICE, ROLE, "key=stop", "local stop: reported", stop_key),
    Case(DEVICE, ROLE, "key=rate,60000", "local rate: reported, not fought", rate_key),
    Case(DEVICE, ROLE, "stall", "alarm reported, no start", stall),
    Case(DEVICE, ROLE, "counter_back", "the counter is reported as it stands", counter_back),
    Case(DEVICE, ROLE, "drift=20", "wrong delivery: no wire shows it, only a balance", drift),
    Case(DEVICE, ROLE, "power_cycle", "stopped and rate lost: reported, not started again", power_cycle),
    Case(DEVICE, ROLE, "flip=N/1", "damaged byte: discarded, never another reading", flip),
    Case(DEVICE, ROLE, "noise=3C4F4B0D00FF/2", "stray bytes: told, replies behind them read", noise),
    Case(DEVICE, ROLE, "delay=700", "late replies: at most one start, true state in the end", delay),
    Case(DEVICE, ROLE, "refuse_start", "same sum, other text: the text counts", refuse_start),
    Case(DEVICE, ROLE, "rate 0", "rate 0 would infuse on: STOP", rate_zero),
    Case(DEVICE, ROLE, "stop_ignored=3", "stop not carried out: repeated until standby", stop_ignored),
    Case(DEVICE, ROLE, "max_rate=200000", "rate above the true maximum: refused, not taken over", max_rate),
    Case(DEVICE, ROLE, "a long silence", "silence: unproven, for either role", silence),
]
