"""Times of day of datasets; spreadsheets take the zeros in front away, and what is left may be read in two ways."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from bulkdcm.manifest.date_forms import clock_of
from bulkdcm.manifest.dates import EXCEL
from bulkdcm.manifest.readings import Doubt, tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.manifest.rule import Rule

_COLONS = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?(?: ?([AaPp])\.?[Mm]\.?)?")
_DIGITS = re.compile(r"(\d{1,6})(?:[.,](\d+))?")
_FRACTION = re.compile(r"(.*\d)[.,](\d+)")
_DAY_FRACTION = re.compile(r"(?:\d{1,6})?\.\d+|0|0?[.,]\d+")
_FIXED = re.compile(r"(?:%H)?(?:%M)?(?:%S)?")
_WIDTH, _FRACTION_DIGITS, _DAY_S = 6, 6, 86_400
# Digits without colons: hours, minutes and seconds, or hours and minutes.
_SECONDS, _MINUTES, _AS_WRITTEN = "%H%M%S", "%H%M", "as written"


def read_times(cells: Sequence[str], rule: Rule) -> list[str | Doubt]:
    """Return the time of each cell as HHMMSS, with a fraction of at most six digits; or why it isn't certain.

    Parameters
    ----------
    cells
        The different cells of a column.
    rule
        Its `formats`.
    """
    tidied = [tidy(cell) for cell in cells]
    if rule.formats:
        return [_by_formats(cell, rule.formats) for cell in tidied]
    bare = {
        (match[1], "1" if (match[2] or "").strip("0") else "")
        for cell in tidied
        if ":" not in cell and (match := _DIGITS.fullmatch(cell))
    }
    forms = _decided(sorted(bare))
    long = any(len(digits) > 2 for digits, _ in bare)
    return [(None if long else _short(cell)) or _read(cell, forms) for cell in tidied]


def _short(cell: str) -> Doubt | None:
    """Return a doubt for 10.15 or 0.427; longer cells of the column would show that it is seconds."""
    match = _DIGITS.fullmatch(cell)
    if not match or len(match[1]) > 2 or not (match[2] or "").strip("0"):
        return None
    return Doubt(
        "point",
        "may be hours and minutes, seconds, or a part of a day as spreadsheets count",
        f'Say which with formats = ["%H.%M"], ["%S.%f"] or ["{EXCEL}"] in {{key}}',
        several=True,
    )


def _decided(bare: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return how the digits of a column may be read, by all of its cells that can be a time at all."""
    cells = [cell for cell in bare if any(_of_digits(*cell, form) for form in (_SECONDS, _MINUTES, _AS_WRITTEN))]
    # A zero in front shows that none was taken away.
    kept = any(digits[0] == "0" and len(digits) > 1 for digits, _ in cells)
    short = any(len(digits) < _WIDTH for digits, _ in cells)
    forms = []
    if not (kept and short) and all(_of_digits(*cell, _SECONDS) for cell in cells):
        forms.append(_SECONDS)
    if all(_of_digits(*cell, _MINUTES) and not (kept and len(cell[0]) < 4) for cell in cells):
        forms.append(_MINUTES)
    if kept and all(_of_digits(*cell, _AS_WRITTEN) for cell in cells):
        forms.append(_AS_WRITTEN)
    return tuple(forms)


def _of_digits(digits: str, fraction: str, form: str) -> str:
    """Return the time that digits are in a form, or an empty string."""
    parts = fraction.strip("0")
    whole = _whole(digits, form, parts=bool(parts))
    return f"{whole}.{fraction[:_FRACTION_DIGITS]}" if whole and parts else whole


@lru_cache(maxsize=262_144)
def _whole(digits: str, form: str, *, parts: bool) -> str:
    """Return the time in whole seconds, of digits with or without parts of a second."""
    if form == _AS_WRITTEN:
        usable = len(digits) % 2 == 0 and (len(digits) == _WIDTH or not parts)
        return _time(digits.ljust(_WIDTH, "0"), "") if usable else ""
    if form == _MINUTES:
        return _time(digits.zfill(4) + "00", "") if len(digits) <= 4 and not parts else ""
    return _time(digits.zfill(_WIDTH), "")


def _time(digits: str, fraction: str) -> str:
    hour, minute, second = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    if hour > 23 or minute > 59 or second > 60:  # 60 is a leap second
        return ""
    return f"{digits}.{fraction[:_FRACTION_DIGITS]}" if fraction.strip("0") else digits


def _read(cell: str, forms: tuple[str, ...]) -> str | Doubt:
    if match := _COLONS.fullmatch(clock_of(cell) or cell):
        return _of_colons(match) or _none()
    match = _DIGITS.fullmatch(cell)
    if not match:
        return _none()
    digits, fraction = match[1], match[2] or ""
    wanted = forms or (_SECONDS, _MINUTES, _AS_WRITTEN)
    readings = {text: form for form in reversed(wanted) if (text := _of_digits(digits, fraction, form))}
    if len(readings) == 1:
        return next(iter(readings))
    if not readings:
        return _none()
    shown = " or ".join(f"{text[:2]}:{text[2:4]}:{text[4:]}" for text in sorted(readings))
    return Doubt(
        "digits",
        f"may be {shown}: zeros in front may have been lost, and no cell of the column decides it",
        f'Say which with formats = ["{_SECONDS}"] or formats = ["{_MINUTES}"] in {{key}}',
        several=True,
    )


def _of_colons(match: re.Match[str]) -> str:
    hour, minute, second, fraction, half = match.groups()
    if half:
        if not 1 <= int(hour) <= 12:
            return ""
        hour = str(int(hour) % 12 + (12 if half in "Pp" else 0))
    return _time(f"{int(hour):02d}{minute}{second or '00'}", fraction or "")


def _none() -> Doubt:
    return Doubt(
        "time",
        "not a time in one of its formats, such as 10:15, 10:15:30 or 101530",
        'Say how it is written with formats, such as formats = ["%H.%M"], or what others become with `else`, in {key}',
    )


def _by_formats(cell: str, formats: tuple[str, ...]) -> str | Doubt:
    found = dict.fromkeys(text for form in formats if (text := _parsed(cell, form)))
    if len(found) > 1:
        shown = " or ".join(f"{text[:2]}:{text[2:4]}:{text[4:]}" for text in found)
        return Doubt("digits", f"may be {shown} by its formats", "Leave one of the formats in {key}", several=True)
    return next(iter(found), None) or _none()


def _parsed(cell: str, form: str) -> str:
    if form == EXCEL:
        return _of_day_fraction(cell)
    fraction = ""
    if form.endswith(("%S", "%S.%f")) and (match := _FRACTION.fullmatch(cell)):
        cell, fraction, form = match[1], match[2], form.removesuffix(".%f")
    if _FIXED.fullmatch(form):
        width, cell = form.count("%") * 2, re.sub(r"\.0+$", "", cell)
        if not cell.isdecimal() or len(cell) > width:
            return ""
        hours_first = form.startswith("%H")
        digits = cell.zfill(width)
        return _time(digits.ljust(_WIDTH, "0") if hours_first else digits.zfill(_WIDTH), fraction)
    try:
        found = datetime.strptime(cell, form)  # noqa: DTZ007  # a time of a dataset has no zone
    except ValueError:
        return ""
    return _time(found.strftime("%H%M%S"), fraction or (f"{found.microsecond:06d}" if found.microsecond else ""))


def _of_day_fraction(cell: str) -> str:
    if not _DAY_FRACTION.fullmatch(cell):
        return ""
    seconds = round(float(cell.replace(",", ".")) % 1 * _DAY_S) % _DAY_S
    return f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"
