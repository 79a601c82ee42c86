"""Cells of a workbook that are merged: the first alone holds a value, and what the rows below it have nothing tells."""

from __future__ import annotations

import re
import zipfile
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bulkdcm.manifest.readers.growing import Growing

_RANGE = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*?\sref=[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']")
_PIECE_BYTES, _LONGEST = 2**20, 200


class Merged(NamedTuple):
    """A range of merged cells, by the numbers of its first and last row and column, from 1."""

    top: int
    left: int
    bottom: int
    right: int


def ranges(file: IO[bytes], part: str) -> list[Merged]:
    """Return the merged cells of a sheet.

    Parameters
    ----------
    file
        The workbook.
    part
        The sheet's name in it.
    """
    with zipfile.ZipFile(file) as archive, archive.open(part) as sheet:
        return list(_found(sheet))


def _found(sheet: IO[bytes]) -> Iterator[Merged]:
    left = b""
    while piece := sheet.read(_PIECE_BYTES):
        text, end = left + piece, 0
        for match in _RANGE.finditer(text):
            end = match.end()
            yield Merged(int(match[2]), _number(match[1]), int(match[4]), _number(match[3]))
        left = text[max(end, len(text) - _LONGEST) :]


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def problems(merged: Sequence[Merged], columns: Sequence[tuple[str, Growing]], lines: Sequence[int]) -> list[Problem]:
    """Return a problem for each column that has merged cells.

    Parameters
    ----------
    merged
        Of the sheet.
    columns
        Each with its name, in the order of the sheet.
    lines
        Of the rows.
    """
    numbers = np.asarray(lines)
    wrong: dict[str, set[int]] = {}
    for top, left, bottom, right in merged:
        first, last = np.searchsorted(numbers, [top, bottom + 1]).tolist()
        inside = columns[left - 1 : right]
        if (last - first) * len(inside) < 2 or not any(column.filled(first, last) for _, column in inside):
            continue
        for name, _ in inside:
            wrong.setdefault(name, set()).update(lines[first:last])
    return [
        Problem(
            lines=tuple(sorted(rows)),
            column=name,
            rule="merged cells, of which only the first holds a value",
            remedy="Unmerge them, and give each row its value",
        )
        for name, rows in wrong.items()
    ]
