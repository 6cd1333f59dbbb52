"""The fault table: every device, every fault, what was expected and what happened: `make faults`."""

import importlib
import pkgutil
import sys
from dataclasses import dataclass
from pathlib import Path

import tests.faults
from tests.faults.pair import Case

PAGE = Path(__file__).parents[2] / "docs" / "devices" / "faults.md"

HEAD = """# What each device does wrong, and what the program does then

Every row is played by an emulated device and its link in virtual time, each time the tests run;
`make faults` prints and writes this page. `fault` is what `clampctl emulate DEVICE --fault` takes, or
in a few rows what a person does.

| device | fault | expected | happened | |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Played:
    """One row that was played."""

    case: Case
    happened: str
    green: bool


def cases() -> list[Case]:
    """Every case of every module beside this one, by device."""
    names = sorted(module.name for module in pkgutil.iter_modules(tests.faults.__path__))
    found: list[Case] = []
    for name in names:
        if not name.startswith(("__", "test_")):
            found += getattr(importlib.import_module(f"tests.faults.{name}"), "CASES", [])
    return sorted(dict.fromkeys(found), key=lambda case: case.device)


def played(case: Case) -> Played:
    """One case, played now; what it found wrong is its own words."""
    try:
        return Played(case, case.play(), True)
    except AssertionError as error:
        return Played(case, f"NOT SO: {(str(error) or 'an assertion failed').splitlines()[0]}", False)


def row(one: Played) -> str:
    """One line of the table."""
    case = one.case
    cells = (case.device, case.fault, case.expected, one.happened, "ok" if one.green else "**NO**")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def page(rows: list[Played]) -> str:
    """The whole page."""
    devices = len({one.case.device for one in rows})
    green = sum(one.green for one in rows)
    tail = f"\n{green} of {len(rows)} rows as expected, {devices} devices.\n"
    return HEAD + "\n".join(row(one) for one in rows) + "\n" + tail


def main() -> int:
    """Print and write the table; 1 when a row is not as expected."""
    rows = [played(case) for case in cases()]
    text = page(rows)
    sys.stdout.write(text)
    PAGE.write_text(text, encoding="utf-8")
    return int(not all(one.green for one in rows))


if __name__ == "__main__":
    raise SystemExit(main())
