"""`clampctl check` of a station: every driver in every role, wrong settings, twins, ports and sheets."""

from pathlib import Path

import pytest

from clampctl.core.commands import Role
from tests.cli.conftest import Run
from tests.engine.sheets import signed_sheet

DOCS = Path(__file__).parents[2] / "docs" / "devices"
HEAD = """name = "bed"
protocol = "euglycemic-40"
session_directory = "records"
{key}
[subject]
code = "S-1"
weight = "70 kg"
height = "178 cm"
sex = "unknown"
"""
DEXTROSE = 'driver = "new-era"\nport = "/dev/d"\nsyringe_diameter = "26.59 mm"\n'
INSULIN = 'driver = "new-era"\nport = "/dev/i"\nsyringe_diameter = "19.05 mm"\naddress = 1\n'
ANALYZER = 'driver = "ysi-2700"\nport = "/dev/a"\nmatrix = "plasma"\nlag = "75 s"\n'
NO_ONE_KNOWS = "nobody knows until its bench_sheet proves it"


def station(
    folder: Path, dextrose: str = DEXTROSE, insulin: str = INSULIN, analyzer: str = ANALYZER, key: str = ""
) -> Path:
    """A station's document with other tables than the usual ones."""
    path = folder / "bed.toml"
    tables = f"[dextrose_pump]\n{dextrose}[insulin_pump]\n{insulin}[analyzer]\n{analyzer}"
    path.write_text(HEAD.format(key=f'bench_key = "{key}"' if key else "") + tables, encoding="utf-8")
    return path


def pump(driver: str, more: str = "", diameter: str = "26.59 mm") -> str:
    syringe = f'syringe_diameter = "{diameter}"\n' if diameter else ""
    return f'driver = "{driver}"\nport = "/dev/p"\n{syringe}{more}'


def analyzer(driver: str, options: str = "", port: str = "/dev/a", more: str = "") -> str:
    table = f"[analyzer.options]\n{options}\n" if options else ""
    return f'driver = "{driver}"\nport = "{port}"\nmatrix = "plasma"\nlag = "60 s"\n{more}{table}'


def test_a_good_station_is_good(clampctl: Run, tmp_path: Path) -> None:
    assert clampctl("check", station(tmp_path), "--json").json()["good"] is True


@pytest.mark.parametrize("page", sorted(DOCS.glob("station*.toml")), ids=lambda page: page.name)
def test_every_example_is_good(clampctl: Run, page: Path) -> None:
    assert clampctl("check", page, "--json").json()["good"] is True


@pytest.mark.parametrize(
    "table",
    [
        pump("alaris", 'serial_number = "8002-1"\nwatchdog = "15 s"\n', ""),
        pump("new-era", "", "14.5 mm"),
        pump("new-era", "address = 1\n[insulin_pump.options]\naddressed = false\n"),
        'driver = "manual-pump"\n',
    ],
)
def test_pumps_that_may_give_insulin(clampctl: Run, tmp_path: Path, table: str) -> None:
    assert clampctl("check", station(tmp_path, insulin=table), "--json").json()["good"] is True


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (pump("alaris", "", ""), "continues when the computer falls silent; alaris stops."),
        (pump("graseby-3400"), NO_ONE_KNOWS),
        (pump("harvard-ultra"), NO_ONE_KNOWS),
        (pump("harvard-22"), NO_ONE_KNOWS),
        (pump("new-era", 'watchdog = "5 s"\n'), "must not stop by itself"),
        (pump("new-era", "", ""), "dextrose_pump syringe_diameter is missing"),
        (pump("new-era", "", "265.9 mm"), "expected 0.1 to 80 mm"),
        (pump("new-era", 'bench_sheet = "none.json"\n'), "needs bench_key"),
        (pump("ysi-2700"), "known pump drivers are alaris, graseby-3400"),
    ],
)
def test_pumps_that_may_not_give_dextrose(clampctl: Run, tmp_path: Path, table: str, says: str) -> None:
    assert says in clampctl("check", station(tmp_path, table)).refusal()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (pump("graseby-3400", 'watchdog = "10 s"\n'), NO_ONE_KNOWS),
        (pump("harvard-ultra", 'watchdog = "180 s"\n'), NO_ONE_KNOWS),
        (pump("harvard-22", 'watchdog = "180 s"\n'), NO_ONE_KNOWS),
        (pump("alaris", 'watchdog = "5 s"\n', ""), "stops after 15 s of silence, not 5 s"),
        (pump("alaris", "address = 3\n", ""), "has no address"),
        (pump("new-era", 'watchdog = "300 s"\n', "19 mm"), "watchdog 300 s is not 1 to 255 s"),
        (pump("new-era", "address = 100\n"), "pump address 100 is not 0 to 99"),
        (
            pump("new-era", 'address = 1\n[insulin_pump.options]\naddressed = "false"\n'),
            "expected true or false",
        ),
        (pump("new-era", "address = 1\n[insulin_pump.options]\ncolour = 1\n"), "no setting 'colour'"),
        (pump("new-era", "address = 1\nbaud = 0\n"), "baud is 0"),
        (
            pump("new-era"),
            "could be swapped without anyone noticing; give them a different address or syringe",
        ),
        (pump("new-era", "address = 1\n").replace("/dev/p", "/dev/d"), "both name port"),
        ('driver = "manual-pump"\nwatchdog = "5 s"\n', "cannot stop by itself"),
        ('driver = "manual-pump"\n[insulin_pump.options]\nx = 1\n', "it has none"),
    ],
)
def test_pumps_that_may_not_give_insulin(clampctl: Run, tmp_path: Path, table: str, says: str) -> None:
    assert says in clampctl("check", station(tmp_path, insulin=table)).refusal()


