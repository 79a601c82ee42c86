"""Dates of datasets: which order of day, month and year a column has is decided by all of its cells, or not at all."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from bulkdcm.manifest.date_forms import ORDERS, YEARS, date_of, exists, written_date
from bulkdcm.manifest.readings import Doubt, tidy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bulkdcm.manifest.date_forms import Written
    from bulkdcm.manifest.rule import Rule

EXCEL = "excel"  # days since the end of 1899, as spreadsheets count them
_EXCEL_DAY_0 = date(1899, 12, 30)
_OLDEST_YEARS = 130
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_FIXED = re.compile(r"(?:%[YmdyHMS])+")
_WIDTHS = {"Y": 4}
_OTHERS = "Correct the cell or formats, or say what others become with `else`, in {key}"


def read_dates(cells: Sequence[str], rule: Rule, latest: Sequence[int] = ()) -> list[str | Doubt]:
    """Return the date of each cell as YYYYMMDD, or why it isn't certain.

    Parameters
    ----------
    cells
        The different cells of a column.
    rule
        Its `formats` and `first_year`.
    latest
        For births: the earliest study of each cell's rows as a number YYYYMMDD; 0 where it isn't known.
    """
    bounds = latest or [0] * len(cells)
    if rule.formats:
        return [_by_formats(tidy(cell), rule, bound) for cell, bound in zip(cells, bounds, strict=True)]
    keys = list(zip([date_of(tidy(cell)) for cell in cells], bounds, strict=True))
    distinct = list(dict.fromkeys(keys))  # times of day make many cells of few dates
    found = dict(zip(distinct, _by_order(distinct, rule), strict=True))
    return [found[key] for key in keys]


def _by_order(cells: Sequence[tuple[str, int]], rule: Rule) -> list[str | Doubt]:
    """Return the date of each cell and latest day, by the order that all of them allow."""
    written = [written_date(cell) for cell, _ in cells]
    orders = _decided(written)
    why = {shape: _why(shape, [cell for cell, _ in cells], written) for shape, fitting in orders.items() if not fitting}
    result: list[str | Doubt] = []
    for (cell, bound), found in zip(cells, written, strict=True):
        ymd = _read(found, orders, why) if found and found.readings else _none(cell)
        if isinstance(ymd, Doubt):
            result.append(ymd)
        else:
            result.append(_century(ymd, rule, bound) if found and "two-digit" in found.shape else _text(ymd))
    return result


def formats_of(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the formats that say what order the dates of a column have, where it isn't the Standard's own."""
    written = [found for cell in cells if (found := written_date(date_of(tidy(cell))))]
    orders = _decided(written)
    usual = all(orders.get(found.shape) == ORDERS[found.shape][0][:1] for found in written if _has_usual(found))
    if all(map(_has_usual, written)) and usual:
        return ()
    if any(len(orders.get(found.shape, ())) != 1 for found in written):
        return ()
    return tuple(sorted({_format(orders[found.shape][0], found) for found in written}))


def _has_usual(found: Written) -> bool:
    """Return whether one order of a way of writing is meant where it fits."""
    return found.shape in ORDERS and ORDERS[found.shape][1]


def _decided(written: Iterable[Written | None]) -> dict[str, tuple[str, ...]]:
    """Return, for each way of writing, the orders that fit all of its cells; the one that is meant where that is sure."""
    fitting: dict[str, set[str]] = {}
    for found in written:
        if found and found.readings and found.shape in ORDERS:
            if found.shape in fitting:
                fitting[found.shape] &= found.readings.keys()
            else:
                fitting[found.shape] = set(found.readings)
    last = fitting.get("year last", set())
    if len(last) == 1 and last <= fitting.get("two-digit year", set()):
        fitting["two-digit year"] = last  # one column, one order
    decided = {}
    for shape, orders in fitting.items():
        usual, sure = ORDERS[shape]
        decided[shape] = usual[:1] if sure and usual[0] in orders else tuple(o for o in usual if o in orders)
    return decided


def _why(shape: str, cells: Sequence[str], written: Sequence[Written | None]) -> str:
    """Return the words for a column that no order fits, with a cell for each."""
    only: dict[str, str] = {}
    for cell, found in zip(cells, written, strict=True):
        if found and found.shape == shape and len(found.readings) == 1:
            only.setdefault(next(iter(found.readings)), cell)
    return f"the column has cells of several orders, such as {' and '.join(map(repr, only.values()))}"


def _read(found: Written, orders: dict[str, tuple[str, ...]], why: dict[str, str]) -> tuple[int, int, int] | Doubt:
    """Return the one day that a cell means, in the orders that its column may have."""
    unsure = found.shape == "6 digits"  # may be a year and a month too
    wanted = (() if unsure else orders.get(found.shape, ())) or tuple(found.readings)
    readings = {found.readings[order]: order for order in wanted}
    if len(readings) > 1 or unsure:
        ways = " or ".join(f'formats = ["{_format(order, found)}"]' for order in readings.values())
        reason = why.get(found.shape) or "no cell of the column decides it"
        return Doubt(
            "order", f"may be {_listed(readings)}, and {reason}", f"Say which with {ways} in {{key}}", several=True
        )
    return next(iter(readings))


