"""Documents by name or path: protocols, subjects, stations.

What each document may hold is in `protocol_document`, `subject_document` and `station_document`.
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from clampctl.core.protocol import Protocol, Refusal
from clampctl.core.subject import Subject
from clampctl.study.document import Table, mapping, read_toml, text
from clampctl.study.protocol_document import read_protocol
from clampctl.study.station_document import (
    KEYS,
    PumpDefaults,
    StationDocument,
    read_bench_sheets,
    read_devices,
)
from clampctl.study.subject_document import read_subject

USUAL_BSA_FORMULA = "du_bois"


def protocol_names() -> tuple[str, ...]:
    """The protocols that come with the program."""
    return tuple(sorted(path.stem for path in _protocol_directory().glob("*.toml")))


def load_protocol(name_or_path: str | Path) -> Protocol:
    """A protocol that comes with the program, by name, or one from a TOML file, by path."""
    if isinstance(name_or_path, Path) or name_or_path.endswith(".toml"):
        return read_protocol(read_toml(Path(name_or_path)))
    if name_or_path not in protocol_names():
        raise Refusal(
            "protocol",
            f'protocol is "{name_or_path}"; known are {", ".join(protocol_names())}, '
            "or give the path of a .toml file.",
        )
    return read_protocol(read_toml(_protocol_directory() / f"{name_or_path}.toml"))


def load_subject(
    path_or_table: str | Path | Mapping[str, object], bsa_formula: str = USUAL_BSA_FORMULA
) -> Subject:
    """A subject from a TOML file or from a table; the protocol says by which body surface formula."""
    if isinstance(path_or_table, str | Path):
        return read_subject(read_toml(Path(path_or_table)), bsa_formula)
    return read_subject(path_or_table, bsa_formula)


def load_station(path: str | Path, pump_defaults: Mapping[str, PumpDefaults]) -> StationDocument:
    """A station from a TOML file; `pump_defaults` is what each pump driver knows of its pump.

    The protocol's path and the session directory are taken from where the document stands.
    """
    document = Path(path)
    entries = read_toml(document)
    station, ports = read_devices(entries, pump_defaults)
    bench_sheets, bench_key = read_bench_sheets(entries, document.parent)
    table = Table(entries, "", KEYS)
    wanted = table.read_or("protocol", text, None)
    protocol = None
    if wanted is not None:
        protocol = load_protocol(document.parent / wanted if wanted.endswith(".toml") else wanted)
    subject_entries = table.read_or("subject", mapping, None)
    subject = None
    if subject_entries is not None:
        subject = load_subject(subject_entries, protocol.bsa_formula if protocol else USUAL_BSA_FORMULA)
    return StationDocument(
        station=station,
        ports=ports,
        protocol=protocol,
        subject=subject,
        session_directory=document.parent / table.read_or("session_directory", text, "sessions"),
        bench_sheets=bench_sheets,
        bench_key=bench_key,
    )


def _protocol_directory() -> Path:
    return Path(str(resources.files("clampctl.study") / "protocols"))
