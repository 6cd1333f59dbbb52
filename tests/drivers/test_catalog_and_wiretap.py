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
from drivers.catalog import DRIVERS
from drivers.link import Link
from drivers.wiretap import Direction, Wiretap

SETTINGS: dict[str, dict[str, Any]] = {
    "new-era": {"role": Role.INSULIN, "address": 0, "diameter_um": 26_590, "watchdog_s": 5},
    "ysi-2700": {},
    "ysi-2300": {"date_order": "dmy"},
    "manual-pump": {"role": Role.DEXTROSE},
    "manual-analyzer": {},
}


def test_every_driver_is_named_and_its_evidence_stated() -> None:
    assert DRIVERS.keys() == SETTINGS.keys()
    for entry in DRIVERS.values():
        assert entry.title
        assert entry.evidence
        assert entry.stops_on_silence
    assert "UNCONFIRMED" in DRIVERS["ysi-2300"].evidence


@pytest.mark.parametrize("name", SETTINGS)
def test_every_driver_is_a_link_that_rests_until_opened(name: str) -> None:
    link: Link = DRIVERS[name].factory(**SETTINGS[name])
    assert link.wake_at() is None
    assert link.wake(1000) == []
    assert link.take_output() == b""
    link.opened(1, 1000)
    due_ms = link.wake_at()
    assert due_ms is not None
    assert due_ms >= 1000


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
