"""Foreign cells to what DICOM writes: value tables, dates, times, ages and numbers as datasets have them.

A conversion sees all the different cells of a column, since often only together they tell how they are meant. It makes of a
cell what is certain; of others it says what they may be, and how to choose.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bulkdcm.errors import SettingsError
from bulkdcm.manifest.ages import read_ages
from bulkdcm.manifest.codes import read_codes
from bulkdcm.manifest.dates import EXCEL, read_dates
from bulkdcm.manifest.datetimes import read_datetimes
from bulkdcm.manifest.numbers import read_decimals, read_numbers
from bulkdcm.manifest.readings import Doubt
from bulkdcm.manifest.sexes import read_sexes
from bulkdcm.manifest.times import read_times

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bulkdcm.manifest.rule import Rule

CONVERSIONS: dict[str, Callable[[Sequence[str], Rule], list[str | Doubt]]] = {
    "age": read_ages,
    "date": read_dates,
    "time": read_times,
    "datetime": read_datetimes,
    "number": read_numbers,
    "decimal": read_decimals,
    "sex": read_sexes,
    "code": read_codes,
}
_ADD = "Add it to {key}.values, or say what others become with {key}.else"

OPTIONS = frozenset({"as", "formats", "first_year", "unit", "units", "round", "decimal"})
_A_DAY = datetime(2001, 2, 3, 4, 5, 6)  # noqa: DTZ001  # any
AGE_UNITS = ("Y", "M", "W", "D", "H")


def options(where: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a rule that say how its cells are converted.

    Raises
    ------
    SettingsError
        If one can't be used.
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
        ("unit", entry.get("unit", "Y") in AGE_UNITS, ", ".join(AGE_UNITS)),
        ("units", lists and all(unit in AGE_UNITS for unit in units.values()), 'a table, such as { mois = "M" }'),
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
    with warnings.catch_warnings(), contextlib.suppress(ValueError, re.error):
        # From Python 3.13 on it warns of formats that have a day and no year.
        warnings.simplefilter("ignore", DeprecationWarning)
        return form == EXCEL or bool(datetime.strptime(_A_DAY.strftime(str(form)), str(form)))  # noqa: DTZ007  # no zone
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
    texts = [_taken(cell, rule) if cell else rule.empty for cell in cells]
    if rule.split and not rule.part:
        return _several(cells, texts, rule)
    return _read([text if cell else Fixed(rule.empty) for cell, text in zip(cells, texts, strict=True)], rule, latest)


class Fixed(str):
    """A text that no rule changes any more."""

    __slots__ = ()


def _several(cells: Sequence[str], texts: Sequence[str | Doubt], rule: Rule) -> list[str | Doubt]:
    """Return the values of each cell with a backslash between, as DICOM divides them; those that become empty are left out."""
    parts = [
        [part.strip() for part in text.split(rule.split)] if cell and isinstance(text, str) else []
        for cell, text in zip(cells, texts, strict=True)
    ]
    distinct = list(dict.fromkeys(part for some in parts for part in some))
    found = dict(zip(distinct, _read(distinct, rule, ()), strict=True))
    result: list[str | Doubt] = []
    for text, some in zip(texts, parts, strict=True):
        made = [found[part] for part in some]
        doubt = next((one for one in made if isinstance(one, Doubt)), None)
        joined = "\\".join(str(one) for one in made if one)
        result.append(_otherwise(text, rule) if not some else doubt or joined)
    return result


def _read(texts: Sequence[str | Doubt], rule: Rule, latest: Sequence[int]) -> list[str | Doubt]:
    """Return what `values` and `as` make of texts."""
    found = [text if isinstance(text, (Doubt, Fixed)) else _tabled(text, rule) for text in texts]
    if rule.convert:
        todo = [index for index, text in enumerate(found) if text and not isinstance(text, (Doubt, Fixed))]
        asked = [str(found[index]) for index in todo]
        if rule.convert == "date" and latest:
            made = read_dates(asked, rule, [latest[index] for index in todo])
        else:
            made = CONVERSIONS[rule.convert](asked, rule)
        for index, result in zip(todo, made, strict=True):
            found[index] = result
    return [_otherwise(text, rule) for text in found]


def _otherwise(text: str | Doubt, rule: Rule) -> str | Doubt:
    if isinstance(text, Doubt):
        return text if rule.otherwise is None or text.several else rule.otherwise
    return str(text)


def _taken(cell: str, rule: Rule) -> str | Doubt:
    """Return the cell after `take`, and `split` with a `part`."""
    text = cell
    if rule.take:
        try:
            match = rule.take.group_of(cell)
        except ValueError as error:
            return Doubt("long", str(error), "Correct the cell, or say what others become with `else`, in {key}")
        if match is None:
            return Doubt("", f"`take` {rule.take.text!r} finds nothing in it", _ADD)
        text = match
    if rule.part:
        parts = text.split(rule.split)
        if not -len(parts) <= rule.part - (rule.part > 0) < len(parts):
            return Doubt("part", f"it has no part {rule.part}, divided by {rule.split!r}", _ADD)
        text = parts[rule.part - (rule.part > 0)].strip()
    return text


def _tabled(text: str, rule: Rule) -> str | Doubt:
    if rule.values is None:
        return text
    return rule.values[text] if text in rule.values else Doubt("", "not in its table of values", _ADD)
