"""`--bench-sheet` as a command: the signed file, signals, and the bench on a real port."""

import argparse
import signal
from pathlib import Path

import pytest

from clampctl.cli import bench_sheet
from clampctl.cli.bench_pump import PumpAtBench
from clampctl.cli.bench_sheet import read_signed, run
from clampctl.cli.bench_wires import LiveWires
from clampctl.core.commands import Role
from clampctl.core.events import PumpIdentified, PumpState
from clampctl.core.protocol import Refusal
from clampctl.engine.clock import boot_ms
from clampctl.engine.ports import Wire, open_serial
from clampctl.engine.signature import key_pair
from clampctl.study.bench_proofs import ProofName
from clampctl.study.bench_sheet import covers, judged
from drivers.link import Expected
from drivers.pumps.new_era import CAPABILITIES, NewEra
from simulator.transport import TcpPort, served
from tests.cli.bench_hands import DIAMETER_UM, Hands


def options(folder: Path, **changes: object) -> argparse.Namespace:
    given: dict[str, object] = {
        "bench_sheet": folder / "pump.sheet.json",
        "driver": "new-era",
        "role": "dextrose",
        "diameter_mm": 26.59,
        "key": folder / "unit-key.pem",
    }
    return argparse.Namespace(**(given | changes))


def never() -> Wire:
    raise AssertionError("no port is opened")


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    """The command's questions and wires are a virtual bench's."""
    found = Hands(Role.DEXTROSE)
    monkeypatch.setattr("builtins.input", found.ask)
    monkeypatch.setattr(bench_sheet, "LiveWires", lambda *_: found.wires)
    return found


def test_the_signed_sheet_is_written_and_read_again(
    hands: Hands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = options(tmp_path)
    assert run(asked, hands.wires.pair.link, never, CAPABILITIES) == 0
    key = key_pair(asked.key).public
    assert f"signed by {key}; admits this dextrose pump" in capsys.readouterr().out
    sheet = read_signed(asked.bench_sheet, key)
    assert judged(sheet) == []
    assert covers(sheet, "new-era", Role.DEXTROSE, "NE1000", "4711", DIAMETER_UM, None) is None
    with pytest.raises(Refusal, match="expected ed25519:"):
        read_signed(asked.bench_sheet, "ed25519:another")
    with pytest.raises(Refusal, match="exists already"):
        run(asked, hands.wires.pair.link, never, CAPABILITIES)


def test_a_failed_sheet_is_written_too_and_says_so(
    hands: Hands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hands.instead["label agree"] = lambda: "no"
    asked = options(tmp_path)
    assert run(asked, hands.wires.pair.link, never, CAPABILITIES) == 1
    assert "does not admit" in capsys.readouterr().out
    proofs = {one.name: one.passed for one in read_signed(asked.bench_sheet).proofs}
    assert [name for name, passed in proofs.items() if not passed] == [ProofName.IDENTITY]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_breaks_off_and_the_pump_stops(
    hands: Hands, tmp_path: Path, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    def killed() -> str:
        assert hands.device.flow_ul_h > 0
        signal.raise_signal(number)
        return ""

    before = signal.getsignal(number)
    hands.instead["own key"] = killed
    assert run(options(tmp_path), hands.wires.pair.link, never, CAPABILITIES) == 1
    assert hands.device.flow_ul_h == 0
    assert not (tmp_path / "pump.sheet.json").exists()
    assert "no sheet was written" in capsys.readouterr().err
    assert signal.getsignal(number) is before


def test_a_sheet_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be read"):
        read_signed(tmp_path / "none.json")
    (tmp_path / "sheet.json").write_bytes(b"\xff")
    with pytest.raises(Refusal, match="cannot be read"):
        read_signed(tmp_path / "sheet.json")


def test_a_pump_on_a_real_port_is_started_and_stopped() -> None:
    """The bench's own wires: a thread, a TCP port, the emulator in passing time."""
    device = Hands(Role.DEXTROSE).device
    link = NewEra(Expected(Role.DEXTROSE, diameter_um=DIAMETER_UM))
    with served(device, TcpPort(), boot_ms) as address:
        wires = LiveWires(Role.DEXTROSE, link, lambda: open_serial(address, 19_200))
        try:
            pump = PumpAtBench(wires, Role.DEXTROSE, 120_000)
            first = pump.open()
            assert isinstance(first, PumpIdentified)
            assert pump.start(60_000) is None
            assert pump.rest()
            again = pump.open()
            assert again is not None
            assert again.epoch > first.epoch
            report = pump.last_report()
            assert report is not None
            assert report.state is PumpState.STOPPED
        finally:
            wires.close()
