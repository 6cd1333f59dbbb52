"""The Harvard emulators against the transcripts, and what they deliver and do wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.fault import FaultKind, fault
from simulator.devices.harvard_22 import Harvard22
from simulator.devices.harvard_22_settings import Harvard22Settings
from simulator.devices.harvard_ultra import HarvardUltra
from simulator.devices.harvard_ultra_settings import HarvardUltraSettings

DATA = Path(__file__).parents[1] / "data" / "transcripts"
RECORDED = HarvardUltraSettings(diameter_um=20_450)
COUNTED_PL = 1_690_230


def pairs(name: str) -> list[tuple[str, bytes, bytes]]:
    """(heading, sent, reply) of a transcript."""
    found, heading, sent = [], "", b""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("# == "):
            heading = line[5:]
        elif line.startswith("> "):
            sent = bytes.fromhex(line[2:])
        elif line.startswith("< "):
            found.append((heading, sent, bytes.fromhex(line[2:])))
    return found


def pump_22(heading: str) -> Harvard22:
    """A pump as a heading says: `MODEL, address NN, diameter MM`."""
    model, address, diameter = (part.split()[-1] for part in heading.split(","))
    return Harvard22(
        Harvard22Settings(model, address=int(address), diameter_um=int(diameter.replace(".", "")) * 10)
    )


def ultra(pump: HarvardUltra, text: str, now_ms: int = 0) -> str:
    pump.receive(f"@{text}\r\n".encode(), now_ms)
    return pump.take_output().decode()


def twenty_two(pump: Harvard22, text: str, now_ms: int = 0) -> str:
    pump.receive(f"00{text}\r".encode(), now_ms)
    return pump.take_output().decode()


# --- transcripts -----------------------------------------------------------------------------


@pytest.mark.parametrize("position", range(25))
def test_the_ultra_transcript_byte_for_byte_cut_anywhere(position: int) -> None:
    pump = HarvardUltra(RECORDED)
    for _, sent, reply in pairs("harvard_ultra.txt"):
        pump.preset(COUNTED_PL, 0)
        pump.receive(sent[:position], 0)
        pump.receive(sent[position:], 0)
        assert pump.take_output() == reply


@pytest.mark.parametrize("position", range(17))
def test_the_22_transcript_byte_for_byte_cut_anywhere(position: int) -> None:
    pumps: dict[str, Harvard22] = {}
    for heading, sent, reply in pairs("harvard_22.txt"):
        pump = pumps.setdefault(heading, pump_22(heading))
        pump.receive(sent[:position], 0)
        pump.receive(sent[position:], 0)
        assert pump.take_output() == reply, sent
    assert len(pumps) == 3


@given(st.lists(st.binary(max_size=40), max_size=12), st.booleans())
def test_random_bytes_never_raise_and_move_nothing(noise: list[bytes], poll: bool) -> None:
    for pump in (HarvardUltra(HarvardUltraSettings(poll=poll)), Harvard22()):
        for now_ms, data in enumerate(noise):
            pump.receive(data, now_ms)
            pump.take_output()
        pump.advance(1_000_000)
        assert pump.delivered_ul == 0


# --- Ultra -----------------------------------------------------------------------------------


def running(settings: HarvardUltraSettings | None = None) -> HarvardUltra:
    pump = HarvardUltra(settings)
    for text in ("poll on", "irate 120 ml/h", "irun"):
        ultra(pump, text)
    return pump


def test_an_ultra_delivers_the_integral_of_its_rate_and_runs_on_in_silence() -> None:
    pump = running()
    assert ultra(pump, "irate 2057.6166 ul/min", 60_000) == "\n>\x11"
    pump.advance(3_660_000)
    assert pump.delivered_ul == pytest.approx(2_000 + 123_456.996, abs=1e-6)
    assert ultra(pump, "ivolume", 3_660_000) == "\n125.457 ml\r\n>\x11"


def test_a_target_stops_at_its_moment_and_may_be_moved_on() -> None:
    pump = running()
    ultra(pump, "tvolume 1 ml")
    assert pump.wake_at() == 30_000
    assert ultra(pump, "tvolume 2 ml", 20_000) == "\n>\x11"
    pump.advance(100_000)
    assert pump.delivered_ul == 2_000
    assert ultra(pump, "tvolume", 100_000) == "\n2 ml\r\nT*\x11"
    fixed = running(HarvardUltraSettings(target_while_running=False))
    assert "error" in ultra(fixed, "tvolume 1 ml")


def test_status_is_integers_of_femtolitres() -> None:
    assert ultra(running(), "status", 3_600_000) == "\n33333333333 0 120000000000000 i...I\r\n>\x11"
    flagged = HarvardUltra(HarvardUltraSettings(tells_target_flag=True))
    assert ultra(flagged, "status") == "\n0 0 0 i...I.\r\n:"
    assert "error" in ultra(HarvardUltra(HarvardUltraSettings(tells_status=False)), "status")


def test_ultra_refusals() -> None:
    pump = HarvardUltra()
    assert ultra(pump, "nonsense") == "\nCommand error: nonsense\r\n   Unknown command\r\n:"
    assert ultra(pump, "irate 99999 ml/h") == "\nArgument error: 99999 ml/h\r\n   Out of range\r\n:"
    assert "error" in ultra(pump, "irate fast")
    assert "error" in ultra(pump, "irun")
    assert pump.flow_ul_h == 0


def test_ultra_loads_a_method_only_while_it_stands_still() -> None:
    pump = HarvardUltra(RECORDED)
    assert [ultra(pump, f"load qs {way}") for way in ("i", "w", "iw")] == ["\n:"] * 3
    assert "Argument error" in ultra(pump, "load qs x")
    ultra(pump, "irate 1 ml/h")
    ultra(pump, "irun")
    assert "Not while running" in ultra(pump, "load qs i")


def test_ultra_takes_the_time_of_day() -> None:
    pump = HarvardUltra(RECORDED)
    assert ultra(pump, "time 11/23/26 00:49:15") == "\n11/23/26 00:49:15\r\n:"
    assert "Argument error" in ultra(pump, "time noon")


def test_ultra_speaks_only_to_its_address_with_or_without_colon() -> None:
    pump = HarvardUltra(HarvardUltraSettings(address=12, addresses_lines=True))
    for sent in (b"12:@diameter\r", b"@12:diam\r", b"12diameter\r\n"):
        pump.receive(sent, 0)
        assert pump.take_output() == b"\n12:26.5900 mm\r\n12:"
    pump.receive(b"@irun\r", 0)
    assert pump.take_output() == b""


def hurt(pump: HarvardUltra, *texts: str) -> HarvardUltra:
    for text in texts:
        pump.inject(fault(text), 0)
    return pump


@pytest.mark.parametrize(
    ("text", "asked", "reply"),
    [
        ("echo", "irate", "@irate\r\n\n120 ml/h\r\n>\x11"),
        ("poll=off", "irate", "\n120 ml/h\r\n>"),
        ("addr_leak=7", "irate", "\n120 ml/h\r\n07>\x11"),
        ("t_star_first", "irate", "T*\n120 ml/h\r\n>\x11"),
        ("rescale", "irate", "\n2000 ul/min\r\n>\x11"),
        ("nvram=off", "nvram none", "\nArgument error: none\r\n   Unknown argument\r\n>\x11"),
        ("nvram=off", "nvram off", "\n>\x11"),
        ("stall", "irate", "\n120 ml/h\r\n*\x11"),
        ("stall_latched", "irun", "\nCommand error: irun\r\n   Clear the stall first\r\n*\x11"),
        ("stop_ignored=1", "stp", "\n>\x11"),
        ("identity=ULTRA", "ver", "\nULTRA\r\n>\x11"),
        ("key=stop", "irate", "\n120 ml/h\r\n:\x11"),
        ("key=rate,50000", "irate", "\n50 ml/h\r\n>\x11"),
        ("diameter=14.0", "diameter", "\n14.0000 mm\r\n>\x11"),
        ("stale_vol", "tvolume", "\n1 ml\r\n>\x11"),
        ("max_rate=100000", "irate 110 ml/h", "\nArgument error: 110 ml/h\r\n   Out of range\r\n>\x11"),
        ("power_cycle", "ivolume", "\n0 ul\r\n:"),
        ("counter_back", "ivolume", "\n0 ul\r\n>\x11"),
        ("mute", "irate", ""),
    ],
)
def test_each_ultra_fault_shows(text: str, asked: str, reply: str) -> None:
    pump = running()
    assert ultra(hurt(pump, text), asked) == reply
    pump.clear(fault(text).kind, 0)


def test_a_latched_stall_needs_the_panel_and_a_blocked_plunger_stalls_again() -> None:
    pump = hurt(running(), "stall_latched")
    assert "stall" in ultra(pump, "irun")
    pump.clear(FaultKind.STALL_LATCHED, 0)
    assert ultra(pump, "irun") == "\n>\x11"
    hurt(pump, "stall")
    assert ultra(pump, "irun") == "\n*\x11"
    assert pump.flow_ul_h == 0


def test_drift_is_true_and_the_counter_does_not_know() -> None:
    pump = hurt(running(), "drift=-2.5")
    assert ultra(pump, "ivolume", 3_600_000) == "\n120 ml\r\n>\x11"
    assert pump.delivered_ul == 117_000
    pump.clear(FaultKind.DRIFT, 3_600_000)
    assert pump.flow_ul_h == 120_000


def test_a_wrong_diameter_scales_delivery() -> None:
    pump = running(HarvardUltraSettings(syringe_um=29_700))
    pump.advance(3_600_000)
    assert pump.delivered_ul == pytest.approx(120_000 * (29.7 / 26.59) ** 2, rel=1e-6)


def test_an_empty_syringe_is_a_stall() -> None:
    pump = running(HarvardUltraSettings(capacity_ul=1_000))
    pump.advance(100_000)
    assert pump.delivered_ul == 1_000
    assert ultra(pump, "irate", 100_000) == "\n120 ml/h\r\n*\x11"


def test_a_rate_that_was_kept_survives_a_power_cycle() -> None:
    pump = running()
    ultra(pump, "nvram none")
    ultra(pump, "irate 60 ml/h")
    hurt(pump, "power_cycle")
    assert ultra(pump, "irate") == "\n120 ml/h\r\n:"


@pytest.mark.parametrize("text", ["busy", "digits=4", "auto_alarm=S", "model=33"])
def test_an_ultra_has_no_such_fault(text: str) -> None:
    with pytest.raises(ValueError, match="no fault"):
        hurt(HarvardUltra(), text)


# --- 22 --------------------------------------------------------------------------------------


def running_22(model: str = "2000") -> Harvard22:
    pump = Harvard22(Harvard22Settings(model))
    twenty_two(pump, "MLH120" if model == "22" else "RAT120MH")
    twenty_two(pump, "RUN")
    return pump


@pytest.mark.parametrize(
    ("text", "asked", "reply"),
    [
        ("digits=4", "RAT123.45MH", "\n00>"),
        ("deaf", "RAT", ""),
        ("key=stop", "RAT", "\n120.00ml/hr\r\n00:"),
        ("stall", "RAT", "\n120.00ml/hr\r\n00>"),
        ("model=33", "VER", "\n33V2.0\r\n00>"),
        ("identity=XX1", "VER", "\nXX1\r\n00>"),
        ("reply_addr=7", "RAT", "\n120.00ml/hr\r\n07>"),
        ("diameter=14.0", "DIA", "\n14.000\r\n00>"),
        ("power_cycle", "RAT", "\n0.0000ml/hr\r\n00:"),
        ("stale_vol", "TGT", "\n1.0000\r\n00>"),
        ("counter_back", "DEL", "\n0.0000\r\n00>"),
    ],
)
def test_each_22_fault_shows(text: str, asked: str, reply: str) -> None:
    pump = running_22()
    pump.inject(fault(text), 0)
    assert twenty_two(pump, asked) == reply
    pump.clear(fault(text).kind, 0)
    assert twenty_two(pump, "RAT") != ""


def test_fewer_digits_are_cut_without_a_word() -> None:
    pump = running_22()
    pump.inject(fault("digits=4"), 0)
    twenty_two(pump, "RAT123.45MH")
    assert twenty_two(pump, "RAT") == "\n123.40ml/hr\r\n00>"
    assert pump.flow_ul_h == 123_400


def test_a_star_is_a_stall_on_the_22_and_a_stop_on_the_2000() -> None:
    stalled = running_22("22")
    stalled.inject(fault("stall"), 0)
    assert twenty_two(stalled, "RAT") == "\n120.00ml/hr\r\n00*"
    assert twenty_two(running_22(), "STP") == "\n00*"
    assert twenty_two(running_22("22"), "STP") == "\n00:"


def test_the_2000_heeds_a_target_in_volume_mode_only() -> None:
    for mode, delivered_ul in (("MODVOL", 1_000), ("MODPMP", 4_000)):
        pump = Harvard22()
        for text in (mode, "RAT120MH", "TGT1", "RUN"):
            twenty_two(pump, text)
        pump.advance(120_000)
        assert pump.delivered_ul == delivered_ul


def test_a_model_that_does_not_exist_and_a_fault_it_cannot_have() -> None:
    for text in ("model=99", "echo"):
        with pytest.raises(ValueError, match="no"):
            Harvard22().inject(fault(text), 0)
