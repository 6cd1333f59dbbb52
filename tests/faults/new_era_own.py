"""New Era: the rows of the pump failure matrix that are its own (pumps 11.3)."""

from clampctl.core.commands import SetRate, StartPump, StopPump
from clampctl.core.events import LinkTroubled, PumpReported, PumpState, Trouble
from drivers.link import Expected
from drivers.pumps.new_era import NewEra as NewEraLink
from simulator.devices.fault import FaultKind
from simulator.devices.new_era import NewEra
from simulator.devices.new_era_settings import NewEraSettings
from tests.faults.new_era_pair import (
    DEVICE,
    DEXTROSE,
    INSULIN,
    alarms,
    found,
    kinds,
    pair_of,
    pump,
    reading,
    ready,
    running,
    sent,
)
from tests.faults.pair import (
    Case,
    Pair,
    pieces,
)


def gap() -> str:
    pair = running(INSULIN).inject("gap=4,600/3")
    pair.run(10_000)
    assert Trouble.BAD_FRAME in kinds(pair)
    assert reading(pair) == (PumpState.RUNNING, 4_440)
    assert alarms(pair) == []
    longest = max(len(piece) for piece in bytes(pair.to_device).split(b"\x03"))
    assert longest < 30
    return f"told {len(pair.troubles)} times, asked again in one burst; still 4440 µL/h, no watchdog"


def flip() -> str:
    for at in range(16):
        pair = running(INSULIN).inject(f"flip={at}/1")
        pair.run(8000)
        assert kinds(pair) <= {Trouble.BAD_FRAME}
        assert pair.troubles
        assert {(one.state, one.rate_ul_h) for one in pair.told(PumpReported)} == {(PumpState.RUNNING, 4_440)}
    return "16 of 16 damaged bytes discarded, no other rate reported"


def crc_bytes() -> str:
    pair = running(INSULIN)
    for rate_ul_h in (7_400, 33_600, 7_600):
        pair.order(SetRate(INSULIN, rate_ul_h, 1)).run(3000)
        assert reading(pair) == (PumpState.RUNNING, rate_ul_h)
    assert pair.troubles == []
    return "7.4, 33.6 and 7.6 mL/h set and read back; checksum bytes 02, 03, 0D end nothing"


def auto_alarm() -> str:
    seen = []
    for letter, alarm in (("S", "stalled"), ("T", "watchdog")):
        pair = running(INSULIN).inject(f"auto_alarm={letter}")
        pair.run(6000)
        assert alarm in alarms(pair)
        assert reading(pair) == (PumpState.STOPPED, 0)
        assert sent(pair, b"RUN") == 0
        seen.append(alarm)
    return f"alarms {' and '.join(seen)} told though they broke into an exchange; RUN not sent"


def alarm_next() -> str:
    pair = running().inject("alarm_next=S").order(SetRate(DEXTROSE, 60_000, 1))
    pair.run(6000)
    assert "stalled" in alarms(pair)
    assert sent(pair, b"RUN") == 0
    assert reading(pair) == (PumpState.STOPPED, 0)
    started = ready()
    started.to_device.clear()
    started.inject("alarm_next=S").order(StartPump(DEXTROSE, 120_000, 1)).run(5000)
    assert sent(started, b"RUN") <= 1
    return f"state read again, alarm told; RUN sent {sent(started, b'RUN')} times for one order to start"


def power_cycle() -> str:
    seen = []
    for role in (DEXTROSE, INSULIN):
        pair = running(role)
        pair.order(SetRate(role, 2_000, 1)).run(3000)
        pair.inject("power_cycle").run(10_000)
        assert "reset" in alarms(pair)
        assert reading(pair) == (PumpState.STOPPED, 0)
        assert sent(pair, b"RUN") == 0
        pair.to_device.clear()
        pair.order(StartPump(role, 3_000, 1)).run(10_000)
        assert reading(pair) == (PumpState.RUNNING, 3_000)
        assert sent(pair, b"VOL0") == 1
        seen.append(role.value)
    return f"alarm reset, stopped; a new start sets it up again and reads 3000 µL/h ({' and '.join(seen)})"


def framing() -> str:
    for start in ("safe", "basic"):
        for reply in ("safe", "basic"):
            for role in (DEXTROSE, INSULIN):
                pair = pair_of(role).inject(f"start_framing={start}").inject(f"saf_reply={reply}")
                assert found(pair).mismatch is None
                assert reading(pair) == (PumpState.STOPPED, 0)
    return "8 of 8 combinations found and switched: insulin to Safe, dextrose to Basic"


def unarmed() -> str:
    pair = pair_of(INSULIN).inject("saf_nvm=60")
    assert found(pair).detail.endswith("watchdog 5 s proven")
    assert sent(pair, b"SAF5") == 1
    pair.order(StartPump(INSULIN, 4_440, 1)).run(5000)
    pair.inject("unplug")
    began_ms = pair.now_ms
    while pump(pair).flow_ul_h:
        pair.run(100)
    assert pair.now_ms - began_ms <= 5_100
    return f"armed, proven, and stopped {(pair.now_ms - began_ms) / 1000} s after the cable was pulled"


def timer_on_dextrose() -> str:
    pair = pair_of(DEXTROSE).inject("saf_nvm=10")
    assert found(pair).mismatch is None
    assert sent(pair, b"SAF0") == 1
    pair.order(StartPump(DEXTROSE, 120_000, 1)).run(5000)
    pair.inject("unplug").run(600_000)
    assert pump(pair).flow_ul_h == 120_000
    armed = running(INSULIN)
    taken = Pair(NewEraLink(Expected(DEXTROSE, "NE1000", diameter_um=19_050)), armed.device, pieces)
    taken.now_ms = armed.now_ms
    mismatch = found(taken).mismatch
    assert mismatch is not None
    assert sent(taken, b"SAF") == 0
    return f"switched off while stopped: runs on 10 min without a cable; found running: {mismatch}"


