"""The Graseby 3400 emulator against the transcript, its keys, its numbers and its delivery."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.device import PumpDevice
from simulator.devices.fault import FaultKind, fault
from simulator.devices.graseby import Graseby
from simulator.devices.graseby_settings import GrasebySettings

TRANSCRIPT = Path(__file__).parents[1] / "data" / "transcripts" / "graseby_3400.txt"


def frames(side: str) -> dict[str, bytes]:
    """Command or reply -> its frame, for one side of the wire."""
    found, name = {}, ""
    for line in TRANSCRIPT.read_text("utf-8").splitlines():
        if line.startswith("# <"):
            name = line[3 : line.index(">")]
        elif line.startswith(side):
            found[name] = bytes.fromhex(line[2:])
    return found


def frame(text: str) -> bytes:
    total = 0
    for character in f"<{text}>":
        total += ord(character)
    return f"<{text}>{total & 255:02X}\r".encode()


def ask(pump: PumpDevice, text: str, now_ms: int = 0) -> str:
    """One exchange; the text of the only reply, its sum checked."""
    pump.receive(frame(text), now_ms)
    reply = pump.take_output()
    body = reply[1 : reply.index(b">")].decode()
    assert reply == frame(body)
    return body


def running_pump(settings: GrasebySettings | None = None) -> Graseby:
    pump = Graseby(settings)
    assert ask(pump, "CHGR1200") == "OKCHGRSTBY"
    assert ask(pump, "STRT") == "OKSTRTINFS"
    return pump


HISTORY = {
    "OKCHCKSTBY": ([], "CHCK"),
    "CESTRTSTBY": (["refuse_start", "CHGR1200"], "STRT"),
    "OKSTRTINFS": (["CHGR1200"], "STRT"),
    "OKCHGRINFS": (["CHGR600", "STRT"], "CHGR1200"),
    "OKSTOPSTBY": (["CHGR1200", "STRT"], "STOP"),
}


@pytest.mark.parametrize("reply", HISTORY)
def test_every_reply_of_the_transcript_is_given_to_the_transcript_s_command_cut_anywhere(reply: str) -> None:
    before, last = HISTORY[reply]
    asked, expected = frames("> "), frames("< ")[reply]
    for at in range(len(asked[last]) + 1):
        pump = Graseby()
        for step in before:
            if step == "refuse_start":
                pump.inject(fault(step), 0)
            else:
                ask(pump, step)
        pump.receive(asked[last][:at], 0)
        pump.receive(asked[last][at:], 0)
        assert pump.take_output() == expected


@pytest.mark.parametrize("command", list(frames("> ")))
def test_every_command_of_the_transcript_is_understood(command: str) -> None:
    pump = running_pump()
    pump.receive(frames("> ")[command], 0)
    assert pump.take_output().startswith(b"<OK" + command[:4].encode())


def test_rates_totals_and_true_delivery() -> None:
    pump = running_pump()
    assert pump.flow_ul_h == 120_000
    assert ask(pump, "GETR", 60_000) == "OKGETRINFS1200"
    assert ask(pump, "TOTL", 60_000) == "OKTOTLINFS20"
    assert ask(pump, "CHKR1200", 60_000) == "OKCHKRINFS"
    assert ask(pump, "CHKR2100", 60_000) == "CECHKRINFS"
    assert ask(pump, "CHGR300", 60_000) == "OKCHGRINFS"
    assert ask(pump, "STOP", 120_000) == "OKSTOPSTBY"
    pump.advance(999_000)
    assert pump.delivered_ul == 2500.0
    assert ask(pump, "ZTOT", 999_000) == "OKZTOTSTBY"
    assert ask(pump, "TOTL", 999_000) == "OKTOTLSTBY0"
    assert pump.delivered_ul == 2500.0


def test_rate_0_infuses_on_at_nothing() -> None:
    pump = running_pump()
    assert ask(pump, "CHGR0") == "OKCHGRINFS"
    assert pump.flow_ul_h == 0
    assert ask(pump, "CHCK") == "OKCHCKINFS"


@pytest.mark.parametrize("questions", [False, True])
def test_the_start_key_takes_the_pump_away_and_the_stop_key_gives_it_back(questions: bool) -> None:
    pump = running_pump(GrasebySettings(questions_when_local=questions))
    pump.inject(fault("key=start"), 0)
    assert ask(pump, "CHCK") == ("OKCHCKINFS" if questions else "CECHCKINFS")
    assert ask(pump, "CHGR0") == "CECHGRINFS"
    assert ask(pump, "STOP") == "CESTOPINFS"
    assert pump.flow_ul_h == 120_000
    pump.inject(fault("key=stop"), 0)
    assert ask(pump, "STRT") == "OKSTRTINFS"


def test_the_rate_key_and_a_maximum() -> None:
    pump = running_pump()
    pump.inject(fault("key=rate"), 0)
    assert pump.flow_ul_h == 60_000
    pump.inject(fault("key=rate,90000"), 0)
    assert ask(pump, "GETR") == "OKGETRINFS900"
    pump.inject(fault("max_rate=50000"), 0)
    assert ask(pump, "CHGR501") == "CECHGRINFS"
    pump.clear(FaultKind.MAX_RATE, 0)
    assert ask(pump, "CHGR501") == "OKCHGRINFS"


def test_a_stall_alarms_until_the_stop_key() -> None:
    pump = running_pump()
    pump.inject(fault("stall"), 0)
    assert ask(pump, "CHCK") == "OKCHCKALRM"
    assert ask(pump, "STRT") == "CESTRTALRM"
    pump.inject(fault("key=stop"), 0)
    assert ask(pump, "STRT") == "OKSTRTALRM"
    assert ask(pump, "CHCK") == "OKCHCKALRM"
    pump.clear(FaultKind.STALL, 0)
    pump.inject(fault("key=stop"), 0)
    ask(pump, "STRT")
    assert pump.flow_ul_h == 120_000


def test_an_empty_syringe_and_a_silent_computer_stop_it_in_time() -> None:
    pump = running_pump(GrasebySettings(capacity_ul=2000))
    pump.advance(3_600_000)
    assert pump.delivered_ul == 2000.0
    assert ask(pump, "CHCK", 3_600_000) == "OKCHCKALRM"
    pump = running_pump(GrasebySettings(stops_after_s=6))
    assert pump.wake_at() == 6000
    ask(pump, "CHCK", 3000)
    pump.advance(3_600_000)
    assert pump.delivered_ul == 300.0


def test_power_drift_and_the_counter() -> None:
    pump = running_pump()
    pump.inject(fault("drift=10"), 0)
    assert ask(pump, "TOTL", 3_600_000) == "OKTOTLINFS1200"
    assert pump.delivered_ul == 132_000.0
    pump.clear(FaultKind.DRIFT, 3_600_000)
    pump.inject(fault("counter_back=20000"), 3_600_000)
    assert ask(pump, "TOTL", 3_600_000) == "OKTOTLINFS1000"
    pump.inject(fault("power_cycle"), 3_600_000)
    assert ask(pump, "GETR", 3_600_000) == "OKGETRSTBY0"
    assert ask(pump, "STRT", 3_600_000) == "CESTRTSTBY"


def test_stops_that_are_not_carried_out() -> None:
    pump = running_pump()
    pump.inject(fault("stop_ignored=1"), 0)
    assert ask(pump, "STOP") == "OKSTOPINFS"
    assert ask(pump, "STOP") == "OKSTOPSTBY"


def test_an_unplugged_pump_goes_on() -> None:
    pump = running_pump()
    pump.inject(fault("unplug"), 0)
    assert not pump.plugged
    pump.receive(frame("STOP"), 10)
    assert pump.take_output() == b""
    pump.clear(FaultKind.UNPLUG, 60_000)
    assert ask(pump, "CHCK", 60_000) == "OKCHCKINFS"


@pytest.mark.parametrize("text", ["identity=X", "saf_nvm=5", "busy", "diameter=14"])
def test_a_fault_of_another_device_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no fault"):
        Graseby().inject(fault(text), 0)


@pytest.mark.parametrize("damaged", [b"<CHCK>94\r", b"<CHCK>9\r", b"CHCK\r", b"<CHGR>5D\r", b"<QQQQ>82\r"])
def test_a_damaged_or_unknown_command_is_not_answered(damaged: bytes) -> None:
    pump = Graseby()
    pump.receive(damaged, 0)
    assert pump.take_output() == b""
    assert ask(pump, "CHCK") == "OKCHCKSTBY"


@given(st.lists(st.tuples(st.binary(max_size=200), st.integers(0, 5000)), max_size=20))
def test_noise_never_raises_and_is_never_a_start(pieces: list[tuple[bytes, int]]) -> None:
    pump, now_ms = Graseby(), 0
    ask(pump, "CHGR100")
    for noise, pause_ms in pieces:
        now_ms += pause_ms
        pump.receive(noise, now_ms)
    assert pump.flow_ul_h == 0
    assert len(pump._line) <= 80
