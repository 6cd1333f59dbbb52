"""Harvard quantities: text with its unit <-> integers of ours; both dialects rescale their replies.

Source: pumps reference 4.1, 4.2. Decimals and integers throughout; what is sent is rounded toward zero.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

_VOLUME_UL = {"nl": Decimal("0.001"), "ul": Decimal(1), "ml": Decimal(1000)}
_PER_HOUR = {"min": 60, "mn": 60, "m": 60, "h": 1, "hr": 1}

NUMBER = r"\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}"
_RATE = re.compile(rf"({NUMBER}) ?([num]l) ?/ ?(min|mn|m|hr|h)", re.IGNORECASE)
_VOLUME = re.compile(rf"({NUMBER}) ?([num]l)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """A number a pump printed, in µL/h or µL, and the step of its last possible digit."""

    value: Decimal
    quantum: Decimal

    @property
    def nearest(self) -> int:
        """To the nearest whole µL/h or µL."""
        return int(self.value.to_integral_value(ROUND_HALF_EVEN))

    def near(self, wanted: int) -> bool:
        """Is this the wanted number, as exactly as the pump can print it? (pumps 10.3 rule 3)"""
        return abs(self.value - wanted) <= max(self.quantum, Decimal("0.5"))

    def rate_ul_h(self, wanted: int | None) -> int:
        """The wanted rate where this is how the pump prints it, else what it printed."""
        return wanted if wanted is not None and self.near(wanted) else self.nearest


def told(number: str, factor: Decimal, digits: int) -> Told:
    """A printed number of at most `digits` significant digits, times the size of its unit."""
    value = Decimal(number)
    last = value.adjusted() - digits + 1 if value else -digits
    return Told(value * factor, Decimal(1).scaleb(last) * factor)


def parse_rate(text: str, digits: int) -> Told | None:
    """A rate with its unit in µL/h, such as `199.49 ul/min` or `120.00ml/hr`; None when it is not one."""
    match = _RATE.fullmatch(text.strip())
    if match is None:
        return None
    per_hour = _PER_HOUR[match[3].lower()]
    return told(match[1], _VOLUME_UL[match[2].lower()] * per_hour, digits)


def parse_volume(text: str, digits: int) -> Told | None:
    """A volume with its unit in µL, such as `1.69023 ul`; None when it is not one."""
    match = _VOLUME.fullmatch(text.strip())
    return None if match is None else told(match[1], _VOLUME_UL[match[2].lower()], digits)


def plain(value: Decimal) -> str:
    """A number without exponent and without zeros at its end: 2000, 41.6666."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def significant(value: Decimal, digits: int) -> Decimal:
    """Cut, toward zero, to so many significant digits."""
    if not value:
        return value
    step = Decimal(1).scaleb(value.adjusted() - digits + 1)
    return (value // step) * step


def parse_diameter_um(text: str) -> int | None:
    """Inner diameter in µm from `7.2620 mm` or `26.59`; None when it is not one."""
    match = re.fullmatch(rf"({NUMBER})(?: ?mm)?", text.strip(), re.IGNORECASE)
    return None if match is None else int((Decimal(match[1]) * 1000).to_integral_value(ROUND_HALF_EVEN))
