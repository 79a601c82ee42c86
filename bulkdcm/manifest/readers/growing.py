"""Columns of typed values that are read row by row."""

from __future__ import annotations

import datetime as dt
from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.manifest.readers import text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bulkdcm.manifest.table import Codes, Column, Manifest
    from bulkdcm.model import Problem


class Growing:
    """One column as it grows, value by value; rows that lack it are empty."""

    __slots__ = ("_codes", "_index", "_values")

    def __init__(self) -> None:
        self._codes = array("i")
        self._index: dict[tuple[str, Any], int] = {("NoneType", None): 0}
        self._values: list[Any] = [None]

    def put(self, row: int, value: Any) -> None:
        """Put the value of a row."""
        if missing := row - len(self._codes):
            self._codes.frombytes(bytes(missing * self._codes.itemsize))
        key = (type(value).__name__, value)
        if isinstance(value, dt.datetime) and value.tzinfo:  # one moment has other texts in other zones
            key = (f"{value:%z}", value)
        try:
            code = self._index.setdefault(key, len(self._values))
        except TypeError:  # a list is no key
            code = len(self._values)
        if code == len(self._values):
            self._values.append(value)
        self._codes.append(code)

    @property
    def holds(self) -> bool:
        """Whether any row has a value."""
        return len(self._values) > 1

    def filled(self, first: int, end: int) -> bool:
        """Return whether any of some rows has a value."""
        return any(self._codes[first:end])

    def column(self, name: str, lines: Codes) -> tuple[Column, list[Problem]]:
        """Return the column, and the problems of its values."""
        if missing := len(lines) - len(self._codes):
            self._codes.frombytes(bytes(missing * self._codes.itemsize))
        codes = np.frombuffer(self._codes, dtype=np.int32) if self._codes else np.zeros(0, dtype=np.int32)
        return text.column_of(name, codes, self._values, lines)


def grown(path: Path, columns: Mapping[str, Growing], lines: array[int], notes: tuple[Problem, ...]) -> Manifest:
    """Return the manifest of some columns.

    Parameters
    ----------
    path
        The table.
    columns
        By their names.
    lines
        Of the rows.
    notes
        What was noticed.

    Raises
    ------
    ManifestError
        With every value that no text is certain for.
    """
    numbers = np.frombuffer(lines, dtype=np.int32) if lines else np.zeros(0, dtype=np.int32)
    return text.manifest_of(
        path, ((name, cells.column(name, numbers)) for name, cells in columns.items()), numbers, notes
    )
