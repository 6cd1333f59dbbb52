"""The analyzers' rows of the fuzz table."""

from datetime import datetime

from clampctl.core.commands import Role
from drivers.analyzers.astm import Astm
from drivers.analyzers.biosen import Biosen
from drivers.analyzers.line import LineAnalyzer, form_of
from drivers.analyzers.poct1a import Poct1a
from drivers.analyzers.siemens import Siemens
from drivers.analyzers.ysi import Ysi
from drivers.reading import Rules
from simulator.devices import astm, biosen, line, poct1a, siemens, ysi
from simulator.devices.line_settings import LineSettings
from tests.fuzz import witness
from tests.fuzz.row import Row, analyzer
from tests.fuzz.seeds import cases, frames

WALL_ZERO = datetime(2026, 1, 1, 8)
"""The emulators' wall clock at 0 ms."""

CLOCKED = (
    r"(?P<time>\d\d:\d\d:\d\d) GLU (?P<value>[\d.,]{1,6}) (?P<unit>mg/dL|mmol/L) "
    r"(?P<id>\d{1,6})(?P<flag>[A-Z?]?)"
)
CLOCKED_TEMPLATE = "{time} GLU {value} {unit} {id}"
NUMBERED = r"GLU (?P<value>[\d.]{1,6}) (?P<unit>mg/dL|mmol/L) #(?P<id>\d{4})(?P<flag>.{0,4})"


def line_by_end() -> LineAnalyzer:
    """Lines that end in CR LF, as the emulator prints them."""
    learned = form_of(Rules(), NUMBERED, "CRLF", other_lines="LAC.{0,40}|READY").fingerprint
    return LineAnalyzer(pattern=NUMBERED, end="CRLF", other_lines="LAC.{0,40}|READY", learned=learned)


def line_by_silence() -> LineAnalyzer:
    """Lines that end by silence, with a clock, a decimal comma and more bytes than characters."""
    rules = Rules(comma=True)
    form = form_of(rules, CLOCKED, "SILENCE:200", "utf-8", time_format="%H:%M:%S")
    return LineAnalyzer(
        rules=rules,
        wall_zero=WALL_ZERO,
        pattern=CLOCKED,
        end="SILENCE:200",
        encoding="utf-8",
        time_format="%H:%M:%S",
        learned=form.fingerprint,
    )


ANALYZERS: tuple[Row, ...] = (
    Row(
        "ysi",
        Role.ANALYZER,
        Ysi,
        lambda now_ms: analyzer(ysi.Ysi(None, now_ms)),
        cases("ysi_2700"),
        [*frames("ysi_2700", ">"), b"RS1\r", b"RS9\r", b"RM\r", b"RY\r", b"RC\r\n"],
        [b"2\r\n", b"1\r\n"],
    ),
    Row(
        "astm",
        Role.ANALYZER,
        Astm,
        lambda now_ms: analyzer(astm.AstmAnalyzer(None, now_ms)),
        cases("astm_radiometer"),
        [*frames("astm_radiometer", ">"), b"\x05", b"\x15", b"\x04", b"\x06\x06"],
        scan=witness.astm,
    ),
    Row(
        "siemens",
        Role.ANALYZER,
        Siemens,
        lambda now_ms: analyzer(siemens.Siemens(None, now_ms)),
        cases("siemens_lis3"),
        frames("siemens_lis3", ">"),
        scan=witness.siemens,
    ),
    Row(
        "biosen",
        Role.ANALYZER,
        lambda: Biosen(glucose_channel="001"),
        lambda now_ms: analyzer(biosen.Biosen(None, now_ms)),
        cases("biosen"),
        [b"\x05", b"\x06", b"\r\n"],
    ),
    Row(
        "poct1a",
        Role.ANALYZER,
        lambda: Poct1a(wall_zero=WALL_ZERO),
        lambda now_ms: analyzer(poct1a.Poct1a(None, now_ms)),
        cases("poct1a"),
        frames("poct1a", ">"),
    ),
    Row(
        "line",
        Role.ANALYZER,
        line_by_end,
        lambda now_ms: analyzer(line.LineDevice(None, now_ms)),
        [
            [
                b"READY\r\n",
                b"GLU 92 mg/dL #0001\r\n",
                b"LAC 1.0 mmol/L #0001\r\n",
                b"GLU 5.1 mmol/L #0002 L\r\n",
            ]
        ],
        [b"GLU\r\n"],
    ),
    Row(
        "line by silence",
        Role.ANALYZER,
        line_by_silence,
        lambda now_ms: analyzer(
            line.LineDevice(LineSettings(template=CLOCKED_TEMPLATE, end="", time_format="%H:%M:%S"), now_ms)
        ),
        [[b"08:01:00 GLU 92,0 mg/dL 1", b"08:06:00 GLU 5,1 mmol/L 2", "08:10:00 µ".encode()]],
        [b"GLU\r\n"],
    ),
)
