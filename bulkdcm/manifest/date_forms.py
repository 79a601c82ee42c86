"""How dates are written in datasets: the forms that are known, and what each cell may be by them."""

from __future__ import annotations

import calendar
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from bulkdcm.manifest.readings import tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

YEARS = range(1800, 2300)  # shifted dates of de-identified datasets reach past 2200
CLOCK = re.compile(r"(?:T|,? )\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?$")
_TOGETHER = re.compile(r"(\d{8})(\d{6})(\.\d{1,6})?")  # as readers of typed tables write both
_NUMBERS = re.compile(r"(\d{1,4})([-/. ])(\d{1,2})\2(\d{1,4})")
_DIGITS = re.compile(r"(\d{6,8})(?:\.0+)?")
_NAME = r"([A-Za-z]{3,9})\.?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_NAMED = tuple(
    (re.compile(pattern), order)
    for pattern, order in (
        (rf"{_DAY}[-/. ]+{_NAME},?[-/. ]+(\d{{4}}|\d{{2}})", "DMY"),
        (rf"{_NAME}[-/. ]+{_DAY},?[-/. ]+(\d{{4}}|\d{{2}})", "MDY"),
        (rf"(\d{{4}})[-/. ]+{_NAME}[-/. ]+{_DAY}", "YMD"),
    )
)
_MONTHS = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr, ["", *["-"] * 8, "Sept"])
    for number, name in enumerate(names)
    if len(name) > 1
}
# By how a date is written: the orders it may have, and whether the first is meant where it fits every cell.
ORDERS = {
    "year first": (("YMD", "YDM"), True),
    "year last": (("DMY", "MDY"), False),
    "two-digit year": (("DMY", "MDY", "YMD"), False),
    "8 digits": (("YMD", "DMY", "MDY"), True),
    "6 digits": (("YMD", "DMY", "MDY"), False),
}


class Written(NamedTuple):
    """A date as it is written: shape, separator, and its readings by their order."""

    shape: str
    separator: str
    readings: dict[str, tuple[int, int, int]]


@lru_cache(maxsize=65_536)
def written_date(cell: str) -> Written | None:
    """Return what a cell may be; None where it has no form of a date."""
    if match := _NUMBERS.fullmatch(cell):
        first, second, third = int(match[1]), int(match[3]), int(match[4])
        sizes = len(match[1]), len(match[4])
        if sizes[0] == 4 and sizes[1] <= 2:
            return _in_orders("year first", match[2], (first, second, third), (first, second, third))
        if sizes[1] == 4 and sizes[0] <= 2:
            return _in_orders("year last", match[2], (first, second, third), (first, second, third))
        if max(sizes) <= 2:
            return _in_orders("two-digit year", match[2], (first, second, third), (first, second, third))
        return None
    if match := _DIGITS.fullmatch(cell):
        digits = match[1]
        if len(digits) == 6:
            parts = int(digits[:2]), int(digits[2:4]), int(digits[4:])
            return _in_orders("6 digits", "", parts, parts)
        digits = digits.zfill(8)
        year_first = int(digits[:4]), int(digits[4:6]), int(digits[6:])
        return _in_orders("8 digits", "", year_first, (int(digits[:2]), int(digits[2:4]), int(digits[4:])))
    for pattern, order in _NAMED:
        if match := pattern.fullmatch(cell):
            return _in_words(order, match.groups())
    return None


def _in_orders(
    shape: str, separator: str, year_first: tuple[int, int, int], year_last: tuple[int, int, int]
) -> Written:
    readings = {}
    for order in ORDERS[shape][0]:
        parts = dict(zip(order, year_first if order[0] == "Y" else year_last, strict=True))
        if exists(found := (parts["Y"], parts["M"], parts["D"]), two_digit="two" in shape or shape == "6 digits"):
            readings[order] = found
    return Written(shape, separator, readings)


def _in_words(order: str, groups: Sequence[str]) -> Written | None:
    parts = dict(zip(order, groups, strict=True))
    month = _MONTHS.get(parts["M"].lower(), 0)
    found = int(parts["Y"]), month, int(parts["D"])
    two_digit = len(parts["Y"]) == 2
    readings = {order: found} if exists(found, two_digit=two_digit) else {}
    return Written("words, two-digit year" if two_digit else "words", " ", readings)


def exists(ymd: tuple[int, int, int], *, two_digit: bool = False) -> bool:
    """Return whether a day of a year, month and day is in the calendar, and in years that images are of."""
    year, month, day = ymd
    if two_digit:
        year += 2000
    return 1 <= month <= 12 and year in YEARS and 1 <= day <= calendar.monthrange(year, month)[1]


def has_clock(cell: str) -> bool:
    """Return whether a time of day other than midnight follows the date."""
    clock = clock_of(tidy(cell))
    return bool(clock and re.search(r"[1-9]", clock))


def date_of(cell: str) -> str:
    """Return a cell without the time of day that follows its date."""
    if ":" in cell:
        return CLOCK.sub("", cell)
    match = _TOGETHER.fullmatch(cell)
    return match[1] if match else cell


def clock_of(cell: str) -> str:
    """Return the time of day that follows a date; empty where none does."""
    if together := _TOGETHER.fullmatch(cell):
        digits = together[2]
        return f"{digits[:2]}:{digits[2:4]}:{digits[4:]}{together[3] or ''}" if written_date(together[1]) else ""
    match = CLOCK.search(cell) if ":" in cell else None
    return match[0].lstrip("T, ") if match and written_date(cell[: match.start()]) else ""
