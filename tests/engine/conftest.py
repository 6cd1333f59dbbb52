"""Journals that every test of this room may read, and none may change."""

from pathlib import Path

import pytest

from clampctl.engine.replay import Refolded, steps
from tests.engine.clamps import EUGLYCEMIC, recorded


@pytest.fixture(scope="session")
def clamp_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of 20 min of clamp on the bench."""
    return recorded(tmp_path_factory.mktemp("clamp") / "lean.clamp.jsonl", EUGLYCEMIC, 20.0)


@pytest.fixture(scope="session")
def clamp_data(clamp_file: Path) -> bytes:
    """Its bytes."""
    return clamp_file.read_bytes()


@pytest.fixture(scope="session")
def clamp_steps(clamp_data: bytes) -> list[Refolded]:
    """Its steps, decided anew."""
    return list(steps(clamp_data))


@pytest.fixture(scope="session")
def lines_200(clamp_data: bytes) -> list[bytes]:
    """Its first 200 lines."""
    return clamp_data.splitlines(keepends=True)[:200]
