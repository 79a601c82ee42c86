"""Dates with a time of day in one cell, to what DICOM writes of both together (PS3.5 6.2, DT)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from bulkdcm.manifest.date_forms import CLOCK, YEARS
from bulkdcm.manifest.dates import read_dates
from bulkdcm.manifest.readings import Doubt, tidy
from bulkdcm.manifest.times import read_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.manifest.rule import Rule

_ZONE = re.compile(r"(?<=\d) ?(Z|UTC|[+-](?:0\d|1[0-4]):?[0-5]\d)$")
_PLAIN = re.compile(r"(\d{8})(\d{6})(\.\d{1,6})?")
_ZONED = re.compile(r"\d{14}(?:\.\d{1,6})?[+-]\d{4}")
_NONE = Doubt(
    "datetime",
    "not a date with a time of day, such as 2023-07-26 10:15:30",
    'Say how it is written with formats, such as formats = ["%d.%m.%Y %H:%M"], or what others become with `else`, in {key}',
)


def read_datetimes(cells: Sequence[str], rule: Rule) -> list[str | Doubt]:
    """Return the date and time of each cell as YYYYMMDDHHMMSS, with fraction and zone if it has them; or why it isn't certain.

    Parameters
    ----------
    cells
        The different cells of a column.
    rule
        Its `formats` and `first_year`. A date without a time stays one.
    """
    tidied = [tidy(cell) for cell in cells]
    if rule.formats:
        return [_by_formats(cell, rule.formats) for cell in tidied]
    zones = [_zone(cell) if ":" in cell or _ZONED.fullmatch(cell) else "" for cell in tidied]
    bare = [_ZONE.sub("", cell) if zone else cell for cell, zone in zip(tidied, zones, strict=True)]
    # Digits alone are divided as DICOM itself does.
    bare = [f"{match[1]} {_colons(match)}" if (match := _PLAIN.fullmatch(cell)) else cell for cell in bare]
    clocks = [CLOCK.search(cell) for cell in bare]
    dates = read_dates(
        [cell[: clock.start()] if clock else cell for cell, clock in zip(bare, clocks, strict=True)], rule
    )
    plain = replace(rule, formats=())
    times = read_times([clock[0].lstrip("T, ") if clock else "" for clock in clocks], plain)
    return [
        _joined(date, time if clock else "", zone)
        for date, time, clock, zone in zip(dates, times, clocks, zones, strict=True)
    ]


def _colons(match: re.Match[str]) -> str:
    digits = match[2]
    return f"{digits[:2]}:{digits[2:4]}:{digits[4:]}{match[3] or ''}"


def _zone(cell: str) -> str:
    match = _ZONE.search(cell)
    if not match:
        return ""
    return "+0000" if match[1] in {"Z", "UTC"} else match[1].replace(":", "")


def _joined(date: str | Doubt, time: str | Doubt, zone: str) -> str | Doubt:
    if isinstance(date, Doubt):
        return date if date.several else _NONE
    if isinstance(time, Doubt):
        return time if time.several else _NONE
    return f"{date}{time}{zone}" if time else date


def _by_formats(cell: str, formats: Sequence[str]) -> str | Doubt:
    found = dict.fromkeys(text for form in formats if (text := _parsed(cell, form)))
    if len(found) > 1:
        return Doubt(
            "order", f"may be {' or '.join(found)} by its formats", "Leave one of the formats in {key}", several=True
        )
    return next(iter(found), None) or _NONE


def _parsed(cell: str, form: str) -> str:
    try:
        found = datetime.strptime(cell, form)  # noqa: DTZ007  # most datasets have no zone
    except ValueError:
        return ""
    if found.year not in YEARS:
        return ""
    fraction = f".{found.microsecond:06d}" if found.microsecond else ""
    return f"{found:%Y%m%d%H%M%S}{fraction}{found:%z}"
