"""What this computer lacks for a clamp, and which package brings it."""

import importlib.util
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

DISK_BYTES_MIN = 1 << 30
"""Below 1 GB free no session should start (safety sheet SR-22)."""

PACKAGE_OF = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""Debian's names; Qt's own message names the wrong one (libraries sheet 5)."""


def findings(environment: Mapping[str, str]) -> list[str]:
    """One sentence for each thing that is missing; empty when nothing is."""
    found = [*_python(), *_disk(), *_qt_libraries()]
    screen = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    if platform.system() == "Linux" and not screen:
        found.append("There is no screen (DISPLAY is not set): windows cannot open, the engine can run.")
    return found


def _python() -> list[str]:
    found = []
    for module, package in (
        ("serial", "pyserial"),
        ("numpy", "numpy"),
        ("pint", "pint"),
        ("msgspec", "msgspec"),
        ("PySide6", "PySide6-Essentials"),
        ("pyqtgraph", "pyqtgraph"),
    ):
        if importlib.util.find_spec(module) is None:
            found.append(f"The Python package {package} is not installed.")
    return found


def _disk() -> list[str]:
    free = shutil.disk_usage(Path.cwd()).free
    if free >= DISK_BYTES_MIN:
        return []
    return [f"Only {free / (1 << 20):.0f} MB are free on the disk; a session needs 1 GB."]


def _qt_libraries() -> list[str]:
    """Shared libraries that Qt's screen plug-ins ask for in vain, by their Debian package."""
    spec = importlib.util.find_spec("PySide6")
    ldd = shutil.which("ldd")
    if spec is None or spec.origin is None or ldd is None:
        return []
    plugins = Path(spec.origin).parent / "Qt" / "plugins" / "platforms"
    missing: dict[str, None] = {}
    for name in ("libqoffscreen.so", "libqxcb.so"):
        if (plugins / name).exists():
            asked = subprocess.run([ldd, str(plugins / name)], capture_output=True, text=True, check=False)
            for line in asked.stdout.splitlines():
                library, arrow, where = line.strip().partition(" => ")
                if arrow and "not found" in where:
                    missing[library] = None
    return [
        f"Qt lacks {library}: install {PACKAGE_OF.get(library, 'the package that holds it')}."
        for library in missing
    ]
