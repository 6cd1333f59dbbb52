"""How an Ultra pump prints and reads its numbers: six significant digits, a unit (as recorded, 3.0.6)."""

import re
from decimal import ROUND_HALF_EVEN, Decimal

_PL = {"nl": 1_000, "ul": 1_000_000, "ml": 1_000_000_000}
_HOURLY = {"min": 60, "m": 60, "h": 1, "hr": 1}
_SHORT = {"n": "nl", "u": "ul", "m": "ml"}
_QUANTITY = re.compile(r"(\d{1,9}(?:\.\d{0,12})?) ?([a-z]{1,2})(?:/([a-z]{1,3}))?", re.IGNORECASE | re.ASCII)


def _found(text: str) -> tuple[Decimal, str, str | None] | None:
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        return None
    unit = _SHORT.get(match[2].lower(), match[2].lower())
    return (Decimal(match[1]), unit, match[3] and match[3].lower()) if unit in _PL else None


def rate_nl_h(text: str) -> tuple[int, str] | None:
    """A rate as typed, in whole nL/h, and its unit; None when it is not one."""
    found = _found(text)
    if found is None or found[2] not in _HOURLY:
        return None
    number, volume, per = found
    return int(number * _PL[volume] * _HOURLY[per or "h"] / 1000), f"{volume}/{per}"


def volume_pl(text: str) -> int | None:
    """A volume as typed, in whole pL; None when it is not one."""
    found = _found(text)
    return int(found[0] * _PL[found[1]]) if found is not None and found[2] is None else None


def six_digits(value: Decimal) -> str:
    """Six significant digits, no zeros at the end: 1.69023, 199.49, 1."""
    if not value:
        return "0"
    rounded = value.quantize(Decimal(1).scaleb(value.adjusted() - 5), ROUND_HALF_EVEN)
    text = format(rounded, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def rate_text(nl_h: int, unit: str) -> str:
    """A rate in the unit last used for it."""
    volume, _, per = unit.partition("/")
    return f"{six_digits(Decimal(nl_h) * 1000 / (_PL[volume] * _HOURLY[per]))} {unit}"


def small_rate_text(tenths_pl_min: int) -> str:
    """A limit, in the unit that suits its size."""
    pl_min = Decimal(tenths_pl_min) / 10
    unit = _suited(pl_min)
    return f"{six_digits(pl_min / _PL[unit])} {unit}/min"


def volume_text(pl: int, unit: str | None = None) -> str:
    """A volume, in the unit that suits its size unless one is given."""
    unit = unit or _suited(Decimal(pl))
    return f"{six_digits(Decimal(pl) / _PL[unit])} {unit}"


def _suited(pl: Decimal) -> str:
    return "ml" if pl >= _PL["ml"] else "ul" if pl >= _PL["ul"] or not pl else "nl"
