"""What commands print: JSON on one line, or words for a person."""

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clampctl.core.protocol import Refusal


def plain(value: object) -> Any:
    """A dataclass (or what is in one) as JSON-able data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    if isinstance(value, Path):
        return str(value)
    return value


def print_json(value: object) -> None:
    """One JSON object on one line of stdout; a number that is none would be a bug and raises."""
    print(json.dumps(plain(value), allow_nan=False), flush=True)


def say(text: str) -> None:
    """Words on stdout."""
    print(text, flush=True)


def warn(text: str) -> None:
    """Words on stderr."""
    print(f"clampctl: {text}", file=sys.stderr, flush=True)


def figures(values: Mapping[str, object]) -> str:
    """Names and values, one a line, for a person."""
    lines = []
    for name, value in values.items():
        if isinstance(value, list):
            lines.append(f"{name}: {'none' if not value else ''}".rstrip())
            lines.extend(f"    {item}" for item in value)
        elif isinstance(value, float):
            lines.append(f"{name}: {value:.4g}")
        else:
            lines.append(f"{name}: {'not known' if value is None else value}")
    return "\n".join(lines)


def new_file(path: Path) -> Path:
    """A path for a file that must not exist yet; its folder is made. Refused when it exists."""
    if path.exists():
        raise Refusal("out", f"{path} exists already; nothing was written.")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