def _none(cell: str) -> Doubt:
    if _SERIAL.fullmatch(cell) and (day := _of_serial(cell)):
        later = day + timedelta(days=1462)
        return Doubt(
            "serial",
            f"a spreadsheet's count of days: {day} in most, {later} in old ones of a Mac",
            f'Format the column as dates and save it again, or say formats = ["{EXCEL}"] in {{key}} for the first',
            several=True,
        )
    if cell.isdecimal() and int(cell) in YEARS:
        return Doubt("year", "only a year: DICOM's dates have a month and a day", _OTHERS)
    return Doubt(
        "date",
        "not a date in one of its formats, such as 2023-07-26 or 26 July 2023",
        'Say how it is written with formats, such as formats = ["%d.%m.%Y"], or what others become with `else`, in {key}',
    )


def _of_serial(cell: str) -> date | None:
    days = int(float(cell))
    return _EXCEL_DAY_0 + timedelta(days=days) if 60 < days < 150_000 else None


def _century(ymd: tuple[int, int, int], rule: Rule, latest: int) -> str | Doubt:
    """Return the date of a two-digit year, where only one century is possible."""
    year, month, day = ymd
    centuries: Iterable[int] = (1800, 1900, 2000, 2100) if latest else (1900, 2000)
    years = [year + century for century in centuries]
    if rule.first_year:
        years = [rule.first_year + (year - rule.first_year) % 100]
    found = [(one, month, day) for one in years if exists((one, month, day))]
    if latest:
        found = [one for one in found if latest - _OLDEST_YEARS * 10_000 <= int(_text(one)) <= latest]
    if len(found) == 1:
        return _text(found[0])
    if not found:
        return Doubt(
            "century", "no year of it is before the study", "Correct the cell, or write the years with four digits"
        )
    return Doubt(
        "century",
        f"a year of two digits: may be {_listed(found)}",
        "Say where its hundred years begin, such as first_year = 1930 for 1930 to 2029, in {key}",
        several=True,
    )


def _by_formats(cell: str, rule: Rule, latest: int) -> str | Doubt:
    found: dict[tuple[int, int, int], str] = {}
    for form in rule.formats:
        if parsed := _parsed(cell, form):
            found.setdefault((parsed.year % 100 if "%y" in form else parsed.year, parsed.month, parsed.day), form)
    if not found:
        return _none(cell) if EXCEL not in rule.formats else Doubt("date", "not a date in one of its formats", _OTHERS)
    if len(found) > 1:
        return Doubt(
            "order",
            f"may be {' or '.join(f'{_iso(ymd)} by {form}' for ymd, form in found.items())}",
            "Leave one of the formats in {key}",
            several=True,
        )
    ((ymd, form),) = found.items()
    return _century(ymd, rule, latest) if "%y" in form else _text(ymd)


def _parsed(cell: str, form: str) -> date | None:
    if form == EXCEL:
        return _of_serial(cell) if _SERIAL.fullmatch(cell) else None
    if not {"%H", "%I", "%c", "%X"} & set(re.findall("%.", form)):
        cell = date_of(cell)
    if _FIXED.fullmatch(form):  # a spreadsheet takes zeros in front away, and strptime would then read other digits
        width = sum(_WIDTHS.get(letter, 2) for letter in form.replace("%", ""))
        cell = re.sub(r"\.0+$", "", cell)
        if not cell.isdecimal() or len(cell) > width:
            return None
        cell = cell.zfill(width)
    try:
        found = datetime.strptime(cell, form).date()  # noqa: DTZ007  # a date of a dataset has no zone
    except ValueError:
        return None
    return found if found.year in YEARS or "%y" in form else None


def _format(order: str, found: Written) -> str:
    year = "y" if "two" in found.shape or found.shape == "6 digits" else "Y"
    return found.separator.join(f"%{year if letter == 'Y' else letter.lower()}" for letter in order)


def _text(ymd: tuple[int, int, int]) -> str:
    return f"{ymd[0]:04d}{ymd[1]:02d}{ymd[2]:02d}"


def _iso(ymd: tuple[int, int, int]) -> str:
    return (
        f"{ymd[0]:04d}-{ymd[1]:02d}-{ymd[2]:02d}" if ymd[0] > 99 else f"day {ymd[2]}, month {ymd[1]}, year {ymd[0]:02d}"
    )


def _listed(found: Iterable[tuple[int, int, int]]) -> str:
    return " or ".join(map(_iso, sorted(found)))
