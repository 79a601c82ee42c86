"""A foreign cell to what DICOM writes: value tables, dates, times and ages as datasets have them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from bulkdcm.manifest.mapping import Rule

_AGE = re.compile(r"(\d{1,3})(?:\.0*)?\s*\+?\s*(y|m|w|d)?[a-z. ]*", re.IGNORECASE)
_DATES = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")
_TIMES = ("%H:%M:%S", "%H:%M", "%H%M%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")


class Conversion(NamedTuple):
    """What `as` may name."""

    convert: Callable[[str, Rule], str]
    """Returns an empty string where the cell is none."""
    expects: str


def _age(cell: str, rule: Rule) -> str:
    match = _AGE.fullmatch(cell.strip())
    return f"{int(match[1]):03d}{(match[2] or rule.unit).upper()}" if match else ""


def _date(cell: str, rule: Rule) -> str:
    return _parsed(cell, rule.formats or _DATES, "%Y%m%d")


def _time(cell: str, rule: Rule) -> str:
    return _parsed(cell, rule.formats or _TIMES, "%H%M%S")


def _parsed(cell: str, formats: tuple[str, ...], form: str) -> str:
    for known in formats:
        try:
            return datetime.strptime(cell.strip(), known).strftime(form)  # noqa: DTZ007  # a date of a dataset has no zone
        except ValueError:
            continue
    return ""


CONVERSIONS: dict[str, Conversion] = {
    "age": Conversion(_age, "an age, as 33, 50+, 6 months"),
    "date": Conversion(_date, "a date in one of its formats"),
    "time": Conversion(_time, "a time in one of its formats"),
}


def converted(cell: str, rule: Rule) -> tuple[str, str]:
    """Return what a rule makes of a cell, and what is wrong where it can't make anything of it."""
    if not cell:
        return rule.empty, ""
    text, problem = cell, ""
    if rule.take:
        match = rule.take.search(cell)
        text, problem = (match[1] or "", "") if match else ("", f"`take` {rule.take.pattern!r} finds nothing in it")
    if not problem and rule.values is not None:
        text, problem = (rule.values[text], "") if text in rule.values else ("", "not in its table of values")
    if not problem and rule.convert and text:
        conversion = CONVERSIONS[rule.convert]
        text = conversion.convert(text, rule)
        problem = "" if text else f"not {conversion.expects}"
    if problem and rule.otherwise is not None:
        return rule.otherwise, ""
    return text, problem