@pytest.mark.parametrize(
    "table",
    [
        *(analyzer(name) for name in ("ysi-2700", "ysi-2300", "radiometer-abl", "gem", "nova", "cobas-b")),
        *(analyzer(name, 'unit = "mmol/L"\ncomma = true') for name in ("siemens", "poct1a")),
        analyzer("gem", 'codes = "Glu,GLUCOSE"'),
        analyzer("biosen", 'glucose_channel = "001"'),
        analyzer("poct1a", 'serial = "SS-1"\nnotes_hold = false', "tcp-listen://127.0.0.1:5001"),
        analyzer("line", "pattern = '(?P<id>\\d{1,4}) (?P<value>\\d{1,3}) (?P<unit>\\S{5})'\nend = \"CR\""),
        analyzer("ysi-2700", port="usb:A10KZP45", more='frame = "7E1"\nbaud = 4800\n'),
        analyzer("ysi-2700", port="tcp://bed.example:4001"),
        'driver = "manual-analyzer"\nmatrix = "plasma"\nlag = "60 s"\n',
        'driver = "ysi-2700"\nport = "a"\nmatrix = "whole_blood"\nplasma_by_program = true\nlag = "60 s"\n',
    ],
)
def test_analyzers(clampctl: Run, tmp_path: Path, table: str) -> None:
    assert clampctl("check", station(tmp_path, analyzer=table), "--json").json()["good"] is True


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (analyzer("nosuch"), "no analyzer driver 'nosuch'; known are ysi-2700"),
        (analyzer("new-era"), "no analyzer driver 'new-era'"),
        (analyzer("line"), "does not work without the setting pattern and end"),
        (analyzer("siemens", 'colour = "red"'), "siemens has no setting 'colour'; it has glucose_key"),
        (analyzer("ysi-2700", 'comma = "yes"'), "comma of ysi-2700 is 'yes'; expected true or false"),
        (analyzer("ysi-2700", "comma = 1"), "comma of ysi-2700 is 1; expected true or false"),
        (analyzer("ysi-2700", 'unit = "mmol"'), "write mg/dL or mmol/L"),
        (analyzer("ysi-2700", 'poll_ms = "5 s"'), "poll_ms of ysi-2700 is '5 s'; expected a whole number"),
        (analyzer("ysi-2700", "poll_ms = true"), "is True; expected a whole number"),
        (analyzer("ysi-2700", "poll_ms = 0"), "is 0; expected 1 or more"),
        (analyzer("siemens", "serial = 123"), "serial of siemens is 123; expected a text"),
        (analyzer("gem", "codes = 5"), "expected a text, commas between several"),
        (analyzer("ysi-2700", more="plasma_by_program = true\n"), "only whole blood is made plasma"),
        (analyzer("ysi-2700", more='frame = "9N1"\n'), '"8N1" or "7E1"'),
        (analyzer("poct1a", port="tcp-listen://127.0.0.1"), "write tcp-listen://HOST:PORT"),
        (analyzer("poct1a", port="tcp-listen://127.0.0.1:70000"), "write tcp-listen://HOST:PORT"),
        (analyzer("ysi-2700", port="tcp://nowhere"), "write tcp://HOST:PORT"),
        (analyzer("ysi-2700", port="usb:"), "usb:SERIALNUMBER"),
        (
            'driver = "manual-analyzer"\nmatrix = "plasma"\nlag = "1 s"\n[analyzer.options]\nx = 1\n',
            "no setting 'x'",
        ),
    ],
)
def test_wrong_analyzers(clampctl: Run, tmp_path: Path, table: str, says: str) -> None:
    assert says in clampctl("check", station(tmp_path, analyzer=table)).refusal()


# --- bench sheets --------------------------------------------------------------------------------


def with_sheet(folder: Path, more: str, key: str = "") -> Path:
    """A station whose dextrose pump names a sheet of serial number D-1 with a 26.59 mm syringe."""
    name, signed_by = signed_sheet(folder, Role.DEXTROSE, "D-1", 26_590, None)
    table = pump("new-era", f'model = "NE-1000"\nbench_sheet = "{name}"\n{more}')
    return station(folder, table, key=key or signed_by)


def test_a_sheet_of_this_very_pump_admits_it(clampctl: Run, tmp_path: Path) -> None:
    path = with_sheet(tmp_path, 'serial_number = "D-1"\n')
    assert clampctl("check", path, "--json").json()["good"] is True


@pytest.mark.parametrize(
    ("more", "key", "says"),
    [
        ('serial_number = "D-2"\n', "", "D-2"),
        ("", "", "serial"),
        ('serial_number = "D-1"\n', "ed25519:another", "expected ed25519:another"),
    ],
)
def test_a_sheet_of_another_pump_or_unit_is_refused(
    clampctl: Run, tmp_path: Path, more: str, key: str, says: str
) -> None:
    assert says in clampctl("check", with_sheet(tmp_path, more, key)).refusal()
