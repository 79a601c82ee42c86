"""One rule for what a value of a typed table is as text, whatever the table's format.

Text stays as it is; nothing, NaN and NaT are empty; whole numbers have no point; others have the fifteen digits that a double
holds and spreadsheets show; dates become YYYYMMDD, with a time of day YYYYMMDDHHMMSS, times HHMMSS; truth is True or False.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import numbers
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bulkdcm.errors import ManifestError
from bulkdcm.manifest.table import Column, Manifest
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bulkdcm.manifest.table import Codes

MOST_CHARS = 131_072
"""Of a cell, in any table: as the csv module has it."""
_EXACT = 10**15  # whole numbers from here on have digits that a double, and so a spreadsheet, may have changed
_HALF = re.compile("[\ud800-\udfff]")
_AS_TEXT = "Store the column as text"


class UnclearError(ValueError):
    """A value that no text is certain for.

    Parameters
    ----------
    rule
        Why.
    remedy
        What the user can do.
    """

    def __init__(self, rule: str, remedy: str) -> None:
        super().__init__(rule)
        self.rule, self.remedy = rule, remedy


class Uncertain(NamedTuple):
    """What a reader has found instead of a value."""

    rule: str
    remedy: str


def text_of(value: Any) -> str:
    """Return a value as text.

    Raises
    ------
    UnclearError
        If no text is certain for it.
    """
    if isinstance(value, str):
        if len(value) > MOST_CHARS:
            msg = f"a cell of {len(value):,} characters; {MOST_CHARS:,} are the most"
            raise UnclearError(msg, "Leave the column out of the table")
        if not value.isascii() and (half := _HALF.search(value)):
            msg = f"a cell holds half a character, {half[0]!r}, which no text has"
            raise UnclearError(msg, "Correct the cell; of a file's name, rename the file")
        return value
    if value is None or _is_nan(value) or _is_nat(value):
        return ""
    if isinstance(value, Uncertain):
        raise UnclearError(value.rule, value.remedy)
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (numbers.Number, decimal.Decimal, np.number)):
        return _number(value)
    if isinstance(value, (dt.date, dt.time)):
        return _moment(value)
    kinds: dict[type, str] = {bytes: "bytes", list: "a list", dict: "a table", tuple: "a list"}
    kind = kinds.get(type(value), type(value).__name__)
    msg = f"a cell holds {kind}, not one text or number"
    raise UnclearError(msg, "Leave the column out, or write its values as text")


def _is_nan(value: Any) -> bool:
    return bool(value != value) if isinstance(value, (float, np.floating, decimal.Decimal)) else False  # noqa: PLR0124  # NaN alone differs from itself


def _is_nat(value: Any) -> bool:
    """Return whether a value is pandas' or numpy's for no time, or for nothing at all."""
    return type(value).__name__ in {"NaTType", "NAType"} or (isinstance(value, np.datetime64) and bool(np.isnat(value)))


def _number(value: Any) -> str:
    if isinstance(value, (numbers.Complex, np.complexfloating)) and not isinstance(value, numbers.Real):
        msg = "a complex number"
        raise UnclearError(msg, _AS_TEXT)
    if not math.isfinite(value):
        msg = "a number without bounds"
        raise UnclearError(msg, "Correct the cell")
    short = isinstance(value, np.floating) and value.dtype.itemsize < np.dtype(float).itemsize
    if value == int(value):
        if abs(int(value)) >= _EXACT:
            msg = f"{value} is a number of more than 15 digits, whose last ones may have been changed"
            raise UnclearError(msg, _AS_TEXT)
        if short and abs(int(value)) >= 2 ** (np.finfo(value.dtype).nmant + 1):
            msg = (
                f"{int(value)} is a number of {value.dtype.itemsize * 8} bits, whose last digits may have been changed"
            )
            raise UnclearError(msg, _AS_TEXT)
        return str(int(value))
    if short:
        return np.format_float_positional(value, trim="-")
    if isinstance(value, decimal.Decimal):
        return f"{value:f}".rstrip("0")
    return format(float(value), ".15g")


def _moment(value: dt.date | dt.time) -> str:
    fraction = getattr(value, "microsecond", 0)
    parts = f".{fraction:06d}" if fraction else ""
    if isinstance(value, dt.time):
        return f"{value:%H%M%S}{parts}"
    if not isinstance(value, dt.datetime):
        return f"{value.year:04d}{value:%m%d}"
    zone = f"{value:%z}"
    clock = f"{value:%H%M%S}{parts}"
    return f"{value.year:04d}{value:%m%d}{clock if clock != '000000' or zone else ''}{zone}"


def column_of(name: str, codes: Codes, values: Sequence[Any], lines: Codes) -> tuple[Column, list[Problem]]:
    """Return a column of distinct values as text, and the problems of those that no text is certain for.

    Parameters
    ----------
    name
        Of the column.
    codes
        Shape ``(rows,)``: which value each row has.
    values
        Each distinct value.
    lines
        Of the rows.
    """
    texts, problems = [], []
    unclear: dict[tuple[str, str], list[int]] = {}
    for code, value in enumerate(values):
        try:
            texts.append(text_of(value))
        except UnclearError as error:
            texts.append("")
            unclear.setdefault((error.rule, error.remedy), []).append(code)
    for (rule, remedy), wrong in unclear.items():
        at = lines[np.isin(codes, wrong)]
        if len(at):
            problems.append(Problem(lines=tuple(at.tolist()), column=name, rule=rule, remedy=remedy))
    return Column(codes, texts).mapped(str), problems


def manifest_of(
    path: Path,
    columns: Iterable[tuple[str, tuple[Column, list[Problem]]]],
    lines: Codes,
    notes: tuple[Problem, ...],
) -> Manifest:
    """Return the manifest of columns of typed values.

    Parameters
    ----------
    path
        The table.
    columns
        Of each its name, and what `column_of` returned.
    lines
        Shape ``(rows,)``: of the rows.
    notes
        What was noticed.

    Raises
    ------
    ManifestError
        With every value that no text is certain for.
    """
    found: dict[str, Column] = {}
    problems: list[Problem] = []
    for name, (column, wrong) in columns:
        found[name] = column
        problems += wrong
    if problems:
        raise ManifestError.of(path, problems)
    return Manifest(path, found, lines, notes=notes)
