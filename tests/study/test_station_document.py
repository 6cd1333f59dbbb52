"""The station's document: devices, ports, study, and every wrong one refused by name."""

from dataclasses import replace
from pathlib import Path

import pytest

from clampctl.core.commands import Role
from clampctl.core.protocol import Refusal
from clampctl.core.station import RateStep
from clampctl.study.load import load_station
from clampctl.study.station_document import PumpDefaults

STATION = Path(__file__).parents[1] / "data" / "study" / "station.toml"
TEXT = STATION.read_text(encoding="utf-8")
STEPS = (RateStep(10_000, 1), RateStep(1_000_000, 10))
PUMPS = {
    "new-era": PumpDefaults(1, 1_200_000, STEPS, watchdog_s=60, counter_quantum_ul=1),
    "manual-pump": PumpDefaults(1, 1_200_000, STEPS, None, None, has_syringe=False),
    "blind": PumpDefaults(1, 1_200_000, STEPS, watchdog_s=None, counter_quantum_ul=None),
}


NO_STEP = 'rate_steps = [{below = "1 mL/h", step = "0 mL/h"}]'
NO_BAND = 'rate_steps = [{below = "0 mL/h", step = "1 mL/h"}]'
INSULIN = TEXT[TEXT.index("[insulin_pump]") : TEXT.index("[analyzer]")]
INSULIN_BLIND = '[insulin_pump]\ndriver = "blind"\nport = "COM8"\nsyringe_diameter = "26.6 mm"\n'


def test_a_whole_station() -> None:
    document = load_station(STATION, PUMPS)
    dextrose, insulin = document.station.dextrose_pump, document.station.insulin_pump
    assert (dextrose.model, dextrose.address, dextrose.diameter_um) == ("NE-1000", 1, 26_600)
    assert (dextrose.watchdog_s, insulin.watchdog_s) == (None, 30)
    assert insulin.rate_steps == STEPS
    assert insulin.model == "new-era"
    assert (insulin.rate_ul_h_min, insulin.rate_ul_h_max, insulin.counter_quantum_ul) == (1, 1_200_000, 1)
    assert document.station.analyzer.lag_ms == 90_000
    assert document.ports[Role.DEXTROSE].port == "/dev/ttyUSB0"
    assert document.ports[Role.DEXTROSE].baud == 19200
    assert document.ports[Role.DEXTROSE].frame == "8N1"
    assert document.ports[Role.INSULIN].options == {"addressed": True}
    assert document.ports[Role.ANALYZER].baud is None
    assert document.protocol is not None
    assert document.protocol.name == "euglycemic-40"
    assert document.subject is not None
    assert document.subject.code == "S-001"
    assert document.session_directory == STATION.parent / "records"


def load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "station.toml"
    path.write_text(text, encoding="utf-8")
    load_station(path, PUMPS)


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ('driver = "new-era"\nmodel', 'driver = "alaris"\nmodel', "dextrose_pump driver", "blind, manual"),
        ('port = "/dev/ttyUSB0"\n', "", "dextrose_pump port", "is missing"),
        ('port = "COM7"', 'port = "/dev/ttyUSB0"', "port", "dextrose and the analyzer device both name"),
        ("baud = 19200", 'baud = "19200"', "dextrose_pump baud", "whole number"),
        ('frame = "8N1"', 'frame = "9N1"', "dextrose_pump frame", '"8N1"'),
        ("address = 1", "adress = 1", "adress", 'did you mean "address"?'),
        ("address = 1", 'watchdog = "30 s"', "dextrose_pump", "must not stop by itself"),
        ("address = 1", 'rate_max = "0 mL/h"', "dextrose_pump rate_max", "above rate_min"),
        ("address = 1", NO_STEP, "dextrose_pump rate step 1 step", "at least 0.001 mL/h"),
        ("address = 1", NO_BAND, "dextrose_pump rate step 1 below", "above the one before"),
        ("address = 1", "options = { a = [1] }", "dextrose_pump options a", "must be a text, a number"),
        ('driver = "new-era"\nport', 'driver = "blind"\nport', "insulin_pump watchdog", "this pump cannot"),
        (INSULIN, INSULIN_BLIND, "insulin_pump", "must stop by itself"),
        ('watchdog = "30 s"\n', "watchdog = 30\n", "insulin_pump watchdog", "30 without a unit"),
        ('"26.6 mm"\nwatchdog', '"26.6 cm"\nwatchdog', "syringe diameter", "expected 0.1 to 80 mm"),
        ('matrix = "plasma"', 'matrix = "serum"', "matrix", "expected plasma"),
        ('lag = "90 s"', 'lag = "90 mm"', "analyzer lag", "not a length of time"),
        ('weight = "72.0 kg"', 'weight = "72.0"', "weight", "without a unit"),
        ('"euglycemic-40"', '"euglycemic-41"', "protocol", "known are"),
        ('name = "bed 1"', "", "name", "is missing"),
        ("[analyzer]", "[analyser]", "analyser", 'did you mean "analyzer"?'),
    ],
)  # fmt: skip
def test_refused_by_name(tmp_path: Path, old: str, new: str, field: str, words: str) -> None:
    assert old in TEXT
    with pytest.raises(Refusal) as refused:
        load(tmp_path, TEXT.replace(old, new, 1))
    assert refused.value.field == field
    assert words in refused.value.sentence


