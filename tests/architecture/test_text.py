"""What no file of the project may contain: paths of one machine, unfinished notes, odd line ends."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUFFIXES = (".py", ".toml", ".md", ".txt", ".csv", ".json", ".yml", ".yaml", ".cfg")
SKIPPED = {".git", ".venv", ".venv-peers", ".hypothesis", "build", "dist"}
HERE = Path(__file__).name

FORBIDDEN = (
    re.compile(r"(?<![\w.])/(?:home|Users|root)/\w"),
    re.compile(re.escape(str(ROOT))),
    re.compile(r"[A-Z]:\\Users\\"),
    re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b"),
    re.compile(r"^(?:<<<<<<<|>>>>>>>) ", re.MULTILINE),
)


def texts() -> tuple[Path, ...]:
    """Every text file that is, or may be, committed."""
    found = []
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        hidden = any(part in SKIPPED or part.endswith((".egg-info", "_cache")) for part in parts)
        if not hidden and path.is_file() and path.suffix in SUFFIXES and path.name != HERE:
            found.append(path)
    return tuple(sorted(found))


@pytest.mark.parametrize("path", texts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_of_one_machine_and_nothing_unfinished(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [pattern.pattern for pattern in FORBIDDEN if pattern.search(text)] == []


def sources() -> tuple[Path, ...]:
    """Every Python file among them."""
    return tuple(path for path in texts() if path.suffix == ".py")


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_and_ends_its_lines_alike(path: Path) -> None:
    data = path.read_bytes()
    assert b"\r" not in data
    assert data == b"" or data.endswith(b"\n")
    assert data == b"" or data.lstrip().startswith((b'"""', b"#!"))
