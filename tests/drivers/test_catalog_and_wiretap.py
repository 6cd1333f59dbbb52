"""The catalog names every driver; the wiretap keeps every byte."""

import ast
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import drivers
from clampctl.core.commands import Role
from drivers.catalog import ANALYZERS, DRIVERS, PUMPS, analyzer_link, pump_link, settings_of
from drivers.link import Expected, Link
from drivers.reading import Rules
from drivers.wiretap import Direction, Wiretap

SETTINGS: dict[str, dict[str, Any]] = {
    "new-era": {"expected": Expected(Role.INSULIN, diameter_um=26_590, watchdog_s=5)},
    "alaris": {"expected": Expected(Role.INSULIN, watchdog_s=15)},
    "harvard-ultra": {"expected": Expected(Role.INSULIN, diameter_um=26_590, watchdog_s=180)},
    "harvard-22": {"expected": Expected(Role.DEXTROSE, diameter_um=26_590)},
    "graseby-3400": {"expected": Expected(Role.DEXTROSE, diameter_um=26_590)},
    "radiometer-abl": {},
    "gem": {"codes": ("Glu",)},
    "nova": {"serial": "N1"},
    "cobas-b": {"silence_ms": 15_000},
    "siemens": {},
    "biosen": {"glucose_channel": "001"},
    "poct1a": {"serial": "S1"},
    "line": {"pattern": r"(?P<id>\d{1,4}) (?P<value>\d{1,3}\.\d)", "end": "CR", "rules": Rules(unit="mg/dL")},
    "ysi-2700": {},
    "ysi-2300": {"date_order": "dmy"},
    "manual-pump": {"expected": Expected(Role.DEXTROSE)},
    "manual-analyzer": {},
}


SPEAK_UNASKED = {"radiometer-abl", "gem", "nova", "cobas-b", "siemens", "biosen", "poct1a", "line"}
"""Analyzers that are listened to, not asked."""


def test_every_driver_is_named_and_its_evidence_stated() -> None:
    assert DRIVERS.keys() == SETTINGS.keys()
    for entry in DRIVERS.values():
        assert entry.title
        assert entry.evidence
        assert entry.notes
    assert "UNCONFIRMED" in DRIVERS["ysi-2300"].evidence


@pytest.mark.parametrize("name", SETTINGS)
def test_every_driver_is_a_link_that_rests_until_opened(name: str) -> None:
    link: Link = DRIVERS[name].factory(**SETTINGS[name])
    assert link.wake_at() is None
    assert link.wake(1000) == []
    assert link.take_output() == b""
    link.opened(1, 1000)
    due_ms = link.wake_at()
    assert due_ms is None if name in SPEAK_UNASKED else due_ms is not None and due_ms >= 1000


@pytest.mark.parametrize("name", SETTINGS)
def test_the_same_calls_give_the_same_result(name: str) -> None:
    def story() -> list[Any]:
        link = DRIVERS[name].factory(**SETTINGS[name])
        link.opened(1, 0)
        told: list[Any] = []
        for now_ms in range(0, 20_000, 250):
            told += [link.wake(now_ms), link.take_output(), link.receive(b"\x0200S\x03A\r\n", now_ms)]
        return told

    assert story() == story()


def test_what_each_pump_does_on_silence_is_declared_for_both_roles() -> None:
    for name, entry in PUMPS.items():
        assert set(entry.capabilities.on_silence) == {Role.DEXTROSE, Role.INSULIN}, name
        assert entry.on_silence
        assert set(entry.told_by) <= {"serial_number", "address", "syringe_diameter"}
        steps = entry.capabilities.rate_steps
        assert list(steps) == sorted(steps)
        assert steps[-1][0] > entry.capabilities.rate_ul_h_max, f"{name}: a rate without a step"


def test_a_setting_that_a_driver_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="ysi-2700 has no setting 'magic'; it has poll_ms"):
        analyzer_link("ysi-2700", Rules(), None, {"magic": 1})
    with pytest.raises(ValueError, match="new-era has no setting 'magic'; it has addressed"):
        pump_link("new-era", Expected(Role.DEXTROSE, diameter_um=26_590), 1_000_000, {"magic": 1})
    assert not {"rules", "wall_zero", "expected"} & set(settings_of(ANALYZERS["siemens"].factory))
    assert analyzer_link("manual-analyzer", Rules(), None, {}).wake_at() is None


def test_a_driver_imports_the_vocabulary_and_nothing_else_of_the_project() -> None:
    allowed = {"clampctl.core.events", "clampctl.core.commands", "clampctl.units"}
    for path in Path(str(drivers.__file__)).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(
                ("clampctl", "simulator", "ui")
            ):
                assert node.module in allowed, path.name


def test_a_piece_of_wire_is_one_line() -> None:
    file = io.BytesIO()
    Wiretap(file, "insulin pump").note(Direction.TO_DEVICE, b"\x02\x06003\xc6\x03", 1250)
    assert json.loads(file.getvalue()) == {
        "at_ms": 1250,
        "device": "insulin pump",
        "direction": ">",
        "hex": "02 06 30 30 33 C6 03",
    }


@given(st.lists(st.tuples(st.sampled_from(Direction), st.binary(max_size=9), st.integers(0)), max_size=9))
def test_every_byte_comes_back(pieces: list[tuple[Direction, bytes, int]]) -> None:
    file = io.BytesIO()
    tap = Wiretap(file, "x")
    for direction, data, at_ms in pieces:
        tap.note(direction, data, at_ms)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [(line["direction"], bytes.fromhex(line["hex"]), line["at_ms"]) for line in lines] == [
        piece for piece in pieces if piece[1]
    ]