def test_the_document_may_know_the_pump_better(tmp_path: Path) -> None:
    lines = 'rate_min = "0.1 mL/h"\nrate_max = "999 mL/h"\ncounter_step = "0.01 mL"\n'
    steps = 'rate_steps = [{below = "100 mL/h", step = "0.1 mL/h"}, {below = "999 mL/h", step = "1 mL/h"}]\n'
    path = tmp_path / "station.toml"
    path.write_text(TEXT.replace("address = 1\n", lines + steps, 1), encoding="utf-8")
    pump = load_station(path, PUMPS).station.dextrose_pump
    assert (pump.rate_ul_h_min, pump.rate_ul_h_max, pump.counter_quantum_ul) == (100, 999_000, 10)
    assert pump.rate_steps == (RateStep(100_000, 100), RateStep(999_000, 1_000))


def test_pumps_set_by_hand_need_no_port_and_no_syringe(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_text(
        'name = "bed 2"\n[dextrose_pump]\ndriver = "manual-pump"\n[insulin_pump]\ndriver = "manual-pump"\n'
        '[analyzer]\ndriver = "manual-analyzer"\nmatrix = "plasma"\nlag = "2 min"\n',
        encoding="utf-8",
    )
    document = load_station(path, PUMPS)
    assert {setup.port for setup in document.ports.values()} == {None}
    assert (document.protocol, document.subject) == (None, None)
    assert document.session_directory == tmp_path / "sessions"


def test_a_protocol_beside_the_station(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\nsampling = 5\n', encoding="utf-8")
    with pytest.raises(Refusal, match="sampling is 5 without a unit"):
        load(tmp_path, TEXT.replace('"euglycemic-40"', '"mine.toml"'))


DEXTROSE = TEXT[TEXT.index("[dextrose_pump]") : TEXT.index("[insulin_pump]")]


def twins(changed: str = "", instead: str = "") -> str:
    """A station whose insulin pump is the dextrose pump's twin, but for one change."""
    insulin = DEXTROSE.replace("[dextrose_pump]", "[insulin_pump]").replace("ttyUSB0", "ttyUSB7")
    return TEXT.replace(INSULIN, insulin.replace(changed, instead) if changed else insulin)


def test_two_pumps_that_could_be_swapped_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="swapped without anyone noticing"):
        load(tmp_path, twins())
    load(tmp_path, twins("address = 1", "address = 2"))
    load(tmp_path, twins('syringe_diameter = "26.6 mm"', 'syringe_diameter = "19.05 mm"'))


def test_only_what_a_pump_tells_counts(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_text(twins("address = 1", "address = 2"), encoding="utf-8")
    mute = {**PUMPS, "new-era": replace(PUMPS["new-era"], told_by=())}
    with pytest.raises(Refusal, match="use another pump for one of them"):
        load_station(path, mute)
    numbered = {**PUMPS, "new-era": replace(PUMPS["new-era"], told_by=("serial_number",))}
    with pytest.raises(Refusal, match="different serial number"):
        load_station(path, numbered)
    first, second = ('serial_number = "A"\naddress = 1', 'serial_number = "B"\naddress = 2')
    path.write_text(twins("address = 1", second).replace("address = 1\n", first + "\n"), encoding="utf-8")
    station = load_station(path, numbered).station
    assert (station.dextrose_pump.serial, station.insulin_pump.serial) == ("A", "B")


def test_a_bench_sheet_needs_the_key_of_who_signed_it(tmp_path: Path) -> None:
    sheeted = TEXT.replace("[insulin_pump]\n", '[insulin_pump]\nbench_sheet = "insulin.json"\n')
    with pytest.raises(Refusal, match="bench_key"):
        load(tmp_path, sheeted)
    path = tmp_path / "station.toml"
    path.write_text('bench_key = "ed25519:AA"\n' + sheeted, encoding="utf-8")
    document = load_station(path, PUMPS)
    assert document.bench_sheets == {Role.INSULIN: tmp_path / "insulin.json"}
    assert document.bench_key == "ed25519:AA"


def test_whole_blood_is_made_plasma_once_and_only_when_stated(tmp_path: Path) -> None:
    load(tmp_path, TEXT.replace('matrix = "plasma"', 'matrix = "whole_blood"\nplasma_by_program = true'))
    with pytest.raises(Refusal, match="only whole blood"):
        load(tmp_path, TEXT.replace('matrix = "plasma"', 'matrix = "plasma"\nplasma_by_program = true'))
    with pytest.raises(Refusal, match="true or false"):
        load(tmp_path, TEXT.replace('matrix = "plasma"', 'matrix = "whole_blood"\nplasma_by_program = "yes"'))
