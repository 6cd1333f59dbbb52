"""A learned line as it stands in a station's document: the settings, the fingerprint, who and when.

Learn mode itself is the driver's; here its outcome becomes text that a person puts into the document.
"""

import json
from collections.abc import Mapping

from clampctl.study.station_document import Option


def learned_options(options: Mapping[str, Option], fingerprint: str, learned_by: str, learned_on: str) -> str:
    """The table `[analyzer.options]` with its `learned` key, as TOML.

    `learned_by` are initials and `learned_on` a date; both stand in a comment only, on one line.
    """
    by, on = (" ".join(text.split()) for text in (learned_by, learned_on))
    lines = [f"# three lines compared with the display by {by} on {on}", "[analyzer.options]"]
    lines += [f"{key} = {_written(value)}" for key, value in options.items() if key != "learned"]
    return "\n".join([*lines, f"learned = {_written(fingerprint)}"]) + "\n"


def _written(value: Option) -> str:
    """A basic TOML string escapes as JSON does, but for the delete character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
