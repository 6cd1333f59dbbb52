"""A file is about one thing: 350 lines at most, 60 in a function (design)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("clampctl", "drivers", "simulator", "ui", "tests")
FILE_LINES_MAX = 350
FUNCTION_LINES_MAX = 60

FILES = tuple(sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")))


def functions(text: str) -> Iterator[tuple[str, int]]:
    """Name and number of lines of every function, decorators not counted."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            yield node.name, node.end_lineno - node.lineno + 1


def test_there_are_files_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= FILE_LINES_MAX
    too_long = [name for name, lines in functions(text) if lines > FUNCTION_LINES_MAX]
    assert too_long == []
