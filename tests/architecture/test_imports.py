"""Who may import whom: the contracts of pyproject.toml, and what a bare import loads."""

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter import api, cli

ROOT = Path(__file__).parents[2]


def test_every_import_contract_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    contracts = api.read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]
    assert len(contracts) >= 12
    assert (
        cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
        == cli.EXIT_STATUS_SUCCESS
    )


@pytest.mark.parametrize(
    "module", ["clampctl.core.step", "clampctl.engine.replay", "clampctl.engine.loop", "clampctl.cli"]
)
def test_the_engine_and_the_command_line_load_no_screen(module: str) -> None:
    """In a fresh interpreter, because another test may have loaded Qt."""
    code = f"import sys, {module}; print(sorted(m for m in sys.modules if m in ('PySide6', 'pyqtgraph')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_core_runs_without_third_party_modules() -> None:
    code = (
        "import sys; before = set(sys.modules); import clampctl.core.step, clampctl.core.codec; "
        "third = ('numpy', 'pint', 'msgspec', 'serial', 'PySide6'); "
        "print(sorted((set(sys.modules) - before) & set(third)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
