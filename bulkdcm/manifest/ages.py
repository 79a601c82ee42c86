"""Ages of datasets: a number and a unit that can only be one, to what DICOM writes (PS3.5 6.2, AS)."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from bulkdcm.manifest.readings import Doubt, tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.manifest.rule import Rule

_DICOM = re.compile(r"(\d{3})([DWMYdwmy])")
_PART = r"(\d{1,5}(?:[.,]\d+)?) ?-?([a-zA-Z\u00c0-\u024f/.]*)"
_ONE = re.compile(rf"{_PART}(?: ?\+)?")
_TWO = re.compile(rf"{_PART},?(?: and)? ?{_PART}")
_OLD = re.compile(r"[ -]*(?:of age|old)$", re.IGNORECASE)
_THOUSANDS = re.compile(r"\d+,\d{3}")
_HOURS = "H"
_UNITS = {
    **dict.fromkeys(("y", "yr", "yrs", "year", "years", "yo", "y.o", "y/o"), "Y"),
    **dict.fromkeys(("mo", "mos", "mon", "mons", "mth", "mths", "mnth", "mnths", "month", "months"), "M"),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), "W"),
    **dict.fromkeys(("d", "day", "days"), "D"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), _HOURS),
}  # fmt: skip
# A unit in those it is made of, as far as that is exact.
_SMALLER = {"Y": ("M", 12), "W": ("D", 7)}
_LARGER = {"M": ("Y", 12), "D": ("W", 7), _HOURS: ("D", 24)}
_NAMES = {"Y": "years", "M": "months", "W": "weeks", "D": "days"}
_OLDEST = {"Y": 130, "M": 130 * 12, "W": 130 * 53, "D": 130 * 366}


def read_ages(cells: Sequence[str], rule: Rule) -> list[str | Doubt]:
    """Return the age of each cell as AS, or why it isn't certain.

    Parameters
    ----------
    cells
        The different cells of a column.
    rule
        Its `unit` of bare numbers, its `units` by the words of the cells, and whether parts of a unit may be cut off (`round`).
    """
    tidied = [tidy(cell) for cell in cells]
    units = {**_UNITS, **{_word(word): unit for word, unit in rule.units.items()}}
    if "m" not in units and _m_is_months(tidied):
        units["m"] = "M"
    return [_age(cell, rule, units) for cell in tidied]


def _m_is_months(cells: Sequence[str]) -> bool:
    """Return whether the column has other units of one letter beside m, and no f that would make it a sex."""
    letters = {_word(match[2]) for cell in cells if (match := _ONE.fullmatch(cell))}
    return bool(letters & {"y", "w", "d"}) and "f" not in letters


def _age(cell: str, rule: Rule, units: dict[str, str]) -> str | Doubt:
    if match := _DICOM.fullmatch(cell):
        return _written(Fraction(match[1]), match[2].upper(), rule)
    plain = _OLD.sub("", cell).strip()
    if match := _ONE.fullmatch(plain):
        word, number = _word(match[2]), _number(match[1])
        unit = units.get(word, "") if word else rule.unit
        if number is None or not unit:
            return _unknown_unit(match[1], word)
        return _written(number, unit, rule)
    if match := _TWO.fullmatch(plain):
        return _sum(match.groups(), rule, units) or _none()
    return _none()


def _word(text: str) -> str:
    return text.lower().rstrip(".")


def _number(text: str) -> Fraction | None:
    return None if _THOUSANDS.fullmatch(text) else Fraction(text.replace(",", "."))


def _sum(groups: Sequence[str], rule: Rule, units: dict[str, str]) -> str | Doubt | None:
    """Return an age of two units, as 1 year 3 months, in the smaller."""
    first, second = _number(groups[0]), _number(groups[2])
    large = units.get(_word(groups[1]), "")
    known = {"m": "M", **units} if large == "Y" else units  # beside years, m is months
    small = known.get(_word(groups[3]), "")
    if first is None or second is None or not (large and small):
        return None
    if _SMALLER.get(large, ("", 0))[0] == small:
        return _written(first * _SMALLER[large][1] + second, small, rule)
    if (large, small) == ("D", _HOURS):
        return _written(first * 24 + second, _HOURS, rule)
    return None


def _written(number: Fraction, unit: str, rule: Rule) -> str | Doubt:
    """Return an age in a unit that holds it exactly, in three digits."""
    if unit == _HOURS:
        number, unit = number / 24, "D"
    if number > _OLDEST[unit]:
        return Doubt(
            "too old",
            f"nobody is {float(number):g} {_NAMES[unit]} old",
            'Correct the cell, name the unit with unit = "M" in {key}, or say what others become with `else`',
        )
    exact = _exact(number, unit)
    if exact is None and rule.round == "down":
        exact = _exact(Fraction(int(number)), unit) or (_exact(Fraction(int(number / 7)), "W") if unit == "D" else None)
    if exact is not None:
        return exact
    if number > 999 and unit == "D":
        number, unit = number / 7, "W"
    readings = [f"{value:03d}{unit}" for value in (int(number), int(number) + 1)]
    return Doubt(
        "inexact",
        f"lies between {' and '.join(readings)}: DICOM has whole numbers up to 999 of days, weeks, months and years",
        'Cut ages to whole ones with round = "down" in {key}, or correct the cell',
        several=True,
    )


def _exact(number: Fraction, unit: str) -> str | None:
    if number.denominator == 1 and number <= 999:
        return f"{int(number):03d}{unit}"
    if number.denominator == 1 and unit in _LARGER:
        larger, count = _LARGER[unit]
        return _exact(number / count, larger) if number % count == 0 else None
    if unit in _SMALLER:
        smaller, count = _SMALLER[unit]
        number *= count
        return f"{int(number):03d}{smaller}" if number.denominator == 1 and number <= 999 else None
    return None


def _unknown_unit(number: str, word: str) -> Doubt:
    if not word:
        return Doubt("thousands", "may be a number with a fraction, or thousands", "Correct the cell", several=True)
    if word in {"f", "min", "mins", "minute", "minutes", "s", "sec"}:
        remedy = "Take the age alone out of the cell with `take` in {key}, or correct the cell"
        return Doubt(f"unit {word}", f"{word!r} is no unit that DICOM has for ages", remedy, several=True)
    what = f"its unit {word!r} is none that is known"
    if word == "m" and number.isdecimal():
        what = f"may be {int(number):03d}M, months, or {int(number):03d}Y of a man"
    remedy = (
        f'Say what it is with units = {{ "{word}" = "{"M" if word[0] == "m" else "Y"}" }} in {{key}} (Y, M, W or D)'
    )
    return Doubt(f"unit {word}", what, remedy, several=True)


def _none() -> Doubt:
    return Doubt(
        "age",
        "not an age, such as 33, 50+, 6 months",
        "Correct the cell, or say what others become with `else`, in {key}",
    )
