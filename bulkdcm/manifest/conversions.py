"""Foreign cells to what DICOM writes: value tables, dates, times, ages and numbers as datasets have them.

A conversion sees all the different cells of a column, since often only together they tell how they are meant. It makes of a
cell what is certain; of others it says what they may be, and how to choose.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bulkdcm.errors import SettingsError
from bulkdcm.manifest.ages import read_ages
from bulkdcm.manifest.dates import EXCEL, read_dates
from bulkdcm.manifest.numbers import read_numbers
from bulkdcm.manifest.readings import Doubt
from bulkdcm.manifest.times import read_times

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bulkdcm.manifest.rule import Rule

CONVERSIONS: dict[str, Callable[[Sequence[str], Rule], list[str | Doubt]]] = {
    "age": read_ages,
    "date": read_dates,
    "time": read_times,
    "number": read_numbers,
}
_ADD = "Add it to {key}.values, or say what others become with {key}.else"

OPTIONS = frozenset({"as", "formats", "first_year", "unit", "units", "round", "decimal"})
_A_DAY = datetime(2001, 2, 3, 4, 5, 6)  # noqa: DTZ001  # any
_AGE_UNITS = ("Y", "M", "W", "D", "H")


def options(where: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a rule that say how its cells are converted.

    Raises
    ------
    SettingsError
        Where one can't be used.
    """
    first_year, formats, units = entry.get("first_year", 0), entry.get("formats", []), entry.get("units", {})
    formats = [formats] if isinstance(formats, str) else formats
    lists = isinstance(formats, list) and all(map(_usable, formats)) and isinstance(units, dict)
    for key, right, possible in (
        ("as", entry.get("as", "date") in list(CONVERSIONS), ", ".join(CONVERSIONS)),
        (
            "formats",
            lists or "formats" not in entry,
            'a list of formats as of strptime, such as ["%d.%m.%Y"], or ["excel"]',
        ),
        ("first_year", type(first_year) is int and (not first_year or 1800 <= first_year <= 2200), "1800 to 2200"),
        ("unit", entry.get("unit", "Y") in _AGE_UNITS, ", ".join(_AGE_UNITS)),
        ("units", lists and all(unit in _AGE_UNITS for unit in units.values()), 'a table, such as { mois = "M" }'),
        ("round", entry.get("round", "down") == "down", "down"),
        ("decimal", entry.get("decimal", ".") in (".", ","), ". and ,"),
    ):
        if not right:
            msg = f"{where}.{key} {entry.get(key)!r}. Possible: {possible}."
            raise SettingsError(msg)
    return {
        "convert": str(entry.get("as", "")),
        "formats": tuple(formats),
        "first_year": first_year,
        "unit": str(entry.get("unit", "Y")),
        "units": units,
        "round": str(entry.get("round", "")),
        "decimal": str(entry.get("decimal", "")),
    }


def _usable(form: object) -> bool:
    """Return whether strptime reads what strftime writes in a format."""
    try:
        return form == EXCEL or bool(datetime.strptime(_A_DAY.strftime(str(form)), str(form)))  # noqa: DTZ007  # no zone
    except (ValueError, re.error):
        return False


def converted(cells: Sequence[str], rule: Rule, latest: Sequence[int] = ()) -> list[str | Doubt]:
    """Return what a rule makes of the different cells of a column; a doubt where that is nothing certain.

    Parameters
    ----------
    cells
        The cells.
    rule
        With `else`, cells that have no reading become that; those that have several stay doubts.
    latest
        For dates of birth: see `dates.read_dates`.
    """
    found = [_prepared(cell, rule) for cell in cells]
    if rule.convert:
        todo = [index for index, text in enumerate(found) if isinstance(text, str) and text and cells[index]]
        texts = [str(found[index]) for index in todo]
        if rule.convert == "date" and latest:
            made = read_dates(texts, rule, [latest[index] for index in todo])
        else:
            made = CONVERSIONS[rule.convert](texts, rule)
        for index, result in zip(todo, made, strict=True):
            found[index] = result
    if rule.otherwise is None:
        return found
    return [rule.otherwise if isinstance(text, Doubt) and not text.several else text for text in found]


def _prepared(cell: str, rule: Rule) -> str | Doubt:
    """Return the cell after `empty`, `take` and `values`."""
    if not cell:
        return rule.empty
    text = cell
    if rule.take:
        match = rule.take.search(cell)
        if not match:
            return Doubt("", f"`take` {rule.take.pattern!r} finds nothing in it", _ADD)
        text = match[1] or ""
    if rule.values is not None:
        if text not in rule.values:
            return Doubt("", "not in its table of values", _ADD)
        text = rule.values[text]
    return text