def units() -> str:
    pair = running().inject("strict_units").order(SetRate(DEXTROSE, 60_000, 1))
    pair.run(3000)
    assert reading(pair) == (PumpState.RUNNING, 60_000)
    assert pair.troubles == []
    return "rates go without units while it runs: nothing refused, 60000 µL/h read back"


def max_rate() -> str:
    pair = running().inject("max_rate=200000").order(SetRate(DEXTROSE, 300_000, 1))
    pair.run(3000)
    assert kinds(pair) == {Trouble.REFUSED}
    assert reading(pair) == (PumpState.RUNNING, 120_000)
    return f"{pair.troubles[0].detail}; still 120000 µL/h"


def ign_next() -> str:
    pair = running().inject("ign_next").order(SetRate(DEXTROSE, 60_000, 1))
    pair.run(3000)
    assert reading(pair) == (PumpState.RUNNING, 60_000)
    return f"{pair.troubles[0].detail}; set again, 60000 µL/h read back"


def first_stop() -> str:
    pair = running().order(StopPump(DEXTROSE, 1))
    pair.run(3000)
    assert sent(pair, b"STP") == 2
    assert reading(pair) == (PumpState.STOPPED, 0)
    return "2 STP until the pump said stopped"


def stale_program() -> str:
    pair = pair_of(DEXTROSE).inject("stale_vol=1000").inject("stale_phase2=900000")
    assert found(pair).mismatch is None
    pair.order(StartPump(DEXTROSE, 120_000, 1)).run(600_000)
    assert reading(pair) == (PumpState.RUNNING, 120_000)
    assert 19_500 < pump(pair).delivered_ul < 20_100
    return f"cleared at set-up: {pump(pair).delivered_ul:.0f} µL in 10 min at 120000 µL/h"


def small_diameter() -> str:
    settings = NewEraSettings(diameter_um=14_000, saf_s=0)
    link = NewEraLink(Expected(DEXTROSE, "NE1000", diameter_um=14_000))
    pair = Pair(link, NewEra(settings), pieces)
    assert found(pair).mismatch is None
    pair.order(StartPump(DEXTROSE, 60_000, 1)).run(121_000)
    assert pair.report is not None
    assert pair.report.infused_ul is not None
    assert abs(pair.report.infused_ul - pump(pair).delivered_ul) < 60
    wrong = pair_of(DEXTROSE).inject("diameter=14.0")
    mismatch = found(wrong).mismatch
    assert mismatch is not None
    return f"a counter in µL read as {pair.report.infused_ul} µL; another syringe: {mismatch}"


def reply_addr() -> str:
    pair = running().inject("reply_addr=7")
    pair.run(5000)
    assert kinds(pair) == {Trouble.UNEXPECTED, Trouble.NO_REPLY}
    assert pair.told(PumpReported) == []
    pair.clear(FaultKind.REPLY_ADDR).run(5000)
    assert reading(pair) == (PumpState.RUNNING, 120_000)
    return f"{pair.troubles[0].detail}; no report until the right address answers"


def basic_insulin() -> str:
    pair = pair_of(INSULIN, NewEraSettings(diameter_um=19_050, has_safe_mode=False))
    mismatch = found(pair).mismatch
    assert mismatch is not None
    pair.order(StartPump(INSULIN, 4_440, 1)).run(3000)
    assert sent(pair, b"RUN") == 0
    assert LinkTroubled(INSULIN, Trouble.REFUSED, f"start refused, read-only: {mismatch}") in pair.troubles
    return f"{mismatch}; a start is refused"


OWN = [
    Case(DEVICE, INSULIN, "gap=4,600/3", "a pause inside a packet: dropped, asked again", gap),
    Case(DEVICE, INSULIN, "flip=N/1", "bad checksum: discarded", flip),
    Case(DEVICE, INSULIN, "7.4 mL/h", "checksum bytes 02, 03, 0D: length counts", crc_bytes),
    Case(DEVICE, INSULIN, "auto_alarm=S", "an alarm unasked in an exchange: matched by content", auto_alarm),
    Case(DEVICE, DEXTROSE, "alarm_next", "an alarm swallows a command: state read, never RUN", alarm_next),
    Case(DEVICE, DEXTROSE, "power_cycle", "reset: told, everything verified anew", power_cycle),
    Case(DEVICE, DEXTROSE, "start_framing=safe", "either framing found, either reply taken", framing),
    Case(DEVICE, INSULIN, "saf_nvm=60", "timer unarmed at first: armed, then proven", unarmed),
    Case(DEVICE, DEXTROSE, "saf_nvm=10", "timer left on dextrose: off, or refused", timer_on_dextrose),
    Case(DEVICE, DEXTROSE, "strict_units", "no units while running", units),
    Case(DEVICE, DEXTROSE, "max_rate=200000", "out of range: refused, rate unchanged", max_rate),
    Case(DEVICE, DEXTROSE, "ign_next", "ignored setting: set again", ign_next),
    Case(DEVICE, DEXTROSE, "a stop", "the first STP only pauses: repeated", first_stop),
    Case(DEVICE, DEXTROSE, "stale_vol=1000", "old target and second phase: cleared", stale_program),
    Case(DEVICE, DEXTROSE, "diameter=14.0", "mL or µL: the unit of the reply", small_diameter),
    Case(DEVICE, DEXTROSE, "reply_addr=7", "wrong address: ignored, told", reply_addr),
    Case(DEVICE, INSULIN, "no SAF", "firmware without Safe framing: refused for insulin", basic_insulin),
]
