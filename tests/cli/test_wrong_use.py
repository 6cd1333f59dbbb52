"""Wrong input: exit 2 with one sentence on stderr, no traceback, and nothing written."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

PROTOCOL = Path(__file__).parents[2] / "clampctl" / "study" / "protocols" / "euglycemic-40.toml"
GARBAGE = b"\xff\xfe\x00\x80\x93\n\xc3\x28\n"
SIMULATE = ("simulate", "--protocol", "euglycemic-40", "--subject", "lean", "--minutes", "20")
SUBJECT = ("subject", "--phenotype", "lean", "--insulin", "40 mU/m**2/min", "--minutes", "5")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder to be in, with wrong files of every kind in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "folder.jsonl").mkdir()
    for name in ("garbage.csv", "garbage.toml"):
        (tmp_path / name).write_bytes(GARBAGE)
    (tmp_path / "empty.clamp.jsonl").write_bytes(b"")
    return tmp_path


def unchanged(here: Path, before: set[Path]) -> bool:
    return set(here.rglob("*")) == before


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('sampling = "5 min"', "sampling = 5", "without a unit"),
        ('target = "90 mg/dL"', "target = 90", "without a unit"),
        ('target = "90 mg/dL"', 'target = "90 mmol/L"', 'did you mean "90 mg/dL"'),
        ('target = "90 mg/dL"', 'target = "5 mg/dL"', 'did you mean "5 mmol/L"'),
        ('"20 % anhydrous"', '"0 % anhydrous"', "a bag without glucose"),
        ('name = "euglycemic-40"', 'name = "x"\ncolour = "red"', 'Unknown key "colour"'),
        ('name = "euglycemic-40"', "name = [", "not valid TOML"),
    ],
)
def test_a_wrong_protocol(clampctl: Run, here: Path, old: str, new: str, says: str) -> None:
    text = PROTOCOL.read_text(encoding="utf-8")
    assert text.count(old) == 1
    (here / "wrong.toml").write_text(text.replace(old, new), encoding="utf-8")
    before = set(here.rglob("*"))
    ran = clampctl("simulate", "--protocol", "wrong.toml", "--subject", "lean", "--out", "out", "--json")
    assert says in ran.refusal()
    assert ran.out == ""
    assert says in clampctl("check", "wrong.toml").refusal()
    assert unchanged(here, before)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("time_min,glucose_mg_dl\n0,90\n5,abc\n", 'line 3: glucose_mg_dl is "abc"'),
        ("time_min,glucose_mg_dl\n5,90\n0,92\n", "line 3: time goes backwards"),
        ("time_min,glucose_mg_dl\n0,5.1\n5,5.0\n", "is the unit in the header right?"),
        ("glucose_mg_dl\n90\n", "the column of time is missing"),
        ("time_min,insulin_uu_ml\n0,10\n", "neither a glucose nor a gir column"),
        ("time_min,glucose\n0,90\n", "no unit that is known"),
        ("time_min,glucose_mg_dl\n0,90,7\n", "3 cells under 2 columns"),
        ("", "is empty"),
    ],
)
def test_a_wrong_table(clampctl: Run, here: Path, text: str, says: str) -> None:
    (here / "log.csv").write_text(text, encoding="utf-8")
    before = set(here.rglob("*"))
    assert says in clampctl("import", "log.csv", "--weight-kg", "70", "--out", "out").refusal()
    assert unchanged(here, before)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("simulate", "--protocol", "nosuch", "--subject", "lean"), "euglycemic-40"),
        (("simulate", "--protocol", "nosuch.toml", "--subject", "lean"), "nosuch.toml"),
        (("simulate", "--protocol", "folder.toml", "--subject", "lean"), "folder.toml"),
        (("simulate", "--protocol", "garbage.toml", "--subject", "lean"), "not UTF-8 text"),
        (("simulate", "--protocol", "euglycemic-40", "--subject", "giraffe"), "known are lean, obese"),
        ((*SIMULATE, "--law", "magic"), "expected one of defronzo, hold"),
        ((*SIMULATE, "--fault", "dextrose:magic@5"), "no fault called 'magic'"),
        ((*SIMULATE, "--fault", "dextrose:busy@5"), "has no fault 'busy'"),
        ((*SIMULATE, "--fault", "dextrose:mute@nan"), "expected WHERE:FAULT@MINUTE"),
        ((*SIMULATE, "--fault", "unplug"), "expected WHERE:FAULT@MINUTE"),
        ((*SIMULATE, "--seed", "-1"), "not a whole number from 0"),
        ((*SIMULATE, "--noise", "loud"), "invalid choice"),
        ((*SIMULATE, "--minutes", "nan"), "is not a number"),
        ((*SIMULATE, "--minutes", "inf"), "is not a number"),
        ((*SIMULATE, "--minutes", "0"), "nothing is left"),
        ((*SIMULATE, "--minutes", "1e9"), "expected 20 to 1440 min"),
        (("import", "nosuch.csv", "--weight-kg", "70"), "no file nosuch.csv"),
        (("import", "folder", "--weight-kg", "70"), "folder: Is a directory"),
        (("import", "garbage.csv", "--weight-kg", "70"), "not a text file"),
        (("import", "log.csv", "--weight-kg", "-70"), "negative"),
        (("import", "log.csv", "--weight-kg", "nan"), "is not a number"),
        (("import", "log.csv", "--weight-kg", "7"), "weight"),
    ],
)
def test_nothing_is_written_for_a_wrong_wish(
    clampctl: Run, here: Path, arguments: tuple[str, ...], says: str
) -> None:
    (here / "log.csv").write_text("time_min,glucose_mg_dl\n0,90\n5,91\n", encoding="utf-8")
    before = set(here.rglob("*"))
    ran = clampctl(*arguments, "--out", "out")
    assert says in ran.refusal()
    assert ran.out == ""
    assert unchanged(here, before)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "required: COMMAND"),
        (("magic",), "invalid choice: 'magic'"),
        (("simulate",), "--protocol, --subject"),
        (("replay", "nosuch.clamp.jsonl"), "no file nosuch.clamp.jsonl"),
        (("replay", "folder.jsonl"), "folder.jsonl: Is a directory"),
        (("replay", "empty.clamp.jsonl"), "holds no session"),
        (("replay", "empty.clamp.jsonl", "--what-if", "hold"), "holds no session"),
        (("report", "empty.clamp.jsonl"), "holds no session"),
        (("report", "nosuch.clamp.jsonl"), "no file nosuch.clamp.jsonl"),
        (("report", "folder.jsonl"), "folder.jsonl: Is a directory"),
        (("check", "folder.toml"), "folder.toml"),
        (("check", "garbage.toml"), "not UTF-8"),
        (("check", "nosuch"), "known are"),
        (("check", "empty.clamp.jsonl"), "holds no session"),
        ((*SUBJECT, "--hold", "garbage.csv"), "not a text file"),
        ((*SUBJECT, "--hold", "folder"), "folder: Is a directory"),
        ((*SUBJECT, "--hold", "nosuch.csv"), "no file nosuch.csv"),
        ((*SUBJECT, "--hold", "nan"), "not a finite number"),
        ((*SUBJECT, "--hold", "-90"), "above 0 mg/dL"),
        ((*SUBJECT, "--gir", "garbage.csv"), "not a text file"),
        ((*SUBJECT, "--minutes", "-5"), "not a whole number from 0"),
        ((*SUBJECT, "--weight-kg", "0"), "above zero"),
        (("subject", "--phenotype", "lean", "--insulin", "40"), "without a unit"),
        (("subject", "--phenotype", "lean", "--insulin", "40 mg"), "not an insulin dose"),
        (("subject", "--phenotype", "giraffe", "--insulin", "40 mU/m**2/min"), "known are lean"),
        (("advise", "--protocol", "euglycemic-40", "--weight-kg", "-70", "--height-cm", "175"), "negative"),
        (("advise", "--protocol", "euglycemic-40", "--weight-kg", "70", "--height-cm", "1750"), "height"),
        (("emulate", "magic", "--tcp", "0"), "no emulated device 'magic'"),
        (("emulate", "new-era"), "--pty --tcp"),
        (("emulate", "new-era", "--tcp", "99999"), "from 0 to 65535"),
        (("emulate", "new-era", "--tcp", "0", "--fault", "magic"), "no fault called 'magic'"),
        (("emulate", "new-era", "--tcp", "0", "--fault", "busy"), "has no fault 'busy'"),
        (("emulate", "new-era", "--tcp", "0", "--address", "500"), "from 0 to 99"),
        (("emulate", "new-era", "--tcp", "0", "--diameter-mm", "nan"), "is not a number"),
        (("emulate", "ysi", "--tcp", "0", "--glucose", "nan"), "is not a number"),
        (("emulate", "manual-pump", "--tcp", "0"), "no emulated device 'manual-pump'"),
        (("emulate", "new-era", "--tcp", "0", "--glucose", "92"), "new-era is no analyzer"),
        (("emulate", "new-era", "--tcp", "0", "--every", "9"), "--every goes with --glucose"),
        (("emulate", "new-era", "--tcp", "0", "--address", "3", "--setting", "address=4"), "given twice"),
        (
            ("emulate", "alaris", "--tcp", "0", "--address", "3"),
            "alaris has no setting 'address'; it has serial",
        ),
        *(
            (("emulate", device, "--tcp", "0", "--setting", setting), says)
            for device, setting, says in (
                ("new-era", "address", "not written as NAME=VALUE"),
                ("new-era", "=4", "not written as NAME=VALUE"),
                ("new-era", "address=500", "is 500; expected 0 to 99"),
                ("new-era", "diameter_um=0", "is 0; expected 100 to 80000"),
                ("new-era", "saf_s=-5", "is -5; expected 0 or more"),
                ("new-era", "strict_units=maybe", "is 'maybe'; expected true or false"),
                ("new-era", "saf_reply=loud", "expected new or safe or basic"),
                ("ysi-2700", "unit=grams", "expected mg/dL or mmol/L"),
                ("ysi-2700", "start=2026", "expected a time such as 2026-01-01T08:00"),
                ("ysi-2700", "run_ms=1.5", "expected a whole number"),
                ("line", "control_mg_dl=inf", "is inf; expected 0 or more"),
                ("line", "template={nothing}", "line does not work with this setting: 'nothing'"),
                ("line", "encoding=klingon", "unknown encoding: klingon"),
            )
        ),
        *(
            (("emulate", "new-era", "--tcp", "0", "--fault", fault), says)
            for fault, says in (
                ("cut", "does not fit its form: cut=N"),
                ("mute@soon", "has no such time; write FAULT@SECONDS"),
                ("mute@5-2", "has no such time"),
                ("mute@1-2-3", "has no such time"),
                ("mute@nan", "has no such time"),
                ("@5", "no fault called ''"),
            )
        ),
        *(
            (("emulate", "poct1a", "--connect", host), "is not HOST:PORT")
            for host in ("nowhere", ":5001", "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:")
        ),
        *(
            (("probe", "new-era", option, host), "is not HOST:PORT")
            for option in ("--tcp", "--listen")
            for host in ("127.0.0.1", ":5001", "127.0.0.1:70000", "127.0.0.1:x")
        ),
        *(
            (("probe", driver, "--port", "x", *more), says)
            for driver, more, says in (
                ("manual-pump", (), "it has no wire"),
                ("manual-analyzer", (), "it has no wire"),
                ("new-era", ("--frame", "9X9"), "'9X9' is not a frame"),
                ("new-era", ("--baud", "0"), "from 1 to 4e+06"),
                ("new-era", ("--serial-number", "1"), "does not tell a serial number"),
                ("new-era", ("--setting", "colour=red"), "new-era has no setting 'colour'; it has addressed"),
                ("new-era", ("--setting", "addressed=maybe"), "expected true or false"),
                ("alaris", ("--diameter-mm", "20"), "tells no syringe diameter"),
                ("alaris", ("--setting", "response_ms=soon"), "expected a whole number"),
                ("alaris", ("--setting", "response_ms=1"), "The alaris pump cannot be set up"),
                ("ysi-2700", ("--serial-number", "1"), "is an analyzer; --serial-number is for pumps"),
                ("ysi-2700", ("--bench-sheet", "s", "--role", "insulin"), "--bench-sheet is for pumps"),
                ("ysi-2700", ("--setting", "unit=grams"), "write mg/dL or mmol/L"),
                ("ysi-2700", ("--setting", "poll_ms=0"), "is 0; expected 1 or more"),
                ("ysi-2700", ("--setting", "date_order=ymd"), "expected mdy or dmy"),
                ("biosen", ("--setting", "tail=["), "tail is no regular expression"),
                ("line", (), "line does not work without the setting pattern and end"),
                ("line", ("--learn", "f"), "line does not work without the setting pattern and end"),
                ("line", ("--learn", "f", "--setting", "pattern=(", "--setting", "end=CR"), "position 0.\n"),
                ("new-era", ("--learn", "f"), "only the line driver does"),
                ("new-era", ("--learn", "f", "--bench-sheet", "s"), "not allowed with"),
                ("new-era", ("--role", "insulin"), "--role goes with --bench-sheet"),
                ("new-era", ("--key", "k"), "--key goes with --bench-sheet"),
                ("new-era", ("--bench-sheet", "s"), "needs --role insulin or --role dextrose"),
                ("new-era", ("--bench-sheet", "s", "--role", "dextrose", "--watchdog-s", "5"), "for insulin"),
                ("alaris", ("--bench-sheet", "s", "--role", "dextrose"), "so insulin only"),
                ("alaris", ("--bench-sheet", "s", "--role", "insulin", "--watchdog-s", "5"), "not 5 s"),
                ("graseby-3400", ("--bench-sheet", "s", "--role", "insulin"), "give --watchdog-s"),
                (
                    "harvard-ultra",
                    ("--bench-sheet", "s", "--role", "insulin", "--watchdog-s", "5"),
                    "30 to 600",
                ),
            )
        ),
        (("probe", "new-era", "--port", "usb:"), "usb:SERIALNUMBER"),
        (("probe", "new-era", "--port", ""), "write its name"),
        (("probe", "new-era", "--port", "tcp://nowhere"), "write tcp://HOST:PORT"),
        (("probe", "poct1a", "--port", "tcp-listen://127.0.0.1"), "write tcp-listen://HOST:PORT"),
        (("probe", "magic", "--tcp", "127.0.0.1:1"), "There is no driver 'magic'"),
        ((*SIMULATE, "--dextrose-pump", "alaris"), "alaris cannot be the dextrose pump"),
        ((*SIMULATE, "--dextrose-pump", "magic"), "no emulated device 'magic' for this; known are new-era"),
        ((*SIMULATE, "--insulin-pump", "ysi-2700"), "no emulated device 'ysi-2700' for this"),
        ((*SIMULATE, "--insulin-pump", "manual-pump"), "no emulated device 'manual-pump'"),
        ((*SIMULATE, "--analyzer", "new-era"), "known are ysi-2700"),
        (("run", "nosuch.toml"), "nosuch.toml"),
        (("run", "garbage.toml"), "not UTF-8"),
        (("run", "folder.toml"), "folder.toml"),
        (("ui",), "--attach"),
        (("ui", "empty.clamp.jsonl", "--serve-only"), "holds no session"),
    ],
)
def test_one_clear_sentence(clampctl: Run, here: Path, arguments: tuple[str, ...], says: str) -> None:
    before = set(here.rglob("*"))
    ran = clampctl(*arguments)
    assert says in ran.refusal()
    assert ran.out == ""
    assert unchanged(here, before)


def test_a_folder_that_cannot_be_made(clampctl: Run, here: Path) -> None:
    before = set(here.rglob("*"))
    assert "garbage.csv" in clampctl(*SIMULATE, "--out", "garbage.csv").refusal()
    assert "garbage.csv" in clampctl(*SIMULATE, "--out", "garbage.csv/under").refusal()
    assert unchanged(here, before)


def cut(data: bytes) -> bytes:
    return data[: data.rindex(b"\n", 0, len(data) - 1) + 40]


def altered(data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    lines[6] = lines[6].replace(b"0", b"1", 1)
    return b"".join(lines)


def dropped(data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join(lines[:6] + lines[7:])


@pytest.mark.parametrize(
    ("damage", "line"),
    [(cut, None), (altered, 7), (dropped, 7), (lambda _: GARBAGE, 1)],
)
def test_a_damaged_journal_is_a_finding_with_its_line(
    clampctl: Run, imported: Path, tmp_path: Path, damage: object, line: int | None
) -> None:
    assert callable(damage)
    whole = imported.read_bytes()
    broken = tmp_path / "broken.clamp.jsonl"
    broken.write_bytes(damage(whole))
    named = f"line {whole.count(bytes((10,))) if line is None else line}: "
    for arguments in (("replay",), ("check",), ("report", "--out", tmp_path / "out")):
        ran = clampctl(arguments[0], broken, *arguments[1:])
        assert ran.status == 1
        assert named in ran.err
        assert ran.err.count("\n") == 1
        assert ran.out == ""
    ran = clampctl("replay", broken, "--what-if", "hold")
    assert ran.status == 1
    assert named in ran.err
    assert not (tmp_path / "out").exists()


def test_a_damaged_journal_in_json(clampctl: Run, imported: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.clamp.jsonl"
    broken.write_bytes(dropped(imported.read_bytes()))
    ran = clampctl("replay", broken, "--json")
    assert ran.status == 1
    assert '"identical": false' in ran.out
    assert '"line": 7' in ran.out
