"""What may be written behind an option: numbers in a range, hosts, windows, text files, a protocol.

A wrong one is refused with a sentence before anything is done.
"""

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from clampctl.core.protocol import Mode, Protocol, Refusal

if TYPE_CHECKING:
    from simulator.furniture import Choice

PORT_MAX = 65_535
FRAME = re.compile(r"[78][NEO][12]")


def number(low: float = -math.inf, high: float = math.inf) -> Callable[[str], float]:
    """An option's type: a finite number from `low` to `high`."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high):
            raise argparse.ArgumentTypeError(f"{text!r} is not a number{_range(low, high)}")
        return value

    return read


def whole(low: int, high: float = math.inf) -> Callable[[str], int]:
    """An option's type: a whole number from `low` to `high`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number{_range(low, high)}")
        return value

    return read


def _range(low: float, high: float) -> str:
    return f" from {low:g}" * math.isfinite(low) + f" to {high:g}" * math.isfinite(high)


def host_and_port(text: str) -> tuple[str, int] | None:
    """The host and the port, 1 to 65535, in HOST:PORT; None where it is not written so."""
    host, _, port = text.rpartition(":")
    if not (host and port.isascii() and port.isdecimal() and 0 < int(port) <= PORT_MAX):
        return None
    return host, int(port)


def host_port(text: str) -> str:
    """An option's type: HOST:PORT."""
    if host_and_port(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:5001")
    return text


def serial_frame(text: str) -> str:
    """An option's type: data bits, parity and stop bits, such as 8N1."""
    if FRAME.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a frame, such as 8N1 or 7E1")
    return text


def minutes_window(text: str | None) -> tuple[float, float] | None:
    """A window such as `80-120` in minutes. Refused when it is not one."""
    if text is None:
        return None
    start, dash, end = text.partition("-")
    try:
        window = float(start), float(end)
    except ValueError:
        window = 1.0, 0.0
    if not (dash and window[0] < window[1] < math.inf):
        raise Refusal("window", f"window is {text!r}; expected minutes from-to, such as 80-120.")
    return window


def text_of(path: Path) -> str:
    """The text of a file. Refused when it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refusal("file", f"{path.name} is not a text file in UTF-8.") from None


def add_devices_to(command: argparse.ArgumentParser) -> None:
    """The options that say which devices stand at a virtual bed."""
    for option, usual in (
        ("dextrose-pump", "new-era"),
        ("insulin-pump", "new-era"),
        ("analyzer", "ysi-2700"),
    ):
        words = f"a driver that `clampctl devices` lists; {usual} unless given"
        command.add_argument(f"--{option}", default=usual, metavar="DRIVER", help=words)


def chosen_devices(options: argparse.Namespace) -> "Choice":
    """The devices of a virtual bed."""
    from simulator.furniture import Choice

    return Choice(options.dextrose_pump, options.insulin_pump, options.analyzer)


def chosen_protocol(options: argparse.Namespace) -> Protocol:
    """The protocol of a virtual clamp, with the command line's changes."""
    from clampctl.study.load import load_protocol
    from clampctl.study.variants import with_law, with_minutes, with_mode

    protocol = with_mode(load_protocol(options.protocol), Mode(options.mode))
    if options.minutes is not None:
        protocol = with_minutes(protocol, options.minutes)
    law = getattr(options, "law", None)
    return protocol if law is None else with_law(protocol, law)
