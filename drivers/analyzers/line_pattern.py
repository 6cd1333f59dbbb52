"""Patterns that a person writes for an analyzer's line, and how long one may take at worst.

A regular expression may try its repeats in as many ways as there are, so these are counted before a
pattern is taken: every repeat has a range, an alternative adds, a sequence multiplies (analyzers 8).
Only plain parts are known here; what is not known is refused. Not here: what the groups mean.
"""

import re

LINE_CAP = 256
"""Bytes of a line; no analyzer prints more than 80 in a row (analyzers 8)."""

WAYS_MAX = 1_000_000
"""So many ways are tried in well under a second."""

PATTERN_CAP = 512
"""Characters of a pattern."""

_NAMED = re.compile(r"\?P<[A-Za-z_][A-Za-z0-9_]*>|\?:")
_REPEAT = re.compile(r"(?:([*+?])|\{(\d*)(,?)(\d*)\})[?+]?")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_KNOWN_ESCAPES = "dDsSwW.^$*+?{}[]\\|()/-#:;,=<>%&'\"! ~@_t"


def checked(pattern: str) -> "re.Pattern[str]":
    """The pattern, compiled. Errors: ValueError, one sentence."""
    if not pattern or len(pattern) > PATTERN_CAP:
        raise ValueError(f"The pattern has {len(pattern)} characters; 1 to {PATTERN_CAP} are allowed.")
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"The pattern is not a regular expression: {error}.") from None
    if _Counter(pattern).ways() > WAYS_MAX:
        raise ValueError(
            r"The pattern could be tried in too many ways on one line: bound its repeats, as in \d{1,4}."
        )
    return compiled


class _Counter:
    """Counts in how many ways a pattern that compiles can be tried, at most."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def ways(self) -> int:
        """All of it."""
        return self._alternatives()

    def _alternatives(self) -> int:
        total = self._sequence()
        while self._takes("|"):
            total += self._sequence()
        return total

    def _sequence(self) -> int:
        ways = 1
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            ways = min(ways * self._repeated(self._part()), WAYS_MAX + 1)
        return ways

    def _part(self) -> int:
        """One group, class, escape or character; the ways inside it."""
        if self._takes("("):
            opening = _NAMED.match(self._pattern, self._at)
            if opening is not None:
                self._at = opening.end()
            elif self._pattern.startswith("?", self._at):
                raise ValueError(
                    "The pattern has a group that is not known here: use (?P<name>...) or (?:...)."
                )
            inside = self._alternatives()
            self._takes(")")
            return inside
        found = _CLASS.match(self._pattern, self._at)
        if found is not None:
            self._at = found.end()
            return 1
        if self._takes("\\"):
            escaped = self._pattern[self._at]
            if escaped not in _KNOWN_ESCAPES:
                raise ValueError(f"The pattern has \\{escaped}, which is not known here.")
        self._at += 1
        return 1

    def _repeated(self, inside: int) -> int:
        """The ways of a part with the repeat behind it, if there is one."""
        found = _REPEAT.match(self._pattern, self._at)
        if found is None or found[0] == "{}":
            return inside
        self._at = found.end()
        least, most = _range(found)
        if inside == 1:
            return most - least + 1
        total, product = 0, 1
        for count in range(most + 1):
            total += product if count >= least else 0
            product = min(product * inside, WAYS_MAX + 1)
        return min(total, WAYS_MAX + 1)

    def _takes(self, sign: str) -> bool:
        if not self._pattern.startswith(sign, self._at):
            return False
        self._at += 1
        return True


def _range(repeat: "re.Match[str]") -> tuple[int, int]:
    """The least and the most times; an open end stops at the line's length."""
    sign, least, comma, most = repeat.groups()
    match sign:
        case "*":
            return 0, LINE_CAP
        case "+":
            return 1, LINE_CAP
        case "?":
            return 0, 1
        case _:
            first = int(least or 0)
            last = (int(most) if most else LINE_CAP) if comma else first
            return min(first, LINE_CAP), min(max(last, first), LINE_CAP)
